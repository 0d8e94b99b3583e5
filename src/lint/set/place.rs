//! Finds the lines that findings about the set point at: of the few files that have any.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::facts::{Facts, Mark};
use super::report::SetFound;
use crate::lint::file::check_file;
use crate::lint::finding::{Finding, Place, Placer};
use crate::problem::Problem;
use crate::xml::Doc;

/// The places of one file, by the bytes that they are.
type Places = HashMap<Range<usize>, Place>;

/// Findings with their lines.
#[derive(Debug, Default)]
pub struct Placed {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Files that can't be read again as they were, and why. Nothing that was found in them is among the findings.
    pub lost: Vec<(Arc<Path>, anyhow::Error)>,
}

/// Reads the files that are pointed at once more, with `read`, and shows their lines. They are among `facts`.
pub fn place<'f, 'r>(
    found: Vec<SetFound>,
    facts: impl Iterator<Item = &'f Facts>,
    read: impl Fn(&Path) -> Result<Cow<'r, [u8]>> + Sync,
) -> Placed {
    let mut spans: HashMap<&Path, Vec<Range<usize>>> = HashMap::new();
    for mark in found.iter().flat_map(SetFound::marks) {
        spans.entry(&mark.file).or_default().push(mark.span.clone());
    }
    let of: Vec<_> = facts.filter_map(|facts| Some((facts, spans.remove(&*facts.file)?))).collect();
    let each = |(facts, spans): (&'_ Facts, Vec<_>)| (facts.file.clone(), places(facts, spans, &read));
    let of: Vec<(Arc<Path>, Result<Places>)> = of.into_par_iter().map(each).collect();
    let (mut known, mut out) = (HashMap::new(), Placed::default());
    for (file, places) in of {
        match places {
            Ok(places) => drop(known.insert(file, places)),
            Err(error) => out.lost.push((file, error)),
        }
    }
    let place = |mark: &Mark| known.get(&mark.file)?.get(&mark.span).cloned();
    out.findings = found.into_iter().filter_map(|found| found.placed(place)).collect();
    out
}

/// The places of these bytes of a file.
fn places<'r>(
    facts: &Facts,
    spans: Vec<Range<usize>>,
    read: &impl Fn(&Path) -> Result<Cow<'r, [u8]>>,
) -> Result<Places> {
    let bytes = read(&facts.file)?;
    let again = check_file(&facts.file, &bytes, &facts.settings).ok().and_then(|checked| checked.facts);
    if !again.is_some_and(|again| again.part == facts.part) {
        let help = "run kvmnet check again when nothing writes to it";
        return Err(Problem::new("it was changed while it was checked", help));
    }
    let mut plain = String::new();
    let text = Doc::decode(&bytes)?;
    let (doc, undeclared) = Doc::parse_undeclared(text, &mut plain)?;
    let placer = Placer::new(&facts.file, &doc);
    let place = |span: Range<usize>| {
        let mut place = placer.place(span.clone());
        if undeclared.is_some() {
            place.guard(text);
        }
        (span, place)
    };
    Ok(spans.into_iter().map(place).collect())
}
