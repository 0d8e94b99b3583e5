//! The workflow and the hooks that this repository offers for pipelines, by running what they run: where all is well, and where
//! something is wrong.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use saphyr_parser::{Event, Parser};
use support::{Done, Sandbox, program, real};

/// What a YAML file says.
#[derive(Debug, Clone)]
enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads a file of the repository.
    fn read(name: &str) -> Yaml {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let mut open: Vec<(bool, Vec<Yaml>)> = vec![(false, Vec::new())];
        for event in Parser::new_from_str(&text) {
            let node = match event.unwrap().0 {
                Event::Scalar(value, ..) => Yaml::Text(value.into_owned()),
                Event::SequenceStart(..) => {
                    open.push((false, Vec::new()));
                    continue;
                }
                Event::MappingStart(..) => {
                    open.push((true, Vec::new()));
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop().unwrap() {
                    (false, nodes) => Yaml::List(nodes),
                    (true, nodes) => {
                        let pairs = nodes.chunks(2).map(|pair| (pair[0].text().to_string(), pair[1].clone()));
                        Yaml::Map(pairs.collect())
                    }
                },
                _ => continue,
            };
            open.last_mut().unwrap().1.push(node);
        }
        open.pop().unwrap().1.remove(0)
    }

    fn get(&self, key: &str) -> Option<&Yaml> {
        let Yaml::Map(pairs) = self else { panic!("no map: {self:?}") };
        pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn list(&self) -> &[Yaml] {
        let Yaml::List(nodes) = self else { panic!("no list: {self:?}") };
        nodes
    }

    fn text(&self) -> &str {
        let Yaml::Text(text) = self else { panic!("no text: {self:?}") };
        text
    }
}

/// A copy of the repository's fixtures.
fn repository() -> Sandbox {
    let here = Sandbox::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for folder in ["host", "real"] {
        for entry in std::fs::read_dir(fixtures.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            here.write(
                Path::new("fixtures").join(path.strip_prefix(&fixtures).unwrap()),
                std::fs::read(&path).unwrap(),
            );
        }
    }
    here
}

/// Runs a script as a workflow's runner does, with this kvmnet first on PATH.
fn run(here: &Sandbox, script: &str) -> Done {
    let folder = program().parent().unwrap().display();
    let run = here.program("bash").args(["--noprofile", "--norc", "-e", "-c", script]);
    run.env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("GITHUB_STEP_SUMMARY", here.path("summary.md"))
        .run()
}

/// The steps of the workflow that run kvmnet: their names and scripts.
fn steps() -> Vec<(String, String)> {
    let workflow = Yaml::read(".github/workflows/check-xml.yml");
    let steps = workflow.get("jobs").unwrap().get("check-xml").unwrap().get("steps").unwrap().list().to_vec();
    let scripts = steps.iter().filter_map(|step| {
        let script = step.get("run").map(Yaml::text).filter(|script| script.contains("kvmnet "))?;
        Some((step.get("name")?.text().to_string(), script.to_string()))
    });
    scripts.filter(|(_, script)| !script.starts_with("cargo ")).collect()
}

/// The exit codes of the workflow's steps, one after the other.
fn codes(here: &Sandbox) -> Vec<i32> {
    steps().iter().map(|(_, script)| run(here, script).code).collect()
}

#[test]
fn the_workflow_passes_here() {
    let names: Vec<String> = steps().into_iter().map(|(name, _)| name).collect();
    let wanted =
        ["check", "check for code scanning", "guests are on their bridge", "what a move would change"];
    assert_eq!(names, wanted);
    let here = repository();
    for (name, script) in steps() {
        let done = run(&here, &script);
        assert_eq!(done.code, 0, "{name}: {done}");
        if name == "check" {
            assert!(done.out.contains("::warning file=fixtures/"), "{done}");
        }
    }
    let log: serde_json::Value = serde_json::from_str(&here.text("kvmnet.sarif")).unwrap();
    assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty());
    assert!(here.text("summary.md").contains("\n+      <source bridge='br0'/>\n"));
}

#[test]
fn the_workflow_fails_where_it_should() {
    let bridged = "fixtures/real/bridged.etc.xml";
    let here = repository();
    let off =
        here.text(bridged).replace("'bridge'", "'network'").replace("bridge='br0'", "network='default'");
    here.write(bridged, off);
    assert_eq!(codes(&here), [0, 0, 1, 0], "a guest left its bridge");

    let here = repository();
    here.write("fixtures/host/new.xml", here.text(bridged).replace("52:54:00", "53:54:00"));
    assert_eq!(codes(&here), [1, 1, 0, 0], "a MAC address is a group's");

    let here = repository();
    here.write("fixtures/host/ubuntuvm1.xml", "<domain");
    assert_eq!(codes(&here), [1, 1, 0, 1], "a file is no XML");
}

/// Runs a hook as pre-commit does, its arguments or others behind its entry and the files of the commit behind them.
fn hook(here: &Sandbox, id: &str, args: Option<&str>, files: &[&str]) -> Done {
    let hooks = Yaml::read(".pre-commit-hooks.yaml");
    let hook = hooks.list().iter().find(|hook| hook.get("id").unwrap().text() == id).unwrap();
    let text = |key: &str| hook.get(key).unwrap().text();
    assert_eq!(text("language"), "system");
    let own: Vec<&str> = hook.get("args").unwrap().list().iter().map(Yaml::text).collect();
    let pattern = text("files").replace('\'', "'\\''");
    let wanted = run(here, &format!("printf '%s\\n' {} | grep -E '{pattern}' || true", files.join(" "))).out;
    assert!(!wanted.is_empty(), "the hook isn't run for {files:?}");
    let passes = hook.get("pass_filenames").is_none_or(|passes| passes.text() != "false");
    let files = if passes { wanted.replace('\n', " ") } else { String::new() };
    run(here, &format!("{} {} {files}", text("entry"), args.map_or(own.join(" "), Into::into)))
}

#[test]
fn the_hook_checks_all_files() {
    let here = Sandbox::new();
    here.write("vm/a.xml", real("two-networks.etc.xml"));
    let commit = ["vm/a.xml", "README.md"];
    hook(&here, "kvmnet-check", None, &commit).gave(0).shows(&["1 file checked: nothing found"]);
    hook(&here, "kvmnet-check", None, &["vm/kvmnet.toml"]).gave(0);
    // What isn't part of the commit is checked as well.
    here.write("vm/b.xml", real("bridged.etc.xml").replace("52:54:00", "53:54:00"));
    hook(&here, "kvmnet-check", None, &commit).gave(1).shows(&["KN011", "vm/b.xml"]);
    hook(&here, "kvmnet-check", Some("net"), &commit).gave(2);
}

#[test]
fn the_hook_about_bridges() {
    let here = Sandbox::new();
    here.write("a.xml", real("bridged.etc.xml"));
    here.write("b.xml", real("two-networks.etc.xml"));
    hook(&here, "kvmnet-convert-check", None, &["a.xml", "README.md"]).gave(0);
    hook(&here, "kvmnet-convert-check", None, &["a.xml", "b.xml"])
        .gave(1)
        .shows(&["+      <source bridge='br0'/>"]);
    let args = Some("--to-network lan --all-nics --file");
    hook(&here, "kvmnet-convert-check", args, &["a.xml"]).gave(1).shows(&["+      <source network='lan'/>"]);
    here.write("c.xml", "<domain");
    hook(&here, "kvmnet-convert-check", None, &["a.xml", "c.xml"]).gave(2);
}
