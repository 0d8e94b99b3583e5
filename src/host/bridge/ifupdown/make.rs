//! A NIC becomes a port of a bridge.

use super::Flavour;
use super::addresses::{self, New};
use super::config::{Config, Sheet, Stanza};
use super::edits::{Edits, changes};
use super::lines::Kind;
use super::listed::{self, Nic};
use super::ways::{self, Devices};
use super::{existing, hooks, notes, obstacles, settings};
use crate::host::bridge::{Addresses, Ask, Fault, Host, Recipe};

/// Makes the bridge.
pub(super) fn make(host: &Host, ask: &Ask, flavour: Flavour) -> Result<Recipe, Fault> {
    let config = Config::read(host, flavour);
    obstacles::of_files(host, &config)?;
    for port in &ask.ports {
        obstacles::of_other_bridges(&config, port, &ask.bridge)?;
        obstacles::of_device(host, &config, port)?;
    }
    if !config.of(&ask.bridge).is_empty() {
        return existing::change(host, &config, ask);
    }
    let Some(nic) = ask.ports.first() else {
        return Err(Fault::new("a bridge without a port takes nothing over", "name one with --port"));
    };
    let mut making = Making { host, config: &config, ask, nic, edits: Edits::default(), notes: Vec::new() };
    making.first()?;
    for port in ask.ports.iter().skip(1) {
        other_port(host, &config, &mut making.edits, port, &mut making.notes)?;
    }
    let Making { edits, mut notes, .. } = making;
    notes.extend(notes::of_others(&config, nic, &ask.bridge));
    notes.extend(notes::of_dns(host, ask));
    notes.extend(notes::of_hotplug(&config, nic, &ask.bridge));
    let (lost, note) = notes::of_advertised(host, &config, ask, nic);
    notes.extend(note);
    let after = edits.applied(host, &config);
    let new = Config::read(&after, flavour);
    if new.ports(&ask.bridge).unwrap_or_default() != ask.ports.iter().map(String::as_str).collect::<Vec<_>>()
    {
        return Err(not_understood(&config, nic));
    }
    let devices = Devices::of(host, &config, &new, &ask.bridge, &ask.ports);
    let mut way = devices.to_bridge(flavour, &ways::leases(host, nic, &ask.bridge));
    if flavour == Flavour::Two && host.device(&ask.bridge).is_none() {
        way.after.insert(0, ways::with_its_mac(ask));
    }
    Ok(Recipe {
        checkpoint: None,
        files: changes(&host.files, &after.files),
        make: way,
        unmake: devices.to_nics(flavour, &[]),
        found: new.found(&ask.bridge),
        lost,
        notes,
    })
}

/// The files don't say what they should after the change: something in them is not what it seemed to be.
pub(super) fn not_understood(config: &Config, device: &str) -> Fault {
    let place = config.of(device).first().map(|stanza| config.sheet(stanza).place(stanza.head));
    Fault::new(
        format!("{}: kvmnet can't make out what is written about {device}", place.unwrap_or_default()),
        "write its stanza in a plainer way first",
    )
}

struct Making<'a> {
    host: &'a Host,
    config: &'a Config,
    ask: &'a Ask,
    nic: &'a str,
    edits: Edits,
    notes: Vec<String>,
}

