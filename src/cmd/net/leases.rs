//! `kvmnet net leases`

use std::net::IpAddr;

use anyhow::Result;
use serde_json::json;

use super::no_such;
use crate::cmd::walk::{print, print_json};
use crate::cmd::{Context, connect};
use crate::convert::nics;
use crate::model::{Address, MacAddr, Network};
use crate::problem::Problem;
use crate::report::columns;
use crate::sys::clock;
use crate::sys::hypervisor::Hypervisor;
use crate::sys::networks::Lease;
use crate::xml::Doc;

/// Lists the leases of a network.
pub(super) fn run(name: &str, context: &mut Context) -> Result<u8> {
    let host = connect::to_look(context)?;
    let host = host.as_ref();
    let Some(state) = host.network(name)? else { return Err(no_such(host, name, &host.networks()?)) };
    let network = super::network(&state.xml).ok();
    let leases = read(host, name, network.as_ref())?.ok_or_else(|| {
        Problem::new(
            format!("this connection ({}) knows nothing of leases", host.uri()),
            "connect to the daemon that runs the network, such as -c qemu:///system",
        )
    })?;
    if context.is_json() {
        print_json(&json!({ "leases": leases.iter().map(as_json).collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    if leases.is_empty() {
        let why = match network {
            _ if !state.is_active => "; it isn't active",
            Some(network) if !network.mode.is_virtual() => ": its guests have theirs from the LAN",
            Some(network) if !network.addresses.iter().any(serves) => "; it has no DHCP",
            _ => "",
        };
        context.screen.say(&format!("kvmnet: network '{name}' has given out no address{why}"));
        return Ok(0);
    }
    print(&table(&leases), "the leases")?;
    Ok(0)
}

/// A lease and the guest that has it.
pub(super) struct Given {
    pub(super) lease: Lease,
    pub(super) guest: Option<String>,
}

/// Does a DHCP server give away addresses of that subnet?
fn serves(address: &Address) -> bool {
    !(address.dhcp.is_empty() && address.hosts.is_empty())
}

/// The leases of a network, by address; `None` if the connection can't tell. libvirt's list keeps those of a server that
/// was switched off, or had another subnet: as it is said to be now, the `network` gives away none of them.
pub(super) fn read(
    host: &dyn Hypervisor,
    name: &str,
    network: Option<&Network>,
) -> Result<Option<Vec<Given>>> {
    let Some(mut leases) = host.leases(name)? else { return Ok(None) };
    if let Some(network) = network {
        let has = |ip: IpAddr| network.addresses.iter().any(|a| serves(a) && a.ip.contains(&ip));
        leases.retain(|lease| lease.ip.parse().is_ok_and(has));
    }
    let guests = if leases.is_empty() { Vec::new() } else { macs(host)? };
    let owner = |lease: &Lease| {
        let mac: MacAddr = lease.mac.as_deref()?.parse().ok()?;
        guests.iter().find(|(own, _)| *own == mac).map(|(_, guest)| guest.clone())
    };
    let mut given: Vec<Given> =
        leases.into_iter().map(|lease| Given { guest: owner(&lease), lease }).collect();
    given.sort_by_key(|given| given.lease.ip.parse::<IpAddr>().ok());
    Ok(Some(given))
}

/// That libvirt throws the leases away with a network's definition, which the journal can't bring back; nothing if there
/// are none.
pub(super) fn lost_with(host: &dyn Hypervisor, name: &str) -> Option<String> {
    let leases = host.leases(name).ok().flatten().filter(|leases| !leases.is_empty())?;
    Some(format!(
        "{} that its DHCP server has given out {} forgotten, and 'kvmnet undo' doesn't bring that back: guests may \
         get other ones",
        if leases.len() == 1 { "the one address".into() } else { format!("the {} addresses", leases.len()) },
        if leases.len() == 1 { "is" } else { "are" },
    ))
}

/// That a network which comes back without its leases may give guests other addresses; nothing if it has no DHCP.
pub(super) fn gone(network: &Network) -> Option<String> {
    network.addresses.iter().any(|a| !a.dhcp.is_empty()).then(|| {
        "which addresses its DHCP server had given out is forgotten: guests may get other ones than before".into()
    })
}

/// The MAC addresses of all guests' NICs.
fn macs(host: &dyn Hypervisor) -> Result<Vec<(MacAddr, String)>> {
    let mut out = Vec::new();
    for guest in host.guests()? {
        let xml =
            if guest.is_active { host.running(&guest.uuid).ok() } else { host.definition(&guest.uuid)? };
        let Some(xml) = xml else { continue };
        let Ok(doc) = Doc::parse(&xml) else { continue };
        let macs = nics(&doc).into_iter().filter_map(|nic| nic.mac?.parse().ok());
        out.extend(macs.map(|mac| (mac, guest.name.clone())));
    }
    Ok(out)
}

/// The leases in columns.
pub(super) fn table(leases: &[Given]) -> String {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let mut rows = vec![["ADDRESS", "MAC", "GUEST", "HOSTNAME", "EXPIRES"].map(String::from).to_vec()];
    rows.extend(leases.iter().map(|Given { lease, guest }| {
        vec![
            format!("{}/{}", lease.ip, lease.prefix),
            or_dash(&lease.mac),
            or_dash(guest),
            or_dash(&lease.hostname),
            expires(lease).unwrap_or_else(|| "never".into()),
        ]
    }));
    columns(&rows)
}

fn expires(lease: &Lease) -> Option<String> {
    Some(lease.expires).filter(|at| *at != 0).and_then(clock::at)
}

pub(super) fn as_json(given: &Given) -> serde_json::Value {
    let Given { lease, guest } = given;
    json!({
        "ip": lease.ip,
        "prefix": lease.prefix,
        "mac": lease.mac,
        "guest": guest,
        "hostname": lease.hostname,
        "client_id": lease.client_id,
        "expires": expires(lease),
    })
}
