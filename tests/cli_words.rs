//! What kvmnet says: names as they are, commands that can be pasted, sentences that are true.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::ffi::OsStr;
use std::time::Duration;

use support::{Sandbox, guest, odd_name, on_br0};

// Commands to paste

#[test]
fn offered_commands_name_any_file() {
    let odd = odd_name();
    let names = [
        "-dash.xml",
        "-o",
        "my guest.xml",
        "it's.xml",
        "$(touch oops).xml",
        "new\nline.xml",
        "\u{1b}[1m'\\.xml",
        "~a.xml",
    ];
    for name in names.iter().map(OsStr::new).chain([odd.as_os_str()]) {
        let here = Sandbox::new();
        here.write(name, guest("web1", &["default", "lan"]));
        here.guest("-net.xml");
        let mut file = std::ffi::OsString::from("--file=");
        file.push(name);
        let done = here.kvmnet("convert --to-bridge=-br0 --in-place -y").arg(&file).gives(2);
        let offers = done.offers();
        assert_eq!(offers.len(), 3, "{done}");
        here.shell(&offers[0].replacen("kvmnet", "\"$K\"", 1)).gives(0).says(&["1 changed"]);
        assert!(!here.path("oops").exists());
    }
}

#[test]
fn offered_commands_name_any_folder_and_network() {
    let here = Sandbox::new();
    here.write("-a.xml", guest("web1", &["default", "lan"]));
    let run = here.kvmnet("convert --file=-a.xml --to-network=-net --output-dir=-new");
    let offers = run.gives(2).offers();
    assert!(offers[0].contains("--file=-a.xml --to-network=-net --output-dir=-new --nic 52:"), "{offers:?}");
    let shell = |offer: &str| here.shell(&offer.replacen("kvmnet", "\"$K\"", 1));
    let done = shell(&offers[0]).gives(2).says(&["no such folder", "help: mkdir -- -new"]);
    drop(done);
    here.shell("mkdir -- -new").gives(0);
    shell(&offers[0]).gives(0);
    assert_eq!(here.names("-new"), ["-a.xml"]);
}

// Names

#[test]
fn a_line_break_in_a_name_breaks_no_line() {
    let here = Sandbox::new();
    here.guest("new\nline.xml");
    here.write("bad\nline.xml", "<domain>");
    for words in ["", "--nic 7", "--in-place", "--in-place -y", "--output-dir no\u{a0}where"] {
        let run = here.kvmnet("convert --to-bridge br0").args(words.split(' ').filter(|w| !w.is_empty()));
        let done = run.args(["--file", "new\nline.xml", "bad\nline.xml", "none\nline.xml"]).run();
        let all = format!("{}{}", done.out, done.err);
        assert!(!all.lines().any(|line| line.starts_with("line.xml")), "{done}");
        assert!(all.contains("new\\nline.xml") && all.contains("bad\\nline.xml"), "{done}");
    }
}

#[test]
fn an_empty_selector_can_be_seen() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0 --nic=").gives(2).says(&["--nic '' matches none"]);
}

// Sentences

#[test]
fn macvtap_is_said_to_reach_every_other_host() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-direct enp4s0").gives(0);
    done.shows(&["every other host there can reach it", "warning[host-unreachable]"]);
}

#[test]
fn a_nic_that_names_no_network_is_said_to() {
    let here = Sandbox::new();
    let text = guest("web1", &["default"]);
    for bad in ["", "<source/>", "<source network=''/>"] {
        here.write("a.xml", text.replace("<source network='default'/>", bad));
        let done = here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
        assert!(!done.out.contains("network ''"), "{done}");
        done.shows(&["warning[network-unknown]: NIC 1 (52:54:00:00:00:01): it names no network"]);
    }
}

#[test]
fn what_is_no_xml_is_called_so() {
    let here = Sandbox::new();
    for (text, said) in [
        ("hello", "line 1, column 1: it isn't XML"),
        ("\u{feff}hello", "line 1, column 1: it isn't XML"),
        ("\n\n  key: value\n", "line 3, column 3: it isn't XML"),
        ("<domain/>\n<domain/>", "line 2, column 1: a second root element"),
        ("<domain/>\n x", "line 2, column 2: text outside the root element"),
        ("<domain/><!x>", "line 1, column 10: '<' with no markup behind it"),
    ] {
        here.write("a.xml", text);
        here.kvmnet("convert --file a.xml --to-bridge br0").gives(2).says(&[&format!("a.xml: {said}")]);
    }
}

#[test]
fn a_network_that_no_nic_is_on_is_said_to_be() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let words = "convert --file a.xml --to-bridge br0 --from-network typo";
    here.kvmnet(words).gives(0).shows(&["nothing to do", "no NIC is on network 'typo'"]);
    here.write("a.xml", on_br0(&old));
    here.kvmnet(words).gives(0).shows(&["nothing to do", "no NIC is on network 'typo'"]);
}

#[test]
fn of_two_sources_libvirt_takes_the_first_and_the_second_stays() {
    let here = Sandbox::new();
    let two = "<source network='default'/>\n      <!-- was --><source network='lan' portgroup='x'/>";
    let old = guest("web1", &["default"]).replace("<source network='default'/>", two);
    here.write("a.xml", &old);
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    assert!(here.text("a.xml").contains("<!-- was --><source network='lan' portgroup='x'/>"));
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(0).shows(&["nothing to do"]);
    here.kvmnet("undo -y").gives(0);
    assert_eq!(here.text("a.xml"), old);
}

// Where it goes

#[test]
fn help_that_cant_be_printed_is_a_failure() {
    let here = Sandbox::new();
    for (words, said) in [
        ("--help", "cannot print the help: No space left"),
        ("convert -h", "cannot print the help: No space left"),
        ("--version", "cannot print the version: No space left"),
        ("completions bash", "cannot print the completions: No space left"),
    ] {
        here.shell(&format!("\"$K\" {words} > /dev/full")).gives(2).says(&[said]);
        here.shell(&format!("{{ sleep 0.2; \"$K\" {words}; }} | true; exit ${{PIPESTATUS[0]}}"))
            .gives(0)
            .says_nothing();
    }
}

#[test]
fn the_time_that_somebody_takes_to_answer_is_no_work() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let command = format!(
        "TERM=xterm exec {} convert --file a.xml --to-bridge br0 --in-place",
        support::program().display()
    );
    let slow = || std::thread::sleep(Duration::from_millis(1200));
    let done = here.meanwhile_at_terminal(&command, "[y/N]", slow, b"y\n").gave(0);
    assert!(!done.out.contains("1 of 1"), "{done}");
    assert_eq!(here.text("a.xml"), on_br0(&old));
}
