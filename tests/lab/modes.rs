//! Running guests whose network takes every mode, restarts, or changes under kvmnet's hands; and what can't work.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::cut_short::killed_after;
use crate::lab::guest::Guest;
use crate::lab::xml::{guest, on_network, plain};
use crate::lab::{Lab, Out, Place};

/// A network with all that an editor could lose.
const RICH: &str = "<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>rich</name>\
    <metadata><own:note xmlns:own='http://example.org/own'>kept</own:note></metadata>\
    <forward mode='nat'/><bridge name='virbr7'/><domain name='lab.example'/>\
    <dns><host ip='10.70.0.9'><hostname>web</hostname></host></dns>\
    <ip address='10.70.0.1' netmask='255.255.255.0'><dhcp><range start='10.70.0.2' end='10.70.0.99'/>\
    <host mac='52:54:00:00:00:01' name='vm1' ip='10.70.0.50'/></dhcp></ip>\
    <dnsmasq:options><dnsmasq:option value='log-dhcp'/></dnsmasq:options></network>";

fn definition(lab: &Lab, network: &str) -> String {
    lab.virsh(&["net-dumpxml", "--inactive", network])
}

/// The guest's tap is on that bridge, and libvirt's books have its one port under the name that the guest has for it.
#[track_caller]
pub(crate) fn plugged(lab: &Lab, guest: &str, network: &str, bridge: &str) {
    assert_eq!(lab.tap_master(guest, 1), bridge);
    let xml = lab.virsh(&["dumpxml", guest]);
    let port = xml.split("portid='").nth(1).and_then(|rest| rest.split('\'').next());
    let ports = lab.virsh(&["net-port-list", network]);
    assert_eq!(ports.split_whitespace().collect::<Vec<_>>(), port.into_iter().collect::<Vec<_>>(), "{xml}");
}

fn set_mode(lab: &Lab, network: &str, words: &str) -> Out {
    let words: Vec<&str> = words.split(' ').collect();
    lab.kvmnet(&[&["net", "set-mode", network, "-y", "--mode"], &words[..]].concat())
}

#[test]
fn a_running_guest_goes_through_every_mode_and_back() {
    let Some(lab) = Lab::start() else { return };
    lab.network("rich", RICH);
    lab.define(&guest("vm1", &[on_network("rich", 1)], ""));
    lab.virsh(&["start", "vm1"]);
    let id = lab.virsh(&["domid", "vm1"]);
    let mut stood = vec![("virbr7", definition(&lab, "rich"))];
    for (words, bridge, says) in [
        ("isolated", "virbr7", "nat → isolated, without the host"),
        ("isolated --host-access", "virbr7", "isolated, without the host → isolated, with the host"),
        ("route", "virbr7", "static route"),
        ("open", "virbr7", "libvirt makes no firewall rules"),
        ("bridge --bridge br0", "br0", "running guest 'vm1': moved to br0, not restarted"),
        ("nat", "virbr1", "running guest 'vm1': moved to virbr1, not restarted"),
    ] {
        set_mode(&lab, "rich", words).ok().says(&[says]);
        plugged(&lab, "vm1", "rich", bridge);
        let xml = definition(&lab, "rich");
        lab.host(&["virt-xml-validate", &lab.file("now.xml", &xml), "network"]).ok();
        for kept in ["<own:note xmlns:own=\"http://example.org/own\">kept</own:note>", "log-dhcp"] {
            assert!(xml.contains(kept), "{words}: {kept} is lost:\n{xml}");
        }
        set_mode(&lab, "rich", words).ok().says(&["nothing to do"]);
        stood.push((bridge, xml));
    }
    let last = stood.pop().unwrap();
    while let Some((bridge, xml)) = stood.pop() {
        lab.kvmnet(&["undo", "-y"]).ok();
        assert_eq!(definition(&lab, "rich"), xml);
        plugged(&lab, "vm1", "rich", bridge);
    }
    assert_ne!(last.1, definition(&lab, "rich"));
    assert_eq!(lab.virsh(&["domid", "vm1"]), id, "the guest was never restarted");
}

