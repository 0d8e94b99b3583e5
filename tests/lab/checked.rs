//! `kvmnet check` held against a real libvirtd: what its rules call an error is refused, at definition or at start; what
//! they call good is accepted and starts.

use kvmnet::lint::{Check, Example, Rule, Severity, rules};

use crate::lab::{Lab, Out, xml};

/// Errors that libvirt takes and starts, by rule and fixture: what is wrong there is that the guest's network can't work.
const TAKEN: &[(&str, &str, &str)] = &[
    ("KN013", "bad.xml", "two NICs of one MAC address on one network"),
    ("KN102", "bad/of-the-host.xml", "libvirt looks for a bridge of the host's when a guest starts"),
    ("KN107", "bad/bridge.xml", "it is the guests that don't start"),
    ("KN107", "bad/vepa.xml", "it is the guests that don't start"),
    ("KN115", "bad/broadcast.xml", "the guests don't reach the gateway"),
    ("KN115", "bad/loopback.xml", "the guests don't reach the gateway"),
    ("KN138", "bad/pool.xml", "it is the guests that don't start"),
    ("KN139", "bad/nat.xml", "it is the guests that don't start"),
    ("KN139", "bad/bridge.xml", "it is the guests that don't start"),
    ("KN139", "bad/pool.xml", "it is the guests that don't start"),
    ("KN144", "bad/tap.xml", "it is the guests that don't start"),
    ("KN153", "bad/pool.xml", "it is the guests that don't start"),
    ("KN153", "bad/switch.xml", "it is the guests that don't start"),
    ("KN213", "", "two guests of one MAC address on one network"),
];

/// What libvirt says where this machine lacks something that a good fixture needs.
const NOT_HERE: &[(&str, &str)] = &[
    ("host PCI devices", "no PCI device to hand on"),
    ("Cannot find 'passt'", "no passt"),
    ("qdisc kind is unknown", "the kernel can't shape traffic"),
    ("has no inbound QoS set", "the kernel can't shape a network's traffic"),
    ("'ovs0': No such device", "no Open vSwitch"),
    ("/run/openvswitch", "no Open vSwitch"),
    ("systemd-resolved is not available", "no systemd-resolved"),
    ("PortProfileRequest failed", "no lldpad, and no switch that it could speak to"),
    ("OVS bridge", "no Open vSwitch"),
    ("error adding vlan filter", "the kernel's bridges have no VLANs"),
];

/// Is libvirt's schema asked, too?
#[derive(Clone, Copy, PartialEq)]
enum Schema {
    Asked,
    LeftOut,
}

/// What libvirt makes of a document.
struct Judge<'l> {
    lab: &'l Lab,
}

impl Judge<'_> {
    /// Defines and starts it, and takes it away again: what failed first, if anything did.
    fn refuses(&self, text: &str, schema: Schema) -> Option<String> {
        // A network of the lab's own may have its name.
        self.forgets(text);
        let failed = self.starts(text, schema);
        self.forgets(text);
        failed
    }

    /// The same of files together, the networks among them first.
    fn refuses_set(&self, files: &[Example]) -> Option<String> {
        let (networks, guests): (Vec<&str>, Vec<&str>) =
            files.iter().map(|(_, text)| *text).partition(|text| kind(text) == "net-");
        let all = || networks.iter().chain(&guests);
        // A network of the lab's own may have a name that is theirs.
        all().for_each(|text| self.forgets(text));
        let failed = all().find_map(|text| self.starts(text, Schema::Asked));
        all().rev().for_each(|text| self.forgets(text));
        failed
    }

    fn starts(&self, text: &str, schema: Schema) -> Option<String> {
        let file = self.lab.file("checked.xml", &here(text));
        let step = |out: Out| (out.code != 0).then(|| out.stderr.trim().to_string());
        let define = format!("{}define", kind(text));
        let defined = step(match schema {
            Schema::Asked => self.lab.try_virsh(&[&define, &file, "--validate"]),
            Schema::LeftOut => self.lab.try_virsh(&[&define, &file]),
        });
        let start = || step(self.lab.try_virsh(&[&format!("{}start", kind(text)), &name(text)]));
        // What runs by an earlier definition needn't start again.
        defined.or_else(|| start().filter(|said| !said.contains("already active")))
    }

    fn forgets(&self, text: &str) {
        for step in ["destroy", "undefine"] {
            self.lab.try_virsh(&[&format!("{}{step}", kind(text)), &name(text)]);
        }
    }
}

/// What virsh's verbs about a network begin with; nothing for those about a guest.
fn kind(text: &str) -> &'static str {
    if text.trim_start().starts_with("<network") { "net-" } else { "" }
}

/// The name of a domain or network, as far as it has one.
fn name(text: &str) -> String {
    let of = if kind(text) == "net-" { "network" } else { "domain" };
    let after = text.split_once(&format!("<{of}")).map_or(text, |(_, after)| after);
    let name = after.split_once("<name>").and_then(|(_, after)| after.split_once("</name>"));
    name.map_or("nameless", |(name, _)| name.trim()).to_string()
}

/// The document as this machine can run it: without KVM, and with the devices that the lab's host has.
fn here(text: &str) -> String {
    text.replace("type='kvm'", "type='qemu'").replace("'enp4s0'", "'free0'")
}

