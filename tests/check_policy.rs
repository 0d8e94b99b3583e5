//! `kvmnet.toml`, through the program: which one goes for a file, and what it changes.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;

use support::{Done, Sandbox, is_root_or_skip};

/// A guest with a MAC address of zeros (KN012, a warning) on line 6.
const ZEROS: &str = "\
<domain type='kvm'>
  <name>web1</name>
  <memory>1</memory><os><type>hvm</type></os>
  <devices>
    <interface type='network'>
      <mac address='00:00:00:00:00:00'/>
      <source network='default'/>
    </interface>
  </devices>
</domain>
";

/// The findings, as `CODE SEVERITY FILE:LINE`.
fn found(done: &Done) -> Vec<String> {
    let json = done.json();
    let word = |of: &serde_json::Value, key: &str| of[key].as_str().unwrap().to_string();
    let one = |f: &serde_json::Value| {
        format!("{} {} {}:{}", word(f, "code"), word(f, "severity"), word(f, "file"), f["line"])
    };
    json["findings"].as_array().unwrap().iter().map(one).collect()
}

#[track_caller]
fn finds(here: &Sandbox, words: &str, want: &[&str]) {
    // These files are all alike: what is there twice isn't the point here.
    let words = format!("check -o json --ignore KN2 {words}");
    assert_eq!(found(&here.kvmnet(&words).run()), want, "{words}");
}

#[test]
fn the_nearest_above_a_file_goes_for_it() {
    let here = Sandbox::new();
    for file in ["vm/a.xml", "vm/x/y/b.xml", "vm/x/own/c.xml"] {
        here.write(file, ZEROS);
    }
    finds(&here, "vm/a.xml", &["KN012 warning vm/a.xml:6"]);
    here.write("vm/kvmnet.toml", "ignore = ['KN012']");
    here.write("vm/x/own/kvmnet.toml", "severity.KN012 = 'error'");
    finds(&here, "vm", &["KN012 error vm/x/own/c.xml:6"]);
    finds(&here, "vm/x/y/b.xml vm/x/own/c.xml", &["KN012 error vm/x/own/c.xml:6"]);
    // From within, from elsewhere, and on standard input, which is in the folder where kvmnet runs.
    here.kvmnet("check --ignore KN2 y own")
        .folder(here.path("vm/x"))
        .gives(1)
        .shows(&["own/c.xml:6", "1 error"]);
    here.kvmnet("check").arg(here.path("vm/x/y")).folder("/").gives(0);
    here.kvmnet("check -").folder(here.path("vm")).input(ZEROS).gives(0).shows(&["nothing found"]);
    here.kvmnet("check --deny warnings -").input(ZEROS).gives(1);
    // One for all.
    here.write("ci/strict.toml", "");
    finds(
        &here,
        "--policy ci/strict.toml vm",
        &["KN012 warning vm/a.xml:6", "KN012 warning vm/x/own/c.xml:6", "KN012 warning vm/x/y/b.xml:6"],
    );
}

#[test]
fn folders_count_by_what_they_are() {
    let here = Sandbox::new();
    here.write("real/kvmnet.toml", "ignore = ['KN012']");
    here.write("real/vm/a.xml", ZEROS);
    here.write("other/kvmnet.toml", "severity.KN012 = 'error'");
    symlink("../real/vm", here.path("other/link")).unwrap();
    symlink("../real/vm/a.xml", here.path("other/a.xml")).unwrap();
    finds(&here, "other/link other/link/a.xml real/../real/vm", &[]);
    // A link to a file is where the link is.
    finds(&here, "other/a.xml", &["KN012 error other/a.xml:6"]);
}

