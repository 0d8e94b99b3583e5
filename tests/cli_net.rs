//! `kvmnet net` as a user meets it, on libvirt's test driver, whose state lasts as long as one command: what is planned,
//! said and refused. What networks then do is the lab's to show.
#![cfg(feature = "libvirt")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Done, Run, Sandbox, host};

impl Sandbox {
    /// `kvmnet net` on the fixture host.
    fn net(&self, words: &str) -> Run {
        self.kvmnet("-c").arg(host()).arg("net").args(words.split_whitespace())
    }

    /// The document of the same.
    #[track_caller]
    fn net_json(&self, words: &str, code: i32) -> Value {
        self.net(words).args(["-o", "json"]).gives(code).json()
    }

    /// A host of its own with this inside of `<node>`.
    fn node(&self, inner: &str) -> String {
        let text = format!(
            "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>1</active><nodes>1</nodes><sockets>1</sockets>\
             <cores>1</cores><threads>1</threads></cpu><memory>1048576</memory>{inner}</node>"
        );
        format!("test://{}", self.write("node.xml", text).display())
    }
}

#[track_caller]
fn keys(document: &Value, wanted: &[&str]) {
    for key in wanted {
        assert!(document.get(key).is_some(), "there is no {key}: {document}");
    }
}

fn asks_for_yes(done: Done) -> Done {
    done.gave(2).says(&["no terminal", "-y (--yes)"])
}

// create

#[test]
fn every_mode_is_planned_and_explained() {
    let here = Sandbox::new();
    for (words, xml, said) in [
        ("nat", "<forward mode='nat'/>", "LAN → guest     IPv4  no"),
        ("route", "<forward mode='route'/>", "static route: 192.168.123.0/24 via the host's LAN address"),
        ("open", "<forward mode='open'/>", "libvirt makes no firewall rules"),
        ("isolated", "<dns enable='no'/>", "guest → host    IPv4  no"),
        ("isolated --host-access", "<ip address='192.168.123.1'", "guest → LAN     IPv4  no"),
        ("bridge --bridge br0", "<bridge name='br0'/>", "LAN → guest     IPv4  yes"),
        ("bridge --pool eth7", "<interface dev='eth7'/>", "macvtap"),
    ] {
        let create = format!("create --mode {words}");
        here.net(&format!("{create} --dry-run")).gives(0).shows(&[xml, said]);
        here.net(&format!("{create} --dry-run --exit-code")).gives(1);
        // It only adds: nobody is asked.
        let done = here.net(&create).gives(0);
        done.says(&["changed and verified", "to put it back: kvmnet undo"]);
        let mode = words.split(' ').next().unwrap();
        let made = here.net_json(&create, 0);
        keys(&made, &["network", "reachability", "notes", "id"]);
        keys(
            &made["network"],
            &["name", "uuid", "mode", "bridge", "subnet", "subnet6", "active", "autostart"],
        );
        assert_eq!(made["network"]["name"], mode, "{made}");
        assert_eq!((&made["network"]["active"], &made["network"]["autostart"]), (&true.into(), &true.into()));
        assert!(made["network"]["uuid"].is_string() && made["id"].is_string(), "{made}");
        let cells = made["reachability"].as_array().unwrap();
        let pairs: Vec<_> =
            cells.iter().map(|c| format!("{}-{}", c["from"], c["to"]).replace('"', "")).collect();
        let five = ["guest-guest", "host-guest", "guest-host", "guest-LAN", "LAN-guest"];
        // A bridge that the host forwards nothing from, or is on the LAN with, carries IPv6 as well.
        let families = if matches!(mode, "isolated" | "bridge") { 2 } else { 1 };
        assert_eq!(pairs, five.repeat(families));
        assert!(cells.iter().all(|c| c["allowed"].is_boolean()), "{made}");
    }
    let dry = here.net_json("create --mode nat --subnet6 fd12::/64 --dry-run", 0);
    assert_eq!(
        (&dry["network"]["subnet6"], &dry["network"]["uuid"], &dry["id"]),
        (&"fd12::/64".into(), &json!(null), &json!(null))
    );
    assert_eq!(
        (&dry["network"]["active"], dry["reachability"].as_array().unwrap().len()),
        (&false.into(), 10)
    );
    for (words, says) in [
        ("", "network 'nat' runs, and starts with libvirt"),
        ("--no-autostart", "network 'nat' runs, but doesn't start with libvirt"),
        ("--no-start", "network 'nat' isn't started, but starts with libvirt"),
        ("--no-start --no-autostart", "network 'nat' isn't started, and doesn't start with libvirt"),
    ] {
        here.net(&format!("create --mode nat {words}")).gives(0).says(&[says]);
    }
}

