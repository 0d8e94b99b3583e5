//! Guests that name the bridge of a network instead of the network: they live and die with it all the same.

use crate::lab::xml::{guest, on_bridge, plain};
use crate::lab::{Lab, Out};

/// A lab with vm1 on `default` and vm2 and, not running, vm3 on its bridge by name.
fn lab() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.define(&plain("vm1", 1));
    lab.define(&guest("vm2", &[on_bridge("virbr0", 2)], ""));
    lab.define(&guest("vm3", &[on_bridge("virbr0", 3)], ""));
    lab.virsh(&["start", "vm1"]);
    lab.virsh(&["start", "vm2"]);
    Some(lab)
}

fn net(lab: &Lab, words: &str) -> Out {
    let words: Vec<&str> = words.split(' ').collect();
    lab.kvmnet(&[&["net"], &words[..]].concat())
}

fn masters(lab: &Lab) -> [String; 2] {
    ["vm1", "vm2"].map(|name| lab.tap_master(name, 1))
}

#[track_caller]
fn all_there(lab: &Lab) {
    assert_eq!(masters(lab), ["virbr0", "virbr0"]);
}

#[test]
fn they_are_guests_of_the_network() {
    let Some(lab) = lab() else { return };
    let listed = lab.kvmnet(&["-o", "json", "net", "list"]).ok().json();
    assert_eq!(listed["networks"][0]["guests"], serde_json::json!(["vm1", "vm2", "vm3"]));
    net(&lab, "show default").ok().says(&["vm2 (running; it names bridge virbr0)"]);

    let both = "running guests 'vm1', 'vm2': cut off for a moment, then plugged back";
    let out = net(&lab, "restart default -y").ok().says(&[both]);
    assert!(!out.all().contains("vnet"), "no device stands for a guest\n{}", out.report());
    all_there(&lab);
    let out = net(&lab, "stop default -y").ok();
    let out = out.says(&["running guests 'vm1', 'vm2': cut off at once; 'kvmnet net start default'"]);
    assert!(!out.all().contains("vnet"), "{}", out.report());
    assert_eq!(masters(&lab), ["", ""]);
    net(&lab, "list").ok().says(&["isn't active, and running guests on it are cut off ('vm1', 'vm2')"]);
    net(&lab, "show default").ok().says(&["running guests 'vm1', 'vm2' cut off: it isn't active"]);
    lab.kvmnet(&["reattach", "-y"]).exits(2).says(&["no bridge 'virbr0': network 'default', which makes it"]);
    net(&lab, "start default -y").ok().says(&["running guests 'vm1', 'vm2': plugged back"]);
    all_there(&lab);

    for (verb, network) in [("net-destroy", "default"), ("net-start", "default")] {
        lab.virsh(&[verb, network]);
    }
    net(&lab, "list").ok().says(&["aren't plugged into its bridge ('vm1', 'vm2')"]);
    net(&lab, "show default").ok().says(&["guest 'vm2': NIC 1 (52:54:00:00:00:02): its tap"]);
    lab.kvmnet(&["reattach", "--on-network", "default", "-y"]).ok();
    all_there(&lab);
    // One that runs has lost them all the same.
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-start", "default"]);
    net(&lab, "start default -y").ok();
    all_there(&lab);
}

#[test]
fn a_delete_refuses_while_they_are_there() {
    let Some(lab) = lab() else { return };
    net(&lab, "delete default -y").exits(2).says(&[
        "guests 'vm1', 'vm2', 'vm3' refer to it ('vm2' as bridge virbr0, 'vm3' as bridge virbr0) and won't start without it",
    ]);
    for name in ["vm1", "vm2"] {
        lab.virsh(&["destroy", name]);
        lab.virsh(&["undefine", name]);
    }
    // Running or not, the network too.
    net(&lab, "delete default -y").exits(2).says(&["guest 'vm3' refers to it"]);
    net(&lab, "stop default -y").ok();
    net(&lab, "delete default -y").exits(2).says(&["guest 'vm3' refers to it"]);
    net(&lab, "delete default -y --force").ok();
}

#[test]
fn a_network_that_is_undone_is_theirs_too() {
    let Some(lab) = Lab::start() else { return };
    net(&lab, "create lab --mode isolated --bridge virbr9").ok();
    lab.define(&guest("vm2", &[on_bridge("virbr9", 2)], ""));
    lab.kvmnet(&["undo", "-y"])
        .exits(2)
        .says(&["guest 'vm2' refers to it ('vm2' as bridge virbr9), and it would be removed"])
        .says(&["move them first (kvmnet convert vm2 …)"]);
}

#[test]
fn another_name_of_the_bridge_leaves_them_behind() {
    let Some(lab) = lab() else { return };
    let renames = "set-mode default --mode nat --bridge virbr99 -y";
    let left = "guests 'vm2', 'vm3' name bridge 'virbr0' instead of the network, which no longer makes it: they won't start \
                any more";
    let convert = "kvmnet convert vm2 vm3 --to-network default --live";
    for words in [renames, "set-mode default --mode bridge --bridge br0 -y"] {
        net(&lab, words)
            .exits(2)
            .says(&[left])
            .says(&[convert])
            .says(&["what runs of them is cut off at once"]);
    }
    all_there(&lab);

    // Who wants it all the same gets what was said, and no tap on a bridge that its guest doesn't name.
    let out = net(&lab, &format!("{renames} --force")).ok();
    out.says(&["running guest 'vm1': moved to virbr99, not restarted"]).says(&[left]);
    assert_eq!(masters(&lab), ["virbr99", ""]);
    lab.kvmnet(&["undo", "-y"]).ok();
    all_there(&lab);

    // The advice is good.
    let words: Vec<&str> = convert.split(' ').skip(1).collect();
    lab.kvmnet(&[&words[..], &["-y"]].concat()).ok();
    net(&lab, renames).ok().says(&["running guests 'vm1', 'vm2': moved to virbr99, not restarted"]);
    assert_eq!(masters(&lab), ["virbr99", "virbr99"]);
    lab.kvmnet(&["reattach", "--dry-run"]).ok().says(&["nothing to do"]);

    // A network that doesn't run has them too.
    lab.virsh(&["destroy", "vm2"]);
    lab.define(&guest("vm4", &[on_bridge("virbr99", 4)], ""));
    net(&lab, "stop default -y").ok();
    net(&lab, "set-mode default --mode nat --bridge virbr0 -y")
        .exits(2)
        .says(&["guest 'vm4' names bridge 'virbr99'"]);
}

#[test]
fn a_bridge_of_the_hosts_is_nobodys_but_its_own() {
    let Some(lab) = Lab::start() else { return };
    let mistaken = "<network><name>hz</name><forward mode='nat'/><bridge name='br1'/><ip address='10.9.0.1' \
                    prefix='24'/></network>";
    lab.virsh(&["net-define", &lab.file("hz.xml", mistaken)]);
    lab.define(&guest("vm1", &[on_bridge("br1", 1)], ""));
    lab.virsh(&["start", "vm1"]);
    let out = net(&lab, "show hz").ok();
    assert!(!out.stdout.contains("vm1"), "{}", out.report());
    net(&lab, "delete hz -y").ok();
    assert_eq!(lab.tap_master("vm1", 1), "br1");
}
