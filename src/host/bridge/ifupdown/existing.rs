//! The bridge is already there.

use super::Flavour;
use super::config::Config;
use super::edits::{Edits, changes};
use super::ways::words;
use super::{addresses, make, settings, ways};
use crate::host::bridge::{Addresses, Ask, Command, Fault, Host, Recipe, Way};

/// Commands that change a bridge where it stands.
#[derive(Debug, Default)]
struct Ways {
    /// Before the files are written.
    first: Vec<Command>,
    /// After that.
    up: Vec<Command>,
    /// The way back.
    down: Vec<Command>,
    /// At its end.
    back: Vec<Command>,
}

/// Changes what differs from what is asked.
pub(super) fn change(host: &Host, config: &Config, ask: &Ask) -> Result<Recipe, Fault> {
    let bridge = &ask.bridge;
    let place = config.of(bridge).first().map(|s| config.sheet(s).place(s.head)).unwrap_or_default();
    let Some((stanza, _)) = config.setting(bridge, "bridge-ports") else {
        return Err(Fault::new(
            format!("{place}: {bridge} is something else than a bridge"),
            "choose another name for the bridge",
        ));
    };
    let mut edits = Edits::default();
    let mut notes = Vec::new();
    let mut new: Vec<String> = Vec::new();
    let mut ways = Ways::default();
    ports(host, config, ask, &mut edits, &mut notes, &mut ways)?;
    let Ways { first, mut up, mut down, back } = ways;
    let mut set = |key: &str, written: &'static str, is_same: &dyn Fn(&str) -> bool, value: String| {
        match config.setting(bridge, key) {
            Some((owner, line)) if is_same(config.sheet(owner).value(line)) => return false,
            Some((owner, line)) => {
                let words = config.sheet(owner).lines.get(line).map_or(&[][..], |line| &line.words);
                if let (Some(second), Some(last)) = (words.get(1), words.last()) {
                    edits.replace(owner.sheet, second.start..last.end, value);
                }
            }
            None => new.push(format!("{written} {value}")),
        }
        true
    };
    let flavour = config.flavour;
    let is_on = |value: &str| matches!(value, "on" | "yes" | "1");
    let stp = flavour.key("bridge_stp", "bridge-stp");
    if set("bridge-stp", stp, &|value| is_on(value) == ask.stp, settings::on(ask.stp).to_string()) {
        up.push(words(&["brctl", "stp", bridge, settings::on(ask.stp)]));
        down.push(words(&["brctl", "stp", bridge, settings::on(!ask.stp)]));
    }
    let delay = settings::delay(ask);
    let fd = flavour.key("bridge_fd", "bridge-fd");
    let old = config.value(bridge, "bridge-fd").unwrap_or("15").to_string();
    if set("bridge-fd", fd, &|value| value.parse() == Ok(f64::from(delay)), delay.to_string()) {
        up.push(words(&["brctl", "setfd", bridge, &delay.to_string()]));
        down.push(words(&["brctl", "setfd", bridge, &old]));
    }
    let pin = ["bridge-hw", "hwaddress"].into_iter().find(|key| config.value(bridge, key).is_some());
    let is_mac = |value: &str| {
        let named = host.device(value).and_then(|device| device.mac.clone());
        settings::mac(value) == ask.mac.to_ascii_lowercase() || named.as_deref() == Some(&ask.mac)
    };
    if set(pin.unwrap_or(flavour.pin()), flavour.pin(), &is_mac, ask.mac.clone()) {
        up.push(words(&["ip", "link", "set", "dev", bridge, "address", &ask.mac]));
        if let Some(mac) = host.device(bridge).and_then(|device| device.mac.as_deref()) {
            down.push(words(&["ip", "link", "set", "dev", bridge, "address", mac]));
        }
    }
    if !new.is_empty() {
        let sheet = config.sheet(stanza);
        let last = stanza.settings.last().copied().unwrap_or(stanza.head);
        let end = sheet.lines.get(last).map_or(0, |line| line.at.end);
        edits.insert(
            stanza.sheet,
            end,
            settings::lines(&settings::indent(config, stanza), sheet.eol(), &new),
        );
    }
    let is_readdressed = addressed(config, ask, &mut edits, &place)?;
    let after = edits.applied(host, config);
    let found = Config::read(&after, flavour).found(bridge);
    let files = changes(&host.files, &after.files);
    if files.is_empty() {
        return Ok(Recipe { found, ..Recipe::default() });
    }
    let (make, unmake) = if flavour == Flavour::Two {
        // It brings what differs into force and leaves the rest alone.
        // What it adds to the bridge it also takes off again.
        let again = vec![words(&["ifup", "--with-depends", bridge])];
        (
            Way { before: first, after: again.clone() },
            Way { before: Vec::new(), after: [again, back].concat() },
        )
    } else if is_readdressed {
        let (off, on) = (vec![words(&["ifdown", "--force", bridge])], vec![words(&["ifup", bridge])]);
        notes.push(format!(
            "{bridge} is made anew: what else is plugged into it, guests too, has to be plugged in again."
        ));
        (Way { before: off.clone(), after: on.clone() }, Way { before: off, after: on })
    } else {
        // ifdown would remove the bridge, and with it unplug the guests.
        down.extend(back);
        (Way { before: first, after: up }, Way { before: Vec::new(), after: down })
    };
    Ok(Recipe { files, make, unmake, found, notes, ..Recipe::default() })
}

