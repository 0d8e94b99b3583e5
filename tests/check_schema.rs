//! `check --schema`: libvirt's own schemas, with the place of what they object to.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::path::Path;

use support::{Sandbox, guest, real};

/// Are the schemas and xmllint here? Where CI runs, they must be.
fn has_schemas() -> bool {
    let has = Path::new("/usr/share/libvirt/schemas/domain.rng").exists()
        && std::process::Command::new("xmllint").arg("--version").output().is_ok();
    if !has {
        let what = "check --schema NOT tested: no libvirt schemas, or no xmllint";
        assert!(std::env::var_os("CI").is_none(), "{what}");
        eprintln!("SKIPPED: {what}");
    }
    has
}

/// What is found in a domain: line, column and words of each finding of the schema's.
fn found(here: &Sandbox, text: &str) -> Vec<(u64, u64, String)> {
    here.write("a.xml", text);
    let found = here.kvmnet("check --schema --select KN004 --format json a.xml").run().json();
    let findings = found["findings"].as_array().unwrap().clone();
    let place = |of: &serde_json::Value, key: &str| of[key].as_u64().unwrap();
    let one = |f: &serde_json::Value| {
        (place(f, "line"), place(f, "column"), f["message"].as_str().unwrap().to_string())
    };
    findings.iter().map(one).collect()
}

#[test]
fn the_smallest_part_that_is_wrong() {
    if !has_schemas() {
        return;
    }
    let here = Sandbox::new();
    let good = real("two-networks.etc.xml");
    assert_eq!(found(&here, &good), []);
    let line = |text: &str, what: &str| text[..text.find(what).unwrap()].matches('\n').count() as u64 + 1;
    let nic = "<model type='virtio'/>";
    for (old, new, at, words) in [
        (nic, "<modell type='virtio'/>", "<modell", "<modell> here"),
        ("<interface type='network'>", "<interface type='netwrok'>", "netwrok", "<interface>"),
        ("network='default'", "netwrok='default'", "netwrok", "<interface>"),
        (nic, "<model type='virtio'/><vlan><tag id='5000'/></vlan>", "<vlan", "<vlan> here"),
        ("</name>", "</name><foo/>", "<foo", "<foo> here"),
    ] {
        let bad = good.replacen(old, new, 1);
        let all = found(&here, &bad);
        assert_eq!(all.len(), 1, "{new}: {all:?}");
        assert!(all[0].2.contains(words) && all[0].0 <= line(&bad, at), "{new}: {all:?}");
    }
    // Two in different devices, and two that have nothing to do with each other.
    assert_eq!(found(&here, &good.replace("<source network", "<soruce network")).len(), 2);
    // Of which xmllint sees only one; the other is found once that is mended.
    let bad = good.replacen(nic, "<modell type='virtio'/>", 1).replacen("<memory unit", "<memory unti", 1);
    assert!(found(&here, &bad)[0].2.contains("<memory>"));
}

#[test]
fn networks_and_standard_input() {
    if !has_schemas() {
        return;
    }
    let here = Sandbox::new();
    let net = real("default.net.xml");
    assert_eq!(found(&here, &net), []);
    let bad = net.replacen("<forward mode='nat'", "<forward mode='nut'", 1);
    let done = here.kvmnet("check --schema --select KN004 -").input(bad).gives(1);
    done.shows(&["-:", "mode='…' in <forward>", "1 file checked: 1 error"]);
    assert!(here.names(".").iter().all(|name| !name.contains("kvmnet")), "nothing is left behind");
}

#[test]
fn many_files_of_which_one_is_wrong() {
    if !has_schemas() {
        return;
    }
    let here = Sandbox::new();
    for number in 0..450 {
        here.write(format!("vm{number}.xml"), real("two-networks.etc.xml"));
    }
    here.write("vm7.xml", "<domain");
    let bad = real("two-networks.etc.xml").replacen("<model type='virtio'/>", "<modell/>", 1);
    here.write("vm8.xml", bad);
    let done = here.kvmnet("check --schema --select KN001,KN004 .").gives(1);
    done.shows(&["KN001", "vm7.xml:1:", "KN004", "vm8.xml:", "450 files checked: 2 errors"]);
}

#[test]
fn the_policy_and_the_file_decide() {
    if !has_schemas() {
        return;
    }
    let here = Sandbox::new();
    let bad = guest("a", &["default"]).replace("<mac", "<foo/><mac");
    let bad = bad.replace("<devices>", "<memory>1</memory><os><type>hvm</type></os><devices>");
    here.write("a.xml", &bad);
    here.kvmnet("check --schema a.xml").gives(1).shows(&["KN004", "<foo>"]);
    here.kvmnet("check --schema --ignore KN004 a.xml").gives(0);
    here.write("kvmnet.toml", "severity.KN004 = 'warning'");
    here.kvmnet("check --schema a.xml").gives(0).shows(&["warning[KN004]"]);
    here.write("kvmnet.toml", "[[override]]\npaths = ['a.xml']\nignore = ['KN004']");
    here.kvmnet("check --schema --deny warnings --ignore KN028 a.xml").gives(0);
    here.write("kvmnet.toml", "");
    here.write("a.xml", bad.replace("<foo/>", "<!-- kvmnet: ignore KN004 --><foo/>"));
    let done = here.kvmnet("check --schema --select KN004 a.xml").run();
    assert!(!done.out.contains("<foo>"), "{}", done.out);
}

#[test]
fn without_xmllint_it_says_what_to_install() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let done = here.kvmnet("check --schema a.xml").env("PATH", "/nowhere").gives(2);
    done.says(&["--schema", "install", "leave --schema out"]);
}
