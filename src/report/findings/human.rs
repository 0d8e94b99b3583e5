//! Findings as rustc shows its own: the lines, a caret, why, and what to do.

use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::Summary;
use crate::lint::{Finding, Place, Severity};
use crate::problem::escaped;
use crate::report::{Paint, plain_line};

/// Prints findings and the summary.
///
/// # Errors
/// They can't be written.
pub fn human(out: &mut dyn Write, findings: &[Finding], summary: &Summary, paint: Paint) -> io::Result<()> {
    let renderer = if paint.on { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(140);
    for finding in findings {
        writeln!(out, "{}\n", render(finding, &renderer))?;
    }
    writeln!(out, "{summary}")
}

fn render(finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(plain_line(&finding.message).into_owned()).id(finding.rule.code);
    let mut group = title.elements(shown(&finding.place, AnnotationKind::Primary, finding.label.as_deref()));
    for (also, words) in &finding.also {
        group = group.elements(shown(also, AnnotationKind::Context, Some(words)));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(plain_line(help).into_owned()));
    }
    let rendered = renderer.render(&[group]);
    let lines = rendered.split('\n').filter(|line| !is_bare_mark(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The mark before the name of a further file, without one: so the renderer begins lines whose place was told before.
fn is_bare_mark(line: &str) -> bool {
    line.contains(":::") && anstream::adapter::strip_str(line).to_string().trim() == ":::"
}

/// A place and its lines. They may begin in the middle of a line, so that
/// the column is told then, and not counted in them.
fn shown<'p>(place: &'p Place, kind: AnnotationKind, label: Option<&str>) -> Vec<Element<'p>> {
    let file = escaped(&place.file);
    let origin = Origin::path(file.clone()).line(place.line).char_column(place.column);
    if place.lines.is_empty() {
        return vec![origin.into()];
    }
    let annotation = kind.span(place.marked.clone()).label(label.map(|label| plain_line(label).into_owned()));
    let snippet = Snippet::source(place.lines.as_str()).line_start(place.line).annotation(annotation);
    if place.lines[..place.marked.start].chars().count() + 1 == place.column {
        return vec![snippet.path(file).into()];
    }
    vec![origin.into(), snippet.into()]
}
