//! A bridge is made over a connection that survives, confirmed, outlives a reboot, and is taken down again.

use std::net::IpAddr;
use std::time::Duration;

use super::{DELETE, boot, can, create, lan_for, nothing_is_left, own_file, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Connection, Flavour, Lan, MAC, Machine};
use crate::site::say;

with_every_backend! { static_addresses static6 dhcp4 dhcp_and_router_advertisements router_advertisements }

pub(super) fn static_addresses(flavour: Flavour) {
    lives(flavour, Addresses::StaticBoth);
}

fn static6(flavour: Flavour) {
    lives(flavour, Addresses::Static6);
}

pub(super) fn dhcp4(flavour: Flavour) {
    lives(flavour, Addresses::Dhcp4);
}

fn dhcp_and_router_advertisements(flavour: Flavour) {
    lives(flavour, Addresses::DhcpBoth);
}

fn router_advertisements(flavour: Flavour) {
    lives(flavour, Addresses::Slaac);
}

fn lives(flavour: Flavour, addresses: Addresses) {
    if !can(flavour, addresses) {
        eprintln!("NOT RUN: {flavour:?} can't have {addresses:?}");
        return;
    }
    let Some(lan) = lan_for(addresses) else { return };
    let mut machine = boot(&lan, flavour, addresses);
    let (path, text, _) = own_file(flavour, addresses);
    let held = on(&machine, "enp4s0");
    let (asked, mut connections) = (one_of_each_family(&machine), connections_to(&lan, &machine));
    let made = || create(&machine, &connections[0], &["--timeout", "40"]).ok().says(&["bridge confirm"]);
    let outages = lan.outages(&machine, &asked, || drop(made()));
    told(flavour, addresses, "br0 is made", &asked, &outages);
    for connection in &mut connections {
        assert!(connection.is_alive() && connection.echoes(), "{} is dead", connection.ssh());
    }
    // A router may give it another one, which the NIC hadn't yet.
    let has =
        |machine: &Machine<'_>, device: &str| held.iter().all(|cidr| on(machine, device).contains(cidr));
    machine.wait_until("the bridge has the NIC's addresses", |machine| has(machine, "br0"));
    assert!(on(&machine, "enp4s0").is_empty());
    assert!(machine.sh("ip -d link show enp4s0").contains("master br0"));
    assert!(machine.sh("ip link show br0").contains(MAC));
    // Somebody else at the same time is told to wait.
    machine.kvmnet(&["host", "bridge", "create", "br1", "--port", "enp4s0", "-y"]).exits(2);
    let listed = machine.kvmnet(&["-o", "json", "host", "bridge", "list"]).ok().json();
    assert_eq!(listed["bridges"][0]["ports"][0], "enp4s0");
    assert!(listed["bridges"][0]["waits_for_confirm"]["seconds_left"].as_u64().unwrap() <= 90);
    let confirmed = machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert!(confirmed.says(&["kvmnet convert --on-network default --to-bridge br0"]).code == 0);
    nothing_is_left(&machine);
    create(&machine, &connections[0], &[]).ok().says(&["nothing to do", "is there already"]);

    machine.reboot();
    machine.wait_for_address("br0", held[0].split('/').next().unwrap());
    assert!(lan.pings(held[0].split('/').next().unwrap()));

    let (asked, mut connections) = (one_of_each_family(&machine), connections_to(&lan, &machine));
    let deleted = || machine.kvmnet_over(&connections[0], &DELETE).ok().says(&["bridge confirm"]);
    let outages = lan.outages(&machine, &asked, || drop(deleted()));
    told(flavour, addresses, "br0 is taken down", &asked, &outages);
    for connection in &mut connections {
        assert!(connection.is_alive() && connection.echoes(), "{} is dead", connection.ssh());
    }
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    nothing_is_left(&machine);
    assert!(!machine.has("/sys/class/net/br0"));
    machine.wait_until("the NIC has its addresses again", |machine| has(machine, "enp4s0"));
    assert_eq!(machine.text(path), text, "the file is as it was to the byte");
    machine.kvmnet_over(&connections[0], &DELETE).ok().says(&["no such bridge"]);
}

/// Says for how long the machine did not answer.
fn told(flavour: Flavour, addresses: Addresses, what: &str, asked: &[IpAddr], outages: &[Duration]) {
    for (address, outage) in asked.iter().zip(outages) {
        let ms = outage.as_millis();
        say(&format!("{flavour:?}, {addresses:?}, {what}: {address} did not answer for {ms} ms"));
    }
}

