//! Another file → what it says to a question, and the questions that this leads to.

use chaffinch_core::{LineRange, Reason, RepoPath, Rung};

use super::{
    Extraction,
    asker::{alike, folder_of, is_constant},
    finding::trace,
    questions::Question,
    read::Read,
};
use crate::{
    budget::{Pick, rank},
    engine::{self, Focus, Reading, Tree, Wanted},
    language::Template,
    lines::SourceFile,
    paths, template, window,
};

/// Lines that mention a name, where no grammar tells which of them defines it.
const MENTIONS: usize = 3;

/// Lines of a file that was asked for as a whole, where it defines nothing that is named.
const TOP: u32 = 40;

/// What the file number `index` says to a question.
pub(super) fn give(extraction: &mut Extraction, question: usize, index: usize) {
    let (Some(read), Some(asked)) =
        (extraction.files.get(index), extraction.questions.all.get(question))
    else {
        return;
    };
    if asked.sought.is_some() {
        return conventional(extraction, question, index);
    }
    let reading = match asked.flow {
        true => flow(extraction, read),
        false => related(extraction, read, asked),
    };
    let hop = asked.hop + 1;
    if reading.picks.is_empty() {
        // What a path from the file means is one file.
        let is_it = asked.only && asked.uses.is_empty();
        return match extraction.questions.all.get_mut(question).filter(|_| is_it) {
            Some(asked) => asked.settle(),
            None => extraction.questions.miss(question),
        };
    }
    let kept = read.tree.iter().flat_map(|tree| engine::under(tree, &read.file, &extraction.keys));
    let kept = kept.map(|pick| Pick { rung: Rung::Related, ..pick });
    let kept: Vec<(usize, Pick)> = kept.map(|pick| (index, pick)).collect();
    let page = read.template.filter(|_| read.tree.is_err() && !asked.uses.is_empty() && hop == 1);
    let rendered = page
        .map(|page| Question::rendered(read.path(), page.renderers, named(read, page, &reading)));
    let further = match hop {
        1 if !asked.flow => read.asker(&extraction.changed, hop).map(|a| a.questions(&reading)),
        _ => None,
    };
    if reading.called {
        extraction.callers = Some(true);
    }
    extraction.picks.extend(kept);
    extraction.picks.extend(reading.picks.into_iter().map(|pick| (index, pick)));
    if let Some(asked) = extraction.questions.all.get_mut(question) {
        asked.settle();
    }
    let further = further.into_iter().flatten().chain(rendered);
    further.for_each(|question| extraction.questions.add(question));
}

/// What a file of a framework says of a route or a key.
fn conventional(extraction: &mut Extraction, question: usize, index: usize) {
    let Some(file) = extraction.files.get(index).map(|read| &read.file) else { return };
    let Some(asked) = extraction.questions.all.get_mut(question) else { return };
    let Some(sought) = &asked.sought else { return };
    let picks = sought.lines(file, asked.rank);
    let handler = sought.handler().map(str::to_owned);
    if picks.is_empty() {
        let others: Vec<RepoPath> = asked.candidates.iter().cloned().collect();
        let pointed = sought.pointed(file);
        asked.candidates.pop_front();
        asked.tried += 1;
        for path in pointed.into_iter().filter(|path| !others.contains(path)) {
            asked.candidates.push_front(path);
        }
        return;
    }
    asked.settle();
    if let Some(handler) = handler {
        extraction.callers = extraction.callers.map(|_| true);
        let guesses = extraction.questions.all.iter_mut().filter(|q| q.calls(&handler));
        guesses.for_each(Question::settle);
    }
    extraction.picks.extend(picks.into_iter().map(|pick| (index, pick)));
}

