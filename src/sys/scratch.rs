//! A folder for a moment.

use std::io;
use std::path::Path;

/// A folder of the process's own, which goes with the value.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Makes one where the system keeps what nobody needs for long.
    ///
    /// # Errors
    /// None can be made there.
    pub fn new() -> io::Result<Folder> {
        tempfile::Builder::new().prefix("kvmnet-").tempdir().map(Folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Writes files into a folder, which is made if it isn't there.
///
/// # Errors
/// They can't be written.
pub fn write<'f>(folder: &Path, files: impl Iterator<Item = (&'f Path, &'f [u8])>) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    files.into_iter().try_for_each(|(path, bytes)| std::fs::write(path, bytes))
}
