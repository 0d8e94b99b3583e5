//! Guests that boot, have addresses and answer: what they are themselves, and what their users see of a live move.

use std::thread;
use std::time::Instant;

use crate::lab::guest::Guest;
use crate::lab::xml::{mac, on_bridge, on_network};
use crate::lab::{Lab, Place};

/// A neighbour's, on the LAN.
const NEIGHBOUR: &str = "198.18.0.9";
/// How the addresses begin that the LAN's DHCP server gives.
const LAN: &str = "198.18.0.";
/// How those begin that the network `default` gives.
const DEFAULT: &str = "192.168.122.";

const SIX: &str = "<network><name>six</name><bridge name='virbr6'/>\
    <ip address='192.168.126.1' netmask='255.255.255.0'><dhcp><range start='192.168.126.2' end='192.168.126.9'/></dhcp></ip>\
    <ip family='ipv6' address='fd12:3456:789a::1' prefix='64'/></network>";

#[test]
fn several_guests_boot_at_the_same_time() {
    let Some(lab) = Lab::start_bootable() else { return };
    lab.network("six", SIX);
    let began = Instant::now();
    let [nat, bridged, isolated] = lab.boot_all([
        &Guest::on_network("default"),
        &Guest::new("vm2", &[on_bridge("br0", 2)]),
        &Guest::new("vm3", &[on_network("six", 3), on_bridge("br1", 4)]),
    ]);
    eprintln!("guests up after {:.1} s", began.elapsed().as_secs_f32());
    let lan = bridged.address_in(LAN);
    nat.address_in(DEFAULT);
    assert!(isolated.address6().starts_with("fd12:3456:789a:"));
    eprintln!("with addresses after {:.1} s", began.elapsed().as_secs_f32());
    assert!(isolated.pings("fd12:3456:789a::1"));
    assert!(nat.pings(NEIGHBOUR) && nat.pings(&lan), "out of a NAT network leads a way");
    assert!(bridged.pings(NEIGHBOUR) && lab.answers(Place::Lan, &lan));
    assert!(!isolated.pings(NEIGHBOUR), "out of an isolated network leads none");
    assert_eq!(isolated.run("ls /sys/class/net | grep -c eth").trim(), "2");
    assert_eq!(bridged.try_run("echo no; echo never >&2; exit 3"), (3, "no\nnever\n".into()));

    let before = bridged.uptime();
    lab.virsh(&["destroy", "vm2"]);
    lab.virsh(&["start", "vm2"]);
    bridged.wait();
    assert!(bridged.uptime() < before, "a restart shows");
}

#[test]
fn a_moved_guest_gets_its_new_address_without_a_restart() {
    let Some(lab) = Lab::start_bootable() else { return };
    let guest = lab.boot(&Guest::on_network("default"));
    let old = guest.address_in(DEFAULT);
    let (began, uptime) = (Instant::now(), guest.uptime());
    let convert = ["convert", "vm1", "--to-bridge", "br0", "--live", "--wait-address=60", "-y"];
    let moves = || {
        let out = lab.kvmnet(&convert).ok();
        let new = guest.address_in(LAN);
        let out = out.says(&[&format!("guest 'vm1': NIC {} has address {new}\n", mac(1))]);
        assert!(!out.all().contains(&old) && !out.all().contains("no new address"), "{}", out.report());
        assert!(guest.pings(NEIGHBOUR));
        assert!(lab.answers(Place::Lan, &new) && lab.answers(Place::Host, &new));
    };
    moves();

    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    guest.address_in(DEFAULT);
    assert!(guest.pings(NEIGHBOUR));
    // Now the host knows the address on the LAN from before, and the DHCP server there gives the same again.
    moves();
    // Had it been restarted meanwhile, then its uptime would be less than the time since.
    let since = began.elapsed().as_secs_f64();
    assert!(guest.uptime() > since + uptime / 2.0, "it ran {uptime} s, then {since:.1} s went by");
}

#[test]
fn without_a_link_bounce_no_new_address_comes_and_none_is_claimed() {
    let Some(lab) = Lab::start_bootable() else { return };
    let guest = lab.boot(&Guest::on_network("default"));
    let old = guest.address_in(DEFAULT);
    let (began, uptime) = (Instant::now(), guest.uptime());
    let convert = ["convert", "vm1", "--to-bridge", "br0", "--live", "--no-link-bounce", "-y"];
    let out = thread::scope(|scope| {
        // It talks, from its old address.
        let ping = scope.spawn(|| guest.try_run("ping -c 4 -W 1 192.168.122.1"));
        let out = lab.kvmnet(&[&convert[..], &["--wait-address=3"]].concat()).ok();
        ping.join().unwrap();
        out
    });
    let out = out.says(&[&format!("guest 'vm1': no new address seen within 3 s (it sends from {old}, ")]);
    assert!(!out.all().contains("has address"), "{}", out.report());
    assert_eq!((lab.tap_master("vm1", 1), guest.address()), ("br0".into(), old.clone()));

    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((lab.tap_master("vm1", 1), guest.address()), ("virbr0".into(), old));
    assert!(guest.pings(NEIGHBOUR));

    // A router speaks of itself now and then, and needs no bounce for that.
    lab.lan(&["ip", "addr", "add", "fd98:7654:3210::1/64", "dev", "swlan", "nodad"]).ok();
    let router = "exec dnsmasq --conf-file=/dev/null --port=0 --interface=swlan --bind-interfaces --user=root --enable-ra \
                  --dhcp-range=::,constructor:swlan,ra-only --ra-param=swlan,4 --pid-file=/run/lab/lan-router.pid \
                  --log-facility=/run/lab/lan-router.log";
    lab.lan(&["sh", "-c", router]).ok();
    let out = lab.kvmnet(&[&convert[..], &["--wait-address=30"]].concat()).ok();
    let new = guest.address6();
    assert!(new.starts_with("fd98:7654:3210:"), "{new}");
    out.says(&[&format!("guest 'vm1': NIC {} has address {new}\n", mac(1))]);
    assert!(guest.uptime() > began.elapsed().as_secs_f64() + uptime / 2.0);
}
