//! A file that somebody else writes meanwhile, such as `/etc/resolv.conf`, kept aside so that it can be put back.
//!
//! Nothing of kvmnet's is ever written there. A DHCP client that a change brings in does it, in place or by putting a new
//! file there, and takes nothing back when it goes.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::files::{folder_of, is_in_memory, read, sync_folder};
use super::kept::remove;

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    path: PathBuf,
    was: Was,
    /// Another name of the file, by which it comes back with its times.
    old: PathBuf,
    new: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Was {
    Nothing,
    Link(PathBuf),
    File { bytes: Vec<u8>, mode: u32, owner: (u32, u32), modified: SystemTime },
}

impl Aside {
    /// The file at `path` and, if that is a symbolic link, the one that it leads to, unless that is in memory only (where
    /// systemd-resolved, resolvconf and others make theirs anew). `id` tells this keeping from others.
    ///
    /// # Errors
    /// It can't be read.
    pub fn plan(path: &Path, id: &str) -> io::Result<Vec<Aside>> {
        let mut out = vec![Aside::of(path, id)?];
        if let Ok(target) = path.canonicalize()
            && path.is_symlink()
            && !is_in_memory(&target)
        {
            out.push(Aside::of(&target, id)?);
        }
        Ok(out)
    }

    fn of(path: &Path, id: &str) -> io::Result<Aside> {
        let was = match path.symlink_metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Was::Nothing,
            Err(e) => return Err(e),
            Ok(facts) if facts.is_symlink() => Was::Link(fs::read_link(path)?),
            Ok(facts) => Was::File {
                bytes: read(path)?,
                mode: facts.mode() & 0o7777,
                owner: (facts.uid(), facts.gid()),
                modified: facts.modified()?,
            },
        };
        let name = path.file_name().map(|n| n.to_string_lossy().replace('.', "_")).unwrap_or_default();
        let beside = |word: &str| folder_of(path).join(format!(".kvmnet-{word}-{id}-{name}"));
        Ok(Aside { path: path.into(), was, old: beside("old"), new: beside("new") })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its other name. Where it can have none (it is mounted there by itself) its bytes have to do.
    pub fn prepare(&self) {
        if let Was::File { .. } = self.was {
            let _ = fs::hard_link(&self.path, &self.old);
        }
    }

    /// Puts it back, whoever wrote there meanwhile; again, if it was put back already.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn put_back(&self) -> io::Result<()> {
        match &self.was {
            Was::Nothing => remove(&self.path)?,
            Was::Link(target) if fs::read_link(&self.path).ok().as_ref() != Some(target) => {
                remove(&self.new)?;
                std::os::unix::fs::symlink(target, &self.new)?;
                fs::rename(&self.new, &self.path)?;
            }
            Was::Link(_) => {}
            Was::File { .. } if self.is_as_it_was(&self.path) => {}
            // Who wrote in place wrote to the other name too.
            Was::File { .. } if self.is_as_it_was(&self.old) => {
                // Of two names of one file, rename(2) does nothing, and an overlay believes that it did.
                remove(&self.path)?;
                fs::rename(&self.old, &self.path)?;
            }
            Was::File { .. } => self.write()?,
        }
        self.forget()
    }

    /// Does what stands there have the bytes, mode, owner and date of the file?
    fn is_as_it_was(&self, path: &Path) -> bool {
        let Was::File { bytes, mode, owner, modified } = &self.was else { return false };
        let is_same = |now: fs::Metadata| {
            let facts = (now.mode() & 0o7777, (now.uid(), now.gid()), now.modified().ok());
            now.is_file() && facts == (*mode, *owner, Some(*modified))
        };
        path.symlink_metadata().is_ok_and(is_same) && read(path).is_ok_and(|now| now == *bytes)
    }

    fn write(&self) -> io::Result<()> {
        let Was::File { bytes, mode, owner, modified } = &self.was else { return Ok(()) };
        remove(&self.new)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.new)?;
        file.write_all(bytes)?;
        std::os::unix::fs::fchown(&file, Some(owner.0), Some(owner.1))?;
        file.set_permissions(Permissions::from_mode(*mode))?;
        file.set_modified(*modified)?;
        file.sync_all()?;
        // Where a file is mounted there by itself, no other can take its place.
        fs::rename(&self.new, &self.path).or_else(|_| fs::write(&self.path, bytes))
    }

    /// Takes away the names that nothing needs any more; the file is left as it is.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn forget(&self) -> io::Result<()> {
        remove(&self.new)?;
        remove(&self.old)?;
        sync_folder(&folder_of(&self.path));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Who writes there, and how.
    const WRITERS: [fn(&Path); 6] = [
        |_| {},
        |path| fs::write(path, "theirs").unwrap(),
        |path| fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap(),
        |path| {
            let new = path.with_extension("theirs");
            fs::write(&new, "theirs").unwrap();
            fs::rename(new, path).unwrap();
        },
        |path| fs::remove_file(path).unwrap(),
        |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("elsewhere", path).unwrap();
        },
    ];

    #[test]
    fn a_file_comes_back_whoever_wrote_there() {
        for write in WRITERS {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("resolv.conf");
            fs::write(&path, b"ours \xff").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            let kept = Aside::plan(&path, "1").unwrap();
            kept.iter().for_each(Aside::prepare);
            write(&path);
            for _ in 0..2 {
                kept.iter().for_each(|kept| kept.put_back().unwrap());
                let facts = path.symlink_metadata().unwrap();
                assert!(facts.is_file() && facts.mode() & 0o777 == 0o640);
                assert_eq!(fs::read(&path).unwrap(), b"ours \xff");
                assert_eq!(names(dir.path()), ["resolv.conf"]);
            }
        }
    }

    #[test]
    fn so_do_a_link_and_what_it_leads_to() {
        for write in WRITERS {
            let dir = tempfile::tempdir_in("/var/tmp").unwrap();
            let (path, target) = (dir.path().join("resolv.conf"), dir.path().join("static.conf"));
            fs::write(&target, "ours").unwrap();
            std::os::unix::fs::symlink("static.conf", &path).unwrap();
            let kept = Aside::plan(&path, "1").unwrap();
            assert_eq!(kept.len(), if is_in_memory(&target) { 1 } else { 2 });
            kept.iter().for_each(Aside::prepare);
            write(&path);
            kept.iter().for_each(|kept| kept.put_back().unwrap());
            assert_eq!(fs::read_link(&path).unwrap(), Path::new("static.conf"));
            if kept.len() == 2 {
                assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
            }
            assert_eq!(names(dir.path()), ["resolv.conf", "static.conf"]);
        }
    }

    #[test]
    fn what_was_not_there_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        let kept = Aside::plan(&path, "1").unwrap();
        kept.iter().for_each(Aside::prepare);
        fs::write(&path, "theirs").unwrap();
        kept.iter().for_each(|kept| kept.put_back().unwrap());
        assert_eq!(names(dir.path()), [""; 0]);
        // Confirmed, theirs stays.
        fs::write(&path, "ours").unwrap();
        let kept = Aside::plan(&path, "1").unwrap();
        kept.iter().for_each(Aside::prepare);
        fs::write(&path, "theirs").unwrap();
        kept.iter().for_each(|kept| kept.forget().unwrap());
        assert_eq!(
            (names(dir.path()), fs::read_to_string(&path).unwrap()),
            (vec!["resolv.conf".into()], "theirs".into())
        );
    }
}
