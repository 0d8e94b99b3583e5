//! Byte-truth: whatever a document looks like, only what was announced changes in it; and what isn't a guest's XML is
//! refused with its place and a reason.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "bytes/dice.rs"]
mod dice;
#[path = "bytes/judge.rs"]
mod judge;

use kvmnet::convert::{Facts, Landing, Networks, Request, Selection, Target, Vlans, convert, guest_root};
use kvmnet::model::{DirectMode, Network};
use kvmnet::xml::{Doc, ReadError, masks};
use proptest::prelude::*;

/// A network with much to give, one that isolates, one that says nothing.
const NETWORKS: &[&str] = &[
    "<network trustGuestRxFilters='yes'><name>lan</name><forward mode='bridge'/><bridge name='ovs'/><virtualport type='openvswitch'/>\
     <portgroup name='sales'><vlan trunk='yes'><tag id='1'/><tag id='2'/></vlan><bandwidth><inbound average='1'/></bandwidth>\
     <virtualport><parameters profileid='a&amp;&quot;&apos;&#10;'/></virtualport></portgroup></network>",
    "<network><name>iso</name><port isolated='yes'/><mtu size='9000'/></network>",
    "<network><name>default</name><forward mode='nat'/></network>",
];

fn networks() -> Networks {
    Networks::new(NETWORKS.iter().map(|text| Network::read(&Doc::parse(text).unwrap()).unwrap()), false)
}

/// The three kinds of target, and the places they may be.
fn targets() -> Vec<(Target, Landing)> {
    let bridge = || Target::Bridge("br0".parse().unwrap());
    let network = |name: &str| Target::Network { name: name.into(), portgroup: Some("pg".into()) };
    let direct = |mode| Target::Direct { dev: "enp4s0".parse().unwrap(), mode };
    vec![
        (bridge(), Landing::UnknownBridge),
        (bridge(), Landing::OpenVSwitch),
        (bridge(), Landing::LinuxBridge { vlans: Vlans::Yes, mtu: Some(1500) }),
        (bridge(), Landing::LinuxBridge { vlans: Vlans::No("it can't"), mtu: None }),
        (network("m"), Landing::UnknownNetwork),
        (network("m"), Landing::VirtualNetwork { has_inbound: false }),
        (network("m"), Landing::OpenVSwitch),
        (direct(DirectMode::Bridge), Landing::Macvtap { is_passthrough: false }),
        (direct(DirectMode::Passthrough), Landing::Macvtap { is_passthrough: true }),
    ]
}

/// All NICs of a text to every target, by every promise.
fn hold_all(text: &str) {
    let networks = networks();
    let count = Doc::parse(text).map(|doc| kvmnet::convert::nics(&doc).len()).unwrap();
    for known in [&networks, &Networks::default()] {
        for (target, landing) in targets() {
            let facts = Facts { networks: known, landing, online: false, live: Vec::new() };
            let named = (1..=count).map(|n| n.to_string()).collect();
            for selection in [
                Selection { all: true, ..Selection::default() },
                Selection { nics: named, ..Selection::default() },
            ] {
                let request = Request { target: target.clone(), selection, force: true, inline: true };
                judge::hold(text, &request, &facts);
            }
        }
    }
}

/// To br0, of which nothing is known.
fn to_br0(text: &str) -> String {
    let facts =
        Facts { networks: &networks(), landing: Landing::UnknownBridge, online: false, live: Vec::new() };
    let selection = Selection { all: true, ..Selection::default() };
    let target = Target::Bridge("br0".parse().unwrap());
    judge::hold(text, &Request { target, selection, force: true, inline: true }, &facts).0
}

