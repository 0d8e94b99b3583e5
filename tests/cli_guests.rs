//! `kvmnet convert DOMAIN` as a user meets it, on libvirt's test driver: the fixture host (see its header), whose state
//! lasts as long as one command.
#![cfg(feature = "libvirt")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;

use serde_json::json;
use support::{Run, SECRET, Sandbox, host};

impl Sandbox {
    /// A command on the fixture host.
    fn on_host(&self, words: &str) -> Run {
        self.kvmnet("-c").arg(host()).args(words.split_whitespace())
    }
}

// Which guest

#[test]
fn a_guest_goes_by_name_uuid_or_id() {
    let here = Sandbox::new();
    for word in ["ubuntuvm1", "6f3c1d0e-52b7-4d5a-9a54-0c7a3e1b8f21", "6F3C1D0E-52B7-4D5A-9A54-0C7A3E1B8F21"]
    {
        let done = here.on_host(&format!("convert {word} --to-bridge br0 --dry-run")).gives(0);
        done.shows(&["guest 'ubuntuvm1'", "+      <source bridge='br0'/>"]);
    }
    // web1 is the first that runs.
    here.on_host("convert 1 --to-bridge br0 --dry-run").gives(0).shows(&["guest 'web1'"]);
    here.kvmnet("-c test:///default convert test --to-bridge br0 --dry-run")
        .gives(0)
        .shows(&["guest 'test'"]);
    here.kvmnet("-c test:///default convert 1 --to-bridge br0 --dry-run").gives(0).shows(&["guest 'test'"]);
}

#[test]
fn a_guest_named_twice_is_changed_once() {
    let here = Sandbox::new();
    let words = "convert web1 1 web1 1e5b7a90-8c1d-4a26-b1c4-5e7f3d9a6b32 --to-bridge br0 --nic 1 -o json -y";
    assert_eq!(here.on_host(words).gives(0).json()["summary"]["applied"], 1);
}

#[test]
fn an_unknown_guest_lists_those_there_are() {
    let here = Sandbox::new();
    for word in ["nosuch", "ubuntuvm", "99", "6f3c1d0e-52b7-4d5a-9a54-000000000000", ""] {
        let done = here.on_host("convert --to-bridge br0 -y").arg(word).gives(2);
        done.says(&[&format!("guest '{word}': there is none of that name"), "ubuntuvm1", "web1"])
            .shows_nothing();
    }
    assert!(!here.journal().exists());
}

#[test]
fn one_unknown_guest_among_known_ones_doesnt_stop_them() {
    let here = Sandbox::new();
    let done = here.on_host("convert ubuntuvm1 nosuch --to-bridge br0 -y").gives(3);
    done.says(&["nosuch", "changed and verified: guest 'ubuntuvm1'"]);
}

#[test]
fn a_guest_name_cant_play_with_the_terminal() {
    let here = Sandbox::new();
    let done = here.on_host("convert --to-bridge br0").arg("x\x1b[31m\ny").gives(2);
    assert!(!done.err.contains("\x1b[31m"), "{:?}", done.err);
}

#[test]
fn failures_in_json_are_a_document_too() {
    let here = Sandbox::new();
    let done = here.on_host("convert nosuch --to-bridge br0 -o json -y").gives(2);
    assert!(done.json().is_object());
    let done =
        here.kvmnet("-c qemu+unix:///system?socket=/nonexistent convert a --to-bridge br0 -o json").gives(2);
    assert!(done.json().is_object());
}

// Which NIC

/// web1 with both NICs on virtual networks, so that either could be meant.
fn two_nics(here: &Sandbox) -> String {
    let node = fs::read_to_string(host().strip_prefix("test://").unwrap()).unwrap();
    let text = node.replace("<forward mode='bridge'/>\n    <bridge name='br0'/>", "<bridge name='virbr7'/>");
    assert_ne!(text, node);
    format!("test://{}", here.write("node.xml", text).display())
}

