//! How a bridge is made or taken down.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Ask, Host, HostDevice};

/// A program with its arguments.
pub type Command = Vec<String>;

/// What configures a host's network.
pub trait Backend {
    /// As `--backend` has it.
    fn name(&self) -> &'static str;

    /// The programs (by name) and files (by absolute path) that it wants to know of whether they are there.
    fn looks_for(&self) -> &'static [&'static str];

    /// The default routes that its files give to devices.
    fn ways_out(&self, host: &Host) -> Vec<WayOut>;

    /// Does one of its files make this bridge?
    fn defines(&self, host: &Host, bridge: &str) -> bool;

    /// How the bridge is made.
    ///
    /// # Errors
    /// A [`Fault`]: what stands in the way.
    fn make(&self, host: &Host, ask: &Ask) -> Result<Recipe, Fault>;

    /// How the bridge is taken down: its first port gets back what it took over from it, or has now.
    ///
    /// # Errors
    /// A [`Fault`]: what stands in the way.
    fn take_down(&self, host: &Host, bridge: &str) -> Result<Recipe, Fault>;
}

/// A default route that a file gives to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// The devices; where none that is there fits, the name that the file has.
    pub devices: Vec<String>,
    /// The router.
    pub gateway: IpAddr,
    /// The file.
    pub file: String,
}

impl WayOut {
    /// Those to such routers, of the devices that fit, or of the one that is named.
    pub(super) fn of<'h>(
        gateways: &[IpAddr],
        file: &str,
        fitting: impl Iterator<Item = &'h HostDevice>,
        named: &str,
    ) -> Vec<WayOut> {
        let mut devices: Vec<String> = fitting.map(|device| device.name.clone()).collect();
        if devices.is_empty() {
            devices.push(named.into());
        }
        let way =
            |gateway: &IpAddr| WayOut { devices: devices.clone(), gateway: *gateway, file: file.into() };
        gateways.iter().map(way).collect()
    }
}

/// Why something can't be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What stands in the way, and where.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Fault {
    /// A fault.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { what: what.into(), help: help.into() }
    }
}

/// Which files become what, and the commands around that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The files, each as it stands and as it shall stand.
    pub files: Vec<FileChange>,
    /// Brings the new files into force.
    pub make: Way,
    /// Brings the old files back into force: what is run before the files are put back knows the new ones.
    pub unmake: Way,
    /// The backend's own way back, if it has one.
    pub checkpoint: Option<Checkpoint>,
    /// What the files say shall be found on the device that gets the addresses.
    pub found: Found,
    /// Addresses that the first port has today and the bridge won't have, though all was to be kept.
    pub lost: Vec<IpNet>,
    /// What will be different afterwards and isn't seen in the diff, in sentences.
    pub notes: Vec<String>,
}

/// A file that is written, made or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its absolute path.
    pub path: String,
    /// What stands there; `None`: nothing.
    pub before: Option<String>,
    /// What shall stand there; `None`: nothing.
    pub after: Option<String>,
    /// The mode that a new file gets.
    pub mode: u32,
}

/// The commands before and after files are written, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Before.
    pub before: Vec<Command>,
    /// After.
    pub after: Vec<Command>,
}

/// What shall be found on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The addresses that the files name.
    pub addresses: Vec<IpNet>,
    /// An IPv4 address from DHCP.
    pub dhcp4: bool,
    /// The gateways of default routes that the files name.
    pub gateways: Vec<IpAddr>,
}

/// A backend's own way back, which is there even if nothing of kvmnet is left to run: it is taken before the first file is
/// written; unless it is given up, the backend puts everything back as it was then, in itself and in its files, when the
/// time is over.
///
/// - It is given a little more time than kvmnet's own way back: that one, which knows the files to the byte, comes first.
/// - Confirmed: `keep`.
/// - Reverted: `roll_back`, then the files are put back as they were (the backend may have written them anew in its own
///   way), then [`Recipe::unmake`]'s commands. It fails if its time is over; that may be ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Takes it; what it prints tells the name that the others need ([`Checkpoint::name`]).
    pub take: Command,
    /// Gives it up: everything stays as it is.
    pub keep: Command,
    /// Puts everything back.
    pub roll_back: Command,
}

impl Checkpoint {
    /// What stands for the seconds, in the command that takes it.
    pub const SECONDS: &'static str = "{seconds}";
    /// What stands for its name, in the others.
    pub const PATH: &'static str = "{path}";
    /// What names all that are left of them, when they are given up.
    pub const ALL: &'static str = "/";

    /// Its name, out of what taking it printed: `o "/org/freedesktop/NetworkManager/Checkpoint/1"`.
    pub fn name(printed: &str) -> Option<&str> {
        printed.split('"').nth(1).filter(|path| path.starts_with('/'))
    }

    /// The command that takes it, for so long.
    pub fn taken(&self, seconds: u32) -> Command {
        fill(&self.take, Checkpoint::SECONDS, &seconds.to_string())
    }

    /// The command that gives up the one of that name.
    pub fn kept(&self, name: &str) -> Command {
        fill(&self.keep, Checkpoint::PATH, name)
    }

    /// The command that rolls back to the one of that name.
    pub fn rolled_back(&self, name: &str) -> Command {
        fill(&self.roll_back, Checkpoint::PATH, name)
    }
}

fn fill(command: &Command, gap: &str, with: &str) -> Command {
    command.iter().map(|word| if word == gap { with.to_string() } else { word.clone() }).collect()
}
