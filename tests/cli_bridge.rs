//! `kvmnet host bridge` through the program, on files of made-up hosts. What it does to a real one is shown on booted
//! machines (`tests/hosts.rs`).

#![allow(clippy::unwrap_used)]

#[path = "host/files.rs"]
#[allow(dead_code, reason = "it serves tests/cli_host.rs as well")]
mod files;
#[path = "support/mod.rs"]
mod support;

use files::{Files, hardware};

const INTERFACES: &str = "# The primary network interface\nauto eno1\niface eno1 inet static\n\taddress 192.0.2.10/24\n\t\
                          gateway 192.0.2.1\n\twpa-psk hunter2\n";

/// All kinds of NICs; ifupdown configures `eno1`.
fn host() -> Files {
    let host = hardware();
    host.write("etc/network/interfaces", &INTERFACES.replace("\twpa-psk hunter2\n", ""));
    host
}

fn create(host: &Files, more: &str) -> support::Done {
    host.0.kvmnet(&format!("host bridge create {more} --root host --dry-run")).run()
}

#[test]
fn a_preview_is_the_diff_the_commands_and_the_time() {
    let host = host();
    let done = create(&host, "brlan --port eno1");
    assert_eq!(done.code, 0, "{done}");
    for said in [
        "makes bridge brlan of eno1 (ifupdown)",
        "--- a/etc/network/interfaces\n+++ b/etc/network/interfaces",
        "-iface eno1 inet static",
        "+iface brlan inet static",
        "bridge_ports eno1",
        "bridge_hw 52:54:00:00:00:04",
        "ifdown eno1",
        "(write /etc/network/interfaces)",
        "ifup brlan",
        "within 90 s, everything is put back",
    ] {
        assert!(done.out.contains(said), "{said}: {done}");
    }
    assert!(!std::fs::read_to_string(host.root().join("etc/network/interfaces")).unwrap().contains("brlan"));
    assert_eq!(create(&host, "brlan --port eno1 --exit-code").code, 1);
    let done = create(&host, "brlan --port eno1 --address none --timeout 300");
    assert!(done.out.contains("-\taddress 192.0.2.10/24") && done.out.contains("within 300 s"), "{done}");
}

