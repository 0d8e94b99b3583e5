//! `kvmnet convert`

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
pub(super) fn command(args: &Convert, connect: Option<&str>, subject: &[&str]) -> String {
    let mut words: Vec<String> = vec!["kvmnet".into()];
    let mut add = |flag: &str, value: Option<&str>| {
        words.push(flag.into());
        words.extend(value.map(quoted));
    };
    if let Some(uri) = connect {
        add("-c", Some(uri));
    }
    add("convert", None);
    subject.iter().for_each(|word| add(&quoted(word), None));
    match (&args.to_bridge, &args.to_network, &args.to_direct) {
        (Some(bridge), ..) => add("--to-bridge", Some(bridge.as_str())),
        (_, Some(network), _) => {
            let group = network.portgroup.as_ref().map(|group| format!(":{group}"));
            add("--to-network", Some(&format!("{}{}", network.name, group.unwrap_or_default())));
        }
        (.., Some(direct)) => add("--to-direct", Some(&format!("{}:{}", direct.dev, direct.mode.as_str()))),
        (None, None, None) => {}
    }
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
            add(flag, None);
        }
    }
    if let Some(dir) = &args.output_dir {
        add("--output-dir", Some(&dir.display().to_string()));
    }
    for path in &args.network_xml {
        add("--network-xml", Some(&path.display().to_string()));
    }
    if let Some(saved) = args.managed_save.and_then(|saved| saved.to_possible_value()) {
        add("--managed-save", Some(saved.get_name()));
    }
    if let Some(seconds) = args.wait_address {
        add(&format!("--wait-address={seconds}"), None);
    }
    words.join(" ")
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
