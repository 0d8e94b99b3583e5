//! What becomes of each part of a NIC, row by row and column by column of the reference's §1.2–1.6 and §2: what stays,
//! what goes, which warning says so, and the exact text that comes out. libvirt's own schema has the last word on it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skip must be heard"
)]

#[path = "rules/schema.rs"]
mod schema;

use kvmnet::convert::{Conversion, Facts, Landing, Networks, Request, Selection, Target, Vlans, convert};
use kvmnet::model::{DirectMode, Network};
use kvmnet::xml::Doc;

/// Where a NIC goes, by name.
fn place(name: &str) -> (Target, Landing) {
    let bridge = || Target::Bridge("br0".parse().unwrap());
    let network = || Target::Network { name: "m".into(), portgroup: None };
    let direct = |mode| Target::Direct { dev: "enp4s0".parse().unwrap(), mode };
    let linux = |vlans, mtu| Landing::LinuxBridge { vlans, mtu };
    match name {
        "bridge" => (bridge(), linux(Vlans::Yes, Some(1500))),
        "bridge-no-vlans" => (bridge(), linux(Vlans::No("it can't"), Some(1500))),
        "bridge-remote" => (bridge(), linux(Vlans::Unknown, None)),
        "bridge?" => (bridge(), Landing::UnknownBridge),
        "ovs" => (bridge(), Landing::OpenVSwitch),
        "net" => (network(), Landing::VirtualNetwork { has_inbound: false }),
        "net-inbound" => (network(), Landing::VirtualNetwork { has_inbound: true }),
        "net-bridge" => (network(), linux(Vlans::Unknown, None)),
        "net-ovs" => (network(), Landing::OpenVSwitch),
        "net-macvtap" => (network(), Landing::Macvtap { is_passthrough: false }),
        "net-hostdev" => (network(), Landing::HostdevNetwork),
        "net?" => (network(), Landing::UnknownNetwork),
        "macvtap" => (direct(DirectMode::Bridge), Landing::Macvtap { is_passthrough: false }),
        "passthrough" => (direct(DirectMode::Passthrough), Landing::Macvtap { is_passthrough: true }),
        other => panic!("no place {other}"),
    }
}

const PLACES: &[&str] = &[
    "bridge",
    "bridge-no-vlans",
    "bridge-remote",
    "bridge?",
    "ovs",
    "net",
    "net-inbound",
    "net-bridge",
    "net-ovs",
    "net-macvtap",
    "net-hostdev",
    "net?",
    "macvtap",
    "passthrough",
];
/// Every place where the NIC ends up on a macvtap device.
const MACVTAP: &[&str] = &["net-macvtap", "macvtap", "passthrough"];

fn networks(texts: &[&str]) -> Networks {
    let read = |text: &&str| Network::read(&Doc::parse(text).unwrap()).unwrap();
    Networks::new(texts.iter().map(read), false)
}

/// A guest around an `<interface>`.
fn guest(interface: &str) -> String {
    format!(
        "<domain type='kvm'>\n  <name>t</name>\n  <memory>1048576</memory>\n  <os>\n    <type>hvm</type>\n  </os>\n  \
         <devices>\n{interface}  </devices>\n</domain>\n"
    )
}

/// The move of the only NIC of `text`: the new text, and the codes of the warnings, `!` before one that stops.
fn moved(
    text: &str,
    target: Target,
    landing: Landing,
    known: &Networks,
) -> (String, Vec<String>, Conversion) {
    let doc = Doc::parse(text).unwrap();
    let selection = Selection { nics: vec!["1".into()], ..Selection::default() };
    let request = Request { target, selection, force: true, inline: true };
    let facts = Facts { networks: known, landing, online: false, live: Vec::new() };
    let conversion = convert(&doc, &request, &facts).unwrap();
    let code = |w: &kvmnet::model::Warning| format!("{}{}", if w.stops { "!" } else { "" }, w.code);
    let codes = conversion.warnings.iter().map(code).collect();
    (conversion.edits.apply(text), codes, conversion)
}

