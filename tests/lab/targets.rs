//! Where to: targets that can't work, that surprise, or that take something away.

use crate::lab::xml::{MOVED, changes, guest, nic_with, on_network, plain};
use crate::lab::{Lab, Out};

/// A guest on `default`, and a target for it, tried without and with a consent.
#[track_caller]
fn refused(lab: &Lab, target: &[&str]) -> Out {
    let before = lab.xml("vm1");
    let out = lab.kvmnet(&[&["convert", "vm1"], target, &["-y"]].concat()).exits(2);
    assert_eq!(lab.xml("vm1"), before);
    out
}

#[test]
fn a_target_must_be_there() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    refused(&lab, &["--to-bridge", "br9"]).says(&["br9"]);
    refused(&lab, &["--to-network", "nosuch"]).says(&["nosuch"]);
    refused(&lab, &["--to-direct", "eth9"]).says(&["eth9"]);
    for bad in ["", ".", "..", "br/0", "br 0", "a-name-of-sixteen"] {
        refused(&lab, &["--to-bridge", bad]);
    }
    refused(&lab, &[]).says(&["--to-bridge"]);
    refused(&lab, &["--to-bridge", "br0", "--to-network", "default"]);

    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br9", "--force", "-y"]).ok();
    assert!(changes(&original, &lab.xml("vm1")).contains(&"+<source bridge='br9'/>".to_owned()));
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_bridge_must_be_a_bridge_and_up() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    refused(&lab, &["--to-bridge", "enp4s0"]).says(&["bridge"]);
    lab.host(&["ip", "tuntap", "add", "tap9", "mode", "tap"]).ok();
    refused(&lab, &["--to-bridge", "tap9"]).says(&["bridge"]);
    lab.host(&["ip", "link", "set", "br0", "down"]).ok();
    refused(&lab, &["--to-bridge", "br0"]).says(&["down", "up"]);
    lab.host(&["ip", "link", "set", "br0", "up"]).ok();
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run"]).ok();
}

#[test]
fn a_bridge_that_leads_nowhere_is_said_to() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let nowhere = lab.kvmnet(&["convert", "vm1", "--to-bridge", "br1", "--dry-run", "-o", "json"]);
    assert!(nowhere.all().contains("br1"));
    let warned = !nowhere.json()["changes"][0]["warnings"].as_array().unwrap().is_empty();
    assert!(warned || nowhere.code == 2, "{}", nowhere.report());
}

#[test]
fn the_bridge_of_a_network_is_said_to_be_one() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let out = lab.kvmnet(&["convert", "vm1", "--to-bridge", "virbr0", "--dry-run"]);
    assert!(out.code == 0 || out.code == 2, "{}", out.report());
    let said = out.all();
    let warning = said.lines().find(|l| l.contains("virbr0") && l.contains("default"));
    assert!(warning.is_some(), "that it belongs to the network default\n{}", out.report());
}

#[test]
fn macvtap_and_back() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-direct", "enp4s0", "--force", "-y"]).ok();
    let expected = [
        "-<interface type='network'>",
        "+<interface type='direct'>",
        "-<source network='default'/>",
        "+<source dev='enp4s0' mode='bridge'/>",
    ];
    assert_eq!(changes(&original, &lab.xml("vm1")), expected);
    lab.kvmnet(&["convert", "vm1", "--to-network", "default", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn what_a_network_gave_is_written_out() {
    let Some(lab) = Lab::start() else { return };
    lab.network(
        "shaped",
        "<network><name>shaped</name><forward mode='nat'/><bridge name='virbr8'/><port isolated='yes'/>\
         <ip address='10.8.0.1' netmask='255.255.255.0'/>\
         <portgroup name='slow'><bandwidth><inbound average='128'/><outbound average='64'/></bandwidth></portgroup>\
         <portgroup name='usual' default='yes'/></network>",
    );
    let slow = nic_with("network", "network='shaped' portgroup='slow'", 1, "");
    lab.define_all(&[guest("slow", &[slow], ""), guest("usual", &[on_network("shaped", 2)], "")]);
    let (slow, usual) = (lab.xml("slow"), lab.xml("usual"));
    lab.kvmnet(&["convert", "slow", "usual", "--to-bridge", "br0", "-y"]).ok();
    let after = lab.xml("slow");
    for line in ["<port isolated='yes'/>", "<inbound average='128'/>", "<outbound average='64'/>"] {
        assert!(after.contains(line), "{line} is lost\n{after}");
    }
    assert!(!after.contains("portgroup"), "{after}");
    let mut lines = changes(&usual, &lab.xml("usual"));
    lines.retain(|l| l != "+<port isolated='yes'/>");
    assert_eq!(lines, MOVED.map(|l| l.replace("'default'", "'shaped'")));
    // `slow` can't be started everywhere: some kernels lack the queueing that libvirt shapes with.
    lab.virsh(&["start", "usual"]);
    assert_eq!(lab.tap_master("usual", 1), "br0");
    let isolated = lab.host(&["sh", "-c", "cat /sys/class/net/vnet*/brport/isolated"]).ok();
    assert_eq!(isolated.stdout.trim(), "1", "the kernel keeps the guest apart on the bridge too");
    lab.virsh(&["destroy", "usual"]);

    for id in crate::lab::ids(&lab.kvmnet(&["history", "-o", "json"]).ok()) {
        lab.kvmnet(&["undo", &id, "-y"]).ok();
    }
    assert_eq!((lab.xml("slow"), lab.xml("usual")), (slow, usual));
}

#[test]
fn a_vlan_from_a_portgroup_is_not_lost_silently() {
    let Some(lab) = Lab::start() else { return };
    lab.network(
        "trunk",
        "<network><name>trunk</name><forward mode='bridge'/><bridge name='br1'/>\
         <portgroup name='blue'><vlan><tag id='42'/></vlan></portgroup></network>",
    );
    lab.define(&guest("vm1", &[nic_with("network", "network='trunk' portgroup='blue'", 1, "")], ""));
    let out = lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run", "-o", "json"]);
    // Written out where the bridge filters VLANs, named as lost where it doesn't.
    let change = &out.json()["changes"][0];
    let kept = change["diff"].as_str().is_some_and(|d| d.contains("<tag id='42'/>"));
    let lost = change["warnings"].as_array().is_some_and(|w| w.iter().any(|w| w["code"] == "vlan-lost"));
    assert!(kept != lost, "{}", out.report());
}

#[test]
fn a_portgroup_is_a_target_too() {
    let Some(lab) = Lab::start() else { return };
    lab.network(
        "lan",
        "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/><portgroup name='vms'/></network>",
    );
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-network", "lan:vms", "-y"]).ok();
    let expected = ["-<source network='default'/>", "+<source network='lan' portgroup='vms'/>"];
    assert_eq!(changes(&original, &lab.xml("vm1")), expected);
    assert_eq!(lab.boot_and_see("vm1", 1), "br0");
    refused(&lab, &["--to-network", "default:nosuch"]).says(&["nosuch"]);
}
