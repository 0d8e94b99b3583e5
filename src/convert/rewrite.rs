//! One NIC's splices.

use roxmltree::Node;

use super::inherit;
use super::request::{Facts, Landing, Request, Target};
use super::rules::{Column, Fate, Place, RULES, Rule};
use super::{Conversion, Move};
use crate::model::{Code, Nic, Source, Warning};
use crate::xml::{Doc, Layout, StartTag, child, children};

/// Attributes that `<source>` has for the types of NIC there are (reference §1.1); others aren't ours to remove.
const SOURCE_ATTRIBUTES: &[&str] = &[
    "network",
    "portgroup",
    "portid",
    "bridge",
    "macTableManager",
    "dev",
    "mode",
    "type",
    "path",
    "name",
    "address",
    "port",
    "switchid",
    "portgroupid",
    "connectionid",
];

/// Children that `<source>` has for some types.
const SOURCE_CHILDREN: &[&str] = &["ip", "route", "address", "reconnect", "local"];

/// Adds to `out` all that moving `nic` takes.
pub(super) fn rewrite(doc: &Doc<'_>, nic: &Nic, request: &Request, facts: &Facts<'_>, out: &mut Conversion) {
    let Some(interface) = doc.node(nic.node) else { return };
    let Some(tag) = StartTag::read(doc.text(), interface.range().start) else { return };
    let to = request.target.source();
    let column = match request.target {
        Target::Bridge(_) => Column::Bridge,
        Target::Network { .. } => Column::Network,
        Target::Direct { .. } => Column::Direct,
    };
    let place = Place { from: &nic.source.kind, landing: &facts.landing };
    let mut editor =
        Editor { doc, interface, style: Style::of(doc, interface, &tag), target: &request.target, out, nic };

    host_device(&mut editor, facts, interface);
    if facts.landing == Landing::HostdevNetwork {
        editor.warn(Warning::stop(
            Code::TargetHostdev,
            "the network hands out host devices: the guest would see other hardware",
        ));
    }
    if matches!(facts.landing, Landing::Macvtap { .. }) {
        let what = "host and guest can't talk to each other over macvtap; other machines and guests can";
        editor.warn(Warning::note(Code::HostUnreachable, what));
    }
    if to.kind != nic.source.kind {
        match tag.attr(doc.text(), "type") {
            Some(kind) => editor.out.edits.push(kind.value.clone(), &to.kind),
            None => editor.insert(tag.name.end, format!(" type={0}{1}{0}", editor.style.quote, to.kind)),
        }
    }
    for rule in RULES {
        apply(&mut editor, rule, column, &place);
    }
    let mut added = inherit::inherit(&mut editor, column, &place, facts);
    if facts.landing == Landing::OpenVSwitch && column == Column::Bridge {
        open_vswitch(&mut editor, &place, &mut added);
    }
    let trust =
        added.trust.take().map(|value| format!(" trustGuestRxFilters={0}{value}{0}", editor.style.quote));
    if let Some(attribute) = trust {
        let at = tag.attr(doc.text(), "type").map_or(tag.name.end, |kind| kind.whole.end);
        editor.insert(at, attribute);
    }
    source(&mut editor, &tag, &to, added.elements);
    out.moves.push(Move { nic: nic.clone(), to });
}

/// One NIC in the making.
pub(super) struct Editor<'a, 't> {
    pub(super) doc: &'a Doc<'t>,
    pub(super) interface: Node<'a, 't>,
    pub(super) style: Style,
    pub(super) nic: &'a Nic,
    pub(super) target: &'a Target,
    out: &'a mut Conversion,
}

impl Editor<'_, '_> {
    /// Records a warning about this NIC.
    pub(super) fn warn(&mut self, warning: Warning) {
        let message = format!("{}: {}", self.nic, warning.message);
        self.out.warnings.push(Warning { message, ..warning });
    }

    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.out.edits.push(at..at, text);
    }

    fn remove(&mut self, node: Node<'_, '_>) {
        self.out.edits.push(Layout::new(self.doc.text()).removal(node.range()), "");
    }

    fn remove_attribute(&mut self, node: Node<'_, '_>, name: &str) {
        let tag = StartTag::read(self.doc.text(), node.range().start);
        if let Some(attr) = tag.as_ref().and_then(|t| t.attr(self.doc.text(), name)) {
            self.out.edits.push(attr.whole.clone(), "");
        }
    }
}

/// How the interface is written, so that what is added looks like the rest.
pub(super) struct Style {
    pub(super) quote: char,
    newline: &'static str,
    /// The indentation of the interface's children; `None` where they don't stand on lines of their own.
    indent: Option<String>,
    /// One step of indentation.
    unit: String,
}