/// The warnings that a place gives whatever the NIC has.
fn always(place: &str) -> Vec<String> {
    match place {
        "net-hostdev" => vec!["!target-hostdev".into()],
        _ if MACVTAP.contains(&place) => vec!["host-unreachable".into()],
        _ => vec![],
    }
}

fn opening(target: &Target) -> String {
    match target {
        Target::Bridge(_) => "type='bridge'|<source bridge='br0'/>".into(),
        Target::Network { .. } => "type='network'|<source network='m'/>".into(),
        Target::Direct { mode, .. } => {
            format!("type='direct'|<source dev='enp4s0' mode='{}'/>", mode.as_str())
        }
    }
}

/// What becomes of a part.
#[derive(Clone, Copy, Debug)]
enum Now {
    Kept,
    Gone,
    /// Something else stands there (no text: nothing).
    Is(&'static str),
}
use Now::{Gone, Is, Kept};

/// A cell: the places, what becomes of the part there, the warnings.
type Cell = (&'static [&'static str], Now, &'static [&'static str]);

/// A row: a part (in a NIC of a virtual network that gives nothing), and the cells that differ from "stays, silently".
type Row = (&'static str, &'static [Cell]);

const NOWHERE_BUT_NETS: &[&str] =
    &["bridge", "bridge-no-vlans", "bridge-remote", "bridge?", "ovs", "macvtap", "passthrough"];

