//! The host's ends of running guests' NICs: which bridge each tap should be a port of, which it is, and how it gets back.
//!
//! A network that is stopped and started (`virsh net-destroy`, a set-mode) leaves the taps of its running guests on no
//! bridge and forgets its ports; somebody's `ip link set … nomaster` leaves libvirt none the wiser. Nothing of libvirt's
//! own puts that right but a restart of its daemon, and updating the NIC to where it is said to be already reports
//! success, renews the network's port, and doesn't touch the tap (reference §4.7, §5.9). So both are looked at, the tap
//! in the kernel and the port in the network's books, and each is put right by itself. The guest notices nothing of it:
//! its NIC, link and addresses stay.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use roxmltree::Node;

use super::running::running_fragment;
use crate::model::{Network, Nic};
use crate::problem::Problem;
use crate::sys::hypervisor::{Guest, Hypervisor, NetworkState};
use crate::sys::kernel::{self, Kernel, Kind};
use crate::xml::{Doc, child, children};

/// Where a tap is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
    /// The network that its NIC is on, and whether that one has it in its books.
    pub network: Option<(String, bool)>,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.bridge.as_deref().unwrap_or("no bridge"))?;
        match &self.network {
            Some((name, true)) => write!(f, ", known to network '{name}'"),
            Some((name, false)) => write!(f, ", unknown to network '{name}'"),
            None => Ok(()),
        }
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
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Astray { nic, tap, now, should, .. } = self;
        let bridge = |spot: &Spot| spot.bridge.clone().unwrap_or_else(|| "no bridge".into());
        let network = should.network.as_ref().map(|(name, _)| name.as_str());
        write!(f, "{nic}: its tap {tap} is on {}", bridge(now))?;
        match network {
            Some(name) if now.bridge == should.bridge => {
                write!(f, ", but network '{name}' has no port for it → it gets one")
            }
            Some(name) => write!(f, " → {} (network '{name}')", bridge(should)),
            None => write!(f, " → {}", bridge(should)),
        }
    }
}

/// What was found out about one NIC that has a tap.
#[derive(Debug)]
pub enum Finding {
    /// It is where it belongs: `NIC 1 (52:…): its tap vnet0 is on virbr0`.
    Fine(String),
    /// It is left alone; why.
    LeftAlone(String),
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
        Belongs::Elsewhere(why) => bail!("its tap {tap} is left alone: {why}"),
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
    match read(host, uuid, tap)? {
        Some(found) if found == should.to_string() => Ok(()),
        Some(found) => bail!("its tap {tap} is on {found}, not on {should}, though nothing was refused"),
        None => bail!("the guest has ended"),
    }
}

/// Makes the tap a port of the bridge as libvirt does, with the isolation and the VLANs that the running `interface` has.
pub(super) fn plug(kernel: &Kernel, interface: Node<'_, '_>, tap: &str, bridge: &str) -> Result<()> {
    let what = || format!("its tap {tap} is not on bridge '{bridge}' and can't be put there");
    kernel::plug(tap, bridge).with_context(what)?;
    let isolated = child(interface, "port").is_some_and(|p| p.attribute("isolated") == Some("yes"));
    let vlans = vlans(interface);
    let isolate = || if isolated { kernel.isolate(tap) } else { Ok(()) };
    let tag = || if vlans.is_empty() { Ok(()) } else { kernel::tag(tap, &vlans) };
    if let Err(e) = isolate().and_then(|()| tag()) {
        // On the bridge without them it would reach whom it must not.
        let out = kernel::unplug(tap).err().map(|e| format!(", nor taken off it again ({e})"));
        let what = format!("its tap {tap} can't be isolated or put into its VLAN on bridge '{bridge}'");
        return Err(anyhow!(e).context(what + &out.unwrap_or_default()));
    }
    match kernel.device(tap).and_then(|device| device.master) {
        Some(found) if found == bridge => Ok(()),
        found => {
            bail!("its tap {tap} is on {}, not on bridge '{bridge}'", found.as_deref().unwrap_or("no bridge"))
        }
    }
}

