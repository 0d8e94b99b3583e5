//! A status file of libvirt's own.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{File, tag};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN005",
    name: "status-file",
    severity: Severity::Error,
    summary: "libvirt's own record of what runs, which nothing can be defined from",
    why: "\
<domstatus> and <networkstatus> are libvirt's notes in /run/libvirt about guests and networks that run: process numbers, \
sockets, devices of that one run. libvirt defines nothing from them. The definition is what 'virsh dumpxml --inactive' and \
'virsh net-dumpxml --inactive' print.",
    fixable: false,
    bad: &[example!("KN005-status-file", "bad.xml")],
    good: &[example!("KN005-status-file", "good.xml")],
    check: Check::File(check),
};

fn check(file: &File<'_>, report: &mut Report) {
    let verb = match file.root.tag_name().name() {
        "domstatus" => "dumpxml",
        "networkstatus" => "net-dumpxml",
        _ => return,
    };
    let what = "this is libvirt's own record of what runs, not a definition";
    report
        .at(tag(file.doc, file.root), what)
        .help(format!("keep what 'virsh {verb} --inactive NAME' prints"));
}
