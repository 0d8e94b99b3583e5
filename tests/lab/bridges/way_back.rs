//! What the way back has to bring back besides the files and the kernel's state, and what becomes of the way back itself.

use super::{boot, create, nothing_is_left};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};

const RESOLVER: &str = "/etc/resolv.conf";

/// A DHCP client that came with the bridge has written its own.
#[test]
fn name_servers_written_by_hand() {
    for flavour in [Flavour::Ifupdown, Flavour::Ifupdown2] {
        let Some(lan) = Lan::start_v4() else { return };
        let machine = boot(&lan, flavour, Addresses::Static4);
        machine.sh("rm -f /etc/resolv.conf; printf 'nameserver 198.18.0.53\\n' >/etc/resolv.conf; chmod 640 /etc/resolv.conf");
        let connection = lan.connection(&machine);
        let (before, dated) = (machine.state(), machine.sh("stat -c %Y /etc/resolv.conf"));
        create(&machine, &connection, &["--address", "dhcp"]).ok();
        assert_ne!(machine.text(RESOLVER), "nameserver 198.18.0.53\n", "{flavour:?}: no client wrote there");
        machine.kvmnet(&["host", "bridge", "revert"]).ok();
        machine.is_again(&before);
        assert_eq!(machine.sh("stat -c %Y /etc/resolv.conf"), dated);
        nothing_is_left(&machine);
        // Once it was confirmed, that file is others' too.
        create(&machine, &connection, &["--address", "dhcp"]).ok();
        let said = "/etc/resolv.conf stays as the DHCP client wrote it";
        let open = machine.kvmnet(&["undo", "--dry-run"]).ok();
        assert!(!open.stdout.contains(said), "{}", open.report());
        machine.kvmnet(&["host", "bridge", "confirm"]).ok();
        let written = machine.text(RESOLVER);
        machine.kvmnet(&["undo", "-y"]).ok().says(&[said]);
        machine.kvmnet(&["host", "bridge", "confirm"]).ok();
        assert_eq!(machine.text(RESOLVER), written);
    }
}

/// At boot it is put back before the network is configured.
#[test]
fn name_servers_after_a_power_cut() {
    let Some(lan) = Lan::start_v4() else { return };
    let mut machine = boot(&lan, Flavour::Ifupdown, Addresses::Static4);
    machine.sh("rm -f /etc/resolv.conf; ln -s resolv.by-hand /etc/resolv.conf; echo nameserver 198.18.0.53 >/etc/resolv.by-hand");
    let connection = lan.connection(&machine);
    let before = machine.state();
    create(&machine, &connection, &["--address", "dhcp", "--timeout", "600"]).ok();
    assert!(!before.diff(&machine.state()).is_empty());
    machine.reboot();
    machine.wait_for_network();
    machine.is_again(&before);
    nothing_is_left(&machine);
}

/// Another target, or the same one started anew, is no new start of the host's: the time runs on, and what it is for is
/// done.
#[test]
fn the_host_runs_on() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Networkd, Addresses::Static4);
    let (before, connection) = (machine.state(), lan.connection(&machine));
    create(&machine, &connection, &["--timeout", "25"]).ok();
    machine.sh("systemctl daemon-reload; systemctl start multi-user.target kvmnet-put-back.service");
    machine.sh("systemctl isolate multi-user.target; systemctl is-active 'kvmnet-put-back-*.timer'");
    assert!(machine.has("/sys/class/net/br0"));
    machine.kvmnet(&["host", "bridge", "list"]).ok().says(&["not confirmed yet", "it is put back in"]);
    // If nothing waits any more, that is said.
    machine.sh("systemctl stop 'kvmnet-put-back-*.timer'");
    machine.kvmnet(&["host", "bridge", "list"]).ok().says(&["nothing puts it back by itself any more"]);
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    machine.is_again(&before);
    nothing_is_left(&machine);
}

