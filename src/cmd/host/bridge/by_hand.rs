//! What was set by hand and stands in no file: it goes with the NIC's addresses, and nothing brings it back.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::host::bridge::{Found, HostFile};
use crate::sys::netstate::{NetState, RouteState};

/// Something that no file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unwritten {
    /// What it is: `enp4s0 has the route …`.
    pub(super) what: String,
    /// The command that takes it away.
    pub(super) away: String,
}

/// The words of some files. A file says of a route where it leads and through whom, in whatever form, so a route whose
/// addresses stand in none was set by hand.
struct Said<'a> {
    words: BTreeSet<&'a str>,
    files: &'a [HostFile],
    ips: BTreeSet<IpAddr>,
}

impl<'a> Said<'a> {
    fn by(files: &'a [HostFile]) -> Said<'a> {
        let is_part = |c: char| c.is_alphanumeric() || "./:_-".contains(c);
        let words: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| file.text.split(|c| !is_part(c)))
            .filter(|word| !word.is_empty())
            .collect();
        let ip = |word: &&str| word.split('/').next()?.parse().ok();
        Said { ips: words.iter().filter_map(ip).collect(), words, files }
    }

    fn has_ip(&self, text: &str) -> bool {
        text.split('/').next().is_some_and(|ip| ip.parse().is_ok_and(|ip: IpAddr| self.ips.contains(&ip)))
    }

    fn has_route(&self, route: &RouteState, found: &Found) -> bool {
        // A DHCP server's, a router's, a routing daemon's come again by themselves.
        if !matches!(route.get("proto"), Some("boot" | "static")) {
            return true;
        }
        if route.get("table").is_some_and(|table| !self.words.contains(table)) {
            return false;
        }
        let is_given = || {
            // networkd's words for the gateways that a server or a router gives.
            ["_dhcp4", "_dhcp6", "_ipv6ra"].iter().any(|word| self.words.contains(word))
                // dhclient doesn't sign its routes.
                || (found.dhcp4 && route.family == "-4" && route.get("table").is_none())
        };
        match (route.to.as_str(), &route.via) {
            ("default", Some(via)) => {
                self.has_ip(via)
                    || found.gateways.iter().any(|gateway| via.parse() == Ok(*gateway))
                    || is_given()
            }
            ("default", None) => {
                ["default", "0.0.0.0/0", "::/0"].iter().any(|word| self.words.contains(word))
            }
            (to, _) => self.has_ip(to) || self.is_classless(route),
        }
    }

    /// As dhclient notes it down of its server (RFC 3442): the length of the prefix, the bytes of it that count, the router.
    fn is_classless(&self, route: &RouteState) -> bool {
        let (Ok(net), Some(Ok(via))) = (
            route.to.parse::<IpNet>().or_else(|_| route.to.parse::<IpAddr>().map(IpNet::from)),
            route.via.as_ref().map(|via| via.parse::<IpAddr>()),
        ) else {
            return false;
        };
        let (IpNet::V4(net), IpAddr::V4(via)) = (net, via) else { return false };
        let counts = usize::from(net.prefix_len().div_ceil(8));
        let bytes = net.network().octets().into_iter().take(counts).chain(via.octets());
        let line = bytes.fold(net.prefix_len().to_string(), |line, byte| format!("{line},{byte}"));
        self.files
            .iter()
            .any(|file| file.text.contains(&format!(" {line}")) || file.text.contains(&format!(",{line}")))
    }
}

