//! The `.network` and `.netdev` files that count, and which of them networkd takes for a device.

use super::net::found;
use super::text::Text;
use crate::host::bridge::{Fault, Host, HostDevice, WayOut};
use crate::host::{Kind, config::glob};

/// Where files of the administrator's are.
pub(crate) const ETC: &str = "/etc/systemd/network/";

/// systemd.network(5): of files of the same name, the one in the first of these folders counts.
const FOLDERS: &[&str] = &[
    ETC,
    "/run/systemd/network/",
    "/usr/local/lib/systemd/network/",
    "/usr/lib/systemd/network/",
    "/lib/systemd/network/",
];

/// A file with those that add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) text: Text,
    pub(super) drops: Vec<Drop>,
}

/// A file in `NAME.d/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drop {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) text: Text,
}

/// Does networkd take a file for a device?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Yes,
    No,
    /// It asks for what isn't known here.
    Perhaps,
}

/// All files of that ending that count, in the order in which networkd reads them.
pub(super) fn units(host: &Host, ending: &str) -> Vec<Unit> {
    let mut all: Vec<(usize, Unit)> = Vec::new();
    for file in &host.files {
        let Some((rank, name)) = place(&file.path).filter(|(_, name)| name.ends_with(ending)) else {
            continue;
        };
        let text = Text::read(&file.text);
        let unit = Unit { name: name.into(), path: file.path.clone(), text, drops: drops(host, name) };
        match all.iter_mut().find(|(_, old)| old.name == name) {
            Some(old) if rank < old.0 => *old = (rank, unit),
            Some(_) => {}
            None => all.push((rank, unit)),
        }
    }
    let mut all: Vec<Unit> = all.into_iter().map(|(_, unit)| unit).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn drops(host: &Host, unit: &str) -> Vec<Drop> {
    let folder = format!("{unit}.d/");
    let mut all: Vec<(usize, Drop)> = Vec::new();
    for file in &host.files {
        let Some((rank, name)) = below(&file.path) else { continue };
        let Some(name) = name.strip_prefix(&folder) else { continue };
        if name.contains('/') || !name.ends_with(".conf") {
            continue;
        }
        let one = Drop { name: name.into(), path: file.path.clone(), text: Text::read(&file.text) };
        match all.iter_mut().find(|(_, old)| old.name == name) {
            Some(old) if rank < old.0 => *old = (rank, one),
            Some(_) => {}
            None => all.push((rank, one)),
        }
    }
    let mut all: Vec<Drop> = all.into_iter().map(|(_, one)| one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn below(path: &str) -> Option<(usize, &str)> {
    FOLDERS.iter().enumerate().find_map(|(rank, folder)| Some((rank, path.strip_prefix(folder)?)))
}

fn place(path: &str) -> Option<(usize, &str)> {
    below(path).filter(|(_, name)| !name.contains('/'))
}

impl Unit {
    /// The file and what adds to it, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> + Clone {
        std::iter::once(&self.text).chain(self.drops.iter().map(|one| &one.text))
    }

    /// The values of a key, in order.
    pub(super) fn all<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.texts().flat_map(move |text| text.all(section, key))
    }

    /// Its last value.
    pub(super) fn get<'a>(&'a self, section: &'a str, key: &'a str) -> Option<&'a str> {
        self.all(section, key).last()
    }

    fn words<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        let mut words = Vec::new();
        for value in self.all("Match", key) {
            // An empty value takes back what was said before.
            if value.is_empty() {
                words.clear();
            }
            words.extend(value.split_whitespace());
        }
        words
    }

    fn takes(&self, device: &HostDevice) -> Takes {
        let mut keys: Vec<&str> = Vec::new();
        for section in self.texts().flat_map(|text| text.named("Match")) {
            keys.extend(section.items.iter().map(|item| item.key.as_str()).filter(|key| !key.is_empty()));
        }
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !self.words(key).is_empty());
        // Without a [Match], networkd passes the file over.
        let mut takes = if keys.is_empty() { Takes::No } else { Takes::Yes };
        for key in keys {
            match self.fits(key, device) {
                Takes::No => return Takes::No,
                Takes::Perhaps => takes = Takes::Perhaps,
                Takes::Yes => {}
            }
        }
        takes
    }

    fn fits(&self, key: &str, device: &HostDevice) -> Takes {
        let words = self.words(key);
        let is_virtual = !matches!(device.kind, Kind::Ethernet | Kind::Wifi | Kind::Wwan | Kind::Infiniband);
        let mac = |own: Option<&String>| {
            own.is_some_and(|own| words.iter().any(|word| mac_of(word).as_deref() == Some(own.as_str())))
        };
        let does = match key {
            "Name" => {
                let names = std::iter::once(&device.name).chain(&device.altnames);
                patterns(&words, &names.map(String::as_str).collect::<Vec<_>>())
            }
            "Type" => patterns(&words, &[word_of_type(device.kind)]),
            "Kind" => patterns(&words, &word_of_kind(device.kind).into_iter().collect::<Vec<_>>()),
            // A veth's, the kernel has no driver of in /sys.
            "Driver" if device.driver.is_none() => return Takes::Perhaps,
            "Driver" => patterns(&words, &device.driver.as_deref().into_iter().collect::<Vec<_>>()),
            "MACAddress" => mac(device.mac.as_ref()),
            "PermanentMACAddress" => {
                mac(device.permanent_mac.as_ref().or(device.mac.as_ref().filter(|_| !is_virtual)))
            }
            "SSID" | "BSSID" | "WLANInterfaceType" if device.kind != Kind::Wifi => false,
            "Path" if is_virtual && device.kind != Kind::Other => {
                words.iter().any(|word| word.starts_with('!'))
            }
            _ => return Takes::Perhaps,
        };
        if does { Takes::Yes } else { Takes::No }
    }

    /// Can it take one device only?
    pub(super) fn is_of_one(&self) -> bool {
        let is_one = |key| match self.words(key).as_slice() {
            [one] => !one.contains(['*', '?', '[', '!']),
            _ => false,
        };
        is_one("Name") || is_one("PermanentMACAddress") || is_one("MACAddress")
    }

    /// Is it a file of the administrator's, which may be changed?
    pub(super) fn is_in_etc(&self) -> bool {
        self.path.starts_with(ETC)
    }
}

