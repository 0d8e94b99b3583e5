//! Many guests at once, a part that fails, an end that comes in the middle, and somebody else at the same time.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::lab::xml::{MOVED, changes, guest, on_bridge, on_network, plain};
use crate::lab::{Lab, ids};

/// Whether the guest's definition is on `br0`.
fn on_br0(lab: &Lab, name: &str) -> bool {
    lab.xml(name).contains("<source bridge='br0'/>")
}

#[test]
fn all_guests_or_those_of_a_network() {
    let Some(lab) = Lab::start() else { return };
    lab.network(
        "lab",
        "<network><name>lab</name><bridge name='virbr7'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>",
    );
    lab.define_all(&[
        plain("a", 1),
        plain("b", 1),
        guest("c", &[on_network("lab", 3)], ""),
        guest("d", &[on_bridge("br1", 4)], ""),
        guest("e", &[], ""),
    ]);
    let out =
        lab.kvmnet(&["convert", "--on-network", "default", "--to-bridge", "br0", "-y", "-o", "json"]).ok();
    assert_eq!(out.json()["summary"]["applied"], 2, "{}", out.report());
    assert_eq!(["a", "b", "c", "d"].map(|n| on_br0(&lab, n)), [true, true, false, false]);
    let out = lab.kvmnet(&["convert", "--all", "--to-bridge", "br0", "-y", "-o", "json"]).ok();
    assert_eq!(out.json()["summary"]["applied"], 1, "{}", out.report());
    assert_eq!(["a", "b", "c", "d"].map(|n| on_br0(&lab, n)), [true, true, true, false]);
    lab.kvmnet(&["convert", "--all", "--to-bridge", "br0", "-y"]).ok().says(&["nothing to do"]);
    lab.kvmnet(&["convert", "--on-network", "nosuch", "--to-bridge", "br0", "-y"]);
    assert!(!on_br0(&lab, "d"));
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let Some(lab) = Lab::start() else { return };
    lab.define_all(&[plain("a", 1), plain("asleep", 1), plain("z", 1)]);
    lab.virsh(&["start", "asleep"]);
    lab.virsh(&["managedsave", "asleep"]);
    lab.virsh(&["create", &lab.file("transient.xml", &plain("passing", 1))]);
    let asleep = lab.xml("asleep");
    let out = lab.kvmnet(&["convert", "--all", "--to-bridge", "br0", "-y", "-o", "json"]).exits(3);
    let json = out.json();
    assert_eq!(json["summary"]["applied"], 2, "{}", out.report());
    assert_eq!(json["summary"]["failed"], 2, "{}", out.report());
    for change in json["changes"].as_array().unwrap() {
        let failed = ["asleep", "passing"].contains(&change["domain"].as_str().unwrap());
        assert_eq!(change["status"] == "failed", failed, "{change}");
        assert_eq!(change["error"].is_string(), failed, "{change}");
    }
    assert!(on_br0(&lab, "a") && on_br0(&lab, "z"));
    assert_eq!(lab.xml("asleep"), asleep);
    assert!(lab.virsh(&["list", "--transient", "--name"]).contains("passing"));
    // Nothing of it can be done any more: not "part-way".
    lab.kvmnet(&["convert", "asleep", "passing", "--to-bridge", "br0", "-y"]).exits(2);
}

#[test]
fn killed_in_the_middle_every_guest_is_whole() {
    let Some(lab) = Lab::start() else { return };
    let names: Vec<String> = (0..30).map(|i| format!("vm{i:02}")).collect();
    lab.define_all(&names.iter().map(|n| plain(n, 1)).collect::<Vec<_>>());
    let all = || -> Vec<String> {
        let script: String =
            names.iter().map(|n| format!("dumpxml --inactive --security-info {n};")).collect();
        lab.virsh(&[&script]).split_inclusive("</domain>").map(|x| x.trim().to_owned()).collect()
    };
    let mut originals = all();
    originals.retain(|x| !x.is_empty());
    assert_eq!(originals.len(), names.len());
    let convert = ["convert", "--all", "--to-bridge", "br0", "-y"];

    // How long a whole run takes, to know what its middle is.
    let began = Instant::now();
    lab.kvmnet(&convert).ok();
    let whole = began.elapsed();
    undo_all(&lab, 0);
    let mut known = ids(&lab.kvmnet(&["history", "-o", "json"]).ok()).len();

    let mut partly = 0;
    for part in 1..=8 {
        let mut cmd = lab.kvmnet_command(&convert);
        let mut child = cmd.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / 9);
        kill_inside(child.id());
        child.wait().unwrap();
        let mut moved = 0;
        for (before, after) in originals.iter().zip(all()) {
            if *before != after {
                assert_eq!(changes(before, &after), MOVED, "a guest is neither old nor new");
                moved += 1;
            }
        }
        partly += usize::from(moved > 0 && moved < names.len());
        undo_all(&lab, known);
        known = ids(&lab.kvmnet(&["history", "-o", "json"]).ok()).len();
        let after: Vec<String> = all().into_iter().filter(|x| !x.is_empty()).collect();
        assert!(
            after == originals,
            "undo did not put everything back after a kill at {part}/9 ({moved} moved)"
        );
    }
    eprintln!("a whole run takes {whole:?}; {partly} of 8 kills came in its middle");
    assert!(partly > 0, "no kill came in the middle of a run of {whole:?}");
}

