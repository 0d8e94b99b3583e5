//! `kvmnet convert --file` as a user meets it: what is shown, what is written, what is left alone.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::json;
use support::{SECRET, Sandbox, guest, is_root_or_skip, on_br0, real};

// Preview

#[test]
fn without_in_place_it_only_shows() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
    done.shows(&[
        "-    <interface type='network'>\n",
        "+      <source bridge='br0'/>\n",
        "--- a.xml\n+++ a.xml\n",
    ]);
    assert_eq!(here.text("a.xml"), old);
    assert!(!here.journal().exists(), "a preview leaves no journal");
}

#[test]
fn the_diff_is_one_that_patch_takes() {
    let here = Sandbox::new();
    let old = here.guest("a.xml").replace(&format!(" passwd='{SECRET}'"), "");
    here.write("a.xml", &old);
    let shown = here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
    if here.program("which").arg("patch").run().code != 0 {
        return;
    }
    here.program("patch").args(["-s", "a.xml"]).input(shown.out).gives(0);
    assert_eq!(here.text("a.xml"), on_br0(&old));
}

#[test]
fn patch_finds_files_with_odd_names() {
    let here = Sandbox::new();
    let has_patch = here.program("which").arg("patch").run().code == 0;
    for name in ["my guest.xml", "my\tguest.xml", "my \"guest\"\n\\.xml"] {
        let old = here.guest(name).replace(&format!(" passwd='{SECRET}'"), "");
        here.write(name, &old);
        let shown = here.kvmnet("convert --to-bridge br0 --file").arg(name).gives(0);
        if has_patch {
            here.program("patch").args(["-s", "-p0"]).input(shown.out).gives(0);
            assert_eq!(here.text(name), on_br0(&old), "{name}");
        }
    }
}

#[test]
fn what_is_new_says_so_behind_its_name() {
    let here = Sandbox::new();
    fs::create_dir(here.path("out")).unwrap();
    for (name, expected) in [("a.xml", "+++ out/a.xml (new)"), ("a b.xml", "+++ out/a b.xml\t(new)")] {
        here.guest(name);
        let shown =
            here.kvmnet("convert --to-bridge br0 --output-dir out --dry-run --file").arg(name).gives(0);
        let header = shown.out.lines().find(|line| line.starts_with("+++ ")).unwrap_or_default();
        assert_eq!(header, expected);
    }
}

#[test]
fn secrets_in_what_goes_are_not_shown() {
    let here = Sandbox::new();
    for secret in [
        "<!-- switch login: passwd='HUNTER2-that-somebody-noted-down-here-once-upon-a-time-and-forgot' -->",
        "<!-- was: passwd=\"a passwd='HUNTER2\" and HUNTER3' -->",
        "<!-- passwd='HUNTER2-\u{e4}\u{f6}\u{fc}' -->",
        "<secret>x<![CDATA[HUNTER2]]></secret>",
        "passwd=HUNTER2",
    ] {
        let old = here.guest("a.xml");
        let port =
            format!("<virtualport>{secret}<parameters profileid='x'/></virtualport>\n    </interface>");
        here.write("a.xml", old.replace("</interface>", &port));
        let done = here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
        assert_eq!(here.text("a.xml").replace("\n    \n", "\n"), on_br0(&old));
        assert!(!done.out.contains("HUNTER") && done.out.contains("<virtualport>"), "{}", done.out);
        assert!(done.out.contains("+      <source bridge='br0'/>"), "{}", done.out);
    }
}

#[test]
fn exit_code_tells_whether_something_would_change() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0 --exit-code").gives(1);
    here.kvmnet("convert --file a.xml --to-bridge br0 --dry-run --exit-code").gives(1);
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place --dry-run --exit-code").gives(1);
    assert_eq!(here.text("a.xml"), old);
    here.write("a.xml", on_br0(&old));
    here.kvmnet("convert --file a.xml --to-bridge br0 --exit-code").gives(0).shows(&["nothing to do"]);
}

