//! Files: read whole, and logs that only grow. How they are replaced stands in [`super::swap`].

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

/// The most that is read of one file, in bytes: XML of this size is no guest's.
const MOST: u64 = 1 << 30;

/// Runs are numbered below this; a file of a larger number is nobody's.
const MOST_RUNS: u64 = 1 << 53;

/// All of a file, or of standard input for `-`.
///
/// # Errors
/// It can't be read, isn't a regular file (a directory, a pipe that nobody writes to), or is larger than 1 GiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(path, MOST)
}

/// The same, of no more than `most` bytes.
///
/// # Errors
/// As [`read`]; it is larger.
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)?;
        return limited(bytes, most);
    }
    let (mut file, size) = open(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or_default() + 1);
    (&mut file).take(most + 1).read_to_end(&mut bytes)?;
    limited(bytes, most)
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

fn limited(bytes: Vec<u8>, most: u64) -> io::Result<Vec<u8>> {
    if bytes.len() as u64 <= most {
        return Ok(bytes);
    }
    let most = if most < 1 << 30 { format!("{} MiB", most >> 20) } else { format!("{} GiB", most >> 30) };
    Err(io::Error::other(format!("it is larger than {most}")))
}

/// The permissions of a file, if it is there.
pub fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.mode() & 0o777)
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

/// Is something there, be it a link that leads nowhere?
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kind {
    /// A symbolic link, wherever it leads.
    pub is_link: bool,
    /// A folder, or a link that leads to one.
    pub is_folder: bool,
}

/// What a name stands for; nothing of it if there is nothing.
pub fn kind(path: &Path) -> Kind {
    let Ok(facts) = path.symlink_metadata() else { return Kind::default() };
    let is_link = facts.is_symlink();
    Kind { is_link, is_folder: if is_link { path.is_dir() } else { facts.is_dir() } }
}

/// Is it a folder?
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Is it, or will it be, on a file system that is in memory only, and so gone when the power is?
pub fn is_in_memory(path: &Path) -> bool {
    // tmpfs, ramfs and the kernel's own (statfs(2)).
    const MAGICS: [u64; 4] = [0x0102_1994, 0x8584_58f6, 0x9fa0, 0x6265_6572];
    let there = path.ancestors().find(|path| path.exists());
    let kind =
        there.and_then(|path| rustix::fs::statfs(path).ok()).and_then(|fs| u64::try_from(fs.f_type).ok());
    kind.is_some_and(|kind| MAGICS.contains(&kind))
}

pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

pub(super) fn sync_folder(folder: &Path) {
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
    /// Waits for the lock of `folder`, which is made if it isn't there; `waits` is called if that takes longer than a
    /// moment.
    ///
    /// # Errors
    /// The folder can't be made or written to, or its file system knows no locks.
    pub fn take(folder: &Path, waits: impl FnOnce()) -> io::Result<Lock> {
        private_folder(folder)?;
        let file = File::open(folder)?;
        let until = Instant::now() + Duration::from_secs(1);
        while let Err(e) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if e != rustix::io::Errno::WOULDBLOCK {
                return Err(e.into());
            }
            if Instant::now() >= until {
                waits();
                rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Lock(file))
    }
}

pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
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
