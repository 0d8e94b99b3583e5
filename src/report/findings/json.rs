//! kvmnet's own document.

use std::io::{self, Write};

use serde_json::json;

use super::{Summary, Unchecked};
use crate::lint::{Finding, Place};

/// Prints the document, with what `--fix` did if it was asked to.
///
/// # Errors
/// It can't be written.
pub fn json(
    out: &mut dyn Write,
    findings: &[Finding],
    unchecked: &[Unchecked],
    summary: &Summary,
    changes: Option<serde_json::Value>,
) -> io::Result<()> {
    let mut document = json!({
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "summary": { "files": summary.files, "errors": summary.errors, "warnings": summary.warnings },
    });
    if let Some(changes) = changes {
        document["changes"] = changes;
    }
    if !unchecked.is_empty() {
        let unchecked = unchecked.iter().map(|u| json!({ "file": name(&u.file), "error": u.reason() }));
        document["unchecked"] = unchecked.collect();
    }
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn finding(finding: &Finding) -> serde_json::Value {
    let Place { file, line, column, .. } = &finding.place;
    json!({
        "code": finding.rule.code,
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "file": name(file),
        "line": line,
        "column": column,
        "help": finding.help,
        "fixable": finding.fix.is_some(),
    })
}

fn name(file: &std::path::Path) -> String {
    file.display().to_string()
}
