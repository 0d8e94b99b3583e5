//! JUnit's XML, as GitLab, Jenkins and others show it: each file is a test. It fails if something is found in it that makes
//! the exit status 1; what else is found is its output. So a file's test has one name from run to run, whatever is found.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Unchecked, at, tidy, words};
use crate::lint::Finding;
use crate::problem::{escaped, render};
use crate::report::{escaped_where, obeyed};

/// What came of one file.
#[derive(Default)]
struct Test<'f> {
    /// What was found that makes it fail.
    failures: Vec<&'f Finding>,
    /// What else was.
    others: Vec<&'f Finding>,
    /// Why it couldn't be checked.
    errors: Vec<&'f Unchecked>,
}

/// Prints a test suite with a test for each file; `is_denied` says which findings make one fail.
///
/// # Errors
/// It can't be written.
pub fn junit(
    out: &mut dyn Write,
    files: &[Arc<Path>],
    findings: &[Finding],
    unchecked: &[Unchecked],
    is_denied: &dyn Fn(&Finding) -> bool,
) -> io::Result<()> {
    let mut tests: BTreeMap<&Path, Test<'_>> = files.iter().map(|file| (&**file, Test::default())).collect();
    for finding in findings {
        let test = tests.entry(&finding.place.file).or_default();
        let these = if is_denied(finding) { &mut test.failures } else { &mut test.others };
        these.push(finding);
    }
    for unchecked in unchecked {
        tests.entry(&unchecked.file).or_default().errors.push(unchecked);
    }
    let count = |is: fn(&Test<'_>) -> bool| tests.values().filter(|test| is(test)).count().to_string();
    let counts = [
        ("tests", tests.len().to_string()),
        ("failures", count(|test| test.errors.is_empty() && !test.failures.is_empty())),
        ("errors", count(|test| !test.errors.is_empty())),
    ];
    let counts = || counts.iter().map(|(name, count)| (*name, count.as_str()));
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = writer.create_element("testsuites").with_attribute(("name", "kvmnet"));
    suites.with_attributes(counts()).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attribute(("name", "kvmnet check"));
        suite.with_attributes(counts()).write_inner_content(|writer| {
            tests.iter().try_for_each(|(file, test)| write(writer, file, test))
        })?;
        Ok(())
    })?;
    writeln!(out)
}

/// Writes one test. Readers mostly show one failure of a test, so that it has one at most.
fn write<W: Write>(writer: &mut Writer<W>, file: &Path, test: &Test<'_>) -> io::Result<()> {
    let name = escaped(tidy(file));
    let name = held(&name);
    let attributes = [("classname", "kvmnet.check"), ("name", &*name), ("file", &*name)];
    let case = writer.create_element("testcase").with_attributes(attributes);
    let Test { failures, others, errors } = test;
    if failures.is_empty() && others.is_empty() && errors.is_empty() {
        return case.write_empty().map(drop);
    }
    let summed = |first: &str, count: usize| match count {
        1 => held(first).into_owned(),
        _ => format!("{} (and {} more)", held(first), count - 1),
    };
    case.write_inner_content(|writer| {
        let mut told = others.clone();
        if let Some(first) = errors.first() {
            let message = summed(&first.reason(), errors.len());
            let error = writer.create_element("error").with_attribute(("message", &*message));
            let text = text(errors.iter().map(|error| render(&error.error)));
            error.with_attribute(("type", "unchecked")).write_text_content(BytesText::new(&text))?;
            told.splice(0..0, failures.iter().copied());
        } else if let Some(first) = failures.first() {
            let message = summed(&first.message, failures.len());
            let failure = writer.create_element("failure").with_attribute(("message", &*message));
            let text = text(failures.iter().map(|finding| in_full(finding)));
            failure.with_attribute(("type", first.rule.code)).write_text_content(BytesText::new(&text))?;
        }
        if !told.is_empty() {
            let text = text(told.into_iter().map(in_full));
            writer.create_element("system-out").write_text_content(BytesText::new(&text))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A finding with its places, lines of text.
fn in_full(finding: &Finding) -> String {
    let Finding { place, severity, rule, also, .. } = finding;
    let mut out = format!("{}: {severity}[{}]: {}", at(place), rule.code, words(finding));
    for (also, words) in also {
        let _ = write!(out, "\n{}: {words}", at(also));
    }
    out
}

/// Parts of a text, each beginning on a line of its own.
fn text(parts: impl Iterator<Item = String>) -> String {
    let mut out = String::from("\n");
    for part in parts {
        for line in part.lines() {
            out.push_str(&held(line));
            out.push('\n');
        }
    }
    out
}

/// A line that XML can hold: what it can't (U+0001, U+FFFE, …), and what a terminal obeys, is written as an escape.
fn held(line: &str) -> Cow<'_, str> {
    escaped_where(line, |c| obeyed(c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lint::{Place, Severity, rules};
    use proptest::prelude::*;

    fn finding(file: &str, severity: Severity, message: &str) -> Finding {
        let file = Arc::from(Path::new(file));
        let place = Place { file, line: 3, column: 7, end: (3, 9), lines: String::new(), marked: 0..0 };
        Finding {
            rule: rules()[0],
            severity,
            message: message.into(),
            label: None,
            help: Some(message.into()),
            also: vec![(place.clone(), message.into())],
            fix: None,
            splices: Vec::new(),
            place,
        }
    }

    fn written(files: &[&str], findings: &[Finding], unchecked: &[Unchecked]) -> String {
        let mut out = Vec::new();
        let files: Vec<Arc<Path>> = files.iter().map(|file| Arc::from(Path::new(file))).collect();
        let is_denied = |finding: &Finding| finding.severity == Severity::Error;
        junit(&mut out, &files, findings, unchecked, &is_denied).unwrap();
        String::from_utf8(out).unwrap()
    }

    proptest! {
        /// Whatever stands in names and messages: it is XML, with a test for each file, and counts that are right.
        #[test]
        fn any_text(words in prop::collection::vec("\\PC{0,9}[\\x00-\\x9f<&>'\"\u{fffe}\u{ffff}\u{202e}\u{feff}]{0,9}", 4)) {
            let files = ["a.xml", &words[0], &words[1], "z.xml"];
            let findings = [
                finding(&words[0], Severity::Error, &words[2]),
                finding(&words[0], Severity::Error, &words[3]),
                finding(&words[0], Severity::Warning, &words[3]),
                finding(&words[1], Severity::Warning, &words[3]),
            ];
            let error = anyhow::anyhow!("{}", words[2]);
            let unchecked = [Unchecked { file: Arc::from(Path::new("z.xml")), error }];
            let text = written(&files, &findings, &unchecked);
            let doc = roxmltree::Document::parse(&text).unwrap();
            let suites = doc.descendants().filter(|n| n.has_tag_name("testsuites") || n.has_tag_name("testsuite"));
            let count = |name: &str| doc.descendants().filter(|n| n.has_tag_name(name)).count().to_string();
            for suite in suites {
                for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
                    prop_assert_eq!(suite.attribute(attribute).unwrap(), count(element));
                }
            }
            prop_assert_eq!(count("error"), "1");
            prop_assert_eq!(count("failure"), "1");
            prop_assert!(!text.contains(|c: char| obeyed(c) && c != '\n'));
        }
    }
}
