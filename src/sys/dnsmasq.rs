//! The DHCP and DNS server that libvirt runs for a network.

use std::collections::HashSet;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A running dnsmasq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dnsmasq {
    /// Its process.
    pub pid: u32,
    /// The file that it got its orders from.
    pub conf: PathBuf,
}

/// The dnsmasq of that network.
pub fn of_network(name: &str) -> Option<Dnsmasq> {
    let wanted = format!("{name}.conf");
    running().find(|dnsmasq| dnsmasq.conf.file_name().and_then(|name| name.to_str()) == Some(&wanted))
}

/// The names of the networks that a dnsmasq runs for; `None` if other users' processes can't be seen here (proc(5),
/// `hidepid`).
pub fn served() -> Option<HashSet<String>> {
    std::fs::read("/proc/1/cmdline").ok()?;
    let name = |dnsmasq: Dnsmasq| Some(dnsmasq.conf.file_stem()?.to_str()?.to_string());
    Some(running().filter_map(name).collect())
}

/// Those of this network namespace that libvirt started, each with `--conf-file=…/NETWORK.conf`. Those of containers and
/// other network namespaces serve networks of their own.
fn running() -> impl Iterator<Item = Dnsmasq> {
    let namespace = |process: PathBuf| std::fs::read_link(process.join("ns/net")).ok();
    let here = namespace("/proc/self".into());
    std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(move |entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let conf = conf_file(&command)?;
        // Only its owner and root may look into its namespaces.
        let is_elsewhere = namespace(entry.path()).is_some_and(|ns| Some(&ns) != here.as_ref());
        (!is_elsewhere).then_some(Dnsmasq { pid, conf })
    })
}

/// Is the program that serves the network still where it was started from?
pub fn runs_from_file(name: &str) -> bool {
    let program = of_network(name).and_then(|d| std::fs::read_link(format!("/proc/{}/exe", d.pid)).ok());
    program.is_some_and(|path| is_program(&path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The file that a command line of dnsmasq names.
fn conf_file(command: &[u8]) -> Option<PathBuf> {
    let mut words = command.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    words.next().filter(|program| program.rsplit('/').next() == Some("dnsmasq"))?;
    words.find_map(|word| word.strip_prefix("--conf-file=").map(PathBuf::from))
}

/// A program that has the DNS port on an address that a network's own server needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its address: one of those asked about, or `0.0.0.0` or `::`, which are all of them.
    pub address: IpAddr,
    /// Its process and name, where they can be seen: root sees everybody's, others their own.
    pub process: Option<(u32, String)>,
}

/// Who has port 53 on one of these addresses, or on all there are? Then dnsmasq can't have it.
pub fn dns_port_taken(addresses: &[IpAddr]) -> Option<Listener> {
    let tables = ["udp", "udp6", "tcp", "tcp6"];
    tables.into_iter().find_map(|table| {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).ok()?;
        let mut sockets = text.lines().skip(1).filter_map(socket);
        let (address, inode) = sockets.find(|(ip, _)| ip.is_unspecified() || addresses.contains(ip))?;
        Some(Listener { address, process: process_of(inode) })
    })
}

/// Address and inode of a socket at port 53, from a line of the kernel's tables: connections to somebody else's port 53
/// have another local port.
fn socket(line: &str) -> Option<(IpAddr, u64)> {
    let mut words = line.split_whitespace().skip(1);
    let (ip, port) = words.next()?.split_once(':')?;
    // In hexadecimal; the address in words of four bytes, each as this machine has them in memory.
    let words_of_ip = ip
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes));
    let bytes: Vec<u8> = words_of_ip.collect::<Option<Vec<_>>>()?.concat();
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
    };
    (port == "0035").then_some((ip, words.nth(7)?.parse().ok()?))
}

/// The process that has the socket of this inode open.
fn process_of(inode: u64) -> Option<(u32, String)> {
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let mut files = std::fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        files.find(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == wanted))?;
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((pid, name.trim().to_string()))
    })
}

/// Is there a dnsmasq that libvirt could start?
pub fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).any(|dir| is_program(&dir.join("dnsmasq")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn command_lines() {
        let conf = |words: &[&str]| conf_file(words.join("\0").as_bytes());
        assert_eq!(
            conf(&["/usr/sbin/dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/lab.conf", "--leasefile-ro"]),
            Some("/var/lib/libvirt/dnsmasq/lab.conf".into())
        );
        assert_eq!(conf(&["dnsmasq", "-k"]), None);
        assert_eq!(conf(&["vi", "--conf-file=/x"]), None);
    }

    #[test]
    fn sockets_at_port_53() {
        // As a little-endian machine writes them; the other sort has its bytes the other way round.
        let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let line = |ip: &str, port: &str| {
            format!(
                "  18: {ip}:{port} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 0 0"
            )
        };
        let four = word([192, 168, 124, 1]);
        assert_eq!(socket(&line(&four, "0035")), Some(("192.168.124.1".parse().unwrap(), 4711)));
        assert_eq!(socket(&line(&four, "0036")), None);
        let six = [[0xfd, 0, 0, 1], [0; 4], [0; 4], [0, 0, 0, 1]].map(word).concat();
        assert_eq!(socket(&line(&six, "0035")), Some(("fd00:1::1".parse().unwrap(), 4711)));
        let mapped = [[0; 4], [0; 4], [0, 0, 0xff, 0xff], [192, 168, 124, 1]].map(word).concat();
        assert_eq!(socket(&line(&mapped, "0035")), Some(("192.168.124.1".parse().unwrap(), 4711)));
        for odd in ["", "1: x", "1: zz:0035", "1: é€:0035 a b c d e f g h"] {
            assert_eq!(socket(odd), None);
        }
    }
}
