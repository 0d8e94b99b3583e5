//! `kvmnet history` and `kvmnet undo` as a user meets them: what was written down, what is put back, what survives
//! being cut off.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use support::{SECRET, Sandbox, on_br0};

// History

#[test]
fn a_new_journal_is_empty() {
    let here = Sandbox::new();
    here.kvmnet("history").gives(0).shows(&["no changes yet"]);
    assert_eq!(here.kvmnet("history -o json").gives(0).json(), json!({ "runs": [] }));
    assert!(!here.path("state").exists(), "looking leaves nothing behind");
}

#[test]
fn history_names_command_file_change_and_state_newest_first() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    here.convert(&["b.xml", "c d.xml"]);
    let done = here.kvmnet("history").gives(0);
    done.shows(&[
        "kvmnet convert --to-bridge br0 --in-place -y --file b.xml 'c d.xml'",
        "a.xml: changed",
        &here.path("c d.xml").canonicalize().unwrap().display().to_string(),
        "2.1",
        "2.2",
        "→",
    ]);
    let runs = here.history();
    let ids =
        |run: &Value| run["changes"].as_array().unwrap().iter().map(|c| c["id"].clone()).collect::<Vec<_>>();
    assert_eq!((runs[0]["run"].clone(), ids(&runs[0])), (json!(2), vec![json!("2.1"), json!("2.2")]));
    assert_eq!((runs[1]["run"].clone(), ids(&runs[1])), (json!(1), vec![json!("1")]));
    assert_eq!(runs[0]["changes"][1]["file"], "c d.xml");
    assert_eq!(runs[0]["changes"][1]["status"], "applied");
}

#[test]
fn last_limits_the_history() {
    let here = Sandbox::new();
    for name in ["a.xml", "b.xml", "c.xml"] {
        here.convert(&[name]);
    }
    for (last, count) in [("0", 0), ("1", 1), ("2", 2), ("99", 3)] {
        let runs = here.kvmnet("history -o json --last").arg(last).gives(0).json();
        assert_eq!(runs["runs"].as_array().unwrap().len(), count, "{last}");
    }
}

// Undo

#[test]
fn undo_puts_the_bytes_back_and_a_second_one_has_nothing_to_do() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.kvmnet("undo -y")
        .gives(0)
        .shows(&["-      <source bridge='br0'/>", "+      <source network='default'/>"]);
    assert_eq!(here.text("a.xml"), old);
    here.kvmnet("undo -y").gives(0).says(&["nothing to do"]);
    assert_eq!(here.text("a.xml"), old);
    assert_eq!(here.history().len(), 2);
}

#[test]
fn undo_goes_down_the_stack() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.convert(&["b.xml"]);
    here.kvmnet("undo -y").gives(0);
    assert_eq!((here.text("a.xml"), here.text("b.xml")), (on_br0(&old), old.clone()));
    here.kvmnet("undo -y").gives(0);
    assert_eq!((here.text("a.xml"), here.text("b.xml")), (old.clone(), old));
    here.kvmnet("undo -y").gives(0).says(&["nothing to do"]);
}

#[test]
fn undo_goes_down_the_changes_of_one_file() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.kvmnet("convert --file a.xml --to-network lan --in-place -y").gives(0);
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn undo_of_an_older_change_is_refused_while_a_newer_one_stands_on_it() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    here.kvmnet("convert --file a.xml --to-network lan --in-place -y").gives(0);
    let text = here.text("a.xml");
    here.kvmnet("undo 1 -y").gives(2).says(&["a.xml", "has changed since 1", "left alone"]);
    assert_eq!(here.text("a.xml"), text);
}

#[test]
fn undo_by_id_takes_that_one_only() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.convert(&["b.xml"]);
    here.kvmnet("undo 1 -y").gives(0);
    assert_eq!((here.text("a.xml"), here.text("b.xml")), (old.clone(), on_br0(&old)));
    here.kvmnet("undo 1 -y").gives(0).shows(&["put back already"]);
}

#[test]
fn undo_of_an_undo_does_it_again() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.kvmnet("undo -y").gives(0).says(&["kvmnet undo 2"]);
    here.kvmnet("undo 2 -y").gives(0);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn a_run_of_several_is_undone_whole_or_one_by_one() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml", "b.xml", "c.xml"]);
    here.kvmnet("undo 1.2 -y").gives(0);
    let texts = || ["a.xml", "b.xml", "c.xml"].map(|name| here.text(name));
    assert_eq!(texts(), [on_br0(&old), old.clone(), on_br0(&old)]);
    here.kvmnet("undo 1 -y").gives(0);
    assert_eq!(texts(), [old.clone(), old.clone(), old.clone()]);
    here.kvmnet("undo 1 -y").gives(0);
}

