//! A guest's NIC: one `<interface>` of a domain.

use std::fmt;

use roxmltree::{Node, NodeId};

use super::name::MacAddr;
use crate::xml::child;

/// Where a NIC leads: its type and the first word of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The type as in the XML: `network`, `bridge`, `direct`, `user`, …
    pub kind: String,
    /// Network, bridge or device; empty where the type has none.
    pub name: String,
    /// The portgroup of a network, or the mode of macvtap.
    pub detail: Option<String>,
}

impl Source {
    /// A source of that type and name.
    pub fn new(kind: &str, name: &str, detail: Option<&str>) -> Source {
        Source { kind: kind.into(), name: name.into(), detail: detail.map(Into::into) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.name.is_empty() {
            write!(f, " '{}'", self.name)?;
        }
        match (&self.detail, self.kind.as_str()) {
            (Some(group), "network") => write!(f, ", portgroup '{group}'"),
            (Some(mode), _) => write!(f, ", mode {mode}"),
            (None, _) => Ok(()),
        }
    }
}

/// One NIC, as its definition describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Its `<interface>` in the document.
    pub node: NodeId,
    /// Position in the definition, from 1.
    pub position: usize,
    /// Where it leads.
    pub source: Source,
    /// As written, if it is written.
    pub mac: Option<String>,
    /// The device alias (`net0`, `ua-lan`).
    pub alias: Option<String>,
    /// The host's device for it (`vnet0`).
    pub target: Option<String>,
}

impl Nic {
    /// Reads one `<interface>`. A missing type is `user` to libvirt (reference §1.1).
    pub fn read(interface: Node<'_, '_>, position: usize) -> Nic {
        let of = |name: &str, attribute: &str| {
            child(interface, name).and_then(|n| n.attribute(attribute)).map(ToString::to_string)
        };
        let kind = interface.attribute("type").unwrap_or("user");
        let (name, detail) = match kind {
            "network" => (of("source", "network"), of("source", "portgroup")),
            "bridge" => (of("source", "bridge"), None),
            "direct" => (of("source", "dev"), Some(of("source", "mode").unwrap_or_else(|| "vepa".into()))),
            "internal" => (of("source", "name"), None),
            "vhostuser" => (of("source", "path"), None),
            "server" | "client" | "mcast" | "udp" => (of("source", "address"), None),
            _ => (of("source", "dev"), None),
        };
        Nic {
            node: interface.id(),
            position,
            source: Source { kind: kind.into(), name: name.unwrap_or_default(), detail },
            mac: of("mac", "address"),
            alias: of("alias", "name"),
            target: of("target", "dev"),
        }
    }

    /// Is that its MAC address, however written?
    pub fn has_mac(&self, mac: MacAddr) -> bool {
        self.mac.as_deref().and_then(|m| m.parse().ok()) == Some(mac)
    }
}

impl fmt::Display for Nic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NIC {}", self.position)?;
        if let Some(mac) = &self.mac {
            write!(f, " ({mac})")?;
        }
        Ok(())
    }
}
