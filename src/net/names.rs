//! Names of networks, bridges and devices.

use super::around::{HostDevice, Surroundings};
use super::ask::{Ask, Mode};
use super::fault::Fault;
use super::free::passed_over;
use super::modes::Kind;
use crate::model::{DeviceName, Network};

/// The network's name: the one asked for, or the first free one named after its mode.
pub(super) fn network(ask: &Ask, around: &Surroundings, why: &mut Vec<String>) -> Result<String, Fault> {
    let taken = |name: &str| around.networks.iter().any(|n| n.name == name);
    if let Some(name) = &ask.name {
        is_name(name)?;
        if taken(name) {
            return Err(Fault::new(
                "NAME",
                format!("'{name}': there is a network of that name already"),
                format!(
                    "take another name, or change that one: kvmnet net set-mode {name} --mode {}",
                    ask.mode
                ),
            ));
        }
        return Ok(name.clone());
    }
    let word = ask.mode.as_str();
    let mut name = word.to_string();
    let mut n = 2usize;
    let mut passed = Vec::new();
    while taken(&name) {
        passed.push(name);
        name = format!("{word}-{n}");
        n += 1;
    }
    let passed = passed_over(&passed);
    why.push(format!("name '{name}': the first that no network has, named after the mode{passed}"));
    Ok(name)
}

/// libvirt refuses '/' and line breaks (reference §5.2); the name is also that of a file, with `.xml` behind it.
fn is_name(name: &str) -> Result<(), Fault> {
    let shown = name.escape_debug();
    let what = if name.is_empty() {
        "is empty".to_string()
    } else if name == "." || name == ".." {
        format!("'{shown}' is no name for a file, which libvirt makes of it")
    } else if let Some(c) = name.chars().find(|c| *c == '/' || c.is_control()) {
        format!("'{shown}' holds '{}', which libvirt refuses", c.escape_debug())
    } else if name.trim() != name {
        format!("'{shown}' begins or ends with a blank")
    } else if name.len() > 240 {
        format!("has {} bytes; 240 is the limit, for libvirt makes a file's name of it", name.len())
    } else {
        return Ok(());
    };
    Err(Fault::new("NAME", what, "letters, digits, '-', '_' and '.' are always fine"))
}

/// The bridge of a new network; none with a pool, or where libvirt is to name it.
pub(super) fn bridge(
    ask: &Ask,
    kind: Kind,
    around: &Surroundings,
    why: &mut Vec<String>,
) -> Result<Option<DeviceName>, Fault> {
    match (kind, &ask.bridge) {
        (Kind::Pool, _) => Ok(None),
        (Kind::Bridge, None) => Err(Fault::new(
            "--bridge",
            "is missing: --mode bridge puts guests on a bridge of the host, and it must be named",
            match bridges(around).as_str() {
                "" => "--bridge NAME; without a bridge, --pool NIC makes macvtap devices".into(),
                names => format!("there is {names}; --pool NIC does without a bridge (macvtap)"),
            },
        )),
        (Kind::Bridge, Some(bridge)) => of_host(bridge, around).map(|()| Some(bridge.clone())),
        (_, Some(bridge)) => own(bridge, around).map(|()| Some(bridge.clone())),
        (_, None) if around.is_elsewhere => {
            why.push(
                "bridge: libvirt chooses its name, for it sees the host's devices, which this connection doesn't show"
                    .into(),
            );
            Ok(None)
        }
        (_, None) => {
            let (bridge, passed) = free(around)?;
            let passed = passed_over(&passed);
            let devices =
                if around.devices.is_some() { " and no device of the host is called" } else { " has" };
            why.push(format!("bridge '{bridge}': the first that no network{devices}{passed}"));
            Ok(Some(bridge))
        }
    }
}

/// A name for a virtual bridge that nobody has: `virbr0`, `virbr1`, … (what libvirt's own choice looks at too, reference
/// §5.2). And those that were passed over, each with its owner.
fn free(around: &Surroundings) -> Result<(DeviceName, Vec<String>), Fault> {
    let owner = |name: &str| {
        let network = around.networks.iter().find(|n| n.bridge.as_deref() == Some(name));
        network.map(|network| format!("{name} (network '{}')", network.name)).or_else(|| {
            let device = around.holder(name)?;
            let whose = if device.name == name { "a device" } else { device.name.as_str() };
            Some(format!("{name} ({whose})"))
        })
    };
    let mut passed = Vec::new();
    for name in (0..10_000_000u32).map(|n| format!("virbr{n}")) {
        match (owner(&name), name.parse()) {
            (None, Ok(name)) => return Ok((name, passed)),
            (Some(owner), _) => passed.push(owner),
            (None, Err(_)) => break,
        }
    }
    Err(Fault::new("--bridge", "has no free name left: every virbrN is taken", "name one"))
}

