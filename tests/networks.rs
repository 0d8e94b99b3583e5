//! Networks from what was typed to a definition, and from one mode to another: libvirt's own schema and its parser have the
//! last word on every text that comes out.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skip must be heard"
)]

#[path = "networks/change.rs"]
mod change;
#[path = "networks/dice.rs"]
mod dice;
#[path = "networks/libvirt.rs"]
mod libvirt;
#[path = "rules/schema.rs"]
mod schema;

use kvmnet::model::Network;
use kvmnet::net::{Ask, Family, HostDevice, Mode, Resolved, Surroundings, Taken, resolve, satisfies, xml};
use kvmnet::xml::Doc;

pub(crate) fn read(text: &str) -> Network {
    Network::read(&Doc::parse(text).unwrap()).unwrap()
}

pub(crate) fn ask(mode: Mode, change: impl FnOnce(&mut Ask)) -> Ask {
    let mut ask = Ask::new(mode);
    change(&mut ask);
    ask
}

/// A host with an uplink, bridges of all kinds, and network 'default'.
pub(crate) fn host() -> Surroundings {
    let device = |name: &str| HostDevice { name: name.into(), ..HostDevice::default() };
    let taken = |net: &str, by: &str, dev: &str| Taken {
        net: net.parse().unwrap(),
        by: by.into(),
        dev: Some(dev.into()),
        is_followed: true,
    };
    Surroundings {
        taken: vec![
            taken("0.0.0.0/0", "the default route via eth0", "eth0"),
            taken("203.0.113.7/24", "an address of eth0", "eth0"),
            taken("10.0.0.0/8", "the route to 10.0.0.0/8 via tun0", "tun0"),
            taken("192.168.122.1/24", "an address of virbr0", "virbr0"),
            taken("fd00:9::1/64", "an address of eth0", "eth0"),
        ],
        devices: Some(vec![
            device("lo"),
            device("eth0"),
            device("eth1"),
            HostDevice { is_wireless: true, ..device("wlan0") },
            HostDevice { is_bridge: true, altnames: vec!["virbr2".into(), "lan".into()], ..device("br0") },
            HostDevice { master: Some("br0".into()), ..device("enp4s0") },
            HostDevice { is_bond: true, ..device("bond0") },
            HostDevice { master: Some("bond0".into()), ..device("eno1") },
            HostDevice { master: Some("vrf7".into()), ..device("eno2") },
            device("vrf7"),
            HostDevice { is_open_vswitch: true, ..device("ovs-system") },
            HostDevice { master: Some("ovs-system".into()), ..device("eno3") },
            HostDevice { is_bridge: true, filters_vlans: true, ..device("br1") },
            HostDevice { is_open_vswitch: true, ..device("ovs0") },
            HostDevice { is_bridge: true, ..device("virbr0") },
        ]),
        defaults: vec![(Family::V4, "eth0".into())],
        networks: vec![
            read(
                "<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>\
                 <ip address='192.168.122.1' netmask='255.255.255.0'/></network>",
            ),
            read(
                "<network><name>nat</name><forward mode='nat'/><bridge name='virbr1'/>\
                 <ip address='192.168.123.1' netmask='255.255.255.0'/></network>",
            ),
        ],
        made: vec!["virbr0".into()],
        ..Surroundings::default()
    }
}

fn made(ask: &Ask) -> Resolved {
    resolve(ask, &host()).unwrap_or_else(|f| panic!("{f} ({})", f.help))
}

