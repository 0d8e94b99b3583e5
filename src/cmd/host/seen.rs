//! A device with all that is known of it.

use serde_json::{Value, json};

use super::owners::{Owner, Owners};
use crate::host::{Advice, Company, Facts, Kind, Place, Says, Signs, Verdict, advice, check};
use crate::sys::links::Address;
use crate::sys::nics::{self, Nic};
use crate::sys::tree::Tree;

/// A device that is on another one.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// `port`, or its kind.
    pub(super) role: String,
    pub(super) vlan: Option<u16>,
}

/// One device.
pub(super) struct Seen {
    pub(super) nic: Nic,
    pub(super) kind: Kind,
    pub(super) carries: Vec<Carried>,
    pub(super) owners: Vec<Owner>,
    /// Can it be said that nobody configures it?
    pub(super) owner_is_known: bool,
    pub(super) facts: Facts,
    pub(super) says: Says,
    pub(super) verdict: Verdict,
    pub(super) advice: Option<Advice>,
}

/// All devices of the host below `tree`, and the files that couldn't be read.
pub(super) fn look(tree: &Tree) -> (Vec<Seen>, Vec<String>) {
    let nics = nics::all(tree);
    let slots = nics::slots(tree);
    let owners = Owners::read(tree);
    let kinds: Vec<Kind> = nics.iter().map(kind).collect();
    let seen = nics.iter().zip(&kinds).map(|(nic, kind)| {
        let facts = facts(nic, *kind, &slots);
        let others = nics.iter().zip(&kinds).filter(|(other, other_kind)| {
            *other_kind == kind && other.link.index != nic.link.index && is_hardware(other)
        });
        let company = if others.count() == 0 { Company::Alone } else { Company::Others };
        let says = Says::read(&nic.link.name);
        let verdict = check(&says, &facts);
        let owned = owners.of(nic, *kind);
        Seen {
            kind: *kind,
            carries: carried(nic, &nics, &kinds),
            owner_is_known: !owned.is_empty() || owners.unread.is_empty(),
            owners: owned,
            advice: advice(&says, &facts, &verdict, company),
            nic: nic.clone(),
            facts,
            says,
            verdict,
        }
    });
    (seen.collect(), owners.unread.clone())
}

fn is_hardware(nic: &Nic) -> bool {
    nic.path.as_ref().is_some_and(|path| !path.starts_with("devices/virtual/"))
}

fn kind(nic: &Nic) -> Kind {
    Kind::of(&Signs {
        info_kind: nic.link.info_kind.as_deref(),
        devtype: nic.devtype.as_deref(),
        link_type: nic.link.link_type.as_deref(),
        has_device: is_hardware(nic),
        is_wireless: nic.is_wireless,
        tun_flags: nic.tun_flags,
    })
}

fn facts(nic: &Nic, kind: Kind, slots: &[(String, String)]) -> Facts {
    let mac = |text: &Option<String>| text.as_ref()?.parse().ok();
    let link = &nic.link;
    Facts {
        name: link.name.clone(),
        kind,
        place: nic.path.as_deref().map(Place::read),
        slots: slots.to_vec(),
        is_multifunction: nic.is_multifunction,
        onboard: nic.onboard,
        dev_port: nic.dev_port,
        port_name: nic.port_name.clone(),
        virtual_function: nic.virtual_function.as_ref().and_then(|(card, n)| Some((card.parse().ok()?, *n))),
        mac: mac(&link.mac),
        permanent_mac: mac(&link.permanent_mac),
        mac_origin: nic.mac_origin,
        name_origin: nic.name_origin,
        below: link.below.as_ref().map(|below| (below.clone(), link.vlan)),
        udev: nic.udev.clone(),
    }
}

/// Its ports, and what is on top of it.
fn carried(nic: &Nic, nics: &[Nic], kinds: &[Kind]) -> Vec<Carried> {
    let name = Some(&nic.link.name);
    let carried = nics.iter().zip(kinds).filter_map(|(other, kind)| {
        let link = &other.link;
        let role = match kind {
            _ if link.master.as_ref() == name => "port",
            // The other end of a veth isn't on it.
            Kind::Vlan | Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan | Kind::Tunnel
                if link.below.as_ref() == name =>
            {
                kind.as_str()
            }
            _ => return None,
        };
        Some(Carried { name: link.name.clone(), kind: *kind, role: role.into(), vlan: link.vlan })
    });
    carried.collect()
}

