//! The host's ends of running guests' NICs: which bridge each tap should be a port of, which it is, and how it gets back.
//!
//! A network that is stopped and started (`virsh net-destroy`, a set-mode) leaves the taps of its running guests on no
//! bridge and forgets its ports; somebody's `ip link set … nomaster` leaves libvirt none the wiser. Nothing of libvirt's
//! own puts that right but a restart of its daemon, and updating the NIC to where it is said to be already reports
//! success, renews the network's port, and doesn't touch the tap (reference §4.7, §5.9). So both are looked at, the tap
//! in the kernel and the port in the network's books, and each is put right by itself. The guest notices nothing of it:
//! its NIC, link and addresses stay.

mod port;
mod wiring;

use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use roxmltree::Node;

use super::change::Step;
use super::place::Place;
use super::running::running_fragment;
use crate::model::Network;
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{self, Kernel, Kind};
use crate::xml::{Doc, child, children};

pub(super) use port::plug;
use wiring::Belongs;
pub use wiring::Wiring;

/// Where a tap is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
    /// The network that its NIC is on, and whether that one has it in its books.
    pub network: Option<(String, bool)>,
    /// Is it administratively down, though the NIC's link isn't? libvirt makes taps up, and leaves them so.
    pub is_down: bool,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.bridge.as_deref().unwrap_or("no bridge"))?;
        match &self.network {
            Some((name, true)) => write!(f, ", known to network '{name}'")?,
            Some((name, false)) => write!(f, ", unknown to network '{name}'")?,
            None => {}
        }
        f.write_str(if self.is_down { ", down" } else { "" })
    }
}

/// A running guest's NIC whose tap is not where it belongs, or is there without its network knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// The guest's name.
    pub guest: String,
    /// The guest's UUID.
    pub uuid: String,
    /// What the NIC is called in a message: `NIC 1 (52:…)`.
    pub nic: String,
    /// The NIC's position, from 1.
    pub position: usize,
    /// The NIC's MAC address.
    pub mac: Option<String>,
    /// The tap (`vnet0`).
    pub tap: String,
    /// Where it is.
    pub now: Spot,
    /// Where it belongs.
    pub should: Spot,
    /// Is that bridge administratively down? Whose it is must say whether that is meant; it is left so.
    pub bridge_is_down: bool,
}