#[test]
fn for_programs() {
    let host = host();
    let done = host.0.kvmnet("-o json host bridge create brlan --port eno1 --root host --dry-run").gives(0);
    let json = done.json();
    assert_eq!(json["bridge"]["name"], "brlan");
    assert_eq!((json["backend"].as_str(), json["status"].as_str()), (Some("ifupdown"), Some("planned")));
    assert_eq!(json["files"][0]["path"], "/etc/network/interfaces");
    assert!(json["commands"].as_array().unwrap().iter().any(|argv| argv[0] == "ifup"), "{json:#}");
    let failed =
        host.0.kvmnet("-o json host bridge create brlan --port eth9 --root host --dry-run").gives(2).json();
    assert!(failed["error"].as_str().unwrap().contains("eth9"), "{failed:#}");
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let host = host();
    host.link(
        "sys/devices/pci0000:00/0000:00:03.0/virtio0/net/enp0s3/master",
        "../../../../../virtual/net/bond0",
    );
    for (line, said) in [
        ("br9 --port wlan0", "Wi-Fi"),
        ("br9 --port lo", "loopback"),
        ("br9 --port docker0", "it is a bridge itself"),
        ("br9 --port vnet0", "it is a guest's"),
        ("br9 --port enp4s0", "enp4s0 is a port of br0 already"),
        ("br9 --port enp0s3", "enp0s3 is a port of bond0 already"),
        ("br9 --port eth9", "no network device 'eth9'"),
        ("br9 --port eno1 --port eno1", "given twice"),
        ("br%d --port eno1", "trips over '%'"),
        ("a;b --port eno1", "trips over ';'"),
        ("br$x --port eno1", "trips over '$'"),
        ("br* --port eno1", "trips over '*'"),
        ("br\u{e4} --port eno1", "trips over 'ä'"),
        ("_br0 --port eno1", "looks like an option"),
        ("10 --port eno1", "a device's number"),
        ("0x1f --port eno1", "a device's number"),
        ("br0.5 --port eno1", "looks like a VLAN"),
        ("eno1 --port eno1", "its own port"),
        ("eth0 --port eno1", "the name eth0 is taken"),
        ("br9 --port eno1 --gateway 198.51.100.1 --address 192.0.2.10/24", "in no subnet"),
        ("br9 --port eno1 --gateway 192.0.2.10 --address 192.0.2.10/24", "own address"),
        ("br9 --port eno1 --gateway 192.0.2.1 --address none", "--address none"),
        ("br9 --port eno1 --gateway 198.51.100.1", "in no subnet"),
        ("br9 --port eno1 --gateway 192.0.2.10", "own address"),
        ("br9 --port eno1 --gateway 192.0.2.255", "no host's address in 192.0.2.0/24"),
        ("br9 --port eno1 --gateway 192.0.2.0", "no host's address in 192.0.2.0/24"),
        ("br9 --port eno1 --gateway 2001:db8::1", "needs an address of its family"),
        ("br9 --port eno1 --gateway 127.0.0.1", "can't be its own router"),
        ("br9 --port eno1 --gateway 224.0.0.5", "no host has that address"),
        ("br9 --port eno1 --gateway 0.0.0.0", "no host has that address"),
        ("br9 --port eno1 --dns 0.0.0.0", "no host has that address"),
        ("br9 --port eno1 --address 192.0.2.5/0", "every host there is"),
        ("br9 --port eno1 --address 255.255.255.255/32", "no host can have it"),
        ("br9 --port eno1 --address 2001:db8::1", "2001:db8::1/64"),
        ("br9 --port eno1 --address dhcp --address 192.0.2.10/24", "each stand alone"),
        ("br9 --port eno1 --address 192.0.2.10", "192.0.2.10/24"),
        ("br9 --port eno1 --address 192.0.2.0/24", "subnet's"),
        ("br9 --port eno1 --mac 01:00:5e:00:00:01", "group"),
        ("br9 --port eno1 --forward-delay 4", "while STP is off"),
        ("br9 --port eno1 --stp on --forward-delay 1", "2 to 30"),
        ("br9 --port eno1 --timeout 0", "0"),
        ("br9 --port eno1 --timeout 4", "5"),
        ("br9 --port eno1 --address 192.0.2.10/24 --address 192.0.2.10/24", "192.0.2.10 is given twice"),
        ("br9 --port eno1 --address 192.0.2.10/24 --address 192.0.2.10/25", "192.0.2.10 is given twice"),
        ("br9 --port eno1 --dns 192.0.2.1 --dns 192.0.2.1", "192.0.2.1 is given twice"),
        ("br9 --port eno1 --address 192.0.2.255/24", "all hosts of its subnet"),
        ("bridge-with-a-long-name --port eno1", "15 at most"),
    ] {
        let done = create(&host, line);
        assert!(done.code == 2 && done.err.contains(said), "{line}: {said}\n{done}");
        assert!(!done.err.contains("panicked"), "{done}");
    }
    let done = host.0.kvmnet("host bridge create --port eno1 --root host --dry-run -- -br0").gives(2);
    assert!(done.err.contains("looks like an option"), "{done}");
}

#[test]
fn an_idle_nic_is_for_what_configures_the_others() {
    let host = host();
    let done = create(&host, "br9 --port eth0 --address none");
    assert!(done.code == 0 && done.out.contains("makes bridge br9 of eth0 (ifupdown)"), "{done}");
    host.write("etc/netplan/01.yaml", "network:\n  ethernets:\n    enp4s0:\n      dhcp4: true\n");
    let done = create(&host, "br9 --port eth0 --address none");
    assert!(done.code == 2 && done.err.contains("nothing on this host configures eth0"), "{done}");
}

