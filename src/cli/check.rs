//! `kvmnet check`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Consent;

/// Check domain and network XML, without libvirt
///
/// Finds what libvirt accepts and the guest then suffers from, and what libvirt would refuse, in files: with file, line
/// and column, why it is wrong and what to do. Folders are searched for files ending in .xml, hidden ones
/// (.a.xml) left out. What a team wants checked stands in kvmnet.toml, which is looked for in the folder of each file and in
/// those above it.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  kvmnet check vm/
  kvmnet check vm/*.xml networks/ --deny warnings
  kvmnet check --format sarif vm/ > kvmnet.sarif
  kvmnet check --fix vm/web1.xml
  kvmnet check --explain KN017

Exit status: 0 nothing found (warnings don't count without --deny warnings); 1 something was; 2 something couldn't be \
checked.")]
pub struct Check {
    /// Files and folders; - reads standard input
    #[arg(value_name = "PATH", required_unless_present_any = ["explain", "list_rules"])]
    pub paths: Vec<PathBuf>,
    /// The policy to use for all files, instead of the kvmnet.toml above each
    ///
    /// Example: kvmnet check --policy ci/kvmnet.toml vm/
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How findings are printed: human, json, sarif, junit or github
    ///
    /// -o json means --format json. Example: kvmnet check --format sarif vm/ > kvmnet.sarif
    #[arg(long, value_enum, hide_possible_values = true, value_name = "human|json|sarif|junit|github")]
    pub format: Option<FindingsFormat>,
    /// Only these rules: codes, or how codes begin
    ///
    /// Goes before what a policy selects. Example: kvmnet check --select KN0,KN105 vm/
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// None of these rules
    ///
    /// Example: kvmnet check --ignore KN017 vm/
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// What makes the exit status 1 as errors do
    ///
    /// Example: kvmnet check --deny warnings vm/
    #[arg(long, value_enum, value_name = "warnings", hide_possible_values = true)]
    pub deny: Option<Deny>,
    /// Ask libvirt's own schema too, where it is installed
    ///
    /// Needs xmllint. Example: kvmnet check --schema vm/
    #[arg(long)]
    pub schema: bool,
    /// Mend what can be mended: shows the diff, asks, and writes the files
    ///
    /// Example: kvmnet check --fix vm/ --dry-run
    #[arg(long)]
    pub fix: bool,
    /// Say what a rule is about
    ///
    /// Example: kvmnet check --explain KN017
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "fix"])]
    pub explain: Option<String>,
    /// List all rules
    ///
    /// Example: kvmnet check --list-rules
    #[arg(long, conflicts_with_all = ["paths", "fix", "explain"])]
    pub list_rules: bool,
    /// What --fix may do.
    #[command(flatten)]
    pub consent: Consent,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// For people, as rustc does it.
    Human,
    /// kvmnet's own document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for test reports.
    Junit,
    /// Annotations of a GitHub workflow.
    Github,
}

/// What `--deny` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Warnings count as errors do.
    Warnings,
}
