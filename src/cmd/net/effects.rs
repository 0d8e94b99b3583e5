//! What becomes of running guests when their network stops, starts, or comes back as another.

use super::guests::{Attached, named};
use super::network;
use crate::model::{Code, Network, Warning};
use crate::plan::{Change, Standing, State};
use crate::problem::Problem;
use crate::sys::hypervisor::{Hypervisor, Reach};

/// A network and the running guests on it, about to be changed.
pub(super) struct Effects<'a> {
    host: &'a dyn Hypervisor,
    name: &'a str,
    /// What runs now; `None` if the network doesn't.
    now: Option<Network>,
    running: Vec<&'a Attached>,
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
        Effects { host, name, now, running: attached.iter().filter(|a| a.runs_on_it).collect() }
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

    /// It stops, for good or until it is started again.
    pub(super) fn stops(&self, is_removed: bool, change: &mut Change) {
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
            _ => change.meaning.push(format!("{}: plugged back, not restarted", self.who())),
        }
    }

    /// It stops and comes back as `new`.
    pub(super) fn comes_back(&self, new: &Standing, change: &mut Change) {
        let Ok(new) = network(&new.xml) else { return };
        let Some(now) = &self.now else { return self.starts(&new, change) };
        if self.running.is_empty() {
            change.meaning.push("no running guest is on it".into());
            return;
        }
        let who = self.who();
        match (Wire::of(now), Wire::of(&new)) {
            (Wire::Own, Wire::Own) => change.meaning.push(format!(
                "{who}: not cut off; but libvirt no longer knows which device of the pool is in use until libvirtd is restarted"
            )),
            (from, to) if from == Wire::Own || to == Wire::Own => self.cannot_follow(to, change),
            (Wire::Bridge, Wire::Bridge) if now.bridge == new.bridge => {
                change.meaning.push(format!("{who}: not cut off, for the bridge is the host's own"));
            }
            _ if self.is_remote() => self.left_unplugged(change),
            _ if now.bridge == new.bridge => {
                change.meaning.push(format!("{who}: cut off for a moment, then plugged back; not restarted"));
            }
            _ => {
                let bridge = new.bridge.as_deref().unwrap_or("its new bridge");
                change.meaning.push(format!("{who}: moved to {bridge}, not restarted"));
            }
        }
        if change.is_planned() {
            addresses(now, &new, change);
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

/// Do guests need other addresses?
fn addresses(now: &Network, new: &Network, change: &mut Change) {
    let subnets = |network: &Network| network.addresses.iter().map(|a| a.ip).collect::<Vec<_>>();
    if subnets(now) == subnets(new) && (now.mode.is_virtual() == new.mode.is_virtual()) {
        return;
    }
    change.meaning.push(match new.mode.is_virtual() && new.addresses.is_empty() {
        true => "nobody gives out addresses there: each keeps its own until its lease ends".into(),
        false => "each keeps its old address until it asks for a new one (renew DHCP in the guest, or take its link down and \
                  up with 'virsh domif-setlink')"
            .into(),
    });
}