/// The kernel gives a NIC's frames to one taker only.
#[test]
fn a_nic_that_guests_are_on_is_refused_and_what_others_lose_is_told() {
    let host = host();
    host.write(
        "etc/libvirt/qemu/web1.xml",
        "<domain><name>web1</name><devices><interface type='direct'><source dev='eno1'/></interface></devices></domain>",
    );
    host.write(
        "etc/libvirt/qemu/web2.xml",
        "<domain><name>web2</name><devices><interface type='network'><source network='pool'/></interface></devices></domain>",
    );
    host.write(
        "etc/libvirt/qemu/networks/pool.xml",
        "<network><name>pool</name><forward mode='bridge'><interface dev='eno1'/></forward></network>",
    );
    host.write(
        "etc/libvirt/qemu/networks/out.xml",
        "<network><name>out</name><forward mode='nat' dev='eno1'/><bridge name='virbr5'/></network>",
    );
    let done = create(&host, "br9 --port eno1");
    assert_eq!(done.code, 0, "{done}");
    for said in [
        "web1, web2; 'kvmnet convert web1 --nic POSITION --to-bridge br9' moves one",
        "network out lets traffic out by eno1 only",
    ] {
        assert!(done.out.contains(said), "{said}: {done}");
    }
    host.device(30, "virtual", "macvtap0", &[("uevent", "DEVTYPE=macvtap")]);
    host.link("sys/devices/virtual/net/macvtap0/lower_eno1", "../eno1");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains("macvtap0 takes its frames"), "{done}");
    assert!(done.err.contains("(web1, web2)"), "{done}");
}

#[test]
fn a_file_that_is_masked_counts_as_an_empty_one() {
    let host = hardware();
    let unit = "/usr/lib/systemd/system/systemd-networkd.service";
    host.link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", unit);
    host.link("etc/systemd/network/10-all.network", "/dev/null");
    host.write(
        "usr/lib/systemd/network/10-all.network",
        "[Match]\nName=*\n\n[Network]\nLinkLocalAddressing=no\n",
    );
    host.write("etc/systemd/network/20-lan.network", "[Match]\nName=eno1\n\n[Network]\nDHCP=yes\n");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 0 && done.out.contains("20-lan.network"), "{done}");
}

/// It writes profiles without a UUID, which NetworkManager knows by one that it makes of their paths.
#[test]
fn netplan_writes_for_networkmanager() {
    let host = hardware();
    host.link(NM, "/usr/lib/systemd/system/NetworkManager.service");
    host.write(
        "etc/netplan/01.yaml",
        "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n    eno1: {dhcp4: true}\n",
    );
    host.write(
        "run/NetworkManager/system-connections/netplan-eno1.nmconnection",
        "[connection]\nid=netplan-eno1\ntype=ethernet\ninterface-name=eno1\n\n[ipv4]\nmethod=auto\n",
    );
    host.write(
        "run/NetworkManager/devices/4",
        "[device]\nmanaged=true\nconnection-uuid=6051479d-df65-3705-9f22-99be0f7f2e09\n",
    );
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 0 && done.out.contains("makes bridge br9 of eno1 (netplan)"), "{done}");
}

