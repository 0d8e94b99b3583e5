//! One file per verb: reads the state, builds a plan, hands it to the spine. The only room that joins the others.

mod check;
mod connect;
mod convert;
mod files;
mod generate;
mod guests;
mod history;
mod host;
mod live;
mod net;
mod reattach;
mod target;
mod undo;
mod walk;

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::{BridgeCommand, Cli, Color, Command, Format, Global, HostCommand, NetCommand};
use crate::problem::render;
use crate::report::{Paint, Screen, json, text};
use crate::sys::hypervisor::Connector;
use crate::sys::{interrupt, terminal};

pub use generate::man_pages;

/// What every verb gets.
struct Context {
    global: Global,
    connector: Connector,
    screen: Screen,
}

impl Context {
    fn is_json(&self) -> bool {
        self.global.output == Format::Json
    }
}

/// The command line that was typed; or the exit code, when help was all that was asked for (0) or it can't be
/// understood (2). Then a program that asked for JSON gets a document all the same.
///
/// # Errors
/// The exit code.
pub fn parse() -> std::result::Result<Cli, u8> {
    Cli::try_parse().map_err(|e| {
        // clap knows where help and errors go.
        let printed = e.print().and_then(|()| io::stdout().flush());
        if !e.use_stderr() {
            let what = if e.kind() == ErrorKind::DisplayVersion { "the version" } else { "the help" };
            return match printed {
                Err(fault) if fault.kind() != io::ErrorKind::BrokenPipe => {
                    let said = text::error(&format!("cannot print {what}: {fault}"), Paint { on: false });
                    let _ = writeln!(io::stderr(), "{said}");
                    2
                }
                _ => 0,
            };
        }
        let words = terminal::arguments();
        let pairs = words.windows(2).any(|w| (w[0] == "-o" || w[0] == "--output") && w[1] == "json");
        if pairs || words.iter().any(|w| w == "-ojson" || w == "-o=json" || w == "--output=json") {
            let typed: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
            let commands = <Cli as clap::CommandFactory>::command();
            let at = typed.iter().position(|word| commands.find_subcommand(word).is_some());
            let (noun, rest) = at.map_or(("", &[][..]), |at| (typed[at], &typed[at + 1..]));
            let mut shapes = rest.iter().map(|verb| match noun {
                "host" => shape_of_host(verb),
                "net" => shape(verb),
                _ => Shape::Changes,
            });
            let shape = match noun {
                "check" => Shape::Findings,
                _ => shapes.find(|shape| *shape != Shape::Changes).unwrap_or(Shape::Changes),
            };
            let _ = walk::print_json(&failure(shape, e.render().to_string().trim()));
        }
        2
    })
}

/// Runs a command line and returns the exit code of the contract.
pub fn run(cli: Cli, connector: Connector) -> u8 {
    let choice = match cli.global.color {
        Color::Auto => None,
        Color::Always => Some(ColorChoice::Always),
        Color::Never => Some(ColorChoice::Never),
    };
    let on = |auto: ColorChoice| Paint { on: choice.unwrap_or(auto) != ColorChoice::Never };
    let out = on(AutoStream::choice(&io::stdout()));
    let err = on(AutoStream::choice(&io::stderr()));
    let verbosity = if cli.global.quiet { -1 } else { i8::try_from(cli.global.verbose).unwrap_or(i8::MAX) };
    let mut screen = Screen::new(out, err, verbosity, terminal::ask);
    screen.show_progress(terminal::shows_progress());
    if let Err(e) = interrupt::watch() {
        screen.error(&format!("cannot watch for signals: {e}"));
        return 2;
    }
    let shape = match &cli.command {
        Command::Net(net) => shape(match net.command {
            NetCommand::Create(_) => "create",
            NetCommand::List(_) => "list",
            NetCommand::Show(_) => "show",
            NetCommand::Leases(_) => "leases",
            _ => "",
        }),
        Command::Check(_) => Shape::Findings,
        Command::Host(host) => shape_of_host(match &host.command {
            HostCommand::Nics(_) => "nics",
            HostCommand::Bridge(bridge) => match bridge.command {
                BridgeCommand::List(_) => "list",
                BridgeCommand::Show(_) => "show",
                _ => "create",
            },
        }),
        _ => Shape::Changes,
    };
    let mut context = Context { global: cli.global, connector, screen };
    match verb(cli.command, &mut context) {
        Ok(code) => code,
        Err(e) if is_closed_pipe(&e) => 0,
        Err(e) => {
            context.screen.error(&render(&e));
            if context.is_json() {
                // A program gets a document all the same; if it can't be printed, there is nothing more to say.
                let _ = walk::print_json(&failure(shape, &render(&e)));
            }
            2
        }
    }
}

/// What a command's JSON document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Changes.
    Changes,
    /// A network that was to be made.
    Creation,
    /// Findings.
    Findings,
    /// A bridge of the host's that was to be made, deleted, confirmed or put back.
    Bridge,
    /// What was to be shown, under this key.
    Shown(&'static str),
}

/// That of `kvmnet net VERB`.
fn shape(verb: &str) -> Shape {
    match verb {
        "create" => Shape::Creation,
        "list" => Shape::Shown("networks"),
        "show" => Shape::Shown("network"),
        "leases" => Shape::Shown("leases"),
        _ => Shape::Changes,
    }
}

/// That of `kvmnet host nics` and `kvmnet host bridge VERB`.
fn shape_of_host(verb: &str) -> Shape {
    match verb {
        "nics" => Shape::Shown("nics"),
        "list" => Shape::Shown("bridges"),
        "show" => Shape::Shown("bridge"),
        "create" | "delete" | "confirm" | "revert" => Shape::Bridge,
        _ => Shape::Changes,
    }
}

/// The document of a command that failed as a whole.
fn failure(shape: Shape, error: &str) -> serde_json::Value {
    match shape {
        Shape::Changes => json::failure(error),
        Shape::Creation => json::creation_failure(error),
        Shape::Findings => json::check_failure(error),
        Shape::Bridge => json::bridge_failure(error),
        Shape::Shown(what) => json::look_failure(what, error),
    }
}

fn verb(command: Command, context: &mut Context) -> Result<u8> {
    match command {
        Command::Check(args) => check::run(&args, context),
        Command::Convert(args) => convert::run(&args, context),
        Command::Host(args) => host::run(&args, context),
        Command::Net(args) => net::run(&args, context),
        Command::Reattach(args) => reattach::run(&args, context),
        Command::History(args) => history::run(&args, context),
        Command::Undo(args) => undo::run(&args, context),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { dir } => generate::write_man_pages(&dir),
    }
}

/// Nobody reads on (`kvmnet … | head`). That is no failure of ours, unless a change hung on its preview; that one
/// is reported by its own words.
fn is_closed_pipe(e: &anyhow::Error) -> bool {
    e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
