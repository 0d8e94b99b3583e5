//! What becomes of running guests when their network stops, starts, or comes back as another.

use std::collections::BTreeSet;

use super::guests::{Attached, Plug, converting, named};
use super::network;
use crate::cmd::walk::{as_root, quoted};
use crate::model::{Code, Network, Warning};
use crate::plan::{Change, Place, Standing, State, taps};
use crate::problem::Problem;
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel::Kernel;

/// A network and the running guests on it, about to be changed.
pub(super) struct Effects<'a> {
    host: &'a dyn Hypervisor,
    name: &'a str,
    /// What runs now; `None` if the network doesn't.
    now: Option<Network>,
    attached: &'a [Attached],
    running: Vec<&'a Attached>,
    /// Is it an undo?
    is_undo: bool,
}

/// What a guest's NIC is on the host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// A tap on a bridge that libvirt makes and deletes.
    Virtual,
    /// A tap on a bridge of the host's, which stays.
    Bridge,
    /// A macvtap device, or a piece of hardware: nothing of it is the network's.
    Own,
}

impl Wire {
    fn of(network: &Network) -> Wire {
        if network.mode.is_virtual() {
            Wire::Virtual
        } else if network.bridge.is_some() && !network.has_pool {
            Wire::Bridge
        } else {
            Wire::Own
        }
    }
}

impl<'a> Effects<'a> {
    pub(super) fn new(host: &'a dyn Hypervisor, name: &'a str, attached: &'a [Attached]) -> Effects<'a> {
        let state = host.network(name).ok().flatten().filter(|state| state.is_active);
        let now = state.and_then(|state| network(&state.xml).ok());
        let running = attached.iter().filter(|a| a.runs_on_it()).collect();
        Effects { host, name, now, attached, running, is_undo: false }
    }

    /// The same for an undo.
    pub(super) fn of_undo(host: &'a dyn Hypervisor, name: &'a str, attached: &'a [Attached]) -> Effects<'a> {
        Effects { is_undo: true, ..Effects::new(host, name, attached) }
    }

    fn who(&self) -> String {
        format!("running {}", named(self.running.iter().copied()))
    }

    fn is_remote(&self) -> bool {
        Reach::of_uri(self.host.uri()) == Reach::Remote
    }

    /// Over this connection nobody can plug taps back.
    fn left_unplugged(&self, change: &mut Change) {
        let what = format!(
            "{}: cut off until 'kvmnet reattach' is run on that host; their taps can't be plugged back over {}",
            self.who(),
            self.host.uri()
        );
        change.warnings.push(Warning::note(Code::GuestsCutOff, what));
    }

    /// A network isn't stopped or started when that leaves running guests cut off: libvirt would do its part, and the kernel
    /// refuse the rest.
    fn refused(&self, why: &str, change: &mut Change) {
        let what = format!("{} would be cut off: {why}", self.who());
        change.warnings.push(Warning::stop(Code::GuestsCutOff, what.clone()));
        change.state = State::Failed(Problem::new(what, as_root(self.is_undo)));
    }

    /// Guests of a network that doesn't run are cut off already: that it starts doesn't make it worse.
    fn stay_cut_off(&self, why: &str, change: &mut Change) {
        let (s, them) = if self.running.len() == 1 { ("s", "it") } else { ("", "them") };
        let what = format!(
            "{}: stay{s} cut off: {why}; 'sudo kvmnet reattach --on-network {}' plugs {them} back without a restart",
            self.who(),
            quoted(self.name)
        );
        change.warnings.push(Warning::note(Code::GuestsCutOff, what));
    }

    fn taps(&self) -> impl Iterator<Item = &String> {
        self.running.iter().flat_map(|attached| attached.taps())
    }

    /// Why the guests can't be plugged into a bridge that isn't there yet, or is made anew.
    fn forbidden(&self) -> Option<&'static str> {
        taps::not_permitted().filter(|_| self.taps().next().is_some())
    }

    /// What else is on the network's own bridge, which goes when it stops: put back if it returns, and named if not.
    fn other_ports(&self, new: Option<&Network>, change: &mut Change) {
        let own = self.now.as_ref().filter(|now| Wire::of(now) == Wire::Virtual && !self.is_remote());
        let Some(bridge) = own.and_then(|now| now.bridge.as_ref()) else { return };
        let others = taps::other_ports(bridge, &self.taps().collect::<Vec<_>>());
        if others.is_empty() {
            return;
        }
        let names = format!("'{}'", others.join("', '"));
        let what = format!("on {bridge} besides the taps of guests on this network: {names}");
        let help = match new {
            Some(new) if Wire::of(new) == Wire::Virtual => match taps::not_permitted() {
                None => {
                    change.meaning.push(format!("{what}; put on the bridge again"));
                    String::new()
                }
                Some(why) => format!("; on no bridge afterwards: {why}"),
            },
            Some(_) => "; on no bridge afterwards, for where they may be put nobody has said".into(),
            None => {
                "; on no bridge afterwards; 'kvmnet undo' puts them back, 'kvmnet net start' doesn't".into()
            }
        };
        if !help.is_empty() {
            change.warnings.push(Warning::note(Code::PortsLost, what + &help));
        }
        // What can't be done isn't asked for, and so doesn't fail.
        let goes_back = taps::not_permitted().is_none();
        for step in change.steps.iter_mut().filter(|_| goes_back) {
            if let Place::Network { ports, .. } = &mut step.place {
                ports.clone_from(&others);
            }
        }
    }

    /// Guests that name the bridge of the network instead of it don't follow it to another one.
    pub(super) fn leaves_behind(&self, new: &Network, change: &mut Change) {
        let left: Vec<&Attached> =
            self.attached.iter().filter(|a| a.bridges().iter().any(|name| !makes(new, name))).collect();
        if left.is_empty() {
            return;
        }
        let bridges = left.iter().flat_map(|a| a.bridges()).filter(|name| !makes(new, name));
        let bridges: Vec<&str> = bridges.collect::<BTreeSet<_>>().into_iter().collect();
        let is_left = |plug: &Plug| plug.bridge.as_ref().is_some_and(|name| !makes(new, name));
        let (code, cut_off) = match self.now.is_some() && left.iter().any(|a| a.running.iter().any(is_left)) {
            true => (Code::GuestsCutOff, "; what runs of them is cut off at once"),
            false => (Code::NetworkInUse, ""),
        };
        let name = self.name;
        let what = format!(
            "{} name{} bridge '{}' instead of the network, which no longer makes it: they won't start any more{cut_off}; to \
             have them follow, first: {} --to-network {name} --live",
            named(left.iter().copied()),
            if left.len() == 1 { "s" } else { "" },
            bridges.join("', '"),
            converting(name, left.iter().copied()),
        );
        // An undo is known to have been asked for; it has no --force.
        change.warnings.push(Warning { code, message: what, stops: !self.is_undo });
    }

    /// The same for those that follow the network to `new`.
    fn following(&self, new: &Network) -> Effects<'a> {
        let follows = |plug: &Plug| plug.bridge.as_ref().is_none_or(|name| makes(new, name));
        let mut running = self.running.clone();
        running.retain(|attached| attached.running.iter().any(follows));
        Effects { running, now: self.now.clone(), ..*self }
    }

