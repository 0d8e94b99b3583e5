//! What an Ethernet frame on a guest's tap says of the guest's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The guest sent it.
    FromGuest,
    /// The bridge handed it to the guest, which may not be who it is meant for.
    ToGuest,
}

/// One thing that a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A DHCP server gave the guest this address.
    Given(Ipv4Addr),
    /// The guest asks whether anybody has this address (duplicate address detection), before it takes it.
    Probed(Ipv6Addr),
    /// A router says that addresses that begin like this, with so many bits, are at home here.
    AtHome(Ipv6Addr, u8),
    /// The guest sends from this address, which it may have had for long.
    Used(IpAddr),
}

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
/// What a tag begins with: 802.1Q, 802.1ad, and what was used before that.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// More tags than these nobody has.
const MOST_TAGS: usize = 4;

/// What the frame says of the guest whose NIC has the address `mac`. Any bytes will do.
pub(super) fn signs(frame: &[u8], mac: [u8; 6], way: Way) -> Vec<Sign> {
    let is_its_own = at(frame, 6) == Some(mac);
    let Some((kind, payload)) = payload(frame) else { return Vec::new() };
    let one = |sign: Option<Sign>| sign.into_iter().collect();
    match (kind, way) {
        (ARP, Way::FromGuest) if is_its_own => one(sender(payload, mac)),
        (IPV4, Way::FromGuest) if is_its_own => one(source4(payload)),
        (IPV6, Way::FromGuest) if is_its_own => one(source6(payload)),
        (IPV4, Way::ToGuest) => one(acknowledged(payload, mac)),
        (IPV6, Way::ToGuest) => at_home(payload),
        _ => Vec::new(),
    }
}

/// The `N` bytes that begin at `start`, if they are there.
fn at<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..)?.first_chunk().copied()
}

fn number(bytes: &[u8], start: usize) -> Option<u16> {
    at(bytes, start).map(u16::from_be_bytes)
}

fn ipv4(bytes: &[u8], start: usize) -> Option<Ipv4Addr> {
    at::<4>(bytes, start).map(Ipv4Addr::from)
}

fn ipv6(bytes: &[u8], start: usize) -> Option<Ipv6Addr> {
    at::<16>(bytes, start).map(Ipv6Addr::from)
}

/// What is in the frame, and of what kind it is; tags left out.
fn payload(frame: &[u8]) -> Option<(u16, &[u8])> {
    let mut rest = frame.get(12..)?;
    for _ in 0..=MOST_TAGS {
        let kind = number(rest, 0)?;
        if !TAGS.contains(&kind) {
            return Some((kind, rest.get(2..)?));
        }
        rest = rest.get(4..)?;
    }
    None
}

/// An address that others can reach a guest at, not one that it gave itself for want of a better.
fn is_usable4(ip: Ipv4Addr) -> bool {
    let is_of_one = ip.octets()[0] != 0 && !ip.is_multicast() && !ip.is_broadcast();
    is_of_one && !ip.is_loopback() && !ip.is_link_local()
}

fn is_usable6(ip: Ipv6Addr) -> bool {
    let is_of_one = !ip.is_unspecified() && !ip.is_multicast();
    is_of_one && !ip.is_loopback() && !ip.is_unicast_link_local() && ip.to_ipv4_mapped().is_none()
}

/// The sender of an ARP packet; one that merely probes doesn't say who it is.
fn sender(arp: &[u8], mac: [u8; 6]) -> Option<Sign> {
    let is_ipv4 = at(arp, 0)? == [0, 1, 8, 0, 6, 4];
    let ip = ipv4(arp, 14).filter(|ip| is_usable4(*ip))?;
    (is_ipv4 && at(arp, 8)? == mac).then_some(Sign::Used(ip.into()))
}

/// With a count of hops that none is gone from, a packet comes from the guest itself, and isn't one that it only passes on.
fn is_fresh(hops: u8) -> bool {
    matches!(hops, 1 | 64 | 128 | 255)
}

fn source4(packet: &[u8]) -> Option<Sign> {
    let ip = ipv4(packet, 12).filter(|ip| is_usable4(*ip))?;
    (packet[0] >> 4 == 4 && is_fresh(packet[8])).then_some(Sign::Used(ip.into()))
}