#[test]
fn ids_that_arent_there_are_refused() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    here.convert(&["b.xml", "c.xml"]);
    for id in ["9", "0", "1.2", "2.3", "2.0", "2.", ".", "", "x", "1.1.1", "99999999999999999999", "01", "+1"]
    {
        here.kvmnet("undo -y").arg(id).gives(2).says(&["journal", "kvmnet history"]);
    }
    here.kvmnet("undo -y -- -1").gives(2).says(&["kvmnet history"]);
}

#[test]
fn undo_asks_as_every_change_does() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.kvmnet("undo").gives(2).says(&["no terminal", "-y"]);
    here.kvmnet("undo --dry-run").gives(0).shows(&["+      <source network='default'/>"]);
    here.kvmnet("undo --dry-run --exit-code").gives(1);
    here.at_terminal("undo", b"n\n").gave(2);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    here.at_terminal("undo", b"y\n").gave(0);
    assert_eq!(here.text("a.xml"), old);
    here.kvmnet("undo --dry-run --exit-code").gives(0);
}

#[test]
fn undo_in_json_has_the_document_of_a_change() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    let document = here.kvmnet("undo -y -o json").gives(0).json();
    assert_eq!(document["summary"], json!({ "planned": 0, "applied": 1, "unchanged": 0, "failed": 0 }));
    assert_eq!(
        (&document["changes"][0]["id"], &document["changes"][0]["file"]),
        (&json!("2"), &json!("a.xml"))
    );
    let document = here.kvmnet("undo -y -o json").gives(0).json();
    assert_eq!(document["changes"], json!([]));
}

#[test]
fn undo_leaves_a_file_alone_that_changed_since_and_shows_how() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    let edited = here.text("a.xml").replace("web1", "web2");
    here.write("a.xml", &edited);
    let done = here.kvmnet("undo -y").gives(2);
    done.says(&["a.xml", "has changed since 1", "-  <name>web1</name>", "+  <name>web2</name>"]);
    assert_eq!(here.text("a.xml"), edited);
}

#[test]
fn undo_masks_the_secrets_in_the_file_that_changed() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    let edited =
        here.text("a.xml").replace(&format!("passwd='{SECRET}'/>"), &format!("passwd='{SECRET}' port='1'/>"));
    here.write("a.xml", edited);
    here.kvmnet("undo -y").gives(2).says(&["passwd='***'", "port='1'"]);
    // No XML any more: nothing of it can be masked, so nothing is shown.
    here.write("a.xml", format!("<domain {SECRET}"));
    here.kvmnet("undo -y").gives(2).says(&["has changed since"]);
}

#[test]
fn undo_says_that_only_a_secret_changed() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    here.write("a.xml", here.text("a.xml").replace(SECRET, "other"));
    let done = here.kvmnet("undo -y").gives(2).says(&["has changed since"]);
    assert!(!done.err.contains("left alone:\n\n"), "a difference is announced and none shown: {done}");
    assert!(done.err.contains("secret") || done.err.contains("password"), "{done}");
}

#[test]
fn undo_of_a_file_that_is_gone_says_so() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    fs::remove_file(here.path("a.xml")).unwrap();
    here.kvmnet("undo -y").gives(2).says(&["a.xml", "is gone since 1"]);
    fs::create_dir(here.path("a.xml")).unwrap();
    here.kvmnet("undo -y").gives(2).says(&["a.xml", "directory"]);
}

#[test]
fn undo_of_a_file_that_somebody_put_back_has_nothing_to_do() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.write("a.xml", &old);
    here.kvmnet("undo -y").gives(0).shows(&["nothing to put back"]);
}

#[test]
fn what_somebody_put_back_doesnt_hide_older_changes_from_undo() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    here.convert(&["b.xml"]);
    here.write("b.xml", &old);
    // Where nobody sees that coming, it doesn't.
    let stays = "nothing of 2 is left to put back; what is older is left alone ('kvmnet undo 1' puts 1 back)";
    for words in ["undo -y", "undo", "undo --dry-run", "undo -y"] {
        here.kvmnet(words).gives(0).says(&[stays]);
    }
    here.at_terminal("undo -y", b"").gave(0).shows(&[stays]);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    let skips = "all that 2 changed is as it was before already; going on to 1";
    here.at_terminal("undo", b"n\n").gave(2).shows(&[skips]);
    here.at_terminal("undo", b"y\n").gave(0).shows(&[skips]);
    assert_eq!(here.text("a.xml"), old, "undo never gets past the run that was put back by hand");
}

