//! A bridge made and taken away by hand, with each backend's own tools: what an administrator would type.

use crate::machine::configs::{ADDRESS, ADDRESS6, Addresses, file};
use crate::machine::{Flavour, Lan, Machine};

/// A bridge as `/etc/network/interfaces` has it.
const INTERFACES: &str = "auto lo
iface lo inet loopback

iface enp4s0 inet manual

auto br0
iface br0 inet static
    bridge_ports enp4s0
    bridge_stp off
    bridge_fd 0
    bridge_maxwait 0
    bridge_hw 52:54:00:aa:00:04
    address 198.18.0.4/24
    gateway 198.18.0.1
iface br0 inet6 static
    address 2001:2:0:1::4/64
    gateway 2001:2:0:1::1
";

/// The same as ifupdown2 has it.
const INTERFACES2: &str = "auto lo
iface lo inet loopback

auto enp4s0
iface enp4s0 inet manual

auto br0
iface br0
    bridge-ports enp4s0
    bridge-stp off
    bridge-fd 0
    hwaddress 52:54:00:aa:00:04
    address 198.18.0.4/24
    address 2001:2:0:1::4/64
    gateway 198.18.0.1
    gateway 2001:2:0:1::1
";

const NETPLAN: &str = "network:
  version: 2
  ethernets:
    enp4s0: {}
  bridges:
    br0:
      interfaces: [enp4s0]
      macaddress: 52:54:00:aa:00:04
      parameters: {stp: false, forward-delay: 0}
      accept-ra: false
      addresses: ['198.18.0.4/24', '2001:2:0:1::4/64']
      routes:
      - {to: default, via: 198.18.0.1}
      - {to: default, via: '2001:2:0:1::1'}
";

/// Makes the bridge.
fn make(machine: &Machine<'_>, flavour: Flavour) {
    let (path, _, _) = file(flavour, Addresses::StaticBoth);
    let script = match flavour {
        Flavour::Ifupdown => {
            machine.put("/root/new", INTERFACES);
            "ifdown enp4s0 && cat /root/new >/etc/network/interfaces && ifup br0"
        }
        Flavour::Ifupdown2 => {
            machine.put("/root/new", INTERFACES2);
            "cat /root/new >/etc/network/interfaces && ifreload -a"
        }
        Flavour::Netplan | Flavour::NetplanForManager => {
            machine.put(path, NETPLAN);
            "netplan apply"
        }
        Flavour::Networkd => {
            machine.put(
                "/etc/systemd/network/05-br0.netdev",
                "[NetDev]\nName=br0\nKind=bridge\nMACAddress=52:54:00:aa:00:04\n\n[Bridge]\nSTP=no\n",
            );
            let port = "[Match]\nName=enp4s0\n\n[Network]\nBridge=br0\n";
            machine.put("/etc/systemd/network/05-enp4s0.network", port);
            machine.put(
                "/etc/systemd/network/05-br0.network",
                &file(flavour, Addresses::StaticBoth).1.replace("enp4s0", "br0"),
            );
            "networkctl reload"
        }
        Flavour::NetworkManager => {
            // Both profiles of the NIC come up by themselves; without a priority it is chance which one wins at boot.
            "nmcli con add type bridge ifname br0 con-name br0 bridge.stp no bridge.forward-delay 0 \
                 bridge.mac-address 52:54:00:aa:00:04 ipv4.method manual ipv4.addresses 198.18.0.4/24 \
                 ipv4.gateway 198.18.0.1 ipv6.method manual ipv6.addresses 2001:2:0:1::4/64 \
                 ipv6.gateway 2001:2:0:1::1
             nmcli con add type ethernet ifname enp4s0 con-name br0-port master br0 slave-type bridge \
                 connection.autoconnect-priority 100
             nmcli -w 20 con up br0-port"
        }
    };
    machine.sh(script);
}

/// Takes it away again.
fn unmake(machine: &Machine<'_>, flavour: Flavour) {
    let (path, _, _) = file(flavour, Addresses::StaticBoth);
    let back = format!("cp -p /root/old '{path}'");
    machine.sh(&match flavour {
        // bridge-utils takes a port's own address generation from it (`addrgenmode none`), and never gives it back.
        Flavour::Ifupdown => {
            format!("ifdown br0; {back}; ip link set enp4s0 addrgenmode eui64; ifup enp4s0")
        }
        Flavour::Ifupdown2 => format!("{back}; ifreload -a"),
        // Neither of the two takes a bridge away that its files don't name any more.
        Flavour::Netplan | Flavour::NetplanForManager => {
            format!("{back}; netplan apply; ! ip link show br0 || ip link del br0")
        }
        Flavour::Networkd => "rm /etc/systemd/network/05-*; ip link del br0; networkctl reload".into(),
        Flavour::NetworkManager => {
            "nmcli con delete br0-port br0; nmcli -w 20 con up 'Wired connection 1'".into()
        }
    });
}

/// A bridge, and everything as it was again.
fn there_and_back(flavour: Flavour) {
    let Some(lan) = Lan::start() else { return };
    let (path, text, mode) = file(flavour, Addresses::StaticBoth);
    let mut machine = lan.boot(flavour, &[(path, text, mode)]);
    machine.sh(&format!("cp -p '{path}' /root/old"));
    let mut connection = lan.connection(&machine);
    assert!(connection.echoes());
    let before = machine.state();

    lan.outage(&machine, || make(&machine, flavour));
    machine.wait_for_address("br0", ADDRESS);
    machine.wait_for_address("br0", ADDRESS6);
    assert_eq!(machine.sh("readlink /sys/class/net/enp4s0/master").trim(), "../br0");
    assert!(connection.echoes() && lan.pings(ADDRESS6));
    let diff = before.diff(&machine.state());
    assert!(diff.contains("=== device br0\n") && diff.contains("+master br0"), "{diff}");
    machine.reboot();
    machine.wait_for_address("br0", ADDRESS);
    machine.wait_for_address("br0", ADDRESS6);

    connection = lan.connection(&machine);
    lan.outage(&machine, || unmake(&machine, flavour));
    machine.is_again(&before);
    assert!(connection.echoes());
}

#[test]
fn ifupdown_makes_a_bridge() {
    there_and_back(Flavour::Ifupdown);
}

#[test]
fn ifupdown2_makes_a_bridge() {
    there_and_back(Flavour::Ifupdown2);
}

#[test]
fn netplan_makes_a_bridge() {
    there_and_back(Flavour::Netplan);
}

#[test]
fn networkd_makes_a_bridge() {
    there_and_back(Flavour::Networkd);
}

#[test]
fn networkmanager_makes_a_bridge() {
    there_and_back(Flavour::NetworkManager);
}
