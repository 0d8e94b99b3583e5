//! One file: read, looked at by every rule that is on, and taken down for the set.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::finding::{Finding, Placer};
use super::ignored::{Ignored, join};
use super::report::{Found, Report};
use super::rule::{Check, Rule};
use super::rules;
use super::set::{Facts, Part, Taker};
use super::settings::Settings;
use super::suspects::Suspect;
use super::view::{Domain, File, Kind, Network, Nic};
use crate::xml::{Doc, ReadError};

/// What came of one file.
#[derive(Debug)]
pub struct Checked {
    /// What was found in it.
    pub findings: Vec<Finding>,
    /// What it adds to the set; `None` if it is no domain and no network, or no rule asks for it.
    pub facts: Option<Facts>,
    /// What kind of document it is, if it is XML.
    pub kind: Option<Kind>,
    /// May it be part of a set, and nobody can tell what it adds?
    pub is_lost: bool,
}

/// Checks the bytes of one file.
///
/// # Errors
/// The text is in an encoding that kvmnet doesn't read, or has what it doesn't look at: that says nothing about what
/// libvirt makes of it. What isn't well-formed is a finding.
pub fn check_file(file: &Arc<Path>, bytes: &[u8], settings: &Arc<Settings>) -> Result<Checked, ReadError> {
    let not_xml = |e: ReadError| -> Result<Checked, ReadError> {
        if e.is_ours {
            return Err(e);
        }
        let finding = malformed(file, &String::from_utf8_lossy(bytes), &e, settings);
        Ok(Checked { findings: finding.into_iter().collect(), facts: None, kind: None, is_lost: true })
    };
    let text = match Doc::decode(bytes) {
        Ok(text) => text,
        Err(e) => return not_xml(e),
    };
    let mut plain = String::new();
    match Doc::parse_undeclared(text, &mut plain) {
        Ok((doc, None)) => Ok(check_doc(file, &doc, settings)),
        Ok((doc, Some(undeclared))) => {
            let mut checked = check_doc(file, &doc, settings);
            let help = "declare it in the root element";
            checked.findings.extend(unread(
                file,
                text,
                &undeclared,
                &rules::PREFIX_UNDECLARED,
                help,
                settings,
            ));
            // Mended, it couldn't be read again to see whether it is better.
            for finding in &mut checked.findings {
                (finding.fix, finding.splices) = (None, Vec::new());
                finding.place.guard(text);
                finding.also.iter_mut().for_each(|(place, _)| place.guard(text));
            }
            Ok(checked)
        }
        Err(e) => not_xml(e),
    }
}

fn check_doc(file: &Arc<Path>, doc: &Doc<'_>, settings: &Arc<Settings>) -> Checked {
    let kind = Kind::of(doc);
    let Looked { mut report, ignored, domain, network } = look(doc, settings);
    super::harmless::keep(&mut report.found, doc.text(), |text| {
        Some(look(&Doc::parse(text).ok()?, settings).report.found)
    });
    let wants_set = settings.has_set_rules() && matches!(kind, Kind::Domain | Kind::Network);
    let findings = placed(report, file, doc, settings);
    let taker = Taker { file, doc, ignored: &ignored };
    let part = match (&domain, &network) {
        _ if !wants_set => None,
        (Some(domain), _) => Some(Part::Guest(taker.guest(domain))),
        (_, Some(network)) => taker.network(network).map(|net| Part::Network(Box::new(net))),
        _ => None,
    };
    let facts = part.map(|part| Facts { file: file.clone(), settings: settings.clone(), part });
    let is_lost = wants_set && facts.is_none();
    Checked { findings, facts, kind: Some(kind), is_lost }
}

/// A document, and what the rules say of it.
struct Looked<'d> {
    report: Report,
    ignored: Ignored,
    domain: Option<Domain<'d>>,
    network: Option<Network<'d>>,
}

/// Shows a document to the rules.
fn look<'d>(doc: &'d Doc<'d>, settings: &Settings) -> Looked<'d> {
    let kind = Kind::of(doc);
    let mut report = Report::default();
    let ignored = Ignored::read(doc, &mut report);
    let (root, on) = (doc.root(), settings.on());
    let view = File { doc, root };
    let domain = Domain::of(doc, kind);
    let network = (kind == Kind::Network).then(|| Network::read(doc));
    let nics = domain.as_ref().map(|domain| domain.nics.as_slice()).unwrap_or_default();
    let sure: Vec<&Nic<'_>> = nics.iter().filter(|nic| has_sure_type(nic)).collect();
    for rule in on {
        let report = report.by(rule);
        match (rule.check, &domain, &network) {
            (Check::File(check), ..) => check(&view, report),
            (Check::Domain(check), Some(domain), _) => check(domain, report),
            (Check::Nic(check), ..) if rules::OF_ANY_TYPE.contains(&rule.code) => {
                nics.iter().for_each(|nic| check(nic, report));
            }
            (Check::Nic(check), ..) => sure.iter().for_each(|nic| check(nic, report)),
            (Check::House(check), ..) if kind == Kind::Domain => {
                nics.iter().for_each(|nic| check(nic, &settings.house, report));
            }
            (Check::HouseNetwork(check), _, Some(network)) => check(network, &settings.house, report),
            (Check::Network(check), _, Some(network)) => check(network, report),
            _ => {}
        }
    }
    report.found.retain(|found| !ignored.has(found.rule.code, found.span.start));
    keep_from_twins(&mut report, domain.as_ref(), network.as_ref());
    Looked { report, ignored, domain, network }
}

