//! The booted machines themselves, without kvmnet: are they what the other tests take them for, and do they go away?

use std::time::Instant;

use crate::machine::configs::{ADDRESS, ADDRESS6, Addresses, file};
use crate::machine::{Flavour, Lan, MAC};

/// Boots, changes nothing, and boots again.
fn boots(flavour: Flavour) {
    let Some(lan) = Lan::start() else { return };
    let began = Instant::now();
    let mut machine = lan.boot(flavour, &[file(flavour, Addresses::StaticBoth)]);
    eprintln!("{flavour:?} up after {} ms", began.elapsed().as_millis());
    machine.wait_for_address("enp4s0", ADDRESS);
    machine.wait_for_address("enp4s0", ADDRESS6);
    assert!(lan.pings(ADDRESS) && lan.pings(ADDRESS6));
    assert!(machine.sh("ip -br link show enp4s0").contains(MAC));
    assert_eq!(machine.run(&["ping", "-c1", "-W2", "198.18.0.9"]).ok().code, 0);
    machine.kvmnet(&["--version"]).ok();
    let failed = machine.sh("systemctl --failed --plain --no-legend");
    assert_eq!(failed, "", "{}", machine.log());
    let mut connection = lan.connection(&machine);
    assert!(connection.echoes() && connection.is_alive());
    assert!(connection.ssh().starts_with("198.18.0.9 ") && connection.ssh().ends_with(" 198.18.0.4 22"));

    let before = machine.state();
    before.is_same(&machine.state());
    let began = Instant::now();
    machine.reboot();
    eprintln!("{flavour:?} up again after {} ms", began.elapsed().as_millis());
    machine.wait_for_address("enp4s0", ADDRESS6);
    before.is_same(&machine.state());
    assert!(!connection.echoes(), "after a power cut nobody knows it any more");
}

#[test]
fn a_machine_with_ifupdown_boots() {
    boots(Flavour::Ifupdown);
}

#[test]
fn a_machine_with_ifupdown2_boots() {
    boots(Flavour::Ifupdown2);
}

#[test]
fn a_machine_with_netplan_boots() {
    boots(Flavour::Netplan);
}

#[test]
fn a_machine_with_networkd_boots() {
    boots(Flavour::Networkd);
}

#[test]
fn a_machine_with_networkmanager_boots() {
    boots(Flavour::NetworkManager);
}
