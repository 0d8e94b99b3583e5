//! What a careless or hostile user gives: each gets words that help, the contract's exit code, and no harm.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustix::process::Signal;
use support::{SECRET, Sandbox, guest, is_root_or_skip, odd_name, on_br0};

const APPLY: &str = "convert --file a.xml --to-bridge br0 --in-place -y";

// The command line

#[test]
fn wrong_usage_is_exit_code_2_with_words() {
    let here = Sandbox::new();
    here.guest("a.xml");
    for (words, said) in [
        ("", "Usage"),
        ("convert", "required"),
        ("convert web1", "--to-bridge"),
        ("convert --to-bridge br0", "--file"),
        ("convert --file a.xml", "--to-bridge"),
        ("convert --file a.xml --to-bridge br0 --to-network lan", "cannot be used with"),
        ("convert --file a.xml --to-bridge br0 --to-direct eth0", "cannot be used with"),
        ("convert web1 --file a.xml --to-bridge br0", "cannot be used with"),
        ("convert web1 --all --to-bridge br0", "cannot be used with"),
        ("convert --file --to-bridge br0", "--file"),
        ("convert --file a.xml --to-bridge", "--to-bridge"),
        ("convert --file a.xml --to-bridge br0 --in-place --output-dir x", "cannot be used with"),
        ("convert web1 --to-bridge br0 --in-place", "--file"),
        ("convert web1 --to-bridge br0 --network-xml a.xml", "--file"),
        ("convert --file a.xml --to-bridge br0 --nic 1 --all-nics", "cannot be used with"),
        ("convert --file a.xml --to-bridge br0 --from-network a --from-bridge b", "cannot be used with"),
        ("convert --file a.xml --to-network lan --inline", "--to-bridge"),
        ("convert --file a.xml --to-bridge br0 --managed-save keep", "--managed-save"),
        ("-c test:///default convert --file a.xml --to-bridge br0", "-c"),
        ("convert --file a.xml - --to-bridge br0", "standard input"),
        ("convert --file - --to-bridge br0 --in-place", "standard input"),
        ("convert --file a.xml --to-bridge br0 --in-place --exit-code", "--dry-run"),
        ("convert --file a.xml --to-bridg br0", "--to-bridge"),
        ("convret --file a.xml --to-bridge br0", "convert"),
        ("undo 1 2", "unexpected"),
        ("undo --exit-code", "--dry-run"),
        ("history --last x", "--last"),
        ("-o yaml history", "json"),
        ("--color sometimes history", "always"),
    ] {
        here.kvmnet(words).gives(2).shows_nothing().says(&[said]);
    }
    assert!(!here.path("state").exists());
}

#[test]
fn usage_errors_say_where_to_read_on() {
    let here = Sandbox::new();
    here.kvmnet("convert web1").gives(2).says(&["Usage: kvmnet convert", "--help"]);
    here.kvmnet("").gives(2).says(&["Usage: kvmnet"]);
}

#[test]
fn names_that_no_device_can_have_are_refused() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let long = "b".repeat(16);
    for flag in ["--to-bridge", "--to-direct"] {
        for name in ["", ".", "..", "a b", "a/b", "br0\n", "br\t0", long.as_str(), "\u{1b}[31m"] {
            let done = here.kvmnet("convert --file a.xml --in-place -y").args([flag, name]).gives(2);
            assert!(done.err.contains("device name"), "{flag} {name:?}: {done}");
            assert!(!done.err.contains("\x1b[31m"), "a colour from the command line: {done}");
        }
    }
    for mode in ["eth0:", "eth0:nosuch", "eth0:vepa:x"] {
        here.kvmnet("convert --file a.xml --to-direct").arg(mode).gives(2).says(&["bridge, vepa"]);
    }
    for network in ["", ":", "lan:", ":group", "a/b", "a\nb"] {
        here.kvmnet("convert --file a.xml --to-network").arg(network).gives(2).says(&["NET"]);
    }
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn names_are_escaped_where_they_are_written() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let odd = "a'\"<&>b";
    here.kvmnet("convert --file a.xml --in-place -y --to-bridge").arg(odd).gives(0);
    let text = here.text("a.xml");
    assert!(text.contains("&lt;") && text.contains("&amp;") && !text.contains(odd), "{text}");
    here.kvmnet("convert --file a.xml --to-bridge").arg(odd).gives(0).shows(&["nothing to do"]);
}

