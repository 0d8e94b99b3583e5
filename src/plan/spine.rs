//! Preview, confirm, apply, verify, record.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use anyhow::{Context as _, Result, anyhow};

use super::change::{Change, State, Step};
use super::journal::{Journal, Outcome, RunHeader, lock};
use super::place::World;
use crate::problem::{Problem, message};
use crate::sys::interrupt;

/// Who sees the preview and answers the question.
pub trait Audience {
    /// Shows the changes, whatever their state.
    ///
    /// # Errors
    /// They can't be shown; then nothing is applied.
    fn preview(&mut self, changes: &[Change]) -> io::Result<()>;

    /// Asks whether `pending` changes shall be made.
    ///
    /// # Errors
    /// The terminal is gone; that is a no.
    fn ask(&mut self, pending: usize) -> io::Result<bool>;

    /// Says how one change went, and how many of `total` are through.
    fn progress(&mut self, change: &Change, through: usize, total: usize);
}

/// Who says yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The command line did (`--yes`), or nothing that exists is changed.
    Given,
    /// Somebody at the terminal will be asked.
    Ask,
    /// Nobody can: there is no terminal, and no `--yes`.
    Nobody,
}

/// What somebody wants to be done.
#[derive(Debug)]
pub struct Plan(Vec<Change>);

/// A plan that was shown.
#[derive(Debug)]
pub struct Previewed(Vec<Change>);

/// A plan that was shown and agreed to.
#[derive(Debug)]
pub struct Confirmed(Vec<Change>);

/// A plan that won't be carried out: its changes, and why not.
#[derive(Debug)]
pub struct Declined {
    /// The changes, as they were shown.
    pub changes: Vec<Change>,
    /// Why nothing was done; `None` if there was nothing to do.
    pub why: Option<anyhow::Error>,
}

impl Plan {
    /// A plan of these changes. One that a warning stops is failed, unless `force` is set.
    pub fn new(mut changes: Vec<Change>, force: bool) -> Plan {
        for change in changes.iter_mut().filter(|c| c.is_planned()) {
            if let Some(stop) = change.warnings.iter().find(|w| w.stops && !force) {
                change.state =
                    State::Failed(Problem::new(stop.message.clone(), "--force goes on all the same"));
            }
        }
        Plan(changes)
    }

    /// Shows every change.
    ///
    /// # Errors
    /// The preview can't be shown (a closed pipe, a full disk).
    pub fn preview(self, audience: &mut dyn Audience) -> io::Result<Previewed> {
        audience.preview(&self.0)?;
        Ok(Previewed(self.0))
    }
}

impl Previewed {
    /// The changes.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// The changes, for a dry run that ends here.
    pub fn into_changes(self) -> Vec<Change> {
        self.0
    }

    /// Gets a yes, or ends here.
    ///
    /// # Errors
    /// [`Declined`]: nothing to do, a no, or nobody to ask.
    pub fn confirm(self, consent: Consent, audience: &mut dyn Audience) -> Result<Confirmed, Declined> {
        let pending = self.0.iter().filter(|c| c.is_planned()).count();
        let declined = |changes, why| Err(Declined { changes, why });
        if pending == 0 {
            return declined(self.0, None);
        }
        match consent {
            Consent::Given => Ok(Confirmed(self.0)),
            Consent::Nobody => declined(
                self.0,
                Some(Problem::new(
                    "there is no terminal to ask for a yes; nothing was changed",
                    "add -y (--yes)",
                )),
            ),
            Consent::Ask => match audience.ask(pending) {
                Ok(true) => Ok(Confirmed(self.0)),
                Ok(false) => declined(self.0, Some(anyhow!("not confirmed; nothing was changed"))),
                Err(e) => declined(self.0, Some(anyhow!("cannot ask ({e}); nothing was changed"))),
            },
        }
    }
}

impl Confirmed {
    /// Leaves it all be.
    pub fn decline(self, why: anyhow::Error) -> Declined {
        Declined { changes: self.0, why: Some(why) }
    }

