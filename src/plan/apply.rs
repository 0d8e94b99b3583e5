//! Apply, verify, record.

use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use anyhow::{Context as _, Result, anyhow};

use super::change::{Change, State, Step};
use super::journal::{Journal, Outcome};
use super::place::{Place, World};
use super::spine::Audience;
use super::window::NotAsBefore;
use crate::problem::{Problem, message};
use crate::sys::interrupt;

/// Makes the changes that are planned, each one whole by one of a few threads.
pub(super) fn in_parallel(
    changes: &mut [Change],
    world: &World<'_>,
    journal: &Mutex<Journal>,
    audience: &mut dyn Audience,
) {
    let total = changes.iter().filter(|c| c.is_planned()).count();
    let queue = Mutex::new(changes.iter_mut().filter(|c| c.is_planned()).zip(1..));
    let (done, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..total.min(AT_ONCE) {
            let (done, queue, journal) = (done.clone(), &queue, journal);
            scope.spawn(move || {
                loop {
                    // Not `while let`, which would hold the lock until the change is through.
                    let next = locked(queue).next();
                    let Some((change, number)) = next else { break };
                    if interrupt::requested() {
                        change.state =
                            State::Failed(anyhow!("interrupted before it was begun; it is as it was"));
                        continue;
                    }
                    change.state = apply(change, number, world, journal);
                    // The other end waits for the last of us.
                    let _ = done.send(change);
                }
            });
        }
        drop(done);
        for (change, through) in results.iter().zip(1..) {
            audience.progress(change, through, total);
        }
    });
}

/// Changes that are under way at the same time. libvirtd works on several guests at once, and while it does, kvmnet has
/// nothing else to do.
const AT_ONCE: usize = 4;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes one change through apply, verify and record.
fn apply(change: &mut Change, number: usize, world: &World<'_>, journal: &Mutex<Journal>) -> State {
    let written = locked(journal).opened(number, change.target(), &change.headline, &change.steps);
    // The lock is free again while the disk is waited for.
    let on_disk = written.and_then(|disk| disk.wait().context("cannot write the journal"));
    if let Err(e) = on_disk {
        return State::Failed(e.context("it is as it was"));
    }
    let mut stored = Vec::new();
    for step in &change.steps {
        match replace(step, world) {
            Ok(text) => stored.push(text),
            Err(Failure { error, stands }) => {
                if let Some(not_as_before) = error.downcast_ref::<NotAsBefore>() {
                    // Its own way back was taken, and what that couldn't do can't be done by doing it again.
                    let help = not_as_before.help;
                    return State::PartWay(Problem::because(error, "failed part-way", help));
                }
                let is_new = matches!(step.place, Place::Network { .. }) && step.before.is_none();
                let was_made = is_new && matches!(step.place.read(world), Ok(Some(_)));
                let mut faults = match stands {
                    Stands::Nothing => Vec::new(),
                    Stands::Ours(seen) => put_back(step, seen.as_ref(), world).err().into_iter().collect(),
                    Stands::Theirs => vec![format!("{} was left alone", step.place.what())],
                };
                let done = change.steps.iter().zip(&stored).rev();
                faults.extend(done.filter_map(|(step, seen)| put_back(step, Some(seen), world).err()));
                if faults.is_empty() {
                    let error = match was_made {
                        true => error.context("its definition was taken back"),
                        false => error,
                    };
                    locked(journal).closed(number, &Outcome::Failed { why: message(&error) });
                    return State::Failed(error);
                }
                faults.extend(change.steps.iter().filter_map(|step| step.place.harm(world)));
                let id = locked(journal).id(number);
                change.id = Some(id.clone());
                // The same twice says no more.
                faults.retain(|fault| *fault != message(&error));
                let why = match faults.is_empty() {
                    true => "it could not be put back as it was".into(),
                    false => format!("it could not be put back as it was ({})", faults.join("; ")),
                };
                let help = format!("kvmnet undo {id}");
                return State::PartWay(Problem::because(error.context(why), "failed part-way", help));
            }
        }
    }
    let differs = |step: &Step, text: Option<String>| if text == step.after { None } else { text };
    let stored = change.steps.iter().zip(stored).map(|(step, text)| differs(step, text)).collect();
    locked(journal).closed(number, &Outcome::Applied { stored });
    if let Some((run, undone)) = change.undoes {
        locked(journal).mark_undone(run, undone);
    }
    change.id = Some(locked(journal).id(number));
    State::Applied
}