#[test]
fn a_nat_network_with_nothing_said() {
    let made = made(&Ask::new(Mode::Nat));
    assert_eq!(
        xml(&made.spec),
        "<network>\n  <name>nat-2</name>\n  <forward mode='nat'/>\n  <bridge name='virbr3' stp='on' delay='0'/>\n  \
         <ip address='192.168.124.1' netmask='255.255.255.0'>\n    <dhcp>\n      \
         <range start='192.168.124.2' end='192.168.124.254'/>\n    </dhcp>\n  </ip>\n</network>\n"
    );
    assert_eq!(made.why.len(), 3, "name, bridge and subnet: {:?}", made.why);
    assert!(made.why[2].contains("192.168.124.0/24"));
    for (why, passed) in made.why.iter().zip([
        "taken: nat",
        "taken: virbr0 (network 'default'), virbr1 (network 'nat'), virbr2 (br0)",
        "taken: 192.168.122.0/24 (network 'default'), 192.168.123.0/24 (network 'nat')",
    ]) {
        assert!(why.ends_with(passed), "{why}");
    }
    let six =
        resolve(&ask(Mode::Nat, |a| a.subnet6 = Some("fd00::/16".parse().unwrap())), &host()).unwrap_err();
    assert!(six.help.contains("--subnet-pool"), "nothing is chosen without one: {}", six.help);
}

#[test]
fn a_network_that_doesnt_run_hasnt_made_the_bridge_that_is_there() {
    let mut host = host();
    let typo = "<network><name>typo</name><forward mode='nat'/><bridge name='br1'/>\
                <ip address='10.1.0.1' netmask='255.255.0.0'/></network>";
    host.networks.push(read(typo));
    let bridge = || ask(Mode::Bridge, |a| a.bridge = Some("br1".parse().unwrap()));
    assert!(xml(&resolve(&bridge(), &host).unwrap().spec).contains("<bridge name='br1'/>"));
    let through = ask(Mode::Nat, |a| a.devs = vec!["br1".parse().unwrap()]);
    resolve(&through, &host).unwrap();
    // The way out of the mistake.
    let doc = Doc::parse(typo).unwrap();
    let edits = kvmnet::net::set_mode(&doc, &bridge(), &host, &mut Vec::new()).unwrap();
    assert!(edits.apply(typo).contains("<forward mode='bridge'/><bridge name='br1'/>"));
    host.made.push("br1".into());
    assert!(resolve(&bridge(), &host).unwrap_err().message.contains("virtual bridge of network 'typo'"));
    assert!(kvmnet::net::set_mode(&doc, &bridge(), &host, &mut Vec::new()).is_err());
}

#[test]
fn where_the_hosts_devices_cant_be_seen_libvirt_names_the_bridge() {
    let there = Surroundings { is_elsewhere: true, devices: None, taken: Vec::new(), ..host() };
    let made = resolve(&Ask::new(Mode::Nat), &there).unwrap();
    assert_eq!(made.spec.bridge, None);
    assert!(!xml(&made.spec).contains("<bridge"), "{}", xml(&made.spec));
    assert!(made.why[1].starts_with("bridge: libvirt chooses its name"), "{:?}", made.why);
    let bridged = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";
    let doc = Doc::parse(bridged).unwrap();
    let edits = kvmnet::net::set_mode(&doc, &Ask::new(Mode::Open), &there, &mut Vec::new()).unwrap();
    assert!(!edits.apply(bridged).contains("br0"), "{}", edits.apply(bridged));
}

