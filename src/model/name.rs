//! Names and addresses, checked once where they come in.

use std::fmt;
use std::str::FromStr;

/// Why a word isn't the name it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError(String);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NameError {}

/// The name of a network device of the host, as the kernel takes it: 1 to 15 bytes, no blank, no `/`, no `:`, not `.`
/// or `..` (Linux, `dev_valid_name` in `net/core/dev.c`). Byte A0 is a blank to it, whatever character it is part of: of
/// Latin-1's 256, that one is the no-break space (`lib/ctype.c`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName(String);

impl DeviceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DeviceName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let fault = if name.is_empty() {
            "is empty".into()
        } else if name.len() > 15 {
            format!("has {} bytes; the kernel takes 15 at most", name.len())
        } else if name == "." || name == ".." {
            "is no name to the kernel".into()
        } else if let Some(c) = name
            .chars()
            .find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':') || has_blank_byte(*c))
        {
            format!("holds {c:?}, which a device's name can't")
        } else {
            return Ok(DeviceName(name.to_string()));
        };
        Err(NameError(format!("the device name '{}' {fault}", name.escape_debug())))
    }
}

/// Is a byte of the character's UTF-8 a blank to the kernel?
fn has_blank_byte(c: char) -> bool {
    c.encode_utf8(&mut [0; 4]).as_bytes().contains(&0xA0)
}

/// A MAC address; written in lower case with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// Is it the address of a group (its lowest bit of the first byte is set)? No NIC has such a one.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Its bytes.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault =
            || NameError(format!("'{}' is not a MAC address such as 52:54:00:12:34:56", text.escape_debug()));
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = u8::from_str_radix(part.ok_or_else(fault)?, 16).map_err(|_| fault())?;
        }
        if parts.next().is_some() { Err(fault()) } else { Ok(MacAddr(bytes)) }
    }
}

/// How macvtap devices on one parent reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DirectMode {
    /// Through the parent device, in the kernel. What kvmnet writes when nothing is said; libvirt itself would
    /// take `vepa`.
    #[default]
    Bridge,
    /// Only through a switch that sends frames back where they came from.
    Vepa,
    /// Not at all.
    Private,
    /// One guest owns the parent.
    Passthrough,
}

impl DirectMode {
    /// The word in the XML.
    pub fn as_str(self) -> &'static str {
        match self {
            DirectMode::Bridge => "bridge",
            DirectMode::Vepa => "vepa",
            DirectMode::Private => "private",
            DirectMode::Passthrough => "passthrough",
        }
    }
}

impl FromStr for DirectMode {
    type Err = NameError;

    fn from_str(word: &str) -> Result<Self, NameError> {
        use DirectMode as M;
        [M::Bridge, M::Vepa, M::Private, M::Passthrough].into_iter().find(|m| m.as_str() == word).ok_or_else(
            || {
                NameError(format!(
                    "'{}' is no macvtap mode: bridge, vepa, private or passthrough",
                    word.escape_debug()
                ))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn device_names() {
        for good in ["br0", "a", "enp4s0.100", "virbr0-nic", "fifteen-bytes-x", "br\u{e4}"] {
            assert_eq!(good.parse::<DeviceName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a b", "a/b", "eth0:1", "sixteen-bytes-xx", "a\tb", "a\u{0}b", "äääääääää"]
        {
            bad.parse::<DeviceName>().unwrap_err();
        }
        // C3 A0, D0 A0, E2 86 A0, F0 9F A6 A0: the kernel said "Invalid argument" to each.
        for bad in ["br\u{e0}", "\u{420}1", "a\u{21a0}b", "\u{1f9a0}"] {
            let e = bad.parse::<DeviceName>().unwrap_err();
            assert!(e.to_string().contains("which a device's name can't"), "{e}");
        }
        // C4 85 and C3 85: no blank to the kernel.
        for good in ["b\u{105}", "br\u{c5}"] {
            good.parse::<DeviceName>().unwrap();
        }
    }

    #[test]
    fn mac_addresses() {
        assert_eq!("52:54:0:AB:cd:0f".parse::<MacAddr>().unwrap().to_string(), "52:54:00:ab:cd:0f");
        assert!("01:00:5e:00:00:01".parse::<MacAddr>().unwrap().is_multicast());
        assert!(!"52:54:00:00:00:01".parse::<MacAddr>().unwrap().is_multicast());
        for bad in [
            "",
            "52:54:00:12:34",
            "52:54:00:12:34:56:78",
            "52:54:00:12:34:5g",
            "525400123456",
            "+1:2:3:4:5:6",
        ] {
            bad.parse::<MacAddr>().unwrap_err();
        }
    }
}
