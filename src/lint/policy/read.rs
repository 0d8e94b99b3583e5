//! The text of a policy: TOML, in which every key, code, value and pattern must be known. What isn't is told with its place
//! and what may have been meant.

use std::collections::BTreeMap;

use globset::{Glob, GlobSet};
use toml::de::{DeTable, DeValue};

use super::patterns::{self, Names, NoPattern, Paths, Words};
use super::text::{PolicyError, Text, Value, Word, kind, near};
use super::{Choice, House, Override, Policy};
use crate::lint::rule::Severity;
use crate::lint::rules;

/// The keys outside of tables, and the tables.
const TOP: &[&str] =
    &["select", "ignore", "exclude", "sets", "known-networks", "severity", "override", "house"];
/// The keys of an `[[override]]`.
const OVERRIDE: &[&str] = &["paths", "select", "ignore", "severity"];
/// The keys of `[house]`.
const HOUSE: &[&str] = &["bridges", "networks", "models", "mac-prefixes", "filters", "forbidden-types"];

/// Reads a policy.
pub(super) fn policy(text: &str) -> Result<Policy, PolicyError> {
    let here = Text(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let place = |e: &toml::de::Error| e.span().unwrap_or(text.len()..text.len());
    if let Some(first) = errors.iter().min_by_key(|e| place(e).start) {
        let reason = format!("it isn't TOML: {}", first.message().replace('\n', ", "));
        return Err(here.error(&place(first), reason, None));
    }
    let mut out = Policy::default();
    out.house.policy = "kvmnet.toml".into();
    for (key, value) in here.entries(table.get_ref(), "", TOP, instead_of_key)? {
        match key {
            "exclude" => out.exclude = here.paths(key, value)?,
            "sets" => out.sets = here.paths(key, value)?,
            "known-networks" => {
                let words = here.words(key, value)?;
                out.known_networks = Names::new(here.patterns(key, value, &words, patterns::name)?);
            }
            "override" => out.overrides = here.overrides(value)?,
            "house" => here.house(value, &mut out.house)?,
            _ => here.choose(key, value, &mut out.choice)?,
        }
    }
    Ok(out)
}

impl Text<'_> {
    /// The words of a list as patterns.
    fn patterns(
        &self,
        key: &str,
        value: &Value<'_>,
        words: &[Word<'_>],
        read: fn(&str) -> Result<Glob, NoPattern>,
    ) -> Result<GlobSet, PolicyError> {
        let one = |(word, at): &Word<'_>| {
            read(word).map_err(|NoPattern(reason, help)| self.error(at, reason, help))
        };
        let globs: Vec<Glob> = words.iter().map(one).collect::<Result<_, _>>()?;
        patterns::set(globs).map_err(|e| {
            self.error(
                &value.span(),
                format!("'{key}' has more patterns than can be used: {}", e.kind()),
                None,
            )
        })
    }

    fn paths(&self, key: &str, value: &Value<'_>) -> Result<Paths, PolicyError> {
        let words = self.words(key, value)?;
        let set = self.patterns(key, value, &words, patterns::path)?;
        Ok(Paths::new(set, words.iter().map(|(word, _)| (*word).to_string()).collect()))
    }

    /// The keys that a policy and its overrides share.
    fn choose(&self, key: &str, value: &Value<'_>, choice: &mut Choice) -> Result<(), PolicyError> {
        let codes = |words: Vec<Word<'_>>| -> Result<Vec<&'static str>, PolicyError> {
            let codes: Result<Vec<_>, _> = words.iter().map(|word| self.codes(word)).collect();
            Ok(codes?.concat())
        };
        match key {
            "select" => {
                let without = "then all rules are on";
                choice.select = Some(codes(self.some_words(key, value, without)?)?);
            }
            "ignore" => choice.ignore = codes(self.words(key, value)?)?,
            _ => choice.severity = self.severities(value)?,
        }
        Ok(())
    }

    /// The rules that a word means.
    fn codes(&self, (word, at): &Word<'_>) -> Result<Vec<&'static str>, PolicyError> {
        rules::codes(word).map_err(|near| {
            let help = match near {
                Some(near) => format!("did you mean {near}?"),
                None => "'kvmnet check --list-rules' shows them all".into(),
            };
            self.error(at, format!("there is no rule '{}'", word.escape_debug()), Some(help))
        })
    }

    fn severities(&self, value: &Value<'_>) -> Result<BTreeMap<&'static str, Severity>, PolicyError> {
        let table = self.table(value, "severity", "[severity]")?;
        let mut entries: Vec<_> = table.iter().collect();
        // What says more is said later: KN105 goes before KN1.
        entries.sort_by_key(|(key, _)| (key.get_ref().len(), key.span().start));
        let mut out = BTreeMap::new();
        for (key, value) in entries {
            let codes = self.codes(&(key.get_ref(), key.span()))?;
            let severity = self.severity(value)?;
            out.extend(codes.into_iter().map(|code| (code, severity)));
        }
        Ok(out)
    }

    fn severity(&self, value: &Value<'_>) -> Result<Severity, PolicyError> {
        const WORDS: [&str; 2] = ["error", "warning"];
        let DeValue::String(word) = value.get_ref() else {
            let reason = format!("a severity is a word, and this is {}", kind(value.get_ref()));
            return Err(self.error(&value.span(), reason, Some("write \"error\" or \"warning\"".into())));
        };
        let help = match (&**word, near(word, &WORDS)) {
            ("error", _) => return Ok(Severity::Error),
            ("warning", _) => return Ok(Severity::Warning),
            ("off" | "none" | "ignore" | "allow", _) => "'ignore' turns rules off".to_string(),
            ("warn", _) => "did you mean \"warning\"?".into(),
            (_, Some(near)) => format!("did you mean \"{near}\"?"),
            _ => "write \"error\" or \"warning\"".into(),
        };
        let reason = format!("there is no severity '{}'", word.escape_debug());
        Err(self.error(&value.span(), reason, Some(help)))
    }

    fn overrides(&self, value: &Value<'_>) -> Result<Vec<Override>, PolicyError> {
        let help = || Some("write [[override]] above each, with two brackets".to_string());
        let DeValue::Array(list) = value.get_ref() else {
            let reason = "'override' is a list of tables".to_string();
            return Err(self.error(&value.span(), reason, help()));
        };
        let one = |item: &Value<'_>| {
            let DeValue::Table(table) = item.get_ref() else {
                let reason = format!("'override' is a list of tables, and this is {}", kind(item.get_ref()));
                return Err(self.error(&item.span(), reason, help()));
            };
            let (mut paths, mut choice) = (None, Choice::default());
            for (key, value) in self.entries(table, "an [[override]]", OVERRIDE, instead_of_key)? {
                if key == "paths" {
                    self.some_words(key, value, "what goes for all files stands outside of overrides")?;
                    paths = Some(self.paths(key, value)?);
                } else {
                    self.choose(key, value, &mut choice)?;
                }
            }
            let missing = || {
                let help = "write paths = [\"lab\"]: the files and folders that it is about";
                self.error(&item.span(), "this [[override]] has no 'paths'", Some(help.into()))
            };
            Ok(Override { paths: paths.ok_or_else(missing)?, choice })
        };
        list.iter().map(one).collect()
    }

    fn house(&self, value: &Value<'_>, house: &mut House) -> Result<(), PolicyError> {
        for (key, value) in
            self.entries(self.table(value, "house", "[house]")?, "[house]", HOUSE, instead_of_key)?
        {
            let line = self.error(&value.span(), "", None).line;
            let nothing = "an empty list would forbid every NIC";
            let names = |words: Vec<Word<'_>>| -> Result<Option<Words>, PolicyError> {
                let patterns = Names::new(self.patterns(key, value, &words, patterns::name)?);
                Ok(Some(Words::new(words.into_iter().map(|(word, _)| word.into()).collect(), patterns, line)))
            };
            let plain = |words: Vec<String>| Some(Words::new(words, Names::default(), line));
            match key {
                // None at all may be what is wanted of these two.
                "bridges" => house.bridges = names(self.words(key, value)?)?,
                "networks" => house.networks = names(self.words(key, value)?)?,
                "filters" => house.filters = names(self.some_words(key, value, nothing)?)?,
                "models" => {
                    let words = self.some_words(key, value, nothing)?;
                    let lower: Vec<_> = words.iter().map(|(word, at)| (word.to_lowercase(), at)).collect();
                    house.models = names(lower.iter().map(|(word, at)| (&**word, (*at).clone())).collect())?;
                }
                "mac-prefixes" => {
                    let words = self.some_words(key, value, nothing)?;
                    let words = words.iter().map(|word| self.mac_prefix(word)).collect::<Result<_, _>>()?;
                    house.mac_prefixes = plain(words);
                }
                _ => {
                    let words = self.words(key, value)?;
                    let words = words.iter().map(|word| self.nic_type(word)).collect::<Result<_, _>>()?;
                    house.forbidden_types = plain(words);
                }
            }
        }
        Ok(())
    }

    /// Whole bytes with colons between them, in lower case.
    fn mac_prefix(&self, (word, at): &Word<'_>) -> Result<String, PolicyError> {
        let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
        let is_prefix = |word: &str| word.split(':').all(is_byte) && word.split(':').count() <= 6;
        let lower = word.to_ascii_lowercase();
        if is_prefix(&lower) {
            return Ok(lower);
        }
        let digits: String = lower.chars().filter(|c| !":-.* ".contains(*c)).collect();
        let pairs: Vec<&str> = (0..digits.len()).step_by(2).filter_map(|n| digits.get(n..n + 2)).collect();
        let meant = Some(pairs.join(":")).filter(|meant| is_prefix(meant) && digits.len().is_multiple_of(2));
        let help = match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => "write whole bytes with colons between them, one to six, as in 52:54:00".into(),
        };
        let reason = format!("'{}' isn't the beginning of a MAC address", word.escape_debug());
        Err(self.error(at, reason, Some(help)))
    }

    fn nic_type(&self, (word, at): &Word<'_>) -> Result<String, PolicyError> {
        if rules::NIC_TYPES.contains(word) {
            return Ok((*word).to_string());
        }
        let help = match rules::nic_type_called(word).or_else(|| near(word, rules::NIC_TYPES)) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("they are {}", rules::NIC_TYPES.join(", ")),
        };
        let reason = format!("there is no NIC of type '{}'", word.escape_debug());
        Err(self.error(at, reason, Some(help)))
    }
}