#[test]
fn a_network_with_everything() {
    let made = made(&ask(Mode::Nat, |a| {
        a.name = Some("lab & more".into());
        a.subnet = Some("172.30.0.5/24".parse().unwrap());
        a.subnet6 = Some("fd00:1::/64".parse().unwrap());
        a.dhcp = vec![("172.30.0.100".parse().unwrap(), "172.30.0.200".parse().unwrap())];
        a.hosts =
            vec!["52:54:00:00:00:01,172.30.0.9,web".parse().unwrap(), "-,fd00:1::9,web".parse().unwrap()];
        a.devs = vec!["eth0".parse().unwrap()];
        a.bridge = Some("lab0".parse().unwrap());
        a.domain = Some("lab.example".into());
        a.mtu = Some(1400);
        a.dns_hosts = vec![("172.30.0.9".parse().unwrap(), vec!["www".into(), "web.lab.example".into()])];
        a.forwarders = vec![
            (Some("corp.example".into()), "10.1.1.1".parse().unwrap()),
            (None, "9.9.9.9".parse().unwrap()),
        ];
        a.nat_ports = Some((2000, 3000));
        a.nat_addresses = Some(("203.0.113.8".parse().unwrap(), "203.0.113.9".parse().unwrap()));
        a.portgroups = vec!["a,default".parse().unwrap(), "b".parse().unwrap()];
    }));
    assert_eq!(
        xml(&made.spec),
        "<network>
  <name>lab &amp; more</name>
  <forward mode='nat' dev='eth0'>
    <nat ipv6='yes'>
      <address start='203.0.113.8' end='203.0.113.9'/>
      <port start='2000' end='3000'/>
    </nat>
  </forward>
  <bridge name='lab0' stp='on' delay='0'/>
  <mtu size='1400'/>
  <domain name='lab.example'/>
  <dns>
    <forwarder domain='corp.example' addr='10.1.1.1'/>
    <forwarder addr='9.9.9.9'/>
    <host ip='172.30.0.9'>
      <hostname>www</hostname>
      <hostname>web.lab.example</hostname>
    </host>
  </dns>
  <ip address='172.30.0.5' netmask='255.255.255.0'>
    <dhcp>
      <range start='172.30.0.100' end='172.30.0.200'/>
      <host mac='52:54:00:00:00:01' name='web' ip='172.30.0.9'/>
    </dhcp>
  </ip>
  <ip family='ipv6' address='fd00:1::1' prefix='64'>
    <dhcp>
      <host name='web' ip='fd00:1::9'/>
    </dhcp>
  </ip>
  <portgroup name='a' default='yes'/>
  <portgroup name='b'/>
</network>
"
    );
}

/// What a user might type, by name.
pub(crate) fn asks() -> Vec<(&'static str, Ask)> {
    let br = |name: &str| Some(name.parse().unwrap());
    vec![
        ("isolated", Ask::new(Mode::Isolated)),
        ("isolated-host", ask(Mode::Isolated, |a| a.host_access = true)),
        ("nat", Ask::new(Mode::Nat)),
        ("nat-6", ask(Mode::Nat, |a| a.subnet6 = Some("fd00:2::/64".parse().unwrap()))),
        ("nat-dev", ask(Mode::Nat, |a| a.devs = vec!["eth1".parse().unwrap()])),
        ("nat-ports", ask(Mode::Nat, |a| a.nat_ports = Some((5000, 6000)))),
        ("nat-subnet", ask(Mode::Nat, |a| a.subnet = Some("172.29.0.0/23".parse().unwrap()))),
        ("route", Ask::new(Mode::Route)),
        ("route-dev", ask(Mode::Route, |a| a.devs = vec!["eth0".parse().unwrap()])),
        ("route-no-dhcp", ask(Mode::Route, |a| a.no_dhcp = true)),
        ("open", Ask::new(Mode::Open)),
        ("open-no-dns", ask(Mode::Open, |a| a.no_dns = true)),
        ("open-domain", ask(Mode::Open, |a| (a.domain, a.mtu) = (Some("x.example".into()), Some(9000)))),
        ("bridge", ask(Mode::Bridge, |a| a.bridge = br("br0"))),
        (
            "bridge-vlan",
            ask(Mode::Bridge, |a| {
                a.bridge = br("br1");
                a.portgroups =
                    vec!["servers,vlan=10,default".parse().unwrap(), "guests,vlan=20".parse().unwrap()];
            }),
        ),
        (
            "bridge-ovs",
            ask(Mode::Bridge, |a| {
                a.bridge = br("ovs0");
                a.portgroups = vec!["servers,vlan=10".parse().unwrap()];
            }),
        ),
        ("pool", ask(Mode::Bridge, |a| a.pool = vec!["eth0".parse().unwrap(), "eth1".parse().unwrap()])),
        (
            "pools",
            ask(Mode::Nat, |a| {
                a.subnet_pools = vec!["172.20.0.0/16".parse().unwrap(), "fd00:5::/48".parse().unwrap()];
            }),
        ),
        (
            "dns",
            ask(Mode::Nat, |a| {
                a.dns_hosts = vec![("192.168.1.9".parse().unwrap(), vec!["www".into()])];
                a.forwarders = vec![(None, "9.9.9.9".parse().unwrap())];
            }),
        ),
    ]
}

