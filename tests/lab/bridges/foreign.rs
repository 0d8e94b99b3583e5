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

/// Routes, neighbours, rules and settings that somebody typed: what would be lost is refused by name, unless the bridge is
/// given addresses of its own; a VPN's rules stay; and the way back has all of it again.
#[test]
fn what_was_set_by_hand() {
    for flavour in [Flavour::Ifupdown, Flavour::Networkd] {
        let Some(lan) = Lan::start_v4() else { return };
        let machine = boot(&lan, flavour, Addresses::Static4);
        let connection = lan.connection(&machine);
        let set = "set -x; {
            cat /proc/sys/net/ipv6/conf/enp4s0/accept_ra /proc/sys/net/ipv4/conf/enp4s0/proxy_arp
            ip rule; ip route show table all; ip neigh show nud permanent; }";
        machine.sh(
            "echo 2 >/proc/sys/net/ipv6/conf/enp4s0/accept_ra; echo 1 >/proc/sys/net/ipv4/conf/enp4s0/proxy_arp
             ip rule add fwmark 0xca6c lookup 51820 priority 50; ip rule add from 198.18.0.4 lookup 77
             ip neigh add 198.18.0.50 lladdr 52:54:00:01:01:01 dev enp4s0 nud permanent",
        );
        create(&machine, &connection, &[]).exits(2).says(&["198.18.0.50", "ip neigh del"]);
        machine
            .sh("ip route add default via 198.18.0.1 table 77; ip route add 203.0.113.0/24 via 198.18.0.9");
        create(&machine, &connection, &[]).exits(2).says(&["203.0.113.0/24", "ip -4 route del"]);
        let before = machine.state();
        let by_hand = machine.sh(set);
        let given = ["--address", "198.18.0.4/24", "--gateway", "198.18.0.1"];
        create(&machine, &connection, &given).ok().says(&["203.0.113.0/24", "198.18.0.50", "will be lost"]);
        let rules = machine.sh("ip rule");
        assert!(rules.contains("0xca6c") && rules.contains("from 198.18.0.4"), "{flavour:?}: {rules}");
        machine.kvmnet(&["host", "bridge", "revert"]).ok();
        machine.is_again(&before);
        assert_eq!(machine.sh(set), by_hand, "{flavour:?}");
        nothing_is_left(&machine);
    }
}