/// Nasty documents. In each, `type='network'` and `network='default'` become `type='bridge'` and `bridge='br0'` where
/// «» stand around them, and nothing else does.
#[rustfmt::skip] // documents
const NASTY: &[(&str, &str)] = &[
    ("as libvirt writes it",
     "<!--\nWARNING: <interface type='network'/>\n-->\n\n<domain type='kvm'>\n  <name>a</name>\n  <devices>\n    <interface type='«network»'>\n      <mac address='52:54:00:00:00:01'/>\n      <source «network»='«default»'/>\n    </interface>\n  </devices>\n</domain>\n"),
    ("byte order mark", "\u{feff}<domain><name>a</name><devices><interface type='«network»'><source «network»='«default»'/></interface></devices></domain>"),
    ("CRLF", "<domain>\r\n<name>a</name>\r\n<devices>\r\n\t<interface type='«network»'>\r\n\t\t<source «network»='«default»'/>\r\n\t</interface>\r\n</devices>\r\n</domain>\r\n"),
    ("comments around everything", "<?xml version='1.0'?><!-- 1 --><domain><!-- 2 --><name>a</name><devices><!-- 3 --><interface type='«network»'><!-- 4 --><source «network»='«default»'/><!-- 5 --></interface><!-- 6 --></devices></domain><!-- 7 -->"),
    ("a comment behind source", "<domain>\n <name>a</name>\n <devices>\n  <interface type='«network»'>\n   <source «network»='«default»'/> <!-- the LAN -->\n  </interface>\n </devices>\n</domain>"),
    ("CDATA with an interface", "<domain><name>a</name><description><![CDATA[<devices><interface type='network'><source network='default'/></interface></devices>]]></description><devices><interface type='«network»'><source «network»='«default»'/></interface></devices></domain>"),
    ("metadata of other namespaces", "<domain><name>a</name><metadata><x:devices xmlns:x='urn:x'><x:interface type='network'><x:source network='default'/></x:interface></x:devices><devices xmlns='urn:y'><interface type='network'><source network='default'/></interface></devices><devices><interface type='network'><source network='default'/></interface></devices></metadata><devices><interface type='«network»'><source «network»='«default»'/></interface></devices></domain>"),
    ("an interface of another namespace among the devices", "<domain xmlns:x='urn:x'><name>a</name><devices><x:interface type='network'><source network='default'/></x:interface><interface xmlns='urn:y' type='network'><source network='default'/></interface><interface type='«network»'><x:source network='default'/><source x:network='default' «network»='«default»' x:portgroup='p'/></interface></devices></domain>"),
    ("qemu:commandline", "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n<name>a</name>\n<devices>\n<interface type='«network»'>\n<source «network»='«default»'/>\n</interface>\n</devices>\n<qemu:commandline>\n<qemu:arg value='-netdev'/>\n</qemu:commandline>\n</domain>"),
    ("both kinds of quotes", "<domain type=\"kvm\"><name>a</name><devices><interface type=\"«network»\" y=\"it's\"><source «network»=\"«default»\" x='say \"a\"'/></interface></devices></domain>"),
    ("blanks and line breaks in tags", "<domain\n><name\t>a</name\n><devices ><interface\n\ttype\n=\n'«network»'\n><source\n   «network»  =\t\"«default»\"\n/></interface\t></devices ></domain >"),
    ("> in values", "<domain><name>a</name><devices><interface x='>' type='«network»' y='/>'><source z='a/>' «network»='«default»'/></interface></devices></domain>"),
    ("references", "<domain><name>a&amp;b&#x41;</name><devices><interface x='&quot;&apos;' type='«n&#101;tw&#x6f;rk»'><source «network»='«d&#101;fault»' y='&#10;'/></interface></devices></domain>"),
    ("processing instructions", "<?xml-stylesheet href='<interface/>'?><domain><?p <interface type='network'/> ?><name>a</name><devices><interface type='«network»'><?q?><source «network»='«default»'/></interface></devices></domain>"),
    ("tabs", "<domain>\n\t<name>a</name>\n\t<devices>\n\t\t<interface\ttype='«network»'>\n\t\t\t<source\t«network»='«default»'\t/>\n\t\t</interface>\n\t</devices>\n</domain>"),
    ("unknown things", "<domain a='b'><name>a</name><what/><devices what='1'><interface type='«network»' how='so'><source why='not' «network»='«default»'/><who><source network='default'/></who></interface><interfaces/></devices></domain>"),
    ("indentation gone wild", "<domain>\n      <name>a</name>\n <devices>\n          <interface type='«network»'>\n <source «network»='«default»'/>\n                </interface>\n</devices></domain>"),
    ("old Macintosh line breaks", "<domain>\r<name>a</name>\r<devices>\r<interface type='«network»'>\r<source «network»='«default»'/>\r</interface>\r</devices>\r</domain>\r"),
    ("two devices elements", "<domain><name>a</name><devices><interface type='«network»'><source «network»='«default»'/></interface></devices><devices><interface type='«network»'><source «network»='«default»'/></interface></devices></domain>"),
    ("not only ASCII", "<domain><name>gäst-🦀</name><title>日本</title><devices><interface type='«network»' ü='ö'><source «network»='«default»' 名='ä'/></interface></devices></domain>"),
];

