//! What `/sys` and udev know of network devices: the hardware behind them, and where it is.

use std::collections::BTreeMap;

use super::links::{self, Link};
use super::tree::{Tree, is_in_first_network};

/// A network device with what is behind it.
#[derive(Debug, Clone, Default)]
pub struct Nic {
    /// What the kernel keeps of every device.
    pub link: Link,
    /// Its path below `/sys`: `devices/pci0000:00/0000:04:00.0/net/enp4s0`; `None` if `/sys` doesn't show it.
    pub path: Option<String>,
    /// The driver of its hardware.
    pub driver: Option<String>,
    /// `DEVTYPE` of its `uevent`: `wlan`, `bridge`.
    pub devtype: Option<String>,
    /// Has it a radio?
    pub is_wireless: bool,
    /// The flags of a tun/tap.
    pub tun_flags: Option<u32>,
    /// In Mb/s, where there is a carrier and the driver says it.
    pub speed: Option<u32>,
    /// `full` or `half`.
    pub duplex: Option<String>,
    /// The port of its card, as the driver counts it.
    pub dev_port: Option<u32>,
    /// The port of its card, as the driver calls it.
    pub port_name: Option<String>,
    /// The firmware's index of what is on the mainboard.
    pub onboard: Option<u32>,
    /// Has the card several functions?
    pub is_multifunction: bool,
    /// SR-IOV: the address of the card, and the number of the virtual function that this is.
    pub virtual_function: Option<(String, u32)>,
    /// Where its MAC address comes from (`addr_assign_type`).
    pub mac_origin: Option<u8>,
    /// Where its name comes from (`name_assign_type`).
    pub name_origin: Option<u8>,
    /// What udev knows of it.
    pub udev: BTreeMap<String, String>,
}

/// All devices, in the kernel's order. One that goes while it is looked at shows less.
pub fn all(tree: &Tree) -> Vec<Nic> {
    let told = if tree.is_here() { links::of_kernel() } else { None };
    let udev_counts = !tree.is_here() || is_in_first_network();
    let links = told.unwrap_or_else(|| links::of_sysfs(tree));
    links.into_iter().map(|link| Nic::look(tree, link, udev_counts)).collect()
}

/// The machine's slots, as the firmware names them: name and address (`0000:04:00`).
pub fn slots(tree: &Tree) -> Vec<(String, String)> {
    let names = tree.names("sys/bus/pci/slots").unwrap_or_default();
    let address = |name: &String| tree.word(&format!("sys/bus/pci/slots/{name}/address"));
    names.into_iter().filter_map(|name| Some((name.clone(), address(&name)?))).collect()
}

impl Nic {
    fn look(tree: &Tree, link: Link, udev_counts: bool) -> Nic {
        let dir = format!("sys/class/net/{}", link.name);
        // `/sys` may be that of another network namespace, with other devices of the same names.
        let is_same = tree.number(&format!("{dir}/ifindex")) == Some(link.index)
            && (link.mac.is_none() || tree.word(&format!("{dir}/address")) == link.mac);
        let path = tree.target(&dir).filter(|_| is_same);
        let mut nic = Nic { link, ..Nic::default() };
        let Some(path) = path else { return nic };
        let path = path.strip_prefix("sys/").unwrap_or(&path).to_string();
        let word = |file: &str| tree.word(&format!("{dir}/{file}")).filter(|word| !word.is_empty());
        if nic.link.info_kind.is_none() {
            nic.devtype = word("uevent")
                .and_then(|text| text.lines().find_map(|l| l.strip_prefix("DEVTYPE=")).map(String::from));
            nic.tun_flags =
                word("tun_flags").and_then(|f| u32::from_str_radix(f.trim_start_matches("0x"), 16).ok());
            // Not all say in their `uevent` what these folders tell.
            for (folder, kind) in [("macvtap", "macvtap"), ("bridge", "bridge"), ("bonding", "bond")] {
                if tree.has(&format!("{dir}/{folder}")) {
                    nic.devtype = Some(kind.into());
                }
            }
        }
        if nic.link.has_carrier == Some(true) && nic.tun_flags.is_none() {
            nic.speed = word("speed").and_then(|s| s.parse().ok()).filter(|s| (1..u32::MAX).contains(s));
            nic.duplex = word("duplex").filter(|d| d != "unknown");
        }
        if !path.starts_with("devices/virtual/net/") {
            nic.hardware(tree, &dir, &path);
            if udev_counts {
                nic.udev = udev(tree, nic.link.index);
            }
        }
        nic.path = Some(path);
        nic
    }

