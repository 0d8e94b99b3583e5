//! The host's network devices, as the kernel shows them in `/sys/class/net`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::exec;

/// What kind of device it is, as far as it matters for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Linux bridge.
    Bridge,
    /// An Open vSwitch bridge.
    OpenVSwitch,
    /// A bond of several NICs.
    Bond,
    /// A guest's tap device, or another tun/tap.
    Tap,
    /// A Wi-Fi station.
    Wireless,
    /// Anything else: a NIC, a veth, a VLAN.
    Other,
}

/// One network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: Kind,
    /// Is it administratively up?
    pub is_up: bool,
    /// Has it a carrier (a cable, a peer)?
    pub has_carrier: bool,
    /// In bytes.
    pub mtu: Option<u32>,
    /// The bridge, bond or switch that it is a port of.
    pub master: Option<String>,
    /// A Linux bridge's ports.
    pub ports: Vec<String>,
    /// Does a Linux bridge filter VLANs?
    pub filters_vlans: bool,
    /// Does the kernel show a Linux bridge's frames to the packet filter of IPv4, and of IPv6, whatever it does with other
    /// bridges' (`nf_call_iptables`)?
    pub calls_filters: [bool; 2],
}

/// The devices below one `/sys/class/net`.
#[derive(Debug, Clone)]
pub struct Kernel {
    class_net: PathBuf,
}

impl Default for Kernel {
    fn default() -> Self {
        Kernel { class_net: "/sys/class/net".into() }
    }
}

impl Kernel {
    /// The devices below another folder.
    #[cfg(test)]
    pub fn below(class_net: &Path) -> Kernel {
        Kernel { class_net: class_net.into() }
    }