#[test]
fn overrides_are_about_paths() {
    let here = Sandbox::new();
    for file in ["vm/a.xml", "vm/lab/b.xml", "vm/lab/new/c.xml", "vm/labs/d.xml"] {
        here.write(file, ZEROS);
    }
    let rest = ["KN012 warning vm/a.xml:6", "KN012 warning vm/labs/d.xml:6"];
    for pattern in ["lab", "lab/", "./lab", "lab/**", "lab/*", "{lab,x}", "**/lab", "l?b"] {
        let policy = format!("[[override]]\npaths = ['{pattern}']\nignore = ['KN012']\n");
        here.write("vm/kvmnet.toml", &policy);
        finds(&here, "vm", &rest);
        // The last one that names the rule decides.
        here.write("vm/kvmnet.toml", policy + "[[override]]\npaths = ['lab/new']\nselect = ['KN012']\n");
        finds(&here, "vm", &[rest[0], "KN012 warning vm/lab/new/c.xml:6", rest[1]]);
    }
    here.write("vm/kvmnet.toml", "[[override]]\npaths = ['lab/*.xml']\nseverity.KN012 = 'error'");
    here.kvmnet("check vm/lab/b.xml").gives(1);
    here.kvmnet("check vm/lab/new/c.xml").gives(0).shows(&["1 warning"]);
}

#[test]
fn a_named_policy_and_files_elsewhere() {
    let here = Sandbox::new();
    here.write("vm/lab/a.xml", ZEROS);
    here.write("ci/kvmnet.toml", "exclude = ['vm/lab']");
    here.write("ci/vm/b.xml", ZEROS);
    // Files that aren't below the policy: from the folder on where kvmnet runs.
    let done = here.kvmnet("check --policy ci/kvmnet.toml vm").gives(0);
    done.says(&["vm: the policy excludes all that is in it"]);
    here.kvmnet("check --policy ci/kvmnet.toml vm --deny warnings").folder(here.path("ci")).gives(2);
    here.write("ci/kvmnet.toml", "exclude = ['vm/b.xml']");
    finds(&here, "--policy ci/kvmnet.toml ci vm", &["KN012 warning vm/lab/a.xml:6"]);
    let absolute = here.path("ci/kvmnet.toml");
    let done = here.kvmnet("check -o json --policy").arg(&absolute).arg(here.path("ci")).folder("/").run();
    assert_eq!(found(&done), [""; 0]);
}

#[test]
fn severities_change_the_exit_code() {
    let here = Sandbox::new();
    here.write("a.xml", ZEROS);
    here.kvmnet("check a.xml").gives(0).shows(&["warning[KN012]"]);
    for (policy, code) in [
        ("severity.KN012 = 'error'", 1),
        ("severity.KN01 = 'error'", 1),
        ("severity.KN01 = 'error'\nseverity.KN012 = 'warning'", 0),
        ("severity.kn012 = 'error'", 1),
        ("ignore = ['kn012']\nseverity.KN012 = 'error'", 0),
        ("ignore = ['KN0']", 0),
        ("select = ['KN0']\nignore = ['KN012']", 0),
        ("select = ['KN3']", 0),
    ] {
        here.write("kvmnet.toml", policy);
        here.kvmnet("check a.xml").gives(code);
    }
    here.write("kvmnet.toml", "severity.KN012 = 'error'");
    here.kvmnet("check --format json a.xml").gives(1).shows(&["\"severity\": \"error\""]);
}

#[test]
fn what_is_typed_goes_before() {
    let here = Sandbox::new();
    here.write("a.xml", ZEROS);
    here.write("kvmnet.toml", "ignore = ['KN012']\nseverity.KN012 = 'error'");
    here.kvmnet("check a.xml").gives(0);
    here.kvmnet("check --select KN012 a.xml").gives(1).shows(&["error[KN012]"]);
    here.kvmnet("check --select KN01,KN02 --ignore KN012 a.xml").gives(0).shows(&["nothing found"]);
    here.write("kvmnet.toml", "select = ['KN012']\n[[override]]\npaths = ['*']\nselect = ['KN012']");
    here.kvmnet("check --ignore KN012 a.xml").gives(0).shows(&["nothing found"]);
    here.kvmnet("check --select KN011 a.xml").gives(0).shows(&["nothing found"]);
}

