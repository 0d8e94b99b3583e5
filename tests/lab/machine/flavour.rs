//! The programs that configure a machine's network, of which each machine has one.

/// Which program configures the machine's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Debian's ifupdown, with bridge-utils and dhclient.
    Ifupdown,
    /// ifupdown2, as Proxmox VE has it.
    Ifupdown2,
    /// netplan, which writes for networkd, as Ubuntu's servers have it.
    Netplan,
    /// systemd-networkd alone.
    Networkd,
    /// NetworkManager.
    NetworkManager,
    /// netplan, which writes for NetworkManager, as Ubuntu's desktops have it.
    NetplanForManager,
}

impl Flavour {
    /// Each of them, but the last, which is two of the others.
    pub(crate) const ALL: [Self; 5] =
        [Self::Ifupdown, Self::Ifupdown2, Self::Netplan, Self::Networkd, Self::NetworkManager];

    /// The tree that such a machine's disk lies over, in the folder `lab-host`.
    pub(super) fn tree(self) -> &'static str {
        if self == Self::Ifupdown2 { "debian-ifupdown2" } else { "debian" }
    }

    /// The units that are enabled on it; those of the others are masked.
    pub(super) fn units(self) -> &'static str {
        match self {
            Self::Ifupdown | Self::Ifupdown2 => "networking.service",
            // Which one netplan uses is said in its files; its generator then asks for networkd by itself.
            Self::Netplan | Self::Networkd => "systemd-networkd.service systemd-networkd.socket",
            Self::NetworkManager | Self::NetplanForManager => {
                "NetworkManager.service NetworkManager-dispatcher.service"
            }
        }
    }

    /// Units that aren't enabled, but may be started: netplan has networkd set a NIC's MTU, whoever does the rest.
    pub(super) fn spare_units(self) -> &'static str {
        match self {
            Self::NetplanForManager => "systemd-networkd.service systemd-networkd.socket",
            _ => "",
        }
    }

    /// Files without which it would not do on such a machine what it does on a real one.
    pub(super) fn files(self) -> &'static [(&'static str, &'static str, u32)] {
        match self {
            // udev's rules tell NetworkManager to leave veths alone, and all NICs here are veths.
            Self::NetworkManager | Self::NetplanForManager => &[(
                "/etc/NetworkManager/conf.d/lab.conf",
                "[device-lab]\nmatch-device=interface-name:enp*\nmanaged=1\n",
                0o644,
            )],
            _ => &[],
        }
    }
}
