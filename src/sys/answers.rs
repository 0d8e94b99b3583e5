//! Does somebody on the link answer, and does a connection still stand?

use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exec;
use super::routes::ip;

/// Does the neighbour of that address answer on the device? The kernel is made to ask for its MAC address (ARP, or
/// neighbour discovery), which no firewall keeps from being answered, unlike a ping.
pub fn answers(address: IpAddr, dev: &str, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        ask(address, dev);
        if is_known(address, dev) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The kernel is told to find out who has the address on that device (`use`), even if what is sent there leaves by another
/// one; where `ip` is too old for that word, by a datagram to the discard port.
fn ask(address: IpAddr, dev: &str) {
    let to = address.to_string();
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    let argv = ["ip", family, "neigh", "replace", &to, "dev", dev, "use"].map(String::from);
    if exec::run(&argv, Duration::from_secs(2)).is_ok() {
        return;
    }
    let to = match address {
        IpAddr::V4(_) => SocketAddr::new(address, 9),
        IpAddr::V6(v6) => {
            let index = std::fs::read_to_string(format!("/sys/class/net/{dev}/ifindex"));
            let index = index.ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default();
            SocketAddrV6::new(v6, 9, 0, if v6.is_unicast_link_local() { index } else { 0 }).into()
        }
    };
    let any: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0; 16], 0).into() };
    // That it can't be sent shows in the answer that doesn't come.
    let _ = UdpSocket::bind(any).and_then(|socket| socket.send_to(&[0], to));
}

fn is_known(address: IpAddr, dev: &str) -> bool {
    let to = address.to_string();
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    let known = ip::<Value>(&[family, "neigh", "show", "to", &to, "dev", dev]).unwrap_or_default();
    known.iter().any(|entry| {
        let states = entry["state"].as_array().into_iter().flatten().filter_map(Value::as_str);
        entry["lladdr"].is_string() && !states.clone().any(|s| s == "FAILED" || s == "INCOMPLETE")
    })
}

/// An SSH connection, as `SSH_CONNECTION` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssh {
    /// Where the admin sits.
    pub client: SocketAddr,
    /// The address of this host that they came to.
    pub server: SocketAddr,
}

impl Ssh {
    /// Reads `CLIENT PORT SERVER PORT`.
    pub fn parse(text: &str) -> Option<Ssh> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [client, client_port, server, server_port] = words.as_slice() else { return None };
        let address = |ip: &str, port: &str| {
            // A link's own address has its device behind it.
            let ip: IpAddr = ip.split('%').next()?.parse().ok()?;
            Some(SocketAddr::new(ip.to_canonical(), port.parse().ok()?))
        };
        Some(Ssh { client: address(client, client_port)?, server: address(server, server_port)? })
    }

    /// The connection over which this process was started: that in its own environment or, as `sudo` takes it out
    /// there, in that of a process above it.
    pub fn of_process() -> Option<Ssh> {
        let own = std::env::var("SSH_CONNECTION").ok();
        own.as_deref().and_then(Ssh::parse).or_else(|| {
            let mut pid = std::process::id();
            for _ in 0..32 {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
                // The name before it may hold anything, a bracket too.
                pid = stat
                    .rsplit_once(')')?
                    .1
                    .split_whitespace()
                    .nth(1)?
                    .parse()
                    .ok()
                    .filter(|pid| *pid > 1)?;
                let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                let found = environment.split(|byte| *byte == 0).find_map(|var| {
                    let text = std::str::from_utf8(var).ok()?;
                    Ssh::parse(text.strip_prefix("SSH_CONNECTION=")?)
                });
                if found.is_some() {
                    return found;
                }
            }
            None
        })
    }

    /// Does the kernel still have the connection?
    pub fn stands(&self) -> bool {
        ["tcp", "tcp6"].iter().any(|table| {
            let text = std::fs::read_to_string(format!("/proc/self/net/{table}")).unwrap_or_default();
            text.lines().skip(1).any(|line| {
                let mut words = line.split_whitespace().skip(1);
                let mut end = || words.next().and_then(socket);
                let (local, remote) = (end(), end());
                local == Some(self.server) && remote == Some(self.client) && words.next() == Some("01")
            })
        })
    }
}

/// `0400120A:0016`: each four bytes of the address as a number of this machine's byte order.
fn socket(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for word in address.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip: IpAddr = match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok()?.into(),
        16 => <[u8; 16]>::try_from(bytes).ok()?.into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), u16::from_str_radix(port, 16).ok()?))
}

/// The way of what is sent to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The device that it leaves by.
    pub dev: String,
    /// The router that it goes through, if there is one.
    pub via: Option<IpAddr>,
}

impl Way {
    /// The neighbour that it goes to first.
    pub fn next_hop(&self, address: IpAddr) -> IpAddr {
        self.via.unwrap_or(address)
    }
}

/// The way of what is sent to an address; `None` if there is none.
pub fn way_to(address: IpAddr) -> Option<Way> {
    let family = if address.is_ipv4() { "-4" } else { "-6" };
    let route = ip::<Value>(&[family, "route", "get", &address.to_string()]).ok()?.into_iter().next()?;
    let via = route["gateway"].as_str().or(route["via"]["host"].as_str());
    Some(Way { dev: route["dev"].as_str()?.into(), via: via.and_then(|via| via.parse().ok()) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn connections_as_ssh_and_the_kernel_write_them() {
        let ssh = Ssh::parse("198.18.0.9 50022 198.18.0.4 22").unwrap();
        assert_eq!(ssh.server, "198.18.0.4:22".parse().unwrap());
        assert!(Ssh::parse("fe80::1%br0 50022 fe80::2%br0 22").unwrap().client.is_ipv6());
        assert_eq!(Ssh::parse("::ffff:198.18.0.9 1 ::ffff:198.18.0.4 22").unwrap().server, ssh.server);
        assert!(Ssh::parse("").is_none() && Ssh::parse("a b c d").is_none());
        if cfg!(target_endian = "little") {
            assert_eq!(socket("040012C6:0016"), Some(ssh.server));
            assert_eq!(socket("0000000000000000FFFF0000040012C6:0016"), Some(ssh.server));
        }
        assert_eq!(socket("rubbish"), None);
    }

    #[test]
    fn a_connection_stands_until_it_is_closed() {
        let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(here.local_addr().unwrap()).unwrap();
        let (served, _) = here.accept().unwrap();
        let ssh = Ssh { client: client.local_addr().unwrap(), server: served.local_addr().unwrap() };
        assert!(ssh.stands());
        drop((client, served));
        assert!(!ssh.stands());
    }
}