#[test]
fn exit_code_of_many_prefers_the_failure() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml missing.xml --to-bridge br0 --exit-code").gives(2);
}

#[test]
fn dry_run_writes_nothing_even_with_yes() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    fs::create_dir(here.path("new")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y --dry-run").gives(0);
    here.kvmnet("convert --file a.xml --to-bridge br0 --output-dir new -y --dry-run").gives(0);
    assert_eq!((here.text("a.xml"), here.names("new").len()), (old, 0));
    assert!(!here.journal().exists());
}

// In place

#[test]
fn in_place_changes_what_must_change_and_nothing_else() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    done.says(&["a.xml", "kvmnet undo 1"]);
    assert_eq!(here.text("a.xml"), on_br0(&old));
    assert_eq!(here.names("."), ["a.xml", "home", "state"], "no temporary file is left");
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    let before = fs::metadata(here.path("a.xml")).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y")
        .gives(0)
        .shows(&["a.xml: nothing to do"]);
    let after = fs::metadata(here.path("a.xml")).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert_eq!(here.names("state/journal").len(), 1, "what changed nothing isn't written down");
}

#[test]
fn without_a_terminal_in_place_needs_yes() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --in-place").gives(2);
    done.says(&["no terminal", "nothing was changed", "-y"]).shows(&["+      <source bridge='br0'/>"]);
    assert_eq!(here.text("a.xml"), old);
    assert!(!here.journal().exists());
}

#[test]
fn at_a_terminal_y_is_a_yes() {
    for answer in ["y\n", "Y\n", "yes\n", " yes \n"] {
        let here = Sandbox::new();
        let old = here.guest("a.xml");
        here.at_terminal("convert --file a.xml --to-bridge br0 --in-place", answer.as_bytes()).gave(0);
        assert_eq!(here.text("a.xml"), on_br0(&old), "{answer:?}");
    }
}

#[test]
fn at_a_terminal_everything_else_is_a_no() {
    // Enter, end of input (Ctrl-D), Ctrl-C
    for answer in ["n\n", "\n", "yup\n", "\x04", "\x03"] {
        let here = Sandbox::new();
        let old = here.guest("a.xml");
        let done = here.at_terminal("convert --file a.xml --to-bridge br0 --in-place", answer.as_bytes());
        done.gave(2).shows(&["nothing was changed"]);
        assert_eq!(here.text("a.xml"), old, "{answer:?}");
    }
}

#[test]
fn a_change_behind_the_question_is_noticed() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let other = guest("other", &["default"]);
    let change = || drop(here.write("a.xml", &other));
    let command =
        format!("exec {} convert --file a.xml --to-bridge br0 --in-place", support::program().display());
    let done = here.meanwhile_at_terminal(&command, "[y/N]", change, b"y\n").gave(2);
    done.shows(&["has changed since the preview", "run the same command again"]);
    assert_eq!(here.text("a.xml"), other);
}

#[test]
fn json_at_a_terminal_is_previewed_and_asked_on_stderr() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let program = support::program().display();
    let command = format!("{program} convert --file a.xml --to-bridge br0 --in-place -o json > out.json");
    here.shell_at_terminal(&command, "[y/N]", b"y\n").gave(0).shows(&["+      <source bridge='br0'/>"]);
    let document: serde_json::Value = serde_json::from_str(&here.text("out.json")).unwrap();
    assert_eq!(document["changes"][0]["status"], "applied");
    assert_eq!(here.text("a.xml"), on_br0(&old));
}

#[test]
fn mode_owner_and_attributes_stay() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let path = here.path("a.xml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let has_attribute = xattr::set(&path, "user.note", b"mine").is_ok();
    if is_root_or_skip("another owner's file keeps its owner") {
        std::os::unix::fs::chown(&path, Some(1234), Some(4321)).unwrap();
    }
    let before = fs::metadata(&path).unwrap();
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert!(!has_attribute || xattr::get(&path, "user.note").unwrap().as_deref() == Some(b"mine"));
    assert_eq!(here.text("a.xml"), on_br0(&old));
}