impl Making<'_> {
    /// The port whose addresses are taken over.
    fn first(&mut self) -> Result<(), Fault> {
        let stanzas = self.config.of(self.nic);
        let Some(first) = stanzas.first().copied() else { return self.begin() };
        obstacles::of_bridges(self.config, self.nic)?;
        obstacles::of_inheritance(self.config, self.nic)?;
        let own = self.own_lines(&stanzas);
        let how = match () {
            () if ways::makes_device(self.config, self.nic) => Nic::First,
            () if !own.is_empty() => Nic::Last,
            () => Nic::WithBridge,
        };
        let is_listed = listed::to_bridge(self.config, &mut self.edits, self.nic, &self.ask.bridge, how);
        let sheet = self.config.sheet(first);
        let (indent, eol) = (settings::indent(self.config, first), sheet.eol());
        // The NIC's stanza, before the bridge's and what belongs to that.
        let mut text = format!("iface {} inet manual{eol}", self.nic);
        text += &own.iter().map(|(_, _, line)| with_end(line, eol)).collect::<String>();
        let is_keep = self.ask.addresses == Addresses::Keep;
        if let Some((stanza, line)) = self.mtu() {
            text += &format!("{indent}mtu {}{eol}", self.config.sheet(stanza).value(line));
        }
        if self.config.is_listed(Kind::Hotplug, self.nic) && !self.is_named_hotplug() {
            // Plugged in before the bridge takes it, it would get an address from the router's advertisements.
            text += &format!("{indent}pre-up ip link set dev $IFACE addrgenmode none || true{eol}");
        }
        let mut brought = String::new();
        if !is_listed {
            brought = format!("auto {}{eol}", self.ask.bridge);
            if !self.config.is_listed(Kind::Hotplug, self.nic) {
                self.notes
                    .push(format!("{} wasn't brought up at boot; {} will be.", self.nic, self.ask.bridge));
            }
        }
        let head = sheet.lines.get(first.head).map_or(0, |line| line.at.start);
        let lead = self.lead(first);
        if lead == head {
            self.edits.insert(first.sheet, lead, format!("{text}{eol}{brought}"));
        } else {
            self.edits.insert(first.sheet, lead, format!("{text}{eol}"));
            if !brought.is_empty() {
                self.edits.insert(first.sheet, head, brought);
            }
        }
        for (sheet, line, _) in &own {
            self.edits.remove_line(self.config, *sheet, *line);
        }
        if is_keep { self.take_over(&stanzas) } else { self.write_anew(&stanzas) }
    }

    /// The lines that go to the NIC's stanza: file, line, text. A MAC address that isn't the bridge's is the NIC's too.
    fn own_lines(&self, stanzas: &[&Stanza]) -> Vec<(usize, usize, String)> {
        let mut own = Vec::new();
        for stanza in stanzas {
            let sheet = self.config.sheet(stanza);
            for line in &stanza.settings {
                let key = sheet.key(*line);
                let is_other_mac = key == "hwaddress" && !self.is_mac(sheet.value(*line));
                if settings::is_nics_own(&key) || is_other_mac {
                    let text = sheet.lines.get(*line).and_then(|line| sheet.text.get(line.at.clone()));
                    own.push((stanza.sheet, *line, text.unwrap_or_default().to_string()));
                }
            }
        }
        own
    }

    fn is_mac(&self, value: &str) -> bool {
        settings::mac(value) == self.ask.mac.to_ascii_lowercase()
    }

    fn is_named_hotplug(&self) -> bool {
        self.config.lines(Kind::Hotplug).any(|(sheet, line)| {
            self.config.sheets[sheet].words(line).iter().skip(1).any(|word| *word == self.nic)
        })
    }

    /// Where what belongs to the stanza begins: lines with `auto enp4s0` right above it do.
    fn lead(&self, stanza: &Stanza) -> usize {
        let sheet = self.config.sheet(stanza);
        let is_its = |line: &usize| {
            let words = sheet.words(*line);
            matches!(sheet.lines.get(*line).map(|line| line.kind), Some(Kind::Auto | Kind::Hotplug))
                && words.iter().skip(1).any(|word| *word == self.nic)
        };
        let first = (0..stanza.head).rev().take_while(is_its).last().unwrap_or(stanza.head);
        sheet.lines.get(first).map_or(0, |line| line.at.start)
    }

    /// The stanzas become the bridge's.
    fn take_over(&mut self, stanzas: &[&Stanza]) -> Result<(), Fault> {
        let Some(first) = stanzas.iter().find(|stanza| stanza.name == self.nic).or(stanzas.first()) else {
            return Ok(());
        };
        addresses::replaced(self.config, &mut self.edits, stanzas, self.ask)?;
        for stanza in stanzas {
            let alias = stanza.name.strip_prefix(self.nic).unwrap_or_default();
            let name = format!("{}{alias}", self.ask.bridge);
            self.edits.replace_word(self.config, (stanza.sheet, stanza.head), 1, &name);
            self.move_hooks(stanza);
        }
        let sheet = self.config.sheet(first);
        let pinned = self.config.value(self.nic, "hwaddress").is_some_and(|value| self.is_mac(value));
        let lines = settings::of_bridge(self.config.flavour, self.ask, pinned);
        let last = first.settings.last().copied().unwrap_or(first.head);
        let end = sheet.lines.get(last).map_or(0, |line| line.at.end);
        let text = settings::lines(&settings::indent(self.config, first), sheet.eol(), &lines);
        self.edits.insert(first.sheet, end, text);
        Ok(())
    }

    /// The MTU that the files give the NIC: ifupdown knows none of what DHCP configures (interfaces(5)), and in another stanza
    /// it would come into force.
    fn mtu(&self) -> Option<(&Stanza, usize)> {
        let counts = |stanza: &Stanza| self.config.flavour == Flavour::Two || stanza.method != "dhcp";
        let own = self.config.setting(self.nic, "mtu").filter(|(stanza, _)| counts(stanza));
        own.or_else(|| self.config.inherited(self.nic, |key| key == "mtu"))
    }

    fn move_hooks(&mut self, stanza: &Stanza) {
        let sheet = self.config.sheet(stanza);
        for line in stanza.settings.iter().filter(|line| hooks::is_hook(&sheet.key(**line))) {
            let command = sheet.value(*line);
            let Some(new) = hooks::moved(command, self.nic, &self.ask.bridge) else { continue };
            if new.is_renamed {
                self.notes.push(format!(
                    "The command “{command}” ({}) names {}: it becomes “{}”.",
                    sheet.place(*line),
                    self.nic,
                    new.text
                ));
            }
            let words = sheet.lines.get(*line).map_or(&[][..], |line| &line.words);
            if let (Some(second), Some(last)) = (words.get(1), words.last()) {
                self.edits.replace(stanza.sheet, second.start..last.end, new.text);
            }
        }
    }

    /// New stanzas come in the place of the first; the others go.
    fn write_anew(&mut self, stanzas: &[&Stanza]) -> Result<(), Fault> {
        let mut new = addresses::fresh(self.config.flavour, self.ask)?;
        let mtu = self.mtu().map(|(stanza, line)| format!("mtu {}", self.config.sheet(stanza).value(line)));
        let keeps_mtu = mtu.is_some();
        if let Some(first) = new.first_mut() {
            first.settings.extend(mtu);
            first.settings.extend(settings::of_bridge(self.config.flavour, self.ask, false));
        }
        let mut lost = Vec::new();
        for (at, stanza) in stanzas.iter().enumerate() {
            let sheet = self.config.sheet(stanza);
            if stanza.method != "manual" {
                lost.push(format!("{} {}", stanza.family, stanza.method));
            }
            for line in &stanza.settings {
                let key = sheet.key(*line);
                let is_kept = key == "hwaddress" || (key == "mtu" && keeps_mtu);
                if !settings::is_nics_own(&key) && !is_kept {
                    lost.push(sheet.words(*line).join(" "));
                }
            }
            let last = stanza.settings.last().copied().unwrap_or(stanza.head);
            let start = sheet.lines.get(stanza.head).map_or(0, |line| line.at.start);
            let end = sheet.lines.get(last).map_or(start, |line| line.at.end);
            let text = if at == 0 {
                written(&self.ask.bridge, &new, &settings::indent(self.config, stanza), sheet.eol())
            } else {
                String::new()
            };
            self.edits.replace(stanza.sheet, start..end, text);
        }
        if !lost.is_empty() {
            self.notes.push(format!(
                "What {} has today goes: {}.",
                self.nic,
                lost.iter().map(|line| format!("“{line}”")).collect::<Vec<_>>().join(", ")
            ));
        }
        Ok(())
    }

    /// The files say nothing about the NIC.
    fn begin(&mut self) -> Result<(), Fault> {
        let device = self.host.device(self.nic);
        let has_address =
            device.is_some_and(|device| device.addresses.iter().any(|address| !address.is_link));
        if self.ask.addresses == Addresses::Keep && has_address {
            return Err(Fault::new(
                format!("{} has an address, but ifupdown's files don't give it one", self.nic),
                "find out who does and name it with --backend, or say with --address what the bridge shall have",
            ));
        }
        let mut new = addresses::fresh(self.config.flavour, self.ask)?;
        if let Some(first) = new.first_mut() {
            first.settings.extend(settings::of_bridge(self.config.flavour, self.ask, false));
        }
        let sheet = &self.config.sheets[0];
        let eol = sheet.eol();
        let is_listed =
            listed::to_bridge(self.config, &mut self.edits, self.nic, &self.ask.bridge, Nic::WithBridge);
        let auto = if is_listed { String::new() } else { format!("auto {}{eol}", self.ask.bridge) };
        let text = format!(
            "{eol}iface {} inet manual{eol}{eol}{auto}{}",
            self.nic,
            written(&self.ask.bridge, &new, "    ", eol)
        );
        self.edits.append(0, text);
        Ok(())
    }
}

