//! A NIC that somebody else serves, without memory to meet in.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::Domain;
use crate::xml::{child, children};

pub(super) static RULE: Rule = Rule {
    code: "KN049",
    name: "no-shared-memory",
    severity: Severity::Error,
    summary: "a NIC of type vhostuser, and the guest's memory isn't shared",
    why: "\
Behind a NIC of type vhostuser another process reads and writes the guest's memory. libvirt refuses the guest unless that \
memory is shared: <memoryBacking> with <access mode='shared'/> (and <source type='memfd'/>), or memAccess='shared' on every \
<cell> of its NUMA nodes.",
    fixable: false,
    bad: &[example!("KN049-no-shared-memory", "bad.xml")],
    good: &[example!("KN049-no-shared-memory", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let Some(nic) = domain.nics.iter().find(|nic| nic.is_qemu && nic.kind == "vhostuser") else { return };
    let mode = child(domain.root, "memoryBacking").and_then(|m| child(m, "access"));
    let is_shared = mode.and_then(|access| access.attribute("mode")) == Some("shared");
    let numa = child(domain.root, "cpu").and_then(|cpu| child(cpu, "numa"));
    let mut cells = numa.into_iter().flat_map(|numa| children(numa, "cell")).peekable();
    let is_enough = match cells.peek() {
        None => is_shared,
        Some(_) => cells.all(|cell| match cell.attribute("memAccess") {
            None => is_shared,
            Some(access) => access == "shared",
        }),
    };
    if !is_enough {
        report
            .at(nic.tag(), "a NIC of type vhostuser needs memory that is shared")
            .help("write <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking> in <domain>");
    }
}
