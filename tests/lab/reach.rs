//! Networks of every mode, and whether what kvmnet says of them is true: who reaches whom, measured from real endpoints.

use serde_json::Value;

use crate::lab::Lab;

/// The LAN's IPv6 network, which the lab has none of by itself: router `::1`, host `::4`.
const LAN6: &str = "fd00:18::";

/// Something plugged into a bridge, in a network namespace of its own.
struct Endpoint<'a> {
    lab: &'a Lab,
    name: &'static str,
}

impl<'a> Endpoint<'a> {
    /// Plugs it in, with these addresses (of which the first of each family leads to its gateway, if there is one).
    fn new(lab: &'a Lab, name: &'static str, bridge: &str, addresses: &[&str], gateways: &[&str]) -> Self {
        let ip = |words: &str| lab.lan(&["sh", "-c", &format!("ip {words}")]).ok();
        ip(&format!("netns add {name}"));
        ip(&format!("-n host link add tap-{name} type veth peer name eth0 netns {name}"));
        ip(&format!("-n host link set tap-{name} master {bridge} up"));
        ip(&format!("-n {name} link set lo up"));
        // Without duplicate address detection, which takes a second, the address can be used at once.
        lab.lan(&[
            "ip",
            "netns",
            "exec",
            name,
            "sh",
            "-c",
            "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad",
        ])
        .ok();
        ip(&format!("-n {name} link set eth0 up"));
        for address in addresses {
            ip(&format!("-n {name} addr add {address} dev eth0"));
        }
        for gateway in gateways {
            let family = if gateway.contains(':') { "-6 " } else { "" };
            ip(&format!("-n {name} {family}route add default via {gateway}"));
        }
        Endpoint { lab, name }
    }

    fn reaches(&self, ip: &str, patience: u32) -> bool {
        pings(|argv| self.lab.lan(&[&["ip", "netns", "exec", self.name], argv].concat()).code, ip, patience)
    }
}

impl Drop for Endpoint<'_> {
    fn drop(&mut self) {
        self.lab.lan(&["ip", "-n", "host", "link", "del", &format!("tap-{}", self.name)]);
        self.lab.lan(&["ip", "netns", "del", self.name]);
    }
}

/// Whether `ip` answers one of up to `patience` pings, a second each.
fn pings(run: impl Fn(&[&str]) -> i32, ip: &str, patience: u32) -> bool {
    (0..patience).any(|_| run(&["ping", "-n", "-q", "-c1", "-W1", ip]) == 0)
}

/// A libvirt bridge with STP passes nothing for its first four seconds.
const PATIENCE: u32 = 8;

/// The addresses of one family: both guests', the host's as they see it, and one on the LAN.
struct Family {
    name: &'static str,
    guests: [&'static str; 2],
    host: &'static str,
    lan: &'static str,
}

fn family(name: &'static str, guests: [&'static str; 2], host: &'static str, lan: &'static str) -> Family {
    Family { name, guests, host, lan }
}

/// Two guests that are on the LAN.
fn on_lan() -> [Family; 2] {
    [
        family("IPv4", ["198.18.0.50", "198.18.0.51"], "198.18.0.4", "198.18.0.9"),
        family("IPv6", ["fd00:18::50", "fd00:18::51"], "fd00:18::4", "fd00:18::1"),
    ]
}

/// Measures every cell that kvmnet printed, and insists that it is as said.
fn measured(lab: &Lab, said: &Value, a: &Endpoint<'_>, families: &[Family]) {
    let name = &said["network"]["name"];
    for family in families {
        let cell = |from: &str, to: &str| {
            let cells = said["reachability"].as_array().unwrap();
            let found =
                cells.iter().find(|c| c["from"] == from && c["to"] == to && c["family"] == family.name);
            found.unwrap_or_else(|| panic!("{name}: nothing is said of {from} → {to}, {}", family.name))["allowed"]
                .as_bool()
                .unwrap()
        };
        let [own, other] = family.guests;
        // Once this goes, the bridge lets frames through, and what doesn't answer won't.
        assert_eq!(
            a.reaches(other, PATIENCE),
            cell("guest", "guest"),
            "{name}: guest → guest, {}",
            family.name
        );
        let from_host = |argv: &[&str]| lab.host(argv).code;
        let from_lan = |argv: &[&str]| lab.lan(argv).code;
        // What should answer may take its time (addresses are looked for, routers solicited).
        let patience = |from, to| if cell(from, to) { PATIENCE } else { 2 };
        for (from, to, reached) in [
            ("host", "guest", pings(from_host, own, patience("host", "guest"))),
            ("guest", "host", a.reaches(family.host, patience("guest", "host"))),
            ("guest", "LAN", a.reaches(family.lan, patience("guest", "LAN"))),
            ("LAN", "guest", pings(from_lan, own, patience("LAN", "guest"))),
        ] {
            assert_eq!(reached, cell(from, to), "{name}: {from} → {to}, {}", family.name);
        }
    }
}

