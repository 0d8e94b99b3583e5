//! `kvmnet convert --file`: the same on XML files, without libvirt.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use rayon::prelude::*;
use serde_json::json;

use super::Context;
use super::convert::{Meant, command, describe, refused, with_value};
use super::walk::{Walk, walk};
use crate::cli::Convert;
use crate::convert::{Facts, Landing, Networks, Request, Target, convert, meaning};
use crate::model::{Code, DirectMode, Network, Warning};
use crate::plan::{Change, Place, State, Step, Subject, World};
use crate::problem::{Problem, escaped};
use crate::sys::files;
use crate::xml::{Doc, behind_masks, diff, diff_of_edits, file_label, masked, masks};

/// Files this many at a time, so that progress can be shown in between.
const BATCH: usize = 4096;

/// Converts files, or standard input.
pub(super) fn run(args: &Convert, request: &Request, context: &mut Context) -> Result<u8> {
    let networks = networks(&args.network_xml)?;
    let job = Job { args, request, networks: &networks, is_json: context.is_json() };
    let is_filter = args.file[0] == Path::new("-");
    if is_filter {
        return filter(&job, context);
    }
    let mut paths: Vec<&PathBuf> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    paths.extend(args.file.iter().filter(|path| seen.insert(path.as_path())));
    let writes = args.in_place || args.output_dir.is_some();
    let mut changes = Vec::with_capacity(paths.len());
    for batch in paths.chunks(BATCH) {
        // A single file isn't worth a second thread.
        if let [path] = batch {
            changes.push(job.file(path));
        } else {
            changes.par_extend(batch.par_iter().map(|path| job.file(path)));
        }
        context.screen.tick(changes.len(), paths.len());
    }
    if writes {
        refuse_same_place_twice(&mut changes, args.output_dir.is_some());
    }
    let mut options = Walk::new(&args.consent);
    options.force = args.force;
    options.preview_only |= !writes;
    // Writing where nothing stands takes nothing from anybody.
    options.yes |=
        changes.iter().filter(|c| c.is_planned()).all(|c| c.steps.iter().all(|s| s.before.is_none()));
    walk(changes, &options, &World::default(), context)?.report(&options, context)
}

/// Standard input to standard output.
fn filter(job: &Job<'_>, context: &mut Context) -> Result<u8> {
    let bytes = files::read(Path::new("-")).context("cannot read standard input")?;
    let mut new = None;
    let mut change = match job.plan(Path::new("standard input"), &bytes) {
        Ok((change, text)) => {
            new = Some(text);
            change
        }
        Err(e) => Change::failed(Subject::File("standard input".into()), e),
    };
    if let (true, Some(new)) = (context.is_json(), &new) {
        change.detail.insert("xml".into(), json!(new));
    } else {
        context.screen.preview_to_stderr();
    }
    let mut options = Walk::new(&job.args.consent);
    options.force = job.args.force;
    options.preview_only = true;
    let walked = walk(vec![change], &options, &World::default(), context)?;
    if let (Some(new), false, false) = (new, context.is_json(), job.args.consent.dry_run)
        && walked.changes.iter().all(|c| c.error().is_none())
    {
        let mut out = io::stdout().lock();
        out.write_all(new.as_bytes()).and_then(|()| out.flush()).map_err(|e| match e.kind() {
            io::ErrorKind::BrokenPipe => anyhow::Error::new(e),
            _ => anyhow!("cannot write the new XML to standard output: {e}"),
        })?;
    }
    walked.report(&options, context)
}

/// What all files have in common.
struct Job<'a> {
    args: &'a Convert,
    request: &'a Request,
    networks: &'a Networks,
    is_json: bool,
}

