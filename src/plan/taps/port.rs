//! A tap as a port of its bridge, set as libvirt sets it.

use anyhow::{Context, Result, anyhow, bail};
use roxmltree::Node;

use crate::sys::kernel::{self, Kernel};
use crate::xml::{child, children};

/// Makes the tap a port of the bridge as libvirt does, with the isolation and the VLANs that the running `interface` has.
pub(in crate::plan) fn plug(kernel: &Kernel, interface: Node<'_, '_>, tap: &str, bridge: &str) -> Result<()> {
    let what = || format!("its tap {tap} is not on bridge '{bridge}' and can't be put there");
    kernel::plug(tap, bridge).with_context(what)?;
    let isolated = child(interface, "port").is_some_and(|p| p.attribute("isolated") == Some("yes"));
    let vlans = vlans(interface);
    let isolate = || if isolated { kernel.isolate(tap) } else { Ok(()) };
    let tag = || if vlans.is_empty() { Ok(()) } else { kernel::tag(tap, &vlans) };
    if let Err(e) = isolate().and_then(|()| tag()) {
        // On the bridge without them it would reach whom it must not.
        let out = kernel::unplug(tap).err().map(|e| format!(", nor taken off it again ({e})"));
        let what = format!("its tap {tap} can't be isolated or put into its VLAN on bridge '{bridge}'");
        return Err(anyhow!(e).context(what + &out.unwrap_or_default()));
    }
    match kernel.device(tap).and_then(|device| device.master) {
        Some(found) if found == bridge => Ok(()),
        found => {
            bail!("its tap {tap} is on {}, not on bridge '{bridge}'", found.as_deref().unwrap_or("no bridge"))
        }
    }
}

/// The VLANs of a running NIC's port on a Linux bridge, as libvirt (since 11.0) sets them: one without `trunk` is the
/// port's own; of a trunk the native one is.
fn vlans<'a>(interface: Node<'a, '_>) -> Vec<(&'a str, &'static [&'static str])> {
    let Some(vlan) = child(interface, "vlan") else { return Vec::new() };
    let tags: Vec<_> = children(vlan, "tag").filter_map(|tag| Some((tag, tag.attribute("id")?))).collect();
    let is_trunk = vlan.attribute("trunk") == Some("yes") || tags.len() > 1;
    let how = |tag: Node<'_, '_>| -> &'static [&'static str] {
        match tag.attribute("nativeMode") {
            _ if !is_trunk => &["pvid", "untagged"],
            Some("tagged") => &["pvid"],
            Some(_) => &["pvid", "untagged"],
            None => &[],
        }
    };
    tags.into_iter().map(|(tag, id)| (id, how(tag))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    #[test]
    fn the_vlans_of_a_port() {
        let of = |vlan: &str| {
            let xml = format!("<interface>{vlan}</interface>");
            let doc = Doc::parse(&xml).unwrap();
            let vlans = vlans(doc.root());
            vlans.iter().map(|(id, how)| format!("{id} {}", how.join(" "))).collect::<Vec<_>>()
        };
        assert!(of("").is_empty());
        assert_eq!(of("<vlan><tag id='42'/></vlan>"), ["42 pvid untagged"]);
        assert_eq!(
            of("<vlan trunk='yes'><tag id='1' nativeMode='untagged'/><tag id='2'/></vlan>"),
            ["1 pvid untagged", "2 "]
        );
        assert_eq!(of("<vlan><tag id='3' nativeMode='tagged'/><tag id='4'/></vlan>"), ["3 pvid", "4 "]);
        assert_eq!(of("<vlan trunk='yes'><tag id='5'/></vlan>"), ["5 "]);
    }
}
