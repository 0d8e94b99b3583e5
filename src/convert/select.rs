//! Which NICs are meant.

use std::collections::HashMap;
use std::fmt;

use super::request::{Facts, Request, Target};
use crate::model::{MacAddr, Nic, Source};

/// Why it isn't clear which NIC is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectError {
    /// Several NICs could be meant: each with a word for `--nic`, and what it is.
    Ambiguous(Vec<(String, String)>),
    /// A selector matches no NIC: the selector, and the NICs there are.
    NoSuch(String, Vec<String>),
    /// A selector matches several NICs: the selector, and their positions.
    Several(String, Vec<usize>),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectError::Ambiguous(nics) => {
                write!(f, "{} NICs could be meant", nics.len())?;
                nics.iter().try_for_each(|(_, what)| write!(f, "\n    {what}"))
            }
            SelectError::NoSuch(word, nics) if nics.is_empty() => {
                write!(f, "--nic '{word}': it has no NIC at all")
            }
            SelectError::NoSuch(word, nics) => {
                write!(f, "--nic '{word}' matches none of its NICs")?;
                nics.iter().try_for_each(|what| write!(f, "\n    {what}"))
            }
            SelectError::Several(word, at) => {
                let at: Vec<_> = at.iter().map(ToString::to_string).collect();
                write!(f, "--nic '{word}' matches NICs {}; name one by its position", at.join(" and "))
            }
        }
    }
}

/// The NICs to move, and why others stay.
#[derive(Debug, Default)]
pub(super) struct Selected<'n> {
    pub(super) moves: Vec<&'n Nic>,
    pub(super) remarks: Vec<String>,
    pub(super) is_there: bool,
    pub(super) there: Vec<String>,
}

/// Finds the NICs that the request means, by the rules of the command line's contract.
pub(super) fn select<'n>(
    all: &'n [Nic],
    request: &Request,
    facts: &Facts<'_>,
) -> Result<Selected<'n>, SelectError> {
    let wanted = &request.selection;
    let mut out = Selected::default();
    let named = !wanted.nics.is_empty();
    let meant: Vec<&Nic> = if named {
        let mut found =
            wanted.nics.iter().map(|word| find(all, word, facts)).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|nic| nic.position);
        found.dedup_by_key(|nic| nic.position);
        found
    } else {
        all.iter().filter(|nic| is_meant(nic, request)).collect()
    };
    for nic in all {
        if request.target.is_reached_by(&nic.source) {
            out.is_there = true;
            out.remarks.push(format!("{nic} is on {} already", nic.source));
            if !named || meant.iter().any(|m| m.position == nic.position) {
                out.there.extend(nic.mac.clone());
            }
        }
    }
    let none_is_meant = meant.is_empty();
    for nic in meant {
        if request.target.is_reached_by(&nic.source) {
            continue;
        }
        match through_network(nic, request, facts) {
            Some(remark) => {
                out.is_there = true;
                out.remarks.push(remark);
            }
            None => out.moves.push(nic),
        }
    }
    let said = named || wanted.all || wanted.from_network.is_some() || wanted.from_bridge.is_some();
    if out.moves.len() > 1 && !said {
        let mac = |nic: &Nic| nic.mac.as_deref().and_then(|m| m.parse::<MacAddr>().ok());
        let mut with = HashMap::<MacAddr, usize>::new();
        all.iter().filter_map(mac).for_each(|mac| *with.entry(mac).or_default() += 1);
        let word = |nic: &Nic| match mac(nic).filter(|mac| with.get(mac) == Some(&1)) {
            Some(mac) => mac.to_string(),
            None => nic.position.to_string(),
        };
        return Err(SelectError::Ambiguous(
            out.moves.iter().map(|nic| (word(nic), format!("{nic}: {}", nic.source))).collect(),
        ));
    }
    if out.moves.is_empty() && !out.is_there {
        out.remarks.push(why_none(all, request));
    } else if let (true, Some(place)) = (none_is_meant, said_place(request)) {
        out.remarks.push(format!("no NIC is on {place}"));
    }
    Ok(out)
}