#[test]
fn a_symbolic_link_stays_one() {
    let here = Sandbox::new();
    let old = here.guest("store/real.xml");
    std::os::unix::fs::symlink("store/real.xml", here.path("link.xml")).unwrap();
    here.kvmnet("convert --file link.xml --to-bridge br0 --in-place -y").gives(0);
    assert_eq!(fs::read_link(here.path("link.xml")).unwrap().to_str(), Some("store/real.xml"));
    assert_eq!(here.text("store/real.xml"), on_br0(&old));
    assert_eq!(here.names("store"), ["real.xml"]);
}

#[test]
fn libvirts_own_files_need_force() {
    let here = Sandbox::new();
    let old = here.guest("home/.config/libvirt/qemu/web1.xml");
    let words = "convert --file home/.config/libvirt/qemu/web1.xml --to-bridge br0 --in-place -y";
    here.kvmnet(words).gives(2).says(&["libvirt", "--force"]);
    assert_eq!(here.text("home/.config/libvirt/qemu/web1.xml"), old);
    here.kvmnet(words).arg("--force").gives(0);
}

// Standard input

#[test]
fn stdin_gives_the_new_xml_on_stdout_and_the_diff_on_stderr() {
    let here = Sandbox::new();
    let old = guest("web1", &["default"]);
    let done = here.kvmnet("convert --file - --to-bridge br0").input(old.as_str()).filters().gives(0);
    assert_eq!(done.out, on_br0(&old));
    done.says(&["+      <source bridge='br0'/>"]);
}

#[test]
fn stdin_that_needs_no_change_passes_through() {
    let here = Sandbox::new();
    let same = on_br0(&guest("web1", &["default"])).replace('\n', "\r\n");
    let done = here.kvmnet("convert --file - --to-bridge br0").input(same.as_str()).filters().gives(0);
    assert_eq!(done.out, same);
    done.says(&["nothing to do"]);
}

#[test]
fn stdin_that_fails_writes_nothing_on_stdout() {
    let here = Sandbox::new();
    for bad in [String::new(), "<domain".into(), guest("web1", &["default", "lan"])] {
        let done = here.kvmnet("convert --file - --to-bridge br0").input(bad).gives(2);
        done.shows_nothing().says(&["standard input"]);
    }
}

#[test]
fn stdin_in_json_holds_the_xml() {
    let here = Sandbox::new();
    let old = guest("web1", &["default"]);
    let done = here.kvmnet("convert --file - --to-bridge br0 -o json").input(old.as_str()).filters().gives(0);
    assert_eq!(done.says_nothing().json()["changes"][0]["xml"], on_br0(&old));
}

#[test]
fn stdin_offers_commands_that_read_stdin() {
    let here = Sandbox::new();
    let two = guest("web1", &["default", "lan"]);
    let done = here.kvmnet("convert --file - --to-bridge br0").input(two).gives(2);
    let offers = done.offers();
    assert_eq!(offers[0], "kvmnet convert --file - --to-bridge br0 --nic 52:54:00:00:00:01", "{done}");
}

// What the networks gave

#[test]
fn network_xml_tells_what_would_be_lost() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0")
        .gives(0)
        .shows(&["warning[network-unknown]", "--network-xml"]);
    here.write("default.xml", real("default.net.xml"));
    let done = here.kvmnet("convert --file a.xml --network-xml default.xml --to-bridge br0").gives(0);
    assert!(!done.out.contains("network-unknown"), "{done}");
    done.shows(&["nat"]);
}

#[test]
fn network_xml_carries_a_vlan_over() {
    let here = Sandbox::new();
    let network = "<network><name>default</name><forward mode='bridge'/><bridge name='ovs0'/>\
                   <virtualport type='openvswitch'/><vlan><tag id='42'/></vlan></network>";
    here.write("net.xml", network);
    here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --network-xml net.xml --to-bridge ovs0 --inline").gives(0);
    done.shows(&["<tag id='42'/>", "openvswitch"]);
}