/// The names of values in the lines of a page that were taken.
fn named(read: &Read, page: &Template, reading: &Reading) -> Vec<Wanted> {
    let lines = reading.picks.iter().map(|pick| LineRange::new(pick.line, pick.line));
    let told = lines.take(8).map(|lines| template::read(&read.file, page, lines).names);
    let mut names: Vec<Wanted> = Vec::new();
    for name in told.flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn related(extraction: &Extraction, read: &Read, asked: &Question) -> Reading {
    // What nobody here wrote is not shown for being named.
    if read.not_ours.is_some() {
        return Reading::default();
    }
    let reason = match asked.need {
        Some(_) => Reason::Need,
        None => Reason::Definition,
    };
    let mut found = match &read.tree {
        Ok(tree) if asked.rendered.is_some() => renders(read, tree, asked),
        Ok(tree) => {
            let home = extraction.files.first().map_or(read.path(), Read::path);
            engine::answer(&read.file, tree, &asked.wanted, &asked.uses, home, reason)
        }
        Err(_) => {
            let picks = called_in_page(read, asked);
            Reading { called: !picks.is_empty(), picks, ..Reading::default() }
        }
    };
    // Where a grammar finds nothing of what was asked for, its mentions say no more.
    let grammar = read.tree.is_ok()
        && asked
            .need
            .as_deref()
            .is_some_and(|need| !is_path_of(read.path(), need) && !is_beside(read.path(), need));
    if found.picks.is_empty() && !grammar {
        found.picks = mentions(&read.file, asked);
    }
    for pick in &mut found.picks {
        pick.rank = pick.rank.saturating_add(rank::OTHER_FILE);
    }
    found
}

/// Where a template calls what is asked about, with the blocks around.
fn called_in_page(read: &Read, asked: &Question) -> Vec<Pick> {
    let Some(template) = read.template else { return Vec::new() };
    let mut picks = Vec::new();
    for wanted in &asked.uses {
        let lines =
            (1..=read.file.len()).filter(|line| window::holds(read.file.line(*line), &wanted.name));
        for line in lines.take(MENTIONS) {
            let reason = || Reason::Caller(wanted.name.clone());
            let rank = wanted.rank + rank::CALLER;
            picks.push(Pick { line, rank, reason: reason(), rung: Rung::Related });
            let around = template::read(&read.file, template, LineRange::new(line, line)).picks;
            let around = around.into_iter().filter(|pick| pick.reason != Reason::Window);
            picks.extend(around.map(|pick| Pick {
                rank: pick.rank + rank::CALLER,
                reason: match pick.reason {
                    Reason::Function | Reason::Slice => reason(),
                    told => told,
                },
                rung: Rung::Related,
                ..pick
            }));
        }
    }
    picks
}

/// Where a template is rendered, and what its names stand for there.
fn renders(read: &Read, tree: &Tree, asked: &Question) -> Reading {
    let file = asked.rendered.as_deref().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default().trim_start_matches('_');
    let mut names = asked.wanted.clone();
    names.push(Wanted { name: stem.to_owned(), object: None, called: true, rank: rank::SLICE });
    let mut found = engine::answer(&read.file, tree, &names, &[], read.path(), Reason::Definition);
    let holds = |part: &str| {
        let lines = (1..=read.file.len()).filter(|line| read.file.line(*line).contains(part));
        lines.map(|line| (line - 1, line - 1)).take(MENTIONS).collect::<Vec<(u32, u32)>>()
    };
    // Many folders may hold a file of that name.
    let rows = Some(holds(&asked.rendered_in)).filter(|rows| !rows.is_empty());
    let rows = rows.unwrap_or_else(|| holds(file));
    let focus = Focus { rows: &rows, trace: &[], ceiling: Rung::Related };
    let mut near = engine::around(&read.file, tree, &focus).unwrap_or_default();
    near.picks.retain(|pick| pick.rung <= Rung::Slice || is_definition(pick));
    found.wanted.append(&mut near.wanted);
    let reason = || Reason::Use(file.to_owned());
    found.picks.extend(rows.iter().map(|(row, _)| Pick {
        line: row + 1,
        rank: rank::SLICE + rank::CALLER,
        reason: reason(),
        rung: Rung::Related,
    }));
    found.picks.extend(near.picks.into_iter().map(|p| Pick {
        rank: p.rank + rank::CALLER,
        reason: match p.reason {
            Reason::Function | Reason::Slice | Reason::Signature => reason(),
            told => told,
        },
        rung: Rung::Related,
        ..p
    }));
    found
}

fn is_definition(pick: &Pick) -> bool {
    matches!(pick.reason, Reason::Definition(_)) && pick.rank < rank::REST
}

/// Whether `need` names the file by its path, or by the end of it.
pub(super) fn is_path_of(path: &RepoPath, need: &str) -> bool {
    let front = path.as_str().strip_suffix(need);
    front.is_some_and(|front| front.is_empty() || front.ends_with('/'))
}

/// Whether `need` is a path, and the file one of its folder with a name like it.
fn is_beside(path: &RepoPath, need: &str) -> bool {
    let same = need.parse().is_ok_and(|need: RepoPath| folder_of(&need) == folder_of(path));
    let same = same && need.contains('/');
    same && alike(paths::named(path.file_name()), paths::named(need)) > 0
}

/// Lines that hold a constant's name, or what was asked for.
fn mentions(file: &SourceFile, asked: &Question) -> Vec<Pick> {
    let mut picks = Vec::new();
    let pick = |line, rank, reason| Pick { line, rank, reason, rung: Rung::Related };
    for wanted in asked
        .wanted
        .iter()
        .filter(|w| asked.need.is_some() || (w.object.is_none() && is_constant(&w.name)))
    {
        let lines = (1..=file.len()).filter(|line| window::holds(file.line(*line), &wanted.name));
        for line in lines.take(MENTIONS) {
            let reason = match &asked.need {
                Some(need) => Reason::Need(need.clone()),
                None => Reason::Constant(wanted.name.clone()),
            };
            picks.push(pick(line, wanted.rank + rank::VALUE, reason));
        }
    }
    if let Some(need) = asked.need.as_ref().filter(|_| picks.is_empty())
        && (is_path_of(&file.path, need) || is_beside(&file.path, need))
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

#[cfg(test)]
mod tests;
