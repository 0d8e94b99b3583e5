//! `kvmnet convert`

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use serde_json::json;

use super::walk::quoted;
use super::{Context, files, guests};
use crate::cli::Convert;
use crate::convert::{Conversion, Refusal, Request, SelectError, Selection, Target};
use crate::model::Source;
use crate::plan::Change;
use crate::problem::Problem;

/// Moves NICs.
pub(super) fn run(args: &Convert, context: &mut Context) -> Result<u8> {
    let request = request(args);
    let live = args.live || args.live_only;
    if !live && (args.wait_address.is_some() || args.no_link_bounce) {
        return Err(Problem::new(
            "--wait-address and --no-link-bounce are about a running guest's move",
            "add --live",
        ));
    }
    if live && matches!(request.target, Target::Direct { .. }) {
        return Err(Problem::new(
            "a running guest's NIC can't become macvtap: libvirt moves it only between bridges",
            "without --live the change takes effect at the guest's next full power-off and start",
        ));
    }
    if args.inline && args.to_bridge.is_none() {
        return Err(Problem::new("--inline goes with --to-bridge only", "leave it out"));
    }
    let files_only = [
        (args.in_place, "--in-place"),
        (args.output_dir.is_some(), "--output-dir"),
        (!args.network_xml.is_empty(), "--network-xml"),
    ];
    if let Some((_, flag)) = files_only.iter().find(|(given, _)| *given && args.file.is_empty()) {
        return Err(Problem::new(
            format!("{flag} goes with --file only"),
            "name files with --file PATH, or leave it out",
        ));
    }
    if args.file.is_empty() {
        return guests::run(args, &request, context);
    }
    let usage = |message: &str, help: &str| Err(Problem::new(message, help));
    if context.global.connect.is_some() {
        return usage("--file works without libvirt, -c with it", "leave one of them out");
    }
    if args.managed_save.is_some() {
        return usage("--managed-save is about guests that libvirt knows, not about files", "leave it out");
    }
    let stdin = args.file.iter().any(|path| path == Path::new("-"));
    if stdin && (args.file.len() > 1 || args.in_place || args.output_dir.is_some()) {
        return usage(
            "--file - reads standard input and writes to standard output; nothing else goes with it",
            "kvmnet convert --file - … < old.xml > new.xml",
        );
    }
    let writes = args.in_place || args.output_dir.is_some();
    if args.consent.exit_code && writes && !args.consent.dry_run {
        return usage(
            "--exit-code tells of a preview",
            "add --dry-run, or leave --in-place and --output-dir out",
        );
    }
    files::run(args, &request, context)
}

fn request(args: &Convert) -> Request {
    let target = match (&args.to_bridge, &args.to_network, &args.to_direct) {
        (Some(bridge), ..) => Target::Bridge(bridge.clone()),
        (_, Some(network), _) => {
            Target::Network { name: network.name.clone(), portgroup: network.portgroup.clone() }
        }
        (_, _, Some(direct)) => Target::Direct { dev: direct.dev.clone(), mode: direct.mode },
        (None, None, None) => unreachable!("the parser demands one of the three"),
    };
    Request {
        target,
        selection: Selection {
            nics: args.nic.clone(),
            from_network: args.from_network.clone().or_else(|| args.on_network.clone()),
            from_bridge: args.from_bridge.clone(),
            all: args.all_nics,
        },
        force: args.force,
        inline: args.inline,
    }
}