    /// The device of that name, `None` if there is none. Something that can't be read counts as not there: a device
    /// may go at any moment.
    pub fn device(&self, name: &str) -> Option<Device> {
        let dir = self.class_net.join(name);
        if !dir.is_dir() {
            return None;
        }
        let flags =
            text(&dir.join("flags")).and_then(|f| u32::from_str_radix(f.trim_start_matches("0x"), 16).ok());
        let mut ports: Vec<String> = std::fs::read_dir(dir.join("brif"))
            .map(|entries| entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
            .unwrap_or_default();
        ports.sort();
        Some(Device {
            kind: self.kind(name, &dir),
            is_up: flags.is_some_and(|f| f & 1 == 1),
            has_carrier: text(&dir.join("carrier")).as_deref() == Some("1"),
            mtu: text(&dir.join("mtu")).and_then(|m| m.parse().ok()),
            master: self.master(name).flatten(),
            ports,
            calls_filters: ["iptables", "ip6tables"]
                .map(|tool| text(&dir.join(format!("bridge/nf_call_{tool}"))).as_deref() == Some("1")),
            filters_vlans: text(&dir.join("bridge/vlan_filtering")).as_deref() == Some("1"),
        })
    }

    /// The bridge, bond or switch that a device is a port of, or none; `None` if there is no such device. Where only that is
    /// to be known of many it is cheaper than [`Kernel::device`].
    pub fn master(&self, name: &str) -> Option<Option<String>> {
        let dir = self.class_net.join(name);
        match std::fs::read_link(dir.join("master")) {
            Ok(link) => Some(link.file_name().and_then(|name| Some(name.to_str()?.to_string()))),
            Err(_) => dir.is_dir().then_some(None),
        }
    }

    /// The MAC address that a device has now.
    pub fn mac(&self, name: &str) -> Option<String> {
        text(&self.class_net.join(name).join("address"))
    }

    /// All devices, by name.
    pub fn devices(&self) -> Vec<(String, Device)> {
        let entries = std::fs::read_dir(&self.class_net).map(|entries| entries.flatten().collect::<Vec<_>>());
        let names = entries.unwrap_or_default().into_iter().filter_map(|e| e.file_name().into_string().ok());
        let mut devices: Vec<_> =
            names.filter_map(|name| Some((name.clone(), self.device(&name)?))).collect();
        devices.sort_by(|(a, _), (b, _)| a.cmp(b));
        devices
    }

    fn kind(&self, name: &str, dir: &Path) -> Kind {
        if dir.join("bridge").is_dir() {
            Kind::Bridge
        } else if dir.join("bonding").is_dir() {
            Kind::Bond
        } else if dir.join("tun_flags").exists() {
            Kind::Tap
        } else if dir.join("wireless").exists() || dir.join("phy80211").exists() {
            Kind::Wireless
        } else if !dir.join("device").exists() && is_open_vswitch(name) {
            Kind::OpenVSwitch
        } else {
            Kind::Other
        }
    }

    /// Keeps a bridge's port from talking to other ports that are isolated as well, as libvirt does for a NIC with
    /// `<port isolated='yes'/>`.
    ///
    /// # Errors
    /// It is no bridge's port, or the kernel refuses.
    pub fn isolate(&self, port: &str) -> io::Result<()> {
        std::fs::write(self.class_net.join(port).join("brport/isolated"), "1")
    }

    /// Does the bridge lead anywhere: has it a port other than guests' taps, with a carrier?
    pub fn has_uplink(&self, bridge: &Device) -> bool {
        bridge
            .ports
            .iter()
            .filter_map(|port| self.device(port))
            .any(|port| port.kind != Kind::Tap && port.has_carrier)
    }
}

/// The device that a name belongs to, by its own name: the kernel gives a name to one device only, and alternative names
/// (`ip link property add dev br1 altname lan`), which `/sys/class/net` doesn't show, are names like any other. `None` if
/// nobody has it.
pub fn holder(name: &str) -> Option<String> {
    use rustix::net::{AddressFamily, SocketType, netdevice, socket};
    let asked = || {
        let socket = socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
        let index = netdevice::name_to_index(&socket, name).ok()?;
        netdevice::index_to_name(&socket, index).ok()
    };
    let is_shown = || Path::new("/sys/class/net").join(name).is_dir().then(|| name.to_string());
    asked().or_else(is_shown)
}

/// Makes a tap a port of a bridge, behind libvirt's back: the way out when libvirt left it on none.
///
/// # Errors
/// `ip` isn't there, or the kernel refuses.
pub fn plug(tap: &str, bridge: &str) -> io::Result<()> {
    run("ip", &["link", "set", "dev", tap, "master", bridge])
}

/// Brings a device up.
///
/// # Errors
/// `ip` isn't there, or the kernel refuses.
pub fn bring_up(device: &str) -> io::Result<()> {
    run("ip", &["link", "set", "dev", device, "up"])
}

/// Takes a tap off its bridge.
///
/// # Errors
/// `ip` isn't there, or the kernel refuses.
pub fn unplug(tap: &str) -> io::Result<()> {
    run("ip", &["link", "set", "dev", tap, "nomaster"])
}

/// Takes a bridge's port out of the VLAN 1 that a new one is in, and lets it into these: each an id, and the words
/// (`pvid`, `untagged`) that say how.
///
/// # Errors
/// `bridge` isn't there, or the kernel refuses: not every one filters VLANs.
pub fn tag(port: &str, vlans: &[(&str, &[&str])]) -> io::Result<()> {
    run("bridge", &["vlan", "del", "dev", port, "vid", "1"])?;
    vlans
        .iter()
        .try_for_each(|(id, how)| run("bridge", &[&["vlan", "add", "dev", port, "vid", id], *how].concat()))
}

/// May this process change network devices? That takes CAP_NET_ADMIN (capabilities(7)) in its effective set; where that
/// can't be read, it is taken to.
pub fn may_change_devices() -> bool {
    text(Path::new("/proc/self/status")).is_none_or(|status| has_net_admin(&status))
}

/// Bit 12 of the mask in a process's `status`.
fn has_net_admin(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_none_or(|mask| mask >> 12 & 1 == 1)
}

/// Runs one of iproute2's programs.
fn run(program: &str, args: &[&str]) -> io::Result<()> {
    let said = |e: io::Error| io::Error::other(format!("cannot run '{program}': {e}"));
    let done = exec::program(program).args(args).output().map_err(said)?;
    if done.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&done.stderr).trim().to_string()))
}

