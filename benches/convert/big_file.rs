//! Files far larger than any guest's: what they take of time and memory must grow with their size and no faster.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::KVMNET;
use crate::many_files::mac;
use crate::measure::{Spread, seconds, works};
use crate::table::Row;

const SIZES: [usize; 4] = [10, 25, 50, 100];
const RUNS: usize = 3;
/// Whatever isn't linear would not end.
const PATIENCE: f64 = 20.0;

/// What a file is full of.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Disks,
    Nics,
}

pub(crate) fn run() -> Vec<Row> {
    if !works("/usr/bin/time", &["-f", "%M", "true"]) {
        return vec![Row::not_run("one file of 100 MB", "no GNU time here")];
    }
    let mut rows = Vec::new();
    for (shape, name) in
        [(Shape::Disks, "one NIC among its disks"), (Shape::Nics, "nothing but NICs, all move")]
    {
        for in_place in [false, true] {
            let how = if in_place { "--in-place -y" } else { "preview" };
            eprintln!("{name}, {how}");
            rows.extend(series(shape, in_place, &format!("one file of 100 MB, {name}, {how}")));
        }
    }
    rows
}

/// All sizes of one shape.
fn series(shape: Shape, in_place: bool, what: &str) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("big.xml");
    let mut per_mb = Vec::new();
    let mut last = None;
    for size in SIZES {
        let text = domain(shape, size * 1_000_000);
        let (mut time, mut peak) = (Spread::default(), Spread::default());
        for _ in 0..RUNS {
            fs::write(&file, &text).unwrap();
            let Some((took, bytes)) = measured(&file, in_place) else {
                let known: Vec<String> = per_mb.iter().map(|ms: &f64| format!("{ms:.0}")).collect();
                let ours = format!("no end within {PATIENCE} s at {size} MB");
                let beside = match known[..] {
                    [] => String::new(),
                    _ => format!("{} ms per MB at smaller sizes", known.join(", ")),
                };
                return vec![Row::new(what, ours, beside, String::new()).limited("≤ 1.5 times", false)];
            };
            time.push(took);
            peak.push(bytes);
        }
        per_mb.push(time.median() * 1e3 / size as f64);
        last = Some((time, peak, text.len()));
    }
    let (time, peak, size) = last.unwrap();
    let each = per_mb.iter().map(|ms| format!("{ms:.1}")).collect::<Vec<_>>().join(", ");
    let growth = per_mb[SIZES.len() - 1] / per_mb[0];
    let times = peak.median() / size as f64;
    let time = Row::new(
        &format!("{what}: time"),
        time.seconds(),
        format!("{each} ms per MB at 10, 25, 50, 100 MB"),
        format!("{growth:.2} times the time per MB"),
    );
    let memory = Row::new(
        &format!("{what}: peak memory"),
        peak.bytes(),
        format!("the file: {:.0} MB", size as f64 / 1e6),
        format!("{times:.1} times its size"),
    );
    // The limit is about looking; writing is reported.
    if in_place {
        vec![time, memory]
    } else {
        vec![time.limited("≤ 1.5 times", growth <= 1.5), memory.limited("≤ 16 times", times <= 16.0)]
    }
}

/// Seconds and peak bytes of one run; `None` if it took too long.
fn measured(file: &Path, in_place: bool) -> Option<(f64, f64)> {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new("/usr/bin/time");
    command.args(["-q", "-f", "\n%e %M", "timeout", &PATIENCE.to_string()]);
    command.args([KVMNET, "convert", "--all-nics", "--to-bridge", "br0", "--file"]).arg(file);
    if in_place {
        command.args(["--in-place", "-y"]);
    }
    command.env("KVMNET_STATE_DIR", state.path()).stdout(Stdio::null());
    let begin = std::time::Instant::now();
    let out = command.output().unwrap();
    let took = begin.elapsed().as_secs_f64();
    if out.status.code() == Some(124) {
        return None;
    }
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{} after {}: {said}", out.status, seconds(took));
    let kib: f64 = said.split_whitespace().next_back().unwrap().parse().unwrap();
    Some((took, kib * 1024.0))
}

/// A guest of at least `size` bytes.
fn domain(shape: Shape, size: usize) -> String {
    let uuid = "5f3c2b1a-9d8e-4c7b-a654-3f2e1d0c0006";
    let mut out =
        format!("<domain type='kvm'>\n  <name>big</name>\n  <uuid>{uuid}</uuid>\n  <devices>\n{}", nic(0));
    let mut n = 1;
    while out.len() < size {
        out.push_str(&if shape == Shape::Nics { nic(n) } else { disk(n) });
        n += 1;
    }
    out.push_str("  </devices>\n</domain>\n");
    out
}

fn nic(n: usize) -> String {
    format!(
        "    <interface type='network'>\n      <mac address='{}'/>\n      <source network='default'/>\n      \
         <model type='virtio'/>\n      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>\n    \
         </interface>\n",
        mac(n)
    )
}

fn disk(n: usize) -> String {
    format!(
        "    <disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2' discard='unmap'/>\n      \
         <source file='/var/lib/libvirt/images/disk-{n}.qcow2'/>\n      <target dev='vd{n}' bus='virtio'/>\n      \
         <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>\n    </disk>\n"
    )
}