/// A `!` before the first turns the list round.
fn patterns(words: &[&str], texts: &[&str]) -> bool {
    let any = |words: &[&str]| words.iter().any(|word| texts.iter().any(|text| glob(word, text)));
    match words.split_first() {
        Some((first, rest)) if first.starts_with('!') => !any(&[&first[1..]]) && !any(rest),
        _ => any(words),
    }
}

fn mac_of(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs: Vec<String> =
        (0..6).map_while(|n| Some(digits.get(2 * n..2 * n + 2)?.to_lowercase())).collect();
    (digits.len() == 12).then(|| pairs.join(":"))
}

/// networkd's word for a device's type: udev's `DEVTYPE`, else what its frames are.
fn word_of_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Wifi => "wlan",
        Kind::Wwan => "wwan",
        Kind::Loopback => "loopback",
        Kind::Infiniband => "infiniband",
        Kind::Tun | Kind::Tunnel => "none",
        Kind::Bridge | Kind::Bond | Kind::Vlan | Kind::Macvlan | Kind::Macvtap => kind.as_str(),
        _ => "ether",
    }
}

fn word_of_kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Ethernet | Kind::Wifi | Kind::Wwan | Kind::Infiniband | Kind::Loopback | Kind::Other => None,
        Kind::Tap => Some("tun"),
        other => Some(other.as_str()),
    }
}

/// The file that networkd takes for a device: the first that fits.
pub(super) fn taken<'a>(units: &'a [Unit], device: &HostDevice) -> Result<Option<&'a Unit>, Fault> {
    for unit in units {
        match unit.takes(device) {
            Takes::Yes => return Ok(Some(unit)),
            Takes::No => {}
            Takes::Perhaps => {
                return Err(Fault::new(
                    format!(
                        "{}: whether this is for {} can't be told from its [Match]",
                        unit.path, device.name
                    ),
                    format!("match by `Name={}` there, or by another name if it isn't", device.name),
                ));
            }
        }
    }
    Ok(None)
}

/// The default routes that the files give, each to the devices that networkd takes it for.
pub(super) fn ways_out(host: &Host) -> Vec<WayOut> {
    let all = units(host, ".network");
    let is_its = |unit: &Unit, device: &HostDevice| {
        taken(&all, device).ok().flatten().is_some_and(|taken| taken.path == unit.path)
    };
    let of = |unit: &Unit| {
        let named = unit.words("Name").join(" ");
        let devices = host.devices.iter().filter(|device| is_its(unit, device));
        WayOut::of(&found(unit.texts()).gateways, &unit.path, devices, &named)
    };
    all.iter().flat_map(of).collect()
}

/// A name for a new file that networkd takes for this device before all others. `like` is one whose number it shall have.
pub(super) fn name_for(
    units: &[Unit],
    device: &HostDevice,
    like: Option<&str>,
    ending: &str,
) -> Result<String, Fault> {
    let first = units.iter().find(|unit| unit.takes(device) != Takes::No).map(|unit| unit.name.as_str());
    let number: String = like.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let own = match (number.is_empty(), like) {
        (false, _) => vec![format!("{number}-{}", device.name)],
        (true, Some(_)) => vec![device.name.clone()],
        (true, None) => Vec::new(),
    };
    let others = ["10", "05", "00", "00-0"].iter().map(|number| format!("{number}-{}", device.name));
    let is_free = |stem: &String| {
        let name = format!("{stem}.network");
        first.is_none_or(|first| name.as_str() < first) && !units.iter().any(|unit| unit.name == name)
    };
    own.into_iter().chain(others).find(is_free).map(|stem| format!("{stem}{ending}")).ok_or_else(|| {
        Fault::new(
            format!(
                "{} sorts before any name that a file for {} could have",
                first.unwrap_or_default(),
                device.name
            ),
            "give it a name with a higher number, like 50-lan.network",
        )
    })
}
