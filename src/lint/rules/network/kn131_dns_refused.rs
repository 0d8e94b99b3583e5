//! A DNS entry that libvirt refuses.

use roxmltree::Node;

use super::kn145_dnsmasq_options::NAMESPACE;
use super::number;
use super::places::of_dns;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, instead, tag, value};
use crate::xml::children;

pub(super) static RULE: Rule = Rule {
    code: "KN131",
    name: "dns-refused",
    severity: Severity::Error,
    summary: "a network has a DNS entry that libvirt refuses",
    why: "\
A <host> of DNS has an 'ip' and at least one <hostname>; a <forwarder> an 'addr', a 'domain', or both; a <txt> a \
'name', without blanks and commas, and a 'value'; a <srv> a 'service' and a 'protocol', without the underscores, and \
port, priority and weight only with a 'target'. With enable='no' there are no entries at all. What is said to dnsmasq \
itself stands in the 'value' of a <dnsmasq:option>.",
    fixable: true,
    bad: &[
        example!("KN131-dns-refused", "bad/option.xml"),
        example!("KN131-dns-refused", "bad/nameless.xml"),
        example!("KN131-dns-refused", "bad/address.xml"),
        example!("KN131-dns-refused", "bad/forwarder.xml"),
        example!("KN131-dns-refused", "bad/off.xml"),
        example!("KN131-dns-refused", "bad/txt.xml"),
        example!("KN131-dns-refused", "bad/txt-value.xml"),
        example!("KN131-dns-refused", "bad/srv.xml"),
        example!("KN131-dns-refused", "bad/srv-target.xml"),
        example!("KN131-dns-refused", "bad/srv-port.xml"),
    ],
    good: &[example!("KN131-dns-refused", "good.xml")],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let is_option = |node: &Node<'_, '_>| node.tag_name() == (NAMESPACE, "option").into();
    let options = network.root.children().filter(|node| node.tag_name() == (NAMESPACE, "options").into());
    for option in options.flat_map(|options| options.children()).filter(is_option) {
        if !option.has_attribute("value") {
            report.at(tag(network.doc, option), "the option says nothing").help("write value='…'");
        }
    }
    let Some(dns) = network.child("dns") else { return };
    let doc = network.doc;
    let entries = ["forwarder", "host", "srv", "txt"];
    let first = entries.iter().find_map(|name| of_dns(network, name).next());
    if let Some(first) = first.filter(|_| dns.attribute("enable") == Some("no")) {
        report
            .at(value(doc, dns, "enable"), "the network has no DNS server, and entries for it")
            .also(tag(doc, first), "an entry")
            .help("remove the entries, or enable='no'");
    }
    for host in of_dns(network, "host") {
        if !host.has_attribute("ip") {
            report.at(tag(doc, host), "the host has no address").help("write ip='…'");
        }
        let mut names = children(host, "hostname").peekable();
        if names.peek().is_none() {
            report.at(tag(doc, host), "the host has no name").help("write <hostname>…</hostname> inside it");
        }
        let is_empty = |name: &Node<'_, '_>| name.text().is_none_or(str::is_empty) && !name.has_children();
        if let Some(empty) = names.find(is_empty) {
            report
                .at(tag(doc, empty), "the name is empty")
                .help("write <hostname>…</hostname>, or remove it");
        }
    }
    for forwarder in of_dns(network, "forwarder") {
        if !forwarder.has_attribute("addr") && !forwarder.has_attribute("domain") {
            report
                .at(tag(doc, forwarder), "the forwarder names no server and no domain")
                .help("write addr='…', domain='…', or both");
        }
    }
    for txt in of_dns(network, "txt") {
        if let Some(missing) = ["name", "value"].iter().find(|name| !txt.has_attribute(**name)) {
            report
                .at(tag(doc, txt), format!("the record has no '{missing}'"))
                .help(format!("write {missing}='…'"));
        } else if txt.attribute("name").is_some_and(|name| name.contains([' ', ','])) {
            report
                .at(value(doc, txt, "name"), "a record's name has no blank and no comma")
                .help("write a record of its own for each name");
        }
    }
    of_dns(network, "srv").for_each(|srv| service(network, srv, report));
}

fn service(network: &Network<'_>, srv: Node<'_, '_>, report: &mut Report) {
    let doc = network.doc;
    if let Some(missing) = ["service", "protocol"].iter().find(|name| !srv.has_attribute(**name)) {
        report
            .at(tag(doc, srv), format!("the record has no '{missing}'"))
            .help(format!("write {missing}='…'"));
        return;
    }
    // `SERVICE_CHARS` and `PROTOCOL_CHARS`.
    for (name, more) in [("service", "_-+/*"), ("protocol", "-+/")] {
        let written = srv.attribute(name).unwrap_or_default();
        if written.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c)) {
            continue;
        }
        let span = value(doc, srv, name);
        let found = report.at(span.clone(), format!("'{}' is no {name}", written.escape_debug()));
        match written.strip_prefix('_').filter(|rest| matches!(*rest, "tcp" | "udp")) {
            Some(rest) => found.help("libvirt writes the underscore by itself").fix(instead(span, rest)),
            None => found.help(format!("it has letters, digits and {more} in it")),
        };
    }
    if srv.attribute("service").is_some_and(|service| service.len() > 512) {
        report
            .at(value(doc, srv, "service"), "the service's name is too long")
            .help("it has 512 bytes at most");
    }
    for (name, least) in [("port", 1), ("priority", 0), ("weight", 0)] {
        let Some(written) = srv.attribute(name).filter(|written| !written.is_empty()) else { continue };
        if number::read(written).is_none_or(|number| !(least..=65535).contains(&number)) {
            let what = format!("'{}' is no {name}", written.escape_debug());
            report.at(value(doc, srv, name), what).help(format!("it is a number from {least} to 65535"));
        } else if !srv.has_attribute("target") {
            report
                .at(value(doc, srv, name), format!("without a target, there is no {name}"))
                .help("write target='…'");
        }
    }
}
