//! Rules about any file.

mod kn001_not_well_formed;
mod kn002_unknown_root;
mod kn003_unknown_ignore;
mod kn004_schema;
mod kn005_status_file;
mod kn006_prefix_undeclared;
mod kn007_nested_too_deep;

use crate::lint::Rule;

pub(in crate::lint) use kn001_not_well_formed::RULE as NOT_WELL_FORMED;
pub(in crate::lint) use kn003_unknown_ignore::RULE as UNKNOWN_IGNORE;
pub(in crate::lint) use kn004_schema::RULE as SCHEMA;
pub(in crate::lint) use kn006_prefix_undeclared::RULE as PREFIX_UNDECLARED;

/// The rules of this family, by code.
pub(super) static RULES: &[&Rule] = &[
    &NOT_WELL_FORMED,
    &kn002_unknown_root::RULE,
    &UNKNOWN_IGNORE,
    &SCHEMA,
    &kn005_status_file::RULE,
    &PREFIX_UNDECLARED,
    &kn007_nested_too_deep::RULE,
];
