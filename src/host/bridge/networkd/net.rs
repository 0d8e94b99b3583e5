//! What a `.network` file says of addresses, and the same as it is asked for.

use std::net::IpAddr;

use ipnet::IpNet;

use super::netdev::truth;
use super::text::{Item, Section, Text};
use crate::host::bridge::{Addresses, Ask, Found};

/// What is said of addresses, in the file and in those that add to it.
pub(super) fn found<'a>(texts: impl Iterator<Item = &'a Text> + Clone) -> Found {
    let mut out = Found::default();
    for text in texts.clone() {
        for value in text.all("Network", "Address").chain(text.all("Address", "Address")) {
            if value.is_empty() {
                out.addresses.clear();
            }
            out.addresses.extend(net(value).filter(|net| !net.addr().is_unspecified()));
        }
        out.gateways.extend(text.all("Network", "Gateway").filter_map(|value| value.parse::<IpAddr>().ok()));
        let routes = text.named("Route").filter(|route| is_default(route));
        out.gateways
            .extend(routes.flat_map(|route| route.all("Gateway")).filter_map(|v| v.parse::<IpAddr>().ok()));
    }
    out.dhcp4 = dhcp(texts.clone()).0;
    out
}

fn net(value: &str) -> Option<IpNet> {
    value.parse().ok().or_else(|| Some(IpNet::from(value.parse::<IpAddr>().ok()?)))
}

fn is_default(route: &Section) -> bool {
    let is_main = route.all("Table").all(|table| ["main", "254"].contains(&table));
    let is_for_all = |to: &str| ["", "0.0.0.0/0", "::/0", "0.0.0.0", "::", "default"].contains(&to);
    is_main && route.all("Destination").all(is_for_all) && route.all("Gateway").next().is_some()
}

/// DHCP for IPv4, and for IPv6. Old words are known too (systemd.network(5), `DHCP=`).
pub(super) fn dhcp<'a>(texts: impl Iterator<Item = &'a Text>) -> (bool, bool) {
    let value = texts.flat_map(|text| text.all("Network", "DHCP")).last().unwrap_or_default().to_lowercase();
    match value.as_str() {
        "ipv4" | "v4" => (true, false),
        "ipv6" | "v6" => (false, true),
        "both" => (true, true),
        word => (truth(word) == Some(true), truth(word) == Some(true)),
    }
}

/// What moves, made what is asked: a new text for the file; with [`Addresses::Keep`] what adds to it is changed in place.
/// Gives the lines that go.
pub(super) fn ask_for(main: &mut Text, drops: &mut Vec<Text>, ask: &Ask) -> Vec<String> {
    let has = found(std::iter::once(&*main).chain(drops.iter()));
    // Who has DHCP and asks for it keeps it as it is.
    let is_kept = match &ask.addresses {
        Addresses::Keep => true,
        Addresses::Dhcp => has.dhcp4 && has.addresses.is_empty(),
        Addresses::None | Addresses::Static(_) => false,
    };
    let mut gone = Vec::new();
    if !is_kept {
        for text in std::iter::once(&mut *main).chain(drops.iter_mut()) {
            gone.extend(text.take(|_, _| true));
        }
        let (like, is_online) = (main.clone(), &["RequiredForOnline", "RequiredFamilyForOnline"]);
        *main = Text::new(&like);
        drops.clear();
        gone.retain(|item| !is_online.contains(&item.key.as_str()));
        match &ask.addresses {
            Addresses::Static(nets) => {
                for net in nets {
                    main.push("Network", "Address", &net.to_string(), None);
                }
            }
            Addresses::Dhcp => main.push("Network", "DHCP", "ipv4", None),
            Addresses::None | Addresses::Keep => {
                // A bridge without addresses never gets further than `carrier`: the start of the host shan't wait for more.
                main.push("Link", "RequiredForOnline", "carrier", None);
                main.push("Network", "LinkLocalAddressing", "no", None);
                main.push("Network", "IPv6AcceptRA", "no", None);
            }
        }
    }
    let is_of_family = |item: &Item| {
        let gateway = item.value.parse::<IpAddr>().ok();
        gateway.is_some_and(|old| ask.gateways.iter().any(|new| new.is_ipv4() == old.is_ipv4()))
    };
    for text in std::iter::once(&mut *main).chain(drops.iter_mut()) {
        let routes = |section: &Section| {
            section.name == "Route"
                && is_default(section)
                && section.items.iter().any(|item| item.key == "Gateway" && is_of_family(item))
        };
        for route in text.sections.iter().filter(|section| routes(section)) {
            gone.extend(route.items.iter().cloned());
        }
        text.sections.retain(|section| !routes(section));
        gone.extend(text.take(|section, item| {
            section.name == "Network"
                && (item.key == "Gateway" && is_of_family(item) || item.key == "DNS" && !ask.dns.is_empty())
        }));
    }
    for gateway in &ask.gateways {
        main.push("Network", "Gateway", &gateway.to_string(), None);
    }
    for dns in &ask.dns {
        main.push("Network", "DNS", &dns.to_string(), None);
    }
    if is_kept && has.dhcp4 {
        // What is given replaces what the DHCP server says, too.
        if ask.gateways.iter().any(IpAddr::is_ipv4) && main.get("DHCPv4", "UseGateway").is_none() {
            main.push("DHCPv4", "UseGateway", "no", None);
        }
        if !ask.dns.is_empty() && main.get("DHCPv4", "UseDNS").is_none() {
            main.push("DHCPv4", "UseDNS", "no", None);
        }
    }
    gone.iter()
        .filter(|item| !item.key.is_empty())
        .map(|item| format!("{}={}", item.key, item.value))
        .collect()
}