#[test]
fn what_cant_be_made_is_said_in_the_shape_of_what_can() {
    let here = Sandbox::new();
    for words in [
        "create x --mode nat --subnet 10.0.0.0",
        "create x --mode routed",
        "create --mode bridge",
        "create default --mode open",
    ] {
        let said = here.net_json(words, 2);
        keys(&said, &["network", "reachability", "notes", "id", "warnings", "status"]);
        assert!(said["error"].is_string() && said["network"].is_null(), "{said}");
        assert!(said.get("changes").is_none(), "{said}");
    }
    keys(&here.net_json("start nosuch", 2), &["changes", "summary"]);
    for (words, key) in [
        ("show nosuch", "network"),
        ("leases nosuch", "leases"),
        ("show", "network"),
        ("list --nosuch", "networks"),
    ] {
        let said = here.net_json(words, 2);
        assert!(said["error"].is_string() && said[key].is_null(), "{words}: {said}");
        keys(&said, &[key]);
        assert_eq!(said.as_object().map(serde_json::Map::len), Some(2), "{words}: {said}");
    }
}

#[test]
fn subnets_that_are_none_come_with_an_example() {
    let here = Sandbox::new();
    for (flag, value, says) in [
        ("--subnet", "10.0.0.0", "10.0.0.0/24?"),
        ("--subnet", "10.0.0/24", "for example 10.20.0.0/24"),
        ("--subnet", "fd12::/64", "--subnet6 fd12::/64"),
        ("--subnet6", "fd12::", "fd12::/64?"),
        ("--subnet6", "10.0.0.0/24", "this is IPv4: --subnet 10.0.0.0/24"),
        ("--subnet-pool", "x", "for example 10.64.0.0/10"),
        ("--domain", "a_b", "--domain 'a_b': the name 'a_b' holds '_'"),
        ("--dns-forwarder", "a_b/10.0.0.53", "--dns-forwarder a_b/10.0.0.53: the name 'a_b'"),
    ] {
        here.net(&format!("create x --mode nat {flag} {value}")).gives(2).says(&[says]);
    }
}

#[test]
fn a_host_without_a_mac_address_can_be_typed() {
    let here = Sandbox::new();
    let create = "create x --mode nat --subnet6 fd00:1::/64 --dry-run --host";
    let wanted = "<host name='web' ip='fd00:1::5'/>";
    here.net(&format!("{create} -,fd00:1::5,web")).gives(0).shows(&[wanted]);
    here.net(&format!("{create}=-,fd00:1::5,web")).gives(0).shows(&[wanted]);
    here.net(&format!("{create} -y")).gives(2).says(&["--host <MAC,IP[,NAME]>"]);
}

#[test]
fn names_and_bridges_are_the_first_free_ones() {
    let here = Sandbox::new();
    let net = |n: &str, bridge: &str| {
        format!(
            "<network><name>{n}</name><bridge name='{bridge}'/><ip address='10.0.{}.1' prefix='24'/></network>",
            n.len()
        )
    };
    let uri =
        here.node(&format!("{}{}{}", net("nat", "virbr0"), net("nat-2", "virbr1"), net("nat-4", "virbr3")));
    let done = here.kvmnet("-v net create --mode nat --dry-run -o json -c").arg(&uri).gives(0);
    let made = &done.json()["network"];
    assert_eq!(
        (&made["name"], &made["bridge"], &made["subnet"]),
        (&"nat-3".into(), &"virbr2".into(), &"192.168.122.0/24".into())
    );
    done.says(&[
        "name 'nat-3': the first",
        "bridge 'virbr2': the first",
        "subnet 192.168.122.0/24: the first",
    ]);
    here.kvmnet("net create --mode nat --subnet 10.0.0.0/16 --dry-run -c")
        .arg(&uri)
        .gives(2)
        .says(&["--subnet 10.0.0.0/16 overlaps network 'nat'"]);
}

