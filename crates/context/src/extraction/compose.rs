//! Files → excerpt.

use std::time::{Duration, Instant};

use chaffinch_core::{Excerpt, ExcerptLine, Finding, LineRange, Reason, Region, RepoPath, Rung};

use super::{Extraction, NoExcerpt};
use crate::{
    budget::{self, Budget, Pick, rank},
    engine::{self, Focus},
    language::Language,
    lines::{SourceFile, WIDTHS},
    origin, window,
};

/// Lines of the finding that come before everything else.
const FIRST_LINES: u32 = 40;

/// The files that the excerpt needs, in order.
pub(super) fn wanted(finding: &Finding, ceiling: Rung) -> Vec<RepoPath> {
    let Some(location) = &finding.location else { return Vec::new() };
    let mut wanted = vec![location.path.clone()];
    if ceiling >= Rung::Related {
        for step in finding.flow.iter().filter(|s| s.location.region.is_some()) {
            if !wanted.contains(&step.location.path) {
                wanted.push(step.location.path.clone());
            }
        }
    }
    wanted
}

/// The excerpt from the files that were given.
pub(super) fn excerpt(extraction: &mut Extraction) -> Result<Excerpt, NoExcerpt> {
    let mut notes = std::mem::take(&mut extraction.notes);
    let (file, others) =
        extraction.files.split_first().ok_or_else(|| NoExcerpt::new("the file was not given"))?;
    let region = region(extraction, file)?;
    let mut picks: Vec<(usize, Pick)> = Vec::new();
    picks.extend(own(extraction, file, region, &mut notes).into_iter().map(|pick| (0, pick)));
    for (index, other) in others.iter().enumerate() {
        let lines = elsewhere(extraction, other);
        picks.extend(lines.into_iter().map(|pick| (index + 1, pick)));
    }
    cut(extraction, picks, region, notes)
}

/// The lines to show: those of the finding, else those of its flow in the same file.
fn region(extraction: &Extraction, file: &SourceFile) -> Result<Region, NoExcerpt> {
    let finding = &extraction.finding;
    let stated = finding.location.as_ref().and_then(|l| l.region);
    let sink = || flow_in(finding, &file.path).next_back();
    let whole = Region { lines: LineRange::new(1, 1), start_column: None, end_column: None };
    let region = match stated.or_else(sink) {
        Some(region) => region,
        None if extraction.limits.ceiling >= Rung::File => whole,
        None => return Err(NoExcerpt::new("the finding names no line")),
    };
    if region.lines.start > file.len() {
        let (line, lines) = (region.lines.start, file.len());
        return Err(NoExcerpt::new(format!(
            "the finding is on line {line} of a file of {lines} at this commit"
        )));
    }
    Ok(Region {
        lines: LineRange::new(region.lines.start, region.lines.end.min(file.len())),
        ..region
    })
}

fn flow_in<'f>(
    finding: &'f Finding,
    path: &'f RepoPath,
) -> impl DoubleEndedIterator<Item = Region> + 'f {
    finding.flow.iter().filter(move |s| &s.location.path == path).filter_map(|s| s.location.region)
}

/// Picks from the finding's own file.
fn own(
    extraction: &Extraction,
    file: &SourceFile,
    region: Region,
    notes: &mut Vec<String>,
) -> Vec<Pick> {
    let limits = extraction.limits;
    let lines = region.lines;
    let mut picks = Vec::new();
    for line in lines.start..=lines.end {
        let rank = match line - lines.start {
            0..FIRST_LINES => rank::FINDING,
            far => rank::FINDING_REST.saturating_add(far),
        };
        picks.push(Pick { line, rank, reason: Reason::Finding, rung: Rung::Finding });
    }
    let trace = trace(&extraction.finding, file);
    picks.extend(trace.iter().map(|line| Pick {
        line: *line,
        rank: rank::TRACE,
        reason: Reason::Trace,
        rung: Rung::Finding,
    }));
    if limits.ceiling == Rung::Finding {
        return picks;
    }
    if let Some(what) = origin::not_ours(file) {
        notes.push(format!("the file is {what}: only the finding's lines are shown"));
        return picks;
    }
    let trace: Vec<u32> = trace.into_iter().map(|line| line - 1).collect();
    let rows = [(lines.start - 1, lines.end - 1)];
    match around(extraction, file, &rows, &trace) {
        Ok(found) => picks.extend(found),
        Err(why) => {
            notes.push(format!("{why}: lines near the finding are shown instead"));
            picks.extend(window::picks(file, lines));
        }
    }
    if limits.ceiling >= Rung::File {
        picks.extend((1..=file.len()).map(|line| Pick {
            line,
            rank: rank::FILE.saturating_add(line.abs_diff(lines.start)),
            reason: Reason::Window,
            rung: Rung::File,
        }));
    }
    picks
}

