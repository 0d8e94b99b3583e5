//! Addresses that DHCP keeps for certain guests. libvirt checks next to nothing here (reference §5.2).

use super::addresses::unusable;
use super::ask::{Ask, Host};
use super::dhcp::of_family;
use super::fault::Fault;
use super::spec::Subnet;
use super::words;
use crate::model::MacAddr;

const FLAG: &str = "--host";

/// Puts the hosts that were asked for into the subnets.
pub(super) fn reserve(ask: &Ask, subnets: &mut [Subnet]) -> Result<(), Fault> {
    for host in &ask.hosts {
        let Some(subnet) = of_family(subnets, host.ip) else {
            let what = format!("{host}: the network has no subnet of that family");
            return Err(Fault::new(FLAG, what, "add --subnet6"));
        };
        check(host, subnet)?;
        if !subnet.hosts.contains(host) {
            subnet.hosts.push(host.clone());
        }
    }
    Ok(())
}

fn check(host: &Host, subnet: &Subnet) -> Result<(), Fault> {
    let fault = |what: String, help: &str| Err(Fault::new(FLAG, format!("{host}: {what}"), help));
    if let Some(why) = unusable(subnet.ip, host.ip) {
        return fault(
            format!("{} {why}", host.ip),
            &format!("take another address of {}", subnet.ip.trunc()),
        );
    }
    // "Invalid to specify MAC address '%s' in network '%s' IPv6 static host definition", and the other way round.
    match (host.ip.is_ipv4(), host.mac, &host.id) {
        (false, Some(_), _) => {
            return fault(
                "DHCPv6 knows guests by their DUID, not by their MAC address".into(),
                "write the guest's DUID, or -,IP,NAME with the name that the guest calls itself",
            );
        }
        (true, _, Some(_)) => {
            return fault(
                "DHCP for IPv4 knows guests by their MAC address, not by a DUID".into(),
                "write it",
            );
        }
        _ => {}
    }
    if host.mac.is_some_and(MacAddr::is_multicast) {
        return fault(
            "that MAC address is a group's, which no guest can have".into(),
            "write the guest's own",
        );
    }
    if host.mac.is_some_and(|mac| mac.octets() == [0; 6]) {
        return fault("that MAC address is nobody's".into(), "write the guest's own");
    }
    if let Some(id) = host.id.as_ref().filter(|id| !is_duid(id)) {
        return fault(
            format!("'{id}' is none of the four kinds of DUID (LLT, EN, LL, UUID)"),
            "it begins with 0:1, 0:2, 0:3 or 0:4",
        );
    }
    if let Some(why) = host.name.as_deref().and_then(words::host_name) {
        return fault(why, "letters, digits and '-', a letter first");
    }
    let others = || subnet.hosts.iter().filter(|other| *other != host);
    let taken = |same: &dyn Fn(&Host) -> bool| others().find(|other| same(other));
    for (what, same) in [
        ("its address", &(|other: &Host| other.ip == host.ip) as &dyn Fn(&Host) -> bool),
        ("its MAC address", &|other| host.mac.is_some() && other.mac == host.mac),
        ("its DUID", &|other| host.id.is_some() && other.id == host.id),
        ("its name", &|other| host.name.is_some() && other.name == host.name),
    ] {
        if let Some(other) = taken(same) {
            return fault(format!("{what} is that of {FLAG} {other} too"), "each guest needs one of its own");
        }
    }
    Ok(())
}

/// The schema's patterns (basictypes.rng, `DUID`), as far as they tell one kind from another.
fn is_duid(id: &str) -> bool {
    let bytes: Vec<u8> = id.split(':').filter_map(|b| u8::from_str_radix(b, 16).ok()).collect();
    let hardware = |bytes: &[u8]| bytes.len() >= 2 && bytes[0] == 0 && (1..16).contains(&bytes[1]);
    match bytes[..] {
        [0, 1, ref rest @ ..] => hardware(rest) && (12..=14).contains(&rest.len()),
        [0, 2, ref rest @ ..] => (5..=128).contains(&rest.len()),
        [0, 3, ref rest @ ..] => hardware(rest) && (8..=10).contains(&rest.len()),
        [0, 4, ref rest @ ..] => rest.len() == 16,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Mode;

    fn reserved(hosts: &[&str]) -> Result<(), String> {
        let ask = Ask { hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(), ..Ask::new(Mode::Nat) };
        let subnet = |ip: &str| Subnet { ip: ip.parse().unwrap(), dhcp: Vec::new(), hosts: Vec::new() };
        let mut subnets = [subnet("10.0.0.1/24"), subnet("fd00::1/64")];
        reserve(&ask, &mut subnets).map_err(|f| f.message)
    }

    #[test]
    fn what_is_refused() {
        for (hosts, reason) in [
            (&["52:54:00:00:00:01,10.0.1.5"][..], "not in 10.0.0.0/24"),
            (&["52:54:00:00:00:01,10.0.0.1"], "gateway"),
            (&["52:54:00:00:00:01,10.0.0.0"], "subnet itself"),
            (&["52:54:00:00:00:01,10.0.0.255"], "broadcast"),
            (&["53:54:00:00:00:01,10.0.0.5"], "group's"),
            (&["52:54:00:00:00:01,fd00::5"], "DUID"),
            (&["0:3:0:1:52:54:0:0:0:1,10.0.0.5"], "MAC address"),
            (&["0:9:0:1:52:54:0:0:0:1,fd00::5"], "four kinds"),
            (&["52:54:00:00:00:01,10.0.0.5,1web"], "begins"),
            (&["52:54:00:00:00:01,10.0.0.5,a_b"], "'_'"),
            (&["52:54:00:00:00:01,10.0.0.5", "52:54:00:00:00:02,10.0.0.5"], "its address"),
            (&["52:54:00:00:00:01,10.0.0.5", "52:54:00:00:00:01,10.0.0.6"], "its MAC"),
            (&["52:54:00:00:00:01,10.0.0.5,a", "52:54:00:00:00:02,10.0.0.6,a"], "its name"),
        ] {
            let said = reserved(hosts).unwrap_err();
            assert!(said.contains(reason) && said.contains(FLAG), "{hosts:?}: {said}");
        }
    }

    #[test]
    fn what_is_fine() {
        let all = ["52:54:00:00:00:01,10.0.0.5,web", "-,fd00::5,web", "0:3:0:1:52:54:0:0:0:1,fd00::6"];
        assert_eq!(reserved(&all), Ok(()));
    }
}