/// A lab whose LAN has IPv6, and routes to the networks of the tests.
fn lab() -> Option<Lab> {
    Lab::start().map(with_six)
}

fn with_six(lab: Lab) -> Lab {
    for line in [
        format!("ip addr add {LAN6}1/64 dev swlan nodad"),
        format!("ip -n host addr add {LAN6}4/64 dev br0 nodad"),
        format!("ip -n host -6 route add default via {LAN6}1"),
        "ip route add 10.50.0.0/16 via 198.18.0.4".into(),
        format!("ip -6 route add fd50::/16 via {LAN6}4"),
    ] {
        lab.lan(&["sh", "-c", &line]).ok();
    }
    lab
}

fn create(lab: &Lab, args: &[&str]) -> Value {
    let said = lab.kvmnet(&[&["-o", "json", "net", "create"], args].concat()).ok().json();
    let name = said["network"]["name"].as_str().unwrap();
    let xml = lab.virsh(&["net-dumpxml", "--inactive", name]);
    let file = lab.file("dumped.xml", &xml);
    lab.host(&["virt-xml-validate", &file, "network"]).ok();
    assert_eq!((&said["network"]["active"], &said["network"]["autostart"]), (&true.into(), &true.into()));
    said
}

#[test]
fn routed_modes_reach_whom_they_say() {
    let Some(lab) = lab() else { return };
    routed_modes(&lab);
}

#[test]
fn with_nftables_networks_reach_whom_they_say_too() {
    let Some(lab) = Lab::start_with_nftables().map(with_six) else { return };
    routed_modes(&lab);
    isolated(&lab);
    let shown = lab.kvmnet(&["-o", "json", "net", "show", "default"]).ok().json();
    let rules = shown["network"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["tool"] == "nft"), "{shown}");
}

fn routed_modes(lab: &Lab) {
    for (mode, dev) in [("nat", None), ("route", Some("br0")), ("open", None)] {
        let mut args = vec!["--mode", mode, "--subnet", "10.50.1.0/24", "--subnet6", "fd50:0:0:1::/64"];
        args.extend(dev.iter().flat_map(|dev| ["--dev", dev]));
        let said = create(lab, &args);
        let bridge = said["network"]["bridge"].as_str().unwrap().to_string();
        let gateways = ["10.50.1.1", "fd50:0:0:1::1"];
        let a = Endpoint::new(lab, "a", &bridge, &["10.50.1.10/24", "fd50:0:0:1::10/64"], &gateways);
        let _b = Endpoint::new(lab, "b", &bridge, &["10.50.1.11/24", "fd50:0:0:1::11/64"], &gateways);
        let families = [
            family("IPv4", ["10.50.1.10", "10.50.1.11"], "10.50.1.1", "198.18.0.9"),
            family("IPv6", ["fd50:0:0:1::10", "fd50:0:0:1::11"], "fd50:0:0:1::1", "fd00:18::1"),
        ];
        measured(lab, &said, &a, &families);
        let notes = said["notes"].to_string();
        assert_eq!(notes.contains("static route"), mode != "nat", "{mode}: {notes}");
        lab.kvmnet(&["net", "delete", mode, "-y"]).ok();
        assert_ne!(lab.host(&["ip", "link", "show", "dev", &bridge]).code, 0, "the bridge is left");
    }
}

