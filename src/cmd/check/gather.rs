//! Which files are meant: those that were named, and those that end in `.xml` in folders that were.

use std::collections::BTreeSet;
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
    pub(super) unchecked: Vec<Unchecked>,
}

/// Gathers what was named. Of folders: hidden ones and links to others aren't entered (a link to a folder above would
/// never end), and what the policy excludes is left out.
pub(super) fn gather(paths: &[PathBuf], policies: &Policies) -> Gathered {
    let mut files: BTreeSet<Arc<Path>> = BTreeSet::new();
    let mut out = Gathered::default();
    for path in paths {
        if path == Path::new("-") || !crate::sys::files::is_folder(path) {
            files.insert(Arc::from(path.as_path()));
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
    out.files = files.into_iter().collect();
    out
}
