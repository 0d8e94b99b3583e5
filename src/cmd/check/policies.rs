//! The policy of each file: `kvmnet.toml` in its folder, or in the nearest folder above.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};

use crate::lint::{Choice, Policy, Settings};
use crate::problem::{escaped, message};
use crate::sys::files;

/// The name of a policy's file.
const NAME: &str = "kvmnet.toml";

/// All policies, each read once.
#[derive(Debug)]
pub(super) struct Policies {
    typed: Choice,
    /// The one for all files, and its folder.
    named: Option<(Arc<Ready>, PathBuf)>,
    /// What goes for the files of each folder, or why its policy can't be read.
    found: Mutex<HashMap<PathBuf, Result<Arc<Folder>, String>>>,
}

/// A policy with the settings that follow from it.
#[derive(Debug)]
struct Ready {
    policy: Policy,
    typed: Choice,
    /// By the overrides that go for a file.
    settings: Mutex<HashMap<Vec<usize>, Arc<Settings>>>,
}

/// A folder, and the policy for the files in it.
#[derive(Debug)]
pub(super) struct Folder {
    ready: Arc<Ready>,
    /// The policy's own folder, which tells apart sets of the same name.
    of: PathBuf,
    /// Where the folder is, from the policy's folder on.
    inside: PathBuf,
}

impl Policies {
    /// With one policy for all files, or those that are found; and what was typed.
    ///
    /// # Errors
    /// The one for all files can't be read, or says what no policy can.
    pub(super) fn new(named: Option<&Path>, typed: Choice) -> Result<Policies> {
        let read = |path: &Path| -> Result<(Arc<Ready>, PathBuf)> {
            let ready = Ready::read(path, &typed)?;
            let path = files::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            Ok((Arc::new(ready), path.parent().map(Path::to_path_buf).unwrap_or_default()))
        };
        let named = named.map(read).transpose()?;
        Ok(Policies { typed, named, found: Mutex::default() })
    }

    /// What goes for the files of the folder that a file is in.
    ///
    /// # Errors
    /// Its policy can't be read, or says what no policy can.
    pub(super) fn of(&self, file: &Path) -> Result<Arc<Folder>> {
        // Standard input is in the folder where kvmnet runs.
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(folder) {
            return found.clone().map_err(anyhow::Error::msg);
        }
        let real = files::absolute(if folder == Path::new("") { Path::new(".") } else { folder });
        let real = real.unwrap_or_else(|_| folder.to_path_buf());
        let found = self.search(&real, &all).map_err(|e| message(&e));
        all.insert(folder.to_path_buf(), found.clone());
        // The next folder to be asked for is mostly below this one.
        if real != folder {
            all.insert(real, found.clone());
        }
        found.map_err(anyhow::Error::msg)
    }

    fn search(
        &self,
        real: &Path,
        known: &HashMap<PathBuf, Result<Arc<Folder>, String>>,
    ) -> Result<Arc<Folder>> {
        let at = |ready: &Arc<Ready>, of: &Path| {
            let inside = real.strip_prefix(of).unwrap_or(real).to_path_buf();
            Arc::new(Folder { ready: ready.clone(), of: of.to_path_buf(), inside })
        };
        if let Some((ready, of)) = &self.named {
            return Ok(at(ready, of));
        }
        for folder in real.ancestors() {
            match known.get(folder) {
                Some(Ok(found)) => return Ok(at(&found.ready, &found.of)),
                Some(Err(e)) => return Err(anyhow!("{e}")),
                None => {}
            }
            let path = folder.join(NAME);
            if files::mode(&path).is_some() {
                return Ok(at(&Arc::new(Ready::read(&path, &self.typed)?), folder));
            }
        }
        Ok(at(&Arc::new(Ready::new(Policy::default(), &self.typed)), Path::new("/")))
    }
}

impl Ready {
    fn new(policy: Policy, typed: &Choice) -> Ready {
        Ready { policy, typed: typed.clone(), settings: Mutex::default() }
    }

    fn read(path: &Path, typed: &Choice) -> Result<Ready> {
        let read = || -> Result<Policy> {
            let bytes = files::read(path).context("cannot read it")?;
            let text = String::from_utf8(bytes).map_err(|_| anyhow!("it isn't UTF-8"))?;
            Ok(Policy::read(&text)?)
        };
        Ok(Ready::new(read().with_context(|| format!("policy {}", escaped(path)))?, typed))
    }
}

impl Folder {
    /// What is checked in a file of it.
    pub(super) fn settings(&self, file: &Path) -> Arc<Settings> {
        let Ready { policy, typed, settings } = &*self.ready;
        let overrides = policy.overrides_of(&self.inside(file));
        let mut settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = settings.get(&overrides) {
            return settings.clone();
        }
        let new = Arc::new(Settings::new(policy, &overrides, typed));
        settings.insert(overrides, new.clone());
        new
    }

    /// Is a file of it left out?
    pub(super) fn excludes(&self, file: &Path) -> bool {
        self.ready.policy.excludes(&self.inside(file))
    }

    /// The set that a file of it belongs to: the same path for all files of the set.
    pub(super) fn set_of(&self, file: &Path) -> PathBuf {
        match self.ready.policy.set_of(&self.inside(file)) {
            set if set == Path::new("") => set,
            set => self.of.join(set),
        }
    }

    fn inside(&self, file: &Path) -> PathBuf {
        self.inside.join(file.file_name().unwrap_or_default())
    }
}
