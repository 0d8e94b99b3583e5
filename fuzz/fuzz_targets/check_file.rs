//! Any bytes at all, checked by every rule.
//!
//! Whatever the bytes are, nothing panics, and every finding is at a place of the text and can be printed. Where something
//! can be mended: the result is XML, and mending it again changes nothing. Two files of the same text are a set.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use kvmnet::lint::{Checked, Choice, Extent, Policy, Settings, check_file, check_set, mend, place};
use kvmnet::report::Paint;
use kvmnet::report::findings::{Summary, github, human, json, junit, sarif};
use kvmnet::xml::Doc;
use libfuzzer_sys::fuzz_target;

/// A policy with every rule of the house.
const POLICY: &str = "[house]\nbridges = ['br*']\nnetworks = ['lan']\nmodels = ['virtio']\nmac-prefixes = ['52:54:00']\n\
                      filters = ['clean*']\nforbidden-types = ['user']\n";

static SETTINGS: LazyLock<Arc<Settings>> = LazyLock::new(|| {
    let policy = Policy::read(POLICY).expect("a policy");
    Arc::new(Settings::new(&policy, &[], &Choice::default()))
});

fn check(name: &str, data: &[u8]) -> Option<Checked> {
    check_file(&Arc::from(Path::new(name)), data, &SETTINGS).ok()
}

fuzz_target!(|data: &[u8]| {
    let (Some(one), Some(other)) = (check("a.xml", data), check("b.xml", data)) else { return };
    let facts: Vec<_> = one.facts.into_iter().chain(other.facts).collect();
    let mut findings = one.findings;
    let found = check_set(&facts, &[], Extent { is_declared: true, is_whole: true });
    let placed = place(found, facts.iter(), |_| Ok(data.into()));
    assert!(placed.lost.is_empty(), "{:?}", placed.lost);
    findings.extend(placed.findings);
    for finding in &findings {
        let place = &finding.place;
        assert!(place.lines.get(place.marked.clone()).is_some(), "{} is nowhere", finding.rule.code);
        assert!(
            place.line > 0 && (place.line, place.column) <= place.end,
            "{} is nowhere",
            finding.rule.code
        );
    }
    let summary = Summary::of(2, &findings, &[]);
    let mut out = Vec::new();
    human(&mut out, &findings, &summary, Paint { on: false }).expect("memory to print to");
    json(&mut out, &findings, &[], &summary, None).expect("memory to print to");
    github(&mut out, &findings, &[], &summary).expect("memory to print to");
    sarif(&mut out, &findings, &[]).expect("memory to print to");
    let mut report = Vec::new();
    let files = ["a.xml", "b.xml"].map(|name| Arc::from(Path::new(name)));
    junit(&mut report, &files, &findings, &[], &|_| true).expect("memory to print to");
    let report = String::from_utf8(report).expect("UTF-8");
    Doc::parse(&report).unwrap_or_else(|e| panic!("JUnit's report is no XML: {e}\n{report}"));
    let Some(text) = Doc::decode(data).ok() else { return };
    let Some(mended) = mend(&Arc::from(Path::new("a.xml")), text, &SETTINGS) else { return };
    Doc::parse(&mended.text).unwrap_or_else(|e| panic!("the result is no XML: {e}\n{}", mended.text));
    if let Some(again) = mend(&Arc::from(Path::new("a.xml")), &mended.text, &SETTINGS) {
        panic!("mended twice:\n{}\n{:?}", again.text, again.what);
    }
});
