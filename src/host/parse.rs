//! Reading names of the scheme.

use super::spot::{Pci, Port, Prefix, SchemeName, Spot, Usb, Virtual};
use crate::model::MacAddr;

/// The name, if it is one of the scheme, written as udev would write it.
pub(super) fn scheme(name: &str) -> Option<SchemeName> {
    let prefix = Prefix::ALL.into_iter().find(|p| name.starts_with(p.as_str()))?;
    let rest = name.get(2..)?;
    let spot = spot(rest)?;
    Some(SchemeName { prefix, spot }).filter(|parsed| parsed.to_string() == name)
}

fn spot(text: &str) -> Option<Spot> {
    let tail = text.get(1..)?;
    let mut rest = Rest(text);
    let spot = match text.chars().next()? {
        'x' => return mac(tail).map(Spot::Mac),
        'c' => return is(tail, |c| c.is_ascii_hexdigit() || c == '.').then(|| Spot::Ccw(tail.into())),
        'a' => return acpi(tail),
        'i' => {
            let number = rest.tagged('i')?;
            let port = rest.0.strip_prefix('n').filter(|port| is(port, char::is_alphanumeric))?;
            return Some(Spot::Simulated(number, port.into()));
        }
        'o' => Spot::Onboard { index: rest.tagged('o')?, port: rest.port(), virt: rest.virt() },
        'd' => Spot::DeviceTree(rest.tagged('d')?),
        'v' => Spot::Vio(rest.tagged('v')?),
        'X' => Spot::Xen(rest.tagged('X')?),
        'u' => Spot::Usb(rest.usb()?),
        'P' | 'p' | 's' => Spot::Pci(rest.pci()?),
        _ => return None,
    };
    rest.0.is_empty().then_some(spot)
}

fn is(text: &str, test: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}

/// Twelve hexadecimal digits.
fn mac(digits: &str) -> Option<MacAddr> {
    let is_mac = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let pairs: Vec<&str> = (0..6).filter_map(|n| digits.get(2 * n..2 * n + 2)).collect();
    if is_mac { pairs.join(":").parse().ok() } else { None }
}

/// Three or four letters of a vendor, a model in hexadecimal, `i` and which of them.
fn acpi(text: &str) -> Option<Spot> {
    let (what, instance) = text.rsplit_once('i')?;
    let mut number = Rest(instance);
    let instance = number.number().filter(|_| number.0.is_empty())?;
    let is_what = (4..=8).contains(&what.len()) && is(what, |c| c.is_ascii_lowercase() || c.is_ascii_digit());
    is_what.then(|| Spot::Acpi(what.into(), instance))
}

/// What is still to be read.
pub(super) struct Rest<'a>(pub(super) &'a str);

impl Rest<'_> {
    /// A number without needless zeros.
    pub(super) fn number(&mut self) -> Option<u32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        let number = digits.parse().ok()?;
        self.0 = rest;
        Some(number)
    }

    /// A letter and a number; if that isn't what comes, nothing is taken.
    pub(super) fn tagged(&mut self, letter: char) -> Option<u32> {
        let mut after = Rest(self.0.strip_prefix(letter)?);
        let number = after.number()?;
        self.0 = &self.0[self.0.len() - after.0.len()..];
        Some(number)
    }

    fn pci(&mut self) -> Option<Pci> {
        let domain = self.tagged('P').unwrap_or(0);
        let bus = self.tagged('p');
        Some(Pci {
            domain,
            bus,
            slot: self.tagged('s')?,
            function: self.tagged('f'),
            port: self.port(),
            core: self.tagged('b'),
            usb: self.usb(),
            virt: self.virt(),
        })
    }

    fn port(&mut self) -> Option<Port> {
        if let Some(number) = self.tagged('d') {
            return Some(Port::Number(number));
        }
        let name = self.0.strip_prefix('n').filter(|name| is(name, |c| c.is_ascii_alphanumeric()))?;
        // A driver's names of ports are p0, p0s1, pf0vf3; a virtual function of port p0 has its own number behind that.
        let end = match name.rsplit_once(['v', 'r']) {
            Some((port, n))
                if port.ends_with(|c: char| c.is_ascii_digit()) && is(n, |c| c.is_ascii_digit()) =>
            {
                port.len()
            }
            _ => name.len(),
        };
        let (port, rest) = name.split_at(end);
        self.0 = rest;
        Some(Port::Name(port.into()))
    }

    fn usb(&mut self) -> Option<Usb> {
        let ports: Vec<u32> = std::iter::from_fn(|| self.tagged('u')).collect();
        if ports.is_empty() {
            return None;
        }
        let config = self.tagged('c').unwrap_or(1);
        Some(Usb { ports, config, interface: self.tagged('i').unwrap_or(0) })
    }

    fn virt(&mut self) -> Option<Virtual> {
        let function = self.tagged('v').map(Virtual::Function);
        function.or_else(|| self.tagged('r').map(Virtual::Representor))
    }
}
