//! The booted machines themselves, without kvmnet: are they what the other tests take them for, and do they go away?

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::machine::configs::{ADDRESS, ADDRESS6, Addresses, file};
use crate::machine::{Flavour, Lan, MAC, Machine};

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
    machine.run(&["script", "-qec", "tty", "/dev/null"]).ok().says(&["/dev/pts/"]);
    let failed = machine.sh("systemctl --failed --plain --no-legend");
    assert_eq!(failed, "", "{}", machine.log());
    let mut connection = lan.connection(&machine);
    assert!(connection.echoes() && connection.is_alive());
    machine.kvmnet_over(&connection, &["--version"]).ok();
    assert!(connection.ssh().starts_with("198.18.0.9 ") && connection.ssh().ends_with(" 198.18.0.4 22"));

    let began = Instant::now();
    machine.reboot();
    eprintln!("{flavour:?} up again after {} ms", began.elapsed().as_millis());
    assert!(!connection.echoes(), "after a power cut nobody knows it any more");
}

/// Has its addresses from others, and the same ones after a power cut.
fn asks(flavour: Flavour) {
    let Some(lan) = Lan::start() else { return };
    let mut machine = lan.boot(flavour, &[file(flavour, Addresses::DhcpBoth)]);
    // Some take a first address away again before they settle, so it must answer.
    let given = |machine: &Machine<'_>| {
        machine.wait_until("answers on both addresses", |m| {
            let addresses = m.addresses();
            addresses.iter().any(|(_, ip, _)| ip.is_ipv6())
                && addresses.iter().all(|(_, ip, _)| lan.pings(&ip.to_string()))
        });
        let addresses = machine.addresses();
        assert!(addresses.iter().all(|(device, _, _)| device == "enp4s0"), "{addresses:?}");
        (addresses[0].1, addresses[1].1)
    };
    let before = given(&machine);
    assert!(before.0.to_string().starts_with("198.18.0.1"), "{before:?}");
    // Of this one it is seen as well that its DHCP clients are told of; looking takes its time.
    let state = (flavour == Flavour::Ifupdown).then(|| machine.state());
    let outage = lan.outage(&machine, || {
        machine.unplug("enp4s0");
        sleep(Duration::from_millis(200));
        machine.plug("enp4s0");
    });
    assert!(outage >= Duration::from_millis(190), "{outage:?}");
    if let Some(state) = state {
        assert!(format!("{state:?}").contains("dhclient") && format!("{state:?}").contains("enp4s0.leases"));
        machine.is_again(&state);
    }
    machine.reboot();
    let after = given(&machine);
    eprintln!("{flavour:?}: {before:?}, then {after:?}");
    assert_eq!(after.0, before.0);
    let mut connection = lan.connection_to(after.1);
    assert!(connection.echoes());
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

#[test]
fn a_machine_with_ifupdown_asks_for_addresses() {
    asks(Flavour::Ifupdown);
}

#[test]
fn a_machine_with_ifupdown2_asks_for_addresses() {
    asks(Flavour::Ifupdown2);
}

#[test]
fn a_machine_with_netplan_asks_for_addresses() {
    asks(Flavour::Netplan);
}

#[test]
fn a_machine_with_networkd_asks_for_addresses() {
    asks(Flavour::Networkd);
}

#[test]
fn a_machine_with_networkmanager_asks_for_addresses() {
    asks(Flavour::NetworkManager);
}

#[test]
fn nobody_speaks_ipv6_on_a_lan_without() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = lan.boot(Flavour::Networkd, &[file(Flavour::Networkd, Addresses::DhcpBoth)]);
    sleep(Duration::from_secs(1));
    assert_eq!(machine.addresses().len(), 1, "{:?}", machine.addresses());
}