/// The guest's own IPv6 address: the one it asks about, announces, or sends from.
fn source6(packet: &[u8]) -> Option<Sign> {
    let from = ipv6(packet, 8)?;
    let message = neighbour_discovery(packet);
    let target = message.and_then(|message| ipv6(message, 8)).filter(|ip| is_usable6(*ip));
    match (message.and_then(|message| at(message, 0)), target) {
        (Some([SOLICITATION]), Some(target)) if from.is_unspecified() => return Some(Sign::Probed(target)),
        // One that nobody asked for.
        (Some([ADVERTISEMENT]), Some(target)) if at::<5>(message?, 0)?[4] & 0x40 == 0 => {
            return Some(Sign::Used(target.into()));
        }
        _ => {}
    }
    (packet[0] >> 4 == 6 && is_fresh(packet[7]) && is_usable6(from)).then_some(Sign::Used(from.into()))
}

const ROUTER: u8 = 134;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// The message of a packet that can be one of neighbour discovery: ICMPv6, and it didn't cross a router.
fn neighbour_discovery(packet: &[u8]) -> Option<&[u8]> {
    let [version, .., next, hops] = at::<8>(packet, 0)?;
    (version >> 4 == 6 && next == 58 && hops == 255).then(|| packet.get(40..))?
}

/// The prefixes that a router announces.
fn at_home(packet: &[u8]) -> Vec<Sign> {
    let mut found = Vec::new();
    let message = neighbour_discovery(packet).filter(|message| message.first() == Some(&ROUTER));
    let mut options = message.and_then(|message| message.get(16..)).unwrap_or_default();
    while let Some([kind, eights]) = at(options, 0) {
        let Some((option, rest)) = options.split_at_checked(usize::from(eights) * 8) else { break };
        if eights == 0 {
            break;
        }
        let valid_for = at::<4>(option, 4).map(u32::from_be_bytes);
        if let (3, 4, Some(1..), Some(prefix)) = (kind, eights, valid_for, ipv6(option, 16))
            && let bits @ 1..=128 = option[2]
            && is_usable6(prefix)
        {
            found.push(Sign::AtHome(prefix, bits));
        }
        options = rest;
    }
    found
}

/// The address that a DHCP server's last word to the guest gives it.
fn acknowledged(packet: &[u8], mac: [u8; 6]) -> Option<Sign> {
    const TO_CLIENT: u16 = 68;
    let head = at::<20>(packet, 0)?;
    let is_whole = number(&head, 6)? & 0x1fff == 0;
    if head[0] >> 4 != 4 || head[9] != 17 || !is_whole {
        return None;
    }
    let udp = packet.get(usize::from(head[0] & 0xf) * 4..)?;
    let dhcp = udp.get(8..).filter(|_| number(udp, 2) == Some(TO_CLIENT))?;
    let is_reply_to_it = at(dhcp, 0)? == [2, 1, 6] && at(dhcp, 28)? == mac;
    let is_dhcp = at(dhcp, 236)? == [0x63, 0x82, 0x53, 0x63];
    // In the answer to INFORM, which only asks for the rest, there is no address.
    let ip = ipv4(dhcp, 16).filter(|ip| is_usable4(*ip))?;
    (is_reply_to_it && is_dhcp && message_type(dhcp.get(240..)?) == Some(ACK)).then_some(Sign::Given(ip))
}

const ACK: u8 = 5;