#[test]
fn selectors_that_match_nothing_list_what_there_is() {
    let here = Sandbox::new();
    here.write("a.xml", guest("web1", &["default", "lan"]));
    for nic in ["3", "0", "52:54:00:ff:ff:ff", "net7", "", "-1", "99999999999999999999"] {
        let done = here.kvmnet("convert --file a.xml --to-bridge br0").arg(format!("--nic={nic}")).gives(2);
        done.says(&["a.xml", "52:54:00:00:00:01", "52:54:00:00:00:02"]);
    }
    here.kvmnet("convert --file a.xml --to-bridge br0 --from-network nosuch")
        .gives(0)
        .shows(&["nosuch", "52:54:00:00:00:01"]);
}

#[test]
fn words_that_are_no_utf8_are_refused_or_work() {
    let here = Sandbox::new();
    let odd = OsStr::from_bytes(b"br\xff");
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge").arg(odd).gives(2).says(&["UTF-8"]);
    here.kvmnet("-c test:///default convert --to-bridge br0").arg(odd).gives(2).says(&["UTF-8"]);
    here.kvmnet("undo").arg(odd).gives(2).says(&["UTF-8"]);
}

// Files

#[test]
fn unreadable_files_are_named_with_the_reason() {
    let here = Sandbox::new();
    fs::create_dir(here.path("folder")).unwrap();
    here.program("mkfifo").arg("pipe").gives(0);
    here.write("loop-target", "");
    std::os::unix::fs::symlink("loop", here.path("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", here.path("dangling")).unwrap();
    for (name, why) in [
        ("missing.xml", "No such file"),
        ("missing/a.xml", "No such file"),
        ("folder", "directory"),
        ("pipe", "no regular file"),
        ("/dev/zero", "no regular file"),
        ("/dev/null", "no regular file"),
        ("loop", "symbolic link"),
        ("dangling", "No such file"),
        ("loop-target/a.xml", "Not a directory"),
    ] {
        for flags in ["", "--in-place -y"] {
            let done = here.kvmnet("convert --to-bridge br0 --file").arg(name).args(flags.split_whitespace());
            done.gives(2).shows_nothing().says(&[name, why]);
        }
    }
}

#[test]
fn an_empty_file_name_is_said_in_words() {
    let here = Sandbox::new();
    let done = here.kvmnet("convert --to-bridge br0 --file").arg("").gives(2);
    assert!(!done.err.contains("error: :"), "the message has no subject: {done}");
}

#[test]
fn a_file_without_the_right_to_read_it_is_named() {
    let here = Sandbox::new();
    here.guest("a.xml");
    fs::set_permissions(here.path("a.xml"), fs::Permissions::from_mode(0o000)).unwrap();
    let run = here.kvmnet("convert --file a.xml --to-bridge br0").by_nobody(&here);
    run.gives(2).says(&["a.xml", "Permission denied"]);
}

#[test]
fn texts_that_are_no_guest_are_refused_with_the_place() {
    let here = Sandbox::new();
    let bomb = "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><domain><name>&b;</name></domain>";
    let cases: [(&str, &[u8]); 13] = [
        ("empty", b""),
        ("blank", b" \n\n "),
        ("text", b"hello"),
        ("no end", b"<domain><devices>"),
        ("two roots", b"<domain/><domain/>"),
        ("network", b"<network><name>x</name></network>"),
        ("status", b"<domstatus><domain/></domstatus>"),
        ("snapshot", b"<domainsnapshot><domain/></domainsnapshot>"),
        ("doubled", b"<domain a='1' a='2'/>"),
        ("control", b"<domain>\x01</domain>"),
        ("latin 1", b"<?xml version='1.0' encoding='ISO-8859-1'?><domain>\xe4</domain>"),
        ("utf 16", b"\xff\xfe<\0d\0/\0>\0"),
        ("bomb", bomb.as_bytes()),
    ];
    for (what, text) in cases {
        here.write("a.xml", text);
        let done = here.kvmnet(APPLY).gives(2);
        assert!(done.err.contains("a.xml: line ") && done.err.contains("column "), "{what}: {done}");
        assert_eq!(fs::read(here.path("a.xml")).unwrap(), text, "{what}");
    }
}

#[test]
fn huge_lines_and_deep_nests_end_soon() {
    let here = Sandbox::new();
    let padding = "x".repeat(20_000_000);
    here.write("line.xml", guest("web1", &["default"]).replace("kept", &padding));
    here.kvmnet("convert --file line.xml --to-bridge br0 --in-place -y").gives(0);
    let deep = format!("<domain>{}{}</domain>", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
    here.write("deep.xml", deep);
    let done = here.kvmnet("convert --file deep.xml --to-bridge br0").run();
    assert!(done.code == 0 || done.code == 2, "{done}");
}

#[test]
fn a_file_too_large_is_refused_before_it_fills_the_memory() {
    let here = Sandbox::new();
    let file = fs::File::create(here.path("a.xml")).unwrap();
    file.set_len(3 << 30).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(2).says(&["a.xml", "1 GiB"]);
}

#[test]
fn a_folder_that_cant_be_written_keeps_the_file() {
    let here = Sandbox::new();
    let old = here.guest("folder/a.xml");
    fs::create_dir(here.path("state")).unwrap();
    fs::set_permissions(here.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(here.path("folder"), fs::Permissions::from_mode(0o555)).unwrap();
    let words = "convert --file folder/a.xml --to-bridge br0 --in-place -y";
    let done = here.kvmnet(words).by_nobody(&here).gives(2);
    done.says(&["folder/a.xml", "Permission denied", "stays as it was"]);
    assert_eq!(here.text("folder/a.xml"), old);
    assert_eq!(here.names("folder"), ["a.xml"]);
}

#[test]
fn another_users_file_is_left_alone_when_its_owner_cant_be_kept() {
    if !is_root_or_skip("a file of another user in a folder of ours") {
        return;
    }
    let here = Sandbox::new();
    let old = here.guest("folder/a.xml");
    for name in ["state", "folder"] {
        fs::create_dir_all(here.path(name)).unwrap();
        fs::set_permissions(here.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let words = "convert --file folder/a.xml --to-bridge br0 --in-place -y";
    let done = here.kvmnet(words).by_nobody(&here).gives(2);
    done.says(&["folder/a.xml", "owner"]);
    assert_eq!((here.text("folder/a.xml"), here.names("folder")), (old, vec!["a.xml".to_string()]));
}

/// Runs a script as root of a mount namespace with a small tmpfs at `small/`.
fn with_a_small_disk(here: &Sandbox, script: &str) -> support::Done {
    fs::create_dir(here.path("small")).unwrap();
    let script = format!("mount -t tmpfs -o size=64k,nr_inodes=64 none small || exit 99\n{script}");
    here.program("unshare").args(["-m", "bash", "-c", &script]).env("K", support::program()).run()
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    if !is_root_or_skip("a full disk") {
        return;
    }
    let here = Sandbox::new();
    here.write("a.xml", guest("web1", &["default"]).replace("kept", &"x".repeat(40_000)));
    let script =
        "cp a.xml small/ && \"$K\" convert --file small/a.xml --to-bridge br0 --in-place -y >/dev/null
                  code=$?; cmp a.xml small/a.xml && test \"$(ls -A small)\" = a.xml || exit 98; exit $code";
    with_a_small_disk(&here, script).gave(2).says(&["small/a.xml", "No space left", "stays as it was"]);
}

#[test]
fn a_journal_on_a_full_disk_stops_the_change() {
    if !is_root_or_skip("a full disk under the journal") {
        return;
    }
    let here = Sandbox::new();
    let old = here.write("a.xml", guest("web1", &["default"]).replace("kept", &"x".repeat(40_000)));
    let old = fs::read_to_string(old).unwrap();
    let script = "export KVMNET_STATE_DIR=$PWD/small
                  \"$K\" convert --file a.xml --to-bridge br0 --in-place -y >/dev/null; code=$?
                  \"$K\" history >&2; exit $code";
    with_a_small_disk(&here, script).gave(2).says(&["a.xml", "journal", "No space left", "no changes yet"]);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn a_journal_that_cant_be_written_stops_the_change() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    fs::create_dir(here.path("locked")).unwrap();
    fs::set_permissions(here.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(here.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    for place in ["locked", "a.xml", "/proc/nosuch"] {
        let run = here.kvmnet(APPLY).env("KVMNET_STATE_DIR", here.path(place)).by_nobody(&here);
        let done = run.gives(2).says(&["journal", place, "KVMNET_STATE_DIR"]);
        assert!(done.err.contains("nothing was changed"), "{done}");
        assert_eq!(here.text("a.xml"), old);
    }
}

// Names

#[test]
fn odd_file_names_work() {
    for name in
        ["a b.xml", "ä€😀.xml", "-dash.xml", "it's.xml", "new\nline.xml", "a;rm -rf.xml", "*.xml", "a.xml\\"]
    {
        let here = Sandbox::new();
        let old = guest("web1", &["default"]);
        here.write(name, &old);
        here.kvmnet("convert --to-bridge br0 --in-place -y").arg(format!("--file={name}")).gives(0);
        assert_eq!(here.text(name), on_br0(&old), "{name:?}");
        here.kvmnet("undo -y").gives(0);
        assert_eq!(here.text(name), old, "{name:?}");
    }
}

#[test]
fn a_name_that_is_no_utf8_works() {
    let here = Sandbox::new();
    let old = guest("web1", &["default"]);
    here.write(odd_name(), &old);
    here.kvmnet("convert --to-bridge br0 --file").arg(odd_name()).gives(0);
    here.kvmnet("convert --to-bridge br0 --file").arg(odd_name()).arg("-ojson").gives(0).json();
    here.kvmnet("convert --to-bridge br0 --in-place -y --file").arg(odd_name()).gives(0);
    assert_eq!(here.text(odd_name()), on_br0(&old));
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text(odd_name()), old);
}

#[test]
fn control_characters_in_a_name_dont_reach_the_terminal() {
    let here = Sandbox::new();
    let name = "a\x1b[31mred\x1b]0;title\x07\rkvmnet.xml";
    here.guest(name);
    let is_clean = |text: &str| !text.contains(['\x1b', '\x07', '\r']);
    for words in
        ["convert --to-bridge br0", "convert --to-bridge br0 --in-place", "convert --to-bridge br0 --nic 7"]
    {
        let done = here.kvmnet(words).arg("--file").arg(name).run();
        assert!(is_clean(&done.out) && is_clean(&done.err), "{:?}\n{:?}", done.out, done.err);
    }
    here.kvmnet("convert --to-bridge br0 --in-place -y --file").arg(name).gives(0);
    let done = here.kvmnet("history").gives(0);
    assert!(is_clean(&done.out), "{:?}", done.out);
}

#[test]
fn control_characters_in_the_xml_dont_reach_the_terminal() {
    let here = Sandbox::new();
    // U+009B begins an escape sequence as ESC [ does, and XML allows it; so are line breaks as references.
    let network = "n\u{9b}31m&#10;changed and verified: everything";
    here.write(
        "a.xml",
        guest("web1", &["default"]).replace("network='default'", &format!("network='{network}'")),
    );
    let done = here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
    assert!(!done.out.contains('\u{9b}'), "{:?}", done.out);
    assert!(!done.out.contains("\nchanged and verified"), "{:?}", done.out);
}

#[test]
fn relative_paths_with_dots_work_and_are_undone_from_anywhere() {
    let here = Sandbox::new();
    let old = here.guest("x/y/a.xml");
    fs::create_dir(here.path("x/z")).unwrap();
    let run =
        here.kvmnet("convert --file ../y/./a.xml --to-bridge br0 --in-place -y").folder(here.path("x/z"));
    run.gives(0);
    assert_eq!(here.text("x/y/a.xml"), on_br0(&old));
    here.kvmnet("undo -y").folder("/").gives(0);
    assert_eq!(here.text("x/y/a.xml"), old);
}

#[test]
fn a_folder_that_is_gone_is_survived() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let script = "mkdir gone && cd gone && rmdir ../gone
                  \"$K\" convert --file ../a.xml --to-bridge br0; \"$K\" convert --file $HOME/../a.xml --to-bridge br0";
    here.shell(script).run();
    assert_eq!(here.text("a.xml"), old);
}

// Where output goes

#[test]
fn nobody_reads_the_preview() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..300).map(|n| format!("{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    let done =
        here.shell("\"$K\" convert --file *.xml --to-bridge br0 | true; exit ${PIPESTATUS[0]}").gives(0);
    assert!(!done.err.contains("Broken pipe"), "{done}");
    here.shell("\"$K\" convert --file *.xml --to-bridge br0 --exit-code | head -1; exit ${PIPESTATUS[0]}")
        .run();
}

#[test]
fn nobody_reads_the_preview_of_a_change_so_nothing_is_changed() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    // The reader is gone before anything is written.
    let done =
        here.shell(&format!("{{ sleep 0.5; \"$K\" {APPLY}; }} | true; exit ${{PIPESTATUS[0]}}")).gives(2);
    done.says(&["cannot show the preview", "nothing was changed"]);
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn output_that_cant_be_written_is_a_failure() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let full = |words: &str| here.shell(&format!("\"$K\" {words} > /dev/full"));
    full("convert --file a.xml --to-bridge br0").gives(2).says(&["preview: No space left"]);
    full("convert --file a.xml --to-bridge br0 -o json").gives(2).says(&["JSON document: No space left"]);
    full(APPLY).gives(2).says(&["No space left", "nothing was changed"]);
    full("convert --file - --to-bridge br0 < a.xml").gives(2).says(&["No space left"]);
    assert_eq!(here.text("a.xml"), old);
    here.kvmnet(APPLY).gives(0);
    full("history").gives(2).says(&["history: No space left"]);
    full("undo -y").gives(2).says(&["nothing was changed"]);
}

#[test]
fn a_change_whose_json_cant_be_written_isnt_said_to_have_failed_whole() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let done = here.shell(&format!("\"$K\" {APPLY} -o json > /dev/full")).run();
    match here.text("a.xml") == old {
        true => assert_eq!(done.code, 2, "{done}"),
        false => assert!(
            done.code == 3 && done.err.contains("kvmnet undo"),
            "it stands, but isn't said to: {done}"
        ),
    }
}

#[test]
fn closed_descriptors_are_survived() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    for closed in ["<&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        here.shell(&format!("\"$K\" convert --file a.xml --to-bridge br0 {closed}")).run();
        here.shell(&format!("\"$K\" convert --file a.xml --to-bridge br0 --in-place {closed}")).gives(2);
        assert_eq!(here.text("a.xml"), old, "{closed}");
        here.shell(&format!("\"$K\" convert --file none.xml --to-bridge br0 {closed}")).gives(2);
        let done = here.shell(&format!("\"$K\" {APPLY} {closed}")).run();
        let text = here.text("a.xml");
        assert!(text == if done.code == 0 { on_br0(&old) } else { old.clone() }, "{closed} {done} {text}");
        here.write("a.xml", &old);
    }
}

