//! `--schema`: libvirt's own schemas, through xmllint.
//!
//! xmllint gets copies of the texts in a folder of kvmnet's, under plain names, so that it reads what kvmnet read and its
//! words can be told apart. It says of a wrong domain little more than that it is wrong; where that is, is found out by
//! taking parts away ([`Suspect`]).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rayon::prelude::*;

use super::{All, Job};
use crate::lint::{Finding, Kind, Suspect, Trial, schema_finding};
use crate::problem::Problem;
use crate::report::findings::Unchecked;
use crate::sys::{exec, files, scratch};
use crate::xml::Doc;

/// Where libvirt's packages put the schemas.
const FOLDERS: &[&str] = &["/usr/share/libvirt/schemas", "/usr/local/share/libvirt/schemas"];

/// So many texts are judged by one xmllint.
const BATCH: usize = 200;

/// How many rounds there are at most: no part of a domain that a schema has an opinion about is deeper.
const DEPTH: usize = 12;

/// How long xmllint may take for a batch.
const PATIENCE: Duration = Duration::from_secs(120);

/// The schemas, and a folder to work in.
#[derive(Debug)]
pub(super) struct Schemas {
    folder: PathBuf,
    scratch: scratch::Folder,
}

impl Schemas {
    /// # Errors
    /// libvirt's schemas or xmllint aren't installed, or no folder can be made.
    pub(super) fn new() -> Result<Schemas> {
        let has = |folder: &&&str| files::mode(&Path::new(folder).join("domain.rng")).is_some();
        let folder = FOLDERS.iter().find(has).ok_or_else(|| {
            let what = format!("--schema: libvirt's schemas aren't installed (looked in {})", FOLDERS.join(", "));
            Problem::new(what, "install libvirt's schemas (Debian: libvirt-common, Fedora: libvirt-libs), or leave --schema out")
        })?;
        exec::heard(&["xmllint".into(), "--version".into()], PATIENCE).map_err(|e| {
            let help = "install xmllint (Debian: libxml2-utils, Fedora and openSUSE: libxml2), or leave --schema out";
            Problem::because(e, "--schema needs xmllint", help)
        })?;
        let scratch = scratch::Folder::new().context("--schema: cannot make a folder for xmllint")?;
        Ok(Schemas { folder: folder.into(), scratch })
    }

    /// What the schemas say of all files that were checked.
    pub(super) fn check(&self, paths: &[Arc<Path>], job: &Job<'_>, all: &mut All) {
        let of_batch = |(number, batch): (usize, &[Arc<Path>])| {
            let read = |path: &Arc<Path>| Some((path.clone(), job.text(path).ok()?));
            let texts: Vec<_> = batch.iter().filter_map(read).collect();
            let name = |kind: &str| format!("{number}-{kind}");
            let mut out = Vec::new();
            for (kind, schema) in [(Kind::Domain, "domain"), (Kind::Network, "network")] {
                let is_kind = |doc: &Doc<'_>| Kind::of(doc) == kind;
                let docs = texts.iter().filter_map(|(path, text)| Some((path, Doc::parse(text).ok()?)));
                let docs: Vec<_> = docs.filter(|(_, doc)| is_kind(doc)).collect();
                out.push(self.of_kind(&docs, schema, &name(schema), job));
            }
            out
        };
        let batches: Vec<_> = paths.par_chunks(BATCH).enumerate().flat_map(of_batch).collect();
        for (findings, unchecked) in batches {
            all.findings.extend(findings);
            // What can't be read was said already.
            all.unchecked.extend(unchecked);
        }
    }

