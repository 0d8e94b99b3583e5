//! Running guests' taps plugged back in.

use crate::lab::xml::{guest, mac, nic_with, on_bridge, on_network, plain};
use crate::lab::{Lab, ids};

const LAN: &str = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>";
const LAB: &str = "<network><name>lab</name><bridge name='virbr7'/></network>";

/// A lab with these guests, running.
fn running(guests: &[(&str, String)]) -> Option<Lab> {
    let lab = Lab::start()?;
    for (name, xml) in guests {
        lab.define(xml);
        lab.virsh(&["start", name]);
    }
    Some(lab)
}

/// What an administrator types who means a restart.
fn restart(lab: &Lab, network: &str) {
    lab.virsh(&["net-destroy", network]);
    lab.virsh(&["net-start", network]);
}

/// What the guest has of its own: its id, and its NICs without what libvirt keeps of their network.
fn own(lab: &Lab, name: &str) -> (String, Vec<String>) {
    let live = lab.virsh(&["dumpxml", name]);
    let kept = |line: &&str| {
        ["<mac ", "<alias ", "<address ", "<link ", "<model ", "<target dev"].iter().any(|w| line.contains(w))
    };
    (lab.virsh(&["domid", name]), live.lines().filter(kept).map(str::to_owned).collect())
}

/// The value of an attribute in the first `<source>` of the running guest that has it.
fn in_source(lab: &Lab, name: &str, attribute: &str) -> String {
    let live = lab.virsh(&["dumpxml", name]);
    let lines = live.lines().filter(|line| line.contains("<source "));
    let value =
        |line: &str| Some(line.split_once(&format!(" {attribute}='"))?.1.split('\'').next()?.to_owned());
    lines.filter_map(value).next().unwrap_or_default()
}

/// The uuids of the network's ports.
fn ports(lab: &Lab, network: &str) -> Vec<String> {
    lab.virsh(&["net-port-list", network]).split_whitespace().map(str::to_owned).collect()
}

fn tap(lab: &Lab, name: &str) -> String {
    let list = lab.virsh(&["domiflist", name]);
    list.split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn after_its_network_was_stopped_and_started() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    let (before, definition) = (own(&lab, "vm1"), lab.xml("vm1"));
    lab.kvmnet(&["reattach"]).ok().says(&["nothing to do: of 1 running guests"]);
    restart(&lab, "default");
    assert_eq!((lab.tap_master("vm1", 1), ports(&lab, "default")), (String::new(), vec![]));

    lab.kvmnet(&["reattach", "--dry-run", "--exit-code"]).exits(1).says(&[&format!(
        "NIC 1 ({}): its tap {} is on no bridge → virbr0 (network 'default')",
        mac(1),
        tap(&lab, "vm1")
    )]);
    assert_eq!(lab.tap_master("vm1", 1), "");
    lab.kvmnet(&["reattach"]).exits(2).says(&["add -y"]);
    let out = lab.kvmnet(&["reattach", "-y"]).ok();
    assert!(!out.all().contains("undo"), "there is nothing to undo\n{}", out.report());

    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    assert_eq!(ports(&lab, "default"), [in_source(&lab, "vm1", "portid")]);
    assert_eq!((own(&lab, "vm1"), lab.xml("vm1")), (before, definition));
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["nothing to do"]);
    lab.kvmnet(&["reattach", "vm1", "-y"]).ok().says(&["guest 'vm1': nothing to do: NIC 1"]);

    // It stays in the journal, but isn't undone.
    assert_eq!(ids(&lab.kvmnet(&["history", "-o", "json"]).ok()), ["1"]);
    for undo in [&["undo", "-y"][..], &["undo", "1", "-y"]] {
        lab.kvmnet(undo).ok().says(&["nothing to put back"]);
    }
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

#[test]
fn an_unasked_undo_stops_at_what_cant_be_undone() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    let definition = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    lab.host(&["ip", "link", "set", &tap(&lab, "vm1"), "nomaster"]).ok();
    lab.kvmnet(&["reattach", "-y"]).ok();
    let moved = lab.xml("vm1");
    let stays = "nothing of 2 is left to put back; what is older is left alone ('kvmnet undo 1' puts 1 back)";
    lab.kvmnet(&["undo", "-y"]).ok().says(&[stays]);
    assert_eq!(lab.xml("vm1"), moved);
    lab.kvmnet(&["undo", "1", "-y"]).ok();
    assert_eq!((lab.xml("vm1"), lab.tap_master("vm1", 1)), (definition, "virbr0".into()));
}

