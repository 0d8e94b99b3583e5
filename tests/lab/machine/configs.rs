//! How administrators and installers write the configuration of `enp4s0`, in each of the ways there are.

use super::Flavour;

/// Where a machine has its addresses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// 198.18.0.4, written down.
    Static4,
    /// 2001:2:0:1::4, written down.
    Static6,
    /// Both.
    StaticBoth,
    /// The DHCP server of the LAN, IPv4.
    Dhcp4,
    /// Router advertisements.
    Slaac,
    /// DHCPv4, router advertisements and DHCPv6.
    DhcpBoth,
}

/// The address of a machine that has it written down.
pub(crate) const ADDRESS: &str = "198.18.0.4";
/// Its other address.
pub(crate) const ADDRESS6: &str = "2001:2:0:1::4";

/// A file for [`Lan::boot`](super::Lan::boot): path, text, mode.
pub(crate) type File = (&'static str, &'static str, u32);

/// The one file that such a machine has.
pub(crate) fn file(flavour: Flavour, addresses: Addresses) -> File {
    match flavour {
        Flavour::Ifupdown | Flavour::Ifupdown2 => ("/etc/network/interfaces", interfaces(addresses), 0o644),
        Flavour::Netplan => ("/etc/netplan/50-cloud-init.yaml", netplan(addresses), 0o600),
        Flavour::NetplanForManager => {
            let text =
                netplan(addresses).replace("version: 2\n", "version: 2\n    renderer: NetworkManager\n");
            ("/etc/netplan/01-network-manager-all.yaml", text.leak(), 0o600)
        }
        Flavour::Networkd => ("/etc/systemd/network/10-lan.network", networkd(addresses), 0o644),
        Flavour::NetworkManager => {
            let path = "/etc/NetworkManager/system-connections/Wired connection 1.nmconnection";
            (path, keyfile(addresses), 0o600)
        }
    }
}

/// What Debian's installer writes. ifupdown2 reads the same.
fn interfaces(addresses: Addresses) -> &'static str {
    macro_rules! installer {
        ($stanzas:literal) => {
            concat!(
                "# This file describes the network interfaces available on your system\n\
                 # and how to activate them. For more information, see interfaces(5).\n\n\
                 source /etc/network/interfaces.d/*\n\n\
                 # The loopback network interface\nauto lo\niface lo inet loopback\n\n\
                 # The primary network interface\nauto enp4s0\n",
                $stanzas
            )
        };
    }
    match addresses {
        Addresses::Static4 => installer!(
            "iface enp4s0 inet static\n\taddress 198.18.0.4/24\n\tgateway 198.18.0.1\n\
             \t# dns-* options are implemented by the resolvconf package, if installed\n\
             \tdns-nameservers 198.18.0.1\n\tdns-search lab.example\n"
        ),
        Addresses::Static6 => {
            installer!("iface enp4s0 inet6 static\n\taddress 2001:2:0:1::4/64\n\tgateway 2001:2:0:1::1\n")
        }
        Addresses::StaticBoth => installer!(
            "iface enp4s0 inet static\n\taddress 198.18.0.4/24\n\tgateway 198.18.0.1\n\
             iface enp4s0 inet6 static\n\taddress 2001:2:0:1::4/64\n\tgateway 2001:2:0:1::1\n"
        ),
        Addresses::Dhcp4 => installer!("iface enp4s0 inet dhcp\n"),
        Addresses::Slaac => {
            installer!("# This is an autoconfigured IPv6 interface\niface enp4s0 inet6 auto\n")
        }
        Addresses::DhcpBoth => installer!(
            "iface enp4s0 inet dhcp\n# This is an autoconfigured IPv6 interface\niface enp4s0 inet6 dhcp\n"
        ),
    }
}

