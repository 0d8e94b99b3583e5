//! Plans and journals for programs.

use serde_json::{Value, json};

use crate::model::Warning;
use crate::plan::{Change, Outcome, Run, Status, Subject};
use crate::problem::render;

/// `{"changes":[…],"summary":{…}}`, the document of every command that changes something.
pub fn changes(changes: &[Change]) -> Value {
    let count = |status| changes.iter().filter(|c| c.status() == status).count();
    json!({
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "summary": {
            "planned": count(Status::Planned),
            "applied": count(Status::Applied),
            "unchanged": count(Status::Unchanged),
            "failed": count(Status::Failed),
        },
    })
}

/// The document of a command that failed before it had anything to change.
pub fn failure(error: &str) -> Value {
    let mut document = changes(&[]);
    document["error"] = error.into();
    document
}

/// The same for a network that was to be made, in the shape of the document of one that was.
pub fn creation_failure(error: &str) -> Value {
    json!({
        "network": null,
        "reachability": [],
        "notes": [],
        "warnings": [],
        "status": Status::Failed,
        "error": error,
        "id": null,
    })
}

/// The document of a check that failed as a whole.
pub fn check_failure(error: &str) -> Value {
    json!({ "findings": [], "summary": { "files": 0, "errors": 0, "warnings": 0 }, "error": error })
}

/// The same for a bridge of the host's, in the shape of the document of one that was made.
pub fn bridge_failure(error: &str) -> Value {
    json!({
        "bridge": null,
        "backend": null,
        "files": [],
        "commands": [],
        "diff": "",
        "meaning": [],
        "remarks": [],
        "warnings": [],
        "status": Status::Failed,
        "error": error,
        "id": null,
        "timeout": null,
        "confirm_by": null,
        "verified": null,
        "next": [],
    })
}

/// The document of a command that was to show something, and failed: nothing, where that would stand.
pub fn look_failure(what: &str, error: &str) -> Value {
    json!({ what: null, "error": error })
}

fn change(change: &Change) -> Value {
    let (domain, uuid, file) = subject(&change.subject);
    let mut out = json!({
        "id": change.id,
        "domain": domain,
        "uuid": uuid,
        "file": file,
        "nics": [],
        "diff": change.diff,
        "meaning": change.meaning,
        "remarks": change.remarks,
        "warnings": change.warnings.iter().map(warning).collect::<Vec<_>>(),
        "status": change.status(),
        "live": null,
        "error": change.error().map(render),
    });
    match &change.subject {
        Subject::Network(name) => out["network"] = json!(name),
        Subject::Bridge(name) => out["bridge"] = json!(name),
        _ => {}
    }
    if let Value::Object(map) = &mut out {
        map.extend(change.detail.clone());
    }
    out
}

fn subject(subject: &Subject) -> (Option<&str>, Option<&str>, Option<String>) {
    match subject {
        Subject::Guest { name, uuid } => (Some(name), Some(uuid), None),
        Subject::Network(_) | Subject::Bridge(_) => (None, None, None),
        Subject::File(path) => (None, None, Some(path.display().to_string())),
    }
}

/// One warning.
pub fn warning(warning: &Warning) -> Value {
    json!({ "code": warning.code.as_str(), "message": warning.message, "stops": warning.stops })
}

/// `{"runs":[…]}`, newest first.
pub fn history(runs: &[Run], waiting: Option<&str>) -> Value {
    let runs = runs.iter().rev().map(|run| {
        let changes = run.entries.iter().map(|entry| {
            let (domain, uuid, file) = subject(&entry.subject);
            json!({
                "id": entry.id,
                "domain": domain,
                "uuid": uuid,
                "file": file,
                "path": entry.path().map(|path| path.display().to_string()),
                "network": match &entry.subject {
                    Subject::Network(name) => Some(name),
                    _ => None,
                },
                "bridge": match &entry.subject {
                    Subject::Bridge(name) => Some(name),
                    _ => None,
                },
                "what": entry.headline,
                "status": match &entry.outcome {
                    None => "interrupted",
                    Some(Outcome::Applied { .. }) if waiting == Some(entry.id.as_str()) => "unconfirmed",
                    Some(Outcome::Applied { .. }) => "applied",
                    Some(Outcome::Failed { .. }) => "failed",
                    Some(Outcome::Undone { .. }) => "undone",
                },
                "undone_by": match &entry.outcome {
                    Some(Outcome::Undone { by }) => Some(by),
                    _ => None,
                },
            })
        });
        json!({
            "run": run.number,
            "time": run.header.time,
            "command": run.header.command,
            "uri": run.header.uri,
            "undoes": run.header.undoes,
            "changes": changes.collect::<Vec<_>>(),
        })
    });
    json!({ "runs": runs.collect::<Vec<_>>() })
}
