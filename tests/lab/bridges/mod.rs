//! `kvmnet host bridge` on booted machines, with every backend, while a peer holds a connection to the machine.

mod backwards;
mod desktop;
mod disasters;
mod disk;
mod foreign;
mod killed;
mod life;
mod options;
mod power;
mod taken_down;
mod terminal;
mod tools;
mod way_back;
mod without_systemd;

use std::time::Duration;

use crate::machine::configs::{Addresses, File, file};
use crate::machine::{Connection, Flavour, Lan, Machine, State};
use crate::site::Out;

/// The file that a machine has. Where cloud-init's would be, an administrator's stands.
fn own_file(flavour: Flavour, addresses: Addresses) -> File {
    let (path, text, mode) = file(flavour, addresses);
    (if flavour == Flavour::Netplan { "/etc/netplan/01-netcfg.yaml" } else { path }, text, mode)
}

/// ifupdown2 3.0 refuses `inet6 auto`, and its `inet6 dhcp` fails while the kernel still looks whether somebody else has
/// the link's own address, also without any bridge.
fn can(flavour: Flavour, addresses: Addresses) -> bool {
    flavour != Flavour::Ifupdown2 || !matches!(addresses, Addresses::Slaac | Addresses::DhcpBoth)
}

/// One way after another in which a machine gets its addresses. Where time is too dear to try a disaster with each of
/// them and each backend, the backends share them.
fn turn(flavour: Flavour, disaster: usize) -> Addresses {
    use Addresses::{Dhcp4, DhcpBoth, Slaac, Static6, StaticBoth};
    let ways = [Dhcp4, StaticBoth, DhcpBoth, Static6, Slaac];
    let ways: Vec<Addresses> = ways.into_iter().filter(|addresses| can(flavour, *addresses)).collect();
    ways[(flavour as usize + disaster) % ways.len()]
}

/// A LAN on which a machine with these addresses has them and no others: where nobody should speak IPv6, nobody does.
fn lan_for(addresses: Addresses) -> Option<Lan> {
    match addresses {
        Addresses::Static4 | Addresses::Dhcp4 => Lan::start_v4(),
        Addresses::Static6 => Lan::start_quiet(),
        _ => Lan::start(),
    }
}

/// A machine on its LAN, with all the addresses that it gets.
fn boot(lan: &Lan, flavour: Flavour, addresses: Addresses) -> Machine<'_> {
    let machine = lan.boot(flavour, &[own_file(flavour, addresses)]);
    wait_for_ipv6(&machine, addresses);
    machine
}

/// Waits until the machine has an IPv6 address, and a way out that a router advertises, as far as it is to have them.
#[track_caller]
fn wait_for_ipv6(machine: &Machine<'_>, addresses: Addresses) {
    if let Addresses::Static4 | Addresses::Dhcp4 = addresses {
        return;
    }
    machine.wait_until("has its IPv6 address", |m| m.addresses().iter().any(|(_, ip, _)| ip.is_ipv6()));
    if let Addresses::DhcpBoth | Addresses::Slaac = addresses {
        machine.wait_until("has a router", |m| !m.sh("ip -6 route show default").is_empty());
    }
}

/// A machine, what it is, and a connection to it.
fn site(lan: &Lan, flavour: Flavour, addresses: Addresses) -> (Machine<'_>, State, Connection) {
    let machine = boot(lan, flavour, addresses);
    // ifupdown2 lets an address of the router's prefix come beside the one that is written down.
    if lan.advertises && (flavour, addresses) == (Flavour::Ifupdown2, Addresses::StaticBoth) {
        machine.wait_until("has both IPv6 addresses", |m| {
            m.addresses().iter().filter(|(_, ip, _)| ip.is_ipv6()).count() == 2
        });
    }
    machine.wait_until("has looked for others with its addresses", |m| {
        m.sh("ip -6 addr show tentative").is_empty()
    });
    let connection = lan.connection(&machine);
    let before = machine.state();
    (machine, before, connection)
}