impl Job<'_> {
    fn file(&self, path: &Path) -> Change {
        self.planned(path).unwrap_or_else(|e| Change::failed(Subject::File(path.to_path_buf()), e))
    }

    fn planned(&self, path: &Path) -> Result<Change> {
        let bytes = files::read(path).context("cannot read it")?;
        let (mut change, new) = self.plan(path, &bytes)?;
        if !change.is_planned() {
            return Ok(change);
        }
        let place = match (&self.args.output_dir, self.args.in_place) {
            (Some(dir), _) => {
                let name = path.file_name().ok_or_else(|| anyhow!("its path has no file name"))?;
                let dir = dir.canonicalize_or_say()?;
                let target = dir.join(name);
                if files::absolute(path).is_ok_and(|own| own == target) {
                    let help = "--in-place rewrites a file, --output-dir writes into another folder";
                    return Err(Problem::new("--output-dir is the folder it stands in", help));
                }
                target
            }
            (None, true) => {
                let own = files::absolute(path).context("cannot find it")?;
                if let Some(warning) = is_libvirts_own(&own, &change) {
                    change.warnings.push(warning);
                }
                own
            }
            (None, false) => return Ok(change),
        };
        let before = match self.args.in_place {
            true => Some(String::from_utf8(bytes)?),
            false => Place::File { path: place.clone(), mode: None }.read(&World::default())?,
        };
        if before.as_deref() == Some(new.as_str()) {
            change.state = State::Unchanged;
            change.remarks = vec![format!("{} holds the result already", escaped(&place))];
            return Ok(change);
        }
        if let Some(dir) = &self.args.output_dir {
            let written = dir.join(path.file_name().unwrap_or_default());
            change.detail.insert("written".into(), json!(written.display().to_string()));
            // What is written is shown as what it is written over.
            let name = written.display().to_string();
            change.written = Some(Subject::File(written));
            change.diff = match &before {
                Some(old) => {
                    let name = file_label(&name, "");
                    diff(&name, &masked(old), &name, &masked(&new))
                }
                None => {
                    let own = file_label(&path.display().to_string(), "");
                    let new = file_label(&name, "(new)");
                    change.diff.replacen(&format!("\n+++ {own}\n"), &format!("\n+++ {new}\n"), 1)
                }
            };
        }
        let place = Place::File { path: place, mode: files::mode(path) };
        change.steps.push(Step { place, before, after: Some(new) });
        Ok(change)
    }

    /// The change of one file's text, without its steps, and the new text.
    fn plan(&self, path: &Path, bytes: &[u8]) -> Result<(Change, String)> {
        let meant = if self.is_filter() { Meant::Stdin } else { Meant::File(path) };
        let command = || command(self.args, None, meant);
        let fail = |e: crate::xml::ReadError| refused(e.into(), Some(path), &command());
        let text = Doc::decode(bytes).map_err(fail)?;
        let doc = Doc::parse(text).map_err(fail)?;
        let facts =
            Facts { networks: self.networks, landing: self.landing(), online: false, live: Vec::new() };
        let mut conversion = convert(&doc, self.request, &facts)
            .map_err(|refusal| refused(refusal, Some(path), &command()))?;
        if let Some((message, help)) = conversion.barred.take() {
            return Err(Problem::new(message, help));
        }
        let mut change = Change::new(Subject::File(path.to_path_buf()));
        change.detail.insert("domain".into(), json!(conversion.name));
        change.detail.insert("uuid".into(), json!(conversion.uuid));
        let mut new = String::new();
        if !conversion.moves.is_empty() {
            change.state = State::Planned;
            change.meaning = meaning(&conversion, &self.request.target, &facts);
            change.warnings.extend(self.target_warning());
            let masks = masks(&doc);
            let name = file_label(&path.display().to_string(), "");
            change.diff = if masks.is_empty() {
                diff_of_edits(&name, &name, text, &conversion.edits)
            } else {
                diff_of_edits(&name, &name, &masks.apply(text), &behind_masks(&conversion.edits, &masks))
            };
        }
        if self.needs_text() || conversion.moves.is_empty() {
            new = conversion.edits.apply(text);
        }
        describe(&mut change, &conversion, self.is_json);
        Ok((change, new))
    }

    /// Is the new text wanted, or only what it would look like?
    fn needs_text(&self) -> bool {
        self.args.in_place || self.args.output_dir.is_some() || self.is_filter()
    }

    fn is_filter(&self) -> bool {
        self.args.file[0] == Path::new("-")
    }

    fn landing(&self) -> Landing {
        match &self.request.target {
            Target::Bridge(bridge) => {
                // A network that hands guests to this bridge says what kind it is.
                let through = self.networks.iter().find(|n| n.bridge.as_deref() == Some(bridge.as_str()));
                match through.map(Landing::of_network) {
                    Some(Landing::OpenVSwitch) => Landing::OpenVSwitch,
                    _ => Landing::UnknownBridge,
                }
            }
            Target::Network { name, .. } => {
                self.networks.get(name).map_or(Landing::UnknownNetwork, Landing::of_network)
            }
            Target::Direct { mode, .. } => {
                Landing::Macvtap { is_passthrough: *mode == DirectMode::Passthrough }
            }
        }
    }

    fn target_warning(&self) -> Option<Warning> {
        let Target::Network { name, portgroup: Some(group) } = &self.request.target else { return None };
        let network = self.networks.get(name)?;
        let what = format!("network '{name}' has no portgroup '{group}'; libvirt would silently ignore it");
        network.portgroup(Some(group)).is_none().then(|| Warning::stop(Code::TargetPortgroupMissing, what))
    }
}

