//! Networks with guests on them: leases, restart, another mode, stop, delete; and what may not go wrong with them.

use std::process::Stdio;
use std::time::Instant;

use crate::lab::guest::{Booted, Guest};
use crate::lab::xml::{guest, on_network};
use crate::lab::{Lab, Place};

/// A neighbour on the LAN.
const NEIGHBOUR: &str = "198.18.0.9";

/// Did the guest run all the time since?
fn ran_on(guest: &Booted<'_>, before: f64, since: Instant) -> bool {
    guest.uptime() > since.elapsed().as_secs_f64() + before / 2.0
}

/// libvirt's books: the ports of a network, and the port that the running guest says it has.
fn books_agree(lab: &Lab, network: &str, guest: &str) -> bool {
    let ports = lab.virsh(&["net-port-list", network]);
    let xml = lab.virsh(&["dumpxml", guest]);
    let port = xml.split("portid='").nth(1).and_then(|rest| rest.split('\'').next());
    ports.lines().filter(|line| !line.trim().is_empty()).count() == 1
        && port.is_some_and(|port| ports.contains(port))
}

/// Takes the carrier of the guest's first NIC away for a moment, without libvirt noticing (reference §4.5: its own way to
/// do that would take the NIC off its network).
fn pull_the_cable(lab: &Lab, guest: &str) {
    for state in ["off", "on"] {
        lab.virsh(&["qemu-monitor-command", guest, "--hmp", &format!("set_link net0 {state}")]);
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
}

#[test]
fn a_guest_keeps_running_through_restart_and_another_mode() {
    let Some(lab) = Lab::start_bootable() else { return };
    let vm = lab.boot(&Guest::on_network("default"));
    let old = vm.address_in("192.168.122.");
    let (since, uptime) = (Instant::now(), vm.uptime());
    assert!(vm.pings(NEIGHBOUR));

    let leases = lab.kvmnet(&["-o", "json", "net", "leases", "default"]).ok().json();
    let lease = &leases["leases"][0];
    assert_eq!((&lease["ip"], &lease["guest"]), (&old.as_str().into(), &"vm1".into()), "{leases}");
    lab.kvmnet(&["net", "leases", "default"]).ok().says(&[&old]);

    let shown = lab.kvmnet(&["-o", "json", "net", "show", "default"]).ok().json();
    let shown = &shown["network"];
    assert_eq!(shown["ports"][0]["guest"], "vm1", "{shown}");
    assert_eq!(shown["pending"].as_array().map(Vec::len), Some(0), "{shown}");
    assert!(shown["dnsmasq"]["pid"].as_u64().is_some_and(|pid| pid > 1), "{shown}");
    let masquerades = |rule: &serde_json::Value| {
        rule["rule"].as_str().unwrap().contains("MASQUERADE") && rule["packets"].as_u64().unwrap() > 0
    };
    assert!(shown["rules"].as_array().unwrap().iter().any(masquerades), "the ping was counted: {shown}");
    assert_eq!(shown["sysctls"]["net.ipv4.ip_forward"], "1");
    assert_eq!(shown["uplinks"][0]["device"], "br0");

    lab.kvmnet(&["net", "restart", "default", "--dry-run"]).ok().says(&["guest 'vm1': cut off for a moment"]);
    lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    assert!(books_agree(&lab, "default", "vm1"));
    assert!(vm.pings(NEIGHBOUR), "after restart");

    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-start", "default"]);
    assert!(!vm.pings(NEIGHBOUR), "libvirt leaves it unplugged");
    lab.kvmnet(&["reattach", "-y"]).ok();
    assert!(books_agree(&lab, "default", "vm1"));
    assert!(vm.pings(NEIGHBOUR), "after reattach");

    let definition = lab.virsh(&["net-dumpxml", "--inactive", "default"]);
    let change = ["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"];
    lab.kvmnet(&change).ok().says(&["-  <ip address='192.168.122.1'"]);
    assert_eq!(lab.tap_master("vm1", 1), "br0");
    assert!(books_agree(&lab, "default", "vm1"));
    // It asks for an address of the LAN when its link comes back.
    pull_the_cable(&lab, "vm1");
    vm.address_in("198.18.0.");
    assert!(vm.pings(NEIGHBOUR), "after set-mode");
    lab.kvmnet(&change).ok().says(&["nothing to do"]);

    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.virsh(&["net-dumpxml", "--inactive", "default"]), definition);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    assert!(books_agree(&lab, "default", "vm1"));
    pull_the_cable(&lab, "vm1");
    vm.address_in("192.168.122.");
    assert!(vm.pings(NEIGHBOUR), "after undo");
    assert!(ran_on(&vm, uptime, since), "it was never restarted");
}