#[test]
fn what_libvirt_tells_of_the_hosts_devices_is_no_name_for_a_bridge() {
    let here = Sandbox::new();
    let uri = here.node(
        "<interface type='ethernet' name='nic7'><start mode='onboot'/></interface>\
         <network><name>old</name><forward mode='nat'/><bridge name='virbr0'/>\
         <ip address='10.0.0.1' netmask='255.255.255.0'/></network>",
    );
    let told = "that host has a device 'nic7', and the network would make a bridge of that name";
    for words in
        ["create x --mode nat --dry-run", "create x --mode nat --force", "set-mode old --mode route -y"]
    {
        let done = here.kvmnet(&format!("net {words} --bridge nic7 -c")).arg(&uri).gives(2);
        done.says(&[told]);
    }
    here.kvmnet("net set-mode old --mode route --dry-run -c").arg(&uri).gives(0);
}

#[test]
fn a_flag_that_doesnt_go_with_the_mode_is_named() {
    let here = Sandbox::new();
    for (words, flag) in [
        ("isolated --subnet 10.0.0.0/24", "--subnet"),
        ("isolated --subnet6 fd12::/64", "--subnet6"),
        ("isolated --domain a.b", "--domain"),
        ("isolated --dev eth0", "--dev"),
        ("isolated --pool eth0", "--pool"),
        ("nat --host-access", "--host-access"),
        ("route --nat-ports 1024-2000", "--nat-ports"),
        ("open --dev eth0", "--dev"),
        ("open --nat-addresses 198.51.100.1-198.51.100.2", "--nat-addresses"),
        ("bridge", "--bridge"),
        ("bridge --bridge br0 --pool eth0", "--bridge"),
        ("bridge --bridge br0 --mtu 1400", "--mtu"),
        ("bridge --bridge br0 --dhcp 10.0.0.2-10.0.0.3", "--dhcp"),
        ("bridge --bridge br0 --no-dns", "--no-dns"),
        ("bridge --bridge virbr0", "--bridge"),
        ("nat --bridge virbr0", "--bridge"),
        ("nat --host 52:54:00:00:00:01,10.9.9.9", "--host"),
        ("nat --subnet 10.0.0.0/24 --dhcp 10.0.0.1-10.0.0.9", "--dhcp"),
        ("nat --portgroup a,vlan=5", "--portgroup"),
        ("nat --mtu 20", "--mtu"),
        ("nat --dns-forwarder 0.0.0.0", "--dns-forwarder"),
        ("nat --bridge muchtoolongforakernel", "--bridge"),
        ("nat --subnet 127.0.0.0/24", "--subnet"),
        ("nat --subnet 10.0.0.0", "--subnet"),
        ("routed", "--mode"),
    ] {
        let done = here.net(&format!("create x --mode {words}")).gives(2).says(&[flag]).shows_nothing();
        assert!(done.err.contains("error"), "{done}");
        let journal = here.journal();
        assert!(!journal.exists(), "{words}: it was begun");
    }
    // set-mode takes the same ones.
    here.net("set-mode default --mode isolated --subnet 10.0.0.0/24 -y").gives(2).says(&["--subnet"]);
    here.net("set-mode default --mode bridge -y").gives(2).says(&["--bridge is missing"]);
}

#[test]
fn a_second_time_there_is_nothing_to_do() {
    let here = Sandbox::new();
    let uri = here.node("<network><name>nat</name><forward/><ip address='10.0.0.1' prefix='24'/></network>");
    let on = |words: &str| here.kvmnet(words).args(["-c", &uri]);
    on("net create nat --mode nat --no-autostart").gives(0).shows(&["nothing to do"]);
    on("net create nat --mode nat --no-autostart --dry-run --exit-code").gives(0);
    on("net create nat --mode nat --subnet 10.0.0.0/24 --no-autostart").gives(0).shows(&["nothing to do"]);
    on("net create nat --mode route").gives(2).says(&["there is a network 'nat' already", "net set-mode"]);
    // What is there already is changed with somebody's consent only.
    asks_for_yes(on("net create nat --mode nat").run());
    on("net create nat --mode nat -y").gives(0).shows(&["it starts with libvirt from now on"]);
    on("net create nat --mode nat --no-start --no-autostart").gives(0).shows(&[
        "nothing to do: it is there already",
        "--no-start doesn't stop one that runs: kvmnet net stop nat",
    ]);
    on("net create nat --mode nat --no-start --dry-run")
        .gives(0)
        .shows(&["it starts with libvirt from now on", "kvmnet net stop nat"]);
    on("net set-mode nat --mode nat --subnet 10.1.0.0/24 --dry-run")
        .gives(0)
        .shows(&["network 'nat' stays nat: 10.0.0.1/24 → 10.1.0.1/24"]);
    on("net set-mode nat --mode nat --dhcp 10.0.0.9-10.0.0.20 --dry-run")
        .gives(0)
        .shows(&["stays nat: DHCP changes"]);
    on("net set-mode nat --mode nat -y").gives(0).shows(&["its mode is nat already"]);
    on("net start nat -y").gives(0).shows(&["nothing to do: it runs"]);
}

