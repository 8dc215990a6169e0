//! Lines near the finding, where no grammar tells more.

use chaffinch_core::{LineRange, Reason, Rung};

use crate::{
    budget::{Pick, rank},
    lines::SourceFile,
};

/// Lines either side that count as the slice.
const NEAR: u32 = 3;

/// Lines either side that count as the function.
const FAR: u32 = 10;

/// Lines back to which the heads of the blocks around the finding are looked for.
const HEADS: u32 = 400;

/// How many of those heads are taken.
const MANY: usize = 8;

/// The lines around `lines`, nearest first, and the lines above that are indented less and less:
/// in most languages these are the heads of what stands around it.
pub(crate) fn picks(file: &SourceFile, lines: LineRange) -> Vec<Pick> {
    let mut picks = Vec::new();
    let mut add = |line: u32, rank: u32, near: bool| {
        if (1..=file.len()).contains(&line) && !file.line(line).trim().is_empty() {
            let rung = if near { Rung::Slice } else { Rung::Function };
            picks.push(Pick { line, rank, reason: Reason::Window, rung });
        }
    };
    for distance in 1..=FAR {
        let rank = rank::SLICE + 2 * distance;
        add(lines.start.saturating_sub(distance), rank, distance <= NEAR);
        add(lines.end.saturating_add(distance), rank + 1, distance <= NEAR);
    }
    for head in heads(file, lines.start) {
        add(head, rank::SLICE + 2 * NEAR, false);
    }
    picks
}

/// Whether a line holds `name` as a word.
pub(crate) fn holds(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + name.len()..).unwrap_or_default();
        !name.is_empty() && !before.ends_with(part) && !after.starts_with(part)
    })
}

/// The lines above that hold the line `start`, by indentation, the nearest first.
pub(crate) fn heads(file: &SourceFile, start: u32) -> Vec<u32> {
    let indent = |line: u32| {
        let text = file.line(line);
        text.len() - text.trim_start().len()
    };
    let mut heads = Vec::new();
    let mut depth = indent(start);
    for line in (start.saturating_sub(HEADS).max(1)..start).rev() {
        if depth == 0 || heads.len() == MANY {
            break;
        }
        if file.has_code(line) && indent(line) < depth {
            depth = indent(line);
            heads.push(line);
        }
    }
    heads
}
