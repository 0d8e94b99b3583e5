//! The texts of the files that configure a host's network.

use std::io;

use crate::host::config::{SCRIPTS, Source, glob, ifupdown, is_sourced};
use crate::sys::tree::Tree;

/// Files of ifupdown that lead to each other in a circle end somewhere.
const MOST_FILES: usize = 500;

/// The files of a kind in folders, by name; of two with the same name the first folder's counts. Those that can't be read
/// are named in `unread`.
pub(super) fn files(
    tree: &Tree,
    folders: &[&str],
    end: &str,
    unread: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for folder in folders {
        let names = unless_refused(tree.names(folder), folder, unread).unwrap_or_default();
        for name in names.into_iter().filter(|name| name.ends_with(end)) {
            let path = format!("{folder}/{name}");
            if found.iter().any(|(known, _)| known.rsplit('/').next() == Some(&name)) {
                continue;
            }
            if tree.is_masked(&path) {
                found.push((path, String::new()));
            } else if let Some(Some(text)) = unless_refused(tree.text(&path), &path, unread) {
                found.push((path, text));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.rsplit('/').next().cmp(&b.rsplit('/').next()));
    found
}

/// netplan's.
pub(super) fn netplan(tree: &Tree, unread: &mut Vec<String>) -> Vec<(String, String)> {
    files(tree, &["/run/netplan", "/etc/netplan", "/lib/netplan"], ".yaml", unread)
}

/// `/etc/network/interfaces` and all that it leads to.
pub(super) fn interfaces(tree: &Tree, unread: &mut Vec<String>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut waiting = vec!["/etc/network/interfaces".to_string()];
    while let Some(path) = waiting.pop() {
        if found.len() >= MOST_FILES || found.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let Some(Some(text)) = unless_refused(tree.text(&path), &path, unread) else { continue };
        let read = ifupdown(&text);
        found.push((path, text));
        for source in read.sources {
            let more = match source {
                Source::Files(pattern) => fitting(tree, &pattern),
                Source::Folder(folder) => {
                    let folder = absolute(folder.trim_end_matches('/'));
                    let names = tree.names(&folder).unwrap_or_default();
                    let names = names.into_iter().filter(|name| is_sourced(name));
                    names.map(|name| format!("{folder}/{name}")).collect()
                }
            };
            waiting.extend(more.into_iter().rev());
        }
    }
    found
}

/// The files that fit a pattern of paths.
fn fitting(tree: &Tree, pattern: &str) -> Vec<String> {
    let pattern = absolute(pattern);
    let mut found = vec![String::new()];
    for step in pattern.split('/').filter(|step| !step.is_empty()) {
        found = found.iter().flat_map(|folder| one_step(tree, folder, step)).take(MOST_FILES).collect();
    }
    found
}

fn one_step(tree: &Tree, folder: &str, step: &str) -> Vec<String> {
    if !step.contains(['*', '?', '[']) {
        return vec![format!("{folder}/{step}")];
    }
    let names = tree.names(&format!("{folder}/")).unwrap_or_default();
    let names = names.into_iter().filter(|name| !name.starts_with('.') && glob(step, name));
    names.map(|name| format!("{folder}/{name}")).collect()
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_string() } else { format!("/etc/network/{path}") }
}

fn unless_refused<T>(read: io::Result<T>, path: &str, unread: &mut Vec<String>) -> Option<T> {
    read.map_err(|_| unread.push(path.to_string())).ok()
}

/// Files that add to those that netplan writes for networkd.
pub(super) fn netplan_additions(tree: &Tree, unread: &mut Vec<String>) -> Vec<(String, String)> {
    let folder = "/etc/systemd/network";
    let names = tree.names(folder).unwrap_or_default();
    let names = names.iter().filter(|name| name.starts_with("10-netplan-") && name.ends_with(".network.d"));
    names.flat_map(|name| files(tree, &[&format!("{folder}/{name}")], ".conf", unread)).collect()
}

/// networkd's: `.netdev` and `.network` files, each followed by the files that add to it, in `NAME.network.d/`.
pub(super) fn networkd(tree: &Tree, unread: &mut Vec<String>) -> Vec<(String, String)> {
    let folders = [
        "/etc/systemd/network",
        "/run/systemd/network",
        "/usr/local/lib/systemd/network",
        "/usr/lib/systemd/network",
    ];
    let mut out = Vec::new();
    for end in [".netdev", ".network"] {
        for (path, text) in files(tree, &folders, end, unread) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let more = folders.map(|folder| format!("{folder}/{name}.d"));
            out.push((path.clone(), text));
            out.extend(files(tree, &more.each_ref().map(String::as_str), ".conf", unread));
        }
    }
    out
}

/// NetworkManager's profiles.
pub(super) fn networkmanager(tree: &Tree, unread: &mut Vec<String>) -> Vec<(String, String)> {
    let folders = [
        "/etc/NetworkManager/system-connections",
        "/run/NetworkManager/system-connections",
        "/usr/lib/NetworkManager/system-connections",
    ];
    let is_profile = |(path, _): &(String, String)| {
        let name = path.rsplit('/').next().unwrap_or_default();
        !name.starts_with('.') && !name.ends_with('~')
    };
    let scripts = files(tree, &[SCRIPTS], "", unread);
    files(tree, &folders, "", unread).into_iter().filter(is_profile).chain(scripts).collect()
}
