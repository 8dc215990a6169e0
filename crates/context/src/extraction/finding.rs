//! The finding's own file → picks, and the questions that it leaves.

use chaffinch_core::{LineRange, Reason, Region, RepoPath, Rung};

use super::{Extraction, NoExcerpt, places, questions::Question};
use crate::{
    budget::{Pick, rank},
    engine::{self, Focus, Import, Reading, Wanted},
    language::{Language, Template},
    lines::SourceFile,
    template, window,
};

/// Lines of the finding that come before everything else.
const FIRST_LINES: u32 = 40;

/// Lines further from the finding than this are not looked at for what makes text harmless.
const NEAR: u32 = rank::SLICE + 6 * rank::STEP;

/// Parts of the names of functions that make text harmless.
const CLEANERS: [&str; 6] = ["escape", "sanit", "clean", "quote", "encode", "purify"];

/// The lines to show: those of the finding, else those of its flow in the same file.
pub(super) fn region(extraction: &Extraction) -> Result<Region, NoExcerpt> {
    let file =
        &extraction.files.first().ok_or_else(|| NoExcerpt::new("the file was not given"))?.file;
    let stated = extraction.finding.location.as_ref().and_then(|l| l.region);
    let sink = || steps(extraction, &file.path).next_back();
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

/// The steps of the flow in a file.
pub(super) fn steps<'e>(
    extraction: &'e Extraction,
    path: &'e RepoPath,
) -> impl DoubleEndedIterator<Item = Region> + 'e {
    let flow = extraction.finding.flow.iter();
    flow.filter(move |s| &s.location.path == path).filter_map(|s| s.location.region)
}

