//! What the host's packet filter does with frames that pass through a bridge.
//!
//! With `net.bridge.bridge-nf-call-iptables` (br_netfilter, which Docker and others load) the kernel shows it the frames
//! between a bridge's ports as well: they go through the chain FORWARD, in and out by the bridge, and its policy is DROP on
//! every host with Docker or ufw. What is asked here is whether a new connection gets through, of which nothing is known
//! but that bridge.

use std::collections::HashMap;

/// What becomes of a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It passes.
    Passes,
    /// It is dropped, whoever's it is.
    Dropped,
    /// That depends on more than the bridge.
    Unsure,
}

/// What `rules`, the text of `iptables-save` or `ip6tables-save`, do between the ports of `bridge`.
pub(super) fn between_ports(rules: &str, bridge: &str) -> Fate {
    let table = Table::read(rules);
    let ends = table.walk("FORWARD", bridge, &mut HashMap::new(), 0);
    let is_dropped = ends.goes_on && table.policies.get("FORWARD").is_some_and(|policy| *policy == "DROP");
    match (ends.accepts || ends.goes_on && !is_dropped, ends.drops || is_dropped) {
        (true, true) => Fate::Unsure,
        (_, false) => Fate::Passes,
        (false, true) => Fate::Dropped,
    }
}

/// How a chain can end.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    accepts: bool,
    drops: bool,
    /// Nothing decided, and the next rule of who called it has the word.
    goes_on: bool,
}

/// Chains may call each other to any depth; the kernel lets none call itself.
const DEEPEST: usize = 64;

/// The table `filter`.
struct Table<'a> {
    policies: HashMap<&'a str, &'a str>,
    chains: HashMap<&'a str, Vec<Rule<'a>>>,
}

struct Rule<'a> {
    words: Vec<&'a str>,
}

/// Does a rule mean the frames in question?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Yes,
    Maybe,
    No,
}

impl<'a> Table<'a> {
    fn read(text: &'a str) -> Table<'a> {
        let mut table = Table { policies: HashMap::new(), chains: HashMap::new() };
        let lines = text.lines().map(str::trim).skip_while(|line| *line != "*filter");
        for line in lines.take_while(|line| *line != "COMMIT") {
            if let Some((chain, rest)) = line.strip_prefix(':').and_then(|line| line.split_once(' ')) {
                table.policies.insert(chain, rest.split(' ').next().unwrap_or_default());
            }
            let mut words = words(line).into_iter();
            if let (Some("-A"), Some(chain)) = (words.next(), words.next()) {
                table.chains.entry(chain).or_default().push(Rule { words: words.collect() });
            }
        }
        table
    }

    fn walk(&self, chain: &'a str, bridge: &str, known: &mut HashMap<&'a str, Ends>, depth: usize) -> Ends {
        if let Some(ends) = known.get(chain) {
            return *ends;
        }
        let mut ends = Ends { goes_on: true, ..Ends::default() };
        let mut may_return = false;
        if depth > DEEPEST {
            return Ends { accepts: true, drops: true, goes_on: true };
        }
        for rule in self.chains.get(chain).into_iter().flatten() {
            let (meant, target) = rule.read(bridge);
            let (Meant::Yes | Meant::Maybe, Some((target, is_goto))) = (meant, target) else { continue };
            let what = match target {
                "ACCEPT" => Ends { accepts: true, ..Ends::default() },
                "DROP" | "REJECT" => Ends { drops: true, ..Ends::default() },
                // Back to who called it: at the end of FORWARD that is the policy.
                "RETURN" if meant == Meant::Yes => break,
                "RETURN" => {
                    may_return = true;
                    continue;
                }
                // A program decides.
                "QUEUE" | "NFQUEUE" => Ends { accepts: true, drops: true, goes_on: false },
                other if self.policies.contains_key(other) => self.walk(other, bridge, known, depth + 1),
                // It notes, marks, counts.
                _ => continue,
            };
            ends.accepts |= what.accepts;
            ends.drops |= what.drops;
            may_return |= is_goto && what.goes_on;
            if meant == Meant::Yes && (is_goto || !what.goes_on) {
                ends.goes_on = what.goes_on;
                break;
            }
        }
        ends.goes_on |= may_return;
        known.insert(chain, ends);
        ends
    }
}

impl<'a> Rule<'a> {
    /// Whether it means a new connection that comes in and goes out by the bridge, and where it sends it (and whether for
    /// good).
    fn read(&self, bridge: &str) -> (Meant, Option<(&'a str, bool)>) {
        let mut meant = Meant::Yes;
        let mut is_not = false;
        let mut words = self.words.iter().copied();
        while let Some(word) = words.next() {
            let one = match word {
                "!" => {
                    is_not = true;
                    continue;
                }
                "-j" | "-g" => return (meant, words.next().map(|target| (target, word == "-g"))),
                "-m" | "--comment" => {
                    words.next();
                    continue;
                }
                "-i" | "-o" => is(words.next().is_some_and(|name| names(name, bridge))),
                "--physdev-is-bridged" | "--physdev-is-in" | "--physdev-is-out" => Meant::Yes,
                "--ctstate" | "--state" => {
                    is(words.next().is_some_and(|states| states.split(',').any(|state| state == "NEW")))
                }
                // Of a ping that passes nobody has anything.
                "-p" => match words.next() {
                    Some("icmp" | "ipv6-icmp" | "icmpv6") => Meant::No,
                    _ => Meant::Maybe,
                },
                option if option.starts_with('-') => Meant::Maybe,
                _ => continue,
            };
            let one = match (one, std::mem::take(&mut is_not)) {
                (Meant::Yes, true) => Meant::No,
                (Meant::No, true) => Meant::Yes,
                (one, _) => one,
            };
            meant = match (meant, one) {
                (Meant::No, _) | (_, Meant::No) => Meant::No,
                (Meant::Maybe, _) | (_, Meant::Maybe) => Meant::Maybe,
                _ => Meant::Yes,
            };
        }
        (meant, None)
    }
}

fn is(yes: bool) -> Meant {
    if yes { Meant::Yes } else { Meant::No }
}

/// Does `-i NAME` mean the device? `+` at its end stands for anything.
fn names(name: &str, device: &str) -> bool {
    match name.strip_suffix('+') {
        Some(start) => device.starts_with(start),
        None => name == device,
    }
}

/// The words of a rule; a comment in quotes is one of them.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, more) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_word(quoted),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word);
        rest = more.trim_start();
    }
    words
}

