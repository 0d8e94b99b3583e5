//! Networks by the dice.

use std::net::IpAddr;

use ipnet::IpNet;
use kvmnet::net::{Ask, Mode, Surroundings, Taken, resolve, satisfies, set_mode, xml};
use kvmnet::xml::Doc;
use proptest::prelude::*;

use super::{asks, host, read};

fn meet(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Prefixes where free subnets are looked for, of all sizes.
fn taken() -> impl Strategy<Value = Vec<IpNet>> {
    let place = prop_oneof![
        (0u32..=0xffff).prop_map(|low| 0xc0a8_0000 + low),
        (0u32..=0xf_ffff).prop_map(|low| 0xac10_0000 + low),
        (0u32..=0xff_ffff).prop_map(|low| 0x0a00_0000 + low),
    ];
    let net = (place, 0u8..=32).prop_map(|(at, prefix)| IpNet::new(IpAddr::V4(at.into()), prefix).unwrap());
    prop::collection::vec(net, 0..60)
}

proptest! {
    #[test]
    fn a_chosen_subnet_overlaps_nothing(nets in taken(), six in 0u8..3) {
        let as_taken = |net: &IpNet| Taken { net: *net, by: "a route".into(), dev: None, is_followed: true };
        let around = Surroundings { taken: nets.iter().map(as_taken).collect(), ..host() };
        let mut ask = Ask::new(Mode::Nat);
        if six > 0 {
            ask.subnet_pools = vec!["fd00:9::/56".parse().unwrap(), "172.16.0.0/12".parse().unwrap()];
        }
        match resolve(&ask, &around) {
            Ok(made) => {
                prop_assert_eq!(&made, &resolve(&ask, &around).unwrap(), "the same every time");
                for subnet in &made.spec.subnets {
                    let host = around.taken.iter().filter(|t| t.net.prefix_len() > 1).map(|t| t.net);
                    let networks = around.networks.iter().flat_map(|n| &n.addresses).map(|a| a.ip);
                    for other in host.chain(networks) {
                        prop_assert!(!meet(subnet.ip, other), "{} and {}", subnet.ip, other);
                    }
                }
                // And what was chosen may be asked for.
                let IpNet::V4(net) = made.spec.subnet4().unwrap().ip else { panic!() };
                let asked = Ask { subnet: Some(net), ..Ask::new(Mode::Nat) };
                prop_assert!(resolve(&asked, &around).is_ok());
            }
            Err(fault) => prop_assert_eq!(fault.flag, "--subnet-pool"),
        }
    }

    /// From any definition of kvmnet's to any other, on foot: each step gives what was asked, a second time nothing.
    #[test]
    fn a_walk_through_the_modes(steps in prop::collection::vec(0usize..19, 1..6), quote in any::<bool>(), crlf in any::<bool>()) {
        let asks = asks();
        let around = host();
        let (first, rest) = steps.split_first().unwrap();
        let mut text = xml(&resolve(&asks[first % asks.len()].1, &around).unwrap().spec);
        if quote {
            text = text.replace('\'', "\"");
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        for step in rest {
            let (name, ask) = &asks[step % asks.len()];
            let doc = Doc::parse(&text).unwrap();
            let edits = set_mode(&doc, ask, &around, &mut Vec::new()).map_err(|f| TestCaseError::fail(format!("{name}: {f}\n{text}")))?;
            let new = edits.apply(&text);
            prop_assert_eq!(edits.invert(&text).apply(&new), text.clone());
            let network = read(&new);
            prop_assert_eq!(network.mode.as_str(), ask.mode.as_str());
            prop_assert!(satisfies(&network, ask), "{}\n{}", name, new);
            prop_assert!(set_mode(&Doc::parse(&new).unwrap(), ask, &around, &mut Vec::new()).unwrap().is_empty());
            let foreign = if quote { '\'' } else { '"' };
            prop_assert!(!new.contains(foreign), "quotes as around\n{}", new);
            prop_assert_eq!(new.matches('\n').count(), if crlf { new.matches("\r\n").count() } else { new.matches('\n').count() });
            prop_assert!(new.lines().all(|line| !line.trim().is_empty()), "no hole\n{}", new);
            text = new;
        }
    }
}

/// Definitions that kvmnet doesn't write.
const OTHERS: &[&str] = &[
    "<network ipv6='yes'>\n  <name>very</name>\n  <bridge name='virbr9' stp='off' delay='2' zone='z'/>\n</network>",
    "<network>\n  <name>two</name>\n  <forward/>\n  <bridge name='virbr9' macTableManager='libvirt'/>\n  <dns enable='no'/>\n  \
     <bandwidth>\n    <inbound average='9'/>\n  </bandwidth>\n  <ip address='172.21.0.1' prefix='24'>\n    <tftp root='/t'/>\n    \
     <dhcp>\n      <bootp file='x'/>\n    </dhcp>\n  </ip>\n  <ip address='172.22.0.1'/>\n  \
     <ip family='ipv6' address='fd00:7::1' prefix='64'>\n    <dhcp>\n      <range start='fd00:7::5' end='fd00:7::9'/>\n      \
     <host id='0:3:0:1:52:54:0:0:0:1' ip='fd00:7::7'/>\n    </dhcp>\n  </ip>\n  \
     <route family='ipv6' address='fd00:8::' prefix='64' gateway='fd00:7::2'/>\n</network>",
    "<network>\n  <name>sriov</name>\n  <forward mode='hostdev' managed='yes'>\n    <driver name='vfio'/>\n    <pf dev='eth0'/>\n  \
     </forward>\n  <vlan>\n    <tag id='7'/>\n  </vlan>\n</network>",
    "<network>\n  <name>vepa</name>\n  <forward mode='vepa' dev='eth0'>\n    <interface dev='eth0'/>\n  </forward>\n  \
     <virtualport type='802.1Qbh'>\n    <parameters profileid='p'/>\n  </virtualport>\n</network>",
    "<network>\n  <name>ovs</name>\n  <forward mode='bridge'/>\n  <bridge name='ovs0'/>\n  <virtualport type='openvswitch'/>\n  \
     <portgroup name='servers' default='yes'>\n    <vlan trunk='yes'>\n      <tag id='10'/>\n      <tag id='11'/>\n    </vlan>\n  \
     </portgroup>\n</network>",
];

#[test]
fn every_change_validates() {
    let around = host();
    let mut results = Vec::new();
    let made = asks().into_iter().map(|(_, first)| xml(&resolve(&first, &around).unwrap().spec));
    for text in made.chain(OTHERS.iter().map(ToString::to_string)) {
        for (to, ask) in asks() {
            let edits = set_mode(&Doc::parse(&text).unwrap(), &ask, &around, &mut Vec::new())
                .unwrap_or_else(|f| panic!("{f}"));
            let new = edits.apply(&text);
            assert!(satisfies(&read(&new), &ask));
            assert!(new.lines().all(|line| !line.trim().is_empty()), "no hole\n{new}");
            results.push((format!("{text}\nto {to}"), new));
        }
    }
    super::schema::validate("network", &results);
    super::libvirt::defines(&results);
}
