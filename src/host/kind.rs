//! What kind of network device it is.

/// The kinds that matter for guests and for the host's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Kind {
    Ethernet,
    Wifi,
    Wwan,
    Infiniband,
    Loopback,
    Bridge,
    OpenVSwitch,
    Bond,
    Team,
    Vlan,
    Tap,
    Tun,
    Veth,
    Macvlan,
    Macvtap,
    Ipvlan,
    Tunnel,
    Dummy,
    Ifb,
    Vrf,
    #[default]
    Other,
}

/// What the kernel shows of a device that tells its kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signs<'a> {
    /// The kind in its link info, which only netlink shows: `bridge`, `veth`.
    pub info_kind: Option<&'a str>,
    /// `DEVTYPE` in its `uevent`: `wlan`, `bridge`.
    pub devtype: Option<&'a str>,
    /// What its frames are: `ether`, `loopback`.
    pub link_type: Option<&'a str>,
    /// Is there hardware behind it (or what a hypervisor shows as such)?
    pub has_device: bool,
    /// Has it a radio?
    pub is_wireless: bool,
    /// The flags of a tun/tap.
    pub tun_flags: Option<u32>,
}

impl Kind {
    /// The kind that these signs speak for.
    pub fn of(signs: &Signs<'_>) -> Kind {
        if signs.is_wireless {
            return Kind::Wifi;
        }
        if let Some(flags) = signs.tun_flags {
            return if flags & 0xf == 1 { Kind::Tun } else { Kind::Tap };
        }
        let frames = signs.link_type.unwrap_or_default();
        if signs.info_kind == Some("tun") {
            return if frames == "none" { Kind::Tun } else { Kind::Tap };
        }
        let word = signs.info_kind.or(signs.devtype).and_then(Kind::of_word);
        if let Some(kind) = word {
            return kind;
        }
        match frames {
            "loopback" => Kind::Loopback,
            "infiniband" => Kind::Infiniband,
            "sit" | "ipip" | "tunnel6" | "gre" | "gre6" | "ip6gre" => Kind::Tunnel,
            _ if signs.has_device => Kind::Ethernet,
            _ => Kind::Other,
        }
    }

    fn of_word(word: &str) -> Option<Kind> {
        Some(match word {
            "wlan" => Kind::Wifi,
            "wwan" => Kind::Wwan,
            "ipoib" => Kind::Infiniband,
            "bridge" => Kind::Bridge,
            "openvswitch" => Kind::OpenVSwitch,
            "bond" => Kind::Bond,
            "team" => Kind::Team,
            "vlan" => Kind::Vlan,
            "veth" | "netkit" => Kind::Veth,
            "macvlan" => Kind::Macvlan,
            "macvtap" => Kind::Macvtap,
            "ipvlan" | "ipvtap" => Kind::Ipvlan,
            "dummy" => Kind::Dummy,
            "ifb" => Kind::Ifb,
            "vrf" => Kind::Vrf,
            "vxlan" | "geneve" | "gre" | "gretap" | "ip6gre" | "ip6gretap" | "erspan" | "ip6erspan"
            | "sit" | "ipip" | "ip6tnl" | "vti" | "vti6" | "wireguard" | "xfrm" | "l2tp" | "bareudp"
            | "gtp" | "amt" | "ovpn" => Kind::Tunnel,
            _ => return None,
        })
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Ethernet => "ethernet",
            Kind::Wifi => "wifi",
            Kind::Wwan => "wwan",
            Kind::Infiniband => "infiniband",
            Kind::Loopback => "loopback",
            Kind::Bridge => "bridge",
            Kind::OpenVSwitch => "openvswitch",
            Kind::Bond => "bond",
            Kind::Team => "team",
            Kind::Vlan => "vlan",
            Kind::Tap => "tap",
            Kind::Tun => "tun",
            Kind::Veth => "veth",
            Kind::Macvlan => "macvlan",
            Kind::Macvtap => "macvtap",
            Kind::Ipvlan => "ipvlan",
            Kind::Tunnel => "tunnel",
            Kind::Dummy => "dummy",
            Kind::Ifb => "ifb",
            Kind::Vrf => "vrf",
            Kind::Other => "other",
        }
    }

    /// The kind in a sentence: `a bridge`.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::Ethernet => "an Ethernet NIC",
            Kind::Wifi => "a Wi-Fi device",
            Kind::Wwan => "a mobile broadband modem",
            Kind::Infiniband => "an InfiniBand port",
            Kind::Loopback => "the loopback device",
            Kind::Bridge => "a bridge",
            Kind::OpenVSwitch => "an Open vSwitch device",
            Kind::Bond => "a bond",
            Kind::Team => "a team",
            Kind::Vlan => "a VLAN",
            Kind::Tap => "a tap",
            Kind::Tun => "a tun",
            Kind::Veth => "a veth",
            Kind::Macvlan => "a macvlan",
            Kind::Macvtap => "a macvtap",
            Kind::Ipvlan => "an ipvlan",
            Kind::Tunnel => "a tunnel",
            Kind::Dummy => "a dummy",
            Kind::Ifb => "an ifb",
            Kind::Vrf => "a VRF",
            Kind::Other => "another device of the kernel's",
        }
    }

    /// Does the speed that the kernel gives mean something? Taps and veths have made-up ones.
    pub fn has_speed(self) -> bool {
        use Kind as K;
        matches!(self, K::Ethernet | K::Wifi | K::Infiniband | K::Bond | K::Team | K::Vlan | K::Bridge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_signs() {
        let ether = Signs { link_type: Some("ether"), ..Signs::default() };
        let info = |kind| Signs { info_kind: Some(kind), ..ether };
        assert_eq!(Kind::of(&info("bridge")), Kind::Bridge);
        assert_eq!(Kind::of(&info("tun")), Kind::Tap);
        assert_eq!(Kind::of(&Signs { link_type: Some("none"), ..info("tun") }), Kind::Tun);
        assert_eq!(Kind::of(&Signs { tun_flags: Some(0x1002), ..ether }), Kind::Tap);
        assert_eq!(Kind::of(&Signs { tun_flags: Some(0x1001), ..ether }), Kind::Tun);
        assert_eq!(Kind::of(&info("wireguard")), Kind::Tunnel);
        assert_eq!(Kind::of(&info("of-next-year")), Kind::Other);
        assert_eq!(Kind::of(&Signs { has_device: true, ..ether }), Kind::Ethernet);
        assert_eq!(Kind::of(&Signs { devtype: Some("wlan"), has_device: true, ..ether }), Kind::Wifi);
        assert_eq!(Kind::of(&Signs { devtype: Some("wwan"), has_device: true, ..ether }), Kind::Wwan);
        assert_eq!(Kind::of(&Signs { link_type: Some("loopback"), ..ether }), Kind::Loopback);
        assert_eq!(Kind::of(&ether), Kind::Other);
    }
}