#[test]
fn a_device_to_forward_through_is_one_that_packets_leave_by() {
    let Some(lab) = lab() else { return };
    for mode in ["nat", "route"] {
        let refused = |dev: &str| lab.kvmnet(&["net", "create", "--mode", mode, "--dev", dev]).exits(2);
        refused("enp4s0").says(&["--dev 'enp4s0' is a port of 'br0'", "help: --dev br0"]);
        refused("lo").says(&["loopback"]);
        refused("virbr0").says(&["virtual bridge of network 'default'"]);
    }
    let args = ["--mode", "nat", "--subnet", "10.50.3.0/24", "--dev", "br0"];
    let said = create(&lab, &args);
    let bridge = said["network"]["bridge"].as_str().unwrap();
    let a = Endpoint::new(&lab, "a", bridge, &["10.50.3.10/24"], &["10.50.3.1"]);
    let _b = Endpoint::new(&lab, "b", bridge, &["10.50.3.11/24"], &["10.50.3.1"]);
    measured(&lab, &said, &a, &[family("IPv4", ["10.50.3.10", "10.50.3.11"], "10.50.3.1", "198.18.0.9")]);
    lab.kvmnet(&["net", "set-mode", "nat", "--mode", "route", "--dev", "enp4s0", "-y"])
        .exits(2)
        .says(&["--dev br0"]);

    // As the help has it, on a host whose NIC is nobody's port.
    lab.host(&["ip", "link", "set", "enp4s0", "nomaster"]).ok();
    lab.kvmnet(&["net", "create", "dmz", "--mode", "route", "--subnet", "10.20.0.0/24", "--dev", "enp4s0"])
        .ok();
}

#[test]
fn isolated_networks_reach_nobody_else() {
    let Some(lab) = lab() else { return };
    isolated(&lab);
}

fn isolated(lab: &Lab) {
    let said = create(lab, &["alone", "--mode", "isolated"]);
    let bridge = said["network"]["bridge"].as_str().unwrap();
    // Whatever a guest tries: it believes that the host is its gateway.
    let gateways = ["10.50.7.1", "fd50:0:0:7::1"];
    let a = Endpoint::new(lab, "a", bridge, &["10.50.7.10/24", "fd50:0:0:7::10/64"], &gateways);
    let b = Endpoint::new(lab, "b", bridge, &["10.50.7.11/24", "fd50:0:0:7::11/64"], &gateways);
    let families = [
        family("IPv4", ["10.50.7.10", "10.50.7.11"], "198.18.0.4", "198.18.0.9"),
        family("IPv6", ["fd50:0:0:7::10", "fd50:0:0:7::11"], "fd00:18::4", "fd00:18::1"),
    ];
    measured(lab, &said, &a, &families);
    drop((a, b));

    let args = [
        "hosted",
        "--mode",
        "isolated",
        "--host-access",
        "--subnet",
        "10.50.2.0/24",
        "--subnet6",
        "fd50:0:0:2::/64",
    ];
    let said = create(lab, &args);
    let bridge = said["network"]["bridge"].as_str().unwrap();
    let gateways = ["10.50.2.1", "fd50:0:0:2::1"];
    let a = Endpoint::new(lab, "a", bridge, &["10.50.2.10/24", "fd50:0:0:2::10/64"], &gateways);
    let _b = Endpoint::new(lab, "b", bridge, &["10.50.2.11/24", "fd50:0:0:2::11/64"], &gateways);
    let families = [
        family("IPv4", ["10.50.2.10", "10.50.2.11"], "10.50.2.1", "198.18.0.9"),
        family("IPv6", ["fd50:0:0:2::10", "fd50:0:0:2::11"], "fd50:0:0:2::1", "fd00:18::1"),
    ];
    measured(lab, &said, &a, &families);
}

