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

/// A whole number, as libvirt reads those that it reads strictly (`virStrToLong_ull`, base 10): a sign, and blanks before
/// it, are taken; nothing may follow. Negative ones are none.
pub(super) fn read(written: &str) -> Option<u64> {
    written.trim_start().parse().ok()
}

/// The same with octal and hexadecimal ones, as in C.
pub(super) fn read_c(written: &str) -> Option<u64> {
    read(written)
        .filter(|_| !written.trim_start().starts_with('0'))
        .or_else(|| c_like(written).map(u64::from))
}
