//! Files: read whole, replaced atomically.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

/// The most that is read of one file, in bytes: XML of this size is no guest's.
const MOST: u64 = 1 << 30;

/// Runs are numbered below this; a file of a larger number is nobody's.
const MOST_RUNS: u64 = 1 << 53;

/// All of a file, or of standard input for `-`.
///
/// # Errors
/// It can't be read, isn't a regular file (a directory, a pipe that nobody writes to), or is larger than 1 GiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)?;
        return limited(bytes);
    }
    let (mut file, size) = open(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(MOST)).unwrap_or_default() + 1);
    (&mut file).take(MOST + 1).read_to_end(&mut bytes)?;
    limited(bytes)
}

/// What stands in a file, `None` if there is none.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The file and its size.
fn open(path: &Path) -> io::Result<(File, u64)> {
    // Without O_NONBLOCK opening a pipe waits for a writer, perhaps forever.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let facts = file.metadata()?;
    let kind = facts.file_type();
    if kind.is_file() {
        Ok((file, facts.len()))
    } else if kind.is_dir() {
        Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory (name the files in it)"))
    } else {
        Err(io::Error::other("it is no regular file ('-' reads standard input)"))
    }
}

fn limited(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if bytes.len() as u64 > MOST { Err(io::Error::other("it is larger than 1 GiB")) } else { Ok(bytes) }
}

/// Replaces a file's content so that at any moment, a power cut included, either the old or the new content stands
/// there whole. Mode, owner and extended attributes (ACLs, SELinux labels) stay; a symbolic link stays one and the
/// file behind it is replaced. A new file gets `mode`, or what the umask leaves; until its
/// content is whole, it is its owner's only.
///
/// # Errors
/// The folder can't be written to, the disk is full, or the owner can't be kept; the old content then stands.
pub fn replace(path: &Path, content: &[u8], mode: Option<u32>) -> io::Result<()> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(e) => return Err(e),
    };
    let folder = folder_of(&real);
    let mut temp = tempfile::Builder::new().prefix(".kvmnet-").tempfile_in(&folder)?;
    temp.write_all(content)?;
    match std::fs::metadata(&real) {
        Ok(old) => keep(&temp, &real, &old)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let mode = mode.unwrap_or_else(|| 0o666 & !umask());
            temp.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        Err(e) => return Err(e),
    }
    temp.as_file().sync_all()?;
    temp.persist(&real).map_err(|e| e.error)?;
    sync_folder(&folder);
    Ok(())
}

/// The permissions of a file, if it is there.
pub fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.mode() & 0o777)
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

/// Removes a file; that it isn't there is fine.
///
/// # Errors
/// The folder can't be written to.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The absolute path without symbolic links, of a file that need not be there yet.
///
/// # Errors
/// Its folder doesn't exist or can't be entered.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(e)?;
            Ok(folder_of(path).canonicalize()?.join(name))
        }
        other => other,
    }
}

/// Is it a folder?
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn sync_folder(folder: &Path) {
    // Not every file system can do that; those that can't don't need it.
    let _ = File::open(folder).and_then(|f| f.sync_all());
}

/// Where kvmnet's journal lives: `$KVMNET_STATE_DIR`, else `/var/lib/kvmnet` for root, else `$XDG_STATE_HOME/kvmnet`,
/// else `~/.local/state/kvmnet`. `None` if none of them is set.
pub fn state_dir() -> Option<PathBuf> {
    let var = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(dir) = var("KVMNET_STATE_DIR") {
        return Some(dir);
    }
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/kvmnet".into());
    }
    var("XDG_STATE_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| var("HOME").map(|home| home.join(".local/state")))
        .map(|dir| dir.join("kvmnet"))
}

/// A lock that ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "open is all it has to be")] File);

impl Lock {
    /// Waits for the lock of `folder`, which is made if it isn't there.
    ///
    /// # Errors
    /// The folder can't be made or written to, or its file system knows no locks.
    pub fn take(folder: &Path) -> io::Result<Lock> {
        private_folder(folder)?;
        let file = File::open(folder)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        Ok(Lock(file))
    }
}

fn private_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The disk under a [`Log`].
#[derive(Debug)]
pub struct Disk(Arc<File>);

impl Disk {
    /// Waits until the disk has all that was added.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn wait(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// A file that only grows, a line at a time.
#[derive(Debug)]
pub struct Log {
    file: Arc<File>,
    path: PathBuf,
}

impl Log {
    /// Makes the log `folder/NUMBER.jsonl` with the next free number, readable by its owner only; makes the folder too.
    /// Two processes never get the same number.
    ///
    /// # Errors
    /// The folder can't be made or written to.
    pub fn create(folder: &Path) -> io::Result<(u64, Log)> {
        private_folder(folder)?;
        let mut number = Log::numbers(folder)?.last().map_or(1, |n| n + 1);
        loop {
            let path = Log::path(folder, number);
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    sync_folder(folder);
                    return Ok((number, Log { file: Arc::new(file), path }));
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// Opens an existing log to add to it.
    ///
    /// # Errors
    /// It isn't there or can't be written to.
    pub fn append_to(folder: &Path, number: u64) -> io::Result<Log> {
        let path = Log::path(folder, number);
        let file = OpenOptions::new().read(true).append(true).open(&path)?;
        let log = Log { file: Arc::new(file), path };
        // A line that was cut off must not take the next one along.
        let size = log.file.metadata()?.len();
        let mut last = [b'\n'];
        if size > 0 {
            log.file.read_exact_at(&mut last, size - 1)?;
        }
        if last != [b'\n'] {
            (&*log.file).write_all(b"\n")?;
        }
        Ok(log)
    }

    /// The numbers of the logs in `folder`, lowest first; none if there is no such folder.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            numbers.extend(
                name.to_str()
                    .and_then(|n| n.strip_suffix(".jsonl")?.parse::<u64>().ok())
                    .filter(|n| *n < MOST_RUNS),
            );
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Where the log of that number stands.
    pub fn path(folder: &Path, number: u64) -> PathBuf {
        folder.join(format!("{number}.jsonl"))
    }

    /// Adds a line (without line break). One that could be written only in part is taken back.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn add(&mut self, line: &str) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        let written = (&*self.file).write_all(format!("{line}\n").as_bytes());
        if written.is_err() {
            self.file.set_len(before)?;
        }
        written
    }

    /// The way to the disk, to wait there for what was added while others add more.
    pub fn disk(&self) -> Disk {
        Disk(self.file.clone())
    }

    /// Removes the log, which holds nothing worth keeping.
    pub fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn replacing_keeps_mode_and_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.xml"), dir.path().join("b.xml"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.xml", &link).unwrap();
        replace(&link, b"new", None).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
        replace(&dir.path().join("no/such"), b"x", None).unwrap_err();
    }

    #[test]
    fn odd_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(read(&pipe).unwrap_err().to_string().contains("regular"));
        assert!(read_if_there(&dir.path().join("none")).unwrap().is_none());
    }

    #[test]
    fn logs_are_numbered_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("deep/er");
        assert!(Log::numbers(&folder).unwrap().is_empty());
        let (one, mut log) = Log::create(&folder).unwrap();
        log.add("x").unwrap();
        let (two, _) = Log::create(&folder).unwrap();
        Log::append_to(&folder, one).unwrap().add("y").unwrap();
        assert_eq!((one, two), (1, 2));
        assert_eq!(std::fs::read_to_string(Log::path(&folder, 1)).unwrap(), "x\ny\n");
        assert_eq!(std::fs::metadata(Log::path(&folder, 1)).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }
}
