//! What kvmnet asks of libvirt's networks.

use anyhow::Result;

/// One network, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkState {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Does it run?
    pub is_active: bool,
    /// Has it a definition that outlives it?
    pub is_persistent: bool,
    /// Does it start with libvirt?
    pub autostarts: bool,
    /// Its XML: the running one if it runs.
    pub xml: String,
}

/// An address that a network's DHCP server gave away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// To this MAC address; DHCPv6 servers don't always know it.
    pub mac: Option<String>,
    /// The address.
    pub ip: String,
    /// The length of its network's prefix, in bits.
    pub prefix: u32,
    /// What the guest calls itself.
    pub hostname: Option<String>,
    /// The client's own id (DHCPv6: its DUID).
    pub client_id: Option<String>,
    /// When it ends, in seconds since 1970; never, if that is 0.
    pub expires: i64,
}

/// A guest's connection to a network, in libvirt's own books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its UUID, the `portid` in the running guest's XML.
    pub uuid: String,
    /// Its XML.
    pub xml: String,
}

/// libvirt's networks, each named by its name. Every call may fail: the daemon can go away at any moment.
#[expect(clippy::missing_errors_doc, reason = "said once, for all of them")]
pub trait NetworkDriver {
    /// All networks, by name.
    fn networks(&self) -> Result<Vec<NetworkState>>;
    /// The network of that name, if there is one.
    fn network(&self, name: &str) -> Result<Option<NetworkState>>;
    /// The definition that the network starts from next; `None` if it has none, or there is no such network.
    fn network_definition(&self, name: &str) -> Result<Option<String>>;
    /// Stores a definition, checked against libvirt's schema.
    fn define_network(&self, xml: &str) -> Result<()>;
    /// Removes the definition; a network that runs goes on until it is stopped.
    fn undefine_network(&self, name: &str) -> Result<()>;
    /// Starts it.
    fn start_network(&self, name: &str) -> Result<()>;
    /// Stops it: its virtual bridge goes, and running guests' taps are left on none (reference §5.9).
    fn stop_network(&self, name: &str) -> Result<()>;
    /// Starts a network that has no definition.
    fn create_network(&self, xml: &str) -> Result<()>;
    /// Says whether it starts with libvirt.
    fn set_network_autostart(&self, name: &str, autostart: bool) -> Result<()>;
    /// What its DHCP server gave away; `None` if this connection can't tell.
    fn leases(&self, name: &str) -> Result<Option<Vec<Lease>>>;
    /// Who is connected; `None` if this connection can't tell.
    fn ports(&self, name: &str) -> Result<Option<Vec<Port>>>;
}
