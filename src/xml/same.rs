//! Is what was stored what was asked?

use std::collections::{HashMap, HashSet};

use roxmltree::{Node, NodeId};

use super::doc::{Doc, elements};

/// Proves that `stored`, which libvirt made of `after`, differs from `before` only where that was announced: inside
/// the `<interface>` elements in which `before` and `after` differ. Outside them every element, attribute and text must
/// be the same, in the same order; only the blanks between elements may differ, which libvirt lays out anew now and
/// then (inside `<metadata>`). In an announced interface the order of its parts is libvirt's business too, and it may
/// add the identifiers that it generates for a `<virtualport>` (reference §1.3).
///
/// # Errors
/// Says what differs, without quoting values: they may be secret.
pub fn only_where_announced(before: &str, after: &str, stored: &str) -> Result<(), String> {
    if stored == after {
        return Ok(());
    }
    let parse = |text, what: &str| Doc::parse(text).map_err(|e| format!("{what} is not readable: {e}"));
    let (before, after, stored) = (
        parse(before, "the old definition")?,
        parse(after, "the new one")?,
        parse(stored, "the stored one")?,
    );
    let (old, new, kept) = (interfaces(&before), interfaces(&after), interfaces(&stored));
    if old.len() != new.len() || new.len() != kept.len() {
        return Err(format!("it has {} NICs where {} were asked for", kept.len(), new.len()));
    }
    let differs =
        |(old, new): &(&Node<'_, '_>, &Node<'_, '_>)| before.text()[old.range()] != after.text()[new.range()];
    let announced: HashSet<NodeId> = old.iter().zip(&new).filter(differs).map(|(_, new)| new.id()).collect();
    // A stack of its own: how deep the elements nest is not ours to say.
    let mut pairs = vec![(after.root(), stored.root())];
    while let Some((asked, stored)) = pairs.pop() {
        if announced.contains(&asked.id()) {
            if !equal(asked, stored) {
                let position = new.iter().position(|n| *n == asked).unwrap_or_default() + 1;
                return Err(format!("NIC {position} is not as it was asked for"));
            }
            continue;
        }
        let name = asked.tag_name().name();
        if asked.is_text() && asked.text() != stored.text() {
            return Err(format!("the text in <{}> changed as well", path(asked)));
        }
        let attributes = |n: Node<'_, '_>| {
            n.attributes().map(|a| (a.name().to_string(), a.value().to_string())).collect::<Vec<_>>()
        };
        if asked.node_type() != stored.node_type() || asked.tag_name() != stored.tag_name() {
            return Err(format!("something else stands where <{}> was", path(asked)));
        }
        if attributes(asked) != attributes(stored) {
            return Err(format!("the attributes of <{}> changed as well", path(asked)));
        }
        let (wanted, found) = (meaningful(asked), meaningful(stored));
        if wanted.len() != found.len() {
            return Err(format!("the content of <{name}> changed as well"));
        }
        pairs.extend(wanted.into_iter().zip(found).rev());
    }
    Ok(())
}

/// What libvirt adds to a network's definition when it stores one: elements, and attributes of an element.
const ADDED_TO_NETWORKS: &[(&str, &[&str])] = &[
    ("network", &["uuid", "mac", "bridge", "connections"]),
    ("bridge", &["name", "stp", "delay"]),
    ("forward", &["dev", "mode", "nat", "interface"]),
    ("nat", &["port"]),
    ("interface", &["dev", "connections"]),
    ("domain", &["localOnly"]),
    ("ip", &["family"]),
    ("route", &["family"]),
];

/// Proves that all that `asked`, a network's definition, says is in `stored`, which libvirt made of it (the definition that it
/// keeps, or what it shows of the running network), and nothing else but what libvirt adds.
///
/// # Errors
/// Says what is missing, or too much.
pub fn kept(asked: &str, stored: &str) -> Result<(), String> {
    let parse = |text, what: &str| Doc::parse(text).map_err(|e| format!("{what} is not readable: {e}"));
    let (asked, stored) = (parse(asked, "the definition")?, parse(stored, "the stored one")?);
    let mut pairs = vec![(asked.root(), stored.root())];
    while let Some((asked, stored)) = pairs.pop() {
        let name = asked.tag_name().name();
        let added =
            ADDED_TO_NETWORKS.iter().find(|(of, _)| *of == name).map_or(&[] as &[&str], |(_, added)| added);
        if asked.tag_name() != stored.tag_name() {
            return Err(format!("<{}> stands where <{}> should", path(stored), path(asked)));
        }
        let text = |n: Node<'_, '_>| n.text().map_or("", str::trim).to_string();
        if text(asked) != text(stored) {
            return Err(format!("the text in <{}> is another one", path(asked)));
        }
        if let Some(a) = asked.attributes().find(|a| stored.attribute(a.name()) != Some(a.value())) {
            return Err(format!("{} of <{}> isn't what was asked for", a.name(), path(asked)));
        }
        let more =
            stored.attributes().find(|a| asked.attribute(a.name()).is_none() && !added.contains(&a.name()));
        if let Some(more) = more {
            return Err(format!("<{}> has a '{}' that nobody asked for", path(asked), more.name()));
        }
        let mut left: Vec<_> = elements(stored).collect();
        for wanted in elements(asked) {
            // Of several of one name, libvirt keeps the order.
            match left.iter().position(|have| have.tag_name() == wanted.tag_name()) {
                Some(at) => pairs.push((wanted, left.remove(at))),
                None => return Err(format!("<{}> is missing", path(wanted))),
            }
        }
        if let Some(more) = left.iter().find(|n| !added.contains(&n.tag_name().name())) {
            return Err(format!("there is a <{}> that nobody asked for", path(*more)));
        }
    }
    Ok(())
}

