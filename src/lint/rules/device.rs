//! Names of network devices.

use std::ops::Range;

use crate::lint::report::Report;
use crate::model::DeviceName;

/// Says so where no device can have the name.
pub(super) fn check(name: &str, span: impl Fn() -> Range<usize>, report: &mut Report) {
    if matches!(name, "all" | "default") {
        let what = format!("no device can be called '{name}': the kernel means all of them by it");
        report.at(span(), what).help("take another name");
    } else if let Err(e) = name.parse::<DeviceName>()
        && !takes(name)
    {
        report.at(span(), e.to_string()).help("at most 15 bytes, without blanks, '/' and ':'");
    }
}

/// Does the kernel take it (`dev_valid_name`)? It looks at bytes: of what is a blank or obeyed by a terminal, it knows few.
fn takes(name: &str) -> bool {
    let is_refused = |byte: u8| matches!(byte, b'/' | b':' | b' ' | 9..=13 | 0xa0);
    (1..=15).contains(&name.len()) && !matches!(name, "." | "..") && !name.bytes().any(is_refused)
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn what_the_kernel_takes() {
        for name in ["a", "w\u{3000}x", "w\u{9b}x", "w\u{85}x", "123456789012345"] {
            assert!(takes(name), "{name:?}");
        }
        // One byte of 'à' is a blank to it.
        for name in ["", ".", "..", "a b", "a/b", "a:b", "a\u{a0}b", "à", "1234567890123456"] {
            assert!(!takes(name), "{name:?}");
        }
    }
}