/// The same, with a bridge that was made, confirmed, and has outlived a power cut.
fn bridged(lan: &Lan, flavour: Flavour, addresses: Addresses) -> (Machine<'_>, State, Connection) {
    let mut machine = boot(lan, flavour, addresses);
    create(&machine, &lan.connection(&machine), &[]).ok();
    machine.kvmnet(&["host", "bridge", "confirm"]).ok();
    machine.reboot();
    wait_for_ipv6(&machine, addresses);
    let connection = lan.connection(&machine);
    let before = machine.state();
    (machine, before, connection)
}

/// Types the line that makes the bridge, over a connection.
fn create(machine: &Machine<'_>, connection: &Connection, more: &[&str]) -> Out {
    let out = machine.kvmnet_over(connection, &[&CREATE, more].concat());
    if out.code != 0 {
        eprintln!("{}", machine.log());
    }
    out
}

/// Does something with little time in the window, and with more where the machine around us is so busy that it doesn't
/// come to what is wanted in that.
fn in_little_time(of: impl Fn(&[&str]) -> Out, is_wanted: impl Fn(&Out) -> bool) -> Out {
    let out = of(&["--timeout", "12"]);
    if is_wanted(&out) { out } else { of(&["--timeout", "75"]) }
}

/// That line.
const CREATE: [&str; 7] = ["host", "bridge", "create", "br0", "--port", "enp4s0", "-y"];
/// The line that takes it down again.
const DELETE: [&str; 5] = ["host", "bridge", "delete", "br0", "-y"];
/// So much time that nothing happens by itself while a test runs.
const LONG: [&str; 2] = ["--timeout", "600"];

/// All is as it was, whoever was connected still is, and nothing is left of the way back.
#[track_caller]
fn as_before(machine: &Machine<'_>, before: &State, connection: &mut Connection) {
    machine.is_again(before);
    assert!(connection.echoes(), "the connection doesn't survive");
    nothing_is_left(machine);
}

/// Waits until the way back has been taken.
#[track_caller]
fn is_put_back(machine: &Machine<'_>) {
    // It has been given up to 75 seconds.
    let most = Duration::from_secs(120);
    machine.within(most, "is through with the way back", |m| !m.has("/var/lib/kvmnet/window/window.json"));
}

/// What is left of a way back: there must be none once all is over.
#[track_caller]
fn nothing_is_left(machine: &Machine<'_>) {
    for path in [
        "/var/lib/kvmnet/window/window.json",
        "/var/lib/kvmnet/window/kvmnet",
        "/etc/systemd/system/kvmnet-put-back.service",
        "/etc/systemd/system/multi-user.target.wants/kvmnet-put-back.service",
        "/run/kvmnet/window",
    ] {
        assert!(!machine.has(path), "{path} is left");
    }
    let timers = machine.run(&["systemctl", "list-timers", "--all", "--no-legend", "kvmnet*"]).stdout;
    assert_eq!(timers.trim(), "");
    let odd = machine.sh("find /etc -name '.kvmnet*'");
    assert_eq!(odd, "", "names that were added are left");
}

/// Each test with each backend.
macro_rules! with_every_backend {
    ($($test:ident)*) => {$(
        mod $test {
            use crate::machine::Flavour;

            #[test]
            fn with_ifupdown() {
                super::$test(Flavour::Ifupdown);
            }
            #[test]
            fn with_ifupdown2() {
                super::$test(Flavour::Ifupdown2);
            }
            #[test]
            fn with_netplan() {
                super::$test(Flavour::Netplan);
            }
            #[test]
            fn with_networkd() {
                super::$test(Flavour::Networkd);
            }
            #[test]
            fn with_networkmanager() {
                super::$test(Flavour::NetworkManager);
            }
        }
    )*};
}
use with_every_backend;