/// Why a step failed, and what stands there now.
struct Failure {
    error: anyhow::Error,
    stands: Stands,
}

/// What stands where a step failed.
enum Stands {
    /// Nothing of ours.
    Nothing,
    /// What we put there, or a part of it; the text, if it could be read.
    Ours(Option<Option<String>>),
    /// What somebody else wrote since, perhaps with something of ours in it.
    Theirs,
}

/// One step: is it still what it was? Replace it. Is it what was asked? Returns what was really stored.
fn replace(step: &Step, world: &World<'_>) -> Result<Option<String>, Failure> {
    let Step { place, before, after } = step;
    let failed = |error, stands| Failure { error, stands };
    let is_same = place.read(world).map_err(|e| failed(e, Stands::Nothing))? == *before;
    let part = || if place.takes_several_calls() { Stands::Ours(None) } else { Stands::Nothing };
    let swapped =
        is_same && place.swap(world, before.as_deref(), after.as_deref()).map_err(|e| failed(e, part()))?;
    if !swapped {
        let error = Problem::new(
            format!("{} has changed since the preview was made; it is left alone", place.what_of_it()),
            "run the same command again and look at the new preview",
        );
        return Err(failed(error, Stands::Nothing));
    }
    let stored = place
        .read(world)
        .map_err(|e| failed(e.context("cannot verify what was stored"), Stands::Ours(None)))?;
    let agrees = place.agrees(before.as_deref(), after.as_deref(), stored.as_deref());
    let Err(why) = agrees else { return Ok(stored) };
    let what = place.what_of_it();
    if place.made_of(before.as_deref(), after.as_deref(), stored.as_deref()) {
        let error = anyhow!("{what} is not what was asked for ({why}); what stood there before was put back");
        return Err(failed(error, Stands::Ours(Some(stored))));
    }
    let error = Problem::new(
        format!("somebody else changed {what} at the same time ({why}); it is left as they want it"),
        "look at it, and run the same command again",
    );
    // libvirt's may hold something of ours; of a file it is all or nothing, and so it is of what is gone.
    let may_hold =
        matches!(place, Place::Definition { .. } | Place::SavedImage { .. } | Place::Network { .. });
    Err(failed(error, if may_hold && stored.is_some() { Stands::Theirs } else { Stands::Nothing }))
}