#[test]
fn stdin_that_is_closed_is_an_error_in_words() {
    let here = Sandbox::new();
    here.shell("\"$K\" convert --file - --to-bridge br0 <&-").gives(2).says(&["standard input"]);
    here.shell("\"$K\" convert --file - --to-bridge br0 < /").gives(2).says(&["standard input", "irectory"]);
}

#[test]
fn every_error_is_one_of_ours_in_any_language() {
    let here = Sandbox::new();
    here.guest("a.xml");
    for lang in ["C", "POSIX", "de_DE.UTF-8", "xx\u{e4}"] {
        here.kvmnet("convert --file a.xml --to-bridge br0").env("LC_ALL", lang).gives(0).shows(&["→"]);
        here.kvmnet("convert --file none.xml --to-bridge br0")
            .env("LC_ALL", lang)
            .gives(2)
            .says(&["No such file"]);
    }
}

#[test]
fn any_width_of_terminal_will_do() {
    let here = Sandbox::new();
    for columns in ["0", "1", "7", "99999999999", "-3", "x"] {
        here.kvmnet("convert --help").env("COLUMNS", columns).gives(0);
        here.kvmnet("convert").env("COLUMNS", columns).gives(2);
    }
    let done = here.shell_at_terminal(
        &format!("stty cols 1 rows 1; exec {} convert --help", support::program().display()),
        "never",
        b"",
    );
    done.gave(0);
}

