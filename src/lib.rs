//! kvmnet moves KVM guests between libvirt networks, host bridges and macvtap.
//!
//! The rooms, each of which knows only those to its left:
//!
//! `xml ← model ← convert, net, host, lint ← plan ← report ← cmd`
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`model`] | the nouns: names, MAC addresses, NICs, networks, warnings. Parsed, never fetched |
//! | [`xml`] | reading strictly ([`xml::Doc`]) and editing by splices in the original bytes ([`xml::Edits`]) |
//! | [`convert`] | one guest's XML and a request in, splices and warnings out. No files, no libvirt |
//! | [`net`] | a network from what was typed: names, free subnets, refusals, its XML; changes of mode; who reaches whom. No files, no libvirt |
//! | [`host`] | the host's network devices: what their names say, whether it is true, who configures them; its bridges, from the texts of a backend's files to new ones and the commands for that. Paths and texts in, no files |
//! | [`lint`] | rules about XML in files: a text in, findings out; which rules a team wants. No files, no libvirt |
//! | [`plan`] | the spine of every change: plan → preview → confirm → apply → verify → record, and the journal; the window in which a change of the host's network is put back by itself |
//! | [`report`] | what people and programs get to read: text, JSON, diffs |
//! | [`cli`] | what can be typed, as clap structs; no work |
//! | [`cmd`] | one file per verb: reads the state, builds a plan, hands it to the spine. The only room that joins the others |
//! | [`sys`] | everything outside the process: files, libvirt, the kernel, taps, the terminal, signals |
//!
//! Only [`plan`] and [`cmd`] see [`sys`]; `tests/architecture.rs` holds all of this.

pub mod cli;
pub mod cmd;
pub mod convert;
pub mod host;
pub mod lint;
pub mod model;
pub mod net;
pub mod plan;
pub mod problem;
pub mod report;
pub mod sys;
pub mod xml;