/// Undoes all that is in the journal on top of its `known` oldest entries, newest first.
#[track_caller]
fn undo_all(lab: &Lab, known: usize) {
    let journal = ids(&lab.kvmnet(&["history", "-o", "json"]).ok());
    for id in &journal[..journal.len() - known] {
        // An entry whose change was never made has nothing to put back, which is no failure.
        lab.kvmnet(&["undo", id, "-y"]).ok();
    }
}

/// Kills what `nsenter` (with this id) runs: it waits for a child, which has become the program itself.
fn kill_inside(nsenter: u32) {
    let children = fs::read_to_string(format!("/proc/{nsenter}/task/{nsenter}/children")).unwrap_or_default();
    for pid in children.split_whitespace() {
        let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn an_edit_while_kvmnet_asks_is_not_overwritten() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let asking = lab.kvmnet_asks(&["convert", "vm1", "--to-bridge", "br0"]);
    lab.virsh(&["attach-interface", "vm1", "network", "default", "--config"]);
    let edited = lab.xml("vm1");
    let (code, said) = asking.answer("y\n");
    assert_eq!(code, 2, "{said}");
    assert_eq!(lab.xml("vm1"), edited);
}

#[test]
fn no_is_an_answer() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    for no in ["n\n", "\n"] {
        let (code, said) = lab.kvmnet_asks(&["convert", "vm1", "--to-bridge", "br0"]).answer(no);
        assert!(code == 0 || code == 2, "exit {code}\n{said}");
        assert_eq!(lab.xml("vm1"), original);
    }
    let (code, said) = lab.kvmnet_asks(&["convert", "vm1", "--to-bridge", "br0"]).answer("y\n");
    assert_eq!(code, 0, "{said}");
    assert_eq!(changes(&original, &lab.xml("vm1")), MOVED);
}

#[test]
fn two_at_once_lose_nothing() {
    let Some(lab) = Lab::start() else { return };
    let names: Vec<String> = (0..10).map(|i| format!("vm{i}")).collect();
    lab.define_all(&names.iter().map(|n| plain(n, 1)).collect::<Vec<_>>());
    let mut running = Vec::new();
    for half in [&names[..5], &names[5..]] {
        let args: Vec<&str> = ["convert"].into_iter().chain(half.iter().map(String::as_str)).collect();
        let mut cmd = lab.kvmnet_command(&[&args[..], &["--to-bridge", "br0", "-y"]].concat());
        running.push(cmd.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }
    let end = Instant::now() + Duration::from_secs(30);
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert!(Instant::now() < end);
    assert!(names.iter().all(|n| on_br0(&lab, n)));
    let mut journal = ids(&lab.kvmnet(&["history", "-o", "json"]).ok());
    journal.sort();
    journal.dedup();
    for id in journal.iter().rev() {
        lab.kvmnet(&["undo", id, "-y"]).ok();
    }
    assert!(!names.iter().any(|n| on_br0(&lab, n)));
}

#[test]
fn of_two_runs_at_once_one_gives_way() {
    let Some(lab) = Lab::start() else { return };
    for round in 0..6 {
        lab.define(&plain("vm1", 1));
        let start = |bridge| {
            let mut command = lab.kvmnet_command(&["convert", "vm1", "--to-bridge", bridge, "-y"]);
            (bridge, command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        };
        let runs = [start("br0"), start("br1")];
        let done: Vec<_> =
            runs.into_iter().filter_map(|(b, mut run)| run.wait().unwrap().success().then_some(b)).collect();
        assert_eq!(done.len(), 1, "round {round}: {done:?} say that they changed it");
        assert!(lab.xml("vm1").contains(&format!("bridge='{}'", done[0])), "round {round}");
        lab.virsh(&["undefine", "vm1"]);
    }
}
