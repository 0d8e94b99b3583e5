//! The admin's own connection.

use std::net::IpAddr;

use crate::cmd::host::seen::Seen;
use crate::sys::answers::{Ssh, way_to};

/// What becomes of the connection that this is typed over.
pub(super) struct Fate {
    /// In a sentence.
    pub(super) words: String,
    /// Does it survive?
    pub(super) survives: bool,
}

/// What becomes of it, if there is one; `touched` are the devices that change, `keeps` says whether an address of theirs
/// is still there afterwards.
pub(super) fn fate(devices: &[Seen], touched: &[String], keeps: impl Fn(IpAddr) -> bool) -> Option<Fate> {
    let ssh = Ssh::of_process()?;
    let (client, server) = (ssh.client.ip(), ssh.server.ip());
    let has = |seen: &&Seen| {
        let cidrs = seen.nic.link.addresses.iter().flatten().map(|address| &address.cidr);
        cidrs.filter_map(|cidr| cidr.split('/').next()?.parse().ok()).any(|ip: IpAddr| ip == server)
    };
    let holder = devices.iter().find(has).map(|seen| seen.nic.link.name.clone());
    let over = way_to(client).map(|way| way.dev);
    let is_touched = |dev: &Option<String>| dev.as_ref().is_some_and(|dev| touched.contains(dev));
    let who = format!("your connection (from {client} to {server})");
    let on = over.or_else(|| holder.clone()).map(|dev| format!(" runs over {dev}")).unwrap_or_default();
    Some(if !is_touched(&holder) && !touched.iter().any(|dev| on.ends_with(&format!(" {dev}"))) {
        Fate { words: format!("{who}{on}, which isn't touched"), survives: true }
    } else if keeps(server) {
        let words = format!("{who}{on}; it pauses for a moment and survives: {server} stays this host's");
        Fate { words, survives: true }
    } else {
        let words = format!("{who}{on} and won't survive: {server} is no longer this host's afterwards");
        Fate { words, survives: false }
    })
}