/// The bridge of mode `bridge`: libvirt never looks whether it is there (reference §2), and guests then don't start.
pub(super) fn of_host(bridge: &DeviceName, around: &Surroundings) -> Result<(), Fault> {
    let fault = |what: &str, help: &str| Err(Fault::new("--bridge", format!("'{bridge}' {what}"), help));
    spelled("--bridge", bridge)?;
    if let Some(network) = virtual_owner(bridge, around) {
        let what = format!(
            "is the virtual bridge of network '{}': guests on it wouldn't be on the LAN",
            network.name
        );
        return fault(&what, "name a bridge of the host's own");
    }
    real_name("--bridge", bridge, around)?;
    if around.lacks(bridge.as_str()) {
        let help = match bridges(around).as_str() {
            "" => format!("make '{bridge}' first, with the NIC that leads to the LAN in it"),
            names => format!("there is {names}"),
        };
        return fault("doesn't exist on this host: no guest on such a network would start", &help);
    }
    match around.device(bridge.as_str()) {
        Some(device) if !device.is_bridge && !device.is_open_vswitch => fault(
            "is no bridge",
            &format!("name a bridge; --pool {bridge} puts guests on the device itself (macvtap)"),
        ),
        _ => Ok(()),
    }
}

/// The bridges there are.
fn bridges(around: &Surroundings) -> String {
    let names: Vec<String> = around
        .devices
        .iter()
        .flatten()
        .filter(|d| d.is_bridge || d.is_open_vswitch)
        .filter(|d| d.name.parse().is_ok_and(|name| virtual_owner(&name, around).is_none()))
        .map(|d| format!("'{}'", d.name))
        .collect();
    names.join(", ")
}

/// The network that makes this bridge itself. The device that is there may be none that libvirt made.
fn virtual_owner<'a>(bridge: &DeviceName, around: &'a Surroundings) -> Option<&'a Network> {
    let bridge = bridge.as_str();
    let is_of_host = around.device(bridge).is_some() && !around.made.iter().any(|made| made == bridge);
    let owner = |n: &&Network| n.mode.is_virtual() && n.bridge.as_deref() == Some(bridge);
    around.networks.iter().find(owner).filter(|_| !is_of_host)
}

/// The name of a bridge that libvirt is to make. If a device has that name already, starting the network fails, and
/// libvirt's cleanup sets that device down and deletes it (reference §5.5).
pub(super) fn own(bridge: &DeviceName, around: &Surroundings) -> Result<(), Fault> {
    spelled("--bridge", bridge)?;
    if let Some(prefix) = made_by_libvirt(bridge.as_str()) {
        let what = format!("'{bridge}' is a name that libvirt gives to guests' own devices ({prefix}N)");
        return Err(Fault::new("--bridge", what, "take another name, or none: a free one is chosen"));
    }
    if let Some(network) = around.networks.iter().find(|n| n.bridge.as_deref() == Some(bridge.as_str())) {
        let what = format!("'{bridge}' is the bridge of network '{}' already", network.name);
        return Err(Fault::new("--bridge", what, "take another name, or none: a free one is chosen"));
    }
    match around.holder(bridge.as_str()) {
        Some(device) => Err(hazard(bridge.as_str(), device)),
        None => Ok(()),
    }
}

/// The prefix, if libvirt makes up such names for the devices of guests (virnetdev.h, `VIR_NET_GENERATED_…_PREFIX`): it
/// takes the next one that is free, and so a guest may have it before the network starts.
fn made_by_libvirt(name: &str) -> Option<&'static str> {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    ["vnet", "macvtap", "macvlan"].into_iter().find(|prefix| name.strip_prefix(prefix).is_some_and(is_number))
}

