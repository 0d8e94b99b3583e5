//! A user whom libvirt lets do everything, and the kernel nothing with network devices: a member of libvirt's group.

use crate::lab::xml::{guest, on_network, plain};
use crate::lab::{Lab, Out, ids};

/// Runs kvmnet without the right to change network devices.
#[track_caller]
fn kvmnet(lab: &Lab, words: &str) -> Out {
    let without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
    let env = ["env", "KVMNET_STATE_DIR=/run/lab/state", env!("CARGO_BIN_EXE_kvmnet")];
    let words: Vec<&str> = words.split(' ').collect();
    lab.host(&[&without[..], &env, &words].concat())
}

#[test]
fn what_would_cut_running_guests_off_is_refused_beforehand() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    // Without running guests nothing is in its way.
    kvmnet(&lab, "net restart default -y").ok();
    lab.virsh(&["start", "vm1"]);
    for words in [
        "net restart default",
        "net set-mode default --mode route",
        "net set-mode default --mode bridge --bridge br0",
    ] {
        for consent in ["--dry-run", "-y"] {
            kvmnet(&lab, &format!("{words} {consent}"))
                .exits(2)
                .says(&["running guest 'vm1' would be cut off: this process may not plug taps into bridges"])
                .says(&[&format!("kvmnet {words} {consent}")])
                .says(&["help: sudo kvmnet"]);
        }
        assert_eq!(lab.tap_master("vm1", 1), "virbr0");
    }
    // As an undo, with the journal that it means.
    lab.kvmnet(&["net", "set-mode", "default", "--mode", "route", "-y"]).ok();
    kvmnet(&lab, "undo -y").exits(2).says(&["help: sudo env KVMNET_STATE_DIR=/run/lab/state kvmnet undo -y"]);
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");

    let stop = "only root plugs them back without a restart ('sudo kvmnet net start default')";
    kvmnet(&lab, "net stop default -y").ok().says(&[stop]);
    // Nothing gets worse by starting it.
    let out = kvmnet(&lab, "net start default -y").ok();
    out.says(&["running guest 'vm1': stays cut off: this process may not plug taps"])
        .says(&["'sudo kvmnet reattach --on-network default' plugs it back without a restart"]);
    assert!(lab.virsh(&["net-list"]).contains("default"));
    assert_eq!(lab.tap_master("vm1", 1), "");
    // Nor by the restart of what doesn't run, or the start as an undo.
    kvmnet(&lab, "net stop default -y").ok();
    kvmnet(&lab, "undo -y").ok().says(&["stays cut off"]);
    lab.virsh(&["net-destroy", "default"]);
    kvmnet(&lab, "net restart default -y").ok().says(&["stays cut off"]);
    kvmnet(&lab, "net autostart off default -y").ok();
    let out = kvmnet(&lab, "reattach --dry-run").exits(2);
    out.says(&["guest 'vm1': this process may not plug taps"]).says(&["help: sudo kvmnet reattach"]);
    lab.kvmnet(&["reattach", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

/// An `ip` that refuses to plug anything in.
const REFUSING: &str = "#!/bin/sh
[ \"$1 $2\" = 'link set' ] && { echo 'RTNETLINK answers: Operation not permitted' >&2; exit 2; }
exec $(PATH=${PATH#*:}; command -v ip) \"$@\"
";

#[test]
fn a_restart_that_leaves_guests_cut_off_is_not_nothing() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    lab.host(&["mkdir", "-p", "/run/lab/refusing"]).ok();
    let ip = lab.file("refusing/ip", REFUSING);
    lab.host(&["chmod", "+x", &ip]).ok();
    let path = "PATH=/run/lab/refusing:/usr/sbin:/usr/bin:/sbin:/bin";
    let env = ["env", path, "KVMNET_STATE_DIR=/run/lab/state", env!("CARGO_BIN_EXE_kvmnet")];
    let out = lab.host(&[&env[..], &["net", "restart", "default", "-y"]].concat()).exits(3);
    let out = out.says(&["running guests are cut off: 'vm1'"]).says(&["help: kvmnet undo 1"]);
    out.says(&["help: kvmnet reattach --on-network default"]).says(&["to put it back: kvmnet undo 1"]);
    assert_eq!(lab.tap_master("vm1", 1), "");
    let history = lab.kvmnet(&["history"]).ok();
    assert!(!history.stdout.contains("nothing changed"), "{}", history.report());
    assert_eq!(ids(&lab.kvmnet(&["history", "-o", "json"]).ok()), ["1"]);
    lab.kvmnet(&["undo", "-y"]).ok().says(&["plugs the running guests on network 'default' back in"]);
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

#[test]
fn a_restart_that_does_not_start_again_says_who_is_cut_off() {
    let Some(lab) = Lab::start() else { return };
    lab.define(&plain("vm1", 1));
    lab.virsh(&["start", "vm1"]);
    // libvirt starts no network whose subnet is another device's.
    let route = ["192.168.122.0/24", "dev", "br1", "metric", "9"];
    lab.host(&[&["ip", "route", "add"], &route[..]].concat()).ok();
    let out = lab.kvmnet(&["net", "restart", "default", "-y"]).exits(3);
    let out = out.says(&["running guests are cut off: 'vm1'"]).says(&["help: kvmnet undo 1"]);
    out.says(&["to put it back: kvmnet undo 1"]);
    lab.host(&[&["ip", "route", "del"], &route[..]].concat()).ok();
    lab.kvmnet(&["undo", "-y"]).ok();
    assert_eq!(lab.tap_master("vm1", 1), "virbr0");
}

#[test]
fn a_port_that_its_dns_server_will_not_get() {
    let Some(lab) = Lab::start() else { return };
    lab.network("lab", "<network><name>lab</name><bridge name='virbr7'/></network>");
    lab.define(&guest("vm1", &[on_network("lab", 1)], ""));
    lab.virsh(&["start", "vm1"]);
    lab.virsh(&["net-destroy", "default"]);
    lab.host(&["dnsmasq", "--conf-file=/dev/null", "--user=root", "--pid-file=/run/lab/other.pid"]).ok();
    for consent in ["--dry-run", "-y"] {
        let out = lab.kvmnet(&["net", "set-mode", "lab", "--mode", "nat", consent]).exits(2);
        out.says(&["has port 53 on all addresses"]).says(&["nothing was stopped"]);
    }
    assert_eq!(lab.tap_master("vm1", 1), "virbr7");
    lab.kvmnet(&["net", "restart", "lab", "-y"]).ok();
}

#[test]
fn a_users_own_libvirt_is_not_the_systems() {
    let Some(lab) = Lab::start() else { return };
    // A network of the same name runs in the system's, with its dnsmasq.
    lab.kvmnet(&["net", "create", "--mode", "nat"]).ok();
    let exe = std::path::Path::new(env!("CARGO_BIN_EXE_kvmnet"));
    let folder = exe.parent().and_then(|folder| folder.to_str()).unwrap();
    // A home, and a way to kvmnet that anybody may go; mounts last as long as a command.
    let home =
        "mkdir -p /run/lab/bin /run/lab/user/run && chmod 711 /run/lab && chown -R nobody /run/lab/user";
    lab.host(&["sh", "-c", home]).ok();
    let user = format!(
        "mount --bind {folder} /run/lab/bin && exec setpriv --reuid=nobody --regid=nogroup --clear-groups env \
         HOME=/run/lab/user XDG_RUNTIME_DIR=/run/lab/user/run /run/lab/bin/kvmnet"
    );
    let kvmnet = |words: &str| lab.host(&["sh", "-c", &format!("{user} {words}")]);
    let own = "qemu:///session is your own libvirt";
    kvmnet("-c qemu:///session net list").ok().says(&[own]).says(&["-c qemu:///system"]);
    kvmnet("-c qemu:///session net show default").exits(2).says(&[own]);
    for words in ["net create --mode nat --dry-run", "net create --mode nat"] {
        let made = kvmnet(&format!("-c qemu:///session {words}")).exits(2);
        let made = made.says(&[own]).says(&["no right to make the network's bridge"]);
        assert!(!made.all().contains("kill"), "that is the system's dnsmasq\n{}", made.report());
    }
    // The system's lets nobody in who isn't in its group.
    lab.host(&["chmod", "770", "/run/libvirt/libvirt-sock"]).ok();
    let stranger =
        kvmnet("-c qemu:///system net list").exits(2).says(&["the group 'libvirt'"]).says(&["sudo"]);
    assert!(!stranger.all().contains("is libvirtd"), "it runs\n{}", stranger.report());
    // What takes no right is made.
    kvmnet("-c qemu:///session net create lan --mode bridge --bridge br0").ok();
    assert!(lab.virsh(&["net-list"]).contains(" nat "));
}