fn message_type(mut options: &[u8]) -> Option<u8> {
    loop {
        match *options {
            [0, ref rest @ ..] => options = rest,
            [53, 1, kind, ..] => return Some(kind),
            [255, ..] | [] | [_] => return None,
            [_, length, ref rest @ ..] => options = rest.get(usize::from(length)..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::Way::{FromGuest, ToGuest};
    use super::*;

    const MAC: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];

    fn frame(from: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
        [&[0xff; 6][..], &from, &kind.to_be_bytes(), payload].concat()
    }

    /// The same frame with tags.
    fn tagged(frame: &[u8], tags: &[u16]) -> Vec<u8> {
        let tags: Vec<u8> =
            tags.iter().flat_map(|tag| [&tag.to_be_bytes()[..], &[0, 100]].concat()).collect();
        [&frame[..12], &tags, &frame[12..]].concat()
    }

    fn arp(operation: u8, mac: [u8; 6], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
        [&[0, 1, 8, 0, 6, 4, 0, operation][..], &mac, &sender, &[0; 6], &target].concat()
    }

    fn ip4(hops: u8, protocol: u8, source: [u8; 4], payload: &[u8]) -> Vec<u8> {
        // With an option, so that the header has another length than usual.
        let head = [0x46, 0, 0, 0, 0, 0, 0x40, 0, hops, protocol, 0, 0];
        [&head[..], &source, &[255; 4], &[1, 1, 1, 0], payload].concat()
    }

    fn dhcp(operation: u8, mac: [u8; 6], yours: [u8; 4], options: &[u8]) -> Vec<u8> {
        let mut message = vec![0; 240];
        message[..3].copy_from_slice(&[operation, 1, 6]);
        message[16..20].copy_from_slice(&yours);
        message[28..34].copy_from_slice(&mac);
        message[236..].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
        let udp = [0, 67, 0, 68, 0, 0, 0, 0];
        let packet = ip4(64, 17, [198, 18, 0, 1], &[&udp[..], &message, options].concat());
        frame(OTHER, IPV4, &packet)
    }

    fn ip6(hops: u8, next: u8, source: &str, payload: &[u8]) -> Vec<u8> {
        let ends = ["ff02::1", source].map(|ip| ip.parse::<Ipv6Addr>().unwrap().octets());
        [&[0x60, 0, 0, 0, 0, 0, next, hops][..], &ends[1], &ends[0], payload].concat()
    }

    /// A message about a neighbour.
    fn neighbour(kind: u8, flags: u8, source: &str, target: &str) -> Vec<u8> {
        let target = target.parse::<Ipv6Addr>().unwrap().octets();
        let message = [&[kind, 0, 0, 0, flags, 0, 0, 0][..], &target].concat();
        frame(MAC, IPV6, &ip6(255, 58, source, &message))
    }

    fn prefix(bits: u8, valid_for: u8, prefix: &str) -> Vec<u8> {
        let prefix = prefix.parse::<Ipv6Addr>().unwrap().octets();
        [&[3, 4, bits, 0xc0, 0, 0, 0, valid_for][..], &[0; 8], &prefix].concat()
    }

    fn router(options: &[u8]) -> Vec<u8> {
        let message = [&[ROUTER][..], &[0; 15], options].concat();
        frame(OTHER, IPV6, &ip6(255, 58, "fe80::1", &message))
    }

    fn used(ip: &str) -> Vec<Sign> {
        vec![Sign::Used(ip.parse().unwrap())]
    }

    #[test]
    fn arp_that_the_guest_sends() {
        let ours = frame(MAC, ARP, &arp(1, MAC, [10, 0, 0, 5], [10, 0, 0, 1]));
        assert_eq!(signs(&ours, MAC, FromGuest), used("10.0.0.5"));
        assert_eq!(signs(&tagged(&ours, &[0x8100]), MAC, FromGuest), used("10.0.0.5"));
        assert_eq!(signs(&tagged(&ours, &[0x88a8, 0x8100]), MAC, FromGuest), used("10.0.0.5"));
        assert_eq!(signs(&tagged(&ours, &[0x8100; 9]), MAC, FromGuest), []);
        assert_eq!(signs(&ours, MAC, ToGuest), []);
        assert_eq!(signs(&ours, OTHER, FromGuest), []);
        let for_another = frame(MAC, ARP, &arp(2, OTHER, [10, 0, 0, 5], [10, 0, 0, 1]));
        assert_eq!(signs(&for_another, MAC, FromGuest), []);
        for probe in [[0, 0, 0, 0], [169, 254, 3, 4]] {
            let probe = frame(MAC, ARP, &arp(1, MAC, probe, [10, 0, 0, 5]));
            assert_eq!(signs(&probe, MAC, FromGuest), []);
        }
    }

    #[test]
    fn dhcp_that_is_the_guests() {
        let yours = [198, 18, 0, 100];
        let ack = [0, 54, 4, 198, 18, 0, 1, 53, 1, ACK, 255];
        let given = dhcp(2, MAC, yours, &ack);
        let sign = [Sign::Given(yours.into())];
        assert_eq!(signs(&given, MAC, ToGuest), sign);
        assert_eq!(signs(&tagged(&given, &[0x8100]), MAC, ToGuest), sign);
        for (what, frame) in [
            ("an offer", dhcp(2, MAC, yours, &[53, 1, 2, 255])),
            ("no type", dhcp(2, MAC, yours, &[255, 53, 1, ACK])),
            ("an option cut off", dhcp(2, MAC, yours, &[54, 200, 53, 1, ACK])),
            ("the answer to INFORM", dhcp(2, MAC, [0; 4], &ack)),
            ("a request", dhcp(1, MAC, yours, &ack)),
            ("another's", dhcp(2, OTHER, yours, &ack)),
        ] {
            assert_eq!(signs(&frame, MAC, ToGuest), [], "{what}");
        }
        assert_eq!(signs(&given, OTHER, FromGuest), used("198.18.0.1"), "who sends it has an address");
    }

    #[test]
    fn packets_that_the_guest_sends() {
        let sent = |hops, from| signs(&frame(MAC, IPV4, &ip4(hops, 6, from, &[])), MAC, FromGuest);
        assert_eq!(sent(64, [10, 0, 0, 5]), used("10.0.0.5"));
        assert_eq!(sent(63, [10, 0, 0, 5]), [], "passed on");
        assert_eq!(sent(64, [0; 4]), []);
        assert_eq!(sent(64, [127, 0, 0, 1]), []);
        let sent = |hops, from| signs(&frame(MAC, IPV6, &ip6(hops, 6, from, &[])), MAC, FromGuest);
        assert_eq!(sent(64, "fd00::5"), used("fd00::5"));
        for (hops, from) in [(63, "fd00::5"), (255, "fe80::5"), (255, "::"), (1, "ff02::1")] {
            assert_eq!(sent(hops, from), []);
        }
    }

    #[test]
    fn neighbours_and_routers() {
        let sent = |frame: Vec<u8>| signs(&frame, MAC, FromGuest);
        let target = "2001:db8::5";
        let probed = Sign::Probed(target.parse().unwrap());
        assert_eq!(sent(neighbour(SOLICITATION, 0, "::", target)), [probed]);
        assert_eq!(sent(neighbour(SOLICITATION, 0, "::", "fe80::5")), []);
        assert_eq!(sent(neighbour(SOLICITATION, 0, "fe80::5", target)), [], "it asks for another");
        assert_eq!(sent(neighbour(ADVERTISEMENT, 0x20, "fe80::5", target)), used(target));
        assert_eq!(sent(neighbour(ADVERTISEMENT, 0x60, "fe80::5", "fe80::5")), []);

        let bytes = [&[1, 1][..], &[0; 6], &prefix(64, 9, "2001:db8::"), &prefix(64, 0, "fd00::")].concat();
        let home = [Sign::AtHome("2001:db8::".parse().unwrap(), 64)];
        assert_eq!(signs(&router(&bytes), MAC, ToGuest), home);
        assert_eq!(signs(&tagged(&router(&bytes), &[0x8100]), MAC, ToGuest), home);
        assert_eq!(signs(&router(&bytes), OTHER, FromGuest), []);
        for bad in [&prefix(129, 9, "2001:db8::")[..], &prefix(64, 9, "2001:db8::")[..31], &[3, 0, 64]] {
            assert_eq!(signs(&router(bad), MAC, ToGuest), []);
        }
    }

    /// Bytes that are nearly a frame.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let frames = [
            frame(MAC, ARP, &arp(1, MAC, [10, 0, 0, 5], [10, 0, 0, 1])),
            dhcp(2, MAC, [10, 0, 0, 5], &[12, 2, 1, 1, 53, 1, ACK, 255]),
            tagged(&frame(MAC, IPV4, &ip4(64, 6, [10, 0, 0, 5], &[])), &[0x8100]),
            neighbour(SOLICITATION, 0, "::", "fd00::5"),
            router(&prefix(64, 9, "fd00::")),
        ];
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
        let cut = any::<prop::sample::Index>();
        (prop::sample::select(frames.to_vec()), changes, cut).prop_map(|(mut frame, changes, cut)| {
            for (place, byte) in changes {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
            frame.truncate(cut.index(frame.len() + 1));
            frame
        })
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(bytes in prop_oneof![nearly(), prop::collection::vec(any::<u8>(), 0..200)]) {
            for way in [FromGuest, ToGuest] {
                for sign in signs(&bytes, MAC, way) {
                    let usable = match sign {
                        Sign::Used(IpAddr::V4(ip)) | Sign::Given(ip) => is_usable4(ip),
                        Sign::Used(IpAddr::V6(ip)) | Sign::Probed(ip) | Sign::AtHome(ip, _) => is_usable6(ip),
                    };
                    prop_assert!(usable);
                }
            }
        }
    }
}
