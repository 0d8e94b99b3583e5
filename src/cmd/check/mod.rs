//! `kvmnet check`: findings about files.
//!
//! The files are gathered and sorted first (`gather`), then read and checked in parallel, a batch at a time; only findings and
//! what files add to their set stay in memory. Policies are looked for upwards from each folder, once per folder
//! (`policies`).

mod explain;
mod fix;
mod gather;
mod policies;
mod schema;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, anyhow};
use rayon::prelude::*;

use super::Context;
use crate::cli::{Check, Deny, FindingsFormat, Format};
use crate::lint::{
    Choice, Extent, Facts, Finding, Rule, Severity, check_file, check_set, guessed_hosts, place, rule,
};
use crate::problem::{Problem, escaped};
use crate::report::findings::{self, Summary, Unchecked};
use crate::sys::files;
use crate::xml::Doc;

use fix::Fixed;
use gather::Gathered;
use policies::{Broken, Policies};
use schema::Schemas;

/// Files this many at a time, so that progress can be shown in between.
const BATCH: usize = 2048;

/// The largest file that is looked at, in bytes. libvirt takes no definition of more than 4 MiB (`REMOTE_STRING_MAX` in its
/// `src/remote/remote_protocol.x`), virsh reads none of more than 10 (`VSH_MAX_XML_FILE` in `tools/vsh.h`).
const LARGEST: u64 = 16 << 20;

/// Checks files, or tells about rules.
pub(super) fn run(args: &Check, context: &mut Context) -> Result<u8> {
    let format = match (args.format, context.is_json()) {
        (None, true) => FindingsFormat::Json,
        (Some(FindingsFormat::Json) | None, false) | (Some(FindingsFormat::Json), true) => {
            args.format.unwrap_or(FindingsFormat::Human)
        }
        (Some(format), false) => format,
        (Some(_), true) => {
            let help = "-o json means --format json; leave one of them out";
            return Err(Problem::new("-o json and --format say different things", help));
        }
    };
    if format == FindingsFormat::Json {
        context.global.output = Format::Json;
    }
    if let Some(code) = &args.explain {
        return explain::explain(named(code)?, format);
    }
    if args.list_rules {
        return explain::list(format);
    }
    let typed = typed(args)?;
    fix::refuse(args)?;
    let policies = Policies::new(args.policy.as_deref(), typed)?;
    let schemas = args.schema.then(schema::Schemas::new).transpose()?;
    let job = Job { policies: &policies, schemas, stdin: OnceLock::new() };
    let mut checked = job.all(args, context);
    let fixed = args.fix.then(|| fix::fix(args, format, &job, &checked, context)).transpose()?;
    if fixed.as_ref().is_some_and(Fixed::has_written) {
        checked = job.all(args, context);
    }
    let is_denied =
        |finding: &Finding| finding.severity == Severity::Error || args.deny == Some(Deny::Warnings);
    let code = match &checked {
        checked if !checked.unchecked.is_empty() => 2,
        checked => u8::from(checked.findings.iter().any(is_denied)),
    };
    print(&checked, fixed.as_ref(), format, &is_denied, &policies, context)?;
    Ok(fixed.map_or(code, |fixed| fixed.code.max(code)))
}