#[test]
fn stop_and_delete_name_the_guests() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&guest("web", &[on_network("default", 1)], ""));
    lab.kvmnet(&["net", "delete", "default", "-y"]).exits(2).says(&["guest 'web' refers to it"]);
    lab.virsh(&["start", "web"]);
    lab.kvmnet(&["net", "stop", "default", "-y"]).ok().says(&["running guest 'web': cut off at once"]);
    assert_eq!(lab.tap_master("web", 1), "");
    lab.kvmnet(&["net", "start", "default", "-y"]).ok();
    assert_eq!(lab.tap_master("web", 1), "virbr0");
    lab.kvmnet(&["net", "start", "default", "-y"]).ok().says(&["nothing to do"]);
    lab.kvmnet(&["net", "stop", "default"]).exits(2).says(&["-y"]);
    let definition = lab.virsh(&["net-dumpxml", "--inactive", "default"]);
    lab.kvmnet(&["net", "delete", "default", "--force", "-y"]).ok();
    lab.try_virsh(&["net-info", "default"]).exits(1);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.virsh(&["net-dumpxml", "--inactive", "default"]), definition);
    assert_eq!(lab.tap_master("web", 1), "virbr0");
    lab.kvmnet(&["net", "autostart", "off", "default", "-y"]).ok();
    assert!(lab.virsh(&["net-info", "default"]).contains("Autostart:      no"));
    lab.kvmnet(&["undo", "-y"]).ok();
    assert!(lab.virsh(&["net-info", "default"]).contains("Autostart:      yes"));
}

#[test]
fn a_device_in_the_way_survives() {
    let Some(lab) = Lab::start() else { return };
    lab.host(&["ip", "link", "add", "br7", "type", "bridge"]).ok();
    lab.host(&["ip", "link", "set", "br7", "up"]).ok();
    lab.kvmnet(&["net", "create", "--mode", "nat", "--bridge", "br7"]).exits(2).says(&["br7"]);
    // Defined by somebody else, with the name of a bridge that is there.
    let xml = "<network><name>trap</name><forward mode='nat'/><bridge name='br7'/><ip address='10.1.1.1' prefix='24'/></network>";
    lab.virsh(&["net-define", &lab.file("trap.xml", xml)]);
    lab.kvmnet(&["net", "start", "trap", "-y"]).exits(2).says(&["delete that device"]);
    lab.kvmnet(&["net", "restart", "trap", "-y"]).exits(2).says(&["delete that device"]);
    lab.kvmnet(&["net", "autostart", "trap", "on", "-y"]).exits(2).says(&["delete that device"]);
    // Somebody else has it start with libvirt, which would do it then.
    lab.virsh(&["net-autostart", "trap"]);
    let says = "network 'trap': it starts with libvirt, but mustn't: this host has a device 'br7'";
    lab.kvmnet(&["net", "list"]).ok().says(&[says]).says(&["kvmnet net autostart trap off"]);
    let list = lab.kvmnet(&["net", "list", "-o", "json"]).ok().json();
    let harmful = list["networks"].as_array().unwrap().iter().map(|n| !n["harmful"].is_null());
    assert_eq!(harmful.collect::<Vec<_>>(), [false, true], "{list}");
    lab.kvmnet(&["net", "show", "trap"]).ok().says(&["it starts with libvirt, but mustn't"]);
    lab.kvmnet(&["net", "autostart", "trap", "off", "-y"]).ok();
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&["delete that device"]);
    lab.host(&["sh", "-c", "ip link show dev br7 | grep -q UP"]).ok();
    // What libvirt itself does shows that the trap is one.
    lab.try_virsh(&["net-start", "trap"]).exits(1);
    assert_ne!(lab.host(&["ip", "link", "show", "dev", "br7"]).code, 0);
    lab.kvmnet(&["net", "delete", "trap", "-y"]).ok();
}

