//! `kvmnet reattach`

use clap::Args;

use super::Consent;

/// Plug running guests' taps back into their bridges, without a restart
///
/// Finds running guests whose tap (the host's end of a NIC) is on no bridge, or not on the one that the running guest
/// says, and plugs it back: after 'virsh net-destroy' and 'net-start', a restart of the firewall or of a network
/// manager, an update that failed. libvirt's own books (the network's ports, the port in the running guest's XML) are
/// put right too, also where only they are wrong. The guest notices nothing but that its network is there again: its
/// NIC, link and addresses stay, and a link that is down stays down. A tap that is administratively down though its
/// NIC's link is up comes up; of a bridge that is down it is said, for that may be meant.
///
/// Of a NIC on a network the bridge is meant that the network has now. A network that isn't active must be started
/// first. macvtap, user-mode networking and Open vSwitch are left alone. With no guest named, every one is looked at.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet reattach
  kvmnet reattach ubuntuvm1
  kvmnet reattach --on-network default -y")]
pub struct Reattach {
    /// Guests, by name, UUID or id
    #[arg(value_name = "DOMAIN", conflicts_with = "all")]
    pub domains: Vec<String>,
    /// Every running guest; that is also what is meant when none is named
    ///
    /// Example: kvmnet reattach --all
    #[arg(long)]
    pub all: bool,
    /// Only NICs on this network; with no guest named, those of every running one
    ///
    /// Example: kvmnet reattach --on-network default
    #[arg(long, value_name = "NET")]
    pub on_network: Option<String>,
    /// The usual flags of a change.
    #[command(flatten)]
    pub consent: Consent,
}
