//! The way back itself is cut short: whoever takes it is killed, or the power goes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{LONG, as_before, create, lan_for, nothing_is_left, own_file, site, turn, with_every_backend};
use crate::machine::{Connection, Flavour, Machine};
use crate::site::say;

with_every_backend! { killed_while_it_is_put_back cut_while_it_is_put_back }

/// What can be seen of it being put back, in that order: it is said, the old file stands again, the bridge is gone.
const MOMENTS: [&str; 3] = ["it is begun", "the old file stands", "the bridge is gone"];

/// Makes a bridge, has it put back, and kills whoever does that at one of the [`MOMENTS`]; `false` if that was over.
fn killed(machine: &Machine<'_>, connection: &Connection, moment: usize, old: (&str, &str)) -> bool {
    create(machine, connection, &LONG).ok();
    let kvmnet = machine.watched(None, &["host", "bridge", "revert"]);
    let began = Instant::now();
    let record = machine.path("/var/lib/kvmnet/window/window.json");
    let text = || std::fs::read_to_string(&record).unwrap_or_else(|_| "\"put-back\"".into());
    let is_over = || text().contains("\"put-back\"");
    let has_come = || match moment {
        0 => text().contains("\"putting-back\""),
        1 => machine.text(old.0) == old.1,
        _ => !machine.has("/sys/class/net/br0"),
    };
    while !has_come() && !is_over() && began.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(1));
    }
    kvmnet.kill();
    kvmnet.ends() == -1
}

pub(super) fn killed_while_it_is_put_back(flavour: Flavour) {
    let addresses = turn(flavour, 0);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = site(&lan, flavour, addresses);
    let (path, text, _) = own_file(flavour, addresses);
    let mut kills = Vec::new();
    for (n, moment) in MOMENTS.iter().enumerate() {
        if killed(&machine, &connection, n, (path, text)) {
            kills.push(moment);
        }
        machine.the_time_is_up();
        as_before(&machine, &before, &mut connection);
    }
    say(&format!("{flavour:?}, {addresses:?}: killed while it was put back when {kills:?}"));
    assert!(!kills.is_empty(), "it was through before it was killed");
}

fn cut_while_it_is_put_back(flavour: Flavour) {
    let addresses = turn(flavour, 1);
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, _) = site(&lan, flavour, addresses);
    let (path, text, _) = own_file(flavour, addresses);
    for n in 0..MOMENTS.len() {
        let connection = lan.connection(&machine);
        killed(&machine, &connection, n, (path, text));
        machine.reboot();
        machine.is_again(&before);
        nothing_is_left(&machine);
    }
}