    /// Makes the changes, a few at a time, with a journal in `folder`; one that fails doesn't stop the others. Runs that
    /// share the folder wait for each other, so that none replaces what another is just about to.
    ///
    /// # Errors
    /// The journal can't be begun; then nothing was changed.
    pub fn apply(
        self,
        world: &World<'_>,
        folder: &Path,
        header: &RunHeader,
        audience: &mut dyn Audience,
    ) -> Result<Vec<Change>, Declined> {
        let mut changes = self.0;
        let total = changes.iter().filter(|c| c.is_planned()).count();
        // From here on a signal waits until what is begun is done.
        interrupt::changing();
        let begun = lock(folder).and_then(|lock| Ok((lock, Journal::begin(folder, header, total)?)));
        let (_lock, journal) = match begun {
            Ok((lock, journal)) => (lock, Mutex::new(journal)),
            Err(e) => return Err(Declined { changes, why: Some(e.context("nothing was changed")) }),
        };
        in_parallel(&mut changes, world, &journal, audience);
        journal.into_inner().unwrap_or_else(PoisonError::into_inner).end();
        Ok(changes)
    }
}

/// Makes the changes that are planned, each one whole by one of a few threads.
fn in_parallel(
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
    let written = locked(journal).opened(number, &change.subject, &change.headline, &change.steps);
    // The lock is free again while the disk is waited for.
    let on_disk = written.and_then(|disk| disk.wait().context("cannot write the journal"));
    if let Err(e) = on_disk {
        return State::Failed(e.context("it is as it was"));
    }
    let mut stored = Vec::new();
    for (done, step) in change.steps.iter().enumerate() {
        match replace(step, world) {
            Ok(text) => stored.push(text),
            Err(Failure { error, stands }) => {
                let to_put_back = &change.steps[..done + usize::from(stands)];
                let faults: Vec<String> =
                    to_put_back.iter().rev().filter_map(|step| put_back(step, world).err()).collect();
                if faults.is_empty() {
                    locked(journal).closed(number, &Outcome::Failed { why: message(&error) });
                    return State::Failed(error);
                }
                change.id = Some(locked(journal).id(number));
                let id = locked(journal).id(number);
                let error =
                    error.context(format!("it could not be put back as it was ({})", faults.join("; ")));
                return State::PartWay(
                    error.context(Problem::new("failed part-way", format!("kvmnet undo {id}"))),
                );
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

/// Why a step failed, and whether something of it stands.
struct Failure {
    error: anyhow::Error,
    stands: bool,
}

/// One step: is it still what it was? Replace it. Is it what was asked? Returns what was really stored.
fn replace(step: &Step, world: &World<'_>) -> Result<Option<String>, Failure> {
    let Step { place, before, after } = step;
    let fine = |error| Failure { error, stands: false };
    let now = place.read(world).map_err(fine)?;
    if now != *before {
        return Err(fine(Problem::new(
            format!("{} has changed since the preview was made; it is left alone", place.what()),
            "run the same command again and look at the new preview",
        )));
    }
    let stands = place.takes_several_calls();
    place.put(world, after.as_deref()).map_err(|error| Failure { error, stands })?;
    let broken = |error| Failure { error, stands: true };
    let stored = place.read(world).map_err(|e| broken(e.context("cannot verify what was stored")))?;
    place.agrees(before.as_deref(), after.as_deref(), stored.as_deref()).map_err(|why| {
        broken(anyhow!(
            "{} is not what was asked for ({why}); what stood there before was put back",
            place.what()
        ))
    })?;
    Ok(stored)
}

fn put_back(step: &Step, world: &World<'_>) -> Result<(), String> {
    let Step { place, before, .. } = step;
    if place.read(world).is_ok_and(|now| now == *before) {
        return Ok(());
    }
    let said = |e: anyhow::Error| message(&e);
    place.put(world, before.as_deref()).map_err(said)?;
    let now = place.read(world).map_err(said)?;
    place.agrees(before.as_deref(), before.as_deref(), now.as_deref())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plan::{Place, Subject, read_all, undo};
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
        let done = confirmed
            .apply(
                &World { host: Some(fake), ..World::default() },
                folder,
                &RunHeader::default(),
                &mut Silent,
            )
            .unwrap();
        done.into_iter().next().unwrap()
    }

    fn undone(fake: &Fake, folder: &Path) -> Change {
        let runs = read_all(folder).unwrap();
        let run = undo::candidates(&runs).next().unwrap();
        undo::plan(run, &run.entries[0], &World { host: Some(fake), ..World::default() })
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
        let confirmed = Confirmed(changes.collect());
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
