//! Is the host's network what was asked for? Each thing is wanted and found.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::sys::netstate::NetState;

/// What shall be found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// The bridge that shall be there.
    pub bridge: Option<String>,
    /// Its ports.
    pub ports: Vec<String>,
    /// Its MAC address, which must not change when guests come and go.
    pub mac: Option<String>,
    /// The bridge that shall be gone.
    pub gone: Option<String>,
    /// The device that shall have the addresses, if any is to have some.
    pub device: Option<String>,
    /// Its addresses, with the lengths of their prefixes.
    pub addresses: Vec<String>,
    /// The addresses, of whatever length of prefix, that it shall have for sure: nobody else on the link does.
    #[serde(default)]
    pub settled: Vec<IpAddr>,
    /// Shall it have an IPv4 address that DHCP gave?
    pub dhcp4: bool,
    /// The gateways of its default routes.
    pub gateways: Vec<IpAddr>,
    /// The devices that shall have neither addresses nor default routes.
    pub bare: Vec<String>,
    /// The neighbours that shall answer.
    pub answering: Vec<IpAddr>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What it is.
    pub what: String,
    /// As it shall be.
    pub want: String,
    /// As it is.
    pub found: String,
    /// Is it so?
    pub ok: bool,
}

impl Checked {
    /// Something that was looked at.
    pub fn new(
        what: impl Into<String>,
        want: impl Into<String>,
        found: impl Into<String>,
        ok: bool,
    ) -> Checked {
        Checked { what: what.into(), want: want.into(), found: found.into(), ok }
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        format!("{}: {} wanted, {} found", self.what, self.want, self.found)
    }
}

/// Is it this address, whatever the length of its prefix?
fn is_of(cidr: &str, address: IpAddr) -> bool {
    cidr.split('/').next().is_some_and(|ip| ip.parse() == Ok(address))
}

/// What shall be found wasn't.
#[derive(Debug)]
pub struct NotFound {
    /// All that was looked at.
    pub checks: Vec<Checked>,
}

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let faults: Vec<String> = self.checks.iter().filter(|c| !c.ok).map(Checked::sentence).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for NotFound {}

