//! A NIC that says its type and not where it leads.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Nic, instead, tag, value};
use crate::xml::{StartTag, child};

pub(super) static RULE: Rule = Rule {
    code: "KN015",
    name: "source-missing",
    severity: Severity::Error,
    summary: "a NIC doesn't say where it leads",
    why: "\
Most types of NIC need a <source> with the attribute that belongs to the type: network='…' for type network, bridge='…' for \
type bridge, dev='…' for direct and vdpa, an address and a port for sockets. libvirt refuses the guest without it. Often \
it is a change that was left halfway: the type was changed and the source wasn't.",
    fixable: true,
    bad: &[example!("KN015-source-missing", "bad.xml")],
    good: &[example!("KN015-source-missing", "good.xml")],
    check: Check::Nic(check),
};

/// What a NIC of the type must say in `<source>` (`virDomainNetDefParseXML`).
fn needs(nic: &Nic<'_>) -> &'static [&'static str] {
    match nic.kind {
        "network" => &["network"],
        "bridge" => &["bridge"],
        "direct" | "vdpa" => &["dev"],
        "internal" => &["name"],
        "server" => &["port"],
        "client" | "mcast" | "udp" => &["address", "port"],
        "vhostuser" if nic.is_qemu && !nic.has_passt() => &["path"],
        "vds" => &["switchid"],
        _ => &[],
    }
}

fn check(nic: &Nic<'_>, report: &mut Report) {
    if nic.kind == "hostdev" {
        return host_device(nic, report);
    }
    let needs = needs(nic);
    let source = nic.child("source");
    // An empty name is taken at definition; there is no device or network of that name at start; an
    // empty address is any of the host's.
    let is_there = |attribute: &&str| {
        let given = source.and_then(|source| source.attribute(*attribute));
        given.is_some_and(|given| !given.is_empty() || *attribute == "address")
    };
    let Some(missing) = needs.iter().find(|attribute| !is_there(attribute)) else {
        if nic.kind == "udp" {
            local(nic, source, report);
        }
        return;
    };
    let wanted = format!("<source {missing}='…'/>");
    let what = format!("a NIC of type {} needs {wanted}", nic.kind);
    let Some(source) = source else {
        report.at(nic.tag(), what).label("no <source>").help(format!("write {wanted}"));
        return;
    };
    if source.has_attribute(*missing) {
        report.at(value(nic.doc, source, missing), what).label("empty").help("write its name");
        return;
    }
    let mut given = source.attributes().filter(|a| a.namespace().is_none());
    let (first, second) = (given.next(), given.next());
    let near = first.filter(|a| second.is_none() && strsim::osa_distance(a.name(), missing) <= 2);
    let found = report.at(tag(nic.doc, source), what);
    if let Some(near) = near {
        found.label(format!("'{}' isn't '{missing}'", near.name())).help(format!("did you mean {missing}?"));
        let written = StartTag::read(nic.doc.text(), source.range().start);
        if let Some(written) = written.as_ref().and_then(|tag| tag.attr(nic.doc.text(), near.name())) {
            found.fix(instead(written.name.clone(), missing));
        }
        return;
    }
    // The type that what stands there belongs to.
    let others = [("network", "network"), ("bridge", "bridge"), ("dev", "direct")];
    let other = others.iter().find(|(attribute, _)| source.attribute(*attribute).is_some_and(|v| !v.is_empty()));
    match other {
        Some((attribute, kind)) => found
            .label(format!("{attribute}='…' is for type {kind}"))
            .help(format!("write {wanted}; or type='{kind}', if that is what is meant")),
        None => found.help(format!("write {wanted}")),
    };
}

/// A tunnel over UDP has two ends.
fn local(nic: &Nic<'_>, source: Option<Node<'_, '_>>, report: &mut Report) {
    let Some(source) = source else { return };
    let local = child(source, "local");
    if local.is_none_or(|l| !l.has_attribute("address") || !l.has_attribute("port")) {
        report
            .at(tag(nic.doc, local.unwrap_or(source)), "a NIC of type udp needs the address and port of its own end")
            .help("write <local address='…' port='…'/> inside <source>");
    }
}

/// What is passed through is named by its place on the bus; a name isn't enough.
fn host_device(nic: &Nic<'_>, report: &mut Report) {
    let source = nic.child("source");
    let is_named = source.is_some_and(|source| {
        let address = child(source, "address").and_then(|a| a.attribute("type"));
        address.is_some_and(|kind| !kind.is_empty()) || child(source, "vendor").is_some()
    });
    if is_named {
        return;
    }
    let span = source.map_or(nic.tag(), |source| tag(nic.doc, source));
    let found = report.at(span, "a NIC of type hostdev needs the PCI address of what is passed through");
    if source.is_some_and(|source| source.has_attribute("dev")) {
        found.label("libvirt doesn't look for it by name");
    }
    found.help("write <address type='pci' domain='…' bus='…' slot='…' function='…'/> inside <source>");
}
