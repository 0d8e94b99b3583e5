//! kvmnet is killed at every step of making a bridge; nobody is there to put anything back but what was armed before.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::{boot, create, nothing_is_left, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Connection, Flavour, Lan, Machine};

with_every_backend! { killed_at_every_step }

/// It says each step before it makes it. For each there is, it gets SIGKILL as soon as it has said so, and another time a
/// moment after; and every few times the power goes with it.
fn killed_at_every_step(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let mut machine = boot(&lan, flavour, Addresses::Static4);
    let before = machine.state();
    let mut kills = 0;
    for step in 1.. {
        let later = Duration::from_millis(if step % 2 == 0 { 150 } else { 0 });
        let connection = lan.connection(&machine);
        match killed(&machine, &connection, step, later) {
            // There were fewer steps.
            None => break,
            Some(false) => drop(machine.kvmnet(&["host", "bridge", "revert"]).ok()),
            Some(true) => kills += 1,
        }
        if step % 3 == 0 {
            machine.reboot();
            machine.wait_for_network();
        } else {
            let units = ["systemctl", "list-units", "--all", "--no-legend", "kvmnet-put-back-*"];
            machine
                .wait_until("the timer is through", |machine| machine.run(&units).stdout.trim().is_empty());
        }
        machine.is_again(&before);
        // Before the timer is armed nothing is written but what shall be done.
        machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
        nothing_is_left(&machine);
    }
    assert!(kills >= 3, "it was killed only {kills} times");
    eprintln!("{flavour:?}: killed at {kills} steps");
    let mut connection = lan.connection(&machine);
    create(&machine, &connection, &[]).ok();
    assert!(connection.echoes());
}

/// Has it killed when it says its n-th step: `None` if there is no such step, `Some(false)` if it was faster.
fn killed(machine: &Machine<'_>, connection: &Connection, step: usize, later: Duration) -> Option<bool> {
    let line = ["host", "bridge", "create", "br0", "--port", "enp4s0", "-y", "--timeout", "8"];
    let mut command = machine.kvmnet_command(&line);
    command.env("SSH_CONNECTION", connection.ssh()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut kvmnet = command.spawn().unwrap();
    let said = BufReader::new(kvmnet.stderr.take().unwrap()).lines();
    let mut steps = said.map_while(Result::ok).filter(|line| line.starts_with("kvmnet: "));
    let is_step = steps.nth(step - 1).is_some_and(|line| !line.contains("kvmnet: it works"));
    if is_step {
        sleep(later);
        machine.run(&["pkill", "-KILL", "-x", "kvmnet"]);
    }
    // Nobody reads what it says any more.
    drop(steps);
    let done = kvmnet.wait().unwrap();
    is_step.then(|| !done.success())
}
