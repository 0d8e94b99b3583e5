//! Files that cloud-init writes anew.

use super::{Fault, Host};

/// Where cloud-init's own documentation has one say that it shall leave the network alone.
const OFF: &str = "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg";

/// A file of cloud-init's is written only if that leaves the network alone from now on.
pub(super) fn refuse(host: &Host, path: &str) -> Result<(), Fault> {
    match host.cloud_is_off {
        true => Ok(()),
        false => Err(Fault::new(
            format!("{path}: cloud-init writes this file anew at the next start"),
            format!("write `network: {{config: disabled}}` into {OFF}, then try again"),
        )),
    }
}
