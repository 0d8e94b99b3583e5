//! The terminal goes while kvmnet works on it, as it does when a connection breaks.

use super::{
    CREATE, DELETE, LONG, as_before, bridged, create, lan_for, nothing_is_left, site, turn,
    with_every_backend,
};
use crate::machine::configs::Addresses;
use crate::machine::{Connection, Flavour, Lan, Machine};

with_every_backend! { goes_while_it_is_made goes_while_it_is_taken_down goes_while_it_is_put_back }

/// Has the terminal go at a step, and gives the exit code.
fn hung_up(machine: &Machine<'_>, connection: &Connection, line: &[&str], step: &str) -> i32 {
    let mut kvmnet = machine.on_a_terminal(Some(connection), line);
    kvmnet.until(step);
    kvmnet.kill();
    assert_eq!(kvmnet.ends(), -1, "the terminal was there no more");
    code(machine)
}

fn code(machine: &Machine<'_>) -> i32 {
    machine.wait_until("ends kvmnet", |machine| machine.has("/run/code"));
    machine.text("/run/code").trim().parse().unwrap()
}

fn goes_while_it_is_made(flavour: Flavour) {
    for (addresses, step) in [(turn(flavour, 0), "the way back is armed"), (Addresses::Static4, "verifying")]
    {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        let mut line = [&CREATE[..], &LONG].concat();
        if step == "verifying" {
            // It would be through with that before the terminal is gone.
            line.extend(["--gateway", "198.18.0.77"]);
        }
        assert_eq!(hung_up(&machine, &connection, &line, step), 2);
        as_before(&machine, &before, &mut connection);
        machine.kvmnet(&["history"]).ok().says(&["interrupted", "it failed"]);
    }
}

fn goes_while_it_is_taken_down(flavour: Flavour) {
    let addresses = turn(flavour, 3);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = bridged(&lan, flavour, addresses);
    let line = [&DELETE[..], &LONG].concat();
    assert_eq!(hung_up(&machine, &connection, &line, "the way back is armed"), 2);
    as_before(&machine, &before, &mut connection);
}

/// Whoever put it back is gone: it is put back all the same, by that very process or when the time is up.
fn goes_while_it_is_put_back(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    create(&machine, &connection, &LONG).ok();
    let kvmnet = machine.on_a_terminal(Some(&connection), &["host", "bridge", "revert"]);
    machine.wait_until("puts it back", |machine| {
        machine.run(&["grep", "-qs", "putting-back", "/var/lib/kvmnet/window/window.json"]).code != 1
    });
    kvmnet.kill();
    kvmnet.ends();
    code(&machine);
    machine.the_time_is_up();
    machine.is_again(&before);
    assert!(connection.echoes());
    nothing_is_left(&machine);
}
