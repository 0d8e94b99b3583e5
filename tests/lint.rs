//! Every rule finds what is in its `bad` fixtures, and no rule finds anything in the `good` ones. What is printed for the
//! bad ones stands beside them in `bad.txt`; `KVMNET_BLESS=1` writes it anew.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use kvmnet::lint::{Check, Rule, rules};

/// The folder of a rule's fixtures.
fn folder(rule: &Rule) -> PathBuf {
    Path::new("fixtures/lint").join(format!("{}-{}", rule.code, rule.name))
}

/// A good or bad file's path, or the folder of those of a rule about several.
fn case(rule: &Rule, which: &str) -> PathBuf {
    let file = folder(rule).join(format!("{which}.xml"));
    if Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).exists() { file } else { folder(rule).join(which) }
}

/// Exit code and what is printed.
fn check(path: &Path, more: &[&str]) -> (i32, String) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_kvmnet"))
        .arg("check")
        .args(more)
        .arg(path)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
}

/// Several files of a rule about one are no set.
fn alone(rule: &Rule) -> &'static [&'static str] {
    if matches!(rule.check, Check::Set(_)) { &[] } else { &["--ignore", "KN2"] }
}

fn codes(rule: &Rule, path: &Path) -> Vec<(String, bool)> {
    let printed = check(path, &[alone(rule), &["--format", "json"]].concat()).1;
    let found: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let all = found["findings"].as_array().unwrap().iter();
    all.map(|f| (f["code"].as_str().unwrap().to_string(), f["fixable"].as_bool().unwrap())).collect()
}

/// Rules that look at files alone: libvirt's schema need not be there.
fn testable() -> impl Iterator<Item = &'static Rule> {
    rules().iter().copied().filter(|rule| !matches!(rule.check, Check::Schema))
}

#[test]
fn every_rule_finds_what_is_bad() {
    let faults = testable().filter_map(|rule| {
        let found = codes(rule, &case(rule, "bad"));
        let own = found.iter().filter(|(code, _)| code == rule.code);
        match own.clone().count() {
            0 => Some(format!("{} finds nothing in {}", rule.code, folder(rule).display())),
            _ if rule.fixable && !own.clone().any(|(_, fixable)| *fixable) => {
                Some(format!("{} is called fixable, and mends nothing", rule.code))
            }
            _ if !rule.fixable && own.clone().any(|(_, fixable)| *fixable) => {
                Some(format!("{} isn't called fixable, and is", rule.code))
            }
            _ => None,
        }
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Of several files with one mistake each, none is passed over.
#[test]
fn a_rule_about_one_file_finds_something_in_each() {
    let about_one = |check| matches!(check, Check::Nic(_) | Check::Domain(_) | Check::Network(_));
    for rule in rules().iter().filter(|rule| about_one(rule.check)) {
        for (name, _) in rule.bad {
            let found = codes(rule, &folder(rule).join(name));
            assert!(found.iter().any(|(code, _)| code == rule.code), "{} finds nothing in {name}", rule.code);
        }
    }
}

#[test]
fn nothing_is_found_in_what_is_good() {
    for rule in rules() {
        let options = [alone(rule), &["--deny", "warnings"]].concat();
        let (code, printed) = check(&case(rule, "good"), &options);
        assert!(code == 0, "{}:\n{printed}", rule.code);
    }
}

#[test]
fn what_is_printed() {
    let mut faults = Vec::new();
    for rule in testable() {
        let (_, printed) = check(&case(rule, "bad"), alone(rule));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder(rule)).join("bad.txt");
        if std::env::var_os("KVMNET_BLESS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        if want != printed {
            faults.push(format!("{}: wanted\n{want}\nfound\n{printed}", rule.code));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_folder_is_a_rules() {
    let names: Vec<String> = rules().iter().map(|rule| format!("{}-{}", rule.code, rule.name)).collect();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lint")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name), "fixtures/lint/{name} belongs to no rule");
    }
}

#[test]
fn codes_are_stable_words() {
    let mut seen = std::collections::HashSet::new();
    for rule in rules() {
        assert!(rule.code.len() == 5 && rule.code.starts_with("KN"), "{}", rule.code);
        assert!(rule.code[2..].bytes().all(|b| b.is_ascii_digit()), "{}", rule.code);
        assert!(seen.insert(rule.code) && seen.insert(rule.name), "{} twice", rule.code);
        assert!(!rule.summary.ends_with('.') && rule.why.ends_with('.'), "{}", rule.code);
    }
}
