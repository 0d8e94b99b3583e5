//! `kvmnet check` on files that belong together: which of them that are, and whether all of them are there.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const NETWORK: &str = "<network><name>lab</name></network>";

fn guest(name: &str, nic: &str) -> String {
    let memory = "<memory>32768</memory><os><type>hvm</type></os>";
    format!(
        "<domain type='kvm'>\n<name>{name}</name>\n{memory}\n<devices><interface type='network'>\n{nic}\n\
         <model type='virtio'/></interface></devices></domain>\n"
    )
}

/// Files in a folder of their own.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// Codes and files of what is found about sets.
fn found(dir: &Path, paths: &[&str]) -> Vec<String> {
    let out = Command::new(env!("CARGO_BIN_EXE_kvmnet"))
        .args(["check", "--select", "KN2", "--format", "json"])
        .args(paths)
        .current_dir(dir)
        .output()
        .unwrap();
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let all = found["findings"].as_array().unwrap().iter();
    all.map(|f| format!("{} {}", f["code"].as_str().unwrap(), f["file"].as_str().unwrap())).collect()
}

#[test]
fn what_no_file_defines() {
    let (a, b) = (guest("a", "<source network='lab'/>"), guest("b", "<source network='lob'/>"));
    let dir = folder(&[("net/lab.xml", NETWORK), ("vm/a.xml", &a), ("vm/b.xml", &b)]);
    let check = |paths: &[&str]| found(dir.path(), paths);
    assert_eq!(check(&["."]), ["KN200 ./vm/b.xml"]);
    assert_eq!(check(&["net", "vm"]), ["KN200 vm/b.xml"]);
    assert_eq!(check(&["net/lab.xml", "vm/a.xml", "vm/b.xml"]), ["KN200 vm/b.xml"], "all that there are");
    assert!(check(&["net/lab.xml", "vm/b.xml"]).is_empty(), "vm/a.xml may define it");
    assert!(check(&["vm"]).is_empty(), "no networks");
    std::fs::write(dir.path().join("net/lob.xml"), NETWORK.replace("</name>", "<name>")).unwrap();
    assert!(check(&["."]).is_empty(), "who knows what a file that is no XML defines");
    let odd = NETWORK.replace("</name>", "</name><forward mode='odd'/>").replace("lab", "lob");
    std::fs::write(dir.path().join("net/lob.xml"), odd).unwrap();
    assert!(check(&["."]).is_empty(), "or one that can't be read");
    std::fs::write(dir.path().join("net/lob.xml"), "<pool/>").unwrap();
    assert_eq!(check(&["."]), ["KN200 ./vm/b.xml"], "what is no network defines none");
}

#[test]
fn silence_in_a_file() {
    let nic = "<source network='default'/><mac address='52:54:00:00:00:01'/>";
    let a = guest("a", nic);
    let check = |b: &str| found(folder(&[("a.xml", &a), ("b.xml", b)]).path(), &["."]);
    assert_eq!(check(&guest("b", nic)), ["KN213 ./b.xml"]);
    assert!(check(&guest("b", &nic.replace("<mac", "\n<!-- kvmnet: ignore KN213 -->\n<mac"))).is_empty());
    assert!(check(&guest("b", &format!("{nic} <!-- kvmnet: ignore KN213 -->"))).is_empty());
    assert_eq!(check(&guest("b", &format!("<!-- kvmnet: ignore KN200 -->{nic}"))), ["KN213 ./b.xml"]);
}

#[test]
fn a_fleet_and_one_host() {
    let dir = folder(&[("a/lab.xml", NETWORK), ("b/lab.xml", NETWORK), ("c/net.xml", NETWORK)]);
    assert!(found(dir.path(), &["."]).is_empty());
    let said = |args: &[&str]| {
        let mut kvmnet = Command::new(env!("CARGO_BIN_EXE_kvmnet"));
        let out = kvmnet.arg("check").args(args).current_dir(dir.path()).output().unwrap();
        [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let [out, err] = said(&["-v", "a", "b", "c"]);
    assert!(out.contains("3 files checked, taken to be for 2 hosts: "), "{out}");
    assert_eq!(err, "kvmnet: a is taken to be for one host\nkvmnet: b is taken to be for one host\n");
    let [out, err] = said(&["b", "c"]);
    assert!(out.contains("2 files checked: ") && err.is_empty(), "{out}{err}");
    assert_eq!(found(dir.path(), &["b", "c"]), ["KN220 c/net.xml"]);
}

/// What is in no set's folder is for all of them.
#[test]
fn files_in_no_set() {
    let (lab, lob) = (guest("a", "<source network='lab'/>"), guest("b", "<source network='lob'/>"));
    let of_host = NETWORK.replace("lab", "own");
    let dir = folder(&[
        ("kvmnet.toml", "sets = ['hosts/*']"),
        ("common/lab.xml", NETWORK),
        ("hosts/h1/own.xml", &of_host),
        ("hosts/h1/a.xml", &lab),
        ("hosts/h1/b.xml", &lob),
        ("guest.xml", &guest("c", "<source network='own'/>")),
        ("odd.xml", &guest("d", "<source network='odd'/>")),
    ]);
    let check = |paths: &[&str]| found(dir.path(), paths);
    assert_eq!(check(&["."]), ["KN200 ./hosts/h1/b.xml", "KN200 ./odd.xml"]);
    assert_eq!(check(&["hosts"]), ["KN200 hosts/h1/a.xml", "KN200 hosts/h1/b.xml"]);
    std::fs::write(dir.path().join("common/lob.xml"), "<network").unwrap();
    assert!(check(&["."]).is_empty(), "who knows what it defines");
}

/// What such a network makes of a guest's NIC is found in every set.
#[test]
fn guests_on_networks_in_no_set() {
    let vlan = "<source network='lab'/><vlan><tag id='7'/></vlan>";
    let dir = folder(&[
        ("kvmnet.toml", "sets = ['hosts/*']"),
        ("common/lab.xml", NETWORK),
        ("hosts/h1/a.xml", &guest("a", vlan)),
        ("hosts/h2/a.xml", &guest("b", vlan)),
        // It has one of that name itself.
        ("hosts/h3/a.xml", &guest("c", vlan)),
        (
            "hosts/h3/lab.xml",
            "<network><name>lab</name><forward mode='bridge'/><bridge name='b'/><virtualport type='openvswitch'/></network>",
        ),
    ]);
    let check = found(dir.path(), &["."]);
    assert_eq!(check, ["KN203 ./hosts/h1/a.xml", "KN203 ./hosts/h2/a.xml"]);
}
