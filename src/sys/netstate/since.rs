//! What isn't as it was, and what makes it so again.

use std::time::Duration;

use anyhow::{Context, Result};

use super::others::{Neighbour, Rule, setting};
use super::{AddressState, DeviceState, NetState, RouteState};
use crate::sys::exec;

/// Something that isn't as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// What it is, in words.
    pub what: String,
    /// What makes it as it was.
    how: How,
    /// Does what configures the network see to it by itself, if it is given the time?
    pub comes_back: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum How {
    Run(Vec<String>),
    Set(String, String),
    /// Nothing but time does.
    Wait,
}

impl Mend {
    fn run_later(what: String, argv: Vec<String>) -> Mend {
        Mend { what, how: How::Run(argv), comes_back: false }
    }

    /// Makes it as it was, as far as it can be made.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn mend(&self) -> Result<()> {
        match &self.how {
            How::Run(argv) => exec::run(argv, Duration::from_secs(60)).map(drop),
            How::Set(path, value) => {
                std::fs::write(setting(path), value).with_context(|| format!("net/{path} can't be set"))
            }
            How::Wait => Ok(()),
        }
    }
}

fn argv(words: &[&str]) -> Vec<String> {
    std::iter::once("ip").chain(words.iter().copied()).map(String::from).collect()
}

fn rule_again(rule: &Rule) -> Mend {
    let words = rule.words.join(" ");
    let all: Vec<&str> = [rule.family.as_str(), "rule", "add"]
        .into_iter()
        .chain(rule.words.iter().map(String::as_str))
        .collect();
    Mend::run_later(format!("the policy rule '{words}' is missing"), argv(&all))
}

impl NetState {
    /// Is this rule there, whatever its priority? Who sets it anew may leave that to the kernel.
    fn has_rule(&self, rule: &Rule) -> bool {
        let rest = |rule: &Rule| rule.words.iter().skip(2).cloned().collect::<Vec<_>>();
        self.rules.iter().any(|now| now.family == rule.family && rest(now) == rest(rule))
    }

    /// The rules set by hand that were there before and are gone.
    pub fn rules_lost(&self, before: &NetState) -> Vec<Mend> {
        let lost = before.rules.iter().filter(|rule| rule.is_by_hand() && !self.has_rule(rule));
        lost.map(rule_again).collect()
    }

    /// What isn't as it was in `before`, each with what makes it so again, in an order in which that can be done.
    pub fn since(&self, before: &NetState) -> Vec<Mend> {
        // Whether a device may have IPv6 addresses comes before those.
        let mut out: Vec<Mend> = self.settings_since(before);
        let mut add = |what: String, words: &[&str]| {
            out.push(Mend { what, how: How::Run(argv(words)), comes_back: true });
        };
        for new in self.devices.iter().filter(|device| before.device(&device.name).is_none()) {
            let ports = self.devices.iter().filter(|device| device.master.as_ref() == Some(&new.name));
            for port in ports {
                let what = format!("{} is a port of {}", port.name, new.name);
                add(what, &["link", "set", &port.name, "nomaster"]);
            }
            add(format!("{} is there", new.name), &["link", "delete", &new.name]);
        }
        for DeviceState { name, mac, .. } in
            before.devices.iter().filter(|was| self.device(&was.name).is_none())
        {
            // A NIC that was unplugged comes back by itself or not at all; a bridge can be made. Its settings come after
            // that, and only those that differ: a kernel that lacks one (VLAN filtering) would refuse the whole bridge.
            add(format!("{name} is gone"), &["link", "add", name, "address", mac, "type", "bridge"]);
        }
        for was in &before.devices {
            let name = was.name.as_str();
            let Some(now) = self.device(name) else { continue };
            if now.master != was.master {
                match &was.master {
                    Some(master) => {
                        add(
                            format!("{name} is no port of {master}"),
                            &["link", "set", name, "master", master],
                        );
                    }
                    None if before.device(now.master.as_deref().unwrap_or_default()).is_some() => {
                        add(format!("{name} is a port"), &["link", "set", name, "nomaster"]);
                    }
                    // Its bridge goes, see above.
                    None => {}
                }
            }
            for (key, value) in was.bridge.iter().filter(|setting| !now.bridge.contains(setting)) {
                add(
                    format!("{key} of {name} isn't {value}"),
                    &["link", "set", name, "type", "bridge", key, value],
                );
            }
            if now.mac != was.mac {
                add(format!("{name} has the MAC {}", now.mac), &["link", "set", name, "address", &was.mac]);
            }
            if now.mtu != was.mtu {
                let mtu = was.mtu.to_string();
                add(format!("{name} has the MTU {}", now.mtu), &["link", "set", name, "mtu", &mtu]);
            }
            if let (Some(mode), true) = (&was.generates, now.generates != was.generates) {
                add(
                    format!("{name} makes its own IPv6 address in another way"),
                    &["link", "set", name, "addrgenmode", mode],
                );
            }
            if now.is_up != was.is_up {
                let (word, other) = if was.is_up { ("up", "down") } else { ("down", "up") };
                add(format!("{name} is {other}"), &["link", "set", name, word]);
            }
        }
        self.addresses_since(before, &mut add);
        out.extend(self.routes_since(before));
        out.extend(self.others_since(before));
        out
    }

