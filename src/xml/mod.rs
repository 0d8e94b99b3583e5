//! The user's XML, read strictly and never serialised again.
//!
//! [`Doc`] reads a text with a strict parser and hands out nodes with their byte ranges. [`Edits`] are
//! splices in that text: whatever they don't name stays as it is, to the byte.

mod behind;
mod diff;
mod doc;
mod edit;
mod layout;
mod noted;
mod same;
mod secret;
mod strict;
mod style;
mod tag;
mod undeclared;

pub use behind::behind_masks;
pub use diff::{diff, diff_of_edits, file_label};
pub use doc::{Doc, ReadError, child, children, elements, namespace, shallow, text_position};
pub use edit::{Edit, Edits};
pub use layout::Layout;
pub use same::{kept, made_of, nic_shape, only_where_announced};
pub use secret::{masked, masks, may_hold_secret};
pub use style::Style;
pub use tag::{Attr, StartTag, escaped};
