//! Sets of a few small files.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::lint::{Choice, Policy, Severity, check_file, check_set};

/// What a file adds that has these words in it.
fn file(path: &str, text: &str, settings: &Arc<Settings>) -> Facts {
    check_file(&Arc::from(Path::new(path)), text.as_bytes(), settings).unwrap().facts.unwrap()
}

fn settings(policy: &Policy) -> Arc<Settings> {
    Arc::new(Settings::new(policy, &[], &Choice::default()))
}

fn domain(name: &str, more: &str) -> String {
    format!("<domain type='kvm'><name>{name}</name>{more}</domain>")
}

pub(super) fn guest(path: &str, name: &str, more: &str) -> Facts {
    file(path, &domain(name, more), &settings(&Policy::default()))
}

pub(super) fn network(path: &str, name: &str, more: &str) -> Facts {
    let text = format!("<network><name>{name}</name>{more}</network>");
    file(path, &text, &settings(&Policy::default()))
}

/// A NIC, with a MAC address that ends so.
fn nic(source: &str, mac: &str, more: &str) -> String {
    let kind = source.split('=').next().unwrap();
    let kind = if kind == "dev" { "direct" } else { kind };
    format!(
        "<devices><interface type='{kind}'><mac address='52:54:00:00:00:{mac}'/><source {source}/>{more}</interface></devices>"
    )
}

const WHOLE: Extent = Extent { is_declared: false, is_whole: true };

/// Codes and files, in the order of files.
fn found(files: &[Facts], extent: Extent) -> Vec<String> {
    let mut found = check_set(files, &[], extent);
    found.sort_by(|a, b| (a.file(), a.rule.code).cmp(&(b.file(), b.rule.code)));
    found.iter().map(|f| format!("{} {}", f.rule.code, f.file().display())).collect()
}

#[test]
fn what_is_missing_is_said_of_whole_sets_only() {
    let files = [
        network("lab.xml", "lab", "<ip address='10.0.0.1'><dhcp><host mac='52:54:00:00:00:99'/></dhcp></ip>"),
        guest("a.xml", "a", &nic("network='lab'", "01", "")),
        guest("b.xml", "b", &nic("network='lob'", "02", "")),
        guest("c.xml", "c", &nic("network='default'", "03", "")),
    ];
    assert_eq!(found(&files, WHOLE), ["KN200 b.xml", "KN227 lab.xml"]);
    assert!(found(&files, Extent { is_whole: false, ..WHOLE }).is_empty());
    assert!(found(&files[1..], WHOLE).is_empty(), "without any network");
    let without_mac = guest(
        "d.xml",
        "d",
        "<devices><interface type='network'><source network='lab'/></interface></devices>",
    );
    let [lab, a, ..] = files;
    assert!(found(&[lab, a, without_mac], WHOLE).is_empty(), "its address may be the reserved one");
}

#[test]
fn places_are_those_of_what_was_checked() {
    let nics = nic("network='lob'", "01", "");
    let files = [network("lab.xml", "lab", ""), guest("a.xml", "a", &nics)];
    let now = |text: &str| {
        place(check_set(&files, &[], WHOLE), files.iter(), |_| Ok(text.as_bytes().to_vec().into()))
    };
    let same = now(&domain("a", &nics));
    assert_eq!((same.findings.len(), same.lost.len()), (1, 0));
    let place = &same.findings[0].place;
    assert_eq!(&place.lines[place.marked.clone()], "<source network='lob'/>");
    for other in [domain("b", &nics), domain("a", ""), format!(" {}", domain("a", &nics)), "<".into()] {
        let other = now(&other);
        assert_eq!((other.findings.len(), other.lost.len()), (0, 1));
        assert_eq!(&*other.lost[0].0, Path::new("a.xml"));
        assert!(other.lost[0].1.to_string().contains("was changed"), "{}", other.lost[0].1);
    }
}