/// What Ubuntu's installer and cloud-init write.
fn netplan(addresses: Addresses) -> &'static str {
    macro_rules! cloud_init {
        ($settings:literal) => {
            concat!(
                "# This file is generated from information provided by the datasource.  Changes\n\
                 # to it will not persist across an instance reboot.\n\
                 network:\n    version: 2\n    ethernets:\n        enp4s0:\n",
                $settings
            )
        };
    }
    match addresses {
        Addresses::Static4 => cloud_init!(
            "            addresses:\n            - 198.18.0.4/24\n            nameservers:\n                addresses:\n\
             \x20               - 198.18.0.1\n            routes:\n            -   to: default\n\
             \x20               via: 198.18.0.1\n"
        ),
        Addresses::Static6 => cloud_init!(
            "            accept-ra: false\n            addresses: ['2001:2:0:1::4/64']\n\
             \x20           routes:\n            -   to: default\n                via: 2001:2:0:1::1\n"
        ),
        Addresses::StaticBoth => cloud_init!(
            "            accept-ra: false\n            addresses:\n            - 198.18.0.4/24\n            - 2001:2:0:1::4/64\n\
             \x20           routes:\n            -   to: default\n                via: 198.18.0.1\n\
             \x20           -   to: default\n                via: 2001:2:0:1::1\n"
        ),
        Addresses::Dhcp4 => {
            cloud_init!("            dhcp4: true\n            dhcp6: false\n            accept-ra: false\n")
        }
        Addresses::Slaac => cloud_init!("            accept-ra: true\n"),
        Addresses::DhcpBoth => cloud_init!("            dhcp4: true\n            dhcp6: true\n"),
    }
}

/// What the handbooks show.
fn networkd(addresses: Addresses) -> &'static str {
    match addresses {
        Addresses::Static4 => {
            "# The server's only NIC\n[Match]\nName=enp4s0\n\n[Network]\nAddress=198.18.0.4/24\nGateway=198.18.0.1\n\
             DNS=198.18.0.1\nIPv6AcceptRA=no\n"
        }
        Addresses::Static6 => {
            "[Match]\nName=enp4s0\n\n[Network]\nAddress=2001:2:0:1::4/64\nGateway=2001:2:0:1::1\nIPv6AcceptRA=no\n"
        }
        Addresses::StaticBoth => {
            "[Match]\nName=enp4s0\n\n[Network]\nAddress=198.18.0.4/24\nAddress=2001:2:0:1::4/64\n\
             Gateway=198.18.0.1\nGateway=2001:2:0:1::1\nIPv6AcceptRA=no\n"
        }
        Addresses::Dhcp4 => "[Match]\nName=en*\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n",
        Addresses::Slaac => {
            "[Match]\nName=en*\n\n[Network]\nIPv6AcceptRA=yes\n\n[IPv6AcceptRA]\nDHCPv6Client=no\n"
        }
        Addresses::DhcpBoth => "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n",
    }
}

/// What `nmtui` and desktops write.
fn keyfile(addresses: Addresses) -> &'static str {
    macro_rules! profile {
        ($settings:literal) => {
            concat!(
                "[connection]\nid=Wired connection 1\nuuid=7a5c2b1e-6f0d-4c88-9f55-0c1d2e3f4a5b\ntype=ethernet\n\
                 interface-name=enp4s0\ntimestamp=1700000000\n\n[ethernet]\n\n",
                $settings,
                "\n[proxy]\n"
            )
        };
    }
    match addresses {
        Addresses::Static4 => profile!(
            "[ipv4]\naddress1=198.18.0.4/24,198.18.0.1\ndns=198.18.0.1;\nmethod=manual\n\n[ipv6]\nmethod=disabled\n"
        ),
        Addresses::Static6 => profile!(
            "[ipv4]\nmethod=disabled\n\n[ipv6]\naddr-gen-mode=default\naddress1=2001:2:0:1::4/64,2001:2:0:1::1\n\
             method=manual\n"
        ),
        Addresses::StaticBoth => profile!(
            "[ipv4]\naddress1=198.18.0.4/24,198.18.0.1\nmethod=manual\n\n\
             [ipv6]\naddr-gen-mode=default\naddress1=2001:2:0:1::4/64,2001:2:0:1::1\nmethod=manual\n"
        ),
        Addresses::Dhcp4 => profile!("[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=disabled\n"),
        Addresses::Slaac => profile!("[ipv4]\nmethod=disabled\n\n[ipv6]\naddr-gen-mode=eui64\nmethod=auto\n"),
        Addresses::DhcpBoth => {
            profile!("[ipv4]\nmethod=auto\n\n[ipv6]\naddr-gen-mode=default\nmethod=auto\n")
        }
    }
}