#[test]
fn a_network_that_was_meant_for_the_hosts_bridge() {
    let Some(lab) = Lab::start() else { return };
    // 'mode' was forgotten.
    let xml = "<network><name>typo</name><forward/><bridge name='br0'/><ip address='10.1.1.1' netmask='255.255.255.0'/></network>";
    lab.virsh(&["net-define", &lab.file("typo.xml", xml)]);
    let run = |words: &str| lab.kvmnet(&words.split(' ').collect::<Vec<_>>());
    let offered = "net set-mode typo --mode bridge --bridge br0";
    run("net start typo -y").exits(2).says(&[&format!("kvmnet {offered}")]);
    // It isn't the bridge of that network, and nobody else is kept from it.
    run("net create lan2 --mode bridge --bridge br0").ok();
    run("net set-mode default --mode bridge --bridge br0 --dry-run").ok();
    lab.define(&guest("web", &[on_network("default", 1)], ""));
    let convert = run("convert web --to-bridge br0 --dry-run").ok();
    assert!(!convert.all().contains("target-is-virtual-bridge"), "{}", convert.report());
    run(&format!("{offered} -y")).ok();
    run("net start typo -y").ok();
    run("net create lan3 --mode bridge --bridge virbr0")
        .exits(2)
        .says(&["virtual bridge of network 'default'"]);
}

#[test]
fn a_device_in_the_way_by_another_of_its_names_survives() {
    let Some(lab) = Lab::start() else { return };
    lab.host(&["ip", "link", "property", "add", "dev", "br1", "altname", "virbr1"]).ok();
    let is_there = || lab.host(&["ip", "link", "show", "dev", "br1"]).ok();
    let made = lab.kvmnet(&["-o", "json", "net", "create", "--mode", "nat"]).ok().json();
    assert_eq!(made["network"]["bridge"], "virbr2", "{made}");
    is_there();
    for words in ["create x --mode nat --bridge virbr1", "set-mode nat --mode nat --bridge virbr1 -y"] {
        let words = format!("net {words}");
        lab.kvmnet(&words.split(' ').collect::<Vec<_>>()).exits(2).says(&["another name of 'br1'"]);
    }
    let xml = "<network><name>trap</name><forward mode='nat'/><bridge name='virbr1'/><ip address='10.1.1.1' prefix='24'/></network>";
    lab.virsh(&["net-define", &lab.file("trap.xml", xml)]);
    lab.kvmnet(&["net", "start", "trap", "-y"]).exits(2).says(&["'br1' is called that too"]);
    lab.kvmnet(&["net", "show", "trap"]).ok().says(&["can't start"]);
    lab.kvmnet(&["net", "delete", "trap", "-y"]).ok();

    // What was deleted, and whose bridge's name another has by now, isn't put back; nor is a network advised that is gone.
    lab.kvmnet(&["net", "delete", "nat", "-y"]).ok();
    lab.host(&["ip", "link", "property", "add", "dev", "br1", "altname", "virbr2"]).ok();
    let refused = lab.kvmnet(&["undo", "-y"]).exits(2).says(&["'br1' is called that too"]);
    assert!(!refused.all().contains("set-mode"), "{}", refused.report());
    is_there();
}

#[test]
fn a_network_that_cannot_start_leaves_nothing() {
    let Some(lab) = Lab::start() else { return };
    // Two servers can't both have it, and libvirt's own holds it on the address of its network.
    lab.virsh(&["net-destroy", "default"]);
    let taken = "dnsmasq --conf-file=/dev/null --port=53 --user=root --pid-file=/run/lab/taken.pid";
    lab.host(&["sh", "-c", taken]).ok();
    let before = lab.virsh(&["net-list", "--all"]);
    let failed =
        lab.kvmnet(&["net", "create", "--mode", "nat"]).exits(2).says(&["(dnsmasq) has port 53 on all"]);
    let failed = failed.says(&["its definition was taken back: libvirt can't start the network"]);
    failed.says(&["help: free that port, or do without the network's DNS server"]);
    assert_eq!(lab.virsh(&["net-list", "--all"]), before);
    assert_ne!(lab.host(&["ip", "link", "show", "dev", "virbr1"]).code, 0);
    // Without DNS the port doesn't matter.
    lab.kvmnet(&["net", "create", "--mode", "nat", "--no-dns"]).ok();
}