/// The VLANs of a running NIC's port on a Linux bridge, as libvirt (since 11.0) sets them: one without `trunk` is the
/// port's own; of a trunk the native one is.
fn vlans<'a>(interface: Node<'a, '_>) -> Vec<(&'a str, &'static [&'static str])> {
    let Some(vlan) = child(interface, "vlan") else { return Vec::new() };
    let tags: Vec<_> = children(vlan, "tag").filter_map(|tag| Some((tag, tag.attribute("id")?))).collect();
    let is_trunk = vlan.attribute("trunk") == Some("yes") || tags.len() > 1;
    let how = |tag: Node<'_, '_>| -> &'static [&'static str] {
        match tag.attribute("nativeMode") {
            _ if !is_trunk => &["pvid", "untagged"],
            Some("tagged") => &["pvid"],
            Some(_) => &["pvid", "untagged"],
            None => &[],
        }
    };
    tags.into_iter().map(|(tag, id)| (id, how(tag))).collect()
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

/// Which bridge a tap belongs on.
enum Belongs {
    /// This one.
    To(String),
    /// Nowhere that can be looked at; why.
    Elsewhere(String),
}

/// What taps are plugged into: libvirt's networks with their books, and the kernel's devices.
pub struct Wiring<'h> {
    host: &'h dyn Hypervisor,
    kernel: Kernel,
    networks: Vec<NetworkState>,
    /// The ports' UUIDs of those networks that were asked for; `None` where the connection can't tell.
    ports: RefCell<BTreeMap<String, Option<HashSet<String>>>>,
}

