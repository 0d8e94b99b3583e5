//! What stands in the way.

use super::Flavour;
use super::config::{Config, MAIN, Stanza, base, is_pattern_for};
use super::lines::Kind;
use super::settings;
use crate::host::bridge::{Fault, Host, cloud};
use crate::host::config::glob;

/// The hooks of bridge-utils.
pub(super) const HOOKS: &str = "/lib/bridge-utils/ifupdown.sh";

/// What stands in the way of any bridge.
pub(super) fn of_files(host: &Host, config: &Config) -> Result<(), Fault> {
    if config.sheets.is_empty() {
        return Err(Fault::new(
            format!("{MAIN} isn't there"),
            "name what configures this host's network with --backend",
        ));
    }
    if config.flavour == Flavour::One && !host.has(HOOKS) {
        return Err(Fault::new(
            "ifupdown makes bridges with the hooks of the package bridge-utils, which isn't installed",
            "install it: apt-get install bridge-utils",
        ));
    }
    let mut templates = config.sheets.iter().filter(|sheet| is_template(&sheet.text));
    if let (Flavour::Two, Some(sheet)) = (config.flavour, templates.next()) {
        return Err(Fault::new(
            format!("{}: the file is a template, from which ifupdown2 makes the stanzas", sheet.path),
            "write the stanzas out, without lines that begin with %, first",
        ));
    }
    if let Some((sheet, line)) = config.strays.first() {
        let sheet = &config.sheets[*sheet];
        return Err(Fault::new(
            format!("{}: “{}” belongs to no stanza", sheet.place(*line), sheet.words(*line).join(" ")),
            "mend or remove that line first: ifupdown reads nothing behind it",
        ));
    }
    Ok(())
}

/// What stands in the way of changing this device's stanzas, as a NIC that becomes a port or gets its addresses back.
pub(super) fn of_device(host: &Host, config: &Config, device: &str) -> Result<(), Fault> {
    for stanza in config.of(device) {
        let sheet = config.sheet(stanza);
        let place = sheet.place(stanza.head);
        if sheet.path.starts_with("/run/") {
            return Err(Fault::new(
                format!("{place}: {device} is configured by a file that is made anew with every start"),
                format!("write its stanza into {MAIN} first, and stop what makes that file"),
            ));
        }
        if is_cloud_inits(&sheet.path, &sheet.text) {
            cloud::refuse(host, &place)?;
        }
        let method = stanza.method.as_str();
        let is_plain = matches!(method, "static" | "dhcp" | "manual" | "auto" | "bootp" | "ipv4ll" | "dhcp6");
        let is_inherited = stanza.method == "inherits" || stanza.family == "inherits";
        let is_bare = config.flavour == Flavour::Two && method.is_empty();
        if !is_plain && !is_inherited && !is_bare {
            return Err(Fault::new(
                format!("{place}: “{} {method}” is nothing that a bridge can take over", stanza.family),
                "choose another port, or change that stanza first",
            ));
        }
        refused_settings(config, stanza, device)?;
    }
    let dhcp: Vec<&Stanza> = config.of(device).into_iter().filter(|s| s.method == "dhcp").collect();
    for (at, stanza) in dhcp.iter().enumerate() {
        if let Some(other) =
            dhcp[..at].iter().find(|other| other.family == stanza.family && other.name == stanza.name)
        {
            let places = [config.sheet(other).place(other.head), config.sheet(stanza).place(stanza.head)];
            return Err(Fault::new(
                format!("{} and {} both get an address for {device} from DHCP", places[0], places[1]),
                "remove one of them first",
            ));
        }
    }
    of_names(config, device)
}

/// Is the NIC a bridge already, or has it settings of one?
pub(super) fn of_bridges(config: &Config, nic: &str) -> Result<(), Fault> {
    for stanza in config.of(nic) {
        let sheet = config.sheet(stanza);
        if let Some(line) = stanza.settings.iter().find(|line| settings::is_bridges(&sheet.key(**line))) {
            return Err(Fault::new(
                format!("{}: {nic} has a bridge's settings ({})", sheet.place(*line), sheet.key(*line)),
                "choose another port, or remove that line first if it no longer holds",
            ));
        }
    }
    Ok(())
}

/// Does the NIC inherit what is about the device itself? It would go to the bridge with the rest.
pub(super) fn of_inheritance(config: &Config, nic: &str) -> Result<(), Fault> {
    let is_own = |key: &str| settings::is_nics_own(key) || key == "hwaddress";
    let Some((stanza, line)) = config.inherited(nic, is_own) else { return Ok(()) };
    let sheet = config.sheet(stanza);
    let what = sheet.words(line).join(" ");
    Err(Fault::new(
        format!(
            "{}: “{what}”, which {nic} inherits from {}, is about the NIC itself",
            sheet.place(line),
            stanza.name
        ),
        format!("write “{what}” into the stanza of {nic} first"),
    ))
}

