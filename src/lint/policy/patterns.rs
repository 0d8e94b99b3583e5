//! Patterns: of paths, from the policy's folder on, and of names.
//!
//! `*` and `?` stand for anything but a `/`, `**` for folders at any depth, `[a-c]` for one of these, `{a,b}` for either. A
//! pattern means the whole path: `lab` is the `lab` beside the policy, `**/lab` one anywhere. A folder that is meant
//! brings along all that is in it.

use std::collections::HashSet;
use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// The longest pattern, in bytes: no path is longer.
const LONGEST: usize = 4096;

/// The most braces in a pattern. They can stand in one another, and globset goes down into them.
const MOST_BRACES: usize = 50;

/// Patterns of paths.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    set: GlobSet,
    /// The patterns as they are written, in order.
    words: Vec<String>,
}

/// Patterns of names.
#[derive(Debug, Clone, Default)]
pub struct Names(GlobSet);

/// Patterns together: one that is asked once for all.
pub(super) fn set(patterns: Vec<Glob>) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(pattern);
    }
    set.build()
}

impl Names {
    pub(super) fn new(set: GlobSet) -> Names {
        Names(set)
    }

    /// Does one of the patterns mean this name?
    pub fn mean(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl Paths {
    pub(super) fn new(set: GlobSet, words: Vec<String>) -> Paths {
        Paths { set, words }
    }

    /// Is just this path meant?
    pub fn has(&self, path: &Path) -> bool {
        !self.set.is_empty() && self.set.is_match(path)
    }

    /// The patterns that mean none of these paths.
    pub fn without<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> Vec<&str> {
        let used: HashSet<usize> = paths.flat_map(|path| self.set.matches(path)).collect();
        let words = self.words.iter().enumerate();
        words.filter(|(number, _)| !used.contains(number)).map(|(_, word)| word.as_str()).collect()
    }

    /// Is this path meant, or a folder that it is in?
    pub fn cover(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.has(path))
    }
}

/// Why a word is no pattern, and what to write.
#[derive(Debug)]
pub(super) struct NoPattern(pub(super) String, pub(super) Option<String>);

/// A pattern of paths.
///
/// # Errors
/// Why it is none, and what to write.
pub(super) fn path(word: &str) -> Result<Glob, NoPattern> {
    let shown = word.escape_debug();
    if word.starts_with('/') {
        let help =
            format!("paths begin in the policy's folder: '{}'", word.trim_start_matches('/').escape_debug());
        return Err(NoPattern(format!("'{shown}' begins with a /"), Some(help)));
    }
    let parts: Vec<&str> = word.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        let help = "a policy is about the files in its folder; put it into a folder above all of them";
        return Err(NoPattern(format!("'{shown}' leads out of the policy's folder"), Some(help.into())));
    }
    match parts.join("/") {
        _ if word.is_empty() => Err(NoPattern("a pattern is empty".into(), None)),
        // The policy's folder itself: all that is in it.
        joined if joined.is_empty() => glob("**", true),
        joined => glob(&joined, true),
    }
}

fn glob(pattern: &str, is_path: bool) -> Result<Glob, NoPattern> {
    if pattern.len() > LONGEST || pattern.matches('{').count() > MOST_BRACES {
        let help = "write several patterns";
        return Err(NoPattern(
            format!("a pattern of {} bytes is too much for one", pattern.len()),
            Some(help.into()),
        ));
    }
    let built = GlobBuilder::new(pattern).literal_separator(is_path).build();
    built.map_err(|e| NoPattern(format!("'{}' is no pattern: {}", pattern.escape_debug(), e.kind()), None))
}

/// A pattern of names, which may have a `/` in them as any other character.
///
/// # Errors
/// Why it is none.
pub(super) fn name(word: &str) -> Result<Glob, NoPattern> {
    if word.is_empty() {
        return Err(NoPattern("a name is empty".into(), None));
    }
    glob(word, false)
}

/// What a key of `[house]` lists.
#[derive(Debug, Clone)]
pub struct Words {
    words: Vec<String>,
    /// The words as patterns, if that is what they are.
    patterns: Names,
    line: usize,
}

impl Words {
    pub(super) fn new(words: Vec<String>, patterns: Names, line: usize) -> Words {
        Words { words, patterns, line }
    }

    /// The words, as they are compared.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Does one of the patterns mean this name?
    pub fn mean(&self, name: &str) -> bool {
        self.patterns.mean(name)
    }

