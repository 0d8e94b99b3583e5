//! What a machine's network is, on its disk and in its kernel, in a form that can be compared.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use serde_json::Value;
use similar::TextDiff;

use super::Machine;

/// Folders in which not only what is written counts, but also when.
const DATED: [&str; 4] = ["/etc/network", "/etc/netplan", "/etc/systemd", "/etc/NetworkManager"];

/// Written by ifupdown2 when it first thinks of it, with nothing in it.
const VRF_MAP: &str = "/etc/iproute2/rt_tables.d/ifupdown2_vrf_map.conf";

/// The state of a machine: every file below `/etc`, and devices, addresses, routes, rules and DHCP clients. What kvmnet
/// keeps of its own (`/var/lib/kvmnet`) is none of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// What there is, and what it is like. Bytes that are no text are told by what Rust's `escape_ascii` makes of them.
    parts: BTreeMap<String, String>,
}

impl State {
    #[track_caller]
    pub(super) fn of(machine: &Machine<'_>) -> Self {
        let mut parts = BTreeMap::new();
        files(&machine.path("/etc"), "/etc", &mut parts);
        // A device of which IPv6 makes no use: a bridge's port, or one that is down.
        let mut idle = Vec::new();
        for device in machine.ip(&["-d", "addr"]).as_array().expect("ip -j gives a list") {
            let is_up = device["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "UP"));
            if device["master"].is_string() || !is_up {
                idle.push(device["ifname"].clone());
            }
            let name = device["ifname"].as_str().unwrap_or_default();
            parts.insert(format!("device {name}"), describe(device, idle.contains(&device["ifname"])));
        }
        // How the kernel makes a device's own IPv6 address is told with its link only.
        for device in machine.ip(&["-d", "link"]).as_array().expect("ip -j gives a list") {
            let (name, mode) = (device["ifname"].as_str(), device["inet6_addr_gen_mode"].as_str());
            let part = parts.get_mut(&format!("device {}", name.unwrap_or_default()));
            if let Some(part) = part.filter(|_| !idle.contains(&device["ifname"])) {
                part.push_str(&format!("addrgenmode {}\n", mode.unwrap_or("-")));
            }
        }
        for family in ["-4", "-6"] {
            for (kind, args) in [("route", &["route", "show", "table", "all"][..]), ("rule", &["rule"])] {
                let mut lines: Vec<String> = Vec::new();
                for entry in machine.ip(&[&[family], args].concat()).as_array().into_iter().flatten() {
                    // What leads to the addresses of the link comes and goes with them.
                    let to = entry["dst"].as_str().unwrap_or_default();
                    if idle.contains(&entry["dev"]) && (to.starts_with("fe80:") || to.starts_with("ff00:")) {
                        continue;
                    }
                    lines.push(flat(entry));
                }
                // The kernel lists them in the order in which they came, which says nothing.
                lines.sort();
                parts.insert(format!("{kind}s {family}"), lines.concat());
            }
        }
        let clients = machine.run(&["sh", "-c", "ps -C dhclient -o args= | sort"]).stdout;
        parts.insert("dhclient".into(), clients);
        Self { parts }
    }

    /// How the other differs from this, for people; empty if it doesn't.
    pub(crate) fn diff(&self, other: &Self) -> String {
        let mut text = String::new();
        let nothing = String::new();
        let names: std::collections::BTreeSet<&String> =
            self.parts.keys().chain(other.parts.keys()).collect();
        for name in names {
            let (old, new) = (self.parts.get(name), other.parts.get(name));
            if old != new {
                let word = |part: Option<&String>| if part.is_some() { "is" } else { "is not there" };
                let (before, after) = (format!("before: {}", word(old)), format!("after: {}", word(new)));
                let diff = TextDiff::from_lines(old.unwrap_or(&nothing), new.unwrap_or(&nothing));
                text += &format!("=== {name}\n{}", diff.unified_diff().header(&before, &after));
            }
        }
        text
    }

    /// Insists that the other is the same.
    #[track_caller]
    pub(crate) fn is_same(&self, other: &Self) {
        assert!(self == other, "the machine is not what it was:\n{}", self.diff(other));
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|(name, part)| writeln!(f, "=== {name}\n{part}"))
    }
}

/// Every file in a folder: what it is, whose, since when, and what is in it.
fn files(dir: &Path, name: &str, parts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).expect("the machine's folders can be read").flatten() {
        let (path, name) = (entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy()));
        let Ok(meta) = path.symlink_metadata() else { continue };
        if name == VRF_MAP {
            continue;
        }
        let kind = meta.file_type();
        let mut text = format!("mode {:o}, owner {}:{}", meta.mode() & 0o7777, meta.uid(), meta.gid());
        if kind.is_file() {
            if DATED.iter().any(|dir| name.starts_with(dir)) {
                text += &format!(", written at {}.{:09}", meta.mtime(), meta.mtime_nsec());
            }
            let bytes = fs::read(&path).unwrap_or_default();
            let content = String::from_utf8(bytes);
            text += "\n";
            text += &content.unwrap_or_else(|e| e.as_bytes().escape_ascii().to_string());
        } else if kind.is_symlink() {
            text = format!("link to {}", fs::read_link(&path).unwrap_or_default().display());
        } else if kind.is_char_device() {
            text += ", device";
        }
        parts.insert(format!("file {name}"), text);
        if kind.is_dir() {
            files(&path, &name, parts);
        }
    }
}

/// A device without its volatile parts.
fn describe(device: &Value, is_idle: bool) -> String {
    let word = |key: &str| device[key].as_str().unwrap_or_default().to_owned();
    let flags: Vec<&str> =
        device["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let has = |flag: &str| flags.contains(&flag);
    let mut text = format!(
        "kind {}\nmaster {}\nup {}, carrier {}\naddress {}\nmtu {}\n",
        device["linkinfo"]["info_kind"].as_str().unwrap_or("-"),
        device["master"].as_str().unwrap_or("-"),
        has("UP"),
        has("LOWER_UP"),
        word("address"),
        device["mtu"],
    );
    // How a bridge is set. Its timers, its id and what it has learnt are left out: they change by themselves.
    for key in ["stp_state", "forward_delay", "ageing_time", "priority", "vlan_filtering"] {
        if let Some(value) = device["linkinfo"]["info_data"].get(key) {
            text += &format!("{key} {value}\n");
        }
    }
    let mut addresses: Vec<String> = Vec::new();
    for info in device["addr_info"].as_array().into_iter().flatten() {
        // It has one or not, depending on what it was before.
        if is_idle && info["scope"] == "link" {
            continue;
        }
        // Not the lifetimes, for they run, and not `tentative`, for it passes.
        let lasts = if info["dynamic"] == true { "for a time" } else { "for ever" };
        let address = info["local"].as_str().unwrap_or_default();
        addresses.push(format!("{address}/{} {} {lasts}\n", info["prefixlen"], info["scope"]));
    }
    addresses.sort();
    text + &addresses.concat()
}

/// A route or a rule in one line.
fn flat(entry: &Value) -> String {
    let fields = entry.as_object().expect("ip -j gives objects");
    let mut line = String::new();
    for (key, value) in fields {
        // Seconds until it is gone, and what the kernel measured; ids of next hops count up.
        if !["expires", "metrics", "used", "nhid"].contains(&key.as_str()) {
            line += &format!("{key} {} ", value.to_string().trim_matches('"'));
        }
    }
    line.trim_end().to_owned() + "\n"
}
