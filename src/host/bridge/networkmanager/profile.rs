//! NetworkManager's profiles, as far as it matters here whom they are for.

use super::addresses::found;
use super::keyfile::Keyfile;
use crate::host::bridge::{Fault, Host, HostDevice, WayOut};
use crate::host::config::{Script, glob};

/// A connection profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) keys: Keyfile,
}

/// How a profile fits a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It would do for others too.
    Any,
    /// It names the device.
    Named,
}

/// Where profiles stand that are made by programs and gone after a restart.
pub(super) const MEMORY: &str = "/run/NetworkManager/system-connections/";
/// Where they stand that people make.
pub(super) const PEOPLE: &str = "/etc/NetworkManager/system-connections/";

impl Profile {
    pub(super) fn read(path: &str, text: &str) -> Option<Profile> {
        let (folder, name) = path.rsplit_once('/')?;
        // What NetworkManager passes over (nms_keyfile_utils_ignore_filename); only in /etc the ending may be missing.
        let is_passed = name.starts_with('.')
            || [".nmmeta", "~", ".rpmnew", ".rpmsave", ".rpmorig", ".swp"]
                .iter()
                .any(|end| name.ends_with(end))
            || (!folder.starts_with("/etc/") && !name.ends_with(".nmconnection"));
        let keys = Keyfile::parse(text);
        let is_one = folder.ends_with("/NetworkManager/system-connections") && !is_passed;
        (is_one && keys.is_sound() && keys.get("connection", "type").is_some()).then(|| Profile {
            path: path.to_string(),
            text: text.to_string(),
            keys,
        })
    }

    pub(super) fn of(&self, key: &str) -> Option<&str> {
        self.keys.get("connection", key).filter(|value| !value.is_empty())
    }

    pub(super) fn uuid(&self) -> &str {
        self.of("uuid").unwrap_or_default()
    }

    /// Its type, by today's name.
    pub(super) fn kind(&self) -> &str {
        match self.of("type").unwrap_or_default() {
            "802-3-ethernet" => "ethernet",
            other => other,
        }
    }

    /// Whose port it makes of its device; 1.46 has new words for it.
    pub(super) fn controller(&self) -> Option<&str> {
        self.of("controller").or_else(|| self.of("master"))
    }

    pub(super) fn is_port_of(&self, bridge: &Profile, name: &str) -> bool {
        let is_bridges = |kind: &str| kind == "bridge";
        self.of("port-type").or_else(|| self.of("slave-type")).is_none_or(is_bridges)
            && self.controller().is_some_and(|c| c == name || c == bridge.uuid())
    }

    pub(super) fn starts_itself(&self) -> bool {
        self.keys.is_true("connection", "autoconnect").unwrap_or(true)
    }