/// A lab with all that the fixtures name.
fn lab() -> Option<Lab> {
    let lab = Lab::start()?;
    lab.host(&["ip", "link", "add", "free0", "type", "veth", "peer", "name", "free0-p"]).ok();
    // For 802.1Qbg libvirt looks for the device below a device, and of two ends of a veth each is below the other: it
    // never comes to an end.
    for name in ["eno1", "eno1.42"] {
        lab.host(&["ip", "link", "add", name, "type", "bridge"]).ok();
    }
    for name in ["free0", "eno1", "eno1.42"] {
        lab.host(&["ip", "link", "set", name, "up"]).ok();
    }
    let network = lab.file("lab.xml", "<network><name>lab</name></network>");
    lab.virsh(&["net-define", &network]);
    lab.virsh(&["net-start", "lab"]);
    lab.host(&["sh", "-c", "echo secret > /etc/libvirt/sec0"]).ok();
    lab.host(&["qemu-img", "create", "-q", "-f", "qcow2", "/var/lib/libvirt/images/web1.qcow2", "1G"]).ok();
    Some(lab)
}

/// The documents of a rule about one file.
fn documents(rule: &'static Rule, which: &'static [Example]) -> Vec<Example> {
    let is_house = matches!(rule.check, Check::House(_) | Check::HouseNetwork(_));
    let about_one = !is_house && !matches!(rule.check, Check::Reading | Check::Schema | Check::Set(_));
    which.iter().filter(|(name, _)| about_one && name.ends_with(".xml")).copied().collect()
}

#[test]
fn what_is_good_starts() {
    let Some(lab) = lab() else { return };
    let judge = Judge { lab: &lab };
    let mut faults = Vec::new();
    for rule in rules() {
        let each = documents(rule, rule.good).into_iter().map(|(_, text)| judge.refuses(text, Schema::Asked));
        let together = is_set(rule).then(|| judge.refuses_set(rule.good));
        for said in each.chain(together).flatten() {
            match NOT_HERE.iter().find(|(words, _)| said.contains(words)) {
                Some((_, why)) => eprintln!("LAB NOT RUN for {}'s good fixture: {why}", rule.code),
                None => faults.push(format!("{}: {said}", rule.code)),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_an_error_is_refused() {
    let Some(lab) = lab() else { return };
    let judge = Judge { lab: &lab };
    let mut faults = Vec::new();
    for rule in rules().iter().filter(|rule| rule.severity == Severity::Error && !is_set(rule)) {
        for (name, text) in documents(rule, rule.bad) {
            let is_taken = TAKEN.iter().any(|(code, file, _)| (*code, *file) == (rule.code, name));
            // What is wrong with a network, libvirt says without its schema.
            let schema = if kind(text) == "net-" { Schema::LeftOut } else { Schema::Asked };
            match judge.refuses(text, schema) {
                Some(said) if is_taken => {
                    faults.push(format!("{} {name}: said to be taken, and refused: {said}", rule.code));
                }
                None if !is_taken => {
                    faults.push(format!("{} {name}: libvirt takes and starts it", rule.code));
                }
                Some(said) => eprintln!("{} {name}: {said}", rule.code),
                None => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Of the rules about files together: what they call an error is refused when the files are defined and started one
/// after the other, and what they only warn of isn't.
#[test]
fn what_a_set_cannot_be() {
    let Some(lab) = lab() else { return };
    let judge = Judge { lab: &lab };
    let mut faults = Vec::new();
    for rule in rules().iter().filter(|rule| is_set(rule)) {
        let is_taken = TAKEN.iter().any(|(code, ..)| *code == rule.code);
        let is_refused = rule.severity == Severity::Error && !is_taken;
        match judge.refuses_set(rule.bad) {
            Some(said) if !is_refused => faults.push(format!("{}: refused: {said}", rule.code)),
            None if is_refused => faults.push(format!("{}: libvirt takes and starts it", rule.code)),
            said => eprintln!("{}: {}", rule.code, said.as_deref().unwrap_or("taken")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn is_set(rule: &Rule) -> bool {
    matches!(rule.check, Check::Set(_))
}

/// Networks that libvirt takes and starts, and no guest on them.
#[test]
fn no_guest_starts_on_what_is_taken() {
    let Some(lab) = lab() else { return };
    let mut faults = Vec::new();
    let is_about_guests = |why: &str| why.contains("guest starts") || why.contains("guests that don't start");
    for (code, file, _) in TAKEN.iter().filter(|(.., why)| is_about_guests(why)) {
        let rule = rules().iter().find(|rule| rule.code == *code).unwrap();
        let text = here(rule.bad.iter().find(|(name, _)| name == file).unwrap().1);
        let network = name(&text);
        lab.network(&network, &text);
        // In the portgroup, if it has one.
        let group = text.split_once("<portgroup name='").and_then(|(_, rest)| rest.split_once('\''));
        let group = group.map_or(String::new(), |(group, _)| format!(" portgroup='{group}'"));
        let nic = xml::nic_with("network", &format!("network='{network}'{group}"), 1, "");
        lab.define(&xml::guest("vm1", &[nic], ""));
        let out = lab.try_virsh(&["start", "vm1"]);
        eprintln!("{code} {file}: {}", out.stderr.trim());
        if out.code == 0 {
            faults.push(format!("{code} {file}: a guest starts there"));
            lab.try_virsh(&["destroy", "vm1"]);
        }
        lab.virsh(&["undefine", "vm1"]);
        lab.virsh(&["net-destroy", &network]);
        lab.virsh(&["net-undefine", &network]);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What virt-install makes and libvirt keeps has nothing wrong, besides a password that stands there.
#[test]
fn nothing_is_found_in_real_definitions() {
    let Some(lab) = Lab::start() else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/real")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if !name.ends_with(".xml") || name.ends_with(".live.xml") {
            continue;
        }
        let out = lab.kvmnet(&["check", "--deny", "warnings", "--ignore", "KN028", path.to_str().unwrap()]);
        assert!(out.code == 0, "{name}\n{}", out.report());
        seen += 1;
    }
    assert!(seen > 20);
}
