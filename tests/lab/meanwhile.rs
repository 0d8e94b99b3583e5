//! Networks that another run is at, and those that a killed libvirtd left halfway.

use std::process::Stdio;

use crate::lab::Lab;
use crate::lab::xml::plain;

fn with_a_guest() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    Some(lab)
}

#[test]
fn two_at_the_same_moment_wait_for_each_other() {
    let Some(lab) = with_a_guest() else { return };
    for (words, repeated) in [("restart", true), ("stop", false), ("start", false)] {
        for after in [0, 60, 120, 200] {
            let begin = || {
                let mut command = lab.kvmnet_command(&["net", words, "default", "-y"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            };
            let first = begin();
            std::thread::sleep(std::time::Duration::from_millis(after));
            for (run, which) in [first, begin()].into_iter().zip(["first", "second"]) {
                let out = run.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&out.stderr).into_owned();
                assert!(out.status.success(), "the {which} {words}, {after} ms apart: {said}");
            }
            if !repeated {
                break;
            }
        }
    }
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

/// Kills libvirtd and has it forget that the network runs, as when it dies before that is written down.
fn libvirtd_dies(lab: &Lab) {
    let script = "kill -KILL $(cat /run/lab/libvirtd.pid) && rm /run/libvirt/network/default.xml && \
                  while kill -0 $(cat /run/lab/libvirtd.pid) 2>/dev/null; do sleep 0.05; done; \
                  libvirtd -d -p /run/lab/libvirtd.pid";
    lab.host(&["sh", "-c", script]).ok();
}

/// Does what the help says, as far as it goes.
fn clear_away(lab: &Lab, words: &[&str]) {
    let out = lab.kvmnet(words).exits(2);
    let help = out.stderr.lines().find_map(|line| line.trim().strip_prefix("help: "));
    let (clear, _) = help.and_then(|help| help.split_once("; then ")).expect("what to do");
    assert!(clear.starts_with("kill "), "{}", out.report());
    lab.host(&["sh", "-c", clear]).ok();
}

#[test]
fn the_bridge_that_a_killed_libvirtd_left() {
    let Some(lab) = with_a_guest() else { return };
    lab.virsh(&["net-autostart", "--disable", "default"]);
    let definition = lab.virsh(&["net-dumpxml", "--inactive", "default"]);
    libvirtd_dies(&lab);
    assert!(!lab.virsh(&["net-list"]).contains("default"));
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    let said = "it is the network's own bridge, left there when libvirtd was killed";
    let bridged = ["net", "set-mode", "default", "--mode", "bridge", "--bridge", "virbr0", "-y"];
    for words in [&["net", "start", "default", "-y"][..], &["net", "restart", "default", "--dry-run"]] {
        let out = lab.kvmnet(words).exits(2).says(&[said]);
        let out = out.says(&["; ip link delete virbr0; then 'kvmnet net start default'"]);
        assert!(!out.all().contains("set-mode"), "{}", out.report());
    }
    lab.kvmnet(&bridged).exits(2).says(&["'virbr0' is the virtual bridge of network 'default'"]);
    assert_eq!(lab.virsh(&["net-dumpxml", "--inactive", "default"]), definition);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");

    // With somebody's cable in it, it is no longer the network's alone.
    lab.host(&["ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1"]).ok();
    lab.host(&["ip", "link", "set", "cable0", "master", "virbr0"]).ok();
    let out = lab.kvmnet(&["net", "start", "default", "-y"]).exits(2);
    assert!(!out.all().contains("--mode bridge"), "{}", out.report());
    out.says(&["this host has a device 'virbr0'"]);
    lab.host(&["ip", "link", "del", "cable0"]).ok();

    clear_away(&lab, &["net", "start", "default", "--dry-run"]);
    lab.kvmnet(&["net", "start", "default", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

#[test]
fn undo_after_that() {
    let Some(lab) = with_a_guest() else { return };
    lab.virsh(&["net-autostart", "--disable", "default"]);
    lab.kvmnet(&["net", "restart", "default", "-y"]).ok();
    // As if kvmnet had died with it: the journal ends in the middle.
    let cut = "f=$(ls /run/lab/state/journal/*.jsonl); head -n 2 $f >$f.new; mv $f.new $f";
    lab.host(&["sh", "-c", cut]).ok();
    libvirtd_dies(&lab);
    lab.kvmnet(&["undo", "-y"]).exits(2).says(&["ip link delete virbr0"]).says(&["'kvmnet undo'"]);
    clear_away(&lab, &["undo", "--dry-run"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}