impl Style {
    fn of(doc: &Doc<'_>, interface: Node<'_, '_>, tag: &StartTag) -> Style {
        let text = doc.text();
        let layout = Layout::new(text);
        let own = layout.indentation(interface.range().start);
        let first = interface.children().find(Node::is_element);
        let children = first.and_then(|n| layout.indentation(n.range().start));
        let unit = match (own, children) {
            (Some(own), Some(children)) => {
                children.strip_prefix(own).filter(|u| !u.is_empty()).unwrap_or("  ")
            }
            _ => "  ",
        };
        let indent = match first {
            Some(_) => children.map(ToString::to_string),
            None => own.map(|own| format!("{own}{unit}")),
        };
        let quote = child(interface, "source")
            .and_then(|s| StartTag::read(text, s.range().start)?.attrs.first().map(|a| a.quote))
            .or_else(|| tag.attrs.first().map(|a| a.quote));
        Style {
            quote: quote.unwrap_or('\''),
            newline: layout.newline(interface.range().end),
            indent,
            unit: unit.to_string(),
        }
    }

    /// An element of libvirt's own (out of a network's definition) in this style.
    pub(super) fn render(&self, node: Node<'_, '_>) -> String {
        self.render_at(node, self.indent.as_deref().unwrap_or_default())
    }

    fn render_at(&self, node: Node<'_, '_>, indent: &str) -> String {
        let name = node.tag_name().name();
        let mut out = format!("<{name}");
        for attribute in node.attributes() {
            out.push_str(&self.attribute(attribute.name(), attribute.value()));
        }
        let deeper = format!("{indent}{}", self.unit);
        let mut inside = String::new();
        for element in crate::xml::elements(node) {
            if self.indent.is_some() {
                inside.push_str(self.newline);
                inside.push_str(&deeper);
            }
            inside.push_str(&self.render_at(element, &deeper));
        }
        if inside.is_empty() {
            out.push_str("/>");
            return out;
        }
        out.push('>');
        out.push_str(&inside);
        if self.indent.is_some() {
            out.push_str(self.newline);
            out.push_str(indent);
        }
        out.push_str(&format!("</{name}>"));
        out
    }

    /// ` name='value'`, escaped.
    pub(super) fn attribute(&self, name: &str, value: &str) -> String {
        format!(" {name}={0}{1}{0}", self.quote, escape(value, self.quote))
    }
}

