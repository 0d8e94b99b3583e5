//! Which devices come up by themselves: the lines with `auto` and `allow-hotplug`.

use super::config::{Config, base, is_pattern_for};
use super::edits::Edits;
use super::lines::Kind;

/// Where a NIC that has a stanza of its own beside the bridge's comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nic {
    /// Nowhere: the bridge brings it up.
    WithBridge,
    /// Before the bridge, which can't be without it.
    First,
    /// After the bridge. Before it, the kernel would give it addresses of its own from the router's advertisements.
    Last,
}

/// Has the bridge come up where the NIC did. `false`: that was nowhere, or by a pattern.
pub(super) fn to_bridge(config: &Config, edits: &mut Edits, nic: &str, bridge: &str, how: Nic) -> bool {
    let both = match how {
        Nic::WithBridge => bridge.to_string(),
        Nic::First => format!("{nic} {bridge}"),
        Nic::Last => format!("{bridge} {nic}"),
    };
    let mut is_done = config.of(nic).iter().any(|s| s.name == nic && config.has_auto_within(s));
    let alias = |word: &str| word.strip_prefix(nic).filter(|rest| rest.starts_with(':')).map(String::from);
    for (sheet, line) in config.lines(Kind::Auto) {
        let words = config.sheets[sheet].words(line);
        let mut kept = words.len() - 1;
        for (at, word) in words.iter().enumerate().skip(1) {
            if let Some(rest) = alias(word) {
                edits.replace_word(config, (sheet, line), at, &format!("{bridge}{rest}"));
            } else if *word == nic && !is_done {
                edits.replace_word(config, (sheet, line), at, &both);
                is_done = true;
            } else if *word == nic {
                kept -= 1;
                if kept == 0 {
                    edits.remove_line(config, sheet, line);
                } else {
                    edits.remove_word(config, (sheet, line), at);
                }
            }
        }
    }
    for (sheet, line) in config.lines(Kind::Hotplug) {
        let words = config.sheets[sheet].words(line);
        if !words.contains(&nic) {
            continue;
        }
        // No device of the bridge's name is ever plugged in; and VLANs come with the NIC that stands in their line.
        let vlan = |word: &str| word.strip_prefix(nic).is_some_and(|rest| rest.starts_with('.'));
        let new = |word: &str| {
            let moved = alias(word).map(|rest| format!("{bridge}{rest}"));
            moved
                .or_else(|| (word == nic).then(|| both.clone()))
                .or_else(|| vlan(word).then(|| word.to_string()))
        };
        if words.iter().skip(1).all(|word| new(word).is_some()) {
            edits.replace_word(config, (sheet, line), 0, "auto");
            for (at, word) in words.iter().enumerate().skip(1) {
                edits.replace_word(config, (sheet, line), at, &new(word).unwrap_or_default());
            }
        } else {
            let moved: Vec<String> = words.iter().skip(1).filter_map(|word| new(word)).collect();
            for (at, _) in words.iter().enumerate().skip(1).filter(|(_, word)| new(word).is_some()) {
                edits.remove_word(config, (sheet, line), at);
            }
            let sheet_text = &config.sheets[sheet];
            let end = sheet_text.lines.get(line).map_or(0, |line| line.at.end);
            edits.insert(sheet, end, format!("auto {}{}", moved.join(" "), sheet_text.eol()));
        }
        is_done = true;
    }
    renamed_elsewhere(config, edits, nic, bridge);
    if !is_done {
        // A pattern brings the NIC up as well: the bridge comes before it.
        let mut patterns = config.lines(Kind::Auto).filter(|(sheet, line)| {
            let words = config.sheets[*sheet].words(*line);
            words.iter().skip(1).any(|word| is_pattern_for(word, nic))
        });
        if let Some((sheet, line)) = patterns.next() {
            let start = config.sheets[sheet].lines.get(line).map_or(0, |line| line.at.start);
            edits.insert(sheet, start, format!("auto {bridge}{}", config.sheets[sheet].eol()));
            is_done = true;
        }
    }
    is_done
}

/// Has the NIC come up where the bridge did.
pub(super) fn to_nic(config: &Config, edits: &mut Edits, bridge: &str, nic: &str) {
    renamed_elsewhere(config, edits, bridge, nic);
    let mut is_done = config.is_listed(Kind::Auto, nic) || config.is_listed(Kind::Hotplug, nic);
    for kind in [Kind::Auto, Kind::Hotplug] {
        for (sheet, line) in config.lines(kind) {
            let words = config.sheets[sheet].words(line);
            let mut kept = words.len() - 1;
            for (at, word) in words.iter().enumerate().skip(1).filter(|(_, word)| base(word) == bridge) {
                if *word != bridge {
                    let rest = word.strip_prefix(bridge).unwrap_or_default();
                    edits.replace_word(config, (sheet, line), at, &format!("{nic}{rest}"));
                } else if is_done {
                    kept -= 1;
                    if kept == 0 {
                        edits.remove_line(config, sheet, line);
                    } else if at == 1 {
                        // The blanks behind it go, rather than those before it.
                        remove_first(config, edits, sheet, line);
                    } else {
                        edits.remove_word(config, (sheet, line), at);
                    }
                } else {
                    edits.replace_word(config, (sheet, line), at, nic);
                    is_done = true;
                }
            }
        }
    }
}

/// Whatever has the addresses is left up at shutdown, if it was.
fn renamed_elsewhere(config: &Config, edits: &mut Edits, from: &str, to: &str) {
    for (sheet, line) in config.lines(Kind::Other) {
        let words = config.sheets[sheet].words(line);
        let named = words.iter().enumerate().skip(1).filter(|(_, word)| **word == from);
        for (at, _) in named.filter(|_| words.first() == Some(&"no-auto-down")) {
            edits.replace_word(config, (sheet, line), at, to);
        }
    }
}

fn remove_first(config: &Config, edits: &mut Edits, sheet: usize, line: usize) {
    let Some(line) = config.sheets[sheet].lines.get(line) else { return };
    if let (Some(first), Some(second)) = (line.words.get(1), line.words.get(2)) {
        edits.replace(sheet, first.start..second.start, "");
    }
}
