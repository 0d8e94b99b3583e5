//! What putting a change of the host's network back does, shown as making it is.

use std::mem;

use anyhow::Result;
use serde_json::json;

use super::change::{file_diff, file_json, order, promise};
use super::look::Looked;
use super::{delete, ssh};
use crate::host::bridge::FileChange;
use crate::model::{Code, Warning};
use crate::plan::{Change, HostBridge, Place, Side, window};
use crate::sys::armed;

/// Adds to the preview of an undo what that of the change itself has: the diff of each file, the commands in order, what
/// becomes of the admin's connection, and that it waits to be confirmed.
///
/// # Errors
/// What waits to be confirmed can't be read.
pub(in crate::cmd) fn described(change: &mut Change) -> Result<()> {
    let Some(step) = change.steps.first() else { return Ok(()) };
    let Place::Host(place) = &step.place else { return Ok(()) };
    let place = place.clone();
    let goes_back = step.after.as_deref() != Some(place.text(&place.after).as_str());
    let (to, from) = match goes_back {
        true => (&place.before, &place.after),
        false => (&place.after, &place.before),
    };
    let files = files(&place, from, to);
    change.diff = files.iter().map(file_diff).collect();
    change.detail.insert("backend".into(), json!(place.backend));
    change.detail.insert("files".into(), files.iter().map(file_json).collect());
    let commands: Vec<_> = to.way.before.iter().chain(&to.way.after).collect();
    change.detail.insert("commands".into(), json!(commands));
    let mut meaning = order(&to.way, &files);
    // One that isn't confirmed yet is put back at once, with its own way back.
    let is_open = window::open()?.is_some_and(|window| goes_back && window.id == place.id);
    if is_open {
        meaning.push("it isn't confirmed yet, so this is what 'kvmnet host bridge revert' does".into());
    } else {
        meaning.push(promise(place.timeout, armed::is_systemd()));
        change.detail.insert("timeout".into(), json!(place.timeout));
    }
    let looked = Looked::below(None)?;
    if !is_open && place.backend == "ifupdown" && from.want.dhcp4 && !to.want.dhcp4 {
        meaning.extend(resolver(&looked));
    }
    // A guest is no reason to leave what isn't confirmed.
    if let (false, Some(bridge)) = (is_open, to.want.gone.as_ref().and_then(|name| looked.device(name))) {
        let used = delete::in_use(&looked, bridge);
        change.warnings.extend(used.map(|what| Warning::stop(Code::NetworkInUse, what)));
    }
    match ssh::fate(&looked.seen, &place.devices, &left(&looked, from, to)) {
        Some(fate) if fate.survives => meaning.push(fate.words),
        Some(fate) => change.warnings.push(Warning::note(Code::ConnectionLost, fate.words)),
        None => {}
    }
    meaning.append(&mut mem::take(&mut change.meaning));
    change.meaning = meaning;
    Ok(())
}

fn files(place: &HostBridge, from: &Side, to: &Side) -> Vec<FileChange> {
    let texts = from.texts.iter().zip(&to.texts);
    let all = place.files.iter().zip(texts).map(|((path, mode), (before, after))| FileChange {
        path: path.clone(),
        before: before.clone(),
        after: after.clone(),
        mode: *mode,
    });
    all.filter(|file| file.before != file.after).collect()
}

/// A DHCP client writes the name servers into a file that nobody else writes, and takes nothing back when it goes. After a
/// confirmed change somebody may count on what stands there.
fn resolver(looked: &Looked) -> Option<String> {
    let path = "etc/resolv.conf";
    (looked.tree.has(path) && looked.tree.target_name(path).is_none()).then(|| {
        "/etc/resolv.conf stays as the DHCP client wrote it, for it may have been changed since by others: look at its name \
         servers afterwards"
            .into()
    })
}

/// What the devices have when it is put back: what a device has now if that goes over, and what the other side says.
fn left(looked: &Looked, from: &Side, to: &Side) -> ssh::After {
    let mut addresses: Vec<_> = to.want.addresses.iter().filter_map(|cidr| cidr.parse().ok()).collect();
    let over = to.takes_over.as_ref().and_then(|dev| looked.device(dev));
    addresses.extend(ssh::nets(over.iter().flat_map(|seen| seen.nic.link.addresses.iter().flatten())));
    let keeps_routes = over.is_some() || from.want.device.is_none();
    ssh::After { addresses, gateways: to.want.gateways.clone(), keeps_routes }
}
