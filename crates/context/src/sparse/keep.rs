//! Which items of a long file are kept.

use std::collections::{BTreeSet, HashMap};

use super::{
    Interest, Room,
    items::{Cut, Item, LONG},
};
use crate::window::holds;

/// Lines of an item that may be kept whatever it says: fields, constants, imports.
const SMALL: usize = 3;

/// Lines of small items that stand right behind each other and are kept together: a remark or a
/// text at the edge of the file is not torn.
const BLOCK: usize = 24;

/// Items of one name beyond which the name tells nothing, but where it stands.
const COMMON: usize = 4;

/// How often what is kept leads to more.
const DEEP: usize = 3;

/// Lines at the start of a file that matter wherever the finding is.
const TOP: usize = 12;

/// What brings names from elsewhere, and what says which language it is.
const BRINGS: [&str; 9] =
    ["import ", "from ", "use ", "using ", "require", "#include", "include", "package ", "<?"];

/// The share of the room that lines which bring names may take, and what is around items.
const SHARE: usize = 4;

/// What is kept so far.
struct Kept<'c, 'f> {
    cut: &'c Cut<'f>,
    items: BTreeSet<Item>,
    room: Room,
    /// What is set aside for the heads and ends of what is around the items.
    frames: Room,
}

impl<'c, 'f> Kept<'c, 'f> {
    fn new(cut: &'c Cut<'f>, room: Room) -> Self {
        let frames = room.share(SHARE);
        Self { cut, items: BTreeSet::new(), room: room.less(frames), frames }
    }

    /// Keeps an item, as far as there is room; says whether it is new.
    fn add(&mut self, item: Item) -> bool {
        !self.items.contains(&item)
            && self.room.take(item.len(), self.cut.bytes(item))
            && self.items.insert(item)
    }

    /// Keeps the blocks that there is room for.
    fn add_blocks(&mut self, blocks: &[&[Item]]) {
        for block in blocks {
            let new = || block.iter().filter(|item| !self.items.contains(item));
            let lines = new().map(|item| item.len()).sum();
            if self.room.holds(lines, new().map(|item| self.cut.bytes(*item)).sum()) {
                block.iter().for_each(|item| _ = self.add(*item));
            }
        }
    }

    /// Of an item that is too long, keeps what is around `row`, and its first and last line.
    fn add_around(&mut self, item: Item, row: usize) -> Item {
        let (mut start, mut end) = (row, row);
        let mut room = self.room.share(SHARE);
        let fits = |room: &mut Room, row: usize| {
            let own = row >= item.start && row < item.end;
            own && room.take(1, self.cut.bytes(Item { start: row, end: row + 1 }))
        };
        loop {
            let below = fits(&mut room, end);
            end += usize::from(below);
            let above = start.checked_sub(1).is_some_and(|row| fits(&mut room, row));
            start -= usize::from(above);
            if !below && !above {
                break;
            }
        }
        let part = Item { start, end: end.max(row + 1) };
        self.add(part);
        for edge in [item.start, item.end - 1] {
            if edge < start || edge >= end {
                self.add(Item { start: edge, end: edge + 1 });
            }
        }
        part
    }

    /// The rows that are kept, with what is around them.
    fn rows(self) -> BTreeSet<usize> {
        let items: Vec<Item> = self.items.into_iter().collect();
        let mut rows: BTreeSet<usize> = self.cut.frames(&items, self.frames).into_iter().collect();
        rows.extend(items.iter().flat_map(|item| item.start..item.end));
        rows
    }
}

/// The rows of the items that the interest leads to, and of the small ones nearest to these.
pub(super) fn wide(cut: &Cut<'_>, interest: &Interest, room: Room) -> BTreeSet<usize> {
    let by_name = by_name(cut);
    let mut kept = Kept::new(cut, room);
    let own = own(&mut kept, interest);
    let named = interest.names.iter().filter_map(|name| by_name.get(name.as_str()));
    let named = named.filter(|found| found.len() <= COMMON).flatten();
    let mut next: Vec<Item> = own.iter().chain(named).copied().collect();
    let names: Vec<&str> = next.iter().flat_map(|item| cut.defined(*item)).collect();
    let called = interest.called.iter().map(String::as_str).chain(names);
    for name in called.filter(|name| name.len() > 2).take(8) {
        let rows = cut.file.rows_with(name).filter(|row| holds(cut.file.row(*row), name));
        next.extend(rows.take(COMMON * 4).filter_map(|row| cut.at(row)));
    }
    let anchors: BTreeSet<usize> = next.iter().map(|item| item.start).collect();
    for depth in 0..=DEEP {
        let mut found = Vec::new();
        for item in std::mem::take(&mut next) {
            let known = depth == 0 && kept.items.contains(&item);
            if !known && !kept.add(item) {
                continue;
            }
            for word in cut.words(item) {
                let Some(more) = by_name.get(word) else { continue };
                match more.len() <= COMMON {
                    true => found.extend(more.iter().filter(|item| !kept.items.contains(item))),
                    // What is set again and again was last set right before.
                    false => {
                        let before = more.partition_point(|other| other.start < item.start);
                        let last = before.checked_sub(1).and_then(|at| more.get(at));
                        found.extend(last.filter(|_| depth == 0));
                    }
                }
            }
        }
        next = found;
    }
    fill(&mut kept, &anchors);
    kept.rows()
}

