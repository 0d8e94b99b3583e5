//! Paths as URIs.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

/// A path as a URI: relative as it is relative, with every byte that can't stand in one written as `%FF`.
pub(super) fn uri(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            // `file:///a` has its third slash from what comes behind.
            Component::RootDir => parts.push(String::from("file://")),
            Component::CurDir => {}
            _ => parts.push(encoded(part.as_os_str().as_bytes())),
        }
    }
    match (parts.as_slice(), path.is_absolute()) {
        ([], _) => ".".into(),
        ([root], true) => format!("{root}/"),
        _ => parts.join("/"),
    }
}

fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::OsStr;

    #[test]
    fn as_others_write_them() {
        for (path, wanted) in [
            ("vm/web1.xml", "vm/web1.xml"),
            ("./vm//web1.xml", "vm/web1.xml"),
            ("../a b.xml", "../a%20b.xml"),
            ("/srv/vm/a.xml", "file:///srv/vm/a.xml"),
            ("c:\\d", "c%3A%5Cd"),
            ("ä#?%\n.xml", "%C3%A4%23%3F%25%0A.xml"),
            ("-", "-"),
            (".", "."),
            ("/", "file:///"),
        ] {
            assert_eq!(uri(Path::new(path)), wanted);
        }
    }

    proptest! {
        /// Every byte comes back.
        #[test]
        fn any_bytes(name in prop::collection::vec(1u8..=255, 1..20)) {
            let name: Vec<u8> = name.into_iter().filter(|&byte| byte != b'/').chain(*b".xml").collect();
            let written = uri(Path::new(OsStr::from_bytes(&name)));
            let mut read = Vec::new();
            let mut bytes = written.bytes();
            while let Some(byte) = bytes.next() {
                read.push(match byte {
                    b'%' => {
                        let hex = [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)];
                        u8::from_str_radix(&String::from_utf8_lossy(&hex), 16).unwrap_or(0)
                    }
                    byte => byte,
                });
            }
            prop_assert_eq!(read, name);
        }
    }
}
