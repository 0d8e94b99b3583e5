//! The files that become others.

use crate::host::bridge::{Fault, FileChange, Host};

/// With this file, cloud-init leaves the network's configuration alone.
pub(crate) const CLOUD_OFF: &str = "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg";

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
        let is_clouds = path.contains("cloud-init")
            || before
                .as_deref()
                .is_some_and(|text| text.lines().take(5).any(|line| line.contains("cloud-init")));
        if is_clouds && before.is_some() && !self.host.has(CLOUD_OFF) {
            return Err(Fault::new(
                format!("{path}: cloud-init writes this file anew at the next start"),
                format!("write `network: {{config: disabled}}` into {CLOUD_OFF}, then try again"),
            ));
        }
        self.changes.push(FileChange { path: path.into(), before, after, mode: 0o644 });
        Ok(())
    }
}
