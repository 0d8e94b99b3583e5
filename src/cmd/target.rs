//! A look at the target before anything is moved there.

use crate::convert::{Landing, Networks, Target, Vlans};
use crate::model::{Code, DirectMode, Network, Warning};
use crate::plan::has_made;
use crate::sys::hypervisor::{Hypervisor, NetworkState, Reach};
use crate::sys::kernel::{Device, Kernel, Kind, bridge_helper_allows};

/// What was seen.
#[derive(Debug)]
pub(super) struct Look {
    /// What kind of place it is.
    pub(super) landing: Landing,
    /// What speaks against it.
    pub(super) warnings: Vec<Warning>,
}

/// Since this libvirt, guests on a Linux bridge can have VLANs (reference §1.5).
const VLANS_ON_LINUX_BRIDGES: u64 = 11_000_000;

/// Looks at the target: in the kernel where the guests run here, through libvirt elsewhere.
pub(super) fn look(
    host: &dyn Hypervisor,
    target: &Target,
    networks: &Networks,
    states: &[NetworkState],
) -> Look {
    let reach = Reach::of_uri(host.uri());
    let mut warnings = Vec::new();
    let landing = match target {
        Target::Bridge(name) => {
            let name = name.as_str();
            let landing = match reach {
                Reach::Remote => remote_bridge(host, name, &mut warnings),
                _ => local_bridge(host, name, &mut warnings),
            };
            // The bridge that is there may be none that libvirt made.
            let is_made = |network: &Network| {
                landing == Landing::UnknownBridge
                    || reach == Reach::Remote
                    || states.iter().any(|state| state.name == network.name && has_made(state, name))
            };
            let owner = |n: &&Network| n.mode.is_virtual() && n.bridge.as_deref() == Some(name) && is_made(n);
            if let Some(network) = networks.iter().find(owner) {
                let what = format!(
                    "'{name}' is the virtual bridge of network '{0}': the guest would be on that network without libvirt \
                     knowing, and lose its port whenever the network is restarted; --to-network {0} is the way there",
                    network.name
                );
                // It leads out through the host, not through a port.
                warnings.retain(|w| w.code != Code::TargetNoUplink);
                warnings.push(Warning::note(Code::TargetIsVirtualBridge, what));
            }
            if reach == Reach::Session && !bridge_helper_allows(name) {
                let what = format!(
                    "guests of this unprivileged connection use QEMU's bridge helper, and /etc/qemu/bridge.conf has no \
                     'allow {name}'"
                );
                warnings.push(Warning::note(Code::SessionHelper, what));
            }
            landing
        }
        Target::Network { name, portgroup } => {
            network(host, reach, (name, portgroup.as_deref()), networks, states, &mut warnings)
        }
        Target::Direct { dev, mode } => {
            match reach {
                Reach::Remote => warnings.push(unseen(&format!("device '{dev}'"))),
                _ => parent(dev.as_str(), &mut warnings),
            }
            Landing::Macvtap { is_passthrough: *mode == DirectMode::Passthrough }
        }
    };
    Look { landing, warnings }
}

fn unseen(what: &str) -> Warning {
    let message = format!(
        "{what} can't be seen over this connection: whether it exists, is up and leads anywhere wasn't checked"
    );
    Warning::note(Code::TargetUnseen, message)
}

fn local_bridge(host: &dyn Hypervisor, name: &str, warnings: &mut Vec<Warning>) -> Landing {
    let kernel = Kernel::default();
    let mut stop = |code, what: String| warnings.push(Warning::stop(code, what));
    let Some(device) = kernel.device(name) else {
        stop(Code::TargetMissing, format!("this host has no bridge '{name}'; the guest wouldn't start"));
        return Landing::UnknownBridge;
    };
    let landing = bridge_landing(host, &device);
    if landing == Landing::UnknownBridge {
        let what = match device.kind {
            Kind::Tap => "a tap device",
            Kind::Wireless => "a Wi-Fi device",
            _ => "a network device",
        };
        stop(Code::TargetNotBridge, format!("'{name}' is {what}, not a bridge; the guest wouldn't start"));
        return landing;
    }
    if !device.is_up {
        let what = format!(
            "bridge '{name}' is down: the guest would start and reach nothing ('ip link set {name} up')"
        );
        stop(Code::TargetDown, what);
    } else if device.kind == Kind::Bridge && !kernel.has_uplink(&device) {
        let what = format!("bridge '{name}' has no port with a carrier except guests' own: it leads nowhere");
        warnings.push(Warning::note(Code::TargetNoUplink, what));
    }
    landing
}