/// The lines of `file` that the flow names, each once.
pub(super) fn trace(extraction: &Extraction, file: &SourceFile) -> Vec<u32> {
    let mut lines: Vec<u32> = steps(extraction, &file.path)
        .map(|region| region.lines.start)
        .filter(|line| *line <= file.len())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Reads the finding's own file.
pub(super) fn read(extraction: &mut Extraction) -> Result<(), NoExcerpt> {
    let region = region(extraction)?;
    let Some(read) = extraction.files.first() else { return Ok(()) };
    let (file, ceiling) = (&read.file, extraction.limits.ceiling);
    let lines = region.lines;
    let mut notes = Vec::new();
    let mut picks: Vec<Pick> = Vec::new();
    for line in lines.start..=lines.end {
        let rank = match line - lines.start {
            0..FIRST_LINES => rank::FINDING,
            far => rank::FINDING_REST.saturating_add(far),
        };
        picks.push(Pick { line, rank, reason: Reason::Finding, rung: Rung::Finding });
    }
    let trace = match read.not_ours {
        Some(_) => Vec::new(),
        None => trace(extraction, file),
    };
    picks.extend(trace.iter().map(|line| Pick {
        line: *line,
        rank: rank::TRACE,
        reason: Reason::Trace,
        rung: Rung::Finding,
    }));
    let mut reading = Reading::default();
    let mut rendered = None;
    if let Some(what) = read.not_ours.filter(|_| ceiling > Rung::Finding) {
        notes.push(format!("the file is {what}: only the finding's lines are shown"));
    } else if ceiling > Rung::Finding {
        let trace: Vec<u32> = trace.into_iter().map(|line| line - 1).collect();
        let rows = [(lines.start - 1, lines.end - 1)];
        let focus = Focus { rows: &rows, trace: &trace, ceiling };
        let found = read.tree.as_ref().map_err(Clone::clone).and_then(|tree| {
            engine::around(file, tree, &focus)
                .map_err(|why| format!("{} file, but {why}", tree.language.name))
        });
        let mut page = read.template;
        match found {
            Ok(found) => {
                reading = found;
                page = page.filter(|page| template::has_code(file, page, lines));
                if read.template.is_some() {
                    picks.extend(template::elements(file, lines.start));
                }
            }
            Err(_) if page.is_some() => {}
            Err(why) => {
                notes.push(format!("{why}: lines near the finding are shown instead"));
                picks.extend(window::picks(file, lines));
            }
        }
        if let Some(told) = page.map(|page| template::read(file, page, lines)) {
            picks.extend(told.picks);
            rendered = Some(told.names);
        }
    }
    if ceiling >= Rung::File && read.not_ours.is_none() {
        picks.extend((1..=file.len()).map(|line| Pick {
            line,
            rank: rank::FILE.saturating_add(line.abs_diff(lines.start)),
            reason: Reason::Window,
            rung: Rung::File,
        }));
    }
    picks.append(&mut reading.picks);
    picks.extend(settling(&reading, file, &picks, &read.imports));
    extraction.picks.extend(picks.into_iter().map(|pick| (0, pick)));
    extraction.notes.append(&mut notes);
    extraction.keys = std::mem::take(&mut reading.keys);
    if ceiling >= Rung::Related {
        ask(extraction, &reading, rendered);
    }
    Ok(())
}

/// The imports that say what a called name is: near the finding, it goes by another name here; in any
/// line that matters, even within what is handed on, it is known for what it keeps out.
fn settling(reading: &Reading, file: &SourceFile, picks: &[Pick], imports: &[Import]) -> Vec<Pick> {
    let pick = |import: &Import, name: &str, rank| Pick {
        line: import.row + 1,
        rank: rank + rank::VALUE,
        reason: Reason::Definition(name.to_owned()),
        rung: Rung::Function,
    };
    let mut settled = Vec::new();
    for wanted in reading.wanted.iter().filter(|w| w.called && w.rank <= rank::SLICE + rank::STEP) {
        let object = wanted.object.as_deref().unwrap_or(&wanted.name);
        let Some(import) = imports.iter().find(|i| i.names.iter().any(|n| n == object)) else {
            continue;
        };
        let last = import.module.rsplit(['/', '.', '\\']).next().unwrap_or_default();
        if !import.parts && !last.eq_ignore_ascii_case(object) {
            settled.push(pick(import, object, wanted.rank));
        }
    }
    let near = picks.iter().filter(|pick| pick.rank <= NEAR && pick.reason != Reason::Window);
    for (line, rank) in near.map(|pick| (file.line(pick.line), pick.rank)) {
        let named = |i: &'_ Import| i.names.iter().find(|name| cleans(line, name)).cloned();
        let found = imports.iter().filter_map(|import| Some((import, named(import)?)));
        settled.extend(found.map(|(import, name)| pick(import, &name, rank)));
    }
    settled
}

/// Whether `line` calls `name`, or a member of it, in words that say that text is made harmless.
fn cleans(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    line.match_indices(name).filter(|_| !name.is_empty()).any(|(at, _)| {
        let (before, rest) =
            (line.get(..at).unwrap_or_default(), line.get(at..).unwrap_or_default());
        let member = |c: char| part(c) || matches!(c, '.' | ':' | '>' | '-');
        let callee = rest.split(|c| !member(c)).next().unwrap_or_default();
        let whole = callee.get(name.len()..).is_some_and(|after| !after.starts_with(part));
        let called = rest.get(callee.len()..).is_some_and(|after| after.starts_with('('));
        let last = callee.rsplit(|c| !part(c)).next().unwrap_or_default().to_ascii_lowercase();
        whole
            && called
            && !before.ends_with(|c| part(c) || c == '.')
            && CLEANERS.iter().any(|word| last.contains(word))
    })
}

/// Whether what a model names may be looked for: of files, code alone, and what the finding's file
/// names itself. A model can be made to ask for anything.
fn may_be_shown(need: &str, own: &SourceFile) -> bool {
    let Ok(path) = need.parse::<RepoPath>() else { return false };
    let is_code = Language::of(&path, "").is_some() || Template::of(&path, "").is_some();
    is_code || !need.contains('/') || window::holds(own.text(), path.file_name())
}

/// The questions that the finding, its file and the needs leave open.
fn ask(extraction: &mut Extraction, reading: &Reading, rendered: Option<Vec<Wanted>>) {
    let Some(read) = extraction.files.first() else { return };
    let mut found: Vec<Question> = Vec::new();
    for step in extraction.finding.flow.iter().filter(|s| s.location.region.is_some()) {
        if step.location.path != *read.path() {
            found.push(Question::flow(step.location.path.clone()));
        }
    }
    if let Some((names, template)) = rendered.zip(read.template) {
        found.push(Question::rendered(read.path(), template.renderers, names));
    }
    let asker = read.asker(&extraction.changed, 0);
    for need in extraction.needs.iter().filter(|need| may_be_shown(need, &read.file)) {
        let wanted =
            vec![Wanted { name: need.clone(), object: None, called: true, rank: rank::TRACE }];
        found.extend(asker.iter().flat_map(|a| a.need(need, &wanted)));
    }
    found.extend(asker.into_iter().flat_map(|a| a.questions(reading)));
    let conventional = places::questions(extraction, read, reading, &found);
    found.extend(conventional);
    if read.not_ours.is_none() {
        let uses = found.iter().any(|q| !q.uses.is_empty());
        extraction.callers = uses.then_some(reading.called);
    }
    found.into_iter().for_each(|question| extraction.questions.add(question));
}
