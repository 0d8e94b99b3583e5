//! The host's addresses and routes, as `ip` tells them.

use std::io;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::exec;

/// A part of the address space that the host uses, or sends somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// In CIDR notation.
    pub net: String,
    /// The device that it is reached through, if there is one.
    pub dev: Option<String>,
    /// Do packets ever follow it? Not a route in a table that no rule looks up.
    pub is_followed: bool,
    /// What it is, in words: `the route to 10.0.0.0/8 via 10.9.0.1 on tun0`.
    pub what: String,
}

#[derive(Deserialize)]
struct Route {
    dst: String,
    dev: Option<String>,
    gateway: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Left out of the table `main`.
    table: Option<String>,
    #[serde(default)]
    nexthops: Vec<Hop>,
}

/// A rule of `ip rule`. What it is for is left out where that is everything.
#[derive(Deserialize)]
struct Rule {
    src: Option<String>,
    srclen: Option<u8>,
    dst: Option<String>,
    dstlen: Option<u8>,
    table: Option<String>,
}

#[derive(Deserialize)]
struct Hop {
    dev: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: String,
    prefixlen: u8,
}

/// Every route in every table, and every address, of both families. Default routes aren't among them, nor multicast.
///
/// # Errors
/// `ip` can't be run.
pub fn reached() -> Result<Vec<Reached>> {
    let mut out = Vec::new();
    for link in ip::<Link>(&["addr"])? {
        for Address { local, prefixlen } in link.addr_info {
            let what = format!("the address {local}/{prefixlen} of {}", link.ifname);
            let net = format!("{local}/{prefixlen}");
            out.push(Reached { net, dev: Some(link.ifname.clone()), is_followed: true, what });
        }
    }
    for (family, longest) in [("-4", 32), ("-6", 128)] {
        // A kernel without rules looks up all its tables.
        let rules = ip::<Rule>(&[family, "rule"]).ok().filter(|rules| !rules.is_empty());
        for route in ip::<Route>(&[family, "route", "show", "table", "all"])? {
            if route.dst != "default" && !matches!(route.kind.as_deref(), Some("multicast" | "broadcast")) {
                let table = route.table.clone().unwrap_or_else(|| "main".into());
                let is_followed = rules
                    .as_ref()
                    .is_none_or(|rules| rules.iter().any(|rule| rule.table.as_ref() == Some(&table)));
                out.push(Reached { is_followed, ..route.reached(longest) });
            }
        }
        out.extend(rules.iter().flatten().flat_map(|rule| rule.named(longest)));
    }
    Ok(out)
}

/// The device of the host's default route of that family (`-4`, `-6`): where what it forwards goes.
pub fn uplink(family: &str) -> Option<String> {
    default_devices(family).into_iter().next()
}

/// The devices of all the host's default routes of that family, the one that counts most first.
pub fn default_devices(family: &str) -> Vec<String> {
    let routes = ip::<Route>(&[family, "route", "show", "default"]).unwrap_or_default();
    // One that is there to refuse leads nowhere.
    let leads = routes.into_iter().filter(|route| route.kind.as_deref().is_none_or(|kind| kind == "unicast"));
    leads.flat_map(Route::devices).collect()
}

impl Rule {
    /// The subnets that it is for: somebody means something by them, though no packet follows a rule.
    fn named(&self, longest: u8) -> Vec<Reached> {
        let ends = [("from", &self.src, self.srclen), ("to", &self.dst, self.dstlen)];
        let named = ends.into_iter().filter_map(|(word, address, prefix)| {
            let address = address.as_ref().filter(|address| *address != "all")?;
            let net = format!("{address}/{}", prefix.unwrap_or(longest));
            let table = self.table.as_ref().map(|table| format!(" lookup {table}")).unwrap_or_default();
            let what = format!("the policy rule '{word} {net}{table}'");
            Some(Reached { net, dev: None, is_followed: false, what })
        });
        named.collect()
    }
}

impl Route {
    /// The device that it leaves by, or those of its several ways.
    fn devices(self) -> Vec<String> {
        self.dev.into_iter().chain(self.nexthops.into_iter().filter_map(|hop| hop.dev)).collect()
    }

    fn reached(self, longest: u8) -> Reached {
        let net = if self.dst.contains('/') { self.dst } else { format!("{}/{longest}", self.dst) };
        let kind = self.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
        let via = self.gateway.map(|gateway| format!(" via {gateway}")).unwrap_or_default();
        let on = self.dev.as_ref().map(|dev| format!(" on {dev}")).unwrap_or_default();
        Reached { what: format!("the {kind}route to {net}{via}{on}"), net, dev: self.dev, is_followed: true }
    }
}

/// What `ip -j` says.
pub(super) fn ip<T: for<'de> Deserialize<'de>>(args: &[&str]) -> Result<Vec<T>> {
    let said = exec::program("ip").arg("-j").args(args).stdin(Stdio::null()).output();
    let said = match said {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            bail!("the host's routes can't be read: 'ip' isn't installed (package iproute2)")
        }
        other => other.context("the host's routes can't be read with 'ip'")?,
    };
    if !said.status.success() {
        bail!("'ip {}' failed: {}", args.join(" "), String::from_utf8_lossy(&said.stderr).trim());
    }
    if said.stdout.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&said.stdout)
        .with_context(|| format!("'ip -j {}' says what isn't expected", args.join(" ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn routes_in_words() {
        let of = |json: &str| serde_json::from_str::<Route>(json).unwrap().reached(32);
        assert_eq!(
            of(r#"{"dst":"10.1.2.3","gateway":"10.0.0.1","dev":"tun0","flags":[]}"#),
            Reached {
                net: "10.1.2.3/32".into(),
                dev: Some("tun0".into()),
                is_followed: true,
                what: "the route to 10.1.2.3/32 via 10.0.0.1 on tun0".into()
            }
        );
        assert_eq!(
            of(r#"{"type":"blackhole","dst":"10.9.0.0/16"}"#).what,
            "the blackhole route to 10.9.0.0/16"
        );
    }

    #[test]
    fn subnets_that_rules_name() {
        let of = |json: &str| serde_json::from_str::<Rule>(json).unwrap().named(32);
        let rule = of(r#"{"priority":32765,"src":"192.168.133.0","srclen":24,"table":"77"}"#);
        assert_eq!(
            (rule[0].net.as_str(), rule[0].what.as_str()),
            ("192.168.133.0/24", "the policy rule 'from 192.168.133.0/24 lookup 77'")
        );
        assert_eq!(of(r#"{"priority":9,"src":"all","dst":"10.9.0.1","table":"main"}"#)[0].net, "10.9.0.1/32");
        assert_eq!(of(r#"{"priority":0,"src":"all","table":"local"}"#), []);
    }

    #[test]
    fn a_route_with_several_ways() {
        let route = |json: &str| serde_json::from_str::<Route>(json).unwrap().devices();
        assert_eq!(route(r#"{"dst":"default","gateway":"10.0.0.1","dev":"br0","flags":[]}"#), ["br0"]);
        assert_eq!(
            route(r#"{"dst":"default","nexthops":[{"gateway":"10.0.0.1","dev":"a"},{"dev":"b"}]}"#),
            ["a", "b"]
        );
    }

    #[test]
    fn the_loopback_is_always_there() {
        let all = reached().unwrap();
        assert!(all.iter().any(|r| r.net == "127.0.0.1/8" || r.net == "127.0.0.0/8"), "{all:?}");
    }
}
