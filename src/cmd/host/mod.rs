//! `kvmnet host`

pub(super) mod bridge;
mod detail;
mod nics;
mod owners;
mod seen;
mod texts;

use anyhow::Result;

use super::Context;
use crate::cli::{Host, HostCommand};
use crate::report::plain_line;

/// Does what was typed.
pub(super) fn run(args: &Host, context: &mut Context) -> Result<u8> {
    if let Some(uri) = &context.global.connect {
        context
            .screen
            .say(&format!("kvmnet: 'host' is about this machine; -c {} has no part in it", plain_line(uri)));
    }
    match &args.command {
        HostCommand::Nics(args) => nics::run(args, context),
        HostCommand::Bridge(args) => bridge::run(args, context),
    }
}