#[test]
fn one_guest_in_several_files_is_one_finding() {
    let nics = nic("bridge='br0'", "01", "");
    let uuid = "<uuid>11111111-1111-4111-8111-111111111111</uuid>";
    let copy = |path: &str, name: &str, uuid: &str| guest(path, name, &format!("{uuid}{nics}"));
    let pair = |name, uuid_too| found(&[copy("1.xml", "a", uuid), copy("2.xml", name, uuid_too)], WHOLE);
    assert_eq!(pair("a", uuid), ["KN212 2.xml"]);
    assert_eq!(pair("a", ""), ["KN210 2.xml"]);
    assert_eq!(pair("b", uuid), ["KN211 2.xml", "KN213 2.xml"], "a copy with another name is another guest");
    assert_eq!(pair("b", ""), ["KN213 2.xml"]);
    let container =
        file("3.xml", "<domain type='lxc'><name>a</name></domain>", &settings(&Policy::default()));
    assert!(found(&[copy("1.xml", "a", ""), container], WHOLE).is_empty(), "another driver");
}

/// Two NICs of one guest, by way of two networks that are one: what the file alone doesn't show.
#[test]
fn one_mac_address_of_one_guest() {
    let found_in = |networks: &[&str], one: &str, other: &str| {
        let mut files: Vec<_> = networks
            .iter()
            .zip(["n1", "n2"])
            .map(|(parts, name)| network(&format!("{name}.xml"), name, parts))
            .collect();
        files.push(guest("x.xml", "x", &(nic(one, "01", "") + &nic(other, "01", ""))));
        found(&files, WHOLE).contains(&"KN213 x.xml".to_string())
    };
    let lan = "<forward mode='bridge'/><bridge name='br0'/>";
    let other = "<forward mode='bridge'/><bridge name='br1'/>";
    assert!(found_in(&[lan, lan], "network='n1'", "network='n2'"));
    assert!(found_in(&[lan, lan], "network='n1'", "bridge='br0'"));
    assert!(!found_in(&[lan, other], "network='n1'", "network='n2'"));
    assert!(!found_in(&[lan, lan], "network='n1'", "network='n1'"), "the file alone shows it");
    assert!(
        !found_in(&[lan], "dev='eno1' mode='bridge'", "dev='eno1' mode='vepa'"),
        "the file alone shows it"
    );
}