/// The machine's first address of each family that it has.
fn one_of_each_family(machine: &Machine<'_>) -> Vec<IpAddr> {
    let all: Vec<IpAddr> = machine.addresses().into_iter().map(|(_, ip, _)| ip).collect();
    let first = |is: fn(&IpAddr) -> bool| all.iter().copied().find(is);
    [first(IpAddr::is_ipv4), first(IpAddr::is_ipv6)].into_iter().flatten().collect()
}

/// A connection to each of them.
fn connections_to(lan: &Lan, machine: &Machine<'_>) -> Vec<Connection> {
    one_of_each_family(machine).into_iter().map(|address| lan.connection_to(address)).collect()
}

/// Of two NICs with a way out the one that was taken stays it, and the bridge can be taken down again.
#[test]
fn two_ways_out_with_networkmanager() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = lan.boot_with(Flavour::NetworkManager, &[], &["enp4s0", "enp5s0"]);
    machine.wait_until("both have addresses", |machine| machine.addresses().len() == 2);
    let out_by =
        |machine: &Machine<'_>| machine.sh("ip -o route get 203.0.113.5 | sed 's/.* dev \\([^ ]*\\).*/\\1/'");
    let was = out_by(&machine).trim().to_owned();
    let line = ["host", "bridge", "create", "br0", "--port", &was, "-y"];
    machine.kvmnet(&line).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert_eq!(out_by(&machine).trim(), "br0");
    machine.kvmnet(&["host", "bridge", "delete", "br0", "-y"]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.wait_until("the NIC has its address again", |machine| !on(machine, &was).is_empty());
}

/// The servers see the same client, although what it shows comes of the profile, which the bridge has a new one of.
#[test]
fn known_by_the_profile_with_networkmanager() {
    let Some(lan) = Lan::start() else { return };
    let (path, text, mode) = own_file(Flavour::NetworkManager, Addresses::DhcpBoth);
    let text = text.replace("[ipv4]\n", "[ipv4]\ndhcp-client-id=stable\n");
    let text = text.replace("[ipv6]\n", "[ipv6]\ndhcp-duid=stable-uuid\n");
    let machine = lan.boot(Flavour::NetworkManager, &[(path, &text, mode)]);
    machine.wait_until("has all its addresses", |machine| on(machine, "enp4s0").len() == 3);
    let held = on(&machine, "enp4s0");
    machine.kvmnet(&["host", "bridge", "create", "br0", "--port", "enp4s0", "-y"]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.wait_until("the bridge has the NIC's addresses", |machine| on(machine, "br0") == held);
    machine.kvmnet(&DELETE).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.wait_until("the NIC has its addresses again", |machine| on(machine, "enp4s0") == held);
    assert_eq!(machine.text(path), text, "the file is as it was to the byte");
}

/// The lasting addresses of a device.
fn on(machine: &Machine<'_>, device: &str) -> Vec<String> {
    let all = machine.addresses();
    let all = all.into_iter().filter(|(dev, ..)| dev == device);
    let mut all: Vec<String> = all.map(|(_, ip, len)| format!("{ip}/{len}")).collect();
    // Which of two of a family comes first says nothing.
    all.sort();
    all
}

with_every_backend! { undone }

/// `undo` takes a confirmed bridge down again, with the same way back.
fn undone(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, flavour, Addresses::Static4);
    let before = machine.state();
    let mut connection = lan.connection(&machine);
    create(&machine, &connection, &[]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.kvmnet(&["history"]).ok().says(&["makes bridge br0 of enp4s0"]);
    machine.kvmnet_over(&connection, &["undo", "-y"]).ok().says(&["kvmnet host bridge confirm"]);
    // What was undone and put back stands, and can be undone.
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    assert!(machine.has("/sys/class/net/br0"));
    machine.kvmnet_over(&connection, &["undo", "-y"]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert!(connection.echoes());
    let (path, text, _) = own_file(flavour, Addresses::Static4);
    assert_eq!(machine.text(path), text);
    assert!(!machine.has("/sys/class/net/br0"));
    nothing_is_left(&machine);
    assert_eq!(on(&machine, "enp4s0"), ["198.18.0.4/24"], "{}", before.diff(&machine.state()));
}

/// A guest that is on the bridge meanwhile is no less cut off by `undo` than by `delete`.
#[test]
fn undo_stops_for_guests() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Networkd, Addresses::Static4);
    create(&machine, &lan.connection(&machine), &[]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.sh("ip tuntap add vnet3 mode tap; ip link set vnet3 master br0 up");
    for line in [&["undo", "-y"][..], &["host", "bridge", "delete", "br0", "-y"]] {
        machine.kvmnet(line).exits(2).says(&["br0 is used by what is behind vnet3"]);
    }
    machine.kvmnet(&["undo", "-y", "--force"]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert!(!machine.has("/sys/class/net/br0"));
}
