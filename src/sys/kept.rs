//! Several files exchanged for others, with the old ones kept beside them until it is sure that they aren't wanted any
//! more.
//!
//! The old file is kept as a second name (a hard link) of the very file: put back, it has the bytes, mode, owner, times
//! and attributes that it had, and it takes no room on a disk that is full. The new content is written in full under a
//! third name before anything is exchanged, so that the exchange itself is one rename a file, which needs no room either.
//! Both names begin with a dot and have no suffix: none of the programs that read these folders take such files
//! (ifupdown's patterns, netplan's `*.yaml`, networkd's suffixes, NetworkManager's keyfiles).

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{folder_of, read_if_there, sync_folder};

/// A file that is exchanged. It is written down before anything is done, so that another process can finish or take
/// back what this one began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The file, without symbolic links.
    pub path: PathBuf,
    /// What stood there.
    pub before: Option<String>,
    /// What shall stand there.
    pub after: Option<String>,
    /// The mode of a new file.
    pub mode: u32,
    /// The mode that the file had.
    was: Option<u32>,
    /// The old file's other name.
    old: PathBuf,
    /// The name that the new content has until it is exchanged.
    new: PathBuf,
    /// The symbolic link that leads to it, with what it says: who writes the file anew may put one in the link's place.
    #[serde(default)]
    link: Option<(PathBuf, PathBuf)>,
    /// Folders that are made for it, the outermost first.
    folders: Vec<PathBuf>,
}

