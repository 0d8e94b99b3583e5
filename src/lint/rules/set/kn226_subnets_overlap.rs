//! Two networks whose subnets overlap.

use ipnet::IpNet;

use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::set::{At, Net, Set, SetReport};

use super::ONE_HOST;
use super::kinds::shown;

pub(super) static RULE: Rule = Rule {
    code: "KN226",
    name: "subnets-overlap",
    severity: Severity::Error,
    summary: "the subnets of two networks overlap",
    why: "\
The host has an address in every network that libvirt makes, and a route to its subnet. If the subnets of two networks \
overlap, the host sends what is for guests of the one into the other. libvirt notices only if both have the same IPv4 subnet: \
then it doesn't start the second, \"network is already in use\". If one is a part of the other, or with IPv6, it starts both, \
and some guests can't be reached.",
    fixable: false,
    bad: &[example!("KN226-subnets-overlap", "bad/lab.xml"), example!("KN226-subnets-overlap", "bad/test.xml")],
    good: &[
        example!("KN226-subnets-overlap", "good/lab.xml"),
        example!("KN226-subnets-overlap", "good/test.xml"),
    ],
    check: Check::Set(check),
};

/// A subnet with its network, and the position of that.
type Subnet<'s> = (IpNet, usize, &'s Net, &'s At<IpNet>);

fn check(set: &Set<'_>, report: &mut SetReport) {
    let made = set.networks().zip(0..).filter(|(net, _)| net.network.mode.is_virtual());
    let subnets = made.flat_map(|(net, position)| net.addresses.iter().map(move |at| (at.what.trunc(), position, net, at)));
    let mut subnets: Vec<Subnet<'_>> = subnets.filter(|(subnet, ..)| !is_of_one_link(subnet)).collect();
    // Two subnets overlap if one holds the other: it then comes before it.
    subnets.sort_by_key(|(subnet, position, ..)| (subnet.network(), subnet.prefix_len(), *position));
    let mut around: Vec<Subnet<'_>> = Vec::new();
    for subnet in subnets {
        while around.pop_if(|outer| !outer.0.contains(&subnet.0)).is_some() {}
        let other = around.iter().rev().find(|(_, _, net, _)| !net.is_also(subnet.2));
        if let Some(other) = other {
            let (first, later) = if other.1 < subnet.1 { (other, &subnet) } else { (&subnet, other) };
            found(first, later, report);
        }
        // Of a network that is in many files, one will do.
        if around.last().is_none_or(|last| last.0 != subnet.0 || !last.2.is_also(subnet.2)) {
            around.push(subnet);
        }
    }
}

/// Addresses that every link has for itself.
fn is_of_one_link(subnet: &IpNet) -> bool {
    matches!(subnet, IpNet::V6(subnet) if subnet.network().is_unicast_link_local())
}

fn found(first: &Subnet<'_>, later: &Subnet<'_>, report: &mut SetReport) {
    let name = shown(first.2);
    let what = match first.0 == later.0 {
        true => format!("network '{name}' has the subnet {} as well", later.0),
        false => format!("the subnet {} overlaps {} of network '{name}'", later.0, first.0),
    };
    report
        .at(&later.3.mark, what)
        .also(&first.3.mark, "there")
        .help(format!("give each network a subnet of its own; {ONE_HOST}"));
}
