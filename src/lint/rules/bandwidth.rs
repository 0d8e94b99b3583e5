//! An `<inbound>` or `<outbound>`, of a NIC or of a network.

use roxmltree::Node;

use crate::lint::report::Report;
use crate::lint::view::{tag, value, without_attribute};
use crate::xml::Doc;

/// What libvirt's reader asks of any rate (`virNetDevBandwidthParseRate`). `no_floor` says why it can have no floor, if it
/// can't.
pub(super) fn check(doc: &Doc<'_>, rate: Node<'_, '_>, no_floor: Option<String>, report: &mut Report) {
    let has = |attribute: &str| rate.has_attribute(attribute);
    let name = rate.tag_name().name();
    if !has("average") && !has("floor") {
        report
            .at(tag(doc, rate), format!("<{name}> needs an average"))
            .help("write average='…', in kilobytes per second");
        return;
    }
    let extra = ["peak", "burst"].into_iter().find(|extra| has(extra) && !has("average"));
    if let Some(extra) = extra {
        report
            .at(value(doc, rate, extra), format!("'{extra}' needs an average"))
            .help("write average='…', in kilobytes per second");
    }
    if let Some(what) = no_floor.filter(|_| has("floor")) {
        let found = report.at(value(doc, rate, "floor"), what);
        found.help("only <inbound> of a NIC of type network can have one");
        if has("average") {
            found.fix(without_attribute(doc, rate, "floor"));
        }
    }
}