    fn of_kind(
        &self,
        docs: &[(&Arc<Path>, Doc<'_>)],
        schema: &str,
        name: &str,
        job: &Job<'_>,
    ) -> (Vec<Finding>, Vec<Unchecked>) {
        let (mut findings, mut unchecked) = (Vec::new(), Vec::new());
        let docs: Vec<_> = docs
            .iter()
            .filter_map(|(path, doc)| {
                let settings = job.policies.of(path).ok()?.settings(path);
                settings.has_schema().then_some((*path, doc, settings))
            })
            .collect();
        let texts: Vec<&str> = docs.iter().map(|(_, doc, _)| doc.text()).collect();
        let judged = match self.judge(&texts, schema, name) {
            Ok(judged) => judged,
            Err(e) => {
                let why = crate::problem::message(&e);
                let cannot = docs
                    .iter()
                    .map(|(path, ..)| Unchecked { file: (*path).clone(), error: anyhow!("{why}") });
                return (findings, cannot.collect());
            }
        };
        // The parts under suspicion, each with the document that it is of.
        let mut suspects: Vec<(usize, Suspect)> = Vec::new();
        for (at, judged) in judged.iter().enumerate() {
            match judged {
                Judged::Valid => {}
                Judged::Invalid(_) => suspects.push((at, Suspect::all(docs[at].1))),
                Judged::Unread => {
                    let error = Problem::new(
                        "xmllint could not read it, though kvmnet could: libvirt won't either",
                        "'xmllint --noout FILE' says why (mostly: nested too deeply)",
                    );
                    unchecked.push(Unchecked { file: docs[at].0.clone(), error });
                }
            }
        }
        for round in 0..=DEPTH {
            let trials: Vec<Vec<Trial>> = suspects
                .iter()
                .map(|(at, suspect)| if round < DEPTH { suspect.trials(docs[*at].1) } else { Vec::new() })
                .collect();
            let mut verdicts = self.judge_all(&trials, schema, name).into_iter();
            let mut next = Vec::new();
            for ((at, suspect), trials) in suspects.into_iter().zip(trials) {
                let trials =
                    trials.into_iter().map(|trial| (trial, verdicts.next().unwrap_or(false))).collect();
                let mut deeper = Suspect::judged(trials);
                if deeper.is_empty() && suspect.is_all(docs[at].1) {
                    deeper = seen(docs[at].1, &judged[at]);
                }
                if deeper.is_empty() {
                    let (path, doc, settings) = &docs[at];
                    findings.extend(schema_finding(path, doc, &suspect, settings));
                }
                next.extend(deeper.into_iter().map(|suspect| (at, suspect)));
            }
            suspects = next;
            if suspects.is_empty() {
                break;
            }
        }
        (findings, unchecked)
    }

    /// The trials of all suspects, one after the other.
    fn judge_all(&self, trials: &[Vec<Trial>], schema: &str, name: &str) -> Vec<bool> {
        let texts: Vec<&str> = trials.iter().flatten().map(|trial| trial.text.as_str()).collect();
        let judged = texts.chunks(BATCH).map(|texts| match self.judge(texts, schema, name) {
            Ok(judged) => judged.into_iter().map(|judged| judged == Judged::Valid).collect(),
            Err(_) => vec![false; texts.len()],
        });
        judged.flat_map(Vec::into_iter).collect()
    }

    /// What the schema says of each of these texts.
    fn judge(&self, texts: &[&str], schema: &str, name: &str) -> Result<Vec<Judged>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let folder = self.scratch.path().join(name);
        let file = |number: usize| folder.join(format!("{number}.xml")).display().to_string();
        let files: Vec<String> = (0..texts.len()).map(file).collect();
        let pairs = files.iter().map(Path::new).zip(texts.iter().map(|text| text.as_bytes()));
        scratch::write(&folder, pairs).context("--schema: cannot write copies for xmllint")?;
        let schema = self.folder.join(format!("{schema}.rng")).display().to_string();
        let flags = ["xmllint", "--nonet", "--noout", "--relaxng", &schema].map(String::from);
        let argv: Vec<String> = flags.into_iter().chain(files.iter().cloned()).collect();
        let said = exec::heard(&argv, PATIENCE)?;
        let mut judged: HashMap<&str, Judged> = HashMap::new();
        let mut places = Vec::new();
        for line in said.lines() {
            if let Some(file) = line.strip_suffix(" validates") {
                judged.insert(file, Judged::Valid);
            } else if let Some(file) = line.strip_suffix(" fails to validate") {
                judged.insert(file, Judged::Invalid(std::mem::take(&mut places)));
            } else {
                places.extend(place(line));
            }
        }
        if judged.is_empty() && texts.len() > 1 {
            let last = said.lines().last().unwrap_or_default();
            return Err(anyhow!("--schema: xmllint doesn't use {schema}: {last}"));
        }
        Ok(files.iter().map(|file| judged.remove(file.as_str()).unwrap_or(Judged::Unread)).collect())
    }
}

/// What xmllint says of a text.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    /// It is as the schema wants it.
    Valid,
    /// It isn't: where xmllint noticed, as lines and elements.
    Invalid(Vec<(usize, String)>),
    /// It can't be read.
    Unread,
}

/// `x/7.xml:3: element memory: Relax-NG validity error : …`
fn place(line: &str) -> Option<(usize, String)> {
    let (before, said) = line.split_once(": Relax-NG validity error : ")?;
    // Said of an element because of what stands in another one.
    if said.ends_with("failed to validate content") {
        return None;
    }
    let (file, element) = before.rsplit_once(": element ")?;
    Some((file.rsplit_once(':')?.1.parse().ok()?, element.to_string()))
}

/// What xmllint itself noticed, of a document with several faults.
fn seen(doc: &Doc<'_>, judged: &Judged) -> Vec<Suspect> {
    let Judged::Invalid(places) = judged else { return Vec::new() };
    let mut places = places.clone();
    places.dedup();
    places.iter().filter_map(|(line, name)| Suspect::at(doc, *line, name, &places)).collect()
}
