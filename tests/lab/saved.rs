//! Guests that are more than a definition: saved memory, snapshots, no definition at all; and those who may only look.

use crate::lab::Lab;
use crate::lab::xml::{MOVED, changes, guest, on_network, plain};

/// A guest whose memory is saved, with its NIC on `default`.
fn saved(lab: &Lab, name: &str) {
    lab.define(&plain(name, 1));
    lab.virsh(&["start", name]);
    lab.virsh(&["managedsave", name]);
}

/// Whether there is a memory image for the guest's next start.
fn has_image(lab: &Lab, name: &str) -> bool {
    lab.virsh(&["dominfo", name]).lines().any(|l| l.starts_with("Managed save:") && l.ends_with("yes"))
}

#[test]
fn saved_memory_wants_a_decision() {
    let Some(lab) = Lab::start() else { return };
    for name in ["edited", "kept", "dropped"] {
        saved(&lab, name);
    }
    let original = lab.xml("edited");
    let convert = |name: &str, how: &[&str]| {
        lab.kvmnet(&[&["convert", name, "--to-bridge", "br0", "-y"], how].concat())
    };
    convert("edited", &[]).exits(2).says(&["--managed-save"]);
    assert_eq!(lab.xml("edited"), original);

    convert("edited", &["--managed-save", "edit"]).ok();
    convert("kept", &["--managed-save", "keep"]).ok();
    convert("dropped", &["--managed-save", "discard"]).ok();
    assert_eq!(changes(&original, &lab.xml("edited")), MOVED);
    assert!(has_image(&lab, "edited"));
    assert!(has_image(&lab, "kept"));
    assert!(!has_image(&lab, "dropped"));
    assert_eq!(lab.boot_and_see("edited", 1), "br0", "the image was edited too");
    assert_eq!(lab.boot_and_see("kept", 1), "virbr0", "the image has a NIC of its own");
    assert_eq!(lab.boot_and_see("kept", 1), "br0", "and is used once");
    assert_eq!(lab.boot_and_see("dropped", 1), "br0");
}

#[test]
fn undo_takes_saved_memory_along() {
    let Some(lab) = Lab::start() else { return };
    saved(&lab, "vm1");
    let original = lab.xml("vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--managed-save", "edit", "-y"]).ok();
    assert_eq!(changes(&original, &lab.xml("vm1")), MOVED);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
    assert_eq!(lab.boot_and_see("vm1", 1), "virbr0");
}

#[test]
fn snapshots_that_hold_the_old_nic_are_named() {
    let Some(lab) = Lab::start() else { return };
    let disk = "/var/lib/libvirt/images/vm1.qcow2";
    lab.host(&["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"]).ok();
    let disk = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>\
         <target dev='vda' bus='virtio'/></disk>"
    );
    lab.define(&guest("vm1", &[on_network("default", 1)], &disk));
    let original = lab.xml("vm1");
    lab.virsh(&["snapshot-create-as", "vm1", "before-move"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--dry-run"]).ok().says(&["before-move"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).ok();
    assert_eq!(changes(&original, &lab.xml("vm1")), MOVED);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_transient_guest_is_left_alone() {
    let Some(lab) = Lab::start() else { return };
    lab.virsh(&["create", &lab.file("transient.xml", &plain("vm1", 1))]);
    let live = lab.virsh(&["dumpxml", "vm1"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).exits(2).says(&["transient"]);
    assert!(lab.virsh(&["list", "--transient", "--name"]).contains("vm1"), "it must not become persistent");
    assert_eq!(lab.virsh(&["dumpxml", "vm1"]), live);
}

#[test]
fn who_may_only_look_changes_nothing() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    let original = lab.xml("vm1");
    // The program may lie where only root can read; what is bound to another place can be reached there.
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_kvmnet"));
    let dir = program.parent().unwrap().to_str().unwrap();
    lab.lan(&["mkdir", "/run/lab/bin"]).ok();
    lab.lan(&["mount", "--bind", dir, "/run/lab/bin"]).ok();
    // libvirt's socket for everything is for root here; that for looking is for all.
    lab.lan(&["chmod", "0700", "/run/libvirt/libvirt-sock"]).ok();
    lab.lan(&["mkdir", "-m", "0777", "/run/lab/nobody"]).ok();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let env =
        ["env", "HOME=/run/lab/nobody", "KVMNET_STATE_DIR=/run/lab/nobody/state", "/run/lab/bin/kvmnet"];
    let convert = ["-c", "qemu:///system", "convert", "vm1", "--to-bridge", "br0"];
    let run = |more: &[&str]| lab.host(&[&nobody, &env[..], &convert, more].concat());
    let preview = run(&["--dry-run"]);
    assert!(preview.code == 0 || preview.code == 2, "{}", preview.report());
    run(&["-y"]).exits(2).says(&["read-only", "permission", "denied"]);
    assert_eq!(lab.xml("vm1"), original);
}

#[test]
fn a_kept_image_is_not_forgotten() {
    let Some(lab) = Lab::start() else { return };
    saved(&lab, "vm1");
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--managed-save", "keep", "-y"]).ok();
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "-y"]).exits(2).says(&["--managed-save"]);
    lab.kvmnet(&["convert", "vm1", "--to-bridge", "br0", "--managed-save", "edit", "-y"]).ok();
    assert_eq!(lab.boot_and_see("vm1", 1), "br0");
}
