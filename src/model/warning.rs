//! What a person should know before saying yes. The codes are stable: programs filter by them.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The kind of a [`Warning`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// All codes with what each means, for the manual.
            pub const ALL: &'static [(Code, &'static str)] = &[$((Code::$name, concat!($($doc),+)),)+];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// A network's DHCP server reserves an address outside of its subnet.
    AddressOutside = "address-outside",
    /// A bandwidth limit doesn't go along.
    BandwidthLost = "bandwidth-lost",
    /// What a network gives to guests that boot from it (TFTP, a boot file) goes.
    BootLost = "boot-lost",
    /// What was set by hand and stands in no file of the host's (a route, a neighbour, a policy rule) is lost.
    ByHandLost = "by-hand-lost",
    /// Interrupt coalescing is refused by libvirt on the new type.
    CoalesceLost = "coalesce-lost",
    /// A guaranteed bandwidth (`floor`) exists only on a network that shapes its traffic.
    FloorLost = "floor-lost",
    /// A `<filterref>` has no effect on macvtap: spoofing protection would silently end.
    FilterLost = "filter-lost",
    /// A network's DHCP server goes, and nobody else gives addresses there.
    DhcpLost = "dhcp-lost",
    /// What a network's DNS server was told goes.
    DnsLost = "dns-lost",
    /// A filter's parameters name addresses of the old subnet.
    FilterSubnet = "filter-subnet",
    /// Running guests lose their network.
    GuestsCutOff = "guests-cut-off",
    /// The NIC is a host device: the guest would see other hardware.
    HostDevice = "host-device",
    /// With macvtap, host and guest can't talk to each other over this NIC.
    HostUnreachable = "host-unreachable",
    /// Port isolation doesn't go along: the guest can talk to others on the bridge.
    IsolationLost = "isolation-lost",
    /// A network's DHCP entries lose the time that their leases last.
    LeaseTimeLost = "lease-time-lost",
    /// The file is libvirt's own, which it won't read again and will write over.
    LibvirtsFile = "libvirts-file",
    /// The XML is a running guest's (libvirt's live view): without passwords, and with what was only true of that run.
    LiveXml = "live-xml",
    /// The old network keeps its bridge's MAC table itself; the new place doesn't.
    MacTableLost = "mac-table-lost",
    /// A saved memory image holds a NIC of its own.
    ManagedSave = "managed-save",
    /// The NIC's MTU is larger than the bridge's.
    MtuExceedsBridge = "mtu-exceeds-bridge",
    /// The old network's MTU and the new bridge's differ.
    MtuDiffers = "mtu-differs",
    /// The admin's own connection to the host won't survive the change.
    ConnectionLost = "connection-lost",
    /// A configured MTU is refused by libvirt on the new type.
    MtuLost = "mtu-lost",
    /// Guests refer to the network.
    NetworkInUse = "network-in-use",
    /// The network has no definition: stopped, it is gone.
    NetworkTransient = "network-transient",
    /// The target network isn't running: the guest won't start.
    NetworkInactive = "network-inactive",
    /// The definition of the NIC's old network isn't known, so what it gave the guest can't be carried over.
    NetworkUnknown = "network-unknown",
    /// Something in a network's definition names an address of its old subnet.
    OldAddress = "old-address",
    /// The old network has no portgroup of the name that the NIC uses; libvirt ignores that silently.
    PortgroupUnknown = "portgroup-unknown",
    /// Devices that somebody has put on a network's own bridge will be on none.
    PortsLost = "ports-lost",
    /// Port forwarding belongs to user-mode networking.
    PortForwardLost = "port-forward-lost",
    /// A range of a network's DHCP server holds the host's own address.
    RangeHoldsGateway = "range-holds-gateway",
    /// The old network's DHCP server reserves an address for the guest.
    ReservationLost = "reservation-lost",
    /// A route that the host gets with the network goes.
    RouteLost = "route-lost",
    /// A script that libvirt runs only for NICs of type ethernet.
    ScriptNotRun = "script-not-run",
    /// The NIC's source says more than the new type can hold.
    SourceLost = "source-lost",
    /// Unprivileged libvirt attaches to bridges through a helper that must allow this one.
    SessionHelper = "session-helper",
    /// A snapshot holds the old NIC; reverting brings it back.
    Snapshot = "snapshot",
    /// A network's subnet overlaps that of another one that runs, or a route or an address of the host.
    SubnetOverlap = "subnet-overlap",
    /// The bridge or device is administratively down.
    TargetDown = "target-down",
    /// The NIC is a port of a bridge, or otherwise taken.
    TargetEnslaved = "target-enslaved",
    /// It is the virtual bridge of a libvirt network.
    TargetIsVirtualBridge = "target-is-virtual-bridge",
    /// No such bridge, device or network.
    TargetMissing = "target-missing",
    /// The bridge has no port that leads anywhere.
    TargetNoUplink = "target-no-uplink",
    /// The device is no bridge.
    TargetNotBridge = "target-not-bridge",
    /// The target network hands out host devices.
    TargetHostdev = "target-hostdev",
    /// The target network has no portgroup of that name; libvirt would silently ignore it.
    TargetPortgroupMissing = "target-portgroup-missing",
    /// The target can't be seen from here.
    TargetUnseen = "target-unseen",
    /// A Wi-Fi station can't carry the frames of guests.
    TargetWireless = "target-wireless",
    /// A transient teaming NIC must be of type network or hostdev.
    TeamingTransient = "teaming-transient",
    /// The guest's send buffer limit has no effect on macvtap.
    SndbufNoEffect = "sndbuf-no-effect",
    /// A tap device named by hand can't be used by the new type.
    TapLost = "tap-lost",
    /// A setting for one kind of tap device goes, since libvirt refuses it on the new type.
    BackendLost = "backend-lost",
    /// A virtual port profile doesn't go along.
    VirtualportLost = "virtualport-lost",
    /// The bridge is Open vSwitch (or was under the old network): its port profile is written out.
    VirtualportOvs = "virtualport-ovs",
    /// A VLAN doesn't go along: the guest's frames would be untagged.
    VlanLost = "vlan-lost",
    /// Whether the target can do VLANs isn't known.
    VlanUnsure = "vlan-unsure",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something to know before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its stable code.
    pub code: Code,
    /// What it is about, and what it means.
    pub message: String,
    /// Does it stop the change unless `--force` is given?
    pub stops: bool,
}

impl Warning {
    /// A warning to read and go on.
    pub fn note(code: Code, message: impl Into<String>) -> Warning {
        Warning { code, message: message.into(), stops: false }
    }

    /// A warning that stops the change unless `--force` is given.
    pub fn stop(code: Code, message: impl Into<String>) -> Warning {
        Warning { code, message: message.into(), stops: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_words() {
        let words: HashSet<_> = Code::ALL.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(words.iter().all(|w| w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