#[test]
fn taken_off_its_bridge_or_put_on_another_by_hand() {
    let bridged = guest("vm1", &[on_bridge("br0", 1)], "");
    let Some(lab) = running(&[("vm1", bridged), ("vm2", plain("vm2", 1).replace("00:01", "00:02"))]) else {
        return;
    };
    let port = in_source(&lab, "vm2", "portid");
    let before = [own(&lab, "vm1"), own(&lab, "vm2")];
    lab.host(&["ip", "link", "set", &tap(&lab, "vm1"), "nomaster"]).ok();
    lab.host(&["ip", "link", "set", &tap(&lab, "vm2"), "master", "br1"]).ok();
    let out = lab.kvmnet(&["reattach", "--all", "-y", "-o", "json"]).ok();
    let json = out.json();
    assert_eq!(json["summary"]["applied"], 2, "{}", out.report());
    let nic = |n: usize| &json["changes"][n]["nics"][0];
    assert_eq!((nic(0)["from"]["source"].is_null(), nic(0)["to"]["source"].as_str()), (true, Some("br0")));
    assert_eq!(
        (nic(1)["from"]["source"].as_str(), nic(1)["to"]["source"].as_str()),
        (Some("br1"), Some("virbr0"))
    );
    assert_eq!((lab.tap_master("vm1", 1), lab.tap_master("vm2", 1)), ("br0".into(), "virbr0".into()));
    assert_eq!([own(&lab, "vm1"), own(&lab, "vm2")], before);
    assert_eq!(ports(&lab, "default"), [port], "what was right is left alone");
}

#[test]
fn several_guests_one_of_which_cannot_be_helped() {
    let guests =
        [("a", plain("a", 2)), ("b", guest("b", &[on_bridge("br0", 3), on_network("default", 4)], ""))];
    let Some(lab) = running(&guests) else { return };
    lab.network("lab", LAB);
    lab.define(&guest("c", &[on_network("lab", 5), on_network("default", 6)], ""));
    lab.define(&guest("asleep", &[on_network("lab", 7)], ""));
    lab.virsh(&["start", "c"]);
    restart(&lab, "default");
    lab.virsh(&["net-destroy", "lab"]);

    lab.kvmnet(&["reattach", "b", "asleep", "nosuch", "--dry-run"])
        .exits(2)
        .says(&["guest 'nosuch': there is none of that name"]);
    lab.kvmnet(&["reattach", "--on-network", "nosuch", "-y"]).exits(2).says(&["no network 'nosuch'"]);
    lab.kvmnet(&["reattach", "--on-network", "lab", "-y"]).exits(2).says(&["help: kvmnet net start lab"]);
    let out = lab.kvmnet(&["reattach", "--all", "-y"]).exits(3).says(&["network 'lab' isn't active"]);
    assert!(out.all().contains("4 changed, 1 failed (as they were)"), "{}", out.report());
    let all = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1), ("c", 2)]
        .map(|(name, nic)| lab.tap_master(name, nic));
    assert_eq!(all, ["virbr0", "virbr0", "br0", "virbr0", "", "virbr0"]);
    assert_eq!(ports(&lab, "default").len(), 4);

    lab.virsh(&["net-start", "lab"]);
    lab.kvmnet(&["reattach", "--on-network", "lab", "-y"]).ok();
    assert_eq!(lab.tap_master("c", 1), "virbr7");
    lab.kvmnet(&["reattach", "--all", "-y"]).ok().says(&["nothing to do: of 3 running guests"]);
    lab.kvmnet(&["reattach", "asleep", "-y"]).ok().says(&["it isn't running"]);
}

#[test]
fn a_link_that_is_down_stays_down_and_an_isolated_port_isolated() {
    let isolated = nic_with("network", "network='default'", 2, "<port isolated='yes'/>");
    let Some(lab) = running(&[("vm1", guest("vm1", &[on_network("default", 1), isolated], ""))]) else {
        return;
    };
    lab.virsh(&["domif-setlink", "vm1", &mac(1), "down"]);
    let list = lab.virsh(&["domiflist", "vm1"]);
    let second = list.lines().nth(1).and_then(|row| row.split_whitespace().next()).unwrap();
    let flag =
        || lab.host(&["cat", &format!("/sys/class/net/{second}/brport/isolated")]).stdout.trim().to_owned();
    assert_eq!(flag(), "1");
    let before = own(&lab, "vm1");
    restart(&lab, "default");
    lab.kvmnet(&["reattach", "-y"]).ok();
    assert_eq!((lab.tap_master("vm1", 1), lab.tap_master("vm1", 2)), ("virbr0".into(), "virbr0".into()));
    assert_eq!(own(&lab, "vm1"), before);
    assert!(lab.virsh(&["domif-getlink", "vm1", &mac(1)]).contains("down"));
    assert_eq!(flag(), "1", "it must not reach other isolated guests");
    assert!(lab.virsh(&["dumpxml", "vm1"]).contains("<port isolated='yes'/>"));
}

