//! A namespace prefix that nobody declares.

use crate::lint::rule::{Check, Rule, Severity, example};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN006",
    name: "prefix-undeclared",
    severity: Severity::Warning,
    summary: "a namespace prefix isn't declared, and libvirt drops what has it",
    why: "\
libvirt's parser reads a text in which a prefix such as dnsmasq: or qemu: is declared nowhere, and what has the prefix means \
nothing to it: it is dropped without a word, also options that a network or guest needs. Most other programs refuse the text. \
Declare the prefix in the root element, as in <network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>. \
Before that, kvmnet mends nothing in the file.",
    fixable: false,
    bad: &[example!("KN006-prefix-undeclared", "bad.xml")],
    good: &[example!("KN006-prefix-undeclared", "good.xml")],
    check: Check::Reading,
};
