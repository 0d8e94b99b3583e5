//! A host, as far as its bridges are concerned.

use ipnet::IpNet;

use crate::host::Kind;

/// What a backend may look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// The files that the backend reads, in the order in which it reads them.
    pub files: Vec<HostFile>,
    /// The network devices.
    pub devices: Vec<HostDevice>,
    /// The programs and files of [`super::Backend::looks_for`] that are there.
    pub there: Vec<String>,
    /// Does cloud-init leave the network's configuration alone, or isn't it there?
    pub cloud_is_off: bool,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFile {
    /// Its absolute path, below the root that is looked at.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A network device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostDevice {
    /// Its name.
    pub name: String,
    /// Its other names.
    pub altnames: Vec<String>,
    /// Its kind.
    pub kind: Kind,
    /// Its number.
    pub index: u32,
    /// Its MAC address, in lower case.
    pub mac: Option<String>,
    /// The one that it was made with, in lower case.
    pub permanent_mac: Option<String>,
    /// Its driver.
    pub driver: Option<String>,
    /// In bytes.
    pub mtu: Option<u32>,
    /// The bridge or bond that it is a port of.
    pub master: Option<String>,
    /// The device that it is on, if it is a VLAN or the like.
    pub below: Option<String>,
    /// Is it administratively up?
    pub is_up: bool,
    /// Its addresses; none are known of a copy of another host's files.
    pub addresses: Vec<Address>,
    /// The identifier that its DHCP client shows to the server, in hexadecimal digits, as networkd notes it down: a
    /// type, an IAID and a DUID. A bridge that shows another one gets another address.
    pub dhcp_client_id: Option<String>,
    /// The UUID of NetworkManager's profile that is active on it: `connection-uuid` in
    /// `/run/NetworkManager/devices/INDEX`.
    pub nm_connection: Option<String>,
    /// What NetworkManager's DHCP client shows to the servers, as it stands in the same file.
    pub nm_dhcp: NmDhcp,
}

/// How NetworkManager's DHCP client is known, in pairs of hexadecimal digits with colons; none of a family without a lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NmDhcp {
    /// The client identifier of IPv4, its type first.
    pub client_id: Option<String>,
    /// The DUID of IPv6.
    pub duid: Option<String>,
    /// The IAID of IPv6.
    pub iaid: Option<String>,
}

/// An address of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// With the length of its prefix.
    pub net: IpNet,
    /// Is it the link's own (`fe80::`)?
    pub is_link: bool,
    /// Does it run out, as those do that DHCP or a router's advertisement gave?
    pub is_dynamic: bool,
}

impl Host {
    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        Some(&self.files.iter().find(|file| file.path == path)?.text)
    }

    /// A device, by any of its names.
    pub fn device(&self, name: &str) -> Option<&HostDevice> {
        self.devices.iter().find(|device| device.name == name || device.altnames.iter().any(|n| n == name))
    }

    /// Is this program or file there?
    pub fn has(&self, what: &str) -> bool {
        self.there.iter().any(|there| there == what)
    }
}
