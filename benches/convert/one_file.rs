//! One file, whole process, beside virt-xml.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::KVMNET;
use crate::measure::{Spread, time, works};
use crate::table::Row;

/// virt-xml is slow, and there is a run of each of its two ways of printing in each round.
const ROUNDS: usize = 11;
/// Runs of kvmnet in a round.
const RUNS: usize = 10;
/// A guest without the comment that libvirt puts before its own files: virt-xml refuses those.
const FILE: &str = "fixtures/real/jammy-cloud.dump.xml";

pub(crate) fn run() -> Vec<Row> {
    let default = "one file, whole process";
    let offline = "one file, whole process, built without libvirt";
    if !works("virt-xml", &["--version"]) {
        return vec![Row::not_run(default, "no virt-xml here"), Row::not_run(offline, "no virt-xml here")];
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    // It asks a connection what there is. The driver inside the library is the fastest to answer.
    let virt_xml = |print: &str| {
        let mut command = Command::new("virt-xml");
        command.args([
            "--connect",
            "test:///default",
            "--edit",
            "--network",
            "type=bridge,source=br0",
            print,
        ]);
        command.stdin(File::open(&file).unwrap());
        time(&mut command)
    };
    let kvmnet = |program: &str, spread: &mut Spread| {
        for _ in 0..RUNS {
            spread.push(time(
                Command::new(program).args(["convert", "--to-bridge", "br0", "--file"]).arg(&file),
            ));
        }
    };
    let without = std::env::var("KVMNET_BENCH_OFFLINE").ok();
    let [mut diff, mut xml, mut ours, mut ours_without] = [(); 4].map(|()| Spread::default());
    for _ in 0..ROUNDS {
        diff.push(virt_xml("--print-diff"));
        kvmnet(KVMNET, &mut ours);
        xml.push(virt_xml("--print-xml"));
        if let Some(program) = &without {
            kvmnet(program, &mut ours_without);
        }
    }
    let (theirs, how) =
        if diff.median() < xml.median() { (diff, "--print-diff") } else { (xml, "--print-xml") };
    let row = |what: &str, ours: &Spread, limit: f64| {
        let times = theirs.median() / ours.median();
        let beside = format!("virt-xml --edit {how}: {}", theirs.seconds());
        Row::new(what, ours.seconds(), beside, format!("{times:.0} times faster"))
            .limited(&format!("≥ {limit} times"), times >= limit)
    };
    vec![
        row(default, &ours, 15.0),
        match without {
            Some(_) => row(offline, &ours_without, 50.0),
            None => Row::not_run(offline, "KVMNET_BENCH_OFFLINE names no such build"),
        },
    ]
}
