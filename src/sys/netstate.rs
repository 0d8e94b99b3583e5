//! What the kernel has of some network devices: enough to tell whether it is as it was, and to make it so again.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::routes::ip;

/// Some devices, and their routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetState {
    /// The devices that are there.
    pub devices: Vec<DeviceState>,
    /// Their routes in all tables, but for those that the kernel makes itself.
    pub routes: Vec<RouteState>,
    /// All other devices, each with the bridge that it is a port of: a bridge that is made anew loses its ports.
    #[serde(default)]
    pub others: BTreeMap<String, Option<String>>,
}

/// A device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Its name.
    pub name: String,
    /// Is it administratively up?
    pub is_up: bool,
    /// Has it a carrier? The kernel says so only of what is up.
    pub has_carrier: bool,
    /// The bridge that it is a port of.
    pub master: Option<String>,
    /// Its MAC address.
    pub mac: String,
    /// In bytes.
    pub mtu: u32,
    /// How it is set, if it is a bridge, in the words that `ip link set type bridge` takes.
    #[serde(default)]
    pub bridge: Vec<(String, String)>,
    /// How the kernel makes its link-local IPv6 address, which bridge-utils changes and doesn't put back.
    pub generates: Option<String>,
    /// Its link-local IPv6 addresses.
    pub link_local: Vec<String>,
    /// Its addresses, without those of the link and those that the kernel makes up for privacy.
    pub addresses: Vec<AddressState>,
}

/// An address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressState {
    /// With the length of its prefix.
    pub cidr: String,
    /// Does it run out?
    pub is_dynamic: bool,
    /// For so many seconds it is valid; `None` for ever.
    pub valid: Option<u32>,
    /// The metric of the route to its subnet, if it isn't the kernel's own.
    #[serde(default)]
    pub metric: Option<u64>,
    /// Has the kernel made no route to its subnet?
    pub noprefixroute: bool,
    /// Does the kernel still look whether somebody else has it?
    #[serde(default)]
    pub is_tentative: bool,
}

/// A route, in the words that `ip route` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteState {
    /// `-4`, `-6`.
    pub family: String,
    /// Where it leads: `default`, `10.0.0.0/8`.
    pub to: String,
    /// Through whom.
    pub via: Option<String>,
    /// Through which device.
    pub dev: String,
    /// All of it.
    pub words: Vec<String>,
}

/// What the kernel has of `names` now.
///
/// # Errors
/// `ip` can't be asked.
pub fn look(names: &[String]) -> Result<NetState> {
    let is_wanted = |name: &str| names.iter().any(|n| n == name);
    let links = ip::<Value>(&["-d", "addr", "show"])?;
    let (devices, others): (Vec<_>, Vec<_>) =
        links.iter().filter_map(device).partition(|device| is_wanted(&device.name));
    let others = others.into_iter().map(|other| (other.name, other.master)).collect();
    let mut routes = Vec::new();
    for family in ["-4", "-6"] {
        let all = ip::<Value>(&["-d", family, "route", "show", "table", "all"])?;
        routes.extend(all.iter().filter_map(|raw| route(family, raw)).filter(|route| is_wanted(&route.dev)));
    }
    Ok(NetState { devices, routes, others })
}

/// What makes a difference to who is on a bridge. Its timers and what it has learnt change by themselves.
const SETTINGS: [&str; 5] = ["stp_state", "forward_delay", "ageing_time", "priority", "vlan_filtering"];

fn device(raw: &Value) -> Option<DeviceState> {
    let word = |key: &str| raw[key].as_str().map(String::from);
    let has = |flag: &str| raw["flags"].as_array().is_some_and(|all| all.iter().any(|f| f == flag));
    let addresses = raw["addr_info"].as_array().into_iter().flatten().filter_map(|info| {
        let is = |key: &str| info[key].as_bool() == Some(true);
        if !matches!(info["scope"].as_str(), Some("global" | "site")) || is("temporary") {
            return None;
        }
        let valid = info["valid_life_time"].as_u64().filter(|n| *n < u64::from(u32::MAX));
        Some(AddressState {
            cidr: format!("{}/{}", info["local"].as_str()?, info["prefixlen"].as_u64()?),
            is_dynamic: is("dynamic"),
            valid: valid.and_then(|n| n.try_into().ok()),
            metric: info["metric"].as_u64(),
            noprefixroute: is("noprefixroute"),
            is_tentative: is("tentative"),
        })
    });
    let of_link = raw["addr_info"].as_array().into_iter().flatten().filter(|info| info["scope"] == "link");
    let of_link = of_link.filter(|info| info["family"] == "inet6");
    let info = &raw["linkinfo"];
    let is_bridge = info["info_kind"] == "bridge";
    let settings = SETTINGS.into_iter().filter(|_| is_bridge).filter_map(|key| {
        let value = info["info_data"][key].as_u64()?;
        Some((key.to_string(), value.to_string()))
    });
    Some(DeviceState {
        bridge: settings.collect(),
        name: word("ifname")?,
        generates: word("inet6_addr_gen_mode"),
        link_local: of_link
            .filter_map(|info| Some(format!("{}/{}", info["local"].as_str()?, info["prefixlen"].as_u64()?)))
            .collect(),
        is_up: has("UP"),
        has_carrier: has("LOWER_UP"),
        master: word("master"),
        mac: word("address").unwrap_or_default(),
        mtu: raw["mtu"].as_u64().and_then(|mtu| mtu.try_into().ok()).unwrap_or_default(),
        addresses: addresses.collect(),
    })
}

