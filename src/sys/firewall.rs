//! The packet filter's rules, as its own tools show them.

use std::process::Stdio;

use super::exec;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `iptables`, `ip6tables` or `nft`.
    pub tool: &'static str,
    /// Its table.
    pub table: String,
    /// The rule as the tool writes it, without counters.
    pub text: String,
    /// How many packets it has met.
    pub packets: u64,
}

/// libvirt's rules that name one of `words` (a bridge, a subnet), in order; `None` if no tool can be asked, for lack of
/// the tool or of rights.
pub fn of_libvirt(words: &[String]) -> Option<Vec<Rule>> {
    let mut rules = None;
    for (tool, save) in [("iptables", "iptables-save"), ("ip6tables", "ip6tables-save")] {
        if let Some(text) = said(save, &["-c"]) {
            rules.get_or_insert_with(Vec::new).extend(saved(tool, &text));
        }
    }
    for family in ["ip", "ip6"] {
        // There is no such table where libvirt uses iptables.
        if let Some(text) = said("nft", &["list", "table", family, "libvirt_network"]) {
            rules.get_or_insert_with(Vec::new).extend(listed(family, &text));
        }
    }
    let names = |rule: &Rule| {
        let of = |c: char| c.is_alphanumeric() || ".:/-_".contains(c);
        rule.text.split(|c| !of(c)).any(|word| words.iter().any(|w| w == word))
    };
    Some(rules?.into_iter().filter(names).collect())
}

/// All rules of `iptables` or `ip6tables`, as `iptables-save` writes them; `None` if it can't be asked, for lack of the
/// tool or of rights. Listing all tables makes none, as asking for a table by name would.
pub fn saved_rules(tool: &str) -> Option<String> {
    said(&format!("{tool}-save"), &[])
}

/// Does nftables drop by default what the host forwards, in another table than those that `iptables-save` shows?
pub fn drops_otherwise() -> bool {
    said("nft", &["list", "chains"]).is_some_and(|text| other_drops(&text))
}

fn other_drops(chains: &str) -> bool {
    let mut is_other = false;
    chains.lines().map(str::trim).any(|line| {
        if let Some(table) = line.strip_prefix("table ") {
            is_other = !["ip filter {", "ip6 filter {"].contains(&table);
        }
        let is_bridged = ["hook forward", "policy drop"].iter().all(|words| line.contains(words));
        is_other && is_bridged
    })
}

/// The rules in libvirt's chains of `iptables-save -c`: `[packets:bytes] -A CHAIN …`.
fn saved(tool: &'static str, text: &str) -> Vec<Rule> {
    let mut table = String::new();
    let mut rules = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name.into();
        }
        let Some((counters, rule)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) else {
            continue;
        };
        let packets = counters.split(':').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        if rule.starts_with("-A LIBVIRT_") {
            rules.push(Rule { tool, table: table.clone(), text: rule.into(), packets });
        }
    }
    rules
}

/// The rules of `nft list table`: `… counter packets N bytes M …`.
fn listed(family: &str, text: &str) -> Vec<Rule> {
    let mut chain = "";
    let mut rules = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches(" {");
        }
        let Some((before, after)) = line.split_once("counter packets ") else { continue };
        let mut words = after.split(' ');
        let packets = words.next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let rest: Vec<&str> = words.skip(2).collect();
        let text = format!("{chain}: {before}{}", rest.join(" "));
        rules.push(Rule { tool: "nft", table: format!("{family} libvirt_network"), text, packets });
    }
    rules
}

fn said(program: &str, args: &[&str]) -> Option<String> {
    let out = exec::program(program).args(args).stdin(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_tables_that_drop() {
        let chain = |table: &str, hook: &str, policy: &str| {
            let text = format!(
                "table {table} {{\n\tchain f {{\n\t\ttype filter hook {hook} priority filter; policy {policy};\n\t}}\n}}\n"
            );
            other_drops(&text)
        };
        assert!(chain("inet mine", "forward", "drop"));
        for (table, hook, policy) in [
            ("inet mine", "forward", "accept"),
            ("inet mine", "input", "drop"),
            ("ip filter", "forward", "drop"),
        ] {
            assert!(!chain(table, hook, policy));
        }
    }

    #[test]
    fn rules_with_their_counters() {
        let text = "*nat\n:LIBVIRT_PRT - [0:0]\n[12:720] -A LIBVIRT_PRT -s 10.0.0.0/24 ! -d 10.0.0.0/24 -j MASQUERADE\n\
                    [1:2] -A OTHER -j DROP\nCOMMIT\n";
        let rules = saved("iptables", text);
        assert_eq!(rules.len(), 1);
        assert_eq!((rules[0].packets, rules[0].table.as_str()), (12, "nat"));
        let text = "table ip libvirt_network {\n\tchain guest_output {\n\t\tip saddr 10.0.0.0/24 iif \"virbr0\" counter \
                    packets 7 bytes 90 accept\n\t}\n}\n";
        let rules = listed("ip", text);
        assert_eq!(rules[0].text, "guest_output: ip saddr 10.0.0.0/24 iif \"virbr0\" accept");
        assert_eq!(rules[0].packets, 7);
    }
}