#[test]
fn bad_network_xml_is_named() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.write("bad.xml", "<network><name>x</network>");
    here.write("net.xml", real("default.net.xml"));
    let words = "convert --file a.xml --to-bridge br0 --network-xml";
    here.kvmnet(words).arg("none.xml").gives(2).says(&["none.xml", "No such file"]);
    here.kvmnet(words).arg("bad.xml").gives(2).says(&["bad.xml", "</network> closes <name>"]);
    here.kvmnet(words).arg("a.xml").gives(2).says(&["a.xml", "network"]);
    here.kvmnet(words).args(["net.xml", "net.xml"]).gives(2).says(&["net.xml", "twice"]);
}

// For programs

#[test]
fn json_has_the_keys_of_the_contract() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 -o json").gives(0);
    let document = done.says_nothing().json();
    let change = &document["changes"][0];
    for key in ["id", "domain", "uuid", "file", "nics", "diff", "warnings", "status", "error"] {
        assert!(change.get(key).is_some(), "no {key}: {change}");
    }
    assert_eq!(change["file"], "a.xml");
    assert_eq!(change["domain"], "web1");
    assert_eq!(change["status"], "planned");
    assert_eq!(change["nics"][0]["mac"], "52:54:00:00:00:01");
    assert_eq!(change["nics"][0]["from"], json!({ "type": "network", "source": "default" }));
    assert_eq!(change["nics"][0]["to"], json!({ "type": "bridge", "source": "br0" }));
    assert_eq!(change["warnings"][0]["code"], "network-unknown");
    assert_eq!(document["summary"], json!({ "planned": 1, "applied": 0, "unchanged": 0, "failed": 0 }));
}

#[test]
fn json_counts_each_kind() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.guest("b.xml");
    here.write("same.xml", on_br0(&guest("web1", &["default"])));
    here.write("bad.xml", "<domain>");
    let words = "convert --file a.xml b.xml same.xml bad.xml --to-bridge br0 --in-place -y -o json";
    let document = here.kvmnet(words).gives(3).json();
    assert_eq!(document["summary"], json!({ "planned": 0, "applied": 2, "unchanged": 1, "failed": 1 }));
    let get = |key: &str| {
        document["changes"].as_array().unwrap().iter().map(|c| c[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(get("status"), ["applied", "applied", "unchanged", "failed"]);
    assert_eq!(get("id"), [json!("1.1"), json!("1.2"), json!(null), json!(null)]);
    assert!(get("error")[3].as_str().unwrap().contains("line 1"));
}

#[test]
fn json_without_a_terminal_is_a_document_that_says_why_not() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -o json").gives(2);
    assert_eq!(done.json()["changes"][0]["status"], "failed");
    assert_eq!(here.text("a.xml"), old);
}

#[test]
fn a_file_without_network_has_the_keys_of_the_others() {
    let here = Sandbox::new();
    here.write("bad.xml", "<domain>");
    let document = here.kvmnet("convert --file bad.xml --to-bridge br0 -o json").gives(2).json();
    assert!(document["changes"][0]["nics"].is_array(), "{document}");
}

// Colours, loudness

#[test]
fn colours_are_as_asked() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let words = "convert --file a.xml --to-bridge br0";
    let is_coloured = |done: &support::Done| done.out.contains('\x1b');
    assert!(!is_coloured(&here.kvmnet(words).gives(0)));
    assert!(is_coloured(&here.kvmnet(words).args(["--color", "always"]).gives(0)));
    assert!(is_coloured(&here.kvmnet(words).args(["--color", "always"]).env("NO_COLOR", "1").gives(0)));
    let (k, at) = (support::program().display(), "printed");
    let terminal = |more: &str| here.shell_at_terminal(&format!("TERM=xterm {more}"), at, b"").gave(0);
    assert!(is_coloured(&terminal(&format!("{k} {words}"))));
    assert!(!is_coloured(&terminal(&format!("{k} {words} --color never"))));
    assert!(!is_coloured(&terminal(&format!("NO_COLOR=1 {k} {words}"))));
}

