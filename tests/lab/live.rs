//! Running guests moved without a restart.

use crate::lab::Lab;
use crate::lab::xml::plain;

const LAN: &str = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";

/// A guest that runs on the network `default`.
fn running() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    Some(lab)
}

#[test]
fn now_and_for_good_and_back() {
    let Some(lab) = running() else { return };
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live", "--dry-run"])
        .ok()
        .says(&["(running, NIC 1)"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    let out = lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live", "-y", "-o", "json"]).ok();
    let done: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(done["changes"][0]["live"], "applied");
    assert_eq!(lab.tap_master("vm1", 1), "br0");
    assert!(lab.xml("vm1").contains("<source bridge='br0'/>"));
    assert!(!lab.virsh(&["dumpxml", "vm1"]).contains("state='down'"), "the link is up again");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live", "-y"]).ok().says(&["nothing to do"]);

    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_pending_change_is_made_live_later() {
    let Some(lab) = running() else { return };
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "br0");
}

#[test]
fn only_now() {
    let Some(lab) = running() else { return };
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live-only", "--no-link-bounce", "-y"]).ok();
    assert_eq!((lab.tap_master("vm1", 1), lab.xml("vm1")), ("br0".into(), original.clone()));
    lab.virsh(&["destroy", "vm1"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live-only", "-y"])
        .exits(2)
        .says(&["isn't running"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_transient_guest() {
    let Some(lab) = Lab::start() else { return };
    let file = lab.file("t.xml", &plain("temp", 1));
    lab.virsh(&["create", &file]);
    lab.kvmnet(&["convert", "temp", "--to-bridge", "br0", "--live", "-y"]).exits(2).says(&["--live-only"]);
    lab.kvmnet(&["convert", "temp", "--to-bridge", "br0", "--live-only", "-y"]).ok();
    assert_eq!(lab.tap_master("temp", 1), "br0");
    assert_eq!(lab.virsh(&["list", "--transient", "--name"]).trim(), "temp", "it isn't made persistent");
}

#[test]
fn a_network_of_mode_bridge_stays_a_network() {
    let Some(lab) = running() else { return };
    lab.network("lan", LAN);
    lab.kvmnet(&["convert", "vm1", "--to-network", "lan", "--live", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "br0");
    let live = lab.virsh(&["dumpxml", "vm1"]);
    assert!(live.contains("network='lan'"), "the link bounce must not cost it its network:\n{live}");
    lab.kvmnet(&["convert", "vm1", "--to-network", "default", "--live", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

#[test]
fn an_orphaned_tap_is_plugged_in() {
    let Some(lab) = running() else { return };
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-start", "default"]);
    assert_eq!(lab.tap_master("vm1", 1), "", "libvirt leaves it on no bridge");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "br0");
}

#[test]
fn what_fails_leaves_the_guest_plugged_in() {
    let Some(lab) = running() else { return };
    let original = lab.xml("vm1");
    for target in ["nobr", "enp4s0"] {
        lab.kvmnet(&["convert", "vm1", "--to-bridge", target, "--live", "-y", "--force"]).exits(2);
        assert_eq!(
            (lab.tap_master("vm1", 1), lab.xml("vm1")),
            ("virbr0".into(), original.clone()),
            "{target}"
        );
    }
    lab.kvmnet(&["convert", "vm1", "--to-direct", "enp4s0", "--live", "-y"]).exits(2).says(&["macvtap"]);
}

#[test]
fn one_pending_and_one_not() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 2));
    lab.virsh(&["start", "vm1"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--nic", "1", "-y"]).ok();
    lab.virsh(&["attach-interface", "vm1", "network", "default", "--mac", "52:54:00:00:09:09", "--config"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--all-nics", "--live", "-y"])
        .ok()
        .says(&["52:54:00:00:09:09 isn't in the running guest"]);
    assert_eq!((lab.tap_master("vm1", 1), lab.tap_master("vm1", 2)), ("br0".into(), "br0".into()));
    let again = ["convert", "vm1", "--to-bridge", "br0", "--all-nics", "--live", "-y"];
    lab.kvmnet(&again).ok().says(&["nothing to do"]);
}

#[test]
fn by_the_network_that_only_the_running_guest_is_on() {
    let Some(lab) = running() else { return };
    lab.kvmnet(&["convert", "--on-network", "default", "--to-bridge", "br0", "-y"]).ok();
    lab.kvmnet(&["convert", "--on-network", "default", "--to-bridge", "br0", "--live-only", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "br0");
}

#[test]
fn a_restarted_guest_has_nothing_to_put_back() {
    let Some(lab) = running() else { return };
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--live-only", "-y"]).ok();
    lab.virsh(&["destroy", "vm1"]);
    lab.virsh(&["start", "vm1"]);
    lab.kvmnet(&["undo", "-y"]).ok().says(&["nothing to put back"]);
}

#[test]
fn without_the_right_to_listen_nothing_else_is_lost() {
    let Some(lab) = running() else { return };
    let program = env!("CARGO_BIN_EXE_kvmnet");
    let without = ["env", "KVMNET_STATE_DIR=/run/lab/state", "setpriv", "--bounding-set=-net_raw", program];
    let convert = ["convert", "vm1", "--to-bridge", "br0", "--live", "--wait-address=1", "-yv"];
    let out = lab.host(&[&without[..], &convert].concat()).ok();
    let out = out.says(&["not listening for the address of NIC 52:54:00:00:00:01: its tap vnet"]);
    out.says(&[
        "no new address seen within 1 s (on a bridge the guest's agent or this host's neighbour table must",
    ]);
    assert_eq!(lab.tap_master("vm1", 1), "br0");

    lab.kvmnet(&["undo", "-y"]).ok();
    // Even this guest's firmware asks for an address, as it would start from the network.
    let out = lab.kvmnet(&convert).ok();
    let out =
        out.says(&["has address 198.18.0.", "no new address seen within 1 s (nothing on its tap tells"]);
    assert!(!out.all().contains("not listening"), "{}", out.report());
}