#[test]
fn somebody_elses_bridge_is_refused() {
    let host = host();
    // A network of libvirt's keeps its bridge's name while it doesn't run.
    host.write(
        "etc/libvirt/qemu/networks/lab.xml",
        "<network><name>lab</name><forward mode='nat'/><bridge name='virbr5'/></network>",
    );
    for (name, said) in [
        ("docker0", "none of ifupdown's files makes it"),
        ("br0", "none of ifupdown's files makes it"),
        ("virbr5", "the bridge of libvirt's network 'lab'"),
    ] {
        let done = create(&host, &format!("{name} --port eno1"));
        assert!(done.code == 2 && done.err.contains(said), "{name}: {done}");
    }
    // That NetworkManager looks on at it doesn't make it NetworkManager's.
    let host = hardware();
    host.link(NM, "/usr/lib/systemd/system/NetworkManager.service");
    host.write(
        "run/NetworkManager/system-connections/docker0.nmconnection",
        "[connection]\nid=docker0\nuuid=633624e0-ceca-4e89-a57c-aa9f9b6d0001\ntype=bridge\ninterface-name=docker0\n\n[.nmmeta]\n\
         nm-generated=true\nvolatile=true\nexternal=true\n",
    );
    host.write(
        "etc/NetworkManager/system-connections/eno1.nmconnection",
        "[connection]\nid=eno1\nuuid=633624e0-ceca-4e89-a57c-aa9f9b6d0002\ntype=ethernet\ninterface-name=eno1\n\n[ipv4]\nmethod=auto\n",
    );
    let done = create(&host, "docker0 --port eno1");
    assert!(done.code == 2 && done.err.contains("the name docker0 is taken"), "{done}");
    // That its files give it an address doesn't make it networkd's.
    let host = hardware();
    for name in ["eno1", "docker0"] {
        host.write(
            &format!("etc/systemd/network/{name}.network"),
            &format!("[Match]\nName={name}\n[Network]\nDHCP=yes\n"),
        );
    }
    let done = create(&host, "docker0 --port eno1 --backend networkd");
    assert!(done.code == 2 && done.err.contains("none of networkd's files makes it"), "{done}");
}

#[test]
fn two_who_configure_a_nic_are_both_named() {
    let host = host();
    host.write("etc/netplan/01.yaml", "network:\n  ethernets:\n    eno1:\n      dhcp4: true\n");
    let done = create(&host, "br9 --port eno1");
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("netplan (/etc/netplan/01.yaml) and by ifupdown (/etc/network/interfaces)"),
        "{done}"
    );
    let done = create(&host, "br9 --port eno1 --backend netplan");
    assert!(done.code == 0 && done.out.contains("bridges:"), "{done}");
}

#[test]
fn secrets_in_the_files_are_not_shown() {
    let host = host();
    host.write("etc/network/interfaces", INTERFACES);
    let done = create(&host, "br9 --port eno1 --address dhcp");
    assert!(!format!("{done}").contains("hunter2"), "{done}");
    let host = hardware();
    host.write(
        "etc/netplan/01.yaml",
        "network:\n  ethernets:\n    eno1: {auth: {key-management: 802.1x, password: hunter2}}\n",
    );
    let done = create(&host, "br9 --port eno1 --address dhcp");
    assert!(done.code == 0 && done.out.contains("password: ***"), "{done}");
    assert!(!format!("{done}").contains("hunter2"), "{done}");
}

#[test]
fn a_copy_of_nothing_but_the_configuration_will_do() {
    let host = Files::new();
    host.write("etc/systemd/network/10-lan.network", "[Match]\nName=enp4s0\n\n[Network]\nDHCP=yes\n");
    let unit = "/usr/lib/systemd/system/systemd-networkd.service";
    host.link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", unit);
    let done = create(&host, "br0 --port enp4s0");
    assert!(done.code == 0 && done.out.contains("stands for the MAC address of enp4s0"), "{done}");
    let done = create(&host, "br0 --port enp4s0 --mac 52:54:00:00:00:01");
    assert!(done.code == 0 && done.out.contains("+++ b/etc/systemd/network/"), "{done}");
}