#[test]
fn excluded_files_are_checked_when_they_are_named() {
    let here = Sandbox::new();
    here.write("vm/a.xml", ZEROS);
    here.write("vm/old/b.xml", ZEROS);
    here.write("vm/kvmnet.toml", "exclude = ['old', 'a.x*']");
    here.kvmnet("check vm").gives(0).says(&["vm: the policy excludes all"]).shows(&["0 files checked"]);
    here.kvmnet("check -q vm").gives(0).says_nothing();
    here.kvmnet("check vm/old").gives(0).says(&["vm/old: the policy excludes all"]);
    finds(&here, "vm/old/b.xml vm", &["KN012 warning vm/old/b.xml:6"]);
}

#[test]
fn sets_and_known_networks_are_read() {
    let here = Sandbox::new();
    here.write(
        "a.xml",
        ZEROS.replace("00:00:00:00:00:00", "52:54:00:00:00:01").replace("'default'", "'lan'"),
    );
    here.write("kvmnet.toml", "sets = ['hosts/*']\nknown-networks = ['lan', 'lab-*']");
    here.kvmnet("check --deny warnings a.xml").gives(0);
}

#[test]
fn sets_without_a_file_are_told_who_asks() {
    let here = Sandbox::new();
    here.write("hosts/a/vm/a.xml", ZEROS);
    here.write("b/b.xml", ZEROS);
    here.write("kvmnet.toml", "sets = ['hosts/*', 'host/*', 'b', 'b/b.xml']");
    here.kvmnet("check .").gives(0).says_nothing();
    let done = here.kvmnet("check -v .").gives(0);
    assert_eq!(done.err.matches("('sets')").count(), 2, "{done}");
    done.says(&["kvmnet.toml: no file is in a folder 'b/b.xml' ('sets')", "is in a folder 'host/*'"]);
}

#[test]
fn rules_of_the_house_say_who_says_so() {
    let here = Sandbox::new();
    here.write("vm/lab/a.xml", ZEROS);
    here.write("vm/kvmnet.toml", "\n[house]\nnetworks = ['lan', 'dmz-*']\nmodels = ['virtio']\n");
    let done = here.kvmnet("check vm").gives(1);
    done.shows(&[
        "error[KN302]: guests may not be on network 'default' here",
        "the policy allows lan or dmz-* (vm/kvmnet.toml line 3)",
        "error[KN303]: this NIC names no model",
        "(vm/kvmnet.toml line 4)",
    ]);
    // They are rules as all others.
    here.kvmnet("check --ignore KN3 vm").gives(0);
    here.write("vm/lab/a.xml", format!("<!-- kvmnet: ignore KN302,KN303 -->\n{ZEROS}"));
    here.kvmnet("check vm").gives(0);
}