impl fmt::Debug for Wiring<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiring").field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl<'h> Wiring<'h> {
    /// Reads which networks there are.
    ///
    /// # Errors
    /// libvirt can't be asked.
    pub fn new(host: &'h dyn Hypervisor) -> Result<Wiring<'h>> {
        Ok(Wiring { host, kernel: Kernel::default(), networks: host.networks()?, ports: RefCell::default() })
    }

    /// Is there a network of that name?
    pub fn has_network(&self, name: &str) -> bool {
        self.networks.iter().any(|n| n.name == name)
    }

    fn astray(&self, only: Option<&str>) -> Result<Vec<Astray>> {
        let mut out = Vec::new();
        for guest in self.host.guests()?.iter().filter(|guest| guest.is_active) {
            let found = self.look(guest, only).with_context(|| format!("guest '{}'", guest.name))?;
            out.extend(found.into_iter().filter_map(|finding| match finding {
                Finding::Astray(astray) => Some(*astray),
                _ => None,
            }));
        }
        Ok(out)
    }

    /// Looks at a running guest's taps, of those NICs only that are on the network `only`, if one is named. NICs that
    /// have no tap on a bridge (macvtap, user-mode and others) aren't looked at. A guest that has ended has none.
    ///
    /// # Errors
    /// libvirt can't be asked.
    pub fn look(&self, guest: &Guest, only: Option<&str>) -> Result<Vec<Finding>> {
        let xml = match self.host.running(&guest.uuid) {
            Ok(xml) => xml,
            Err(_) if !self.host.guests()?.iter().any(|g| g.uuid == guest.uuid && g.is_active) => {
                return Ok(Vec::new());
            }
            Err(e) => return Err(e),
        };
        let doc = Doc::parse(&xml).context("libvirt's XML of the running guest can't be read")?;
        // Without an id it is the definition that the guest starts from next.
        if !doc.root().has_attribute("id") {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        for (node, position) in interfaces(&doc).zip(1..) {
            let Some(tap) = tap_of(node) else { continue };
            if only.is_some_and(|name| source(node, "network") != Some(name)) {
                continue;
            }
            let nic = Nic::read(node, position);
            let finding = match self.belongs(node) {
                Err(e) => Finding::Hopeless(e.context(format!("{nic}: its tap {tap} can't be plugged in"))),
                Ok(Belongs::Elsewhere(why)) => {
                    Finding::LeftAlone(format!("{nic}: its tap {tap} is left alone: {why}"))
                }
                Ok(Belongs::To(bridge)) => {
                    let (now, should) = (self.spot(node, tap)?, self.ideal(node, &bridge));
                    if now == should {
                        Finding::Fine(format!("{nic}: its tap {tap} is on {bridge}"))
                    } else if self.kernel.device(tap).is_none() {
                        Finding::Hopeless(anyhow!(
                            "{nic}: its tap {tap} isn't among the network devices that can be seen here"
                        ))
                    } else {
                        Finding::Astray(Box::new(Astray {
                            guest: guest.name.clone(),
                            uuid: guest.uuid.clone(),
                            nic: nic.to_string(),
                            position,
                            mac: nic.mac,
                            tap: tap.into(),
                            now,
                            should,
                        }))
                    }
                }
            };
            out.push(finding);
        }
        Ok(out)
    }

    /// The bridge that a running NIC's tap belongs on: its network's as that one runs now (the bridge that libvirt shows
    /// beside the network is the one of its start), or its own.
    fn belongs(&self, interface: Node<'_, '_>) -> Result<Belongs> {
        let profile = child(interface, "virtualport").and_then(|v| v.attribute("type"));
        if let Some(profile @ ("openvswitch" | "midonet")) = profile {
            return Ok(Belongs::Elsewhere(format!("its port is one of {profile}, not of a Linux bridge")));
        }
        let bridge = match source(interface, "network") {
            Some(name) => match self.network_bridge(interface, name)? {
                Belongs::To(bridge) => bridge,
                elsewhere @ Belongs::Elsewhere(_) => return Ok(elsewhere),
            },
            None => source(interface, "bridge").context("libvirt names no bridge for it")?.to_string(),
        };
        match self.kernel.device(&bridge).map(|device| device.kind) {
            Some(Kind::Bridge) => Ok(Belongs::To(bridge)),
            Some(Kind::OpenVSwitch) => {
                Ok(Belongs::Elsewhere(format!("'{bridge}' is an Open vSwitch, not a Linux bridge")))
            }
            Some(_) => bail!("'{bridge}' is no bridge"),
            None => bail!("there is no bridge '{bridge}'"),
        }
    }

    /// The bridge that guests on the network get now.
    fn network_bridge(&self, interface: Node<'_, '_>, name: &str) -> Result<Belongs> {
        let Some(state) = self.networks.iter().find(|n| n.name == name) else {
            return Err(Problem::new(
                format!("there is no network '{name}' any more"),
                "'kvmnet convert DOMAIN --to-network NET --live-only' moves the running guest to another one",
            ));
        };
        if !state.is_active {
            // On a bridge of the host's the guest has its traffic all the same.
            let tap = tap_of(interface).and_then(|tap| self.master(tap));
            return match tap.filter(|master| source(interface, "bridge") == Some(master)) {
                Some(bridge) => Ok(Belongs::Elsewhere(format!(
                    "it is on {bridge}, but network '{name}' isn't active and has no port for it; 'kvmnet net start {name}' \
                     and another 'kvmnet reattach' put that right"
                ))),
                None => Err(Problem::new(
                    format!("network '{name}' isn't active"),
                    format!("kvmnet net start {name}"),
                )),
            };
        }
        let doc = Doc::parse(&state.xml).with_context(|| format!("network '{name}' can't be read"))?;
        let network = Network::read(&doc).with_context(|| format!("network '{name}' can't be read"))?;
        match network.bridge.filter(|_| network.mode.is_virtual() || !network.has_pool) {
            Some(bridge) => Ok(Belongs::To(bridge)),
            None => Err(Problem::new(
                format!("network '{name}' has no bridge now, but is of mode {}", network.mode.as_str()),
                "a full power-off and start gives the guest the NIC that the network has for it now",
            )),
        }
    }

    /// Where a running NIC's tap is.
    fn spot(&self, interface: Node<'_, '_>, tap: &str) -> Result<Spot> {
        let network = source(interface, "network").map(|name| {
            let port = source(interface, "portid");
            self.knows(name, port).map(|known| (name.to_string(), known))
        });
        Ok(Spot { bridge: self.master(tap), network: network.transpose()? })
    }

    /// Where it is when all is well.
    fn ideal(&self, interface: Node<'_, '_>, bridge: &str) -> Spot {
        let network = source(interface, "network").map(|name| (name.to_string(), true));
        Spot { bridge: Some(bridge.into()), network }
    }

    fn master(&self, tap: &str) -> Option<String> {
        self.kernel.device(tap)?.master
    }

    /// Has the network that port in its books? Where libvirt can't tell, it is taken to.
    fn knows(&self, name: &str, port: Option<&str>) -> Result<bool> {
        if !self.networks.iter().any(|n| n.name == name && n.is_active) {
            return Ok(false);
        }
        let mut asked = self.ports.borrow_mut();
        if !asked.contains_key(name) {
            let ports = self.host.ports(name)?;
            let ids = ports.map(|ports| ports.into_iter().map(|port| port.uuid).collect());
            asked.insert(name.to_string(), ids);
        }
        Ok(match asked.get(name) {
            Some(Some(ids)) => port.is_some_and(|port| ids.contains(port)),
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::sys::fake::Fake;

    /// A host whose one guest has one NIC.
    struct Bench {
        fake: Fake,
        class_net: tempfile::TempDir,
    }

    impl Bench {
        /// A host with the bridges br0 and virbr0, the NIC eth1, the tap vnet0, and networks of every state.
        fn new() -> Bench {
            let (fake, class_net) = (Fake::default(), tempfile::tempdir().unwrap());
            for dir in ["br0/bridge", "virbr0/bridge", "eth1/device", "vnet0"] {
                std::fs::create_dir_all(class_net.path().join(dir)).unwrap();
            }
            std::fs::write(class_net.path().join("vnet0/tun_flags"), "").unwrap();
            let lan = "<forward mode='bridge'/><bridge name='br0'/>";
            let pool = "<forward mode='bridge'><interface dev='eth1'/></forward>";
            for (name, is_active, inner) in [
                ("default", true, "<forward/><bridge name='virbr0'/>"),
                ("lan", true, lan),
                ("mute", true, lan),
                ("off", false, lan),
                ("pool", true, pool),
            ] {
                let xml = format!("<network><name>{name}</name>{inner}</network>");
                let (name, uuid) = (name.to_string(), String::new());
                let state = NetworkState {
                    name: name.clone(),
                    uuid,
                    is_active,
                    is_persistent: true,
                    autostarts: true,
                    xml,
                };
                if name != "mute" {
                    fake.state().ports.insert(name.clone(), vec!["p1".into()]);
                }
                fake.state().networks.insert(name, state);
            }
            Bench { fake, class_net }
        }

        fn wiring(&self) -> Wiring<'_> {
            Wiring { kernel: Kernel::below(self.class_net.path()), ..Wiring::new(&self.fake).unwrap() }
        }

        /// With the tap on that bridge (none, if it is empty), what is found of a NIC of that type and source?
        fn found(&self, master: &str, kind: &str, source: &str) -> Vec<String> {
            let link = self.class_net.path().join("vnet0/master");
            let _ = std::fs::remove_file(&link);
            if !master.is_empty() {
                symlink(format!("../{master}"), link).unwrap();
            }
            let xml = format!(
                "<domain id='1'><devices><interface type='{kind}'><mac address='m'/><source {source}/><target dev='vnet0'/>\
                 </interface></devices></domain>"
            );
            self.fake.state().running.insert("u".into(), xml);
            let found = self.wiring().look(&self.fake.guests().unwrap()[0], None).unwrap();
            found
                .into_iter()
                .map(|finding| match finding {
                    Finding::Fine(text) => format!("fine: {text}"),
                    Finding::LeftAlone(text) => format!("left alone: {text}"),
                    Finding::Astray(astray) => format!("{} => {}", astray.now, astray.should),
                    Finding::Hopeless(e) => format!("hopeless: {e:#}"),
                })
                .collect()
        }
    }

    #[test]
    fn where_a_tap_is_and_belongs() {
        let bench = Bench::new();
        let default = "network='default' portid='p1' bridge='virbr0'";
        let lan = "network='lan' portid='p1' bridge='br0'";
        for (master, kind, source, wanted) in [
            ("virbr0", "network", default, "fine: NIC 1 (m): its tap vnet0 is on virbr0"),
            (
                "",
                "network",
                default,
                "no bridge, known to network 'default' => virbr0, known to network 'default'",
            ),
            (
                "br0",
                "network",
                default,
                "br0, known to network 'default' => virbr0, known to network 'default'",
            ),
            (
                "virbr0",
                "network",
                "network='default' portid='p2' bridge='virbr0'",
                "virbr0, unknown to network 'default' => virbr0, known to network 'default'",
            ),
            // The bridge beside the network is that of its last start.
            (
                "",
                "network",
                "network='lan' portid='p2' bridge='virbr0'",
                "no bridge, unknown to network 'lan' => br0, known to network 'lan'",
            ),
            ("br0", "bridge", lan, "fine: NIC 1 (m): its tap vnet0 is on br0"),
            ("br0", "bridge", "network='mute' bridge='br0'", "fine: NIC 1 (m): its tap vnet0 is on br0"),
            ("virbr0", "bridge", "bridge='br0'", "virbr0 => br0"),
        ] {
            assert_eq!(bench.found(master, kind, source), [wanted], "{master} {kind} {source}");
        }
    }

    #[test]
    fn what_cannot_or_need_not_be_helped() {
        let bench = Bench::new();
        for (master, kind, source, wanted) in [
            (
                "",
                "bridge",
                "bridge='br7'",
                "hopeless: NIC 1 (m): its tap vnet0 can't be plugged in: there is no bridge 'br7'",
            ),
            ("", "bridge", "bridge='eth1'", "'eth1' is no bridge"),
            ("", "network", "network='gone' bridge='virbr3'", "there is no network 'gone' any more"),
            ("", "network", "network='pool' bridge='virbr3'", "network 'pool' has no bridge now"),
            (
                "",
                "bridge",
                "network='off' bridge='br0'",
                "hopeless: NIC 1 (m): its tap vnet0 can't be plugged in: network",
            ),
            (
                "br0",
                "bridge",
                "network='off' bridge='br0'",
                "left alone: NIC 1 (m): its tap vnet0 is left alone: it is on",
            ),
            ("br0", "bridge", "bridge='br0'/><virtualport type='openvswitch'", "left alone:"),
        ] {
            let found = bench.found(master, kind, source);
            assert!(found.len() == 1 && found[0].contains(wanted), "{master} {kind} {source}: {found:?}");
        }
        for kind in ["direct", "ethernet", "user", "hostdev"] {
            assert!(bench.found("", kind, "dev='eth1'").is_empty(), "{kind}");
        }
        std::fs::remove_dir_all(bench.class_net.path().join("vnet0")).unwrap();
        let xml = bench.fake.state().running["u"]
            .replace("'hostdev'", "'bridge'")
            .replace("dev='eth1'", "bridge='br0'");
        bench.fake.state().running.insert("u".into(), xml);
        let found = bench.wiring().look(&bench.fake.guests().unwrap()[0], None).unwrap();
        assert!(matches!(&found[..], [Finding::Hopeless(e)] if e.to_string().contains("can be seen here")));
    }

    #[test]
    fn those_of_one_network_only() {
        let bench = Bench::new();
        bench.found("", "network", "network='default' portid='p1' bridge='virbr0'");
        let astray = bench.wiring().astray(Some("default")).unwrap();
        assert_eq!((astray.len(), astray[0].guest.as_str(), astray[0].tap.as_str()), (1, "u", "vnet0"));
        assert_eq!(
            astray[0].to_string(),
            "NIC 1 (m): its tap vnet0 is on no bridge → virbr0 (network 'default')"
        );
        assert_eq!(bench.wiring().astray(None).unwrap(), astray);
        assert_eq!(bench.wiring().astray(Some("lan")).unwrap(), []);
        let ended = bench.fake.state().running["u"].replace(" id='1'", "");
        bench.fake.state().running.insert("u".into(), ended);
        assert_eq!(bench.wiring().astray(None).unwrap(), []);
    }

    #[test]
    fn the_vlans_of_a_port() {
        let of = |vlan: &str| {
            let xml = format!("<interface>{vlan}</interface>");
            let doc = Doc::parse(&xml).unwrap();
            let vlans = vlans(doc.root());
            vlans.iter().map(|(id, how)| format!("{id} {}", how.join(" "))).collect::<Vec<_>>()
        };
        assert!(of("").is_empty());
        assert_eq!(of("<vlan><tag id='42'/></vlan>"), ["42 pvid untagged"]);
        assert_eq!(
            of("<vlan trunk='yes'><tag id='1' nativeMode='untagged'/><tag id='2'/></vlan>"),
            ["1 pvid untagged", "2 "]
        );
        assert_eq!(of("<vlan><tag id='3' nativeMode='tagged'/><tag id='4'/></vlan>"), ["3 pvid", "4 "]);
        assert_eq!(of("<vlan trunk='yes'><tag id='5'/></vlan>"), ["5 "]);
    }
}
