//! What can be typed. Structs only: no work, no files, no libvirt. Help, man pages and completions come from here.

mod check;
mod convert;
mod history;
mod host;
mod net;
mod reattach;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub use check::{Check, Deny, FindingsFormat};
pub use convert::{Convert, SavedImage};
pub use history::{History, Undo};
pub use host::{
    BackendChoice, BridgeAddress, BridgeChange, BridgeCommand, BridgeCreate, BridgeDelete, BridgeMac,
    BridgeRevert, BridgeShow, Host, HostBridge, HostCommand, HostNics, OnOff,
};
pub use net::{
    Net, NetAutostart, NetCommand, NetCreate, NetDelete, NetLeases, NetList, NetMode, NetRestart, NetSetMode,
    NetShape, NetShow, NetStart, NetStop,
};
pub use reattach::Reattach;

/// Move KVM guests between libvirt networks, host bridges and macvtap.
///
/// kvmnet rewrites the network interfaces of libvirt guests. It shows the exact change first, makes it only when
/// told to, checks what libvirt stored, and can put it back.
#[derive(Debug, Parser)]
#[command(
    name = "kvmnet",
    version,
    max_term_width = 110,
    after_help = "\
Example:
  kvmnet convert ubuntuvm1 --to-bridge br0      show the change, ask, make it
  kvmnet undo                                   put it back
  kvmnet reattach                               plug running guests that were cut off back in

Exit status: 0 done, or nothing to do; 1 changes are pending (--exit-code); 2 bad usage, or it failed and nothing \
stands; 3 failed part-way, some of it stands."
)]
pub struct Cli {
    /// What goes for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command knows.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The libvirt connection, such as qemu:///system or qemu+ssh://host/system
    ///
    /// Without it: LIBVIRT_DEFAULT_URI, else what libvirt itself picks. Example: -c qemu+ssh://rack7/system
    #[arg(short, long, value_name = "URI", global = true)]
    pub connect: Option<String>,
    /// Connect read-only: previews only, without secrets
    ///
    /// Example: kvmnet --readonly convert web1 --to-bridge br0 --dry-run
    #[arg(long, global = true)]
    pub readonly: bool,
    /// For people or for programs
    ///
    /// json prints one document on standard output and nothing else there. Example: -o json
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        global = true,
        hide_possible_values = true,
        value_name = "human|json"
    )]
    pub output: Format,
    /// Colours: auto, always or never
    ///
    /// auto also honours NO_COLOR and whether output is a terminal. Example: --color never
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub color: Color,
    /// Say more on standard error
    ///
    /// Example: kvmnet -v convert web1 --to-bridge br0
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say less on standard error
    ///
    /// Example: kvmnet -q convert --all --to-bridge br0 -y
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "what a command does stands at its struct, where clap finds it")]
pub enum Command {
    Convert(Box<Convert>),
    Check(Check),
    Net(Net),
    Host(Host),
    Reattach(Reattach),
    History(History),
    Undo(Undo),
    /// Print the completions for a shell
    ///
    /// Example: kvmnet completions bash > /etc/bash_completion.d/kvmnet
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder.
        dir: std::path::PathBuf,
    },
}

/// How output looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Flags of every command that changes something.
#[derive(Debug, Clone, clap::Args)]
pub struct Consent {
    /// Show what would change and stop
    ///
    /// Example: kvmnet undo --dry-run
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: exit with 1 if something would change
    ///
    /// Example: kvmnet undo --dry-run --exit-code
    #[arg(long)]
    pub exit_code: bool,
    /// Don't ask
    ///
    /// Where there is no terminal to ask at, a change needs it. Example: kvmnet undo -y
    #[arg(short, long)]
    pub yes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_has_help_with_an_example() {
        fn look(command: &clap::Command) {
            for arg in command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str()))
            {
                assert!(arg.get_help().is_some(), "{} of {} has no help", arg.get_id(), command.get_name());
                let long = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
                let positional = arg.is_positional();
                assert!(
                    positional || long.contains("Example: "),
                    "--{} of {} has no example",
                    arg.get_id(),
                    command.get_name()
                );
            }
            command.get_subcommands().filter(|c| c.get_name() != "help").for_each(look);
        }
        let mut command = Cli::command();
        command.build();
        look(&command);
        for sub in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
            let texts = [sub.get_after_help(), sub.get_long_about()];
            let example = texts.iter().flatten().any(|t| t.to_string().contains("Example"));
            assert!(example, "{} has no example", sub.get_name());
        }
    }
}