/// What was asked for, for one guest or file only, as a command to paste: all but the flags that choose NICs.
pub(super) fn command(args: &Convert, connect: Option<&str>, subject: Meant<'_>) -> String {
    let flag = |name: &str, value: &OsStr| with_value(name, value, "=");
    let mut words: Vec<String> = vec!["kvmnet".into()];
    words.extend(connect.map(|uri| format!("-c {}", quoted(uri))));
    words.push("convert".into());
    match subject {
        Meant::Guest(name) => words.push(quoted(name)),
        Meant::Stdin => words.push("--file -".into()),
        Meant::File(path) => words.push(flag("--file", path.as_ref())),
    }
    words.extend(match (&args.to_bridge, &args.to_network, &args.to_direct) {
        (Some(bridge), ..) => Some(flag("--to-bridge", bridge.as_str().as_ref())),
        (_, Some(network), _) => {
            let group = network.portgroup.as_ref().map(|group| format!(":{group}"));
            Some(flag("--to-network", format!("{}{}", network.name, group.unwrap_or_default()).as_ref()))
        }
        (.., Some(direct)) => {
            Some(flag("--to-direct", format!("{}:{}", direct.dev, direct.mode.as_str()).as_ref()))
        }
        (None, None, None) => None,
    });
    for (given, flag) in [
        (args.in_place, "--in-place"),
        (args.inline, "--inline"),
        (args.live, "--live"),
        (args.live_only, "--live-only"),
        (args.no_link_bounce, "--no-link-bounce"),
        (args.force, "--force"),
        (args.consent.dry_run, "--dry-run"),
        (args.consent.exit_code, "--exit-code"),
        (args.consent.yes, "-y"),
    ] {
        if given {
            words.push(flag.into());
        }
    }
    words.extend(args.output_dir.iter().map(|dir| flag("--output-dir", dir.as_ref())));
    words.extend(args.network_xml.iter().map(|path| flag("--network-xml", path.as_ref())));
    let saved = args.managed_save.and_then(|saved| saved.to_possible_value());
    words.extend(saved.map(|saved| flag("--managed-save", saved.get_name().as_ref())));
    words.extend(args.wait_address.map(|seconds| format!("--wait-address={seconds}")));
    words.join(" ")
}

/// The guest or file that an offered command is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meant<'a> {
    Guest(&'a str),
    File(&'a Path),
    Stdin,
}

/// A flag or command with a value that isn't taken for another flag: where it looks like one, `dashed` stands between.
pub(super) fn with_value(flag: &str, value: impl AsRef<OsStr>, dashed: &str) -> String {
    let between = if value.as_ref().as_encoded_bytes().starts_with(b"-") { dashed } else { " " };
    format!("{flag}{between}{}", quoted(value))
}

/// A refusal as an error; `command` is what to type, up to the flag that chooses a NIC.
pub(super) fn refused(refusal: Refusal, file: Option<&Path>, command: &str) -> anyhow::Error {
    match refusal {
        Refusal::Read(e) if file.is_some() => anyhow!("{e}"),
        Refusal::Read(e) => anyhow!("libvirt's XML of it can't be read: {e}"),
        Refusal::Select(e) => {
            let help = match &e {
                SelectError::Ambiguous(nics) => {
                    let mut lines: Vec<_> =
                        nics.iter().map(|(word, _)| format!("{command} --nic {word}")).collect();
                    lines.push(format!("{command} --all-nics"));
                    lines.join("\n")
                }
                _ => "a NIC is named by its MAC address, alias, target device, or position counted from 1"
                    .into(),
            };
            Problem::new(e.to_string(), help)
        }
    }
}

/// Fills in what a conversion says, whatever it was made from.
pub(super) fn describe(change: &mut Change, conversion: &Conversion, is_json: bool) {
    let source = |source: &Source| {
        let mut out = json!({ "type": source.kind, "source": source.name });
        if let Some(detail) = &source.detail {
            out[if source.kind == "network" { "portgroup" } else { "mode" }] = json!(detail);
        }
        out
    };
    let nics = || {
        conversion.moves.iter().map(|m| {
            json!({
                "mac": m.nic.mac,
                "position": m.nic.position,
                "from": source(&m.nic.source),
                "to": source(&m.to),
            })
        })
    };
    if is_json {
        change.detail.insert("nics".into(), nics().collect());
    }
    change.headline =
        conversion.moves.iter().map(|m| format!("{}: {} → {}", m.nic, m.nic.source, m.to)).collect();
    change.warnings.extend(conversion.warnings.iter().cloned());
    change.remarks.extend(conversion.remarks.iter().cloned());
}
