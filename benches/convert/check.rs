//! `check` on ten thousand files, beside what parsing them takes and beside libvirt's schema.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::KVMNET;
use crate::many_files::guest;
use crate::measure::{Spread, time, works};
use crate::table::Row;

const FILES: usize = 10_000;
const ROUNDS: usize = 7;
const SCHEMA: &str = "/usr/share/libvirt/schemas/domain.rng";

pub(crate) fn run() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..FILES).map(|n| format!("vm{n:05}.xml")).collect();
    let (mut bytes, mut lines) = (0, 0);
    for (n, name) in names.iter().enumerate() {
        let text = guest(n);
        bytes += text.len();
        lines = text.lines().count();
        fs::write(folder.path().join(name), text).unwrap();
    }
    let what = format!("check of {FILES} files of {lines} lines ({:.0} MB)", bytes as f64 / 1e6);
    let mut rows = beside_xmllint(folder.path(), &names, &what);
    rows.push(memory(folder.path()));
    rows
}

fn beside_xmllint(folder: &Path, names: &[String], what: &str) -> Vec<Row> {
    if !works("xmllint", &["--version"]) {
        return vec![Row::not_run(what, "no xmllint here")];
    }
    let has_schema = Path::new(SCHEMA).exists();
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        // The limits are for two cores, however many there are.
        command.current_dir(folder).env("RAYON_NUM_THREADS", "2").args(args).args(names);
        time(&mut command)
    };
    let [mut ours, mut parse, mut schema] = [(); 3].map(|()| Spread::default());
    for round in 0..=ROUNDS {
        let check = run(KVMNET, &["check"]);
        let noout = run("xmllint", &["--noout"]);
        // The first round only warms the page cache.
        if round > 0 {
            ours.push(check);
            parse.push(noout);
        }
        if has_schema && round < 3 {
            schema.push(run("xmllint", &["--noout", "--relaxng", SCHEMA]));
        }
    }
    let faster = |theirs: &Spread| theirs.median() / ours.median();
    let mut rows = vec![
        Row::new(
            what,
            ours.seconds(),
            format!("xmllint --noout: {}", parse.seconds()),
            format!("{:.1} times faster", faster(&parse)),
        )
        .limited("≥ 1 times", faster(&parse) >= 1.0),
    ];
    if has_schema {
        let beside = format!("xmllint --relaxng: {}", schema.seconds());
        let ratio = format!("{:.0} times faster", faster(&schema));
        rows.push(
            Row::new(what, ours.seconds(), beside, ratio).limited("≥ 20 times", faster(&schema) >= 20.0),
        );
    } else {
        rows.push(Row::not_run(&format!("{what}, beside libvirt's schema"), "libvirt's schemas aren't here"));
    }
    rows
}

/// The peak of the rules about one file, for a tenth of the files and for all of them.
fn memory(all: &Path) -> Row {
    let what = format!("the same, rules about one file only: peak memory of {FILES} files");
    if !works("/usr/bin/time", &["-f", "%M", "true"]) {
        return Row::not_run(&what, "no GNU time here");
    }
    let few = tempfile::tempdir().unwrap();
    for n in 0..FILES / 10 {
        fs::write(few.path().join(format!("vm{n:05}.xml")), guest(n)).unwrap();
    }
    let peak = |folder: &Path| {
        let mut peaks = Spread::default();
        for _ in 0..3 {
            let out = Command::new("/usr/bin/time")
                .args(["-q", "-f", "%M", KVMNET, "check", "--select", "KN0,KN1"])
                .arg(folder)
                .env("RAYON_NUM_THREADS", "2")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.success(), "{said}");
            peaks.push(said.trim().parse::<f64>().unwrap() * 1024.0);
        }
        peaks
    };
    let (few, all) = (peak(few.path()), peak(all));
    let ratio = all.median() / few.median();
    let beside = format!("{} of these files: {}", FILES / 10, few.bytes());
    Row::new(&what, all.bytes(), beside, format!("{ratio:.2} times its memory"))
        .limited("≤ 1.25 times", ratio <= 1.25)
}
