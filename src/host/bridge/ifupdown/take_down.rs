//! The way back: the bridge's stanzas become the NIC's.

use super::Flavour;
use super::config::{Config, Stanza, base};
use super::edits::{Edits, changes};
use super::lines::Kind;
use super::ways::{self, Devices};
use super::{hooks, listed, make, obstacles, settings};
use crate::host::bridge::{Fault, Host, Recipe};

/// Takes the bridge down.
pub(super) fn take_down(host: &Host, bridge: &str, flavour: Flavour) -> Result<Recipe, Fault> {
    let config = Config::read(host, flavour);
    obstacles::of_files(host, &config)?;
    let Some((stanza, line)) = config.setting(bridge, "bridge-ports") else {
        return Err(Fault::new(
            format!("no file of ifupdown makes the bridge {bridge}"),
            "name what does with --backend",
        ));
    };
    let place = config.sheet(stanza).place(line);
    let words = config.sheet(stanza).words(line);
    if let Some(word) = words.iter().find(|word| matches!(**word, "all" | "regex" | "glob")) {
        return Err(Fault::new(
            format!("{place}: {bridge} takes its ports by a pattern ({word})"),
            "name them one by one first",
        ));
    }
    let ports: Vec<String> =
        config.ports(bridge).unwrap_or_default().iter().map(|p| (*p).to_string()).collect();
    let Some(nic) = ports.first() else {
        return Err(Fault::new(
            format!("{place}: {bridge} has no port that its addresses could go to"),
            "remove its stanza by hand, then run ifdown",
        ));
    };
    obstacles::of_device(host, &config, bridge)?;
    obstacles::of_device(host, &config, nic)?;
    of_uppers(&config, bridge)?;
    let mut edits = Edits::default();
    let mut notes = Vec::new();
    let (kept, aside) = nics_lines(&config, &mut edits, nic, bridge)?;
    let stanzas = config.of(bridge);
    for stanza in &stanzas {
        hand_back(host, &config, &mut edits, stanza, (bridge, nic), &mut notes);
    }
    if let (false, Some(first)) = (kept.is_empty(), stanzas.iter().find(|s| s.name == bridge)) {
        let last = first.settings.last().copied().unwrap_or(first.head);
        let end = config.sheet(first).lines.get(last).map_or(0, |line| line.at.end);
        edits.insert(first.sheet, end, kept);
    }
    notes.extend(aside);
    listed::to_nic(&config, &mut edits, bridge, nic);
    for port in ports.iter().skip(1) {
        notes.push(format!("{port} is left without an address."));
    }
    let after = edits.applied(host, &config);
    let new = Config::read(&after, flavour);
    if !new.of(bridge).is_empty() || new.of(nic).is_empty() {
        return Err(make::not_understood(&config, bridge));
    }
    let devices = Devices::of(host, &config, &new, bridge, &ports);
    let mut back = devices.back_to_bridge(flavour);
    let mac = host.device(bridge).and_then(|device| device.mac.as_deref());
    if let Some(mac) = mac.filter(|_| flavour == Flavour::Two) {
        back.after.insert(0, ways::with_its_old_mac(bridge, mac));
    }
    Ok(Recipe {
        checkpoint: None,
        files: changes(&host.files, &after.files),
        make: devices.to_nics(flavour, &ways::leases(host, bridge, nic)),
        unmake: back,
        found: new.found(nic),
        lost: Vec::new(),
        notes,
    })
}

/// Nothing may be on the bridge that would hang in the air.
fn of_uppers(config: &Config, bridge: &str) -> Result<(), Fault> {
    for stanza in &config.stanzas {
        let is_named = stanza.name.strip_prefix(bridge).is_some_and(|rest| rest.starts_with('.'));
        if is_named || config.value(&stanza.name, "vlan-raw-device") == Some(bridge) {
            return Err(Fault::new(
                format!("{}: {} is on {bridge}", config.sheet(stanza).place(stanza.head), stanza.name),
                "move it to the NIC or remove it first",
            ));
        }
    }
    Ok(())
}

