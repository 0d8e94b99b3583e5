//! Takes down what a file adds to the set.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use roxmltree::Node;

use super::facts::{Asks, At, Guest, GuestNic, Mark, Net};
use crate::lint::ignored::Ignored;
use crate::lint::view::{Domain, Network, Nic, inner, tag, text, value};
use crate::model::{self, MacAddr};
use crate::xml::{Doc, child, children};

/// Takes it down.
pub(in crate::lint) struct Taker<'d> {
    pub(in crate::lint) file: &'d Arc<Path>,
    pub(in crate::lint) doc: &'d Doc<'d>,
    pub(in crate::lint) ignored: &'d Ignored,
}

impl Taker<'_> {
    fn mark(&self, span: Range<usize>) -> Mark {
        Mark { file: self.file.clone(), quiet: self.ignored.at(span.start), span }
    }

    fn at<T>(&self, span: Range<usize>, what: T) -> At<T> {
        At { what, mark: self.mark(span) }
    }

    fn text_of(&self, root: Node<'_, '_>, name: &str) -> Option<At<String>> {
        let node = child(root, name)?;
        Some(self.at(inner(self.doc, node), text(node)?))
    }

    fn uuid(&self, root: Node<'_, '_>) -> Option<At<String>> {
        let mut uuid = self.text_of(root, "uuid")?;
        uuid.what.retain(|c| c != '-' && c != ' ');
        uuid.what.make_ascii_lowercase();
        Some(uuid)
    }

    /// What a domain adds.
    pub(in crate::lint) fn guest(&self, domain: &Domain<'_>) -> Guest {
        let driver = domain.root.attribute("type").filter(|_| !domain.is_qemu());
        Guest {
            name: self.text_of(domain.root, "name"),
            uuid: self.uuid(domain.root),
            driver: driver.map(Into::into),
            nics: domain.nics.iter().map(|nic| self.nic(nic)).collect(),
        }
    }

    fn nic(&self, nic: &Nic<'_>) -> GuestNic {
        let source = nic.child("source").map_or(nic.tag(), |source| tag(self.doc, source));
        let mac = nic.child("mac").and_then(|mac| {
            let address: MacAddr = mac.attribute("address")?.trim_ascii_end().parse().ok()?;
            let is_given = address.octets() != [0; 6];
            is_given.then(|| self.at(value(self.doc, mac, "address"), address))
        });
        GuestNic {
            mac,
            source: self.at(source, nic.model().source),
            vlan: nic.child("vlan").map(|vlan| self.mark(tag(self.doc, vlan))),
            is_down: nic.attr("link", "state") == Some("down"),
            asks: if nic.kind == "network" { self.asks(nic) } else { Vec::new() },
        }
    }

    fn asks(&self, nic: &Nic<'_>) -> Vec<At<Asks>> {
        let mut out = Vec::new();
        for node in crate::xml::elements(nic.node) {
            let has = |name: &str| node.attribute(name).is_some_and(|value| !value.is_empty());
            let asks = match node.tag_name().name() {
                "bandwidth" => {
                    let inbound = child(node, "inbound");
                    let floor = inbound.and_then(|inbound| Some((inbound, inbound.attribute("floor")?)));
                    if let Some((inbound, floor)) =
                        floor.map(|(inbound, floor)| (inbound, floor.trim().parse().ok()))
                        && floor != Some(0u64)
                    {
                        out.push(self.at(value(self.doc, inbound, "floor"), Asks::Floor(floor)));
                    }
                    inbound.or(child(node, "outbound")).map(|_| Asks::Bandwidth)
                }
                "virtualport" => Some(Asks::Virtualport(node.attribute("type").map(Into::into))),
                "port" => (node.attribute("isolated") == Some("yes")).then_some(Asks::Isolation),
                "filterref" => has("filter").then_some(Asks::Filter),
                "backend" => has("tap").then_some(Asks::Tap),
                _ => None,
            };
            out.extend(asks.map(|asks| self.at(tag(self.doc, node), asks)));
        }
        out
    }

    /// What a network adds; `None` where it can't be read.
    pub(in crate::lint) fn network(&self, network: &Network<'_>) -> Option<Net> {
        let root = network.root;
        let bridge = child(root, "bridge");
        let addresses = network.ips().filter_map(|ip| {
            let address = model::Address::read(ip)?;
            Some(self.at(tag(self.doc, ip), address.ip))
        });
        let hosts = network.ips().filter_map(|ip| child(ip, "dhcp")).flat_map(|dhcp| children(dhcp, "host"));
        let hosts = hosts.filter_map(|host| {
            let address = host.attribute("mac")?.parse().ok()?;
            Some(self.at(value(self.doc, host, "mac"), address))
        });
        // Where there is a peak, the shares may come up to that (`networkCheckBandwidth`).
        let inbound = child(root, "bandwidth").and_then(|limits| child(limits, "inbound"));
        let inbound = inbound.and_then(|inbound| {
            let rate = |name: &str| inbound.attribute(name)?.trim().parse().ok();
            match inbound.attribute("peak") {
                Some(_) => rate("peak").filter(|peak| *peak > 0),
                None => rate("average"),
            }
        });
        Some(Net {
            network: network.model.clone()?,
            name: self.mark(inner(self.doc, child(root, "name")?)),
            uuid: self.uuid(root),
            bridge: bridge.and_then(|bridge| {
                let name = bridge.attribute("name").filter(|name| !name.is_empty())?;
                Some(self.at(value(self.doc, bridge, "name"), name.to_string()))
            }),
            inbound,
            addresses: addresses.collect(),
            hosts: hosts.collect(),
        })
    }
}