// What is there

#[test]
fn lists_for_people_and_programs() {
    let here = Sandbox::new();
    let listed = here.net_json("list", 0);
    let networks = listed["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 2);
    for network in networks {
        keys(network, &["name", "uuid", "mode", "state", "autostart", "bridge", "subnets", "guests"]);
    }
    let default = &networks[0];
    assert_eq!(
        (&default["mode"], &default["state"], &default["bridge"]),
        (&"nat".into(), &"active".into(), &"virbr0".into())
    );
    assert_eq!(default["subnets"], json!(["192.168.122.0/24"]));
    assert!(default["guests"].as_array().unwrap().contains(&"web1".into()), "{default}");
    here.net("list").gives(0).shows(&["NAME", "SUBNETS", "default", "lan"]);
    let piped = here.shell(&format!("\"$K\" -c {} net list | true; exit ${{PIPESTATUS[0]}}", host())).run();
    assert!(piped.code == 0 || piped.err.is_empty(), "{piped}");
    let none = here.node("");
    here.kvmnet("net list -c").arg(&none).gives(0).says(&["there is no network", "net create"]);
    assert_eq!(here.kvmnet("net list -o json -c").arg(&none).gives(0).json(), json!({"networks": []}));
}

#[test]
fn shows_what_can_be_seen_and_says_what_cant() {
    let here = Sandbox::new();
    let done = here.net("show default").gives(0);
    done.shows(&[
        "state:     active",
        "192.168.122.1/24",
        "web1 (running)",
        "ubuntuvm1 (not running)",
        "can't be seen over this connection",
    ]);
    let done =
        here.net("show lan").gives(0).shows(&["bridge:    br0", "on the LAN behind the host's bridge 'br0'"]);
    assert!(!done.out.contains("dnsmasq") && !done.out.contains("iptables"), "{done}");
    let shown = here.net_json("show default", 0);
    keys(
        &shown["network"],
        &[
            "mode",
            "meaning",
            "reachability",
            "pending",
            "guests",
            "bridge",
            "ports",
            "dnsmasq",
            "rules",
            "sysctls",
            "uplinks",
        ],
    );
    // Nothing of the host that the test runs on.
    for key in ["ports", "dnsmasq", "rules", "sysctls", "uplinks"] {
        assert!(shown["network"][key].is_null(), "{key}: {shown}");
    }
    here.net("leases default").gives(2).says(&["knows nothing of leases", "qemu:///system"]);
    here.net("leases default -o json").gives(2).json();
}

#[test]
fn an_unknown_network_lists_those_there_are() {
    let here = Sandbox::new();
    for words in [
        "show nosuch",
        "leases nosuch",
        "start nosuch -y",
        "stop nosuch -y",
        "restart nosuch -y",
        "delete nosuch -y",
        "autostart nosuch on -y",
        "set-mode nosuch --mode nat -y",
    ] {
        let done = here.net(words).gives(2).says(&["no", "default, lan"]).shows_nothing();
        assert_eq!(done.err.matches("nosuch").count(), 1, "named once: {done}");
        here.net(words).args(["-o", "json"]).gives(2).json();
    }
}

// What changes them

#[test]
fn without_a_terminal_somebody_must_have_said_yes() {
    let here = Sandbox::new();
    for words in ["stop default", "restart lan", "autostart lan on", "set-mode default --mode route"] {
        asks_for_yes(here.net(words).run()).shows(&["network '"]);
        assert!(!here.journal().exists());
        here.net(&format!("{words} --dry-run --exit-code")).gives(1);
        here.net(&format!("{words} --dry-run")).gives(0);
        here.net(&format!("{words} --exit-code")).gives(2).says(&["--dry-run"]);
    }
    asks_for_yes(here.net("delete lan --force").run());
    let done = here.at_terminal(&format!("-c {} net stop lan", host()), b"n\n").gave(2);
    assert!(done.out.contains("nothing was changed"), "{done}");
    let done = here.at_terminal(&format!("-c {} net stop lan", host()), b"y\n").gave(0);
    assert!(done.out.contains("changed and verified"), "{done}");
}

#[test]
fn verbs_do_and_say_what_they_did() {
    let here = Sandbox::new();
    for (words, says) in [
        ("stop default", "stops network 'default'"),
        ("restart lan", "stops and starts network 'lan'"),
        ("autostart default on", "has network 'default' start with libvirt"),
        ("autostart on default", "has network 'default' start with libvirt"),
        ("delete default --force", "removes its definition"),
        ("stop default lan", "stops network 'lan'"),
    ] {
        let done = here.net(&format!("{words} -y")).gives(0).shows(&[says]);
        // A network that was only stopped and started is as it was.
        let can_go_back = !words.starts_with("restart");
        assert_eq!(done.err.contains("to put it back: kvmnet undo"), can_go_back, "{done}");
        let done = here.net_json(&format!("{words} -y"), 0);
        keys(&done, &["changes", "summary"]);
        assert_eq!(
            (&done["changes"][0]["status"], &done["summary"]["failed"]),
            (&"applied".into(), &0.into())
        );
    }
    for (words, says) in
        [("start default", "it runs"), ("autostart off lan", "it doesn't start with libvirt")]
    {
        here.net(&format!("{words} -y")).gives(0).shows(&["nothing to do", says]);
        here.net(&format!("{words} --dry-run --exit-code")).gives(0);
    }
    here.net("autostart default maybe -y").gives(2).says(&["'on' or 'off'"]);
    here.net("stop default nosuch -y").gives(3).says(&["nosuch", "changed and verified: network 'default'"]);
}

#[test]
fn a_restart_that_was_cut_short_where_no_taps_can_be_seen_holds_nothing_up() {
    let here = Sandbox::new();
    here.net("restart default -y").gives(0);
    let log = here.journal().join("1.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    here.kvmnet("history").gives(0).shows(&["interrupted"]);
    here.kvmnet("undo -y").gives(0).shows(&["it is as it was before 1"]);
    here.kvmnet("undo 1 -y").gives(0).shows(&["it is as it was before 1"]);
}

#[test]
fn a_daemon_that_doesnt_answer_isnt_waited_for_in_silence() {
    let here = Sandbox::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("qemu+tcp://{}/system", listener.local_addr().unwrap());
    let mute = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(4));
        drop(stream);
    });
    let done = here.kvmnet("net list -c").arg(&uri).gives(2);
    done.says(&[&format!("still connecting to libvirt at '{uri}'"), "cannot connect to libvirt"]);
    mute.join().unwrap();
    // What answers soon isn't talked about.
    here.net("list").gives(0).says_nothing();
}

