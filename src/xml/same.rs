//! Is what was stored what was asked?

use roxmltree::Node;

use super::doc::{Doc, elements};

/// Proves that `stored`, which libvirt made of `after`, differs from `before` only where that was announced: inside
/// the `<interface>` elements in which `before` and `after` differ. Everything outside them must be equal to the byte,
/// for libvirt formats deterministically; inside, order and blanks are libvirt's business, and it may add the
/// identifiers that it generates for a `<virtualport>` (reference §1.3).
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
    let (mut at_new, mut at_kept) = (0, 0);
    for (position, ((old, new), kept)) in old.iter().zip(&new).zip(&kept).enumerate() {
        let position = position + 1;
        if after.text()[at_new..new.range().start] != stored.text()[at_kept..kept.range().start] {
            return Err(format!("something before NIC {position} changed as well"));
        }
        let announced = before.text()[old.range()] != after.text()[new.range()];
        let identical = after.text()[new.range()] == stored.text()[kept.range()];
        if !(identical || announced && equal(*new, *kept)) {
            return Err(format!("NIC {position} is not as it was asked for"));
        }
        (at_new, at_kept) = (new.range().end, kept.range().end);
    }
    if after.text()[at_new..] != stored.text()[at_kept..] {
        return Err("something behind the last NIC changed as well".into());
    }
    Ok(())
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
            ("'user'/>", "'user'> </interface>"),
            ("</devices>", "</devices><x/>"),
            ("<source bridge='b'/>", ""),
            ("<source bridge='b'/>", "<source bridge='b'/><mtu size='1'/>"),
        ] {
            assert!(AFTER.contains(from));
            check(&AFTER.replace(from, to)).unwrap_err();
        }
        check("<domain/>").unwrap_err();
        check("nonsense").unwrap_err();
    }
}