#[test]
fn nasty_documents() {
    for (what, marked) in NASTY {
        let before = marked.replace(['«', '»'], "");
        // Behind an attribute's name stands no quote before its mark closes; the type is the one after `type`.
        let mut after = String::new();
        for (n, piece) in marked.split(['«', '»']).enumerate() {
            let is_marked = n % 2 == 1;
            after += match (is_marked, piece) {
                (false, piece) => piece,
                (true, "default" | "d&#101;fault") => "br0",
                (true, _) => "bridge",
            };
        }
        assert_eq!(to_br0(&before), after, "{what}");
        hold_all(&before);
    }
}

/// What goes and what comes, with its line: whole documents before and after.
#[rustfmt::skip] // documents
const LINES: &[(&str, &str, &str)] = &[
    ("a line goes whole",
     "<interface type='network'>\n  <source network='default'/>\n  <alias name='net0'/>\n  <model type='e1000'/>\n</interface>",
     "<interface type='bridge'>\n  <source bridge='br0'/>\n  <model type='e1000'/>\n</interface>"),
    ("the last line goes whole",
     "<interface type='network'>\n  <source network='default'/>\n  <alias name='net0'/>\n</interface>",
     "<interface type='bridge'>\n  <source bridge='br0'/>\n</interface>"),
    ("two of one line go with it",
     "<interface type='network'>\n  <source network='default'/>\n  <alias name='net0'/> <portForward proto='tcp'/>\n</interface>",
     "<interface type='bridge'>\n  <source bridge='br0'/>\n</interface>"),
    ("a comment on the line stays",
     "<interface type='network'>\n  <source network='default'/>\n  <alias name='net0'/> <!-- why -->\n</interface>",
     "<interface type='bridge'>\n  <source bridge='br0'/>\n  <!-- why -->\n</interface>"),
    ("behind another",
     "<interface type='network'>\n  <source network='default'/> <alias name='net0'/>\n</interface>",
     "<interface type='bridge'>\n  <source bridge='br0'/>\n</interface>"),
    ("in one line", "<interface type='network'><source network='default'/><alias name='net0'/></interface>",
     "<interface type='bridge'><source bridge='br0'/></interface>"),
    ("an attribute on a line of its own",
     "<interface type='network'>\n  <source\n    network='default'\n    portid='1'/>\n</interface>",
     "<interface type='bridge'>\n  <source\n    bridge='br0'/>\n</interface>"),
    ("isolation comes behind source's remark",
     "<interface type=\"network\">\r\n\t<source network=\"iso\"/> <!-- x -->\r\n</interface>",
     "<interface type=\"bridge\">\r\n\t<source bridge=\"br0\"/> <!-- x -->\r\n\t<port isolated=\"yes\"/>\r\n</interface>"),
    ("isolation comes in line",
     "<interface type='network'><source network='iso'/><model type='e1000'/></interface>",
     "<interface type='bridge'><source bridge='br0'/><port isolated='yes'/><model type='e1000'/></interface>"),
];

