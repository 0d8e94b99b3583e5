//! Whatever goes wrong, the machine ends as it was: every file to the byte, every address and route.

use super::{LONG, as_before, create, in_little_time, is_put_back, lan_for, site, turn, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};

with_every_backend! { nobody_confirms nobody_confirms_in_other_ways a_wrong_gateway reverted_at_once }

/// Its time passes, which takes a while.
pub(super) fn nobody_confirms(flavour: Flavour) {
    let Some(lan) = Lan::start() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::StaticBoth);
    in_little_time(|time| create(&machine, &connection, time), |out| out.code == 0).ok();
    is_put_back(&machine);
    assert!(!machine.has("/sys/class/net/br0"));
    as_before(&machine, &before, &mut connection);
    machine.kvmnet(&["host", "bridge", "confirm"]).exits(2).says(&["no change"]);
    machine.kvmnet(&["history"]).ok().says(&["nobody confirmed it in time"]);
}

fn nobody_confirms_in_other_ways(flavour: Flavour) {
    for addresses in [Addresses::Dhcp4, Addresses::Static6, turn(flavour, 4)] {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        create(&machine, &connection, &LONG).ok();
        assert!(machine.has("/sys/class/net/br0"));
        machine.the_time_is_up();
        as_before(&machine, &before, &mut connection);
    }
}

/// One that answers to nobody, of either family, and where DHCP gives another.
fn a_wrong_gateway(flavour: Flavour) {
    let cases = [
        (Addresses::StaticBoth, &["198.18.0.77", "2001:2:0:1::77"][..]),
        (Addresses::Dhcp4, &["198.18.0.77"]),
    ];
    for (addresses, gateways) in cases {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        for gateway in gateways {
            let wrong =
                |time: &[&str]| create(&machine, &connection, &[time, &["--gateway", gateway]].concat());
            in_little_time(wrong, |out| out.all().contains(gateway)).exits(2).says(&[gateway]);
            as_before(&machine, &before, &mut connection);
        }
    }
}

fn reverted_at_once(flavour: Flavour) {
    for addresses in [turn(flavour, 2), turn(flavour, 3)] {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        create(&machine, &connection, &[]).ok();
        machine.kvmnet(&["host", "bridge", "revert"]).ok();
        as_before(&machine, &before, &mut connection);
        machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
    }
}

/// Somebody puts it back while it is still being made: whoever makes it says so, and isn't just gone.
#[test]
fn reverted_while_it_is_verified() {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, Flavour::Networkd, Addresses::Static4);
    let revert =
        "timeout 60 sh -c 'until test -e /sys/class/net/br0; do sleep 0.01; done'; kvmnet host bridge revert";
    let mut child = machine.command(&["sh", "-c", revert]).spawn().unwrap();
    let out = create(&machine, &connection, &["--gateway", "198.18.0.77", "--timeout", "60"]);
    out.exits(2).says(&["its time was up", "198.18.0.77"]);
    assert!(child.wait().unwrap().success());
    as_before(&machine, &before, &mut connection);
}

/// The time is up while it is still looked whether the gateway answers.
#[test]
fn its_own_timer_comes_while_it_is_put_back() {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, Flavour::Ifupdown, Addresses::Static4);
    let out = create(&machine, &connection, &["--gateway", "198.18.0.77", "--timeout", "5"]);
    out.exits(2).says(&["its time was up", "198.18.0.77"]);
    is_put_back(&machine);
    as_before(&machine, &before, &mut connection);
}