#[test]
fn what_is_administratively_down_comes_up_but_a_bridge() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    let (tap, before) = (tap(&lab, "vm1"), own(&lab, "vm1"));
    let is_up = |device: &str| lab.host(&["ip", "link", "show", "dev", device, "up"]).stdout.contains(device);
    let down = |device: &str| drop(lab.host(&["ip", "link", "set", device, "down"]).ok());
    assert!(is_up(&tap));
    down(&tap);
    lab.kvmnet(&["reattach", "-y"]).ok().says(&[&format!("its tap {tap} is on virbr0, but down → up")]);
    assert!(is_up(&tap));
    down(&tap);
    restart(&lab, "default");
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["is on no bridge → virbr0", "it is down → up"]);
    assert!(is_up(&tap) && lab.tap_master("vm1", 1) == "virbr0");
    // That a bridge is down may be meant.
    down("virbr0");
    let mend = "bridge 'virbr0' is administratively down and carries nothing; 'ip link set dev virbr0 up'";
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["nothing to do", mend]);
    lab.host(&["ip", "link", "set", &tap, "nomaster"]).ok();
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["warning[target-down]", mend]);
    assert!(!is_up("virbr0") && lab.tap_master("vm1", 1) == "virbr0");
    // A link that the guest is to see as pulled out: whoever took the tap down too has left it so.
    lab.virsh(&["domif-setlink", "vm1", &mac(1), "down"]);
    down(&tap);
    lab.host(&["ip", "link", "set", "virbr0", "up"]).ok();
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["nothing to do: of 1 running guests"]);
    assert!(!is_up(&tap));
    lab.virsh(&["domif-setlink", "vm1", &mac(1), "up"]);
    lab.kvmnet(&["reattach", "-y"]).ok();
    assert!(is_up(&tap));
    let without_link = |(id, lines): (String, Vec<String>)| {
        (id, lines.into_iter().filter(|line| !line.contains("<link ")).collect::<Vec<_>>())
    };
    assert_eq!(without_link(own(&lab, "vm1")), without_link(before));
}

#[test]
fn only_the_books_of_a_network_of_mode_bridge() {
    let Some(lab) = Lab::start() else { return };
    // What the NIC has from its network and portgroup, it keeps.
    let given = "<port isolated='yes'/><portgroup name='a'/></network>";
    lab.network("lan", &LAN.replace("</network>", given));
    lab.define(&guest("vm1", &[nic_with("network", "network='lan' portgroup='a'", 1, "")], ""));
    lab.virsh(&["start", "vm1"]);
    let before = own(&lab, "vm1");
    lab.virsh(&["net-destroy", "lan"]);
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["nothing to do: NIC 1"]).says(&["kvmnet net start lan"]);
    lab.virsh(&["net-start", "lan"]);
    assert_eq!((lab.tap_master("vm1", 1), ports(&lab, "lan")), ("br0".into(), vec![]));
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["network 'lan' has no port for it"]);
    assert_eq!(ports(&lab, "lan"), [in_source(&lab, "vm1", "portid")]);
    let names = ["network", "portgroup"].map(|attribute| in_source(&lab, "vm1", attribute));
    assert_eq!((lab.tap_master("vm1", 1), names), ("br0".into(), ["lan".into(), "a".into()]));
    let flag = format!("/sys/class/net/{}/brport/isolated", tap(&lab, "vm1"));
    assert_eq!(lab.host(&["cat", &flag]).stdout.trim(), "1");
    assert_eq!(own(&lab, "vm1"), before);
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["nothing to do"]);
}