    pub(super) fn priority(&self) -> i32 {
        self.of("autoconnect-priority").and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// May it be active on several devices at a time?
    pub(super) fn is_for_several(&self) -> bool {
        matches!(self.of("multi-connect"), Some("2" | "3"))
    }

    /// Can its file be edited for good?
    pub(super) fn is_peoples(&self) -> bool {
        self.path.starts_with(PEOPLE)
    }

    /// Did NetworkManager write it for what others have configured, and only looks on at? Those that it makes up for
    /// cables without a profile are generated too, but not volatile.
    pub(super) fn is_foreign(&self) -> bool {
        let is = |key| self.keys.is_true(".nmmeta", key) == Some(true);
        is("external") || (is("nm-generated") && is("volatile"))
    }

    pub(super) fn fit(&self, device: &HostDevice) -> Option<Fit> {
        let names: Vec<&str> =
            std::iter::once(&device.name).chain(&device.altnames).map(String::as_str).collect();
        let mut fit = Fit::Any;
        if let Some(name) = self.of("interface-name") {
            if !names.contains(&name) {
                return None;
            }
            fit = Fit::Named;
        }
        let is_mac = |mac: &str| {
            [&device.permanent_mac, &device.mac]
                .iter()
                .any(|m| m.as_deref() == Some(&mac.to_ascii_lowercase()))
        };
        let list = |section: &str, key: &str| -> Vec<String> {
            let value = self.keys.get(section, key).unwrap_or_default();
            value.split([';', ',', ' ']).map(|w| w.trim().to_string()).filter(|w| !w.is_empty()).collect()
        };
        if let Some(mac) = self.keys.get("ethernet", "mac-address").filter(|mac| !mac.is_empty()) {
            if !is_mac(mac) {
                return None;
            }
            fit = Fit::Named;
        }
        let denied =
            [list("ethernet", "mac-address-denylist"), list("ethernet", "mac-address-blacklist")].concat();
        if denied.iter().any(|mac| is_mac(mac)) || !self.matches(&list("match", "interface-name"), &names) {
            return None;
        }
        let driver: Vec<&str> = device.driver.as_deref().into_iter().collect();
        if !self.matches(&list("match", "driver"), &driver) {
            return None;
        }
        // Only Ethernet NICs are configured by profiles that don't name them.
        (fit == Fit::Named || self.kind() == "ethernet").then_some(fit)
    }

    /// `a`, `|a`: one of them; `&a`: this one as well; `!a`: not this one.
    fn matches(&self, patterns: &[String], texts: &[&str]) -> bool {
        let does = |pattern: &str| texts.iter().any(|text| glob(pattern, text));
        let mut any = None;
        for pattern in patterns {
            let (must, rest) = match pattern.strip_prefix('&') {
                Some(rest) => (true, rest),
                None => (false, pattern.strip_prefix('|').unwrap_or(pattern)),
            };
            let (is_not, rest) = match rest.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            let fits = does(rest) != is_not;
            if must || is_not {
                if !fits {
                    return false;
                }
            } else {
                any = Some(any.unwrap_or(false) || fits);
            }
        }
        any.unwrap_or(true)
    }
}

/// All of a host's.
pub(super) fn profiles(host: &Host) -> Vec<Profile> {
    let mut out: Vec<Profile> = Vec::new();
    for file in &host.files {
        if let Some(one) = Profile::read(&file.path, &file.text) {
            out.push(one);
        }
    }
    out
}

/// The default routes of the profiles that start by themselves.
pub(super) fn ways_out(host: &Host) -> Vec<WayOut> {
    let all = profiles(host);
    let counts = |profile: &&Profile| {
        profile.starts_itself() && !profile.is_foreign() && profile.controller().is_none()
    };
    let of = |profile: &Profile| {
        let devices = host.devices.iter().filter(|device| profile.fit(device).is_some());
        let named = profile.of("interface-name").or(profile.of("id")).unwrap_or_default();
        WayOut::of(&found(&profile.keys).gateways, &profile.path, devices, named)
    };
    all.iter().filter(counts).flat_map(of).collect()
}

/// The `ifcfg` file of a device, and its path.
pub(super) fn script<'h>(host: &'h Host, device: &HostDevice) -> Option<(&'h str, Script)> {
    let mac = device.permanent_mac.as_deref().or(device.mac.as_deref());
    let all = host
        .files
        .iter()
        .filter_map(|file| Some((file.path.as_str(), Script::read(&file.path, &file.text)?)));
    all.into_iter().find(|(_, script)| script.is_about(&device.name, mac))
}

/// The one that configures a device now, or would after a start.
pub(super) fn active<'a>(all: &'a [Profile], device: &HostDevice) -> Result<Option<&'a Profile>, Fault> {
    if let Some(uuid) = device.nm_connection.as_deref().filter(|uuid| !uuid.is_empty()) {
        // One in memory hides the file of the same profile.
        let mut same: Vec<&Profile> = all.iter().filter(|profile| profile.uuid() == uuid).collect();
        same.sort_by_key(|profile| !profile.path.starts_with(MEMORY));
        return match same.as_slice() {
            [] => Err(Fault::new(
                format!(
                    "{} has the profile {uuid}, which is in none of NetworkManager's keyfiles",
                    device.name
                ),
                format!("`nmcli connection migrate uuid {uuid}` makes a keyfile of it; then try again"),
            )),
            [one, two, ..] if one.is_peoples() && two.is_peoples() => Err(Fault::new(
                format!("{} and {} are the same profile, {uuid}", one.path, two.path),
                "remove one of them, `nmcli connection reload`, and try again",
            )),
            [one, ..] => Ok(Some(one)),
        };
    }
    let mut fits: Vec<(i32, Fit, &Profile)> = all
        .iter()
        .filter(|profile| profile.starts_itself() && !profile.is_foreign())
        .filter_map(|profile| Some((profile.priority(), profile.fit(device)?, profile)))
        .collect();
    fits.sort_by_key(|(priority, fit, _)| (-priority, std::cmp::Reverse(*fit)));
    match fits.as_slice() {
        [(p1, f1, one), (p2, f2, two), ..] if (p1, f1) == (p2, f2) => Err(Fault::new(
            format!("{} and {} both configure {}", one.path, two.path, device.name),
            "remove one of them, or give the one that shall count a higher autoconnect-priority",
        )),
        [(_, _, one), ..] => Ok(Some(one)),
        [] => Ok(None),
    }
}
