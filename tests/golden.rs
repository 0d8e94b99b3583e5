//! One lesson a folder in `fixtures/convert`: a guest, the arguments, what comes out, and why. And definitions that nobody
//! here wrote (`fixtures/real`), to every kind of target.
//!
//! `KVMNET_BLESS=1 cargo test --test golden` writes the expectations anew.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and a skip must be heard"
)]

#[path = "bytes/judge.rs"]
mod judge;
#[path = "rules/schema.rs"]
mod schema;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kvmnet::convert::{Facts, Landing, Networks, Request, Selection, Target};
use kvmnet::model::Network;
use kvmnet::xml::Doc;
use serde_json::Value;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// `kvmnet convert --file -` with more arguments, in a folder: exit code, standard output, standard error.
fn convert(folder: &Path, guest: &[u8], arguments: &[&str]) -> (i32, Vec<u8>, String) {
    let state = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kvmnet"))
        .args(["convert", "--file", "-"])
        .args(arguments)
        .current_dir(folder)
        .env("KVMNET_STATE_DIR", state.path())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let guest = guest.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&guest));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "a filter writes no journal");
    (out.status.code().unwrap(), out.stdout, String::from_utf8(out.stderr).unwrap())
}

/// What one lesson comes to: file names and contents.
fn lesson(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let guest = fs::read(folder.join("guest.xml")).unwrap();
    let arguments = fs::read_to_string(folder.join("args")).unwrap();
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let (code, xml, said) = convert(folder, &guest, &arguments);
    if code != 0 {
        assert!(xml.is_empty(), "{}: a refusal writes nothing", folder.display());
        // The preview is tested elsewhere.
        let error = said.find("kvmnet: error").map_or(said.as_str(), |at| &said[at..]);
        return vec![("expected.err", format!("exit {code}\n{error}").into_bytes())];
    }
    let json = convert(folder, &guest, &[&arguments[..], &["--output", "json"]].concat()).1;
    let json: Value = serde_json::from_slice(&json).unwrap();
    let warnings = json["changes"][0]["warnings"].as_array().unwrap();
    let line = |w: &Value| format!("{}: {}\n", w["code"].as_str().unwrap(), w["message"].as_str().unwrap());
    let warnings: String = warnings.iter().map(line).collect();
    let warnings = (!warnings.is_empty()).then(|| ("expected.warnings", warnings.into_bytes()));
    std::iter::once(("expected.xml", xml)).chain(warnings).collect()
}

#[test]
fn lessons() {
    let mut folders: Vec<PathBuf> = fs::read_dir(fixtures("convert"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 20, "only {} lessons", folders.len());
    let bless = std::env::var_os("KVMNET_BLESS").is_some();
    let (mut failures, mut results) = (Vec::new(), Vec::new());
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!fs::read_to_string(folder.join("why.md")).unwrap().trim().is_empty(), "{name}: why?");
        let got = lesson(folder);
        for file in ["expected.xml", "expected.warnings", "expected.err"] {
            let path = folder.join(file);
            let new = got.iter().find(|(name, _)| *name == file).map(|(_, content)| content);
            let old = fs::read(&path).ok();
            match new {
                _ if new == old.as_ref() => {}
                Some(new) if bless => fs::write(&path, new).unwrap(),
                None if bless => fs::remove_file(&path).unwrap(),
                _ => {
                    let show = |content: Option<&Vec<u8>>| {
                        content.map_or("(no file)".into(), |c| String::from_utf8_lossy(c).into_owned())
                    };
                    let diff = kvmnet::xml::diff("expected", &show(old.as_ref()), "got", &show(new));
                    failures.push(format!("{name}/{file}\n{diff}"));
                }
            }
            if let (Some(new), "expected.xml") = (new, file) {
                results.push((name.clone(), String::from_utf8(new.clone()).unwrap()));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} files (KVMNET_BLESS=1 rewrites them)\n{}",
        failures.len(),
        failures.join("\n")
    );
    // What isn't libvirt's own in a guest isn't in its schema.
    results.retain(|(name, _)| name != "quotes-and-blanks-stay");
    schema::validate("domain", &results);
}

/// Definitions out of a real libvirtd.
#[test]
fn real_definitions() {
    let (mut guests, mut known) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(fixtures("real")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = || fs::read_to_string(&path).unwrap();
        if name.ends_with(".net.xml") {
            known.push(Network::read(&Doc::parse(&text()).unwrap()).unwrap());
        } else if [".dump.xml", ".etc.xml", ".live.xml"].iter().any(|end| name.ends_with(end)) {
            guests.push((name, text()));
        }
    }
    guests.sort();
    assert!(guests.len() >= 30 && known.len() >= 2, "{} guests, {} networks", guests.len(), known.len());
    let known = Networks::new(known, false);
    let nothing = Networks::default();
    let mut results = Vec::new();
    let here = fixtures("real");
    for (name, text) in &guests {
        for (flag, place) in [("--to-bridge", "br0"), ("--to-network", "default"), ("--to-direct", "enp4s0")]
        {
            for networks in [&known, &nothing] {
                let (target, landing) = match flag {
                    "--to-bridge" => (Target::Bridge(place.parse().unwrap()), Landing::UnknownBridge),
                    "--to-network" => {
                        let landing =
                            networks.get(place).map_or(Landing::UnknownNetwork, Landing::of_network);
                        (Target::Network { name: place.into(), portgroup: None }, landing)
                    }
                    _ => {
                        let target = Target::Direct { dev: place.parse().unwrap(), mode: Default::default() };
                        (target, Landing::Macvtap { is_passthrough: false })
                    }
                };
                let selection = Selection { all: true, ..Selection::default() };
                let request = Request { target, selection, force: true, inline: false };
                let facts = Facts { networks, landing, online: false, live: Vec::new() };
                let (after, conversion) = judge::hold(text, &request, &facts);
                assert!(
                    !conversion.moves.is_empty() || !conversion.remarks.is_empty(),
                    "{name}: no word on why"
                );
                results.push((format!("{name} {flag}"), after));
            }
            // And through the binary, which stops where a warning says so.
            let after = results.last().map(|(_, after)| after.clone()).unwrap_or_default();
            let run = |more: &[&str]| convert(&here, text.as_bytes(), &[&[flag, place], more].concat());
            let (code, out, _) = run(&["--all-nics", "--force"]);
            assert_eq!(
                (code, String::from_utf8(out).unwrap()),
                (0, after),
                "{name} {flag} --all-nics --force"
            );
            let (code, out, said) = run(&[]);
            match code {
                0 => assert!(!out.is_empty(), "{name} {flag}"),
                2 => assert!(
                    out.is_empty() && said.contains("kvmnet: error: standard input: "),
                    "{name}: {said}"
                ),
                _ => panic!("{name} {flag}: exit {code}\n{said}"),
            }
        }
    }
    schema::validate("domain", &results);
}