/// Puts back what stood there before, unless that [can't be](Place::can_go_back), or somebody else has written there since: `seen` is what was read after the
/// step was made, if it could be.
fn put_back(step: &Step, seen: Option<&Option<String>>, world: &World<'_>) -> Result<(), String> {
    let Step { place, before, after } = step;
    if !place.can_go_back() {
        return Ok(());
    }
    let said = |e: anyhow::Error| message(&e);
    let now = place.read(world).map_err(said)?;
    if now == *before {
        return place.make_whole(world).map_err(said);
    }
    let is_as_seen = |seen: &Option<String>| {
        // The text of a running NIC is another one at each look.
        now == *seen
            || matches!(place, Place::RunningNic { .. })
                && place.agrees(None, seen.as_deref(), now.as_deref()).is_ok()
    };
    let is_ours = match seen {
        Some(seen) => is_as_seen(seen),
        None => place.made_of(before.as_deref(), after.as_deref(), now.as_deref()),
    };
    if !is_ours || !place.swap(world, now.as_deref(), before.as_deref()).map_err(said)? {
        return Err(format!("somebody else has changed {} since; it is left alone", place.what()));
    }
    let now = place.read(world).map_err(said)?;
    place.agrees(before.as_deref(), before.as_deref(), now.as_deref())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io;
    use std::path::Path;

    use super::*;
    use crate::plan::{Consent, Plan, RunHeader, Subject, read_all, undo};
    use crate::sys::fake::{Fake, Storing};

    const OLD: &str = "<domain><name>g</name><uuid>u</uuid><devices><interface type='network'><source network='n'/>\
                       <keep/></interface></devices></domain>";
    const IMAGE: &str = "<domain><name>g</name><devices><interface type='network'/></devices></domain>";

    /// Nobody looks.
    struct Silent;

    impl Audience for Silent {
        fn preview(&mut self, _: &[Change]) -> io::Result<()> {
            Ok(())
        }
        fn ask(&mut self, _: usize) -> io::Result<bool> {
            Ok(false)
        }
        fn progress(&mut self, _: &Change, _: usize, _: usize) {}
    }

    fn new(text: &str) -> String {
        text.replace("network='n'", "bridge='b'").replace("type='network'", "type='bridge'")
    }

    /// A guest with a saved image, and the plan that changes both.
    fn guest() -> (Fake, Change) {
        let fake = Fake::default();
        fake.state().definitions.insert("u".into(), OLD.into());
        fake.state().saved.insert("u".into(), IMAGE.into());
        let mut change = Change::new(Subject::Guest { name: "g".into(), uuid: "u".into() });
        let step =
            |place, before: &str| Step { place, before: Some(before.into()), after: Some(new(before)) };
        change.steps = vec![
            step(Place::SavedImage { uuid: "u".into() }, IMAGE),
            step(Place::Definition { uuid: "u".into() }, OLD),
        ];
        change.state = State::Planned;
        (fake, change)
    }

    /// The definition and the saved image.
    fn texts(fake: &Fake) -> (String, String) {
        let state = fake.state();
        (state.definitions["u"].clone(), state.saved["u"].clone())
    }

    fn carry_out(fake: &Fake, change: Change, folder: &Path) -> Change {
        let shown = Plan::new(vec![change], false).preview(&mut Silent).unwrap();
        let confirmed = shown.confirm(Consent::Given, &mut Silent).unwrap();
        let world = World { host: Some(fake), ..World::default() };
        let done = confirmed.apply(&world, folder, &RunHeader::default(), &mut Silent).unwrap();
        done.into_iter().next().unwrap()
    }

    fn undone(fake: &Fake, folder: &Path) -> Change {
        let runs = read_all(folder).unwrap();
        let run = undo::candidates(&runs).next().unwrap();
        undo::plan(
            run,
            &run.entries[0],
            undo::was_cut_short(&runs, run, &run.entries[0]),
            &World { host: Some(fake), ..World::default() },
        )
    }

    #[test]
    fn applied_and_undone() {
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::Applied), "{:?}", done.state);
        assert_eq!(fake.state().definitions["u"], new(OLD));
        let back = carry_out(&fake, undone(&fake, dir.path()), dir.path());
        assert!(matches!(back.state, State::Applied), "{:?}", back.state);
        assert_eq!(texts(&fake), (OLD.into(), IMAGE.into()));
        let runs = read_all(dir.path()).unwrap();
        assert_eq!(runs[0].entries[0].outcome, Some(Outcome::Undone { by: 2 }));
    }

    #[test]
    fn several_guests_are_changed_at_once() {
        let (dir, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        fake.state().slowness = std::time::Duration::from_millis(50);
        let changes = (0..AT_ONCE).map(|n| {
            let (uuid, old) = (n.to_string(), OLD.replace(">u<", &format!(">{n}<")));
            fake.state().definitions.insert(uuid.clone(), old.clone());
            let mut change = Change::new(Subject::Guest { name: uuid.clone(), uuid: uuid.clone() });
            let after = Some(new(&old));
            change.steps = vec![Step { place: Place::Definition { uuid }, before: Some(old), after }];
            change.state = State::Planned;
            change
        });
        let world = World { host: Some(&fake), ..World::default() };
        let shown = Plan::new(changes.collect(), false).preview(&mut Silent).unwrap();
        let confirmed = shown.confirm(Consent::Given, &mut Silent).unwrap();
        let done = confirmed.apply(&world, dir.path(), &RunHeader::default(), &mut Silent).unwrap();
        assert!(done.iter().all(|change| matches!(change.state, State::Applied)));
        assert!(fake.state().storing_now.1 > 1, "one after the other");
    }

    #[test]
    fn a_step_that_fails_takes_those_before_it_back() {
        for (storing, stored) in [(Storing::Refused, 1), (Storing::WrongOnce, 2)] {
            let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
            fake.state().storing = storing;
            let done = carry_out(&fake, change, dir.path());
            assert!(matches!(done.state, State::Failed(_)), "{:?}", done.state);
            assert_eq!(texts(&fake), (OLD.into(), IMAGE.into()));
            assert_eq!(fake.state().stored, stored);
        }
    }

    #[test]
    fn what_cannot_be_put_back_is_said_and_can_be_undone_later() {
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        fake.state().storing = Storing::Wrong;
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::PartWay(_)), "{:?}", done.state);
        assert_eq!(fake.state().saved["u"], IMAGE, "the rest was put back");
        fake.state().storing = Storing::Right;
        let back = undone(&fake, dir.path());
        assert!(
            matches!(back.state, State::Failed(_)),
            "libvirt stored what nobody asked for: {:?}",
            back.state
        );
    }

    #[test]
    fn what_somebody_else_defines_in_between_is_left_alone() {
        // They had read the old definition, and theirs comes right behind ours: nothing may write over it.
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        fn theirs() -> String {
            OLD.replace("<name>g", "<title>new</title><name>g")
        }
        fake.state().meanwhile = Some(|state| {
            state.definitions.insert("u".into(), theirs());
        });
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::PartWay(_)), "{:?}", done.state);
        assert!(crate::problem::render(done.error().unwrap()).contains("somebody else"), "{:?}", done.state);
        assert_eq!(texts(&fake), (theirs(), IMAGE.into()), "the saved image was put back");
        assert!(matches!(undone(&fake, dir.path()).state, State::Failed(_)));
    }

    #[test]
    fn what_somebody_else_does_to_an_earlier_step_is_left_alone() {
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        fake.state().storing = Storing::Refused;
        fake.state().meanwhile = Some(|state| {
            state.saved.insert("u".into(), "<domain/>".into());
        });
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::PartWay(_)), "{:?}", done.state);
        assert_eq!(texts(&fake), (OLD.into(), "<domain/>".into()));
    }

    #[test]
    fn a_guest_that_is_removed_in_between_stays_removed() {
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        fake.state().meanwhile = Some(|state| state.definitions.clear());
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::Failed(_)), "{:?}", done.state);
        assert!(fake.state().definitions.is_empty());
        assert_eq!(fake.state().saved["u"], IMAGE, "the rest was put back");
    }

    #[test]
    fn a_file_is_put_back_only_if_it_is_as_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xml");
        let place = Place::File { path: path.clone(), mode: None };
        let step = Step { place, before: Some("old".into()), after: Some("new".into()) };
        for (now, seen, then) in [
            ("new", Some(Some("new".into())), "old"),
            ("new", None, "old"),
            ("old", Some(Some("new".into())), "old"),
            ("theirs", Some(Some("new".into())), "theirs"),
            ("theirs", None, "theirs"),
        ] {
            std::fs::write(&path, now).unwrap();
            let back = put_back(&step, seen.as_ref(), &World::default());
            assert_eq!((back.is_ok(), std::fs::read_to_string(&path).unwrap()), (then == "old", then.into()));
        }
    }

    #[test]
    fn a_definition_that_changed_meanwhile_is_left_alone() {
        let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
        let other = OLD.replace("<name>g", "<title>new</title><name>g");
        fake.state().definitions.insert("u".into(), other.clone());
        let done = carry_out(&fake, change, dir.path());
        assert!(matches!(done.state, State::Failed(_)));
        assert_eq!(texts(&fake), (other, IMAGE.into()));
    }

    #[test]
    fn killed_after_any_step_undo_puts_it_right() {
        for killed_after in 0..=2 {
            let (dir, (fake, change)) = (tempfile::tempdir().unwrap(), guest());
            let world = World { host: Some(&fake), ..World::default() };
            let mut journal = Journal::begin(dir.path(), &RunHeader::default(), 1).unwrap();
            journal.opened(1, &change.subject, &[], &change.steps).unwrap();
            for step in &change.steps[..killed_after] {
                step.place.put(&world, step.after.as_deref()).unwrap();
            }
            drop(journal);
            let back = undone(&fake, dir.path());
            assert_eq!(back.steps.len(), killed_after);
            if killed_after > 0 {
                assert!(matches!(carry_out(&fake, back, dir.path()).state, State::Applied));
            }
            assert_eq!(texts(&fake), (OLD.into(), IMAGE.into()));
        }
    }
}