    fn routes_since(&self, before: &NetState) -> Vec<Mend> {
        let run = |verb: &str, route: &RouteState| {
            let words = [route.family.as_str(), "route", verb].into_iter();
            How::Run(argv(&words.chain(route.words.iter().map(String::as_str)).collect::<Vec<_>>()))
        };
        let mut out = Vec::new();
        let mut add = |what, how| out.push(Mend { what, how, comes_back: true });
        for route in before.routes.iter().filter(|route| !self.routes.contains(route)) {
            let is_beside = |other: &RouteState| {
                let place = |route: &RouteState| {
                    let word = |key: &str| route.get(key).map(String::from);
                    (route.family.clone(), route.to.clone(), word("metric"), word("table"))
                };
                other != route && place(other) == place(route)
            };
            let how = match (route.family.as_str(), route.get("proto")) {
                // Set by hand, a router's would be made one route with the static one beside it.
                ("-6", Some("ra")) if before.routes.iter().any(is_beside) => How::Wait,
                // Replace would take that one's place.
                ("-6", _) => run("append", route),
                _ => run("replace", route),
            };
            add(format!("the route {} is missing", route.words.join(" ")), how);
        }
        let is_there = |route: &&RouteState| before.device(&route.dev).is_some();
        for route in self.routes.iter().filter(is_there).filter(|route| !before.routes.contains(route)) {
            add(format!("there is a route {}", route.words.join(" ")), run("delete", route));
        }
        out
    }

    fn settings_since(&self, before: &NetState) -> Vec<Mend> {
        let mut out = Vec::new();
        for was in &before.devices {
            let Some(now) = self.device(&was.name) else { continue };
            for (path, value) in
                was.settings.iter().filter(|(path, value)| now.settings.get(*path) != Some(value))
            {
                out.push(Mend {
                    what: format!("net/{path} isn't {value}"),
                    how: How::Set(path.clone(), value.clone()),
                    comes_back: false,
                });
            }
        }
        out
    }

    /// Ports, rules and neighbours. Rules that are new are left alone: they may be anybody's.
    fn others_since(&self, before: &NetState) -> Vec<Mend> {
        let mut out = Vec::new();
        for (port, master) in &before.others {
            // One that went, or was plugged in elsewhere meanwhile, is somebody else's business.
            let bridge = master.as_deref().filter(|_| self.others.get(port) == Some(&None));
            if let Some(bridge) = bridge.and_then(|name| before.device(name)) {
                let what = format!("{port} is no port of {}", bridge.name);
                out.push(Mend::run_later(what, argv(&["link", "set", port, "master", &bridge.name])));
            }
        }
        out.extend(before.rules.iter().filter(|rule| !self.has_rule(rule)).map(rule_again));
        for was in before.neighbours.iter().filter(|was| !self.neighbours.contains(was)) {
            let (address, mac, dev) = (&was.address, &was.mac, &was.dev);
            let words = ["neigh", "replace", address, "lladdr", mac, "dev", dev, "nud", "permanent"];
            out.push(Mend::run_later(format!("{dev} doesn't know the neighbour {address}"), argv(&words)));
        }
        let is_new = |now: &&Neighbour| {
            let is_it = |was: &Neighbour| was.address == now.address && was.dev == now.dev;
            before.device(&now.dev).is_some() && !before.neighbours.iter().any(is_it)
        };
        for now in self.neighbours.iter().filter(is_new) {
            let what = format!("{} knows the neighbour {}", now.dev, now.address);
            out.push(Mend::run_later(what, argv(&["neigh", "delete", &now.address, "dev", &now.dev])));
        }
        out
    }

