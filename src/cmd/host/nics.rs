//! `kvmnet host nics`

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::detail::{below_row, detail, remark};
use super::seen::{Seen, look};
use crate::cli::HostNics;
use crate::cmd::Context;
use crate::cmd::walk::print_json;
use crate::problem::Problem;
use crate::report::{columns, plain_line};
use crate::sys::tree::Tree;

/// Lists the devices, or shows all about some.
pub(super) fn run(args: &HostNics, context: &mut Context) -> Result<u8> {
    let root = args.root.as_deref().unwrap_or(Path::new("/"));
    let tree = Tree::below(root).with_context(|| format!("cannot look below {}", root.display()))?;
    let (mut all, unread) = look(&tree);
    if !args.nics.is_empty() {
        all = chosen(all, &args.nics)?;
    }
    if context.is_json() {
        print_json(&json!({ "nics": all.iter().map(Seen::json).collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    let verbose = context.global.verbose > 0;
    let text = if args.nics.is_empty() {
        table(&all, verbose)
    } else {
        all.iter().map(detail).collect::<Vec<_>>().join("\n")
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    if args.nics.is_empty() && !verbose {
        say_what_matters(&all, context);
    }
    if !unread.is_empty() {
        let files = unread.join(", ");
        context.screen.say(&plain_line(&format!(
            "kvmnet: who configures what may not be whole: only root can read {files}"
        )));
    }
    if tree.is_here() && all.iter().any(|seen| seen.nic.link.addresses.is_none()) {
        context.screen.say("kvmnet: addresses can't be seen: 'ip' can't be run (package iproute2)");
    }
    if all.is_empty() {
        context.screen.say("kvmnet: no network devices can be seen there");
    }
    Ok(0)
}

/// Those that were named, by any of their names, in that order.
fn chosen(all: Vec<Seen>, names: &[String]) -> Result<Vec<Seen>> {
    let mut rest: Vec<Option<Seen>> = all.into_iter().map(Some).collect();
    let mut out = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let is_it = |seen: &Seen| seen.nic.link.name == *name || seen.nic.link.altnames.contains(name);
        let found = rest.iter_mut().find(|seen| seen.as_ref().is_some_and(is_it)).and_then(Option::take);
        match found {
            Some(seen) => out.push(seen),
            None if names[..n].contains(name) || out.iter().any(is_it) => {}
            None => {
                let there: Vec<String> =
                    rest.iter().flatten().map(|seen| seen.nic.link.name.clone()).collect();
                let there = if there.is_empty() { "none".into() } else { there.join(", ") };
                return Err(Problem::new(
                    format!("this host has no network device '{name}'"),
                    format!("devices here: {there}"),
                ));
            }
        }
    }
    Ok(out)
}

/// What should be known without asking for it.
fn say_what_matters(all: &[Seen], context: &Context) {
    for seen in all {
        let name = &seen.nic.link.name;
        if let Some(advice) = &seen.advice {
            context.screen.say(&plain_line(&format!("kvmnet: {name} {}", remark(advice))));
        } else if seen.verdict.agrees() == Some(false) {
            context.screen.say(&plain_line(&format!("kvmnet: {name} is {}", seen.verdict.sentence())));
        }
    }
}

fn table(all: &[Seen], verbose: bool) -> String {
    let header = ["NAME", "KIND", "DRIVER", "LINK", "MTU", "MAC", "ADDRESSES", "MASTER", "CONFIGURED BY"]
        .map(String::from);
    let rows: Vec<Vec<String>> = std::iter::once(header.to_vec()).chain(all.iter().map(cells)).collect();
    let text = columns(&rows);
    if !verbose {
        return text;
    }
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        let seen = at.checked_sub(1).and_then(|at| all.get(at));
        for line in seen.map(below_row).unwrap_or_default() {
            out.push_str(&format!("    {}\n", plain_line(&line)));
        }
    }
    out
}

fn cells(seen: &Seen) -> Vec<String> {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_string();
    let link = &seen.nic.link;
    // What every device gives itself says nothing.
    let told = link.addresses.iter().flatten().filter(|a| a.scope != "link");
    let told: Vec<&str> = told.map(|a| a.cidr.as_str()).collect();
    let others = if seen.owners.len() > 1 { ", and others" } else { "" };
    vec![
        link.name.clone(),
        seen.kind.as_str().into(),
        or_dash(seen.driver()),
        link_cell(seen),
        link.mtu.map_or_else(|| "-".into(), |mtu| mtu.to_string()),
        or_dash(link.mac.as_deref()),
        match &link.addresses {
            None => "?".into(),
            Some(_) if told.is_empty() => "-".into(),
            Some(_) => told.join(", "),
        },
        or_dash(link.master.as_deref()),
        match seen.backend() {
            "none" => "-".into(),
            "unknown" => "?".into(),
            backend => format!("{backend}{others}"),
        },
    ]
}

fn link_cell(seen: &Seen) -> String {
    let link = &seen.nic.link;
    match (link.is_up, link.has_carrier) {
        (false, _) => "down".into(),
        (true, Some(false)) => "no carrier".into(),
        (true, _) => {
            let half = if seen.duplex() == Some("half") { " half" } else { "" };
            let speed = |s| {
                if s >= 1000 && s % 100 == 0 {
                    format!("{} Gb/s", f64::from(s) / 1000.0)
                } else {
                    format!("{s} Mb/s")
                }
            };
            seen.speed().map_or_else(|| "up".into(), |s| format!("up {}{half}", speed(s)))
        }
    }
}
