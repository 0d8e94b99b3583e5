//! Names that programs give to what they make.

use super::kind::Kind;

/// What may follow the beginning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    None,
    /// A number.
    Number,
    /// Two numbers with a dot between them.
    Pair,
    /// So many hexadecimal digits.
    Hex(usize),
    /// Anything.
    Any,
}

/// A name and who gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Familiar {
    start: &'static str,
    tail: Tail,
    /// What it is, in words.
    pub what: &'static str,
    /// What it must be for that to be true; anything, if there is none.
    pub kinds: &'static [Kind],
}

const fn row(start: &'static str, tail: Tail, kinds: &'static [Kind], what: &'static str) -> Familiar {
    Familiar { start, tail, what, kinds }
}

const BRIDGES: &[Kind] = &[Kind::Bridge, Kind::OpenVSwitch];
const TAPS: &[Kind] = &[Kind::Tap, Kind::Tun];

/// The first that fits counts.
const NAMES: &[Familiar] = &[
    row("lo", Tail::None, &[Kind::Loopback], "the host's way to itself"),
    row("virbr", Tail::Number, BRIDGES, "the virtual bridge of a libvirt network (kvmnet net list)"),
    row("vnet", Tail::Number, TAPS, "the tap of a running guest, made by libvirt"),
    row("macvtap", Tail::Number, &[Kind::Macvtap], "the macvtap of a running guest, made by libvirt"),
    row("macvlan", Tail::Number, &[Kind::Macvlan], "a macvlan, for a container or made by libvirt"),
    row("vmbr", Tail::Number, BRIDGES, "a bridge of Proxmox VE"),
    row("fwbr", Tail::Any, BRIDGES, "a firewall bridge of Proxmox VE"),
    row("fwpr", Tail::Any, &[Kind::Veth], "the firewall of a guest, made by Proxmox VE"),
    row("fwln", Tail::Any, &[Kind::Veth], "the firewall of a guest, made by Proxmox VE"),
    row("docker", Tail::Number, BRIDGES, "the bridge of Docker's default network"),
    row("docker_gwbridge", Tail::None, BRIDGES, "the gateway bridge of a Docker swarm"),
    row("br-", Tail::Hex(12), BRIDGES, "the bridge of a network made with Docker"),
    row("podman", Tail::Number, BRIDGES, "the bridge of a Podman network"),
    row("cni-podman", Tail::Number, BRIDGES, "the bridge of a Podman network"),
    row("cni", Tail::Number, BRIDGES, "the bridge of Kubernetes' pods on this host"),
    row("cali", Tail::Hex(11), &[Kind::Veth], "the host's end of a pod's network, made by Calico"),
    row("flannel.", Tail::Number, &[Kind::Tunnel], "the tunnel to other Kubernetes nodes, made by flannel"),
    row("vxlan.calico", Tail::None, &[Kind::Tunnel], "the tunnel to other Kubernetes nodes, made by Calico"),
    row("cilium_", Tail::Any, &[], "made by Cilium, for Kubernetes' pods"),
    row("kube-", Tail::Any, &[], "made by Kubernetes"),
    row("lxcbr", Tail::Number, BRIDGES, "the bridge of LXC's containers"),
    row("lxdbr", Tail::Number, BRIDGES, "the bridge of LXD's containers and guests"),
    row("incusbr", Tail::Number, BRIDGES, "the bridge of Incus's containers and guests"),
    row("mpqemubr", Tail::Number, BRIDGES, "the bridge of Multipass's guests"),
    row("xenbr", Tail::Number, BRIDGES, "a bridge for Xen's guests"),
    row("qbr", Tail::Hex(8), BRIDGES, "the bridge of a guest's port, made by OpenStack"),
    row("qvb", Tail::Any, &[Kind::Veth], "the wire of a guest's port, made by OpenStack"),
    row("qvo", Tail::Any, &[Kind::Veth], "the wire of a guest's port, made by OpenStack"),
    row("ovs-system", Tail::None, &[Kind::OpenVSwitch], "Open vSwitch's own"),
    row("veth", Tail::Any, &[Kind::Veth], "one end of a wire into a container or namespace"),
    row("ve-", Tail::Any, &[Kind::Veth], "the host's end of a wire into a systemd-nspawn container"),
    row("vb-", Tail::Any, &[Kind::Veth], "the host's end of a wire into a systemd-nspawn container"),
    row("vif", Tail::Pair, &[], "the host's side of a Xen guest's NIC"),
    row("tap", Tail::Any, TAPS, "a tap: the wire of a guest or a VPN, made by whoever runs it"),
    row("tun", Tail::Any, &[Kind::Tun, Kind::Tap, Kind::Tunnel], "a tun: mostly a VPN"),
    row("wg", Tail::Any, &[Kind::Tunnel], "a WireGuard tunnel"),
    row("tailscale", Tail::Number, TAPS, "a VPN of Tailscale's"),
    row("zt", Tail::Any, TAPS, "a VPN of ZeroTier's"),
    row("ppp", Tail::Number, &[], "a dial-up, DSL or VPN line"),
    row("bond", Tail::Number, &[Kind::Bond], "a bond: several NICs as one"),
    row("team", Tail::Number, &[Kind::Team], "a team: several NICs as one"),
    row("br", Tail::Any, BRIDGES, "a bridge, by whoever set this host up"),
    row("ovsbr", Tail::Any, BRIDGES, "an Open vSwitch bridge, by whoever set this host up"),
    row("vlan", Tail::Number, &[Kind::Vlan], "a VLAN, by the number"),
    row("dummy", Tail::Number, &[Kind::Dummy], "a device that leads nowhere"),
    row("ifb", Tail::Number, &[Kind::Ifb], "the kernel's detour for shaping what comes in"),
    row("sit", Tail::Number, &[Kind::Tunnel], "a tunnel of IPv6 in IPv4"),
    row("gretap", Tail::Number, &[Kind::Tunnel], "a tunnel (GRE, with Ethernet in it)"),
    row("gre", Tail::Number, &[Kind::Tunnel], "a tunnel (GRE)"),
    row("erspan", Tail::Number, &[Kind::Tunnel], "a tunnel (ERSPAN)"),
    row("tunl", Tail::Number, &[Kind::Tunnel], "a tunnel of IPv4 in IPv4"),
    row("ip6tnl", Tail::Number, &[Kind::Tunnel], "a tunnel in IPv6"),
    row("ip_vti", Tail::Number, &[Kind::Tunnel], "a tunnel (IPsec)"),
    row("ip6_vti", Tail::Number, &[Kind::Tunnel], "a tunnel (IPsec)"),
    row("vxlan", Tail::Any, &[Kind::Tunnel], "a VXLAN: Ethernet in UDP"),
    row("idrac", Tail::None, &[], "the way to the server's own management controller"),
];

/// The program's name that this is.
pub(super) fn familiar(name: &str) -> Option<Familiar> {
    NAMES
        .iter()
        .find(|known| name.strip_prefix(known.start).is_some_and(|tail| known.tail.fits(tail)))
        .copied()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl Tail {
    fn fits(self, tail: &str) -> bool {
        match self {
            Tail::None => tail.is_empty(),
            Tail::Number => is_number(tail),
            Tail::Pair => tail.split_once('.').is_some_and(|(a, b)| is_number(a) && is_number(b)),
            Tail::Hex(n) => tail.len() == n && tail.bytes().all(|b| b.is_ascii_hexdigit()),
            Tail::Any => !tail.is_empty(),
        }
    }
}

impl Familiar {
    /// Does it say no more than how the name begins?
    pub(super) fn is_vague(&self) -> bool {
        self.tail == Tail::Any
    }
}
