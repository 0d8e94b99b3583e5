//! `kvmnet host bridge`

mod by_hand;
mod change;
mod create;
mod delete;
mod guests;
mod look;
mod nobody;
mod refusals;
mod show;
mod ssh;
mod undone;
mod window;

pub(in crate::cmd) use change::{checks, confirm_by, not_found};
pub(in crate::cmd) use undone::described;

use anyhow::Result;

use crate::cli::{BridgeCommand, HostBridge};
use crate::cmd::Context;

/// Does what was typed.
pub(super) fn run(args: &HostBridge, context: &mut Context) -> Result<u8> {
    match &args.command {
        BridgeCommand::Create(args) => create::run(args, context),
        BridgeCommand::Delete(args) => delete::run(args, context),
        BridgeCommand::Confirm(_) => window::confirm(context),
        BridgeCommand::Revert(args) => window::revert(args, context),
        BridgeCommand::List(_) => show::list(context),
        BridgeCommand::Show(args) => show::show(args, context),
    }
}