#[test]
fn colours_dont_change_the_text() {
    let here = Sandbox::new();
    here.guest("a.xml");
    let plain = here.kvmnet("convert --file a.xml --to-bridge br0").gives(0);
    let painted = here.kvmnet("convert --file a.xml --to-bridge br0 --color always").gives(0);
    let mut stripped = String::new();
    for (n, part) in painted.out.split('\x1b').enumerate() {
        stripped.push_str(if n == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain.out);
}

#[test]
fn quiet_keeps_errors_only() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.write("bad.xml", "<domain>");
    here.kvmnet("-q convert --file a.xml --to-bridge br0 --in-place -y").gives(0).says_nothing();
    let done = here.kvmnet("-q convert --file bad.xml --to-bridge br0").gives(2).says(&["bad.xml"]);
    assert_eq!(done.err.lines().count(), 1, "{done}");
    here.kvmnet("-q -v convert --file a.xml --to-bridge br0").gives(2).says(&["cannot be used with"]);
}

#[test]
fn many_files_are_summed_up_and_verbose_names_each() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..30).map(|n| format!("{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    let done = here.kvmnet("convert --to-bridge br0 --in-place -y --file").args(&names).gives(0);
    assert!(done.err.contains("30 changed") && done.err.lines().count() < 5, "{done}");
    let done = here.kvmnet("-v convert --to-network default --in-place -y --file").args(&names).gives(0);
    assert!(done.err.lines().count() >= 30, "{done}");
}

// Many files

#[test]
fn one_bad_file_doesnt_stop_the_others() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    here.guest("c.xml");
    here.write("b.xml", "<domain");
    let done = here.kvmnet("convert --file a.xml b.xml c.xml --to-bridge br0 --in-place -y").gives(3);
    done.says(&["b.xml: line 1", "2 changed", "1 failed", "kvmnet undo 1"]);
    assert_eq!((here.text("a.xml"), here.text("c.xml")), (on_br0(&old), on_br0(&old)));
}

#[test]
fn all_bad_is_a_failure() {
    let here = Sandbox::new();
    here.write("a.xml", "<domain");
    let done = here.kvmnet("convert --file a.xml missing.xml --to-bridge br0 --in-place -y").gives(2);
    done.says(&["a.xml", "missing.xml", "2 failed"]);
    assert!(!here.journal().exists());
}

#[test]
fn a_file_named_twice_is_converted_once() {
    let here = Sandbox::new();
    let old = here.guest("a.xml");
    std::os::unix::fs::symlink("a.xml", here.path("link.xml")).unwrap();
    here.kvmnet("convert --file a.xml a.xml --to-bridge br0 --in-place -y").gives(0).says(&["1 changed"]);
    here.write("a.xml", &old);
    here.kvmnet("convert --file a.xml link.xml --to-bridge br0 --in-place -y").run();
    assert_eq!(here.text("a.xml"), on_br0(&old));
}

#[test]
fn ambiguous_nics_come_with_commands_that_work() {
    let here = Sandbox::new();
    here.write("a.xml", guest("web1", &["default", "lan"]));
    let done = here.kvmnet("convert --file a.xml --to-bridge br0").gives(2).says(&["2 NICs"]);
    let offers = done.offers();
    assert_eq!(offers.len(), 3, "{done}");
    for (offer, moved) in offers.iter().zip([1, 1, 2]) {
        let done = here.kvmnet(offer.strip_prefix("kvmnet ").unwrap()).gives(0);
        assert_eq!(done.out.matches("+      <source bridge='br0'/>").count(), moved, "{done}");
    }
}

