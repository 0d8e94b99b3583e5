//! `kvmnet host`

mod detail;
mod nics;
mod owners;
mod seen;

use anyhow::Result;

use super::Context;
use crate::cli::{Host, HostCommand};

/// Does what was typed.
pub(super) fn run(args: &Host, context: &mut Context) -> Result<u8> {
    match &args.command {
        HostCommand::Nics(args) => nics::run(args, context),
    }
}
