//! `kvmnet net start|stop|restart|autostart|delete`

use anyhow::Result;

use super::effects::Effects;
use super::{change, explained, network, none_of_that_name, options};
use super::{guests, leases};
use crate::cli::Consent;
use crate::cmd::live::settle;
use crate::cmd::walk::walk;
use crate::cmd::{Context, connect, reattach};
use crate::model::{Code, Warning};
use crate::plan::{self, Audience as _, Change, Standing, State, Subject, World};
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

/// The networks' names and the word before or behind them. A network may be called like it.
pub(super) fn names_and_word(words: &[String]) -> Result<(&[String], bool)> {
    let is_word = |word: &String| matches!(word.as_str(), "on" | "off");
    match words {
        [names @ .., word] | [word, names @ ..] if is_word(word) && !names.is_empty() => {
            Ok((names, word == "on"))
        }
        _ => Err(Problem::new(
            "networks' names, and 'on' or 'off' before or behind them, are wanted",
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
    let is_calm = |change: &Change| matches!(change.state, State::Unchanged);
    let plan_all = || {
        let plan = |name: &String| {
            let failed = |e| Change::failed(Subject::Network(name.clone()), e);
            let change = planned(host, verb, name).unwrap_or_else(failed);
            // Somebody else has started it and left its guests unplugged.
            let lost = match verb {
                Verb::Start if is_calm(&change) => reattach::on_network(host, name),
                _ => Ok(Vec::new()),
            };
            let lost = lost.unwrap_or_else(|e| vec![failed(e)]);
            if lost.is_empty() { vec![change] } else { lost }
        };
        names.iter().flat_map(plan).collect::<Vec<_>>()
    };
    let mut changes = plan_all();
    let mut options = options(host, consent);
    options.force = force;
    // Another run may be at one of them, so that what was seen is only halfway. Where nobody is asked, the plan is made
    // again once that is over, and carried out before others get at it.
    let mut held = None;
    if options.yes && !options.preview_only && !changes.iter().all(is_calm) {
        held = plan::hold(|| context.screen.waits()).ok();
        changes = plan_all();
    }
    let world = World { host: Some(host), held: held.as_ref(), ..World::default() };
    let mut walked = walk(changes, &options, &world, context)?;
    settle(&mut walked.changes);
    walked.report(&options, context)
}

pub(super) fn planned(host: &dyn Hypervisor, verb: Verb, name: &str) -> Result<Change> {
    let Some(now) = Standing::read(host, name)? else {
        return Err(none_of_that_name(host, &host.networks()?));
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
    let unseen = match &wanted {
        Some(wanted) => wanted.can_follow(host, Some(&now), restart)?,
        None => None,
    };
    let mut change = change(name, Some(&now), wanted.as_ref(), restart);
    change.warnings.extend(unseen);
    change.headline.push(headline(verb, name, &now));
    if verb == Verb::Delete {
        change.diff = diff(&format!("network '{name}'"), &now.xml, "nothing", "");
    }
    let attached = match verb {
        Verb::Autostart(_) => Vec::new(),
        _ => guests::on(host, name)?,
    };
    let effects = Effects::new(host, name, &attached);
    match verb {
        Verb::Restart if now.is_active => {
            let around = super::around::look(host, &host.networks()?)?;
            change.warnings.extend(super::doubts(host, &network(&now.xml)?, &around, true)?);
            effects.comes_back(&now, &mut change);
            super::pending::at_restart(host, name, &now, &now, &mut change)?;
        }
        Verb::Start | Verb::Restart => {
            let network = network(&now.xml)?;
            let around = super::around::look(host, &host.networks()?)?;
            change.meaning.extend(explained(&network, &around));
            change.warnings.extend(super::doubts(host, &network, &around, false)?);
            effects.starts(&network, &mut change);
        }
        Verb::Stop | Verb::Delete => {
            effects.stops(verb == Verb::Delete, &mut change);
            // libvirt keeps them as long as there is a definition.
            let is_gone = verb == Verb::Delete || !now.is_persistent;
            change.meaning.extend(is_gone.then(|| leases::lost_with(host, name)).flatten());
        }
        Verb::Autostart(_) => {}
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
        let what = format!("{} and won't start without it", guests::referring(&attached));
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
        Verb::Delete if !now.is_persistent => format!("stops network '{name}', which is gone then"),
        Verb::Delete if now.is_active => format!("stops network '{name}' and removes its definition"),
        Verb::Delete => format!("removes the definition of network '{name}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_and_off() {
        let said = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(Into::into).collect();
            names_and_word(&words).ok().map(|(names, on)| (names.join(" "), on))
        };
        let is = |names: &str, on| Some((names.to_string(), on));
        assert_eq!((said("a on"), said("off a")), (is("a", true), is("a", false)));
        assert_eq!((said("a b off"), said("on a b")), (is("a b", false), is("a b", true)));
        assert_eq!((said("on off"), said("on on")), (is("on", false), is("on", true)));
        assert_eq!([said("a"), said("on"), said("a b"), said("a on b")], [None, None, None, None]);
    }
}