/// Takes the NIC's own stanzas away. What of them the bridge's don't have already goes into those: the lines, and a note.
fn nics_lines(
    config: &Config,
    edits: &mut Edits,
    nic: &str,
    bridge: &str,
) -> Result<(String, Vec<String>), Fault> {
    let mut kept = String::new();
    for stanza in config.of(nic) {
        let sheet = config.sheet(stanza);
        if stanza.method != "manual" || stanza.name != nic {
            return Err(Fault::new(
                format!(
                    "{}: {nic} has an address of its own, though it is a port of {bridge}",
                    sheet.place(stanza.head)
                ),
                "make its stanza manual first",
            ));
        }
        let last = stanza.settings.last().copied().unwrap_or(stanza.head);
        for at in stanza.head + 1..=last {
            let Some(line) = sheet.lines.get(at) else { continue };
            let key = sheet.key(at);
            let inherited = || config.inherited(bridge, |other| other == key);
            let same = config.setting(bridge, &key).or_else(inherited);
            let is_there = line.kind == Kind::Setting
                && same.is_some_and(|(other, line)| config.sheet(other).value(line) == sheet.value(at));
            let is_ours =
                sheet.words(at).join(" ") == "pre-up ip link set dev $IFACE addrgenmode none || true";
            if matches!(line.kind, Kind::Setting | Kind::Comment)
                && !is_there
                && !is_ours
                && !settings::is_bridges(&sheet.key(at))
            {
                kept += sheet.text.get(line.at.clone()).unwrap_or_default();
            }
        }
        let start = sheet.lines.get(stanza.head).map_or(0, |line| line.at.start);
        let end = sheet.lines.get(last).map_or(start, |line| line.at.end);
        let is_blank = |at: usize| sheet.lines.get(at).filter(|line| line.kind == Kind::Blank);
        match (is_blank(last + 1), stanza.head.checked_sub(1).and_then(is_blank)) {
            (Some(blank), _) => edits.replace(stanza.sheet, start..blank.at.end, ""),
            // The last stanza of the file: the blank line before it goes with it.
            (None, Some(blank)) if sheet.lines.len() == last + 1 => {
                edits.replace(stanza.sheet, blank.at.start..end, "");
            }
            _ => edits.replace(stanza.sheet, start..end, ""),
        }
    }
    Ok((kept, Vec::new()))
}

/// A stanza of the bridge's becomes the NIC's.
fn hand_back(
    host: &Host,
    config: &Config,
    edits: &mut Edits,
    stanza: &Stanza,
    (bridge, nic): (&str, &str),
    notes: &mut Vec<String>,
) {
    let sheet = config.sheet(stanza);
    let alias = stanza.name.strip_prefix(base(&stanza.name)).unwrap_or_default();
    edits.replace_word(config, (stanza.sheet, stanza.head), 1, &format!("{nic}{alias}"));
    let permanent = host.device(nic).and_then(|device| device.permanent_mac.as_ref());
    let mut is_after_bridges = false;
    for line in &stanza.settings {
        let key = sheet.key(*line);
        let value = sheet.value(*line);
        // Among the settings of the bridge, or what the NIC has anyway.
        let is_pin = key == "hwaddress"
            && (permanent == Some(&settings::mac(value))
                || (config.flavour == Flavour::Two && is_after_bridges));
        is_after_bridges = settings::is_bridges(&key);
        if is_after_bridges || is_pin {
            edits.remove_line(config, stanza.sheet, *line);
        } else if key == "hwaddress" {
            notes.push(format!("{nic} gets the MAC address of {bridge} ({}).", settings::mac(value)));
        } else if hooks::is_hook(&key) && hooks::is_bridges_own(value, bridge) {
            notes.push(format!(
                "The command “{value}” ({}) is about {bridge} as a bridge: it goes.",
                sheet.place(*line)
            ));
            edits.remove_line(config, stanza.sheet, *line);
        } else if hooks::is_hook(&key) {
            let Some(new) = hooks::moved_back(value, bridge, nic) else { continue };
            notes.push(format!(
                "The command “{value}” ({}) names {bridge}: it becomes “{}”.",
                sheet.place(*line),
                new.text
            ));
            let words = sheet.lines.get(*line).map_or(&[][..], |line| &line.words);
            if let (Some(second), Some(last)) = (words.get(1), words.last()) {
                edits.replace(stanza.sheet, second.start..last.end, new.text);
            }
        }
    }
}
