//! Findings, for people and for programs: one type in, one document each out.

mod github;
mod human;
mod json;
mod junit;
mod sarif;
mod uri;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use github::github;
pub use human::human;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;

use crate::lint::{Finding, Place, Severity};
use crate::problem::{escaped, message, render};

/// A file that couldn't be checked.
#[derive(Debug)]
pub struct Unchecked {
    /// The file.
    pub file: Arc<Path>,
    /// Why, and what to do.
    pub error: anyhow::Error,
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.file), render(&self.error))
    }
}

impl Unchecked {
    /// Why, on one line.
    pub fn reason(&self) -> String {
        message(&self.error)
    }
}

/// What is wrong, and on a line of its own what to do.
fn words(finding: &Finding) -> String {
    match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    }
}

/// `vm/web1.xml:3:7`
fn at(place: &Place) -> String {
    format!("{}:{}:{}", escaped(tidy(&place.file)), place.line, place.column)
}

/// The path as it stands in a repository: `kvmnet check .` finds `./vm/web1.xml`.
fn tidy(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        Ok(inside) if inside != Path::new("") => inside,
        _ => path,
    }
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were looked at.
    pub files: usize,
    /// The hosts that they were taken to be for, by how they lie in folders, if several.
    pub hosts: usize,
    /// Errors in them.
    pub errors: usize,
    /// Warnings in them.
    pub warnings: usize,
    /// Findings that come with a fix.
    pub fixable: usize,
    /// Files that couldn't be checked.
    pub unchecked: usize,
}

impl Summary {
    /// Counts; `files` were gathered.
    pub fn of(files: usize, findings: &[Finding], unchecked: &[Unchecked]) -> Summary {
        let errors = findings.iter().filter(|f| f.severity == Severity::Error).count();
        Summary {
            files,
            hosts: 0,
            errors,
            warnings: findings.len() - errors,
            fixable: findings.iter().filter(|f| f.fix.is_some()).count(),
            unchecked: unchecked.len(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        write!(f, "{} checked", many(self.files, "file"))?;
        if self.hosts > 1 {
            write!(f, ", taken to be for {} hosts", self.hosts)?;
        }
        write!(f, ": ")?;
        match (self.errors, self.warnings) {
            (0, 0) => write!(f, "nothing found")?,
            (errors, 0) => write!(f, "{}", many(errors, "error"))?,
            (0, warnings) => write!(f, "{}", many(warnings, "warning"))?,
            (errors, warnings) => write!(f, "{}, {}", many(errors, "error"), many(warnings, "warning"))?,
        }
        if self.fixable > 0 {
            write!(
                f,
                "; --fix mends {}",
                if self.fixable == self.errors + self.warnings {
                    "all of it".into()
                } else {
                    format!("{} of them", self.fixable)
                }
            )?;
        }
        match self.unchecked {
            0 => Ok(()),
            some => write!(f, "; {} couldn't be checked", many(some, "file")),
        }
    }
}