fn refused_settings(config: &Config, stanza: &Stanza, device: &str) -> Result<(), Fault> {
    let sheet = config.sheet(stanza);
    for line in &stanza.settings {
        let key = sheet.key(*line);
        let why = match key.as_str() {
            "bond-master" => format!("{device} is a port of the bond {}", sheet.value(*line)),
            _ if key.starts_with("wpa-") => format!("{device} logs in to the network with 802.1X ({key})"),
            _ if key.starts_with("wireless-") => format!("{device} is a Wi-Fi device"),
            _ if key.starts_with("ovs-") => format!("{device} belongs to Open vSwitch ({key})"),
            "vrf" => format!("{device} belongs to the VRF {}", sheet.value(*line)),
            _ => continue,
        };
        return Err(Fault::new(
            format!("{}: {why}", sheet.place(*line)),
            "choose another port, or remove that line first if it no longer holds",
        ));
    }
    Ok(())
}

/// Lines outside its stanzas that stand in the way.
fn of_names(config: &Config, device: &str) -> Result<(), Fault> {
    for (sheet, line) in config.lines(Kind::Mapping) {
        let sheet = &config.sheets[sheet];
        if sheet.words(line).iter().skip(1).any(|pattern| glob(pattern, device)) {
            return Err(Fault::new(
                format!("{}: a script chooses the stanza of {device}", sheet.place(line)),
                "write its stanza without a mapping first",
            ));
        }
    }
    for kind in [Kind::Auto, Kind::Hotplug] {
        for (sheet, line) in config.lines(kind) {
            let sheet = &config.sheets[sheet];
            let mut other = sheet.words(line).into_iter().skip(1).filter(|word| {
                let is_named = word.split('=').next() == Some(device) || is_pattern_for(word, device);
                is_named && word.contains('=')
            });
            if let Some(word) = other.next() {
                return Err(Fault::new(
                    format!("{}: {word} gives {device} a stanza of another name", sheet.place(line)),
                    format!("write a stanza “iface {device} …” of its own first"),
                ));
            }
        }
    }
    for stanza in &config.stanzas {
        let sheet = config.sheet(stanza);
        if config.parent(stanza) == Some(device) {
            return Err(Fault::new(
                format!("{}: {} inherits the settings of {device}", sheet.place(stanza.head), stanza.name),
                "write out what it inherits first",
            ));
        }
        if config.flavour == Flavour::Two && stanza.name.contains('[') && is_in_range(&stanza.name, device) {
            return Err(Fault::new(
                format!("{}: {} means {device} among others", sheet.place(stanza.head), stanza.name),
                "write a stanza for each of them first",
            ));
        }
        for line in &stanza.settings {
            let is_slave = matches!(sheet.key(*line).as_str(), "bond-slaves" | "slaves" | "bond-ports");
            if is_slave
                && base(&stanza.name) != device
                && sheet.words(*line).iter().skip(1).any(|w| *w == device)
            {
                return Err(Fault::new(
                    format!("{}: {device} is a port of the bond {}", sheet.place(*line), stanza.name),
                    format!("make {} the bridge's port", stanza.name),
                ));
            }
        }
    }
    Ok(())
}

/// Is the device a port of another bridge?
pub(super) fn of_other_bridges(config: &Config, device: &str, bridge: &str) -> Result<(), Fault> {
    for stanza in config.stanzas.iter().filter(|stanza| base(&stanza.name) != bridge) {
        let sheet = config.sheet(stanza);
        for line in stanza.settings.iter().filter(|line| sheet.key(**line) == "bridge-ports") {
            let words = sheet.words(*line);
            let fits = |word: &&str| *word == device || matches!(*word, "all" | "regex" | "glob");
            if let Some(word) = words.iter().skip(1).find(|word| fits(word)) {
                let how = if *word == device { "is" } else { "may be" };
                return Err(Fault::new(
                    format!("{}: {device} {how} a port of {}", sheet.place(*line), stanza.name),
                    format!("take it out of {} first", stanza.name),
                ));
            }
        }
    }
    for (sheet, line) in config.lines(Kind::NoScripts) {
        let sheet = &config.sheets[sheet];
        let fits = |word: &&str| *word == bridge || is_pattern_for(word, bridge) || glob(word, bridge);
        if sheet.words(line).iter().skip(1).any(fits) {
            return Err(Fault::new(
                format!("{}: with no-scripts the hooks that make {bridge} don't run", sheet.place(line)),
                format!("take {bridge} out of that line first"),
            ));
        }
    }
    Ok(())
}

fn is_cloud_inits(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("50-cloud-init")
        || text.lines().take_while(|line| line.is_empty() || line.starts_with('#')).any(|line| {
            line.contains("generated by cloud-init")
                || line.contains("information provided by the datasource")
        })
}

fn is_template(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with('%')) || text.contains("<%")
}

/// `swp[1-4]`, `swp[1-4].100`.
fn is_in_range(range: &str, device: &str) -> bool {
    let parts = range.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let Some((before, (numbers, after))) = parts else { return false };
    let middle = device.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let number = middle.and_then(|middle| middle.parse::<u32>().ok());
    let ends =
        numbers.split_once('-').and_then(|(a, b)| Some((a.parse::<u32>().ok()?, b.parse::<u32>().ok()?)));
    matches!((number, ends), (Some(n), Some((a, b))) if (a..=b).contains(&n))
}