#[test]
fn where_the_host_leads_nowhere_guests_dont_get_out() {
    // Its LAN has IPv6, and the host none but the link's own.
    let Some(lab) = Lab::start() else { return };
    lab.lan(&["sh", "-c", &format!("ip addr add {LAN6}1/64 dev swlan nodad")]).ok();
    lab.lan(&["sh", "-c", "ip route add 10.50.0.0/16 via 198.18.0.4"]).ok();
    // A route in a table that no rule looks up is no way.
    lab.host(&["ip", "-6", "route", "add", "fd99::/64", "dev", "br0", "table", "77"]).ok();
    for mode in ["nat", "route"] {
        let args = ["--mode", mode, "--subnet", "10.50.1.0/24", "--subnet6", "fd50:0:0:1::/64"];
        let said = create(&lab, &args);
        let bridge = said["network"]["bridge"].as_str().unwrap();
        let gateways = ["10.50.1.1", "fd50:0:0:1::1"];
        let a = Endpoint::new(&lab, "a", bridge, &["10.50.1.10/24", "fd50:0:0:1::10/64"], &gateways);
        let _b = Endpoint::new(&lab, "b", bridge, &["10.50.1.11/24", "fd50:0:0:1::11/64"], &gateways);
        let families = [
            family("IPv4", ["10.50.1.10", "10.50.1.11"], "10.50.1.1", "198.18.0.9"),
            family("IPv6", ["fd50:0:0:1::10", "fd50:0:0:1::11"], "fd50:0:0:1::1", "fd00:18::1"),
        ];
        measured(&lab, &said, &a, &families);
        assert!(said["reachability"].to_string().contains("no IPv6 route out"), "{said}");
        let route = "10.50.1.0/24 via 198.18.0.4 (ip route add";
        assert_eq!(said["notes"].to_string().contains(route), mode == "route", "{said}");
        lab.kvmnet(&["net", "show", mode]).ok().says(&["the host has no IPv6 route out"]);
        lab.kvmnet(&["net", "delete", mode, "-y"]).ok();
    }

    let said = create(&lab, &["--mode", "bridge", "--bridge", "br1"]);
    let a = Endpoint::new(&lab, "a", "br1", &["198.18.0.50/24", "fd00:18::50/64"], &["198.18.0.1"]);
    let b = Endpoint::new(&lab, "b", "br1", &["198.18.0.51/24", "fd00:18::51/64"], &["198.18.0.1"]);
    measured(&lab, &said, &a, &on_lan());
    assert!(said["notes"].to_string().contains("bridge 'br1' has no port that leads anywhere"), "{said}");
    drop((a, b));
    let said = create(&lab, &["--mode", "bridge", "--pool", "br1"]);
    assert!(said["notes"].to_string().contains("'br1' is a bridge that has no port"), "{said}");

    // What somebody else has tied to a port: libvirt takes it, and no packet comes through.
    let xml = "<network><name>tied</name><forward mode='nat' dev='enp4s0'/><bridge name='virbr9'/>\
               <ip address='10.50.5.1' netmask='255.255.255.0'/></network>";
    lab.network("tied", xml);
    lab.kvmnet(&["net", "show", "tied"]).ok().says(&["packets leave by 'br0'"]);
    let a = Endpoint::new(&lab, "a", "virbr9", &["10.50.5.10/24"], &["10.50.5.1"]);
    assert!(a.reaches("10.50.5.1", PATIENCE) && !a.reaches("198.18.0.9", 2));
}

/// What `net show` says, in the shape of what `net create` does.
fn shown(lab: &Lab, name: &str) -> Value {
    let said = lab.kvmnet(&["-o", "json", "net", "show", name]).ok().json();
    let network = &said["network"];
    serde_json::json!({ "network": network, "reachability": network["reachability"], "notes": network["notes"] })
}

#[test]
fn a_firewall_that_sees_bridges_frames_is_seen() {
    let Some(lab) = lab() else { return };
    let on_host = |line: &str| lab.host(&["sh", "-c", line]).ok();
    for tool in ["iptables", "ip6tables"] {
        on_host(&format!("echo 1 > /proc/sys/net/bridge/bridge-nf-call-{tool}"));
    }
    create(&lab, &["lan", "--mode", "bridge", "--bridge", "br0"]);
    let a = Endpoint::new(&lab, "a", "br0", &["198.18.0.50/24", "fd00:18::50/64"], &["198.18.0.1"]);
    let _b = Endpoint::new(&lab, "b", "br0", &["198.18.0.51/24", "fd00:18::51/64"], &["198.18.0.1"]);
    let families = on_lan();
    // As Docker leaves a host.
    on_host("iptables -P FORWARD DROP; ip6tables -P FORWARD DROP");
    let said = shown(&lab, "lan");
    assert!(said["reachability"].to_string().contains("the host's firewall drops"), "{said}");
    assert!(said["notes"].to_string().contains("iptables -I FORWARD -i br0 -o br0 -j ACCEPT"), "{said}");
    measured(&lab, &said, &a, &families);
    on_host("iptables -A FORWARD -i br0 -o br0 -j ACCEPT");
    let said = shown(&lab, "lan");
    assert!(!said["notes"].to_string().contains("iptables -I"), "{said}");
    assert!(said["notes"].to_string().contains("ip6tables -I FORWARD -i br0 -o br0 -j ACCEPT"), "{said}");
    measured(&lab, &said, &a, &families);
    for tool in ["iptables", "ip6tables"] {
        on_host(&format!("{tool} -F FORWARD; echo 0 > /proc/sys/net/bridge/bridge-nf-call-{tool}"));
    }
    measured(&lab, &shown(&lab, "lan"), &a, &families);
}