/// Takes fixes away that would touch one of two elements of which libvirt reads the first: without that one it would read
/// the other, and nobody knows which of them is meant.
fn keep_from_twins(report: &mut Report, domain: Option<&Domain<'_>>, network: Option<&Network<'_>>) {
    if report.found.iter().all(|found| found.fix.is_none()) {
        return;
    }
    let of_nics = domain.into_iter().flat_map(|domain| &domain.nics).flat_map(rules::twins_of_nic);
    let of_network = network.into_iter().flat_map(rules::twins_of_network);
    let pairs = of_nics.chain(of_network).flat_map(|(first, later)| [first.range(), later.range()]);
    let mut twins: Vec<Range<usize>> = pairs.collect();
    join(&mut twins);
    let is_in_one = |place: &Range<usize>| {
        let next = twins.partition_point(|twin| twin.end <= place.start);
        twins.get(next).is_some_and(|twin| twin.start < place.end)
    };
    for found in &mut report.found {
        found.fix.take_if(|fix| fix.iter().any(|edit| is_in_one(&edit.range)));
    }
}

/// Is it of the type that is meant? Without a word about it a NIC is of type user, which has no source.
fn has_sure_type(nic: &Nic<'_>) -> bool {
    match nic.node.attribute("type") {
        Some(kind) => rules::is_known_type(kind),
        None => nic.child("source").is_none(),
    }
}

/// The finding about a part that libvirt's schema objects to; `None` where that is to be ignored.
pub fn schema_finding(
    file: &Arc<Path>,
    doc: &Doc<'_>,
    suspect: &Suspect,
    settings: &Settings,
) -> Option<Finding> {
    let mut report = Report::default();
    let ignored = Ignored::read(doc, &mut report);
    let span = suspect.span(doc);
    if ignored.has(rules::SCHEMA.code, span.start) {
        return None;
    }
    let mut report = Report::default();
    let help =
        "'virsh define --validate' refuses it; without --validate libvirt mostly drops it without a word";
    report.by(&rules::SCHEMA).at(span, suspect.words(doc)).help(help);
    placed(report, file, doc, settings).pop()
}

/// Findings with their lines.
fn placed(report: Report, file: &Arc<Path>, doc: &Doc<'_>, settings: &Settings) -> Vec<Finding> {
    if report.found.is_empty() {
        return Vec::new();
    }
    let placer = Placer::new(file, doc);
    let placed = |found: Found| {
        Some(Finding {
            rule: found.rule,
            severity: settings.severity(found.rule.code)?,
            message: found.message,
            place: placer.place(found.span),
            label: found.label,
            help: found.help,
            also: found.also.into_iter().map(|(span, words)| (placer.place(span), words)).collect(),
            splices: found.fix.as_ref().map(|fix| placer.splices(fix)).unwrap_or_default(),
            fix: found.fix,
        })
    };
    report.found.into_iter().filter_map(placed).collect()
}

/// The finding about a text that isn't XML.
fn malformed(file: &Arc<Path>, text: &str, e: &ReadError, settings: &Settings) -> Option<Finding> {
    let (rule, help) = if e.is_undeclared_prefix() {
        let help = "declare it in the root element; nothing else was looked at in this file";
        (&rules::PREFIX_UNDECLARED, help)
    } else {
        (&rules::NOT_WELL_FORMED, "libvirt doesn't read it either; nothing else was looked at in this file")
    };
    unread(file, text, e, rule, help, settings)
}

fn unread(
    file: &Arc<Path>,
    text: &str,
    e: &ReadError,
    rule: &'static Rule,
    help: &str,
    settings: &Settings,
) -> Option<Finding> {
    Some(Finding {
        rule,
        severity: settings.severity(rule.code)?,
        message: e.reason.clone(),
        place: super::finding::unread(file, text, e.line, e.column),
        label: None,
        help: Some(help.into()),
        also: Vec::new(),
        fix: None,
        splices: Vec::new(),
    })
}