#[test]
fn lines_come_and_go_whole() {
    let around = |interface: &str| {
        format!("<domain>\n<name>a</name>\n<devices>\n{interface}\n</devices>\n</domain>\n")
    };
    for (what, before, after) in LINES {
        assert_eq!(to_br0(&around(before)), around(after), "{what}");
        hold_all(&around(before));
    }
}

/// Self-closed, without a type, without a source: opened in the style around.
#[test]
fn nics_that_say_nothing() {
    let networks = Networks::default();
    let run = |text: &str| {
        let facts =
            Facts { networks: &networks, landing: Landing::UnknownBridge, online: false, live: Vec::new() };
        let selection = Selection { nics: vec!["1".into()], ..Selection::default() };
        let target = Target::Bridge("br0".parse().unwrap());
        judge::hold(text, &Request { target, selection, force: false, inline: false }, &facts).0
    };
    for (before, after) in [
        (
            "\n\t<devices>\n\t\t<interface type='user'/>",
            "\n\t<devices>\n\t\t<interface type='bridge'>\n\t\t\t<source bridge='br0'/>\n\t\t</interface>",
        ),
        (
            "<devices><interface type=\"user\" />",
            "<devices><interface type=\"bridge\"><source bridge=\"br0\"/></interface>",
        ),
        (
            "\r\n <devices>\r\n  <interface/>",
            "\r\n <devices>\r\n  <interface type='bridge'>\r\n   <source bridge='br0'/>\r\n  </interface>",
        ),
        (
            "\n<devices>\n<interface>\n</interface>",
            "\n<devices>\n<interface type='bridge'>\n  <source bridge='br0'/>\n</interface>",
        ),
        (
            "<devices><interface type='user'><mac address=\"52:54:00:00:00:01\"/></interface>",
            "<devices><interface type='bridge'><mac address=\"52:54:00:00:00:01\"/><source bridge='br0'/></interface>",
        ),
        (
            "\n<devices>\n  <interface type='user'>\n    <model type='e1000'/>\n    <mac address='52:54:00:00:00:01'/>\n  </interface>",
            "\n<devices>\n  <interface type='bridge'>\n    <model type='e1000'/>\n    <mac address='52:54:00:00:00:01'/>\n    <source bridge='br0'/>\n  </interface>",
        ),
    ] {
        let whole = |part: &str| format!("<domain><name>a</name>{part}</devices></domain>");
        assert_eq!(run(&whole(before)), whole(after));
        hold_all(&whole(before));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        hold_all(&dice::Dice::new(&bytes).domain());
    }

    /// A document cut off, or with a byte replaced, is read or refused, never worse.
    #[test]
    fn damaged_documents(
        bytes in prop::collection::vec(any::<u8>(), 0..160), at in any::<prop::sample::Index>(), byte in prop::option::of(any::<u8>()),
    ) {
        // A damaged `passwd` is no password's name any more, and what follows it no secret.
        let mut text = dice::Dice::new(&bytes).domain().replace("HUNTER", "known.").into_bytes();
        let at = at.index(text.len());
        match byte {
            Some(byte) => text[at] = byte,
            None => text.truncate(at),
        }
        if let Ok(text) = Doc::decode(&text) && let Ok(doc) = Doc::parse(text) && guest_root(&doc).is_ok() {
            hold_all(text);
        }
    }
}

fn read(bytes: &[u8]) -> Result<(), ReadError> {
    let doc = Doc::parse(Doc::decode(bytes)?)?;
    guest_root(&doc).map(drop)
}

/// A text of two-byte units.
fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

