//! Files → picks and questions.

use std::time::{Duration, Instant};

use chaffinch_core::{LineRange, Reason, Region, RepoPath, Rung};

use super::{
    Extraction, Limits, NoExcerpt,
    questions::{Asker, Question, folder_of},
};
use crate::{
    budget::{Pick, rank},
    engine::{self, Focus, Import, Reading, Tree, Wanted},
    language::{Language, Template},
    lines::SourceFile,
    origin,
    sparse::{self, Interest},
    template, window,
};

/// Lines of the finding that come before everything else.
const FIRST_LINES: u32 = 40;

/// Parts of the names of functions that make text harmless.
const CLEANERS: [&str; 6] = ["escape", "sanit", "clean", "quote", "encode", "purify"];

/// Rows around the finding that must be readable in a part of its file.
const NEAR: u32 = 3;

/// Lines that mention a name, where no grammar tells which of them defines it.
const MENTIONS: usize = 3;

/// Lines of a file that was asked for as a whole, where it defines nothing that is named.
const TOP: u32 = 40;

/// A file that was given, read once.
pub(super) struct Read {
    pub(super) file: SourceFile,
    tree: Result<Tree, String>,
    imports: Vec<Import>,
    not_ours: Option<&'static str>,
    template: Option<&'static Template>,
}

impl Read {
    pub(super) fn new(file: SourceFile, limits: &Limits, interest: &Interest) -> Self {
        let not_ours = origin::not_ours(&file);
        let tree = match not_ours.is_some() || limits.ceiling == Rung::Finding {
            true => Err(String::new()),
            false => parse(&file, limits, interest),
        };
        let imports = match &tree {
            Ok(tree) if limits.ceiling >= Rung::Related => engine::imports(tree, file.text()),
            _ => Vec::new(),
        };
        let template = Template::of(&file.path);
        Self { file, tree, imports, not_ours, template }
    }

    pub(super) fn path(&self) -> &RepoPath {
        &self.file.path
    }

    fn asker<'a>(&'a self, changed: &'a [RepoPath], hop: u32) -> Option<Asker<'a>> {
        let language = self.tree.as_ref().ok()?.language;
        Some(Asker { path: self.path(), language, imports: &self.imports, changed, hop })
    }
}

fn parse(file: &SourceFile, limits: &Limits, interest: &Interest) -> Result<Tree, String> {
    let by_name = Language::of(&file.path, file.line(1));
    let row = interest.rows.first().copied().filter(|_| by_name.is_none());
    let script = row.and_then(|row| sparse::script(file, row));
    let language = by_name
        .or(script.as_ref().map(|_| Language::of_scripts()))
        .ok_or("no grammar for this file")?;
    if file.text().len() > limits.max_file_bytes {
        return Err("the file is too large to parse".into());
    }
    let deadline = Instant::now() + Duration::from_millis(limits.parse_millis);
    if let Some(script) = script {
        return engine::parse(language, &script, deadline)
            .map_err(|why| format!("{} in the file, but {why}", language.name));
    }
    // Where the cut breaks the syntax that matters, the whole is read after all.
    let part = sparse::text(file, interest)
        .and_then(|part| engine::parse(language, &part, deadline).ok())
        .filter(|tree| !interest.rows.iter().any(|row| tree.is_broken_near(*row, NEAR)));
    if let Some(tree) = part {
        return Ok(tree);
    }
    engine::parse(language, file.text(), deadline)
        .map_err(|why| format!("{} file, but {why}", language.name))
}

/// What is asked of the finding's own file.
pub(super) fn own_interest(extraction: &Extraction, path: &RepoPath) -> Interest {
    let stated = extraction.finding.location.as_ref().and_then(|l| l.region);
    let rows = stated.into_iter().chain(steps(extraction, path));
    Interest {
        rows: rows.map(|region| region.lines.start.saturating_sub(1)).collect(),
        names: extraction.needs.clone(),
        called: Vec::new(),
    }
}

/// What is asked of another file, by any question.
pub(super) fn interest(extraction: &Extraction, path: &RepoPath) -> Interest {
    let questions = || extraction.questions.all.iter();
    let wanted = questions().flat_map(|q| q.wanted.iter().map(|w| w.name.clone()));
    let uses = questions().flat_map(|q| q.uses.iter().map(|u| u.name.clone()));
    Interest {
        rows: steps(extraction, path).map(|r| r.lines.start.saturating_sub(1)).collect(),
        names: wanted.collect(),
        called: uses.chain(questions().filter_map(|q| q.rendered.clone())).collect(),
    }
}

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
fn steps<'e>(
    extraction: &'e Extraction,
    path: &'e RepoPath,
) -> impl DoubleEndedIterator<Item = Region> + 'e {
    let flow = extraction.finding.flow.iter();
    flow.filter(move |s| &s.location.path == path).filter_map(|s| s.location.region)
}

