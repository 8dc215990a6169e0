//! Of a long file, the parts worth parsing: cut by indentation into items, and kept are those that
//! the finding is in, what these name, and who names them. All else becomes blanks, so that rows and
//! bytes stay where they were.

use std::collections::{HashMap, HashSet};

use crate::{lines::SourceFile, window::holds};

/// Lines up to which a file is parsed whole.
const SHORT: u32 = 1_500;

/// Lines of an item beyond which it is cut further.
const LONG: usize = 120;

/// Lines of an item that is kept whatever it says: fields, constants, imports.
const SMALL: usize = 3;

/// Lines that are kept at most.
const ROOM: usize = 3_000;

/// Items of one name beyond which the name tells nothing.
const COMMON: usize = 4;

/// How often what is kept leads to more.
const DEEP: usize = 3;

/// Levels of items within items.
const NESTED: usize = 4;

/// What is asked of a file.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// Rows, from 0.
    pub(crate) rows: Vec<u32>,
    /// Names whose definitions matter.
    pub(crate) names: Vec<String>,
    /// Names whose callers matter.
    pub(crate) called: Vec<String>,
}

/// Lines that belong together, from 0; the end is not part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Item {
    start: usize,
    end: usize,
}

/// The text to parse, where that is less than the whole.
pub(crate) fn text(file: &SourceFile, interest: &Interest) -> Option<String> {
    if file.len() <= SHORT {
        return None;
    }
    let lines: Vec<&str> = (1..=file.len()).map(|number| file.line(number)).collect();
    let mut items = Vec::new();
    let mut frame = vec![true; lines.len()];
    cut(&lines, Item { start: 0, end: lines.len() }, NESTED, &mut items);
    let kept = keep(file, &lines, &items, interest);
    for item in &items {
        let keep = kept.contains(item) || item.end - item.start <= SMALL;
        frame.iter_mut().take(item.end).skip(item.start).for_each(|line| *line = keep);
    }
    Some(blank(file.text(), &frame))
}

/// Of a page, the script that a row stands in.
pub(crate) fn script(file: &SourceFile, row: u32) -> Option<String> {
    let row = row as usize;
    let at = |number: usize| file.line(u32::try_from(number + 1).unwrap_or(u32::MAX));
    let opens = |line: &str| line.contains("<script") && !line.contains("</script");
    let first = (0..row).rev().find(|number| at(*number).contains("script"))?;
    if !opens(at(first)) || opens(at(row)) || at(row).contains("</script") {
        return None;
    }
    let lines = file.len() as usize;
    let last = (row..lines).find(|number| at(*number).contains("</script")).unwrap_or(lines);
    let kept: Vec<bool> = (0..lines).map(|number| first < number && number < last).collect();
    Some(blank(file.text(), &kept))
}

/// Cuts `whole` into items; what is left of it is the frame around them.
fn cut(lines: &[&str], whole: Item, nested: usize, items: &mut Vec<Item>) {
    let inside = lines.iter().enumerate().take(whole.end).skip(whole.start);
    let filled = inside.filter(|(_, line)| !line.trim().is_empty());
    let first = indent(lines.get(whole.start).copied().unwrap_or_default());
    let outermost = nested == NESTED;
    let inner = filled.clone().filter(|(_, line)| outermost || indent(line) > first);
    let Some(level) = inner.map(|(_, line)| indent(line)).min() else {
        return items.push(whole);
    };
    for item in at_level(level, filled) {
        match nested > 0 && item.end - item.start > LONG {
            true => cut(lines, item, nested - 1, items),
            false => items.push(item),
        }
    }
}

