//! `kvmnet convert --file … --output-dir` as a user meets it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use support::{Sandbox, guest, on_br0};

#[test]
fn output_dir_gets_a_new_file_without_being_asked() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    fs::create_dir(here.path("new")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(0).says(&["kvmnet undo 1"]);
    assert_eq!((here.text("new/a.xml"), here.text("a.xml")), (on_br0(&old), old));
}

#[test]
fn output_dir_that_holds_the_result_is_nothing_to_do() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.write("new/a.xml", on_br0(&old));
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(0);
    done.shows(&["nothing to do", "new/a.xml"]);
    assert!(!here.journal().exists());
}

#[test]
fn output_dir_that_holds_something_else_needs_a_yes() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.write("new/a.xml", "precious");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(2).says(&["-y"]);
    assert_eq!(here.text("new/a.xml"), "precious");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new -y").gives(0);
    assert_eq!(here.text("new/a.xml"), on_br0(&old));
}

#[test]
fn the_preview_shows_what_is_overwritten_in_the_output_dir() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.write("new/a.xml", guest("precious", &["default"]));
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new -y").gives(0);
    done.shows(&["new/a.xml", "precious"]);
}

#[test]
fn a_guest_that_needs_no_change_gives_no_file() {
    let here = Sandbox::new();
    here.write("a.xml", on_br0(&guest("web1", &["default"])));
    fs::create_dir(here.path("new")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(0);
    assert!(here.names("new").is_empty());
}

#[test]
fn two_files_of_one_name_dont_overwrite_each_other() {
    let here = Sandbox::new();
    let old = here.guest("one/a.xml");
    here.write("two/a.xml", guest("web2", &["default"]));
    fs::create_dir(here.path("new")).unwrap();
    let done = here.kvmnet("convert --file one/a.xml two/a.xml --to-bridge br0 --output-dir new").gives(3);
    let done = done.says(&["error: two/a.xml", "for one/a.xml too", "twice"]);
    assert!(!done.out.contains("two/a.xml") && !done.out.contains("web2"), "shown, and not written: {done}");
    assert_eq!(here.text("new/a.xml"), on_br0(&old));
}

#[test]
fn output_dir_that_isnt_there_is_named() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(2).says(&["new", "mkdir new"]);
    here.write("file", "");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir file").gives(2).says(&["file"]);
}

#[test]
fn output_dir_is_not_where_the_file_stands() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir . -y").gives(2).says(&["--in-place"]);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn a_private_file_stays_private_in_the_output_dir() {
    let here = Sandbox::new();
    here.guest("a.xml");
    fs::set_permissions(here.path("a.xml"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(here.path("new")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(0);
    let mode = fs::metadata(here.path("new/a.xml")).unwrap().mode() & 0o777;
    assert_eq!(mode & 0o077, 0, "a file with a password, mode 600, was copied to one of mode {mode:o}");
}

#[test]
fn what_was_written_is_named_wherever_it_is_told_of() {
    let here = Sandbox::new();
    let old = here.guest("in/a.xml");
    fs::create_dir(here.path("out")).unwrap();
    let done = here.kvmnet("convert --file in/a.xml --to-bridge br0 --output-dir out -o json").gives(0);
    let change = &done.json()["changes"][0];
    assert_eq!((&change["file"], &change["written"]), (&"in/a.xml".into(), &"out/a.xml".into()));
    done.says(&["changed and verified: out/a.xml"]);
    let absolute = here.path("out/a.xml").canonicalize().unwrap().display().to_string();
    here.kvmnet("history").gives(0).shows(&["out/a.xml: changed", &format!("\n             {absolute}\n")]);
    let entry = &here.history()[0]["changes"][0];
    assert_eq!((&entry["file"], &entry["path"]), (&"out/a.xml".into(), &absolute.into()));
    let done = here.kvmnet("undo -y").gives(0).says(&["changed and verified: out/a.xml"]);
    assert!(done.out.starts_with("out/a.xml\n") && !done.out.contains("in/a.xml"), "{done}");
    assert_eq!((here.text("in/a.xml"), here.names("out").len()), (old, 0));
}

#[test]
fn a_link_to_nowhere_in_the_output_dir_is_left_alone() {
    let here = Sandbox::new();
    here.guest("a.xml");
    fs::create_dir(here.path("new")).unwrap();
    std::os::unix::fs::symlink("nowhere", here.path("new/a.xml")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new").gives(2).says(&["link to nowhere"]);
    assert_eq!(here.names("new"), ["a.xml"]);
}
