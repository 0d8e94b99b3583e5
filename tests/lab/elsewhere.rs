//! Running guests whose definition says a network while their NIC is somewhere else: they don't move with the network.

use crate::lab::Lab;
use crate::lab::xml::{guest, mac, on_bridge, on_network, plain};

#[test]
fn they_are_named_with_what_moves_them() {
    let Some(lab) = Lab::start() else { return };
    // The second has a NIC more, which must not confuse the advice.
    lab.define(&plain("vm1", 1));
    lab.define(&guest("vm2", &[on_bridge("br1", 2), on_network("default", 3)], ""));
    for name in ["vm1", "vm2"] {
        lab.virsh(&["start", name]);
    }
    let bridged = ["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"];
    let out = lab.kvmnet(&bridged).ok();
    let out =
        out.says(&["renew it inside the guest (by its DHCP client, or 'ip link set DEV down' and up there)"]);
    assert!(!out.all().contains("domif-setlink"), "it would tie the NIC to br0\n{}", out.report());
    assert!(!out.all().contains("elsewhere"), "{}", out.report());

    // What libvirt makes of it (reference §4.5).
    for (name, n) in [("vm1", 1), ("vm2", 3)] {
        for state in ["down", "up"] {
            lab.virsh(&["domif-setlink", name, &mac(n), state]);
        }
    }
    assert!(!lab.virsh(&["dumpxml", "vm1"]).contains("network='default'"));
    let advice =
        |name: &str, n| format!("kvmnet convert {name} --nic {} --live-only --to-network default", mac(n));
    let out = lab.kvmnet(&["undo", "-y"]).ok();
    for (name, n) in [("vm1", 1), ("vm2", 3)] {
        let what = format!("running guest '{name}': stays where it is, for its NIC is elsewhere now");
        assert!(out.all().contains(&what) && out.all().contains(&advice(name, n)), "{}", out.report());
    }
    assert_eq!([lab.tap_master("vm1", 1), lab.tap_master("vm2", 2)], ["br0", "br0"]);
    let routed = ["net", "set-mode", "default", "--mode", "route", "--dry-run"];
    lab.kvmnet(&routed).ok().says(&[&advice("vm1", 1)]);

    for (name, n) in [("vm1", 1), ("vm2", 3)] {
        let line = advice(name, n);
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        lab.kvmnet(&[&words[..], &["-y"]].concat()).ok();
    }
    assert_eq!([lab.tap_master("vm1", 1), lab.tap_master("vm2", 2)], ["virbr0", "virbr0"]);
    assert_eq!(lab.virsh(&["net-port-list", "default"]).split_whitespace().count(), 2);
    let out = lab.kvmnet(&routed).ok();
    assert!(!out.all().contains("elsewhere"), "{}", out.report());
}

#[test]
fn another_bridge_of_the_hosts_may_be_another_lan() {
    let Some(lab) = Lab::start() else { return };
    let lan = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";
    lab.network("lan", lan);
    lab.define(&guest("vm1", &[on_network("lan", 1)], ""));
    lab.virsh(&["start", "vm1"]);
    lab.kvmnet(&["net", "set-mode", "lan", "--mode", "bridge", "--bridge", "br1", "-y"])
        .ok()
        .says(&["each keeps its old address until it asks for a new one"]);
    assert_eq!(lab.tap_master("vm1", 1), "br1");
    let out = lab.kvmnet(&["net", "restart", "lan", "--dry-run"]).ok();
    assert!(!out.all().contains("old address"), "{}", out.report());
}