fn hazard(name: &str, holder: &HostDevice) -> Fault {
    let device = &holder.name;
    let who = match name == device {
        true => "is a device of this host already".to_string(),
        false => format!("is another name of '{device}', a device of this host"),
    };
    let what = format!("'{name}' {who}: libvirt would fail to make its bridge, and then delete that device");
    let help = match holder.is_bridge || holder.is_open_vswitch {
        true => {
            format!("to put guests on it: --mode {} --bridge {device}; else take another name", Mode::Bridge)
        }
        false => "take another name, or none: a free one is chosen".into(),
    };
    Fault::new("--bridge", what, help)
}

/// The kernel knows a device by its other names too; libvirt's firewall rules, and its own books of who has which device,
/// know one name only.
fn real_name(flag: &'static str, name: &DeviceName, around: &Surroundings) -> Result<(), Fault> {
    match around.holder(name.as_str()).filter(|device| device.name != name.as_str()) {
        Some(device) => {
            let what =
                format!("'{name}' is another name of '{}', and libvirt wants the device's own", device.name);
            Err(Fault::new(flag, what, format!("{flag} {}", device.name)))
        }
        None => Ok(()),
    }
}

/// `--dev` or `--pool`: libvirt takes any name, and then forwards nothing, or starts no guest.
pub(super) fn device(flag: &'static str, name: &DeviceName, around: &Surroundings) -> Result<(), Fault> {
    spelled(flag, name)?;
    let fault = |what: &str, help: &str| Err(Fault::new(flag, format!("'{name}' {what}"), help));
    let is_dev = flag == "--dev";
    let help = match is_dev {
        true => "name the device that leads to the LAN, or leave --dev out",
        false => "name the device that leads to the LAN",
    };
    if name.as_str() == "lo" {
        return fault("is the host's loopback device: nothing leaves the host there", help);
    }
    if let Some(network) = virtual_owner(name, around) {
        let what = format!(
            "is the virtual bridge of network '{}': behind it are that network's guests, not the LAN",
            network.name
        );
        return fault(&what, help);
    }
    real_name(flag, name, around)?;
    if around.lacks(name.as_str()) {
        return fault("doesn't exist on this host", "kvmnet host nics lists what there is");
    }
    let Some(device) = around.device(name.as_str()) else { return Ok(()) };
    if flag == "--pool" && device.is_wireless {
        return fault(
            "is Wi-Fi, which carries no frames of other machines: macvtap can't work on it",
            "take a wired device, or --mode nat",
        );
    }
    let Some(master) = &device.master else { return Ok(()) };
    let above = around.device(master);
    let is_bridge = above.is_some_and(|d| d.is_bridge || d.is_open_vswitch);
    if !is_dev {
        // The kernel gives a device's frames to one taker only.
        let what = format!("is a port of '{master}', which takes all its frames: no macvtap works on it");
        let help = match is_bridge {
            true => {
                format!("put the guests on that bridge: --bridge {} instead of --pool", bridge_of(master))
            }
            false => format!("take '{master}' itself: --pool {master}"),
        };
        return fault(&what, &help);
    }
    // Packets are routed to the bridge or bond, and so the rule that names its port never meets one. A device in a VRF
    // keeps its own.
    if !is_bridge && !above.is_some_and(|d| d.is_bond) {
        return Ok(());
    }
    let what = format!(
        "is a port of '{master}', and what the host forwards leaves by that: libvirt's rules would let guests' \
         packets through '{name}' only, and none would reach the LAN"
    );
    fault(&what, &format!("--dev {}", bridge_of(master)))
}

/// The bridge to name for the master of a port. That of Open vSwitch's ports is the switch as a whole, to the kernel.
fn bridge_of(master: &str) -> &str {
    if master == "ovs-system" { "BRIDGE (ovs-vsctl iface-to-br says which)" } else { master }
}

/// libvirt's schema takes fewer names than the kernel (basictypes.rng, `deviceName`), and the kernel has none for a
/// device that is called like its own entries in `/proc/sys/net`.
fn spelled(flag: &'static str, name: &DeviceName) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '\\');
    let what = match name.as_str() {
        word @ ("all" | "default") => {
            format!("'{word}' can't be a device's name: the kernel means all of them by it")
        }
        word => match word.chars().find(|c| !fits(*c)) {
            Some(c) => format!("'{word}' holds '{}', which libvirt's schema refuses", c.escape_debug()),
            None => return Ok(()),
        },
    };
    Err(Fault::new(flag, what, "letters, digits, '-', '_' and '.' are fine"))
}
