//! What can be asked for besides, and what else a host may have; each made, looked at, and put back.

use super::{CREATE, LONG, as_before, create, nothing_is_left, own_file, site, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan, MAC, Machine, State};
use crate::site::say;

with_every_backend! { asked_for another_mac two_ports_with_stp an_mtu_and_a_foreign_route }

/// Makes it as asked for, without a connection that would have to survive, and puts it back after a look.
fn looked_at(machine: &Machine<'_>, before: &State, more: &[&str], look: impl FnOnce(&Machine<'_>)) {
    machine.kvmnet(&[&CREATE[..], &LONG, more].concat()).ok();
    look(machine);
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    machine.is_again(before);
    nothing_is_left(machine);
}

/// Addresses that are on the bridge.
fn on_bridge(machine: &Machine<'_>) -> Vec<String> {
    machine
        .addresses()
        .into_iter()
        .filter(|(dev, ..)| dev == "br0")
        .map(|(_, ip, _)| ip.to_string())
        .collect()
}

fn asked_for(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, _) = site(&lan, flavour, Addresses::Static4);
    let mac = "52:54:00:12:34:56";
    looked_at(&machine, &before, &["--mac", mac], |machine| {
        assert!(
            machine.sh("ip link show br0").contains(mac) && machine.sh("ip link show enp4s0").contains(MAC)
        );
        assert!(lan.pings("198.18.0.4"));
    });
    // The peer may have to ask for the old hardware address first.
    machine.wait_until("answers again", |_| lan.pings("198.18.0.4"));
    let fixed = ["--address", "198.18.0.5/24", "--gateway", "198.18.0.1", "--dns", "198.18.0.1"];
    looked_at(&machine, &before, &fixed, |machine| {
        assert_eq!(on_bridge(machine), ["198.18.0.5"]);
        assert!(lan.pings("198.18.0.5") && !lan.pings("198.18.0.4"));
        assert!(machine.sh("ip route show default").contains("via 198.18.0.1 dev br0"));
        let files =
            machine.sh("grep -rl 198.18.0.5 /etc/network /etc/netplan /etc/systemd /etc/NetworkManager");
        let told =
            files.lines().any(|file| machine.sh(&format!("tr -d ' ' <'{file}'")).contains("198.18.0.1"));
        assert!(told, "{files}");
    });
    looked_at(&machine, &before, &["--address", "dhcp"], |machine| {
        if let Flavour::Ifupdown | Flavour::Ifupdown2 = flavour {
            // dhclient's hook writes what it was told; that this goes again is looked at elsewhere.
            machine.put("/etc/resolv.conf", "");
        }
        let given = on_bridge(machine);
        assert!(given.len() == 1 && given[0].starts_with("198.18.0.1") && lan.pings(&given[0]), "{given:?}");
    });
    looked_at(&machine, &before, &["--address", "none"], |machine| {
        assert!(machine.addresses().is_empty(), "{:?}", machine.addresses());
        assert!(machine.sh("ip link show enp4s0").contains("master br0"));
    });
}

/// Where the hardware address changes with the device, the neighbours are told: they would send to the old one for seconds.
fn another_mac(flavour: Flavour) {
    let Some(lan) = Lan::start_quiet() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::StaticBoth);
    let asked = ["198.18.0.4", "2001:2:0:1::4"].map(|address| address.parse().unwrap());
    let told = |what: &str, work: &dyn Fn()| {
        for (address, outage) in asked.iter().zip(lan.outages(&machine, &asked, work)) {
            let ms = outage.as_millis();
            say(&format!("{flavour:?}, {what}: {address} did not answer for {ms} ms"));
            assert!(ms < 5000, "{address} did not answer for {ms} ms");
        }
    };
    let line = [&CREATE[..], &LONG, &["--mac", "52:54:00:12:34:56"]].concat();
    told("br0 has another MAC address", &|| drop(machine.kvmnet_over(&connection, &line).ok()));
    told("it is put back", &|| drop(machine.kvmnet(&["host", "bridge", "revert"]).ok()));
    as_before(&machine, &before, &mut connection);
}

/// Two cables to the same switch: without STP that would be a loop.
fn two_ports_with_stp(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let mut files = vec![own_file(flavour, Addresses::Static4)];
    if flavour == Flavour::NetworkManager {
        // Else it has the other one ask for an address as well.
        files.push(("/etc/NetworkManager/conf.d/one.conf", "[main]\nno-auto-default=*\n", 0o644));
    }
    let machine = lan.boot_with(flavour, &files, &["enp4s0", "enp5s0"]);
    let mut connection = lan.connection_to("198.18.0.4".parse().unwrap());
    let before = machine.state();
    create(&machine, &connection, &["--port", "enp5s0", "--timeout", "90"]).ok();
    let state = |machine: &Machine<'_>, port: &str| {
        machine.text(&format!("/sys/class/net/{port}/brport/state")).trim().to_owned()
    };
    assert_eq!(machine.text("/sys/class/net/br0/bridge/stp_state").trim(), "1");
    // As the kernel counts: 3 forwards, 4 blocks.
    machine.wait_until("has one port forward and the other not", |machine| {
        let mut states = [state(machine, "enp4s0"), state(machine, "enp5s0")];
        states.sort();
        states == ["3", "4"]
    });
    assert!(connection.echoes() && lan.pings("198.18.0.4"));
    machine.the_time_is_up();
    as_before(&machine, &before, &mut connection);
}

/// The MTU goes to the bridge. A route that somebody added by hand is refused, or there again afterwards.
pub(super) fn an_mtu_and_a_foreign_route(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (path, text, mode) = own_file(flavour, Addresses::Static4);
    let with_mtu = match flavour {
        Flavour::Ifupdown | Flavour::Ifupdown2 => format!("{text}\tmtu 1400\n"),
        Flavour::Netplan | Flavour::NetplanForManager => {
            text.replace("        enp4s0:\n", "        enp4s0:\n            mtu: 1400\n")
        }
        Flavour::Networkd => format!("{text}\n[Link]\nMTUBytes=1400\n"),
        Flavour::NetworkManager => text.replace("[ethernet]\n", "[ethernet]\nmtu=1400\n"),
    };
    let machine = lan.boot(flavour, &[(path, &with_mtu, mode)]);
    let mut connection = lan.connection(&machine);
    let before = machine.state();
    create(&machine, &connection, &LONG).ok();
    for device in ["br0", "enp4s0"] {
        assert_eq!(machine.text(&format!("/sys/class/net/{device}/mtu")).trim(), "1400", "{device}");
    }
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    as_before(&machine, &before, &mut connection);

    machine
        .sh("ip route add 203.0.113.0/24 via 198.18.0.1; ip route add 192.0.2.0/24 via 198.18.0.1 table 77");
    let before = machine.state();
    if create(&machine, &connection, &LONG).code == 0 {
        machine.the_time_is_up();
    }
    as_before(&machine, &before, &mut connection);
}