#[rustfmt::skip] // a table
const ROWS: &[Row] = &[
    // Whatever says nothing of where the NIC leads stays.
    ("<guest dev='eth0' actual='eth1'/>", &[]),
    ("<link state='down'/>", &[]),
    ("<boot order='1'/>", &[]),
    ("<rom bar='off' file='/rom'/>", &[]),
    ("<address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>", &[]),
    ("<acpi index='3'/>", &[]),
    ("<driver name='vhost' queues='4' rx_queue_size='256' txmode='timer' ioeventfd='on' event_idx='off'><host csum='off'/><guest tso4='off'/></driver>", &[]),
    ("<backenddomain name='netvm'/>", &[]),
    ("<target dev='tap-web'/>", &[]),
    ("<target dev='tap-web' managed='yes'/>", &[]),
    ("<!-- a remark --><link state='up'/>", &[]),
    ("<bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128'/></bandwidth>", &[]),
    ("<backend vhost='/dev/vhost-net'/>", &[]),
    ("<backend/>", &[]),
    ("<port isolated='no'/>", &[]),
    ("<teaming type='persistent'/>", &[]),
    ("<filterref filter='clean-traffic'/>", &[
        (MACVTAP, Gone, &["!filter-lost"]), (&["net-hostdev"], Gone, &["!filter-lost"])]),
    ("<filterref filter='clean-traffic'><parameter name='IP' value='192.168.122.7'/></filterref>", &[
        (MACVTAP, Gone, &["!filter-lost"]), (&["net-hostdev"], Gone, &["!filter-lost"]), (PLACES, Kept, &["filter-subnet"])]),
    ("<filterref filter='clean-traffic'><parameter name='CTRL_IP_LEARNING' value='dhcp'/><parameter name='DHCPSERVER' value='1.2.3.4'/></filterref>", &[
        (MACVTAP, Gone, &["!filter-lost"]), (&["net-hostdev"], Gone, &["!filter-lost"]), (PLACES, Kept, &["filter-subnet"])]),
    ("<filterref filter='f'><parameter name='MAC' value='52:54:00:00:00:01'/></filterref>", &[
        (MACVTAP, Gone, &["!filter-lost"]), (&["net-hostdev"], Gone, &["!filter-lost"])]),
    ("<bandwidth><inbound average='1000' floor='200'/><outbound average='128'/></bandwidth>", &[
        (&["net-inbound"], Kept, &[]), (&["net?"], Kept, &["floor-lost"]),
        (PLACES, Is("<bandwidth><inbound average='1000'/><outbound average='128'/></bandwidth>"), &["floor-lost"])]),
    ("<bandwidth><inbound floor='200'/><outbound average='128'/></bandwidth>", &[
        (&["net-inbound"], Kept, &[]), (&["net?"], Kept, &["floor-lost"]),
        (PLACES, Is("<bandwidth><outbound average='128'/></bandwidth>"), &["floor-lost"])]),
    ("<bandwidth><inbound floor='200'/></bandwidth>", &[
        (&["net-inbound"], Kept, &[]), (&["net?"], Kept, &["floor-lost"]), (PLACES, Gone, &["floor-lost"])]),
    ("<vlan><tag id='42'/></vlan>", &[
        (&["bridge", "ovs", "net-ovs", "net-hostdev", "passthrough"], Kept, &[]),
        (&["bridge-remote", "bridge?", "net-bridge", "net?"], Kept, &["vlan-unsure"]),
        (&["net", "net-inbound"], Gone, &["vlan-lost"]),
        (PLACES, Gone, &["!vlan-lost"])]),
    ("<virtualport type='802.1Qbg'><parameters managerid='1' typeid='2' typeidversion='3'/></virtualport>", &[
        (MACVTAP, Kept, &[]), (&["net-hostdev"], Kept, &[]), (&["ovs", "net-ovs"], Is("OVS"), &["virtualport-lost", "virtualport-ovs"]),
        (PLACES, Gone, &["virtualport-lost"])]),
    ("<virtualport type='802.1Qbh'><parameters profileid='p'/></virtualport>", &[
        (MACVTAP, Kept, &[]), (&["net-hostdev"], Kept, &[]), (&["ovs", "net-ovs"], Is("OVS"), &["virtualport-lost", "virtualport-ovs"]),
        (PLACES, Gone, &["virtualport-lost"])]),
    ("<virtualport type='openvswitch'><parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/></virtualport>", &[
        (&["ovs", "net-ovs"], Kept, &[]),
        (&["bridge?", "net?", "net-bridge", "bridge-remote"], Kept, &["virtualport-ovs"]),
        (PLACES, Gone, &["virtualport-lost"])]),
    ("<virtualport type='midonet'><parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/></virtualport>", &[
        (&["ovs", "net-ovs"], Is("OVS"), &["virtualport-lost", "virtualport-ovs"]),
        (PLACES, Gone, &["virtualport-lost"])]),
    ("<virtualport><parameters profileid='p'/></virtualport>", &[
        (&["ovs", "net-ovs"], Is("<virtualport type='openvswitch'><parameters profileid='p'/></virtualport>"), &["virtualport-ovs"]),
        (PLACES, Gone, &["virtualport-lost"])]),
    ("<port isolated='yes'/>", &[
        (&["ovs", "net-ovs", "net-hostdev"], Gone, &["isolation-lost"]), (MACVTAP, Gone, &["isolation-lost"])]),
    ("<mtu size='1400'/>", &[(MACVTAP, Gone, &["mtu-lost"])]),
    ("<mtu size='9000'/>", &[
        (&["bridge", "bridge-no-vlans"], Kept, &["mtu-exceeds-bridge"]), (MACVTAP, Gone, &["mtu-lost"])]),
    ("<coalesce><rx><frames max='7'/></rx></coalesce>", &[(MACVTAP, Gone, &["coalesce-lost"])]),
    ("<alias name='ua-lan'/>", &[]),
    ("<alias name='net0'/>", &[(PLACES, Gone, &[])]),
    ("<backend tap='/dev/net/tun' vhost='/dev/vhost-net'/>", &[
        (MACVTAP, Is("<backend vhost='/dev/vhost-net'/>"), &["tap-lost"])]),
    ("<backend tap='/dev/net/tun'/>", &[(MACVTAP, Gone, &["tap-lost"])]),
    ("<backend type='default' logFile='/log' vhost='/v'/>", &[(PLACES, Is("<backend type='default' vhost='/v'/>"), &["backend-lost"])]),
    ("<tune><sndbuf>1600</sndbuf></tune>", &[(MACVTAP, Kept, &["sndbuf-no-effect"])]),
    ("<script path='/etc/qemu-ifup'/>", &[(PLACES, Kept, &["script-not-run"])]),
    ("<downscript path='/etc/qemu-ifdown'/>", &[(PLACES, Kept, &["script-not-run"])]),
    ("<target dev='tap-web' managed='no'/>", &[(PLACES, Is("<target dev='tap-web'/>"), &["tap-lost"])]),
    ("<teaming type='transient' persistent='ua-lan'/>", &[
        (NOWHERE_BUT_NETS, Gone, &["!teaming-transient"]), (&["net-hostdev"], Kept, &[]), (PLACES, Kept, &["teaming-transient"])]),
    ("<portForward proto='tcp'><range start='80'/></portForward>", &[(PLACES, Gone, &["port-forward-lost"])]),
    ("<ip address='10.0.0.2' prefix='24'/>", &[]),
    ("<route address='10.1.0.0' prefix='16' gateway='10.0.0.1'/>", &[]),
];

