//! What previews say of networks that are restarted, started or removed, and whether that is so then.

use crate::lab::Lab;
use crate::lab::xml::{mac, plain};

/// A dry run, which is to exit like that, and the run.
#[track_caller]
fn both(lab: &Lab, words: &str, code: i32, says: &[&str]) {
    let words: Vec<&str> = words.split(' ').collect();
    for last in ["--dry-run", "-y"] {
        lab.kvmnet(&[&words[..], &[last]].concat()).exits(code).says(says);
    }
}

const LIVE: &str = "<host mac='52:54:00:00:00:08' ip='192.168.122.8'/>";
const WAITING: &str = "<host mac='52:54:00:00:00:09' ip='192.168.122.9'/>";

/// Changes of `default` of which one is only in what runs, and one only in the definition.
fn differing(lab: &Lab) {
    lab.virsh(&["net-update", "default", "add", "ip-dhcp-host", LIVE, "--live"]);
    lab.virsh(&["net-update", "default", "add", "ip-dhcp-host", WAITING, "--config"]);
}

/// What is lost and what takes effect, as a preview says it.
const SAID: [&str; 4] = [
    "what runs without being in its definition is lost by the restart:",
    "-      <host mac='52:54:00:00:00:08' ip='192.168.122.8'/>",
    "changes of its definition that wait for a restart take effect:",
    "+      <host mac='52:54:00:00:00:09' ip='192.168.122.9'/>",
];

#[test]
fn what_a_restart_loses_and_brings() {
    let Some(lab) = Lab::start() else { return };
    let runs = |entry: &str| lab.virsh(&["net-dumpxml", "default"]).contains(&entry[..30]);
    for words in ["net restart default", "net set-mode default --mode route"] {
        differing(&lab);
        assert!(runs(LIVE) && !runs(WAITING));
        both(&lab, words, 0, &SAID);
        assert!(!runs(LIVE) && runs(WAITING), "{words}");
        lab.virsh(&["net-update", "default", "delete", "ip-dhcp-host", WAITING, "--live", "--config"]);
        let out = lab.kvmnet(&["net", "restart", "default", "--dry-run"]).ok();
        assert!(!out.all().contains("lost") && !out.all().contains("take effect"), "{}", out.report());
    }
    // So does putting it back.
    differing(&lab);
    lab.kvmnet(&["undo", "-y"]).ok().says(&SAID).says(&[
        "gives network 'default' the definition that it had before 2",
        "stops and starts network 'default'",
    ]);
    assert!(!runs(LIVE) && runs(WAITING));
    // What the new mode can't have isn't said to take effect.
    lab.virsh(&["net-update", "default", "delete", "ip-dhcp-host", WAITING, "--live"]);
    let out =
        lab.kvmnet(&["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "--dry-run"]).ok();
    assert!(!out.all().contains("take effect"), "{}", out.report());
}

#[test]
fn a_device_of_its_bridges_name_is_refused_before_anything_is_asked() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    lab.host(&["ip", "link", "add", "virbr77", "type", "bridge"]).ok();
    lab.host(&["ip", "link", "add", "virbr78", "type", "veth", "peer", "name", "peer78"]).ok();
    let network = |name: &str, bridge: &str| {
        let xml = format!("<network><name>{name}</name><bridge name='{bridge}'/></network>");
        lab.virsh(&["net-define", &lab.file("network.xml", &xml)]);
    };
    network("a", "virbr77");
    network("b", "virbr78");
    let there = "this host has a device 'virbr77', and the network would make a bridge of that name";
    let other = "kvmnet net set-mode a --mode isolated --bridge OTHER gives its bridge another name";
    let same =
        "kvmnet net set-mode a --mode bridge --bridge virbr77 puts its guests on the bridge that is there";
    both(&lab, "net start a", 2, &[there, other, same]);
    both(&lab, "net restart a", 2, &[there]);
    both(&lab, "net set-mode a --mode route", 2, &[there]);
    let out = lab.kvmnet(&["net", "start", "b", "-y"]).exits(2).says(&["this host has a device 'virbr78'"]);
    assert!(!out.all().contains("puts its guests"), "{}", out.report());
    // Of one that runs, the definition has another bridge than what runs.
    let renamed = lab.virsh(&["net-dumpxml", "--inactive", "default"]).replace("virbr0", "virbr76");
    lab.virsh(&["net-define", &lab.file("renamed.xml", &renamed)]);
    lab.host(&["ip", "link", "add", "virbr76", "type", "bridge"]).ok();
    both(&lab, "net restart default", 2, &["this host has a device 'virbr76'"]);
    both(&lab, "net set-mode default --mode route", 2, &["this host has a device 'virbr76'"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    for device in ["virbr76", "virbr77", "virbr78"] {
        lab.host(&["ip", "link", "show", "dev", device]).ok();
    }
    // As the help says.
    lab.kvmnet(&["net", "set-mode", "a", "--mode", "isolated", "--bridge", "virbr79", "-y"]).ok();
    lab.kvmnet(&["net", "start", "a", "-y"]).ok();
    // Nor does an undo start what would do harm.
    lab.kvmnet(&["net", "stop", "a", "-y"]).ok();
    lab.host(&["ip", "link", "add", "virbr79", "type", "bridge"]).ok();
    both(&lab, "undo", 2, &["this host has a device 'virbr79'"]);
}

#[test]
fn leases_are_gone_with_their_network() {
    let Some(lab) = Lab::start() else { return };
    // As libvirt's helper writes them down.
    let given = "/var/lib/libvirt/dnsmasq/virbr0.status";
    let until = 4_102_444_800_u64;
    let lease = format!(
        "[{{\"ip-address\":\"192.168.122.7\",\"mac-address\":\"{}\",\"expiry-time\":{until}}}]",
        mac(1)
    );
    let file = lab.file("leases", &lease);
    lab.host(&["cp", &file, given]).ok();
    let leases = || lab.kvmnet(&["net", "leases", "default"]).ok().all();
    lab.kvmnet(&["net", "stop", "default", "-y"]).ok();
    lab.kvmnet(&["net", "start", "default", "-y"]).ok();
    assert!(leases().contains("192.168.122.7"), "{}", leases());
    // libvirt's list outlives the server.
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    let out = lab.kvmnet(&["net", "set-mode", "default", "--mode", "isolated", "-y"]).ok();
    let told = out.all().matches("its own until its lease ends").count();
    assert_eq!(told, 1, "{}", out.report());
    let shown = lab.kvmnet(&["net", "show", "default"]).ok();
    assert!(!shown.stdout.contains("192.168.122.7"), "{}", shown.report());
    assert!(leases().contains("has given out no address; it has no DHCP"), "{}", leases());
    lab.kvmnet(&["undo", "-y"]).ok();
    lab.virsh(&["destroy", "vm1"]);
    lab.virsh(&["undefine", "vm1"]);
    assert!(leases().contains("192.168.122.7"), "{}", leases());
    let lost = "the one address that its DHCP server has given out is forgotten, and 'kvmnet undo' doesn't bring that back";
    both(&lab, "net delete default", 0, &[lost]);
    let gone = "which addresses its DHCP server had given out is forgotten: guests may get other ones";
    both(&lab, "undo", 0, &[gone, "defines network 'default' as it was before 5 and starts it"]);
    assert!(leases().contains("has given out no address"), "{}", leases());
}