/// Up to the closing quote, one behind a `\` being none.
fn quoted_word(text: &str) -> (&str, &str) {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if c == '"' && !is_escaped {
            return (&text[..at], &text[at + 1..]);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_br0(policy: &str, rules: &str) -> Fate {
        let chains =
            ["DOCKER-USER", "DOCKER-FORWARD", "DOCKER", "ufw-before-forward", "ufw-user-forward", "X"];
        let chains: String = chains.iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
        let text = format!(
            "*nat\n:OUTPUT DROP [0:0]\n-A X -j DROP\nCOMMIT\n*filter\n:FORWARD {policy} [0:0]\n{chains}{rules}\nCOMMIT\n"
        );
        between_ports(&text, "br0")
    }

    #[test]
    fn policies_and_rules() {
        for (policy, rules, want) in [
            ("ACCEPT", "", Fate::Passes),
            ("DROP", "", Fate::Dropped),
            ("DROP", "-A FORWARD -i br0 -o br0 -j ACCEPT", Fate::Passes),
            ("DROP", "-A FORWARD -i br+ -j ACCEPT", Fate::Passes),
            ("DROP", "-A FORWARD -i br1 -j ACCEPT", Fate::Dropped),
            ("DROP", "-A FORWARD ! -i br1 -j ACCEPT", Fate::Passes),
            ("DROP", "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT", Fate::Passes),
            ("DROP", "-A FORWARD -m physdev ! --physdev-is-bridged -j ACCEPT", Fate::Dropped),
            ("DROP", "-A FORWARD -m physdev --physdev-in vnet0 -j ACCEPT", Fate::Unsure),
            ("DROP", "-A FORWARD -s 10.0.0.0/8 -j ACCEPT", Fate::Unsure),
            ("DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", Fate::Dropped),
            ("DROP", "-A FORWARD -p icmp -j ACCEPT", Fate::Dropped),
            ("ACCEPT", "-A FORWARD -j REJECT --reject-with icmp-port-unreachable", Fate::Dropped),
            ("ACCEPT", "-A FORWARD -p tcp -m tcp --dport 22 -j DROP", Fate::Unsure),
            (
                "DROP",
                "-A FORWARD -m comment --comment \"-j \\\"ACCEPT\" -j X\n-A X -j LOG\n-A X -j RETURN",
                Fate::Dropped,
            ),
            ("DROP", "-A FORWARD -j X\n-A X -i br0 -j ACCEPT\n-A X -j DROP", Fate::Passes),
            ("ACCEPT", "-A FORWARD -g X\n-A FORWARD -j DROP", Fate::Passes),
            ("DROP", "-A FORWARD -j RETURN\n-A FORWARD -j ACCEPT", Fate::Dropped),
            ("DROP", "-A FORWARD -j X\n-A X -s 10.0.0.0/8 -j RETURN\n-A X -j ACCEPT", Fate::Unsure),
            ("DROP", "-A FORWARD -j X\n-A X -j X", Fate::Unsure),
        ] {
            assert_eq!(on_br0(policy, rules), want, "{policy}: {rules}");
        }
        for odd in
            ["", "*filter", "*filter\n-A", "*filter\n:", "*filter\n-A FORWARD -j", "*filter\n-A FORWARD \""]
        {
            assert_eq!(between_ports(odd, "br0"), Fate::Passes, "{odd}");
        }
    }

    #[test]
    fn hosts_as_they_are() {
        let docker = "-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-FORWARD\n-A DOCKER-USER -j RETURN\n\
            -A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
            -A DOCKER-FORWARD -o docker0 -j DOCKER\n-A DOCKER-FORWARD -i docker0 -j ACCEPT\n-A DOCKER ! -i docker0 -o docker0 -j DROP";
        assert_eq!(on_br0("DROP", docker), Fate::Dropped);
        let user = docker.replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -i br0 -o br0 -j ACCEPT");
        assert_eq!(on_br0("DROP", &user), Fate::Passes);
        let ufw = "-A FORWARD -j ufw-before-forward\n\
            -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
            -A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT\n-A ufw-before-forward -j ufw-user-forward";
        assert_eq!(on_br0("DROP", ufw), Fate::Dropped);
        let libvirt =
            "-A FORWARD -i virbr0 -o virbr0 -j ACCEPT\n-A FORWARD -o virbr0 -j REJECT --reject-with x";
        assert_eq!(on_br0("ACCEPT", libvirt), Fate::Passes);
    }
}
