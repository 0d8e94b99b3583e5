//! Is it a domain?

use roxmltree::Node;

use crate::xml::{Doc, ReadError, child, children, namespace};

/// Name and UUID of the domain in `doc`.
///
/// # Errors
/// Another root element, libvirt's own wrappers around domains among them (they are named, and what to use instead),
/// a domain without a name, or one with parts that only libvirt's runtime state has.
pub fn guest_root(doc: &Doc<'_>) -> Result<(String, Option<String>), ReadError> {
    let root = doc.root();
    let fail = |node: Node<'_, '_>, reason: String| {
        let (line, column) = doc.position(node.range().start);
        Err(ReadError { line, column, reason, is_ours: false })
    };
    if let Some(namespace) = namespace(root) {
        return fail(
            root,
            format!("the root element is in the namespace '{namespace}'; libvirt's <domain> is in none"),
        );
    }
    let tag = root.tag_name().name();
    let reason = match tag {
        "domain" => None,
        "domstatus" => {
            Some("a status file of libvirt's own (runtime state); it isn't a definition and isn't edited")
        }
        "domainsnapshot" => Some("a snapshot, not a domain; 'virsh snapshot-edit' changes one"),
        "domaincheckpoint" => Some("a checkpoint, not a domain; it isn't used to bring a NIC back"),
        "node" => {
            Some("a host description for libvirt's test driver, not a domain; open it with -c test://PATH")
        }
        "network" => Some("a network, not a domain; pass it with --network-xml"),
        "interface" => Some("a single <interface>, not a whole <domain>"),
        "domainCapabilities" | "capabilities" => Some("capabilities of a host, not a domain"),
        _ => Some(""),
    };
    match reason {
        None => {}
        Some("") => return fail(root, format!("the root element is <{tag}>, not <domain>")),
        Some(reason) => return fail(root, format!("<{tag}>: this is {reason}")),
    }
    let interfaces = children(root, "devices").flat_map(|d| children(d, "interface"));
    if let Some(actual) = interfaces.filter_map(|i| child(i, "actual")).next() {
        return fail(
            actual,
            "<actual> stands only in libvirt's status files; this isn't a definition".into(),
        );
    }
    match text(root, "name") {
        Some(name) => Ok((name, text(root, "uuid"))),
        None => fail(root, "the domain has no <name>".into()),
    }
}

/// The text of a child element, comments left out.
fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text: String = child(node, name)?.children().filter(Node::is_text).filter_map(|n| n.text()).collect();
    Some(text.trim().to_string()).filter(|text| !text.is_empty())
}
