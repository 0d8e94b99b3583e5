//! SARIF 2.1.0, for code scanning.

mod model;
mod prose;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::Path;

use super::uri::uri;
use super::{Unchecked, words};
use crate::lint::{Finding, Place, Rule, Splice};
use crate::problem::render;
use model::{
    ArtifactChange, ArtifactLocation, Base, BaseIds, Configuration, Content, Descriptor, Driver,
    Fingerprints, Fix, Invocation, Location, Log, Notification, PhysicalLocation, Region, Replacement, Run,
    SarifResult, Text, Tool,
};
use prose::{help, message, sentence};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Prints the log: one run, with the rules that found something.
///
/// # Errors
/// It can't be written.
pub fn sarif(out: &mut dyn Write, findings: &[Finding], unchecked: &[Unchecked]) -> io::Result<()> {
    let rules: BTreeMap<&str, &'static Rule> =
        findings.iter().map(|finding| (finding.rule.code, finding.rule)).collect();
    let index: HashMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let mut seen = HashMap::new();
    let result = |finding| result(finding, index[finding.rule.code], &mut seen);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "kvmnet",
                version: env!("CARGO_PKG_VERSION"),
                information_uri: Some(env!("CARGO_PKG_REPOSITORY")).filter(|uri| !uri.is_empty()),
                rules: rules.values().map(|rule| descriptor(rule)).collect(),
            },
        },
        invocations: [Invocation {
            execution_successful: unchecked.is_empty(),
            tool_execution_notifications: unchecked.iter().map(notification).collect(),
        }],
        // Whoever reads it knows best where the files are by then.
        original_uri_base_ids: BaseIds {
            source_root: Base { description: Text { text: "The folder in which kvmnet ran.".into() } },
        },
        column_kind: "unicodeCodePoints",
        results: findings.iter().map(result).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    writeln!(out)
}

fn descriptor(rule: &Rule) -> Descriptor {
    Descriptor {
        id: rule.code,
        name: rule.name,
        short_description: Text { text: message(&sentence(rule.summary)) },
        full_description: Text { text: message(rule.why) },
        help: help(rule),
        default_configuration: Configuration { level: rule.severity.as_str() },
    }
}

fn result<'f>(finding: &'f Finding, rule_index: usize, seen: &mut HashMap<u64, usize>) -> SarifResult<'f> {
    let Finding { rule, severity, place, label, help, also, splices, .. } = finding;
    let related = also
        .iter()
        .zip(1..)
        .map(|((place, words), id)| Location { id: Some(id), ..location(place, Some(words)) });
    let fix = (!splices.is_empty()).then(|| Fix {
        description: Text { text: message(help.as_ref().unwrap_or(&finding.message)) },
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&place.file),
            replacements: splices.iter().map(replacement).collect(),
        }],
    });
    SarifResult {
        rule_id: rule.code,
        rule_index,
        level: severity.as_str(),
        message: Text { text: message(&words(finding)) },
        locations: [location(place, label.as_ref())],
        related_locations: related.collect(),
        partial_fingerprints: fingerprint(finding, seen),
        fixes: fix.into_iter().collect(),
    }
}

/// What a finding is known by from run to run: its rule, and what stands in its lines, not where. The same again in the
/// same file counts on.
fn fingerprint(finding: &Finding, seen: &mut HashMap<u64, usize>) -> Fingerprints {
    let Finding { rule, place, message, .. } = finding;
    let shown = if place.lines.is_empty() { message } else { &place.lines };
    let blank = |byte: &u8| !byte.is_ascii_whitespace();
    let what = rule.code.bytes().chain([0]).chain(shown.bytes().filter(blank));
    let hash = fnv(FNV_START, what);
    let file = place.file.as_os_str().as_encoded_bytes().iter().copied();
    let count = seen.entry(fnv(hash, file)).or_insert(0);
    *count += 1;
    Fingerprints { finding: format!("{hash:016x}:{count}") }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, the same in every release: fingerprints are compared with those of years ago.
fn fnv(start: u64, bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn notification(unchecked: &Unchecked) -> Notification {
    let place = PhysicalLocation { artifact_location: artifact(&unchecked.file), region: None };
    Notification {
        level: "error",
        message: Text { text: message(&render(&unchecked.error)) },
        locations: [Location { id: None, physical_location: place, message: None }],
    }
}

fn location(place: &Place, words: Option<&String>) -> Location {
    let mut region = region((place.line, place.column), place.end);
    if place.end == (place.line, place.column) {
        // Of a text that can't be read only the start is known; what has no width isn't shown.
        (region.end_line, region.end_column) = (None, None);
    }
    let artifact_location = artifact(&place.file);
    Location {
        id: None,
        physical_location: PhysicalLocation { artifact_location, region: Some(region) },
        message: words.map(|words| Text { text: message(words) }),
    }
}

fn artifact(file: &Path) -> ArtifactLocation {
    let uri_base_id = file.is_relative().then_some("%SRCROOT%");
    ArtifactLocation { uri: uri(file), uri_base_id }
}

fn replacement(splice: &Splice) -> Replacement<'_> {
    Replacement {
        deleted_region: region(splice.from, splice.to),
        inserted_content: Content { text: &splice.text },
    }
}

fn region(start: (usize, usize), end: (usize, usize)) -> Region {
    Region { start_line: start.0, start_column: start.1, end_line: Some(end.0), end_column: Some(end.1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_is_that_of_its_authors() {
        assert_eq!(fnv(FNV_START, std::iter::empty()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_START, b"a".iter().copied()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(FNV_START, b"foobar".iter().copied()), 0x8594_4171_f739_67e8);
    }
}