#[test]
fn who_has_the_dns_port_of_a_networks_own_address_is_named() {
    let Some(lab) = Lab::start() else { return };
    // As resolvers do that are told of an address before it is there.
    let pid =
        |n: u32| lab.host(&["cat", &format!("/run/lab/resolver{n}.pid")]).ok().stdout.trim().to_string();
    lab.host(&["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind"]).ok();
    for (n, address) in [(1, "192.168.123.1"), (2, "10.50.9.1")] {
        let resolver = format!(
            "dnsmasq --conf-file=/dev/null --port=53 --user=root --bind-interfaces --listen-address={address} \
             --except-interface=lo --pid-file=/run/lab/resolver{n}.pid"
        );
        lab.host(&["sh", "-c", &resolver]).ok();
    }
    let says = |n: u32, address: &str| {
        format!("process {} (dnsmasq) has port 53 on {address}, the network's own", pid(n))
    };
    let (first, second) = (says(1, "192.168.123.1"), says(2, "10.50.9.1"));
    lab.kvmnet(&["net", "create", "--mode", "nat"]).exits(2).says(&[&first]);
    lab.kvmnet(&["net", "create", "--mode", "nat", "--no-start"]).ok();
    let failed = lab.kvmnet(&["net", "start", "nat", "-y"]).exits(2).says(&[&first]);
    assert!(!failed.all().contains("taken back"), "{}", failed.report());
    let definition = lab.virsh(&["net-dumpxml", "--inactive", "default"]);
    let change = ["net", "set-mode", "default", "--mode", "nat", "--subnet", "10.50.9.0/24", "-y"];
    lab.kvmnet(&change).exits(2).says(&[&second]);
    assert_eq!(lab.virsh(&["net-dumpxml", "--inactive", "default"]), definition);
    assert!(lab.virsh(&["net-list"]).contains("default"), "it runs as before");
}

#[test]
fn what_was_written_by_hand_is_doubted_before_it_starts() {
    let Some(lab) = Lab::start() else { return };
    let define = |name: &str, inner: &str| {
        let xml = format!("<network><name>{name}</name>{inner}</network>");
        lab.virsh(&["net-define", &lab.file("by-hand.xml", &xml)]);
    };
    let codes = |words: &str| {
        let words = format!("-o json net {words} --dry-run");
        let said = lab.kvmnet(&words.split(' ').collect::<Vec<_>>()).ok().json();
        let warnings = said["changes"][0]["warnings"].as_array().unwrap().clone();
        warnings.iter().map(|w| w["code"].as_str().unwrap().to_string()).collect::<Vec<_>>().join(" ")
    };
    define(
        "odd",
        "<forward/><bridge name='virbr7'/><ip address='10.7.0.5' netmask='255.255.255.0'><dhcp>\
         <range start='10.7.0.2' end='10.7.0.9'/><host mac='52:54:00:00:00:01' ip='10.8.0.9'/></dhcp></ip>",
    );
    let odd = "address-outside range-holds-gateway";
    assert_eq!(codes("start odd"), odd);
    lab.kvmnet(&["net", "start", "odd", "-y"]).ok();
    assert_eq!(codes("restart odd"), odd);
    assert_eq!(codes("set-mode odd --mode route"), odd);

    // Another network's subnet: that is the reason, not the server that answers there.
    define("same", "<forward/><bridge name='virbr8'/><ip address='192.168.122.1' netmask='255.255.255.0'/>");
    assert_eq!(codes("start same"), "subnet-overlap");
    let failed = lab.kvmnet(&["net", "start", "same", "-y"]).exits(2);
    let failed = failed.says(&["its subnet 192.168.122.0/24 overlaps that of network 'default'"]);
    assert!(!failed.all().contains("port 53"), "{}", failed.report());

    // The LAN's own: nobody needs a route there.
    define("lanlike", "<forward/><bridge name='virbr9'/><ip address='198.18.0.77' netmask='255.255.0.0'/>");
    let route = lab.kvmnet(&["net", "set-mode", "lanlike", "--mode", "route", "--dry-run"]).ok();
    let route = route.says(&["overlaps the"]);
    assert!(!route.stdout.contains("static route:"), "{}", route.report());

    define("gone", "<forward mode='bridge'/><bridge name='br9'/>");
    assert_eq!(codes("start gone"), "target-missing");
    lab.kvmnet(&["net", "start", "gone", "-y"]).ok();
    lab.kvmnet(&["net", "restart", "gone", "-y"]).exits(2).says(&["--force"]);
    lab.kvmnet(&["net", "restart", "gone", "-y", "--force"]).ok();
}

