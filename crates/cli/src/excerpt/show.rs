//! An excerpt for people.

use std::fmt::Write;

use chaffinch_core::{Excerpt, Finding, TokenCount};

use super::{
    Cut,
    leaving::{Leaving, Redacted},
};
use crate::{
    plain::plain,
    progress::{BOLD, DIM, YELLOW},
};

/// The column of reasons, in characters: a longer reason widens it, a very long one only its line.
const REASON: usize = 28;
const MAX_REASON: usize = 48;
/// The longest line that is shown, in characters.
const MAX_LINE: usize = 400;

/// The finding's name, then the lines as they would leave, with `…` where some are left out; with
/// reasons if `explain`.
pub(super) fn finding(
    finding: &Finding,
    cut: &Cut,
    leaving: &Leaving,
    tokens: &dyn TokenCount,
    explain: bool,
) -> String {
    let mut out = String::new();
    let at = finding.location.as_ref().map_or_else(String::new, |at| {
        let line = at.region.map_or_else(String::new, |region| format!(":{}", region.lines.start));
        format!("{}{line}", at.path)
    });
    let (rule, id) = (shown(finding.rule.id.as_str()), finding.fingerprint);
    let _ = writeln!(out, "{BOLD}{}{BOLD:#}  {rule}  {DIM}{id}{DIM:#}", shown(&at));
    let inspected = cut.excerpt.as_ref().map(|chosen| (chosen, leaving.inspect(finding, chosen)));
    match inspected {
        Ok((chosen, Ok(redacted))) => {
            lines(&redacted.excerpt, explain, &mut out);
            tail(&redacted, explain.then_some(cut), &mut out);
            counts(chosen, cut, tokens, &mut out);
        }
        Ok((_, Err(error))) => nothing(&error.to_string(), &mut out),
        Err(why) => nothing(why, &mut out),
    }
    out.push('\n');
    out
}

fn nothing(why: &str, out: &mut String) {
    let _ = writeln!(out, "  {YELLOW}nothing can be sent{YELLOW:#}: {}", shown(why));
}

fn lines(excerpt: &Excerpt, explain: bool, out: &mut String) {
    let reasons: Vec<String> =
        excerpt.lines().iter().map(|l| shown(&l.reason.to_string())).collect();
    let longest = reasons.iter().map(|reason| reason.chars().count());
    let width = longest.filter(|n| *n <= MAX_REASON).max().unwrap_or(0).max(REASON);
    let mut file = None;
    let mut before = 0;
    for (line, reason) in excerpt.lines().iter().zip(&reasons) {
        if file != Some(&line.path) {
            let _ = writeln!(out, "  {DIM}{}{DIM:#}", shown(line.path.as_str()));
            (file, before) = (Some(&line.path), line.number - 1);
        }
        if line.number > before + 1 {
            let _ = writeln!(out, "  {:>6} …", "");
        }
        before = line.number;
        let text = shown(line.text.expose());
        if explain {
            let _ = writeln!(out, "  {:>6} {DIM}{reason:<width$}{DIM:#} {text}", line.number);
        } else {
            let _ = writeln!(out, "  {:>6} {text}", line.number);
        }
    }
}

/// What is said below the lines; with what was asked for, if `cut` is given.
fn tail(redacted: &Redacted, cut: Option<&Cut>, out: &mut String) {
    for note in redacted.excerpt.notes() {
        let _ = writeln!(out, "  {DIM}{}{DIM:#}", shown(note));
    }
    for (path, word) in cut.iter().flat_map(|cut| cut.files.iter().skip(1)) {
        let _ = writeln!(out, "  {DIM}{word}: {}{DIM:#}", shown(path.as_str()));
    }
    for folder in cut.iter().flat_map(|cut| &cut.folders) {
        let folder = if folder.is_empty() { "the root".into() } else { format!("{folder}/") };
        let _ = writeln!(out, "  {DIM}names of: {}{DIM:#}", shown(&folder));
    }
    let replaced = [
        counted(redacted.secrets, "secret", "secrets"),
        counted(redacted.emails, "e-mail address", "e-mail addresses"),
    ];
    let replaced: Vec<String> = replaced.into_iter().filter(|r| !r.starts_with("0 ")).collect();
    if !replaced.is_empty() {
        let _ = writeln!(out, "  {DIM}{} replaced{DIM:#}", replaced.join(" and "));
    }
}

fn counts(excerpt: &Excerpt, cut: &Cut, tokens: &dyn TokenCount, out: &mut String) {
    let own = if cut.files.len() == 1 { "its own" } else { "its own included" };
    let folders = match cut.folders.len() {
        0 => String::new(),
        n => format!(", the names of {}", counted(n, "folder", "folders")),
    };
    let _ = writeln!(
        out,
        "  {DIM}{}, {}, rung {}, {} asked for ({own}){folders}{DIM:#}",
        counted(excerpt.lines().len(), "line", "lines"),
        counted(excerpt.cost(tokens), "token", "tokens"),
        format!("{:?}", excerpt.rung()).to_lowercase(),
        counted(cut.files.len(), "file", "files"),
    );
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What others wrote, without what a terminal would obey.
fn shown(text: &str) -> String {
    plain(text, MAX_LINE)
}
