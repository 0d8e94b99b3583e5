//! The sections of a profile that say where addresses come from.

use std::net::IpAddr;

use ipnet::IpNet;

use super::keyfile::Keyfile;
use crate::host::bridge::{Addresses, Ask, Fault, Found};

/// The sections that go where the addresses go.
pub(super) const SECTIONS: &[&str] = &["ipv4", "ipv6", "proxy", "hostname"];

/// The keys of `[connection]` that do.
pub(super) const KEYS: &[&str] = &[
    "zone",
    "secondaries",
    "metered",
    "stable-id",
    "dns-over-tls",
    "dnssec",
    "mdns",
    "llmnr",
    "mptcp-flags",
    "mud-url",
    "gateway-ping-timeout",
    "ip-ping-timeout",
    "ip-ping-addresses",
    "ip-ping-addresses-require-all",
];

const FAMILIES: [(&str, bool); 2] = [("ipv4", true), ("ipv6", false)];

fn numbered(key: &str, words: &[&str]) -> bool {
    let word = key.trim_end_matches(|c: char| c.is_ascii_digit());
    words.contains(&word)
}

fn is_address(key: &str) -> bool {
    numbered(key, &["address", "addresses"])
}

fn is_route(key: &str) -> bool {
    numbered(key, &["route", "routes"])
}

/// `192.0.2.2/24,192.0.2.1`, or as it once was `192.0.2.2;24;192.0.2.1;`.
fn net_and_gateway(value: &str) -> Option<(IpNet, Option<IpAddr>)> {
    let mut words = value.split([',', ';', '/', ' ']).map(str::trim).filter(|word| !word.is_empty());
    let address: IpAddr = words.next()?.parse().ok()?;
    let length =
        words.next().map_or(Some(if address.is_ipv4() { 24 } else { 64 }), |word| word.parse().ok())?;
    let gateway = words.next().and_then(|word| word.parse().ok()).filter(|ip: &IpAddr| !ip.is_unspecified());
    Some((IpNet::new(address, length).ok()?, gateway))
}

fn method<'a>(keys: &'a Keyfile, family: &str) -> &'a str {
    // NetworkManager takes a section that is missing for one that says so.
    keys.get(family, "method").unwrap_or("auto")
}

/// The addresses that it names.
pub(super) fn fixed(keys: &Keyfile) -> Vec<IpNet> {
    let all = FAMILIES.iter().flat_map(|(family, _)| keys.pairs(family));
    all.filter(|(key, _)| is_address(key)).filter_map(|(_, value)| Some(net_and_gateway(value)?.0)).collect()
}

/// What it will give its device.
pub(super) fn found(keys: &Keyfile) -> Found {
    let mut out = Found { dhcp4: method(keys, "ipv4") == "auto", ..Found::default() };
    for (family, _) in FAMILIES {
        if matches!(method(keys, family), "disabled" | "ignore" | "link-local") {
            continue;
        }
        let is_never = keys.is_true(family, "never-default") == Some(true);
        let mut gateways: Vec<IpAddr> = Vec::new();
        for (key, value) in keys.pairs(family) {
            let both = net_and_gateway(value);
            match both {
                Some((net, gateway)) if is_address(key) => {
                    out.addresses.push(net);
                    gateways.extend(gateway);
                }
                Some((net, gateway)) if is_route(key) && net.prefix_len() == 0 => gateways.extend(gateway),
                _ if key == "gateway" => gateways.extend(value.parse::<IpAddr>().ok()),
                _ => {}
            }
        }
        gateways.retain(|gateway| !is_never && !gateway.is_unspecified());
        for gateway in gateways {
            if !out.gateways.contains(&gateway) {
                out.gateways.push(gateway);
            }
        }
    }
    out
}

/// Keys that say how to ask, not what is got.
const PLAIN: &[&str] = &["method", "addr-gen-mode", "ip6-privacy", "dns-search", "may-fail", "route-metric"];

/// Is it as NetworkManager has it by itself: all from outside?
fn is_plain(keys: &Keyfile) -> bool {
    FAMILIES.iter().all(|(family, _)| {
        let is_plain =
            |key: &str| PLAIN.contains(&key) || key.starts_with("dhcp-") || key.ends_with("-timeout");
        method(keys, family) == "auto" && keys.pairs(family).iter().all(|(key, _)| is_plain(key))
    })
}

/// Does one already give what is asked?
fn is_as_asked(keys: &Keyfile, ask: &Ask) -> bool {
    let both = |v4: &str, v6: &str| method(keys, "ipv4") == v4 && method(keys, "ipv6") == v6;
    match &ask.addresses {
        Addresses::Keep => true,
        Addresses::Dhcp => is_plain(keys) && keys.has("ipv4") && keys.has("ipv6") && ask.dns.is_empty(),
        Addresses::None => both("disabled", "disabled"),
        Addresses::Static(_) => false,
    }
}