#[test]
fn several_networks_start_with_libvirt() {
    let here = Sandbox::new();
    for words in ["default lan on", "on default lan"] {
        let said = here.net_json(&format!("autostart {words} --dry-run"), 0);
        let names: Vec<_> =
            said["changes"].as_array().unwrap().iter().map(|c| c["network"].clone()).collect();
        assert_eq!(names, ["default", "lan"], "{said}");
    }
    for words in ["default", "default lan", "default on lan"] {
        let wanted = "networks' names, and 'on' or 'off' before or behind them, are wanted";
        here.net(&format!("autostart {words}")).gives(2).says(&[wanted]);
    }
    here.net("autostart").gives(2).says(&["<NAME|on|off>..."]);
}

#[test]
fn guests_are_named_before_anything_happens_to_them() {
    let here = Sandbox::new();
    let refused = here.net("delete default -y").gives(2);
    let refused =
        refused.says(&["'ubuntuvm1'", "'web1'", "refer to it and won't start without it", "--force"]);
    assert!(!refused.out.contains("refer to it"), "the reason is said twice: {refused}");
    assert!(refused.out.contains("guests-cut-off"), "what else is to know is said: {refused}");
    here.net("delete default --force -y").gives(0).shows(&["stop[network-in-use]"]);
    let code = |words: &str| {
        let done = here.net_json(&format!("{words} --dry-run"), 0);
        let warnings = done["changes"][0]["warnings"].as_array().unwrap().clone();
        let found = warnings.iter().find(|w| w["code"] == "guests-cut-off").cloned();
        found.unwrap_or_else(|| panic!("{words}: {done}"))["message"].as_str().unwrap().to_owned()
    };
    // From here nobody can plug their taps back.
    for words in ["stop default", "restart default", "set-mode default --mode bridge --bridge br9"] {
        let message = code(words);
        assert!(message.contains("'web1'") && message.contains("kvmnet reattach"), "{words}: {message}");
    }
    let done = here.net("stop lan --dry-run").gives(0).shows(&["not cut off"]);
    assert!(!done.out.contains("guests-cut-off"), "a bridge of the host's stays: {done}");
    let done = here.net("set-mode default --mode bridge --pool eth7 -y").gives(2);
    let done = done.says(&["a running NIC can't become macvtap", "virsh shutdown"]);
    assert!(!done.err.contains("--force"), "{done}");
}

