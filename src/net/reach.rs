//! Who reaches whom in a network, by what libvirt does for each mode (reference §5.1, §5.8): the firewall rules of nat,
//! route and isolated networks, none for open ones, none for guests on the LAN.

use std::fmt;

use ipnet::IpNet;

use super::around::Surroundings;
use super::outlook::{self, Way};
use crate::model::{ForwardMode, Network, Setting};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// A guest in the network.
    Guest,
    /// The host.
    Host,
    /// Another machine on the LAN, or beyond.
    Lan,
}

impl Party {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Party::Guest => "guest",
            Party::Host => "host",
            Party::Lan => "LAN",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    pub(super) fn holds(self, net: &IpNet) -> bool {
        matches!((self, net), (Family::V4, IpNet::V4(_)) | (Family::V6, IpNet::V6(_)))
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Can one start a connection to the other?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Who starts it.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// By which kind of address.
    pub family: Family,
    /// Does it come about?
    pub allowed: bool,
    /// Under what condition, or why not.
    pub note: Option<String>,
}

/// The rows of the table, in order.
const PAIRS: [(Party, Party); 5] = [
    (Party::Guest, Party::Guest),
    (Party::Host, Party::Guest),
    (Party::Guest, Party::Host),
    (Party::Guest, Party::Lan),
    (Party::Lan, Party::Guest),
];

/// Who reaches whom: for each family guest to guest, host to guest, guest to host, guest to LAN, LAN to guest. On the LAN
/// and where nothing is forwarded these are both families, for a bridge carries frames whatever is in them; else those
/// that the network has addresses of (IPv4 where it has none). `around` is what can be seen of the host that it is on, if anything.
pub fn reachability(network: &Network, around: &Surroundings) -> Vec<Cell> {
    let is_carried = !network.mode.is_virtual() || network.mode == ForwardMode::Isolated;
    let mut families: Vec<Family> = [Family::V4, Family::V6]
        .into_iter()
        .filter(|f| is_carried || network.addresses.iter().any(|a| f.holds(&a.ip)))
        .collect();
    if families.is_empty() {
        families.push(Family::V4);
    }
    let cell = |family, (from, to)| {
        let (allowed, note) = verdict(network, family, from, to);
        let note = match network.nat_addresses.filter(|_| note == Some(TRANSLATED)) {
            Some((start, end)) => Some(format!("with one of {start}-{end} as the sender")),
            None => note.map(Into::into),
        };
        let cell = Cell { from, to, family, allowed, note };
        if cell.allowed { seen(network, cell, around) } else { cell }
    };
    families.into_iter().flat_map(|f| PAIRS.map(|pair| cell(f, pair))).collect()
}

/// What libvirt allows, held against what the host is.
fn seen(network: &Network, cell: Cell, around: &Surroundings) -> Cell {
    let no = |why: String| Cell { allowed: false, note: Some(why), ..cell.clone() };
    if let Some(what) = outlook::lacking(network, around) {
        return no(format!("{what}: no guest on the network starts"));
    }
    if let Some(bridge) = outlook::down(network, around) {
        return no(format!("bridge '{bridge}' is administratively down and carries nothing"));
    }
    let way = match (cell.from, cell.to) {
        (Party::Guest, Party::Guest) => Some(outlook::across(network, cell.family, around)),
        (Party::Lan, _) | (_, Party::Lan) => Some(outlook::way(network, cell.family, around)),
        _ => None,
    };
    match way {
        Some(Way::Open) => return cell,
        Some(Way::Closed(why)) => return no(why),
        Some(Way::Part(whom)) => {
            let note = cell.note.iter().cloned().chain([whom]).collect::<Vec<_>>().join("; ");
            return Cell { note: Some(note), ..cell };
        }
        None => {}
    }
    // On its own bridge the host is one of those that are there, if it has an address there.
    let bridge = network.bridge.as_deref().filter(|_| !network.mode.is_virtual());
    match bridge.and_then(|bridge| around.device(bridge)).filter(|device| device.is_bridge) {
        Some(device) if device.addresses.iter().any(|ip| cell.family.holds(ip)) => {
            Cell { note: None, ..cell }
        }
        Some(device) if !device.has_uplink => {
            no(format!("the host has no {} address on bridge '{}'", cell.family, device.name))
        }
        _ => cell,
    }
}

type Verdict = (bool, Option<&'static str>);

const TRANSLATED: &str = "with the host's address as the sender";
const ROUTE: &str = "once the LAN's router has the static route";
const OPEN: &str =
    "as far as the host's own firewall lets it through; the LAN's router needs the static route";
const OWN_ADDRESSES: &str = "by addresses that they have without the network";
const NO_ADDRESS: &str = "the host has no address in the network";

fn verdict(network: &Network, family: Family, from: Party, to: Party) -> Verdict {
    match (from, to) {
        (Party::Guest, Party::Guest) => match between_guests(network) {
            (true, None)
                if network.mode.is_virtual() && !network.addresses.iter().any(|a| family.holds(&a.ip)) =>
            {
                (true, Some(OWN_ADDRESSES))
            }
            verdict => verdict,
        },
        (Party::Lan, _) | (_, Party::Lan) => with_lan(network, family, to == Party::Lan),
        _ => with_host(network, family, to == Party::Host),
    }
}

fn between_guests(network: &Network) -> Verdict {
    use ForwardMode as M;
    match network.mode {
        _ if network.given.get(Setting::Port).is_some() && !network.is_macvtap() => {
            (false, Some("the network isolates its ports from each other"))
        }
        M::Private => (false, Some("macvtap in mode private keeps them apart")),
        M::Vepa => (false, Some("only through a switch that sends frames back where they came from")),
        M::Passthrough => (true, Some("through the switch behind their devices")),
        M::Bridge if network.pool.len() > 1 => {
            (true, Some("on one device; from device to device through the switch behind them"))
        }
        _ => (true, None),
    }
}

fn with_host(network: &Network, family: Family, is_inward: bool) -> Verdict {
    if network.mode.is_virtual() {
        return match network.addresses.iter().any(|a| family.holds(&a.ip)) {
            true if is_inward => (true, Some("as far as the host's own firewall lets it in")),
            true => (true, None),
            false => (false, Some(NO_ADDRESS)),
        };
    }
    if network.is_macvtap() {
        return (false, Some("host and guests can't talk to each other over macvtap"));
    }
    (true, Some("if the host has an address on that LAN"))
}

fn with_lan(network: &Network, family: Family, is_outward: bool) -> Verdict {
    use ForwardMode as M;
    if network.mode.is_virtual() && !network.addresses.iter().any(|a| family.holds(&a.ip)) {
        return (false, Some(NO_ADDRESS));
    }
    match network.mode {
        M::Isolated => (false, Some("nothing is forwarded")),
        // Without <nat ipv6='yes'/> IPv6 is routed in a network of mode nat (libvirt, `bridge_driver`).
        M::Nat if family == Family::V4 || network.nat_ipv6 => match is_outward {
            true => (true, Some(TRANSLATED)),
            false => (false, Some("only answers to what guests asked come in")),
        },
        M::Nat | M::Route => (true, Some(ROUTE)),
        M::Open => (true, Some(OPEN)),
        M::Bridge | M::Private | M::Vepa | M::Passthrough | M::Hostdev => (true, None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    const FOUR: &str = "<ip address='10.0.0.1' prefix='24'/>";
    const SIX: &str = "<ip family='ipv6' address='fd00::1' prefix='64'/>";

    /// The cells as words: `+` where it is allowed.
    fn table(body: &str) -> String {
        let is_virtual =
            !["bridge", "private", "vepa", "passthrough"].iter().any(|m| body.contains(&format!("'{m}'")));
        let has_one = [FOUR, SIX].iter().filter(|ip| body.contains(**ip)).count() < 2;
        let is_single = is_virtual && body.contains("<forward") && has_one;
        let text = format!("<network><name>n</name>{body}</network>");
        let cells =
            reachability(&Network::read(&Doc::parse(&text).unwrap()).unwrap(), &Surroundings::default());
        for (at, cell) in cells.iter().enumerate() {
            assert_eq!((cell.from, cell.to), PAIRS[at % 5]);
            let is_six = if is_single { body.contains(SIX) } else { at >= 5 };
            assert_eq!(cell.family, if is_six { Family::V6 } else { Family::V4 });
            assert!(cell.allowed || cell.note.is_some(), "a no has a reason");
        }
        let marks: Vec<_> = cells.iter().map(|c| if c.allowed { "+" } else { "-" }).collect();
        marks.chunks(5).map(<[_]>::concat).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_mode() {
        for (body, want) in [
            ("<dns enable='no'/>".to_string(), "+---- +----"),
            (FOUR.into(), "+++-- +----"),
            (format!("{FOUR}{SIX}"), "+++-- +++--"),
            (SIX.into(), "+---- +++--"),
            (format!("<forward mode='nat'/>{FOUR}"), "++++-"),
            (format!("<forward mode='nat'><nat ipv6='yes'/></forward>{FOUR}{SIX}"), "++++- ++++-"),
            (format!("<forward mode='nat'/>{FOUR}{SIX}"), "++++- +++++"),
            (format!("<forward mode='route'/>{FOUR}{SIX}"), "+++++ +++++"),
            (format!("<forward mode='open'/>{FOUR}"), "+++++"),
            ("<forward mode='open'/>".into(), "+----"),
            ("<forward mode='bridge'/><bridge name='br0'/>".into(), "+++++ +++++"),
            ("<forward mode='bridge'><interface dev='e'/></forward>".into(), "+--++ +--++"),
            ("<forward mode='private'><interface dev='e'/></forward>".into(), "---++ ---++"),
            ("<forward mode='vepa'><interface dev='e'/></forward>".into(), "---++ ---++"),
            ("<forward mode='passthrough'><interface dev='e'/></forward>".into(), "+--++ +--++"),
            (format!("<forward mode='nat'/>{FOUR}<port isolated='yes'/>"), "-+++-"),
        ] {
            assert_eq!(table(&body), want, "{body}");
        }
    }
}