#[test]
fn a_bridge_is_deleted_only_if_nobody_uses_it() {
    let host = hardware();
    host.write(
        "etc/network/interfaces",
        "auto br0\niface br0 inet static\n\taddress 192.0.2.10/24\n\tbridge_ports enp4s0\n\tbridge_stp off\n\tbridge_fd 0\n",
    );
    let delete =
        |more: &str| host.0.kvmnet(&format!("host bridge delete br0 --root host --dry-run {more}")).run();
    host.write(
        "etc/libvirt/qemu/networks/lan.xml",
        "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>",
    );
    host.write(
        "etc/libvirt/qemu/web1.xml",
        "<domain><name>web1</name><devices><interface type='network'><source network='lan'/></interface></devices></domain>",
    );
    let done = delete("");
    assert!(done.code == 2 && done.err.contains("'web1'") && done.err.contains("'lan'"), "{done}");
    let done = delete("--force");
    assert!(done.code == 0 && done.out.contains("+iface enp4s0 inet static"), "{done}");
    // A container's.
    host.write("etc/libvirt/qemu/networks/lan.xml", "<network><name>lan</name></network>");
    host.device(31, "virtual", "veth9", &[("uevent", "INTERFACE=veth9")]);
    host.link("sys/devices/virtual/net/veth9/master", "../br0");
    let done = delete("");
    assert!(done.code == 2 && done.err.contains("veth9"), "{done}");
    let docker = host.0.kvmnet("host bridge delete eno1 --root host --dry-run").run();
    assert!(docker.code == 2 && docker.err.contains("is no bridge"), "{docker}");
    let none = host.0.kvmnet("host bridge delete br7 --root host --dry-run").run();
    assert!(none.code == 0 && none.out.contains("no such bridge"), "{none}");
}

/// A host whose NIC netplan configures, in a file of cloud-init's.
fn of_cloud_init() -> Files {
    let host = hardware();
    let text = "# This file is generated from information provided by the datasource.\n# cloud-init\nnetwork:\n  ethernets:\n    \
                eno1:\n      dhcp4: true\n  version: 2\n";
    host.write("etc/netplan/50-cloud-init.yaml", text);
    host
}

#[test]
fn cloud_init_is_judged_by_what_its_files_say() {
    let off = "network: {config: disabled}\n";
    for (files, is_off) in [
        (&[][..], false),
        (&[("cloud.cfg.d/99-disable-network-config.cfg", off)], true),
        (&[("cloud.cfg.d/99-disable-network-config.cfg", "network: {version: 2}\n")], false),
        (&[("cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg", off)], true),
        (&[("cloud.cfg", "users: []\nnetwork:\n  config: disabled\n")], true),
        (&[("cloud.cfg.d/01.cfg", off), ("cloud.cfg.d/02.cfg", "network:\n  config: enabled\n")], false),
        (
            &[("cloud.cfg.d/01.cfg.bak", off), ("cloud.cfg.d/02.cfg", "# network: {config: disabled}\n")],
            false,
        ),
        (&[("cloud-init.disabled", "")], true),
    ] {
        let host = of_cloud_init();
        files.iter().for_each(|(name, text)| host.write(&format!("etc/cloud/{name}"), text));
        let done = create(&host, "br9 --port eno1");
        assert_eq!(done.code, if is_off { 0 } else { 2 }, "{files:?}: {done}");
        assert_eq!(done.err.contains("cloud-init writes this file anew"), !is_off, "{files:?}: {done}");
    }
    let host = of_cloud_init();
    for program in ["netplan", "ip"] {
        host.write(&format!("usr/bin/{program}"), "");
    }
    assert_eq!(create(&host, "br9 --port eno1").code, 0, "cloud-init isn't installed");
    host.write("usr/bin/cloud-init", "");
    assert_eq!(create(&host, "br9 --port eno1").code, 2);
}

