//! kvmnet is killed at every step; nobody is there to put anything back but what was armed before.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{
    CREATE, DELETE, LONG, boot, bridged, create, lan_for, nothing_is_left, own_file, site, turn,
    with_every_backend,
};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan, Machine, State};
use crate::site::say;

with_every_backend! { made_in_one_way made_in_another taken_down undone confirmed }

pub(super) fn made_in_one_way(flavour: Flavour) {
    made(flavour, turn(flavour, 0), 0);
}

fn made_in_another(flavour: Flavour) {
    made(flavour, turn(flavour, 1), 1);
}

fn made(flavour: Flavour, addresses: Addresses, turn: usize) {
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, _) = site(&lan, flavour, addresses);
    killed_at_every_step(&lan, &mut machine, &before, &[&CREATE[..], &LONG].concat(), turn);
    let mut connection = lan.connection(&machine);
    create(&machine, &connection, &[]).ok();
    assert!(connection.echoes());
}

pub(super) fn taken_down(flavour: Flavour) {
    let addresses = turn(flavour, 1);
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, _) = bridged(&lan, flavour, addresses);
    killed_at_every_step(&lan, &mut machine, &before, &[&DELETE[..], &LONG].concat(), flavour as usize);
}

/// An undo of what was confirmed.
fn undone(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let mut machine = boot(&lan, flavour, Addresses::Static4);
    create(&machine, &lan.connection(&machine), &LONG).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    let before = machine.state();
    killed_at_every_step(&lan, &mut machine, &before, &["undo", "-y"], flavour as usize);
    // It can still be made.
    machine.kvmnet(&["undo", "-y"]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert!(!machine.has("/sys/class/net/br0"));
    assert_eq!(
        machine.text(own_file(flavour, Addresses::Static4).0),
        own_file(flavour, Addresses::Static4).1
    );
}

/// Whoever confirms says nothing of its steps, and is killed at moments of the time that it takes. Either it stays, or it is as if
/// nobody had confirmed; and if it stays, that can be confirmed again, and nothing is left.
fn confirmed(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, _, mut connection) = site(&lan, flavour, Addresses::Static4);
    create(&machine, &connection, &LONG).ok();
    let began = Instant::now();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    let takes = began.elapsed();
    let back = || {
        machine.kvmnet(&["undo", "-y"]).ok();
        machine.kvmnet(&["host", "bridge", "confirm"]).ok();
        machine.state()
    };
    let mut before = back();
    let (mut stayed, mut went) = (0, 0);
    for part in 0..MOMENTS {
        create(&machine, &connection, &LONG).ok();
        let kvmnet = machine.watched(None, &["host", "bridge", "confirm"]);
        kvmnet.kill_after(takes * part / MOMENTS);
        let code = kvmnet.ends();
        let record = machine.path("/var/lib/kvmnet/window/window.json");
        if std::fs::read_to_string(record).map_or(true, |text| text.contains("\"phase\":\"confirmed\"")) {
            stayed += 1;
            machine.the_time_is_up();
            assert!(machine.has("/sys/class/net/br0"), "it is put back, though it was confirmed");
            // Whoever comes next clears away what is left.
            machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
            nothing_is_left(&machine);
            before = back();
            assert!(connection.echoes());
        } else {
            went += 1;
            assert_ne!(code, 0, "it says that it is confirmed, and it isn't");
            machine.the_time_is_up();
            super::as_before(&machine, &before, &mut connection);
        }
    }
    say(&format!("{flavour:?}: killed while it was confirmed: {stayed} stayed, {went} were put back"));
}

/// At how many moments it is killed while it is confirmed.
const MOMENTS: u32 = 5;

/// It says each step before it makes it, and makes none before the last was heard. At each it gets SIGKILL, either as soon
/// as it has said so or in the middle of it; and every few times the power goes with it.
fn killed_at_every_step(lan: &Lan, machine: &mut Machine<'_>, before: &State, line: &[&str], turn: usize) {
    let steps = steps(lan, machine, before, line);
    let last = steps.len() - 1;
    for (n, (step, takes)) in steps.iter().enumerate() {
        let mut connection = lan.connection(machine);
        let mut kvmnet = machine.watched(Some(&connection), line);
        let said: Vec<String> = (0..=n).filter_map(|_| kvmnet.step()).collect();
        assert!(said.len() == n + 1 && (n == last) == (said[n] == "verifying"), "{said:#?}");
        assert_eq!(said[n].split(' ').next(), step.split(' ').next(), "{said:#?}");
        if (n + turn) % 2 == 1 {
            sleep(*takes / 2);
        }
        kvmnet.kill();
        eprintln!("killed at {step:?}");
        assert_eq!(kvmnet.ends(), -1, "it wasn't killed at {step:?}");
        if (n + turn) % 3 == 2 {
            machine.reboot();
        } else {
            // What it ran runs on, but not until the time is up.
            let tools = ["pgrep", "-f", "ifup |ifdown |ifreload|nmcli|networkctl|netplan (apply|generate)"];
            machine.wait_until("is through with what was begun", |m| m.run(&tools).code == 1);
            machine.the_time_is_up();
        }
        machine.is_again(before);
        assert!((n + turn) % 3 == 2 || connection.echoes(), "the connection doesn't survive");
        machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
        nothing_is_left(machine);
    }
    say(&format!("{:?}: killed at each of {} steps: {}", machine.flavour(), steps.len(), line.join(" ")));
}

/// The steps of what that line does, each with how long it takes, the last one being that it is verified.
fn steps(lan: &Lan, machine: &Machine<'_>, before: &State, line: &[&str]) -> Vec<(String, Duration)> {
    let mut connection = lan.connection(machine);
    let mut kvmnet = machine.watched(Some(&connection), line);
    let mut said: Vec<(String, Instant)> = Vec::new();
    while let Some(step) = kvmnet.step() {
        said.push((step, Instant::now()));
    }
    assert_eq!(kvmnet.ends(), 0, "{said:#?}");
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    machine.is_again(before);
    assert!(connection.echoes(), "the connection doesn't survive");
    let last = said.iter().position(|(step, _)| step == "verifying").expect("it is verified");
    // It is armed, files are written, something is run, all is verified; and something is said after that.
    assert!(
        said[0].0.starts_with("the way back is armed") && last >= 3 && last + 1 < said.len(),
        "{said:#?}"
    );
    let takes = said.windows(2).map(|pair| (pair[0].0.clone(), pair[1].1 - pair[0].1));
    takes.take(last + 1).collect()
}

with_every_backend! { before_it_is_armed }

/// It is killed as soon as anything of it stands on the disk, before its timer or after.
fn before_it_is_armed(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    for _ in 0..3 {
        let kvmnet = machine.watched(Some(&connection), &[&CREATE[..], &LONG].concat());
        let began = Instant::now();
        while !machine.has("/var/lib/kvmnet/window/window.json") {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing of it ever stands on the disk");
            sleep(Duration::from_millis(1));
        }
        kvmnet.kill();
        assert_eq!(kvmnet.ends(), -1);
        machine.the_time_is_up();
        machine.kvmnet(&["host", "bridge", "revert"]).ok();
        super::as_before(&machine, &before, &mut connection);
    }
}
