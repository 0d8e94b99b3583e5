//! Which files are meant: those that were named, and those that end in `.xml` in folders that were.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::policies::Policies;
use crate::problem::{Problem, escaped};
use crate::report::findings::Unchecked;
use crate::sys::{files, folders};

/// The files, sorted and each of them once, and what couldn't be looked into.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<Arc<Path>>,
    /// The folders of which some files were named, and others that would be checked weren't.
    partial: HashSet<PathBuf>,
    pub(super) unchecked: Vec<Unchecked>,
    /// What was asked for, and had nothing to check in it by the policy's own word.
    pub(super) notes: Vec<String>,
}

/// Gathers what was named. Of folders: hidden ones and links to others aren't entered (a link to a folder above would
/// never end), and what the policy excludes is left out.
pub(super) fn gather(paths: &[PathBuf], policies: &Policies) -> Gathered {
    let mut found = Files { policies, files: HashMap::new() };
    let mut out = Gathered::default();
    let mut of_named = BTreeSet::new();
    for path in paths {
        let kind = files::kind(path);
        if path == Path::new("-") || !kind.is_folder {
            found.add(path.clone(), kind.is_link);
            of_named.extend(path.parent());
            continue;
        }
        let (mut taken, mut excluded, unseen) = (0, 0, out.unchecked.len());
        for file in folders::files(path, "xml") {
            match file {
                Ok((file, _)) if policies.of(&file).is_ok_and(|policy| policy.excludes(&file)) => {
                    excluded += 1;
                }
                Ok((file, is_link)) => {
                    taken += 1;
                    found.add(file, is_link);
                }
                Err((path, e)) => {
                    let error = anyhow!(e).context("cannot look into it");
                    out.unchecked.push(Unchecked { file: Arc::from(path), error });
                }
            }
        }
        // Whoever checks a folder wants something checked: an empty one is most likely the wrong one.
        if taken == 0 && excluded == 0 && unseen == out.unchecked.len() {
            let help = "name the folder that has some, or files by their own names";
            let error = Problem::new("there is no file in it that ends in .xml", help);
            out.unchecked.push(Unchecked { file: Arc::from(path.as_path()), error });
        } else if taken == 0 && excluded > 0 {
            out.notes.push(format!("{}: the policy excludes all that is in it", escaped(path)));
        }
    }
    out.files = found.files.into_values().map(|(path, _)| path).collect();
    out.files.sort();
    let taken: HashSet<&Path> = out.files.iter().map(|file| &**file).collect();
    for folder in of_named {
        let is_missing = |file: &PathBuf| {
            !taken.contains(file.as_path()) && !policies.of(file).is_ok_and(|policy| policy.excludes(file))
        };
        if folders::own_files(folder, "xml").iter().any(is_missing) {
            out.partial.insert(folder.to_path_buf());
        }
    }
    out
}

impl Gathered {
    /// Are there others in the folder of a file that weren't named?
    pub(super) fn is_partial(&self, file: &Path) -> bool {
        !self.partial.is_empty() && file.parent().is_some_and(|folder| self.partial.contains(folder))
    }
}

/// The files so far, each once in its set: under its own name, or that of the first link to it.
struct Files<'a> {
    policies: &'a Policies,
    /// By set and path without links; with whether it is a link that stands for it.
    files: HashMap<(PathBuf, PathBuf), (Arc<Path>, bool)>,
}

impl Files<'_> {
    fn add(&mut self, path: PathBuf, is_link: bool) {
        let key = match self.policies.of(&path) {
            _ if path == Path::new("-") => (PathBuf::new(), path.clone()),
            Ok(folder) => {
                let own = if is_link { files::absolute(&path).ok() } else { None };
                (folder.set_of(&path), own.unwrap_or_else(|| folder.real(&path)))
            }
            Err(_) => (PathBuf::new(), path.clone()),
        };
        match self.files.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert((Arc::from(path), is_link))),
            Entry::Occupied(mut entry) if entry.get().1 && !is_link => {
                entry.insert((Arc::from(path), false));
            }
            Entry::Occupied(_) => {}
        }
    }
}