#[test]
fn one_mac_address_on_one_segment() {
    let networks = || {
        [
            network("n1.xml", "nat", "<forward/><bridge name='virbr5'/>"),
            network(
                "n2.xml",
                "lan",
                "<forward mode='bridge'/><bridge name='br0'/><portgroup name='a'><vlan><tag id='2'/></vlan></portgroup>",
            ),
            network("n3.xml", "mac", "<forward mode='vepa' dev='eno1'/>"),
            network(
                "n4.xml",
                "many",
                "<forward mode='vepa'><interface dev='eno1'/><interface dev='eno2'/></forward>",
            ),
            network("n5.xml", "own", "<forward mode='passthrough' dev='eno1'/>"),
        ]
    };
    let meet = |one: &str, other: &str| {
        let mut files = Vec::from(networks());
        files.push(guest("x.xml", "x", &nic(one, "01", "")));
        files.push(guest("y.xml", "y", &nic(other, "01", "")));
        let found = found(&files, WHOLE);
        found.iter().any(|found| found == "KN213 y.xml")
    };
    for (one, other) in [
        ("bridge='br0'", "network='lan'"),
        ("network='nat'", "bridge='virbr5'"),
        ("network='mac'", "dev='eno1' mode='bridge'"),
        ("network='lan' portgroup='a'", "network='lan' portgroup='a'"),
        ("network='default'", "network='default'"),
    ] {
        assert!(meet(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("bridge='br0'", "bridge='br1'"),
        ("network='lan'", "network='nat'"),
        ("network='lan' portgroup='a'", "network='lan'"),
        ("network='many'", "network='many'"),
        ("network='own'", "network='own'"),
        ("dev='eno1' mode='passthrough'", "dev='eno1' mode='passthrough'"),
    ] {
        assert!(!meet(one, other), "{one} {other}");
    }
    for more in ["<vlan><tag id='3'/></vlan>", "<link state='down'/>"] {
        let files = ["x", "y"].map(|name| guest(name, name, &nic("bridge='br0'", "01", more)));
        assert!(found(&files, WHOLE).is_empty(), "{more}");
    }
}

#[test]
fn subnets() {
    let net = |name: &str, ip: &str| network(&format!("{name}.xml"), name, ip);
    let ip = |written: &str| format!("<ip address='{written}' prefix='24'/>");
    let files = [
        net("a", &ip("10.1.0.1")),
        net("b", &ip("10.2.0.1")),
        net("c", "<ip address='10.1.9.1' prefix='16'/>"),
        net("d", &ip("10.2.0.9")),
        net(
            "e",
            "<ip family='ipv6' address='fe80::1' prefix='64'/><ip family='ipv6' address='fd00::1' prefix='64'/>",
        ),
        net(
            "f",
            "<ip family='ipv6' address='fe80::1' prefix='64'/><ip family='ipv6' address='fd00::9' prefix='48'/>",
        ),
        net("g", "<forward mode='bridge'/><bridge name='br0'/><ip address='10.1.0.1' prefix='24'/>"),
        net("h", "<ip address='10.1.128.1' prefix='17'/>"),
    ];
    assert_eq!(found(&files, WHOLE), ["KN226 c.xml", "KN226 d.xml", "KN226 f.xml", "KN226 h.xml"]);
}

/// A fleet's files clash with each other only if it is said, or can't be seen, that they are for one host.
#[test]
fn hosts() {
    let net = "<bridge name='virbr0'/><ip address='192.168.122.1' prefix='24'/>";
    let files = ["a/default.xml", "b/default.xml"].map(|path| network(path, "default", net));
    assert!(found(&files, WHOLE).is_empty());
    let declared = Extent { is_declared: true, is_whole: true };
    assert_eq!(found(&files, declared), ["KN220 b/default.xml"]);
    let files = ["a/1.xml", "b/2.xml"].map(|path| network(path, "default", net));
    assert_eq!(found(&files, WHOLE), ["KN220 b/2.xml"]);
}

#[test]
fn each_file_decides_about_itself() {
    let mut policy = Policy::default();
    policy.choice.severity.insert("KN210", Severity::Warning);
    policy.choice.ignore.push("KN213");
    let lenient = settings(&policy);
    let nics = nic("bridge='br0'", "01", "");
    let files = |last: &Arc<Settings>, more: &str| {
        [guest("1.xml", "a", &nics), file("2.xml", &domain("a", &format!("{more}{nics}")), last)]
    };
    let strict = settings(&Policy::default());
    let severities = |files: &[Facts]| {
        let found = check_set(files, &[], WHOLE);
        found.iter().map(|f| (f.rule.code, f.severity)).collect::<Vec<_>>()
    };
    assert_eq!(severities(&files(&strict, "")), [("KN210", Severity::Error)]);
    assert_eq!(severities(&files(&lenient, "")), [("KN210", Severity::Warning)]);
    let other = file("3.xml", &domain("b", &nics), &lenient);
    assert!(severities(&[guest("1.xml", "a", &nics), other]).is_empty(), "KN213 is off for the later one");
    let quiet = "<!-- kvmnet: ignore KN210 --><name>a</name>";
    let text = domain("a", &nics).replace("<name>a</name>", quiet);
    assert!(severities(&[guest("1.xml", "a", &nics), file("2.xml", &text, &strict)]).is_empty());
}

/// Thousands of files that all clash are all told.
#[test]
fn many_clashes() {
    let net = "<bridge name='b'/><ip address='10.0.0.1' prefix='24'/>";
    let mut files: Vec<Facts> =
        (0..3000).map(|n| network(&format!("n{n}.xml"), &format!("n{n}"), net)).collect();
    files.extend((0..3000).map(|n| network(&format!("m{n}.xml"), "m", net)));
    files.extend((0..3000).map(|n| guest(&format!("g{n}.xml"), "g", &nic("network='x'", "01", ""))));
    assert!(found(&files, WHOLE).len() > 9000);
}

/// Any few files: parts that clash and fit in all ways.
fn any_file() -> impl Strategy<Value = (String, String)> {
    let pick = |from: &'static [&'static str]| prop::sample::select(from);
    let uuid = pick(&["", "<uuid>11111111-1111-4111-8111-111111111111</uuid>", "<uuid>x</uuid>", "<uuid/>"]);
    let nic_of = (
        pick(&["network='a'", "network='b'", "network=''", "bridge='br0'", "bridge='virbr%d'", "dev='eno1'"]),
        pick(&["01", "02", "zz"]),
        pick(&[
            "",
            "<vlan/>",
            "<virtualport/>",
            "<bandwidth><inbound floor='9'/></bandwidth>",
            "<filterref filter='x'/>",
        ]),
    );
    let net = (
        pick(&[
            "",
            "<forward/>",
            "<forward mode='bridge'/>",
            "<forward mode='vepa' dev='eno1'/>",
            "<forward mode='hostdev'/>",
        ]),
        pick(&["", "<bridge name='br0'/>", "<bridge name='virbr%d'/>", "<bridge/>"]),
        pick(&[
            "",
            "<ip address='10.0.0.1'/>",
            "<ip address='10.0.0.1' prefix='0'/>",
            "<ip address='::1' prefix='128'/>",
        ]),
        pick(&[
            "",
            "<ip address='10.0.9.1' prefix='24'><dhcp><host mac='52:54:00:00:00:07'/><host/></dhcp></ip>",
        ]),
    );
    let part = prop_oneof![
        (pick(&["a", "b", "ä"]), uuid.clone(), nic_of).prop_map(|(name, uuid, (source, mac, more))| domain(
            name,
            &format!("{uuid}{}", nic(source, mac, more))
        )),
        (pick(&["a", "b"]), uuid, net).prop_map(|(name, uuid, (a, b, c, d))| format!(
            "<network><name>{name}</name>{uuid}{a}{b}{c}{d}</network>"
        )),
    ];
    (pick(&["", "x/", "y/", "y/z/", "/", "../"]), part).prop_map(|(folder, part)| (folder.to_string(), part))
}

proptest! {
    /// Whatever the files are: rules find the same in any order of them.
    #[test]
    fn any_set(parts in prop::collection::vec(any_file(), 0..9), seed in any::<prop::sample::Index>(), is_declared: bool) {
        let settings = settings(&Policy::default());
        let named = |(number, (folder, text)): (usize, &(String, String))| {
            let name = if number % 2 == 0 { "a".to_string() } else { format!("f{number}") };
            file(&format!("{folder}{number}/{name}.xml"), text, &settings)
        };
        let mut files: Vec<Facts> = parts.iter().enumerate().map(named).collect();
        let extent = Extent { is_declared, is_whole: true };
        let before = found(&files, extent);
        if !files.is_empty() {
            let at = seed.index(files.len());
            files.rotate_left(at);
            files.reverse();
        }
        prop_assert_eq!(before, found(&files, extent));
    }
}

#[test]
fn no_share_is_larger_than_the_whole() {
    let lab =
        |inbound: &str| network("lab.xml", "lab", &format!("<bandwidth><inbound {inbound}/></bandwidth>"));
    let web = |floor: &str| {
        let limits = format!("<bandwidth><inbound average='100' floor='{floor}'/></bandwidth>");
        guest("web.xml", "web", &nic("network='lab'", "01", &limits))
    };
    let found = |inbound: &str, floor: &str| found(&[lab(inbound), web(floor)], WHOLE);
    assert_eq!(found("average='1000'", "2000"), ["KN202 web.xml"]);
    assert!(found("average='1000'", "1000").is_empty());
    assert!(found("average='1000' peak='3000'", "2000").is_empty(), "the peak is what counts");
}

#[test]
fn no_port_of_a_switch_is_isolated_or_filtered() {
    let lan =
        |more: &str| network("lan.xml", "lan", &format!("<forward mode='bridge'/><bridge name='b'/>{more}"));
    let switch = "<virtualport type='openvswitch'/>";
    let group = format!("<portgroup name='a'>{switch}</portgroup><portgroup name='b'/>");
    for asked in ["<port isolated='yes'/>", "<filterref filter='clean-traffic'/>"] {
        let web = |source: &str| guest("web.xml", "web", &nic(source, "01", asked));
        assert_eq!(found(&[lan(switch), web("network='lan'")], WHOLE), ["KN205 web.xml"]);
        assert_eq!(found(&[lan(&group), web("network='lan' portgroup='a'")], WHOLE), ["KN205 web.xml"]);
        assert!(found(&[lan(&group), web("network='lan' portgroup='b'")], WHOLE).is_empty());
        assert!(found(&[lan(""), web("network='lan'")], WHOLE).is_empty());
    }
}
