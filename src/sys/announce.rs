//! Tells the neighbours on the link who has which address now: they would send to the old hardware address for seconds, and
//! switches to the old port.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddrV6};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SendFlags, SocketType, bind, ipproto, netdevice, sendto, socket, sockopt};

use super::exec;
use super::netstate::{DeviceState, NetState};

/// All nodes on the link.
const ALL: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Announces all addresses of devices that are up. An IPv6 address of which the kernel still looks whether somebody else
/// has it can't be announced yet, and is waited for. What isn't announced is found by asking, as ever.
pub fn announce(state: &NetState, patience: Duration) {
    let until = Instant::now() + patience;
    let on = |device: &DeviceState| {
        let global = device.addresses.iter().map(|address| &address.cidr);
        let all = global.chain(&device.link_local).filter_map(|cidr| cidr.split('/').next()?.parse().ok());
        all.collect::<Vec<IpAddr>>()
    };
    let up = state.devices.iter().filter(|device| device.is_up && device.has_carrier);
    let mut left: Vec<_> =
        up.flat_map(|device| on(device).into_iter().map(move |own| (own, device))).collect();
    loop {
        left.retain(|(own, device)| match own {
            IpAddr::V4(_) => {
                ask_for(*own, device);
                false
            }
            IpAddr::V6(own) => advertise(*own, device).is_err(),
        });
        if left.is_empty() || Instant::now() >= until {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The kernel is made to ask who has the host's own address: that is what a gratuitous ARP request is. It would note down
/// that nobody answers.
fn ask_for(address: IpAddr, device: &DeviceState) {
    let (to, dev) = (address.to_string(), device.name.as_str());
    for words in [&["replace", &to, "dev", dev, "use"][..], &["delete", &to, "dev", dev]] {
        let argv: Vec<String> = ["ip", "-4", "neigh"].iter().chain(words).map(ToString::to_string).collect();
        let _ = exec::run(&argv, Duration::from_secs(2));
    }
}

/// An unsolicited neighbour advertisement (RFC 4861, 7.2.6). The kernel puts the checksum in.
fn advertise(own: Ipv6Addr, device: &DeviceState) -> io::Result<()> {
    let socket = socket(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6))?;
    let index = netdevice::name_to_index(&socket, &device.name)?;
    let of_link = if own.is_unicast_link_local() { index } else { 0 };
    bind(&socket, &SocketAddrV6::new(own, 0, 0, of_link))?;
    // What has come through a router doesn't count.
    sockopt::set_ipv6_multicast_hops(&socket, 255)?;
    let message = advertisement(own, &device.mac).ok_or(io::ErrorKind::InvalidInput)?;
    sendto(&socket, &message, SendFlags::empty(), &SocketAddrV6::new(ALL, 0, 0, index))?;
    Ok(())
}

/// Its bytes: type, code, checksum, that it overrides what is known, the address, and the hardware address as an option.
fn advertisement(own: Ipv6Addr, mac: &str) -> Option<Vec<u8>> {
    let mac: Vec<u8> = mac.split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    let head = [136, 0, 0, 0, 0x20, 0, 0, 0];
    (mac.len() == 6).then(|| [&head[..], &own.octets(), &[2, 1], &mac].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_advertisement_names_both_addresses() {
        let own = "2001:2::4".parse().unwrap();
        let message = advertisement(own, "52:54:00:aa:00:04").unwrap();
        assert_eq!((message.len(), message[0], message[4]), (32, 136, 0x20));
        assert_eq!(message[8..24], own.octets());
        assert_eq!(message[24..], [2, 1, 0x52, 0x54, 0, 0xaa, 0, 4]);
        // InfiniBand's are longer.
        assert_eq!(advertisement(own, "52:54:00:aa:00:04:01"), None);
    }
}
