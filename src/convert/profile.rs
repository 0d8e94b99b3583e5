//! Port profiles (`<virtualport>`). When libvirt plugs a NIC in, it merges the NIC's own with its network's and its
//! portgroup's (reference §1.3); on a bridge or macvtap the result has to be written out.

use roxmltree::Node;

use super::inherit::Old;
use super::request::Landing;
use super::rewrite::Editor;
use super::rules::{Column, Fate, Place, fate_of};
use crate::model::{Code, Setting, Warning};
use crate::xml::{Doc, StartTag, child};

const OPEN_VSWITCH: &str = "openvswitch";

/// A merged port profile.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) kind: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Profile {
    /// The profile that the NIC has in the end; `None` if nobody gives it one.
    pub(super) fn of(interface: Node<'_, '_>, old: Option<Old<'_>>) -> Option<Profile> {
        let own = child(interface, "virtualport");
        let given = old.iter().flat_map(|old| old.network.all_inherited(old.portgroup, Setting::Virtualport));
        let given: Vec<Doc<'_>> = given.filter_map(|text| Doc::parse(text).ok()).collect();
        let mut nodes = own.into_iter().chain(given.iter().map(Doc::root)).peekable();
        nodes.peek()?;
        // Where two of them differ, libvirt doesn't start the guest; the first one's word counts here.
        let mut out = Profile::default();
        for node in nodes {
            out.kind = out.kind.or_else(|| node.attribute("type").map(Into::into));
            for attribute in child(node, "parameters").iter().flat_map(Node::attributes) {
                if !out.parameters.iter().any(|(name, _)| name == attribute.name()) {
                    out.parameters.push((attribute.name().into(), attribute.value().into()));
                }
            }
        }
        Some(out)
    }
}

/// Sees to the NIC's port profile; returns the one to add, if it needs one that it hasn't got.
pub(super) fn port_profile(
    editor: &mut Editor<'_, '_>,
    column: Column,
    place: &Place<'_>,
    profile: Option<&Profile>,
    old: Option<Old<'_>>,
) -> Option<String> {
    let is_ovs = *place.landing == Landing::OpenVSwitch;
    let own = child(editor.interface, "virtualport");
    let keeps = |fate: &Fate| matches!(fate, Fate::Keep | Fate::Warn(..));
    let own_kept = own.filter(|own| keeps(&fate_of("virtualport", column, place, *own)));
    if place.gives_profile {
        return None;
    }
    let kind = profile.and_then(|p| p.kind.as_deref()).or(is_ovs.then_some(OPEN_VSWITCH));
    let parameters = profile.map(|p| p.parameters.as_slice()).unwrap_or_default();
    if let Some(own) = own_kept {
        if complete(editor, own, kind, parameters) && is_ovs {
            editor
                .warn(Warning::note(Code::VirtualportOvs, "its port profile is completed for Open vSwitch"));
        }
        return None;
    }
    let start = format!("virtualport{}", kind.map_or(String::new(), |k| editor.style.attribute("type", k)));
    if own.is_none()
        && let (Some(profile), Some(old)) = (profile, old)
    {
        let attributes: String =
            profile.parameters.iter().map(|(name, value)| editor.style.attribute(name, value)).collect();
        let inside = if attributes.is_empty() { vec![] } else { vec![format!("<parameters{attributes}/>")] };
        let element = editor.style.element(&start, &inside);
        let fate = Doc::parse(&element).map(|doc| fate_of("virtualport", column, place, doc.root()));
        let fate = fate.unwrap_or(Fate::Keep);
        let is_kept = keeps(&fate);
        if let Fate::Warn(code, why) | Fate::Lose(code, why) = fate {
            editor.warn(Warning::note(code, format!("{why} {}", old.named())));
        }
        if is_kept {
            return Some(element);
        }
    }
    if !is_ovs {
        return None;
    }
    let what = "the bridge is Open vSwitch: a port profile says so (libvirt adds an interfaceid of its own)";
    editor.warn(Warning::note(Code::VirtualportOvs, what));
    Some(format!("<virtualport{}/>", editor.style.attribute("type", OPEN_VSWITCH)))
}

/// Writes into the NIC's own profile what libvirt would have merged into it. Was there anything to write?
fn complete(
    editor: &mut Editor<'_, '_>,
    own: Node<'_, '_>,
    kind: Option<&str>,
    parameters: &[(String, String)],
) -> bool {
    let text = editor.doc.text();
    let Some(tag) = StartTag::read(text, own.range().start) else { return false };
    let kind = kind.filter(|_| !own.has_attribute("type"));
    if let Some(kind) = kind {
        let attribute = editor.style.attribute("type", kind);
        editor.insert(tag.name.end, attribute);
    }
    let inside = child(own, "parameters");
    let missing =
        parameters.iter().filter(|(name, _)| !inside.is_some_and(|p| p.has_attribute(name.as_str())));
    let missing: String = missing.map(|(name, value)| editor.style.attribute(name, value)).collect();
    if missing.is_empty() {
        return kind.is_some();
    }
    match inside.and_then(|p| StartTag::read(text, p.range().start)) {
        Some(inside) => {
            let at = inside.attrs.last().map_or(inside.name.end, |a| a.whole.end);
            editor.insert(at, missing);
        }
        None => editor.insert_lines(own, &tag, None, &[format!("<parameters{missing}/>")]),
    }
    true
}
