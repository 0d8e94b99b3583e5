//! `kvmnet host bridge list` and `show`

use anyhow::Result;
use serde_json::{Value, json};

use super::guests;
use super::look::Looked;
use crate::cli::BridgeShow;
use crate::cmd::Context;
use crate::cmd::host::seen::Seen;
use crate::cmd::walk::{print, print_json};
use crate::host::Kind;
use crate::plan::window::{self, Window};
use crate::problem::Problem;
use crate::report::{columns, plain_line};
use crate::sys::armed::Armed;
use crate::sys::bridge::Settings;
use crate::sys::{clock, terminal};

/// One bridge.
struct Bridge<'a> {
    seen: &'a Seen,
    ports: Vec<String>,
    taps: Vec<String>,
    settings: Settings,
    used: guests::OnBridge,
    window: Option<&'a Window>,
}

/// Lists the bridges.
pub(super) fn list(context: &mut Context) -> Result<u8> {
    let looked = Looked::below(None)?;
    let window = window::open().unwrap_or_default();
    let all: Vec<Bridge<'_>> = looked
        .seen
        .iter()
        .filter(|seen| seen.kind == Kind::Bridge)
        .map(|seen| bridge(&looked, seen, window.as_ref()))
        .collect();
    if context.is_json() {
        print_json(&json!({ "bridges": all.iter().map(Bridge::json).collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    if all.is_empty() {
        context
            .screen
            .say("kvmnet: this host has no bridge; 'kvmnet host bridge create br0 --port NIC' makes one");
        waiting(window.as_ref(), context);
        return Ok(0);
    }
    let header = ["NAME", "STATE", "PORTS", "ADDRESSES", "STP", "GUESTS", "CONFIGURED BY"].map(String::from);
    let rows: Vec<Vec<String>> =
        std::iter::once(header.to_vec()).chain(all.iter().map(Bridge::cells)).collect();
    print(&columns(&rows), "the list")?;
    waiting(window.as_ref(), context);
    Ok(0)
}

/// Shows one.
pub(super) fn show(args: &BridgeShow, context: &mut Context) -> Result<u8> {
    let looked = Looked::below(None)?;
    let window = window::open().unwrap_or_default();
    let seen = looked.device(&args.name).filter(|seen| seen.kind == Kind::Bridge).ok_or_else(|| {
        let bridges: Vec<&str> =
            looked.seen.iter().filter(|s| s.kind == Kind::Bridge).map(|s| s.nic.link.name.as_str()).collect();
        let there = if bridges.is_empty() { "none".into() } else { bridges.join(", ") };
        Problem::new(format!("this host has no bridge '{}'", args.name), format!("bridges here: {there}"))
    })?;
    let bridge = bridge(&looked, seen, window.as_ref());
    if context.is_json() {
        print_json(&json!({ "bridge": bridge.json() }))?;
        return Ok(0);
    }
    print(&bridge.text(), "the bridge")?;
    waiting(bridge.window, context);
    Ok(0)
}

fn waiting(window: Option<&Window>, context: &Context) {
    match window {
        Some(window) => context.screen.say(&format!("kvmnet: {}", window.state())),
        None if !terminal::is_root() && Armed::is_said() => {
            context.screen.say("kvmnet: a change of the host's network is under way or waits to be confirmed; root sees which");
        }
        None => {}
    }
}

fn bridge<'a>(looked: &Looked, seen: &'a Seen, window: Option<&'a Window>) -> Bridge<'a> {
    let name = &seen.nic.link.name;
    let of = |is_tap: bool| {
        let ports = seen.carries.iter().filter(|c| c.role == "port");
        ports.filter(|c| matches!(c.kind, Kind::Tap) == is_tap).map(|c| c.name.clone()).collect()
    };
    Bridge {
        ports: of(false),
        taps: of(true),
        settings: Settings::read(&looked.tree, name),
        used: guests::on(&looked.tree, name),
        window: window.filter(|window| window.bridge == *name),
        seen,
    }
}

impl Bridge<'_> {
    fn addresses(&self) -> Vec<&str> {
        let all = self.seen.nic.link.addresses.iter().flatten();
        all.filter(|a| a.scope != "link").map(|a| a.cidr.as_str()).collect()
    }

    fn state(&self) -> &'static str {
        match (self.seen.nic.link.is_up, self.seen.nic.link.has_carrier) {
            (false, _) => "down",
            (true, Some(false)) => "no carrier",
            (true, _) => "up",
        }
    }

    fn cells(&self) -> Vec<String> {
        let or_dash = |words: Vec<&str>| if words.is_empty() { "-".into() } else { words.join(", ") };
        let words = |all: &[String]| or_dash(all.iter().map(String::as_str).collect());
        let ports: Vec<String> = self.ports.iter().chain(&self.taps).cloned().collect();
        vec![
            self.seen.nic.link.name.clone(),
            self.state().into(),
            words(&ports),
            or_dash(self.addresses()),
            if self.settings.stp { "on".into() } else { "off".into() },
            words(&self.used.guests),
            match self.seen.backend() {
                "none" => "-".into(),
                "unknown" => "?".into(),
                backend => backend.into(),
            },
        ]
    }

    fn text(&self) -> String {
        let link = &self.seen.nic.link;
        let mut rows: Vec<(&str, String)> = Vec::new();
        let list = |words: &[&str]| if words.is_empty() { "none".to_string() } else { words.join(", ") };
        let of = |all: &[String]| list(&all.iter().map(String::as_str).collect::<Vec<_>>());
        rows.push(("state", self.state().into()));
        rows.push(("ports", of(&self.ports)));
        rows.push(("guests' taps", of(&self.taps)));
        rows.push(("addresses", list(&self.addresses())));
        rows.push(("MAC", link.mac.clone().unwrap_or_else(|| "unknown".into())));
        rows.push(("MTU", link.mtu.map_or_else(|| "unknown".into(), |mtu| mtu.to_string())));
        let delay = self.settings.forward_delay.map(|s| format!(", forward delay {s} s")).unwrap_or_default();
        rows.push(("STP", format!("{}{delay}", if self.settings.stp { "on" } else { "off" })));
        let owner = self.seen.owners.first();
        let file = owner.and_then(|o| o.file.as_ref()).map(|file| format!(" ({file})")).unwrap_or_default();
        rows.push(("configured by", format!("{}{file}", self.seen.backend())));
        rows.push(("guests", of(&self.used.guests)));
        rows.push(("networks", of(&self.used.networks)));
        let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let mut out = format!("bridge {}\n", plain_line(&link.name));
        for (name, value) in rows {
            out.push_str(&format!("  {name:widest$}  {}\n", plain_line(&value)));
        }
        out
    }

    fn json(&self) -> Value {
        let link = &self.seen.nic.link;
        let owner = self.seen.owners.first();
        json!({
            "name": link.name,
            "state": self.state(),
            "ports": self.ports,
            "taps": self.taps,
            "addresses": self.addresses(),
            "mac": link.mac,
            "mtu": link.mtu,
            "stp": self.settings.stp,
            "forward_delay": self.settings.forward_delay,
            "backend": self.seen.backend(),
            "file": owner.and_then(|o| o.file.as_ref()),
            "guests": self.used.guests,
            "networks": self.used.networks,
            "waits_for_confirm": self.window.map(|w| json!({ "what": w.headline, "state": w.phase, "seconds_left": w.left(clock::unix()) })),
        })
    }
}
