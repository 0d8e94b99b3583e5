//! MAC addresses as libvirt reads them.

/// The address, if libvirt takes it (`virMacAddrParse`): six numbers of one or two hexadecimal digits with colons between
/// them. What stands behind a blank after the last one, it doesn't look at; nor behind a character that isn't ASCII.
pub(super) fn read(written: &str) -> Option<[u8; 6]> {
    let mut rest = written;
    let mut bytes = [0; 6];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let number = rest.get(..digits).filter(|_| (1..=2).contains(&digits))?;
        *byte = u8::from_str_radix(number, 16).ok()?;
        rest = &rest[digits..];
        if at < 5 {
            rest = rest.strip_prefix(':')?;
        }
    }
    let ends = rest.bytes().next().is_none_or(|b| b <= b' ' || !b.is_ascii());
    ends.then_some(bytes)
}

/// The address in libvirt's way, if it is written in one of the other usual ways: with hyphens or points, or with nothing
/// between the digits.
pub(super) fn with_colons(written: &str) -> Option<String> {
    let written = written.trim();
    let hyphens = written.replace('-', ":");
    if read(&hyphens).is_some() {
        return Some(hyphens);
    }
    let groups =
        written.bytes().enumerate().all(|(at, b)| b.is_ascii_hexdigit() || (b == b'.' && at % 5 == 4));
    let digits: Vec<char> = written.chars().filter(char::is_ascii_hexdigit).collect();
    if !groups || digits.len() != 12 || !matches!(written.len(), 12 | 14) {
        return None;
    }
    Some(digits.chunks(2).map(String::from_iter).collect::<Vec<_>>().join(":"))
}

/// Does libvirt make an address of its own instead of this one?
pub(super) fn is_zero(mac: [u8; 6]) -> bool {
    mac == [0; 6]
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_libvirt_takes() {
        for good in [
            "52:54:00:12:34:56",
            "0:1:2:a:B:cC",
            "52:54:00:12:34:56 x",
            "52:54:00:12:34:56\n",
            "52:54:00:12:34:56ä",
        ] {
            assert!(read(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "52:54:00:12:34",
            "52:54:00:12:34:",
            "52:54:00:12:34:567",
            "52:54:00:12:34:56:78",
            "52-54-00-12-34-56",
            " 52:54:00:12:34:56",
            "+5:54:00:12:34:56",
            "0x5:54:00:12:34:56",
            "52:54:00:12:34:5g",
            "525400123456",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