#[test]
fn many_made_at_the_same_moment_are_disjoint() {
    let Some(lab) = Lab::start() else { return };
    let begin = |args: &[&str]| {
        let mut command = lab.kvmnet_command(&[&["-o", "json", "net"], args].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // Five that leave all to kvmnet, and one with a name of its own.
    let runs: Vec<_> = (0..5)
        .map(|_| begin(&["create", "--mode", "nat"]))
        .chain([begin(&["create", "lab", "--mode", "nat"])])
        .collect();
    let mut seen: Vec<[String; 3]> = Vec::new();
    for run in runs {
        let done = run.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let made: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(made["network"]["active"], true, "{made}");
        seen.push(["name", "bridge", "subnet"].map(|key| made["network"][key].as_str().unwrap().to_string()));
    }
    for key in 0..3 {
        let mut values: Vec<&String> = seen.iter().map(|made| &made[key]).collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), seen.len(), "{seen:?}");
    }
    let names = lab.virsh(&["net-list", "--name"]);
    for name in ["nat", "nat-2", "nat-3", "nat-4", "nat-5", "lab"] {
        assert!(names.lines().any(|line| line.trim() == name), "{name}: {names}");
    }

    // And those that get another mode, which chooses too.
    let lans = ["lan1", "lan2", "lan3"];
    for name in lans {
        lab.kvmnet(&["net", "create", name, "--mode", "bridge", "--bridge", "br0"]).ok();
    }
    let runs = lans.map(|name| begin(&["set-mode", name, "--mode", "nat", "-y"]));
    for run in runs {
        let done = run.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn another_mode_takes_away_what_libvirt_refuses_there_and_says_so() {
    let Some(lab) = Lab::start() else { return };
    let body = "<bridge name='virbr7' stp='on' delay='0'/><mtu size='1400'/><ip address='10.7.0.1' netmask='255.255.255.0'><dhcp>\
                <range start='10.7.0.2' end='10.7.0.9'><lease expiry='12' unit='hours'/></range>\
                <host mac='52:54:00:00:00:01' name='web' ip='10.7.0.7'/><bootp file='x' server='10.7.0.5'/></dhcp></ip>\
                <route address='10.8.0.0' prefix='16' gateway='10.7.0.7'/>\
                <portgroup name='slow'><bandwidth><inbound average='1000'/></bandwidth></portgroup>";
    let rich = format!("<network><name>rich</name><forward mode='nat'/>{body}</network>");
    lab.virsh(&["net-define", &lab.file("rich.xml", &rich)]);
    // libvirt has portgroups with a bandwidth on bridges, whoever's they are, and in no pool.
    let group = "<portgroup name='slow'><bandwidth><inbound average='1000'/></bandwidth></portgroup>";
    for (n, (forward, code)) in [
        ("<forward mode='bridge'/><bridge name='br0'/>", 0),
        ("<forward mode='bridge'><interface dev='br1'/></forward>", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let xml = format!("<network><name>try{n}</name>{forward}{group}</network>");
        lab.try_virsh(&["net-define", &lab.file("try.xml", &xml)]).exits(code);
    }
    let change = |words: &str| {
        let words = format!("net set-mode rich {words} -y");
        lab.kvmnet(&words.split(' ').collect::<Vec<_>>()).ok()
    };
    change("--mode nat --subnet 10.50.4.0/24").says(&[
        "10.7.0.7 of 52:54:00:00:00:01 'web'",
        "12 hours",
        "route to 10.8.0.0/16",
        "<bootp server='10.7.0.5'>",
    ]);
    change("--mode bridge --bridge br0").says(&["MTU of 1400"]);
    change("--mode bridge --pool br1").says(&["portgroup 'slow' loses a bandwidth limit"]);
    assert!(!lab.virsh(&["net-dumpxml", "--inactive", "rich"]).contains("bandwidth"));
}

#[test]
fn without_a_definition_a_network_is_made_anew() {
    let Some(lab) = Lab::start() else { return };
    let xml = "<network><name>brief</name><bridge name='virbr9'/><ip address='10.9.9.1' netmask='255.255.255.0'/></network>";
    lab.virsh(&["net-create", &lab.file("brief.xml", xml)]);
    lab.kvmnet(&["net", "show", "brief"]).ok().says(&["without a definition"]);
    lab.kvmnet(&["net", "autostart", "brief", "on", "-y"]).exits(2).says(&["no definition"]);
    lab.kvmnet(&["net", "restart", "brief", "-y"]).ok();
    lab.kvmnet(&["net", "stop", "brief", "-y"]).exits(2).says(&["it is gone"]);
    lab.kvmnet(&["net", "stop", "brief", "-y", "--force"]).ok();
    lab.try_virsh(&["net-info", "brief"]).exits(1);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert!(lab.virsh(&["net-info", "brief"]).contains("Persistent:     no"));
    // To be there, starting with libvirt, is more than to run.
    lab.define(&guest("web", &[on_network("brief", 1)], ""));
    lab.virsh(&["start", "web"]);
    let create = ["net", "create", "brief", "--mode", "isolated", "--host-access"];
    let dry = [&create[..], &["--dry-run", "--exit-code"]].concat();
    lab.kvmnet(&dry).exits(1).says(&["it gets a definition"]).says(&["it starts with libvirt"]);
    lab.kvmnet(&[&create[..], &["-y"]].concat()).ok();
    let is = |persistent: &str, autostart: &str| {
        let info = lab.virsh(&["net-info", "brief"]);
        let has = |key: &str, word: &str| {
            info.lines().any(|line| line.starts_with(key) && line.ends_with(&format!(" {word}")))
        };
        has("Persistent", persistent) && has("Autostart", autostart) && has("Active", "yes")
    };
    assert!(is("yes", "yes"));
    assert!(!lab.virsh(&["net-dumpxml", "--inactive", "brief"]).contains("connections"));
    assert_eq!(lab.tap_master("web", 1), "virbr9");
    lab.kvmnet(&create).ok().says(&["nothing to do"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert!(is("no", "no"));
}

#[test]
fn what_is_typed_again_changes_nothing() {
    let Some(lab) = Lab::start() else { return };
    let create = ["net", "create", "lab", "--mode", "isolated", "--host-access", "--mtu", "1400"];
    lab.kvmnet(&create).ok();
    lab.kvmnet(&create).ok().says(&["nothing to do"]);
    let off = [&create[..], &["--no-start", "--no-autostart"]].concat();
    lab.kvmnet(&off).ok().says(&["nothing to do", "kvmnet net stop lab", "kvmnet net autostart lab off"]);
    lab.kvmnet(&["net", "create", "lab", "--mode", "nat"]).exits(2).says(&["already"]);
    let dry = lab.kvmnet(&["net", "create", "--mode", "nat", "--dry-run", "--exit-code"]).exits(1);
    assert!(dry.stdout.contains("<forward mode='nat'/>"), "{}", dry.report());
    lab.kvmnet(&["undo", "-y"]).ok();
    lab.try_virsh(&["net-info", "lab"]).exits(1);
    assert!(!lab.answers(Place::Lan, "192.168.123.1"));
}
