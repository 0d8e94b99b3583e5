//! Made-up hosts as folders: `/sys`, `/etc`, `/run`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Sandbox;

/// A host's files in a folder, laid out as the kernel does it.
pub(crate) struct Files(pub(crate) Sandbox);

impl Files {
    pub(crate) fn new() -> Files {
        let files = Files(Sandbox::new());
        std::fs::create_dir_all(files.root().join("sys/class/net")).unwrap();
        files
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.0.path("host")
    }

    /// A file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.0.write(Path::new("host").join(path), text);
    }

    /// A symbolic link.
    pub(crate) fn link(&self, path: &str, target: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// A device at a place below `/sys/devices`, with its attributes; up and with a carrier, if nothing else is said.
    pub(crate) fn device(&self, index: u32, place: &str, name: &str, attributes: &[(&str, &str)]) {
        let dir = format!("sys/devices/{place}/net/{name}");
        self.link(&format!("sys/class/net/{name}"), &format!("../../devices/{place}/net/{name}"));
        let (number, mac) = (index.to_string(), format!("52:54:00:00:00:{index:02x}"));
        let usual = [
            ("ifindex", number.as_str()),
            ("address", &mac),
            ("type", "1"),
            ("mtu", "1500"),
            ("flags", "0x1003"),
            ("carrier", "1"),
            ("addr_assign_type", "0"),
            ("name_assign_type", "1"),
            ("dev_port", "0"),
        ];
        for (file, text) in usual.iter().chain(attributes) {
            self.write(&format!("{dir}/{file}"), &format!("{text}\n"));
        }
    }

    /// One with hardware, and its driver.
    pub(crate) fn nic(&self, index: u32, place: &str, name: &str, driver: &str, attributes: &[(&str, &str)]) {
        self.device(index, place, name, attributes);
        let up = "../".repeat(place.split('/').count() + 1);
        self.link(&format!("sys/devices/{place}/net/{name}/device"), "../..");
        self.link(&format!("sys/devices/{place}/driver"), &format!("{up}bus/x/drivers/{driver}"));
    }

    pub(crate) fn nics(&self) -> Value {
        self.0.kvmnet("-o json host nics --root host").gives(0).json()
    }
}

/// The device of that name.
pub(crate) fn of<'a>(nics: &'a Value, name: &str) -> &'a Value {
    let all = nics["nics"].as_array().unwrap();
    all.iter().find(|nic| nic["name"] == name).unwrap_or_else(|| panic!("no {name} in {nics:#}"))
}

const ROOT: &str = "pci0000:00";

/// A host with all kinds of NICs.
pub(crate) fn hardware() -> Files {
    let host = Files::new();
    host.nic(
        2,
        &format!("{ROOT}/0000:00:1c.0/0000:04:00.0"),
        "enp4s0",
        "igc",
        &[("speed", "2500"), ("duplex", "full")],
    );
    host.nic(3, &format!("{ROOT}/0000:00:1c.1/0000:05:00.0"), "eth0", "e1000e", &[("carrier", "0")]);
    host.nic(4, &format!("{ROOT}/0000:00:1f.6"), "eno1", "e1000e", &[("speed", "-1"), ("flags", "0x1002")]);
    host.write(&format!("sys/devices/{ROOT}/0000:00:1f.6/acpi_index"), "1\n");
    let usb = format!("{ROOT}/0000:00:14.0/usb2/2-2/2-2:1.0");
    host.nic(5, &usb, "enx525400000005", "cdc_ether", &[("addr_assign_type", "1")]);
    host.nic(
        6,
        &format!("{ROOT}/0000:00:1c.2/0000:03:00.0"),
        "wlan0",
        "iwlwifi",
        &[("uevent", "DEVTYPE=wlan\nINTERFACE=wlan0")],
    );
    host.nic(
        7,
        &format!("{ROOT}/0000:00:01.0/0000:41:00.0"),
        "ens2f0np0",
        "mlx5_core",
        &[("phys_port_name", "p0")],
    );
    host.write("sys/bus/pci/slots/2/address", "0000:41:00\n");
    let mut config = [0_u8; 64];
    config[14] = 0x80;
    std::fs::write(host.root().join(format!("sys/devices/{ROOT}/0000:00:01.0/0000:41:00.0/config")), config)
        .unwrap();
    host.nic(
        8,
        &format!("{ROOT}/0000:00:1c.3/0000:06:00.0"),
        "enp9s0",
        "igb",
        &[("speed", "100"), ("duplex", "half")],
    );
    host.nic(9, &format!("{ROOT}/0000:00:03.0/virtio0"), "enp0s3", "virtio_net", &[]);
    let virt = "virtual";
    host.device(1, virt, "lo", &[("type", "772"), ("address", "00:00:00:00:00:00"), ("mtu", "65536")]);
    host.device(20, virt, "br0", &[("bridge/stp_state", "0")]);
    host.device(21, virt, "bond0", &[("bonding/mode", "active-backup 1"), ("uevent", "DEVTYPE=bond")]);
    host.device(22, virt, "enp4s0.100", &[("uevent", "DEVTYPE=vlan")]);
    host.link("sys/devices/virtual/net/enp4s0.100/lower_enp4s0", "../enp4s0");
    host.write("proc/net/vlan/enp4s0.100", "enp4s0.100  VID: 100\t REORDER_HDR: 1  dev->priv_flags: 1021\n");
    host.device(23, virt, "vnet0", &[("tun_flags", "0x1002"), ("speed", "10")]);
    host.device(24, virt, "docker0", &[("bridge/stp_state", "0"), ("uevent", "DEVTYPE=bridge")]);
    host.device(25, virt, "virbr0", &[]);
    for port in ["enp4s0", "vnet0"] {
        let up = if port == "vnet0" { ".." } else { "../../../../../virtual/net" };
        let place = host.root().join("sys/class/net").join(port).canonicalize().unwrap();
        symlink(format!("{up}/br0"), place.join("master")).unwrap();
    }
    // What isn't a device, and one that goes while it is looked at.
    host.write("sys/class/net/bonding_masters", "bond0\n");
    host.link("sys/class/net/gone0", "../../devices/virtual/net/gone0");
    host
}
