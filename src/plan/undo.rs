//! Putting a change back: a plan made from the journal.

use super::change::{Change, State, Step, Subject};
use super::journal::{Entry, Outcome, Run};
use super::network::{self, Standing};
use super::place::{Place, World};
use super::taps;
use crate::problem::Problem;
use crate::sys::hypervisor::Reach;
use crate::xml::diff;

/// The runs that a bare `undo` may mean, newest first: those that may still have something to put back and aren't
/// themselves an undo.
pub fn candidates(runs: &[Run]) -> impl Iterator<Item = &Run> {
    let is_undo = |run: &Run| run.header.undoes.is_some() && !run.header.is_redo;
    runs.iter().rev().filter(move |run| !is_undo(run) && run.entries.iter().any(may_stand))
}

/// May something of the change still stand?
pub fn may_stand(entry: &Entry) -> bool {
    matches!(entry.outcome, None | Some(Outcome::Applied { .. }))
}

/// Was the change cut short in the middle, or an undo of it?
pub fn was_cut_short(runs: &[Run], run: &Run, entry: &Entry) -> bool {
    let undoes = |later: &&Run| later.header.undoes == Some(run.number);
    let of_undos = runs.iter().filter(undoes).flat_map(|later| &later.entries);
    entry.outcome.is_none()
        || of_undos.filter(|e| e.subject == entry.subject).any(|undo| undo.outcome.is_none())
}

/// The change that puts `entry` of `run` back, after a look at what stands now. After one that
/// [`was_cut_short`] a network may look as before while its running guests' taps are on no bridge: those are plugged back.
pub fn plan(run: &Run, entry: &Entry, was_cut_short: bool, world: &World<'_>) -> Change {
    let mut change = Change::new(entry.subject.clone());
    match &entry.outcome {
        Some(Outcome::Undone { by }) => {
            change.remarks.push(format!(
                "{} was put back already, by {by} ('kvmnet history' says what came after that)",
                entry.id
            ));
        }
        Some(Outcome::Failed { why }) => {
            change.remarks.push(format!("{} failed and changed nothing ({why})", entry.id));
        }
        None | Some(Outcome::Applied { .. }) => {
            if !entry.steps.is_empty() && entry.steps.iter().all(|step| !step.place.can_go_back()) {
                change.remarks.push(format!(
                    "{} only plugs a running guest's tap back in, which isn't undone: there is nothing to put back",
                    entry.id
                ));
            } else if let Err(e) = fill(&mut change, entry, was_cut_short, world) {
                change.steps.clear();
                change.state = State::Failed(e);
            } else if change.steps.is_empty() {
                change
                    .remarks
                    .push(format!("it is as it was before {}; there is nothing to put back", entry.id));
            } else {
                change.state = State::Planned;
                change.undoes = Some((run.number, entry.change));
                change.headline = match &change.subject {
                    Subject::Network(name) => network_headline(name, &change.steps, &entry.id),
                    _ => entry.headline.iter().map(|line| undoing(line)).collect(),
                };
            }
        }
    }
    change
}

/// What putting back is called: of a change `undoes …`, and of that the change again.
fn undoing(line: &str) -> String {
    line.strip_prefix("undoes: ").map_or_else(|| format!("undoes: {line}"), Into::into)
}

