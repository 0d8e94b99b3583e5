//! Definitions that nobody here wrote: `fixtures/real/`, made by virt-install and kept by a real libvirtd.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::xml::changes;
use crate::lab::{Lab, Out};

/// One guest as virt-install makes it.
struct Recipe {
    name: &'static str,
    /// Whether it is also started, for a dump of the running guest.
    live: bool,
    /// virt-install's arguments, besides those in [`COMMON`].
    args: &'static str,
}

/// What every guest gets; the last of an argument given twice counts.
const COMMON: &str = "--import --noautoconsole --memory 2048 --vcpus 2 --virt-type qemu";

/// The guests: cloud images with a seed, desktops, Windows, and every way to connect a NIC that virt-install knows.
const RECIPES: [Recipe; 14] = [
    Recipe {
        name: "jammy-cloud",
        live: true,
        args: "--osinfo ubuntu22.04 --disk /var/lib/libvirt/images/jammy-cloud.qcow2 \
               --disk /var/lib/libvirt/images/jammy-cloud-seed.iso,device=cdrom \
               --network network=default,mac=52:54:00:8c:1f:01 --graphics vnc",
    },
    Recipe {
        name: "bullseye-cloud",
        live: true,
        args: "--osinfo debian11 --disk /var/lib/libvirt/images/bullseye-cloud.qcow2 \
               --disk /var/lib/libvirt/images/bullseye-cloud-seed.iso,device=cdrom \
               --network network=default,mac=52:54:00:8c:1f:02 --graphics none --console pty,target.type=serial",
    },
    Recipe {
        name: "desktop-q35",
        live: true,
        args: "--osinfo ubuntu22.04 --machine q35 --disk /var/lib/libvirt/images/desktop-q35.qcow2 \
               --network network=default,mac=52:54:00:8c:1f:03 --graphics vnc,listen=127.0.0.1 --video virtio \
               --channel qemu-vdagent,source.clipboard.copypaste=on --sound ich9 --input tablet,bus=usb \
               --rng /dev/urandom --watchdog itco,action=reset --boot menu=on \
               --metadata title=Desktop,description=Tests",
    },
    Recipe {
        name: "legacy-pc",
        live: false,
        args: "--osinfo debian7 --machine pc --disk /var/lib/libvirt/images/legacy-pc.qcow2,bus=ide \
               --network network=default,mac=52:54:00:8c:1f:04,model=rtl8139 --graphics vnc",
    },
    Recipe {
        name: "win10-e1000e",
        live: false,
        args: "--osinfo win10 --virt-type kvm --disk /var/lib/libvirt/images/win10-e1000e.qcow2,bus=sata \
               --network network=default,mac=52:54:00:8c:1f:05,model=e1000e --graphics vnc",
    },
    Recipe {
        name: "win10-virtio",
        live: false,
        args: "--osinfo win10 --virt-type kvm --disk /var/lib/libvirt/images/win10-virtio.qcow2,bus=virtio \
               --network network=default,mac=52:54:00:8c:1f:06,model=virtio,driver.queues=2 --graphics vnc",
    },
    Recipe {
        name: "two-networks",
        live: true,
        args: "--osinfo debian11 --disk none --network network=default,mac=52:54:00:8c:1f:07 \
               --network network=storage,mac=52:54:00:8c:1f:08,model=e1000 --graphics none",
    },
    Recipe {
        name: "macvtap",
        live: false,
        args: "--osinfo debian11 --disk none \
               --network type=direct,source=enp4s0,source.mode=bridge,mac=52:54:00:8c:1f:09 --graphics vnc",
    },
    Recipe {
        name: "bridged",
        live: true,
        args: "--osinfo debian11 --disk none --network bridge=br0,mac=52:54:00:8c:1f:0a --graphics vnc",
    },
    Recipe {
        name: "usermode",
        live: false,
        args: "--osinfo debian11 --disk none --network user,mac=52:54:00:8c:1f:0b --graphics none",
    },
    Recipe {
        name: "portgroup",
        live: false,
        args: "--osinfo debian11 --disk none \
               --network network=storage,portgroup=slow,mac=52:54:00:8c:1f:0c --graphics none",
    },
    Recipe {
        name: "filtered",
        live: false,
        args: "--osinfo debian11 --disk none \
               --network network=default,mac=52:54:00:8c:1f:0d,filterref.filter=clean-traffic,\
xpath1.set=./filterref/parameter/@name=IP,xpath2.set=./filterref/parameter/@value=192.168.122.77 --graphics none",
    },
    Recipe {
        name: "vnc-password",
        live: true,
        args: "--osinfo debian11 --disk none --network network=default,mac=52:54:00:8c:1f:0e \
               --graphics vnc,listen=0.0.0.0,password=s3cretPw",
    },
    Recipe {
        name: "many-nics",
        live: true,
        args: "--osinfo debian11 --disk none \
               --network network=default,mac=52:54:00:8c:1f:11,boot.order=1 \
               --network network=default,mac=52:54:00:8c:1f:12,link.state=down,mtu.size=1400 \
               --network network=storage,mac=52:54:00:8c:1f:13,target.dev=store0 \
               --network bridge=br0,mac=52:54:00:8c:1f:14,alias.name=ua-lan \
               --network user,mac=52:54:00:8c:1f:15 --graphics none",
    },
];

