//! One NIC's splices.

use std::ops::Range;

use roxmltree::Node;

use super::inherit::{self, Old};
use super::profile::{Profile, port_profile};
use super::request::{Facts, Landing, Request, Target};
use super::rules::{Column, Fate, Place, RULES, Rule};
use super::source::source;
use super::{Conversion, Move};
use crate::model::{Code, Nic, Setting, Source, Warning};
use crate::xml::{Doc, Layout, StartTag, Style, child, children, elements};

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
    let old = Old::of(nic, facts);
    let profile = Profile::of(interface, old);
    let gives_profile = inherit::known_target(&request.target, facts)
        .is_some_and(|(network, group)| network.inherited(group, Setting::Virtualport).is_some());
    let place = Place {
        from: &nic.source.kind,
        landing: &facts.landing,
        profile: profile.as_ref().and_then(|p| p.kind.as_deref()),
        gives_profile,
    };
    let style = Style::of(doc, interface, &tag, "source");
    let mut editor = Editor { doc, interface, style, target: &request.target, out, nic, gone: Vec::new() };

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
            Some(kind) => editor.replace(kind.value.clone(), &to.kind),
            None => editor.insert(tag.name.end, editor.style.attribute("type", &to.kind)),
        }
    }
    let present: Vec<&str> = elements(interface).map(|n| n.tag_name().name()).collect();
    let concerns = |rule: &&Rule| {
        let first = rule.part.split(['/', '@']).next().unwrap_or_default();
        first.is_empty() || present.contains(&first)
    };
    for rule in RULES.iter().filter(concerns) {
        apply(&mut editor, rule, column, &place);
    }
    let added = inherit::inherit(&mut editor, column, &place, facts, |editor| {
        port_profile(editor, column, &place, profile.as_ref(), old)
    });
    if let Some(trust) = added.trust {
        let at = tag.attr(doc.text(), "type").map_or(tag.name.end, |kind| kind.whole.end);
        editor.insert(at, editor.style.attribute("trustGuestRxFilters", &trust));
    }
    source(&mut editor, &tag, &to, added.elements);
    editor.cut();
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
    /// Elements that go.
    gone: Vec<Range<usize>>,
}

impl Editor<'_, '_> {
    /// Records a warning about this NIC, once.
    pub(super) fn warn(&mut self, warning: Warning) {
        let warning = Warning { message: format!("{}: {}", self.nic, warning.message), ..warning };
        if self.out.warnings.last() != Some(&warning) {
            self.out.warnings.push(warning);
        }
    }

    /// Records a warning about a network, whichever of its NICs comes first.
    pub(super) fn warn_once_for(&mut self, network: &str, warning: Warning) {
        if self.out.unknown_networks.insert(network.to_string()) {
            self.out.warnings.push(warning);
        }
    }

    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.out.edits.push(at..at, text);
    }

    pub(super) fn replace(&mut self, range: Range<usize>, text: &str) {
        self.out.edits.push(range, text);
    }

    pub(super) fn remove(&mut self, node: Node<'_, '_>) {
        self.gone.push(node.range());
    }

    fn remove_attribute(&mut self, node: Node<'_, '_>, name: &str) {
        let tag = StartTag::read(self.doc.text(), node.range().start);
        if let Some(attr) = tag.as_ref().and_then(|t| t.attr(self.doc.text(), name)) {
            self.replace(attr.whole.clone(), "");
        }
    }

    /// Cuts out what goes, neighbours on one line together, so that their line goes with them.
    fn cut(mut self) {
        let text = self.doc.text();
        let layout = Layout::new(text);
        self.gone.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut runs: Vec<Range<usize>> = Vec::new();
        for range in std::mem::take(&mut self.gone) {
            match runs.last_mut() {
                Some(run) if range.end <= run.end => {}
                Some(run) if text[run.end..range.start].bytes().all(|b| matches!(b, b' ' | b'\t')) => {
                    run.end = range.end;
                }
                _ => runs.push(range),
            }
        }
        for run in runs {
            self.replace(layout.removal(run), "");
        }
    }

    /// Puts elements on lines of their own into `holder`, behind `anchor` or first; inline in a text without lines.
    /// `holder` is the interface or one of its children, `tag` its start tag.
    pub(super) fn insert_lines(
        &mut self,
        holder: Node<'_, '_>,
        tag: &StartTag,
        anchor: Option<Node<'_, '_>>,
        elements: &[String],
    ) {
        if elements.is_empty() {
            return;
        }
        let text = self.doc.text();
        let layout = Layout::new(text);
        let indent = if holder == self.interface { self.style.indent.clone() } else { self.style.deeper() };
        if tag.is_empty {
            let start = text[..tag.end - 2].trim_end().len();
            let name = &text[tag.name.clone()];
            let own = layout.indentation(holder.range().start).filter(|_| indent.is_some());
            let closing = own.map(|own| format!("{}{own}", self.style.newline));
            let lines = self.style.lines(indent.as_deref().filter(|_| own.is_some()), elements);
            self.replace(start..tag.end, &format!(">{lines}{}</{name}>", closing.unwrap_or_default()));
            return;
        }
        let (start, end) = anchor.map_or((None, tag.end), |a| (Some(a.range().start), a.range().end));
        let own_line = start.is_none_or(|start| layout.indentation(start).is_some());
        match layout.line_end(end).filter(|_| own_line && indent.is_some()) {
            Some(at) => self.insert(at, self.style.lines(indent.as_deref(), elements)),
            None => self.insert(end, elements.concat()),
        }
    }
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
    for name in path.split('/').filter(|name| !name.is_empty()) {
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