/// The sections that give what is asked, made from those that were.
pub(super) fn given(sections: &str, ask: &Ask, notes: &mut Vec<String>) -> Result<String, Fault> {
    let mut keys = Keyfile::parse(sections);
    if !is_as_asked(&keys, ask) {
        let lost = lost(&keys, ask);
        if !lost.is_empty() {
            notes.push(format!("{} does not get what was there so far: {}.", ask.bridge, lost.join(", ")));
        }
        let fresh = fresh(ask, keys.ending(), keys.get("ipv6", "addr-gen-mode"));
        let rest = keys.sections(&["proxy", "hostname"]);
        keys = Keyfile::parse(&(fresh + &rest));
    }
    if matches!(ask.addresses, Addresses::Keep) {
        for gateway in &ask.gateways {
            replace_gateway(&mut keys, *gateway)?;
        }
    } else if let Some(gateway) = ask.gateways.iter().find(|g| !has_fixed(&keys, g.is_ipv4())) {
        return Err(needs_address(*gateway));
    }
    if !ask.dns.is_empty() {
        for (family, is_v4) in FAMILIES {
            let list: Vec<String> =
                ask.dns.iter().filter(|ip| ip.is_ipv4() == is_v4).map(|ip| format!("{ip};")).collect();
            let may = !matches!(method(&keys, family), "disabled" | "ignore");
            match list.is_empty() || !may {
                true => keys.remove(family, "dns"),
                false => keys.set(family, "dns", &list.concat()),
            }
            if method(&keys, family) == "auto" {
                keys.set(family, "ignore-auto-dns", "true");
            }
        }
    }
    Ok(keys.text())
}

fn has_fixed(keys: &Keyfile, is_v4: bool) -> bool {
    fixed(keys).iter().any(|net| net.addr().is_ipv4() == is_v4)
}

fn needs_address(gateway: IpAddr) -> Fault {
    Fault::new(
        format!("NetworkManager takes the gateway {gateway} only beside a fixed address of its family"),
        "give the address too (--address CIDR), or leave the gateway to DHCP",
    )
}

fn replace_gateway(keys: &mut Keyfile, gateway: IpAddr) -> Result<(), Fault> {
    let family = if gateway.is_ipv4() { "ipv4" } else { "ipv6" };
    if !has_fixed(keys, gateway.is_ipv4()) {
        return Err(needs_address(gateway));
    }
    let pairs: Vec<(String, String)> =
        keys.pairs(family).into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut is_given = keys.get(family, "gateway").is_some();
    if is_given {
        keys.set(family, "gateway", &gateway.to_string());
    }
    for (key, value) in pairs {
        let Some((net, old)) = net_and_gateway(&value) else { continue };
        if is_address(&key) {
            if !is_given {
                if old != Some(gateway) {
                    keys.set(family, &key, &format!("{net},{gateway}"));
                }
                is_given = true;
            } else if old.is_some() {
                keys.set(family, &key, &net.to_string());
            }
        } else if is_route(&key) && net.prefix_len() == 0 {
            keys.remove(family, &key);
            keys.remove(family, &format!("{key}_options"));
        }
    }
    Ok(())
}

/// What is there and not carried over, by key.
fn lost(keys: &Keyfile, ask: &Ask) -> Vec<String> {
    let mut out = Vec::new();
    for (family, _) in FAMILIES {
        for (key, value) in keys.pairs(family) {
            let is_said = match &ask.addresses {
                Addresses::Static(nets) => net_and_gateway(value).is_some_and(|(net, _)| nets.contains(&net)),
                _ => false,
            };
            if !is_said && !["method", "addr-gen-mode", "may-fail"].contains(&key) {
                out.push(format!("{family}.{key}={value}"));
            }
        }
        if !matches!(ask.addresses, Addresses::Dhcp) && method(keys, family) == "auto" {
            out.push(format!("{family} from the network (method=auto)"));
        }
    }
    out
}

/// New sections.
fn fresh(ask: &Ask, ending: &str, addr_gen_mode: Option<&str>) -> String {
    let mut out = String::new();
    for (family, is_v4) in FAMILIES {
        let mut lines = vec![String::new(), format!("[{family}]")];
        let nets: Vec<&IpNet> = match &ask.addresses {
            Addresses::Static(nets) => nets.iter().filter(|net| net.addr().is_ipv4() == is_v4).collect(),
            _ => Vec::new(),
        };
        let gateway = ask.gateways.iter().find(|gateway| gateway.is_ipv4() == is_v4);
        for (at, net) in nets.iter().enumerate() {
            let gateway =
                gateway.filter(|_| at == 0).map(|gateway| format!(",{gateway}")).unwrap_or_default();
            lines.push(format!("address{}={net}{gateway}", at + 1));
        }
        let method = match &ask.addresses {
            Addresses::Dhcp | Addresses::Keep => "auto",
            _ if nets.is_empty() => "disabled",
            _ => "manual",
        };
        if let Some(mode) = addr_gen_mode.filter(|_| !is_v4 && method != "disabled") {
            lines.push(format!("addr-gen-mode={mode}"));
        }
        lines.push(format!("method={method}"));
        lines.push(String::new());
        out.push_str(&lines.join(ending));
    }
    out
}
