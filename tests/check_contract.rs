//! What programs may rely on: flags, exit codes, order and JSON of `check`.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Sandbox, guest};

/// A guest with nothing wrong, with an error (KN011) and with a warning (KN012).
fn three(here: &Sandbox) {
    let good = guest("a", &["default"]);
    here.write("vm/a.xml", &good);
    here.write("vm/b.xml", good.replace("52:54:00:00:00:01", "53:54:00:00:00:01"));
    here.write("vm/c.xml", good.replace("52:54:00:00:00:01", "00:00:00:00:00:00"));
}

/// Only these rules: others may find more in a guest of a few lines.
const ONLY: &str = "--select KN011,KN012";

#[test]
fn exit_codes() {
    let here = Sandbox::new();
    three(&here);
    for (words, code) in [
        ("vm/a.xml", 0),
        ("vm/b.xml", 1),
        ("vm/c.xml", 0),
        ("vm/c.xml --deny warnings", 1),
        ("vm/a.xml --deny warnings", 0),
        ("vm", 1),
        ("vm missing.xml", 2),
        ("vm/a.xml -o json", 0),
        ("vm/b.xml -o json", 1),
        ("missing.xml -o json", 2),
    ] {
        here.kvmnet(&format!("check {ONLY} {words}")).gives(code);
    }
    // All codes begin with it.
    here.kvmnet("check --select KN vm/b.xml").gives(1).shows(&["KN011"]);
    here.kvmnet("check --ignore kn vm/b.xml").gives(0).shows(&["nothing found"]);
    let b = here.text("vm/b.xml");
    here.kvmnet("check -").input(b).gives(1).shows(&["--> -:"]);
}

#[test]
fn usage() {
    let here = Sandbox::new();
    three(&here);
    for (words, said) in [
        ("", "required"),
        ("--select KNO12 vm", "did you mean KN012?"),
        ("--select KN999 vm", "--list-rules"),
        ("--select K vm", "there is no rule 'K'"),
        ("--select= vm", "there is no rule ''"),
        ("--ignore mac-reserved vm", "did you mean KN012?"),
        ("--explain KN999", "there is no rule 'KN999'"),
        ("--explain mac-reserved", "did you mean KN012?"),
        ("--format yaml vm", "sarif"),
        ("--deny errors vm", "warnings"),
        ("--exit-code vm", "--fix"),
        ("--yes vm", "--fix"),
        ("--fix -", "'-'"),
        ("--list-rules vm", "cannot be used with"),
    ] {
        here.kvmnet(&format!("check {words}")).gives(2).shows_nothing().says(&[said]);
    }
}

#[test]
fn usage_errors_are_documents_too() {
    let here = Sandbox::new();
    three(&here);
    here.write("broken.toml", "x = 1");
    for words in [
        "--select KN999 vm",
        "--format human vm",
        "--policy missing.toml vm",
        "--policy broken.toml vm",
        "--no-such-flag vm",
        "",
    ] {
        let done = here.kvmnet(&format!("check -o json {words}")).gives(2);
        let json = done.json();
        assert!(json["error"].is_string() && json["findings"].as_array().unwrap().is_empty(), "{done}");
        assert_eq!(json["summary"]["files"], 0);
    }
}

#[test]
fn findings_are_in_order_and_each_run_says_the_same() {
    let here = Sandbox::new();
    for number in [3, 1, 2] {
        let text = guest("a", &["default", "lan", "dmz"]).replace("52:54", "53:54");
        here.write(format!("vm/{number}/{}.xml", 4 - number), text);
    }
    let first = here.kvmnet("check -o json --select KN011 vm").gives(1);
    let json = first.json();
    let place =
        |f: &serde_json::Value| (f["file"].as_str().unwrap().to_string(), f["line"].as_u64().unwrap());
    let places: Vec<_> = json["findings"].as_array().unwrap().iter().map(place).collect();
    let mut sorted = places.clone();
    sorted.sort();
    assert!(places.len() == 9 && places == sorted, "{places:?}");
    let other = here.kvmnet("check -o json --select KN011 vm/3 vm/2 vm/1 vm").gives(1);
    assert_eq!(first.out, other.out);
}

#[test]
fn keys_of_the_document() {
    let here = Sandbox::new();
    three(&here);
    let one = here.kvmnet(&format!("check --format json {ONLY} vm missing.xml")).gives(2);
    let other = here.kvmnet(&format!("check -o json {ONLY} vm missing.xml")).gives(2);
    assert_eq!(one.out, other.out);
    let json = one.says(&["missing.xml: cannot read it"]).json();
    assert_eq!(json["summary"], serde_json::json!({ "files": 3, "errors": 1, "warnings": 1 }));
    let first = &json["findings"][0];
    assert_eq!((first["code"].as_str(), first["severity"].as_str()), (Some("KN011"), Some("error")));
    assert_eq!((first["file"].as_str(), first["line"].as_u64()), (Some("vm/b.xml"), Some(6)));
    assert!(first["column"].is_u64() && first["fixable"].is_boolean() && first["message"].is_string());
    assert!(first.get("help").is_some());
    assert_eq!(json["unchecked"][0]["file"], "missing.xml");
}

#[test]
fn rules_are_explained_and_listed() {
    let here = Sandbox::new();
    let done = here.kvmnet("check --explain kn012").gives(0).says_nothing();
    done.shows(&["KN012: mac-reserved (warning)", "Found in bad.xml", "Not found in good.xml"]);
    let json = here.kvmnet("check --explain KN012 -o json").gives(0).json();
    assert_eq!((json["code"].as_str(), json["fixable"].as_bool()), (Some("KN012"), Some(true)));
    here.kvmnet("check --explain KN301").gives(0).shows(&["kvmnet.toml", "bridges = ["]);
    let list = here.kvmnet("check --list-rules --format json").gives(0).json();
    let codes: Vec<_> =
        list["rules"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert!(codes.is_sorted() && codes.contains(&"KN001") && codes.contains(&"KN306"));
    let text = here.kvmnet("check --list-rules").gives(0).out;
    assert_eq!(text.lines().count(), codes.len());
}

#[test]
fn a_folder_with_nothing_to_check_is_no_success() {
    let here = Sandbox::new();
    here.write("empty/readme.txt", "");
    here.write("empty/.hidden/a.xml", "<domain");
    here.write("vm/a.XML", guest("a", &["default"]));
    let done = here.kvmnet("check empty").gives(2).shows(&["0 files checked"]);
    done.says(&["empty: there is no file in it that ends in .xml", "help: name the folder"]);
    here.kvmnet("check vm empty -o json").gives(2).says(&["empty: "]).json();
    here.kvmnet("check vm --select KN001").gives(0).shows(&["1 file checked"]);
}