impl Seen {
    /// The driver; of what the kernel makes itself, its word for that.
    pub(super) fn driver(&self) -> Option<&str> {
        self.nic.driver.as_deref().or(self.nic.link.info_kind.as_deref())
    }

    pub(super) fn speed(&self) -> Option<u32> {
        self.nic.speed.filter(|_| self.kind.has_speed())
    }

    pub(super) fn duplex(&self) -> Option<&str> {
        self.nic.duplex.as_deref().filter(|_| self.kind.has_speed())
    }

    /// The address that it was made with, if that is another than it has.
    pub(super) fn other_mac(&self) -> Option<&str> {
        self.nic.link.permanent_mac.as_deref().filter(|mac| Some(*mac) != self.nic.link.mac.as_deref())
    }

    /// The device that it is on.
    pub(super) fn below(&self) -> Option<&str> {
        self.nic.link.below.as_deref().filter(|_| self.kind != Kind::Veth)
    }

    /// The other end of a veth, if that is in this network namespace.
    pub(super) fn peer(&self) -> Option<&str> {
        self.nic.link.below.as_deref().filter(|_| self.kind == Kind::Veth)
    }

    pub(super) fn stable_name(&self) -> Option<&str> {
        self.advice.as_ref()?.name.as_deref()
    }

    /// The backend's name, `none` or `unknown`.
    pub(super) fn backend(&self) -> &'static str {
        match self.owners.first() {
            Some(owner) => owner.backend,
            None if self.owner_is_known => "none",
            None => "unknown",
        }
    }

    pub(super) fn json(&self) -> Value {
        let link = &self.nic.link;
        let owner = |owner: &Owner| json!({ "backend": owner.backend, "file": owner.file });
        let addresses = link.addresses.as_ref();
        let info = |a: &Address| json!({ "address": a.cidr, "scope": a.scope, "dynamic": a.is_dynamic });
        let names =
            self.facts.names().into_iter().map(|(policy, name)| (policy.as_str().to_string(), json!(name)));
        let carries = self
            .carries
            .iter()
            .map(|c| json!({ "name": c.name, "kind": c.kind.as_str(), "as": c.role, "vlan": c.vlan }));
        let parts = self
            .says
            .parts(&link.name)
            .into_iter()
            .map(|(part, means)| json!({ "part": part, "means": means }));
        json!({
            "name": link.name,
            "altnames": link.altnames,
            "index": link.index,
            "kind": self.kind.as_str(),
            "driver": self.driver(),
            "device": self.facts.place.as_ref().and_then(Place::address).map(|a| a.to_string()),
            "link": {
                "up": link.is_up,
                "carrier": link.has_carrier,
                "speed": self.speed(),
                "duplex": self.duplex(),
            },
            "mtu": link.mtu,
            "mac": link.mac,
            "permanent_mac": link.permanent_mac,
            "addresses": addresses.map(|all| all.iter().map(|a| a.cidr.as_str()).collect::<Vec<_>>()),
            "address_info": addresses.map(|all| all.iter().map(info).collect::<Vec<_>>()),
            "master": link.master,
            "below": self.below(),
            "peer": self.peer(),
            "vlan": link.vlan,
            "carries": carries.collect::<Vec<_>>(),
            "configured_by": {
                "backend": self.backend(),
                "file": self.owners.first().and_then(|o| o.file.as_ref()),
                "also": self.owners.iter().skip(1).map(owner).collect::<Vec<_>>(),
            },
            "means": self.says.sentence(&link.name),
            "parts": parts.collect::<Vec<_>>(),
            "agrees": self.verdict.agrees(),
            "evidence": self.verdict.sentence(),
            "names": names.collect::<serde_json::Map<_, _>>(),
            "stable_name": self.stable_name(),
            "can_change": self.advice.as_ref().map(|advice| &advice.why),
            "link_file": self.advice.as_ref().and_then(|a| a.link.as_ref()).map(|l| json!({ "path": l.path, "text": l.text })),
        })
    }
}