/// The lines of `file` that the flow names, each once.
fn trace(extraction: &Extraction, file: &SourceFile) -> Vec<u32> {
    let mut lines: Vec<u32> = steps(extraction, &file.path)
        .map(|region| region.lines.start)
        .filter(|line| *line <= file.len())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Reads the finding's own file: its picks, and the questions that it leaves.
pub(super) fn own(extraction: &mut Extraction) -> Result<(), NoExcerpt> {
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
    let trace = trace(extraction, file);
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
        match found {
            Ok(found) => reading = found,
            Err(_) if read.template.is_some() => {
                let told = read.template.map(|t| template::read(file, t, lines));
                if let Some(told) = told {
                    picks.extend(told.picks);
                    rendered = Some(told.names);
                }
            }
            Err(why) => {
                notes.push(format!("{why}: lines near the finding are shown instead"));
                picks.extend(window::picks(file, lines));
            }
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
    picks.extend(settling(&reading, &read.imports));
    extraction.picks.extend(picks.into_iter().map(|pick| (0, pick)));
    extraction.notes.append(&mut notes);
    if ceiling >= Rung::Related {
        ask(extraction, &reading, rendered);
    }
    Ok(())
}

/// The imports that say what a name called in the finding is: it goes by another name here, or is
/// known for what it keeps out.
fn settling(reading: &Reading, imports: &[Import]) -> Vec<Pick> {
    let mut picks = Vec::new();
    for wanted in reading.wanted.iter().filter(|w| w.called && w.rank <= rank::SLICE + rank::STEP) {
        let object = wanted.object.as_deref().unwrap_or(&wanted.name);
        let Some(import) = imports.iter().find(|i| i.names.iter().any(|n| n == object)) else {
            continue;
        };
        let last = import.module.rsplit(['/', '.', '\\']).next().unwrap_or_default();
        let plain = import.parts || last.eq_ignore_ascii_case(object);
        let lower = wanted.name.to_ascii_lowercase();
        if !plain || CLEANERS.iter().any(|word| lower.contains(word)) {
            let reason = Reason::Definition(object.to_owned());
            let rank = wanted.rank + rank::VALUE;
            picks.push(Pick { line: import.row + 1, rank, reason, rung: Rung::Function });
        }
    }
    picks
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
    for need in &extraction.needs {
        let wanted =
            vec![Wanted { name: need.clone(), object: None, called: true, rank: rank::TRACE }];
        found.extend(asker.iter().flat_map(|a| a.need(need, &wanted)));
    }
    found.extend(asker.iter().flat_map(|a| a.questions(reading)));
    if read.not_ours.is_none() {
        let uses = found.iter().any(|q| !q.uses.is_empty());
        extraction.callers = uses.then_some(false);
    }
    found.into_iter().for_each(|question| extraction.questions.add(question));
}

/// What the file number `index` says to a question.
pub(super) fn answer(extraction: &mut Extraction, question: usize, index: usize) {
    let (Some(read), Some(asked)) =
        (extraction.files.get(index), extraction.questions.all.get(question))
    else {
        return;
    };
    let mut reading = match asked.flow {
        true => flow(extraction, read),
        false => related(read, asked),
    };
    let hop = asked.hop + 1;
    if reading.picks.is_empty() {
        return extraction.questions.miss(question);
    }
    let further = match hop {
        1 if !asked.flow => read.asker(&extraction.changed, hop).map(|a| a.questions(&reading)),
        _ => None,
    };
    if !asked.uses.is_empty() {
        extraction.callers = Some(true);
    }
    extraction.picks.extend(reading.picks.drain(..).map(|pick| (index, pick)));
    if let Some(asked) = extraction.questions.all.get_mut(question) {
        asked.settle();
    }
    further.into_iter().flatten().for_each(|question| extraction.questions.add(question));
}

fn related(read: &Read, asked: &Question) -> Reading {
    let reason = match asked.need {
        Some(_) => Reason::Need,
        None => Reason::Definition,
    };
    let mut found = match &read.tree {
        Ok(tree) if asked.rendered.is_some() => renders(read, tree, asked),
        Ok(tree) => engine::answer(&read.file, tree, &asked.wanted, &asked.uses, reason),
        Err(_) => Reading::default(),
    };
    // Where a grammar finds nothing of what was asked for, its mentions say no more.
    let grammar = read.tree.is_ok()
        && asked.need.as_deref().is_some_and(|n| !read.path().as_str().ends_with(n));
    if found.picks.is_empty() && !grammar {
        found.picks = mentions(&read.file, asked);
    }
    for pick in &mut found.picks {
        pick.rank = pick.rank.saturating_add(rank::OTHER_FILE);
    }
    found
}

/// Where a template is rendered, and what its names stand for there.
fn renders(read: &Read, tree: &Tree, asked: &Question) -> Reading {
    let file = asked.rendered.as_deref().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default().trim_start_matches('_');
    let mut names = asked.wanted.clone();
    names.push(Wanted { name: stem.to_owned(), object: None, called: true, rank: rank::SLICE });
    let mut found = engine::answer(&read.file, tree, &names, &[], Reason::Definition);
    let rows: Vec<(u32, u32)> = (1..=read.file.len())
        .filter(|line| read.file.line(*line).contains(file))
        .map(|line| (line - 1, line - 1))
        .take(MENTIONS)
        .collect();
    let focus = Focus { rows: &rows, trace: &[], ceiling: Rung::Slice };
    let near = engine::around(&read.file, tree, &focus).unwrap_or_default();
    let reason = || Reason::Caller(file.to_owned());
    found.picks.extend(rows.iter().map(|(row, _)| Pick {
        line: row + 1,
        rank: rank::SLICE + rank::CALLER,
        reason: reason(),
        rung: Rung::Related,
    }));
    found.picks.extend(near.picks.into_iter().map(|p| Pick {
        rank: p.rank + rank::CALLER,
        reason: reason(),
        rung: Rung::Related,
        ..p
    }));
    found
}

/// Lines that hold a constant's name, or what was asked for.
fn mentions(file: &SourceFile, asked: &Question) -> Vec<Pick> {
    let mut picks = Vec::new();
    let pick = |line, rank, reason| Pick { line, rank, reason, rung: Rung::Related };
    for wanted in asked.wanted.iter().filter(|w| {
        asked.need.is_some() || (w.object.is_none() && super::questions::is_constant(&w.name))
    }) {
        let lines = (1..=file.len()).filter(|line| window::holds(file.line(*line), &wanted.name));
        for line in lines.take(MENTIONS) {
            picks.push(pick(
                line,
                wanted.rank + rank::VALUE,
                Reason::Constant(wanted.name.clone()),
            ));
        }
    }
    if let Some(need) = asked.need.as_ref().filter(|_| picks.is_empty())
        && file.path.as_str().ends_with(need.as_str())
    {
        let lines = (1..=file.len().min(TOP)).filter(|line| file.has_code(*line));
        picks.extend(lines.map(|line| pick(line, rank::SLICE + line, Reason::Need(need.clone()))));
    }
    picks
}

/// Picks from a file that the flow passes through: its steps, and what they depend on in their
/// functions.
fn flow(extraction: &Extraction, read: &Read) -> Reading {
    let steps = trace(extraction, &read.file);
    let mut found = Reading::default();
    found.picks.extend(steps.iter().map(|line| Pick {
        line: *line,
        rank: rank::ELSEWHERE,
        reason: Reason::Trace,
        rung: Rung::Related,
    }));
    let Ok(tree) = &read.tree else { return found };
    let rows: Vec<(u32, u32)> = steps.iter().map(|line| (line - 1, line - 1)).collect();
    let focus = Focus { rows: &rows, trace: &[], ceiling: Rung::Function };
    let near = engine::around(&read.file, tree, &focus).unwrap_or_default();
    let near = near.picks.into_iter().filter(|p| p.rank < rank::REST);
    found.picks.extend(near.map(|p| Pick {
        rank: p.rank + rank::AROUND_ELSEWHERE,
        rung: Rung::Related,
        ..p
    }));
    found
}

/// What the names of the files in a folder tell: which of the paths there are, and which others may
/// help.
pub(super) fn names(extraction: &mut Extraction, folder: &str, names: &[&str]) {
    let Some(own) = extraction.files.first().map(|f| f.path().clone()) else { return };
    let all: Vec<RepoPath> = names.iter().filter_map(|name| within(folder, name)).collect();
    if all.is_empty() {
        return;
    }
    let stem = crate::paths::base(&own);
    let alike = |path: &&RepoPath| path.file_name().to_ascii_lowercase().contains(&stem);
    let inside = |path: &RepoPath| folder_of(path) == folder;
    let helps = |path: &&RepoPath| path.extension() == own.extension() && **path != own;
    let about = |q: &&mut Question| q.folders.iter().any(|f| f == folder);
    for question in extraction.questions.all.iter_mut().filter(about) {
        let guesses = std::mem::take(&mut question.candidates);
        let (here, elsewhere): (Vec<_>, Vec<_>) = guesses.into_iter().partition(inside);
        let mut order: Vec<RepoPath> = here.into_iter().filter(|p| all.contains(p)).collect();
        order.extend(all.iter().filter(helps).filter(alike).cloned());
        order.extend(elsewhere);
        order.extend(all.iter().filter(helps).cloned());
        for path in order {
            if !question.candidates.contains(&path) {
                question.candidates.push_back(path);
            }
        }
    }
}

fn within(folder: &str, name: &str) -> Option<RepoPath> {
    match folder {
        "" => name.parse().ok(),
        folder => format!("{folder}/{name}").parse().ok(),
    }
}