/// What putting a network back does to it.
fn network_headline(name: &str, steps: &[Step], id: &str) -> Vec<String> {
    let standing = |text: &Option<String>| text.as_deref().and_then(|text| Standing::parse(text).ok());
    let step = steps.iter().find_map(|step| match &step.place {
        Place::Network { restart, .. } if step.changes_network() => {
            Some((standing(&step.before), standing(&step.after), *restart))
        }
        _ => None,
    });
    let (now, then, restart) = match step {
        None => {
            let are_guests = steps.iter().any(|step| matches!(step.place, Place::Tap { .. }));
            let what = match are_guests {
                true => format!("plugs the running guests on network '{name}' back in"),
                false => format!("puts what else was on the bridge of network '{name}' back on it"),
            };
            return vec![format!("{what}: {id} was cut short before that")];
        }
        Some((Some(now), None, _)) => {
            let stops = if now.is_active { "stops and " } else { "" };
            return vec![format!("{stops}removes network '{name}', which wasn't there before {id}")];
        }
        Some((None, then, _)) => {
            let starts = if then.is_some_and(|then| then.is_active) { " and starts it" } else { "" };
            return vec![format!("defines network '{name}' as it was before {id}{starts}")];
        }
        Some((Some(now), Some(then), restart)) => (now, then, restart),
    };
    let mut lines = Vec::new();
    let is_other = (&now.xml, now.is_persistent) != (&then.xml, then.is_persistent);
    if is_other {
        lines.push(format!("gives network '{name}' the definition that it had before {id}"));
    }
    match (now.is_active, then.is_active) {
        (false, true) => lines.push(format!("starts network '{name}'")),
        (true, false) => lines.push(format!("stops network '{name}'")),
        (true, true) if restart => lines.push(format!("stops and starts network '{name}'")),
        _ => {}
    }
    match (now.autostarts, then.autostarts) {
        (false, true) => lines.push(format!("has network '{name}' start with libvirt")),
        (true, false) => lines.push(format!("has network '{name}' no longer start with libvirt")),
        _ => {}
    }
    lines
}

/// Plugs running guests, and what else was on its bridge, back into a network that runs again: that was to follow. Their
/// taps count as a part of how it was.
fn plug_back(change: &mut Change, step: &Step, id: &str, world: &World<'_>) -> anyhow::Result<()> {
    let Place::Network { name, ports, .. } = &step.place else { return Ok(()) };
    let ran = step.before.as_deref().and_then(|text| Standing::parse(text).ok()).is_some_and(|s| s.is_active);
    let Some(host) = world.host.filter(|_| ran) else { return Ok(()) };
    if Reach::of_uri(host.uri()) == Reach::Remote {
        let unknown = taps::unknown(host, name)?;
        return match unknown.is_empty() {
            true => Ok(()),
            false => Err(Problem::new(
                format!(
                    "{id} was cut short: running guests ({}) may be unplugged, and their taps can't be plugged back over {}",
                    unknown.join(", "),
                    host.uri()
                ),
                format!("run 'kvmnet reattach --on-network {name}' on that host"),
            )),
        };
    }
    for astray in taps::astray(host, Some(name))? {
        if let Some(why) = taps::not_permitted().filter(|_| astray.changes_device()) {
            let help = format!("sudo kvmnet reattach --on-network {name}");
            return Err(Problem::new(format!("guest '{}': {astray}: {why}", astray.guest), help));
        }
        change.meaning.push(format!("guest '{}': {astray}", astray.guest));
        change.steps.push(astray.step());
    }
    let loose = taps::loose(host, ports);
    if let (false, Some(bridge)) = (loose.is_empty(), network::runs_on(host, name)?) {
        let ports = loose.join("', '");
        if let Some(why) = taps::not_permitted() {
            let help = loose.iter().map(|port| format!("sudo ip link set dev {port} master {bridge}"));
            let what = format!("'{ports}' was on {bridge} and is on no bridge: {why}");
            return Err(Problem::new(what, help.collect::<Vec<_>>().join("; ")));
        }
        change.meaning.push(format!("'{ports}': put on {bridge} again"));
        // Behind the guests: nothing of the network itself changes, it only gets its ports back.
        let place = Place::Network { name: name.clone(), restart: false, ports: loose };
        change.steps.push(Step { place, before: step.before.clone(), after: step.before.clone() });
    }
    Ok(())
}

