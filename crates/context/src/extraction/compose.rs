//! Picks → excerpt.

use chaffinch_core::{Excerpt, ExcerptLine, Reason, Region};

use super::{Extraction, NoExcerpt, finding};
use crate::{
    budget::{self, Budget, Pick},
    lines::{CUT, WIDTHS},
};

/// The excerpt from the files that were given.
pub(super) fn excerpt(extraction: &mut Extraction) -> Result<Excerpt, NoExcerpt> {
    let mut notes = std::mem::take(&mut extraction.notes);
    if extraction.callers == Some(false) {
        notes.push("no caller found in the files read".into());
    }
    let picks = std::mem::take(&mut extraction.picks);
    let region = finding::region(extraction)?;
    cut(extraction, picks, region, notes)
}

fn cut(
    extraction: &Extraction,
    picks: Vec<(usize, Pick)>,
    region: Region,
    mut notes: Vec<String>,
) -> Result<Excerpt, NoExcerpt> {
    for width in WIDTHS {
        let mut line = |file: usize, number: u32, reason: Reason| {
            let source = &extraction.files.get(file)?.file;
            let around = columns(region, number).filter(|_| file == 0);
            let text = source.shown(number, around, width);
            Some(ExcerptLine { path: source.path.clone(), number, text, reason })
        };
        // With a budget that holds the first line uncut, other lines would be lost again.
        let lines = if width < WIDTHS[0] { 1 } else { usize::MAX };
        let budget =
            Budget { tokens: extraction.limits.budget, lines, counter: extraction.tokens.as_ref() };
        let kept = budget::cut(&picks, extraction.limits.ceiling, budget, &mut line);
        if kept.lines.is_empty() {
            continue;
        }
        let is_cut = |line: &ExcerptLine| {
            line.text.expose().starts_with(CUT) || line.text.expose().ends_with(CUT)
        };
        if kept.lines.values().any(is_cut) {
            notes.push("long lines are cut, at the marks …".into());
        }
        if kept.cut > 0 {
            let unit = if kept.cut == 1 { "line" } else { "lines" };
            notes.push(format!("cut to the budget: {} {unit} left out", kept.cut));
        }
        let lines = kept.lines.into_values().collect();
        return Excerpt::new(lines, kept.rung, notes).map_err(|e| NoExcerpt::new(e.to_string()));
    }
    Err(NoExcerpt::new("the budget does not hold the finding's first line"))
}

/// The columns of the finding on `line`, from 1.
fn columns(region: Region, line: u32) -> Option<(u32, u32)> {
    if !region.lines.contains(line) {
        return None;
    }
    let first = region.start_column.filter(|_| line == region.lines.start).unwrap_or(1);
    let last = region.end_column.filter(|_| line == region.lines.end).unwrap_or(first);
    Some((first, last.max(first)))
}
