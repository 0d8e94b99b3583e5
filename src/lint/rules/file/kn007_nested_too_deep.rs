//! Elements in one another, deeper than libvirt's parser goes.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{File, tag};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "KN007",
    name: "nested-too-deep",
    severity: Severity::Error,
    summary: "elements stand in one another deeper than libvirt's parser goes",
    why: "\
libxml2, which reads XML for libvirt, gives up below 256 elements in one another unless it is told otherwise, and libvirt \
doesn't tell it so. Nothing of libvirt's nests deeper than a dozen; what does stands in <metadata>, mostly.",
    fixable: false,
    bad: &[example!("KN007-nested-too-deep", "bad.xml")],
    good: &[example!("KN007-nested-too-deep", "good.xml")],
    check: Check::File(check),
};

/// The most elements in one another that any release of libxml2 takes: `xmlParserMaxDepth`, and one more.
const DEEPEST: usize = 257;

fn check(file: &File<'_>, report: &mut Report) {
    // Each has two tags, but for the innermost.
    if memchr::memchr_iter(b'<', file.doc.text().as_bytes()).count() <= 2 * DEEPEST {
        return;
    }
    let (mut node, mut depth) = (file.root, 1);
    // Down to the first child, else on to the next element: nothing is gone through twice.
    loop {
        if depth > DEEPEST {
            report
                .at(
                    tag(file.doc, node),
                    format!("more than {DEEPEST} elements in one another: libvirt can't read it"),
                )
                .help("keep what belongs to other programs in files of its own");
            return;
        }
        if let Some(child) = node.first_element_child() {
            (node, depth) = (child, depth + 1);
            continue;
        }
        loop {
            if node == file.root {
                return;
            }
            if let Some(next) = node.next_sibling_element() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            (node, depth) = (parent, depth - 1);
        }
    }
}
