//! A NIC of a running guest: read, moved to another bridge, and moved back if that fails.
//!
//! libvirt (11.3, `qemuDomainChangeNet`) compares everything in the fragment with the device, so the fragment is the
//! running `<interface>` itself with only type and source changed. It takes the tap off the old bridge before it puts it
//! on the new one, and doesn't put it back when that fails; and where it believes the bridge to be the same, it does
//! nothing and calls that success. So the tap itself is looked at, wherever the guest runs on this machine, and plugged
//! where it belongs (reference §4.5–4.7).

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use roxmltree::Node;

use super::taps;
use crate::model::{MacAddr, Network, Nic};
use crate::sys::clock;
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{Kernel, Kind};
use crate::sys::tap::Ears;
use crate::xml::{Doc, Layout, StartTag, child, children};

/// How long the link stays down, so that the guest notices (0.6 s is enough for Linux guests).
const LINK_DOWN: Duration = Duration::from_millis(800);

/// The `<interface>` with that MAC address in the running guest's XML; `None` if the guest or the NIC isn't there.
pub(super) fn read(host: &dyn Hypervisor, uuid: &str, mac: &str) -> Result<Option<String>> {
    let is_active = host.guests()?.iter().any(|g| g.uuid == uuid && g.is_active);
    if !is_active {
        return Ok(None);
    }
    let xml = host.running(uuid)?;
    let doc = Doc::parse(&xml).context("libvirt's XML of the running guest can't be read")?;
    Ok(find(&doc, mac).map(|node| doc.text()[node.range()].to_string()))
}

fn find<'a, 't>(doc: &'a Doc<'t>, mac: &str) -> Option<Node<'a, 't>> {
    let mac: MacAddr = mac.parse().ok()?;
    let mut interfaces = children(doc.root(), "devices").flat_map(|d| children(d, "interface"));
    interfaces.find(|node| Nic::read(*node, 0).has_mac(mac))
}

/// Changes the NIC to what `interface` says. If that fails, the NIC is where it was when this returns, as far as that
/// is in anybody's hands.
pub(super) fn put(
    host: &dyn Hypervisor,
    (uuid, mac): (&str, &str),
    interface: &str,
    bounce: bool,
    ears: Option<&Ears>,
) -> Result<()> {
    let before = read(host, uuid, mac)?
        .ok_or_else(|| anyhow!("the guest doesn't run, or has no such NIC any more"))?;
    let (unharmed, before) = (before.clone(), running_fragment(&before)?);
    let interface = running_fragment(interface)?;
    let moved =
        host.update_running(uuid, &interface).context("libvirt refuses to move the running guest's NIC");
    let plugged = moved.and_then(|()| plug(host, uuid, mac));
    if let Err(e) = plugged {
        // libvirt may have left the tap on no bridge, with the definition of old: then it is plugged in again. Only
        // where the definition changed too has libvirt anything to take back.
        let is_as_before = read(host, uuid, mac).is_ok_and(|now| now.as_ref() == Some(&unharmed));
        if is_as_before && plug(host, uuid, mac).is_ok() {
            return Err(match Reach::of_uri(host.uri()) {
                Reach::System => e,
                _ => e.context("whether its tap is still plugged in can't be seen from here"),
            });
        }
        let back =
            host.update_running(uuid, &before).map_err(|e| e.context("libvirt refuses to move it back"));
        return match back.and_then(|()| plug(host, uuid, mac)) {
            Ok(()) => Err(e),
            Err(fault) => Err(e.context(format!("the guest may be cut off ({fault:#})"))),
        };
    }
    let moved = || {
        if let (Some(ears), Ok(mac)) = (ears, mac.parse::<MacAddr>()) {
            ears.moved(uuid, mac.octets());
        }
    };
    moved();
    // What the guest says before its link has gone down is of the old network too.
    if bounce { bounce_link(host, (uuid, mac), moved) } else { Ok(()) }
}

/// Looks whether the tap is on the bridge that the running XML says, and plugs it in where it isn't.
fn plug(host: &dyn Hypervisor, uuid: &str, mac: &str) -> Result<()> {
    if Reach::of_uri(host.uri()) != Reach::System {
        return Ok(());
    }
    let xml = read(host, uuid, mac)?.ok_or_else(|| anyhow!("the guest has ended"))?;
    let doc = Doc::parse(&xml)?;
    let nic = Nic::read(doc.root(), 0);
    let source = child(doc.root(), "source");
    let bridge = match source.and_then(|s| s.attribute("bridge")) {
        Some(bridge) => Some(bridge.to_string()),
        None => bridge_of_network(host, &nic.source.name)?,
    };
    let (Some(bridge), Some(tap)) = (bridge, &nic.target) else { return Ok(()) };
    let kernel = Kernel::default();
    // A port of Open vSwitch has the switch's own device as its master.
    if kernel.device(&bridge).is_none_or(|b| b.kind != Kind::Bridge)
        || kernel.device(tap).and_then(|device| device.master).as_ref() == Some(&bridge)
    {
        return Ok(());
    }
    taps::plug(&kernel, doc.root(), tap, &bridge)
}