impl Astray {
    /// What is wrong, without what is to be done: `its tap vnet0 is on no bridge and belongs on virbr0`.
    pub fn fault(&self) -> String {
        let Astray { tap, now, should, .. } = self;
        let bridge = |spot: &Spot| spot.bridge.clone().unwrap_or_else(|| "no bridge".into());
        let network = should.network.as_ref().filter(|_| now.network != should.network);
        let faults = [
            (now.bridge != should.bridge)
                .then(|| format!("is on {} and belongs on {}", bridge(now), bridge(should))),
            network.map(|(name, _)| format!("has no port in the books of network '{name}'")),
            now.is_down.then(|| "is down".into()),
        ];
        format!("its tap {tap} {}", faults.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    /// Does a device change on the way, and not only what libvirt knows?
    pub fn changes_device(&self) -> bool {
        self.now.bridge != self.should.bridge || self.now.is_down
    }

    /// The step that puts it where it belongs.
    pub fn step(&self) -> Step {
        Step {
            place: Place::Tap { uuid: self.uuid.clone(), tap: self.tap.clone() },
            before: Some(self.now.to_string()),
            after: Some(self.should.to_string()),
        }
    }
}

/// That a bridge which is down carries nothing, and what to do about it.
pub fn nothing_passes(bridge: &str) -> String {
    format!(
        "bridge '{bridge}' is administratively down and carries nothing; 'ip link set dev {bridge} up' brings it up"
    )
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Astray { nic, tap, now, should, .. } = self;
        let bridge = |spot: &Spot| spot.bridge.clone().unwrap_or_else(|| "no bridge".into());
        let network = should.network.as_ref().map(|(name, _)| name.as_str());
        write!(f, "{nic}: its tap {tap} is on {}", bridge(now))?;
        match network {
            _ if now.bridge == should.bridge && now.network == should.network => {
                return f.write_str(", but down → up");
            }
            Some(name) if now.bridge == should.bridge => {
                write!(f, ", but network '{name}' has no port for it → it gets one")?;
            }
            Some(name) => write!(f, " → {} (network '{name}')", bridge(should))?,
            None => write!(f, " → {}", bridge(should))?,
        }
        f.write_str(if now.is_down { "; it is down → up" } else { "" })
    }
}

/// What was found out about one NIC that has a tap.
#[derive(Debug)]
pub enum Finding {
    /// It is where it belongs: `NIC 1 (52:…): its tap vnet0 is on virbr0`.
    Fine(String),
    /// It is left alone, for it is nothing that is looked after here; why.
    LeftAlone(String),
    /// It is where it belongs, but not all is well with that; what, and what to do about it.
    Remark(String),
    /// It isn't where it belongs.
    Astray(Box<Astray>),
    /// It can't be where it belongs; why.
    Hopeless(anyhow::Error),
}

/// The taps astray of running guests, of those NICs only that are on the network `only`, if one is named. What can't be
/// told, or can't be helped, isn't among them.
///
/// # Errors
/// libvirt can't be asked.
pub fn astray(host: &dyn Hypervisor, only: Option<&str>) -> Result<Vec<Astray>> {
    Wiring::new(host)?.astray(only)
}

/// Why this process can't plug taps in; `None` if it can. libvirt lets others use it than root, the kernel doesn't.
pub fn not_permitted() -> Option<&'static str> {
    (!kernel::may_change_devices())
        .then_some("this process may not plug taps into bridges (that takes CAP_NET_ADMIN)")
}

/// The running guests of which a NIC on the network is cut off: its tap is on no bridge, or, where taps can't be seen, the
/// network doesn't know it any more.
///
/// # Errors
/// libvirt can't be asked.
pub fn cut_off(host: &dyn Hypervisor, network: &str) -> Result<Vec<String>> {
    match Reach::of_uri(host.uri()) {
        Reach::Remote => unknown(host, network),
        _ => Wiring::new(host)?.loose(network),
    }
}

/// The running guests of which a NIC is on the network without that one having it in its books: it was stopped and started,
/// and nobody has plugged them back. That can be told over any connection.
///
/// # Errors
/// libvirt can't be asked.
pub fn unknown(host: &dyn Hypervisor, network: &str) -> Result<Vec<String>> {
    Wiring::new(host)?.unknown(network)
}

/// The bridge that libvirt makes for a network, and that guests may name instead of it. While the network doesn't run,
/// a device of that name is the host's own (`kernel` shows its devices, where they can be seen).
pub fn own_bridge(network: &Network, is_active: bool, kernel: Option<&Kernel>) -> Option<String> {
    let bridge = network.bridge.as_ref().filter(|_| network.mode.is_virtual())?;
    let is_hosts = !is_active && kernel.is_some_and(|kernel| kernel.device(bridge).is_some());
    (!is_hosts).then(|| bridge.clone())
}

/// What else than the `taps` of a network's running guests is a port of its own bridge: cables and taps that somebody else
/// has put there. The dummy port of libvirt before 7.0 is the network's own.
pub fn other_ports(bridge: &str, taps: &[&String]) -> Vec<String> {
    let device = Kernel::default().device(bridge).filter(|device| device.kind == Kind::Bridge);
    let mut ports = device.map(|device| device.ports).unwrap_or_default();
    ports.retain(|port| !taps.contains(&port) && *port != format!("{bridge}-nic"));
    ports
}

/// Those of the devices that are there, and a port of nothing.
pub fn loose(host: &dyn Hypervisor, ports: &[String]) -> Vec<String> {
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Vec::new();
    }
    let kernel = Kernel::default();
    ports.iter().filter(|port| kernel.master(port) == Some(None)).cloned().collect()
}

