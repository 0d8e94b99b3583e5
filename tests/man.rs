//! The committed man pages are those that the parser's definitions give.

#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn man_pages_are_current() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = kvmnet::cmd::man_pages().unwrap();
    for (name, text) in &pages {
        let committed = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert!(committed == *text, "man/{name} is out of date: run 'cargo xtask man'");
    }
    for entry in std::fs::read_dir(&dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(pages.iter().any(|(page, _)| *page == name), "man/{name} belongs to no command");
    }
}