/// Compares what the kernel has with what is wanted; whether neighbours answer isn't seen here.
pub fn check(want: &Want, now: &NetState) -> Vec<Checked> {
    let mut out = Vec::new();
    // A bridge that has no addresses may wait for its cable.
    let is_cableless = |found: &str| found == "no carrier" && want.device.is_none();
    if let Some(name) = &want.bridge {
        let found = match now.device(name) {
            None => "none",
            Some(device) if !device.is_up => "down",
            Some(device) if !device.has_carrier => "no carrier",
            Some(_) => "up",
        };
        out.push(Checked::new(format!("bridge {name}"), "up", found, found == "up" || is_cableless(found)));
        for port in &want.ports {
            let master = now.device(port).and_then(|port| port.master.as_deref());
            let found = master.map_or("nobody's".into(), |master| format!("port of {master}"));
            out.push(Checked::new(port, format!("port of {name}"), found, master == Some(name)));
        }
        if let (Some(mac), Some(device)) = (&want.mac, now.device(name)) {
            out.push(Checked::new(format!("MAC of {name}"), mac, &device.mac, device.mac == *mac));
        }
    }
    if let Some(name) = &want.gone {
        let is_there = now.device(name).is_some();
        out.push(Checked::new(
            format!("bridge {name}"),
            "none",
            if is_there { "still there" } else { "none" },
            !is_there,
        ));
    }
    if let Some(name) = &want.device {
        let device = now.device(name);
        let ready =
            device.into_iter().flat_map(|device| &device.addresses).filter(|address| !address.is_tentative);
        let cidrs: Vec<&str> = ready.clone().map(|address| address.cidr.as_str()).collect();
        let all = if cidrs.is_empty() { "none".into() } else { cidrs.join(", ") };
        for cidr in &want.addresses {
            let what = format!("address of {name}");
            out.push(Checked::new(what, cidr, &all, cidrs.contains(&cidr.as_str())));
        }
        let is_wanted = |address: &&IpAddr| !want.addresses.iter().any(|cidr| is_of(cidr, **address));
        for address in want.settled.iter().filter(is_wanted) {
            let ok = cidrs.iter().any(|cidr| is_of(cidr, *address));
            out.push(Checked::new(format!("address of {name}"), address.to_string(), &all, ok));
        }
        if want.dhcp4 {
            let given = ready.clone().find(|address| !address.cidr.contains(':') && address.valid.is_some());
            let found = given.map_or("none".into(), |address| address.cidr.clone());
            out.push(Checked::new(format!("address of {name}"), "one from DHCP", found, given.is_some()));
        }
        // Another table may have the same one.
        let mut gateways = now.gateways(name);
        gateways.sort_unstable();
        gateways.dedup();
        for gateway in &want.gateways {
            let is = |found: &&str| found.parse::<IpAddr>().is_ok_and(|found| found == *gateway);
            let found = if gateways.is_empty() { "none".into() } else { gateways.join(", ") };
            let what = format!("default route through {name}");
            out.push(Checked::new(what, format!("via {gateway}"), found, gateways.iter().any(is)));
        }
    }
    for name in &want.bare {
        let device = now.device(name);
        let has: Vec<&str> = device.into_iter().flat_map(|d| &d.addresses).map(|a| a.cidr.as_str()).collect();
        let found = if has.is_empty() { "none".into() } else { has.join(", ") };
        out.push(Checked::new(format!("addresses of {name}"), "none", found, has.is_empty()));
        let gateways = now.gateways(name);
        if !gateways.is_empty() {
            out.push(Checked::new(
                format!("default route through {name}"),
                "none",
                gateways.join(", "),
                false,
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sys::netstate::{AddressState, DeviceState, RouteState};

    fn state() -> NetState {
        let address =
            AddressState { cidr: "198.18.0.4/24".into(), valid: Some(60), ..AddressState::default() };
        let device = |name: &str, master: Option<&str>, addresses| DeviceState {
            name: name.into(),
            is_up: true,
            has_carrier: true,
            master: master.map(Into::into),
            mac: "52:54:00:aa:00:04".into(),
            addresses,
            ..DeviceState::default()
        };
        let route = RouteState {
            to: "default".into(),
            via: Some("198.18.0.1".into()),
            dev: "br0".into(),
            ..RouteState::default()
        };
        NetState {
            devices: vec![device("br0", None, vec![address]), device("enp4s0", Some("br0"), Vec::new())],
            routes: vec![route],
            ..NetState::default()
        }
    }

    fn want() -> Want {
        Want {
            bridge: Some("br0".into()),
            ports: vec!["enp4s0".into()],
            mac: Some("52:54:00:aa:00:04".into()),
            device: Some("br0".into()),
            addresses: vec!["198.18.0.4/24".into()],
            dhcp4: true,
            gateways: vec!["198.18.0.1".parse().unwrap()],
            bare: vec!["enp4s0".into()],
            ..Want::default()
        }
    }

    #[test]
    fn each_thing_that_is_wrong_is_said() {
        let faults = |state: &NetState| -> Vec<String> {
            check(&want(), state).iter().filter(|c| !c.ok).map(Checked::sentence).collect()
        };
        assert_eq!(faults(&state()), [""; 0]);
        let wrong = |change: fn(&mut NetState)| {
            let mut state = state();
            change(&mut state);
            faults(&state).join("; ")
        };
        assert_eq!(wrong(|s| s.devices[0].is_up = false), "bridge br0: up wanted, down found");
        assert_eq!(wrong(|s| s.devices[1].master = None), "enp4s0: port of br0 wanted, nobody's found");
        assert!(wrong(|s| s.devices[0].mac = "02:00:00:00:00:01".into()).starts_with("MAC of br0"));
        assert_eq!(
            wrong(|s| s.routes.clear()),
            "default route through br0: via 198.18.0.1 wanted, none found"
        );
        let both = wrong(|s| {
            let moved = s.devices[0].addresses.clone();
            s.devices[1].addresses = moved;
        });
        assert_eq!(both, "addresses of enp4s0: none wanted, 198.18.0.4/24 found");
        assert!(
            wrong(|s| s.devices[0].addresses[0].valid = None).contains("one from DHCP wanted, none found")
        );
        let twice = Want { settled: vec!["198.18.0.4".parse().unwrap()], ..want() };
        let mut two_tables = state();
        let words = vec!["table".into(), "77".into()];
        two_tables.routes.push(RouteState { words, ..two_tables.routes[0].clone() });
        let checks = check(&twice, &two_tables);
        for (n, checked) in checks.iter().enumerate() {
            assert!(
                !checks[..n].iter().any(|c| c.what == checked.what && c.want == checked.want),
                "{checked:?}"
            );
        }
        let way = checks.iter().find(|c| c.what.starts_with("default route")).unwrap();
        assert_eq!(way.found, "198.18.0.1");
        let settled = Want { settled: vec!["198.18.0.4".parse().unwrap()], ..want() };
        assert!(check(&settled, &state()).iter().all(|checked| checked.ok));
        let mut looking = state();
        looking.devices[0].addresses[0].is_tentative = true;
        assert!(check(&settled, &looking).iter().any(|checked| !checked.ok));
        assert!(wrong(|s| s.devices.clear()).contains("bridge br0: up wanted, none found"));
        let gone = Want { gone: Some("br0".into()), ..Want::default() };
        assert!(!check(&gone, &state())[0].ok && check(&gone, &NetState::default())[0].ok);
    }
}
