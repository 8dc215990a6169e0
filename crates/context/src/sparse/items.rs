//! Lines → items, by indentation.

use std::ops::Range;

use super::Room;
use crate::lines::SourceFile;

/// Lines of an item beyond which it is cut further.
pub(super) const LONG: usize = 120;

/// Levels of items within items.
const NESTED: usize = 4;

/// Lines of what is around items that are kept at either end.
const FRAME: usize = 20;

/// Lines that belong together, from 0; the end is not part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Item {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    fn holds(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Some lines of a file, cut into items.
pub(super) struct Cut<'f> {
    pub(super) file: &'f SourceFile,
    /// In the order of their lines; none overlaps another.
    pub(super) items: Vec<Item>,
    /// What was cut further: each is more than the items in it.
    around: Vec<Item>,
}

impl<'f> Cut<'f> {
    pub(super) fn of(file: &'f SourceFile, rows: Range<usize>, long: usize) -> Self {
        let mut cut = Self { file, items: Vec::new(), around: Vec::new() };
        cut.further(Item { start: rows.start, end: rows.end }, NESTED, long);
        cut
    }

    /// Cuts `whole` into items; what is left of it is the frame around them.
    fn further(&mut self, whole: Item, nested: usize, long: usize) {
        let file = self.file;
        let lines = (whole.start..whole.end).map(|row| (row, file.row(row)));
        let filled = lines.filter(|(_, line)| !line.trim().is_empty());
        let first = indent(file.row(whole.start));
        let outermost = nested == NESTED;
        let inner = filled.clone().map(|(_, line)| indent(line));
        let Some(level) = inner.filter(|indent| outermost || *indent > first).min() else {
            return self.items.push(whole);
        };
        for item in at_level(level, filled) {
            if nested > 0 && item.len() > long {
                self.around.push(item);
                self.further(item, nested - 1, long);
            } else {
                self.items.push(item);
            }
        }
    }

    /// The item that a row is in.
    pub(super) fn at(&self, row: usize) -> Option<Item> {
        let after = self.items.partition_point(|item| item.end <= row);
        self.items.get(after).copied().filter(|item| item.start <= row)
    }

    /// Where the innermost thing around a row begins that was cut further.
    pub(super) fn around(&self, row: usize) -> Option<usize> {
        let holds = |around: &&Item| around.start <= row && row < around.end;
        self.around.iter().rev().find(holds).map(|around| around.start)
    }

    /// The rows of what is around `items`, which are in order, and of no item themselves.
    pub(super) fn frames(&self, items: &[Item], mut room: Room) -> Vec<usize> {
        let mut rows = Vec::new();
        for around in &self.around {
            let from = items.partition_point(|item| item.start < around.start);
            if items.get(from).is_none_or(|item| !around.holds(*item)) {
                continue;
            }
            let own =
                |row: &usize| self.at(*row).is_none() && !self.file.row(*row).trim().is_empty();
            let own: Vec<usize> = (around.start..around.end).filter(own).collect();
            let (first, rest) = own.split_at(own.len().min(FRAME));
            let last = rest.split_at(rest.len().saturating_sub(FRAME)).1;
            let bytes = |row: &usize| self.file.bytes(&(*row..*row + 1));
            let ends = || first.iter().chain(last);
            if room.take(ends().count(), ends().map(bytes).sum()) {
                rows.extend(ends());
            }
        }
        rows
    }

    pub(super) fn bytes(&self, item: Item) -> usize {
        self.file.bytes(&(item.start..item.end))
    }

    /// The names that an item may define: in its first lines, what stands before a bracket or a
    /// sign of assignment, or after a word.
    pub(super) fn defined(&self, item: Item) -> impl Iterator<Item = &'f str> + use<'f> {
        let file = self.file;
        let mut lines = (item.start..item.end).take(12).map(|row| file.row(row));
        let head = lines.find(|line| !is_head(line.trim_start()) && !is_rest(line.trim_start()));
        let head = head.unwrap_or_default();
        let end = head.find(['(', '=', ':', '{', '<']).unwrap_or(head.len());
        let before = head.get(..end).unwrap_or_default();
        before.rsplit(is_no_word).filter(|word| word.len() > 1).take(2)
    }

    /// The words in an item.
    pub(super) fn words(&self, item: Item) -> impl Iterator<Item = &'f str> + use<'f> {
        let file = self.file;
        let lines = (item.start..item.end).map(|row| file.row(row));
        lines.flat_map(|line| line.split(is_no_word)).filter(|word| word.len() > 1)
    }
}

/// The items that begin at an indentation.
fn at_level<'l>(level: usize, lines: impl Iterator<Item = (usize, &'l str)>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let (mut open, mut only_head) = (false, false);
    for (at, line) in lines {
        let (deep, line) = (indent(line), line.trim_start());
        // Within a function they stand at the edge all the same; around one they hold no code.
        if is_condition(line) {
            continue;
        }
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
        || line.trim_end().strip_suffix(':').is_some_and(|label| !label.contains(is_no_word))
}

/// Whether a line is for the preprocessor, and says which lines count.
fn is_condition(line: &str) -> bool {
    ["#if", "#el", "#endif", "#region", "#endregion"].iter().any(|mark| line.starts_with(mark))
}

fn is_no_word(c: char) -> bool {
    !(c.is_alphanumeric() || c == '_' || c == '$')
}
