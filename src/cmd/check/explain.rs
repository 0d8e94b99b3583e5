//! `--explain` and `--list-rules`.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::json;

use crate::cli::FindingsFormat;
use crate::lint::{Rule, rules};
use crate::report::columns;

/// Prints what a rule is about.
pub(super) fn explain(rule: &Rule, format: FindingsFormat) -> Result<u8> {
    if format == FindingsFormat::Json {
        return print(&format!("{:#}\n", as_json(rule)));
    }
    let mut out =
        format!("{}: {} ({})\n\n{}.\n\n", rule.code, rule.name, rule.severity, capital(rule.summary));
    out.push_str(&folded(rule.why));
    if rule.fixable {
        out.push_str("\nkvmnet check --fix mends it.\n");
    }
    for (what, examples) in [("Found in", rule.bad), ("Not found in", rule.good)] {
        for (name, text) in examples {
            let _ = write!(out, "\n{what} {name}:\n\n");
            text.lines().for_each(|line| {
                let _ = writeln!(out, "    {line}");
            });
        }
    }
    print(&out)
}

/// Lists all rules.
pub(super) fn list(format: FindingsFormat) -> Result<u8> {
    if format == FindingsFormat::Json {
        let all: Vec<_> = rules().iter().map(|rule| as_json(rule)).collect();
        return print(&format!("{:#}\n", json!({ "rules": all })));
    }
    let row = |rule: &&Rule| {
        let fix = if rule.fixable { "fix" } else { "" };
        vec![
            rule.code.to_string(),
            rule.severity.to_string(),
            fix.to_string(),
            rule.name.to_string(),
            rule.summary.to_string(),
        ]
    };
    print(&columns(&rules().iter().map(row).collect::<Vec<_>>()))
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.as_str(),
        "summary": rule.summary,
        "explanation": rule.why,
        "fixable": rule.fixable,
    })
}

fn print(text: &str) -> Result<u8> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(0)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Lines of at most 100 characters.
fn folded(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut width = 0;
        for word in paragraph.split(' ') {
            if width > 0 && width + 1 + word.len() > 100 {
                out.push('\n');
                width = 0;
            }
            if width > 0 {
                out.push(' ');
                width += 1;
            }
            out.push_str(word);
            width += word.chars().count();
        }
        out.push('\n');
    }
    out
}
