//! Where else in its file the finding's lines show: what they import or define for the whole file,
//! and the literal keys under which they keep or read a value.

use std::collections::BTreeSet;

use chaffinch_core::{Reason, Rung};

use super::{
    definitions::{Definitions, name_of},
    forward, frame,
    imports::imports,
    tree::Tree,
    units,
};
use crate::{
    budget::{Pick, rank},
    language::Role,
    lines::SourceFile,
};

/// Places that are shown.
const MANY: usize = 4;

/// A key that is in more places than this tells nothing.
const COMMON: usize = 8;

/// Nodes between a key and what it is looked up in.
const NEAR: usize = 3;

/// What other lines must hold to be shown.
#[derive(Default)]
struct Sought<'t> {
    names: BTreeSet<String>,
    keys: BTreeSet<&'t str>,
}

/// The statements outside of the function around the rows that use what these give to the file.
pub(crate) fn uses(
    tree: &Tree,
    file: &SourceFile,
    rows: (u32, u32),
    near: &BTreeSet<u32>,
    definitions: &Definitions<'_>,
) -> Vec<Pick> {
    let source = file.text();
    let inside = |row: u32| rows.0 <= row && row <= rows.1;
    let mut sought = Sought::default();
    for import in imports(tree, source).into_iter().filter(|i| inside(i.row)) {
        sought.names.extend(import.names);
    }
    sought.names.extend(definitions.values_on(tree, rows).map(str::to_owned));
    sought.keys.extend(keys(tree, source, near));
    if sought.names.is_empty() && sought.keys.is_empty() {
        return Vec::new();
    }
    let own = frame::around(tree, rows.0).function.map(|function| function.rows(tree));
    let known = |row: u32| inside(row) || own.is_some_and(|(from, to)| from <= row && row <= to);
    let mut found = scan(tree, source, &sought, &known);
    // What is kept in a value of the file shows where that one is used; a function that uses it,
    // where that one is called.
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (row, name) in found.iter().take(MANY) {
        match frame::around(tree, *row).function {
            None => names.extend(definitions.values_on(tree, (*row, *row)).map(str::to_owned)),
            Some(function) if sought.names.contains(name) => {
                names.extend(name_of(tree, source, function.scope).map(str::to_owned));
            }
            Some(_) => {}
        }
    }
    if !names.is_empty() {
        let new = |row: u32| known(row) || found.iter().any(|(known, _)| *known == row);
        let further = scan(tree, source, &Sought { names, keys: BTreeSet::new() }, &new);
        found.extend(further);
    }
    if found.len() > COMMON && sought.names.is_empty() {
        return Vec::new();
    }
    let shown = found.into_iter().take(MANY).enumerate();
    shown.flat_map(|(number, (row, name))| picks(tree, file, row, number, &name)).collect()
}

/// The literal keys in some rows.
pub(crate) fn keys<'t>(
    tree: &Tree,
    source: &'t str,
    rows: &BTreeSet<u32>,
) -> impl Iterator<Item = &'t str> {
    let on_rows = |i: &usize| rows.contains(&tree.node(*i).first_row);
    (0..tree.len()).filter(on_rows).filter_map(|i| key(tree, source, i))
}

/// Where another file keeps or reads a value under one of these keys.
pub(crate) fn under(tree: &Tree, file: &SourceFile, keys: &[String]) -> Vec<Pick> {
    let keys = keys.iter().map(String::as_str).collect();
    let sought = Sought { names: BTreeSet::new(), keys };
    let found = scan(tree, file.text(), &sought, &|_| false);
    let found = if found.len() > COMMON { Vec::new() } else { found };
    let shown = found.into_iter().take(MANY).enumerate();
    shown.flat_map(|(number, (row, name))| picks(tree, file, row, number, &name)).collect()
}

/// The rows that hold what is sought, each with what it holds.
fn scan(
    tree: &Tree,
    source: &str,
    sought: &Sought<'_>,
    known: &dyn Fn(u32) -> bool,
) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut at = 0;
    while at < tree.len() {
        let node = tree.node(at);
        if matches!(node.role, Role::Comment | Role::Import) {
            at = tree.after(at);
            continue;
        }
        let text = tree.text(at, source);
        let defines = || tree.parent(at).is_some_and(|above| tree.node(above).role.is_function());
        let name = node.role == Role::Name && sought.names.contains(text) && !defines();
        let key = key(tree, source, at).filter(|key| sought.keys.contains(key));
        if let Some(hit) = key.or(name.then_some(text)).filter(|_| !known(node.first_row))
            && found.last().is_none_or(|(row, _)| *row != node.first_row)
        {
            found.push((node.first_row, hit.to_owned()));
        }
        at += 1;
    }
    found
}

fn picks(tree: &Tree, file: &SourceFile, row: u32, number: usize, name: &str) -> Vec<Pick> {
    let frame = frame::around(tree, row);
    let units = units::split(tree, file.text(), frame.piece);
    let base = rank::SLICE + rank::ECHO + 4 * u32::try_from(number).unwrap_or_default();
    let head = frame.function.map(|f| tree.node(f.scope).first_row).filter(|head| *head != row);
    let seed = units.all.iter().rposition(|unit| unit.rows.contains(&row));
    let own = seed.and_then(|seed| units.all.get(seed));
    let own = own.into_iter().flat_map(|unit| unit.rows.iter().map(move |row| (*row, base)));
    // And what is done there with the value.
    let seeds: Vec<(usize, u32)> =
        seed.filter(|_| head.is_some()).map(|seed| (seed, 0)).into_iter().collect();
    let after = units.all.iter().zip(forward::forward(&units, &seeds));
    let after = after.filter(|(_, after)| after.steps == Some(1));
    let after = after.flat_map(|(unit, _)| unit.rows.iter().map(|row| (*row, base + rank::STEP)));
    let own = own.chain(after);
    let rows = own.chain(head.map(|head| (head, base + rank::STEP)));
    let reason = || Reason::Use(name.to_owned());
    rows.filter(|(row, _)| file.has_code(row + 1))
        .map(|(row, rank)| Pick { line: row + 1, rank, reason: reason(), rung: Rung::Function })
        .collect()
}

/// A literal that something is looked up by: in brackets, or the first thing handed to a call.
fn key<'t>(tree: &Tree, source: &'t str, at: usize) -> Option<&'t str> {
    let node = tree.node(at);
    if !matches!(node.role, Role::Text | Role::Symbol) {
        return None;
    }
    let text = tree.text(at, source).trim_matches(['"', '\'', '`', ':']);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if text.len() < 4 || text.len() > 40 || !text.chars().all(plain) {
        return None;
    }
    let language = tree.language.compiled();
    let mut below = at;
    for above in tree.ancestors(at).take(NEAR) {
        let around = tree.node(above);
        if around.role == Role::Element {
            return Some(text).filter(|_| tree.node(below).start > around.start);
        }
        if language.is_arguments(around.kind, around.field) {
            return Some(text).filter(|_| tree.children(above).next() == Some(below));
        }
        below = above;
    }
    None
}