/// The kernel says so in the device's link info, which only netlink shows.
fn is_open_vswitch(name: &str) -> bool {
    let shown =
        exec::program("ip").args(["-j", "-d", "link", "show", "dev", name]).stderr(Stdio::null()).output();
    let Ok(shown) = shown else { return false };
    let links: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
    links[0]["linkinfo"]["info_kind"] == "openvswitch"
}

/// A setting of the kernel below `/proc/sys`, such as `net/ipv4/ip_forward`; `None` if there is no such setting.
pub fn sysctl(path: &str) -> Option<String> {
    text(&Path::new("/proc/sys").join(path))
}

/// Are they on a file system that nobody may write to, as in containers?
pub fn sysctls_are_read_only() -> bool {
    let written = rustix::fs::access("/proc/sys/net/ipv4/ip_forward", rustix::fs::Access::WRITE_OK);
    written == Err(rustix::io::Errno::ROFS)
}

/// May unprivileged guests use the bridge? Asks `/etc/qemu/bridge.conf`, the list of QEMU's bridge helper.
pub fn bridge_helper_allows(bridge: &str) -> bool {
    let list = std::fs::read_to_string("/etc/qemu/bridge.conf").unwrap_or_default();
    list.lines().map(str::trim).any(|line| line == "allow all" || line == format!("allow {bridge}"))
}

fn text(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A `/sys/class/net` in a folder: each entry a path and what stands there (a path ending in `/` is a folder).
    fn kernel(entries: &[(&str, &str)]) -> (tempfile::TempDir, Kernel) {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in entries {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if path.to_str().unwrap().ends_with('/') {
                std::fs::create_dir_all(&path).unwrap();
            } else {
                std::fs::write(&path, format!("{content}\n")).unwrap();
            }
        }
        let kernel = Kernel::below(dir.path());
        (dir, kernel)
    }

    #[test]
    fn who_has_a_name() {
        assert_eq!(holder("lo").as_deref(), Some("lo"));
        assert_eq!(holder("nosuch0"), None);
    }

    #[test]
    fn who_may_change_devices() {
        for (mask, may) in
            [("000001ffffffffff", true), ("000001ffffffefff", false), ("0", false), ("1000", true)]
        {
            assert_eq!(has_net_admin(&format!("Name:\tkvmnet\nCapEff:\t{mask}\n")), may, "{mask}");
        }
        assert!(has_net_admin("Name:\tkvmnet\n"));
    }

    #[test]
    fn a_bridge_with_an_uplink() {
        let (_dir, kernel) = kernel(&[
            ("br0/bridge/vlan_filtering", "1"),
            ("br0/brif/enp4s0/x", ""),
            ("br0/brif/vnet0/x", ""),
            ("br0/flags", "0x1003"),
            ("br0/mtu", "9000"),
            ("enp4s0/carrier", "1"),
            ("enp4s0/device/x", ""),
            ("vnet0/tun_flags", "0x1002"),
            ("vnet0/carrier", "1"),
            ("wlan0/wireless/x", ""),
            ("bond0/bonding/mode", "802.3ad 4"),
        ]);
        let br0 = kernel.device("br0").unwrap();
        assert_eq!((br0.kind, br0.is_up, br0.mtu, br0.filters_vlans), (Kind::Bridge, true, Some(9000), true));
        assert_eq!(br0.ports, ["enp4s0", "vnet0"]);
        assert!(kernel.has_uplink(&br0));
        let taps = Device { ports: vec!["vnet0".into(), "gone".into()], ..br0 };
        assert!(!kernel.has_uplink(&taps));
        assert_eq!(kernel.device("wlan0").unwrap().kind, Kind::Wireless);
        assert_eq!(kernel.device("vnet0").unwrap().kind, Kind::Tap);
        assert_eq!(kernel.device("bond0").unwrap().kind, Kind::Bond);
        assert_eq!(kernel.device("none"), None);
    }
}
