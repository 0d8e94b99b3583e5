//! Whatever goes wrong, the machine ends as it was: every file to the byte, every address and route.

use super::{boot, can, create, lan_for, nothing_is_left, own_file, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Connection, Flavour, Lan, Machine, State};

/// A machine, what it was, and a connection to it.
fn site(lan: &Lan, flavour: Flavour, addresses: Addresses) -> (Machine<'_>, State, Connection) {
    let machine = boot(lan, flavour, addresses);
    if let Addresses::DhcpBoth | Addresses::Slaac = addresses {
        machine
            .wait_until("a router has advertised itself", |m| !m.sh("ip -6 route show default").is_empty());
    }
    let connection = lan.connection(&machine);
    let before = machine.state();
    (machine, before, connection)
}

#[track_caller]
fn as_before(machine: &Machine<'_>, before: &State, connection: &mut Connection) {
    machine.is_again(before);
    assert!(connection.echoes(), "the connection doesn't survive");
    nothing_is_left(machine);
}

with_every_backend! {
    nobody_confirms a_wrong_gateway reverted_at_once the_terminal_goes the_disk_is_full a_tool_fails a_power_cut
}

fn nobody_confirms(flavour: Flavour) {
    for addresses in [Addresses::StaticBoth, Addresses::Dhcp4] {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        create(&machine, &connection, &["--timeout", "20"]).ok();
        assert!(machine.has("/sys/class/net/br0"));
        machine.wait_until("br0 is gone", |machine| !machine.has("/sys/class/net/br0"));
        machine.wait_until("the way back is gone", |m| !m.has("/var/lib/kvmnet/window/window.json"));
        as_before(&machine, &before, &mut connection);
        machine.kvmnet(&["host", "bridge", "confirm"]).exits(2).says(&["no change"]);
        machine.kvmnet(&["history"]).ok().says(&["nobody confirmed it in time"]);
    }
}

fn a_wrong_gateway(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    let out = create(&machine, &connection, &["--gateway", "198.18.0.77", "--timeout", "20"]);
    out.exits(2).says(&["198.18.0.77"]);
    as_before(&machine, &before, &mut connection);
}

fn reverted_at_once(flavour: Flavour) {
    let addresses = if can(flavour, Addresses::DhcpBoth) { Addresses::DhcpBoth } else { Addresses::Dhcp4 };
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = site(&lan, flavour, addresses);
    create(&machine, &connection, &[]).ok();
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    as_before(&machine, &before, &mut connection);
    machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
}

/// A hang-up while it is being made.
fn the_terminal_goes(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    let hang_up = "while ! test -e /sys/class/net/br0; do sleep 0.01; done; pkill -HUP -x kvmnet";
    let mut child = machine.command(&["sh", "-c", hang_up]).spawn().unwrap();
    create(&machine, &connection, &["--timeout", "12"]);
    child.wait().unwrap();
    if machine.has("/var/lib/kvmnet/window/window.json") {
        // It was made before the signal came: then nobody is there to confirm it.
        machine.wait_until("the way back is gone", |m| !m.has("/var/lib/kvmnet/window/window.json"));
    }
    as_before(&machine, &before, &mut connection);
}

fn the_disk_is_full(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    machine.fill();
    create(&machine, &connection, &[]).exits(2).says(&["No space left", "os error 28"]);
    machine.unfill();
    as_before(&machine, &before, &mut connection);
}

/// The backend's tool fails at each of its calls in turn, or isn't there.
fn a_tool_fails(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    let tool = match flavour {
        Flavour::Ifupdown | Flavour::Ifupdown2 => "ifup",
        Flavour::Netplan => "netplan",
        Flavour::Networkd => "networkctl",
        Flavour::NetworkManager => "nmcli",
    };
    let real = machine.sh(&format!("command -v {tool}"));
    let fake = format!("/usr/local/sbin/{tool}");
    for fails_from in 1..=3 {
        // It works until then, and from then on fails for good, when everything is put back too.
        let script = format!(
            "#!/bin/sh\necho x >>/run/calls\n[ $(wc -l </run/calls) -ge {fails_from} ] && echo broken >&2 && exit 1\nexec {} \"$@\"\n",
            real.trim()
        );
        machine.put(&fake, &script);
        machine.sh(&format!("rm -f /run/calls; chmod 755 {fake}"));
        let out = create(&machine, &connection, &["--timeout", "30"]);
        machine.sh(&format!("rm {fake}"));
        if out.code == 0 {
            machine.kvmnet(&["host", "bridge", "revert"]).ok();
        } else {
            out.exits(2).says(&["broken"]);
        }
        as_before(&machine, &before, &mut connection);
    }
}

/// The power goes while it waits to be confirmed.
fn a_power_cut(flavour: Flavour) {
    for addresses in [Addresses::StaticBoth, Addresses::Dhcp4] {
        let Some(lan) = lan_for(addresses) else { return };
        let (mut machine, before, connection) = site(&lan, flavour, addresses);
        create(&machine, &connection, &["--timeout", "600"]).ok();
        machine.reboot();
        machine.wait_for_network();
        machine.is_again(&before);
        nothing_is_left(&machine);
        assert!(lan.pings("198.18.0.4") || addresses == Addresses::Dhcp4);
        machine.kvmnet(&["history"]).ok().says(&["started anew"]);
        let (path, text, _) = own_file(flavour, addresses);
        assert_eq!(machine.text(path), text);
    }
}

/// Where systemd doesn't run, a process of its own waits for the moment; it outlives kvmnet, its terminal and its session.
#[test]
fn nobody_confirms_without_systemd() {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, Flavour::Ifupdown, Addresses::Static4);
    let create = "mount -t tmpfs none /run/systemd && exec script -qec \
                  'kvmnet host bridge create br0 --port enp4s0 -y --timeout 12' /dev/null";
    let out = machine.run(&["unshare", "-m", "sh", "-c", create]);
    out.ok().says(&["not by itself after a power cut"]);
    assert!(!machine.has("/etc/systemd/system/kvmnet-put-back.service"));
    assert!(machine.has("/sys/class/net/br0"));
    machine.wait_until("the way back is gone", |m| !m.has("/var/lib/kvmnet/window/window.json"));
    as_before(&machine, &before, &mut connection);
}

/// Somebody puts it back while it is still being made: whoever makes it says so, and isn't just gone.
#[test]
fn reverted_while_it_is_verified() {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, Flavour::Networkd, Addresses::Static4);
    let revert = "while ! test -e /sys/class/net/br0; do sleep 0.01; done; kvmnet host bridge revert";
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
    machine.wait_until("the way back is gone", |m| !m.has("/var/lib/kvmnet/window/window.json"));
    as_before(&machine, &before, &mut connection);
}
