//! Patterns as the shell has them.

/// Does the text fit the pattern: `*`, `?`, `[a-z]`, `[!a]`?
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what came after the last star didn't fit.
    let mut back: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            back = Some((p + 1, t));
            p += 1;
            continue;
        }
        let step = match text.get(t) {
            None if p == pattern.len() => return true,
            None => None,
            Some(c) => one(&pattern[p..], *c),
        };
        match (step, back) {
            (Some(step), _) => (p, t) = (p + step, t + 1),
            (None, Some((after, from))) if from < text.len() => {
                back = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// The length of the pattern's first element, if the character fits it.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => set(pattern, c).or((c == '[').then_some(1)),
        first => (*first == c).then_some(1),
    }
}

fn set(pattern: &[char], c: char) -> Option<usize> {
    let is_not = matches!(pattern.get(1), Some('!' | '^'));
    let start = if is_not { 2 } else { 1 };
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let inside = &pattern[start..end];
    let mut at = 0;
    let mut is_in = false;
    while at < inside.len() {
        if at + 2 < inside.len() && inside[at + 1] == '-' {
            is_in |= (inside[at]..=inside[at + 2]).contains(&c);
            at += 3;
        } else {
            is_in |= inside[at] == c;
            at += 1;
        }
    }
    (is_in != is_not).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("en*", "enp4s0"),
            ("*", ""),
            ("e?p[0-9]s0", "enp4s0"),
            ("[!l]*", "eth0"),
            ("*s*0", "ens3s0"),
            ("[a", "[a"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("en*", "eth0"), ("e?", "e"), ("[!e]*", "eth0"), ("en*0", "enp4s1"), ("", "a")]
        {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern(pattern in "[a*?!\\[\\]-]{0,12}", text in "[a*\\[\\]-]{0,12}") {
            let _ = glob(&pattern, &text);
            let plain = format!("*{text}").replace(['[', '?'], "?");
            prop_assert!(glob(&plain, &text));
        }
    }
}
