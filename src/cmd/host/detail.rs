//! All about one device, for people.

use super::seen::{Carried, Seen};
use crate::host::{Advice, Says};
use crate::report::Sections;
use crate::sys::links::Address;

/// How far the texts stand to the right.
const INDENT: usize = 15;

/// All about one device.
pub(super) fn detail(seen: &Seen) -> String {
    let mut out = Sections::new(INDENT);
    let link = &seen.nic.link;
    out.line("name", std::slice::from_ref(&link.name));
    out.line("other names", &link.altnames);
    out.line("kind", &[kind(seen)]);
    out.line("driver", &seen.driver().map(String::from).into_iter().collect::<Vec<_>>());
    out.line(
        "hardware",
        &seen.nic.path.iter().filter(|_| seen.facts.is_physical()).cloned().collect::<Vec<_>>(),
    );
    out.line("link", &[link_line(seen)]);
    out.line("mtu", &link.mtu.map(|mtu| mtu.to_string()).into_iter().collect::<Vec<_>>());
    out.line("mac", &mac(seen).into_iter().collect::<Vec<_>>());
    match &link.addresses {
        Some(all) => out.line("addresses", &all.iter().map(address).collect::<Vec<_>>()),
        None => out.line("addresses", &["not known: 'ip' wasn't asked".into()]),
    }
    out.line("port of", &link.master.iter().cloned().collect::<Vec<_>>());
    out.line("other end", &seen.peer().map(String::from).into_iter().collect::<Vec<_>>());
    out.line("on", &below(seen).into_iter().collect::<Vec<_>>());
    out.line("carries", &seen.carries.iter().map(carried).collect::<Vec<_>>());
    out.line("configured by", &owners(seen));
    out.line("the name says", &name(seen));
    out.line("checked", &[seen.verdict.sentence()]);
    out.line("udev's names", &udev_names(seen));
    if let Some(advice) = &seen.advice {
        out.line("can change", &changing(advice));
    }
    out.into_text()
}

/// What stands below a device's row in the list.
pub(super) fn below_row(seen: &Seen) -> Vec<String> {
    let mut lines = vec![format!("the name says: {}", seen.says.sentence(&seen.nic.link.name))];
    lines.push(seen.verdict.sentence());
    if !seen.carries.is_empty() {
        let names: Vec<&str> = seen.carries.iter().map(|c| c.name.as_str()).collect();
        lines.push(format!("carries {}", names.join(", ")));
    }
    lines.extend(seen.advice.iter().map(remark));
    lines
}

/// That a name can change, in a line.
pub(super) fn remark(advice: &Advice) -> String {
    let instead = advice.name.as_ref().map(|name| format!("; {name} lasts")).unwrap_or_default();
    format!("can change between boots: {}{instead}", advice.why)
}

fn kind(seen: &Seen) -> String {
    match &seen.facts.virtual_function {
        Some((card, n)) => format!("{}, virtual function {n} of {card}", seen.kind.as_str()),
        None => seen.kind.as_str().into(),
    }
}

fn link_line(seen: &Seen) -> String {
    let link = &seen.nic.link;
    match (link.is_up, link.has_carrier) {
        (false, _) => "down (not set up)".into(),
        (true, Some(false)) => "up, but without a carrier: no cable, or nobody at the other end".into(),
        (true, _) => {
            let speed = seen.speed().map(|s| format!(", {s} Mb/s")).unwrap_or_default();
            let duplex = seen.duplex().map(|d| format!(", {d} duplex")).unwrap_or_default();
            format!("up{speed}{duplex}")
        }
    }
}

fn mac(seen: &Seen) -> Option<String> {
    let mac = seen.nic.link.mac.as_deref()?;
    let made = seen.other_mac().map(|own| format!(" (made with {own})")).unwrap_or_default();
    let random = if seen.facts.has_random_mac() { " (made up at this start)" } else { "" };
    Some(format!("{mac}{made}{random}"))
}

fn address(address: &Address) -> String {
    let how = if address.is_dynamic { ", given for a time (DHCP or router advertisement)" } else { "" };
    format!("{} ({}{how})", address.cidr, address.scope)
}

fn below(seen: &Seen) -> Option<String> {
    let below = seen.below()?;
    Some(match seen.nic.link.vlan {
        Some(id) => format!("{below} (VLAN {id})"),
        None => below.into(),
    })
}

fn carried(carried: &Carried) -> String {
    let vlan = carried.vlan.map(|id| format!(" {id}")).unwrap_or_default();
    match carried.role.as_str() {
        "port" => format!("{} (its port, {})", carried.name, carried.kind.in_words()),
        _ => format!("{} ({}{vlan} on it)", carried.name, carried.kind.in_words()),
    }
}

fn owners(seen: &Seen) -> Vec<String> {
    let mut lines: Vec<String> = seen
        .owners
        .iter()
        .map(|owner| match &owner.file {
            Some(file) => format!("{} ({file})", owner.backend),
            None => owner.backend.to_string(),
        })
        .collect();
    if lines.len() > 1 {
        lines.push("more than one of them: what holds after a restart is chance".into());
    }
    if lines.is_empty() {
        lines.push(match seen.owner_is_known {
            true => "nobody whose files are known here".into(),
            false => "unknown: files that may say it can't be read (root may)".into(),
        });
    }
    lines
}

fn name(seen: &Seen) -> Vec<String> {
    let name = &seen.nic.link.name;
    let parts = seen.says.parts(name);
    if parts.len() < 2 || seen.says == Says::Nothing {
        return vec![seen.says.sentence(name)];
    }
    let width = parts.iter().map(|(part, _)| part.chars().count()).max().unwrap_or_default();
    parts.iter().map(|(part, means)| format!("{part:<width$}  {means}")).collect()
}

/// The names of the scheme for this device, and what each is made of.
fn udev_names(seen: &Seen) -> Vec<String> {
    if !seen.facts.is_physical() {
        return Vec::new();
    }
    let names = seen.facts.names();
    let all: Vec<String> =
        names.iter().map(|(policy, name)| format!("{name} ({})", policy.as_str())).collect();
    if all.is_empty() { all } else { vec![all.join(", ")] }
}

fn changing(advice: &Advice) -> Vec<String> {
    let mut lines = vec![advice.why.clone()];
    match (&advice.name, &advice.link) {
        (Some(name), Some(link)) => {
            lines.push(format!("{name} lasts; to make it stick, put this into {}:", link.path));
            lines.extend(link.text.lines().map(|line| format!("    {line}")));
            lines.push(
                "then write the initramfs anew (update-initramfs -u, dracut -f), put the new name where the old one \
                 stands in the network's configuration, and restart the host"
                    .into(),
            );
        }
        (Some(name), None) => lines.push(format!("{name} lasts")),
        (None, _) => lines.push(
            "the scheme has no lasting name for it; a .link file in /etc/systemd/network can give it one"
                .into(),
        ),
    }
    lines
}
