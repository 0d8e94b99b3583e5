//! The power goes, or somebody has the machine start anew.

use super::{LONG, can, create, lan_for, nothing_is_left, own_file, site, turn, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Machine, State};

with_every_backend! { cut_while_it_waits cut_while_a_router_says_what_to_do started_anew_in_order }

#[track_caller]
fn as_before(machine: &Machine<'_>, before: &State, addresses: Addresses) {
    machine.is_again(before);
    nothing_is_left(machine);
    machine.kvmnet(&["history"]).ok().says(&["started anew"]);
    let (path, text, _) = own_file(machine.flavour(), addresses);
    assert_eq!(machine.text(path), text);
}

/// While it waits to be confirmed.
fn cut_while_it_waits(flavour: Flavour) {
    for addresses in [Addresses::StaticBoth, Addresses::Dhcp4] {
        let Some(lan) = lan_for(addresses) else { return };
        let (mut machine, before, connection) = site(&lan, flavour, addresses);
        create(&machine, &connection, &LONG).ok();
        machine.reboot();
        as_before(&machine, &before, addresses);
    }
}

/// The same with addresses of IPv6 alone, or with all that there are.
fn cut_while_a_router_says_what_to_do(flavour: Flavour) {
    let routed = if (flavour as usize).is_multiple_of(2) { Addresses::Slaac } else { Addresses::DhcpBoth };
    let addresses = if can(flavour, routed) { routed } else { Addresses::Static6 };
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, connection) = site(&lan, flavour, addresses);
    create(&machine, &connection, &LONG).ok();
    machine.reboot();
    as_before(&machine, &before, addresses);
}

/// `reboot` ends the timer in order, while the network still stands.
fn started_anew_in_order(flavour: Flavour) {
    let addresses = turn(flavour, 3);
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, connection) = site(&lan, flavour, addresses);
    create(&machine, &connection, &LONG).ok();
    machine.reboot_in_order();
    as_before(&machine, &before, addresses);
}