    /// It stops, for good or until it is started again.
    pub(super) fn stops(&self, is_removed: bool, change: &mut Change) {
        self.other_ports(None, change);
        let Some(now) = self.now.as_ref().filter(|_| !self.running.is_empty()) else { return };
        let (who, name) = (self.who(), self.name);
        if Wire::of(now) != Wire::Virtual {
            change.meaning.push(format!("{who}: not cut off, for what connects them isn't libvirt's"));
            return;
        }
        let back = match (is_removed, self.is_remote()) {
            (true, _) => {
                "to move them elsewhere without a restart: kvmnet convert GUEST --to-network NET --live"
                    .into()
            }
            (false, false) if self.forbidden().is_some() => format!(
                "only root plugs them back without a restart ('sudo kvmnet net start {name}'), not this process"
            ),
            (false, false) => format!("'kvmnet net start {name}' plugs them back without a restart"),
            (false, true) => format!(
                "after 'kvmnet net start {name}', 'kvmnet reattach' on that host plugs them back without a restart"
            ),
        };
        let what = format!("{who}: cut off at once; {back}");
        change.warnings.push(Warning::note(Code::GuestsCutOff, what));
    }

    /// It is started.
    pub(super) fn starts(&self, new: &Network, change: &mut Change) {
        match Wire::of(new) {
            _ if self.running.is_empty() => {}
            Wire::Own => {}
            _ if self.is_remote() => self.left_unplugged(change),
            _ => match self.forbidden().filter(|_| self.is_off(new.bridge.as_ref())) {
                Some(why) => self.stay_cut_off(why, change),
                None => change.meaning.push(format!("{}: plugged back, not restarted", self.who())),
            },
        }
    }

    /// Is one of the taps not on that bridge?
    fn is_off(&self, bridge: Option<&String>) -> bool {
        let kernel = Kernel::default();
        self.taps().any(|tap| kernel.master(tap).flatten().as_ref() != bridge)
    }