fn escape(value: &str, quote: char) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '\'' if quote == '\'' => out.push_str("&apos;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

/// Host devices aren't moved: the guest would lose a piece of hardware and get another (reference §2).
fn host_device(editor: &mut Editor<'_, '_>, facts: &Facts<'_>, interface: Node<'_, '_>) {
    let Source { kind, name, .. } = &editor.nic.source;
    let of_network = || facts.networks.get(name).map(Landing::of_network) == Some(Landing::HostdevNetwork);
    if kind != "hostdev" && !(kind == "network" && of_network()) {
        return;
    }
    let what =
        "it is a host device (a function of a NIC); the guest would lose that hardware and see another";
    if !facts.online && child(interface, "model").is_some_and(|m| m.has_attribute("type")) {
        editor.warn(Warning::stop(Code::HostDevice, what));
    } else {
        let nic = editor.nic;
        let help = "only in a file, with --force, and with a <model type='…'/> chosen for the new NIC";
        editor.out.barred = Some((format!("{nic}: {what}"), help.into()));
    }
}

/// Holds every part that a row of the table names against it.
fn apply(editor: &mut Editor<'_, '_>, rule: &Rule, column: Column, place: &Place<'_>) {
    let (path, attribute) = match rule.part.split_once('@') {
        Some((path, attribute)) => (path, Some(attribute)),
        None => (rule.part, None),
    };
    let mut nodes = vec![editor.interface];
    for name in path.split('/') {
        nodes = nodes.into_iter().flat_map(|n| children(n, name).collect::<Vec<_>>()).collect();
    }
    for node in nodes {
        if attribute.is_some_and(|name| !node.has_attribute(name)) {
            continue;
        }
        let (goes, warning) = match rule.fate(column, place, node) {
            Fate::Keep | Fate::When(_) => continue,
            Fate::Drop => (true, None),
            Fate::Warn(code, why) => (false, Some(Warning::note(code, why))),
            Fate::Lose(code, why) => (true, Some(Warning::note(code, why))),
            Fate::Refuse(code, why) => (true, Some(Warning::stop(code, why))),
        };
        if let Some(warning) = warning {
            editor.warn(warning);
        }
        match attribute {
            Some(name) if goes => editor.remove_attribute(node, name),
            None if goes => editor.remove(node),
            _ => {}
        }
    }
}

/// A port of Open vSwitch needs a port profile that says so (reference §1.3).
fn open_vswitch(editor: &mut Editor<'_, '_>, place: &Place<'_>, added: &mut inherit::Added) {
    let kept = child(editor.interface, "virtualport").filter(|own| {
        let rule = RULES.iter().find(|r| r.part == "virtualport");
        rule.is_some_and(|r| matches!(r.fate(Column::Bridge, place, *own), Fate::Keep))
    });
    let text = editor.doc.text();
    match kept {
        Some(own) if own.has_attribute("type") => return,
        Some(own) => {
            if let Some(tag) = StartTag::read(text, own.range().start) {
                let attribute = editor.style.attribute("type", "openvswitch");
                editor.insert(tag.name.end, attribute);
            }
        }
        None if added.elements.iter().any(|e| e.starts_with("<virtualport")) => return,
        None => {
            added.elements.push(format!("<virtualport{}/>", editor.style.attribute("type", "openvswitch")));
        }
    }
    let what = "the bridge is Open vSwitch: a port profile says so (libvirt adds an interfaceid of its own)";
    editor.warn(Warning::note(Code::VirtualportOvs, what));
}

/// Rewrites `<source>` in place, or adds one, and adds what the NIC inherited behind it.
fn source(editor: &mut Editor<'_, '_>, tag: &StartTag, to: &Source, added: Vec<String>) {
    let text = editor.doc.text();
    let (main, detail) = match to.kind.as_str() {
        "bridge" => (("bridge", to.name.as_str()), None),
        "network" => (("network", to.name.as_str()), to.detail.as_deref().map(|group| ("portgroup", group))),
        _ => (("dev", to.name.as_str()), to.detail.as_deref().map(|mode| ("mode", mode))),
    };
    let Some(node) = child(editor.interface, "source") else {
        let detail = detail.map(|(name, value)| editor.style.attribute(name, value));
        let line =
            format!("<source{}{}/>", editor.style.attribute(main.0, main.1), detail.unwrap_or_default());
        let lines = std::iter::once(line).chain(added).collect();
        return insert_lines(editor, tag, child(editor.interface, "mac"), lines);
    };
    let Some(source) = StartTag::read(text, node.range().start) else { return };
    let old = ["network", "bridge", "dev", "path", "name", "address"];
    let reused = source.attr(text, main.0).or_else(|| old.iter().find_map(|name| source.attr(text, name)));
    let mut missing = String::new();
    match reused {
        Some(attr) => {
            if text[attr.name.clone()] != *main.0 {
                editor.out.edits.push(attr.name.clone(), main.0);
            }
            if text[attr.value.clone()] != *main.1 {
                editor.out.edits.push(attr.value.clone(), escape(main.1, attr.quote));
            }
        }
        None => missing.push_str(&editor.style.attribute(main.0, main.1)),
    }
    let mut lost: Vec<&str> = Vec::new();
    for attr in &source.attrs {
        let name = &text[attr.name.clone()];
        if reused.is_some_and(|r| r == attr) || !SOURCE_ATTRIBUTES.contains(&name) {
            continue;
        }
        match detail {
            Some((wanted, value)) if wanted == name => {
                editor.out.edits.push(attr.value.clone(), escape(value, attr.quote));
            }
            _ => editor.out.edits.push(attr.whole.clone(), ""),
        }
    }
    if let Some((name, value)) = detail.filter(|(name, _)| source.attr(text, name).is_none()) {
        missing.push_str(&editor.style.attribute(name, value));
    }
    if !missing.is_empty() {
        let at = reused.map_or(source.name.end, |attr| attr.whole.end);
        editor.insert(at, missing);
    }
    for name in SOURCE_CHILDREN {
        for element in children(node, name) {
            lost.push(name);
            editor.remove(element);
        }
    }
    if !lost.is_empty() {
        let what = format!("its source's <{}> goes: the new type has no place for it", lost.join(">, <"));
        editor.warn(Warning::note(Code::SourceLost, what));
    }
    if !added.is_empty() {
        insert_lines(editor, tag, Some(node), added);
    }
}

/// Puts elements on lines of their own behind `anchor`, or first in the interface; in a text without lines, inline.
fn insert_lines(
    editor: &mut Editor<'_, '_>,
    tag: &StartTag,
    anchor: Option<Node<'_, '_>>,
    lines: Vec<String>,
) {
    let text = editor.doc.text();
    let layout = Layout::new(text);
    let Style { newline, indent, .. } = &editor.style;
    let broken = |indent: &str| lines.iter().map(|l| format!("{newline}{indent}{l}")).collect::<String>();
    if tag.is_empty {
        let start = text[..tag.end - 2].trim_end().len();
        let name = &text[tag.name.clone()];
        let closing = layout.indentation(editor.interface.range().start).map(|own| format!("{newline}{own}"));
        let (inside, closing) = match (indent, closing) {
            (Some(indent), Some(closing)) => (broken(indent), closing),
            _ => (lines.concat(), String::new()),
        };
        editor.out.edits.push(start..tag.end, format!(">{inside}{closing}</{name}>"));
        return;
    }
    let (start, end) = anchor.map_or((None, tag.end), |a| (Some(a.range().start), a.range().end));
    let own_line = start.is_none_or(|start| layout.indentation(start).is_some());
    match (indent, layout.line_end(end)) {
        (Some(indent), Some(at)) if own_line => {
            let lines = broken(indent);
            editor.insert(at, lines);
        }
        _ => editor.insert(end, lines.concat()),
    }
}
