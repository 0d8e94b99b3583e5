//! Moving a guest's NICs: one domain's XML and a request in, splices and warnings out.
//!
//! How it fits together: [`guest_root`] refuses whatever isn't a domain; `select` finds the NICs that are meant;
//! for each of them `rewrite` changes type and source, holds every other part against the table in `rules`, and
//! writes out what the NIC silently had from its old network (`inherit`). Nothing here reads a file or asks
//! libvirt: what is known of the networks and of the target comes in as [`Facts`].

mod fates;
mod inherit;
mod meaning;
mod profile;
mod request;
mod rewrite;
mod root;
mod rules;
mod select;
mod source;

use std::collections::HashSet;

use crate::model::{Code, MacAddr, Nic, Source, Warning};
use crate::xml::{Doc, Edits, ReadError, children};

pub use meaning::meaning;
pub use request::{Facts, Landing, Networks, Request, Selection, Target, Vlans};
pub use root::guest_root;
pub use rules::{Column, RULES, Rule};
pub use select::SelectError;

/// One NIC on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The NIC as it is.
    pub nic: Nic,
    /// Where it goes.
    pub to: Source,
}

/// What has to be done to one guest's XML.
#[derive(Debug, Clone, Default)]
pub struct Conversion {
    /// The guest's name.
    pub name: String,
    /// The guest's UUID, if the XML has one.
    pub uuid: Option<String>,
    /// The splices; none if there is nothing to do.
    pub edits: Edits,
    /// The NICs that move.
    pub moves: Vec<Move>,
    /// What to know before saying yes.
    pub warnings: Vec<Warning>,
    /// Why NICs stay as they are, where somebody may ask.
    pub remarks: Vec<String>,
    /// Is a NIC on the target already?
    pub is_there: bool,
    /// The MAC addresses of the NICs that are meant and are there already.
    pub there: Vec<String>,
    /// The networks that nothing is known of, each named in one warning.
    unknown_networks: HashSet<String>,
    /// Why it can't be done at all, `--force` or not, and what to do instead.
    pub barred: Option<(String, String)>,
}

/// Why a guest's XML can't be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It isn't XML, or isn't a domain's.
    Read(ReadError),
    /// It isn't clear which NIC is meant.
    Select(SelectError),
}

impl From<ReadError> for Refusal {
    fn from(e: ReadError) -> Self {
        Refusal::Read(e)
    }
}

/// The NICs of a domain, in order.
pub fn nics(doc: &Doc<'_>) -> Vec<Nic> {
    children(doc.root(), "devices")
        .flat_map(|devices| children(devices, "interface"))
        .zip(1..)
        .map(|(interface, position)| Nic::read(interface, position))
        .collect()
}

/// Works out how the domain in `doc` has to change.
///
/// # Errors
/// The document isn't a domain's, or the selection names no NIC, or several where one was meant.
pub fn convert(doc: &Doc<'_>, request: &Request, facts: &Facts<'_>) -> Result<Conversion, Refusal> {
    let (name, uuid) = guest_root(doc)?;
    let all = nics(doc);
    let chosen = select::select(&all, request, facts).map_err(Refusal::Select)?;
    let mut out = Conversion {
        name,
        uuid,
        remarks: chosen.remarks,
        is_there: chosen.is_there,
        there: chosen.there,
        ..Conversion::default()
    };
    for nic in chosen.moves {
        rewrite::rewrite(doc, nic, request, facts, &mut out);
    }
    still_well_formed(doc, &out.edits)?;
    // Only a running guest has an id.
    if !facts.online && !out.moves.is_empty() && doc.root().has_attribute("id") {
        let what = "this is a running guest's XML: defined from it, the guest would lose its passwords and keep what was \
                    true of this run only; 'virsh dumpxml --inactive --security-info' gives the definition";
        out.warnings.push(Warning::note(Code::LiveXml, what));
    }
    Ok(out)
}

/// Text in an interface may end in `]]` where an element goes, and `>` begin the text behind it: XML forbids them
/// together.
fn still_well_formed(doc: &Doc<'_>, edits: &Edits) -> Result<(), ReadError> {
    let text = doc.text();
    for edit in edits.iter().filter(|edit| !edit.range.is_empty()) {
        let before = &text[text.floor_char_boundary(edit.range.start.saturating_sub(2))..edit.range.start];
        let after = &text[edit.range.end..text.ceil_char_boundary((edit.range.end + 2).min(text.len()))];
        if format!("{before}{}{after}", edit.text).contains("]]>") {
            let (line, column) = doc.position(edit.range.start);
            let reason =
                "what goes here would leave ']]>' in text, which XML forbids; remove that text first".into();
            return Err(ReadError { line, column, reason, is_ours: false });
        }
    }
    Ok(())
}

/// Works out the move of a single `<interface>`, the root of `doc`: a running guest's.
pub fn convert_interface(doc: &Doc<'_>, request: &Request, facts: &Facts<'_>) -> Conversion {
    let mut out = Conversion::default();
    rewrite::rewrite(doc, &Nic::read(doc.root(), 1), request, facts, &mut out);
    out
}

/// Works out the same moves in another copy of the guest's XML (a saved image's, a snapshot's): each NIC is found by
/// its MAC address and only moved if it still leads where the original's did.
///
/// # Errors
/// The document isn't a domain's.
pub fn convert_like(
    doc: &Doc<'_>,
    moves: &[Move],
    request: &Request,
    facts: &Facts<'_>,
) -> Result<Conversion, Refusal> {
    let (name, uuid) = guest_root(doc)?;
    let mut out = Conversion { name, uuid, ..Conversion::default() };
    let moved: HashSet<_> = moves.iter().filter_map(|m| led_from(&m.nic)).collect();
    for nic in nics(doc) {
        if led_from(&nic).is_some_and(|nic| moved.contains(&nic)) {
            rewrite::rewrite(doc, &nic, request, facts, &mut out);
        }
    }
    Ok(out)
}

/// By what a NIC is known in another copy of the XML; `None` without a MAC address.
fn led_from(nic: &Nic) -> Option<(&str, &str, MacAddr)> {
    Some((&nic.source.kind, &nic.source.name, nic.mac.as_deref()?.parse().ok()?))
}
