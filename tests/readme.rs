//! Runs every console block of the README and compares what comes out.
//!
//! A line `$ …` is a command for `sh`, in a copy of `fixtures/`, with a journal of its own; `? N` behind it is its exit
//! code (0 if it isn't there); the rest up to the next command is what it prints, both streams, where a line `...` stands
//! for any lines. A guest named without `-c` is one of `fixtures/host/node.xml`.

#![cfg(feature = "libvirt")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

struct Step {
    line: usize,
    command: String,
    code: i32,
    output: Vec<String>,
}

fn blocks(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(kind) => inside = kind == "console",
            None if !inside => {}
            None => match (line.strip_prefix("$ "), line.strip_prefix("? ")) {
                (Some(command), _) => {
                    let (line, command) = (number + 1, command.to_string());
                    steps.push(Step { line, command, code: 0, output: Vec::new() });
                }
                (None, Some(code)) => steps.last_mut().unwrap().code = code.parse().unwrap(),
                (None, None) => steps.last_mut().unwrap().output.push(line.to_string()),
            },
        }
    }
    for step in &mut steps {
        while step.output.last().is_some_and(String::is_empty) {
            step.output.pop();
        }
    }
    steps
}

/// Does the output fit, `...` standing for any lines?
fn fits(wanted: &[String], lines: &[&str]) -> bool {
    match wanted.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => (0..=lines.len()).any(|skip| fits(rest, &lines[skip..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, more)| line == first && fits(rest, more))
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn console_blocks_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    copy(&root.join("fixtures"), &dir.path().join("fixtures"));
    let bin = Path::new(env!("CARGO_BIN_EXE_kvmnet")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let steps = blocks(&std::fs::read_to_string(root.join("README.md")).unwrap());
    assert!(steps.len() >= 6, "the README has lost its console blocks");
    let mut faults = Vec::new();
    for step in steps {
        let done = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {}", step.command)])
            .current_dir(dir.path())
            .env("PATH", &path)
            .env("KVMNET_STATE_DIR", dir.path().join("state"))
            .env("LIBVIRT_DEFAULT_URI", format!("test://{}/fixtures/host/node.xml", dir.path().display()))
            .env_remove("NO_COLOR")
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        if done.status.code() != Some(step.code) || !fits(&step.output, &lines) {
            faults.push(format!("README.md:{}: $ {}\n{:?}\n{text}", step.line, step.command, done.status));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