#[test]
fn ambiguous_nics_come_with_commands_that_work_when_pasted() {
    let here = Sandbox::new();
    let uri = two_nics(&here);
    let done = here.kvmnet("convert web1 --to-bridge br0 --force -y -c").arg(&uri).gives(2);
    done.gave(2);
    let done =
        here.kvmnet("convert web1 --to-bridge br0 -c").arg(&uri).gives(2).says(&["2 NICs", "lan", "default"]);
    let offers = done.offers();
    assert_eq!(offers.len(), 3, "{done}");
    for offer in &offers {
        // As if pasted into the same shell.
        let done =
            here.shell(&format!("{} --dry-run --force", offer.replacen("kvmnet", "\"$K\"", 1))).gives(0);
        done.shows(&["guest 'web1'"]);
    }
}

#[test]
fn ambiguous_nics_can_be_chosen_by_the_offers_on_the_same_connection() {
    let here = Sandbox::new();
    let uri = two_nics(&here);
    let done = here.kvmnet("convert web1 --to-bridge br0").env("LIBVIRT_DEFAULT_URI", &uri).gives(2);
    let offers = done.offers();
    for (offer, moved) in offers.iter().zip([1, 1, 2]) {
        let words = format!("{} --dry-run --force", offer.strip_prefix("kvmnet ").unwrap());
        let done = here.kvmnet(&words).env("LIBVIRT_DEFAULT_URI", &uri).gives(0);
        assert_eq!(done.out.matches("+      <source bridge='br0'/>").count(), moved, "{done}");
    }
}

#[test]
fn a_nic_goes_by_mac_position_target_or_alias() {
    let here = Sandbox::new();
    let uri = two_nics(&here);
    for (nic, position) in
        [("52:54:00:7a:10:02", 2), ("52:54:00:7A:10:01", 1), ("1", 1), ("2", 2), ("testnet1", 2)]
    {
        let done =
            here.kvmnet(&format!("convert web1 --to-bridge br0 --dry-run -o json --nic {nic} --force -c"));
        let document = done.arg(&uri).gives(0).json();
        let nics = document["changes"][0]["nics"].as_array().unwrap().clone();
        assert_eq!((nics.len(), &nics[0]["position"]), (1, &json!(position)), "{nic}");
    }
    let done =
        here.kvmnet("convert web1 --to-bridge br0 --dry-run --force --nic 1 --nic 2 --nic 1 -c").arg(&uri);
    assert_eq!(done.gives(0).out.matches("+      <source bridge='br0'/>").count(), 2);
}

#[test]
fn a_nic_that_isnt_there_lists_those_there_are() {
    let here = Sandbox::new();
    for nic in ["3", "52:54:00:ff:ff:ff", "net9"] {
        let done = here.on_host(&format!("convert web1 --to-bridge br0 --nic {nic}")).gives(2);
        done.says(&["guest 'web1'", nic, "52:54:00:7a:10:01"]);
    }
}

#[test]
fn a_nic_on_the_bridge_already_through_its_network_stays_unless_inline() {
    let here = Sandbox::new();
    here.on_host("convert db1 --to-bridge br0").gives(0).shows(&["nothing to do", "--inline"]);
    let done = here.on_host("convert db1 --to-bridge br0 --inline --dry-run --force").gives(0);
    done.shows(&["<tag id='10'/>"]);
}

// Many guests

#[test]
fn all_takes_each_guest_and_one_failure_stops_no_other() {
    let here = Sandbox::new();
    let done = here.on_host("convert --all --to-bridge br0 --force -y").gives(3);
    done.says(&[
        "guest 'saved1'",
        "--managed-save",
        "guest 'temp1'",
        "transient",
        "3 changed",
        "2 failed",
        "kvmnet undo 1",
    ]);
    let entries = here.kvmnet("history -o json").gives(0).json();
    assert_eq!(entries["runs"][0]["changes"].as_array().unwrap().len(), 3);
}

#[test]
fn on_network_takes_the_guests_there_and_only_those_nics() {
    let here = Sandbox::new();
    let document =
        here.on_host("convert --on-network lan --to-network default --dry-run -o json").gives(0).json();
    let names: Vec<_> = document["changes"].as_array().unwrap().iter().map(|c| c["domain"].clone()).collect();
    assert_eq!(names, ["db1", "web1"]);
    for change in document["changes"].as_array().unwrap() {
        assert_eq!(change["nics"].as_array().unwrap().len(), 1);
        assert_eq!(change["nics"][0]["from"]["source"], "lan");
    }
}