/// The network that all rows start from: a virtual one that gives nothing of its own.
const PLAIN: &str = "<network><name>n</name><ip address='192.168.122.1' prefix='24'/></network>";

#[test]
fn every_row_in_every_column() {
    let known = networks(&[PLAIN]);
    let (mut failures, mut results) = (Vec::new(), Vec::new());
    for (part, cells) in ROWS {
        for name in PLACES {
            let (target, landing) = place(name);
            let opening = opening(&target);
            let (kind, source) = opening.split_once('|').unwrap();
            let text = guest(&nic("type='network'", "<source network='n'/>", part));
            let (new, codes, conversion) = moved(&text, target, landing, &known);
            let cell = cells.iter().find(|(places, ..)| places.contains(name));
            let (now, warnings) = cell.map_or((Kept, [].as_slice()), |(_, now, warnings)| (*now, *warnings));
            let needs_profile = name.contains("ovs") && !part.starts_with("<virtualport");
            let ovs = "\n      <virtualport type='openvswitch'/>";
            let source =
                format!("{source}{}", if needs_profile || matches!(now, Is("OVS")) { ovs } else { "" });
            let expected = guest(&match now {
                Kept => nic(kind, &source, part),
                Gone | Is("OVS") => nic(kind, &source, ""),
                Is(other) => nic(kind, &source, other),
            });
            let mut wanted = always(name);
            wanted.extend(warnings.iter().map(ToString::to_string));
            wanted.extend(needs_profile.then(|| "virtualport-ovs".to_string()));
            if new != expected || codes != wanted {
                failures.push(format!("{part} → {name}:\n  {wanted:?}, got {codes:?}\n{expected}got\n{new}"));
            }
            assert!(conversion.warnings.iter().all(|w| w.message.starts_with("NIC 1 (52:54:00:00:00:01): ")));
            results.push((format!("{part} → {name}"), new));
        }
    }
    assert!(failures.is_empty(), "{} cells:\n{}", failures.len(), failures.join("\n"));
    schema::validate("domain", &results);
}

/// A NIC, its parts on lines of their own.
fn nic(kind: &str, source: &str, part: &str) -> String {
    let part = if part.is_empty() { String::new() } else { format!("      {part}\n") };
    format!(
        "    <interface {kind}>\n      <mac address='52:54:00:00:00:01'/>\n      {source}\n{part}      <model type='virtio'/>\n    \
         </interface>\n"
    )
}