/// Without `--nic`: is this NIC one that the target's kind, or the `--from-…` flag, means?
fn is_meant(nic: &Nic, request: &Request) -> bool {
    let Source { kind, name, .. } = &nic.source;
    match (&request.selection.from_network, &request.selection.from_bridge) {
        (Some(network), _) => kind == "network" && name == network,
        (None, Some(bridge)) => kind == "bridge" && name == bridge,
        (None, None) => match request.target {
            Target::Bridge(_) | Target::Direct { .. } => kind == "network",
            Target::Network { .. } => matches!(kind.as_str(), "network" | "bridge" | "direct"),
        },
    }
}

/// The remark for a NIC whose network already uses the target bridge: the wire would be the same (reference §2).
fn through_network(nic: &Nic, request: &Request, facts: &Facts<'_>) -> Option<String> {
    let Target::Bridge(bridge) = &request.target else { return None };
    if request.inline || nic.source.kind != "network" {
        return None;
    }
    let network = facts.networks.get(&nic.source.name)?;
    let same =
        !network.mode.is_virtual() && !network.has_pool && network.bridge.as_deref() == Some(bridge.as_str());
    same.then(|| {
        format!(
            "{nic} is on bridge '{bridge}' already, through network '{}' (--inline writes the bridge itself)",
            network.name
        )
    })
}

fn find<'n>(all: &'n [Nic], word: &str, facts: &Facts<'_>) -> Result<&'n Nic, SelectError> {
    let position = if word.bytes().all(|b| b.is_ascii_digit()) { word.parse::<usize>().ok() } else { None };
    let mac = word.parse::<MacAddr>().ok();
    // A definition hasn't got the running guest's names; its NIC is the one with the same MAC address.
    let live: Vec<MacAddr> = (facts.live.iter())
        .filter(|l| l.alias.as_deref() == Some(word) || l.target.as_deref() == Some(word))
        .filter_map(|l| l.mac.as_deref()?.parse().ok())
        .collect();
    let fits = |nic: &&Nic| match (position, mac) {
        (Some(position), _) => nic.position == position,
        (None, Some(mac)) => nic.has_mac(mac),
        (None, None) => {
            nic.alias.as_deref() == Some(word)
                || nic.target.as_deref() == Some(word)
                || live.iter().any(|mac| nic.has_mac(*mac))
        }
    };
    let found: Vec<&Nic> = all.iter().filter(fits).collect();
    match found[..] {
        [nic] => Ok(nic),
        [] => {
            let there = all.iter().map(|nic| format!("{nic}: {}", nic.source)).collect();
            Err(SelectError::NoSuch(word.into(), there))
        }
        _ => Err(SelectError::Several(word.into(), found.iter().map(|nic| nic.position).collect())),
    }
}

/// The network or bridge that a `--from-…` flag names.
fn said_place(request: &Request) -> Option<String> {
    match (&request.selection.from_network, &request.selection.from_bridge) {
        (Some(network), _) => Some(format!("network '{network}'")),
        (None, Some(bridge)) => Some(format!("bridge '{bridge}'")),
        (None, None) => None,
    }
}

fn why_none(all: &[Nic], request: &Request) -> String {
    if all.is_empty() {
        return "it has no NIC".into();
    }
    let there: Vec<_> = all.iter().map(|nic| format!("{nic}: {}", nic.source)).collect();
    let meant = match (said_place(request), &request.target) {
        (Some(place), _) => format!("on {place}"),
        (None, Target::Network { .. }) => "of type network, bridge or direct".into(),
        (None, _) => "of type network".into(),
    };
    format!("no NIC is {meant}; name one with --nic to move it all the same ({})", there.join("; "))
}