#[test]
fn malformed_input_is_refused_with_its_place() {
    let good = "<domain><name>a</name></domain>";
    assert_eq!(read(good.as_bytes()), Ok(()));
    assert_eq!(read(format!("<!DOCTYPE domain>{good}").as_bytes()), Ok(()));
    let bomb = "<?xml version='1.0'?>\n<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>\n<domain>&b;</domain>";
    let marked = |bytes: &[u8]| [&[0xFF, 0xFE][..], bytes].concat();
    let table: Vec<(&str, Vec<u8>, usize, usize, &str)> = vec![
        ("nothing", b"".into(), 1, 1, "no root element"),
        ("blanks", b" \n \n".into(), 1, 1, "no root element"),
        ("a comment only", b"<!-- a -->".into(), 1, 1, "no root element"),
        ("truncated in the root", b"<domain>\n<name>a</name>\n".into(), 3, 1, "truncated"),
        ("truncated in a tag", b"<domain>\n<name".into(), 2, 6, "truncated"),
        ("truncated in a value", b"<domain>\n<a b='".into(), 2, 7, "truncated"),
        ("truncated in a comment", b"<domain>\n<!-- a".into(), 2, 7, "\'-->\' is missing"),
        ("two roots", b"<domain><name>a</name></domain>\n<domain/>".into(), 2, 1, "second root"),
        ("text behind the root", b"<domain><name>a</name></domain>\nx".into(), 2, 1, "text"),
        ("text before the root", b"x<domain/>".into(), 1, 1, "text"),
        ("an undeclared prefix", b"<domain>\n <q:a/></domain>".into(), 2, 3, "prefix 'q' is not declared"),
        ("an undeclared prefix of an attribute", b"<domain q:a='1'/>".into(), 1, 9, "prefix 'q' is not declared"),
        ("an unknown entity", b"<domain>\n&nbsp;</domain>".into(), 2, 1, "'&nbsp;' is not defined"),
        ("an unknown entity in a value", b"<domain a='&nbsp;'/>".into(), 1, 12, "'&nbsp;' is not defined"),
        ("a bare &", b"<domain>\n a & b</domain>".into(), 2, 4, "'&'"),
        ("a reference to nothing", b"<domain>&#0;</domain>".into(), 1, 9, "'&'"),
        ("a reference to half a character", b"<domain>\n&#xD800;</domain>".into(), 2, 1, "reference to a character"),
        ("a reference beyond Unicode", b"<domain a='&#x110000;'/>".into(), 1, 12, "reference to a character"),
        ("a control character", b"<domain>\n\x01</domain>".into(), 2, 1, "U+0001"),
        ("a control character in a value", b"<domain a='\x1f'/>".into(), 1, 12, "U+001F"),
        ("NUL", b"<domain>\0</domain>".into(), 1, 9, "U+0000"),
        ("an attribute twice", b"<domain a='1' b='2' a='3'/>".into(), 1, 21, "'a' stands twice"),
        ("an attribute twice by namespace", b"<domain xmlns:x='u' xmlns:y='u' x:a='1' y:a='2'/>".into(), 1, 41, "'a' stands twice"),
        ("wrong nesting", b"<domain>\n<a></b></domain>".into(), 2, 4, "</b> closes <a>"),
        ("DTD", b"<!DOCTYPE domain SYSTEM 'd'><domain/>".into(), 1, 1, "DTD"),
        ("entity bomb", bomb.into(), 2, 1, "DTD"),
        ("]]> in text", b"<domain>a ]]> b</domain>".into(), 1, 11, "]]>"),
        ("]]> in text of several lines", "<domain>\nä ]]>\n b</domain>".into(), 2, 3, "]]>"),
        ("< in a value", b"<domain a='<'/>".into(), 1, 12, "'<' inside an attribute"),
        ("-- in a comment", b"<domain>\n<!-- a -- b --></domain>".into(), 2, 1, "'--'"),
        ("no quotes", b"<domain a=1/>".into(), 1, 11, "quote"),
        ("no blank between attributes", b"<domain a='1'b='2'/>".into(), 1, 14, "whitespace"),
        ("a late declaration", b"\n<?xml version='1.0'?><domain/>".into(), 2, 1, "declaration"),
        ("UTF-16 with a mark", marked(&utf16(good, u16::to_le_bytes)), 1, 1, "UTF-16"),
        ("UTF-16, the other way", [&[0xFE, 0xFF][..], &utf16(good, u16::to_be_bytes)].concat(), 1, 1, "UTF-16"),
        ("UTF-16 without a mark", utf16(good, u16::to_le_bytes), 1, 1, "UTF-16"),
        ("UTF-16, the other way, without a mark", utf16(good, u16::to_be_bytes), 1, 1, "UTF-16"),
        ("Latin-1 by its own word", b"<?xml version='1.0' encoding='ISO-8859-1'?><domain/>".into(), 1, 1, "'ISO-8859-1'"),
        ("not UTF-8", b"<domain>\n<name>\xE4</name></domain>".into(), 2, 7, "not UTF-8"),
        ("a mark, and an error on its line", "\u{feff}<domain a='<'/>".into(), 1, 12, "'<' inside an attribute"),
        ("a mark, and a DTD", "\u{feff}<!DOCTYPE domain []><domain/>".into(), 1, 1, "DTD"),
        ("libvirt's status", b"<!-- a -->\n<domstatus><domain/></domstatus>".into(), 2, 1, "<domstatus>"),
        ("a snapshot", b"<domainsnapshot/>".into(), 1, 1, "snapshot"),
        ("a checkpoint", b"<domaincheckpoint/>".into(), 1, 1, "checkpoint"),
        ("the test driver's host", b"<node/>".into(), 1, 1, "test://"),
        ("a network", b"<network/>".into(), 1, 1, "--network-xml"),
        ("something else", b"<html/>".into(), 1, 1, "<html>"),
        ("a domain of another namespace", b"<domain xmlns='urn:x'><name>a</name></domain>".into(), 1, 1, "urn:x"),
        ("no name", b"<domain><name/></domain>".into(), 1, 1, "no <name>"),
        ("runtime state", b"<domain><name>a</name><devices><interface type='network'>\n<actual/></interface></devices></domain>".into(), 2, 1, "<actual>"),
    ];
    for (what, bytes, line, column, reason) in table {
        let e = read(&bytes).expect_err(what);
        assert_eq!((e.line, e.column), (line, column), "{what}: {e}");
        assert!(e.reason.contains(reason), "{what}: {e}");
        assert!(e.reason.len() < 200, "{what}: {e}");
    }
}

