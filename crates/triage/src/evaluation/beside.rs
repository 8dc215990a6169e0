//! What a question quotes of the finding's file though it was not sent: a scanner's message may hold any
//! line of it, and the log none.

use chaffinch_context::WholeLines;
use chaffinch_core::{Excerpt, ExcerptLine, Finding, Reason, RepoPath, SourceText};

use crate::files::Files;

/// The shortest line that is looked for, in bytes.
const LEAST: usize = 6;
/// The most lines of a file that are looked through, and the most that are found.
const MAX_LINES: u32 = 50_000;
const MOST: usize = 200;

/// The lines of the finding's file that stand in `question` and not in `chosen`. The file is at hand.
pub(crate) async fn quoted(
    files: &Files<'_>,
    finding: &Finding,
    chosen: &Excerpt,
    question: &SourceText,
) -> Vec<ExcerptLine> {
    let Some(at) = &finding.location else { return Vec::new() };
    let Ok(file) = files.get(&at.path).await else { return Vec::new() };
    let Ok(whole) = WholeLines::read(at.path.clone(), file.expose()) else { return Vec::new() };
    let stands = |text: &SourceText| {
        let text = text.expose().trim();
        text.len() >= LEAST && question.expose().contains(text)
    };
    let lines = (1..=MAX_LINES).map_while(|number| Some((number, whole.line(number)?)));
    let found =
        lines.filter(|(number, text)| stands(text) && chosen.line(&at.path, *number).is_none());
    found.take(MOST).map(|(number, text)| line(&at.path, number, text)).collect()
}

pub(super) fn line(path: &RepoPath, number: u32, text: SourceText) -> ExcerptLine {
    ExcerptLine { path: path.clone(), number, text, reason: Reason::Window }
}

/// `chosen` and these lines of one file, to refer to; nothing of it is sent.
pub(super) fn with(chosen: &Excerpt, beside: Vec<ExcerptLine>) -> Excerpt {
    let Some(path) = beside.first().map(|line| line.path.clone()) else { return chosen.clone() };
    let (mut own, others): (Vec<_>, Vec<_>) =
        chosen.lines().iter().cloned().partition(|line| line.path == path);
    own.extend(beside);
    own.sort_by_key(|line| line.number);
    own.extend(others);
    Excerpt::new(own, chosen.rung(), Vec::new()).unwrap_or_else(|_| chosen.clone())
}
