//! A thousand guests on a real libvirtd, beside a program that only reads and redefines them.

use std::time::Instant;

use crate::lab::Lab;
use crate::many_files::mac;
use crate::measure::{Spread, seconds, time};
use crate::table::Row;

const GUESTS: usize = 1000;
/// In each round each program moves all guests once, in the next round the other way.
const ROUNDS: usize = 4;
const TEMPLATE: &str = include_str!("../../fixtures/real/jammy-cloud.dump.xml");

/// The least that anybody has to do: read, change the text, define.
const REDEFINE: &str = r#"
import sys, libvirt
there = [("<interface type='network'>", "<interface type='bridge'>"), ("<source network='default'/>", "<source bridge='br0'/>")]
back = [(new, old) for old, new in there]
flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE if "validate" in sys.argv else 0
host = libvirt.open("qemu:///system")
domains = host.listAllDomains()
for domain in domains:
    xml = old = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    for one, other in back if "back" in sys.argv else there:
        xml = xml.replace(one, other)
    if xml == old:
        sys.exit(domain.name() + " is there already")
    host.defineXMLFlags(xml, flags)
if len(domains) != int(sys.argv[1]):
    sys.exit("not all guests were there")
"#;

/// Times, and how much of them libvirtd worked.
#[derive(Default)]
struct Side {
    wall: Spread,
    libvirtd: Spread,
}

impl Side {
    fn run(&mut self, lab: &Lab, work: impl FnOnce()) {
        let before = libvirtd_seconds(lab);
        let begin = Instant::now();
        work();
        self.wall.push(begin.elapsed().as_secs_f64());
        self.libvirtd.push(libvirtd_seconds(lab) - before);
    }

    fn told(&self) -> String {
        format!("{}, libvirtd at work for {}", self.wall.seconds(), seconds(self.libvirtd.median()))
    }
}

pub(crate) fn run() -> Vec<Row> {
    let what = format!("{GUESTS} guests on libvirtd: preview, define, verify, journal");
    // On a disk, as on a real host: libvirtd waits for it with every definition, and so does the journal.
    let disk = tempfile::tempdir().unwrap();
    let Some(lab) = Lab::start_in(Some(&disk.path().join("libvirt"))) else {
        return vec![Row::not_run(&what, "no lab (root, libvirtd, QEMU, namespaces) on this machine")];
    };
    if lab.host(&["/usr/bin/python3", "-c", "import libvirt"]).code != 0 {
        return vec![Row::not_run(&what, "no python3-libvirt here")];
    }
    lab.define_all(&(0..GUESTS).map(guest).collect::<Vec<_>>());
    let script = lab.file("redefine.py", REDEFINE);
    let count = GUESTS.to_string();
    let python = |back: bool, flag: &str| {
        let way = if back { "back" } else { "there" };
        lab.host(&["/usr/bin/python3", &script, &count, way, flag]).ok();
    };
    let kvmnet = |back: bool| {
        let target = if back { ["--to-network", "default"] } else { ["--to-bridge", "br0"] };
        let mut command = lab.kvmnet_command(&["convert", "--all", target[0], target[1], "-y"]);
        time(command.env("KVMNET_STATE_DIR", disk.path().join("state")));
    };

    let [mut ours, mut theirs, mut validating] = [(); 3].map(|()| Side::default());
    let mut back = false;
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for place in 0..3 {
            // Every run finds the guests where the one before left them. Turning the order by one from round to round
            // lets each program go both ways.
            match (place + round) % 3 {
                0 => theirs.run(&lab, || python(back, "")),
                1 => ours.run(&lab, || kvmnet(back)),
                _ => validating.run(&lab, || python(back, "validate")),
            }
            back = !back;
        }
    }
    let mut preview = Spread::default();
    for _ in 0..ROUNDS {
        preview.push(time(&mut lab.kvmnet_command(&["convert", "--all", "--to-bridge", "br0", "--dry-run"])));
    }
    let ratio = |a: &Spread, b: &Side| a.median() / b.wall.median();
    let row = |what: &str, ours: String, ratio: f64, name: &str, theirs: &Side| {
        Row::new(what, ours, format!("{name}: {}", theirs.told()), format!("{ratio:.2} times its time"))
    };
    let (main, fair) = (ratio(&ours.wall, &theirs), ratio(&ours.wall, &validating));
    vec![
        row(&what, ours.told(), main, "python, read and define", &theirs).limited("≤ 1.2 times", main <= 1.2),
        row(
            "the same, beside one that also has libvirtd validate",
            ours.told(),
            fair,
            "python, read and define with VALIDATE",
            &validating,
        )
        .limited("≤ 1.2 times", fair <= 1.2),
        row(
            "the same, --dry-run",
            preview.seconds(),
            ratio(&preview, &theirs),
            "python, read and define",
            &theirs,
        ),
    ]
}

/// Guest number `n`, with a name, UUID and MAC address of its own.
fn guest(n: usize) -> String {
    TEMPLATE
        .replace("jammy-cloud", &format!("vm{n:04}"))
        .replace("3f2e1d0c0000", &format!("{n:012x}"))
        .replace("52:54:00:8c:1f:01", &mac(n))
        // Whatever QEMU is here.
        .replace("machine='pc-q35-10.0'", "machine='q35'")
}

/// How long libvirtd has worked so far, in seconds of CPU time.
fn libvirtd_seconds(lab: &Lab) -> f64 {
    let stat = lab.host(&["sh", "-c", "cat /proc/$(cat /run/lab/libvirtd.pid)/stat"]).stdout;
    // Behind the name, which may hold blanks, come the state and the rest; 14 and 15 of all are the times, in 1/100 s.
    let rest: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [11, 12].iter().map(|n| rest[*n].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
