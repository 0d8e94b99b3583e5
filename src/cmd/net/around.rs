//! What is around a network that is about to be made or changed.

use anyhow::Result;
use ipnet::IpNet;

use super::read_all;
use crate::net::{Family, HostDevice, Surroundings, Taken};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{Kernel, Kind};
use crate::sys::links::{self, Link};
use crate::sys::networks::NetworkState;
use crate::sys::routes;

/// Looks around.
pub(super) fn look(host: &dyn Hypervisor, states: &[NetworkState]) -> Result<Surroundings> {
    // A running network's definition may ask for other addresses than it has now: both are taken.
    let mut networks = read_all(states);
    for state in states.iter().filter(|state| state.is_active && state.is_persistent) {
        let Some(definition) = host.network_definition(&state.name)? else { continue };
        if let Ok(defined) = super::network(&definition) {
            networks.push(defined);
        }
    }
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Ok(Surroundings { networks, ..Surroundings::default() });
    }
    let taken = routes::reached()?.into_iter().filter_map(|reached| {
        let net = reached.net.parse::<IpNet>().ok()?.trunc();
        Some(Taken { net, by: reached.what, dev: reached.dev })
    });
    let links = links::of_kernel().unwrap_or_default();
    let kernel = Kernel::default();
    let devices = kernel.devices().into_iter().map(|(name, device)| HostDevice {
        addresses: addresses(&links, &name),
        altnames: links.iter().filter(|link| link.name == name).flat_map(|l| l.altnames.clone()).collect(),
        has_uplink: kernel.has_uplink(&device),
        name,
        is_bridge: device.kind == Kind::Bridge,
        filters_vlans: device.filters_vlans,
        is_open_vswitch: device.kind == Kind::OpenVSwitch,
        is_bond: device.kind == Kind::Bond,
        is_wireless: device.kind == Kind::Wireless,
        master: device.master,
    });
    let devices = Some(devices.collect());
    let defaults = [(Family::V4, "-4"), (Family::V6, "-6")]
        .into_iter()
        .flat_map(|(family, flag)| routes::default_devices(flag).into_iter().map(move |dev| (family, dev)));
    Ok(Surroundings { taken: taken.collect(), devices, defaults: defaults.collect(), networks })
}

/// A device's addresses that others can know, those that last first.
fn addresses(links: &[Link], name: &str) -> Vec<IpNet> {
    let all = links.iter().filter(|link| link.name == name).filter_map(|link| link.addresses.as_ref());
    let mut known: Vec<_> = all.flatten().filter(|address| address.scope == "global").collect();
    known.sort_by_key(|address| address.is_dynamic);
    known.into_iter().filter_map(|address| address.cidr.parse().ok()).collect()
}
