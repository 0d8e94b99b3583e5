//! Any bytes at all, taken for a guest's definition and moved to each kind of target.
//!
//! Whatever the bytes are, nothing panics. Where they are a guest's XML: the edits stay inside its
//! interfaces, undoing them gives the original to the byte, the result is XML to a second parser too, and
//! a second run finds nothing to do.
#![no_main]

use std::sync::LazyLock;

use kvmnet::convert::{
    Conversion, Facts, Landing, Networks, Request, Selection, Target, Vlans, convert, meaning,
};
use kvmnet::model::{DirectMode, Network};
use kvmnet::xml::{Doc, children};
use libfuzzer_sys::fuzz_target;

/// The network that most guests are on, with everything that a guest can get from one.
const DEFAULT: &str = "\
<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0'/>
  <bandwidth><inbound average='1000' peak='2000' burst='512'/><outbound average='500'/></bandwidth>
  <port isolated='yes'/>
</network>";

/// A network on a bridge, with a portgroup.
const LAN: &str = "\
<network trustGuestRxFilters='yes'>
  <name>lan</name>
  <forward mode='bridge'/>
  <bridge name='br0'/>
  <virtualport type='openvswitch'/>
  <portgroup name='vlan10'>
    <vlan><tag id='10'/></vlan>
    <virtualport><parameters profileid='p'/></virtualport>
    <bandwidth><inbound average='10'/></bandwidth>
  </portgroup>
</network>";

/// What is known: both networks.
static KNOWN: LazyLock<Networks> = LazyLock::new(|| {
    let read = |text| {
        let doc = Doc::parse(text).expect("the network is XML");
        Network::read(&doc).expect("the network is one")
    };
    Networks::new([read(DEFAULT), read(LAN)], false)
});
/// What is known: nothing.
static NOTHING: LazyLock<Networks> = LazyLock::new(Networks::default);

fuzz_target!(|data: &[u8]| {
    let Ok(text) = Doc::decode(data) else { return };
    let Ok(doc) = Doc::parse(text) else { return };
    let bridge = || Target::Bridge("br0".parse().expect("a device name"));
    let network = |name: &str| Target::Network { name: name.to_owned(), portgroup: None };
    let direct = |mode| Target::Direct { dev: "enp4s0".parse().expect("a device name"), mode };
    let linux = |vlans| Landing::LinuxBridge { vlans, mtu: Some(1500) };
    for (target, landing, networks) in [
        (bridge(), Landing::UnknownBridge, &NOTHING),
        (bridge(), linux(Vlans::No("it does not filter vlans")), &KNOWN),
        (bridge(), linux(Vlans::Yes), &KNOWN),
        (bridge(), Landing::OpenVSwitch, &KNOWN),
        (network("default"), Landing::VirtualNetwork { has_inbound: true }, &KNOWN),
        (network("other"), Landing::UnknownNetwork, &NOTHING),
        (direct(DirectMode::Bridge), Landing::Macvtap { is_passthrough: false }, &KNOWN),
        (direct(DirectMode::Passthrough), Landing::Macvtap { is_passthrough: true }, &KNOWN),
    ] {
        let selection = Selection { all: true, ..Selection::default() };
        let request = Request { target, selection, force: true, inline: true };
        let facts = Facts { networks, landing, online: false, live: Vec::new() };
        holds(&doc, &request, &facts);
    }
});

/// One conversion, and all that must be true of it.
fn holds(doc: &Doc<'_>, request: &Request, facts: &Facts<'_>) {
    let Ok(conversion) = convert(doc, request, facts) else { return };
    let _ = meaning(&conversion, &request.target, facts);
    stays_inside(doc, &conversion);

    let before = doc.text();
    let after = conversion.edits.apply(before);
    assert_eq!(conversion.edits.invert(before).apply(&after), before, "undoing gives another text");
    if conversion.edits.is_empty() {
        assert_eq!(after, before, "no edits, and yet another text");
        return;
    }

    let again = Doc::parse(&after).unwrap_or_else(|e| panic!("the result is no XML: {e}\n{after}"));
    if well_formed(before) {
        assert!(well_formed(&after), "a second parser refuses the result:\n{after}");
    }
    // What is barred is never written, so it need not be an end either.
    if conversion.barred.is_none()
        && let Ok(second) = convert(&again, request, facts)
    {
        assert!(second.edits.is_empty(), "a second run changes:\n{after}");
    }
}

/// Every edit is within one of the guest's interfaces.
fn stays_inside(doc: &Doc<'_>, conversion: &Conversion) {
    for edit in conversion.edits.iter() {
        let inside = children(doc.root(), "devices")
            .flat_map(|devices| children(devices, "interface"))
            .map(|interface| interface.range())
            .any(|range| range.start <= edit.range.start && edit.range.end <= range.end);
        assert!(inside, "an edit at {:?} is outside of every interface:\n{}", edit.range, doc.text());
    }
}

/// Whether quick-xml reads `text` to its end.
fn well_formed(text: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return true,
            Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                if tag.attributes().any(|attribute| attribute.is_err()) {
                    return false;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
