//! `kvmnet net list` on a host with many networks and guests, beside a program that does just the calls that it takes.

use crate::lab::Lab;
use crate::many_files::mac;
use crate::measure::{Spread, time};
use crate::table::Row;

const NETWORKS: usize = 100;
const GUESTS: usize = 500;
const RUNS: usize = 15;
const TEMPLATE: &str = include_str!("../../fixtures/real/jammy-cloud.dump.xml");

/// The least that anybody has to ask for: what `net list` shows.
const LIST: &str = r#"
import libvirt
host = libvirt.openReadOnly("qemu:///system")
for network in host.listAllNetworks():
    print(network.name(), network.UUIDString(), network.isActive(), network.autostart(), len(network.XMLDesc()))
for domain in host.listAllDomains():
    print(domain.name(), len(domain.XMLDesc()))
"#;

pub(crate) fn run() -> Vec<Row> {
    let what = format!("net list with {NETWORKS} networks and {GUESTS} guests");
    let Some(lab) = Lab::start() else {
        return vec![Row::not_run(&what, "no lab (root, libvirtd, QEMU, namespaces) on this machine")];
    };
    if lab.host(&["/usr/bin/python3", "-c", "import libvirt"]).code != 0 {
        return vec![Row::not_run(&what, "no python3-libvirt here")];
    }
    // The lab has one network already.
    for n in 1..NETWORKS {
        let xml = format!(
            "<network><name>net{n:03}</name><forward mode='nat'/><bridge name='vb{n:03}'/><ip address='10.99.{n}.1' \
             netmask='255.255.255.0'/></network>"
        );
        lab.virsh(&["net-define", &lab.file("network.xml", &xml)]);
    }
    lab.define_all(&(0..GUESTS).map(guest).collect::<Vec<_>>());
    let script = lab.file("list.py", LIST);
    let (mut ours, mut theirs) = (Spread::default(), Spread::default());
    for _ in 0..RUNS {
        theirs.push(time(&mut lab.host_command(&["/usr/bin/python3", &script])));
        ours.push(time(&mut lab.kvmnet_command(&["net", "list"])));
    }
    let ratio = ours.median() / theirs.median();
    let beside = format!("python, the same calls: {}", theirs.seconds());
    vec![
        Row::new(&what, ours.seconds(), beside, format!("{ratio:.2} times its time"))
            .limited("≤ 1.2 times", ratio <= 1.2),
    ]
}

/// Guest number `n`, on one of the networks.
fn guest(n: usize) -> String {
    TEMPLATE
        .replace("jammy-cloud", &format!("vm{n:04}"))
        .replace("3f2e1d0c0000", &format!("{n:012x}"))
        .replace("52:54:00:8c:1f:01", &mac(n))
        .replace("network='default'", &format!("network='net{:03}'", 1 + n % (NETWORKS - 1)))
        .replace("machine='pc-q35-10.0'", "machine='q35'")
}
