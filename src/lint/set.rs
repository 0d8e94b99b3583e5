//! All files together: what each of them adds, and where rules about all of them say what they find.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::finding::{Finding, Place, Placer};
use super::ignored::Ignored;
use super::rule::Rule;
use super::settings::Settings;
use super::view::{Domain, Network, inner, tag, text, value};
use crate::model::{self, MacAddr, Source};
use crate::xml::{Doc, child, children};

/// A place that a rule about the set may point at, and which rules are to be quiet there.
#[derive(Debug, Clone)]
pub struct Mark {
    place: Place,
    quiet: Vec<&'static str>,
}

/// Something with the place where it stands.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// What stands there.
    pub what: T,
    /// Where.
    pub mark: Mark,
}

/// What one file adds to the set.
#[derive(Debug)]
pub struct Facts {
    /// The file.
    pub file: Arc<Path>,
    /// What is to be said about it, and how.
    pub(super) settings: Arc<Settings>,
    /// Its part of the set.
    pub part: Part,
}

/// A guest or a network.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are far more guests than networks")]
pub enum Part {
    /// A guest.
    Guest(Guest),
    /// A network.
    Network(Net),
}

/// What the set knows of a guest.
#[derive(Debug)]
pub struct Guest {
    /// Its name.
    pub name: Option<At<String>>,
    /// Its UUID, in lower case without hyphens.
    pub uuid: Option<At<String>>,
    /// Its NICs.
    pub nics: Vec<GuestNic>,
}

/// What the set knows of a NIC.
#[derive(Debug)]
pub struct GuestNic {
    /// Its MAC address.
    pub mac: Option<At<MacAddr>>,
    /// Where it leads, at its `<source>`.
    pub source: At<Source>,
    /// A guaranteed share of its network's bandwidth (`floor`).
    pub floor: Option<Mark>,
    /// Its own VLAN.
    pub vlan: Option<Mark>,
    /// The type of its own virtual port.
    pub virtualport: Option<At<String>>,
    /// Is it one half of a pair that shares a MAC address (`<teaming>`)?
    pub is_teamed: bool,
}

/// What the set knows of a network.
#[derive(Debug)]
pub struct Net {
    /// All of it.
    pub network: model::Network,
    /// Its name.
    pub name: Mark,
    /// Its UUID, in lower case without hyphens.
    pub uuid: Option<At<String>>,
    /// Its bridge's name.
    pub bridge: Option<At<String>>,
    /// The `<ip>` elements that can be read, in order.
    pub addresses: Vec<At<ipnet::IpNet>>,
    /// The MAC addresses that its DHCP server knows.
    pub hosts: Vec<At<MacAddr>>,
}

/// The files that belong together.
#[derive(Debug)]
pub struct Set<'s> {
    /// Their parts, by file.
    facts: &'s [Facts],
}

impl Set<'_> {
    /// Its guests.
    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.facts.iter().filter_map(|facts| match &facts.part {
            Part::Guest(guest) => Some(guest),
            Part::Network(_) => None,
        })
    }

    /// Its networks.
    pub fn networks(&self) -> impl Iterator<Item = &Net> {
        self.facts.iter().filter_map(|facts| match &facts.part {
            Part::Network(network) => Some(network),
            Part::Guest(_) => None,
        })
    }

    /// The network of that name, if the set has just one.
    pub fn network(&self, name: &str) -> Option<&Net> {
        let mut named = self.networks().filter(|n| n.network.name == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// Is it said of this network that hosts have it, though no file defines it?
    pub fn is_known(&self, network: &str) -> bool {
        self.facts.iter().any(|facts| facts.settings.knows_network(network))
    }
}

/// Where rules about the set say what they find.
#[derive(Debug)]
pub struct SetReport {
    rule: &'static Rule,
    found: Vec<Finding>,
}

impl SetReport {
    /// Something is wrong there. As with files, the words hold no secret.
    pub fn at(&mut self, mark: &Mark, message: impl Into<String>) -> SetFinding<'_> {
        if mark.quiet.contains(&self.rule.code) {
            return SetFinding(None);
        }
        self.found.push(Finding {
            rule: self.rule,
            severity: self.rule.severity,
            message: message.into(),
            place: mark.place.clone(),
            label: None,
            help: None,
            also: Vec::new(),
            fix: None,
            splices: Vec::new(),
        });
        SetFinding(self.found.last_mut())
    }
}

