//! The policy of each file: `kvmnet.toml` in its folder, or in the nearest folder above.
//!
//! A file is where its name stands: of a link, that is the link's folder. Folders count by what they really are, so that
//! links and `..` on the way to them change nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};

use crate::lint::{Choice, Policy, Settings};
use crate::problem::{Problem, escaped, help, message};
use crate::sys::files;

/// The name of a policy's file.
const NAME: &str = "kvmnet.toml";

/// The largest policy that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A policy that can't be used: nothing can be said about the files that it is for.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    /// Its path, for messages.
    pub(super) policy: Arc<Path>,
    why: String,
    help: Option<String>,
}

impl Broken {
    /// The error, for a message that names the policy by itself.
    pub(super) fn error(&self) -> anyhow::Error {
        match &self.help {
            Some(help) => Problem::new(self.why.clone(), help.clone()),
            None => anyhow!("{}", self.why),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.policy), self.why)
    }
}

impl std::error::Error for Broken {}

/// All policies, each read once.
#[derive(Debug)]
pub(super) struct Policies {
    typed: Choice,
    /// The one for all files, and its folder.
    named: Option<(Arc<Ready>, PathBuf)>,
    /// The folder where kvmnet runs.
    here: PathBuf,
    /// What goes for the files of each folder, or why its policy can't be read.
    found: Mutex<HashMap<PathBuf, Result<Arc<Folder>, Broken>>>,
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
    /// The folder, by its own name.
    real: PathBuf,
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
        let here = files::absolute(Path::new(".")).unwrap_or_default();
        let read = |path: &Path| -> Result<(Arc<Ready>, PathBuf)> {
            let named =
                |broken: Broken| broken.error().context(format!("policy {}", escaped(&broken.policy)));
            let ready = Ready::read(path, path, &typed).map_err(named)?;
            let path = files::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            Ok((Arc::new(ready), path.parent().map(Path::to_path_buf).unwrap_or_default()))
        };
        let named = named.map(read).transpose()?;
        Ok(Policies { typed, named, here, found: Mutex::default() })
    }

    /// What goes for the files of the folder that a file is in.
    ///
    /// # Errors
    /// Its policy can't be read, or says what no policy can.
    pub(super) fn of(&self, file: &Path) -> Result<Arc<Folder>, Broken> {
        // Standard input is in the folder where kvmnet runs.
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(folder) {
            return found.clone();
        }
        let real = files::absolute(if folder == Path::new("") { Path::new(".") } else { folder });
        let real = real.unwrap_or_else(|_| folder.to_path_buf());
        let found = self.search(&real, &all);
        all.insert(folder.to_path_buf(), found.clone());
        // The next folder to be asked for is mostly below this one.
        if real != folder {
            all.insert(real, found.clone());
        }
        found
    }

    /// What is said in `sets` and means no folder with files that were checked, with the policy's name.
    pub(super) fn unused_sets(&self, files: &[Arc<Path>]) -> Vec<String> {
        let parents: HashSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        // One policy may have been read for several folders.
        let mut of: BTreeMap<String, Vec<Arc<Folder>>> = BTreeMap::new();
        for folder in parents.into_iter().filter_map(|parent| self.of(&parent.join(NAME)).ok()) {
            of.entry(folder.ready.policy.house.policy.clone()).or_default().push(folder);
        }
        let unused = of.iter().flat_map(|(name, folders)| {
            let above = folders.iter().flat_map(|folder| folder.inside.ancestors());
            // The policy's own folder is no set.
            let above = above.filter(|folder| *folder != Path::new(""));
            let unused = folders[0].ready.policy.sets.without(above);
            unused
                .into_iter()
                .map(move |word| format!("{name}: no file is in a folder '{}' ('sets')", word.escape_debug()))
        });
        unused.collect()
    }

    fn search(
        &self,
        real: &Path,
        known: &HashMap<PathBuf, Result<Arc<Folder>, Broken>>,
    ) -> Result<Arc<Folder>, Broken> {
        let at = |ready: &Arc<Ready>, of: &Path| {
            let inside = real.strip_prefix(of).unwrap_or(real).to_path_buf();
            Arc::new(Folder { ready: ready.clone(), real: real.into(), of: of.to_path_buf(), inside })
        };
        if let Some((ready, of)) = &self.named {
            // What isn't below the policy's folder is most likely below this one.
            let of = if real.starts_with(of) { of } else { &self.here };
            return Ok(at(ready, of));
        }
        for folder in real.ancestors() {
            match known.get(folder) {
                Some(Ok(found)) => return Ok(at(&found.ready, &found.of)),
                Some(Err(broken)) => return Err(broken.clone()),
                None => {}
            }
            let path = folder.join(NAME);
            if files::is_there(&path) {
                let shown = path.strip_prefix(&self.here).unwrap_or(&path);
                return Ok(at(&Arc::new(Ready::read(&path, shown, &self.typed)?), folder));
            }
        }
        Ok(at(&Arc::new(Ready::new(Policy::default(), &self.typed)), Path::new("/")))
    }
}

impl Ready {
    fn new(policy: Policy, typed: &Choice) -> Ready {
        Ready { policy, typed: typed.clone(), settings: Mutex::default() }
    }

    /// Reads the policy at `path`, which messages call `shown`.
    fn read(path: &Path, shown: &Path, typed: &Choice) -> Result<Ready, Broken> {
        let read = || -> Result<Policy> {
            if files::is_folder(path) {
                return Err(Problem::new("it is a folder", format!("a policy is a file: {NAME}")));
            }
            let bytes = files::read_up_to(path, LARGEST).context("cannot read it")?;
            let text = String::from_utf8(bytes).map_err(|_| anyhow!("it isn't UTF-8"))?;
            Policy::read(&text).map_err(|e| match &e.help {
                Some(help) => Problem::new(e.to_string(), help.clone()),
                None => e.into(),
            })
        };
        let mut policy = read().map_err(|e| Broken {
            policy: shown.into(),
            why: message(&e),
            help: help(&e).next().map(String::from),
        })?;
        policy.house.policy = escaped(shown);
        Ok(Ready::new(policy, typed))
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

    /// A file's path without links, save that the file itself may be one.
    pub(super) fn real(&self, file: &Path) -> PathBuf {
        self.real.join(file.file_name().unwrap_or_default())
    }

    fn inside(&self, file: &Path) -> PathBuf {
        self.inside.join(file.file_name().unwrap_or_default())
    }
}