#[test]
fn why_nobody_configures_a_nic_is_said() {
    let host = hardware();
    host.write("etc/netplan/01.yaml", "network:\n  ethernets:\n\teno1:\n      dhcp4: true\n");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains("/etc/netplan/01.yaml:3"), "{done}");

    // Neither for an idle NIC is it taken to be what configures the others.
    host.write("etc/network/interfaces", &INTERFACES.replace("eno1", "enp9s0"));
    let done = create(&host, "br9 --port eno1 --address none");
    assert!(done.code == 2 && done.err.contains("/etc/netplan/01.yaml:3"), "{done}");
    let host = hardware();
    host.write("etc/network/interfaces", "auto lo\niface lo inet loopback\n");
    let done = create(&host, "br9 --port eno1 --address none");
    assert!(done.code == 2 && done.err.contains("nothing on this host configures eno1"), "{done}");

    let host = self::host();
    host.write("usr/sbin/ip", "");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains("/etc/network/interfaces"), "{done}");
    assert!(done.err.contains("neither ifup nor ifreload is installed"), "{done}");
}

const NM: &str = "etc/systemd/system/multi-user.target.wants/NetworkManager.service";

#[test]
fn a_tool_that_is_missing_is_missed_before_anything_is_written() {
    let unit = "/usr/lib/systemd/system/systemd-networkd.service";
    let host = hardware();
    host.write("etc/systemd/network/10-lan.network", "[Match]\nName=eno1\n\n[Network]\nDHCP=yes\n");
    host.link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", unit);
    host.write("usr/bin/ip", "");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains("networkctl isn't installed"), "{done}");
    host.write("usr/bin/networkctl", "");
    assert_eq!(create(&host, "br9 --port eno1").code, 0);

    let host = hardware();
    host.link(NM, "/usr/lib/systemd/system/NetworkManager.service");
    host.write(
        "etc/NetworkManager/system-connections/lan.nmconnection",
        "[connection]\nid=lan\nuuid=3f0c1d62-5a2b-4f4e-9a39-3a4e6d2b1c11\ntype=ethernet\ninterface-name=eno1\n\n[ipv4]\n\
         method=auto\n",
    );
    host.write("usr/bin/busctl", "");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains("nmcli isn't installed"), "{done}");
}

#[test]
fn a_second_default_route_is_refused_from_the_files_too() {
    let more = "br9 --port eno1 --address 192.0.2.10/24 --gateway 192.0.2.1";
    let refused = |host: &Files, file: &str| {
        let done = create(host, more);
        assert!(done.code == 2 && done.err.contains("198.51.100.1"), "{file}: {done}");
        assert!(done.err.contains(file) && done.err.contains("enp9s0"), "{file}: {done}");
        assert_eq!(create(host, "br9 --port eno1 --address 192.0.2.10/24").code, 0);
    };
    let host = hardware();
    host.write(
        "etc/network/interfaces",
        "auto eno1 enp9s0\niface eno1 inet dhcp\niface enp9s0 inet static\n\taddress 198.51.100.2/24\n\tgateway 198.51.100.1\n",
    );
    refused(&host, "/etc/network/interfaces");

    let unit = "/usr/lib/systemd/system/systemd-networkd.service";
    let host = hardware();
    host.link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", unit);
    host.write("etc/systemd/network/10-lan.network", "[Match]\nName=eno1\n\n[Network]\nDHCP=yes\n");
    host.write(
        "etc/systemd/network/20-wan.network",
        "[Match]\nName=enp9s0\n\n[Network]\nAddress=198.51.100.2/24\n\n[Route]\nGateway=198.51.100.1\n",
    );
    refused(&host, "/etc/systemd/network/20-wan.network");

    let host = hardware();
    host.link(NM, "/usr/lib/systemd/system/NetworkManager.service");
    let profile = |name: &str, n: u32, rest: &str| {
        host.write(
            &format!("etc/NetworkManager/system-connections/{name}.nmconnection"),
            &format!(
                "[connection]\nid={name}\nuuid=3f0c1d62-5a2b-4f4e-9a39-3a4e6d2b1c1{n}\ntype=ethernet\ninterface-name={name}\n\n\
                 [ipv4]\n{rest}"
            ),
        );
    };
    profile("eno1", 1, "method=auto\n");
    profile("enp9s0", 2, "method=manual\naddress1=198.51.100.2/24,198.51.100.1\n");
    refused(&host, "enp9s0.nmconnection");

    let host = hardware();
    host.write(
        "etc/netplan/01.yaml",
        "network:\n  ethernets:\n    eno1: {dhcp4: true}\n    enp9s0:\n      addresses: [198.51.100.2/24]\n      routes:\n      \
         - {to: default, via: 198.51.100.1}\n",
    );
    refused(&host, "/etc/netplan/01.yaml");
}

