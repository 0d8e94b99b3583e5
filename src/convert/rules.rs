//! What becomes of each part of an `<interface>` when its type changes: the reference's §1.2–1.6 as a table.
//!
//! A part that isn't in the table stays as it is: the MAC address, the PCI address, the model, the driver, unknown
//! elements, comments, elements of other namespaces. Type and source are the move itself, see `rewrite`.

use std::borrow::Cow;

use roxmltree::Node;

use super::fates;
use super::request::Landing;
use crate::model::Code;

/// What becomes of a part.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It goes; it meant nothing any more.
    Drop,
    /// It stays, and a warning says what to know.
    Warn(Code, Cow<'static, str>),
    /// It goes, and a warning says what is lost.
    Lose(Code, Cow<'static, str>),
    /// The move stops; with `--force` it goes on and the part is lost.
    Refuse(Code, Cow<'static, str>),
    /// It depends.
    When(fn(&Place<'_>, Node<'_, '_>) -> Fate),
}

use Fate::{Drop, Keep, Lose, When};

/// Where the part comes from and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The NIC's old type.
    pub from: &'a str,
    /// What it lands on.
    pub landing: &'a Landing,
    /// The type of its port profile, its network's and its portgroup's merged into it.
    pub profile: Option<&'a str>,
    /// Does the network that it goes to have a port profile of its own?
    pub gives_profile: bool,
}

/// The three columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `--to-bridge`
    Bridge,
    /// `--to-network`
    Network,
    /// `--to-direct`
    Direct,
}

/// One row.
#[derive(Debug)]
pub struct Rule {
    /// The part: a path of elements below `<interface>`, `@` before an attribute.
    pub part: &'static str,
    bridge: Fate,
    network: Fate,
    direct: Fate,
}

impl Rule {
    /// The fate of the `part` at `node` (the element that is it, or has it as an attribute).
    pub fn fate(&self, column: Column, place: &Place<'_>, node: Node<'_, '_>) -> Fate {
        let fate = match column {
            Column::Bridge => &self.bridge,
            Column::Network => &self.network,
            Column::Direct => &self.direct,
        };
        match fate {
            When(decide) => decide(place, node),
            other => other.clone(),
        }
    }
}

const fn row(part: &'static str, bridge: Fate, network: Fate, direct: Fate) -> Rule {
    Rule { part, bridge, network, direct }
}

const fn all(part: &'static str, fate: fn(&Place<'_>, Node<'_, '_>) -> Fate) -> Rule {
    Rule { part, bridge: When(fate), network: When(fate), direct: When(fate) }
}

pub(super) const fn lose(code: Code, why: &'static str) -> Fate {
    Lose(code, Cow::Borrowed(why))
}

const FORWARD: Fate = lose(Code::PortForwardLost, "its port forwarding goes: that is user-mode networking's");
const TRANSIENT: Fate = When(fates::transient);

/// The table. Columns: the part, what becomes of it on the way to a bridge, to a network, to macvtap.
#[rustfmt::skip] // a table
pub const RULES: &[Rule] = &[
    //  part                        to a bridge               to a network              to macvtap
    all("@managed",                                           fates::managed),
    row("mac@currentAddress",       Drop,                     Drop,                     Drop),
    all("alias",                                              fates::alias),
    all("filterref",                                          fates::filter),
    all("bandwidth/inbound@floor",                            fates::floor),
    all("bandwidth/inbound",                                  fates::only_floor),
    all("bandwidth",                                          fates::only_floor),
    all("vlan",                                               fates::vlan),
    all("virtualport",                                        fates::profile),
    all("port",                                               fates::isolated),
    all("mtu",                                                fates::mtu),
    row("coalesce",                 Keep,                     When(fates::coalesce),    When(fates::coalesce)),
    all("driver",                                             fates::driver),
    all("target@managed",                                     fates::unmanaged),
    all("backend@type",                                       fates::passt),
    row("backend@logFile",          fates::PASST,             fates::PASST,             fates::PASST),
    all("backend@tap",                                        fates::tap),
    all("backend",                                            fates::empty_backend),
    row("portForward",              FORWARD,                  FORWARD,                  FORWARD),
    all("script",                                             fates::script),
    all("downscript",                                         fates::script),
    row("tune/sndbuf",              Keep,                     When(fates::sndbuf),      When(fates::sndbuf)),
    row("teaming",                  TRANSIENT,                When(fates::unsure_team), TRANSIENT),
    all("ip",                                                 fates::guest_address),
    all("route",                                              fates::guest_address),
];

/// The fate of a part that isn't necessarily in a NIC.
pub(super) fn fate_of(part: &str, column: Column, place: &Place<'_>, node: Node<'_, '_>) -> Fate {
    RULES.iter().find(|r| r.part == part).map_or(Fate::Keep, |r| r.fate(column, place, node))
}