/// The rows of the items nearest to the interest, of any size.
pub(super) fn narrow(cut: &Cut<'_>, interest: &Interest, room: Room) -> BTreeSet<usize> {
    let mut kept = Kept::new(cut, room);
    let own = own(&mut kept, interest);
    for item in own {
        let at = cut.items.partition_point(|other| other.start < item.start);
        let (mut before, mut after) = (at, at + 1);
        loop {
            let above = before.checked_sub(1).and_then(|at| cut.items.get(at));
            let up = above.is_some_and(|item| kept.add(*item));
            before -= usize::from(up);
            let down = cut.items.get(after).is_some_and(|item| kept.add(*item));
            after += usize::from(down);
            if !up && !down {
                break;
            }
        }
    }
    kept.rows()
}

/// The items that the rows of the interest are in: they are kept.
fn own(kept: &mut Kept<'_, '_>, interest: &Interest) -> Vec<Item> {
    let mut own = Vec::new();
    for row in interest.rows.iter().map(|row| *row as usize) {
        let Some(item) = kept.cut.at(row) else {
            if row < kept.cut.file.len() as usize {
                kept.add(Item { start: row, end: row + 1 });
            }
            continue;
        };
        if own.iter().any(|known: &Item| known.start <= row && row < known.end) {
            continue;
        }
        let little = kept.room.holds(2 * item.len(), 2 * kept.cut.bytes(item));
        if (little || item.len() <= LONG) && kept.add(item) {
            own.push(item);
        } else {
            own.push(kept.add_around(item, row));
        }
    }
    own
}

/// The items by the names that they may define, in the order of their lines.
fn by_name<'f>(cut: &Cut<'f>) -> HashMap<&'f str, Vec<Item>> {
    let mut by_name: HashMap<&str, Vec<Item>> = HashMap::with_capacity(cut.items.len());
    for item in &cut.items {
        for name in cut.defined(*item) {
            by_name.entry(name).or_default().push(*item);
        }
    }
    by_name
}

/// Keeps what nothing leads to: lines that bring names, then what is near the anchors, and among that
/// the small items and what shares a function or class with an anchor.
fn fill(kept: &mut Kept<'_, '_>, anchors: &BTreeSet<usize>) {
    let cut = kept.cut;
    let first = cut.items.first().map_or(0, |item| item.start);
    let small: Vec<Item> = cut.items.iter().filter(|item| item.len() <= SMALL).copied().collect();
    let brings = |item: &&Item| {
        let line = cut.file.row(item.start).trim_start();
        item.start < first + TOP || BRINGS.iter().any(|word| line.starts_with(word))
    };
    let mut share = kept.room.share(SHARE);
    for item in small.iter().filter(brings) {
        if share.take(item.len(), cut.bytes(*item)) {
            kept.add(*item);
        }
    }
    let blocks = small.chunk_by(|one, next| one.end == next.start).flat_map(|b| b.chunks(BLOCK));
    let small = by_distance(blocks.collect(), anchors);
    let around: BTreeSet<usize> = anchors.iter().filter_map(|row| cut.around(*row)).collect();
    let sibling = |item: &&Item| cut.around(item.start).is_some_and(|a| around.contains(&a));
    let siblings = cut.items.iter().filter(sibling).map(std::slice::from_ref).collect();
    let siblings = by_distance(siblings, anchors);
    let rest = kept.room;
    kept.room = rest.share(2);
    kept.add_blocks(&small);
    kept.room = rest.less(rest.share(2).less(kept.room));
    kept.add_blocks(&siblings);
    kept.add_blocks(&small);
}

/// The blocks that are nearest to an anchor first.
fn by_distance<'i>(mut blocks: Vec<&'i [Item]>, anchors: &BTreeSet<usize>) -> Vec<&'i [Item]> {
    blocks.sort_by_cached_key(|block| {
        let start = block.first().map_or(0, |item| item.start);
        let above = anchors.range(..=start).next_back();
        let below = anchors.range(start..).next();
        let near = above.into_iter().chain(below).map(|at| at.abs_diff(start)).min();
        near.unwrap_or(start)
    });
    blocks
}
