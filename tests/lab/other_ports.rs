//! What somebody has put on a network's own bridge besides its guests: a cable, a tap of nobody's.

use crate::lab::xml::plain;
use crate::lab::{Lab, Out};

fn on(lab: &Lab, device: &str) -> String {
    let link = lab.host(&["readlink", &format!("/sys/class/net/{device}/master")]).stdout;
    link.trim().rsplit('/').next().unwrap_or_default().to_owned()
}

/// A lab with a guest on `default`, one end of a cable on its bridge, and a tap that is no libvirt guest's.
fn lab() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    lab.host(&["ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1"]).ok();
    lab.host(&["ip", "tuntap", "add", "tap7", "mode", "tap"]).ok();
    for port in ["cable0", "tap7"] {
        lab.host(&["ip", "link", "set", port, "master", "virbr0"]).ok();
    }
    Some(lab)
}

#[track_caller]
fn all_there(lab: &Lab) {
    let masters = [lab.tap_master("vm1", 1), on(lab, "tap7"), on(lab, "cable0")];
    assert_eq!(masters, ["virbr0", "virbr0", "virbr0"]);
}

fn net(lab: &Lab, words: &str) -> Out {
    let words: Vec<&str> = words.split(' ').collect();
    lab.kvmnet(&[&["net"], &words[..]].concat())
}

#[test]
fn they_are_named_and_come_back() {
    let Some(lab) = lab() else { return };
    let named = "on virbr0 besides the taps of guests on this network: 'cable0', 'tap7'";
    net(&lab, "restart default -y").ok().says(&[&format!("{named}; put on the bridge again")]);
    all_there(&lab);
    net(&lab, "set-mode default --mode route -y").ok().says(&[&format!("{named}; put on")]);
    all_there(&lab);
    let bridged = "set-mode default --mode bridge --bridge br0 -y";
    net(&lab, bridged).ok().says(&[&format!("warning[ports-lost]: {named}; on no bridge afterwards")]);
    assert_eq!((lab.tap_master("vm1", 1), on(&lab, "cable0")), ("br0".into(), String::new()));
    // To the host's bridge they weren't asked; to their own they come back.
    lab.kvmnet(&["undo", "-y"]).ok();
    all_there(&lab);
    net(&lab, "stop default -y").ok().says(&[&format!("{named}; on no bridge afterwards; 'kvmnet undo'")]);
    assert_eq!(on(&lab, "cable0"), "");
    lab.kvmnet(&["undo", "-y"]).ok();
    all_there(&lab);
    net(&lab, "delete default --force --dry-run").ok().says(&["warning[ports-lost]"]);
}

#[test]
fn somebody_elses_port_is_left_where_it_is() {
    let Some(lab) = lab() else { return };
    net(&lab, "stop default -y").ok();
    lab.host(&["ip", "link", "set", "cable0", "master", "br1"]).ok();
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((on(&lab, "cable0"), on(&lab, "tap7")), ("br1".into(), "virbr0".into()));
}
