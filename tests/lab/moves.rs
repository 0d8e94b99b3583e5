//! One guest at a time: preview, apply, start, back, undo.

use crate::lab::xml::{MOVED, changes, guest, mac, nic_with, on_bridge, on_network, plain};
use crate::lab::{Lab, SECRET, ids};

#[test]
fn one_nic_there_and_back() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");

    let preview = lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run"]).ok();
    assert!(preview.all().lines().any(|l| l.starts_with('-') && l.contains("<source network='default'/>")));
    assert!(preview.all().lines().any(|l| l.starts_with('+') && l.contains("<source bridge='br0'/>")));
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run", "--exit-code"]).exits(1);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0"]).exits(2).says(&["--yes", "-y"]);
    assert_eq!(lab.xml("vm1"), original, "nothing was agreed to yet");

    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    let moved = lab.xml("vm1");
    assert_eq!(changes(&original, &moved), MOVED);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok().says(&["nothing to do"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run", "--exit-code"]).ok();
    assert_eq!(lab.xml("vm1"), moved);
    assert_eq!(lab.boot_and_see("vm1", 1), "br0");

    lab.kvmnet(&["convert", "vm1", "--to-network", "default", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
    assert_eq!(lab.boot_and_see("vm1", 1), "virbr0");
}

#[test]
fn undo_puts_the_bytes_back_and_can_be_undone() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    let moved = lab.xml("vm1");

    lab.kvmnet(&["undo"]).exits(2).says(&["--yes", "-y"]);
    lab.kvmnet(&["undo", "--dry-run"]).ok();
    assert_eq!(lab.xml("vm1"), moved);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);

    let journal = ids(&lab.kvmnet(&["history", "-o", "json"]).ok());
    assert_eq!(journal.len(), 2, "the move and its undo: {journal:?}");
    lab.kvmnet(&["undo", &journal[0], "-y"]).ok();
    assert_eq!(lab.xml("vm1"), moved, "the undo was undone");
    lab.kvmnet(&["undo", "no-such-id", "-y"]).exits(2);

    let open = lab.host(&["find", "/run/lab/state", "-type", "f", "-perm", "/077"]).ok();
    assert_eq!(open.stdout, "", "the journal holds definitions with secrets: for its owner only");
}

#[test]
fn undo_refuses_what_was_edited_since() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    lab.virsh(&["setmaxmem", "vm1", "64M", "--config"]);
    let edited = lab.xml("vm1");
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&["memory"]);
    assert_eq!(lab.xml("vm1"), edited);
}

#[test]
fn several_nics_want_a_choice() {
    let Some(lab) = Lab::start() else { return };
    lab.define_all(&[plain("two", 2), plain("five", 5)]);
    for (name, count) in [("two", 2), ("five", 5)] {
        let original = lab.xml(name);
        let out = lab.kvmnet(&["convert", name, "--to-bridge", "br0", "-y"]).exits(2);
        for n in 1..=count {
            assert!(out.all().contains(&mac(n)), "each candidate is listed\n{}", out.report());
        }
        out.says(&["--all-nics"]).says(&["--nic"]);
        assert_eq!(lab.xml(name), original);

        lab.kvmnet(&["convert", name, "--to-bridge", "br0", "--all-nics", "-y"]).ok();
        let moved = lab.xml(name);
        assert_eq!(changes(&original, &moved).len(), 4 * usize::from(count));
        lab.virsh(&["start", name]);
        for n in 1..=usize::from(count) {
            assert_eq!(lab.tap_master(name, n), "br0", "NIC {n} of {name}");
        }
        lab.virsh(&["destroy", name]);
        lab.kvmnet(&["convert", name, "--to-network", "default", "--all-nics", "-y"]).ok();
        assert_eq!(lab.xml(name), original);
    }
}

#[test]
fn a_nic_is_chosen_by_mac_position_or_device() {
    let Some(lab) = Lab::start() else { return };
    let named = nic_with("network", "network='default'", 5, "<target dev='tap-five'/>");
    let aliased = nic_with("network", "network='default'", 4, "<alias name='ua-four'/>");
    let nics = [on_network("default", 1), on_network("default", 2), on_bridge("br1", 3), aliased, named];
    lab.define(&guest("vm1", &nics, ""));
    let sources = |lab: &Lab| -> Vec<String> {
        let list = lab.virsh(&["domiflist", "--inactive", "vm1"]);
        list.lines().filter_map(|l| l.split_whitespace().nth(2).map(str::to_owned)).collect()
    };
    let convert =
        |lab: &Lab, nic: &str| lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--nic", nic, "-y"]);
    convert(&lab, "2").ok();
    assert_eq!(sources(&lab), ["default", "br0", "br1", "default", "default"]);
    convert(&lab, &mac(1).to_uppercase()).ok();
    assert_eq!(sources(&lab), ["br0", "br0", "br1", "default", "default"]);
    convert(&lab, "ua-four").ok();
    assert_eq!(sources(&lab), ["br0", "br0", "br1", "br0", "default"]);
    convert(&lab, "tap-five").ok();
    assert_eq!(sources(&lab), ["br0", "br0", "br1", "br0", "br0"]);
    // Another bridge is no candidate: it moves only when it is named.
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--all-nics", "-y"]);
    assert_eq!(sources(&lab), ["br0", "br0", "br1", "br0", "br0"]);
    convert(&lab, "3").ok();
    assert_eq!(sources(&lab), ["br0"; 5]);
    for nobody in ["6", "0", "52:54:00:ff:ff:ff", "nosuch"] {
        convert(&lab, nobody).exits(2);
    }
}

