//! One file's content exchanged for another, all or nothing, and only if it still is what it was.

use std::collections::HashSet;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use tempfile::NamedTempFile;

use super::files::{folder_of, read_if_there, sync_folder};

/// What the names of new content begin with until it is whole, and how many letters and digits follow.
const PREFIX: &str = ".kvmnet-";
const RANDOM: usize = 6;

/// No kvmnet holds a file's lock for as long as this; whoever else does is no reason to wait on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Puts `after` (`None`: nothing) where `before` (`None`: nothing) stands; if something else stands there, it is left
/// alone, and the answer is `false`.
///
/// At any moment, a power cut included, either the old or the new content stands there whole. Mode, owner and extended
/// attributes (ACLs, SELinux labels) stay; a symbolic link stays one and the file behind it is replaced. A new file
/// gets `mode`, or what the umask leaves; until its content is whole, it is its owner's only. The new content is on the
/// disk before the last look at the old one, and from that look on the old file is locked: two kvmnets never undo each
/// other's work, whatever else they share.
///
/// # Errors
/// The folder can't be written to, the disk is full, or the owner can't be kept; the old content then stands.
pub fn swap(path: &Path, before: Option<&[u8]>, after: Option<&[u8]>, mode: Option<u32>) -> io::Result<bool> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(e) => return Err(e),
    };
    let folder = folder_of(&real);
    sweep_once(&folder);
    let temp = after.map(|content| written(&folder, &real, content, mode)).transpose()?;
    let _lock = lock(&real);
    if read_if_there(&real)?.as_deref() != before {
        return Ok(false);
    }
    match (temp, before) {
        (None, None) => return Ok(true),
        (None, Some(_)) => std::fs::remove_file(&real)?,
        (Some(temp), Some(_)) => drop(temp.persist(&real).map_err(|e| e.error)?),
        (Some(temp), None) => match temp.persist_noclobber(&real) {
            Ok(_) => {}
            Err(_) if real.is_symlink() => {
                return Err(io::Error::other("it is a symbolic link to nowhere"));
            }
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(e.error),
        },
    }
    sync_folder(&folder);
    Ok(true)
}

/// The new content in a file of its own beside `real`, on the disk. It is locked as long as it is open, so that it isn't
/// taken for one that a killed kvmnet left.
fn written(folder: &Path, real: &Path, content: &[u8], mode: Option<u32>) -> io::Result<NamedTempFile> {
    let mut temp = loop {
        let temp = tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempfile_in(folder)?;
        // Another kvmnet may have come between and swept it away.
        let is_ours = match rustix::fs::flock(&temp, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => temp.as_file().metadata()?.nlink() > 0,
            Err(e) => e != rustix::io::Errno::WOULDBLOCK,
        };
        if is_ours {
            break temp;
        }
    };
    temp.write_all(content)?;
    match std::fs::metadata(real) {
        Ok(old) => keep(&temp, real, &old)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let mode = mode.unwrap_or_else(|| 0o666 & !umask());
            temp.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        Err(e) => return Err(e),
    }
    temp.as_file().sync_all()?;
    Ok(temp)
}

/// The process's umask, which can't be asked for without setting it, but read.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    umask.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok()).unwrap_or(0o077)
}

fn keep(temp: &NamedTempFile, old_path: &Path, old: &Metadata) -> io::Result<()> {
    let new = temp.as_file().metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::fchown(temp.as_file(), Some(old.uid()), Some(old.gid()))
            .map_err(|e| io::Error::new(e.kind(), format!("its owner and group can't be kept ({e})")))?;
    }
    if let Ok(names) = xattr::list(old_path) {
        for name in names {
            if let Ok(Some(value)) = xattr::get(old_path, &name) {
                // An attribute that only the kernel or another user may set is set already, or not ours to set.
                let _ = xattr::set(temp.path(), &name, &value);
            }
        }
    }
    temp.as_file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

/// Locks the file until the result is dropped; `None` where there is none, it can't be locked, or somebody keeps it
/// locked.
fn lock(path: &Path) -> Option<File> {
    let until = Instant::now() + PATIENCE;
    loop {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                // Whoever had the lock may have put another file here.
                let (held, here) = (file.metadata().ok()?, std::fs::metadata(path).ok()?);
                if (held.dev(), held.ino()) == (here.dev(), here.ino()) {
                    return Some(file);
                }
            }
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return None,
        }
    }
}