/// What to write instead of a key that isn't known among these.
fn instead_of_key(word: &str, keys: &[&'static str]) -> String {
    if let Some(near) = near(word, keys) {
        return format!("did you mean {near}?");
    }
    match word {
        _ if near(word, HOUSE).is_some() => format!("{word} belongs below [house]"),
        "paths" => "paths belongs below [[override]]".into(),
        "house" => "the rules of the house go for all files: write a table [house]".into(),
        "override" => "write [[override]], with the files that it goes for in paths".into(),
        _ if near(word, TOP).is_some() => format!("{word} belongs above the first line in brackets"),
        _ => format!("there are {}", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::lint::Settings;

    fn read(text: &str) -> Policy {
        policy(text).unwrap()
    }

    #[test]
    fn all_that_a_policy_can_say() {
        let policy = read(
            r#"
            select = ["KN0", "kn301"]
            ignore = ["KN017"]
            exclude = ["old", "**/*.live.xml"]
            sets = ["hosts/*"]
            known-networks = ["lab-*"]

            [severity]
            KN012 = "error"
            KN01 = "warning"

            [[override]]
            paths = ["lab"]
            ignore = ["KN012"]

            [[override]]
            paths = ["lab/new"]
            select = ["KN012"]
            severity = { KN012 = "warning" }

            [house]
            bridges = []
            networks = ["default"]
            models = ["VirtIO"]
            mac-prefixes = ["52:54:00", "02:CA:fe:0A:0b:0C"]
            filters = ["clean-*"]
            forbidden-types = ["user"]
            "#,
        );
        let select = policy.choice.select.as_ref().unwrap();
        assert!(select.contains(&"KN001") && select.contains(&"KN301") && !select.contains(&"KN302"));
        assert_eq!(policy.choice.ignore, ["KN017"]);
        assert_eq!(
            policy.choice.severity["KN012"],
            Severity::Error,
            "what says more goes before what says less"
        );
        assert_eq!(policy.choice.severity["KN016"], Severity::Warning);
        assert!(policy.excludes(Path::new("old/x/a.xml")) && policy.excludes(Path::new("x/a.live.xml")));
        assert!(!policy.excludes(Path::new("x/old/a.xml")));
        assert_eq!(policy.set_of(Path::new("hosts/a/vm/x.xml")), Path::new("hosts/a"));
        assert_eq!(policy.set_of(Path::new("hosts/x.xml")), Path::new(""));
        assert!(policy.known_networks.mean("lab-1"));
        let house = &policy.house;
        let words = |words: &Option<Words>| words.as_ref().unwrap().words().join(" ");
        assert_eq!(words(&house.bridges), "");
        assert!(house.models.as_ref().unwrap().mean("virtio") && house.models.as_ref().unwrap().line() == 24);
        assert_eq!(words(&house.mac_prefixes), "52:54:00 02:ca:fe:0a:0b:0c");
        assert_eq!(words(&house.forbidden_types), "user");

        let severity = |file: &str, code: &str| {
            let typed = Choice::default();
            Settings::new(&policy, &policy.overrides_of(Path::new(file)), &typed).severity(code)
        };
        assert_eq!(severity("a.xml", "KN012"), Some(Severity::Error));
        assert_eq!(severity("a.xml", "KN017"), None);
        assert_eq!(severity("a.xml", "KN302"), None);
        assert_eq!(severity("lab/x/a.xml", "KN012"), None, "an override covers what is in a folder");
        assert_eq!(severity("lab/new/a.xml", "KN012"), Some(Severity::Warning), "the last one decides");
        assert_eq!(severity("lab/new/a.xml", "KN011"), None, "of a selection, nothing else is on");
    }

    #[test]
    fn what_was_typed_goes_before_and_leaves_the_rest() {
        let policy = read("ignore = ['KN012']\nseverity.KN012 = 'error'");
        let typed = Choice { select: Some(vec!["KN012"]), ..Choice::default() };
        let settings = Settings::new(&policy, &[], &typed);
        assert_eq!(settings.severity("KN012"), Some(Severity::Error), "it is as bad as the policy says");
        assert_eq!(settings.severity("KN011"), None);
    }

    #[test]
    fn what_no_policy_says() {
        for (text, line, column, reason, help) in [
            ("selct = []", 1, 1, "no key 'selct'", "select"),
            ("\n  Known_Networks = []", 2, 3, "no key", "known-networks"),
            ("bridges = ['br0']", 1, 1, "no key", "below [house]"),
            ("[house]\nexclude = ['x']", 2, 1, "no key 'exclude' in [house]", "above the first line"),
            ("[[override]]\npath = ['x']", 2, 1, "no key", "paths"),
            ("xyz = 1", 1, 1, "no key", "select, ignore"),
            ("ignore = 'KN012'", 1, 10, "list of words", "[\"KN012\"]"),
            ("ignore = [\n 3]", 2, 2, "a number", "quotes"),
            ("ignore = true", 1, 10, "true or false", "[\"…\"]"),
            ("ignore = ['KN999']", 1, 11, "no rule 'KN999'", "--list-rules"),
            ("ignore = ['KNO12']", 1, 11, "no rule", "KN012"),
            ("ignore = ['mac-reserved']", 1, 11, "no rule", "KN012"),
            ("select = []", 1, 10, "empty", "all rules are on"),
            ("exclude = ['/x']", 1, 12, "begins with a /", "'x'"),
            ("sets = ['a/../..']", 1, 9, "leads out", "above"),
            ("exclude = ['ä', 'x[']", 1, 17, "no pattern", ""),
            ("known-networks = ['']", 1, 19, "empty", ""),
            ("severity = 'error'", 1, 12, "a table", "[severity]"),
            ("[severity]\nKN012 = 'eror'", 2, 9, "no severity", "error"),
            ("[severity]\nKN012 = 'off'", 2, 9, "no severity", "ignore"),
            ("[severity]\nKN012 = 1", 2, 9, "a number", "warning"),
            ("[severity]\nKN999 = 'error'", 2, 1, "no rule", "--list-rules"),
            ("[override]\npaths = ['x']", 1, 1, "list of tables", "[[override]]"),
            ("override = [1]", 1, 13, "a number", "[[override]]"),
            ("[[override]]\nignore = ['KN012']", 1, 1, "no 'paths'", "paths ="),
            ("[[override]]\npaths = []", 2, 9, "empty", "all files"),
            ("[house]\nmodels = []", 2, 10, "empty", "forbid every NIC"),
            ("[house]\nmac-prefixes = ['52-54-0A']", 2, 17, "MAC address", "52:54:0a"),
            ("[house]\nmac-prefixes = ['52:54:0']", 2, 17, "MAC address", "whole bytes"),
            ("[house]\nmac-prefixes = ['ä2:54']", 2, 17, "MAC address", "whole bytes"),
            ("[house]\nmac-prefixes = ['1:2:3:4:5:6:7']", 2, 17, "MAC address", "whole bytes"),
            ("[house]\nforbidden-types = ['macvtap']", 2, 20, "no NIC of type", "direct"),
            ("[house]\nforbidden-types = ['brigde']", 2, 20, "no NIC of type", "bridge"),
            ("[house]\nforbidden-types = ['x']", 2, 20, "no NIC of type", "network, bridge"),
            ("house = []", 1, 9, "a list", "[house]"),
            ("ignore = ['KN012'", 1, 18, "isn't TOML", ""),
            ("ignore = []\nignore = []", 2, 1, "isn't TOML", ""),
            ("select", 1, 7, "isn't TOML", ""),
        ] {
            let e = policy(text).unwrap_err();
            assert_eq!((e.line, e.column), (line, column), "{text}: {e}");
            let said = e.help.clone().unwrap_or_default();
            assert!(e.reason.contains(reason) && said.contains(help), "{text}: {e}; {said}");
        }
    }

    #[test]
    fn a_large_policy() {
        let names: String = (0..20_000).map(|n| format!("\"network-number-{n}-*\",\n")).collect();
        let policy = read(&format!("[house]\nnetworks = [{names}]"));
        assert!(policy.house.networks.unwrap().mean("network-number-19999-x"));
        let deep = format!("ignore = {}", "[".repeat(100_000));
        super::policy(&deep).unwrap_err();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Any text is a policy, or an error with a place in it.
        #[test]
        fn any_text(parts in proptest::collection::vec(prop_oneof![
            "[a-zä\\[\\]{}\"'=#.,:*?/\\\\ \n\r\t\u{feff}\u{0}-\u{10}]{0,6}",
            proptest::sample::select([TOP, OVERRIDE, HOUSE].concat()).prop_map(String::from),
            proptest::sample::select(vec![
                " = [", "]\n", "\"KN0\"", "'KN012', ", "[house]\n", "[[override]]\n", "[severity]\n",
                "KN012 = \"error\"\n", "paths = ['a/**']\n", "'52:54:00'", " = ",
            ]).prop_map(String::from),
        ], 0..12)) {
            let text = parts.concat();
            if let Err(e) = policy(&text) {
                prop_assert!(!e.reason.is_empty() && !e.reason.contains('\n'), "{e:?}");
                let lines: Vec<&str> = text.split('\n').collect();
                prop_assert!((1..=lines.len()).contains(&e.line), "{e:?} in {text:?}");
                let width = lines[e.line - 1].chars().count();
                prop_assert!((1..=width + 1).contains(&e.column), "{e:?} in {text:?}");
            }
        }

        /// What an error says to write can be written.
        #[test]
        fn mac_prefixes(word in "[0-9a-fA-F:. -]{0,18}") {
            let of = |word: &str| policy(&format!("[house]\nmac-prefixes = ['{word}']"));
            let help = of(&word).err().and_then(|e| e.help);
            if let Some(meant) = help.as_ref().and_then(|h| h.strip_prefix("did you mean ")?.strip_suffix('?')) {
                prop_assert!(of(meant).is_ok(), "{meant}");
            }
        }
    }
}