#[test]
fn what_was_changed_since_a_network_started_is_seen() {
    let Some(lab) = lab() else { return };
    let a = Endpoint::new(&lab, "a", "virbr0", &["192.168.122.10/24"], &["192.168.122.1"]);
    let _b = Endpoint::new(&lab, "b", "virbr0", &["192.168.122.11/24"], &["192.168.122.1"]);
    let families = [family("IPv4", ["192.168.122.10", "192.168.122.11"], "192.168.122.1", "198.18.0.9")];
    measured(&lab, &shown(&lab, "default"), &a, &families);
    lab.host(&["sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"]).ok();
    let said = shown(&lab, "default");
    assert!(said["notes"].to_string().contains("sysctl -w net.ipv4.ip_forward=1"), "{said}");
    measured(&lab, &said, &a, &families);
    // libvirt switches it on again with the next network that it starts.
    let dry = lab.kvmnet(&["-o", "json", "net", "create", "--mode", "nat", "--dry-run"]).ok().json();
    assert!(!dry.to_string().contains("ip_forward"), "{dry}");

    create(&lab, &["gone", "--mode", "bridge", "--bridge", "br1"]);
    lab.host(&["ip", "link", "del", "br1"]).ok();
    let said = shown(&lab, "gone");
    assert!(said["reachability"].as_array().unwrap().iter().all(|c| c["allowed"] == false), "{said}");
    assert!(said["notes"].to_string().contains("this host has no bridge 'br1'"), "{said}");
}

#[test]
fn a_bridge_that_is_down_carries_nothing() {
    let Some(lab) = lab() else { return };
    let a = Endpoint::new(&lab, "a", "br1", &["198.18.0.50/24", "fd00:18::50/64"], &["198.18.0.1"]);
    let _b = Endpoint::new(&lab, "b", "br1", &["198.18.0.51/24", "fd00:18::51/64"], &["198.18.0.1"]);
    lab.host(&["ip", "addr", "add", "198.18.0.5/24", "dev", "br1"]).ok();
    lab.host(&["ip", "link", "set", "br1", "down"]).ok();
    let said = create(&lab, &["lan", "--mode", "bridge", "--bridge", "br1"]);
    measured(&lab, &said, &a, &on_lan());
    let cells = shown(&lab, "lan")["reachability"].clone();
    for cell in cells.as_array().unwrap() {
        assert_eq!(cell["allowed"], false, "{cells}");
        assert!(cell["note"].to_string().contains("bridge 'br1' is administratively down"), "{cells}");
    }
    lab.host(&["ip", "link", "set", "br1", "up"]).ok();
    assert!(a.reaches("198.18.0.51", PATIENCE));
    assert_eq!(shown(&lab, "lan")["reachability"][0]["allowed"], true);
    // So it is of a bridge of libvirt's own.
    lab.host(&["ip", "link", "set", "virbr0", "down"]).ok();
    assert_eq!(shown(&lab, "default")["reachability"][0]["allowed"], false);
}

#[test]
fn a_default_route_by_a_bridge_without_a_cable_leads_nowhere() {
    let Some(lab) = lab() else { return };
    // The other end of the host's cable.
    lab.lan(&[
        "sh",
        "-c",
        "ip link set \"$(ip -o link show master swlan | awk -F'[ @:]+' 'NR==1 {print $2}')\" down",
    ])
    .ok();
    let said = create(&lab, &["--mode", "nat"]);
    let bridge = said["network"]["bridge"].as_str().unwrap();
    let (own, gateway) = ("192.168.123.50", "192.168.123.1");
    assert_eq!(said["network"]["subnet"], "192.168.123.0/24", "{said}");
    let a = Endpoint::new(&lab, "a", bridge, &["192.168.123.50/24"], &[gateway]);
    let _b = Endpoint::new(&lab, "b", bridge, &["192.168.123.51/24"], &[gateway]);
    measured(&lab, &said, &a, &[family("IPv4", [own, "192.168.123.51"], gateway, "198.18.0.9")]);
    let notes = said["reachability"].to_string();
    assert!(
        notes.contains("default route leaves by bridge 'br0', which has no port that leads anywhere"),
        "{notes}"
    );
}