fn bridge_of_network(host: &dyn Hypervisor, name: &str) -> Result<Option<String>> {
    let state = host.networks()?.into_iter().find(|n| n.name == name);
    let Some(state) = state else { return Ok(None) };
    Ok(Network::read(&Doc::parse(&state.xml)?).ok().and_then(|n| n.bridge))
}

/// Takes the guest's link down and up again, as if its cable had been pulled: only then does it ask for an address on its
/// new network. A link that is down stays down. `while_down` is called just before it goes up.
fn bounce_link(host: &dyn Hypervisor, (uuid, mac): (&str, &str), while_down: impl Fn()) -> Result<()> {
    let Some(now) = read(host, uuid, mac)? else { return Ok(()) };
    let fragment = running_fragment(&now)?;
    let doc = Doc::parse(&now)?;
    if child(doc.root(), "link").is_some_and(|l| l.attribute("state") == Some("down")) {
        return Ok(());
    }
    let Some(down) = with_link(&fragment, "down") else { return Ok(()) };
    // The NIC has moved; that its link can't be bounced is no reason to move it back.
    if host.update_running(uuid, &down).is_ok() {
        clock::sleep(LINK_DOWN);
        while_down();
        let up = || with_link(&fragment, "up").map_or(Ok(()), |up| host.update_running(uuid, &up));
        up().or_else(|_| up()).context(
            "the guest's link was taken down and can't be brought up again; the guest has it up after a full shutdown and start",
        )?;
    }
    Ok(())
}

/// The running `<interface>` in words that don't change what it is when they are put back.
///
/// libvirt shows a NIC on a
/// network of mode bridge as `type='bridge'` with the network named in its source; put back like that it would lose its
/// network (reference §4.5, "link bounce trap").
///
/// # Errors
/// It isn't XML.
pub fn running_fragment(interface: &str) -> Result<String> {
    let doc = Doc::parse(interface).context("libvirt's XML of the running NIC can't be read")?;
    let (text, root) = (doc.text(), doc.root());
    let network = child(root, "source").filter(|s| s.has_attribute("network"));
    let mut edits = crate::xml::Edits::default();
    if let (Some(source), Some("bridge" | "direct")) = (network, root.attribute("type")) {
        if let Some(attr) =
            StartTag::read(text, root.range().start).as_ref().and_then(|t| t.attr(text, "type"))
        {
            edits.push(attr.value.clone(), "network");
        }
        if let Some(tag) = StartTag::read(text, source.range().start) {
            for attr in
                tag.attrs.iter().filter(|a| !["network", "portgroup"].contains(&&text[a.name.clone()]))
            {
                edits.push(attr.whole.clone(), "");
            }
        }
    }
    // Names that libvirt gave for this run only; it fills them in itself.
    let given = |name: &str, attribute: &str, prefixes: &[&str]| {
        let value = child(root, name).and_then(|n| Some((n, n.attribute(attribute)?)));
        value.filter(|(_, v)| prefixes.iter().any(|p| v.starts_with(p))).map(|(n, _)| n)
    };
    let target = given("target", "dev", &["vnet", "macvtap", "macvlan"]);
    let alias =
        given("alias", "name", &[""]).filter(|a| !a.attribute("name").is_some_and(|n| n.starts_with("ua-")));
    for node in target.into_iter().chain(alias) {
        edits.push(Layout::new(text).removal(node.range()), "");
    }
    Ok(edits.apply(text))
}

/// The `<interface>` with its link in that state.
fn with_link(interface: &str, state: &str) -> Option<String> {
    let doc = Doc::parse(interface).ok()?;
    let mut edits = crate::xml::Edits::default();
    if let Some(link) = child(doc.root(), "link") {
        edits.push(Layout::new(interface).removal(link.range()), "");
    }
    let tag = StartTag::read(interface, 0).filter(|tag| !tag.is_empty)?;
    edits.push(tag.end..tag.end, format!("<link state='{state}'/>"));
    Some(edits.apply(interface))
}

/// Does the NIC lead where it should?
pub(super) fn agrees(after: &str, stored: &str) -> Result<(), String> {
    let read = |text| Doc::parse(text).map(|doc| Nic::read(doc.root(), 0).source).map_err(|e| e.to_string());
    let normal = |text| running_fragment(text).map_err(|e| e.to_string());
    let (wanted, found) = (read(&normal(after)?)?, read(&normal(stored)?)?);
    if wanted == found { Ok(()) } else { Err(format!("it is on {found}, not on {wanted}")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ON_LAN: &str = "<interface type='bridge'>\n  <source network='lan' portgroup='a' portid='1' bridge='br0'/>\n  \
                          <link state='up'/>\n</interface>";

    #[test]
    fn a_nic_on_a_bridged_network_keeps_its_network() {
        let text = running_fragment(ON_LAN).unwrap();
        assert!(
            text.starts_with("<interface type='network'>\n  <source network='lan' portgroup='a'/>"),
            "{text}"
        );
        let down = with_link(&text, "down").unwrap();
        assert!(down.contains("<link state='down'/>") && !down.contains("'up'"), "{down}");
        assert_eq!(agrees(&text, ON_LAN), Ok(()));
        agrees("<interface type='bridge'><source bridge='br0'/></interface>", ON_LAN).unwrap_err();
    }
}
