//! What a network does with frames that leave it.

/// What a network does with frames that leave it; names as in the XML (reference §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardMode {
    /// No `<forward>`.
    Isolated,
    /// Network address translation.
    Nat,
    /// Through the host, addresses unchanged.
    Route,
    /// Through the host, without firewall rules.
    Open,
    /// Guests on a host bridge, or (with a pool of devices) macvtap in mode bridge.
    Bridge,
    /// macvtap on a pool of devices.
    Private,
    /// macvtap on a pool of devices.
    Vepa,
    /// macvtap on a pool of devices.
    Passthrough,
    /// Virtual functions of a host NIC.
    Hostdev,
}

impl ForwardMode {
    /// The mode of that name; `None` if there is none.
    pub fn read(word: &str) -> Option<ForwardMode> {
        use ForwardMode as M;
        Some(match word {
            // libvirt's word for no <forward>, which its schema doesn't take.
            "none" => M::Isolated,
            "nat" => M::Nat,
            "route" => M::Route,
            "open" => M::Open,
            "bridge" => M::Bridge,
            "private" => M::Private,
            "vepa" => M::Vepa,
            "passthrough" => M::Passthrough,
            "hostdev" => M::Hostdev,
            _ => return None,
        })
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        use ForwardMode as M;
        match self {
            M::Isolated => "isolated",
            M::Nat => "nat",
            M::Route => "route",
            M::Open => "open",
            M::Bridge => "bridge",
            M::Private => "private",
            M::Vepa => "vepa",
            M::Passthrough => "passthrough",
            M::Hostdev => "hostdev",
        }
    }

    /// Does libvirt make the bridge itself, with its own addresses, DHCP and firewall rules?
    pub fn is_virtual(self) -> bool {
        use ForwardMode as M;
        matches!(self, M::Isolated | M::Nat | M::Route | M::Open)
    }
}