    /// The line of the policy that they stand in, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The first of them, for messages: `br0, br1 or br2`.
    pub fn list(&self) -> String {
        const MOST: usize = 6;
        let all = &self.words;
        match all.as_slice() {
            [] => "none".into(),
            [one] => one.clone(),
            [..] if all.len() > MOST => {
                format!("{} or one of {} more", all[..MOST].join(", "), all.len() - MOST)
            }
            [before @ .., last] => format!("{} or {last}", before.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_pattern_of_paths_means() {
        for (pattern, yes, no) in [
            ("lab", "lab/a.xml lab/deep/er/a.xml", "a.xml labs/a.xml x/lab/a.xml lab.xml"),
            ("lab/", "lab/a.xml", "labs/a.xml x/lab/a.xml"),
            ("./lab", "lab/a.xml lab/b/a.xml", "a.xml"),
            ("lab//x/./y", "lab/x/y/a.xml", "lab/x/a.xml"),
            ("lab/**", "lab/a.xml lab/b/a.xml", "a.xml x/lab/a.xml"),
            ("lab/*", "lab/a.xml lab/b/a.xml", "a.xml"),
            ("lab/*.xml", "lab/a.xml", "lab/b/a.xml"),
            ("*", "a.xml lab/a.xml", ""),
            ("*.xml", "a.xml", "lab/a.xml"),
            ("**", "a.xml lab/b/a.xml", ""),
            (".", "a.xml lab/b/a.xml", ""),
            ("**/lab", "lab/a.xml x/lab/a.xml x/y/lab/z/a.xml", "x/labs/a.xml"),
            ("**/*.live.xml", "a.live.xml x/y/a.live.xml", "a.xml"),
            ("hosts/{a,b}", "hosts/a/x.xml hosts/b/y/x.xml", "hosts/c/x.xml"),
            ("vm?/[ab].xml", "vm1/a.xml", "vm/a.xml vm12/a.xml vm1/c.xml"),
        ] {
            let paths = Paths::new(set(vec![path(pattern).unwrap()]).unwrap(), vec![pattern.into()]);
            for file in yes.split_whitespace() {
                assert!(paths.cover(Path::new(file)), "{pattern} means {file}");
            }
            for file in no.split_whitespace() {
                assert!(!paths.cover(Path::new(file)), "{pattern} doesn't mean {file}");
            }
        }
        assert!(!Paths::default().cover(Path::new("a.xml")));
        let two = ["lab", "hosts/*"].map(String::from);
        let paths =
            Paths::new(set(two.iter().map(|word| path(word).unwrap()).collect()).unwrap(), two.into());
        assert_eq!(paths.without(["lab", "x"].iter().map(Path::new)), ["hosts/*"]);
        assert!(paths.without(["hosts/a", "lab"].iter().map(Path::new)).is_empty());
    }

    #[test]
    fn what_is_no_pattern() {
        let (deep, long) = ("{".repeat(51) + "a" + &"}".repeat(51), "x".repeat(4097));
        for (pattern, reason, help) in [
            (deep.as_str(), "too much", "several"),
            (&long, "too much", "several"),
            ("", "empty", ""),
            ("/srv/vm", "begins with a /", "'srv/vm'"),
            ("../vm", "leads out", "above"),
            ("vm/../../x", "leads out", "above"),
            ("vm[", "unclosed", ""),
            ("{a", "unclosed", ""),
        ] {
            let NoPattern(why, what) = path(pattern).unwrap_err();
            assert!(why.contains(reason) && what.unwrap_or_default().contains(help), "{pattern}: {why}");
        }
    }

    #[test]
    fn names_are_whole() {
        let words = |all: &[&str]| {
            let patterns = set(all.iter().map(|word| name(word).unwrap()).collect()).unwrap();
            Words::new(all.iter().map(ToString::to_string).collect(), Names(patterns), 1)
        };
        let some = words(&["br0", "br-*", "vm[12]"]);
        assert!(["br0", "br-", "br-a/b", "vm1"].iter().all(|name| some.mean(name)));
        assert!(!["br", "br01", "xbr0", "BR0", "vm12", ""].iter().any(|name| some.mean(name)));
        assert_eq!(some.list(), "br0, br-* or vm[12]");
        assert_eq!(words(&["a"]).list(), "a");
        assert_eq!(
            words(&["a", "b", "c", "d", "e", "f", "g", "h"]).list(),
            "a, b, c, d, e, f or one of 2 more"
        );
        name("").unwrap_err();
    }
}
