//! What `net show` and `net list` say of running guests that their network doesn't reach.

use crate::lab::xml::{guest, nic_with, on_network, plain};
use crate::lab::{Lab, Out};

const LAN: &str = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";
const POOL: &str =
    "<network><name>pool</name><forward mode='bridge'><interface dev='br1'/></forward></network>";

/// A lab in which vm1 runs on `default`, and vm2 on a network of each other kind.
fn lab() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.network("lan", LAN);
    lab.network("pool", POOL);
    lab.define(&plain("vm1", 1));
    let nics = [nic_with("network", "network='lan'", 2, ""), on_network("pool", 3)];
    lab.define(&guest("vm2", &nics, ""));
    lab.virsh(&["start", "vm1"]);
    lab.virsh(&["start", "vm2"]);
    Some(lab)
}

fn show(lab: &Lab, network: &str) -> Out {
    lab.kvmnet(&["net", "show", network]).ok()
}

/// The faults that programs are told of, and the guests that the list says are cut off.
#[track_caller]
fn faults(lab: &Lab, network: &str) -> (Vec<String>, serde_json::Value) {
    let shown = lab.kvmnet(&["-o", "json", "net", "show", network]).ok().json();
    let faults = shown["network"]["faults"].as_array().unwrap().clone();
    let help = faults.iter().map(|fault| fault["help"].as_str().unwrap_or_default().to_owned()).collect();
    let listed = lab.kvmnet(&["-o", "json", "net", "list"]).ok().json();
    let row = listed["networks"].as_array().unwrap().iter().find(|row| row["name"] == network).cloned();
    (help, row.unwrap()["cut_off"].clone())
}

#[track_caller]
fn all_is_well(lab: &Lab) {
    let listed = lab.kvmnet(&["net", "list"]).ok();
    assert_eq!(listed.stderr, "", "{}", listed.report());
    for network in ["default", "lan", "pool"] {
        assert!(!show(lab, network).stdout.contains("faults:"), "{network}");
        assert_eq!(faults(lab, network), (vec![], serde_json::json!([])), "{network}");
    }
}

#[test]
fn a_tap_that_is_on_no_bridge_or_on_another() {
    let Some(lab) = lab() else { return };
    all_is_well(&lab);
    let mend = "kvmnet reattach --on-network default";
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-start", "default"]);
    for read_only in [&[][..], &["--readonly"]] {
        let out = lab.kvmnet(&[read_only, &["net", "show", "default"]].concat()).ok();
        out.says(&[
            "faults:    guest 'vm1': NIC 1 (52:54:00:00:00:01): its tap",
            "is on no bridge and belongs on virbr0",
        ])
        .says(&["has no port in the books of network 'default'", &format!("to mend that: {mend}")]);
    }
    let listed = lab.kvmnet(&["net", "list"]).ok();
    listed.says(&["running guests on network 'default' aren't plugged into its bridge ('vm1')", mend]);
    assert_eq!(faults(&lab, "default"), (vec![mend.into()], serde_json::json!(["vm1"])));
    assert_eq!(faults(&lab, "lan"), (vec![], serde_json::json!([])));
    lab.kvmnet(&["reattach", "--on-network", "default", "-y"]).ok();
    all_is_well(&lab);

    let list = lab.virsh(&["domiflist", "vm1"]);
    let tap = list.split_whitespace().next().unwrap();
    lab.host(&["ip", "link", "set", tap, "master", "br1"]).ok();
    show(&lab, "default").says(&["is on br1 and belongs on virbr0"]);
    assert_eq!(faults(&lab, "default").1, serde_json::json!(["vm1"]));
    lab.kvmnet(&["reattach", "-y"]).ok();
    lab.host(&["ip", "link", "set", "virbr0", "down"]).ok();
    show(&lab, "default").says(&["bridge 'virbr0' is administratively down", "ip link set dev virbr0 up"]);
    lab.host(&["ip", "link", "set", "virbr0", "up"]).ok();
    lab.host(&["ip", "link", "set", tap, "down"]).ok();
    show(&lab, "default").says(&["is down", mend]);
    lab.kvmnet(&["reattach", "-y"]).ok();
    all_is_well(&lab);
}

#[test]
fn a_network_that_is_stopped_under_running_guests() {
    let Some(lab) = lab() else { return };
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-destroy", "lan"]);
    let mend = "kvmnet net start default";
    show(&lab, "default").says(&["running guest 'vm1' cut off: it isn't active", mend]);
    assert_eq!(faults(&lab, "default"), (vec![mend.into()], serde_json::json!(["vm1"])));
    let listed = lab.kvmnet(&["net", "list"]).ok();
    listed.says(&["network 'default' isn't active, and running guests on it are cut off ('vm1')", mend]);
    // The host's own bridge is still there.
    show(&lab, "lan").says(&["is on br0, but network 'lan' isn't active and has no port for it"]);
    assert_eq!(faults(&lab, "lan").1, serde_json::json!([]));
    lab.kvmnet(&["net", "start", "default", "lan", "-y"]).ok();
    all_is_well(&lab);
}

#[test]
fn a_network_of_another_mode_that_has_not_started_yet() {
    let Some(lab) = lab() else { return };
    lab.kvmnet(&["net", "stop", "default", "-y"]).ok();
    lab.kvmnet(&["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"]).ok();
    let listed = lab.kvmnet(&["net", "list"]).ok();
    listed.says(&["network 'default' isn't active, and running guests on it are cut off ('vm1')"]);
    assert_eq!(faults(&lab, "default").1, serde_json::json!(["vm1"]));
    lab.kvmnet(&["net", "start", "default", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "br0");
    all_is_well(&lab);
}

#[test]
fn a_start_of_what_runs_plugs_its_guests_back() {
    let Some(lab) = lab() else { return };
    lab.kvmnet(&["net", "start", "default", "-y"]).ok().says(&["nothing to do: it runs"]);
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-start", "default"]);
    lab.kvmnet(&["net", "start", "default"]).exits(2).says(&["add -y"]);
    let out = lab.kvmnet(&["net", "start", "default", "lan", "-y"]).ok();
    out.says(&["is on no bridge → virbr0 (network 'default')"])
        .says(&["network 'lan': nothing to do: it runs"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    all_is_well(&lab);
}

#[test]
fn a_network_whose_dnsmasq_has_died() {
    let Some(lab) = lab() else { return };
    let shown = lab.kvmnet(&["-o", "json", "net", "show", "default"]).ok().json();
    let pid = shown["network"]["dnsmasq"]["pid"].to_string();
    lab.host(&["sh", "-c", &format!("kill {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.05; done")])
        .ok();
    let mend = "kvmnet net restart default";
    show(&lab, "default")
        .says(&["faults:    its dnsmasq doesn't run"])
        .says(&[&format!("to mend that: {mend}")]);
    lab.kvmnet(&["net", "list"]).ok().says(&["the dnsmasq of network 'default' doesn't run"]).says(&[mend]);
    assert_eq!(faults(&lab, "default").0, [mend]);
    lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
    all_is_well(&lab);
}
