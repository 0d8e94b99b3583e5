//! What libvirt starts although it can't work as it should: definitions that somebody wrote by hand. For a network that is
//! about to be made all of this is refused (`addresses`, `dhcp`, `hosts`).

use ipnet::IpNet;

use super::addresses::overlap;
use super::around::Surroundings;
use crate::model::{Address, Code, Network, Warning};

/// What is doubtful in a network that is about to be started. Its bridge isn't looked at.
pub fn doubts(network: &Network, around: &Surroundings) -> Vec<Warning> {
    let of_address = |address: &Address| {
        let net = address.ip.trunc();
        let overlapped = overlapped(network, address.ip, around).map(|whose| {
            let what = format!(
                "its subnet {net} overlaps {whose}: libvirt doesn't start it if the two are the same; else packets go astray"
            );
            Warning::note(Code::SubnetOverlap, what)
        });
        // libvirt accepts both (reference §5.2).
        let outside = address.hosts.iter().filter(|host| !net.contains(&host.ip)).map(|host| {
            let what = format!("the fixed address {} isn't in the subnet {net}: no guest gets it", host.ip);
            Warning::note(Code::AddressOutside, what)
        });
        let gateway = address.ip.addr();
        let given_away = address.dhcp.iter().filter(|(start, end)| *start <= gateway && gateway <= *end);
        let given_away = given_away.map(|(start, end)| {
            let what = format!("the DHCP range {start}-{end} holds the host's own address {gateway}");
            Warning::note(Code::RangeHoldsGateway, what)
        });
        overlapped.into_iter().chain(outside).chain(given_away).collect::<Vec<_>>()
    };
    network.addresses.iter().flat_map(of_address).collect()
}

/// What of the host's, or of another network that runs, has addresses of the network's subnet. Of a host that can't be seen
/// only the networks are known, and not which of them run.
pub(super) fn overlapped(network: &Network, ip: IpNet, around: &Surroundings) -> Option<String> {
    let others = around.without(network);
    let of_network = |n: &Network| {
        let meets = n.mode.is_virtual() && n.addresses.iter().any(|a| overlap(a.ip, ip));
        meets.then(|| format!("network '{}'", n.name))
    };
    if others.devices.is_none() {
        return others.networks.iter().find_map(of_network);
    }
    // Nobody sends anything by what rules alone name: it may well be this network that they mean.
    let taken = others.taken.iter().filter(|t| t.is_followed && !t.is_default() && overlap(t.net, ip));
    let owner = |dev: &Option<String>| {
        others.networks.iter().find(|n| n.mode.is_virtual() && dev.is_some() && n.bridge == *dev)
    };
    let named = taken.map(|t| match owner(&t.dev) {
        Some(n) => format!("network '{}'", n.name),
        None => t.by.clone(),
    });
    named.min_by_key(|whose| !whose.starts_with("network "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::{HostDevice, Taken};
    use crate::xml::Doc;

    fn read(body: &str) -> Network {
        Network::read(&Doc::parse(&format!("<network>{body}</network>")).unwrap()).unwrap()
    }

    fn of(body: &str, around: &Surroundings) -> Vec<(Code, String)> {
        let body = format!("<name>n</name><forward/><bridge name='virbr7'/>{body}");
        doubts(&read(&body), around).into_iter().map(|w| (w.code, w.message)).collect()
    }

    #[test]
    fn what_is_written_by_hand() {
        let ip = |dhcp: &str| format!("<ip address='10.0.0.5' prefix='24'><dhcp>{dhcp}</dhcp></ip>");
        let none = Surroundings::default();
        let fine =
            ip("<range start='10.0.0.6' end='10.0.0.9'/><host mac='52:54:00:00:00:01' ip='10.0.0.20'/>");
        assert_eq!(of(&fine, &none), []);
        let said = of(&ip("<range start='10.0.0.2' end='10.0.0.9'/>"), &none);
        assert_eq!(said[0].0, Code::RangeHoldsGateway);
        let said = of(&ip("<host mac='52:54:00:00:00:01' ip='10.0.1.20'/>"), &none);
        assert!(said.len() == 1 && said[0].0 == Code::AddressOutside && said[0].1.contains("10.0.1.20"));
    }

    #[test]
    fn subnets_of_others() {
        let taken = |net: &str, dev: &str| Taken {
            net: net.parse().unwrap(),
            by: format!("the route to {net} on {dev}"),
            dev: Some(dev.into()),
            is_followed: true,
        };
        let default =
            read("<name>default</name><forward/><bridge name='virbr0'/><ip address='10.9.0.1' prefix='24'/>");
        let mut host = Surroundings {
            taken: vec![
                taken("0.0.0.0/0", "eth0"),
                taken("10.9.0.0/24", "virbr0"),
                taken("10.7.0.0/16", "virbr7"),
            ],
            devices: Some(vec![HostDevice::default()]),
            networks: vec![default],
            ..Surroundings::default()
        };
        let at = |net: &str| format!("<ip address='{net}' prefix='16'/>");
        assert_eq!(of(&at("10.7.0.1"), &host), [], "its own bridge");
        let said = of(&at("10.9.0.1"), &host);
        assert!(
            said[0].0 == Code::SubnetOverlap && said[0].1.contains("overlaps network 'default'"),
            "{said:?}"
        );
        host.taken.push(taken("10.8.0.0/24", "eth0"));
        assert!(of(&at("10.8.0.1"), &host)[0].1.contains("the route to 10.8.0.0/24 on eth0"));
        host.taken.retain(|t| t.dev.as_deref() != Some("virbr0"));
        assert_eq!(of(&at("10.9.0.1"), &host), [], "that one doesn't run");
        host.devices = None;
        assert!(of(&at("10.9.0.1"), &host)[0].1.contains("network 'default'"));
    }
}
