//! What a class says about when its functions run: filters, guards, annotations.

use super::{
    follow::Name,
    frame::Frame,
    names::Space,
    tree::Tree,
    units::{self, Piece, Unit, Units},
};
use crate::{budget::rank, lines::SourceFile, window};

/// Rows of one hook, or of the head of a class.
const ROWS: usize = 8;

/// Annotations of the classes around a caller, and their hooks, that are shown.
const MANY: usize = 6;

/// The rows of the statements of a class body (its `units`) that say what runs around `function`, or when it runs,
/// and the names in them.
pub(super) fn of<'t>(
    tree: &Tree,
    units: &Units<'t>,
    function: Option<&str>,
) -> (Vec<u32>, Vec<Name<'t>>) {
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    for unit in units.all.iter().skip(1).filter(|unit| is_hook(tree, unit, function)) {
        rows.extend(unit.rows.iter().take(ROWS));
        // What comes after the first key says when, not what.
        names.extend(unit.symbols.iter().map_while(|s| s.strip_prefix(':')).map(|text| Name {
            text,
            space: Space::Own,
            rank: rank::HOOK,
            called: true,
            object: None,
        }));
    }
    (rows, names)
}

/// The rows in which the classes around a caller say who may call it.
pub(super) fn around_caller<'t>(
    tree: &Tree,
    file: &'t SourceFile,
    frame: &Frame,
    function: Option<&str>,
) -> (Vec<u32>, Vec<Name<'t>>) {
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    for class in frame.classes.iter().rev() {
        let head = (tree.node(*class).first_row..).take(ROWS);
        let annotates = |row: &u32| is_annotation(file.line(row + 1));
        rows.extend(head.take_while(annotates));
        let piece = Piece { from: *class, scope: *class };
        let (hooks, named) = of(tree, &units::split(tree, file.text(), piece), function);
        rows.extend(hooks);
        names.extend(named);
    }
    rows.truncate(MANY);
    (rows, names)
}

/// Whether a line in the head of a class stands before the class itself.
pub(super) fn is_annotation(line: &str) -> bool {
    line.trim_start().starts_with(['@', '[', '#'])
}

/// The rows of the head of a class that name it, or annotate it.
pub(super) fn head<'a>(
    file: &'a SourceFile,
    rows: impl Iterator<Item = u32> + 'a,
    name: Option<&'a str>,
) -> impl Iterator<Item = u32> + 'a {
    rows.take(ROWS).filter(move |row| {
        let text = file.line(row + 1);
        name.is_some_and(|name| window::holds(text, name)) || is_annotation(text)
    })
}

/// Whether a statement of a class body says what runs around `function`, or when it runs.
fn is_hook(tree: &Tree, unit: &Unit<'_>, function: Option<&str>) -> bool {
    let is_function = |symbol: &str| symbol.strip_prefix(':').is_some_and(|s| Some(s) == function);
    let called = unit.mentions.first().filter(|m| m.called);
    let named = called.is_some_and(|m| tree.language.hooks.contains(&m.text));
    let limited = unit.symbols.contains(&"only") || !named;
    called.is_some() && (!limited || unit.symbols.iter().any(|s| is_function(s)))
}
