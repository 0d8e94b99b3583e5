//! Where running guests' taps are, and where they belong.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use roxmltree::Node;

use super::{Astray, Finding, Spot, interfaces, nothing_passes, own_bridge, source, tap_of};
use crate::model::{Network, Nic};
use crate::problem::Problem;
use crate::sys::hypervisor::{Guest, Hypervisor, NetworkState};
use crate::sys::kernel::{Kernel, Kind};
use crate::xml::{Doc, child};

/// Which bridge a tap belongs on.
pub(super) enum Belongs {
    /// This one.
    To(String),
    /// Nowhere that can be looked at; why.
    Elsewhere(String),
    /// Where it is, as long as nobody else does something; what.
    Remains(String),
}

/// What taps are plugged into: libvirt's networks with their books, and the kernel's devices.
pub struct Wiring<'h> {
    host: &'h dyn Hypervisor,
    pub(super) kernel: Kernel,
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

    pub(super) fn astray(&self, only: Option<&str>) -> Result<Vec<Astray>> {
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

    pub(super) fn unknown(&self, network: &str) -> Result<Vec<String>> {
        self.with_nic_on(network, |node| {
            // Of a NIC that names its bridge a network has nothing in its books.
            source(node, "network").is_some()
                && self.knows(network, source(node, "portid")).is_ok_and(|known| !known)
        })
    }

    pub(super) fn loose(&self, network: &str) -> Result<Vec<String>> {
        self.with_nic_on(network, |node| tap_of(node).is_some_and(|tap| self.master(tap).is_none()))
    }

    /// The running guests with a NIC on the network that has a tap, and of which that is true.
    fn with_nic_on(&self, network: &str, is: impl Fn(Node<'_, '_>) -> bool) -> Result<Vec<String>> {
        let mut out = Vec::new();
        for guest in self.host.guests()?.into_iter().filter(|guest| guest.is_active) {
            // It may end while it is looked at.
            let Ok(xml) = self.host.running(&guest.uuid) else { continue };
            let doc = Doc::parse(&xml).context("libvirt's XML of the running guest can't be read")?;
            let mut on_it =
                interfaces(&doc).filter(|node| tap_of(*node).is_some() && self.is_on(*node, network));
            if on_it.any(&is) {
                out.push(guest.name);
            }
        }
        Ok(out)
    }

    /// Is the NIC on the network, by its name or by that of the bridge which libvirt makes for it?
    fn is_on(&self, interface: Node<'_, '_>, network: &str) -> bool {
        match (source(interface, "network"), source(interface, "bridge")) {
            (Some(name), _) => name == network,
            (None, Some(bridge)) => self
                .networks
                .iter()
                .any(|state| state.name == network && self.bridge_made_for(state).as_deref() == Some(bridge)),
            (None, None) => false,
        }
    }

    fn bridge_made_for(&self, state: &NetworkState) -> Option<String> {
        let network = Network::read(&Doc::parse(&state.xml).ok()?).ok()?;
        own_bridge(&network, state.is_active, Some(&self.kernel))
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
            if only.is_some_and(|name| !self.is_on(node, name)) {
                continue;
            }
            let nic = Nic::read(node, position);
            let finding = match self.belongs(node) {
                Err(e) => Finding::Hopeless(e.context(format!("{nic}: its tap {tap} can't be plugged in"))),
                Ok(Belongs::Elsewhere(why)) => {
                    Finding::LeftAlone(format!("{nic}: its tap {tap} is left alone: {why}"))
                }
                Ok(Belongs::Remains(why)) => Finding::Remark(format!("{nic}: its tap {tap} {why}")),
                Ok(Belongs::To(bridge)) => {
                    let (now, should) = (self.spot(node, tap)?, self.ideal(node, &bridge));
                    let bridge_is_down = self.is_down(&bridge);
                    if now == should && bridge_is_down {
                        let why = nothing_passes(&bridge);
                        Finding::Remark(format!("{nic}: its tap {tap} is on {bridge}, but {why}"))
                    } else if now == should {
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
                            bridge_is_down,
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
    pub(super) fn belongs(&self, interface: Node<'_, '_>) -> Result<Belongs> {
        let profile = child(interface, "virtualport").and_then(|v| v.attribute("type"));
        if let Some(profile @ ("openvswitch" | "midonet")) = profile {
            return Ok(Belongs::Elsewhere(format!("its port is one of {profile}, not of a Linux bridge")));
        }
        let bridge = match source(interface, "network") {
            Some(name) => match self.network_bridge(interface, name)? {
                Belongs::To(bridge) => bridge,
                not => return Ok(not),
            },
            None => source(interface, "bridge").context("libvirt names no bridge for it")?.to_string(),
        };
        match self.kernel.device(&bridge).map(|device| device.kind) {
            Some(Kind::Bridge) => Ok(Belongs::To(bridge)),
            Some(Kind::OpenVSwitch) => {
                Ok(Belongs::Elsewhere(format!("'{bridge}' is an Open vSwitch, not a Linux bridge")))
            }
            Some(_) => bail!("'{bridge}' is no bridge"),
            None => {
                let what = format!("there is no bridge '{bridge}'");
                let makes = |state: &&NetworkState| {
                    !state.is_active && self.bridge_made_for(state).as_ref() == Some(&bridge)
                };
                Err(match self.networks.iter().find(makes) {
                    Some(NetworkState { name, .. }) => Problem::new(
                        format!("{what}: network '{name}', which makes it, isn't active"),
                        format!("kvmnet net start {name}"),
                    ),
                    None => anyhow!(what),
                })
            }
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
                Some(bridge) => Ok(Belongs::Remains(format!(
                    "is on {bridge}, but network '{name}' isn't active and has no port for it; 'kvmnet net start {name}' \
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
    pub(super) fn spot(&self, interface: Node<'_, '_>, tap: &str) -> Result<Spot> {
        let network = source(interface, "network").map(|name| {
            let port = source(interface, "portid");
            self.knows(name, port).map(|known| (name.to_string(), known))
        });
        let link = child(interface, "link").and_then(|link| link.attribute("state"));
        let is_down = link != Some("down") && self.is_down(tap);
        Ok(Spot { bridge: self.master(tap), network: network.transpose()?, is_down })
    }

    /// Where it is when all is well.
    pub(super) fn ideal(&self, interface: Node<'_, '_>, bridge: &str) -> Spot {
        let network = source(interface, "network").map(|name| (name.to_string(), true));
        Spot { bridge: Some(bridge.into()), network, is_down: false }
    }

    /// Is there such a device, and is it administratively down?
    fn is_down(&self, device: &str) -> bool {
        self.kernel.device(device).is_some_and(|device| !device.is_up)
    }

    pub(super) fn master(&self, tap: &str) -> Option<String> {
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
            for device in ["br0", "virbr0", "eth1", "vnet0"] {
                std::fs::write(class_net.path().join(device).join("flags"), "0x1003\n").unwrap();
            }
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
                    Finding::Remark(text) => format!("remark: {text}"),
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
    fn what_is_administratively_down() {
        let bench = Bench::new();
        let down = |device: &str| {
            std::fs::write(bench.class_net.path().join(device).join("flags"), "0x1002\n").unwrap();
        };
        let (kind, source) = ("bridge", "bridge='br0'");
        down("vnet0");
        assert_eq!(bench.found("br0", kind, source), ["br0, down => br0"]);
        let astray = bench.wiring().astray(None).unwrap();
        assert_eq!(astray[0].to_string(), "NIC 1 (m): its tap vnet0 is on br0, but down → up");
        assert_eq!(bench.found("", kind, source), ["no bridge, down => br0"]);
        let astray = bench.wiring().astray(None).unwrap();
        assert_eq!(astray[0].to_string(), "NIC 1 (m): its tap vnet0 is on no bridge → br0; it is down → up");
        assert_eq!(astray[0].fault(), "its tap vnet0 is on no bridge and belongs on br0, is down");
        // Somebody has taken the NIC's own link down.
        let found = bench.found("br0", kind, "bridge='br0'/><link state='down'");
        assert_eq!(found, ["fine: NIC 1 (m): its tap vnet0 is on br0"]);
        std::fs::write(bench.class_net.path().join("vnet0/flags"), "0x1003\n").unwrap();
        down("br0");
        let found = bench.found("br0", kind, source);
        assert!(found[0].starts_with("remark:") && found[0].contains("'br0' is administratively down"));
        bench.found("", kind, source);
        assert!(bench.wiring().astray(None).unwrap()[0].bridge_is_down);
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
                "remark: NIC 1 (m): its tap vnet0 is on br0, but network 'off' isn't active",
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
        assert!(bench.wiring().unknown("default").unwrap().is_empty());
        bench.found("virbr0", "network", "network='default' portid='p2' bridge='virbr0'");
        assert_eq!(bench.wiring().unknown("default").unwrap(), ["u"]);
        let ended = bench.fake.state().running["u"].replace(" id='1'", "");
        bench.fake.state().running.insert("u".into(), ended);
        assert_eq!(bench.wiring().astray(None).unwrap(), []);
    }
}