#[test]
fn comments_of_each_form() {
    let here = Sandbox::new();
    let with = |old: &str, new: &str| ZEROS.replace(old, new);
    let quiet = "<!-- kvmnet: ignore KN012 -->";
    let source = "      <source network='default'/>\n";
    for text in [
        with("<mac", &format!("{quiet}<mac")),
        with("      <mac", &format!("      {quiet}\n      <mac")),
        with("    <interface", &format!("    {quiet}\n    <!-- why -->\n    <interface")),
        with("00'/>", &format!("00'/> {quiet}")),
        with("</interface>", &format!("</interface> {quiet}")),
        with("</interface>", &format!("{quiet}</interface>"))
            .replace("'network'", "'user'")
            .replace(source, ""),
        format!("{quiet}\n{ZEROS}"),
        format!("<!-- kvmnet: ignore KN012 the guest is a template -->\n{ZEROS}"),
        format!("<!-- kvmnet: ignore KN012, KN011: the guest is a template -->\n{ZEROS}"),
        format!("<!--kvmnet:ignore kn011 , KN012-->\n{ZEROS}"),
        format!("<!-- KVMNET: Ignore kn012 -->\n{ZEROS}"),
        format!("<?xml version='1.0'?>\n<!-- kvmnet: ignore KN017\n  KN012 -->\n{ZEROS}"),
    ] {
        here.write("a.xml", &text);
        let done = here.kvmnet("check --select KN003,KN01 --deny warnings a.xml").run();
        assert!(done.code == 0, "{text}\n{done}");
    }
    for text in [
        with("      <source", &format!("      {quiet}\n      <source")),
        with("</name>", &format!("</name> {quiet}")),
        with("<mac", "<!-- ignore KN012 --><mac"),
        with("<mac", "<!-- kvmnet: ignore KN011 --><mac"),
    ] {
        here.write("a.xml", &text);
        let done = here.kvmnet("check --select KN003,KN01 --deny warnings a.xml").run();
        assert!(done.code == 1 && done.out.contains("KN012"), "{text}\n{done}");
    }
}

#[test]
fn comments_that_name_no_rule() {
    let here = Sandbox::new();
    for (comment, help) in [
        ("ignore KNO12", "did you mean KN012?"),
        ("ignore mac-reserved", "did you mean KN012?"),
        ("ignore KN999", "--list-rules"),
        ("ignore", "name its code"),
        ("silence KN012", "is what it knows"),
    ] {
        here.write("a.xml", ZEROS.replace("<mac", &format!("<!-- kvmnet: {comment} -->\n<mac")));
        let shown = ["warning[KN003]", "a.xml:6:", help, "warning[KN012]"];
        here.kvmnet("check a.xml").gives(0).shows(&shown);
    }
}

#[test]
fn what_no_policy_says_is_exit_code_2() {
    let here = Sandbox::new();
    here.write("vm/a.xml", ZEROS);
    for (policy, place, help) in [
        ("selct = ['KN0']", "line 1, column 1: there is no key 'selct'", "did you mean select?"),
        ("[house]\nbridge = ['br0']", "line 2, column 1: there is no key 'bridge'", "did you mean bridges?"),
        ("ignore = ['KNO12']", "line 1, column 11: there is no rule 'KNO12'", "did you mean KN012?"),
        ("severity.KN012 = 'warn'", "there is no severity 'warn'", "did you mean \"warning\"?"),
        ("[house]\nforbidden-types = ['macvtap']", "no NIC of type 'macvtap'", "did you mean direct?"),
        ("[house]\nmac-prefixes = ['52-54']", "'52-54' isn't the beginning", "did you mean 52:54?"),
        ("exclude = ['x[']", "line 1, column 12: 'x[' is no pattern", ""),
        ("ignore = 'KN012'", "'ignore' is a list of words", "write ignore = [\"KN012\"]"),
        ("ignore = [", "it isn't TOML", ""),
    ] {
        here.write("vm/kvmnet.toml", policy);
        let done = here.kvmnet("check vm").gives(2);
        done.says(&["kvmnet: error: vm/kvmnet.toml: ", place, help]).shows(&["1 file couldn't be checked"]);
        let done = here.kvmnet("check --policy vm/kvmnet.toml vm").gives(2);
        let done = done.shows_nothing().says(&["policy vm/kvmnet.toml: ", place, help]);
        assert!(help.is_empty() || done.err.matches(help).count() == 1, "{done}");
    }
}