#[test]
fn two_machines_on_one_lan() {
    let Some(lan) = Lan::start_v4() else { return };
    let config = file(Flavour::Networkd, Addresses::Dhcp4);
    let first = lan.boot_with(Flavour::Networkd, &[config], &["enp4s0", "enp5s0"]);
    first.wait_until("has two addresses", |m| m.addresses().len() == 2);
    let second = lan.boot(Flavour::Networkd, &[config]);
    let address = second.address().to_string();
    assert!(first.addresses().iter().all(|(_, ip, _)| ip.to_string() != address));
    first.run(&["ping", "-c1", "-W2", &address]).ok();
}

#[test]
fn a_disk_that_is_full_takes_nothing() {
    let Some(lan) = Lan::start_v4() else { return };
    let config = file(Flavour::Networkd, Addresses::Static4);
    let machine = lan.boot(Flavour::Networkd, &[config]);
    let write = ["sh", "-c", "head -c 5000 /dev/zero >/etc/much"];
    machine.fill();
    machine.run(&write).exits(1).says(&["No space left on device"]);
    machine.run(&["sh", "-c", "echo word >/run/little && echo word >/tmp/little"]).ok();
    assert_eq!(machine.text(config.0), config.1);
    machine.unfill();
    machine.run(&write).ok();
}

/// Not a test: what [`a_killed_test_leaves_no_machine`] kills.
#[test]
#[ignore = "run by a_killed_test_leaves_no_machine"]
fn hold_a_machine() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = lan.boot(Flavour::Networkd, &[file(Flavour::Networkd, Addresses::Static4)]);
    eprintln!("held by {} {}", lan.path("/").display(), machine.path("/").display());
    sleep(Duration::from_secs(600));
}

#[test]
fn a_killed_test_leaves_no_machine() {
    if Lan::start_v4().is_none() {
        return;
    }
    let mut held = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "machines::hold_a_machine", "--ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(held.stderr.take().unwrap()).lines().map_while(Result::ok);
    let roots = lines.find_map(|line| line.strip_prefix("held by ").map(str::to_owned));
    let roots: Vec<PathBuf> = roots.expect("the machine starts").split(' ').map(PathBuf::from).collect();
    assert!(roots.iter().all(|root| root.join("run").exists()));
    held.kill().unwrap();
    held.wait().unwrap();
    gone(&roots);
}

#[test]
fn what_ends_leaves_nothing() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = lan.boot(Flavour::Networkd, &[file(Flavour::Networkd, Addresses::Static4)]);
    let (site, root, group) = (lan.path("/"), machine.path("/"), machine.group_path());
    lan.run(&["ls", &group]).ok();
    assert!(lan.run(&["ip", "link"]).stdout.contains("host1-4s0"));
    drop(machine);
    gone(&[root]);
    assert!(!lan.run(&["ip", "link"]).stdout.contains("host1"));
    assert_eq!(lan.run(&["ls", "/run/netns"]).stdout, "");
    lan.run(&["ls", &group]).exits(2);
    drop(lan);
    gone(&[site]);
}

/// Insists that these folders go away: what they are in goes with its processes.
fn gone(roots: &[PathBuf]) {
    let end = Instant::now() + Duration::from_secs(10);
    while let Some(root) = roots.iter().find(|root| root.exists()) {
        assert!(Instant::now() < end, "{} outlived its test", root.display());
        sleep(Duration::from_millis(10));
    }
}

/// The clock and the modules are those of the machine around us.
#[test]
fn what_runs_there_changes_neither_clock_nor_modules() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = lan.boot(Flavour::Networkd, &[file(Flavour::Networkd, Addresses::Static4)]);
    let status = machine.sh("cat /proc/self/status /proc/1/status");
    let sets =
        status.lines().filter(|line| ["CapPrm", "CapEff", "CapBnd"].iter().any(|set| line.starts_with(set)));
    let sets: Vec<u64> =
        sets.filter_map(|line| u64::from_str_radix(line.split_whitespace().last()?, 16).ok()).collect();
    assert_eq!(sets.len(), 6);
    // CAP_SYS_MODULE and CAP_SYS_TIME in capability.h.
    assert!(sets.iter().all(|set| set & (1 << 16 | 1 << 25) == 0), "{status}");
}