fn fill(change: &mut Change, entry: &Entry, was_cut_short: bool, world: &World<'_>) -> anyhow::Result<()> {
    let steps = entry.steps.iter().enumerate().rev().filter(|(_, step)| step.place.can_go_back());
    for (at, step) in steps {
        let Step { place, before, after } = step;
        let stored = entry.stored.get(at).cloned().flatten().or_else(|| after.clone());
        let now = place.read(world)?;
        // A running NIC may have another tap and port by now; where it leads is what counts.
        let is_back = matches!(place, Place::RunningNic { .. })
            && place.agrees(None, before.as_deref(), now.as_deref()).is_ok();
        if now == *before || is_back {
            if was_cut_short {
                plug_back(change, step, &entry.id, world)?;
            }
            continue;
        }
        let passing = match place {
            Place::SavedImage { .. } => Some("its saved memory image is gone and doesn't come back"),
            Place::RunningNic { .. } => {
                Some("it doesn't run any more, so nothing has to be put back at once")
            }
            _ => None,
        };
        if let (Some(remark), None) = (passing, &now) {
            change.remarks.push(remark.into());
            continue;
        }
        let is_midway = entry.outcome.is_none()
            && matches!(place, Place::Network { .. })
            && network::is_midway(before.as_deref(), after.as_deref(), now.as_deref());
        let is_ours = now == stored
            || is_midway
            || place.agrees(before.as_deref(), after.as_deref(), now.as_deref()).is_ok();
        let (name, text) = (place.what_of_it(), |t: &Option<String>| {
            t.as_deref().map(|t| place.shown(t)).unwrap_or_default()
        });
        if !is_ours {
            let since = diff(
                &place.label(&format!("after {}", entry.id)),
                &text(&stored),
                &place.label("now"),
                &text(&now),
            );
            let what = if now.is_none() { "is gone" } else { "has changed" };
            let since = match (&now, since.is_empty()) {
                (None, _) => String::new(),
                (_, true) => " (only in a secret, which isn't shown)".into(),
                (_, false) => format!(":\n{since}"),
            };
            return Err(Problem::new(
                format!("{name} {what} since {}; it is left alone{since}", entry.id),
                "undo what was done since first, or put it right by hand; 'kvmnet history' lists older changes, and 'kvmnet undo ID' puts one back",
            ));
        }
        change.diff.push_str(&diff(
            &place.label("now"),
            &text(&now),
            &place.label(&format!("before {}", entry.id)),
            &text(before),
        ));
        if before.is_none() {
            change.meaning.push(format!("{name} is removed: it wasn't there before {}", entry.id));
        }
        change.steps.push(Step { place: place.clone(), before: now, after: before.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_putting_a_network_back_does() {
        let standing = |is_active, autostarts, xml: &str| {
            Some(Standing { is_active, autostarts, is_persistent: true, xml: xml.into() }.to_string())
        };
        let said = |before: &Option<String>, after: &Option<String>, restart| {
            let place = Place::Network { name: "n".into(), restart, ports: Vec::new() };
            network_headline("n", &[Step { place, before: before.clone(), after: after.clone() }], "3")
                .join("; ")
        };
        let (runs, idle, other) =
            (standing(true, true, "a"), standing(false, true, "a"), standing(true, true, "b"));
        for (before, after, restart, wanted) in [
            (&runs, &None, false, "stops and removes network 'n', which wasn't there before 3"),
            (&idle, &None, false, "removes network 'n', which wasn't there before 3"),
            (&None, &runs, false, "defines network 'n' as it was before 3 and starts it"),
            (&None, &idle, false, "defines network 'n' as it was before 3"),
            (&idle, &runs, false, "starts network 'n'"),
            (&runs, &idle, false, "stops network 'n'"),
            (
                &runs,
                &other,
                true,
                "gives network 'n' the definition that it had before 3; stops and starts network 'n'",
            ),
            (&idle, &standing(false, false, "a"), false, "has network 'n' no longer start with libvirt"),
        ] {
            assert_eq!(said(before, after, restart), wanted);
        }
    }
}
