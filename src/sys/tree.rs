//! The host's files below a folder: `/`, or a copy of another host's.

use std::io;
use std::path::{Component, Path, PathBuf};

/// The files below a folder.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Those below `root`.
    ///
    /// # Errors
    /// It isn't a folder, or can't be entered.
    pub fn below(root: &Path) -> io::Result<Tree> {
        let root = root.canonicalize()?;
        if root.is_dir() { Ok(Tree { root }) } else { Err(io::Error::other("it is no folder")) }
    }

    /// Is this the host that kvmnet runs on?
    pub fn is_here(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The path in the file system.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Is there something?
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// What stands in a file, without blanks around it; `None` if it isn't there or can't be read.
    pub fn word(&self, path: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.path(path)).ok()?.trim().to_string())
    }

    /// A number in a file.
    pub fn number<T: std::str::FromStr>(&self, path: &str) -> Option<T> {
        self.word(path)?.parse().ok()
    }

    /// What stands in a file, `None` if there is none. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// It can't be read.
    pub fn text(&self, path: &str) -> io::Result<Option<String>> {
        let bytes = super::files::read_if_there(&self.path(path))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Some bytes of a file, as many as there are up to `most`.
    pub fn bytes(&self, path: &str, most: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Ok(file) = std::fs::File::open(self.path(path)) {
            // What can't be read counts as not there.
            let _ = io::Read::read_to_end(&mut io::Read::take(file, most), &mut bytes);
        }
        bytes
    }

    /// The names in a folder, sorted; none if there is no such folder. Those that are no UTF-8 aren't among them.
    ///
    /// # Errors
    /// It can't be read.
    pub fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(e) => return Err(e),
        };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Where a symbolic link leads in the end, as a path below the root.
    pub fn target(&self, path: &str) -> Option<String> {
        let real = self.path(path).canonicalize().ok()?;
        Some(real.strip_prefix(&self.root).ok()?.to_str()?.to_string())
    }

    /// Is it a link to `/dev/null`? So systemd and others have a file masked: it counts as an empty one, and those of its
    /// name in weaker folders don't count.
    pub fn is_masked(&self, path: &str) -> bool {
        std::fs::read_link(self.path(path)).is_ok_and(|target| target == Path::new("/dev/null"))
    }

    /// The name of what a symbolic link leads to, whether that is there or not.
    pub fn target_name(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.path(path)).ok()?;
        match target.components().next_back()? {
            Component::Normal(name) => Some(name.to_str()?.to_string()),
            _ => None,
        }
    }
}

/// Is this process in the network namespace that the host's services are in? What they keep by the number of a device
/// is of no use elsewhere. Where that can't be told, it is.
pub fn is_in_first_network() -> bool {
    let of = |process| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    match (of("self"), of("1")) {
        (Some(own), Some(first)) => own == first,
        _ => true,
    }
}
