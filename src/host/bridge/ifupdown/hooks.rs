//! Devices that commands in a stanza (`up`, `post-down`) name.

/// The settings whose value is a command of the shell.
pub(super) fn is_hook(key: &str) -> bool {
    matches!(key, "pre-up" | "up" | "post-up" | "pre-down" | "down" | "post-down")
}

/// A command with its devices' names changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Renamed {
    /// The new command.
    pub(super) text: String,
    /// Did a name change? If not, `$IFACE` did at most.
    pub(super) is_renamed: bool,
}

/// The command as it has to be when its stanza moves from one device to another: `dev enp4s0` becomes `dev br0`, but what is
/// the NIC's own (`ethtool`, `ip link`, `tc`) stays with it, and `$IFACE` in such becomes its name. `None`: no change.
pub(super) fn moved(command: &str, from: &str, to: &str) -> Option<Renamed> {
    change(command, from, to, Some(from))
}

/// The way back: only names are changed, since `$IFACE` means the NIC again.
pub(super) fn moved_back(command: &str, bridge: &str, nic: &str) -> Option<Renamed> {
    change(command, bridge, nic, None)
}

/// Is a command about a bridge as such? It makes no sense for a NIC.
pub(super) fn is_bridges_own(command: &str, bridge: &str) -> bool {
    let is_named = names(command, bridge) || command.contains("IFACE") || command.contains("brctl");
    let has_type = || {
        let words: Vec<&str> = command.split_whitespace().collect();
        words.windows(2).any(|pair| pair == ["type", "bridge"])
    };
    let is_tools = |part: &str| {
        let first = part.split_whitespace().next().unwrap_or_default();
        matches!(first.rsplit('/').next(), Some("brctl" | "bridge"))
    };
    let is_setting = command.contains("/sys/class/net/") && command.contains("/bridge/");
    is_named && (is_setting || has_type() || simple(command).any(is_tools))
}

fn change(command: &str, from: &str, to: &str, iface: Option<&str>) -> Option<Renamed> {
    let mut text = String::with_capacity(command.len());
    let mut is_renamed = false;
    for part in simple(command) {
        let stays = is_nics_own(part);
        match (stays, iface) {
            (true, Some(nic)) => text.push_str(&without_variable(part, nic)),
            (true, None) | (false, _) => {
                let (part, renamed) = named(part, from, to);
                is_renamed |= renamed;
                text.push_str(&part);
            }
        }
    }
    (text != command).then_some(Renamed { text, is_renamed })
}

/// The simple commands of a command, each with what separates it from the next.
fn simple(command: &str) -> impl Iterator<Item = &str> {
    command.split_inclusive([';', '&', '|'])
}

/// Is it about the NIC rather than about its addresses?
fn is_nics_own(part: &str) -> bool {
    let words = part.split_whitespace().map(|word| word.trim_start_matches(['(', '{', '!', '"', '\'']));
    let mut words = words.filter(|word| !word.is_empty() && !word.contains('='));
    let mut next = || words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_string();
    let mut first = next();
    // Words that stand before a command.
    while matches!(first.as_str(), "sudo" | "exec" | "if" | "then" | "do" | "test" | "nohup" | "-") {
        first = next();
    }
    part.contains("/sys/class/net/")
        || match first.as_str() {
            "ethtool" | "mii-tool" | "tc" | "iw" | "iwconfig" => true,
            "ip" => loop {
                let word = next();
                if !word.starts_with('-') {
                    break matches!(word.as_str(), "link" | "l" | "li" | "lin");
                }
            },
            "ifconfig" => ["mtu", "promisc", "txqueuelen"].iter().any(|what| part.contains(what)),
            _ => false,
        }
}

fn without_variable(part: &str, name: &str) -> String {
    let braced = part.replace("${IFACE}", name);
    let mut out = String::with_capacity(braced.len());
    let mut rest = braced.as_str();
    while let Some(at) = rest.find("$IFACE") {
        let after = &rest[at + "$IFACE".len()..];
        out.push_str(&rest[..at]);
        let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(if goes_on { "$IFACE" } else { name });
        rest = after;
    }
    out + rest
}

