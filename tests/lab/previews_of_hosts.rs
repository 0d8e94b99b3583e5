//! What previews on a booted machine say of the machine as it is: of the admin's own connection, of services, of an undo.

use crate::machine::configs::{Addresses, file};
use crate::machine::{Flavour, Lan, Machine};

fn boot(lan: &Lan, flavour: Flavour) -> Machine<'_> {
    lan.boot(flavour, &[file(flavour, Addresses::Static4)])
}

const CREATE: &str = "kvmnet host bridge create br0 --port enp4s0";

fn over(machine: &Machine<'_>, from: &str, more: &str) -> String {
    machine.sh(&format!("SSH_CONNECTION='{from}' {CREATE} --dry-run {more} 2>&1 || true"))
}

/// Whether it survives depends on the way back to the admin as well.
#[test]
fn of_the_admins_connection() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Ifupdown);
    let (far, near) = ("203.0.113.5 5555 198.18.0.4 22", "198.18.0.9 5555 198.18.0.4 22");
    for (from, more, said) in [
        (far, "", "survives: 198.18.0.4 stays"),
        (far, "--address 198.18.0.4/24 --gateway 198.18.0.1", "198.18.0.1 its router"),
        (far, "--address 198.18.0.4/24", "won't survive: its way back goes through 198.18.0.1"),
        (far, "--gateway 198.18.0.77", "may not survive"),
        (far, "--address 198.18.0.5/24", "no longer this host's"),
        (near, "--address 198.18.0.4/24", "survives: 198.18.0.4 stays"),
        (near, "--address 198.18.0.4/32", "won't survive"),
        ("203.0.113.5 5555 198.18.0.44 22", "", "can't be told"),
    ] {
        let out = over(&machine, from, more);
        assert!(out.contains(said), "{from}, {more}: {said}\n{out}");
    }
    let out = over(&machine, near, "--backend networkd --address dhcp");
    assert!(out.contains("systemd-networkd doesn't run"), "{out}");
}

/// An address that comes between the preview and the answer would be lost.
#[test]
fn what_comes_after_it() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Ifupdown);
    let before = machine.state();
    let asking = machine.kvmnet_asks(None, &["host", "bridge", "create", "br0", "--port", "enp4s0"]);
    machine.sh("ip addr add 198.18.0.99/24 dev enp4s0");
    let (code, said) = asking.answer("y\n");
    assert!(code == 2 && said.contains("198.18.0.99/24 since the preview was made"), "{code}: {said}");
    machine.sh("ip addr del 198.18.0.99/24 dev enp4s0");
    machine.is_again(&before);
}

/// An address that somebody else on the LAN has would be taken from under them.
#[test]
fn of_an_address_that_is_taken() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Ifupdown);
    let line = ["host", "bridge", "create", "br0", "--port", "enp4s0", "--dry-run", "--address"];
    for (address, is_free) in [("198.18.0.9/24", false), ("198.18.0.4/24", true), ("198.18.0.44/24", true)] {
        let out = machine.kvmnet(&[&line[..], &[address]].concat());
        let said = "another host on the LAN of enp4s0 answers for it";
        assert_eq!(
            (out.code, out.stderr.contains(said)),
            (if is_free { 0 } else { 2 }, !is_free),
            "{}",
            out.report()
        );
    }
}

/// The preview of an undo says what that of the change said; a confirmation from the same login is told of; what isn't found
/// gets to programs.
#[test]
fn of_an_undo() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Ifupdown);
    let connection = lan.connection(&machine);
    let line = ["-o", "json", "host", "bridge", "create", "br0", "--port", "enp4s0", "-y", "--timeout", "10"];
    let failed = machine
        .kvmnet_over(&connection, &[&line[..], &["--gateway", "198.18.0.77"]].concat())
        .exits(2)
        .json();
    let checks = failed["verified"].as_array().unwrap().clone();
    assert!(checks.iter().any(|c| c["ok"] == false && c["found"] == "none"), "{failed:#}");
    assert!(checks.iter().any(|c| c["ok"] == true), "{failed:#}");

    machine.kvmnet_over(&connection, &["host", "bridge", "create", "br0", "--port", "enp4s0", "-y"]).ok();
    let open = machine.kvmnet_over(&connection, &["undo", "--dry-run"]).ok();
    open.says(&["--- a/etc/network/interfaces", "what 'kvmnet host bridge revert' does"]);
    machine.kvmnet_over(&connection, &["host", "bridge", "confirm"]).ok().says(&["this is the login"]);

    let preview = machine.kvmnet_over(&connection, &["undo", "--dry-run"]).ok();
    preview.says(&[
        "--- a/etc/network/interfaces\n+++ b/etc/network/interfaces",
        "-iface br0 inet static",
        "+iface enp4s0 inet static",
        "  ifdown br0",
        "  (write /etc/network/interfaces)",
        "  ifup enp4s0",
        "'kvmnet host bridge confirm' is run within 90 s, everything is put back",
        "your connection (from",
        "survives: 198.18.0.4 stays this host's",
    ]);
    let undone = machine.kvmnet_over(&connection, &["-o", "json", "undo", "-y"]).ok().json();
    let change = &undone["changes"][0];
    assert!(change["confirm_by"].is_string() && change["timeout"] == 90, "{undone:#}");
    assert_eq!(change["files"][0]["path"], "/etc/network/interfaces");
    assert!(change["verified"].as_array().unwrap().iter().all(|c| c["ok"] == true), "{undone:#}");
    let confirmed = machine.kvmnet(&["-o", "json", "host", "bridge", "confirm"]).ok().json();
    assert_eq!(confirmed["same_login"], false);
}

/// That NetworkManager had removed the bridge itself is no reason for an alarm.
#[test]
fn what_is_mended_by_hand_is_no_alarm_with_networkmanager() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::NetworkManager);
    let before = machine.state();
    machine.sh(&format!("{CREATE} -y"));
    // NetworkManager leaves that alone.
    machine.sh("ip link set dev enp4s0 address 02:00:00:00:00:99");
    let out = machine.kvmnet(&["host", "bridge", "revert"]).ok();
    assert!(!out.report().contains("not all is as it was"), "{}", out.report());
    assert!(!machine.has("/sys/class/net/br0"));
    machine.is_again(&before);
}

/// ifupdown2 has a bridge forward, which then takes no advertisements: that is said, and what it means for a connection.
#[test]
fn of_an_advertised_address_with_ifupdown2() {
    let Some(lan) = Lan::start() else { return };
    let machine = lan.boot(Flavour::Ifupdown2, &[file(Flavour::Ifupdown2, Addresses::StaticBoth)]);
    let advertised = "2001:2:0:1:5054:ff:feaa:4";
    let has = |machine: &Machine<'_>, dev| {
        machine.sh(&format!("ip -6 address show dev {dev}")).contains(advertised)
    };
    machine.wait_until("a router has advertised itself", |machine| has(machine, "enp4s0"));
    let out = over(&machine, &format!("2001:2:0:1::9 5555 {advertised} 22"), "");
    assert!(out.contains(&format!("br0 will not have {advertised}/64")), "{out}");
    assert!(out.contains(&format!("won't survive: {advertised} is no longer this host's")), "{out}");
    let out = over(&machine, "2001:2:0:1::9 5555 2001:2:0:1::4 22", "");
    assert!(out.contains("survives: 2001:2:0:1::4 stays"), "{out}");
    machine.sh(&format!("{CREATE} -y"));
    // What would bring an advertisement at once, if it were taken.
    machine.sh("sleep 5");
    assert!(!has(&machine, "br0"), "ifupdown2 has changed: the note is no longer true");
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
}
