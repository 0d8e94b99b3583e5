//! `kvmnet convert`

use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::json;

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

/// The flag that names the target, for commands to paste.
pub(super) fn target_flag(target: &Target) -> String {
    match target {
        Target::Bridge(bridge) => format!("--to-bridge {bridge}"),
        Target::Network { name, portgroup: Some(group) } => format!("--to-network {name}:{group}"),
        Target::Network { name, portgroup: None } => format!("--to-network {name}"),
        Target::Direct { dev, mode } => format!("--to-direct {dev}:{}", mode.as_str()),
    }
}

/// A refusal as an error; `command` is what to type, up to the flag that chooses a NIC.
pub(super) fn refused(refusal: Refusal, file: Option<&Path>, command: &str) -> anyhow::Error {
    match refusal {
        // The subject names the file; a place in it is joined to that.
        Refusal::Read(e) if file.is_some() => anyhow!("line {}, column {}: {}", e.line, e.column, e.reason),
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
pub(super) fn describe(change: &mut Change, conversion: Conversion) {
    let source = |source: &Source| {
        let mut out = json!({ "type": source.kind, "source": source.name });
        if let Some(detail) = &source.detail {
            out[if source.kind == "network" { "portgroup" } else { "mode" }] = json!(detail);
        }
        out
    };
    let nics = conversion.moves.iter().map(|m| {
        json!({
            "mac": m.nic.mac,
            "position": m.nic.position,
            "from": source(&m.nic.source),
            "to": source(&m.to),
        })
    });
    change.detail.insert("nics".into(), nics.collect());
    change.headline =
        conversion.moves.iter().map(|m| format!("{}: {} → {}", m.nic, m.nic.source, m.to)).collect();
    change.warnings.extend(conversion.warnings);
    change.remarks.extend(conversion.remarks);
}