#[test]
fn one_file_that_changed_since_doesnt_stop_the_others() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml", "b.xml", "c.xml"]);
    here.write("b.xml", "mine");
    here.kvmnet("undo -y").gives(3).says(&["b.xml", "2 changed, 1 failed"]);
    assert_eq!(["a.xml", "b.xml", "c.xml"].map(|name| here.text(name)), [old.clone(), "mine".into(), old]);
}

#[test]
fn undo_of_new_files_removes_them() {
    let here = Sandbox::new();
    here.guest("a.xml");
    fs::create_dir(here.path("new")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(0);
    let done = here.kvmnet("undo -y").gives(0);
    assert!(here.names("new").is_empty());
    assert!(
        done.out.contains("remove") || done.out.contains("/dev/null"),
        "it doesn't say that it removes: {done}"
    );
    here.kvmnet("undo 2 -y").gives(0);
    assert_eq!(here.text("new/a.xml"), on_br0(&here.text("a.xml")));
}

#[test]
fn undo_of_overwritten_files_brings_them_back() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.write("new/a.xml", "precious");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new -y").gives(0);
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("new/a.xml"), "precious");
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_of_a_guest_connects_to_where_it_was_and_finds_it() {
    let here = Sandbox::new();
    here.kvmnet("convert ubuntuvm1 --to-network lan -y -c").arg(support::host()).gives(0);
    // The test driver forgets, so the guest is as it was.
    here.kvmnet("undo -y").gives(0).shows(&["guest 'ubuntuvm1'", "nothing to put back"]);
    assert_eq!(here.history()[0]["uri"], support::host());
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_of_a_guest_that_cant_be_reached_says_where() {
    let here = Sandbox::new();
    let node = here.write("node.xml", fs::read(support::host().strip_prefix("test://").unwrap()).unwrap());
    let uri = format!("test://{}", node.display());
    here.kvmnet("convert ubuntuvm1 --to-network lan -y -c").arg(&uri).gives(0);
    fs::remove_file(&node).unwrap();
    here.kvmnet("undo -y").gives(2).says(&["cannot connect", &uri]);
    fs::write(&node, "<node/>").unwrap();
    let done = here.kvmnet("undo -y").gives(2);
    done.says(&["ubuntuvm1", "gone"]);
}

/// A host on the test driver that remembers: `ubuntuvm1` was moved to network lan, by change 1.
#[cfg(feature = "libvirt")]
fn a_moved_guest(here: &Sandbox) -> String {
    let text = fs::read_to_string(support::host().strip_prefix("test://").unwrap()).unwrap();
    let uri = format!("test://{}", here.write("node.xml", &text).display());
    here.kvmnet("convert ubuntuvm1 --to-network lan -y -c").arg(&uri).gives(0);
    let (before, after) = ("<source network='default'/>", "<source network='lan'/>");
    here.write("node.xml", text.replacen(before, after, 1));
    uri
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_of_a_guest_is_previewed_applied_and_verified() {
    let here = Sandbox::new();
    a_moved_guest(&here);
    let done = here.kvmnet("undo -y").gives(0).says(&["verified", "guest 'ubuntuvm1'"]);
    done.shows(&["-      <source network='lan'/>", "+      <source network='default'/>"]);
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_of_a_guest_that_changed_since_is_refused_without_its_secrets() {
    let here = Sandbox::new();
    a_moved_guest(&here);
    let (before, after) = ("port='-1' autoport='yes'", "port='5901' autoport='no'");
    here.write("node.xml", here.text("node.xml").replacen(before, after, 1));
    here.kvmnet("undo -y").gives(2).says(&["guest 'ubuntuvm1'", "has changed since 1", "passwd='***'"]);
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_on_a_read_only_connection_changes_nothing() {
    let here = Sandbox::new();
    a_moved_guest(&here);
    here.kvmnet("--readonly undo -y").gives(2).says(&["read-only"]);
}

#[cfg(feature = "libvirt")]
#[test]
fn undo_doesnt_silently_ignore_another_connection() {
    let here = Sandbox::new();
    a_moved_guest(&here);
    here.kvmnet("-c test:///default undo -y").gives(2).says(&["test:///default"]);
}

// Where it stands

#[test]
fn the_journal_is_private() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.shell("umask 000; \"$K\" convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    let mode = |name: &str| fs::metadata(here.path(name)).unwrap().mode() & 0o777;
    assert_eq!(["state", "state/journal", "state/journal/1.jsonl"].map(mode), [0o700, 0o700, 0o600]);
}

#[test]
fn the_journal_stands_where_the_variables_say() {
    if rustix::process::geteuid().is_root() {
        // As root it is /var/lib/kvmnet whatever else is set; that one isn't a test's to write to.
        let here = Sandbox::new();
        let place = here.path("xdg/kvmnet/journal");
        fs::set_permissions(here.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        here.guest("a.xml");
        let run =
            || here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").without("KVMNET_STATE_DIR");
        let nobody = |run: support::Run| run.by_nobody(&here);
        fs::set_permissions(here.path("a.xml"), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        std::os::unix::fs::chown(here.path("a.xml"), Some(65534), Some(65534)).unwrap();
        std::os::unix::fs::chown(here.path("home"), Some(65534), Some(65534)).unwrap();
        nobody(run().env("XDG_STATE_HOME", here.path("xdg"))).gives(0);
        assert!(place.join("1.jsonl").exists());
        nobody(here.kvmnet("undo -y").without("KVMNET_STATE_DIR").env("XDG_STATE_HOME", here.path("xdg")))
            .gives(0);
        // A relative one doesn't count (XDG's rule); nor does an empty one.
        nobody(run().env("XDG_STATE_HOME", "relative")).gives(0);
        assert!(here.path("home/.local/state/kvmnet/journal/1.jsonl").exists());
        nobody(here.kvmnet("undo -y").without("KVMNET_STATE_DIR").env("XDG_STATE_HOME", "")).gives(0);
        let done = nobody(run().without("HOME")).gives(2);
        done.says(&["journal", "KVMNET_STATE_DIR", "HOME"]);
        nobody(here.kvmnet("history").without("KVMNET_STATE_DIR").without("HOME")).gives(2).says(&["HOME"]);
    }
}

#[test]
fn a_journal_without_the_right_to_read_it_is_an_error_in_words() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    for words in ["history", "undo -y"] {
        if rustix::process::geteuid().is_root() {
            here.kvmnet(words).by_nobody(&here).gives(2).says(&["journal", "Permission denied", "state"]);
        }
    }
}

#[test]
fn a_relative_state_dir_is_no_trap() {
    let here = Sandbox::new();
    let old = here.guest("x/a.xml");
    here.kvmnet("convert --file x/a.xml --to-bridge br0 --in-place -y")
        .env("KVMNET_STATE_DIR", "rel")
        .gives(0);
    here.kvmnet("undo -y").env("KVMNET_STATE_DIR", "../rel").folder(here.path("x")).gives(0);
    assert_eq!(here.text("x/a.xml"), old);
}

// Damage

#[test]
fn a_last_line_that_was_cut_off_is_passed_over() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    let log = here.journal().join("1.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(b"{\"begin\":{\"change\":2,\"of\":2,\"subj").unwrap();
    here.kvmnet("history").gives(0).shows(&["a.xml: changed"]);
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
    here.kvmnet("history").gives(0).shows(&["a.xml: put back by 2"]);
    here.kvmnet("undo -y").gives(0).says(&["there is no change to put back"]);
}

#[test]
fn cut_off_anywhere_the_journal_can_be_read_and_undo_is_right() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    let whole = fs::read(here.journal().join("1.jsonl")).unwrap();
    let begin_ends = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(1).unwrap().0;
    for cut in (0..whole.len()).step_by(whole.len() / 40) {
        fs::write(here.journal().join("1.jsonl"), &whole[..cut]).unwrap();
        let _ = fs::remove_file(here.journal().join("2.jsonl"));
        here.write("a.xml", on_br0(&old));
        here.kvmnet("history").gives(0);
        here.kvmnet("undo -y").gives(0);
        assert_eq!(here.text("a.xml") == old, cut >= begin_ends, "cut at {cut}");
    }
}

#[test]
fn rubbish_in_the_journal_folder_does_no_harm() {
    let here = Sandbox::new();
    let old = here.convert(&["a.xml"]);
    let journal = here.journal();
    fs::write(journal.join("notes.txt"), "x").unwrap();
    fs::write(journal.join("2.jsonl"), b"\xff\xfe\0\n[]\n{}\nnull\n").unwrap();
    fs::write(journal.join("x.jsonl"), "x").unwrap();
    fs::write(journal.join("-1.jsonl"), "x").unwrap();
    here.kvmnet("history").gives(0).shows(&["a.xml"]);
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn a_folder_or_pipe_in_the_journal_is_named() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    fs::create_dir(here.journal().join("7.jsonl")).unwrap();
    here.kvmnet("history").gives(2).says(&["journal", "7.jsonl"]);
}

#[test]
fn the_greatest_number_there_is_does_no_harm() {
    let here = Sandbox::new();
    here.convert(&["a.xml"]);
    fs::write(here.journal().join(format!("{}.jsonl", u64::MAX)), "").unwrap();
    here.guest("b.xml");
    let code = here.kvmnet("convert --file b.xml --to-bridge br0 --in-place -y").run().code;
    assert!(code == 0 || code == 2);
}
