//! What the kernel has of some network devices: enough to tell whether it is as it was, and to make it so again.

mod others;
mod route;
mod since;

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::routes::ip;

pub use others::{Neighbour, Rule};
pub use route::RouteState;
pub use since::Mend;

/// Some devices, and their routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetState {
    /// The devices that are there.
    pub devices: Vec<DeviceState>,
    /// Their routes in all tables, but for those that the kernel makes itself.
    pub routes: Vec<RouteState>,
    /// The policy rules, but for those that the kernel makes itself.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The neighbours whose MAC addresses were set for good.
    #[serde(default)]
    pub neighbours: Vec<Neighbour>,
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
    /// What `/proc/sys/net` has of it, each setting with its value.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
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

/// What the kernel has of `names` now.
///
/// # Errors
/// `ip` can't be asked.
pub fn look(names: &[String]) -> Result<NetState> {
    let is_wanted = |name: &str| names.iter().any(|n| n == name);
    let links = ip::<Value>(&["-d", "addr", "show"])?;
    let (mut devices, others): (Vec<_>, Vec<_>) =
        links.iter().filter_map(device).partition(|device| is_wanted(&device.name));
    let others = others.into_iter().map(|other| (other.name, other.master)).collect();
    devices.iter_mut().for_each(|device| device.settings = others::settings(&device.name));
    // `ip addr` doesn't tell it.
    for link in ip::<Value>(&["-d", "link", "show"])? {
        if let Some(device) = devices.iter_mut().find(|device| link["ifname"] == device.name.as_str()) {
            device.generates = link["inet6_addr_gen_mode"].as_str().map(String::from);
        }
    }
    // The route to the subnet of an address that the kernel has made none for.
    let is_lent = |dev: &str, to: &str| {
        let Ok(to) = to.parse::<IpNet>().or_else(|_| to.parse::<IpAddr>().map(IpNet::from)) else {
            return false;
        };
        let addresses =
            devices.iter().filter(|device| device.name == dev).flat_map(|device| &device.addresses);
        let mut bare = addresses.filter(|address| address.noprefixroute);
        bare.any(|address| address.cidr.parse::<IpNet>().is_ok_and(|net| net.trunc() == to))
    };
    let mut routes = Vec::new();
    for family in ["-4", "-6"] {
        let all = ip::<Value>(&["-d", family, "route", "show", "table", "all"])?;
        routes.extend(all.iter().filter_map(|raw| route::parse(family, raw, &is_wanted, &is_lent)));
    }
    Ok(NetState {
        devices,
        routes,
        rules: others::rules(),
        neighbours: others::neighbours(&is_wanted),
        others,
    })
}

/// What makes a difference to who is on a bridge. Its timers and what it has learnt change by themselves.
const SETTINGS: [&str; 6] =
    ["stp_state", "forward_delay", "ageing_time", "priority", "vlan_filtering", "mcast_snooping"];

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
        settings: BTreeMap::new(),
        name: word("ifname")?,
        generates: None,
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
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    pub(super) fn nic(master: Option<&str>, addresses: &[&str]) -> DeviceState {
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
    }
}
