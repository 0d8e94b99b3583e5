//! The text of a policy: TOML, in which every key, code, value and pattern must be known. What isn't is told with its place
//! and what may have been meant.

use std::collections::BTreeMap;

use globset::Glob;
use toml::de::{DeTable, DeValue};

use super::patterns::{self, Paths, Words};
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
    let table = DeTable::parse(text).map_err(|e| {
        let reason = format!("it isn't TOML: {}", e.message().replace('\n', ", "));
        here.error(&e.span().unwrap_or(0..0), reason, None)
    })?;
    let mut out = Policy::default();
    out.house.policy = "kvmnet.toml".into();
    for (key, value) in here.entries(table.get_ref(), "", TOP, instead_of_key)? {
        match key {
            "exclude" => out.exclude = here.paths(key, value)?,
            "sets" => out.sets = here.paths(key, value)?,
            "known-networks" => {
                let names =
                    here.words(key, value)?.into_iter().map(|word| here.pattern(&word, patterns::name));
                out.known_networks = names.collect::<Result<_, _>>()?;
            }
            "override" => out.overrides = here.overrides(value)?,
            "house" => here.house(value, &mut out.house)?,
            _ => here.choose(key, value, &mut out.choice)?,
        }
    }
    Ok(out)
}

impl Text<'_> {
    fn pattern<T>(
        &self,
        (word, at): &Word<'_>,
        read: impl Fn(&str) -> Result<T, (String, Option<String>)>,
    ) -> Result<T, PolicyError> {
        read(word).map_err(|(reason, help)| self.error(at, reason, help))
    }

    fn paths(&self, key: &str, value: &Value<'_>) -> Result<Paths, PolicyError> {
        let words = self.words(key, value)?;
        let globs = words.iter().map(|word| self.pattern(word, patterns::path));
        let globs: Vec<Glob> = globs.collect::<Result<_, _>>()?;
        let too_much = |e: globset::Error| {
            self.error(&value.span(), format!("'{key}' can't be used: {}", e.kind()), None)
        };
        Paths::new(globs).map_err(too_much)
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
                let patterns = words.iter().map(|word| self.pattern(word, patterns::name));
                let patterns = patterns.collect::<Result<_, _>>()?;
                Ok(Some(Words::new(words.into_iter().map(|(word, _)| word.into()).collect(), patterns, line)))
            };
            let plain = |words: Vec<String>| Some(Words::new(words, Vec::new(), line));
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
        let meant = Some(pairs.join(":")).filter(|meant| is_prefix(meant) && digits.len() % 2 == 0);
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
        _ if near(word, TOP).is_some() => format!("{word} belongs above the first line in brackets"),
        _ => format!("there are {}", keys.join(", ")),
    }
}