#[test]
fn on_network_that_isnt_there_lists_those_there_are() {
    let here = Sandbox::new();
    here.on_host("convert --on-network nosuch --to-bridge br0 -y")
        .gives(2)
        .says(&["nosuch", "default", "lan"]);
}

#[test]
fn in_place_and_other_flags_for_files_dont_go_with_guests() {
    let here = Sandbox::new();
    here.on_host("convert ubuntuvm1 --to-bridge br0 --in-place -y").gives(2).says(&["--in-place"]);
    here.on_host("convert ubuntuvm1 --to-bridge br0 --output-dir . -y").gives(2).says(&["--output-dir"]);
    here.on_host("convert --all --to-bridge br0 --network-xml x.xml -y").gives(2).says(&["--network-xml"]);
}

// Consent

#[test]
fn yes_applies_and_verifies() {
    let here = Sandbox::new();
    let done = here.on_host("convert ubuntuvm1 --to-bridge br0 --force -y").gives(0);
    done.says(&["verified", "ubuntuvm1", "kvmnet undo 1"]).shows(&["started next", "default"]);
    let journal = fs::read_to_string(here.journal().join("1.jsonl")).unwrap();
    assert!(journal.contains(SECRET), "the password belongs to what must be put back");
}

#[test]
fn json_of_a_guest_has_the_keys_of_the_contract() {
    let here = Sandbox::new();
    let document = here.on_host("convert ubuntuvm1 --to-bridge br0 --force -y -o json").gives(0).json();
    let change = &document["changes"][0];
    assert_eq!(change["domain"], "ubuntuvm1");
    assert_eq!(change["uuid"], "6f3c1d0e-52b7-4d5a-9a54-0c7a3e1b8f21");
    assert_eq!((&change["file"], &change["error"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&change["status"], &change["id"], &change["live"]),
        (&json!("applied"), &json!("1"), &json!("not-running"))
    );
    assert_eq!(change["nics"][0]["from"], json!({ "type": "network", "source": "default" }));
    assert_eq!(change["nics"][0]["to"], json!({ "type": "bridge", "source": "br0" }));
    assert!(change["diff"].as_str().unwrap().contains("+      <source bridge='br0'/>"));
    assert_eq!(document["summary"], json!({ "planned": 0, "applied": 1, "unchanged": 0, "failed": 0 }));
}

#[test]
fn without_a_terminal_a_guest_is_left_alone() {
    let here = Sandbox::new();
    let done = here.on_host("convert ubuntuvm1 --to-network lan").gives(2);
    done.says(&["no terminal", "-y"]).shows(&["+      <source network='lan'/>"]);
    assert!(!here.journal().exists());
}

#[test]
fn at_a_terminal_somebody_is_asked() {
    let words = format!("-c {} convert ubuntuvm1 --to-network default:x --force", host());
    let here = Sandbox::new();
    here.at_terminal(&words, b"y\n").gave(0).shows(&["Make this change?", "verified"]);
    assert!(here.journal().exists());
    for answer in [b"n\n", b"\x03\n", b"\x04\n"] {
        let here = Sandbox::new();
        here.at_terminal(&words, answer).gave(2).shows(&["nothing was changed"]);
        assert!(!here.journal().exists());
    }
}

#[test]
fn exit_code_needs_a_dry_run() {
    let here = Sandbox::new();
    here.on_host("convert ubuntuvm1 --to-network lan --exit-code").gives(2).says(&["--dry-run"]);
    here.on_host("convert ubuntuvm1 --to-network lan --dry-run --exit-code").gives(1);
    here.on_host("convert ubuntuvm1 --to-network default --dry-run --exit-code")
        .gives(0)
        .shows(&["nothing to do"]);
}

// What stands in the way

#[test]
fn a_read_only_connection_shows_and_does_nothing() {
    let here = Sandbox::new();
    let words = "--readonly convert ubuntuvm1 --to-network lan";
    here.on_host(&format!("{words} --dry-run")).gives(0).shows(&["+      <source network='lan'/>"]);
    here.on_host(&format!("{words} -y")).gives(2).says(&["read-only", "--dry-run"]);
    assert!(!here.journal().exists());
}

#[test]
fn a_transient_guest_is_refused() {
    let here = Sandbox::new();
    here.on_host("convert temp1 --to-network lan -y").gives(2).says(&[
        "guest 'temp1'",
        "transient",
        "virsh define",
    ]);
    assert!(!here.journal().exists());
}

#[test]
fn a_saved_image_needs_a_decision() {
    let here = Sandbox::new();
    let done = here.on_host("convert saved1 --to-network lan -y").gives(2);
    done.says(&["guest 'saved1'", "--managed-save edit", "--managed-save keep", "--managed-save discard"]);
    assert!(!here.journal().exists());
    here.on_host("convert saved1 --to-network lan -y --managed-save keep")
        .gives(0)
        .shows(&["warning[managed-save]"]);
    here.on_host("convert saved1 --to-network lan -y --managed-save discard")
        .gives(0)
        .shows(&["thrown away"]);
    here.on_host("convert saved1 --to-network lan -y --managed-save burn")
        .gives(2)
        .says(&["edit", "keep", "discard"]);
}

#[test]
fn an_image_that_cant_be_edited_leaves_the_guest_whole() {
    let here = Sandbox::new();
    // The test driver can't do it.
    let done = here.on_host("convert saved1 --to-network lan -y --managed-save edit").gives(2);
    done.says(&["guest 'saved1'", "saved memory image", "not supported"]);
    assert!(!here.journal().exists());
}

#[test]
fn a_snapshot_that_brings_the_nic_back_is_named() {
    let here = Sandbox::new();
    let done = here.on_host("convert snap1 --to-network lan --dry-run").gives(0);
    done.shows(&["warning[snapshot]", "'before-upgrade'"]);
}

#[test]
fn a_running_guest_is_told_when_it_takes_effect() {
    let here = Sandbox::new();
    let done = here.on_host("convert web1 --nic 1 --to-network lan --dry-run -o json").gives(0);
    assert_eq!(done.json()["changes"][0]["live"], "pending-shutdown");
    here.on_host("convert web1 --nic 1 --to-network lan --dry-run").gives(0).shows(&["power-off", "reboot"]);
}

#[test]
fn a_target_that_isnt_there_needs_force() {
    let here = Sandbox::new();
    let done = here.on_host("convert ubuntuvm1 --to-network nosuch -y").gives(2);
    done.says(&["guest 'ubuntuvm1'", "nosuch", "default", "lan", "--force"]);
    let done = here.on_host("convert ubuntuvm1 --to-network lan:nosuch -y").gives(2);
    done.says(&["portgroup", "nosuch", "--force"]);
    assert!(!here.journal().exists());
    here.on_host("convert ubuntuvm1 --to-network nosuch -y --force").gives(0);
}

#[test]
fn secrets_are_masked_in_the_diff_of_a_guest() {
    let here = Sandbox::new();
    let node = fs::read_to_string(host().strip_prefix("test://").unwrap()).unwrap();
    // With the NIC last, the diff shows the password's line.
    let line = "<memballoon model='virtio'>";
    assert!(node.contains(line));
    let uri = format!("test://{}", here.write("node.xml", node).display());
    let done = here.kvmnet("convert ubuntuvm1 --to-network lan -y -v -o json -c").arg(&uri).gives(0);
    assert!(!done.out.contains(SECRET));
    here.kvmnet("-vv convert ubuntuvm1 --to-network lan -y -c").arg(&uri).gives(0);
    here.kvmnet("history -o json").gives(0);
}

// The connection

#[test]
fn a_libvirt_that_cant_be_reached_is_said_with_what_to_try() {
    let here = Sandbox::new();
    for uri in [
        "qemu+unix:///system?socket=/nonexistent",
        "nosuch:///system",
        "qemu+ssh://127.0.0.1:1/system",
        "qemu+tcp://127.0.0.1:1/system",
        "qemu+tls://127.0.0.1:1/system",
        "test:///nonexistent/node.xml",
        "not a uri",
        "://",
        "test://",
        "",
    ] {
        let done = here.kvmnet("convert web1 --to-bridge br0 -c").arg(uri).gives(2).shows_nothing();
        let done = done.says(&["kvmnet: error: cannot connect to libvirt", uri, "help: "]);
        assert!(!done.err.contains("libvirt:"), "libvirt's own printing: {done}");
    }
    let run = here
        .kvmnet("convert web1 --to-bridge br0")
        .env("LIBVIRT_DEFAULT_URI", "qemu+tcp://127.0.0.1:1/system");
    run.gives(2).says(&["127.0.0.1"]);
}

#[test]
fn a_host_file_that_is_no_xml_is_an_error_in_words() {
    let here = Sandbox::new();
    let path = here.write("node.xml", "<node><domain>");
    let done =
        here.kvmnet("convert web1 --to-bridge br0 -c").arg(format!("test://{}", path.display())).gives(2);
    done.says(&["cannot connect"]);
}

#[test]
fn the_flag_wins_over_the_environment() {
    let here = Sandbox::new();
    let run = here
        .on_host("convert ubuntuvm1 --to-network lan --dry-run")
        .env("LIBVIRT_DEFAULT_URI", "test:///default");
    run.gives(0);
    let run =
        here.kvmnet("convert test --to-bridge br0 --dry-run").env("LIBVIRT_DEFAULT_URI", "test:///default");
    run.gives(0);
}

#[test]
fn without_its_linked_half_it_says_what_to_do() {
    let here = Sandbox::new();
    let text = here.guest("a.xml");
    let alone = here.path("bin/kvmnet");
    fs::create_dir(here.path("bin")).unwrap();
    fs::copy(support::program(), &alone).unwrap();
    let done = here.program(&alone).args(["-c", &host(), "convert", "web1", "--to-bridge", "br0"]).gives(2);
    done.says(&["kvmnet-libvirt", "--file"]).shows_nothing();
    here.program(&alone).args(["convert", "--file", "a.xml", "--to-bridge", "br0"]).gives(0);
    // There, but nothing that can be run.
    here.write("bin/kvmnet-libvirt", "");
    let done = here.program(&alone).args(["-c", &host(), "convert", "web1", "--to-bridge", "br0"]);
    done.gives(2).says(&["kvmnet-libvirt", "Permission denied"]);
    assert_eq!(here.text("a.xml"), text);
}

#[test]
fn through_a_symbolic_link_its_linked_half_is_found() {
    let here = Sandbox::new();
    std::os::unix::fs::symlink(support::program(), here.path("kn")).unwrap();
    let done = here.program(here.path("kn")).args([
        "-c",
        &host(),
        "convert",
        "ubuntuvm1",
        "--to-network",
        "lan",
        "--dry-run",
    ]);
    done.gives(0);
}

#[test]
fn closed_descriptors_are_survived_on_the_way_to_libvirt() {
    let here = Sandbox::new();
    let command = format!("\"$K\" -c {} convert ubuntuvm1 --to-network lan", host());
    for closed in ["<&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        here.shell(&format!("{command} {closed}")).gives(2);
        assert!(!here.journal().exists());
    }
    here.shell(&format!("{command} -y > /dev/full")).gives(2).says(&["nothing was changed"]);
    assert!(!here.journal().exists());
}

// Taps

#[test]
fn guests_of_the_test_driver_have_no_taps() {
    let here = Sandbox::new();
    here.on_host("reattach").gives(0).says(&["nothing to do"]).shows_nothing();
    assert_eq!(here.on_host("reattach --all -y -o json").gives(0).json()["changes"], json!([]));
    here.on_host("reattach web1 --all").gives(2).says(&["cannot be used with"]);
    for words in ["web1 --on-network default", "--all --on-network default"] {
        here.on_host(&format!("reattach {words}")).gives(0).says(&["nothing to do"]);
    }
    here.on_host("reattach --exit-code").gives(2).says(&["--dry-run"]);
    assert!(!here.journal().exists());
}
