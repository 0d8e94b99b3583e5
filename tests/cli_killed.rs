//! Runs of kvmnet that are killed in the middle, wait for each other, or get in each other's way.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::Signal;
use support::{Sandbox, Started, guest, on_br0};

// Crowds

fn all_end(started: Vec<Started>) -> Vec<support::Done> {
    started.into_iter().map(Started::wait).collect()
}

#[test]
fn twenty_runs_at_once_share_one_journal() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..20).map(|n| format!("{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    let start = |name| here.kvmnet("convert --to-bridge br0 --in-place -y --file").arg(name).start();
    for done in all_end(names.iter().map(start).collect()) {
        done.gave(0);
    }
    let old = guest("web1", &["default"]);
    assert!(names.iter().all(|name| here.text(name) == on_br0(&old)));
    let runs = here.history();
    let mut files: Vec<_> =
        runs.iter().map(|r| r["changes"][0]["file"].as_str().unwrap().to_string()).collect();
    files.sort();
    let mut expected = names.clone();
    expected.sort();
    assert_eq!(files, expected);
    for _ in 0..20 {
        here.kvmnet("undo -y").gives(0);
    }
    assert!(names.iter().all(|name| here.text(name) == old));
}

#[test]
fn twenty_runs_on_one_file_leave_it_whole_and_changed_once() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let start = |_| here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").start();
    for done in all_end((0..20).map(start).collect()) {
        assert!(done.code == 0 || done.err.contains("changed since"), "{done}");
    }
    assert_eq!((here.text("a.xml"), here.names(".").len()), (on_br0(&old), 3));
    for _ in 0..20 {
        here.kvmnet("undo -y").run();
    }
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn two_undos_at_once_put_back_once() {
    for _ in 0..10 {
        let here = Sandbox::new();
        let old = here.convert(&["a.xml", "b.xml", "c.xml"]);
        let done = all_end((0..2).map(|_| here.kvmnet("undo -y").start()).collect());
        assert!(done.iter().any(|d| d.code == 0 || d.code == 3), "{}{}", done[0], done[1]);
        assert!(["a.xml", "b.xml", "c.xml"].iter().all(|name| here.text(name) == old));
        here.kvmnet("undo -y").gives(0);
        assert!(["a.xml", "b.xml", "c.xml"].iter().all(|name| here.text(name) == old));
    }
}

// Waiting for another run

const APPLY: &str = "convert --file a.xml --to-bridge br0 --in-place -y";

/// Holds what a run that is making changes holds.
fn another_run(here: &Sandbox) -> fs::File {
    fs::create_dir_all(here.journal()).unwrap();
    let held = fs::File::open(here.journal()).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
    held
}

#[test]
fn a_run_that_waits_for_another_says_so_and_goes_on() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let held = another_run(&here);
    let started = here.kvmnet(APPLY).start();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(here.text("a.xml"), old);
    drop(held);
    started.wait().gave(0).says(&["waiting for another run of kvmnet"]);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    let done = here.kvmnet("undo -y").gives(0);
    assert!(!done.err.contains("waiting"), "{done}");
}

#[test]
fn a_run_that_waits_for_another_can_be_ended() {
    for (signal, wait) in [(Signal::INT, 300), (Signal::INT, 1500), (Signal::TERM, 1500), (Signal::HUP, 1500)]
    {
        let here = Sandbox::new();
        let old = here.guest("a.xml");
        let _held = another_run(&here);
        let started = here.kvmnet("-q").args(APPLY.split(' ')).start();
        std::thread::sleep(Duration::from_millis(wait));
        let asked = Instant::now();
        started.signal(signal);
        let done = started.wait().gave(2).says(&["interrupted", "nothing was changed"]);
        assert!(asked.elapsed() < Duration::from_secs(1) && !done.err.contains("waiting"), "{done}");
        assert_eq!((here.text("a.xml"), here.names("state/journal").len()), (old, 0));
    }
}

// Runs that know nothing of each other

