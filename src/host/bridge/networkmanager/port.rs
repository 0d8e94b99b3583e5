//! How a NIC gets to be a port: by its own profile, or by a new one.

use super::addresses::{KEYS, SECTIONS, fixed};
use super::keyfile::Keyfile;
use super::profile::{Fit, PEOPLE, Profile, active, script};
use super::{id, refuse_cloud};
use crate::host::Kind;
use crate::host::bridge::{Ask, Fault, Host, HostDevice};

/// A NIC that becomes a port.
pub(super) struct Port<'a> {
    pub(super) device: HostDevice,
    /// The profile that it has.
    pub(super) old: Option<&'a Profile>,
    /// Is that one's file edited? Else a new one is made.
    pub(super) is_edited: bool,
}

/// The types of profiles whose device can be a bridge's port.
const TYPES: &[&str] = &["ethernet", "veth", "bond", "team", "vlan", "dummy", "macvlan", "vxlan"];

/// The profile that kvmnet makes for a port.
pub(super) fn uuid(bridge: &str, port: &str) -> String {
    id::uuid(&["port", bridge, port])
}

impl<'a> Port<'a> {
    pub(super) fn of(host: &Host, all: &'a [Profile], name: &str) -> Result<Port<'a>, Fault> {
        let device = host
            .device(name)
            .cloned()
            .unwrap_or_else(|| HostDevice { name: name.to_string(), ..HostDevice::default() });
        let Some(old) = active(all, &device)? else {
            if let Some((path, script)) = script(host, &device) {
                let uuid = script.get("UUID").map(|uuid| format!(" uuid {uuid}")).unwrap_or_default();
                return Err(Fault::new(
                    format!("{path} configures {name}, and is no keyfile of NetworkManager's"),
                    format!("`nmcli connection migrate{uuid}` makes keyfiles of such files; then try again"),
                ));
            }
            return Ok(Port { device, old: None, is_edited: false });
        };
        let path = &old.path;
        if path.rsplit('/').next().is_some_and(|file| file.starts_with("netplan-")) {
            return Err(Fault::new(
                format!("{path}, which configures {name}, is written by netplan"),
                "let netplan make the bridge: --backend netplan",
            ));
        }
        if old.is_foreign() {
            return Err(Fault::new(
                format!("{name} is configured by something other than NetworkManager, which only looks on"),
                "`kvmnet host nics` says by what; name it with --backend",
            ));
        }
        if let Some(controller) = old.controller() {
            return Err(Fault::new(
                format!("{path} makes {name} a port of {controller}"),
                format!("take it out of {controller} first, or put {controller} itself on the bridge"),
            ));
        }
        if !TYPES.contains(&old.kind()) {
            return Err(Fault::new(
                format!(
                    "{path}, which configures {name}, is of type {}: that can't be on a bridge",
                    old.kind()
                ),
                "give the NIC a profile of type ethernet first",
            ));
        }
        let fit = old.fit(&device).unwrap_or(Fit::Named);
        // One that names no device but has addresses of its own must not go to the next NIC that has a cable.
        let is_edited =
            old.is_peoples() && !old.is_for_several() && (fit == Fit::Named || !fixed(&old.keys).is_empty());
        if is_edited {
            refuse_cloud(host, old)?;
        } else if old.kind() != "ethernet" {
            return Err(Fault::new(
                format!("{path}, which configures {name}, isn't kept in {PEOPLE}"),
                format!(
                    "`nmcli connection modify uuid {} connection.autoconnect yes` keeps it there",
                    old.uuid()
                ),
            ));
        }
        Ok(Port { device, old: Some(old), is_edited })
    }

    pub(super) fn path(&self, bridge: &str) -> String {
        match self.old.filter(|_| self.is_edited) {
            Some(old) => old.path.clone(),
            None => format!("{PEOPLE}{bridge}-port-{}.nmconnection", self.device.name),
        }
    }

    /// Its text as a port, and the UUID.
    pub(super) fn text(&self, all: &[Profile], ask: &Ask, notes: &mut Vec<String>) -> (String, String) {
        let (bridge, name) = (&ask.bridge, &self.device.name);
        let (mut keys, uuid) = match self.old.filter(|_| self.is_edited) {
            Some(old) => (old.keys.clone(), old.uuid().to_string()),
            None => {
                let uuid = uuid(bridge, name);
                (self.fresh(bridge, &uuid), uuid)
            }
        };
        keys.lift_sections(SECTIONS);
        for key in KEYS {
            keys.lift("connection", key);
        }
        if let Some(old) = self.old.filter(|_| self.is_edited) {
            if old.fit(&self.device) == Some(Fit::Any) {
                keys.set("connection", "interface-name", name);
                notes.push(format!("{}, which was for any NIC, is for {name} only.", old.path));
            }
            if !old.starts_itself() {
                keys.set("connection", "autoconnect", "true");
                notes.push(format!(
                    "{name} is started with the host, which {} did not ask for so far.",
                    old.path
                ));
            }
        }
        let own: i32 =
            keys.get("connection", "autoconnect-priority").and_then(|p| p.parse().ok()).unwrap_or(0);
        let rivals = all.iter().filter(|other| {
            other.uuid() != uuid
                && !other.path.starts_with("/run/")
                && other.starts_itself()
                && other.controller().is_none()
                && other.fit(&self.device).is_some()
        });
        if let Some(most) = rivals.map(Profile::priority).max().filter(|most| *most >= own) {
            keys.set("connection", "autoconnect-priority", &(most.saturating_add(1).min(999)).to_string());
        }
        // Since 1.46 these are called controller and port-type; the old names are read as well, and by all before.
        keys.set("connection", "master", bridge);
        keys.set("connection", "slave-type", "bridge");
        if let Some(who) = keys.get("connection", "permissions").filter(|who| !who.is_empty()) {
            notes.push(format!(
                "{name} and {bridge} are up only while one of these is logged in, as before: {who}"
            ));
        }
        if keys.has("802-1x") {
            notes.push(format!(
                "{name} still logs in to its switch by 802.1X; many switches then let no other MAC address in: guests \
                 on {bridge} may stay without a network."
            ));
        }
        (keys.text(), uuid)
    }

    fn fresh(&self, bridge: &str, uuid: &str) -> Keyfile {
        let name = &self.device.name;
        let mut keys = Keyfile::parse(&format!(
            "[connection]\nid={bridge}-port-{name}\nuuid={uuid}\ntype=ethernet\ninterface-name={name}\n"
        ));
        if let Some(old) = self.old {
            if let Some(permissions) = old.of("permissions") {
                keys.set("connection", "permissions", permissions);
            }
            let mut rest = old.keys.clone();
            rest.lift_sections(&["connection", "match", "user", ".nmmeta"]);
            rest.lift_sections(SECTIONS);
            let rest = rest.text();
            keys.put(&rest.replace("\r\n", "\n"));
        }
        keys
    }

    /// What the NIC's own profile gave it: sections, and lines of `[connection]`.
    pub(super) fn moved(&self) -> (String, String) {
        let Some(old) = self.old else { return Default::default() };
        let mut keys = old.keys.clone();
        let sections = keys.lift_sections(SECTIONS);
        (sections, KEYS.iter().map(|key| keys.lift("connection", key)).collect())
    }

    /// The metric of default routes through such a device, unless its profile has one; a bridge's is 425
    /// (nm_device_get_route_metric_default).
    pub(super) fn metric(&self) -> Option<&'static str> {
        metric(self.old.map_or("ethernet", Profile::kind))
    }

    pub(super) fn mtu(&self) -> Option<&str> {
        self.old?.keys.get("ethernet", "mtu").filter(|mtu| *mtu != "0" && *mtu != "auto")
    }
}

/// By a profile's type.
pub(super) fn metric(kind: &str) -> Option<&'static str> {
    match kind {
        "ethernet" | "veth" => Some("100"),
        "bond" => Some("300"),
        "team" => Some("350"),
        "vlan" => Some("400"),
        _ => None,
    }
}

/// Has another device than these a way out, so that metrics decide which is taken?
pub(super) fn has_rival(host: &Host, ask: &Ask) -> bool {
    let is_nic = |kind| {
        matches!(kind, Kind::Ethernet | Kind::Veth | Kind::Infiniband | Kind::Bond | Kind::Team | Kind::Vlan)
    };
    host.devices.iter().any(|device| {
        is_nic(device.kind)
            && !ask.ports.iter().any(|port| *port == device.name || device.altnames.contains(port))
            && device.master.is_none()
            && device.addresses.iter().any(|address| !address.is_link)
    })
}
