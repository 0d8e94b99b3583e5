//! The rooms of `src/` and who may know whom, as `src/lib.rs` describes them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each room with those it may use. Everybody may use `problem`, the words for what went wrong.
const MAY_USE: &[(&str, &[&str])] = &[
    ("problem", &[]),
    ("xml", &[]),
    ("model", &["xml"]),
    ("convert", &["xml", "model"]),
    ("net", &["xml", "model"]),
    ("host", &["model"]),
    ("lint", &["xml", "model", "net"]),
    ("sys", &["xml"]),
    ("plan", &["xml", "model", "convert", "host", "sys"]),
    ("report", &["xml", "model", "convert", "net", "lint", "plan"]),
    ("cli", &["model", "net"]),
    ("cmd", &["xml", "model", "convert", "net", "host", "lint", "sys", "plan", "report", "cli"]),
];

/// What only `sys` may name.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::time::SystemTime",
    "virt::",
    "tempfile::",
    "rustix::",
    "libc::",
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every file of every room: the room's name, the file, its text without its unit tests.
fn rooms() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let room = first.strip_suffix(".rs").unwrap_or(first).to_string();
        if !["lib", "main", "bin"].contains(&room.as_str()) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_string();
            rooms.entry(room).or_default().push((file, text));
        }
    }
    rooms
}

/// The lines of code: no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

#[test]
fn every_room_is_known() {
    let known: Vec<&str> = MAY_USE.iter().map(|(room, _)| *room).collect();
    for room in rooms().keys() {
        assert!(
            known.contains(&room.as_str()),
            "src/{room} is a new room: say in tests/architecture.rs what it may use"
        );
    }
}

#[test]
fn rooms_use_only_those_they_may() {
    let mut faults = Vec::new();
    for (room, files) in rooms() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == room).unwrap().1;
        for (file, text) in files {
            for line in code(&text) {
                for rest in line.split("crate::").skip(1) {
                    let used: String =
                        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    if used != room && used != "problem" && !allowed.contains(&used.as_str()) {
                        faults.push(format!("{}: {room} uses {used}", file.display()));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_sys_sees_the_outside() {
    let mut faults = Vec::new();
    for (room, files) in rooms().into_iter().filter(|(room, _)| room != "sys") {
        for (file, text) in files {
            for line in code(&text) {
                for outside in OUTSIDE.iter().filter(|what| line.contains(**what)) {
                    faults.push(format!("{}: {room} names {outside}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
