//! The disk is full: before anything is done, while it is done, while it waits, while all is put back.

use super::{
    CREATE, LONG, as_before, create, is_put_back, lan_for, own_file, site, turn, with_every_backend,
};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};

with_every_backend! { full_from_the_start filled_while_it_is_made filled_while_it_waits }

fn full_from_the_start(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    machine.fill();
    create(&machine, &connection, &[]).exits(2).says(&["No space left", "os error 28"]);
    machine.unfill();
    as_before(&machine, &before, &mut connection);
}

/// After its way back was armed.
fn filled_while_it_is_made(flavour: Flavour) {
    let addresses = turn(flavour, 1);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = site(&lan, flavour, addresses);
    let mut kvmnet = machine.watched(Some(&connection), &[&CREATE[..], &LONG].concat());
    kvmnet.until("the way back is armed");
    machine.fill();
    // What it writes next finds no room, and if only that it is made.
    assert_eq!(kvmnet.ends(), 2);
    machine.is_again(&before);
    machine.unfill();
    as_before(&machine, &before, &mut connection);
}

/// When its time is up, and when it is reverted.
fn filled_while_it_waits(flavour: Flavour) {
    let addresses = turn(flavour, 2);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = site(&lan, flavour, addresses);
    for is_reverted in [false, true] {
        create(&machine, &connection, &LONG).ok();
        machine.fill();
        if is_reverted {
            machine.kvmnet(&["host", "bridge", "revert"]).ok();
        } else {
            machine.the_time_is_up();
        }
        is_put_back(&machine);
        as_before(&machine, &before, &mut connection);
        let (path, text, _) = own_file(flavour, addresses);
        assert_eq!(machine.text(path), text);
        machine.unfill();
    }
}