#[test]
fn policies_that_cannot_be_read() {
    let here = Sandbox::new();
    here.write("vm/a.xml", ZEROS);
    let policy = here.path("vm/kvmnet.toml");
    let refused = |why: &str| {
        here.kvmnet("check vm").gives(2).says(&["vm/kvmnet.toml: ", why]);
        here.kvmnet("check --policy vm/kvmnet.toml vm").gives(2).says(&["vm/kvmnet.toml: ", why]);
        let _ = fs::remove_file(&policy).or_else(|_| fs::remove_dir(&policy));
    };
    fs::create_dir(&policy).unwrap();
    refused("it is a folder");
    here.write("vm/kvmnet.toml", b"ignore = ['\xff']");
    refused("it isn't UTF-8");
    symlink("nowhere", &policy).unwrap();
    refused("No such file");
    symlink("kvmnet.toml", &policy).unwrap();
    refused("symbolic link");
    symlink("/dev/zero", &policy).unwrap();
    refused("no regular file");
    here.program("mkfifo").arg(&policy).gives(0);
    refused("no regular file");
    fs::File::create(&policy).unwrap().set_len(1 << 30).unwrap();
    refused("larger than 16 MiB");
    here.kvmnet("check --policy nosuch.toml vm").gives(2).says(&["nosuch.toml", "No such file"]);
    here.write("vm/kvmnet.toml", "\u{feff}ignore = ['KN012']\r\n");
    here.kvmnet("check --deny warnings vm").gives(0);
}

#[test]
fn a_policy_without_the_right_to_read_it() {
    if !is_root_or_skip("a policy that only root may read") {
        return;
    }
    let here = Sandbox::new();
    here.write("a.xml", ZEROS);
    here.write("kvmnet.toml", "");
    here.program("chmod").args(["0", "kvmnet.toml"]).gives(0);
    here.kvmnet("check a.xml").by_nobody(&here).gives(2).says(&["kvmnet.toml", "Permission denied"]);
}

#[test]
fn a_broken_policy_is_said_once_and_stops_no_others() {
    let here = Sandbox::new();
    here.write("bad/kvmnet.toml", "no = 1");
    for number in 0..300 {
        here.write(format!("bad/{}/{number}.xml", number % 7), ZEROS);
    }
    here.write("good/a.xml", ZEROS);
    let done = here.kvmnet("check .").gives(2);
    assert_eq!(done.err.matches("bad/kvmnet.toml: line 1").count(), 1, "{done}");
    let done = done.shows(&["KN012", "good/a.xml:6", "1 warning", "300 files couldn't be checked"]);
    assert_eq!(done.err.lines().count(), 2, "{done}");
    let json = here.kvmnet("check -o json .").gives(2).json();
    assert_eq!(json["unchecked"].as_array().unwrap().len(), 1);
    assert_eq!(json["unchecked"][0]["file"], "bad/kvmnet.toml");
}

#[test]
fn a_policy_of_a_megabyte() {
    let here = Sandbox::new();
    here.write("a.xml", ZEROS);
    let names: String = (0..40_000).map(|n| format!("'network-number-{n:06}',\n")).collect();
    here.write("kvmnet.toml", format!("[house]\nnetworks = [\n{names}]\n"));
    here.kvmnet("check a.xml").gives(1).shows(&["network-number-000005 or one of 39994 more", "line 2"]);
}

#[test]
fn a_file_of_two_names_is_checked_once() {
    let here = Sandbox::new();
    here.write("vm/a.xml", ZEROS);
    fs::create_dir(here.path("vm/autostart")).unwrap();
    symlink("../a.xml", here.path("vm/autostart/a.xml")).unwrap();
    finds(&here, "vm ./vm/a.xml vm/a.xml vm/autostart/../a.xml", &["KN012 warning vm/a.xml:6"]);
    finds(&here, "vm/autostart", &["KN012 warning vm/autostart/a.xml:6"]);
    // Of several sets, in each.
    here.write("kvmnet.toml", "sets = ['vm', 'other']");
    fs::create_dir(here.path("other")).unwrap();
    symlink("../vm/a.xml", here.path("other/shared.xml")).unwrap();
    finds(&here, "vm other", &["KN012 warning other/shared.xml:6", "KN012 warning vm/a.xml:6"]);
}