#[test]
fn offered_commands_survive_a_shell() {
    for name in ["my guest.xml", "it's.xml", "$(touch oops).xml", "-dash.xml"] {
        let here = Sandbox::new();
        here.write(name, guest("web1", &["default", "lan"]));
        let done = here.kvmnet("convert --to-bridge br0").arg(format!("--file=./{name}")).gives(2);
        let offer = done.offers()[0].replacen("kvmnet", "\"$K\"", 1);
        here.shell(&offer).gives(0);
        assert!(!here.path("oops").exists());
    }
}

#[test]
fn offered_commands_do_what_was_asked_for() {
    let here = Sandbox::new();
    here.write("a.xml", guest("web1", &["default", "lan"]));
    let done = here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(2);
    assert!(done.offers()[0].contains("--in-place"), "the offered command only previews: {done}");
}

#[test]
fn secrets_are_kept_in_the_file() {
    let here = Sandbox::new();
    here.guest("a.xml");
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(0).shows(&["passwd='***'"]);
    here.kvmnet("convert --file a.xml --to-bridge br0 --in-place -y").gives(0);
    assert!(here.text("a.xml").contains(SECRET));
}

#[test]
fn secrets_in_what_was_commented_out_are_masked_too() {
    let here = Sandbox::new();
    let live = format!("<graphics type='vnc' passwd='{SECRET}'/>");
    here.write("a.xml", guest("web1", &["default"]).replace(&live, &format!("<!-- {live} -->")));
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(0).shows(&["<!-- <graphics type='vnc'"]);
}

#[test]
fn secrets_of_qemus_own_arguments_are_masked_too() {
    let here = Sandbox::new();
    let arguments = format!(
        "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\
         <q:arg value='-object'/><q:arg value='secret,id=s,data={SECRET}'/></q:commandline>"
    );
    here.write(
        "a.xml",
        guest("web1", &["default"]).replace("  <devices>", &format!("  {arguments}\n  <devices>")),
    );
    here.kvmnet("convert --file a.xml --to-bridge br0").gives(0).shows(&["q:arg"]);
}

#[test]
fn secrets_dont_get_into_error_messages() {
    let here = Sandbox::new();
    let texts = [
        format!("<domain><graphics passwd='{SECRET}' passwd='{SECRET}'/></domain>"),
        format!("<domain><graphics passwd='{SECRET}<'/></domain>"),
        format!("<domain><graphics passwd='{SECRET}&bad;'/></domain>"),
        format!("<domain><graphics passwd={SECRET}/></domain>"),
        format!("<domain><graphics passwd='{SECRET}"),
        format!("<domain><secret>{SECRET}</secre></domain>"),
    ];
    for text in texts {
        here.write("a.xml", text);
        here.kvmnet("convert --file a.xml --to-bridge br0").gives(2).says(&["a.xml: line 1"]);
    }
}

#[test]
fn many_files_are_shown_in_the_order_they_were_named() {
    let here = Sandbox::new();
    let names: Vec<_> = (0..40).rev().map(|n| format!("{n}.xml")).collect();
    names.iter().for_each(|name| drop(here.guest(name)));
    let done = here.kvmnet("convert --to-bridge br0 --file").args(&names).gives(0);
    let shown: Vec<_> = done.out.lines().filter_map(|l| l.strip_prefix("--- ")).collect();
    assert_eq!(shown, names);
}

#[test]
fn a_private_file_is_private_while_it_is_written() {
    let here = Sandbox::new();
    // Large, so that the new file can be seen before it takes the old one's place.
    let text = guest("web1", &["default"]).replace("kept", &"x".repeat(30_000_000));
    let path = here.write("files/a.xml", text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut started = here.kvmnet("convert --file files/a.xml --to-bridge br0 --in-place -y -q").start();
    while started.child.try_wait().unwrap().is_none() {
        for entry in fs::read_dir(here.path("files")).unwrap() {
            let Ok(meta) = entry.unwrap().metadata() else { continue };
            let mode = meta.mode() & 0o777;
            assert!(
                meta.len() == 0 || mode == 0o600,
                "anybody may read the password meanwhile: mode {mode:o}"
            );
        }
    }
    started.wait().gave(0);
}
