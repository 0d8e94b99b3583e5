//! The host's network devices: what the kernel keeps of each, whatever it is.

use serde::Deserialize;
use serde_json::Value;

use super::routes::ip;
use super::tree::Tree;

/// A network device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its other names.
    pub altnames: Vec<String>,
    /// Is it administratively up?
    pub is_up: bool,
    /// Has it a carrier (a cable, a peer)? The kernel says so only of what is up.
    pub has_carrier: Option<bool>,
    /// In bytes.
    pub mtu: Option<u32>,
    /// Its MAC address.
    pub mac: Option<String>,
    /// The one that it was made with, if the kernel shows it.
    pub permanent_mac: Option<String>,
    /// The bridge, bond, switch or VRF that it is a port of.
    pub master: Option<String>,
    /// The device that it is on (a VLAN, a macvtap), or the other end of a veth.
    pub below: Option<String>,
    /// A VLAN's number.
    pub vlan: Option<u16>,
    /// What its frames are: `ether`, `loopback`.
    pub link_type: Option<String>,
    /// Its kind in the kernel's link info: `bridge`, `veth`.
    pub info_kind: Option<String>,
    /// Its addresses; `None` if they can't be known.
    pub addresses: Option<Vec<Address>>,
}

/// An address of the host's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// With the length of its prefix.
    pub cidr: String,
    /// `global`, `link`, `host`.
    pub scope: String,
    /// Does it run out, as those do that DHCP or a router's advertisement gave?
    pub is_dynamic: bool,
}

/// As `ip -j -d addr` has it.
#[derive(Deserialize)]
struct Raw {
    ifindex: u32,
    ifname: String,
    #[serde(default)]
    altnames: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    mtu: Option<u32>,
    link_type: Option<String>,
    address: Option<String>,
    permaddr: Option<String>,
    master: Option<String>,
    link: Option<String>,
    #[serde(default)]
    linkinfo: RawInfo,
    #[serde(default)]
    addr_info: Vec<RawAddress>,
}

#[derive(Deserialize, Default)]
struct RawInfo {
    info_kind: Option<String>,
    #[serde(default)]
    info_data: Value,
}

#[derive(Deserialize)]
struct RawAddress {
    local: Option<String>,
    prefixlen: Option<u8>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    dynamic: bool,
}

/// All devices, as the kernel tells them to `ip`, in its order; `None` if `ip` can't be asked.
pub fn of_kernel() -> Option<Vec<Link>> {
    let raw = ip::<Value>(&["-d", "addr", "show"]).ok()?;
    // Old ones print an empty object for what they leave out.
    Some(
        raw.into_iter().filter_map(|link| serde_json::from_value::<Raw>(link).ok()).map(Link::from).collect(),
    )
}

impl From<Raw> for Link {
    fn from(raw: Raw) -> Link {
        let has = |flag: &str| raw.flags.iter().any(|f| f == flag);
        let address = |raw: RawAddress| {
            let cidr = format!("{}/{}", raw.local?, raw.prefixlen?);
            Some(Address { cidr, scope: raw.scope, is_dynamic: raw.dynamic })
        };
        let is_up = has("UP");
        Link {
            is_up,
            has_carrier: is_up.then(|| has("LOWER_UP")),
            index: raw.ifindex,
            name: raw.ifname,
            altnames: raw.altnames,
            mtu: raw.mtu,
            mac: raw.address.filter(|mac| is_mac(mac)),
            permanent_mac: raw.permaddr.filter(|mac| is_mac(mac)),
            master: raw.master,
            below: raw.link,
            vlan: raw.linkinfo.info_data["id"]
                .as_u64()
                .filter(|_| raw.linkinfo.info_kind.as_deref() == Some("vlan"))
                .and_then(|id| u16::try_from(id).ok()),
            link_type: raw.link_type,
            info_kind: raw.linkinfo.info_kind,
            addresses: Some(raw.addr_info.into_iter().filter_map(address).collect()),
        }
    }
}