/// With a name changed wherever it stands as a word: not in `enp4s0.100`, `my-enp4s0` or the names of files
/// (`/etc/enp4s0.sh`), but in `net.ipv4.conf.enp4s0.forwarding` and below `/proc/sys`.
fn named(text: &str, from: &str, to: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    let mut before: Option<char> = None;
    let mut start = 0;
    if from.is_empty() {
        return (text.to_string(), false);
    }
    while let Some(at) = rest.find(from) {
        let after = &rest[at + from.len()..];
        let last = rest[..at].chars().next_back().or(before);
        let is_word = !last.is_some_and(goes_on) && ends(after, last) && !is_of_file(&text[..start + at]);
        out.push_str(&rest[..at]);
        out.push_str(if is_word { to } else { from });
        is_changed |= is_word;
        before = from.chars().next_back();
        start = text.len() - after.len();
        rest = after;
    }
    (out + rest, is_changed)
}

fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn ends(after: &str, before: Option<char>) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        // A VLAN's name goes on with its number, a file's with an ending, a path of sysctl's with a word.
        Some('.') => before == Some('.') && !chars.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => !goes_on(c),
        None => true,
    }
}

/// Does a word that begins so name a file that isn't the kernel's?
fn is_of_file(text: &str) -> bool {
    let word =
        text.rsplit(|c: char| c.is_whitespace() || "\"'=<>()`:,".contains(c)).next().unwrap_or_default();
    word.contains('/') && !word.starts_with("/proc/") && !word.starts_with("/sys/")
}

/// Is the name in the text, as a word?
pub(super) fn names(text: &str, device: &str) -> bool {
    named(text, device, "").1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_move_and_what_is_the_nics_own_stays() {
        let moved = |command: &str| moved(command, "enp4s0", "br0").map(|renamed| renamed.text);
        for (command, expected) in [
            (
                "ip route add 10.0.0.0/8 via 192.0.2.1 dev enp4s0",
                "ip route add 10.0.0.0/8 via 192.0.2.1 dev br0",
            ),
            (
                "ip addr add 192.0.2.9/24 dev enp4s0 label enp4s0:9",
                "ip addr add 192.0.2.9/24 dev br0 label br0:9",
            ),
            ("sysctl -w net.ipv4.conf.enp4s0.rp_filter=2", "sysctl -w net.ipv4.conf.br0.rp_filter=2"),
            (
                "echo 1 >/proc/sys/net/ipv6/conf/enp4s0/accept_ra",
                "echo 1 >/proc/sys/net/ipv6/conf/br0/accept_ra",
            ),
            ("/sbin/ethtool -K $IFACE gro off", "/sbin/ethtool -K enp4s0 gro off"),
            ("ip -4 link set dev \"${IFACE}\" mtu 9000", "ip -4 link set dev \"enp4s0\" mtu 9000"),
            (
                "ethtool -s enp4s0 wol g && ip rule add iif enp4s0 table 7",
                "ethtool -s enp4s0 wol g && ip rule add iif br0 table 7",
            ),
        ] {
            assert_eq!(moved(command).as_deref(), Some(expected));
        }
        for same in [
            "ip route add 10.0.0.0/8 via 192.0.2.1 dev $IFACE",
            "ifup enp4s0.100",
            "ethtool -K enp4s0 tso off",
            "run my-enp4s0 enp4s01",
            "/etc/network/enp4s0.sh up",
            "/etc/network/enp4s0/up >>/var/log/enp4s0",
            "cat /etc/enp4s0.conf",
            "echo 1 > /sys/class/net/enp4s0/queues/rx-0/rps_cpus",
            "ip route add 10.0.0.0/8 via 192.0.2.1 || true",
        ] {
            assert_eq!(moved(same), None);
        }
        for own in [
            "echo 1 > /sys/class/net/br0/bridge/multicast_querier",
            "brctl setageing br0 0",
            "/sbin/bridge vlan add dev $IFACE vid 7 self || true",
            "ip link set dev br0 type bridge mcast_snooping 0",
        ] {
            assert!(is_bridges_own(own, "br0"), "{own}");
        }
        for other in ["ip rule add iif br0 table 7", "/usr/local/bin/bridge/up br0", "echo type bridge"] {
            assert!(!is_bridges_own(other, "br0"), "{other}");
        }
        let back = moved_back("ip rule add iif br0 table 7", "br0", "enp4s0");
        assert_eq!(back, Some(Renamed { text: "ip rule add iif enp4s0 table 7".into(), is_renamed: true }));
    }
}
