//! What is around a network that is about to be made or changed.

use anyhow::Result;
use ipnet::IpNet;

use super::read_all;
use crate::net::{Family, HostDevice, Surroundings, Taken};
use crate::plan::has_made;
use crate::sys::firewall;
use crate::sys::hypervisor::{Hypervisor, Reach, is_elsewhere};
use crate::sys::kernel::{Kernel, Kind, sysctl};
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
        let is_elsewhere = is_elsewhere(host.uri());
        return Ok(Surroundings { networks, is_elsewhere, ..Surroundings::default() });
    }
    let made = states.iter().filter_map(|state| {
        let virtual_one = super::network(&state.xml).ok().filter(|network| network.mode.is_virtual())?;
        virtual_one.bridge.filter(|bridge| has_made(state, bridge))
    });
    let made = made.collect();
    let taken = routes::reached()?.into_iter().filter_map(|reached| {
        let net = reached.net.parse::<IpNet>().ok()?.trunc();
        Some(Taken { net, by: reached.what, dev: reached.dev, is_followed: reached.is_followed })
    });
    let links = links::of_kernel().unwrap_or_default();
    let kernel = Kernel::default();
    let devices = kernel.devices().into_iter().map(|(name, device)| HostDevice {
        addresses: addresses(&links, &name),
        altnames: links.iter().filter(|link| link.name == name).flat_map(|l| l.altnames.clone()).collect(),
        has_uplink: kernel.has_uplink(&device),
        name,
        is_bridge: device.kind == Kind::Bridge,
        is_down: !device.is_up,
        filters_vlans: device.filters_vlans,
        filtered: FAMILIES
            .into_iter()
            .zip(device.calls_filters)
            .filter(|(_, calls)| *calls)
            .map(|(f, _)| f)
            .collect(),
        is_open_vswitch: device.kind == Kind::OpenVSwitch,
        is_bond: device.kind == Kind::Bond,
        is_wireless: device.kind == Kind::Wireless,
        master: device.master,
    });
    let devices: Vec<HostDevice> = devices.collect();
    let defaults = FAMILIES.into_iter().zip(["-4", "-6"]);
    let defaults = defaults
        .flat_map(|(family, flag)| routes::default_devices(flag).into_iter().map(move |dev| (family, dev)));
    let filtered = families(|n| sysctl(BRIDGE_FILTERS[n]).as_deref() == Some("1"));
    let around = Surroundings {
        taken: taken.collect(),
        defaults: defaults.collect(),
        networks,
        made,
        filtered,
        devices: Some(devices),
        ..Surroundings::default()
    };
    Ok(filters(around))
}

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
const BRIDGE_FILTERS: [&str; 2] =
    ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"];

/// The families of which it is so.
fn families(is_so: impl Fn(usize) -> bool) -> Vec<Family> {
    FAMILIES.into_iter().enumerate().filter(|(n, _)| is_so(*n)).map(|(_, family)| family).collect()
}

/// With the packet filter's rules, where bridges' frames come before them.
fn filters(mut around: Surroundings) -> Surroundings {
    let is_shown = |family: &Family| {
        around.filtered.contains(family)
            || around.devices.iter().flatten().any(|device| device.filtered.contains(family))
    };
    let shown: Vec<(Family, &str)> =
        FAMILIES.into_iter().zip(["iptables", "ip6tables"]).filter(|(family, _)| is_shown(family)).collect();
    around.filters_otherwise = !shown.is_empty() && firewall::drops_otherwise();
    around.filters =
        shown.into_iter().filter_map(|(family, tool)| Some((family, firewall::saved_rules(tool)?))).collect();
    around
}

/// Around a network that runs: libvirt made the host forward when it started it, and nobody looks after that since.
pub(super) fn of_running(around: &mut Surroundings) {
    if around.devices.is_some() {
        let settings = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
        around.unforwarded = families(|n| sysctl(settings[n]).as_deref() == Some("0"));
    }
}

/// A device's addresses that others can know, those that last first.
fn addresses(links: &[Link], name: &str) -> Vec<IpNet> {
    let all = links.iter().filter(|link| link.name == name).filter_map(|link| link.addresses.as_ref());
    let mut known: Vec<_> = all.flatten().filter(|address| address.scope == "global").collect();
    known.sort_by_key(|address| address.is_dynamic);
    known.into_iter().filter_map(|address| address.cidr.parse().ok()).collect()
}