#[test]
fn a_very_long_command_line_works() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let paths: Vec<_> = (0..10_000).map(|n| format!("{}a.xml", "./".repeat(n % 60))).collect();
    here.kvmnet("convert --to-bridge br0 --in-place -y --file").args(paths).run();
    assert_eq!(here.text("a.xml"), on_br0(&old));
    assert!(here.names("state/journal").len() <= 1);
}

// Signals

fn many(here: &Sandbox, count: usize) -> Vec<String> {
    let names: Vec<_> = (0..count).map(|n| format!("files/{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    names
}

#[test]
fn a_signal_before_the_change_leaves_everything() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let here = Sandbox::new();
        let old = guest("web1", &["default"]);
        // It waits for the rest of its input.
        let mut run = here.kvmnet("convert --file - --to-bridge br0");
        run.command.stdin(std::process::Stdio::piped());
        let started = run.start();
        std::thread::sleep(Duration::from_millis(300));
        started.signal(signal);
        started.wait().gave(2).shows_nothing().says(&["interrupted", "nothing was changed"]);
        let file = here.write("a.xml", &old);
        assert_eq!(fs::read_to_string(file).unwrap(), old);
    }
}

#[test]
fn a_signal_in_the_middle_ends_between_two_files_and_says_how_to_undo() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let here = Sandbox::new();
        let names = many(&here, 300);
        let old = guest("web1", &["default"]);
        let started = here.kvmnet("convert --to-bridge br0 --in-place -y -q --file").args(&names).start();
        while !here.path("state/journal/1.jsonl").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(10));
        started.signal(signal);
        let done = started.wait();
        let changed = names.iter().filter(|name| here.text(name) == on_br0(&old)).count();
        let same = names.iter().filter(|name| here.text(name) == old).count();
        assert_eq!(changed + same, names.len(), "{done}");
        match changed {
            0 => assert_eq!(done.code, 2, "{done}"),
            300 => assert_eq!(done.code, 0, "{done}"),
            _ => assert!(done.code == 3 && done.err.contains("interrupted"), "{done}"),
        }
        assert_eq!(here.names("files").len(), 300, "no temporary file is left");
        if changed > 0 {
            here.kvmnet("undo -y").gives(0);
            assert!(names.iter().all(|name| here.text(name) == old));
        }
    }
}

