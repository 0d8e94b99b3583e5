//! Ten thousand files of two NICs each, preview only, beside what reading them takes.

use std::fs;
use std::process::Command;

use crate::KVMNET;
use crate::measure::{Spread, time, works};
use crate::table::Row;

const FILES: usize = 10_000;
const ROUNDS: usize = 11;
const TEMPLATE: &str = include_str!("../../fixtures/real/two-networks.etc.xml");

pub(crate) fn run() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..FILES).map(|n| format!("vm{n:05}.xml")).collect();
    let mut bytes = 0;
    for (n, name) in names.iter().enumerate() {
        let text = guest(n);
        bytes += text.len();
        fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        // The limit is for two cores, however many there are.
        command.current_dir(folder.path()).env("RAYON_NUM_THREADS", "2").args(args).args(&names);
        time(&mut command)
    };
    let has_xmllint = works("xmllint", &["--version"]);
    let [mut cat, mut ours, mut xmllint] = [(); 3].map(|()| Spread::default());
    for round in 0..=ROUNDS {
        let read = run("cat", &[]);
        let convert = run(KVMNET, &["convert", "--all-nics", "--to-bridge", "br0", "--file"]);
        let lint = if has_xmllint { run("xmllint", &["--noout"]) } else { 0.0 };
        // The first round only warms the page cache.
        if round > 0 {
            cat.push(read);
            ours.push(convert);
            xmllint.push(lint);
        }
    }
    let ratio = |theirs: &Spread| format!("{:.2} times its time", ours.median() / theirs.median());
    let what = format!("{FILES} files of two NICs ({:.0} MB), preview", bytes as f64 / 1e6);
    vec![
        Row::new(&what, ours.seconds(), format!("cat: {}", cat.seconds()), ratio(&cat))
            .limited("≤ 3 times", ours.median() <= 3.0 * cat.median()),
        if has_xmllint {
            Row::new(
                &what,
                ours.seconds(),
                format!("xmllint --noout: {}", xmllint.seconds()),
                ratio(&xmllint),
            )
        } else {
            Row::not_run(&format!("{what}, beside xmllint"), "no xmllint here")
        },
    ]
}

/// Guest number `n`, with a name, UUID and MAC addresses of its own.
pub(crate) fn guest(n: usize) -> String {
    TEMPLATE
        .replace("two-networks", &format!("vm{n:05}"))
        .replace("3f2e1d0c0006", &format!("{n:012x}"))
        .replace("52:54:00:8c:1f:07", &mac(2 * n))
        .replace("52:54:00:8c:1f:08", &mac(2 * n + 1))
}

/// The MAC address of NIC number `n` of all.
pub(crate) fn mac(n: usize) -> String {
    format!("52:54:00:{:02x}:{:02x}:{:02x}", n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff)
}