/// Does `stored` come of `after`, which replaced `before`, though it isn't what was asked for? It does if most of what
/// `after` says and `before` doesn't is in there, or nothing is that `after` doesn't say. What somebody wrote who had
/// read `before` isn't, and is theirs.
pub fn made_of(before: &str, after: &str, stored: &str) -> bool {
    let (Some(before), Some(after), Some(stored)) = (facts(before), facts(after), facts(stored)) else {
        return false;
    };
    let count = |facts: &Facts, fact: &str| facts.get(fact).copied().unwrap_or_default();
    let added: Vec<_> = after.iter().filter(|(fact, n)| **n > count(&before, fact)).collect();
    let there = added.iter().filter(|(fact, _)| count(&stored, fact) > count(&before, fact)).count();
    2 * there > added.len() || stored.iter().all(|(fact, n)| *n <= count(&after, fact))
}

/// What a text says: how often each attribute, text and element stands where.
type Facts = HashMap<String, usize>;

fn facts(text: &str) -> Option<Facts> {
    let doc = Doc::parse(text).ok()?;
    let mut facts = Facts::new();
    for node in doc.root().descendants().filter(Node::is_element) {
        let at = path(node);
        let text = node.text().map_or("", str::trim);
        *facts.entry(format!("{at} {text}")).or_default() += 1;
        for attribute in node.attributes() {
            *facts.entry(format!("{at} {}={}", attribute.name(), attribute.value())).or_default() += 1;
        }
    }
    Some(facts)
}

/// The NICs of a domain without what libvirt writes into each by itself (MAC address, PCI address, alias, the host's
/// device): equal for guests whose NICs differ in nothing else. `None` if the text isn't XML.
pub fn nic_shape(text: &str) -> Option<String> {
    let doc = Doc::parse(text).ok()?;
    let mut shape = String::new();
    for interface in interfaces(&doc) {
        let mut at = interface.range().start;
        for own in elements(interface)
            .filter(|n| ["mac", "address", "alias", "target"].contains(&n.tag_name().name()))
        {
            shape.push_str(&text[at..own.range().start]);
            at = own.range().end;
        }
        shape.push_str(&text[at..interface.range().end]);
    }
    Some(shape)
}

/// The children that say something: no comments, and no blanks between elements.
fn meaningful<'a, 't>(node: Node<'a, 't>) -> Vec<Node<'a, 't>> {
    let has_elements = node.children().any(|n| n.is_element());
    let blank = |n: &Node<'_, '_>| n.text().is_some_and(|t| t.trim().is_empty());
    node.children().filter(|n| n.is_element() || n.is_text() && !(has_elements && blank(n))).collect()
}

/// Where an element stands: `domain/devices/disk`.
fn path(node: Node<'_, '_>) -> String {
    let mut names: Vec<&str> =
        node.ancestors().filter(Node::is_element).map(|n| n.tag_name().name()).collect();
    names.reverse();
    names.join("/")
}

fn interfaces<'a, 't>(doc: &'a Doc<'t>) -> Vec<Node<'a, 't>> {
    super::children(doc.root(), "devices").flat_map(|d| super::children(d, "interface")).collect()
}

