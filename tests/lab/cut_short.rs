//! Networks' restarts that were killed after the network's start and before its running guests were plugged back.

use std::process::Stdio;
use std::time::Duration;

use crate::lab::xml::{guest, on_bridge, on_network, plain};
use crate::lab::{Lab, ids};
use crate::modes::plugged;

/// An `ip` that kills who calls it to plug a tap in.
const DEADLY: &str = "#!/bin/sh
[ \"$1 $2\" = 'link set' ] && { kill -KILL $PPID; exit 1; }
exec $(PATH=${PATH#*:}; command -v ip) \"$@\"
";

/// Runs kvmnet until it would plug the first tap in.
#[track_caller]
fn killed_at_the_taps(lab: &Lab, args: &[&str]) {
    lab.host(&["mkdir", "-p", "/run/lab/deadly"]).ok();
    let ip = lab.file("deadly/ip", DEADLY);
    lab.host(&["chmod", "+x", &ip]).ok();
    let mut command = lab.kvmnet_command(args);
    let status = command
        .env("PATH", "/run/lab/deadly:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success(), "{args:?}");
    let last = "tail -n 1 $(ls -t /run/lab/state/journal/*.jsonl | head -1)";
    assert!(lab.host(&["sh", "-c", last]).stdout.contains("begin"), "it was through already");
}

/// Kills kvmnet so many milliseconds after its start; was it still at it?
pub(crate) fn killed_after(lab: &Lab, args: &[&str], after: u64) -> bool {
    let mut command = lab.kvmnet_command(args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(after));
    // nsenter waits for the program, which is a process of its own: that is what must die.
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()));
    let program = children.ok().and_then(|pids| pids.split_whitespace().next()?.parse().ok());
    if let Some(pid) = program.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let was_at_it = !child.wait().unwrap().success();
    // libvirt finishes the call that it is at; the next one waits for it.
    lab.virsh(&["net-info", "default"]);
    was_at_it
}

fn two_guests() -> Option<Lab> {
    let lab = Lab::start()?;
    for (n, name) in (1..).zip(["vm1", "vm2"]) {
        lab.define(&guest(name, &[on_network("default", n)], ""));
        lab.virsh(&["start", name]);
    }
    Some(lab)
}

fn masters(lab: &Lab) -> [String; 2] {
    ["vm1", "vm2"].map(|name| lab.tap_master(name, 1))
}

fn how_it_is(lab: &Lab) -> (String, [String; 2]) {
    (
        lab.virsh(&["net-dumpxml", "--inactive", "default"]),
        ["vm1", "vm2"].map(|name| lab.virsh(&["domid", name])),
    )
}

#[test]
fn a_bare_undo_of_a_restart_plugs_the_guests_back() {
    let Some(lab) = two_guests() else { return };
    lab.kvmnet(&["net", "autostart", "default", "off", "-y"]).ok();
    let before = how_it_is(&lab);
    killed_at_the_taps(&lab, &["net", "restart", "default", "-y"]);
    assert_eq!(masters(&lab), ["", ""]);
    lab.kvmnet(&["history"]).ok().says(&["interrupted in the middle; 'kvmnet undo' puts it right"]);
    let out = lab.kvmnet(&["undo", "--dry-run", "--exit-code"]).exits(1);
    out.says(&["plugs the running guests on network 'default' back in"]).says(&[
        "guest 'vm1': NIC 1",
        "guest 'vm2': NIC 1",
        "is on no bridge → virbr0 (network 'default')",
    ]);

    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((masters(&lab), how_it_is(&lab)), (["virbr0", "virbr0"].map(String::from), before));
    let ports = lab.virsh(&["net-port-list", "default"]);
    assert_eq!(ports.split_whitespace().count(), 2, "{ports}");
    assert!(lab.virsh(&["net-list"]).contains("default"));
    // What it had to do is done: the next one means what came before.
    lab.kvmnet(&["undo", "-y"]).ok().says(&["has network 'default' start with libvirt"]);
    assert_eq!(masters(&lab), ["virbr0", "virbr0"]);
    lab.kvmnet(&["undo", "-y"]).ok().says(&["nothing to do"]);
}

#[test]
fn what_reattach_did_already_an_undo_leaves() {
    let Some(lab) = two_guests() else { return };
    killed_at_the_taps(&lab, &["net", "restart", "default", "-y"]);
    let id = ids(&lab.kvmnet(&["history", "-o", "json"]).ok()).remove(0);
    lab.kvmnet(&["reattach", "vm1", "-y"]).ok();
    lab.kvmnet(&["undo", &id, "-y"]).ok().says(&["guest 'vm2': NIC 1"]);
    assert_eq!(masters(&lab), ["virbr0", "virbr0"]);
    lab.kvmnet(&["undo", &id, "-y"]).ok().says(&["was put back already"]);
}

#[test]
fn set_mode_and_its_undo() {
    let Some(lab) = two_guests() else { return };
    let before = how_it_is(&lab);
    let routed = ["net", "set-mode", "default", "--mode", "route", "-y"];
    killed_at_the_taps(&lab, &routed);
    assert_eq!(masters(&lab), ["", ""]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((masters(&lab), how_it_is(&lab)), (["virbr0", "virbr0"].map(String::from), before.clone()));

    lab.kvmnet(&routed).ok();
    assert_eq!(masters(&lab), ["virbr0", "virbr0"]);
    // The network is as before by then.
    killed_at_the_taps(&lab, &["undo", "-y"]);
    assert_eq!((masters(&lab), how_it_is(&lab)), (["", ""].map(String::from), before.clone()));
    lab.kvmnet(&["undo", "-y"]).ok().says(&["plugs the running guests"]);
    assert_eq!((masters(&lab), how_it_is(&lab)), (["virbr0", "virbr0"].map(String::from), before));
}

#[test]
fn at_any_moment() {
    let Some(lab) = two_guests() else { return };
    let before = how_it_is(&lab);
    let mut undone = 0;
    // How long it takes until something is begun depends on what else the machine does.
    let moments = (30..300).step_by(25).chain((300..4000).step_by(100));
    for (n, after) in moments.enumerate() {
        if n > 9 && undone > 2 {
            break;
        }
        for words in [
            &["net", "restart", "default", "-y"][..],
            &["net", "set-mode", "default", "--mode", "bridge", "--bridge", "br0", "-y"],
        ] {
            killed_after(&lab, words, after);
            let runs = lab.kvmnet(&["history", "-o", "json"]).ok().json()["runs"].clone();
            // It may have come to nothing, or to its end.
            let stands = |status: &str| runs[0]["changes"][0]["status"] == status;
            if stands("interrupted") || stands("applied") {
                lab.kvmnet(&["undo", "-y"]).ok();
                undone += u32::from(stands("interrupted"));
            }
            assert_eq!(
                (masters(&lab), how_it_is(&lab)),
                (["virbr0", "virbr0"].map(String::from), before.clone())
            );
            let ports = lab.virsh(&["net-port-list", "default"]);
            assert_eq!(ports.split_whitespace().count(), 2, "{words:?} after {after} ms: {ports}");
        }
    }
    assert!(undone > 2, "it is too fast for this: {undone}");
}

#[test]
fn from_another_host_it_says_where_that_can_be_done() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    // What libvirt takes for ssh runs the other end's command here.
    let ssh = lab.file("ssh", "#!/bin/bash\nexec bash -c \"${@: -1}\"\n");
    lab.host(&["chmod", "+x", &ssh]).ok();
    let uri = format!("qemu+ssh://rack7/system?command={ssh}");
    lab.kvmnet(&["-c", &uri, "net", "restart", "default", "-y"]).ok();
    // A journal that ends in the middle of it.
    let cut = "f=$(ls /run/lab/state/journal/*.jsonl); head -n 2 $f >$f.new; mv $f.new $f";
    lab.host(&["sh", "-c", cut]).ok();
    let help = "run 'kvmnet reattach --on-network default' on that host";
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&[help]).says(&["running guests (vm1) may be unplugged"]);
    lab.kvmnet(&["reattach", "-y"]).ok();
    plugged(&lab, "vm1", "default", "virbr0");
    lab.kvmnet(&["undo", "-y"]).ok().says(&["nothing to"]);
}

#[test]
fn what_names_the_bridge_or_is_plugged_into_it_comes_back_too() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.define(&guest("vm2", &[on_bridge("virbr0", 2)], ""));
    for name in ["vm1", "vm2"] {
        lab.virsh(&["start", name]);
    }
    lab.host(&["ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1"]).ok();
    lab.host(&["ip", "link", "set", "cable0", "master", "virbr0"]).ok();
    let cable = || lab.host(&["readlink", "/sys/class/net/cable0/master"]).stdout.contains("/virbr0");
    let restart = ["net", "restart", "default", "-y"];

    killed_at_the_taps(&lab, &restart);
    assert_eq!((masters(&lab), cable()), (["", ""].map(String::from), false));
    let out = lab.kvmnet(&["undo", "--dry-run"]).ok();
    out.says(&["guest 'vm2': NIC 1"]).says(&["'cable0': put on virbr0 again"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((masters(&lab), cable()), (["virbr0", "virbr0"].map(String::from), true));

    // Where only that is left to do.
    killed_at_the_taps(&lab, &restart);
    lab.kvmnet(&["reattach", "-y"]).ok();
    assert!(!cable());
    // A bare undo stops at the newest run, which is that of reattach, and names the one before it.
    lab.kvmnet(&["undo", "-y"]).ok().says(&["'kvmnet undo 3' puts 3 back"]);
    assert!(!cable());
    lab.kvmnet(&["undo", "3", "-y"])
        .ok()
        .says(&["puts what else was on the bridge of network 'default' back on it"]);
    assert_eq!((masters(&lab), cable()), (["virbr0", "virbr0"].map(String::from), true));
    lab.kvmnet(&["undo", "-y"]).ok().says(&["nothing to do"]);
}