/// A second network, with a portgroup, for the guests that have more than `default`.
const STORAGE: &str = "<network><name>storage</name><uuid>4a4f9a56-8d43-4c4b-9d5a-0b1f2c3d4e5f</uuid>\
    <bridge name='virbr5' stp='on' delay='0'/><mac address='52:54:00:8c:2f:01'/><port isolated='yes'/>\
    <ip address='10.77.5.1' netmask='255.255.255.0'/><portgroup name='fast' default='yes'/>\
    <portgroup name='slow'><bandwidth><inbound average='1000' peak='5000' burst='5120'/></bandwidth></portgroup>\
    </network>";

/// The folder of the fixtures.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/real")
}

/// Runs virt-install for one recipe.
fn virt_install(lab: &Lab, nth: usize, recipe: &Recipe, print: bool) -> Out {
    let uuid = format!("5f3c2b1a-9d8e-4c7b-a654-3f2e1d0c{nth:04x}");
    let mut argv = vec!["virt-install", "--name", recipe.name, "--uuid", &uuid];
    argv.extend(COMMON.split_whitespace().chain(recipe.args.split_whitespace()));
    if print {
        argv.push("--print-xml");
    }
    lab.host(&argv).ok()
}

/// Writes `fixtures/real/` anew, when `KVMNET_WRITE_FIXTURES` is set.
#[test]
fn write_fixtures() {
    if std::env::var_os("KVMNET_WRITE_FIXTURES").is_none() {
        return;
    }
    let Some(lab) = Lab::start() else { return };
    let write = |name: String, text: &str| fs::write(folder().join(name), text).unwrap();
    fs::create_dir_all(folder()).unwrap();
    lab.network("storage", STORAGE);
    for (nth, recipe) in RECIPES.iter().enumerate() {
        let name = recipe.name;
        let disks = ["", "-seed"].map(|part| format!("/var/lib/libvirt/images/{name}{part}"));
        lab.host(&["qemu-img", "create", "-q", "-f", "qcow2", &format!("{}.qcow2", disks[0]), "20G"]).ok();
        lab.host(&["truncate", "-s", "1M", &format!("{}.iso", disks[1])]).ok();
        if recipe.live {
            virt_install(&lab, nth, recipe, false);
            write(format!("{name}.live.xml"), &lab.virsh(&["dumpxml", name]));
            lab.virsh(&["destroy", name]);
        } else {
            lab.define(&virt_install(&lab, nth, recipe, true).stdout);
        }
        write(format!("{name}.dump.xml"), &lab.virsh(&["dumpxml", "--inactive", "--security-info", name]));
        let kept = fs::read_to_string(lab.path(&format!("/etc/libvirt/qemu/{name}.xml"))).unwrap();
        write(format!("{name}.etc.xml"), &kept);
    }
    for network in ["default", "storage"] {
        write(format!("{network}.net.xml"), &lab.virsh(&["net-dumpxml", "--inactive", network]));
    }
}

/// Every fixture is moved to `br0` on a libvirtd, NICs and all, nothing else is touched, and it comes back.
#[test]
fn real_definitions_move_and_come_back() {
    let Some(lab) = Lab::start() else { return };
    lab.network("storage", STORAGE);
    let mut seen = 0;
    for recipe in &RECIPES {
        let name = recipe.name;
        let text = fs::read_to_string(folder().join(format!("{name}.dump.xml"))).unwrap();
        let defined = lab.try_virsh(&["define", &lab.file("real.xml", &text)]);
        if defined.code != 0 {
            eprintln!("LAB NOT RUN for {name}: this libvirt refuses it: {}", defined.stderr.trim());
            continue;
        }
        seen += 1;
        let original = lab.xml(name);
        let networks = original.matches("<source network=").count();
        let out = lab.kvmnet(&["convert", name, "--to-bridge", "br0", "--all-nics", "--force", "-y"]);
        let moved = lab.xml(name);
        if networks == 0 {
            assert_eq!(moved, original, "{name} has nothing on a network\n{}", out.report());
            continue;
        }
        out.ok();
        assert_eq!(moved.matches("<source network=").count(), 0, "{name}\n{moved}");
        for line in changes(&original, &moved) {
            let inner = ["<interface ", "<source ", "<port ", "<bandwidth>", "<inbound ", "</bandwidth>"];
            assert!(inner.iter().any(|start| line[1..].starts_with(start)), "{name}: {line}");
        }
        lab.kvmnet(&["undo", "-y"]).ok();
        assert_eq!(lab.xml(name), original, "{name}");
    }
    assert!(seen > 0, "no fixture could be defined");
}
