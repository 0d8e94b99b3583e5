//! `kvmnet host` through the program: on files of made-up hosts, and on devices of a network namespace of its own.

#![allow(clippy::unwrap_used)]

#[path = "host/files.rs"]
mod files;
#[path = "support/mod.rs"]
mod support;

use files::{Files, hardware, of};
use serde_json::{Value, json};
use support::{Sandbox, is_root_or_skip, program};

#[test]
fn every_kind_of_nic() {
    let nics = hardware().nics();
    assert_eq!(nics["nics"].as_array().unwrap().len(), 15, "{nics:#}");
    let says = |name: &str| {
        let nic = of(&nics, name);
        (nic["kind"].as_str().unwrap(), nic["agrees"].as_bool(), nic["stable_name"].as_str())
    };
    assert_eq!(says("enp4s0"), ("ethernet", Some(true), None));
    assert_eq!(says("eth0"), ("ethernet", None, Some("enp5s0")));
    assert_eq!(says("eno1"), ("ethernet", Some(true), None));
    assert_eq!(says("enx525400000005"), ("ethernet", Some(true), Some("enp0s20u2")));
    assert_eq!(says("wlan0"), ("wifi", None, Some("wlp3s0")));
    assert_eq!(says("ens2f0np0"), ("ethernet", Some(true), None));
    assert_eq!(says("enp9s0"), ("ethernet", Some(false), Some("enp6s0")));
    assert_eq!(says("enp0s3"), ("ethernet", Some(true), None));
    assert_eq!(says("br0"), ("bridge", Some(true), None));
    assert_eq!(says("bond0"), ("bond", Some(true), None));
    assert_eq!(says("enp4s0.100"), ("vlan", Some(true), None));
    assert_eq!(says("vnet0"), ("tap", Some(true), None));
    assert_eq!(says("virbr0"), ("other", Some(false), None));
    assert_eq!(says("lo"), ("loopback", Some(true), None));
    let nic = of(&nics, "enp4s0");
    assert_eq!(nic["driver"], "igc");
    assert_eq!(nic["link"], json!({ "up": true, "carrier": true, "speed": 2500, "duplex": "full" }));
    assert_eq!(
        (&nic["mtu"], &nic["mac"], &nic["master"]),
        (&json!(1500), &json!("52:54:00:00:00:02"), &json!("br0"))
    );
    assert_eq!(nic["addresses"], Value::Null, "files know no addresses");
    assert_eq!(nic["carries"][0], json!({ "name": "enp4s0.100", "kind": "vlan", "as": "vlan", "vlan": 100 }));
    assert_eq!(nic["means"], "Ethernet, PCI bus 4, slot 0");
    assert!(nic["evidence"].as_str().unwrap().contains("0000:04:00.0"), "{nic}");
    let ports: Vec<_> =
        of(&nics, "br0")["carries"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(ports, ["enp4s0", "vnet0"]);
    assert_eq!(
        of(&nics, "eno1")["link"],
        json!({ "up": false, "carrier": true, "speed": null, "duplex": null })
    );
    assert_eq!(of(&nics, "vnet0")["link"]["speed"], Value::Null, "a tap's speed is made up");
    assert_eq!(of(&nics, "lo")["mac"], Value::Null);
    let link = &of(&nics, "enx525400000005")["link_file"];
    assert_eq!(link["text"], "[Match]\nPath=pci-0000:00:14.0-usb-0:2:1.0\n\n[Link]\nName=enp0s20u2\n");
}

#[test]
fn for_people() {
    let host = hardware();
    let done = host.0.kvmnet("host nics --root host").gives(0);
    let row =
        |name: &str| done.out.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_string();
    assert!(done.out.starts_with("NAME "), "{}", done.out);
    assert!(
        row("enp4s0").contains("up 2.5 Gb/s") && row("enp9s0").contains("up 100 Mb/s half"),
        "{}",
        done.out
    );
    assert!(row("eth0").contains("no carrier") && row("eno1").contains("down"), "{}", done.out);
    for said in [
        "eth0 can change between boots",
        "enp5s0 lasts",
        "enp9s0 can change",
        "virbr0 is not as the name says",
    ] {
        assert!(done.err.contains(said), "{said}: {}", done.err);
    }
    let done = host.0.kvmnet("-v host nics --root host").gives(0);
    assert!(done.out.contains("    the name says: Ethernet, PCI bus 4, slot 0\n"), "{}", done.out);
    let done = host.0.kvmnet("host nics enp9s0 wlan0 --root host").gives(0);
    for said in
        ["p9     PCI bus 9\n", "at 0000:06:00.0", "/etc/systemd/network/10-enp6s0.link", "Name=wlp3s0"]
    {
        let said = said.replace("p9     ", "p9  ");
        assert!(done.out.contains(&said), "{said}: {}", done.out);
    }
    let done = host.0.kvmnet("host nics enp7s0 --root host").gives(2);
    assert!(done.err.contains("no network device 'enp7s0'") && done.err.contains("enp4s0"), "{}", done.err);
    host.0.kvmnet("host nics --root nowhere").gives(2);
}

fn owner(nics: &Value, name: &str) -> (String, Option<String>) {
    let owner = &of(nics, name)["configured_by"];
    (owner["backend"].as_str().unwrap().into(), owner["file"].as_str().map(Into::into))
}

fn owned(backend: &str, file: &str) -> (String, Option<String>) {
    (backend.into(), Some(file.into()))
}

#[test]
fn ifupdown() {
    let host = hardware();
    host.write("etc/network/interfaces", "source interfaces.d/*\nauto lo\niface lo inet loopback\n");
    host.write("etc/network/interfaces.d/lan", "auto br0\niface br0 inet dhcp\n  bridge_ports enp4s0\n");
    host.write("etc/network/interfaces.d/loop", "source /etc/network/interfaces\n# iface eth0 inet dhcp\n");
    let nics = host.nics();
    assert_eq!(owner(&nics, "lo"), owned("ifupdown", "/etc/network/interfaces"));
    assert_eq!(owner(&nics, "br0"), owned("ifupdown", "/etc/network/interfaces.d/lan"));
    assert_eq!(owner(&nics, "enp4s0"), owned("ifupdown", "/etc/network/interfaces.d/lan"));
    assert_eq!(owner(&nics, "eth0"), ("none".into(), None));
    assert_eq!(owner(&nics, "vnet0"), ("libvirt".into(), None));
    // Where the program isn't, its file is an old one.
    std::fs::create_dir_all(host.root().join("usr/sbin")).unwrap();
    assert_eq!(owner(&host.nics(), "br0"), ("none".into(), None));
    host.write("usr/sbin/ifreload", "");
    assert_eq!(owner(&host.nics(), "br0"), owned("ifupdown", "/etc/network/interfaces.d/lan"));
}

#[test]
fn netplan_and_what_it_writes() {
    let host = hardware();
    let file = "/etc/netplan/50-cloud-init.yaml";
    host.write(&file[1..], "network:\n  version: 2\n  ethernets:\n    enp4s0: {dhcp4: true}\n    lan:\n      match:\n        macaddress: 52:54:00:00:00:04\n      set-name: eno1\n");
    host.write(
        "run/systemd/netif/links/2",
        "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-enp4s0.network\n",
    );
    host.write("run/systemd/netif/links/3", "ADMIN_STATE=unmanaged\n");
    host.write(
        "run/systemd/netif/links/8",
        "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/20-lan.network\n",
    );
    host.write("etc/network/interfaces", "iface enp4s0 inet dhcp\n");
    let nics = host.nics();
    assert_eq!(owner(&nics, "enp4s0"), owned("netplan", file));
    assert_eq!(of(&nics, "enp4s0")["configured_by"]["also"][0]["backend"], "ifupdown");
    assert_eq!(owner(&nics, "eno1"), owned("netplan", file));
    assert_eq!(owner(&nics, "eth0"), ("none".into(), None));
    assert_eq!(owner(&nics, "enp9s0"), owned("networkd", "/etc/systemd/network/20-lan.network"));
    let done = host.0.kvmnet("host nics enp4s0 --root host").gives(0);
    assert!(done.out.contains("more than one of them"), "{}", done.out);
}

#[test]
fn networkd_that_does_not_run_yet() {
    let host = hardware();
    host.write("etc/systemd/network/10-lan.network", "[Match]\nName=enp* !x\n\n[Network]\nDHCP=yes\n");
    assert_eq!(owner(&host.nics(), "enp4s0"), ("none".into(), None), "it isn't enabled");
    host.link(
        "etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
        "/lib/systemd/system/systemd-networkd.service",
    );
    assert_eq!(owner(&host.nics(), "enp4s0"), owned("networkd", "/etc/systemd/network/10-lan.network"));
    assert_eq!(owner(&host.nics(), "eth0"), ("none".into(), None));
}

#[test]
fn network_manager() {
    let host = hardware();
    let profile = |uuid: &str, more: &str| format!("[connection]\nid=x\nuuid={uuid}\ntype=ethernet\n{more}");
    host.write("etc/NetworkManager/system-connections/lan.nmconnection", &profile("1-1", ""));
    host.write(
        "run/NetworkManager/system-connections/docker0.nmconnection",
        &profile("2-2", "[.nmmeta]\nnm-generated=true\nvolatile=true\nexternal=true\n"),
    );
    let wired = "run/NetworkManager/system-connections/Wired connection 1.nmconnection";
    host.write(wired, &profile("3-3", "[.nmmeta]\nnm-generated=true\n"));
    let state = |index: u32, text: &str| {
        host.write(&format!("run/NetworkManager/devices/{index}"), &format!("[device]\n{text}"));
    };
    state(2, "managed=true\nconnection-uuid=1-1\n");
    state(3, "managed=false\n");
    state(4, "managed=true\nconnection-uuid=3-3\n");
    state(24, "managed=true\nconnection-uuid=2-2\n");
    let nics = host.nics();
    assert_eq!(
        owner(&nics, "enp4s0"),
        owned("networkmanager", "/etc/NetworkManager/system-connections/lan.nmconnection")
    );
    assert_eq!(owner(&nics, "eth0"), ("none".into(), None));
    assert_eq!(owner(&nics, "eno1"), owned("networkmanager", &format!("/{wired}")));
    assert_eq!(owner(&nics, "docker0"), ("none".into(), None), "it only looks on there");
}

#[test]
fn what_udev_says_counts() {
    let host = hardware();
    host.write(
        "run/udev/data/n3",
        "S:x\nE:ID_NET_NAME_SLOT=ens7\nE:ID_NET_NAME_PATH=enp5s0\nE:ID_PATH=pci-0000:05:00.0\n",
    );
    assert_eq!(of(&host.nics(), "eth0")["stable_name"], "ens7");
    let pinned =
        "E:ID_NET_NAME_PATH=enp5s0\nE:ID_NET_LINK_FILE=/etc/systemd/network/10-e.link\nE:ID_NET_NAME=eth0\n";
    host.write("run/udev/data/n3", pinned);
    assert_eq!(of(&host.nics(), "eth0")["stable_name"], Value::Null);
}

#[test]
fn odd_files() {
    let host = Files::new();
    assert_eq!(host.nics(), json!({ "nics": [] }));
    let done = host.0.kvmnet("host nics --root host").gives(0);
    assert!(done.err.contains("no network devices"), "{}", done.err);
    // Everything that could be a number isn't one, and the name turns a terminal blue.
    let name = "\u{1b}[34mx";
    host.device(
        7,
        "virtual",
        name,
        &[("flags", "zz"), ("mtu", ""), ("carrier", "?"), ("type", "-1"), ("address", "")],
    );
    host.nic(8, "pci0000:00/0000:00:zz.0", "enp4s0", "x", &[("speed", "4294967295"), ("duplex", "unknown")]);
    std::fs::create_dir_all(host.root().join("etc/netplan/folder.yaml")).unwrap();
    host.write("etc/netplan/odd.yaml", "\t- : {[\n}}:\n\"");
    let nics = host.nics();
    assert_eq!(of(&nics, name)["mtu"], Value::Null);
    assert_eq!(of(&nics, "enp4s0")["agrees"], false);
    let done = host.0.kvmnet("-v host nics --root host").gives(0);
    assert!(!done.out.contains('\u{1b}') && done.out.contains("\\u{1b}[34mx"), "{}", done.out);
}

#[test]
fn the_loopback_is_here() {
    let sandbox = Sandbox::new();
    let nics = sandbox.kvmnet("-o json host nics").gives(0).json();
    let lo = of(&nics, "lo");
    assert_eq!((&lo["kind"], &lo["link"]["up"], &lo["index"]), (&json!("loopback"), &json!(true), &json!(1)));
    let done = sandbox.kvmnet("host nics lo").gives(0);
    assert!(done.out.contains("the host's way to itself"), "{}", done.out);
    // Neither libvirt nor a connection is asked for.
    let done = sandbox.kvmnet("-c nonsense:///x host nics").gives(0);
    assert!(done.err.contains("this machine"), "{}", done.err);
}

#[test]
fn without_iproute2_the_rest_is_shown() {
    if !is_root_or_skip("host nics without iproute2") {
        return;
    }
    let sandbox = Sandbox::new();
    // The folders of programs, as this process sees them alone, lose it.
    let script = "set -e; mount -t tmpfs none /mnt; for bin in /usr/bin /usr/sbin /bin /sbin; do \
                  [ ! -L $bin ] || continue; mkdir -p /mnt$bin.new /mnt$bin.work; mount -t overlay none -o \
                  lowerdir=$bin,upperdir=/mnt$bin.new,workdir=/mnt$bin.work $bin; done; \
                  rm -f /usr/bin/ip /usr/sbin/ip /bin/ip /sbin/ip; exec \"$K\" host nics";
    let done = sandbox.program("unshare").args(["-m", "bash", "-c", script]).env("K", program()).gives(0);
    assert!(done.out.contains("\nlo ") && done.err.contains("iproute2"), "{done}");
}

#[test]
fn in_a_namespace_of_its_own() {
    if !is_root_or_skip("host nics on devices made for it") {
        return;
    }
    let sandbox = Sandbox::new();
    // Only kinds that every kernel makes: no dummies, no VLANs.
    let make = "ip link set lo up; ip link add br0 type bridge; ip link add veth0 type veth peer name eth0; \
                ip link set veth0 master br0 up; ip link set br0 up; ip link set eth0 up; \
                ip addr add 192.0.2.2/24 dev br0; ip link add enp4s0 type veth peer name vmbr0; \
                ip link add link eth0 name macvlan0 type macvlan; ip link add link eth0 name macvtap0 type macvtap; \
                ip tuntap add vnet0 mode tap; ip tuntap add tun0 mode tun; ip link set vnet0 master br0; \
                \"$K\" -o json host nics";
    // With /sys of the namespace, and with that of another one: then what the kernel says itself must do.
    for (remount, sees_sysfs) in [("mount -t sysfs none /sys;", true), ("", false)] {
        let inner = format!("set -e; {remount} {make}");
        let nics = sandbox.program("unshare").args(["-nm", "bash", "-c", &inner]).env("K", program());
        let nics = nics.gives(0).json();
        for (name, kind, agrees) in [
            ("br0", "bridge", Some(true)),
            ("veth0", "veth", Some(true)),
            ("eth0", "veth", None),
            ("macvlan0", "macvlan", Some(true)),
            ("macvtap0", "macvtap", Some(true)),
            ("vnet0", "tap", Some(true)),
            ("tun0", "tun", Some(true)),
            ("vmbr0", "veth", Some(false)),
            ("enp4s0", "veth", sees_sysfs.then_some(false)),
        ] {
            let nic = of(&nics, name);
            assert_eq!((nic["kind"].as_str(), nic["agrees"].as_bool()), (Some(kind), agrees), "{nic:#}");
            assert_eq!(nic["stable_name"], Value::Null, "what software makes has no lasting name");
        }
        assert_eq!(of(&nics, "br0")["addresses"][0], "192.0.2.2/24");
        let carried = |name: &str| {
            let all = of(&nics, name)["carries"].as_array().unwrap();
            all.iter().map(|c| format!("{} {}", c["name"], c["as"]).replace('"', "")).collect::<Vec<_>>()
        };
        assert_eq!(carried("br0"), ["veth0 port", "vnet0 port"]);
        assert_eq!(carried("eth0"), ["macvlan0 macvlan", "macvtap0 macvtap"]);
        assert_eq!(carried("veth0"), [""; 0], "the other end of a wire isn't carried");
        assert_eq!(of(&nics, "veth0")["peer"], "eth0");
        assert_eq!(of(&nics, "veth0")["master"], "br0");
        // Kernels put tunnels of their own into every new namespace, but no hardware.
        let hardware = nics["nics"].as_array().unwrap().iter().find(|nic| nic["kind"] == "ethernet");
        assert_eq!(hardware, None, "of another namespace");
    }
}

#[test]
fn two_hundred_taps_take_no_time() {
    if !is_root_or_skip("host nics on two hundred taps") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "set -e; mount -t sysfs none /sys; ip link add br0 type bridge; \
                  for n in $(seq 200); do echo \"tuntap add vnet$n mode tap\"; done | ip -batch -; \
                  start=$(date +%s%N); \"$K\" -o json host nics > nics; echo $(( ($(date +%s%N) - start) / 1000000 ))";
    let done = sandbox.program("unshare").args(["-nm", "bash", "-c", script]).env("K", program()).gives(0);
    let nics: Value = serde_json::from_str(&sandbox.text("nics")).unwrap();
    assert!(nics["nics"].as_array().unwrap().len() > 200);
    let took: u64 = done.out.trim().parse().unwrap();
    assert!(took < 2000, "{took} ms");
}
