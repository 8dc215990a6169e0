//! One file's diff with its threads under their lines.

use maud::{Markup, html};

use super::{Thread, markdown};
use crate::{
    diff::{Diff, Hunk, Step},
    tree::FileChange,
};

/// Added files of more lines than this are shown around their threads only.
const LONG: usize = 400;
/// Lines around a thread in a long hunk.
const AROUND: usize = 12;

pub(super) fn file(threads: &[Thread], file: &FileChange) -> Markup {
    let here: Vec<&Thread> = threads.iter().filter(|t| t.path == file.path).collect();
    let whole = here.iter().filter(|t| t.opened.is_none());
    let new = file.new.as_ref().and_then(|blob| blob.text()).unwrap_or_default();
    let texts = file.texts();
    let diff = texts.map(|(old, new)| Diff::new(old, new));
    html! {
        section.file {
            p.path {
                code { @if let Some(previous) = &file.previous { (previous) " → " } (file.path) }
                @if let Some(diff) = &diff {
                    span.plus { "+" (diff.added()) } span.minus { "−" (diff.removed()) }
                }
                @if file.status != "modified" { span.tag { (file.status) } }
            }
            @for one in whole { (thread(one, "")) }
            @match &diff {
                None => p.quiet.hint { "Binary file, or too large to be shown." },
                Some(diff) => table.diff { tbody {
                    @for hunk in diff.hunks() { (hunk_rows(&here, (diff, new), &hunk)) }
                } },
            }
        }
    }
}

fn hunk_rows(threads: &[&Thread], (diff, head): (&Diff<'_>, &str), hunk: &Hunk) -> Markup {
    let at = |step: &Step| -> Vec<&Thread> {
        let here = |t: &&&Thread| t.now.is_some_and(|(_, l)| number(step, t.on_base) == Some(l));
        threads.iter().filter(here).copied().collect()
    };
    let places: Vec<usize> =
        (0..hunk.steps.len()).filter(|i| !at(&hunk.steps[*i]).is_empty()).collect();
    let shown = |i: usize| {
        hunk.steps.len() <= LONG || i < AROUND || places.iter().any(|p| p.abs_diff(i) <= AROUND)
    };
    html! {
        tr.hunk { td colspan="3" { (hunk.header) } }
        @for (i, step) in hunk.steps.iter().enumerate() {
            @if shown(i) {
                @let (class, old, new) = match step {
                    Step::Keep { old, new } => ("", Some(old + 1), Some(new + 1)),
                    Step::Remove { old } => ("del", Some(old + 1), None),
                    Step::Add { new } => ("add", None, Some(new + 1)),
                };
                tr class=(class) {
                    td.n { @if let Some(n) = old { (n) } }
                    td.n { @if let Some(n) = new { (n) } }
                    td.code { (diff.line(*step).lines().next().unwrap_or_default()) }
                }
                @for one in at(step) {
                    tr.under { td colspan="3" { (thread(one, &under(one, head))) } }
                }
            } @else if shown(i - 1) {
                tr.hunk { td colspan="3" { "⋯" } }
            }
        }
    }
}

fn number(step: &Step, on_base: bool) -> Option<u64> {
    match (on_base, *step) {
        (true, Step::Keep { old, .. } | Step::Remove { old }) => Some(old as u64 + 1),
        (false, Step::Keep { new, .. } | Step::Add { new }) => Some(new as u64 + 1),
        _ => None,
    }
}

/// The lines that a thread stands on.
fn under(thread: &Thread, new: &str) -> String {
    let Some((first, last)) = thread.now.filter(|_| !thread.on_base) else {
        return String::new();
    };
    let first = first.unwrap_or(last);
    let lines = new.lines().zip(1u64..).filter(|(_, n)| (first..=last).contains(n));
    lines.map(|(line, _)| format!("{line}\n")).collect()
}

/// A thread; `lines` is what a suggestion in it would replace.
pub(super) fn thread(thread: &Thread, lines: &str) -> Markup {
    let comments = html! {
        @for comment in &thread.comments { (markdown::comment(comment, "inline", lines)) }
    };
    let place = match thread.opened {
        Some((Some(start), line)) => format!("Lines {start} to {line}"),
        Some((None, line)) => format!("Line {line}"),
        None => "The whole file".to_owned(),
    };
    html! {
        @match &thread.resolved_by {
            Some(by) => details.thread.resolved {
                summary { (place) span.tag { "resolved by " (by) } }
                (comments)
            },
            None => div.thread {
                @if matches!(thread.opened, Some((Some(_), _))) { p.place { (place) } }
                (comments)
            },
        }
    }
}