#[test]
fn no_running_guest_follows_to_macvtap() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    let before = definition(&lab, "default");
    let out = set_mode(&lab, "default", "bridge --pool br1").exits(2);
    let out =
        out.says(&["running guest 'vm1': a running NIC can't become macvtap"]).says(&["virsh shutdown"]);
    assert!(!out.all().contains("--force"), "there is none\n{}", out.report());
    assert_eq!(definition(&lab, "default"), before);
    plugged(&lab, "vm1", "default", "virbr0");
    // On a bridge's port no macvtap works at all.
    set_mode(&lab, "default", "bridge --pool enp4s0").exits(2).says(&["--bridge br0 instead of --pool"]);
    lab.kvmnet(&["net", "create", "--mode", "bridge", "--pool", "enp4s0"]).exits(2).says(&["port of 'br0'"]);

    lab.virsh(&["destroy", "vm1"]);
    set_mode(&lab, "default", "bridge --pool br1").ok();
    // Nor does one come back from it.
    lab.virsh(&["start", "vm1"]);
    let shown = lab.kvmnet(&["net", "show", "default"]).ok().says(&["devices:   br1 (up, MTU 1500)"]);
    shown.says(&[": guest 'vm1' (52:54:00:00:00:01)"]);
    set_mode(&lab, "default", "nat").exits(2).says(&["that is macvtap can't be plugged into a bridge"]);
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&["that is macvtap can't be plugged into a bridge"]);
    lab.kvmnet(&["net", "stop", "default", "--dry-run"]).ok().says(&["not cut off"]);
    lab.virsh(&["destroy", "vm1"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(definition(&lab, "default"), before);
}

#[test]
fn what_waits_for_a_restart_is_shown_and_done() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    let pending = || {
        let shown = lab.kvmnet(&["-o", "json", "net", "show", "default"]).ok().json();
        shown["network"]["pending"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap().trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(pending(), Vec::<String>::new(), "what libvirt adds is no change");
    let entry = "<host mac='52:54:00:00:00:09' ip='192.168.122.9'/>";
    lab.virsh(&["net-update", "default", "add", "ip-dhcp-host", entry, "--config"]);
    assert_eq!(pending(), ["+      <host mac='52:54:00:00:00:09' ip='192.168.122.9'/>"]);
    lab.kvmnet(&["net", "restart", "default", "--dry-run"]).ok().says(&["wait for a restart take effect"]);
    lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
    assert_eq!(pending(), Vec::<String>::new());
    plugged(&lab, "vm1", "default", "virbr0");

    // The definition has that mode already; what runs doesn't.
    let routed = definition(&lab, "default").replace("mode='nat'", "mode='route'");
    lab.virsh(&["net-define", &lab.file("routed.xml", &routed)]);
    set_mode(&lab, "default", "route --dry-run").ok().says(&["what runs is older"]);
    set_mode(&lab, "default", "route").ok();
    assert!(lab.virsh(&["net-dumpxml", "default"]).contains("<forward mode='route'/>"));
    plugged(&lab, "vm1", "default", "virbr0");
    set_mode(&lab, "default", "route").ok().says(&["nothing to do"]);

    // Its bridge is called something else from its next start on; the one that it has isn't in its way.
    let renamed = definition(&lab, "default").replace("virbr0", "virbr8");
    lab.virsh(&["net-define", &lab.file("renamed.xml", &renamed)]);
    set_mode(&lab, "default", "nat --subnet 192.168.122.0/25 --bridge virbr0").ok();
    plugged(&lab, "vm1", "default", "virbr0");
    lab.virsh(&["net-define", &lab.file("renamed.xml", &renamed)]);
    lab.kvmnet(&["net", "restart", "default", "-y"]).ok().says(&["running guest 'vm1': moved to virbr8"]);
    plugged(&lab, "vm1", "default", "virbr8");
}

#[test]
fn what_somebody_else_does_meanwhile_stands() {
    let Some(lab) = Lab::start() else { return };
    let before = definition(&lab, "default");
    let asking = lab.kvmnet_asks(&["net", "set-mode", "default", "--mode", "route"]);
    lab.virsh(&["net-destroy", "default"]);
    let (code, said) = asking.answer("y\n");
    assert!(code == 2 && said.contains("changed since the preview"), "{said}");
    assert_eq!(definition(&lab, "default"), before);
    let asking = lab.kvmnet_asks(&["net", "start", "default"]);
    lab.virsh(&["net-start", "default"]);
    assert_eq!(asking.answer("y\n").0, 2);
    let asking = lab.kvmnet_asks(&["net", "delete", "default"]);
    lab.virsh(&["net-autostart", "default", "--disable"]);
    assert_eq!(asking.answer("y\n").0, 2);
    assert!(lab.virsh(&["net-list"]).contains("default"));
    let asking = lab.kvmnet_asks(&["net", "restart", "default"]);
    assert_eq!(asking.answer("n\n").0, 2);
}

#[test]
fn from_another_host_taps_stay_unplugged_and_that_is_said() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    // What libvirt takes for ssh runs the other end's command here.
    let ssh = lab.file("ssh", "#!/bin/bash\nexec bash -c \"${@: -1}\"\n");
    lab.host(&["chmod", "+x", &ssh]).ok();
    let uri = format!("qemu+ssh://rack7/system?command={ssh}");
    let warned = |args: &[&str]| {
        // Whether a device has the bridge's name by then can't be seen either.
        let args = [args, if args[0] == "start" { &["--force"] } else { &[] }].concat();
        let out = lab.kvmnet(&[&["-c", &uri, "net"], &args[..], &["--dry-run", "-o", "json"]].concat()).ok();
        let warnings = &out.json()["changes"][0]["warnings"];
        let found = warnings.as_array().unwrap().iter().find(|w| w["code"] == "guests-cut-off");
        let message = found.unwrap_or_else(|| panic!("{}", out.report()))["message"].to_string();
        assert!(message.contains("vm1") && message.contains("'kvmnet reattach'"), "{message}");
    };
    warned(&["restart", "default"]);
    warned(&["stop", "default"]);
    warned(&["set-mode", "default", "--mode", "bridge", "--bridge", "br0"]);
    lab.kvmnet(&["-c", &uri, "net", "stop", "default", "-y"]).ok();
    warned(&["start", "default"]);
    lab.kvmnet(&["-c", &uri, "net", "start", "default", "-y", "--force"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "");
    lab.kvmnet(&["reattach", "-y"]).ok();
    plugged(&lab, "vm1", "default", "virbr0");
}

#[test]
fn killed_at_any_moment_it_can_be_put_right() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    let before = definition(&lab, "default");
    let killed = Cell::new(0);
    let kill =
        |args: &[&str], after: u64| killed.set(killed.get() + u32::from(killed_after(&lab, args, after)));
    for after in [20, 45, 70, 95, 120] {
        kill(&["net", "create", "made", "--mode", "nat"], after);
        // The same again makes it whole, whatever there is of it; then it can be deleted.
        let whole = || lab.virsh(&["net-list", "--autostart"]).contains("made");
        lab.kvmnet(&["net", "create", "made", "--mode", "nat", "-y"]).ok();
        assert!(whole(), "after {after} ms");
        lab.kvmnet(&["net", "delete", "made", "-y"]).ok();
        assert_ne!(lab.host(&["ip", "link", "show", "dev", "virbr1"]).code, 0);
    }
    for after in [25, 60, 100, 180] {
        kill(&["net", "restart", "default", "-y"], after);
        lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
        plugged(&lab, "vm1", "default", "virbr0");
        kill(&["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"], after);
        set_mode(&lab, "default", "bridge --bridge br0").ok();
        lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
        plugged(&lab, "vm1", "default", "br0");
        lab.virsh(&["net-define", &lab.file("before.xml", &before)]);
        lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
        plugged(&lab, "vm1", "default", "virbr0");
    }
    assert!(killed.get() > 4, "it is too fast for this: {}", killed.get());
}

#[test]
fn what_was_cut_short_is_undone() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    let before = definition(&lab, "default");
    // A journal that ends in the middle of a change, and the network as it may stand then.
    let cut = |args: &[&str]| {
        lab.kvmnet(args).ok();
        let last =
            "f=$(ls -t /run/lab/state/journal/*.jsonl | head -1); head -n 2 $f >$f.new; mv $f.new $f; cat $f";
        lab.host(&["sh", "-c", last]).ok();
    };
    cut(&["net", "create", "made", "--mode", "nat"]);
    lab.virsh(&["net-destroy", "made"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    lab.try_virsh(&["net-info", "made"]).exits(1);
    cut(&["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"]);
    lab.virsh(&["net-destroy", "default"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(definition(&lab, "default"), before);
    plugged(&lab, "vm1", "default", "virbr0");
    // What isn't on the way is somebody else's.
    cut(&["net", "create", "made", "--mode", "nat"]);
    let other = definition(&lab, "made").replace("<ip ", "<domain name='theirs'/><ip ");
    lab.virsh(&["net-define", &lab.file("other.xml", &other)]);
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&["left alone"]);
}

#[test]
fn what_cannot_work_is_said_and_stops_nothing() {
    let Some(lab) = Lab::start() else { return };
    // libvirtd has mounts of its own.
    let there = |script: &str| {
        lab.host(&["sh", "-c", &format!("nsenter -t $(cat /run/lab/libvirtd.pid) -m sh -ec '{script}'")])
    };
    let kvmnet = env!("CARGO_BIN_EXE_kvmnet");
    let run = |words: &str| there(&format!("KVMNET_STATE_DIR=/run/lab/state {kvmnet} {words}"));
    let before = lab.virsh(&["net-list", "--all"]);
    let same = || assert_eq!(lab.virsh(&["net-list", "--all"]), before);

    there("mount --bind /dev/null /usr/sbin/dnsmasq").ok();
    run("net create --mode nat")
        .exits(2)
        .says(&["dnsmasq, which gives out its addresses, isn't installed"])
        .says(&["help: install dnsmasq"]);
    run("net restart default -y").exits(2).says(&["nothing was stopped"]);
    run("net set-mode default --mode route -y").exits(2).says(&["nothing was stopped"]);
    run("net create lan --mode bridge --bridge br0 --no-autostart").ok();
    run("net delete lan -y").ok();
    there("umount /usr/sbin/dnsmasq").ok();
    same();

    there("mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys").ok();
    run("net create --mode nat").exits(2).says(&["/proc/sys is read-only here"]);
    there("umount /proc/sys").ok();
    same();
    assert_ne!(lab.host(&["ip", "link", "show", "dev", "virbr1"]).code, 0);

    let full = "mkdir /run/lab/full; mount -t tmpfs -o size=4k full /run/lab/full; cat /dev/zero >/run/lab/full/a || true";
    there(full).ok();
    let run = |words: &str| there(&format!("KVMNET_STATE_DIR=/run/lab/full {kvmnet} {words}"));
    for words in
        ["create --mode nat", "restart default -y", "set-mode default --mode route -y", "delete default -y"]
    {
        run(&format!("net {words}")).exits(2).says(&["nothing was changed"]);
    }
    same();
    for words in ["list", "show default", "leases default"] {
        let piped = format!("{kvmnet} net {words} | true; echo ${{PIPESTATUS[0]}}");
        let out = lab.host(&["bash", "-c", &piped]).ok();
        assert!(!out.stderr.contains("panick") && out.stdout.trim() != "101", "{}", out.report());
    }
}

#[test]
fn a_free_subnet_among_all_that_is_in_the_way() {
    let Some(lab) = Lab::start() else { return };
    for line in [
        // A VPN that takes all, in halves; one with a big network; one in a table of its own; what must not be sent.
        "ip route add 0.0.0.0/1 dev br0; ip route add 128.0.0.0/1 dev br0",
        "ip route add 10.0.0.0/8 via 198.18.0.1; ip route add 192.168.0.0/16 dev br1",
        "ip route add 172.16.0.0/14 dev br1 table 77; ip rule add from 198.18.0.4 table 77",
        "ip route add blackhole 172.20.0.0/16; ip -6 addr add fd00:77::1/64 dev br1 nodad",
        "ip link add virbr1 type bridge",
    ] {
        lab.host(&["sh", "-ec", line]).ok();
    }
    let create = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        lab.kvmnet(&[&["-v", "net", "create", "--mode", "nat", "--dry-run"], &words[..]].concat())
    };
    let out = create("").ok().says(&["subnet 172.21.0.0/24: the first of 172.16.0.0/12"]);
    assert!(out.stdout.contains("<bridge name='virbr2'"), "{}", out.report());
    for (words, with) in [
        ("--subnet 10.3.0.0/24", "overlaps the route to 10.0.0.0/8 via 198.18.0.1 on br0"),
        ("--subnet 172.17.5.0/24", "overlaps the route to 172.16.0.0/14 on br1"),
        ("--subnet 172.20.5.0/24", "overlaps the blackhole route to 172.20.0.0/16"),
        ("--subnet 198.18.0.0/30", "overlaps the address 198.18.0.4/24 of br0"),
        ("--subnet6 fd00:77::/60", "overlaps the address fd00:77::1/64 of br1"),
        ("--bridge virbr1", "'virbr1' is a device of this host already"),
    ] {
        create(words).exits(2).says(&[with]);
    }
    let out = create("--subnet-pool fd00:77::/48 --subnet-pool 172.21.4.0/22").ok();
    out.says(&["IPv6 subnet fd00:77:0:1::/64"]).says(&["subnet 172.21.4.0/24: the first of 172.21.4.0/22"]);
}

#[test]
fn three_hundred_networks_are_no_hurdle() {
    let Some(lab) = Lab::start() else { return };
    let mut script = String::new();
    for n in 0..300 {
        let xml = format!(
            "<network><name>n{n}</name><bridge name='virbr{}'/><ip address='10.{}.{}.1' netmask='255.255.255.0'/></network>",
            n + 1,
            n / 200,
            n % 200
        );
        script.push_str(&format!("net-define {};", lab.file(&format!("n{n}.xml"), &xml)));
    }
    lab.virsh(&[&script]);
    let began = Instant::now();
    let words = ["-v", "net", "create", "--mode", "nat", "--dry-run", "--subnet-pool", "10.0.0.0/8"];
    let out = lab.kvmnet(&words).ok().says(&["subnet 10.0.200.0/24"]);
    assert!(out.stdout.contains("<bridge name='virbr301'"), "{}", out.report());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(
        lab.kvmnet(&["-o", "json", "net", "list"]).ok().json()["networks"].as_array().unwrap().len(),
        301
    );
}

#[test]
fn dhcp_and_dns_do_as_they_were_told() {
    let Some(lab) = Lab::start() else { return };
    if lab.host(&["busybox", "udhcpc", "--help"]).code == 127 {
        eprintln!("there is no busybox here: DHCP is only tried by guests that boot");
        return;
    }
    let words = "net create lab --mode nat --subnet 10.60.0.0/24 --dhcp 10.60.0.100-10.60.0.101 --domain lab.example \
                 --host 52:54:00:60:00:01,10.60.0.9,web --dns-host 10.60.0.7,printer.lab.example --bridge virbr60";
    lab.kvmnet(&words.split_whitespace().collect::<Vec<_>>()).ok();
    // A machine at the bridge with that MAC address.
    for line in [
        "ip netns add web",
        "ip -n host link add tap-web type veth peer name eth0 netns web address 52:54:00:60:00:01",
        "ip -n host link set tap-web master virbr60 up",
        "ip -n web link set eth0 up",
    ] {
        lab.lan(&["sh", "-c", line]).ok();
    }
    let script = "#!/bin/sh\n[ \"$1\" = bound ] && ip addr add $ip/$mask dev $interface && echo \"$dns $domain\" >/run/lab/told\nexit 0\n";
    let script = lab.file("learned", script);
    lab.host(&["chmod", "+x", &script]).ok();
    let inside = |argv: &[&str]| lab.lan(&[&["ip", "netns", "exec", "web"], argv].concat());
    inside(&["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "20", "-T", "1", "-s", &script]).ok();
    inside(&["ip", "-4", "addr", "show", "dev", "eth0"]).ok().says(&["10.60.0.9/24"]);
    assert_eq!(lab.host(&["cat", "/run/lab/told"]).stdout.trim(), "10.60.0.1 lab.example");
    let leases = lab.kvmnet(&["-o", "json", "net", "leases", "lab"]).ok().json();
    assert_eq!(
        (&leases["leases"][0]["ip"], &leases["leases"][0]["hostname"]),
        (&"10.60.0.9".into(), &"web".into())
    );
    for (name, address) in [("printer.lab.example", "10.60.0.7"), ("web.lab.example", "10.60.0.9")] {
        inside(&["busybox", "nslookup", name, "10.60.0.1"]).ok().says(&[address]);
    }
    assert!(lab.answers(Place::Host, "10.60.0.9"));
    lab.kvmnet(&["net", "show", "lab"]).ok().says(&["10.60.0.9/24"]);
    lab.lan(&["ip", "netns", "del", "web"]).ok();
}

#[test]
fn a_booted_guest_makes_its_ipv6_address() {
    let Some(lab) = Lab::start_bootable() else { return };
    let words = "net create six --mode nat --subnet6 fd60:1::/64";
    lab.kvmnet(&words.split(' ').collect::<Vec<_>>()).ok().says(&["(SLAAC)"]);
    let vm = lab.boot(&Guest::on_network("six"));
    assert!(vm.address6().starts_with("fd60:1:"));
    assert!(vm.pings("fd60:1::1"));
    set_mode(&lab, "six", "isolated --host-access").ok();
    plugged(&lab, "vm1", "six", "virbr1");
    // After STP's delay the host's own address takes its time to be found unique.
    assert!(vm.pings("fd60:1::1") || vm.pings("fd60:1::1"), "the host's address, after the restart");
    assert!(!vm.pings("198.18.0.9"), "the host, and nobody else");
}