    fn addresses_since(&self, before: &NetState, add: &mut impl FnMut(String, &[&str])) {
        for was in &before.devices {
            let name = was.name.as_str();
            let now = self.device(name).map(|device| device.addresses.as_slice()).unwrap_or_default();
            let of_link = self.device(name).map(|device| device.link_local.as_slice()).unwrap_or_default();
            for cidr in was.link_local.iter().filter(|cidr| !of_link.contains(cidr)) {
                add(
                    format!("{name} has no address {cidr}"),
                    &["addr", "replace", cidr, "dev", name, "scope", "link"],
                );
            }
            let has = |all: &[AddressState], cidr: &str| all.iter().any(|address| address.cidr == cidr);
            for address in was.addresses.iter().filter(|address| !has(now, &address.cidr)) {
                let valid = address.valid.map(|valid| valid.to_string());
                let mut words = vec!["addr", "replace", &address.cidr, "dev", name];
                if let Some(valid) = &valid {
                    words.extend(["valid_lft", valid, "preferred_lft", valid]);
                }
                let metric = address.metric.map(|metric| metric.to_string());
                if let Some(metric) = &metric {
                    words.extend(["metric", metric]);
                }
                if address.noprefixroute {
                    words.push("noprefixroute");
                }
                add(format!("{name} has no address {}", address.cidr), &words);
            }
            for address in now.iter().filter(|address| !has(&was.addresses, &address.cidr)) {
                let what = format!("{name} has the address {}", address.cidr);
                add(what, &["addr", "delete", &address.cidr, "dev", name]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::nic;
    use super::*;

    impl Mend {
        fn line(&self) -> String {
            match &self.how {
                How::Run(argv) => argv.join(" "),
                How::Set(path, value) => format!("{path}={value}"),
                How::Wait => "(wait)".into(),
            }
        }
    }

    #[test]
    fn what_nothing_brings_back_is_not_waited_for() {
        let words = |text: &str| text.split(' ').map(String::from).collect();
        let rule = |text: &str| Rule { family: "-4".into(), words: words(text) };
        let neighbour = |address: &str| Neighbour {
            address: address.into(),
            mac: "52:54:00:01:01:01".into(),
            dev: "enp4s0".into(),
        };
        let set = |value: &str| [("ipv6/conf/enp4s0/accept_ra".to_string(), value.to_string())].into();
        let device = |value: &str| DeviceState { settings: set(value), ..nic(None, &[]) };
        let before = NetState {
            devices: vec![device("2")],
            rules: vec![
                rule("priority 9 from 192.0.2.4 lookup 77"),
                rule("priority 8 from all lookup 6 proto static"),
                rule("priority 6 from all lookup 5"),
            ],
            neighbours: vec![neighbour("192.0.2.50")],
            ..NetState::default()
        };
        let now = NetState {
            devices: vec![device("0")],
            rules: vec![rule("priority 5 from all lookup 52"), rule("priority 7 from all lookup 5")],
            neighbours: vec![neighbour("192.0.2.51")],
            ..NetState::default()
        };
        let mends = now.since(&before);
        assert!(mends.iter().all(|mend| !mend.comes_back));
        assert_eq!(
            mends.iter().map(Mend::line).collect::<Vec<_>>(),
            [
                "ipv6/conf/enp4s0/accept_ra=2",
                "ip -4 rule add priority 9 from 192.0.2.4 lookup 77",
                "ip -4 rule add priority 8 from all lookup 6 proto static",
                "ip neigh replace 192.0.2.50 lladdr 52:54:00:01:01:01 dev enp4s0 nud permanent",
                "ip neigh delete 192.0.2.51 dev enp4s0"
            ]
        );
        let lost = now.rules_lost(&before);
        assert_eq!(
            lost.iter().map(Mend::line).collect::<Vec<_>>(),
            ["ip -4 rule add priority 9 from 192.0.2.4 lookup 77"]
        );
        assert!(before.since(&before).is_empty());
    }

    #[test]
    fn a_bridge_that_was_there_gets_its_ports_again() {
        let others = |all: &[(&str, Option<&str>)]| {
            all.iter().map(|(name, master)| ((*name).into(), master.map(Into::into))).collect()
        };
        let bridge = |settings: &[(&str, &str)]| DeviceState {
            name: "br0".into(),
            bridge: settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            ..nic(None, &[])
        };
        let ports =
            others(&[("vnet0", Some("br0")), ("vnet1", Some("br0")), ("veth2", Some("br0")), ("lo", None)]);
        let before =
            NetState { devices: vec![bridge(&[("stp_state", "1")])], others: ports, ..NetState::default() };
        // One guest has ended meanwhile, another has moved.
        let left = others(&[("vnet0", None), ("veth2", Some("br1")), ("lo", None), ("br1", None)]);
        let said = |now: &NetState| -> Vec<String> { now.since(&before).iter().map(Mend::line).collect() };
        let gone = NetState { others: left.clone(), ..NetState::default() };
        assert_eq!(
            said(&gone),
            ["ip link add br0 address 52:54:00:aa:00:04 type bridge", "ip link set vnet0 master br0"]
        );
        let anew = NetState { devices: vec![bridge(&[("stp_state", "0")])], others: left, ..gone };
        assert_eq!(said(&anew), ["ip link set br0 type bridge stp_state 1", "ip link set vnet0 master br0"]);
    }

    #[test]
    fn a_routers_way_out_beside_another_is_waited_for() {
        let route = |proto: &str, via: &str| RouteState {
            family: "-6".into(),
            to: "default".into(),
            via: Some(via.into()),
            dev: "enp4s0".into(),
            words: ["default", "proto", proto, "metric", "1024", "via", via, "dev", "enp4s0"]
                .map(String::from)
                .to_vec(),
        };
        let said = |routes: Vec<RouteState>| -> Vec<String> {
            let before = NetState { devices: vec![nic(None, &[])], routes, ..NetState::default() };
            let now = NetState { routes: Vec::new(), ..before.clone() };
            now.since(&before).iter().map(Mend::line).collect()
        };
        let advertised = "ip -6 route append default proto ra metric 1024 via fe80::1 dev enp4s0";
        let fixed = "ip -6 route append default proto boot metric 1024 via 2001:2::1 dev enp4s0";
        assert_eq!(said(vec![route("ra", "fe80::1")]), [advertised]);
        assert_eq!(said(vec![route("boot", "2001:2::1"), route("ra", "fe80::1")]), [fixed, "(wait)"]);
    }

    #[test]
    fn what_has_to_be_done_to_be_as_before() {
        let gateway = |dev: &str| RouteState {
            family: "-4".into(),
            to: "default".into(),
            via: Some("198.18.0.1".into()),
            dev: dev.into(),
            words: ["default", "via", "198.18.0.1", "dev", dev].map(String::from).to_vec(),
        };
        let before = NetState {
            devices: vec![nic(None, &["198.18.0.4/24"])],
            routes: vec![gateway("enp4s0")],
            ..NetState::default()
        };
        assert!(before.since(&before).is_empty());
        let bridge = DeviceState { name: "br0".into(), ..nic(None, &["198.18.0.4/24"]) };
        let now = NetState {
            devices: vec![nic(Some("br0"), &[]), bridge],
            routes: vec![gateway("br0")],
            ..NetState::default()
        };
        let said: Vec<String> = now.since(&before).iter().map(Mend::line).collect();
        assert_eq!(
            said,
            [
                "ip link set enp4s0 nomaster",
                "ip link delete br0",
                "ip addr replace 198.18.0.4/24 dev enp4s0",
                "ip -4 route replace default via 198.18.0.1 dev enp4s0"
            ]
        );
        let back: Vec<String> = before.since(&now).iter().map(Mend::line).collect();
        assert_eq!(back[0], "ip link add br0 address 52:54:00:aa:00:04 type bridge");
        assert!(back.contains(&"ip link set enp4s0 master br0".to_string()), "{back:?}");
        let other = NetState { devices: vec![nic(None, &["198.18.0.9/24"])], ..NetState::default() };
        let said: Vec<String> = other.since(&before).iter().map(|mend| mend.what.clone()).collect();
        assert!(said.contains(&"enp4s0 has the address 198.18.0.9/24".to_string()), "{said:?}");
    }
}
