//! `.network` files of systemd-networkd.

use super::{Device, Ini, glob};

/// May networkd take this file for that device? What isn't known here (where the device sits, what the machine is) is taken
/// to match; who is to change the file says that it can't be told.
pub fn matches(file: &Ini, device: &Device<'_>) -> bool {
    let mut keys = file.keys("Match").peekable();
    keys.peek().is_some()
        && keys.all(|key| {
            let words: Vec<&str> = file.all("Match", key).flat_map(str::split_whitespace).collect();
            match key {
                "Name" => any(&words, device.name),
                "Type" => device.kind.is_some_and(|kind| any(&words, kind)),
                "Driver" => device.driver.is_none_or(|driver| any(&words, driver)),
                "MACAddress" => device.mac.is_some_and(|mac| is_one_of(&words, mac)),
                "PermanentMACAddress" => {
                    device.permanent_mac.or(device.mac).is_some_and(|mac| is_one_of(&words, mac))
                }
                "SSID" | "BSSID" | "WLANInterfaceType" => false,
                _ => true,
            }
        })
}

/// A `!` before the first turns the list round.
fn any(patterns: &[&str], text: &str) -> bool {
    match patterns.split_first() {
        Some((first, rest)) if first.starts_with('!') => {
            !glob(&first[1..], text) && !rest.iter().any(|pattern| glob(pattern, text))
        }
        _ => patterns.iter().any(|pattern| glob(pattern, text)),
    }
}

fn is_one_of(words: &[&str], mac: &str) -> bool {
    words.iter().any(|word| word.to_ascii_lowercase().replace('-', ":") == mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::config::ini;

    #[test]
    fn what_networkd_would_take() {
        let nic = Device {
            name: "enp4s0",
            mac: Some("52:54:00:00:00:01"),
            kind: Some("ether"),
            driver: Some("e1000e"),
            ..Device::default()
        };
        let does = |text: &str| matches(&ini(text), &nic);
        assert!(does("[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n"));
        assert!(does("# a comment\n[Match]\nName=eth0\nName=enp4s0\nType=ether\n"));
        assert!(does("[Match]\nMACAddress=52-54-00-00-00-01\n"));
        assert!(does("[Match]\nName=!lo eth*\n"));
        assert!(does("[Match]\nKind=!*\nType=ether\n") && does("[Match]\nPath=pci-0000:02:00.0\n"));
        assert!(!does("[Match]\nName=!en*\n"));
        assert!(!does("[Match]\nName=en*\nSSID=home\n"));
        assert!(!does("[Match]\nName=en*\nDriver=igc\n"));
        assert!(!does("[Network]\nName=enp4s0\n") && !does(""));
    }
}
