//! What the files say, stanza by stanza, in the order in which they are read.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Flavour;
use super::lines::{self, Kind, Line};
use crate::host::bridge::{Found, Host, WayOut};
use crate::host::config::{glob, is_sourced};

/// Where everything begins.
pub(super) const MAIN: &str = "/etc/network/interfaces";

/// A file.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// Its path.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
    /// Its lines.
    pub(super) lines: Vec<Line>,
}

/// A stanza.
#[derive(Debug, Clone)]
pub(super) struct Stanza {
    /// The file.
    pub(super) sheet: usize,
    /// The line with `iface`.
    pub(super) head: usize,
    /// The lines with its settings.
    pub(super) settings: Vec<usize>,
    /// `enp4s0`, `enp4s0:1`.
    pub(super) name: String,
    /// `inet`, `inet6`.
    pub(super) family: String,
    /// `static`, `dhcp`, `manual`.
    pub(super) method: String,
}

/// All files.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// Whose they are.
    pub(super) flavour: Flavour,
    /// Those that are read, in order.
    pub(super) sheets: Vec<Sheet>,
    /// The stanzas, in the order in which they are read.
    pub(super) stanzas: Vec<Stanza>,
    /// Settings that belong to no stanza: file, line.
    pub(super) strays: Vec<(usize, usize)>,
}

impl Sheet {
    /// A line's words.
    pub(super) fn words(&self, line: usize) -> Vec<&str> {
        self.lines.get(line).map_or_else(Vec::new, |line| {
            line.words.iter().map(|word| self.text.get(word.clone()).unwrap_or_default()).collect()
        })
    }

    /// A line's words behind the first, as they stand.
    pub(super) fn value(&self, line: usize) -> &str {
        let Some(line) = self.lines.get(line) else { return "" };
        let (Some(second), Some(last)) = (line.words.get(1), line.words.last()) else { return "" };
        self.text.get(second.start..last.end).unwrap_or_default()
    }

    /// A setting's name, as ifupdown2 reads it: `bridge-ports` for `bridge_ports`.
    pub(super) fn key(&self, line: usize) -> String {
        self.words(line).first().map_or_else(String::new, |word| word.replace('_', "-"))
    }

    /// File and line, for people.
    pub(super) fn place(&self, line: usize) -> String {
        format!("{}:{}", self.path, self.lines.get(line).map_or(1, |line| line.number))
    }

