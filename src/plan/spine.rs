//! Preview and confirm; what comes after stands in [`super::apply`].

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};

use super::apply::in_parallel;
use super::change::{Change, State};
use super::journal::{Journal, RunHeader, lock};
use super::place::World;
use crate::problem::Problem;
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

    /// Another run is making changes, and is waited for.
    fn waits(&mut self) {}

    /// From now on changes are made.
    fn begins(&mut self) {}

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
        let lock = match world.held {
            Some(_) => Ok(None),
            None => lock(folder, || audience.waits()).map(Some),
        };
        let begun = lock.and_then(|lock| {
            // From here on a signal waits until what is begun is done.
            interrupt::changing();
            Ok((lock, Journal::begin(folder, header, total)?))
        });
        let (_lock, journal) = match begun {
            Ok((lock, journal)) => (lock, Mutex::new(journal)),
            Err(e) => return Err(Declined { changes, why: Some(e.context("nothing was changed")) }),
        };
        audience.begins();
        in_parallel(&mut changes, world, &journal, audience);
        journal.into_inner().unwrap_or_else(PoisonError::into_inner).end();
        Ok(changes)
    }
}