fn bridge_landing(host: &dyn Hypervisor, device: &Device) -> Landing {
    match device.kind {
        Kind::OpenVSwitch => Landing::OpenVSwitch,
        Kind::Bridge => {
            let vlans = if host.version() < VLANS_ON_LINUX_BRIDGES {
                Vlans::No("libvirt before 11.0 can't put a VLAN on a Linux bridge's port")
            } else if device.filters_vlans {
                Vlans::Yes
            } else {
                Vlans::No("the bridge has vlan_filtering off, so that VLANs have no effect on it")
            };
            Landing::LinuxBridge { vlans, mtu: device.mtu }
        }
        _ => Landing::UnknownBridge,
    }
}

/// libvirt's own list of host interfaces is seldom there and not always whole: what it has is taken, what it hasn't
/// isn't held against the target.
fn remote_bridge(host: &dyn Hypervisor, name: &str, warnings: &mut Vec<Warning>) -> Landing {
    match host.interface(name) {
        Ok(Some(found)) if found.kind != "bridge" => {
            let what =
                format!("'{name}' is of type {} there, not a bridge; the guest wouldn't start", found.kind);
            warnings.push(Warning::stop(Code::TargetNotBridge, what));
            Landing::UnknownBridge
        }
        Ok(Some(found)) => {
            if !found.is_active {
                let what = format!("bridge '{name}' is down there: the guest would start and reach nothing");
                warnings.push(Warning::stop(Code::TargetDown, what));
            } else if found.ports.is_empty() {
                let what = format!("bridge '{name}' has no port of its own there: it leads nowhere");
                warnings.push(Warning::note(Code::TargetNoUplink, what));
            }
            Landing::LinuxBridge { vlans: Vlans::Unknown, mtu: None }
        }
        Ok(None) | Err(_) => {
            warnings.push(unseen(&format!("bridge '{name}'")));
            Landing::UnknownBridge
        }
    }
}

fn network(
    host: &dyn Hypervisor,
    reach: Reach,
    (name, portgroup): (&str, Option<&str>),
    networks: &Networks,
    states: &[NetworkState],
    warnings: &mut Vec<Warning>,
) -> Landing {
    let Some(network) = networks.get(name) else {
        let known: Vec<_> = networks.iter().map(|n| n.name.as_str()).collect();
        let what = format!(
            "there is no network '{name}' (there are: {}); the guest wouldn't start",
            known.join(", ")
        );
        warnings.push(Warning::stop(Code::TargetMissing, what));
        return Landing::UnknownNetwork;
    };
    if !states.iter().any(|s| s.name == name && s.is_active) {
        let what = format!(
            "network '{name}' isn't running, and a guest on it won't start ('virsh net-start {name}')"
        );
        warnings.push(Warning::stop(Code::NetworkInactive, what));
    }
    if let Some(group) = portgroup.filter(|group| network.portgroup(Some(group)).is_none()) {
        let what = format!("network '{name}' has no portgroup '{group}'; libvirt would silently ignore it");
        warnings.push(Warning::stop(Code::TargetPortgroupMissing, what));
    }
    let landing = Landing::of_network(network);
    match (&landing, &network.bridge) {
        (Landing::LinuxBridge { .. }, Some(bridge)) if reach != Reach::Remote => {
            local_bridge(host, bridge, warnings)
        }
        _ => landing,
    }
}

fn parent(name: &str, warnings: &mut Vec<Warning>) {
    let mut stop = |code, what: String| warnings.push(Warning::stop(code, what));
    let Some(device) = Kernel::default().device(name) else {
        return stop(
            Code::TargetMissing,
            format!("this host has no device '{name}'; the guest wouldn't start"),
        );
    };
    if device.kind == Kind::Wireless {
        stop(
            Code::TargetWireless,
            format!("'{name}' is a Wi-Fi device: access points drop the frames of guests behind it"),
        );
    }
    if !device.is_up {
        stop(Code::TargetDown, format!("device '{name}' is down ('ip link set {name} up')"));
    }
    if let Some(master) = device.master {
        let what = format!(
            "'{name}' is a port of '{master}', and can't carry macvtap as well; --to-bridge {master}?"
        );
        stop(Code::TargetEnslaved, what);
    }
}
