//! Running guests on a network that aren't plugged into it, and what mends that.

use std::collections::HashSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::guests::{Attached, Wired, named};
use crate::model::Network;
use crate::plan::check_autostart;
use crate::plan::taps::{Finding, Wiring};
use crate::problem::{help, message};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::{Kernel, Kind};
use crate::sys::networks::NetworkState;

/// What is wrong with a running guest's connection to its network.
pub(super) struct Fault {
    /// The guests that it is wrong with.
    guests: Vec<String>,
    /// What it is; it names them.
    what: String,
    /// What to type.
    help: Option<String>,
}

impl Fault {
    /// What a listing says of it.
    pub(super) fn of_network(&self, name: &str) -> String {
        let help = self.help.iter().map(|help| format!(": {help}")).collect::<String>();
        format!("kvmnet: network '{name}': {}{help}", self.what)
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    pub(super) fn json(&self) -> Value {
        json!({ "guests": self.guests, "what": self.what, "help": self.help })
    }
}

/// The faults in lines, each help once.
pub(super) fn lines(faults: &[Fault]) -> Vec<String> {
    let mut lines: Vec<String> = faults.iter().map(|fault| fault.what.clone()).collect();
    for help in faults.iter().filter_map(|fault| fault.help.as_ref()) {
        let line = format!("to mend that: {help}");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Looks at the taps of the running guests on one network.
///
/// # Errors
/// libvirt can't be asked.
pub(super) fn look(
    host: &dyn Hypervisor,
    name: &str,
    (network, is_active): (&Network, bool),
    attached: &[Attached],
) -> Result<Vec<Fault>> {
    let running: Vec<&Attached> = attached.iter().filter(|a| a.runs_on_it()).collect();
    if running.is_empty() {
        return Ok(Vec::new());
    }
    let is_remote = Reach::of_uri(host.uri()) == Reach::Remote;
    if !is_active && network.mode.is_virtual() {
        let after = if is_remote { ", then 'kvmnet reattach' on that host" } else { "" };
        return Ok(vec![Fault {
            guests: running.iter().map(|a| a.guest.name.clone()).collect(),
            what: format!("running {} cut off: it isn't active", named(running.iter().copied())),
            help: Some(format!("kvmnet net start {name}{after}")),
        }]);
    }
    if is_remote {
        return Ok(Vec::new());
    }
    let wiring = Wiring::new(host)?;
    let mut out = Vec::new();
    for Attached { guest, .. } in running {
        let fault = |what: String, help: Option<String>| Fault {
            guests: vec![guest.name.clone()],
            what: format!("guest '{}': {what}", guest.name),
            help,
        };
        out.extend(wiring.look(guest, Some(name))?.into_iter().filter_map(|finding| match finding {
            Finding::Fine(_) | Finding::LeftAlone(_) => None,
            Finding::Remark(what) => Some(fault(what, None)),
            Finding::Astray(astray) => {
                let mend = format!("kvmnet reattach --on-network {name}");
                Some(fault(format!("{}: {}", astray.nic, astray.fault()), Some(mend)))
            }
            Finding::Hopeless(e) => Some(fault(message(&e), help(&e).next().map(Into::into))),
        }));
    }
    Ok(out)
}

/// The running guests that a network has lost, as far as that can be told without asking libvirt more than a listing does:
/// it isn't active, or their taps aren't on its bridge.
pub(super) fn of_listing<'a>(
    host: &dyn Hypervisor,
    state: &NetworkState,
    network: Option<&Network>,
    guests: &'a [Wired],
) -> Vec<&'a str> {
    let Some(network) = network else { return Vec::new() };
    if !state.is_active && network.mode.is_virtual() {
        let on_it = guests.iter().filter(|wired| wired.runs_on(&state.name));
        return on_it.map(|wired| wired.guest.name.as_str()).collect();
    }
    let is_remote = Reach::of_uri(host.uri()) == Reach::Remote;
    if is_remote || guests.iter().all(|wired| wired.taps(&state.name).next().is_none()) {
        return Vec::new();
    }
    let kernel = Kernel::default();
    let bridge = network.bridge.as_deref().filter(|_| !network.has_pool);
    let is_bridge = bridge.and_then(|bridge| Some(kernel.device(bridge)?.kind == Kind::Bridge));
    // Open vSwitch has its own ways. Of a network that isn't active taps may be left that are on nothing at all.
    if is_bridge == Some(false) || (state.is_active && is_bridge.is_none()) {
        return Vec::new();
    }
    let is_off = |tap: &str| match kernel.master(tap) {
        Some(Some(master)) => bridge.is_some_and(|bridge| bridge != master),
        Some(None) => true,
        None => false,
    };
    let has_lost = |wired: &&Wired| wired.taps(&state.name).any(|tap| is_off(tap));
    guests.iter().filter(has_lost).map(|wired| wired.guest.name.as_str()).collect()
}

/// The fault of a network that runs without its dnsmasq, and of all guests that run on it.
pub(super) fn unserved(name: &str, attached: &[Attached]) -> Fault {
    Fault {
        guests: attached.iter().filter(|a| a.runs_on_it()).map(|a| a.guest.name.clone()).collect(),
        what: "its dnsmasq doesn't run: nobody gives out addresses or answers to names".into(),
        help: Some(format!("kvmnet net restart {name}")),
    }
}

/// The fault of a network that libvirt is to start by itself, and would do harm with.
pub(super) fn harmful(host: &dyn Hypervisor, state: &NetworkState) -> Option<Fault> {
    let why = check_autostart(host, state).err()?;
    Some(Fault {
        guests: Vec::new(),
        what: format!("it starts with libvirt, but mustn't: {}", message(&why)),
        help: Some(format!("kvmnet net autostart {} off", state.name)),
    })
}

/// Does a network that runs lack its dnsmasq? `served` are the networks that have one.
pub(super) fn is_unserved(network: &Network, is_active: bool, served: Option<&HashSet<String>>) -> bool {
    // Where its bridge can't be seen, its processes can't.
    let is_here =
        || network.bridge.as_deref().is_some_and(|bridge| Kernel::default().device(bridge).is_some());
    is_active
        && network.needs_dnsmasq()
        && served.is_some_and(|all| !all.contains(&network.name))
        && is_here()
}

/// What a listing says of guests that are cut off.
pub(super) fn hint(state: &NetworkState, guests: &[&str]) -> String {
    let (name, guests) = (&state.name, guests.join("', '"));
    match state.is_active {
        false => format!(
            "kvmnet: network '{name}' isn't active, and running guests on it are cut off ('{guests}'): kvmnet net start {name}"
        ),
        true => format!(
            "kvmnet: running guests on network '{name}' aren't plugged into its bridge ('{guests}'): kvmnet reattach \
             --on-network {name}"
        ),
    }
}