/// Prints what was found.
fn print(
    checked: &All,
    fixed: Option<&Fixed>,
    format: FindingsFormat,
    is_denied: &dyn Fn(&Finding) -> bool,
    policies: &Policies,
    context: &Context,
) -> Result<()> {
    let All { findings, unchecked, .. } = checked;
    let unread: HashSet<&Path> = unchecked.iter().map(|unchecked| &*unchecked.file).collect();
    let looked_at = checked.looked_at();
    let read = looked_at.iter().filter(|file| !unread.contains(&***file)).count();
    let mut summary = Summary::of(read, findings, unchecked);
    // A policy that can't be used stands for all of its files.
    summary.unchecked += checked.broken.values().map(|(_, files)| files.len() - 1).sum::<usize>();
    summary.hosts = checked.hosts.len();
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let written = match format {
        FindingsFormat::Human => findings::human(&mut out, findings, &summary, context.screen.out_paint()),
        FindingsFormat::Json => {
            let changes = fixed.map(|fixed| crate::report::json::changes(&fixed.changes)["changes"].take());
            findings::json(&mut out, findings, unchecked, &summary, changes)
        }
        FindingsFormat::Sarif => findings::sarif(&mut out, findings, unchecked),
        FindingsFormat::Junit => findings::junit(&mut out, &looked_at, findings, unchecked, is_denied),
        FindingsFormat::Github => findings::github(&mut out, findings, unchecked, &summary),
    };
    written.and_then(|()| out.flush()).map_err(|e| match e.kind() {
        io::ErrorKind::BrokenPipe => anyhow::Error::new(e),
        _ => anyhow!("cannot print what was found: {e}"),
    })?;
    for note in &checked.notes {
        context.screen.say(note);
    }
    if context.global.verbose > 0 {
        for unused in policies.unused_sets(&checked.files) {
            context.screen.detail(&format!("kvmnet: {unused}"));
        }
    }
    for folder in &checked.hosts {
        context.screen.detail(&format!("kvmnet: {} is taken to be for one host", escaped(folder)));
    }
    for unchecked in unchecked {
        context.screen.error(&unchecked.to_string());
    }
    if matches!(format, FindingsFormat::Sarif | FindingsFormat::Junit) {
        // The document goes into a file, mostly.
        context.screen.say(&format!("kvmnet: {summary}"));
    }
    Ok(())
}

/// What was typed about rules.
fn typed(args: &Check) -> Result<Choice> {
    let codes = |words: &[String], flag: &str| -> Result<Vec<&'static str>> {
        let all = words.iter().map(|word| codes(word).with_context(|| format!("{flag} {word}")));
        Ok(all.collect::<Result<Vec<_>>>()?.concat())
    };
    let select = codes(&args.select, "--select")?;
    Ok(Choice {
        select: (!args.select.is_empty()).then_some(select),
        ignore: codes(&args.ignore, "--ignore")?,
        severity: BTreeMap::new(),
    })
}

/// The rules that a word means: a code, or how codes begin.
fn codes(word: &str) -> Result<Vec<&'static str>> {
    crate::lint::codes(word).map_err(|near| unknown_rule(word, near))
}

fn named(code: &str) -> Result<&'static Rule> {
    rule(code).ok_or_else(|| unknown_rule(code, crate::lint::nearest(code)))
}

fn unknown_rule(word: &str, near: Option<&str>) -> anyhow::Error {
    let help = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "'kvmnet check --list-rules' shows them all".into(),
    };
    Problem::new(format!("there is no rule '{}'", word.escape_debug()), help)
}

/// What came of all files.
#[derive(Debug, Default)]
struct All {
    /// The files that were looked at, in order.
    files: Vec<Arc<Path>>,
    findings: Vec<Finding>,
    /// What they add to their sets, by set.
    facts: BTreeMap<PathBuf, Vec<Facts>>,
    /// The sets of which something is missing: a file that can't be read, or wasn't named.
    partial: BTreeSet<PathBuf>,
    unchecked: Vec<Unchecked>,
    /// Policies that can't be used, with the files that they are for.
    broken: BTreeMap<Arc<Path>, (Broken, BTreeSet<Arc<Path>>)>,
    notes: Vec<String>,
    /// The folders that were taken to be a host's each.
    hosts: Vec<PathBuf>,
}

impl All {
    /// The files, but for those whose policy can't be used.
    fn looked_at(&self) -> Vec<Arc<Path>> {
        let is_missed = |file: &Arc<Path>| self.broken.values().any(|(_, files)| files.contains(file));
        self.files.iter().filter(|file| !is_missed(file)).cloned().collect()
    }

    /// A file wasn't checked.
    fn missed(&mut self, file: Arc<Path>, error: anyhow::Error) {
        match error.downcast::<Broken>() {
            Ok(broken) => {
                let (_, files) =
                    self.broken.entry(broken.policy.clone()).or_insert((broken, BTreeSet::new()));
                files.insert(file);
            }
            Err(error) => self.unchecked.push(Unchecked { file, error }),
        }
    }