#[test]
fn senders_that_arent_the_hosts_get_no_answers() {
    let Some(lab) = lab() else { return };
    let create = || {
        let args =
            ["--mode", "nat", "--subnet", "10.60.1.0/24", "--nat-addresses", "198.18.0.20-198.18.0.21"];
        create(&lab, &args)
    };
    let families = [family("IPv4", ["10.60.1.10", "10.60.1.11"], "10.60.1.1", "198.18.0.9")];
    let measure = |said: &Value, reached: bool| {
        let bridge = said["network"]["bridge"].as_str().unwrap();
        let a = Endpoint::new(&lab, "a", bridge, &["10.60.1.10/24"], &["10.60.1.1"]);
        let _b = Endpoint::new(&lab, "b", bridge, &["10.60.1.11/24"], &["10.60.1.1"]);
        measured(&lab, said, &a, &families);
        let told = said["reachability"].to_string().contains("unless the LAN sends the answers here");
        assert_eq!(told, !reached, "{said}");
        lab.kvmnet(&["net", "delete", "nat", "-y"]).ok();
    };
    measure(&create(), false);
    for address in ["198.18.0.20/24", "198.18.0.21/24"] {
        lab.host(&["ip", "addr", "add", address, "dev", "br0"]).ok();
    }
    measure(&create(), true);
}

#[test]
fn a_bridged_network_is_the_lan() {
    let Some(lab) = lab() else { return };
    let said = create(&lab, &["lan", "--mode", "bridge", "--bridge", "br0"]);
    let a = Endpoint::new(&lab, "a", "br0", &["198.18.0.50/24", "fd00:18::50/64"], &["198.18.0.1"]);
    let _b = Endpoint::new(&lab, "b", "br0", &["198.18.0.51/24", "fd00:18::51/64"], &["198.18.0.1"]);
    measured(&lab, &said, &a, &on_lan());
    lab.kvmnet(&["net", "delete", "lan", "-y"]).ok();
    assert!(a.reaches("198.18.0.9", 2), "the host's bridge isn't libvirt's to remove");
}

#[test]
fn twenty_networks_in_a_row_are_disjoint_and_work() {
    let Some(lab) = lab() else { return };
    // What is in the way: a route in a table of its own, an address, a network that isn't running.
    lab.host(&["ip", "route", "add", "192.168.124.0/23", "dev", "br1", "table", "77"]).ok();
    lab.host(&["ip", "addr", "add", "192.168.127.129/25", "dev", "br1"]).ok();
    lab.host(&["ip", "rule", "add", "from", "192.168.133.0/24", "lookup", "77"]).ok();
    let idle = "<network><name>idle</name><ip address='192.168.129.65' netmask='255.255.255.192'/></network>";
    lab.virsh(&["net-define", &lab.file("idle.xml", idle)]);
    let mut seen = Vec::new();
    for n in 1..=20 {
        let said = create(&lab, &["--mode", "nat"]);
        let name = if n == 1 { "nat".to_string() } else { format!("nat-{n}") };
        assert_eq!(said["network"]["name"], name.as_str());
        seen.push(said["network"]["subnet"].as_str().unwrap().to_string());
    }
    for bad in [122, 124, 125, 127, 129, 133].map(|n| format!("192.168.{n}.0/24")) {
        assert!(!seen.contains(&bad), "{bad} isn't free: {seen:?}");
    }
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 20, "{seen:?}");
    let active = lab.virsh(&["net-list", "--name"]);
    assert_eq!(active.lines().filter(|name| name.starts_with("nat")).count(), 20);
    let gateway = seen[19].replace(".0/24", ".1");
    assert_eq!(lab.host(&["ping", "-c1", "-W1", &gateway]).code, 0, "the host has its address there");
}