#[test]
fn an_interrupted_run_says_so_once_and_not_for_each_file_left() {
    let here = Sandbox::new();
    let names = many(&here, 300);
    let started = here.kvmnet("convert --to-bridge br0 --in-place -y --file").args(&names).start();
    while !here.path("state/journal/1.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    started.signal(Signal::INT);
    let done = started.wait();
    assert!(done.err.matches("interrupted").count() <= 3, "{} lines", done.err.lines().count());
}

#[test]
fn a_signal_before_the_first_change_leaves_no_run_in_the_history() {
    let here = Sandbox::new();
    for _ in 0..10 {
        here.guest("a.xml");
        let started = here.kvmnet(APPLY).start();
        while !here.path("state/journal/1.jsonl").exists() {
            std::thread::yield_now();
        }
        started.signal(Signal::INT);
        let done = started.wait();
        let runs = here.kvmnet("history -o json").gives(0).json()["runs"].as_array().unwrap().len();
        assert!(done.code == 0 || runs == 0, "nothing was changed, but the history has a run: {done}");
        fs::remove_dir_all(here.path("state")).unwrap();
    }
}

#[test]
fn nohup_is_respected() {
    let here = Sandbox::new();
    let names = many(&here, 300);
    let old = guest("web1", &["default"]);
    let script = "trap '' HUP; exec \"$K\" convert --to-bridge br0 --in-place -y -q --file files/*.xml";
    let started = here.shell(script).start();
    while !here.path("state/journal/1.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    started.signal(Signal::HUP);
    started.wait().gave(0);
    assert!(names.iter().all(|name| here.text(name) == on_br0(&old)));
}

#[test]
fn the_password_stays_out_of_the_file_names_of_temporary_files() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet(APPLY).gives(0);
    assert!(here.text("a.xml").contains(SECRET));
    assert_eq!(here.names("."), ["a.xml", "home", "state"]);
}
