//! What rules look at: a document, a domain, its NICs, a network; and the bytes of their parts.

use std::ops::Range;

use roxmltree::Node;

use crate::model::{self, ForwardMode};
use crate::xml::{Doc, Edits, Layout, StartTag, child, children, elements, namespace};

/// The bytes of an element's start tag: `<source network='default'/>`.
pub(super) fn tag(doc: &Doc<'_>, node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    StartTag::read(doc.text(), range.start).map_or(range.clone(), |tag| range.start..tag.end)
}

/// The bytes of an attribute's value; those of the start tag where it has no such attribute.
pub(super) fn value(doc: &Doc<'_>, node: Node<'_, '_>, attribute: &str) -> Range<usize> {
    let start = node.range().start;
    let read = StartTag::read(doc.text(), start);
    match read.as_ref().and_then(|tag| tag.attr(doc.text(), attribute)) {
        Some(attribute) => attribute.value.clone(),
        None => tag(doc, node),
    }
}

/// The bytes of an attribute with the blank before it: what to remove with it. `None` if there is none.
pub(super) fn whole_attribute(doc: &Doc<'_>, node: Node<'_, '_>, attribute: &str) -> Option<Range<usize>> {
    Some(StartTag::read(doc.text(), node.range().start)?.attr(doc.text(), attribute)?.whole.clone())
}

/// The bytes of an element's text; those of the start tag where it has none, or more than text.
pub(super) fn inner(doc: &Doc<'_>, node: Node<'_, '_>) -> Range<usize> {
    let mut inside = node.children();
    match (inside.next(), inside.next()) {
        (Some(text), None) if text.is_text() => text.range(),
        _ => tag(doc, node),
    }
}

/// The text of an element without blanks around it; comments left out. `None` if there is nothing else.
pub(super) fn text(node: Node<'_, '_>) -> Option<String> {
    Some(raw(node).trim().to_string()).filter(|text| !text.is_empty())
}

/// The text of an element as libvirt reads it, blanks and all; comments left out.
pub(super) fn raw(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|n| n.text()).collect()
}

/// The splice that takes an element away, and its line with it.
pub(super) fn without(doc: &Doc<'_>, node: Node<'_, '_>) -> Edits {
    instead(Layout::new(doc.text()).removal(node.range()), "")
}

/// The splice that takes an attribute away.
pub(super) fn without_attribute(doc: &Doc<'_>, node: Node<'_, '_>, attribute: &str) -> Edits {
    whole_attribute(doc, node, attribute).map(|whole| instead(whole, "")).unwrap_or_default()
}

/// The splice that writes something else there: what stands in XML as it is, without markup or quotes in it.
pub(super) fn instead(range: Range<usize>, text: &str) -> Edits {
    let mut edits = Edits::default();
    edits.push(range, text);
    edits
}

/// ` name='value'` for an element, in the quotes of what stands in it or around it.
pub(super) fn attribute_like(doc: &Doc<'_>, node: Node<'_, '_>, name: &str, value: &str) -> String {
    let quote_of =
        |node: Node<'_, '_>| StartTag::read(doc.text(), node.range().start)?.attrs.first().map(|a| a.quote);
    let mut near = node.descendants().take(NEAR).chain(node.ancestors().take(NEAR)).filter(Node::is_element);
    let quote = near.find_map(quote_of).unwrap_or('\'');
    format!(" {name}={quote}{value}{quote}")
}

/// So many nodes are looked at for the quotes that a file has.
const NEAR: usize = 16;

/// Any document of libvirt's.
#[derive(Debug, Clone, Copy)]
pub struct File<'d> {
    /// The document.
    pub doc: &'d Doc<'d>,
    /// Its root element.
    pub root: Node<'d, 'd>,
}

/// A domain: a document with `<domain>` for its root, or what a snapshot or checkpoint keeps of a guest.
#[derive(Debug)]
pub struct Domain<'d> {
    /// The document.
    pub doc: &'d Doc<'d>,
    /// Its `<domain>`.
    pub root: Node<'d, 'd>,
    /// Its NICs, in order.
    pub nics: Vec<Nic<'d>>,
}

