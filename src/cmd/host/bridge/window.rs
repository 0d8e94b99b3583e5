//! `kvmnet host bridge confirm` and `revert`

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cli::BridgeRevert;
use crate::cmd::Context;
use crate::cmd::walk::print_json;
use crate::plan::window::{self, Ended};
use crate::problem::Problem;
use crate::sys::answers::Ssh;
use crate::sys::armed::{self, Armed};
use crate::sys::{interrupt, terminal};

/// The change stays.
pub(super) fn confirm(context: &mut Context) -> Result<u8> {
    only_root("confirm a change of")?;
    let window = window::confirm()?;
    // That it still stands shows that packets come through, not that a new login does.
    let is_same = window.ssh.is_some() && window.ssh == Ssh::of_process();
    if context.is_json() {
        print_json(&json!({
            "bridge": window.bridge, "status": "confirmed", "what": window.headline, "next": window.next,
            "same_login": is_same,
        }))?;
        return Ok(0);
    }
    context.screen.say(&format!("kvmnet: confirmed: {}; it stays", window.headline));
    if is_same {
        context.screen.say(
            "kvmnet: this is the login that the change was made from, which doesn't show that a new one works: try one \
             before this one ends",
        );
    }
    if !window.next.is_empty() {
        context.screen.say("kvmnet: the next step, for the guests:");
        window.next.iter().for_each(|line| context.screen.say(&format!("  {line}")));
    }
    Ok(0)
}

/// Everything is put back: at once, or when the time is up.
pub(super) fn revert(args: &BridgeRevert, context: &mut Context) -> Result<u8> {
    // Whoever types it may lose the connection by it; it is finished all the same.
    interrupt::changing();
    let Some(folder) = &args.armed else {
        only_root("put back a change of")?;
        let armed = Armed::found();
        let ended = match &armed {
            Some(armed) => window::put_back(armed, "it was reverted")?,
            None => None,
        };
        return report(ended, context);
    };
    let armed = Armed::at(folder);
    if let Some(after) = args.after {
        armed::wait_alone(Duration::from_millis(after)).context("nobody knows that this process waits")?;
    }
    let ended = match args.boot {
        true => window::put_back_at_boot(&armed),
        false => window::put_back(&armed, "nobody confirmed it in time"),
    };
    report(ended?, context)
}

fn report(ended: Option<Ended>, context: &mut Context) -> Result<u8> {
    let code = match &ended {
        Some(ended) if !ended.faults.is_empty() => 3,
        _ => 0,
    };
    if context.is_json() {
        print_json(&match &ended {
            None => json!({ "bridge": null, "status": "unchanged", "faults": [], "kept": [] }),
            Some(Ended { window, faults, kept, .. }) => json!({
                "bridge": window.bridge, "status": if code == 0 { "reverted" } else { "failed" },
                "what": window.headline, "faults": faults, "kept": kept,
            }),
        })?;
        return Ok(code);
    }
    match ended {
        None => {
            context
                .screen
                .say("kvmnet: nothing to do: no change of the host's network waits to be confirmed");
        }
        Some(Ended { window, faults, kept, .. }) => {
            kept.iter().for_each(|said| context.screen.say(&format!("kvmnet: {said}")));
            if faults.is_empty() {
                context.screen.say(&format!("kvmnet: put back: {}", window.headline));
            } else {
                let what = format!("put back, but not all is as it was: {}", window.headline);
                context.screen.error(&crate::problem::render(&Problem::new(what, faults.join("\n"))));
            }
        }
    }
    Ok(code)
}

fn only_root(verb: &str) -> Result<()> {
    match terminal::is_root() {
        true => Ok(()),
        false => Err(Problem::new(format!("only root can {verb} the host's network"), "run it with sudo")),
    }
}