/// Plugs a tap back in, and has libvirt know of it. Where that was done meanwhile, nothing is.
///
/// # Errors
/// The guest has ended, libvirt or the kernel refuses, or it isn't where it belongs all the same.
pub fn plug_back(host: &dyn Hypervisor, astray: &Astray) -> Result<()> {
    put(host, (&astray.uuid, &astray.tap), Some(&astray.should.to_string()))
}

/// Where the tap is, in words; `None` if the guest doesn't run, or has no such tap.
pub(super) fn read(host: &dyn Hypervisor, uuid: &str, tap: &str) -> Result<Option<String>> {
    let Some(interface) = interface(host, uuid, tap)? else { return Ok(None) };
    let doc = Doc::parse(&interface)?;
    Wiring::new(host)?.spot(doc.root(), tap).map(|spot| Some(spot.to_string()))
}

/// Puts the tap where it belongs, if that is what `text` says.
pub(super) fn put(host: &dyn Hypervisor, (uuid, tap): (&str, &str), text: Option<&str>) -> Result<()> {
    let live = interface(host, uuid, tap)?
        .ok_or_else(|| anyhow!("the guest has ended, or its tap {tap} is gone"))?;
    let doc = Doc::parse(&live)?;
    let wiring = Wiring::new(host)?;
    let now = wiring.spot(doc.root(), tap)?;
    let bridge = match wiring.belongs(doc.root())? {
        Belongs::To(bridge) => bridge,
        Belongs::Elsewhere(why) | Belongs::Remains(why) => bail!("its tap {tap} is left alone: {why}"),
    };
    let should = wiring.ideal(doc.root(), &bridge);
    if text != Some(&should.to_string()) {
        bail!("its tap {tap} belongs on {should} now, and is not put anywhere else");
    }
    if let (Some((name, false)), Some((_, true))) = (&now.network, &should.network) {
        host.update_running(uuid, &running_fragment(&live)?).with_context(|| {
            format!("libvirt refuses to connect the running guest to network '{name}' anew")
        })?;
    }
    if wiring.master(tap).as_ref() != Some(&bridge) {
        plug(&wiring.kernel, doc.root(), tap, &bridge)?;
    }
    if now.is_down {
        kernel::bring_up(tap).with_context(|| format!("its tap {tap} is down and can't be brought up"))?;
    }
    match read(host, uuid, tap)? {
        Some(found) if found == should.to_string() => Ok(()),
        Some(found) => bail!("its tap {tap} is on {found}, not on {should}, though nothing was refused"),
        None => bail!("the guest has ended"),
    }
}

/// The running guest's `<interface>` with that tap; `None` if the guest or the tap isn't there.
fn interface(host: &dyn Hypervisor, uuid: &str, tap: &str) -> Result<Option<String>> {
    if !host.guests()?.iter().any(|g| g.uuid == uuid && g.is_active) {
        return Ok(None);
    }
    let xml = host.running(uuid)?;
    let doc = Doc::parse(&xml).context("libvirt's XML of the running guest can't be read")?;
    let mut found = interfaces(&doc).filter(|node| tap_of(*node) == Some(tap));
    Ok(found.next().map(|node| xml[node.range()].to_string()))
}

fn interfaces<'a>(doc: &'a Doc<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    children(doc.root(), "devices").flat_map(|devices| children(devices, "interface"))
}

/// The tap of a NIC that libvirt plugs into a bridge. macvtap, user-mode and others have no bridge to be on.
fn tap_of<'a>(interface: Node<'a, '_>) -> Option<&'a str> {
    let is_bridged = matches!(interface.attribute("type"), Some("network" | "bridge"));
    child(interface, "target").filter(|_| is_bridged)?.attribute("dev")
}

fn source<'a>(interface: Node<'a, '_>, attribute: &str) -> Option<&'a str> {
    child(interface, "source")?.attribute(attribute)
}
