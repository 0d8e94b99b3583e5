//! libvirt's own schema as the judge of what kvmnet writes.

use std::path::Path;
use std::process::Command;

/// Holds documents, each with a name, against libvirt's schema for that kind of thing (`domain`, `network`). Without the
/// schema it says so, and fails where CI runs it.
pub(crate) fn validate(kind: &str, documents: &[(String, String)]) {
    let schema = format!("/usr/share/libvirt/schemas/{kind}.rng");
    let has_xmllint = Command::new("xmllint").arg("--version").output().is_ok();
    if !Path::new(&schema).exists() || !has_xmllint {
        let what = format!(
            "{} results NOT held against libvirt's schema: no {schema}, or no xmllint",
            documents.len()
        );
        assert!(std::env::var_os("CI").is_none(), "{what}");
        eprintln!("SKIPPED: {what}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("xmllint");
    command.current_dir(dir.path()).args(["--noout", "--relaxng", &schema]);
    for (n, (_, text)) in documents.iter().enumerate() {
        let name = format!("{n}.xml");
        std::fs::write(dir.path().join(&name), text).unwrap();
        command.arg(name);
    }
    // The judge is awake only if it refuses what is no such thing.
    let bad = format!("<{kind} type='kvm'><interface/></{kind}>");
    std::fs::write(dir.path().join("bad.xml"), bad).unwrap();
    let out = command.arg("bad.xml").output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("bad.xml fails to validate"), "{said}");
    let verdicts = |n: usize| said.lines().any(|line| line == format!("{n}.xml validates"));
    let bad: Vec<String> = (documents.iter().enumerate())
        .filter(|(n, _)| !verdicts(*n))
        .map(|(n, (name, text))| {
            let reasons: Vec<_> = said.lines().filter(|l| l.starts_with(&format!("{n}.xml:"))).collect();
            format!("{name}\n{}\n{text}", reasons.join("\n"))
        })
        .collect();
    assert!(
        bad.is_empty(),
        "libvirt's schema refuses {} of {}:\n{}",
        bad.len(),
        documents.len(),
        bad.join("\n")
    );
}