/// What the syntax says of `file`.
fn around(
    extraction: &Extraction,
    file: &SourceFile,
    rows: &[(u32, u32)],
    trace: &[u32],
) -> Result<Vec<Pick>, String> {
    let limits = extraction.limits;
    let language = Language::of(&file.path, file.line(1)).ok_or("no grammar for this file")?;
    if file.text().len() > limits.max_file_bytes {
        return Err("the file is too large to parse".into());
    }
    let deadline = Instant::now() + Duration::from_millis(limits.parse_millis);
    let focus = Focus { rows, trace, ceiling: limits.ceiling, deadline };
    engine::picks(file, language, &focus)
        .map_err(|why| format!("{} file, but {why}", language.name))
}

/// Picks from a file that the flow passes through: its steps, and what they depend on in their
/// functions.
fn elsewhere(extraction: &Extraction, file: &SourceFile) -> Vec<Pick> {
    let steps = trace(&extraction.finding, file);
    let mut picks: Vec<Pick> = steps
        .iter()
        .map(|line| Pick {
            line: *line,
            rank: rank::ELSEWHERE,
            reason: Reason::Trace,
            rung: Rung::Related,
        })
        .collect();
    if origin::not_ours(file).is_some() {
        return picks;
    }
    let rows: Vec<(u32, u32)> = steps.iter().map(|line| (line - 1, line - 1)).collect();
    let found = around(extraction, file, &rows, &[]).unwrap_or_default();
    let near = found.into_iter().filter(|p| p.rank < rank::REST);
    picks.extend(near.map(|p| Pick {
        rank: p.rank + rank::AROUND_ELSEWHERE,
        rung: Rung::Related,
        ..p
    }));
    picks
}

/// The lines of `file` that the flow names, each once.
fn trace(finding: &Finding, file: &SourceFile) -> Vec<u32> {
    let mut lines: Vec<u32> = flow_in(finding, &file.path)
        .map(|region| region.lines.start)
        .filter(|line| *line <= file.len())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn cut(
    extraction: &Extraction,
    picks: Vec<(usize, Pick)>,
    region: Region,
    mut notes: Vec<String>,
) -> Result<Excerpt, NoExcerpt> {
    for width in WIDTHS {
        let mut cut_lines = 0;
        let mut line = |file: usize, number: u32, reason: Reason| {
            let source = extraction.files.get(file)?;
            let around = columns(region, number).filter(|_| file == 0);
            let shown = source.shown(number, around, width);
            cut_lines += usize::from(shown.cut);
            Some(ExcerptLine { path: source.path.clone(), number, text: shown.text, reason })
        };
        // With a budget that holds the first line uncut, other lines would be lost again.
        let lines = if width < WIDTHS[0] { 1 } else { usize::MAX };
        let budget =
            Budget { tokens: extraction.limits.budget, lines, counter: extraction.tokens.as_ref() };
        let kept = budget::cut(picks.clone(), extraction.limits.ceiling, budget, &mut line);
        if kept.lines.is_empty() {
            continue;
        }
        if cut_lines > 0 {
            notes.push("long lines are cut, at the marks …".into());
        }
        if kept.cut > 0 {
            notes.push(format!("cut to the budget: {} lines left out", kept.cut));
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
