//! An excerpt for people.

use std::fmt::Write;

use chaffinch_core::{Excerpt, Finding, TokenCount};

use super::Cut;
use crate::progress::{BOLD, DIM, YELLOW};

/// The longest reason and line that is shown, in characters.
const MAX_REASON: usize = 28;
const MAX_LINE: usize = 400;

/// The finding's name, then the lines, with `…` where some are left out; with reasons if `explain`.
pub(super) fn finding(
    finding: &Finding,
    cut: &Cut,
    tokens: &dyn TokenCount,
    explain: bool,
) -> String {
    let mut out = String::new();
    let at = finding.location.as_ref().map_or_else(String::new, |at| {
        let line = at.region.map_or_else(String::new, |region| format!(":{}", region.lines.start));
        format!("{}{line}", at.path)
    });
    let (rule, id) = (plain(finding.rule.id.as_str()), finding.fingerprint);
    let _ = writeln!(out, "{BOLD}{}{BOLD:#}  {rule}  {DIM}{id}{DIM:#}", plain(&at));
    match &cut.excerpt {
        Ok(excerpt) => lines(excerpt, cut, tokens, explain, &mut out),
        Err(none) => {
            let _ = writeln!(out, "  {YELLOW}nothing can be sent{YELLOW:#}: {none}");
        }
    }
    out.push('\n');
    out
}

fn lines(excerpt: &Excerpt, cut: &Cut, tokens: &dyn TokenCount, explain: bool, out: &mut String) {
    let mut file = None;
    let mut before = 0;
    for line in excerpt.lines() {
        if file != Some(&line.path) {
            let _ = writeln!(out, "  {DIM}{}{DIM:#}", plain(line.path.as_str()));
            (file, before) = (Some(&line.path), line.number - 1);
        }
        if line.number > before + 1 {
            let _ = writeln!(out, "  {:>6} …", "");
        }
        before = line.number;
        let text = plain(line.text.expose());
        if explain {
            let reason: String = line.reason.to_string().chars().take(MAX_REASON).collect();
            let _ = writeln!(
                out,
                "  {:>6} {DIM}{:<MAX_REASON$}{DIM:#} {text}",
                line.number,
                plain(&reason)
            );
        } else {
            let _ = writeln!(out, "  {:>6} {text}", line.number);
        }
    }
    for note in excerpt.notes() {
        let _ = writeln!(out, "  {DIM}{}{DIM:#}", plain(note));
    }
    if explain {
        for (path, word) in cut.files.iter().skip(1) {
            let _ = writeln!(out, "  {DIM}asked for {}: {word}{DIM:#}", plain(path.as_str()));
        }
        for folder in &cut.folders {
            let _ = writeln!(out, "  {DIM}names of the files in {}/{DIM:#}", plain(folder));
        }
    }
    let files = match (cut.files.len(), cut.folders.len()) {
        (1, 0) => "1 file asked for".to_owned(),
        (files, 0) => format!("{files} files asked for"),
        (files, folders) => format!("{files} files and the names of {folders} folders asked for"),
    };
    let unit = if excerpt.lines().len() == 1 { "line" } else { "lines" };
    let _ = writeln!(
        out,
        "  {DIM}{} {unit}, {} tokens, rung {:?}, {files}{DIM:#}",
        excerpt.lines().len(),
        excerpt.cost(tokens),
        excerpt.rung(),
    );
}

/// What others wrote, without what a terminal would obey.
fn plain(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(MAX_LINE)
        .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(MAX_LINE).is_some() {
        out.push('…');
    }
    out
}
