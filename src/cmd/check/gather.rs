//! Which files are meant: those that were named, and those that end in `.xml` in folders that were.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::policies::Policies;
use crate::report::findings::Unchecked;
use crate::sys::folders;

/// The files, sorted and each of them once, and what couldn't be looked into.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<Arc<Path>>,
    /// The folders of which some files were named, and others that would be checked weren't.
    partial: HashSet<PathBuf>,
    pub(super) unchecked: Vec<Unchecked>,
}

/// Gathers what was named. Of folders: hidden ones and links to others aren't entered (a link to a folder above would
/// never end), and what the policy excludes is left out.
pub(super) fn gather(paths: &[PathBuf], policies: &Policies) -> Gathered {
    let mut files: BTreeSet<Arc<Path>> = BTreeSet::new();
    let mut out = Gathered::default();
    let mut of_named = BTreeSet::new();
    for path in paths {
        if path == Path::new("-") || !crate::sys::files::is_folder(path) {
            files.insert(Arc::from(path.as_path()));
            of_named.extend(path.parent());
            continue;
        }
        for found in folders::files(path, "xml") {
            match found {
                Ok(file) => {
                    if !policies.of(&file).is_ok_and(|policy| policy.excludes(&file)) {
                        files.insert(Arc::from(file));
                    }
                }
                Err((path, e)) => {
                    out.unchecked.push(Unchecked {
                        file: Arc::from(path),
                        error: anyhow!(e).context("cannot look into it"),
                    });
                }
            }
        }
    }
    for folder in of_named {
        let is_missing = |file: &PathBuf| {
            !files.contains(file.as_path()) && !policies.of(file).is_ok_and(|policy| policy.excludes(file))
        };
        if folders::own_files(folder, "xml").iter().any(is_missing) {
            out.partial.insert(folder.to_path_buf());
        }
    }
    out.files = files.into_iter().collect();
    out
}

impl Gathered {
    /// Are there others in the folder of a file that weren't named?
    pub(super) fn is_partial(&self, file: &Path) -> bool {
        !self.partial.is_empty() && file.parent().is_some_and(|folder| self.partial.contains(folder))
    }
}
