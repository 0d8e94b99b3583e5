//! One guest or file, and what shall become of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::model::Warning;
use crate::problem::escaped;

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A guest that libvirt knows.
    Guest {
        /// Its name.
        name: String,
        /// Its UUID.
        uuid: String,
    },
    /// A network that libvirt knows, or will.
    Network(String),
    /// A bridge of this host's.
    Bridge(String),
    /// A file, named as the user did.
    File(#[serde(with = "super::path")] PathBuf),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Subject::Guest { name, .. } => write!(f, "guest '{name}'"),
            Subject::Network(name) => write!(f, "network '{name}'"),
            Subject::Bridge(name) => write!(f, "bridge '{name}'"),
            Subject::File(path) => f.write_str(&escaped(path)),
        }
    }
}

/// One text to replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// What stands there when the plan is made; `None` for nothing.
    pub before: Option<String>,
    /// What shall stand there; `None` for nothing.
    pub after: Option<String>,
}

impl Step {
    /// Does a network become another, or stop and start? One that stays as it is may still get back what was plugged into
    /// its bridge.
    pub fn changes_network(&self) -> bool {
        matches!(self.place, Place::Network { restart, .. } if restart || self.before != self.after)
    }
}

/// How far a change has come.
#[derive(Debug, Default)]
pub enum State {
    /// To be done.
    #[default]
    Planned,
    /// There is nothing to do.
    Unchanged,
    /// Done and verified.
    Applied,
    /// It can't be done, or failed; nothing of it stands.
    Failed(anyhow::Error),
    /// It failed and couldn't be put back; some of it stands.
    PartWay(anyhow::Error),
}

/// The states in a word, as programs read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// To be done.
    Planned,
    /// Done and verified.
    Applied,
    /// Nothing to do.
    Unchanged,
    /// Not done.
    Failed,
}

/// What is to be done to one guest or file: all of it or nothing.
#[derive(Debug)]
pub struct Change {
    /// The guest or file.
    pub subject: Subject,
    /// What is written, where that isn't the subject itself: another file is made of it.
    pub written: Option<Subject>,
    /// What to replace, in order.
    pub steps: Vec<Step>,
    /// What it does, a line each: `NIC 1 (52:…): network 'default' → bridge 'br0'`.
    pub headline: Vec<String>,
    /// The unified diff of exactly what will be written, secrets masked.
    pub diff: String,
    /// What it means for the guest or host.
    pub meaning: Vec<String>,
    /// What to know before saying yes.
    pub warnings: Vec<Warning>,
    /// Why nothing, or not more, is to be done.
    pub remarks: Vec<String>,
    /// The verb's own part of the JSON output.
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// How far it has come.
    pub state: State,
    /// Its number in the journal, once there.
    pub id: Option<String>,
    /// The change (run, and number in the run) that this one puts back.
    pub undoes: Option<(u64, usize)>,
}

impl Change {
    /// A change of `subject` of which nothing is known yet.
    pub fn new(subject: Subject) -> Change {
        Change {
            subject,
            written: None,
            steps: Vec::new(),
            headline: Vec::new(),
            diff: String::new(),
            meaning: Vec::new(),
            warnings: Vec::new(),
            remarks: Vec::new(),
            detail: serde_json::Map::new(),
            state: State::Unchanged,
            id: None,
            undoes: None,
        }
    }

    /// A change that can't even be planned.
    pub fn failed(subject: Subject, error: anyhow::Error) -> Change {
        Change { state: State::Failed(error), ..Change::new(subject) }
    }

    /// What it changes, when it is applied.
    pub fn target(&self) -> &Subject {
        self.written.as_ref().unwrap_or(&self.subject)
    }

    /// Is it still to be done?
    pub fn is_planned(&self) -> bool {
        matches!(self.state, State::Planned)
    }

    /// The state in a word.
    pub fn status(&self) -> Status {
        match self.state {
            State::Planned => Status::Planned,
            State::Unchanged => Status::Unchanged,
            State::Applied => Status::Applied,
            State::Failed(_) | State::PartWay(_) => Status::Failed,
        }
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&anyhow::Error> {
        match &self.state {
            State::Failed(e) | State::PartWay(e) => Some(e),
            _ => None,
        }
    }
}