fn ports(
    host: &Host,
    config: &Config,
    ask: &Ask,
    edits: &mut Edits,
    notes: &mut Vec<String>,
    Ways { first, up, down, back }: &mut Ways,
) -> Result<(), Fault> {
    let bridge = &ask.bridge;
    let Some((stanza, line)) = config.setting(bridge, "bridge-ports") else { return Ok(()) };
    let sheet = config.sheet(stanza);
    let place = sheet.place(line);
    let words_there = sheet.words(line);
    if let Some(word) = words_there.iter().find(|word| matches!(**word, "all" | "regex" | "glob")) {
        return Err(Fault::new(
            format!("{place}: {bridge} takes its ports by a pattern ({word})"),
            "name them one by one first",
        ));
    }
    let there = config.ports(bridge).unwrap_or_default();
    if let Some(port) = there.iter().find(|port| !ask.ports.iter().any(|asked| asked == *port)) {
        return Err(Fault::new(
            format!("{place}: {port} is a port of {bridge} as well"),
            format!("name it with --port {port}, or take {bridge} down first"),
        ));
    }
    let added: Vec<&str> =
        ask.ports.iter().map(String::as_str).filter(|port| !there.contains(port)).collect();
    for port in &added {
        make::other_port(host, config, edits, port, notes)?;
        let member = |what: &str| words(&["brctl", what, bridge, port]);
        if config.of(port).iter().any(|stanza| stanza.method != "manual") {
            first.push(ways::down(config.flavour, port));
            first.push(words(&["ip", "address", "flush", "dev", port, "scope", "global"]));
            back.push(ways::up(config.flavour, port));
        }
        up.extend([member("addif"), words(&["ip", "link", "set", "dev", port, "up"])]);
        down.push(member("delif"));
        down.push(ways::with_ipv6(port));
    }
    for port in &there {
        if let Some(stanza) = config.of(port).into_iter().find(|stanza| stanza.method != "manual") {
            return Err(Fault::new(
                format!(
                    "{}: {port} has an address of its own, though it is a port of {bridge}",
                    config.sheet(stanza).place(stanza.head)
                ),
                "make its stanza manual first",
            ));
        }
    }
    if !added.is_empty() {
        let all: Vec<&str> = there.iter().chain(&added).copied().collect();
        let words = sheet.lines.get(line).map_or(&[][..], |line| &line.words);
        if let (Some(second), Some(last)) = (words.get(1), words.last()) {
            edits.replace(stanza.sheet, second.start..last.end, all.join(" "));
        }
    }
    Ok(())
}

/// Are the addresses changed? Only gateways and name servers are, of a bridge that keeps the others.
fn addressed(config: &Config, ask: &Ask, edits: &mut Edits, place: &str) -> Result<bool, Fault> {
    let stanzas = config.of(&ask.bridge);
    let found = config.found(&ask.bridge);
    let is_so = match &ask.addresses {
        Addresses::Keep => true,
        Addresses::Dhcp => found.dhcp4 && found.addresses.is_empty(),
        Addresses::None => stanzas.iter().all(|stanza| stanza.method == "manual"),
        Addresses::Static(nets) => {
            let mut there = found.addresses.clone();
            let mut asked = nets.clone();
            there.sort();
            asked.sort();
            !found.dhcp4 && there == asked
        }
    };
    if !is_so {
        return Err(Fault::new(
            format!("{place}: {} is there with other addresses", ask.bridge),
            "change them there, or take the bridge down first (kvmnet host bridge delete)",
        ));
    }
    let is_new = ask.gateways.iter().any(|gateway| !found.gateways.contains(gateway));
    let names = |ask: &Ask| ask.dns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let is_new_dns = !ask.dns.is_empty() && config.value(&ask.bridge, "dns-nameservers") != Some(&names(ask));
    if is_new || is_new_dns {
        addresses::replaced(config, edits, &stanzas, ask)?;
    }
    Ok(is_new || is_new_dns)
}
