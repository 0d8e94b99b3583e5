//! The commands.

use super::Flavour;
use super::config::{Config, base};
use super::lines::Kind;
use crate::host::bridge::{Ask, Command, Host, Way};

/// What goes up and down.
#[derive(Debug, Clone, Default)]
pub(super) struct Devices {
    /// The bridge and its aliases.
    pub(super) bridge: Vec<String>,
    /// The NICs and their aliases, as the files have them without the bridge.
    pub(super) nics: Vec<String>,
    /// Those NICs that are brought up beside the bridge: before it, as it can't be without them.
    pub(super) first: Vec<String>,
    /// Those NICs that are brought up after the bridge, for settings of their own.
    pub(super) last: Vec<String>,
    /// All ports.
    pub(super) ports: Vec<String>,
    /// Those NICs that nothing brings up when they aren't ports.
    pub(super) quiet: Vec<String>,
    /// The VLANs on the NICs: they go down and up with them.
    pub(super) vlans: Vec<String>,
}

impl Devices {
    /// Those of a change.
    pub(super) fn of(
        host: &Host,
        before: &Config,
        after: &Config,
        bridge: &str,
        ports: &[String],
    ) -> Devices {
        // Whatever is a bridge in one of them.
        let (without, with) = if after.ports(bridge).is_some() { (before, after) } else { (after, before) };
        let names = |config: &Config, device: &str| {
            let mut names: Vec<String> = Vec::new();
            for stanza in config.of(device) {
                if !names.contains(&stanza.name) {
                    names.push(stanza.name.clone());
                }
            }
            names
        };
        let bridges = names(with, bridge);
        let mut devices = Devices { bridge: bridges, ports: ports.to_vec(), ..Devices::default() };
        for (at, port) in ports.iter().enumerate() {
            let is_listed = [Kind::Auto, Kind::Hotplug].iter().any(|kind| without.is_listed(*kind, port));
            if at > 0 && !is_listed {
                devices.quiet.push(port.clone());
            }
            devices.nics.extend(names(without, port));
            devices.vlans.extend(vlans(host, without, port));
            if makes_device(with, port) {
                devices.first.push(port.clone());
            } else if with.is_listed(Kind::Auto, port) {
                devices.last.push(port.clone());
            }
        }
        devices
    }

    /// From the NICs to the bridge, or where they already are in it.
    pub(super) fn to_bridge(&self, flavour: Flavour, leases: &[Command]) -> Way {
        let mut before = leases.to_vec();
        before.extend(self.down_nics(flavour));
        Way { before, after: self.up_bridge(flavour) }
    }

    /// From the bridge to the NICs. `leases` are those files that are handed back.
    pub(super) fn to_nics(&self, flavour: Flavour, leases: &[Command]) -> Way {
        let mut before = leases.to_vec();
        before.extend(self.down_bridge(flavour));
        // Half of what went before may have been done: what is up now goes down.
        before.extend(self.down_nics(flavour));
        Way { before, after: self.up_nics(flavour) }
    }

    /// The way back to the bridge.
    pub(super) fn back_to_bridge(&self, flavour: Flavour) -> Way {
        let mut before = self.down_nics(flavour);
        before.extend(self.down_bridge(flavour));
        Way { before, after: self.up_bridge(flavour) }
    }

    fn up_bridge(&self, flavour: Flavour) -> Vec<Command> {
        let first = self.first.iter().map(|name| up(flavour, name));
        let bridge = self.bridge.iter().filter(|name| flavour == Flavour::One || base(name) == *name);
        let bridge = bridge.map(|name| up(flavour, name));
        // ifupdown2 brings up what the bridge depends on.
        let last = self.last.iter().filter(|_| flavour == Flavour::One);
        let rest = last.chain(&self.vlans).map(|name| up(flavour, name));
        first.chain(bridge).chain(rest).collect()
    }

    fn up_nics(&self, flavour: Flavour) -> Vec<Command> {
        let nics = self.nics.iter().filter(|name| flavour == Flavour::One || base(name) == *name);
        let nics = nics.filter(|name| !self.quiet.iter().any(|quiet| quiet == base(name)));
        let up = nics.chain(&self.vlans).map(|name| up(flavour, name));
        let quiet = self.ports.iter().filter(|_| flavour == Flavour::One);
        quiet.map(|port| with_ipv6(port)).chain(up).collect()
    }