#[test]
fn of_two_runs_with_journals_of_their_own_neither_loses_the_others_change() {
    let here = Sandbox::new();
    let old = guest("web1", &["default", "lan"]);
    let mut both = 0;
    for round in 0..60 {
        here.write("a.xml", &old);
        let start = |n: usize| {
            let words = format!("convert --file a.xml --nic {n} --to-bridge br{n} --in-place -y");
            here.kvmnet(&words).env("KVMNET_STATE_DIR", here.path(format!("state{n}"))).start()
        };
        let done = all_end(vec![start(1), start(2)]);
        for (n, done) in (1..).zip(&done) {
            assert!(done.code == 0 || done.err.contains("has changed since"), "{done}");
            let is_there = here.text("a.xml").contains(&format!("<source bridge='br{n}'/>"));
            assert_eq!(done.code == 0, is_there, "round {round}: {done}");
        }
        both += usize::from(done.iter().all(|d| d.code == 0));
    }
    assert!(both < 60, "they never met");
}

#[test]
fn a_file_that_a_stranger_keeps_locked_is_changed_all_the_same() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.shell(&format!("flock a.xml \"$K\" {APPLY}")).gives(0);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    here.shell("flock . \"$K\" undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

// Being killed

#[test]
fn killed_at_any_moment_each_file_is_whole_and_undo_puts_all_back() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..300).map(|n| format!("files/{n}.xml")).collect();
    let (old, mut seen) = (guest("web1", &["default"]), 0);
    for round in 0..20 {
        names.iter().for_each(|name| drop(here.guest(name)));
        let _ = fs::remove_dir_all(here.path("state"));
        let started = here.kvmnet("convert --to-bridge br0 --in-place -y -q --file").args(&names).start();
        let begun = Instant::now();
        while !here.journal().join("1.jsonl").exists() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * round / 2));
        started.signal(Signal::KILL);
        started.wait();
        let texts: Vec<_> = names.iter().map(|name| here.text(name)).collect();
        let changed = texts.iter().filter(|text| **text == on_br0(&old)).count();
        assert_eq!(changed + texts.iter().filter(|text| **text == old).count(), 300, "a file is torn");
        seen += usize::from(changed > 0 && changed < 300);
        let left = || here.names("files").into_iter().filter(|n| n.starts_with('.')).collect::<Vec<_>>();
        assert!(left().len() <= 4, "more than are under way at once: {:?}", left());
        let done = here.kvmnet("undo -y").gives(0);
        assert!(names.iter().all(|name| here.text(name) == old), "killed after {changed}: {done}");
        if changed > 0 {
            assert!(left().is_empty(), "whole definitions are left behind: {:?}", left());
        }
    }
    assert!(seen > 5, "killed in the middle only {seen} times");
}

#[test]
fn an_unasked_undo_never_goes_past_a_run_that_was_killed() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.convert(&["b.xml"]);
    // As if it had been killed between writing down and changing.
    here.write("b.xml", &old);
    let log = here.journal().join("2.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    here.kvmnet("history").gives(0).shows(&["interrupted"]);
    for _ in 0..2 {
        // Who typed that meant the run that was killed, and not what came before it.
        here.kvmnet("undo -y")
            .gives(0)
            .shows(&["there is nothing to put back"])
            .says(&["2 was cut short", "'kvmnet undo 1' puts 1 back"]);
        assert_eq!(here.text("a.xml"), on_br0(&old));
    }
    here.kvmnet("undo 1 -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn an_undo_that_was_killed_can_be_finished() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..100).map(|n| format!("files/{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    let old = guest("web1", &["default"]);
    here.kvmnet("convert --to-bridge br0 --in-place -y -q --file").args(&names).gives(0);
    let started = here.kvmnet("undo -y -q").start();
    while !here.journal().join("2.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(20));
    started.signal(Signal::KILL);
    started.wait();
    here.kvmnet("undo -y -q").gives(0);
    assert!(names.iter().all(|name| here.text(name) == old));
}

#[test]
fn what_a_killed_run_left_beside_the_guests_is_swept_away_by_the_next() {
    let here = Sandbox::new();
    here.guest("a.xml");
    for name in [".kvmnet-Ab12cD", ".kvmnet-living", ".kvmnet-mine", "kvmnet-Ab12cD"] {
        here.write(name, "<domain/>");
    }
    let living = fs::File::open(here.path(".kvmnet-living")).unwrap();
    rustix::fs::flock(&living, FlockOperation::LockExclusive).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
    assert!(here.path(".kvmnet-Ab12cD").exists(), "a preview writes nothing");
    here.kvmnet(APPLY).gives(0);
    let left = [".kvmnet-living", ".kvmnet-mine", "a.xml", "home", "kvmnet-Ab12cD", "state"];
    assert_eq!(here.names("."), left);
}
