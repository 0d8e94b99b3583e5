//! `kvmnet net set-mode`

use anyhow::Result;

use super::guests::{self, Attached, named};
use super::{change, create, explained, network, no_such, options, refused};
use crate::cli::NetSetMode;
use crate::cmd::walk::walk;
use crate::cmd::{Context, connect};
use crate::model::{Code, Network, Warning};
use crate::net;
use crate::plan::{Change, Standing, Subject, World};
use crate::problem::Problem;
use crate::sys::hypervisor::Hypervisor;
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, diff_of_edits};

/// Changes a network's mode.
pub(super) fn run(args: &NetSetMode, context: &mut Context) -> Result<u8> {
    let host = connect::to_change(context, &args.consent)?;
    let host = host.as_ref();
    let states = host.networks()?;
    let change = planned(host, args, &states)?;
    let options = options(host, &args.consent);
    let world = World { host: Some(host), ..World::default() };
    walk(vec![change], &options, &world, context)?.report(&options, context)
}

fn planned(host: &dyn Hypervisor, args: &NetSetMode, states: &[NetworkState]) -> Result<Change> {
    let name = &args.name;
    let Some(now) = Standing::read(host, name)? else { return Err(no_such(name, states)) };
    if !now.is_persistent {
        return Err(Problem::new(
            format!("network '{name}' has no definition, only what runs"),
            format!("virsh net-dumpxml {name} > {name}.xml; virsh net-define {name}.xml"),
        ));
    }
    let ask = net::Ask { name: Some(name.clone()), ..create::shape(&args.shape) };
    let around = super::around::look(host, states)?;
    let doc = Doc::parse(&now.xml)?;
    let edits = net::set_mode(&doc, &ask, &around).map_err(refused)?;
    if edits.is_empty() {
        let mut change = Change::new(Subject::Network(name.clone()));
        change.remarks.push(format!("its mode is {} already", ask.mode));
        return Ok(change);
    }
    let xml = edits.apply(&now.xml);
    let (old, new) = (network(&now.xml)?, network(&xml)?);
    let wanted = Standing { xml, ..now.clone() };
    let mut change = change(name, Some(&now), Some(&wanted), true);
    change.headline.push(format!("network '{name}': {} → {}", old.mode.as_str(), new.mode.as_str()));
    let title = format!("network '{name}'");
    change.diff = diff_of_edits(&title, &title, &now.xml, &edits);
    change.meaning = explained(&new);
    let attached = guests::on(host, name)?;
    if now.is_active {
        consequences(&new, &attached, &mut change);
    } else {
        change.meaning.push("the network isn't running; the change counts from its next start".into());
    }
    change.warnings.extend(create::bridge_warnings(host, &new, states));
    Ok(change)
}

/// What becomes of the guests on it.
fn consequences(new: &Network, attached: &[Attached], change: &mut Change) {
    let running: Vec<_> = attached.iter().filter(|a| a.runs_on_it).collect();
    if running.is_empty() {
        change.meaning.push("no running guest is on it".into());
        return;
    }
    let who = named(running.iter().copied());
    if new.is_macvtap() {
        let what = format!("running {who}: a running NIC can't become macvtap; cut off until its next start");
        change.warnings.push(Warning::stop(Code::GuestsCutOff, what));
        return;
    }
    change.meaning.push(format!("running {who}: moved to the new bridge, not restarted"));
    change.meaning.push(
        "each keeps its old address until it asks for a new one (renew DHCP in the guest, or take its link down and up with \
         'virsh domif-setlink')"
            .into(),
    );
}
