//! Networks over a connection to another host, whose devices can't be seen: none of them is deleted for its name.

use crate::lab::{Lab, Out};

/// The lab's host, as from another one.
struct Elsewhere {
    lab: Lab,
    uri: String,
}

impl Elsewhere {
    fn start() -> Option<Elsewhere> {
        let lab = Lab::start()?;
        // What libvirt takes for ssh runs the other end's command here.
        let ssh = lab.file("ssh", "#!/bin/bash\nexec bash -c \"${@: -1}\"\n");
        lab.host(&["chmod", "+x", &ssh]).ok();
        Some(Elsewhere { uri: format!("qemu+ssh://rack7/system?command={ssh}"), lab })
    }

    #[track_caller]
    fn kvmnet(&self, args: &[&str]) -> Out {
        self.lab.kvmnet(&[&["-c", &self.uri], args].concat())
    }

    /// Adds a device to the host.
    fn add(&self, words: &str) {
        let argv = ["ip", "link", "add"].into_iter().chain(words.split(' ')).collect::<Vec<_>>();
        self.lab.host(&argv).ok();
    }

    /// Is the device there, and still up if it was?
    fn has(&self, device: &str) -> bool {
        self.lab.host(&["ip", "link", "show", "dev", device]).code == 0
    }

    /// The bridge in a network's definition.
    fn bridge(&self, network: &str) -> String {
        let xml = self.lab.virsh(&["net-dumpxml", "--inactive", network]);
        xml.split("<bridge name='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default().into()
    }
}

#[test]
fn a_bridges_name_is_libvirts_to_choose() {
    let Some(there) = Elsewhere::start() else { return };
    // The next one that no network has.
    there.add("virbr1 type bridge");
    let made = there.kvmnet(&["-v", "net", "create", "--mode", "nat"]).ok();
    let made = made.says(&["bridge: libvirt chooses its name"]);
    assert!(!made.all().contains("overlaps no route"), "none was looked at\n{}", made.report());
    assert_eq!((there.bridge("nat"), there.has("virbr1")), ("virbr2".into(), true));
    there.kvmnet(&["undo", "-y"]).ok();
    assert!(!there.has("virbr2") && there.has("virbr1"));
    // Also where a network's mode takes one.
    there.kvmnet(&["net", "create", "lan", "--mode", "bridge", "--bridge", "br0"]).ok();
    there.kvmnet(&["net", "set-mode", "lan", "--mode", "nat", "-y"]).ok();
    assert_eq!(
        (there.bridge("lan"), there.has("virbr1"), there.has("virbr2")),
        ("virbr2".into(), true, true)
    );
    there.kvmnet(&["undo", "-y"]).ok();
    assert_eq!((there.bridge("lan"), there.has("virbr2"), there.has("br0")), ("br0".into(), false, true));
}

#[test]
fn a_device_of_a_bridges_name_survives() {
    let Some(there) = Elsewhere::start() else { return };
    there.add("precious type bridge");
    there.add("virbr60 type veth peer name other");
    let create = ["net", "create", "rem", "--mode", "nat", "--bridge"];
    let create = |bridge: &'static str| [&create[..], &[bridge]].concat();
    let stop = "whether that host has a device 'precious' can't be seen over this connection";
    there.kvmnet(&create("precious")).exits(2).says(&[stop]).says(&["without --bridge libvirt chooses"]);
    // What libvirt does tell of is refused, whoever insists.
    let told = [&create("enp4s0")[..], &["--force"]].concat();
    there.kvmnet(&told).exits(2).says(&["that host has a device 'enp4s0'"]);
    assert_eq!(there.lab.try_virsh(&["net-info", "rem"]).code, 1, "nothing was defined");
    // Somebody has written this one by hand.
    let hand = "<network><name>hand</name><forward mode='nat'/><bridge name='virbr60'/><ip address='10.60.0.1' \
                prefix='24'/></network>";
    there.lab.virsh(&["net-define", &there.lab.file("hand.xml", hand)]);
    let stop = "whether that host has a device 'virbr60'";
    for words in ["start hand -y", "restart hand -y", "create hand --mode nat -y", "autostart hand on -y"] {
        let argv = ["net"].into_iter().chain(words.split(' ')).collect::<Vec<_>>();
        there.kvmnet(&argv).exits(2).says(&[stop]).says(&["--force goes on all the same"]);
    }
    assert!(there.has("precious") && there.has("virbr60") && there.has("enp4s0"));
    // A mode that leaves the name as it is and starts nothing does no harm.
    there.kvmnet(&["net", "set-mode", "hand", "--mode", "route", "-y"]).ok();
    // Once it is certain that none has the name, it goes on; and what runs on a name of its own keeps it.
    there.lab.host(&["ip", "link", "del", "virbr60"]).ok();
    there.kvmnet(&["net", "start", "hand", "-y", "--force"]).ok();
    there.kvmnet(&["net", "restart", "hand", "-y"]).ok();
    there.kvmnet(&["net", "stop", "hand", "-y"]).ok();
    there.add("virbr60 type bridge");
    there.kvmnet(&["undo", "-y"]).exits(2).says(&[stop]);
    assert!(there.has("virbr60"));
    there.lab.host(&["ip", "link", "del", "virbr60"]).ok();
    there.kvmnet(&["undo", "-y", "--force"]).ok();
    assert!(there.has("virbr60"), "it runs again");
}
