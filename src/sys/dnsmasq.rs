//! The DHCP and DNS server that libvirt runs for a network.

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

/// The dnsmasq of that network. libvirt starts it with `--conf-file=…/NETWORK.conf`. Those of containers and other
/// network namespaces serve networks of their own.
pub fn of_network(name: &str) -> Option<Dnsmasq> {
    let wanted = format!("{name}.conf");
    let namespace = |process: PathBuf| std::fs::read_link(process.join("ns/net")).ok();
    let here = namespace("/proc/self".into());
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let conf = conf_file(&command)?;
        let is_it = conf.file_name()?.to_str()? == wanted;
        // Only its owner and root may look into its namespaces.
        let is_elsewhere = is_it && namespace(entry.path()).is_some_and(|ns| Some(&ns) != here.as_ref());
        (is_it && !is_elsewhere).then_some(Dnsmasq { pid, conf })
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

/// Is the DNS port taken by a program that listens on every address? Then dnsmasq can't have it on the bridge's.
pub fn dns_port_is_taken() -> bool {
    let listens_everywhere = |table: &str| {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).any(|local| {
            // Address and port in hexadecimal.
            local.split_once(':').is_some_and(|(ip, port)| port == "0035" && ip.bytes().all(|b| b == b'0'))
        })
    };
    ["udp", "udp6", "tcp", "tcp6"].into_iter().any(listens_everywhere)
}

/// Is there a dnsmasq that libvirt could start?
pub fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).any(|dir| is_program(&dir.join("dnsmasq")))
}

#[cfg(test)]
mod tests {
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
}