    fn down_nics(&self, flavour: Flavour) -> Vec<Command> {
        let mut commands = Vec::new();
        let names = self.vlans.iter().chain(self.nics.iter().rev());
        let names = names.filter(|name| flavour == Flavour::One || base(name) == *name);
        commands.extend(names.clone().map(|name| down(flavour, name)));
        let mut flushed: Vec<&str> = Vec::new();
        for nic in &self.nics {
            // What somebody else than ifup gave it would stay on the port, in the bridge's way.
            // A bond or VLAN is gone by now.
            if !flushed.contains(&base(nic)) && !self.first.iter().any(|first| first == base(nic)) {
                flushed.push(base(nic));
                commands.push(words(&["ip", "address", "flush", "dev", base(nic), "scope", "global"]));
            }
        }
        commands
    }

    fn down_bridge(&self, flavour: Flavour) -> Vec<Command> {
        let names = self.bridge.iter().rev().filter(|name| flavour == Flavour::One || base(name) == *name);
        names
            .map(|name| match flavour {
                // It may stand there half made, and then ifupdown doesn't count it as configured.
                Flavour::One => words(&["ifdown", "--force", name]),
                Flavour::Two => down(flavour, name),
            })
            .collect()
    }
}

/// Makes the bridge with its MAC address from the first. ifupdown2 sets that after it has made the bridge, and udev, which
/// gives a new bridge an address that it makes up (`MACAddressPolicy=persistent`), may come in between: then DHCP has been
/// asked with the wrong one.
pub(super) fn with_its_mac(ask: &Ask) -> Command {
    words(&["ip", "link", "add", "name", &ask.bridge, "address", &ask.mac, "type", "bridge"])
}

/// The same on the way back, which may be taken twice, or when the bridge is there still.
pub(super) fn with_its_old_mac(bridge: &str, mac: &str) -> Command {
    let script = r#"[ -e "/sys/class/net/$1" ] || ip link add name "$1" address "$2" type bridge"#;
    words(&["sh", "-c", script, "sh", bridge, mac])
}

/// Is the device one that its stanza makes: a bond or a VLAN?
pub(super) fn makes_device(config: &Config, device: &str) -> bool {
    config.of(device).iter().any(|stanza| {
        stanza.settings.iter().any(|line| {
            let key = config.sheet(stanza).key(*line);
            key.starts_with("bond-") || key.starts_with("vlan-") || key == "slaves"
        })
    })
}

fn vlans(host: &Host, config: &Config, nic: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for stanza in &config.stanzas {
        let is_named = stanza.name.strip_prefix(nic).is_some_and(|rest| rest.starts_with('.'));
        let is_on = is_named || config.value(&stanza.name, "vlan-raw-device") == Some(nic);
        let is_there = host.devices.iter().any(|device| device.name == base(&stanza.name));
        if is_on && is_there && !out.contains(&stanza.name) {
            out.push(stanza.name.clone());
        }
    }
    out
}

/// The commands that hand the files of dhclient over: in them is the DUID that it shows to the server. Without it, the bridge
/// would make up one of its own and be another client.
pub(super) fn leases(host: &Host, from: &str, to: &str) -> Vec<Command> {
    let names = [("dhclient", "leases"), ("dhclient6", "leases")];
    let path = |(kind, end): (&str, &str), device: &str| format!("/var/lib/dhcp/{kind}.{device}.{end}");
    let there = names.iter().filter(|name| host.text(&path(**name, from)).is_some());
    there.map(|name| words(&["cp", "-p", &path(*name, from), &path(*name, to)])).collect()
}

/// Brings a device up.
pub(super) fn up(flavour: Flavour, name: &str) -> Command {
    match flavour {
        Flavour::One => words(&["ifup", name]),
        // Otherwise it doesn't bring the ports up.
        Flavour::Two => words(&["ifup", "--with-depends", name]),
    }
}

/// Takes a device down.
pub(super) fn down(flavour: Flavour, name: &str) -> Command {
    match flavour {
        Flavour::One => words(&["ifdown", name]),
        // By what stands in the files: of what it hasn't brought up itself it knows nothing else, and fails.
        Flavour::Two => words(&["ifdown", "--use-current-config", name]),
    }
}

/// bridge-utils takes a port's IPv6 address away (`addrgenmode none`) and doesn't give it back: without this, a NIC would
/// have no IPv6 until the next start.
pub(super) fn with_ipv6(port: &str) -> Command {
    let from = "/proc/sys/net/ipv6/conf/default/addr_gen_mode";
    let script = format!("[ ! -e {from} ] || cat {from} >\"/proc/sys/net/ipv6/conf/$1/addr_gen_mode\"");
    words(&["sh", "-c", &script, "sh", port])
}

/// A command of its words.
pub(super) fn words(words: &[&str]) -> Command {
    words.iter().map(|word| (*word).to_string()).collect()
}
