//! Files that add to those that another program makes for networkd, as netplan does.

use super::identity::WORDS;
use super::parts::{moves, split};
use super::text::Text;
use super::units::ETC;
use crate::host::bridge::{FileChange, Host};

/// What these files say of the network moves from one name to the other's: `10-netplan-enp4s0.network.d/`.
pub(in crate::host::bridge) fn move_drops(host: &Host, from: &str, to: &str) -> Vec<FileChange> {
    let mut out = Vec::new();
    let folder = format!("{ETC}{from}.d/");
    for file in &host.files {
        let Some(name) = file.path.strip_prefix(&folder).filter(|name| name.ends_with(".conf")) else {
            continue;
        };
        let text = Text::read(&file.text);
        // What pins an identity is for that device, and comes and goes with the bridge.
        if file.text.contains(WORDS)
            || !text.sections.iter().any(|section| section.items.iter().any(|item| moves(section, item)))
        {
            continue;
        }
        let (stays, moved) = split(&text, None);
        let left = stays.has_keys().then(|| stays.write());
        let path = format!("{ETC}{to}.d/{name}");
        let before = host.text(&path).map(str::to_string);
        let moved = if stays.has_keys() { moved.write().trim_start().to_string() } else { file.text.clone() };
        let after = Some(format!("{}{moved}", before.clone().unwrap_or_default()));
        out.push(FileChange {
            path: file.path.clone(),
            before: Some(file.text.clone()),
            after: left,
            mode: 0o644,
        });
        out.push(FileChange { path, before, after, mode: 0o644 });
    }
    out
}