/// One `<interface>` of a domain.
#[derive(Debug, Clone)]
pub struct Nic<'d> {
    /// The document.
    pub doc: &'d Doc<'d>,
    /// The element.
    pub node: Node<'d, 'd>,
    /// Its type; `user` where it names none (reference §1.1).
    pub kind: &'d str,
    /// Position in the domain, from 1.
    pub position: usize,
    /// Is the domain QEMU's or KVM's? What other drivers of libvirt's take or refuse differs.
    pub is_qemu: bool,
    /// Its child elements, by name: nearly every rule asks for some.
    parts: Vec<(&'d str, Node<'d, 'd>)>,
}

impl<'d> Domain<'d> {
    /// That of a document, if it has one. Of what a snapshot keeps, libvirt passes over one without a type.
    pub(super) fn of(doc: &'d Doc<'d>, kind: Kind) -> Option<Domain<'d>> {
        let root = doc.root();
        match (kind, root.tag_name().name()) {
            (Kind::Domain, _) => Some(Domain::read(doc, root)),
            (Kind::Other, "domainsnapshot" | "domaincheckpoint") => {
                let kept = child(root, "domain").filter(|domain| domain.has_attribute("type"))?;
                Some(Domain::read(doc, kept))
            }
            _ => None,
        }
    }

    pub(super) fn read(doc: &'d Doc<'d>, root: Node<'d, 'd>) -> Domain<'d> {
        let is_qemu = is_qemu(root);
        let interfaces = children(root, "devices").flat_map(|devices| children(devices, "interface"));
        let nics = interfaces
            .zip(1..)
            .map(|(node, position)| {
                let kind = node.attribute("type").unwrap_or("user");
                let parts = elements(node).map(|part| (part.tag_name().name(), part)).collect();
                Nic { doc, node, kind, position, is_qemu, parts }
            })
            .collect();
        Domain { doc, root, nics }
    }

    /// Is it QEMU's or KVM's?
    pub fn is_qemu(&self) -> bool {
        is_qemu(self.root)
    }

    /// Its devices, NICs among them.
    pub fn devices(&self) -> impl Iterator<Item = Node<'d, 'd>> {
        children(self.root, "devices").flat_map(crate::xml::elements)
    }
}

fn is_qemu(domain: Node<'_, '_>) -> bool {
    matches!(domain.attribute("type"), Some("qemu" | "kvm" | "hvf"))
}

impl<'d> Nic<'d> {
    /// The child element of that name.
    pub fn child(&self, name: &str) -> Option<Node<'d, 'd>> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, node)| *node)
    }

    /// An attribute of the child element of that name.
    pub fn attr(&self, name: &str, attribute: &str) -> Option<&'d str> {
        self.child(name)?.attribute(attribute)
    }

    /// Is it of one of these types?
    pub fn is_any(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind)
    }

    /// Its model, if it names one: libvirt reads an empty word as none.
    pub fn model_type(&self) -> Option<&'d str> {
        self.attr("model", "type").filter(|model| !model.is_empty())
    }

    /// Does it name a virtio model? libvirt reads the models in any case (`virDomainNetSetModelString`).
    pub fn is_virtio(&self) -> bool {
        const VIRTIO: [&str; 3] = ["virtio", "virtio-transitional", "virtio-non-transitional"];
        self.model_type().is_some_and(|model| VIRTIO.iter().any(|known| known.eq_ignore_ascii_case(model)))
    }

    /// Is passt the program behind it?
    pub fn has_passt(&self) -> bool {
        self.attr("backend", "type") == Some("passt")
    }

    /// The bytes of its start tag.
    pub fn tag(&self) -> Range<usize> {
        tag(self.doc, self.node)
    }

    /// The NIC as the rest of kvmnet knows it.
    pub fn model(&self) -> model::Nic {
        model::Nic::read(self.node, self.position)
    }
}

