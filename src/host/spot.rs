//! Names of the scheme that udev follows (systemd.net-naming-scheme(7)): a prefix for what it is, then where it is.

use std::fmt;

use crate::model::MacAddr;

/// The prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each stands for its letters")]
pub enum Prefix {
    En,
    Wl,
    Ww,
    Ib,
    Sl,
}

impl Prefix {
    pub(super) const ALL: [Prefix; 5] = [Prefix::En, Prefix::Wl, Prefix::Ww, Prefix::Ib, Prefix::Sl];

    /// Its two letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Prefix::En => "en",
            Prefix::Wl => "wl",
            Prefix::Ww => "ww",
            Prefix::Ib => "ib",
            Prefix::Sl => "sl",
        }
    }

    fn means(self) -> &'static str {
        match self {
            Prefix::En => "Ethernet",
            Prefix::Wl => "Wi-Fi",
            Prefix::Ww => "mobile broadband",
            Prefix::Ib => "InfiniBand",
            Prefix::Sl => "serial line",
        }
    }
}

/// Which port of a card that has several behind one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// As its driver calls it (`phys_port_name`).
    Name(String),
    /// As its driver counts it (`dev_port`).
    Number(u32),
}

/// A function that a card shows beside its own: SR-IOV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Virtual {
    /// The virtual function of that number.
    Function(u32),
    /// The host's side of it, on a card that switches.
    Representor(u32),
}

/// Where on the USB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    /// The port of each hub on the way.
    pub ports: Vec<u32>,
    /// The configuration; 1 isn't written.
    pub config: u32,
    /// The interface; 0 isn't written.
    pub interface: u32,
}

/// Where on the PCI, and what is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pci {
    /// 0 isn't written.
    pub domain: u32,
    /// The bus; without it, `slot` is that of the case, as the firmware numbers them.
    pub bus: Option<u32>,
    /// The slot on the bus, or of the case.
    pub slot: u32,
    /// Written for cards of several functions.
    pub function: Option<u32>,
    /// The port.
    pub port: Option<Port>,
    /// The core on a Broadcom bus.
    pub core: Option<u32>,
    /// The USB device behind the controller.
    pub usb: Option<Usb>,
    /// SR-IOV.
    pub virt: Option<Virtual>,
}

/// Where a device is, as its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// `o`: on the mainboard, by the firmware's index.
    Onboard {
        /// The index.
        index: u32,
        /// The port.
        port: Option<Port>,
        /// SR-IOV.
        virt: Option<Virtual>,
    },
    /// `d`: by an alias in the device tree.
    DeviceTree(u32),
    /// `p` or `s`.
    Pci(Pci),
    /// `u` alone: a USB controller that is on no PCI.
    Usb(Usb),
    /// `x`: anywhere, by its MAC address.
    Mac(MacAddr),
    /// `v`: a virtual slot of IBM's PowerVM.
    Vio(u32),
    /// `X`: a virtual interface of Xen.
    Xen(u32),
    /// `c`: a channel of IBM Z.
    Ccw(String),
    /// `a`: by its name in the ACPI tables: vendor and model, then which of them.
    Acpi(String, u32),
    /// `i`: a simulated device: its number, and its port's name.
    Simulated(u32, String),
}

/// A name of the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeName {
    /// What it is.
    pub prefix: Prefix,
    /// Where it is.
    pub spot: Spot,
}

impl SchemeName {
    /// The name in its parts, each with what it means. Together they are the name.
    pub fn parts(&self) -> Vec<(String, String)> {
        let mut parts = vec![(self.prefix.as_str().to_string(), self.prefix.means().to_string())];
        self.spot.add_to(&mut parts);
        parts
    }
}

impl fmt::Display for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().iter().try_for_each(|(part, _)| f.write_str(part))
    }
}

type Parts = Vec<(String, String)>;