/// All devices that `/sys/class/net` shows, by name: less than the kernel tells, but without asking it.
pub fn of_sysfs(tree: &Tree) -> Vec<Link> {
    let names = tree.names("sys/class/net").unwrap_or_default();
    names.into_iter().filter_map(|name| read(tree, name)).collect()
}

fn read(tree: &Tree, name: String) -> Option<Link> {
    let dir = format!("sys/class/net/{name}");
    // Beside the devices stands `bonding_masters`, a file.
    let index = tree.number(&format!("{dir}/ifindex"))?;
    let word = |file: &str| tree.word(&format!("{dir}/{file}"));
    let flags = word("flags").and_then(|f| u32::from_str_radix(f.trim_start_matches("0x"), 16).ok());
    let has_ports = tree.has(&format!("{dir}/bridge")) || tree.has(&format!("{dir}/bonding"));
    let lower = tree.names(&dir).unwrap_or_default();
    let lower = lower.iter().find_map(|file| file.strip_prefix("lower_")).map(String::from);
    let vlan = tree.word(&format!("proc/net/vlan/{name}"));
    let link_type = tree.number::<u32>(&format!("{dir}/type")).and_then(|n| match n {
        1 => Some("ether"),
        32 => Some("infiniband"),
        512 => Some("ppp"),
        768 => Some("ipip"),
        769 => Some("tunnel6"),
        772 => Some("loopback"),
        776 => Some("sit"),
        778 => Some("gre"),
        823 => Some("gre6"),
        0xfffe => Some("none"),
        _ => None,
    });
    Some(Link {
        index,
        altnames: Vec::new(),
        is_up: flags.is_some_and(|f| f & 1 == 1),
        has_carrier: word("carrier").map(|c| c == "1"),
        mtu: word("mtu").and_then(|m| m.parse().ok()),
        mac: word("address").filter(|mac| is_mac(mac)),
        permanent_mac: None,
        master: tree.target_name(&format!("{dir}/master")),
        below: lower.filter(|_| !has_ports),
        vlan: vlan.and_then(|text| text.split_once("VID: ")?.1.split_whitespace().next()?.parse().ok()),
        link_type: link_type.map(Into::into),
        info_kind: None,
        addresses: None,
        name,
    })
}

/// Six bytes, not all zero: what tunnels have there is an IP address or nothing.
fn is_mac(text: &str) -> bool {
    text.len() == 17 && text.split(':').count() == 6 && text.contains(|c: char| c != '0' && c != ':')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn link(json: &str) -> Link {
        serde_json::from_str::<Raw>(json).unwrap().into()
    }

    #[test]
    fn what_ip_says() {
        let vlan = link(
            r#"{"ifindex":7,"link":"enp4s0","ifname":"enp4s0.100","flags":["BROADCAST","UP","LOWER_UP"],"mtu":1500,
                "link_type":"ether","address":"52:54:00:00:00:01","linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":100}},
                "addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24,"scope":"global","dynamic":true},{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]}"#,
        );
        assert_eq!(
            (vlan.vlan, vlan.below.as_deref(), vlan.has_carrier),
            (Some(100), Some("enp4s0"), Some(true))
        );
        let addresses = vlan.addresses.unwrap();
        assert_eq!((addresses[0].cidr.as_str(), addresses[0].is_dynamic), ("192.0.2.2/24", true));
        assert_eq!(addresses[1].scope, "link");
        let down = link(
            r#"{"ifindex":2,"ifname":"sit0","link":null,"flags":["NOARP"],"address":"0.0.0.0","link_type":"sit"}"#,
        );
        assert_eq!((down.has_carrier, down.mac, down.below), (None, None, None));
        let lo = link(r#"{"ifindex":1,"ifname":"lo","address":"00:00:00:00:00:00"}"#);
        assert_eq!(lo.mac, None);
    }
}