/// Stanzas as they are written, blank lines between them.
fn written(device: &str, new: &[New], indent: &str, eol: &str) -> String {
    let stanza =
        |new: &New| format!("iface {device} {}{eol}{}", new.how, settings::lines(indent, eol, &new.settings));
    new.iter().map(stanza).collect::<Vec<_>>().join(eol)
}

fn with_end(line: &str, eol: &str) -> String {
    if line.ends_with('\n') { line.to_string() } else { format!("{line}{eol}") }
}

/// A port beside the first: it must have no address.
pub(super) fn other_port(
    host: &Host,
    config: &Config,
    edits: &mut Edits,
    port: &str,
    notes: &mut Vec<String>,
) -> Result<(), Fault> {
    let stanzas = config.of(port);
    for stanza in &stanzas {
        let sheet = config.sheet(stanza);
        let place = sheet.place(stanza.head);
        match stanza.method.as_str() {
            "manual" => {}
            "dhcp" | "auto" | "dhcp6" if stanza.name == port => {
                edits.replace_word(config, (stanza.sheet, stanza.head), 3, "manual");
                notes.push(format!(
                    "{port} no longer gets an address of its own ({place}: {} {}).",
                    stanza.family, stanza.method
                ));
            }
            _ => {
                return Err(Fault::new(
                    format!(
                        "{place}: {port} has an address of its own, and a bridge takes over only its first port's"
                    ),
                    format!("make {port} the first --port, or remove its address first"),
                ));
            }
        }
    }
    if stanzas.is_empty() {
        let eol = config.sheets.first().map_or("\n", Sheet::eol);
        edits.append(0, format!("{eol}iface {port} inet manual{eol}"));
        if host.device(port).is_some_and(|d| d.addresses.iter().any(|a| !a.is_link && !a.is_dynamic)) {
            notes.push(format!("{port} has an address that ifupdown's files don't know of; it goes."));
        }
    }
    Ok(())
}