/// Every prefix of a document is refused or read, and says where it ends.
#[test]
fn every_truncation_is_refused() {
    for (what, marked) in NASTY {
        let text = marked.replace(['«', '»'], "");
        let whole = text.trim_end().len();
        for end in (0..whole).filter(|end| text.is_char_boundary(*end)) {
            if let Err(e) = read(&text.as_bytes()[..end]) {
                let (line, column) = kvmnet::xml::text_position(&text, end);
                assert!((e.line, e.column) <= (line, column), "{what}, cut at {end}: {e}");
            } else {
                assert!(text[..end].trim_end().contains("</domain"), "{what}, cut at {end}");
            }
        }
    }
}

/// Reads the text and converts all its NICs, to several targets.
fn all_targets(text: &str) {
    let doc = Doc::parse(text).unwrap();
    let networks = networks();
    for (target, landing) in targets().into_iter().step_by(4) {
        let facts = Facts { networks: &networks, landing, online: false, live: Vec::new() };
        let selection = Selection { all: true, ..Selection::default() };
        let request = Request { target, selection, force: true, inline: true };
        let conversion = convert(&doc, &request, &facts).unwrap();
        assert!(!conversion.edits.is_empty());
        conversion.edits.apply(text);
        // An ambiguous choice lists them all.
        let request = Request { selection: Selection::default(), ..request };
        let _ = convert(&doc, &request, &facts);
        let masks = masks(&doc);
        let behind = kvmnet::xml::behind_masks(&conversion.edits, &masks);
        let _ = kvmnet::xml::diff_of_edits("a", "b", &masks.apply(text), &behind);
    }
}

/// A guest with so many NICs, or so many of something else.
fn big(nics: usize, inside: &str) -> String {
    let nic = |n: usize| {
        format!(
            "<interface type='network'>\n<mac address='52:54:00:{:02x}:{:02x}:{:02x}'/>\n<source network='lan' portgroup='sales'/>\n\
             <alias name='net0'/>\n{inside}</interface>\n<graphics passwd='secret'/>\n",
            n >> 16 & 255,
            n >> 8 & 255,
            n & 255
        )
    };
    format!(
        "<domain>\n<name>a</name>\n<devices>\n{}</devices>\n</domain>\n",
        (0..nics).map(nic).collect::<String>()
    )
}

