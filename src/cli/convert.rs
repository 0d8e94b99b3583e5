//! `kvmnet convert`

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, ValueEnum};

use super::Consent;
use crate::model::{DeviceName, DirectMode, NameError};

/// Move guests' NICs to a bridge, a libvirt network or macvtap
///
/// Rewrites the network interfaces of guests that libvirt knows, or of XML files. The diff and its meaning are
/// shown first; nothing changes before a yes. Of a guest only what must change does: comments, order, blanks and
/// quotes stay, and so do MAC address, PCI address and model, so that the guest recognises its NIC. What the guest
/// had from its old network without saying so (VLAN, bandwidth, isolation) is written out where the target allows
/// it, and named where it doesn't.
///
/// For --to-bridge and --to-direct the NICs of type network are meant, for --to-network those of type bridge, direct
/// and network. One such NIC is taken; if there are several, say which.
#[derive(Debug, Clone, Args)]
#[command(
    group(ArgGroup::new("target").required(true).args(["to_bridge", "to_network", "to_direct"])),
    group(ArgGroup::new("guests").required(true).args(["domains", "all", "on_network", "file"])),
    after_help = "\
Examples:
  kvmnet convert ubuntuvm1 --to-bridge br0
  kvmnet convert ubuntuvm1 --to-network default
  kvmnet convert ubuntuvm1 --to-direct enp4s0
  kvmnet convert --on-network default --to-bridge br0 -y
  kvmnet convert --file vm/*.xml --to-bridge br0 --in-place
  virsh dumpxml ubuntuvm1 | kvmnet convert --file - --to-bridge br0 > new.xml"
)]
pub struct Convert {
    /// Guests, by name, UUID or id
    #[arg(value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// Every guest
    ///
    /// Example: kvmnet convert --all --to-bridge br0
    #[arg(long)]
    pub all: bool,
    /// Every guest with a NIC on NET, and those NICs
    ///
    /// Example: kvmnet convert --on-network default --to-bridge br0
    #[arg(long, value_name = "NET", conflicts_with_all = ["nic", "from_network", "from_bridge"])]
    pub on_network: Option<String>,
    /// Work on files, without libvirt; - reads standard input and writes the new XML to standard output
    ///
    /// Without --in-place or --output-dir it only shows what would change. Example: --file vm/web1.xml
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub file: Vec<PathBuf>,
    /// Write the files, atomically, keeping mode and owner
    ///
    /// Example: kvmnet convert --file vm/web1.xml --to-bridge br0 --in-place
    #[arg(long, conflicts_with = "output_dir")]
    pub in_place: bool,
    /// Write a file of the same name into DIR for every input that was converted
    ///
    /// Example: kvmnet convert --file vm/*.xml --to-bridge br0 --output-dir new/
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Definitions of the networks that the guests in the files name, so that what they give is carried over
    ///
    /// Example: kvmnet convert --file web1.xml --network-xml net/default.xml --to-bridge br0
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub network_xml: Vec<PathBuf>,
    /// To this bridge of the host
    ///
    /// Example: --to-bridge br0
    #[arg(long, help_heading = "Target (one of them)", value_name = "BR")]
    pub to_bridge: Option<DeviceName>,
    /// To this libvirt network, and to one of its portgroups
    ///
    /// Example: --to-network lan:servers
    #[arg(long, help_heading = "Target (one of them)", value_name = "NET[:PORTGROUP]")]
    pub to_network: Option<NetworkTarget>,
    /// To macvtap on this device of the host; the mode is bridge, vepa, private or passthrough (default: bridge)
    ///
    /// Example: --to-direct enp4s0
    #[arg(long, help_heading = "Target (one of them)", value_name = "DEV[:MODE]")]
    pub to_direct: Option<DirectTarget>,
    /// This NIC: a MAC address, an alias (net0), a target device (vnet0), or a position counted from 1; repeatable
    ///
    /// Example: --nic 52:54:00:12:34:56 --nic 2
    #[arg(long, help_heading = "Which NICs", value_name = "SEL", conflicts_with_all = ["from_network", "from_bridge", "all_nics"])]
    pub nic: Vec<String>,
    /// The NICs on this network
    ///
    /// Example: --from-network default
    #[arg(long, help_heading = "Which NICs", value_name = "NET", conflicts_with = "from_bridge")]
    pub from_network: Option<String>,
    /// The NICs on this bridge
    ///
    /// Example: kvmnet convert web1 --from-bridge br1 --to-bridge br0
    #[arg(long, help_heading = "Which NICs", value_name = "BR")]
    pub from_bridge: Option<String>,
    /// All NICs that the target's kind allows
    ///
    /// Example: kvmnet convert web1 --to-bridge br0 --all-nics
    #[arg(long, help_heading = "Which NICs")]
    pub all_nics: bool,
    /// Also move a NIC whose network uses the target bridge already
    ///
    /// The traffic stays the same; the guest no longer depends on the network. Example: --to-bridge br0 --inline
    #[arg(long)]
    pub inline: bool,
    /// Also move the running guest's NIC now, without a restart
    ///
    /// From network or bridge to network or bridge only; macvtap needs a restart. Example: --to-bridge br0 --live
    #[arg(long, conflicts_with_all = ["live_only", "file"])]
    pub live: bool,
    /// Move only the running guest's NIC; its next start has the old one again
    ///
    /// Example: kvmnet convert web1 --to-bridge br0 --live-only
    #[arg(long, conflicts_with = "file")]
    pub live_only: bool,
    /// With --live: wait for the guest's new address and print it; for 30 seconds, or as many as given
    ///
    /// Example: kvmnet convert web1 --to-bridge br0 --live --wait-address=60
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400), conflicts_with = "file")]
    pub wait_address: Option<u64>,
    /// With --live: leave the guest's link alone; it keeps its old address until it asks for a new one by itself
    ///
    /// Without it the link goes down and up for a second, as if the cable had been pulled. Example: --live --no-link-bounce
    #[arg(long, conflicts_with = "file")]
    pub no_link_bounce: bool,
    /// What to do with a saved memory image, which holds NICs of its own
    ///
    /// edit: move its NICs too; keep: leave it, so that the next start has the old NIC; discard: throw the guest's
    /// memory away. Example: --managed-save edit
    #[arg(long, value_enum, value_name = "edit|keep|discard", hide_possible_values = true)]
    pub managed_save: Option<SavedImage>,
    /// Go on where a warning says that it can't work
    ///
    /// Example: kvmnet convert web1 --to-bridge br7 --force
    #[arg(long)]
    pub force: bool,
    /// The usual flags of a change.
    #[command(flatten)]
    pub consent: Consent,
}

/// What to do with a saved memory image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SavedImage {
    /// Move its NICs too.
    Edit,
    /// Leave it.
    Keep,
    /// Throw it away.
    Discard,
}

/// `NET[:PORTGROUP]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkTarget {
    /// The network.
    pub name: String,
    /// One of its portgroups.
    pub portgroup: Option<String>,
}

impl FromStr for NetworkTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, portgroup) = match text.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (text, None),
        };
        let bad =
            |word: &str| word.is_empty() || word.contains(['/', '\n']) || word.chars().any(char::is_control);
        if bad(name) || portgroup.is_some_and(bad) {
            return Err(format!(
                "'{}' names no network (NET or NET:PORTGROUP, without '/')",
                text.escape_debug()
            ));
        }
        Ok(NetworkTarget { name: name.into(), portgroup: portgroup.map(Into::into) })
    }
}

/// `DEV[:MODE]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectTarget {
    /// The device.
    pub dev: DeviceName,
    /// The mode.
    pub mode: DirectMode,
}

impl FromStr for DirectTarget {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (dev, mode) = text.split_once(':').unwrap_or((text, DirectMode::default().as_str()));
        Ok(DirectTarget { dev: dev.parse()?, mode: mode.parse()? })
    }
}
