//! `kvmnet host bridge` on booted machines, with every backend, while a peer holds a connection to the machine.

mod disasters;
mod foreign;
mod killed;
mod life;
mod way_back;

use crate::machine::configs::{Addresses, File, file};
use crate::machine::{Connection, Flavour, Lan, Machine};
use crate::site::Out;

/// The file that a machine has. Where cloud-init's would be, an administrator's stands.
fn own_file(flavour: Flavour, addresses: Addresses) -> File {
    let (path, text, mode) = file(flavour, addresses);
    (if flavour == Flavour::Netplan { "/etc/netplan/01-netcfg.yaml" } else { path }, text, mode)
}

/// ifupdown2 3.0 refuses `inet6 auto`, and its `inet6 dhcp` fails while the kernel still looks whether somebody else has
/// the link's own address, also without any bridge.
fn can(flavour: Flavour, addresses: Addresses) -> bool {
    let can = flavour != Flavour::Ifupdown2 || !matches!(addresses, Addresses::Slaac | Addresses::DhcpBoth);
    if !can {
        eprintln!("NOT RUN: {flavour:?} can't have {addresses:?}");
    }
    can
}

/// A LAN on which a machine with these addresses has them and no others: where nobody should speak IPv6, nobody does.
fn lan_for(addresses: Addresses) -> Option<Lan> {
    match addresses {
        Addresses::Static4 | Addresses::Dhcp4 => Lan::start_v4(),
        _ => Lan::start(),
    }
}

/// A machine on its LAN.
fn boot(lan: &Lan, flavour: Flavour, addresses: Addresses) -> Machine<'_> {
    lan.boot(flavour, &[own_file(flavour, addresses)])
}

/// Types the line that makes the bridge, over a connection.
fn create(machine: &Machine<'_>, connection: &Connection, more: &[&str]) -> Out {
    let line = ["host", "bridge", "create", "br0", "--port", "enp4s0", "-y"];
    machine.kvmnet_over(connection, &[&line, more].concat())
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
