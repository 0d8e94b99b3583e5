//! The admin's own connection.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::cmd::host::seen::Seen;
use crate::sys::answers::{Ssh, Way, way_to};
use crate::sys::links::Address;

/// What becomes of the connection that this is typed over.
pub(super) struct Fate {
    /// In a sentence.
    pub(super) words: String,
    /// Does it survive?
    pub(super) survives: bool,
}

/// What the devices that change have afterwards, together.
#[derive(Debug, Clone, Default)]
pub(super) struct After {
    /// Their addresses.
    pub(super) addresses: Vec<IpNet>,
    /// The routers of new default routes.
    pub(super) gateways: Vec<IpAddr>,
    /// Do the routes of today stay, but for default routes of which there is a new one?
    pub(super) keeps_routes: bool,
}

/// Addresses as a device has them.
pub(super) fn nets<'a>(held: impl IntoIterator<Item = &'a Address>) -> Vec<IpNet> {
    held.into_iter().filter_map(|address| address.cidr.parse().ok()).collect()
}

/// What becomes of it, if there is one; `touched` are the devices that change.
pub(super) fn fate(devices: &[Seen], touched: &[String], after: &After) -> Option<Fate> {
    let ssh = Ssh::of_process()?;
    let server = ssh.server.ip();
    let has =
        |seen: &&Seen| nets(seen.nic.link.addresses.iter().flatten()).iter().any(|net| net.addr() == server);
    let holder = devices.iter().find(has).map(|seen| seen.nic.link.name.as_str());
    Some(judged(&ssh, holder, way_to(ssh.client.ip()).as_ref(), touched, after))
}

/// `holder` is the device that has the address that the admin came to, `way` is the way back to them.
fn judged(ssh: &Ssh, holder: Option<&str>, way: Option<&Way>, touched: &[String], after: &After) -> Fate {
    let (client, server) = (ssh.client.ip(), ssh.server.ip());
    let dev = way.map(|way| way.dev.as_str()).or(holder);
    let on = dev.map(|dev| format!(" runs over {dev}")).unwrap_or_default();
    let who = format!("your connection (from {client} to {server}){on}");
    let says = |survives, words: String| Fate { words: format!("{who}{words}"), survives };
    let is_touched = |dev: &str| touched.iter().any(|touched| touched == dev);
    let Some(holder) = holder else {
        let words = format!("; what becomes of it can't be told, for {server} is no address of this host's");
        return says(false, words);
    };
    if !is_touched(holder) && !dev.is_some_and(is_touched) {
        return says(true, ", which isn't touched".into());
    }
    if is_touched(holder) && !after.addresses.iter().any(|net| net.addr() == server) {
        return says(false, format!(" and won't survive: {server} is no longer this host's afterwards"));
    }
    let stays = format!("; it pauses for a moment and survives: {server} stays this host's");
    let is_near = |net: &IpNet| net.prefix_len() < net.max_prefix_len() && net.contains(&client);
    if !dev.is_some_and(is_touched) || after.addresses.iter().any(is_near) {
        return says(true, stays);
    }
    let today = way.and_then(|way| way.via);
    let new = after.gateways.iter().find(|gateway| gateway.is_ipv4() == client.is_ipv4()).copied();
    match (new, today) {
        (None, _) if after.keeps_routes => says(true, stays),
        (None, Some(router)) => says(
            false,
            format!(
                " and won't survive: its way back goes through {router} today, and no route leads there afterwards \
                 (--gateway {router} keeps it)"
            ),
        ),
        (None, None) => {
            says(false, format!(" and won't survive: no address afterwards has a subnet with {client} in it"))
        }
        (Some(new), _) if new == today.unwrap_or(client) => {
            says(true, format!("{stays}, and {new} its router"))
        }
        (Some(new), today) => {
            let today = today.map_or("needs no router".into(), |router| format!("goes through {router}"));
            let words = format!(
                " and may not survive: its way back {today} today, and goes through {new} afterwards, which can't be tried \
                 before"
            );
            says(false, words)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn after(addresses: &[&str], gateways: &[&str], keeps_routes: bool) -> After {
        After {
            addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
            gateways: gateways.iter().map(|ip| ip.parse().unwrap()).collect(),
            keeps_routes,
        }
    }

    #[test]
    fn the_way_back_counts_as_well_as_the_address() {
        let far = Ssh::parse("203.0.113.5 5555 198.18.0.4 22").unwrap();
        let near = Ssh::parse("198.18.0.9 5555 198.18.0.4 22").unwrap();
        let through = Way { dev: "enp4s0".into(), via: Some("198.18.0.1".parse().unwrap()) };
        let direct = Way { dev: "enp4s0".into(), via: None };
        let touched = ["enp4s0".to_string(), "br0".to_string()];
        let far_away = |after: &After| judged(&far, Some("enp4s0"), Some(&through), &touched, after);
        let on_the_lan = |after: &After| judged(&near, Some("enp4s0"), Some(&direct), &touched, after);
        for (fate, survives, said) in [
            (far_away(&after(&["198.18.0.4/24"], &[], true)), true, "stays this host's"),
            (far_away(&after(&["198.18.0.4/24"], &["198.18.0.1"], false)), true, "198.18.0.1 its router"),
            (far_away(&after(&["198.18.0.4/24"], &[], false)), false, "--gateway 198.18.0.1 keeps it"),
            (
                far_away(&after(&["198.18.0.4/24"], &["198.18.0.77"], true)),
                false,
                "through 198.18.0.77 afterwards",
            ),
            (far_away(&after(&["198.18.0.4/24"], &["2001:db8::1"], true)), true, "stays this host's"),
            (far_away(&after(&["198.18.0.4/32"], &[], false)), false, "won't survive"),
            (far_away(&after(&["198.18.0.5/24"], &["198.18.0.1"], false)), false, "no longer this host's"),
            (on_the_lan(&after(&["198.18.0.4/24"], &[], false)), true, "stays this host's"),
            (on_the_lan(&after(&["198.18.0.4/24"], &["198.18.0.77"], true)), true, "stays this host's"),
            (on_the_lan(&after(&["198.18.0.4/32"], &[], false)), false, "no address afterwards"),
            (on_the_lan(&After::default()), false, "no longer this host's"),
            (judged(&near, None, Some(&direct), &touched, &after(&[], &[], true)), false, "can't be told"),
            (
                judged(
                    &near,
                    Some("eth1"),
                    Some(&Way { dev: "eth1".into(), via: None }),
                    &touched,
                    &After::default(),
                ),
                true,
                "isn't touched",
            ),
            (judged(&far, Some("lo"), Some(&through), &touched, &After::default()), false, "won't survive"),
        ] {
            assert!(fate.survives == survives && fate.words.contains(said), "{said}: {}", fate.words);
        }
    }
}
