//! The files that become others.

use crate::host::bridge::{Fault, FileChange, Host, cloud};

/// Changes, as they come together.
pub(super) struct Files<'a> {
    host: &'a Host,
    pub(super) changes: Vec<FileChange>,
}

impl<'a> Files<'a> {
    pub(super) fn new(host: &'a Host) -> Files<'a> {
        Files { host, changes: Vec::new() }
    }

    /// What shall stand there; `None`: nothing.
    pub(super) fn put(&mut self, path: &str, after: Option<String>) -> Result<(), Fault> {
        let before = self.host.text(path).map(str::to_string);
        if before == after {
            return Ok(());
        }
        // `10-cloud-init-enp4s0.network`
        let is_clouds = path.rsplit('/').next().is_some_and(|name| name.contains("cloud-init"));
        if is_clouds && before.is_some() {
            cloud::refuse(self.host, path)?;
        }
        self.changes.push(FileChange { path: path.into(), before, after, mode: 0o644 });
        Ok(())
    }
}
