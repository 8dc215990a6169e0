//! What holds for every input: the function that all drivers call.

#[path = "choices.rs"]
mod choices;

use std::{collections::HashMap, sync::Arc};

use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, Step};
use chaffinch_core::{Excerpt, LineRange, RepoPath, Rung, TokenCount};
use choices::{Asked, Choices};

/// Stands between the finding's file, what every other file holds, and what else is chosen.
const NEXT: &[u8] = b"\n\0\0\n";

/// Lines of a finding that come before everything else.
const FIRST_LINES: u32 = 40;

const NAMES: [&str; 4] = ["a.py", "b.js", "main.go", "x\u{0}"];

/// Three bytes to a token: the vocabulary would be most of the time.
struct Bytes;

impl TokenCount for Bytes {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(3)
    }
}

/// Five bytes choose path, line, rung and budget; then come the source of the finding's file, that
/// of all others, and bytes that choose the flow, the columns, the changed files and what is asked
/// for. Where these are not there, they follow from the rest.
///
/// # Panics
/// If an excerpt breaks what is promised of it.
pub(crate) fn run(data: &[u8]) {
    let [path, low, high, rung, budget, source @ ..] = data else { return };
    let (own, rest) = divide(source);
    let (other, chosen) = rest.map_or((None, None), |rest| {
        let (other, chosen) = divide(rest);
        (Some(other), chosen)
    });
    let mut choices = Choices::new(chosen.unwrap_or_default(), data);
    let line = u32::from(u16::from_le_bytes([*low, *high])) % 2_000 + 1;
    let Some(asked) = choices.asked(*path, line, own) else { return };
    let limits = Limits {
        budget: 30 + usize::from(*budget) * 8,
        ceiling: choices::RUNGS[usize::from(*rung) % choices::RUNGS.len()],
        listing: rung & 0x40 != 0,
        ..Limits::default()
    };
    let mut given = Given { own, other, asked: Vec::new() };
    let few = excerpt(&asked, &mut given, limits);
    let again = excerpt(&asked, &mut Given { asked: Vec::new(), ..given }, limits);
    assert!(few == again, "the same bytes give another excerpt");
    let more = Limits { budget: limits.budget + 200, ..limits };
    let many = excerpt(&asked, &mut Given { asked: Vec::new(), ..given }, more);
    let few = match few {
        Ok(few) => few,
        Err(none) => return refused(&none, &asked, &given, limits),
    };
    check(&few, &asked, &given, limits);
    let Ok(many) = many else { panic!("a larger budget fails") };
    for sent in few.lines() {
        let kept = many.line(&sent.path, sent.number).is_some();
        assert!(kept, "a larger budget loses line {} of {}", sent.number, sent.path);
    }
}

fn divide(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    match data.windows(NEXT.len()).position(|part| part == NEXT) {
        Some(at) => (&data[..at], Some(&data[at + NEXT.len()..])),
        None => (data, None),
    }
}

/// What a repository holds, and what was asked for of it, in that order.
struct Given<'d> {
    own: &'d [u8],
    other: Option<&'d [u8]>,
    asked: Vec<RepoPath>,
}

impl Given<'_> {
    fn bytes(&self, path: &RepoPath) -> Option<&[u8]> {
        if self.asked.first() == Some(path) { Some(self.own) } else { self.other }
    }
}

/// The lines of a file, as far as they can be told without reading it as the extractor does: with a
/// mark at its start, it may be in another encoding.
fn lines(bytes: &[u8]) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(bytes);
    if text.starts_with(['\u{FEFF}', '\u{FFFD}']) {
        return None;
    }
    let mut lines: Vec<String> =
        text.split('\n').map(|l| l.trim_end_matches('\r').replace('\r', " ")).collect();
    if text.ends_with('\n') {
        lines.pop();
    }
    Some(lines)
}

