//! A bridge's name that no device of the host can have.

use super::device;
use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Network, value};

pub(super) static RULE: Rule = Rule {
    code: "KN102",
    name: "bridge-name",
    severity: Severity::Error,
    summary: "a network's bridge has a name that the kernel takes for none",
    why: "\
The name of a network device has 1 to 15 bytes, no blank, no '/' and no ':', and isn't '.' or '..'; 'all' and \
'default' are taken by the kernel itself, and 'lo' is there on every host. libvirt defines a network with any other name too, but can't make such a \
bridge; in mode bridge it even starts the network, and no guest on it. A pattern for a bridge that libvirt makes has \
one %d in it, and nothing else with %.",
    fixable: false,
    bad: &[
        example!("KN102-bridge-name", "bad/long.xml"),
        example!("KN102-bridge-name", "bad/colon.xml"),
        example!("KN102-bridge-name", "bad/pattern.xml"),
        example!("KN102-bridge-name", "bad/default.xml"),
        example!("KN102-bridge-name", "bad/lo.xml"),
        example!("KN102-bridge-name", "bad/of-the-host.xml"),
    ],
    good: &[
        example!("KN102-bridge-name", "good/long.xml"),
        example!("KN102-bridge-name", "good/of-the-host.xml"),
    ],
    check: Check::Network(check),
};

fn check(network: &Network<'_>, report: &mut Report) {
    let (Some(node), Some(name)) = (network.child("bridge"), network.attr("bridge", "name")) else { return };
    let span = || value(network.doc, node, "name");
    // With the shortest number that libvirt may write there.
    let name = match name.split_once('%') {
        None => name.to_string(),
        Some((before, after)) if network.is_virtual() && after.starts_with('d') && !after.contains('%') => {
            [before, "0", &after[1..]].concat()
        }
        // Of the other modes it is known whose bridge it is: one of the host's.
        Some(_) if network.mode.is_none() => return,
        Some(_) => {
            let what = format!("'{}' is no name of a bridge, and no pattern for one", name.escape_debug());
            let help = match network.is_virtual() {
                true => "one %d stands for a number, as in virbr%d",
                false => "name a bridge of the host",
            };
            report.at(span(), what).help(help);
            return;
        }
    };
    if name == "lo" && network.is_virtual() {
        report
            .at(span(), "libvirt can't make its bridge: 'lo' is every host's loopback device")
            .label("starting the network sets it down")
            .help("leave the name out, and libvirt takes a free one");
    } else {
        device::check(&name, span, report);
    }
}