/// Removes what killed kvmnets left in `folder`: whole definitions, passwords and all. Once for each folder is enough.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.get_or_insert_default().insert(folder.to_path_buf()) {
        // What can't be removed now is there the next time.
        let _ = sweep(folder);
    }
}

fn sweep(folder: &Path) -> io::Result<()> {
    let here = File::open(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_left = |name: &str| {
            let random = name.strip_prefix(PREFIX).unwrap_or_default();
            random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if !name.to_str().is_some_and(is_left) {
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(&here, &name, flags, Mode::empty()).map(File::from) else {
            continue;
        };
        let us = rustix::process::geteuid();
        // Root's may have been given to the owner of the file that it was to replace.
        let is_left = |facts: Metadata| facts.is_file() && (facts.uid() == us.as_raw() || us.is_root());
        if file.metadata().is_ok_and(is_left)
            // A kvmnet that lives holds the lock; and it never takes the name again once it let go of it.
            && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = rustix::fs::unlinkat(&here, &name, AtFlags::empty());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn mode_and_link_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.xml"), dir.path().join("b.xml"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.xml", &link).unwrap();
        assert!(swap(&link, Some(b"old"), Some(b"new"), None).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(names(dir.path()), ["a.xml", "b.xml"], "no temporary file is left");
        swap(&dir.path().join("no/such"), None, Some(b"x"), None).unwrap_err();
    }

    #[test]
    fn what_somebody_else_wrote_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, new) = (dir.path().join("a.xml"), dir.path().join("new.xml"));
        std::fs::write(&file, "theirs").unwrap();
        for after in [Some(&b"new"[..]), None] {
            assert!(!swap(&file, Some(b"old"), after, None).unwrap());
            assert!(!swap(&file, None, after, None).unwrap());
            assert!(!swap(&new, Some(b"old"), after, None).unwrap());
        }
        assert_eq!((std::fs::read(&file).unwrap(), names(dir.path()).len()), (b"theirs".to_vec(), 1));
        assert!(swap(&new, None, Some(b"new"), Some(0o600)).unwrap());
        assert_eq!(std::fs::metadata(&new).unwrap().mode() & 0o777, 0o600);
        assert!(swap(&new, Some(b"new"), None, None).unwrap() && !new.exists());
        std::os::unix::fs::symlink("nowhere", &new).unwrap();
        assert!(swap(&new, None, Some(b"new"), None).unwrap_err().to_string().contains("link"));
    }

    #[test]
    fn of_many_at_once_none_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("count");
        std::fs::write(&file, "0").unwrap();
        let add = || {
            for _ in 0..25 {
                loop {
                    let now = std::fs::read_to_string(&file).unwrap();
                    let next = (now.parse::<u32>().unwrap() + 1).to_string();
                    if swap(&file, Some(now.as_bytes()), Some(next.as_bytes()), None).unwrap() {
                        break;
                    }
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(add))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "100");
    }

    #[test]
    fn a_lock_that_a_stranger_keeps_is_not_waited_for_forever() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.xml");
        std::fs::write(&file, "old").unwrap();
        let held = File::open(&file).unwrap();
        rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
        assert!(swap(&file, Some(b"old"), Some(b"new"), None).unwrap());
    }

    #[test]
    fn only_what_a_killed_kvmnet_left_is_swept_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in [".kvmnet-abc123", ".kvmnet-living", ".kvmnet-note", ".kvmnet-abc.12", "kvmnet-abc123"] {
            std::fs::write(path(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("kvmnet-abc123", path(".kvmnet-thelnk")).unwrap();
        std::fs::create_dir(path(".kvmnet-folder")).unwrap();
        let living = File::open(path(".kvmnet-living")).unwrap();
        rustix::fs::flock(&living, FlockOperation::LockExclusive).unwrap();
        let before = names(dir.path());
        sweep(dir.path()).unwrap();
        let left: Vec<_> = before.into_iter().filter(|name| name != ".kvmnet-abc123").collect();
        assert_eq!(names(dir.path()), left);
    }
}
