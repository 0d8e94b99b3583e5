//! What no file of the host's has: somebody else's bridge, routes, rules and neighbours that were set by hand.

use super::{boot, create, nothing_is_left};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};

/// Docker's bridge, with a container on it: refused by name, and not touched.
#[test]
fn somebody_elses_bridge() {
    for flavour in [Flavour::Ifupdown, Flavour::Networkd] {
        let Some(lan) = Lan::start_v4() else { return };
        let machine = boot(&lan, flavour, Addresses::Static4);
        machine.sh(
            "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
             ip link add veth0 type veth peer name veth1; ip link set veth0 master docker0 up",
        );
        let before = machine.state();
        let line = ["host", "bridge", "create", "docker0", "--port", "enp4s0", "-y"];
        machine.kvmnet(&line).exits(2).says(&["the name docker0 is taken", "somebody else's"]);
        machine.is_again(&before);
        nothing_is_left(&machine);
    }
}

/// A bridge that goes, or is made anew, unplugs its guests; put back, it has them again, and is set as it was.
#[test]
fn guests_are_plugged_in_again() {
    for flavour in [Flavour::Ifupdown, Flavour::Networkd] {
        let Some(lan) = Lan::start_v4() else { return };
        let machine = boot(&lan, flavour, Addresses::Static4);
        let connection = lan.connection(&machine);
        create(&machine, &connection, &[]).ok();
        machine.kvmnet(&["host", "bridge", "confirm"]).ok();
        machine.sh("ip tuntap add vnet0 mode tap; ip link set vnet0 master br0 up");
        let before = machine.state();
        machine.kvmnet_over(&connection, &["host", "bridge", "delete", "br0", "--force", "-y"]).ok();
        assert!(!machine.sh("ip link show vnet0").contains("master"));
        machine.kvmnet(&["host", "bridge", "revert"]).ok();
        machine.is_again(&before);
        nothing_is_left(&machine);
    }
}