/// One NIC as a line, moved: the line after it.
fn line(interface: &str, to: &str, known: &[&str]) -> (String, Vec<String>) {
    let before = guest(&format!("    {interface}\n"));
    let (target, landing) = place(to);
    let (after, codes, _) = moved(&before, target, landing, &networks(known));
    let start = after.find("    <interface").unwrap();
    let end = after.rfind("  </devices>").unwrap();
    (after[start..end].trim().to_string(), codes)
}

/// A NIC of each other type: what it is, where it goes, what it becomes, the warnings.
type Other = (&'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip] // a table
const OTHERS: &[Other] = &[
    ("<interface type='bridge'><source bridge='old'/></interface>", "net",
     "<interface type='network'><source network='m'/></interface>", &[]),
    ("<interface type='bridge'><source bridge='old'/></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/></interface>", &["host-unreachable"]),
    ("<interface type='bridge'><source bridge='old'/><virtualport type='openvswitch'><parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/></virtualport><vlan><tag id='7'/></vlan></interface>", "net",
     "<interface type='network'><source network='m'/></interface>", &["vlan-lost", "virtualport-lost"]),
    ("<interface type='direct'><source dev='e' mode='vepa'/></interface>", "net",
     "<interface type='network'><source network='m'/></interface>", &[]),
    ("<interface type='direct'><source dev='e'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='direct'><source mode='private' dev='e'/></interface>", "macvtap",
     "<interface type='direct'><source mode='bridge' dev='enp4s0'/></interface>", &["host-unreachable"]),
    ("<interface type='network'><source network='n' portgroup='p' portid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' bridge='virbr0' macTableManager='libvirt'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["portgroup-unknown"]),
    ("<interface type='network'><source network='n' portgroup='p'/></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/></interface>", &["host-unreachable", "portgroup-unknown"]),
    ("<interface type='user'/>", "bridge",
     "<interface type='bridge'>\n      <source bridge='br0'/>\n    </interface>", &[]),
    ("<interface type='user'><mac address='52:54:00:00:00:01'/></interface>", "net",
     "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='m'/></interface>", &[]),
    ("<interface type='user'><source dev='eth0'/><backend type='passt' logFile='/l'/><portForward proto='udp'/><portForward proto='tcp'/><ip address='10.0.0.1'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["backend-lost", "port-forward-lost", "source-lost"]),
    ("<interface type='user'><backend type='passt' vhost='/v'/><source dev='eth0'/></interface>", "macvtap",
     "<interface type='direct'><backend vhost='/v'/><source dev='enp4s0' mode='bridge'/></interface>", &["host-unreachable", "backend-lost"]),
    ("<interface type='ethernet'><target dev='t' managed='no'/><script path='/s'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/><target dev='t'/></interface>", &["tap-lost", "script-not-run"]),
    ("<interface type='ethernet'><source> <ip address='10.0.0.1'/> <route address='0.0.0.0' gateway='10.0.0.2'/> </source></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["source-lost"]),
    ("<interface type='ethernet'><source><!-- why --><ip address='10.0.0.1'/></source></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'><!-- why --></source></interface>", &["source-lost"]),
    ("<interface type='vhostuser'><source type='unix' path='/s' mode='client'><reconnect enabled='yes' timeout='10'/></source><model type='virtio'/></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/><model type='virtio'/></interface>", &["host-unreachable"]),
    ("<interface type='vhostuser'><source type='unix' path='/s' mode='client'/><model type='virtio'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>", &[]),
    ("<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='internal'><source name='x'/></interface>", "net",
     "<interface type='network'><source network='m'/></interface>", &[]),
    ("<interface type='mcast'><source address='230.0.0.1' port='5558'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='server'><source port='5558'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='udp'><source address='127.0.0.1' port='1'><local address='127.0.0.1' port='2'/></source></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='vds'><source switchid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' portid='1' portgroupid='p' connectionid='2'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &[]),
    ("<interface type='null'/>", "bridge",
     "<interface type='bridge'>\n      <source bridge='br0'/>\n    </interface>", &[]),
    ("<interface type='hostdev' managed='yes'><driver name='vfio'/><source><address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source><model type='virtio'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>", &["!host-device"]),
];

#[test]
fn every_other_type_of_nic() {
    let mut results = Vec::new();
    for (before, to, after, codes) in OTHERS {
        let (new, got) = line(before, to, &[PLAIN]);
        assert_eq!(
            (new.as_str(), got),
            (*after, codes.iter().map(ToString::to_string).collect()),
            "{before} → {to}"
        );
        results.push((format!("{before} → {to}"), guest(&format!("    {new}\n"))));
    }
    schema::validate("domain", &results);
}

const OVS_NET: &str = "<network trustGuestRxFilters='yes'><name>n</name><forward mode='bridge'/><bridge name='ovsbr'/>\
     <virtualport type='openvswitch'/><vlan><tag id='5'/></vlan>\
     <portgroup name='sales' default='yes'><virtualport><parameters profileid='sales'/></virtualport><vlan trunk='yes'><tag id='42'/>\
     <tag id='47' nativeMode='untagged'/></vlan><bandwidth><inbound average='10'/></bandwidth></portgroup>\
     <portgroup name='bare' trustGuestRxFilters='no'/></network>";
const QBG_POOL: &str = "<network><name>n</name><forward mode='vepa'><interface dev='eth1'/></forward>\
     <virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047' typeidversion='2'/></virtualport></network>";
const ISOLATING: &str = "<network><name>n</name><forward mode='nat'/><bridge name='virbr7' macTableManager='libvirt'/><mtu size='9000'/>\
     <bandwidth><inbound average='900'/></bandwidth><port isolated='yes'/><ip address='10.0.0.1' prefix='24'><dhcp>\
     <host mac='52:54:00:00:00:01' ip='10.0.0.9'/></dhcp></ip></network>";
const TARGET: &str = "<network><name>m</name><forward mode='bridge'/><bridge name='ovs2'/><virtualport type='openvswitch'/>\
     <vlan><tag id='9'/></vlan></network>";

/// What a NIC had from its network: the networks, its own XML, where it goes, what it becomes, the warnings.
type Given = (&'static [&'static str], &'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip] // a table
const GIVEN: &[Given] = &[
    // The default portgroup's, merged with the network's, in one profile.
    (&[OVS_NET], "<interface type='network'><source network='n'/></interface>", "ovs",
     "<interface type='bridge' trustGuestRxFilters='yes'><source bridge='br0'/><vlan trunk='yes'><tag id='42'/><tag id='47' nativeMode='untagged'/></vlan>\
      <virtualport type='openvswitch'><parameters profileid='sales'/></virtualport><bandwidth><inbound average='10'/></bandwidth></interface>", &[]),
    // The named portgroup says nothing: the network's. And its "no" outranks the network's "yes".
    (&[OVS_NET], "<interface type='network'><source network='n' portgroup='bare'/></interface>", "ovs",
     "<interface type='bridge'><source bridge='br0'/><vlan><tag id='5'/></vlan><virtualport type='openvswitch'/></interface>", &[]),
    (&[OVS_NET], "<interface type='network'><source network='n' portgroup='typo'/></interface>", "ovs",
     "<interface type='bridge' trustGuestRxFilters='yes'><source bridge='br0'/><vlan><tag id='5'/></vlan><virtualport type='openvswitch'/></interface>", &["portgroup-unknown"]),
    // The NIC's own comes first; its profile gets the type and the parameters that it lacked.
    (&[OVS_NET], "<interface type='network' trustGuestRxFilters='no'><source network='n'/><vlan><tag id='1'/></vlan><bandwidth><outbound average='3'/></bandwidth>\
      <virtualport><parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/></virtualport></interface>", "ovs",
     "<interface type='bridge' trustGuestRxFilters='no'><source bridge='br0'/><vlan><tag id='1'/></vlan><bandwidth><outbound average='3'/></bandwidth>\
      <virtualport type='openvswitch'><parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' profileid='sales'/></virtualport></interface>", &["virtualport-ovs"]),
    (&[OVS_NET], "<interface type='network'><source network='n'/><virtualport/><vlan><tag id='1'/></vlan></interface>", "ovs",
     "<interface type='bridge' trustGuestRxFilters='yes'><source bridge='br0'/><bandwidth><inbound average='10'/></bandwidth>\
      <virtualport type='openvswitch'><parameters profileid='sales'/></virtualport><vlan><tag id='1'/></vlan></interface>", &["virtualport-ovs"]),
    (&[OVS_NET], "<interface type='network'><source network='n' portgroup='bare'/></interface>", "bridge?",
     "<interface type='bridge'><source bridge='br0'/><vlan><tag id='5'/></vlan><virtualport type='openvswitch'/></interface>", &["vlan-unsure", "virtualport-ovs"]),
    (&[OVS_NET], "<interface type='network'><source network='n' portgroup='bare'/></interface>", "bridge-no-vlans",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["vlan-lost", "virtualport-lost"]),
    (&[OVS_NET], "<interface type='network'><source network='n' portgroup='bare'/></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/></interface>", &["host-unreachable", "vlan-lost", "virtualport-lost"]),
    // A network that gives the same kind of thing itself: its word counts.
    (&[OVS_NET, TARGET], "<interface type='network'><source network='n' portgroup='bare'/></interface>", "net-ovs",
     "<interface type='network'><source network='m'/></interface>", &["vlan-lost"]),
    (&[OVS_NET, TARGET], "<interface type='network'><source network='n'/><virtualport><parameters profileid='p'/></virtualport></interface>", "net-ovs",
     "<interface type='network' trustGuestRxFilters='yes'><source network='m'/><bandwidth><inbound average='10'/></bandwidth><virtualport><parameters profileid='p'/></virtualport></interface>", &["vlan-lost"]),
    // A bridge of Open vSwitch whose network doesn't say so.
    (&[PLAIN], "<interface type='network'><source network='n'/></interface>", "net-ovs",
     "<interface type='network'><source network='m'/><virtualport type='openvswitch'/></interface>", &["virtualport-ovs"]),
    // A pool of macvtap devices: the profile goes with macvtap and nowhere else.
    (&[QBG_POOL], "<interface type='network'><source network='n'/></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/><virtualport type='802.1Qbg'><parameters managerid='11' typeid='1193047' typeidversion='2'/></virtualport></interface>", &["host-unreachable"]),
    (&[QBG_POOL], "<interface type='network'><source network='n'/><virtualport><parameters instanceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/></virtualport></interface>", "macvtap",
     "<interface type='direct'><source dev='enp4s0' mode='bridge'/><virtualport type='802.1Qbg'><parameters instanceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' managerid='11' typeid='1193047' typeidversion='2'/></virtualport></interface>", &["host-unreachable"]),
    (&[QBG_POOL], "<interface type='network'><source network='n'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["virtualport-lost"]),
    // What a virtual network gives, and what nobody can write down.
    (&[ISOLATING], "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='n'/></interface>", "bridge",
     "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><port isolated='yes'/></interface>", &["reservation-lost", "mac-table-lost", "mtu-differs"]),
    (&[ISOLATING], "<interface type='network'><source network='n'/><port isolated='no'/><mtu size='1500'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/><port isolated='no'/><mtu size='1500'/></interface>", &["mac-table-lost"]),
    (&[ISOLATING], "<interface type='network'><source network='n'/><port/></interface>", "bridge?",
     "<interface type='bridge'><source bridge='br0'/><port isolated='yes'/></interface>", &["mac-table-lost", "mtu-differs"]),
    (&[ISOLATING], "<interface type='network'><source network='n'/></interface>", "ovs",
     "<interface type='bridge'><source bridge='br0'/><virtualport type='openvswitch'/></interface>", &["virtualport-ovs", "isolation-lost", "mac-table-lost", "mtu-differs"]),
    (&[], "<interface type='network'><source network='n'/></interface>", "bridge",
     "<interface type='bridge'><source bridge='br0'/></interface>", &["network-unknown"]),
];

#[test]
fn what_the_old_network_gave() {
    let mut results = Vec::new();
    for (known, before, to, after, codes) in GIVEN {
        let (new, got) = line(before, to, known);
        assert_eq!(
            (new.as_str(), got),
            (*after, codes.iter().map(ToString::to_string).collect()),
            "{before} → {to}"
        );
        results.push((format!("{before} → {to}"), guest(&format!("    {new}\n"))));
    }
    schema::validate("domain", &results);
}

/// What a network hands out looks like the rest of the NIC.
#[test]
fn added_lines_look_like_their_neighbours() {
    let text = "<domain>\r\n\t<name>t</name>\r\n\t<devices>\r\n\t\t<interface type=\"network\">\r\n\t\t\t<source network=\"n\"/> <!-- lan -->\r\n\
                \t\t</interface>\r\n\t</devices>\r\n</domain>";
    let (target, landing) = place("ovs");
    let (new, ..) = moved(text, target, landing, &networks(&[OVS_NET]));
    assert_eq!(
        new,
        "<domain>\r\n\t<name>t</name>\r\n\t<devices>\r\n\t\t<interface type=\"bridge\" trustGuestRxFilters=\"yes\">\r\n\
         \t\t\t<source bridge=\"br0\"/> <!-- lan -->\r\n\
         \t\t\t<vlan trunk=\"yes\">\r\n\t\t\t\t<tag id=\"42\"/>\r\n\t\t\t\t<tag id=\"47\" nativeMode=\"untagged\"/>\r\n\t\t\t</vlan>\r\n\
         \t\t\t<virtualport type=\"openvswitch\">\r\n\t\t\t\t<parameters profileid=\"sales\"/>\r\n\t\t\t</virtualport>\r\n\
         \t\t\t<bandwidth>\r\n\t\t\t\t<inbound average=\"10\"/>\r\n\t\t\t</bandwidth>\r\n\
         \t\t</interface>\r\n\t</devices>\r\n</domain>"
    );
}

/// Host devices: never online, offline only with a model chosen (reference §2).
#[test]
fn host_devices_are_barred() {
    let pool =
        "<network><name>n</name><forward mode='hostdev' managed='yes'><pf dev='eth0'/></forward></network>";
    let of = |interface: &str, online: bool| {
        let text = guest(interface);
        let doc = Doc::parse(&text).unwrap();
        let (target, landing) = place("bridge");
        let selection = Selection { nics: vec!["1".into()], ..Selection::default() };
        let request = Request { target, selection, force: false, inline: false };
        let known = networks(&[pool]);
        let facts = Facts { networks: &known, landing, online, live: Vec::new() };
        let conversion = convert(&doc, &request, &facts).unwrap();
        let stops = conversion.warnings.iter().any(|w| w.stops && w.code.as_str() == "host-device");
        (conversion.barred.is_some(), stops)
    };
    let device = "<source><address type='pci' bus='1' slot='2' function='0'/></source>";
    for (source, kind) in [(device, "hostdev"), ("<source network='n'/>", "network")] {
        let bare = format!("<interface type='{kind}'>{source}</interface>");
        let chosen = format!("<interface type='{kind}'>{source}<model type='virtio'/></interface>");
        assert_eq!(of(&bare, true), (true, false), "{bare}");
        assert_eq!(of(&bare, false), (true, false), "{bare}");
        assert_eq!(of(&chosen, true), (true, false), "{chosen}");
        assert_eq!(of(&chosen, false), (false, true), "{chosen}");
    }
}