/// Whoever puts it back is hung up, which doesn't keep it from going on, or killed at each of its steps: then another goes on
/// long before the time is up.
#[test]
fn whoever_puts_it_back_is_killed() {
    for (flavour, signals) in [
        (Flavour::Networkd, [("HUP", "0"), ("KILL", "0.15")]),
        (Flavour::Ifupdown, [("KILL", "0"), ("KILL", "0.5")]),
    ] {
        let Some(lan) = Lan::start_v4() else { return };
        let machine = boot(&lan, flavour, Addresses::Static4);
        let before = machine.state();
        for (signal, wait) in signals {
            let connection = lan.connection(&machine);
            create(&machine, &connection, &["--timeout", "600"]).ok();
            let begun = "while kill -0 $P && ! grep -q '\"phase\":\"putting-back\"' /var/lib/kvmnet/window/window.json; do :; done";
            let script = format!(
                "kvmnet host bridge revert & P=$!; {begun} 2>/dev/null; sleep {wait}; kill -{signal} $P; wait $P"
            );
            let out = machine.run(&["sh", "-c", &script]);
            if signal == "HUP" {
                out.ok().says(&["put back"]);
            } else if machine.has("/var/lib/kvmnet/window/window.json") {
                machine.kvmnet(&["host", "bridge", "list"]).ok().says(&["being put back"]);
                machine.kvmnet(&["host", "bridge", "confirm"]).exits(2).says(&["is being put back"]);
            }
            machine.wait_until("somebody goes on", |m| !m.has("/var/lib/kvmnet/window/window.json"));
            let units = ["systemctl", "list-units", "--all", "--no-legend", "kvmnet-put-back-*"];
            machine.wait_until("all is through", |machine| machine.run(&units).stdout.trim().is_empty());
            machine.is_again(&before);
            nothing_is_left(&machine);
        }
    }
}

/// A way back that would be gone after a power cut is none, which is said before anything is touched.
#[test]
fn no_way_back_in_memory_only() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Networkd, Addresses::Static4);
    let before = machine.state();
    for more in ["-y", "--dry-run"] {
        let mut line = machine.kvmnet_command(&["host", "bridge", "create", "br0", "--port", "enp4s0", more]);
        let out = line.env("KVMNET_STATE_DIR", "/run/kvmnet-state").output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(
            out.status.code() == Some(2) && said.contains("/run/kvmnet-state/window is in memory only"),
            "{said}"
        );
    }
    machine.is_again(&before);
    nothing_is_left(&machine);
}

/// Whoever types it twice, or looks at the history, is told that it isn't over.
#[test]
fn what_is_not_confirmed_says_so() {
    let Some(lan) = Lan::start_v4() else { return };
    let machine = boot(&lan, Flavour::Networkd, Addresses::Static4);
    let connection = lan.connection(&machine);
    create(&machine, &connection, &["--timeout", "600"]).ok();
    create(&machine, &connection, &[]).ok().says(&[
        "there already",
        "not confirmed yet",
        "kvmnet host bridge confirm",
    ]);
    let again = machine
        .kvmnet(&["-o", "json", "host", "bridge", "create", "br0", "--port", "enp4s0", "-y"])
        .ok()
        .json();
    assert_eq!(again["status"], "unchanged");
    assert!(again["confirm_by"].as_str().unwrap().ends_with('Z'), "{again:#}");
    let status = |machine: &crate::machine::Machine<'_>| {
        let history = machine.kvmnet(&["-o", "json", "history"]).ok().json();
        history["runs"][0]["changes"][0]["status"].clone()
    };
    machine.kvmnet(&["history"]).ok().says(&["changed, but not confirmed yet"]);
    assert_eq!(status(&machine), "unconfirmed");
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    assert_eq!(status(&machine), "applied");
    let again = machine
        .kvmnet(&["-o", "json", "host", "bridge", "create", "br0", "--port", "enp4s0", "-y"])
        .ok()
        .json();
    assert!(again["confirm_by"].is_null(), "{again:#}");
}