impl Spot {
    fn add_to(&self, parts: &mut Parts) {
        let mut add = |part: String, means: String| parts.push((part, means));
        match self {
            Spot::Onboard { index, port, virt } => {
                add(format!("o{index}"), format!("on the mainboard, number {index} in the firmware's count"));
                add_port(port.as_ref(), parts);
                add_virtual(*virt, parts);
            }
            Spot::DeviceTree(n) => {
                add(format!("d{n}"), format!("on the board, ethernet{n} in the device tree"));
            }
            Spot::Pci(pci) => pci.add_to(parts),
            Spot::Usb(usb) => usb.add_to(parts),
            Spot::Mac(mac) => {
                let digits: String = mac.to_string().split(':').collect();
                add(format!("x{digits}"), format!("the MAC address {mac}, wherever it is plugged in"));
            }
            Spot::Vio(n) => add(format!("v{n}"), format!("virtual slot {n} of the hypervisor (PowerVM)")),
            Spot::Xen(n) => add(format!("X{n}"), format!("virtual interface {n} of the hypervisor (Xen)")),
            Spot::Ccw(id) => add(format!("c{id}"), format!("channel device {id} (IBM Z)")),
            Spot::Acpi(what, n) => {
                add(format!("a{what}"), format!("{what} in the ACPI tables"));
                add(format!("i{n}"), format!("number {n} of those"));
            }
            Spot::Simulated(n, port) => {
                add(format!("i{n}"), format!("simulated device {n}"));
                add(format!("n{port}"), format!("port {port}"));
            }
        }
    }
}

/// A number as the name has it and, where that differs, as `lspci` and the kernel write it.
fn both(n: u32) -> String {
    if n < 10 { n.to_string() } else { format!("{n} (hexadecimal {n:02x})") }
}

impl Pci {
    fn add_to(&self, parts: &mut Parts) {
        let mut add = |part: String, means: String| parts.push((part, means));
        if self.domain != 0 {
            add(format!("P{}", self.domain), format!("PCI domain {}", both(self.domain)));
        }
        match self.bus {
            Some(bus) => {
                add(format!("p{bus}"), format!("PCI bus {}", both(bus)));
                add(format!("s{}", self.slot), format!("slot {}", both(self.slot)));
            }
            None => {
                let slot = self.slot;
                add(format!("s{slot}"), format!("slot {slot} of the machine, as the firmware numbers them"));
            }
        }
        if let Some(f) = self.function {
            add(format!("f{f}"), format!("function {f}"));
        }
        add_port(self.port.as_ref(), parts);
        if let Some(core) = self.core {
            parts.push((format!("b{core}"), format!("core {core} of a Broadcom bus")));
        }
        if let Some(usb) = &self.usb {
            usb.add_to(parts);
        }
        add_virtual(self.virt, parts);
    }
}

impl Usb {
    fn add_to(&self, parts: &mut Parts) {
        for (at, port) in self.ports.iter().enumerate() {
            let of = if at == 0 { "USB port" } else { "port of the hub there" };
            parts.push((format!("u{port}"), format!("{of} {port}")));
        }
        if self.config != 1 {
            parts.push((format!("c{}", self.config), format!("USB configuration {}", self.config)));
        }
        if self.interface != 0 {
            parts.push((format!("i{}", self.interface), format!("USB interface {}", self.interface)));
        }
    }
}

fn add_port(port: Option<&Port>, parts: &mut Parts) {
    match port {
        Some(Port::Name(name)) => parts.push((format!("n{name}"), format!("port {name}"))),
        Some(Port::Number(n)) => parts.push((format!("d{n}"), format!("port {n} (counted from 0)"))),
        None => {}
    }
}

fn add_virtual(virt: Option<Virtual>, parts: &mut Parts) {
    match virt {
        Some(Virtual::Function(n)) => parts.push((format!("v{n}"), format!("its virtual function {n}"))),
        Some(Virtual::Representor(n)) => {
            parts.push((format!("r{n}"), format!("the host's side of its virtual function {n}")));
        }
        None => {}
    }
}
