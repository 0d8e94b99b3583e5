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

#[test]
fn completions_know_every_flag() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done =
            std::process::Command::new(env!("CARGO_BIN_EXE_kvmnet")).args(["completions", shell]).output();
        let text = String::from_utf8(done.unwrap().stdout).unwrap();
        let command = <kvmnet::cli::Cli as clap::CommandFactory>::command();
        for words in
            [&["convert"][..], &["reattach"], &["net", "create"], &["net", "set-mode"], &["host", "nics"]]
        {
            let sub = words.iter().fold(&command, |command, word| command.find_subcommand(word).unwrap());
            for flag in sub.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(text.contains(flag), "{shell} doesn't know --{flag} of {words:?}");
            }
        }
    }
}
