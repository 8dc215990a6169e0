//! What a model would write in the place of the reported lines, if it can be shown as a suggestion.
//! A person applies it with one click, so whatever is odd about it is left out: there is a comment
//! without a suggestion then, no less.

use chaffinch_context::syntax_errors;
use chaffinch_core::{Excerpt, Finding, SourceBytes, SourceText, Suggestion};

use crate::{answer::comment_start, hidden::is_hidden};

/// The most lines that are replaced, and that replace them.
const MOST_OLD: usize = 12;
const MOST_NEW: usize = 24;
/// The widest line, in characters.
const WIDEST: usize = 300;

/// How addresses begin.
const ADDRESSES: &[&str] = &["://", "\"//", "'//", "`//"];

/// What makes a scanner look away; in lower case, without blanks.
const SILENCERS: &[&str] = &[
    "nosem",
    "noqa",
    "nosec",
    "nolint",
    "lint:",
    "eslint",
    "suppress",
    "codeql",
    "lgtm",
    "noinspection",
    "type:ignore",
    "rubocop",
    "phpcs",
    "phpstan",
    "psalm",
    "pragma",
    "semgrep",
    "brakeman",
    "checkov",
    "tfsec",
    "pylint",
    "bandit",
    "sonar",
    "snyk",
    "clippy",
    "skipcq",
    "shellcheck",
    "devskim",
    "bearer:",
    "trufflehog",
    "gitleaks",
    "ts-ignore",
    "ts-expect-error",
];

/// The suggestion in an answer about `finding`, in whose `file` nothing else changes: `None` unless
/// - the reported lines stand in the file as they were sent, nothing in them redacted or cut;
/// - the new ones begin where they began, differ in code and not in comments alone, and hold nothing
///   that is not shown, nothing that a forge would read as its own, no new address, and nothing that
///   makes a scanner look away;
/// - the file parses no worse with them.
pub(crate) fn validated(
    fix: &SourceText,
    finding: &Finding,
    excerpt: &Excerpt,
    file: &SourceBytes,
) -> Option<Suggestion> {
    let at = finding.location.as_ref()?;
    let lines = at.region?.lines;
    let file = std::str::from_utf8(file.expose()).ok()?;
    let (first, end) = (usize::try_from(lines.start).ok()?.checked_sub(1)?, lines.end as usize);
    let rows: Vec<&str> = file.split('\n').collect();
    let old = rows.get(first..end)?;
    let new: Vec<&str> = fix.expose().trim_end().lines().collect();
    let sent = |(row, number): (&&str, u32)| {
        excerpt.line(&at.path, number).is_some_and(|line| line.text.expose() == *row)
    };
    let fits = old.len() <= MOST_OLD
        && (1..=MOST_NEW).contains(&new.len())
        && old.iter().zip(lines.start..).all(sent)
        && new.iter().all(|line| is_plain(line))
        && indentation(new.first()?) == indentation(old.first()?)
        && least(&new) >= least(old)
        && code(&new, &at.path.extension()) != code(old, &at.path.extension())
        && !brings(ADDRESSES, old, &new)
        && !brings(SILENCERS, old, &new);
    if !fits {
        return None;
    }
    let text = SourceText::new(new.join("\n"));
    let changed = [&rows[..first], &new, &rows[end..]].concat();
    let changed = SourceText::new(changed.join("\n"));
    let (before, after) =
        (syntax_errors(&at.path, file)?, syntax_errors(&at.path, changed.expose())?);
    (after <= before).then_some(Suggestion { lines, text })
}

/// Whether a line is no more than it looks: no end of a code block, no marker, no command of a forge.
fn is_plain(line: &str) -> bool {
    let body = line.trim_start();
    let command = body.strip_prefix('/').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    line.chars().count() <= WIDEST
        && !line.chars().any(is_odd)
        && !["```", "~~~", "<!--"].iter().any(|sign| line.contains(sign))
        && !command
}

/// What is not shown, or shown as a blank and is none, or ends a line for some and not for others.
fn is_odd(c: char) -> bool {
    let blank = (c.is_whitespace() || c.is_control()) && !" \t".contains(c);
    blank || is_hidden(c) || matches!(c, '\u{2800}' | '\u{fe00}'..='\u{fe0f}')
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// How far the line that reaches farthest to the left is indented, in characters.
fn least(lines: &[&str]) -> usize {
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    filled.map(|line| indentation(line).chars().count()).min().unwrap_or_default()
}

/// The lines without comments and without what parts their words.
fn code(lines: &[&str], extension: &str) -> SourceText {
    let code = lines.iter().map(|line| &line[..comment_start(line, extension)]);
    SourceText::new(code.flat_map(str::split_whitespace).collect::<String>())
}

fn brings(signs: &[&str], old: &[&str], new: &[&str]) -> bool {
    let count = |lines: &[&str], sign: &str| -> usize {
        let plain = lines.iter().map(|line| line.to_lowercase().replace([' ', '\t'], ""));
        plain.map(|line| line.matches(sign).count()).sum()
    };
    signs.iter().any(|sign| count(new, sign) > count(old, sign))
}

#[cfg(test)]
mod tests;
