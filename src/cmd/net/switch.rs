//! `kvmnet net start|stop|restart|autostart|delete`

use anyhow::{Result, anyhow};

use super::guests::{self, Attached, named};
use super::{change, explained, network, no_such, options};
use crate::cli::Consent;
use crate::cmd::walk::walk;
use crate::cmd::{Context, connect};
use crate::model::{Code, Warning};
use crate::net;
use crate::plan::{Change, Standing, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::Hypervisor;
use crate::xml::diff;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart,
    Autostart(bool),
    Delete,
}

/// The network's name and the word, in whichever order they were typed.
pub(super) fn name_and_word(words: &[String]) -> Result<(String, bool)> {
    let word = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    match words {
        [name, on] if word(on).is_some() => Ok((name.clone(), on == "on")),
        [on, name] if word(on).is_some() => Ok((name.clone(), on == "on")),
        _ => Err(Problem::new(
            "a network's name and 'on' or 'off' are wanted",
            "kvmnet net autostart default on",
        )),
    }
}

/// Does it to each network.
pub(super) fn run(
    verb: Verb,
    names: &[String],
    force: bool,
    consent: &Consent,
    context: &mut Context,
) -> Result<u8> {
    let host = connect::to_change(context, consent)?;
    let host = host.as_ref();
    let mut names = names.to_vec();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let changes = names
        .iter()
        .map(|name| {
            planned(host, verb, name).unwrap_or_else(|e| Change::failed(Subject::Network(name.clone()), e))
        })
        .collect();
    let mut options = options(host, consent);
    options.force = force;
    walk(changes, &options, &World { host: Some(host), ..World::default() }, context)?
        .report(&options, context)
}

fn planned(host: &dyn Hypervisor, verb: Verb, name: &str) -> Result<Change> {
    let Some(now) = Standing::read(host, name)? else {
        return Err(no_such(name, &host.networks()?));
    };
    let nothing = |why: &str| {
        let mut change = Change::new(Subject::Network(name.into()));
        change.remarks.push(why.into());
        Ok(change)
    };
    let (wanted, restart) = match verb {
        Verb::Start if now.is_active => return nothing("it runs"),
        Verb::Stop if !now.is_active => return nothing("it doesn't run"),
        Verb::Start => (Some(Standing { is_active: true, ..now.clone() }), false),
        Verb::Restart => (Some(Standing { is_active: true, ..now.clone() }), true),
        Verb::Stop if !now.is_persistent => (None, false),
        Verb::Stop => (Some(Standing { is_active: false, ..now.clone() }), false),
        Verb::Delete => (None, false),
        Verb::Autostart(on) if now.autostarts == on => {
            return nothing(if on { "it starts with libvirt" } else { "it doesn't start with libvirt" });
        }
        Verb::Autostart(_) if !now.is_persistent => {
            return Err(Problem::new(
                "it has no definition, so libvirt can't start it",
                format!("virsh net-dumpxml {name} > {name}.xml; virsh net-define {name}.xml"),
            ));
        }
        Verb::Autostart(on) => (Some(Standing { autostarts: on, ..now.clone() }), false),
    };
    if wanted.as_ref().is_some_and(|wanted| wanted.is_active) && !now.is_active {
        let around = super::around::look(host, &host.networks()?)?;
        net::safe_to_start(&network(&now.xml)?, &around).map_err(|fault| {
            let help = format!(
                "give its bridge another name ('virsh net-edit {name}'), or kvmnet net delete {name}"
            );
            Problem::new(format!("its bridge {}", fault.message), help)
        })?;
    }
    let mut change = change(name, Some(&now), wanted.as_ref(), restart);
    change.headline.push(headline(verb, name, &now));
    if verb == Verb::Delete {
        change.diff = diff(&format!("network '{name}'"), &now.xml, "nothing", "");
    }
    let attached = match verb {
        Verb::Autostart(_) => Vec::new(),
        _ => guests::on(host, name)?,
    };
    let running: Vec<&Attached> = attached.iter().filter(|a| a.runs_on_it).collect();
    match verb {
        Verb::Start => change.meaning.extend(explained(&network(&now.xml)?)),
        Verb::Restart if now.is_active => restarting(host, name, &now, &running, &mut change)?,
        Verb::Stop | Verb::Delete if now.is_active => stopping(&running, &mut change),
        _ => {}
    }
    if !now.is_persistent && now.is_active && matches!(verb, Verb::Stop | Verb::Restart) {
        let what = "it has no definition, only what runs: stopped, it is gone (the journal keeps its XML)";
        change.warnings.push(match verb {
            Verb::Stop => Warning::stop(Code::NetworkTransient, what),
            _ => {
                Warning::note(Code::NetworkTransient, "it has no definition: it is made anew from what runs")
            }
        });
    }
    if verb == Verb::Delete && !attached.is_empty() {
        let what = format!(
            "{} refer{} to it and won't start without it",
            named(&attached),
            if attached.len() == 1 { "s" } else { "" }
        );
        change.warnings.push(Warning::stop(Code::NetworkInUse, what));
    }
    Ok(change)
}

fn headline(verb: Verb, name: &str, now: &Standing) -> String {
    match verb {
        Verb::Start => format!("starts network '{name}'"),
        Verb::Stop => format!("stops network '{name}'"),
        Verb::Restart if now.is_active => format!("stops and starts network '{name}'"),
        Verb::Restart => format!("starts network '{name}', which isn't running"),
        Verb::Autostart(true) => format!("has network '{name}' start with libvirt"),
        Verb::Autostart(false) => format!("has network '{name}' no longer start with libvirt"),
        Verb::Delete if now.is_active => format!("stops network '{name}' and removes its definition"),
        Verb::Delete => format!("removes the definition of network '{name}'"),
    }
}

/// What it means for the guests that a running network is stopped, for good or for a moment.
pub(super) fn stopping_or_restarting(running: &[&Attached], comes_back: bool, change: &mut Change) {
    match comes_back {
        false => stopping(running, change),
        true if running.is_empty() => change.meaning.push("no running guest is on it".into()),
        true => change.meaning.push(format!(
            "running {}: cut off for a moment, then plugged back; not restarted",
            named(running.iter().copied())
        )),
    }
}

/// What a stop means for the guests.
fn stopping(running: &[&Attached], change: &mut Change) {
    if !running.is_empty() {
        let what = format!(
            "running {} on it lose{} the network at once; 'kvmnet net start' and 'kvmnet reattach' bring it back without a \
             restart of the guest",
            named(running.iter().copied()),
            if running.len() == 1 { "s" } else { "" }
        );
        change.warnings.push(Warning::note(Code::GuestsCutOff, what));
    }
}

/// What a restart means for the guests, and what changes with it.
fn restarting(
    host: &dyn Hypervisor,
    name: &str,
    now: &Standing,
    running: &[&Attached],
    change: &mut Change,
) -> Result<()> {
    stopping_or_restarting(running, true, change);
    let runs = host.network(name)?.ok_or_else(|| anyhow!("it is gone"))?;
    let pending = super::show::pending(&now.xml, &runs.xml);
    if !pending.is_empty() {
        change.meaning.push("changes of its definition that wait for a restart take effect:".into());
        change.meaning.extend(pending.into_iter().map(|line| format!("  {line}")));
    }
    Ok(())
}