#[test]
fn the_network_has_another_bridge_now() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    let before = own(&lab, "vm1");
    let nat = lab.virsh(&["net-dumpxml", "--inactive", "default"]);
    let bridged = LAN.replace("<name>lan</name>", "<name>default</name>");
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-undefine", "default"]);
    lab.network("default", &bridged);
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["→ br0 (network 'default')"]);
    assert_eq!(lab.tap_master("vm1", 1), "br0");
    assert_eq!(ports(&lab, "default"), [in_source(&lab, "vm1", "portid")]);
    assert_eq!(in_source(&lab, "vm1", "bridge"), "br0");
    // And back.
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-undefine", "default"]);
    lab.network("default", &nat);
    lab.kvmnet(&["reattach", "-y"]).ok().says(&["is on br0 → virbr0"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    assert_eq!(ports(&lab, "default"), [in_source(&lab, "vm1", "portid")]);
    assert_eq!(own(&lab, "vm1"), before);
}

#[test]
fn what_has_no_bridge_to_go_to() {
    let user = "<interface type='user'/>".to_owned();
    let nics = [on_bridge("br1", 1), on_network("default", 2), user];
    let Some(lab) = running(&[("vm1", guest("vm1", &nics, ""))]) else { return };
    lab.host(&["ip", "link", "del", "br1"]).ok();
    lab.kvmnet(&["reattach", "-y"]).exits(2).says(&["there is no bridge 'br1'"]);
    // Its network is macvtap now, which no running guest can be moved to.
    lab.virsh(&["net-destroy", "default"]);
    lab.virsh(&["net-undefine", "default"]);
    lab.kvmnet(&["reattach", "-y"]).exits(2).says(&["there is no network 'default' any more"]);
    let pool =
        "<network><name>default</name><forward mode='bridge'><interface dev='enp4s0'/></forward></network>";
    lab.network("default", pool);
    lab.kvmnet(&["reattach", "-y"]).exits(2).says(&["network 'default' has no bridge now"]);
    let out = lab.kvmnet(&["reattach", "-y"]).exits(2);
    assert!(!out.all().contains("NIC 3"), "user-mode networking is left alone\n{}", out.report());
}

#[test]
fn what_changes_while_kvmnet_asks_is_left_alone() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    restart(&lab, "default");
    let asking = lab.kvmnet_asks(&["reattach"]);
    lab.host(&["ip", "link", "set", &tap(&lab, "vm1"), "master", "br1"]).ok();
    let (code, said) = asking.answer("y\n");
    assert_eq!(code, 2, "{said}");
    assert_eq!(lab.tap_master("vm1", 1), "br1");
    lab.virsh(&["net-destroy", "default"]);
    let out = lab.kvmnet(&["reattach", "-y", "-o", "json"]).exits(2);
    assert!(out.json()["changes"][0]["live"].is_null(), "{}", out.report());
    lab.virsh(&["net-start", "default"]);
    let asking = lab.kvmnet_asks(&["reattach"]);
    lab.virsh(&["destroy", "vm1"]);
    assert_eq!(asking.answer("y\n").0, 2);
    lab.kvmnet(&["reattach"]).ok().says(&["no guest is running"]);
}

#[test]
fn a_network_that_isnt_there() {
    let Some(lab) = Lab::start() else { return };
    lab.kvmnet(&["reattach", "--on-network", "nosuch"]).exits(2).says(&["'kvmnet net list' shows"]);
}

#[test]
fn from_another_host() {
    let Some(lab) = running(&[("vm1", plain("vm1", 1))]) else { return };
    restart(&lab, "default");
    // What libvirt takes for ssh runs the other end's command here.
    let ssh = lab.file("ssh", "#!/bin/bash\nexec bash -c \"${@: -1}\"\n");
    lab.host(&["chmod", "+x", &ssh]).ok();
    let uri = format!("qemu+ssh://rack7/system?command={ssh}");
    let out = lab.kvmnet(&["-c", &uri, "reattach", "-y"]).exits(2);
    out.says(&["the taps of guests on qemu+ssh://rack7/system"])
        .says(&["run 'kvmnet reattach' on that host"]);
    assert_eq!(lab.tap_master("vm1", 1), "");
}

#[test]
fn one_guest_on_one_network() {
    let nics = [on_network("default", 1), on_bridge("br0", 2)];
    let Some(lab) = running(&[("vm1", guest("vm1", &nics, "")), ("vm2", plain("vm2", 3))]) else { return };
    for (name, nics) in [("vm1", 2), ("vm2", 1)] {
        let list = lab.virsh(&["domiflist", name]);
        for tap in list.lines().take(nics).map(|row| row.split_whitespace().next().unwrap()) {
            lab.host(&["ip", "link", "set", tap, "nomaster"]).ok();
        }
    }
    let masters = || [lab.tap_master("vm1", 1), lab.tap_master("vm1", 2), lab.tap_master("vm2", 1)];
    lab.kvmnet(&["reattach", "vm1", "--on-network", "default", "-y"]).ok();
    assert_eq!(masters(), ["virbr0", "", ""].map(String::from));
    lab.network("lab", LAB);
    lab.kvmnet(&["reattach", "vm1", "--on-network", "lab", "-y"])
        .ok()
        .says(&["nothing to do: no running guest that was named has a tap on network 'lab'"]);
    lab.kvmnet(&["reattach", "--all", "--on-network", "default", "-y"]).ok();
    assert_eq!(masters(), ["virbr0", "", "virbr0"].map(String::from));
}
