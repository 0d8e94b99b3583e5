//! What the name of a network device says.

use super::familiar::{Familiar, familiar};
use super::parse::{Rest, scheme};
use super::spot::SchemeName;

/// A name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// What it is and where it is: the scheme that udev follows.
    Scheme(SchemeName),
    /// What it is, and how many the kernel had found before it.
    Kernel(Series, u32),
    /// Where it is: the scheme of biosdevname.
    Bios(Bios),
    /// The VLAN of that number on that device.
    Vlan(String, u16),
    /// Who made it.
    Familiar(Familiar),
    /// Nothing: somebody chose it.
    Nothing,
}

/// A row of names that the kernel gives by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each stands for its letters")]
pub enum Series {
    Eth,
    Wlan,
    Wwan,
    Usb,
    Ib,
    Sl,
}

impl Series {
    const ALL: [Series; 6] = [Series::Eth, Series::Wlan, Series::Wwan, Series::Usb, Series::Ib, Series::Sl];

    /// Its letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Series::Eth => "eth",
            Series::Wlan => "wlan",
            Series::Wwan => "wwan",
            Series::Usb => "usb",
            Series::Ib => "ib",
            Series::Sl => "sl",
        }
    }

    fn means(self) -> &'static str {
        match self {
            Series::Eth => "Ethernet",
            Series::Wlan => "Wi-Fi",
            Series::Wwan => "mobile broadband",
            Series::Usb => "Ethernet on the USB",
            Series::Ib => "InfiniBand",
            Series::Sl => "serial line",
        }
    }
}

/// A name of biosdevname's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bios {
    /// The slot that it is plugged into; without one it is on the mainboard.
    pub slot: Option<u32>,
    /// Its port, counted from 1.
    pub port: u32,
    /// Its virtual function, or its part, if a card is divided.
    pub part: Option<u32>,
}

impl Says {
    /// Reads a name. Every text says something, if only that it says nothing.
    pub fn read(name: &str) -> Says {
        let series = Series::ALL.into_iter().find_map(|series| {
            let mut rest = Rest(name.strip_prefix(series.as_str())?);
            let number = rest.number()?;
            rest.0.is_empty().then_some(Says::Kernel(series, number))
        });
        let found = series
            .or_else(|| scheme(name).map(Says::Scheme))
            .or_else(|| bios(name).map(Says::Bios))
            .or_else(|| familiar(name).filter(|known| !known.is_vague()).map(Says::Familiar))
            .or_else(|| vlan(name))
            .or_else(|| familiar(name).map(Says::Familiar));
        found.unwrap_or(Says::Nothing)
    }

    /// The name in its parts, each with what it means; together they are the name. Nothing, if it says nothing.
    pub fn parts(&self, name: &str) -> Vec<(String, String)> {
        let whole = |means: String| vec![(name.to_string(), means)];
        match self {
            Says::Scheme(scheme) => scheme.parts(),
            Says::Kernel(series, n) => vec![
                (series.as_str().into(), format!("{}, named by the kernel", series.means())),
                (n.to_string(), "its number, from 0, in the order in which they were found".to_string()),
            ],
            Says::Bios(bios) => bios.parts(),
            Says::Vlan(parent, id) => {
                vec![(parent.clone(), "on this device".into()), (format!(".{id}"), format!("VLAN {id}"))]
            }
            Says::Familiar(known) => whole(known.what.into()),
            Says::Nothing => Vec::new(),
        }
    }

    /// What the name says, in a sentence.
    pub fn sentence(&self, name: &str) -> String {
        match self {
            Says::Nothing => "nothing: somebody chose it".into(),
            Says::Vlan(parent, id) => format!("VLAN {id} on {parent}"),
            _ => self.parts(name).into_iter().map(|(_, means)| means).collect::<Vec<_>>().join(", "),
        }
    }
}

impl Bios {
    fn parts(&self) -> Vec<(String, String)> {
        let mut parts = match self.slot {
            None => vec![(format!("em{}", self.port), format!("on the mainboard, port {}", self.port))],
            Some(slot) => vec![
                (format!("p{slot}"), format!("slot {slot} of the machine, as the firmware numbers them")),
                (format!("p{}", self.port), format!("port {}", self.port)),
            ],
        };
        if let Some(part) = self.part {
            parts.push((format!("_{part}"), format!("its part or virtual function {part}")));
        }
        parts
    }
}

/// `em1`, `p3p1`, `p3p1_2`; ports are counted from 1.
fn bios(name: &str) -> Option<Bios> {
    let mut rest = Rest(name);
    let slot = match rest.0.strip_prefix("em") {
        Some(after) => {
            rest = Rest(after);
            None
        }
        None => Some(rest.tagged('p')?),
    };
    let port = if slot.is_some() { rest.tagged('p')? } else { rest.number()? };
    let part = rest.tagged('_');
    (rest.0.is_empty() && port > 0).then_some(Bios { slot, port, part })
}