impl Kept {
    /// What is to be done to the file at `path`; `id` tells this exchange from others.
    ///
    /// # Errors
    /// It is a symbolic link to nowhere, or its folder can't be entered.
    pub fn plan(
        path: &Path,
        before: Option<&str>,
        after: Option<&str>,
        mode: u32,
        id: &str,
    ) -> io::Result<Kept> {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Err(_) if path.is_symlink() => {
                return Err(io::Error::other("it is a symbolic link to nowhere"));
            }
            Err(_) => path.to_path_buf(),
        };
        let folder = folder_of(&real);
        let mut folders: Vec<PathBuf> =
            folder.ancestors().take_while(|f| !f.exists()).map(Into::into).collect();
        folders.reverse();
        let name = real.file_name().map(|n| n.to_string_lossy().replace('.', "_")).unwrap_or_default();
        Ok(Kept {
            link: fs::read_link(path).ok().map(|target| (path.to_path_buf(), target)),
            was: fs::metadata(&real).ok().map(|facts| facts.mode() & 0o7777),
            old: folder.join(format!(".kvmnet-old-{id}-{name}")),
            new: folder.join(format!(".kvmnet-new-{id}-{name}")),
            path: real,
            before: before.map(Into::into),
            after: after.map(Into::into),
            mode,
            folders,
        })
    }

    /// Gives the old file its second name and writes the new content under a third one.
    ///
    /// # Errors
    /// The disk is full, or the folder can't be written to. [`Kept::forget`] takes away what was made.
    pub fn prepare(&self) -> io::Result<()> {
        for folder in &self.folders {
            match fs::create_dir(folder) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => {}
            }
        }
        if self.before.is_some() {
            fs::hard_link(&self.path, &self.old)?;
        }
        if let Some(after) = &self.after {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.new)?;
            file.write_all(after.as_bytes())?;
            let mode = match fs::metadata(&self.path) {
                Ok(old) => {
                    std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
                    for name in xattr::list(&self.path).into_iter().flatten() {
                        if let Ok(Some(value)) = xattr::get(&self.path, &name) {
                            // An attribute that only the kernel may set is set already.
                            let _ = xattr::set(&self.new, &name, &value);
                        }
                    }
                    old.mode() & 0o7777
                }
                Err(_) => self.mode,
            };
            file.set_permissions(Permissions::from_mode(mode))?;
            file.sync_all()?;
        }
        sync_folder(&folder_of(&self.path));
        Ok(())
    }

    /// Does what stood there when it was planned still stand there?
    ///
    /// # Errors
    /// It can't be read.
    pub fn is_as_planned(&self) -> io::Result<bool> {
        Ok(read_if_there(&self.path)?.as_deref() == self.before.as_deref().map(str::as_bytes))
    }

    /// Puts the new content where the old stood.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn exchange(&self) -> io::Result<()> {
        match &self.after {
            Some(_) => fs::rename(&self.new, &self.path)?,
            None => remove(&self.path)?,
        }
        sync_folder(&folder_of(&self.path));
        Ok(())
    }

    /// What stands there now, if it is neither the old nor the new content: somebody else wrote it.
    pub fn foreign(&self) -> Option<Vec<u8>> {
        let is =
            |now: &[u8], text: &Option<String>| text.as_deref().is_some_and(|text| text.as_bytes() == now);
        read_if_there(&self.path).ok()?.filter(|now| !is(now, &self.before) && !is(now, &self.after))
    }

    /// Puts the old file back, however far the exchange had come; again, if it was put back already.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn put_back(&self) -> io::Result<()> {
        let now = read_if_there(&self.path).unwrap_or_default();
        let is = |text: &Option<String>| now.as_deref() == text.as_deref().map(str::as_bytes);
        match &self.before {
            Some(_) if self.old.exists() => {
                // Of two names of one file, rename(2) does nothing, and an overlay believes that it did.
                if !(is(&self.before) && self.is_one()) {
                    fs::rename(&self.old, &self.path)?;
                }
                remove(&self.old)?;
            }
            Some(before) if !is(&self.before) => {
                remove(&self.new)?;
                let mode = self.was.unwrap_or(self.mode);
                let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&self.new)?;
                file.write_all(before.as_bytes())?;
                file.set_permissions(Permissions::from_mode(mode))?;
                file.sync_all()?;
                fs::rename(&self.new, &self.path)?;
            }
            Some(_) => {}
            None => remove(&self.path)?,
        }
        self.link_again()?;
        self.sweep()?;
        for folder in self.folders.iter().rev() {
            // One that somebody else put something into stays.
            let _ = fs::remove_dir(folder);
        }
        sync_folder(&folder_of(&self.path));
        Ok(())
    }

    fn link_again(&self) -> io::Result<()> {
        match &self.link {
            Some((link, target)) if fs::read_link(link).ok().as_ref() != Some(target) => {
                remove(&self.new)?;
                // In the link's own folder, which may be on another file system than the file.
                let beside = folder_of(link).join(self.new.file_name().unwrap_or_default());
                remove(&beside)?;
                std::os::unix::fs::symlink(target, &beside)?;
                fs::rename(&beside, link)
            }
            _ => Ok(()),
        }
    }

    /// Is what stands there the old file itself, as far as its facts tell?
    fn is_one(&self) -> bool {
        let facts = |path: &Path| {
            let now = fs::symlink_metadata(path).ok()?;
            Some((now.mtime(), now.mtime_nsec(), now.mode(), now.uid(), now.gid()))
        };
        facts(&self.old).is_some_and(|old| facts(&self.path) == Some(old))
    }

    /// Takes away the names that nothing needs any more; the file is left as it is.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn forget(&self) -> io::Result<()> {
        self.sweep()?;
        let folder = folder_of(&self.path);
        if self.after.is_none() && folder.extension().is_some_and(|end| end == "d") {
            // A folder of additions to one file, with nothing in it any more.
            let _ = fs::remove_dir(&folder);
        }
        sync_folder(&folder);
        Ok(())
    }

    fn sweep(&self) -> io::Result<()> {
        remove(&self.new)?;
        remove(&self.old)
    }
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    // On a file system that can't be written to, what isn't there can't be removed either.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A folder with a file, and the exchange of it, of a new one and of one that goes.
    fn site() -> (tempfile::TempDir, Vec<Kept>) {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().canonicalize().unwrap().join(name);
        for name in ["a.yaml", "gone"] {
            fs::write(at(name), "old\n").unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(0o640)).unwrap();
        }
        let kept = vec![
            Kept::plan(&at("a.yaml"), Some("old\n"), Some("new\n"), 0o600, "1").unwrap(),
            Kept::plan(&at("deep/er/b"), None, Some("b\n"), 0o600, "1").unwrap(),
            Kept::plan(&at("gone"), Some("old\n"), None, 0o600, "1").unwrap(),
        ];
        (dir, kept)
    }

    #[test]
    fn however_far_it_came_all_is_put_back() {
        for far in 0..=6 {
            let (dir, kept) = site();
            let before = fs::metadata(dir.path().join("a.yaml")).unwrap();
            for step in 0..far {
                match step {
                    0..=2 => kept[step].prepare().unwrap(),
                    _ => kept[step - 3].exchange().unwrap(),
                }
            }
            for _ in 0..2 {
                kept.iter().for_each(|kept| kept.put_back().unwrap());
            }
            assert_eq!(names(dir.path()), ["a.yaml", "gone"], "{far}");
            let now = fs::metadata(dir.path().join("a.yaml")).unwrap();
            assert_eq!(
                (now.ino(), now.mtime_nsec(), now.mode()),
                (before.ino(), before.mtime_nsec(), before.mode())
            );
        }
    }

    #[test]
    fn exchanged_and_kept() {
        let (dir, kept) = site();
        kept.iter().for_each(|kept| kept.prepare().unwrap());
        kept.iter().for_each(|kept| kept.exchange().unwrap());
        kept.iter().for_each(|kept| kept.forget().unwrap());
        assert_eq!(names(dir.path()), ["a.yaml", "deep"]);
        let facts = fs::metadata(dir.path().join("a.yaml")).unwrap();
        assert_eq!(
            (fs::read_to_string(dir.path().join("a.yaml")).unwrap().as_str(), facts.mode() & 0o777),
            ("new\n", 0o640)
        );
        // The old file's other name is gone by now: then its text is written anew.
        kept.iter().for_each(|kept| kept.put_back().unwrap());
        assert_eq!(names(dir.path()), ["a.yaml", "gone"]);
        assert_eq!(fs::read_to_string(dir.path().join("gone")).unwrap(), "old\n");
    }

    #[test]
    fn a_link_that_was_replaced_is_one_again() {
        let (dir, _) = site();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("a.yaml", &link).unwrap();
        let kept = Kept::plan(&link, Some("old\n"), Some("new\n"), 0o600, "1").unwrap();
        kept.prepare().unwrap();
        kept.exchange().unwrap();
        assert!(link.is_symlink());
        fs::remove_file(&link).unwrap();
        fs::write(&link, "theirs\n").unwrap();
        for _ in 0..2 {
            kept.put_back().unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), Path::new("a.yaml"));
            assert_eq!(fs::read_to_string(&link).unwrap(), "old\n");
        }
        assert_eq!(names(dir.path()), ["a.yaml", "gone", "link"]);
    }

    #[test]
    fn what_somebody_else_wrote_is_given_back() {
        let (dir, kept) = site();
        kept[0].prepare().unwrap();
        kept[0].exchange().unwrap();
        fs::write(dir.path().join("a.yaml"), "theirs\n").unwrap();
        assert_eq!(kept[0].foreign().unwrap(), b"theirs\n");
        kept[0].put_back().unwrap();
        assert!(kept[0].foreign().is_none());
        assert_eq!(fs::read_to_string(dir.path().join("a.yaml")).unwrap(), "old\n");
    }
}