    /// It stops and comes back as `new`.
    pub(super) fn comes_back(&self, new: &Standing, change: &mut Change) {
        let Ok(new) = network(&new.xml) else { return };
        self.other_ports(Some(&new), change);
        self.leaves_behind(&new, change);
        self.following(&new).come_along(&new, change);
        self.stays_elsewhere(&new, change);
    }

    /// Running guests whose definition says this network while their NIC is somewhere else don't move with it.
    fn stays_elsewhere(&self, new: &Network, change: &mut Change) {
        for (attached, plug) in
            self.attached.iter().flat_map(|a| a.elsewhere.iter().map(move |plug| (a, plug)))
        {
            let (name, nic) =
                (&attached.guest.name, plug.mac.map(|mac| format!(" --nic {mac}")).unwrap_or_default());
            let at_once = match plug.moves && Wire::of(new) != Wire::Own {
                true => format!(
                    ", or at once 'kvmnet convert {}{nic} --live-only --to-network {}'",
                    quoted(name),
                    quoted(self.name)
                ),
                false => String::new(),
            };
            change.meaning.push(format!(
                "running guest '{name}': stays where it is, for its NIC is elsewhere now, though its definition says this \
                 network; a full shutdown and start of the guest plugs it in here{at_once}"
            ));
        }
    }

    fn come_along(&self, new: &Network, change: &mut Change) {
        let Some(now) = &self.now else { return self.starts(new, change) };
        if self.running.is_empty() {
            change.meaning.push("no running guest is on it".into());
            return;
        }
        let who = self.who();
        match (Wire::of(now), Wire::of(new)) {
            (Wire::Own, Wire::Own) => change.meaning.push(format!(
                "{who}: not cut off; but libvirt no longer knows which device of the pool is in use until libvirtd is restarted"
            )),
            (from, to) if from == Wire::Own || to == Wire::Own => self.cannot_follow(to, change),
            (Wire::Bridge, Wire::Bridge) if now.bridge == new.bridge => {
                change.meaning.push(format!("{who}: not cut off, for the bridge is the host's own"));
            }
            _ if self.is_remote() => self.left_unplugged(change),
            _ => match self.forbidden() {
                Some(why) => self.refused(why, change),
                None if now.bridge == new.bridge => change
                    .meaning
                    .push(format!("{who}: cut off for a moment, then plugged back; not restarted")),
                None => {
                    let bridge = new.bridge.as_deref().unwrap_or("its new bridge");
                    change.meaning.push(format!("{who}: moved to {bridge}, not restarted"));
                }
            },
        }
        if change.is_planned() {
            addresses(now, new, change);
        }
    }

    /// A running NIC can't become macvtap, nor macvtap a tap.
    fn cannot_follow(&self, to: Wire, change: &mut Change) {
        let why = match to {
            Wire::Own => "a running NIC can't become macvtap",
            _ => "a running NIC that is macvtap can't be plugged into a bridge",
        };
        let what = format!("{}: {why}", self.who());
        let help = format!(
            "shut them down first (virsh shutdown GUEST); they get the other NIC at their next start. Or leave '{}' as it is \
             and make another network (kvmnet net create), which each guest takes from its next start on (kvmnet convert)",
            self.name
        );
        change.warnings.push(Warning::stop(Code::GuestsCutOff, what.clone()));
        change.state = State::Failed(Problem::new(what, help));
    }
}

/// Does libvirt make that bridge for the network?
fn makes(network: &Network, bridge: &str) -> bool {
    network.mode.is_virtual() && network.bridge.as_deref() == Some(bridge)
}

/// Do guests need other addresses?
fn addresses(now: &Network, new: &Network, change: &mut Change) {
    let subnets = |network: &Network| network.addresses.iter().map(|a| a.ip).collect::<Vec<_>>();
    // Another bridge of the host's may be another LAN.
    let is_same_lan = new.mode.is_virtual() || now.bridge == new.bridge;
    if subnets(now) == subnets(new) && now.mode.is_virtual() == new.mode.is_virtual() && is_same_lan {
        return;
    }
    // What a warning says needs no second word.
    if change.warnings.iter().any(|warning| warning.code == Code::DhcpLost) {
        return;
    }
    change.meaning.push(match new.mode.is_virtual() && new.addresses.is_empty() {
        true => "nobody gives out addresses there: each keeps its own until its lease ends".into(),
        // Not 'virsh domif-setlink': it would tie a NIC on a network of mode bridge to the bridge (reference §4.5).
        false => "each keeps its old address until it asks for a new one: renew it inside the guest (by its DHCP client, or \
                  'ip link set DEV down' and up there), or restart the guest"
            .into(),
    });
}