#[test]
fn two_ways_out_by_dhcp_are_told_of() {
    let host = hardware();
    let wan = "iface enp9s0 inet static\n\taddress 198.51.100.2/24\n\tgateway 198.51.100.1\n";
    host.write("etc/network/interfaces", &format!("auto eno1 enp9s0\niface eno1 inet manual\n{wan}"));
    let done = create(&host, "br9 --port eno1 --address dhcp");
    assert!(done.code == 0 && done.to_string().contains("198.51.100.1"), "{done}");
    assert!(done.to_string().contains("two default routes"), "{done}");
}

#[test]
fn files_of_network_scripts_are_networkmanagers() {
    let host = hardware();
    host.link(NM, "/usr/lib/systemd/system/NetworkManager.service");
    let file = "/etc/sysconfig/network-scripts/ifcfg-lan";
    host.write(&file[1..], "TYPE=Ethernet\nNAME=\"lan\"\nDEVICE=eno1\nBOOTPROTO=dhcp\nONBOOT=yes\n");
    let done = host.0.kvmnet("host nics --root host").gives(0);
    let line = done.out.lines().find(|line| line.starts_with("eno1")).unwrap();
    assert!(line.contains("networkmanager"), "{done}");
    let done = create(&host, "br9 --port eno1");
    assert!(done.code == 2 && done.err.contains(file), "{done}");
    assert!(done.err.contains("nmcli connection migrate"), "{done}");
}

#[test]
fn a_bridge_keeps_what_is_not_spoken_of() {
    let host = hardware();
    host.write(
        "etc/network/interfaces",
        "auto br0\niface br0 inet static\n\taddress 192.0.2.10/24\n\tbridge_ports enp4s0\n\tbridge_stp on\n\tbridge_fd 4\n\t\
         bridge_hw 52:54:00:00:00:99\n",
    );
    host.write("sys/devices/virtual/net/br0/bridge/stp_state", "1\n");
    host.write("sys/devices/virtual/net/br0/bridge/forward_delay", "400\n");
    host.write("sys/devices/virtual/net/br0/address", "52:54:00:00:00:99\n");
    let done = create(&host, "br0 --port enp4s0 --exit-code");
    assert!(done.code == 0 && done.to_string().contains("is there already, just so"), "{done}");
    assert_eq!(create(&host, "br0 --port enp4s0 --stp off --exit-code").code, 1);
}

#[test]
fn programs_that_fail_early_get_the_verbs_own_document() {
    let host = host();
    for (line, key) in [
        ("host bridge create brlan --port eth9 --root host --dry-run", "bridge"),
        ("host bridge create brlan", "bridge"),
        ("host bridge delete br0 --exit-code", "bridge"),
        ("host bridge show br77", "bridge"),
        ("host nics --root nowhere", "nics"),
    ] {
        let json = host.0.kvmnet(&format!("-o json {line}")).gives(2).json();
        assert!(json["error"].is_string() && json.get("changes").is_none(), "{line}: {json:#}");
        assert!(json.get(key).is_some_and(serde_json::Value::is_null), "{line}: {json:#}");
    }
    let json =
        host.0.kvmnet("-o json host bridge create brlan --port eth9 --root host --dry-run").gives(2).json();
    assert_eq!(json["status"], "failed");
}
