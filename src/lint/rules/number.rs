//! Numbers as libvirt reads them.

/// A number as C writes it: `0x…` is hexadecimal, `0…` octal.
pub(super) fn c_like(written: &str) -> Option<u32> {
    let written = written.trim_start();
    match written.strip_prefix("0x").or_else(|| written.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if written.len() > 1 && written.starts_with('0') => u32::from_str_radix(&written[1..], 8).ok(),
        None => written.parse().ok(),
    }
}

/// Is it surely no number to libvirt? A sign, and blanks before it, it takes here and there; which number it is then,
/// isn't asked.
pub(super) fn is_none(written: &str) -> bool {
    let digits = written.trim_start().trim_start_matches(['+', '-']);
    digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit())
}