/// `enp4s0.100`
fn vlan(name: &str) -> Option<Says> {
    let (parent, id) = name.rsplit_once('.')?;
    let id: u16 = id.parse().ok().filter(|id| (1..4095).contains(id))?;
    (!parent.is_empty() && name == format!("{parent}.{id}")).then(|| Says::Vlan(parent.into(), id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_what_they_say() {
        for (name, says) in [
            ("enp4s0", "Ethernet, PCI bus 4, slot 0"),
            ("enp65s0f1np1", "Ethernet, PCI bus 65 (hexadecimal 41), slot 0, function 1, port p1"),
            (
                "enp65s0f0np0v3",
                "Ethernet, PCI bus 65 (hexadecimal 41), slot 0, function 0, port p0, its virtual function 3",
            ),
            ("enp3s0f0npf0vf2", "Ethernet, PCI bus 3, slot 0, function 0, port pf0vf2"),
            ("enp5s0d1", "Ethernet, PCI bus 5, slot 0, port 1 (counted from 0)"),
            ("enP1p0s0", "Ethernet, PCI domain 1, PCI bus 0, slot 0"),
            ("ens3", "Ethernet, slot 3 of the machine, as the firmware numbers them"),
            ("ens2f1", "Ethernet, slot 2 of the machine, as the firmware numbers them, function 1"),
            ("eno1", "Ethernet, on the mainboard, number 1 in the firmware's count"),
            ("eno1np0", "Ethernet, on the mainboard, number 1 in the firmware's count, port p0"),
            ("end0", "Ethernet, on the board, ethernet0 in the device tree"),
            ("enx525400a1b2c3", "Ethernet, the MAC address 52:54:00:a1:b2:c3, wherever it is plugged in"),
            (
                "enp0s20f0u2u1",
                "Ethernet, PCI bus 0, slot 20 (hexadecimal 14), function 0, USB port 2, port of the hub there 1",
            ),
            (
                "wwp0s20u4i6",
                "mobile broadband, PCI bus 0, slot 20 (hexadecimal 14), USB port 4, USB interface 6",
            ),
            ("enu1u2c2", "Ethernet, USB port 1, port of the hub there 2, USB configuration 2"),
            ("wlp3s0", "Wi-Fi, PCI bus 3, slot 0"),
            ("ibp5s0", "InfiniBand, PCI bus 5, slot 0"),
            ("env2", "Ethernet, virtual slot 2 of the hypervisor (PowerVM)"),
            ("enX0", "Ethernet, virtual interface 0 of the hypervisor (Xen)"),
            ("encf500", "Ethernet, channel device f500 (IBM Z)"),
            ("enahisic2i0", "Ethernet, hisic2 in the ACPI tables, number 0 of those"),
            ("eni10np1", "Ethernet, simulated device 10, port p1"),
            (
                "eth0",
                "Ethernet, named by the kernel, its number, from 0, in the order in which they were found",
            ),
            (
                "wlan1",
                "Wi-Fi, named by the kernel, its number, from 0, in the order in which they were found",
            ),
            (
                "ib0",
                "InfiniBand, named by the kernel, its number, from 0, in the order in which they were found",
            ),
            ("em1", "on the mainboard, port 1"),
            ("p3p2", "slot 3 of the machine, as the firmware numbers them, port 2"),
            (
                "p3p1_4",
                "slot 3 of the machine, as the firmware numbers them, port 1, its part or virtual function 4",
            ),
            ("enp4s0.100", "VLAN 100 on enp4s0"),
            ("bond0.7", "VLAN 7 on bond0"),
            ("br0.7", "VLAN 7 on br0"),
            ("virbr0", "the virtual bridge of a libvirt network (kvmnet net list)"),
            ("vnet12", "the tap of a running guest, made by libvirt"),
            ("br-0123456789ab", "the bridge of a network made with Docker"),
            ("br0", "a bridge, by whoever set this host up"),
            ("br-lan", "a bridge, by whoever set this host up"),
            ("flannel.1", "the tunnel to other Kubernetes nodes, made by flannel"),
            ("lo", "the host's way to itself"),
        ] {
            assert_eq!(Says::read(name).sentence(name), says, "{name}");
        }
        // What only looks like one: zeros that nobody writes, numbers too large, things left over.
        for name in [
            "enp04s0",
            "enp4",
            "enp4s0x",
            "ens",
            "enx5254",
            "en",
            "",
            "enp99999999999s0",
            "wlp2s0mon",
            "p3",
            "uplink",
            "lan0",
            "e\u{308}n",
            ".",
        ] {
            assert_eq!(Says::read(name), Says::Nothing, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_says_something(name in "\\PC{0,20}") {
            let says = Says::read(&name);
            let _ = says.sentence(&name);
            let whole: String = says.parts(&name).into_iter().map(|(part, _)| part).collect();
            prop_assert!(says == Says::Nothing || whole == name);
        }

        #[test]
        fn what_looks_like_a_name_too(name in "(en|wl|ww|ib|sl|eth|em|p)(P[0-9]{1,3})?([posxvXcaidunfb][0-9a-f]{0,4}){0,5}(\\.[0-9]{1,4})?") {
            let says = Says::read(&name);
            let whole: String = says.parts(&name).into_iter().map(|(part, _)| part).collect();
            prop_assert!(says == Says::Nothing || whole == name, "{whole}");
        }
    }
}
