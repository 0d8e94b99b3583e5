//! Completions and man pages, from the parser's own definitions.

use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::CommandFactory;

use super::walk::print;
use crate::cli::Cli;
use crate::lint;
use crate::model::Code;
use crate::problem::escaped;
use crate::sys::files;
use crate::sys::swap::swap;

/// Prints the completions for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kvmnet", &mut text);
    print(&String::from_utf8_lossy(&text), "the completions")?;
    Ok(0)
}

/// Writes the man pages into `dir`.
pub(super) fn write_man_pages(dir: &Path) -> Result<u8> {
    for (name, text) in man_pages()? {
        let path = dir.join(name);
        let write = || swap(&path, files::read_if_there(&path)?.as_deref(), Some(text.as_bytes()), None);
        let written = write().with_context(|| format!("cannot write {}", escaped(&path)))?;
        ensure!(written, "somebody else is writing {}", escaped(&path));
    }
    Ok(0)
}

/// The man pages: file name and text. One for kvmnet, one for each command and each command of that.
///
/// # Errors
/// Never in practice: they are rendered into memory.
pub fn man_pages() -> io::Result<Vec<(String, String)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![page(&command, "kvmnet", MAIN)?];
    add_pages(&command, "kvmnet", &mut pages)?;
    Ok(pages)
}

fn add_pages(command: &clap::Command, above: &str, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = format!("{above}-{}", sub.get_name());
        let more = match name.as_str() {
            "kvmnet-convert" => warnings(),
            "kvmnet-check" => rules(),
            _ => String::new(),
        };
        // The program's name and those of the commands stand apart, and a command's own may hold a dash.
        let typed = format!("{} {}", above.replace('-', " "), sub.get_name());
        pages.push(page(&sub.clone().name(name.clone()).bin_name(typed), &name, &more)?);
        add_pages(sub, &name, pages)?;
    }
    Ok(())
}

fn page(command: &clap::Command, name: &str, more: &str) -> io::Result<(String, String)> {
    let mut text = Vec::new();
    let command = command.clone().name(name.to_string());
    clap_mangen::Man::new(command)
        .manual("kvmnet")
        .source(format!("kvmnet {}", env!("CARGO_PKG_VERSION")))
        .render(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned() + more;
    Ok((format!("{name}.1"), text))
}

const MAIN: &str = r#".SH FILES
.TP
\fI/var/lib/kvmnet/journal\fR
What was changed, with what stood before: root's. Other users have it in \fI$XDG_STATE_HOME/kvmnet\fR, by default
\fI~/.local/state/kvmnet\fR. It holds definitions with their passwords and is readable by its owner only.
.SH ENVIRONMENT
.TP
KVMNET_STATE_DIR
Where the journal stands instead.
.TP
LIBVIRT_DEFAULT_URI
The libvirt connection, unless \fB\-c\fR names one.
.TP
NO_COLOR
No colours.
.SH EXIT STATUS
.TP
0
Done, or there was nothing to do.
.TP
1
Changes are pending, and \fB\-\-exit\-code\fR was given.
.TP
2
Bad usage, or it failed: nothing stands of what was asked.
.TP
3
Failed part-way: some of it stands. The output says what, and how to undo it.
.SH SAFETY
Nothing is changed before the preview was shown and a yes was given. What is about to be replaced is read once more;
if it isn't what the preview was made from, it is left alone. What was stored is read back; if it isn't what was
asked, the old definition is put back, unless somebody else has written there since. Runs wait for each other; one that
waits can be interrupted. Before a definition or file is touched, what stands there is written to the
journal, so that even a process that was killed leaves nothing that \fBkvmnet undo\fR can't put right.
"#;

const POLICY: &str = r#".SH POLICY
\fIkvmnet.toml\fR is looked for in the folder of each file and in those above it, and the nearest one goes;
\fB\-\-policy\fR names one for all files. A key, code or value that isn't known is an error. Codes may be how codes begin
(\fBKN1\fR, or \fBKN\fR for all). What is typed goes before what a policy says.
.PP
Paths are patterns, from the policy's folder on: \fIlab\fR is the one beside the policy with all that is in it,
\fI**/lab\fR one anywhere, \fIlab/*.xml\fR the files of just that folder; \fI*\fR and \fI?\fR don't mean a slash,
\fI[ab]\fR means one of these, \fI{a,b}\fR either. Of files that aren't below the folder of the policy that
\fB\-\-policy\fR names, paths begin in the folder where kvmnet runs.
.TP
\fBselect\fR, \fBignore\fR
The only rules that are on, and those that are off.
.TP
\fBexclude\fR
Files and folders that are left out when a folder is searched, also when that folder is one of them: then nothing in it
is checked, and that is said. A file that is named itself is checked all the same.
.TP
\fBsets\fR
Folders whose files belong together and to no others, as those of one host do. What files in none of them define is
there for every set. Without it, all files belong together, but
for folders in which files of the same name define the same thing: those are taken for different hosts'. The
summary says so then; \fB\-v\fR says which folders they are, and of which of \fBsets\fR no file is.
.TP
\fBknown\-networks\fR
Networks that hosts have though no file defines them: names or patterns.
.TP
\fB[severity]\fR
\fIKN017\fR = "error" or "warning".
.TP
\fB[[override]]\fR
\fBpaths\fR, and \fBselect\fR, \fBignore\fR and \fBseverity\fR for these only. Of several, the last one that names a
rule decides.
.TP
\fB[house]\fR
The house's own rules, about every NIC: \fBbridges\fR (of networks of mode bridge, too), \fBnetworks\fR,
\fBmodels\fR and \fBmac\-prefixes\fR (\fI52:54:00\fR) that it may have, \fBfilters\fR of which it must have one if
it is of type network, bridge or ethernet, \fBforbidden\-types\fR. Names are patterns too.
.PP
.nf
exclude = ["archive"]
ignore = ["KN028"]

[[override]]
paths = ["lab"]
severity.KN017 = "warning"

[house]
bridges = ["br0", "vm\-*"]
models = ["virtio"]
.fi
.SH COMMENTS
.nf
<!\-\- kvmnet: ignore KN017 \-\->
.fi
keeps rules quiet about the element behind it; on the line of an element's end, about that one; before the root element,
about the whole file.
"#;

/// The section on the warnings of `convert`, from their own definitions.
fn warnings() -> String {
    let mut out = String::from(".SH WARNINGS\nEach has a stable code, also in the JSON output.\n");
    for (code, text) in Code::ALL {
        out.push_str(&format!(".TP\n\\fB{code}\\fR\n{}\n", text.trim()));
    }
    out
}

/// The sections of `check`: policies, comments in files, and the rules from their own definitions.
fn rules() -> String {
    let mut out = String::from(POLICY);
    out.push_str(".SH RULES\n\\fBkvmnet check \\-\\-explain \\fICODE\\fR says more of each.\n");
    for rule in lint::rules() {
        let fix = if rule.fixable { "; mended by \\-\\-fix" } else { "" };
        let summary = rule.summary.replace('\\', "\\e").replace('-', "\\-");
        out.push_str(&format!(
            ".TP\n\\fB{}\\fR {} ({}{fix})\n\\&{summary}\n",
            rule.code,
            rule.name.replace('-', "\\-"),
            rule.severity
        ));
    }
    out
}