/// Same name, same attributes in any order, same text, equal children in any order.
fn equal(asked: Node<'_, '_>, stored: Node<'_, '_>) -> bool {
    let generated =
        |name: &str| asked.tag_name().name() == "parameters" && matches!(name, "interfaceid" | "instanceid");
    let attributes = asked.attributes().all(|a| stored.attribute(a.name()) == Some(a.value()))
        && stored.attributes().all(|a| asked.attribute(a.name()).is_some() || generated(a.name()));
    // <virtualport> without parameters gets some from libvirt.
    let may_grow =
        |n: &Node<'_, '_>| asked.tag_name().name() == "virtualport" && n.tag_name().name() == "parameters";
    let mut left: Vec<_> = elements(stored).collect();
    let children = elements(asked).all(|wanted| {
        let found = left.iter().position(|have| equal(wanted, *have));
        found.map(|at| left.swap_remove(at)).is_some()
    });
    let text = |n: Node<'_, '_>| n.text().map_or("", str::trim).to_string();
    asked.tag_name() == stored.tag_name()
        && attributes
        && children
        && left.iter().all(|n| may_grow(n) && elements(asked).next().is_none())
        && text(asked) == text(stored)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BEFORE: &str = "<domain><name>a</name><devices><interface type='network'><source network='n'/></interface>\
                          <interface type='user'/></devices></domain>";
    const AFTER: &str = "<domain><name>a</name><devices><interface type='bridge'><source bridge='b'/><virtualport \
                         type='openvswitch'/></interface><interface type='user'/></devices></domain>";

    #[test]
    fn shapes() {
        let nic = |mac: &str, rest: &str| {
            format!("<domain><devices><interface><mac address='{mac}'/>{rest}</interface></devices></domain>")
        };
        assert_eq!(nic_shape(&nic("1", "<mtu size='9'/>")), nic_shape(&nic("2", "<mtu size='9'/>")));
        assert_ne!(nic_shape(&nic("1", "<mtu size='9'/>")), nic_shape(&nic("1", "<mtu size='x'/>")));
        assert_eq!(nic_shape("<"), None);
    }

    #[test]
    fn whose_it_is() {
        let is_ours = |stored: &str| made_of(BEFORE, AFTER, stored);
        assert!(is_ours(AFTER) && is_ours(&AFTER.replace("<name>a", "<title>x</title><name>a")));
        for lost in ["<interface type='user'/>", "<name>a</name>", "<virtualport type='openvswitch'/>"] {
            assert!(AFTER.contains(lost) && is_ours(&AFTER.replace(lost, "")), "{lost}");
        }
        assert!(!is_ours(BEFORE) && !is_ours(&BEFORE.replace("<name>a", "<title>x</title><name>a")));
        assert!(!is_ours(
            &BEFORE.replace("type='network'><source network='n'", "type='bridge'><source bridge='c'")
        ));
        assert!(!is_ours("nonsense"));
    }

    #[test]
    fn what_libvirt_may_do_to_a_network() {
        let asked =
            "<network><name>n</name><forward mode='nat'/><ip address='10.0.0.1' prefix='24'/></network>";
        let stored = "<network><name>n</name><uuid>1</uuid><forward mode='nat'><nat><port start='1' end='2'/></nat>\
                      </forward><bridge name='virbr1' stp='on' delay='0'/><mac address='x'/>\
                      <ip address='10.0.0.1' prefix='24'>\n</ip></network>";
        assert_eq!(kept(asked, stored), Ok(()));
        for (from, to) in [
            ("<name>n", "<name>m"),
            ("prefix='24'", "prefix='25'"),
            ("mode='nat'", "mode='route'"),
            ("</network>", "<mtu size='9000'/></network>"),
            ("<ip address='10.0.0.1' prefix='24'>\n</ip>", ""),
            ("address='10.0.0.1'", "address='10.0.0.1' localPtr='yes'"),
        ] {
            assert!(stored.contains(from));
            kept(asked, &stored.replace(from, to)).unwrap_err();
        }
    }

    #[test]
    fn what_libvirt_may_do_to_an_announced_nic() {
        let check = |stored: &str| only_where_announced(BEFORE, AFTER, stored);
        assert_eq!(check(AFTER), Ok(()));
        let ids = AFTER.replace(
            "<source bridge='b'/><virtualport type='openvswitch'/>",
            "\n<virtualport type='openvswitch'><parameters interfaceid='1-2'/></virtualport><source bridge='b'/>",
        );
        assert_eq!(check(&ids), Ok(()));
        for (from, to) in [
            ("<name>a", "<name>b"),
            ("bridge='b'", "bridge='c'"),
            ("'user'/>", "'user'>text</interface>"),
            ("'user'/>", "'user' x='y'/>"),
            ("</devices>", "</devices><x/>"),
            ("<source bridge='b'/>", ""),
            ("<source bridge='b'/>", "<source bridge='b'/><mtu size='1'/>"),
        ] {
            assert!(AFTER.contains(from));
            check(&AFTER.replace(from, to)).unwrap_err();
        }
        assert_eq!(
            check(&AFTER.replace("<name>", "\n <name>")),
            Ok(()),
            "blanks between elements are layout"
        );
        check(&AFTER.replace("<name>a", "<name>a ")).unwrap_err();
        check("<domain/>").unwrap_err();
        check("nonsense").unwrap_err();
    }
}
