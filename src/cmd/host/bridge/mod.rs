//! `kvmnet host bridge`

mod by_hand;
mod change;
mod create;
mod delete;
mod guests;
mod look;
mod refusals;
mod show;
mod ssh;
mod window;

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