/// Routes that the kernel makes along with addresses and devices come back with them.
fn route(family: &str, raw: &Value) -> Option<RouteState> {
    let word = |key: &str| raw[key].as_str().map(String::from);
    let table = match &raw["table"] {
        Value::String(table) => table.clone(),
        Value::Number(table) => table.to_string(),
        _ => "main".into(),
    };
    let proto = word("protocol").unwrap_or_else(|| "boot".into());
    let kind = word("type").unwrap_or_else(|| "unicast".into());
    // ifupdown2 says of its default routes that they are the kernel's.
    let of_kernel = proto == "kernel" && raw["gateway"].is_null();
    if table == "local" || of_kernel || kind != "unicast" {
        return None;
    }
    let (to, dev, via) = (word("dst")?, word("dev")?, word("gateway"));
    let mut words = vec![to.clone()];
    let mut say = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([key.into(), value]);
        }
    };
    say("via", via.clone());
    say("dev", Some(dev.clone()));
    say("proto", Some(proto));
    say("src", word("prefsrc"));
    say("metric", raw["metric"].as_u64().map(|metric| metric.to_string()));
    say("table", Some(table).filter(|table| table != "main"));
    say("scope", word("scope").filter(|scope| scope == "link" && family == "-4"));
    let onlink = raw["flags"].as_array().is_some_and(|all| all.iter().any(|f| f == "onlink"));
    words.extend(onlink.then(|| "onlink".into()));
    Some(RouteState { family: family.into(), to, via, dev, words })
}

impl NetState {
    /// A device.
    pub fn device(&self, name: &str) -> Option<&DeviceState> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// The gateways of its default routes.
    pub fn gateways(&self, dev: &str) -> Vec<&str> {
        let routes = self.routes.iter().filter(|route| route.to == "default" && route.dev == dev);
        routes.filter_map(|route| route.via.as_deref()).collect()
    }