#[test]
fn every_mode_is_what_was_asked_and_validates() {
    let mut results = Vec::new();
    for (name, ask) in asks() {
        let made = made(&ask);
        let text = xml(&made.spec);
        let network = read(&text);
        assert!(satisfies(&network, &ask), "{name}: {text}");
        assert_eq!(network.mode.as_str(), ask.mode.as_str());
        assert_eq!(network.name, made.spec.name);
        let found: Vec<_> = network.addresses.iter().map(|a| a.ip).collect();
        assert_eq!(found, made.spec.subnets.iter().map(|s| s.ip).collect::<Vec<_>>());
        results.push((name.to_string(), text));
    }
    let text = |name: &str| &results.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(
        text("isolated"),
        "<network>\n  <name>isolated</name>\n  <bridge name='virbr3' stp='on' delay='0'/>\n  <dns enable='no'/>\n</network>\n"
    );
    assert_eq!(
        text("bridge"),
        "<network>\n  <name>bridge</name>\n  <forward mode='bridge'/>\n  <bridge name='br0'/>\n</network>\n"
    );
    assert!(text("bridge-ovs").contains("<virtualport type='openvswitch'/>"));
    assert!(
        text("pool")
            .contains("<interface dev='eth0'/>\n    <interface dev='eth1'/>\n  </forward>\n</network>")
    );
    assert!(text("pools").contains("172.20.0.1") && text("pools").contains("fd00:5::1"));
    schema::validate("network", &results);
    libvirt::defines(&results);
}