    /// How its lines end.
    pub(super) fn eol(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

impl Config {
    /// Reads the files, beginning with [`MAIN`]; those that no `source` leads to are left out.
    pub(super) fn read(host: &Host, flavour: Flavour) -> Config {
        let mut config = Config { flavour, sheets: Vec::new(), stanzas: Vec::new(), strays: Vec::new() };
        config.open(host, MAIN);
        config
    }

    fn open(&mut self, host: &Host, path: &str) {
        let Some(text) = host.text(path) else { return };
        if self.sheets.iter().any(|sheet| sheet.path == path) {
            return;
        }
        let index = self.sheets.len();
        let lines = lines::read(text, self.flavour);
        self.sheets.push(Sheet { path: path.to_string(), text: text.to_string(), lines: lines.clone() });
        let (mut stanza, mut is_mapping) = (None, false);
        for (at, line) in lines.iter().enumerate() {
            is_mapping = match line.kind {
                Kind::Setting | Kind::Blank | Kind::Comment => is_mapping,
                kind => kind == Kind::Mapping,
            };
            match line.kind {
                Kind::Iface => {
                    let words = self.sheets[index].words(at);
                    let word = |n: usize| words.get(n).map_or_else(String::new, |word| (*word).to_string());
                    let new = Stanza {
                        sheet: index,
                        head: at,
                        settings: Vec::new(),
                        name: word(1),
                        family: word(2),
                        method: word(3),
                    };
                    stanza = Some(self.stanzas.len());
                    self.stanzas.push(new);
                }
                Kind::Setting => match stanza {
                    Some(stanza) => self.stanzas[stanza].settings.push(at),
                    None if is_mapping => {}
                    None => self.strays.push((index, at)),
                },
                Kind::Source | Kind::SourceDirectory => {
                    stanza = None;
                    let is_folder = line.kind == Kind::SourceDirectory;
                    let patterns: Vec<String> =
                        self.sheets[index].words(at).iter().skip(1).map(|word| (*word).to_string()).collect();
                    for pattern in patterns {
                        for found in sourced(host, path, &pattern, is_folder) {
                            self.open(host, &found);
                        }
                    }
                }
                Kind::Blank | Kind::Comment => {}
                Kind::Other if line.words.len() == 1 => {}
                _ => stanza = None,
            }
        }
    }

    /// A stanza's file.
    pub(super) fn sheet(&self, stanza: &Stanza) -> &Sheet {
        &self.sheets[stanza.sheet]
    }

    /// The stanzas of a device, those of its aliases (`enp4s0:1`) included.
    pub(super) fn of(&self, device: &str) -> Vec<&Stanza> {
        self.stanzas.iter().filter(|stanza| base(&stanza.name) == device).collect()
    }

    /// The first setting of this name among a device's own stanzas: the stanza, the line.
    pub(super) fn setting(&self, device: &str, key: &str) -> Option<(&Stanza, usize)> {
        self.stanzas.iter().filter(|stanza| stanza.name == device).find_map(|stanza| {
            let line = stanza.settings.iter().find(|line| self.sheet(stanza).key(**line) == key)?;
            Some((stanza, *line))
        })
    }

    /// The stanza that this one inherits from.
    pub(super) fn parent(&self, stanza: &Stanza) -> Option<&str> {
        let words = self.sheet(stanza).words(stanza.head);
        let at = words.iter().position(|word| *word == "inherits")?;
        words.get(at + 1).copied()
    }

    /// The first such setting that a device inherits: the stanza, the line.
    pub(super) fn inherited(&self, device: &str, is: impl Fn(&str) -> bool) -> Option<(&Stanza, usize)> {
        let parents = |name: &str| -> Vec<&str> {
            let own = self.stanzas.iter().filter(|stanza| stanza.name == name);
            own.filter_map(|stanza| self.parent(stanza)).collect()
        };
        let mut names = parents(device);
        let mut at = 0;
        while let Some(name) = names.get(at).copied() {
            for stanza in self.stanzas.iter().filter(|stanza| stanza.name == name) {
                if let Some(line) = stanza.settings.iter().find(|line| is(&self.sheet(stanza).key(**line))) {
                    return Some((stanza, *line));
                }
            }
            // In a circle they end too.
            let more: Vec<&str> = parents(name).into_iter().filter(|name| !names.contains(name)).collect();
            names.extend(more);
            at += 1;
        }
        None
    }

    /// The value of such a setting.
    pub(super) fn value(&self, device: &str, key: &str) -> Option<&str> {
        let (stanza, line) = self.setting(device, key)?;
        Some(self.sheet(stanza).value(line))
    }

    /// The ports of a bridge, if it is one here.
    pub(super) fn ports(&self, bridge: &str) -> Option<Vec<&str>> {
        Some(self.value(bridge, "bridge-ports")?.split_whitespace().filter(|port| is_name(port)).collect())
    }

    /// All lines of this kind: file, line.
    pub(super) fn lines(&self, kind: Kind) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.sheets.iter().enumerate().flat_map(move |(at, sheet)| {
            let lines = sheet.lines.iter().enumerate();
            lines.filter(move |(_, line)| line.kind == kind).map(move |(line, _)| (at, line))
        })
    }

    /// Is this device brought up by itself: named, fitting a pattern (`/en*`), or by `auto` in its stanza?
    pub(super) fn is_listed(&self, kind: Kind, device: &str) -> bool {
        let named = self.lines(kind).any(|(sheet, line)| {
            let words = self.sheets[sheet].words(line);
            words.iter().skip(1).any(|word| *word == device || is_pattern_for(word, device))
        });
        named || (kind == Kind::Auto && self.of(device).iter().any(|stanza| self.has_auto_within(stanza)))
    }

    /// Is `auto`, alone, within it?
    pub(super) fn has_auto_within(&self, stanza: &Stanza) -> bool {
        let sheet = self.sheet(stanza);
        let lines = sheet.lines.iter().enumerate().skip(stanza.head + 1);
        let mut body = lines.take_while(|(_, line)| {
            matches!(line.kind, Kind::Setting | Kind::Blank | Kind::Comment | Kind::Other)
        });
        body.any(|(at, line)| line.kind == Kind::Other && sheet.words(at) == ["auto"])
    }

    /// The default routes of devices that are brought up by themselves.
    pub(super) fn ways_out(&self, host: &Host) -> Vec<WayOut> {
        let comes_up = |stanza: &&Stanza| {
            [Kind::Auto, Kind::Hotplug].into_iter().any(|kind| self.is_listed(kind, base(&stanza.name)))
        };
        let of = |stanza: &Stanza| {
            let sheet = self.sheet(stanza);
            let gateways = stanza.settings.iter().filter(|line| sheet.key(**line) == "gateway");
            let gateways: Vec<IpAddr> = gateways.filter_map(|line| sheet.value(*line).parse().ok()).collect();
            let name = base(&stanza.name);
            WayOut::of(&gateways, &sheet.path, host.device(name).into_iter(), name)
        };
        self.stanzas.iter().filter(comes_up).flat_map(of).collect()
    }

    /// What shall be found on a device when it is up.
    pub(super) fn found(&self, device: &str) -> Found {
        let mut found = Found::default();
        for stanza in self.of(device) {
            let sheet = self.sheet(stanza);
            if stanza.method == "dhcp" && stanza.family == "inet" {
                found.dhcp4 = true;
            }
            let value =
                |key: &str| stanza.settings.iter().find(|l| sheet.key(**l) == key).map(|l| sheet.value(*l));
            for line in stanza.settings.iter().filter(|line| sheet.key(**line) == "address") {
                found.addresses.extend(address(sheet.value(*line), value("netmask")));
            }
            found.gateways.extend(value("gateway").and_then(|gateway| gateway.parse::<IpAddr>().ok()));
        }
        found
    }
}

/// `198.18.0.4/24`, or without its length, which then stands in the netmask.
fn address(value: &str, netmask: Option<&str>) -> Option<IpNet> {
    if value.contains('/') {
        return value.parse().ok();
    }
    let address: IpAddr = value.parse().ok()?;
    let length = match netmask {
        Some(mask) => mask.parse().ok().or_else(|| ipnet::ip_mask_to_prefix(mask.parse().ok()?).ok())?,
        None if address.is_ipv4() => 32,
        None => 128,
    };
    IpNet::new(address, length).ok()
}

/// The device of `enp4s0:1`.
pub(super) fn base(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// A device's name, not `none` or what begins a pattern.
fn is_name(port: &str) -> bool {
    !["none", "all", "regex", "noregex", "glob"].contains(&port)
}

/// Does a word of `auto` such as `/en*` or `/en*=lan` fit the device? What is behind the second slash picks one of many.
pub(super) fn is_pattern_for(word: &str, device: &str) -> bool {
    let Some(rest) = word.strip_prefix('/') else { return false };
    let value = rest.split('=').next().unwrap_or_default().split('/').next().unwrap_or_default();
    glob(value, device)
}

/// The files that such a word stands for.
fn sourced(host: &Host, from: &str, pattern: &str, is_folder: bool) -> Vec<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let pattern = if pattern.starts_with('/') { pattern.to_string() } else { format!("{folder}/{pattern}") };
    let depth = |path: &str| path.split('/').count();
    let fits = |path: &str| {
        if is_folder {
            let (folder, name) = path.rsplit_once('/').unwrap_or_default();
            let pattern = pattern.trim_end_matches('/');
            is_sourced(name) && depth(folder) == depth(pattern) && glob(pattern, folder)
        } else {
            depth(path) == depth(&pattern) && glob(&pattern, path)
        }
    };
    let mut found: Vec<String> =
        host.files.iter().map(|file| file.path.clone()).filter(|path| fits(path)).collect();
    found.sort();
    found
}