#[test]
fn set_mode_keeps_what_may_stay() {
    let here = Sandbox::new();
    let uri = here.node(
        "<network><name>old</name><metadata><a:b xmlns:a='http://a.example/'>kept</a:b></metadata><forward mode='nat'/>\
         <bridge name='virbr4' stp='on' delay='0'/><mac address='52:54:00:01:02:03'/><domain name='x.example'/>\
         <ip address='10.4.0.1' netmask='255.255.255.0'/></network>",
    );
    let done = here.kvmnet("net set-mode old --mode bridge --bridge br0 --dry-run -c").arg(&uri).gives(0);
    let gone = [
        "-  <mac ",
        "-  <domain ",
        "-  <ip ",
        "+  <bridge name='br0'/>",
        "+  <forward mode='bridge'/>",
        "nat → bridge (br0)",
    ];
    let done = done.shows(&gone);
    assert!(!done.out.contains("-  <metadata"), "{done}");
    let done = here.kvmnet("net set-mode old --mode isolated --dry-run -c").arg(&uri).gives(0);
    done.shows(&["-  <ip ", "nat → isolated, without the host", "no running guest is on it"]);
}

#[test]
fn ipv6_that_was_routed_and_will_be_translated_is_named() {
    let here = Sandbox::new();
    let uri = here.node(
        "<network><name>rich</name><forward mode='nat'/><ip address='10.4.0.1' prefix='24'/>\
         <ip family='ipv6' address='fd50::1' prefix='64'/></network>",
    );
    let said = "IPv6 is translated to the host's address from then on (<nat ipv6='yes'/>): so far guests' own addresses";
    let on = |words: &str| {
        here.kvmnet(&format!("net set-mode rich --mode nat {words} --dry-run -c")).arg(&uri).gives(0)
    };
    on("--subnet6 fd51::/64").shows(&[said]);
    // Where it stays routed, or comes only now, nothing turns.
    for words in ["--subnet 10.5.0.0/24", "--dhcp 10.4.0.9-10.4.0.20"] {
        let done = on(words);
        assert!(!done.out.contains("is translated"), "{done}");
    }
    let done = here.net("set-mode default --mode nat --subnet6 fd51::/64 --dry-run").gives(0);
    assert!(!done.out.contains("is translated"), "{done}");
}

#[test]
fn read_only_shows_and_changes_nothing() {
    let here = Sandbox::new();
    let on = |words: &str| here.kvmnet("--readonly -c").arg(host()).args(words.split_whitespace());
    on("net list").gives(0).shows(&["default"]);
    on("net show default").gives(0);
    on("net stop default --dry-run").gives(0);
    for words in
        ["create --mode nat", "stop default -y", "set-mode default --mode route -y", "delete lan -y --force"]
    {
        on(&format!("net {words}")).gives(2).says(&["read-only", "--dry-run"]);
    }
    assert!(!here.journal().exists());
}

#[test]
fn what_was_done_stands_in_the_journal() {
    let here = Sandbox::new();
    let made = here.net_json("create lab --mode isolated", 0);
    assert_eq!(made["id"], "1");
    let done = here.kvmnet("history").gives(0);
    assert!(done.out.contains("lab"), "{done}");
    // The test driver has forgotten the network by now: there is nothing to put back, and that is no failure.
    here.kvmnet("undo 1 -y").gives(0).shows(&["nothing to put back"]);
    here.net("autostart default on -y").gives(0);
    here.kvmnet("undo -y").gives(0).shows(&["nothing to put back"]);
}