/// Each refusal has its reason in the input.
fn refused(none: &NoExcerpt, asked: &Asked, given: &Given<'_>, limits: Limits) {
    let lines = lines(given.own);
    let first = asked.lines().map(|lines| lines.start);
    let count = lines.as_ref().map(|lines| u32::try_from(lines.len()).unwrap_or(u32::MAX));
    let holds = match none.why.as_str() {
        "the file is binary" => count.is_none() || given.own.contains(&0),
        "the file is empty" => count.is_none() || given.own.is_empty(),
        "the finding names no line" => asked.names_no_line() && limits.ceiling < Rung::File,
        // Its path, its number and fifty columns of up to four bytes.
        "the budget does not hold the finding's first line" => limits.budget < 150,
        // Without a line of its own, it is where its flow ends.
        why if why.starts_with("the finding is on line ") => {
            first.zip(count).is_none_or(|(first, all)| first > all)
        }
        _ => false,
    };
    assert!(holds, "refused for no reason: {}", none.why);
}

fn check(excerpt: &Excerpt, asked: &Asked, given: &Given<'_>, limits: Limits) {
    assert!(excerpt.cost(&Bytes) <= limits.budget, "over the budget");
    assert!(excerpt.rung() <= limits.ceiling, "over the ceiling");
    let mut seen: Vec<(&RepoPath, u32)> = Vec::new();
    let mut files: HashMap<&RepoPath, Option<Vec<String>>> = HashMap::new();
    for sent in excerpt.lines() {
        if let Some((path, number)) = seen.last().filter(|(path, _)| *path == &sent.path) {
            assert!(*number < sent.number, "line {} of {path} is out of order", sent.number);
        } else {
            let again = seen.iter().any(|(path, _)| *path == &sent.path);
            assert!(!again, "the lines of {} stand apart", sent.path);
        }
        seen.push((&sent.path, sent.number));
        assert!(given.asked.contains(&sent.path), "{} was not asked for", sent.path);
        let held = files.entry(&sent.path).or_insert_with(|| lines(given.bytes(&sent.path)?));
        if let Some(held) = held.as_ref().filter(|_| !sent.text.expose().contains('…')) {
            let there = held.get(sent.number as usize - 1).map(String::as_str);
            assert_eq!(there, Some(sent.text.expose()), "line {} is made up", sent.number);
        }
    }
    the_finding_is_there(excerpt, asked, given);
}

/// Its lines come first: where one is missing, no other that is not of the finding is there.
fn the_finding_is_there(excerpt: &Excerpt, asked: &Asked, given: &Given<'_>) {
    let Some(range) = asked.lines() else { return };
    let own = asked.path();
    let shown = |line: u32| excerpt.line(own, line).is_some();
    assert!(shown(range.start), "the finding's first line is not there");
    let Some(all) = lines(given.own).and_then(|lines| u32::try_from(lines.len()).ok()) else {
        return;
    };
    let range = LineRange::new(range.start, range.end.min(all).max(range.start));
    let is_first = |line: u32| range.contains(line) && line - range.start < FIRST_LINES;
    let missing = (range.start..=range.end).filter(|line| is_first(*line)).find(|l| !shown(*l));
    let others = excerpt.lines().iter().filter(|l| &l.path != own || !is_first(l.number));
    if let Some(missing) = missing {
        assert_eq!(others.count(), 0, "line {missing} of the finding is not there");
        let cut = excerpt.notes().iter().any(|note| note.starts_with("cut to the budget"));
        let narrow = excerpt.notes().iter().any(|note| note.starts_with("long lines"));
        assert!(cut || narrow, "line {missing} of the finding is left out and nothing says so");
    }
}

fn excerpt(asked: &Asked, given: &mut Given<'_>, limits: Limits) -> Result<Excerpt, NoExcerpt> {
    let mut extraction = Extractor::new(Arc::new(Bytes))
        .start(&asked.finding, limits)
        .changing(asked.changed.iter().cloned())
        .needing(asked.needs.iter().cloned());
    for _ in 0..100 {
        match extraction.next() {
            Step::Want(path) => {
                assert!(!given.asked.contains(&path), "{path} is asked for twice");
                given.asked.push(path.clone());
                let answer = given.bytes(&path).map_or(Answer::Missing, Answer::Found);
                extraction.give(&path, answer);
            }
            Step::List(folder) => {
                assert!(limits.listing, "no names may be asked for");
                extraction.give_names(&folder, &NAMES);
            }
            Step::Done(outcome) => {
                assert!(extraction.requests() <= limits.content_requests, "too many requests");
                assert!(extraction.listings() <= limits.content_requests, "too many listings");
                return *outcome;
            }
        }
    }
    panic!("the dialogue does not end");
}
