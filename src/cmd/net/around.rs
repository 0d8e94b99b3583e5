//! What is around a network that is about to be made or changed.

use anyhow::Result;
use ipnet::IpNet;

use super::read_all;
use crate::net::{HostDevice, Surroundings, Taken};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{Kernel, Kind};
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
        return Ok(Surroundings { taken: Vec::new(), devices: None, networks });
    }
    let taken = routes::reached()?.into_iter().filter_map(|reached| {
        let net = reached.net.parse::<IpNet>().ok()?.trunc();
        Some(Taken { net, by: reached.what, dev: reached.dev })
    });
    let devices = Kernel::default().devices().into_iter().map(|(name, device)| HostDevice {
        name,
        is_bridge: device.kind == Kind::Bridge,
        filters_vlans: device.filters_vlans,
        is_open_vswitch: device.kind == Kind::OpenVSwitch,
        is_bond: device.kind == Kind::Bond,
        is_wireless: device.kind == Kind::Wireless,
        master: device.master,
    });
    Ok(Surroundings { taken: taken.collect(), devices: Some(devices.collect()), networks })
}