/// A finding that may get more words; none where the rule is to be quiet.
#[derive(Debug)]
pub struct SetFinding<'r>(Option<&'r mut Finding>);

impl SetFinding<'_> {
    /// Words at the place itself, beside the caret.
    pub fn label(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.label = Some(words.into());
        }
        self
    }

    /// What to do.
    pub fn help(&mut self, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.help = Some(words.into());
        }
        self
    }

    /// Another place that belongs to it.
    pub fn also(&mut self, mark: &Mark, words: impl Into<String>) -> &mut Self {
        if let Some(finding) = &mut self.0 {
            finding.also.push((mark.place.clone(), words.into()));
        }
        self
    }
}

/// What the rules about sets find in the files that belong together. Each file's own policy decides about what is found
/// in it.
pub(super) fn check(facts: &[Facts], rules: &[&'static Rule]) -> Vec<Finding> {
    let set = Set { facts };
    let mut out = Vec::new();
    for rule in rules {
        let super::Check::Set(check) = rule.check else { continue };
        let mut report = SetReport { rule, found: Vec::new() };
        check(&set, &mut report);
        out.append(&mut report.found);
    }
    let of = |file: &Path| facts.iter().find(|facts| *facts.file == *file);
    out.retain_mut(|finding| {
        let severity = of(&finding.place.file).and_then(|facts| facts.settings.severity(finding.rule.code));
        finding.severity = severity.unwrap_or(finding.severity);
        severity.is_some()
    });
    out
}

/// Takes down what a file adds to the set.
pub(super) struct Taker<'d> {
    pub(super) doc: &'d Doc<'d>,
    pub(super) placer: &'d Placer<'d>,
    pub(super) ignored: &'d Ignored,
}

impl Taker<'_> {
    fn mark(&self, span: Range<usize>) -> Mark {
        Mark { quiet: self.ignored.at(span.start), place: self.placer.place(span) }
    }

    fn at<T>(&self, span: Range<usize>, what: T) -> At<T> {
        At { what, mark: self.mark(span) }
    }

    fn text_of(&self, root: roxmltree::Node<'_, '_>, name: &str) -> Option<At<String>> {
        let node = child(root, name)?;
        Some(self.at(inner(self.doc, node), text(node)?))
    }

    fn uuid(&self, root: roxmltree::Node<'_, '_>) -> Option<At<String>> {
        let mut uuid = self.text_of(root, "uuid")?;
        uuid.what.retain(|c| c != '-');
        uuid.what.make_ascii_lowercase();
        Some(uuid)
    }

    pub(super) fn guest(&self, domain: &Domain<'_>) -> Guest {
        let nics = domain.nics.iter().map(|nic| {
            let source = nic.child("source").map_or(nic.tag(), |source| tag(self.doc, source));
            let mac = nic.child("mac");
            let floor = nic.child("bandwidth").and_then(|b| child(b, "inbound"));
            let port = nic.child("virtualport");
            GuestNic {
                mac: mac.and_then(|mac| {
                    let address = mac.attribute("address")?.parse().ok()?;
                    Some(self.at(value(self.doc, mac, "address"), address))
                }),
                source: self.at(source, nic.model().source),
                floor: floor
                    .filter(|inbound| inbound.has_attribute("floor"))
                    .map(|inbound| self.mark(value(self.doc, inbound, "floor"))),
                vlan: nic.child("vlan").map(|vlan| self.mark(tag(self.doc, vlan))),
                virtualport: port.and_then(|port| {
                    let kind = port.attribute("type")?;
                    Some(self.at(tag(self.doc, port), kind.to_string()))
                }),
                is_teamed: nic.child("teaming").is_some(),
            }
        });
        Guest { name: self.text_of(domain.root, "name"), uuid: self.uuid(domain.root), nics: nics.collect() }
    }

    pub(super) fn network(&self, network: &Network<'_>) -> Option<Net> {
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
        Some(Net {
            network: network.model.clone()?,
            name: self.mark(inner(self.doc, child(root, "name")?)),
            uuid: self.uuid(root),
            bridge: bridge.and_then(|bridge| {
                let name = bridge.attribute("name")?;
                Some(self.at(value(self.doc, bridge, "name"), name.to_string()))
            }),
            addresses: addresses.collect(),
            hosts: hosts.collect(),
        })
    }
}