#[test]
fn candidates_by_where_they_are() {
    let Some(lab) = Lab::start() else { return };
    lab.network(
        "lab",
        "<network><name>lab</name><bridge name='virbr7'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>",
    );
    let nics = [on_network("default", 1), on_network("lab", 2), on_bridge("br1", 3)];
    lab.define(&guest("vm1", &nics, ""));
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--from-network", "default", "-y"]).ok();
    assert_eq!(changes(&original, &lab.xml("vm1")), MOVED);
    lab.kvmnet(&["convert", "vm1", "--to-network", "default", "--from-bridge", "br0", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--from-network", "nosuch", "-y"]);
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_running_guest_moves_at_its_next_start() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    lab.virsh(&["start", "vm1"]);
    let live = lab.virsh(&["dumpxml", "vm1"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok().says(&["power", "shut"]);
    assert_eq!(changes(&original, &lab.xml("vm1")), MOVED);
    assert_eq!(lab.virsh(&["dumpxml", "vm1"]), live, "the running guest is left alone");
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    lab.virsh(&["destroy", "vm1"]);
    assert_eq!(lab.boot_and_see("vm1", 1), "br0");
}

#[test]
fn json_says_it_all() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let uuid = lab.virsh(&["domuuid", "vm1"]);
    let to_br0 = ["convert", "vm1", "--to-bridge", "br0", "-o", "json"];
    let run = |more: &[&str]| lab.kvmnet(&[&to_br0, more].concat());

    let plan = run(&["--dry-run"]).ok().json();
    let change = &plan["changes"][0];
    assert_eq!(change["domain"], "vm1");
    assert_eq!(change["uuid"], uuid.trim());
    assert_eq!(change["status"], "planned");
    assert_eq!(change["nics"][0]["mac"], mac(1));
    assert_eq!(change["nics"][0]["from"]["type"], "network");
    assert_eq!(change["nics"][0]["from"]["source"], "default");
    assert_eq!(change["nics"][0]["to"]["type"], "bridge");
    assert_eq!(change["nics"][0]["to"]["source"], "br0");
    assert!(change["diff"].as_str().unwrap().contains("+      <source bridge='br0'/>"));
    assert!(change["warnings"].as_array().is_some_and(|w| w.iter().all(|w| w["code"].is_string())));
    assert_eq!(plan["summary"]["planned"], 1);

    lab.virsh(&["start", "vm1"]);
    let done = run(&["-y"]).ok().json();
    assert_eq!(done["changes"][0]["status"], "applied");
    assert_eq!(done["changes"][0]["live"], "pending-shutdown");
    assert_eq!(done["summary"]["applied"], 1);
    let id = done["changes"][0]["id"].as_str().unwrap().to_owned();
    assert!(ids(&lab.kvmnet(&["history", "-o", "json"]).ok()).contains(&id));

    let again = run(&["-y"]).ok().json();
    assert_eq!(again["changes"][0]["status"], "unchanged");
    assert_eq!(again["summary"]["unchanged"], 1);

    lab.virsh(&["destroy", "vm1"]);
    let undone = lab.kvmnet(&["undo", &id, "-y", "-o", "json"]).ok().json();
    assert_eq!(undone["changes"][0]["status"], "applied");
    let done = run(&["-y"]).ok().json();
    assert_eq!(done["changes"][0]["live"], "not-running");
}

#[test]
fn guests_go_by_name_uuid_or_id() {
    let Some(lab) = Lab::start() else { return };
    lab.define_all(&[plain("by-name", 1), plain("by-uuid", 1), plain("by-id", 1)]);
    let uuid = lab.virsh(&["domuuid", "by-uuid"]);
    lab.virsh(&["start", "by-id"]);
    let id = lab.virsh(&["domid", "by-id"]);
    lab.kvmnet(&["convert", "by-name", uuid.trim(), id.trim(), "--to-bridge", "br0", "-y"]).ok();
    for name in ["by-name", "by-uuid", "by-id"] {
        assert!(lab.xml(name).contains("<source bridge='br0'/>"), "{name}");
    }
    lab.kvmnet(&["convert", "nobody", "--to-bridge", "br0", "-y"]).exits(2).says(&["nobody"]);
}

#[test]
fn a_password_is_kept_and_never_told() {
    let Some(lab) = Lab::start() else { return };
    let vnc = format!("<graphics type='vnc' passwd='{SECRET}'/>");
    lab.define(&guest("vm1", &[on_network("default", 1)], &vnc));
    let original = lab.xml("vm1");
    // Lab::kvmnet fails if any of these outputs holds the password.
    lab.kvmnet(&["-v", "convert", "vm1", "--to-bridge", "br0", "--dry-run"]).ok();
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run", "-o", "json"]).ok();
    lab.kvmnet(&["-v", "convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    let moved = lab.xml("vm1");
    assert!(moved.contains(&format!("passwd='{SECRET}'")));
    assert_eq!(changes(&original, &moved), MOVED);
    lab.kvmnet(&["history"]).ok();
    lab.kvmnet(&["history", "-o", "json"]).ok();
    // Changed by another since: the refusal shows a diff, which must not tell it either.
    lab.define(&moved.replace(SECRET, "other"));
    lab.kvmnet(&["undo", "-y"]).exits(2);
    lab.define(&moved);
    lab.kvmnet(&["-v", "undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
}