#[test]
fn what_is_refused() {
    let nat = |change: fn(&mut Ask)| ask(Mode::Nat, change);
    let bridge = |change: fn(&mut Ask)| ask(Mode::Bridge, change);
    for (flag, reason, ask) in [
        ("NAME", "already", nat(|a| a.name = Some("default".into()))),
        ("NAME", "'/'", nat(|a| a.name = Some("a/b".into()))),
        ("NAME", "empty", nat(|a| a.name = Some(String::new()))),
        ("NAME", "file", nat(|a| a.name = Some("..".into()))),
        ("NAME", "\\n", nat(|a| a.name = Some("a\nb".into()))),
        ("NAME", "blank", nat(|a| a.name = Some(" a".into()))),
        ("NAME", "240", nat(|a| a.name = Some("a".repeat(300)))),
        ("--bridge", "delete that device", nat(|a| a.bridge = Some("br0".parse().unwrap()))),
        ("--bridge", "delete that device", nat(|a| a.bridge = Some("eth1".parse().unwrap()))),
        ("--bridge", "another name of 'br0'", nat(|a| a.bridge = Some("virbr2".parse().unwrap()))),
        ("--bridge", "another name of 'br0'", bridge(|a| a.bridge = Some("lan".parse().unwrap()))),
        ("--dev", "another name of 'br0'", nat(|a| a.devs = vec!["lan".parse().unwrap()])),
        ("--pool", "another name of 'br0'", bridge(|a| a.pool = vec!["lan".parse().unwrap()])),
        ("--pool", "loopback", bridge(|a| a.pool = vec!["lo".parse().unwrap()])),
        ("--pool", "network 'default'", bridge(|a| a.pool = vec!["virbr0".parse().unwrap()])),
        ("--bridge", "guests' own devices", nat(|a| a.bridge = Some("vnet77".parse().unwrap()))),
        ("--host", "nobody's", nat(|a| a.hosts = vec!["00:00:00:00:00:00,192.168.124.9".parse().unwrap()])),
        ("--host", "group's", nat(|a| a.hosts = vec!["01:00:5e:00:00:01,192.168.124.9".parse().unwrap()])),
        ("--dns-forwarder", "one link", nat(|a| a.forwarders = vec![(None, "fe80::1".parse().unwrap())])),
        (
            "--dns-host",
            "twice",
            nat(|a| {
                a.dns_hosts = vec![("10.1.1.1".parse().unwrap(), vec!["a".into(), "b".into(), "a".into()])];
            }),
        ),
        (
            "--subnet-pool",
            "--subnet can't both be",
            nat(|a| {
                a.subnet = Some("172.20.0.0/24".parse().unwrap());
                a.subnet_pools = vec!["172.16.0.0/12".parse().unwrap()];
            }),
        ),
        ("--bridge", "network 'nat'", nat(|a| a.bridge = Some("virbr1".parse().unwrap()))),
        ("--bridge", "schema", nat(|a| a.bridge = Some("virbr%d".parse().unwrap()))),
        ("--bridge", "kernel", nat(|a| a.bridge = Some("all".parse().unwrap()))),
        ("--bridge", "missing", bridge(|_| {})),
        ("--bridge", "doesn't exist", bridge(|a| a.bridge = Some("br9".parse().unwrap()))),
        ("--bridge", "no bridge", bridge(|a| a.bridge = Some("eth0".parse().unwrap()))),
        ("--bridge", "network 'default'", bridge(|a| a.bridge = Some("virbr0".parse().unwrap()))),
        ("--pool", "twice", bridge(|a| a.pool = vec!["eth0".parse().unwrap(), "eth0".parse().unwrap()])),
        ("--pool", "Wi-Fi", bridge(|a| a.pool = vec!["wlan0".parse().unwrap()])),
        ("--pool", "doesn't exist", bridge(|a| a.pool = vec!["eth9".parse().unwrap()])),
        ("--dev", "doesn't exist", nat(|a| a.devs = vec!["eth9".parse().unwrap()])),
        ("--dev", "loopback", nat(|a| a.devs = vec!["lo".parse().unwrap()])),
        ("--dev", "network 'default'", nat(|a| a.devs = vec!["virbr0".parse().unwrap()])),
        ("--dev", "port of 'br0'", nat(|a| a.devs = vec!["enp4s0".parse().unwrap()])),
        ("--dev", "port of 'bond0'", nat(|a| a.devs = vec!["eno1".parse().unwrap()])),
        (
            "--subnet",
            "route to 10.0.0.0/8 via tun0",
            nat(|a| a.subnet = Some("10.20.0.0/24".parse().unwrap())),
        ),
        ("--subnet", "network 'nat'", nat(|a| a.subnet = Some("192.168.123.128/25".parse().unwrap()))),
        ("--subnet", "virbr0", nat(|a| a.subnet = Some("192.168.0.0/16".parse().unwrap()))),
        ("--subnet", "too small", nat(|a| a.subnet = Some("172.20.0.0/31".parse().unwrap()))),
        ("--subnet", "too large", nat(|a| a.subnet = Some("172.0.0.0/7".parse().unwrap()))),
        ("--subnet", "broadcast", nat(|a| a.subnet = Some("172.20.0.255/24".parse().unwrap()))),
        ("--subnet", "loopback", nat(|a| a.subnet = Some("127.1.0.0/24".parse().unwrap()))),
        ("--subnet", "multicast", nat(|a| a.subnet = Some("239.1.0.0/24".parse().unwrap()))),
        ("--subnet", "link-local", nat(|a| a.subnet = Some("169.254.0.0/16".parse().unwrap()))),
        ("--subnet", "this network", nat(|a| a.subnet = Some("0.0.0.0/8".parse().unwrap()))),
        ("--subnet6", "link-local", nat(|a| a.subnet6 = Some("fe80::/64".parse().unwrap()))),
        ("--subnet6", "eth0", nat(|a| a.subnet6 = Some("fd00::/16".parse().unwrap()))),
        ("--subnet6", "too small", nat(|a| a.subnet6 = Some("fd01::/127".parse().unwrap()))),
        ("--subnet-pool", "loopback", nat(|a| a.subnet_pools = vec!["127.0.0.0/8".parse().unwrap()])),
        (
            "--subnet-pool",
            "no free subnet",
            nat(|a| a.subnet_pools = vec!["192.168.122.0/23".parse().unwrap()]),
        ),
        ("--mtu", "65535", nat(|a| a.mtu = Some(65536))),
        ("--mtu", "68", nat(|a| a.mtu = Some(67))),
        ("--mtu", "1280", nat(|a| (a.mtu, a.subnet6) = (Some(1279), Some("fd00:1::/64".parse().unwrap())))),
        ("--domain", "'_'", nat(|a| a.domain = Some("a_b".into()))),
        ("--nat-ports", "reversed", nat(|a| a.nat_ports = Some((9, 8)))),
        ("--nat-ports", "port 0", nat(|a| a.nat_ports = Some((0, 8)))),
        (
            "--nat-addresses",
            "reversed",
            nat(|a| a.nat_addresses = Some(("9.0.0.2".parse().unwrap(), "9.0.0.1".parse().unwrap()))),
        ),
        (
            "--nat-addresses",
            "subnet",
            nat(|a| {
                a.nat_addresses = Some(("192.168.124.2".parse().unwrap(), "192.168.124.3".parse().unwrap()));
            }),
        ),
        ("--dns-forwarder", "itself", nat(|a| a.forwarders = vec![(None, "192.168.124.1".parse().unwrap())])),
        ("--dns-host", "no name", nat(|a| a.dns_hosts = vec![("1.2.3.4".parse().unwrap(), Vec::new())])),
        ("--portgroup", "twice", nat(|a| a.portgroups = vec!["a".parse().unwrap(), "a".parse().unwrap()])),
        (
            "--portgroup",
            "both",
            nat(|a| a.portgroups = vec!["a,default".parse().unwrap(), "b,default".parse().unwrap()]),
        ),
        ("--portgroup", "mode bridge", nat(|a| a.portgroups = vec!["a,vlan=5".parse().unwrap()])),
        (
            "--portgroup",
            "filter",
            bridge(|a| {
                (a.bridge, a.portgroups) = (Some("br0".parse().unwrap()), vec!["a,vlan=5".parse().unwrap()]);
            }),
        ),
    ] {
        let fault = resolve(&ask, &host()).expect_err(reason);
        assert_eq!(fault.flag, flag, "{fault}");
        assert!(fault.message.contains(reason) && fault.message.contains(flag), "{reason}: {fault}");
        assert!(!fault.help.is_empty() && kvmnet::net::FLAGS.contains(&fault.flag));
    }
}

#[test]
fn a_device_to_forward_through_is_where_packets_leave() {
    let dev = |name: &str| ask(Mode::Route, |a| a.devs = vec![name.parse().unwrap()]);
    for (name, instead) in [("enp4s0", "--dev br0"), ("eno1", "--dev bond0"), ("eno3", "iface-to-br")] {
        let fault = resolve(&dev(name), &host()).unwrap_err();
        assert!(fault.help.contains(instead), "{fault} ({})", fault.help);
    }
    // The bridge itself; a NIC with an address of its own; one in a VRF, where packets leave by the NIC all the same.
    for name in ["br0", "bond0", "eth0", "eno2"] {
        assert_eq!(made(&dev(name)).spec.dev.unwrap().as_str(), name);
    }
}

#[test]
fn a_host_that_cant_be_seen() {
    let far = Surroundings { devices: None, ..host() };
    let bridge = ask(Mode::Bridge, |a| a.bridge = Some("br9".parse().unwrap()));
    assert!(resolve(&bridge, &far).is_ok());
    assert!(resolve(&ask(Mode::Nat, |a| a.devs = vec!["eth9".parse().unwrap()]), &far).is_ok());
}