    /// What isn't as it was in `before`, each with the command of `ip` that makes it so again, in an order in which they
    /// can be run.
    pub fn since(&self, before: &NetState) -> Vec<(String, Vec<String>)> {
        let mut out = Vec::new();
        let mut add = |what: String, words: &[&str]| {
            let argv = std::iter::once("ip").chain(words.iter().copied());
            out.push((what, argv.map(String::from).collect()));
        };
        for new in self.devices.iter().filter(|device| before.device(&device.name).is_none()) {
            let ports = self.devices.iter().filter(|device| device.master.as_ref() == Some(&new.name));
            for port in ports {
                let what = format!("{} is a port of {}", port.name, new.name);
                add(what, &["link", "set", &port.name, "nomaster"]);
            }
            add(format!("{} is there", new.name), &["link", "delete", &new.name]);
        }
        for DeviceState { name, mac, bridge, .. } in
            before.devices.iter().filter(|was| self.device(&was.name).is_none())
        {
            // A NIC that was unplugged comes back by itself or not at all; a bridge can be made.
            let settings = bridge.iter().flat_map(|(key, value)| [key.as_str(), value]);
            let words = ["link", "add", name, "address", mac, "type", "bridge"];
            add(format!("{name} is gone"), &words.into_iter().chain(settings).collect::<Vec<_>>());
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
        for (port, master) in &before.others {
            // One that went, or was plugged in elsewhere meanwhile, is somebody else's business.
            let bridge = master.as_deref().filter(|_| self.others.get(port) == Some(&None));
            if let Some(bridge) = bridge.and_then(|name| before.device(name)) {
                let what = format!("{port} is no port of {}", bridge.name);
                add(what, &["link", "set", port, "master", &bridge.name]);
            }
        }
        self.addresses_since(before, &mut add);
        for route in before.routes.iter().filter(|route| !self.routes.contains(route)) {
            let words: Vec<&str> = [route.family.as_str(), "route", "replace"]
                .into_iter()
                .chain(route.words.iter().map(String::as_str))
                .collect();
            add(format!("the route {} is missing", route.words.join(" ")), &words);
        }
        let is_there = |route: &&RouteState| before.device(&route.dev).is_some();
        for route in self.routes.iter().filter(is_there).filter(|route| !before.routes.contains(route)) {
            let words: Vec<&str> = [route.family.as_str(), "route", "delete"]
                .into_iter()
                .chain(route.words.iter().map(String::as_str))
                .collect();
            add(format!("there is a route {}", route.words.join(" ")), &words);
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
    use super::*;
    use serde_json::json;

    fn nic(master: Option<&str>, addresses: &[&str]) -> DeviceState {
        let address = |cidr: &&str| AddressState { cidr: (*cidr).into(), ..AddressState::default() };
        DeviceState {
            name: "enp4s0".into(),
            is_up: true,
            master: master.map(Into::into),
            mac: "52:54:00:aa:00:04".into(),
            mtu: 1500,
            addresses: addresses.iter().map(address).collect(),
            ..DeviceState::default()
        }
    }

    #[test]
    fn as_ip_says_it() {
        let raw = json!({"ifname": "enp4s0", "flags": ["UP"], "mtu": 9000, "address": "52:54:00:aa:00:04", "master": "br0",
            "addr_info": [
                {"local": "198.18.0.4", "prefixlen": 24, "scope": "global", "dynamic": true, "valid_life_time": 3600},
                {"local": "2001:2::4", "prefixlen": 64, "scope": "global", "valid_life_time": 4294967295_u64},
                {"local": "2001:2::5", "prefixlen": 64, "scope": "global", "temporary": true},
                {"local": "fe80::1", "prefixlen": 64, "scope": "link"}]});
        let device = device(&raw).unwrap();
        assert_eq!((device.mtu, device.master.as_deref(), device.addresses.len()), (9000, Some("br0"), 2));
        assert_eq!((device.addresses[0].valid, device.addresses[1].valid), (Some(3600), None));
        let raw = json!({"type": "unicast", "dst": "default", "gateway": "198.18.0.1", "dev": "br0", "protocol": "dhcp",
            "prefsrc": "198.18.0.4", "metric": 100, "table": "7", "flags": ["onlink"]});
        assert_eq!(
            route("-4", &raw).unwrap().words.join(" "),
            "default via 198.18.0.1 dev br0 proto dhcp src 198.18.0.4 metric 100 table 7 onlink"
        );
        let of_kernel = json!({"dst": "198.18.0.0/24", "dev": "br0", "protocol": "kernel"});
        assert!(route("-4", &of_kernel).is_none());
        let of_ifupdown2 =
            json!({"dst": "default", "gateway": "198.18.0.1", "dev": "br0", "protocol": "kernel"});
        assert!(route("-4", &of_ifupdown2).is_some());
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
        let said = |now: &NetState| -> Vec<String> {
            now.since(&before).iter().map(|(_, argv)| argv.join(" ")).collect()
        };
        let gone = NetState { others: left.clone(), ..NetState::default() };
        assert_eq!(
            said(&gone),
            [
                "ip link add br0 address 52:54:00:aa:00:04 type bridge stp_state 1",
                "ip link set vnet0 master br0"
            ]
        );
        let anew = NetState { devices: vec![bridge(&[("stp_state", "0")])], others: left, ..gone };
        assert_eq!(said(&anew), ["ip link set br0 type bridge stp_state 1", "ip link set vnet0 master br0"]);
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
        let said: Vec<String> = now.since(&before).iter().map(|(_, argv)| argv.join(" ")).collect();
        assert_eq!(
            said,
            [
                "ip link set enp4s0 nomaster",
                "ip link delete br0",
                "ip addr replace 198.18.0.4/24 dev enp4s0",
                "ip -4 route replace default via 198.18.0.1 dev enp4s0"
            ]
        );
        let back: Vec<String> = before.since(&now).iter().map(|(_, argv)| argv.join(" ")).collect();
        assert_eq!(back[0], "ip link add br0 address 52:54:00:aa:00:04 type bridge");
        assert!(back.contains(&"ip link set enp4s0 master br0".to_string()), "{back:?}");
        let other = NetState { devices: vec![nic(None, &["198.18.0.9/24"])], ..NetState::default() };
        let said: Vec<String> = other.since(&before).iter().map(|(what, _)| what.clone()).collect();
        assert!(said.contains(&"enp4s0 has the address 198.18.0.9/24".to_string()), "{said:?}");
    }
}