    fn hardware(&mut self, tree: &Tree, dir: &str, path: &str) {
        let word = |file: &str| tree.word(&format!("{dir}/{file}")).filter(|word| !word.is_empty());
        let number = |file: &str| word(file).and_then(|n| n.parse().ok());
        self.driver = tree.target_name(&format!("{dir}/device/driver"));
        self.is_wireless = tree.has(&format!("{dir}/wireless")) || tree.has(&format!("{dir}/phy80211"));
        self.dev_port = word("dev_port").and_then(|n| n.parse().ok());
        self.port_name = word("phys_port_name");
        self.mac_origin = number("addr_assign_type");
        self.name_origin = number("name_assign_type");
        let Some(pci) = pci_folder(path) else { return };
        let pci = format!("sys/{pci}");
        let index = |file: &str| tree.number::<u32>(&format!("{pci}/{file}"));
        self.onboard = index("acpi_index").or_else(|| index("index"));
        // The highest bit of the header's type, in the part of the configuration that everybody may read.
        self.is_multifunction =
            tree.bytes(&format!("{pci}/config"), 64).get(14).is_some_and(|b| b & 0x80 != 0);
        self.virtual_function = virtual_function(tree, &pci);
    }
}

/// The folder of the PCI device that this is, or that it hangs on.
fn pci_folder(path: &str) -> Option<&str> {
    let is_address = |step: &str| {
        let b = step.as_bytes();
        b.len() >= 12 && b[b.len() - 2] == b'.' && b[b.len() - 5] == b':' && b[b.len() - 8] == b':'
    };
    let step = path.split('/').rfind(|step| is_address(step))?;
    let end = path.rfind(step)? + step.len();
    Some(&path[..end])
}

/// The card of a virtual function, and which of its functions it is.
fn virtual_function(tree: &Tree, pci: &str) -> Option<(String, u32)> {
    let card = tree.target_name(&format!("{pci}/physfn"))?;
    let own = pci.rsplit('/').next()?;
    let files = tree.names(&format!("{pci}/physfn")).ok()?;
    let number = files
        .iter()
        .filter_map(|file| file.strip_prefix("virtfn"))
        .find(|n| tree.target_name(&format!("{pci}/physfn/virtfn{n}")).as_deref() == Some(own))?;
    Some((card, number.parse().ok()?))
}

/// udev's own notes on a device, as `udevadm info` shows them.
fn udev(tree: &Tree, index: u32) -> BTreeMap<String, String> {
    let text = tree.word(&format!("run/udev/data/n{index}")).unwrap_or_default();
    let entries = text.lines().filter_map(|line| line.strip_prefix("E:")?.split_once('='));
    entries.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_card() {
        let path = "devices/pci0000:00/0000:00:1c.0/0000:04:00.0/net/enp4s0";
        assert_eq!(pci_folder(path), Some("devices/pci0000:00/0000:00:1c.0/0000:04:00.0"));
        assert_eq!(
            pci_folder("devices/pci0000:00/0000:00:03.0/virtio2/net/eth0"),
            Some("devices/pci0000:00/0000:00:03.0")
        );
        assert_eq!(pci_folder("devices/virtual/net/äöü0123456789"), None);
        assert_eq!(pci_folder(""), None);
    }
}