/// libvirt doesn't look at its own files again before it starts anew, and overwrites them.
fn is_libvirts_own(path: &Path, change: &Change) -> Option<Warning> {
    let text = path.to_string_lossy();
    let its =
        ["/etc/libvirt/", "/run/libvirt/", "/var/lib/libvirt/qemu/"].iter().any(|dir| text.starts_with(dir))
            || text.contains("/.config/libvirt/");
    let name = change.detail.get("domain").and_then(|d| d.as_str()).unwrap_or("GUEST");
    its.then(|| {
        let what = format!(
            "it is libvirt's own file: libvirt wouldn't notice, and would write over it; 'kvmnet convert {name} …' changes \
             the guest itself"
        );
        Warning::stop(Code::LibvirtsFile, what)
    })
}

/// Two inputs of the same name can't both go into one folder (`differ`); a file named twice is rewritten once.
fn refuse_same_place_twice(changes: &mut [Change], differ: bool) {
    let mut first: BTreeMap<PathBuf, String> = BTreeMap::new();
    for change in changes.iter_mut().filter(|c| c.is_planned()) {
        for step in &change.steps {
            let Place::File { path, .. } = &step.place else { continue };
            let what = change.subject.to_string();
            if let (Some(other), true) = (first.get(path), step.before.is_some() && !differ) {
                change.remarks = vec![format!("it is {other} once more")];
                change.state = State::Unchanged;
                break;
            }
            if let Some(other) = first.insert(path.clone(), what) {
                let message = format!("{} would be written twice, for {other} too", escaped(path));
                // It won't be, so there is nothing to show of it.
                change.detail.remove("written");
                *change = Change {
                    detail: std::mem::take(&mut change.detail),
                    ..Change::new(change.subject.clone())
                };
                change.state =
                    State::Failed(Problem::new(message, "convert one of them in a run of its own"));
                break;
            }
        }
    }
}

/// Reads the definitions given with `--network-xml`.
fn networks(paths: &[PathBuf]) -> Result<Networks> {
    let mut networks: Vec<Network> = Vec::new();
    for path in paths {
        let read = || -> Result<Network> {
            let bytes = files::read(path)?;
            Ok(Network::read(&Doc::parse(Doc::decode(&bytes)?)?)?)
        };
        let network = read().with_context(|| format!("--network-xml {}", escaped(path)))?;
        if networks.iter().any(|n| n.name == network.name) {
            return Err(Problem::new(
                format!("--network-xml {}: network '{}' is defined twice", escaped(path), network.name),
                "name only one definition of each network",
            ));
        }
        networks.push(network);
    }
    Ok(Networks::new(networks, false))
}

/// A folder to write into.
trait Folder {
    fn canonicalize_or_say(&self) -> Result<PathBuf>;
}

impl Folder for PathBuf {
    fn canonicalize_or_say(&self) -> Result<PathBuf> {
        let no_folder = || {
            let what = format!("--output-dir {}: there is no such folder", escaped(self));
            Problem::new(what, with_value("mkdir", self, " -- "))
        };
        let dir = files::absolute(self).map_err(|_| no_folder())?;
        if files::is_folder(&dir) {
            return Ok(dir);
        }
        match files::mode(&dir) {
            None => Err(no_folder()),
            Some(_) => {
                Err(Problem::new(format!("--output-dir {}: it is no folder", escaped(self)), "name a folder"))
            }
        }
    }
}
