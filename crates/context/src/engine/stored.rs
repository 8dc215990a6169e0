//! Where a file writes the tables that the finding's values are read from.

use std::collections::BTreeSet;

use chaffinch_core::{Reason, Rung};

use super::{frame, slice, tree::Tree, units};
use crate::{
    budget::{Pick, rank},
    language::Role,
    lines::SourceFile,
};

/// Places that are shown.
const MANY: usize = 3;

/// Steps of dependence that are shown of what is stored.
const FAR: u32 = 3;

/// Nodes between a literal and the arguments of the call that it is handed to.
const NEAR: usize = 4;

/// Bytes of a literal that are looked at.
const LONG: usize = 4_000;

/// Words before the name of a table that is read, or written.
const READS: &[&str] = &["from", "join"];
const WRITES: &[&str] = &["into", "update"];

/// The statements of the file that store what the `shown` rows read, but not those in `known` rows.
pub(super) fn writers(
    tree: &Tree,
    file: &SourceFile,
    shown: &BTreeSet<u32>,
    known: &dyn Fn(u32) -> bool,
    rung: Rung,
) -> Vec<Pick> {
    let source = file.text();
    let texts = |i: &usize| tree.node(*i).role == Role::Text;
    let is_shown = |i: &usize| {
        let node = tree.node(*i);
        shown.range(node.first_row..=node.last_row).next().is_some()
    };
    // What is only put together is not read here.
    let language = tree.language.compiled();
    let handed = |i: usize| language.is_arguments(tree.node(i).kind, tree.node(i).field);
    let read: BTreeSet<&str> = (0..tree.len())
        .filter(texts)
        .filter(is_shown)
        .filter(|i| tree.ancestors(*i).take(NEAR).any(handed))
        .flat_map(|i| tables(tree.text(i, source), READS))
        .collect();
    let mut found: Vec<(u32, &str)> = Vec::new();
    if !read.is_empty() {
        for at in (0..tree.len()).filter(texts).filter(|i| !is_shown(i)) {
            let row = tree.node(at).first_row;
            let table = tables(tree.text(at, source), WRITES).find(|table| read.contains(table));
            found.extend(table.filter(|_| !known(row)).map(|table| (row, table)));
        }
    }
    let mut picks = Vec::new();
    for (number, (row, name)) in found.into_iter().take(MANY).enumerate() {
        picks.extend(writer(tree, file, row, number, name, rung));
    }
    picks
}

/// A statement that stores something under `name`, what that comes from, and the head of its
/// function.
fn writer(
    tree: &Tree,
    file: &SourceFile,
    row: u32,
    number: usize,
    name: &str,
    rung: Rung,
) -> Vec<Pick> {
    let frame = frame::around(tree, row);
    let units = units::split(tree, file.text(), frame.piece);
    let Some(seed) = units.all.iter().rposition(|unit| unit.rows.contains(&row)) else {
        return Vec::new();
    };
    let base = rank::SLICE + rank::ECHO + 4 * u32::try_from(number).unwrap_or_default();
    let head = frame.function.map(|function| tree.node(function.scope).first_row);
    let mut picks = Vec::new();
    for (unit, reached) in units.all.iter().zip(slice::backward(&units, &[(seed, 0)])) {
        let is_head = unit.role.is_function() && Some(unit.first_row) == head;
        let Some(steps) = reached.steps.filter(|steps| *steps <= FAR).or(is_head.then_some(1))
        else {
            continue;
        };
        let rank = base + rank::STEP * steps;
        for row in unit.rows.iter().filter(|row| file.has_code(**row + 1)) {
            let reason = match reached.guards {
                true => Reason::Guard,
                false => Reason::Definition(name.to_owned()),
            };
            picks.push(Pick { line: row + 1, rank, reason, rung });
        }
    }
    picks
}

/// The tables that an SQL text names behind one of `words`.
fn tables<'t>(text: &'t str, words: &'static [&'static str]) -> impl Iterator<Item = &'t str> {
    let text = text.get(..text.floor_char_boundary(LONG)).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let parts = move || text.split(move |c: char| !is_word(c)).filter(|part| !part.is_empty());
    let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
    let sql = parts().any(|part| ["select", "insert", "update"].iter().any(|word| is(part, word)));
    let named = parts().zip(parts().skip(1)).filter(move |(before, table)| {
        sql && table.len() > 2 && words.iter().any(|word| is(before, word))
    });
    named.map(|(_, table)| table)
}