/// What the kernel has on these devices that none of the files of what configures them has.
pub(super) fn unwritten(
    now: &NetState,
    devices: &[String],
    files: &[HostFile],
    found: &Found,
) -> Vec<Unwritten> {
    let said = Said::by(files);
    let mut out = Vec::new();
    for route in now.routes.iter().filter(|route| !said.has_route(route, found)) {
        let words = route.words.join(" ");
        out.push(Unwritten {
            what: format!("{} has the route {words}", route.dev),
            away: format!("ip {} route del {words}", route.family),
        });
    }
    for known in now.neighbours.iter().filter(|known| !said.has_ip(&known.address)) {
        let (address, dev) = (&known.address, &known.dev);
        out.push(Unwritten {
            what: format!("{dev} has {address} as a neighbour for good ({})", known.mac),
            away: format!("ip neigh del {address} dev {dev}"),
        });
    }
    let names = |word: Option<&str>| word.is_some_and(|dev| devices.iter().any(|device| device == dev));
    for rule in now.rules.iter().filter(|rule| rule.is_by_hand()) {
        // The files' own go along with what else stands there.
        let is_said = rule.get("lookup").is_some_and(|table| said.words.contains(table));
        if (names(rule.get("iif")) || names(rule.get("oif"))) && !is_said {
            let words = rule.words.join(" ");
            out.push(Unwritten {
                what: format!("the policy rule '{words}' is about the NIC"),
                away: format!("ip {} rule del {words}", rule.family),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sys::netstate::{Neighbour, Rule};

    fn route(line: &str) -> RouteState {
        let words: Vec<String> = line.split(' ').map(String::from).collect();
        let after =
            |key: &str| words.iter().position(|word| word == key).and_then(|at| words.get(at + 1)).cloned();
        RouteState {
            family: if line.contains("::") { "-6" } else { "-4" }.into(),
            to: words[0].clone(),
            via: after("via"),
            dev: "eno1".into(),
            words,
        }
    }

    /// Those of the routes that no file has.
    fn lost(text: &str, found: &Found, routes: &[&str]) -> Vec<String> {
        let now = NetState { routes: routes.iter().map(|line| route(line)).collect(), ..NetState::default() };
        let files = [HostFile { path: "/etc/x".into(), text: text.into() }];
        unwritten(&now, &["eno1".into()], &files, found).into_iter().map(|lost| lost.what).collect()
    }

    #[test]
    fn routes_that_files_have_and_others() {
        let found = Found::default();
        let ways = [
            "default proto boot via 192.0.2.1 dev eno1",
            "203.0.113.0/24 proto static via 192.0.2.9 dev eno1",
            "default proto boot table 77 via 192.0.2.1 dev eno1",
        ];
        let theirs = "eno1 has the route default proto boot table 77 via 192.0.2.1 dev eno1";
        for text in [
            "iface eno1 inet static\n\tgateway 192.0.2.1\n\tup ip route add 203.0.113.0/24 via 192.0.2.9\n",
            "\tgateway 192.0.2.1\n\tup route add -net 203.0.113.0 netmask 255.255.255.0 gw 192.0.2.9\n",
            "[Network]\nGateway=192.0.2.1\n[Route]\nDestination=203.0.113.0/24\n",
            "routes:\n- {to: default, via: 192.0.2.1}\n- to: \"203.0.113.0/24\"\n",
            "[ipv4]\naddress1=192.0.2.10/24,192.0.2.1\nroute1=203.0.113.0/24,192.0.2.9,5\n",
        ] {
            assert_eq!(lost(text, &found, &ways), [theirs], "{text}");
            assert!(lost(&format!("{text}77"), &found, &ways).is_empty(), "{text}");
        }
        assert_eq!(lost("", &found, &ways).len(), 3);
        // What comes again by itself.
        let learnt =
            ["default proto ra via fe80::1 dev eno1", "10.0.0.0/8 proto bird via 192.0.2.1 dev eno1"];
        assert!(lost("", &found, &learnt).is_empty());
        let dhcp = Found { dhcp4: true, ..Found::default() };
        assert_eq!(lost("", &dhcp, &ways).len(), 2);
        let lease = "  option rfc3442-classless-static-routes 24,203,0,113,192,0,2,9;\n";
        assert_eq!(lost(lease, &dhcp, &ways), [theirs]);
        assert_eq!(lost("Gateway=_dhcp4", &found, &ways[..1]), [""; 0]);
    }

    #[test]
    fn neighbours_and_rules_of_the_nic() {
        let words = |text: &str| text.split(' ').map(String::from).collect();
        let rule = |text: &str| Rule { family: "-4".into(), words: words(text) };
        let now = NetState {
            neighbours: vec![Neighbour {
                address: "192.0.2.50".into(),
                mac: "52:54:00:01:01:01".into(),
                dev: "eno1".into(),
            }],
            rules: vec![
                rule("priority 9 from all iif eno1 lookup 7"),
                rule("priority 8 from 192.0.2.4 lookup 7"),
            ],
            ..NetState::default()
        };
        let said = |text: &str| -> Vec<String> {
            let files = [HostFile { path: "/etc/x".into(), text: text.into() }];
            let all = unwritten(&now, &["eno1".into()], &files, &Found::default());
            all.into_iter().map(|lost| lost.away).collect()
        };
        assert_eq!(
            said(""),
            ["ip neigh del 192.0.2.50 dev eno1", "ip -4 rule del priority 9 from all iif eno1 lookup 7"]
        );
        assert!(said("[Neighbor]\nAddress=192.0.2.50\n[RoutingPolicyRule]\nTable=7\n").is_empty());
    }
}
