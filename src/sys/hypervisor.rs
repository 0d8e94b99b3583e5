//! What kvmnet asks of libvirt, as a trait: implemented over libvirt itself, and in memory for tests.

use anyhow::Result;

use super::networks::NetworkDriver;
pub use super::networks::NetworkState;

/// One guest, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Its id while it runs.
    pub id: Option<u32>,
    /// Does it run (or is it paused)?
    pub is_active: bool,
    /// Has it a definition that outlives it?
    pub is_persistent: bool,
    /// Is there a saved memory image that its next start comes from?
    pub is_saved: bool,
    /// Has it snapshots?
    pub has_snapshots: bool,
}

/// What the host's own network interface of some name is, as far as libvirt can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostInterface {
    /// `bridge`, `ethernet`, `bond`, `vlan`.
    pub kind: String,
    /// Is it up?
    pub is_active: bool,
    /// A bridge's ports.
    pub ports: Vec<String>,
}

/// Where a connection leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine, as root or with the rights of the system's daemon.
    System,
    /// This machine, the user's own unprivileged daemon.
    Session,
    /// Another machine, or libvirt's test driver: the host's devices can't be seen from here.
    Remote,
}

impl Reach {
    /// Tells from a connection's URI, as libvirt itself gives it: `qemu:///system` is this machine, `qemu+ssh://h/system`
    /// another, `test:///…` none.
    pub fn of_uri(uri: &str) -> Reach {
        let (scheme, rest) = uri.split_once("://").unwrap_or((uri, ""));
        let (driver, transport) = scheme.split_once('+').unwrap_or((scheme, "unix"));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if driver == "test" || !host.is_empty() || !matches!(transport, "unix" | "ext") {
            Reach::Remote
        } else if path.starts_with("session") {
            Reach::Session
        } else {
            Reach::System
        }
    }
}

/// Does a connection of that URI lead to another machine, whose devices can't be seen from here? libvirt's test driver has
/// none.
pub fn is_elsewhere(uri: &str) -> bool {
    Reach::of_uri(uri) == Reach::Remote && !uri.starts_with("test")
}

/// A connection to libvirt. Every call may fail: the daemon can go away at any moment.
#[expect(clippy::missing_errors_doc, reason = "said once, for all of them")]
pub trait Hypervisor: NetworkDriver + Send + Sync {
    /// The connection's URI.
    fn uri(&self) -> &str;
    /// Is it a read-only connection? Then secrets can't be read and nothing can be changed.
    fn is_read_only(&self) -> bool;
    /// The daemon's libvirt version, 11.3.0 as 11003000.
    fn version(&self) -> u64;
    /// All guests, by name.
    fn guests(&self) -> Result<Vec<Guest>>;
    /// The definition that the guest starts from next, secrets included (unless the connection is read-only).
    /// `None` if there is no such guest (any more).
    fn definition(&self, uuid: &str) -> Result<Option<String>>;
    /// The XML of the running guest.
    fn running(&self, uuid: &str) -> Result<String>;
    /// Stores a definition; `validate` has libvirt check it against its schema first.
    fn define(&self, xml: &str, validate: bool) -> Result<()>;
    /// The XML in the guest's saved memory image, `None` if it has none; empty if it has one and the driver can't show it.
    fn saved(&self, uuid: &str) -> Result<Option<String>>;
    /// Replaces the XML in the guest's saved memory image.
    fn define_saved(&self, uuid: &str, xml: &str) -> Result<()>;
    /// Throws the guest's saved memory image away.
    fn discard_saved(&self, uuid: &str) -> Result<()>;
    /// The guest's snapshots: name and XML.
    fn snapshots(&self, uuid: &str) -> Result<Vec<(String, String)>>;
    /// Changes a NIC of the running guest to what `interface` (a whole `<interface>`) says, now and not for later.
    fn update_running(&self, uuid: &str, interface: &str) -> Result<()>;
    /// The addresses of the running guest's NICs, MAC address and IP address, from whoever knows: the guest's agent,
    /// the network's DHCP server, the host's neighbour table. What can't be asked says nothing.
    fn addresses(&self, uuid: &str) -> Vec<(String, String)>;
    /// The host's interface of that name: `Err` if libvirt can't tell, `None` if there is none.
    fn interface(&self, name: &str) -> Result<Option<HostInterface>>;
    /// Does libvirt tell of a network device of that name on the host? That it tells of none proves nothing: its lists lack
    /// bridges or what was plugged lately, and drivers for them are seldom installed.
    fn tells_of_device(&self, name: &str) -> bool;
}

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct ConnectTo<'a> {
    /// The URI; `None` lets libvirt pick (`LIBVIRT_DEFAULT_URI`, its own configuration, who is asking).
    pub uri: Option<&'a str>,
    /// Ask for a read-only connection.
    pub read_only: bool,
    /// If a full connection is refused, is a read-only one good enough?
    pub may_fall_back: bool,
}

/// Opens a connection, or becomes the program that can.
pub type Connector = fn(&ConnectTo<'_>) -> Result<Box<dyn Hypervisor>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach() {
        for (uri, reach) in [
            ("qemu:///system", Reach::System),
            ("qemu+unix:///system?socket=/x", Reach::System),
            ("qemu:///session", Reach::Session),
            ("qemu+ssh://root@h/system", Reach::Remote),
            ("qemu://h/system", Reach::Remote),
            ("qemu+ssh:///system", Reach::Remote),
            ("test:///default", Reach::Remote),
            ("xen:///system", Reach::System),
            ("lxc:///", Reach::System),
        ] {
            assert_eq!(Reach::of_uri(uri), reach, "{uri}");
            assert_eq!(is_elsewhere(uri), reach == Reach::Remote && uri != "test:///default", "{uri}");
        }
    }
}