    /// Looks at the sets, and puts everything into its order.
    fn finish(&mut self, job: &Job<'_>) {
        // Said once, not once for each file.
        for (policy, (broken, _)) in &self.broken {
            self.unchecked.push(Unchecked { file: policy.clone(), error: broken.error() });
        }
        // What is in no set may be for every one of them, and use what is in any.
        let in_none = Path::new("");
        let all = std::mem::take(&mut self.facts);
        let of = |is_in_set: bool| -> Vec<&[Facts]> {
            let of = all.iter().filter(|(set, _)| (*set != in_none) == is_in_set);
            of.map(|(_, facts)| facts.as_slice()).collect()
        };
        let (common, others) = (of(false), of(true));
        for (set, facts) in &all {
            let is_declared = set != in_none;
            let is_missing = if is_declared {
                self.partial.contains(set) || self.partial.contains(in_none)
            } else {
                !self.partial.is_empty()
            };
            let extent = Extent { is_declared, is_whole: self.unchecked.is_empty() && !is_missing };
            if !is_declared {
                self.hosts = guessed_hosts(facts).into_iter().map(Path::to_path_buf).collect();
            }
            let beside = if is_declared { &common } else { &others };
            let pointed_at = facts.iter().chain(beside.iter().copied().flatten());
            let placed = place(check_set(facts, beside, extent), pointed_at, |file| job.bytes(file));
            self.findings.extend(placed.findings);
            self.unchecked.extend(placed.lost.into_iter().map(|(file, error)| Unchecked { file, error }));
        }
        self.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        self.unchecked.sort_by(|a, b| a.file.cmp(&b.file));
    }
}

/// What all files have in common.
struct Job<'a> {
    policies: &'a Policies,
    /// libvirt's schemas, if they are asked for.
    schemas: Option<Schemas>,
    /// Standard input, which can be read once.
    stdin: OnceLock<Vec<u8>>,
}

impl Job<'_> {
    /// Checks all that was named.
    fn all(&self, args: &Check, context: &mut Context) -> All {
        let gathered = gather::gather(&args.paths, self.policies);
        let mut all = self.check(&gathered, context);
        if let Some(schemas) = &self.schemas {
            schemas.check(&gathered.files, self, &mut all);
        }
        all.files = gathered.files;
        all.unchecked.extend(gathered.unchecked);
        all.notes = gathered.notes;
        all.finish(self);
        all
    }

    /// What stands in a file.
    fn bytes(&self, path: &Path) -> Result<Cow<'_, [u8]>> {
        let read = || files::read_up_to(path, LARGEST).context("cannot read it");
        if path != Path::new("-") {
            return read().map(Cow::Owned);
        }
        if let Some(bytes) = self.stdin.get() {
            return Ok(Cow::Borrowed(bytes));
        }
        let bytes = read()?;
        Ok(Cow::Borrowed(self.stdin.get_or_init(|| bytes)))
    }

    /// The same as text.
    fn text(&self, path: &Path) -> Result<String> {
        Ok(Doc::decode(&self.bytes(path)?)?.to_string())
    }

    /// Reads and checks files.
    fn check(&self, gathered: &Gathered, context: &mut Context) -> All {
        let paths = &gathered.files;
        let mut all = All::default();
        for (batch, number) in paths.chunks(BATCH).zip(1..) {
            let each = |path: &Arc<Path>| (path.clone(), self.file(path));
            let checked: Vec<_> = match batch {
                // A single file isn't worth a second thread.
                [path] => vec![each(path)],
                batch => batch.par_iter().with_min_len(16).map(each).collect(),
            };
            for (path, checked) in checked {
                match checked {
                    Ok((set, mut checked)) => {
                        all.findings.append(&mut checked.findings);
                        if checked.is_lost || gathered.is_partial(&path) {
                            all.partial.insert(set.clone());
                        }
                        if let Some(facts) = checked.facts {
                            all.facts.entry(set).or_default().push(facts);
                        }
                    }
                    Err(error) => all.missed(path, error),
                }
            }
            context.screen.tick((number * BATCH).min(paths.len()), paths.len());
        }
        all
    }

    fn file(&self, path: &Arc<Path>) -> Result<(PathBuf, crate::lint::Checked)> {
        let policy = self.policies.of(path)?;
        let bytes = self.bytes(path)?;
        let checked = check_file(path, &bytes, &policy.settings(path))?;
        Ok((policy.set_of(path), checked))
    }
}