/// How long this takes is the benchmark's business (`benches/`); here it must only get through.
#[test]
fn many_nics_and_many_parts() {
    let parts = "<unknown a='b'/><!-- c -->\n".repeat(50);
    all_targets(&big(2800, ""));
    all_targets(&big(1, &parts.repeat(160)));
}

/// The same where the text has no lines, or none that a diff knows.
#[test]
fn many_nics_on_one_line() {
    let lines = big(2800, "");
    all_targets(&lines.replace('\n', ""));
    all_targets(&lines.replace('\n', "\r"));
    all_targets(
        &lines.replace("\n<mac", "<mac").replace("\n<source", "<source").replace("\n<alias", "<alias"),
    );
    // Nor is the indentation of what holds them all looked at for each.
    all_targets(&lines.replace("<devices>", &format!("{}<devices>", " ".repeat(1_000_000))));
}

#[test]
fn a_million_nested_elements() {
    let (open, close) = ("<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
    let nic = |inside: &str| {
        format!(
            "<interface type='network'><source network='default'/>{inside}<alias name='net0'/></interface>"
        )
    };
    let of = |metadata: &str, nics: &str| {
        format!("<domain><name>a</name><metadata>{metadata}</metadata><devices>{nics}</devices></domain>")
    };
    let deep = format!("{open}{close}");
    for (text, inside) in [(of(&deep, &nic("")), false), (of("", &nic(&deep)), true)] {
        let after = to_br0_unjudged(&text);
        assert_eq!(
            after.len(),
            text.len() - "<alias name='net0'/>".len() - "networknetworkdefault".len()
                + "bridgebridgebr0".len()
        );
        if inside {
            let stored = after.replacen("bridge='br0'", "bridge='br1'", 1);
            kvmnet::xml::only_where_announced(&text, &after, &stored).unwrap_err();
        }
        assert_eq!(kvmnet::xml::only_where_announced(&text, &after, &after), Ok(()));
    }
    // What a network hands out is copied no deeper than it can be.
    let network = format!("<network><name>default</name><vlan>{deep}<tag id='1'/></vlan></network>");
    let network = Network::read(&Doc::parse(&network).unwrap()).unwrap();
    assert!(network.given.get(kvmnet::model::Setting::Vlan).unwrap().len() < 100);
    // Half of it is refused all the same.
    let e = read(of(&open, "").as_bytes()).unwrap_err();
    assert!(e.reason.len() < 200);
}

fn to_br0_unjudged(text: &str) -> String {
    let doc = Doc::parse(text).unwrap();
    let facts =
        Facts { networks: &networks(), landing: Landing::UnknownBridge, online: false, live: Vec::new() };
    let selection = Selection { all: true, ..Selection::default() };
    let target = Target::Bridge("br0".parse().unwrap());
    convert(&doc, &Request { target, selection, force: true, inline: true }, &facts)
        .unwrap()
        .edits
        .apply(text)
}

/// What would make the parser's work grow with the square of the text is refused.
#[test]
fn what_would_take_forever_is_refused() {
    let attributes: String = (0..300_000).map(|n| format!(" a{n}='1'")).collect();
    let e = read(format!("<domain>\n<name{attributes}>a</name></domain>").as_bytes()).unwrap_err();
    assert_eq!((e.line, e.column, e.reason.contains("attributes")), (2, 1, true), "{e}");
    let open: String = (0..60_000).map(|n| format!("<a xmlns:n{n}='u{n}'>")).collect();
    let e = read(format!("<domain><name>a</name>{open}{}</domain>", "</a>".repeat(60_000)).as_bytes())
        .unwrap_err();
    assert!(e.reason.contains("prefixes"), "{e}");
}