/// A network: a document with `<network>` for its root.
#[derive(Debug)]
pub struct Network<'d> {
    /// The document.
    pub doc: &'d Doc<'d>,
    /// Its root element.
    pub root: Node<'d, 'd>,
    /// What it does with frames that leave it; `None` where the word isn't known.
    pub mode: Option<ForwardMode>,
    /// All of it that can be read; `None` without a name, or with an unknown mode.
    pub model: Option<model::Network>,
}

impl<'d> Network<'d> {
    pub(super) fn read(doc: &'d Doc<'d>) -> Network<'d> {
        let root = doc.root();
        let word = |forward: Node<'d, 'd>| forward.attribute("mode").filter(|word| !word.is_empty());
        let mode = match child(root, "forward") {
            None => Some(ForwardMode::Isolated),
            Some(forward) => ForwardMode::read(word(forward).unwrap_or("nat")),
        };
        Network { doc, root, mode, model: model::Network::read(doc).ok() }
    }

    /// Does libvirt surely make its bridge itself?
    pub fn is_virtual(&self) -> bool {
        self.mode.is_some_and(ForwardMode::is_virtual)
    }

    /// The child element of that name.
    pub fn child(&self, name: &str) -> Option<Node<'d, 'd>> {
        child(self.root, name)
    }

    /// An attribute of the child element of that name; an empty one is none, as libvirt reads most of a network's.
    pub fn attr(&self, name: &str, attribute: &str) -> Option<&'d str> {
        self.child(name)?.attribute(attribute).filter(|written| !written.is_empty())
    }

    /// Its `<ip>` elements.
    pub fn ips(&self) -> impl Iterator<Item = Node<'d, 'd>> {
        children(self.root, "ip")
    }
}

/// What a document is, by its root element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A domain.
    Domain,
    /// A network.
    Network,
    /// Another document of libvirt's, or a part of one: of these only guests that snapshots keep are more than XML.
    Other,
    /// None of libvirt's.
    Foreign,
}

/// The root elements of libvirt's other documents: what its `virsh` verbs read and print (libvirt's `src/conf/schemas`).
const OTHERS: &[&str] = &[
    "capabilities",
    "cpu",
    "cpudata",
    "cputest",
    "device",
    "domainbackup",
    "domainCapabilities",
    "domaincheckpoint",
    "domainsnapshot",
    "domstatus",
    "filter",
    "filterbinding",
    "inactiveDomain",
    "metadata",
    "networkport",
    "networkstatus",
    "node",
    "nwfilterbinding",
    "pool",
    "poolstate",
    "secret",
    "sources",
    "storagepoolCapabilities",
    "sysinfo",
    "volume",
];

/// Parts of a domain or network that `virsh` takes alone: `attach-device` and `update-device` any device
/// (`virDomainDevice` in libvirt's `src/conf/domain_conf.c`), `net-update` these of a network.
const PARTS: &[&str] = &[
    "audio",
    "channel",
    "console",
    "controller",
    "crypto",
    "disk",
    "filesystem",
    "graphics",
    "hostdev",
    "hub",
    "input",
    "interface",
    "iommu",
    "lease",
    "memballoon",
    "memory",
    "nvram",
    "panic",
    "parallel",
    "pstore",
    "redirdev",
    "rng",
    "serial",
    "shmem",
    "smartcard",
    "sound",
    "tpm",
    "video",
    "vsock",
    "watchdog",
    "host",
    "portgroup",
    "range",
    "srv",
    "txt",
];

impl Kind {
    /// That of a document.
    pub fn of(doc: &Doc<'_>) -> Kind {
        let root = doc.root();
        match root.tag_name().name() {
            _ if namespace(root).is_some() => Kind::Foreign,
            "domain" => Kind::Domain,
            "network" => Kind::Network,
            name if OTHERS.contains(&name) || PARTS.contains(&name) => Kind::Other,
            _ => Kind::Foreign,
        }
    }
}
