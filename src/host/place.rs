//! Where a device is, as its path below `/sys` shows it.

use std::fmt;
use std::str::FromStr;

use super::spot::Usb;

/// An address on the PCI: `0000:04:00.0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of the PCI")]
pub struct PciAddress {
    pub domain: u32,
    pub bus: u32,
    pub slot: u32,
    pub function: u32,
}

impl FromStr for PciAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let hex = |text: &str, digits: std::ops::RangeInclusive<usize>| {
            let is_hex = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
            if is_hex { u32::from_str_radix(text, 16).map_err(|_| ()) } else { Err(()) }
        };
        let (domain, rest) = text.split_once(':').ok_or(())?;
        let (bus, rest) = rest.split_once(':').ok_or(())?;
        let (slot, function) = rest.split_once('.').ok_or(())?;
        Ok(PciAddress {
            domain: hex(domain, 4..=8)?,
            bus: hex(bus, 2..=2)?,
            slot: hex(slot, 2..=2)?,
            function: hex(function, 1..=1)?,
        })
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.slot, self.function)
    }
}

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its own address on the PCI, or that of the controller that it hangs on, and before that those of the bridges above.
    pub pci: Vec<PciAddress>,
    /// Where on the USB.
    pub usb: Option<Usb>,
    /// The kernel made it, from nothing.
    pub is_virtual: bool,
    /// The names of the devices that it is on, from the outside in, without those of the PCI and of virtio.
    pub others: Vec<String>,
}

impl Place {
    /// Reads a device's path: `devices/pci0000:00/0000:00:1c.0/0000:04:00.0/net/enp4s0`.
    pub fn read(path: &str) -> Place {
        let mut place = Place::default();
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        // The last two steps are the class and the device's own name; `net/eth0`, or `net:eth0` of old kernels.
        let above = steps.iter().rposition(|step| *step == "net").map_or(&[][..], |at| &steps[..at]);
        let above = above.strip_prefix(&["devices"]).unwrap_or(above);
        place.is_virtual = above == ["virtual"];
        for step in above {
            if let Ok(address) = step.parse() {
                place.pci.push(address);
                // What stood before an address is a bridge to it, and no part of its place.
                place.others.clear();
                place.usb = None;
            } else if let Some(usb) = usb(step) {
                place.usb = Some(usb);
            } else if !is_passage(step) {
                place.others.push((*step).to_string());
            }
        }
        place
    }

    /// The address on the PCI.
    pub fn address(&self) -> Option<PciAddress> {
        self.pci.last().copied()
    }
}

/// The PCI's roots, the USB's hubs, and what only passes on what is behind it.
fn is_passage(step: &str) -> bool {
    let numbered = |start: &str| {
        step.strip_prefix(start).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_hub = step.split_once('-').is_some_and(|(bus, ports)| {
        !bus.is_empty() && format!("{bus}{ports}").bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    (step.starts_with("pci") && step.contains(':')) || numbered("usb") || numbered("virtio") || is_hub
}

/// `1-2.3:1.0`: on bus 1, port 2, and there port 3; configuration 1, interface 0.
fn usb(step: &str) -> Option<Usb> {
    let (device, interface) = step.split_once(':')?;
    let (bus, ports) = device.split_once('-')?;
    let (config, interface) = interface.split_once('.')?;
    bus.parse::<u32>().ok()?;
    let ports: Option<Vec<u32>> = ports.split('.').map(|port| port.parse().ok()).collect();
    Some(Usb { ports: ports?, config: config.parse().ok()?, interface: interface.parse().ok()? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places() {
        let place = Place::read("devices/pci0000:00/0000:00:1c.0/0000:04:00.0/net/enp4s0");
        assert_eq!(
            place.pci.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["0000:00:1c.0", "0000:04:00.0"]
        );
        assert!(place.usb.is_none() && place.others.is_empty() && !place.is_virtual);
        let place = Place::read("/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0");
        assert_eq!(place.address().unwrap().to_string(), "0000:00:03.0");
        assert!(place.others.is_empty());
        let place = Place::read("devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2.1/2-2.1:1.0/net/enp0s20f0u2u1");
        assert_eq!(place.usb, Some(Usb { ports: vec![2, 1], config: 1, interface: 0 }));
        assert!(place.others.is_empty(), "{place:?}");
        let place = Place::read("devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:1d.0/net/x");
        assert_eq!(place.address().unwrap().domain, 0x10000);
        assert!(Place::read("devices/virtual/net/br0").is_virtual);
        assert_eq!(Place::read("devices/vio/30000002/net/env2").others, ["vio", "30000002"]);
        assert_eq!(Place::read("devices/vif-0/net/enX0").others, ["vif-0"]);
        assert_eq!(Place::read(""), Place::default());
    }

    proptest! {
        #[test]
        fn any_path(path in "\\PC{0,60}", steps in prop::collection::vec("[0-9a-fu:.-]{0,12}|net|devices|virtual", 0..8)) {
            let _ = (Place::read(&path), Place::read(&steps.join("/")));
        }

        #[test]
        fn addresses_there_and_back(domain in 0u32.., bus in 0u32..256, slot in 0u32..32, function in 0u32..8) {
            let address = PciAddress { domain, bus, slot, function };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