/// The items that begin at an indentation.
fn at_level<'l>(level: usize, lines: impl Iterator<Item = (usize, &'l &'l str)>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let (mut open, mut only_head) = (false, false);
    for (at, line) in lines {
        let (deep, line) = (indent(line), line.trim_start());
        if deep < level {
            open = false;
            continue;
        }
        let goes_on = open && (deep > level || only_head || is_rest(line));
        match items.last_mut().filter(|_| goes_on) {
            Some(item) => item.end = at + 1,
            None => items.push(Item { start: at, end: at + 1 }),
        }
        only_head = is_head(line) && (only_head || !goes_on) && deep == level;
        open = true;
    }
    items
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a line only leads to what follows: a decorator, a remark.
fn is_head(line: &str) -> bool {
    ["@", "[", "#", "//", "/*", "*", "--", "template"].iter().any(|mark| line.starts_with(mark))
}

/// Whether a line goes on with what stands before it.
fn is_rest(line: &str) -> bool {
    line.starts_with(['}', ')', ']', '{', '.', '?', ':', '&', '|'])
        || [
            "end", "else", "elif", "elsif", "except", "catch", "finally", "rescue", "ensure",
            "then", "do",
        ]
        .iter()
        .any(|word| {
            line.strip_prefix(word)
                .is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
}

/// The items that the interest leads to.
fn keep(file: &SourceFile, lines: &[&str], items: &[Item], interest: &Interest) -> HashSet<Item> {
    let mut by_name: HashMap<&str, Vec<Item>> = HashMap::new();
    for item in items {
        for name in defined(lines, *item) {
            by_name.entry(name).or_default().push(*item);
        }
    }
    let mut kept: HashSet<Item> = HashSet::new();
    let mut room = ROOM;
    let mut next: Vec<Item> = Vec::new();
    let at = |row: usize| items.iter().find(|i| i.start <= row && row < i.end).copied();
    next.extend(interest.rows.iter().filter_map(|row| at(*row as usize)));
    let named = interest.names.iter().filter_map(|name| by_name.get(name.as_str()));
    next.extend(named.filter(|found| found.len() <= COMMON).flatten().copied());
    let own: Vec<&str> = next.iter().flat_map(|item| defined(lines, *item)).collect();
    let called = interest.called.iter().map(String::as_str).chain(own);
    for name in called.filter(|name| name.len() > 2).take(8) {
        let rows = file
            .rows_with(name)
            .filter(|row| holds(lines.get(*row).copied().unwrap_or_default(), name));
        next.extend(rows.take(COMMON * 4).filter_map(at));
    }
    for _ in 0..=DEEP {
        let mut found = Vec::new();
        for item in std::mem::take(&mut next) {
            let size = item.end - item.start;
            if size > room || !kept.insert(item) {
                continue;
            }
            room -= size;
            let body = lines.get(item.start..item.end).unwrap_or_default();
            for word in body.iter().flat_map(|line| words(line)) {
                if let Some(more) = by_name.get(word).filter(|more| more.len() <= COMMON) {
                    found.extend(more.iter().filter(|item| !kept.contains(item)));
                }
            }
        }
        next = found;
    }
    kept
}

/// The names that an item may define: in its first lines, what stands before a bracket or a sign of
/// assignment, or after a word.
fn defined<'l>(lines: &[&'l str], item: Item) -> Vec<&'l str> {
    let body = lines.get(item.start..item.end).unwrap_or_default();
    let Some(head) = body
        .iter()
        .take(12)
        .find(|line| !is_head(line.trim_start()) && !is_rest(line.trim_start()))
    else {
        return Vec::new();
    };
    let before =
        head.find(['(', '=', ':', '{', '<']).and_then(|end| head.get(..end)).unwrap_or(head);
    words(before).collect::<Vec<_>>().into_iter().rev().take(2).collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| word.len() > 1)
}

/// The text with blanks in place of the lines that are not kept.
fn blank(text: &str, kept: &[bool]) -> String {
    let mut out = String::with_capacity(text.len());
    for (line, keep) in text.split_inclusive('\n').zip(kept) {
        if *keep {
            out.push_str(line);
        } else {
            let blanks = line.len() - usize::from(line.ends_with('\n'));
            out.extend(std::iter::repeat_n(' ', blanks));
            out.push_str(line.get(blanks..).unwrap_or_default());
        }
    }
    out
}
