//! Fixes that would do harm are taken away: what libvirt takes as it stands, a fix must not turn into what it refuses.

use std::collections::HashMap;

use super::report::Found;
use super::rule::Severity;
use crate::xml::Edits;

/// So often the rules look at a text with fixes in it; fixes that were in none by then are taken away.
const TRIES: usize = 32;

/// Leaves warnings those fixes that bring no error with them: a word that libvirt dropped may be one that it refuses there.
/// `look` says what is found in a text; nothing if it is no XML. Fixes of errors stay, for libvirt refuses the text anyway.
pub(super) fn keep(found: &mut [Found], text: &str, look: impl Fn(&str) -> Option<Vec<Found>>) {
    let is_doubtful = |found: &Found| found.rule.severity == Severity::Warning && found.fix.is_some();
    let doubtful: Vec<usize> = (0..found.len()).filter(|at| is_doubtful(&found[*at])).collect();
    if doubtful.is_empty() {
        return;
    }
    let before = errors(found);
    let is_harmless = |edits: &Edits| {
        let after = look(&edits.apply(text));
        after.is_some_and(|after| errors(&after).iter().all(|(code, count)| before.get(code) >= Some(count)))
    };
    let mut kept = Edits::default();
    let (mut groups, mut tries) = (vec![doubtful], 0);
    while let Some(mut group) = groups.pop() {
        let mut edits = kept.clone();
        for edit in group.iter().filter_map(|at| found[*at].fix.as_ref()).flat_map(Edits::iter) {
            edits.push(edit.range.clone(), edit.text.clone());
        }
        tries += 1;
        if tries <= TRIES && is_harmless(&edits) {
            kept = edits;
        } else if group.len() > 1 && tries < TRIES {
            let second = group.split_off(group.len() / 2);
            groups.extend([second, group]);
        } else {
            group.iter().for_each(|at| found[*at].fix = None);
        }
    }
}

/// How many errors there are of each rule.
fn errors(found: &[Found]) -> HashMap<&'static str, usize> {
    let mut out = HashMap::new();
    for found in found.iter().filter(|found| found.rule.severity == Severity::Error) {
        *out.entry(found.rule.code).or_default() += 1;
    }
    out
}
