//! Picks lines of one file by what its syntax says: a slice of the function, the function, and what
//! the file defines of the names in it.

mod definitions;
mod follow;
mod frame;
mod names;
mod slice;
mod tree;
mod units;

use std::time::Instant;

use chaffinch_core::{Reason, Rung};

use self::{
    definitions::Definitions,
    follow::{Follow, Name},
    frame::Frame,
    names::Space,
    tree::Tree,
    units::{Piece, Unit, Units},
};
use crate::{
    budget::{Pick, rank},
    language::{Language, Role},
    lines::SourceFile,
};

/// Rows around the finding in which nothing may be unreadable.
const BROKEN_REACH: u32 = 1;

/// Functions of a file in which the finding or its flow is that are looked at.
const FRAMES: usize = 8;

/// Rows of the finding and its flow for which these are looked for.
const STEPS: usize = 64;

/// Classes around a function whose heads are shown.
const CLASSES: usize = 4;

/// A file without functions is shown whole if its own statements are no more rows than this.
const SCRIPT: usize = 60;

/// What to look at in a file. Rows count from 0.
pub(crate) struct Focus<'f> {
    /// The rows that the scanner points at, or those of its steps.
    pub(crate) rows: &'f [(u32, u32)],
    /// Rows that its flow passes through.
    pub(crate) trace: &'f [u32],
    /// How much of the file may be sent.
    pub(crate) ceiling: Rung,
    /// When to stop parsing.
    pub(crate) deadline: Instant,
}

/// The lines of `file` that matter to the focus, ranked.
///
/// # Errors
/// Why the syntax tells nothing, in our own words.
pub(crate) fn picks(
    file: &SourceFile,
    language: &'static Language,
    focus: &Focus<'_>,
) -> Result<Vec<Pick>, &'static str> {
    let source = file.text();
    let tree = tree::parse(language, source, focus.deadline)?;
    if focus.rows.iter().any(|(row, _)| tree.is_broken_near(*row, BROKEN_REACH)) {
        return Err("its syntax near the finding is broken");
    }
    let mut reader = Reader { tree: &tree, source, file, focus, picks: Vec::new() };
    let definitions = match focus.ceiling >= Rung::Function {
        true => Some(Definitions::of(&tree, source)),
        false => None,
    };
    let mut frames: Vec<Frame> = Vec::new();
    let rows = focus.rows.iter().map(|(row, _)| (*row, true));
    let rows = rows.chain(focus.trace.iter().map(|row| (*row, false)));
    for (row, main) in rows.take(STEPS) {
        let frame = frame::around(&tree, row);
        let known = frames.len() == FRAMES || frames.iter().any(|f| f.piece == frame.piece);
        if !known && (main || !tree.is_broken_near(row, BROKEN_REACH)) {
            reader.frame(&frame, row, main, definitions.as_ref());
            frames.push(frame);
        }
    }
    Ok(reader.picks)
}

struct Reader<'t> {
    tree: &'t Tree,
    source: &'t str,
    file: &'t SourceFile,
    focus: &'t Focus<'t>,
    picks: Vec<Pick>,
}

impl<'t> Reader<'t> {
    /// The code around `row`. `main` says that the finding itself is there; of any other place only
    /// the slice is taken, and it needs a higher rung, being outside of the finding's function.
    fn frame(
        &mut self,
        frame: &Frame,
        row: u32,
        main: bool,
        definitions: Option<&Definitions<'t>>,
    ) {
        let (further, rung) = match main {
            true => (0, Rung::Slice),
            false => (rank::AROUND_ELSEWHERE, Rung::Function),
        };
        let names = self.slice(frame, further, rung);
        let Some(definitions) = definitions else { return };
        let mut hooks = Vec::new();
        if main {
            self.function(frame, row);
            hooks = self.classes(frame);
        }
        let known = frame.function.unwrap_or(frame.piece);
        let class = frame.classes.last().copied();
        let follow = Follow::new(self.tree, self.source, definitions, known, class);
        let lines = follow.run(names.into_iter().chain(hooks));
        self.picks.extend(lines.into_iter().filter(|p| self.file.has_code(p.line)));
    }

    /// The statements that the focus depends on; returns the names in them.
    fn slice(&mut self, frame: &Frame, further: u32, rung: Rung) -> Vec<Name<'t>> {
        let units = units::split(self.tree, self.source, frame.piece);
        let seeds = seeds(&units, self.focus);
        let distances = slice::backward(&units, &seeds);
        let shown = frame.function.map(|f| self.tree.node(f.scope).first_row);
        let mut names = Vec::new();
        for (index, (unit, steps)) in units.all.iter().zip(distances).enumerate() {
            let is_shown = unit.role.is_function() && Some(unit.first_row) == shown;
            let is_head = is_shown || (index == 0 && unit.role.is_function());
            let base = match steps {
                _ if is_shown => rank::SIGNATURE,
                Some(steps) => rank::SLICE + rank::STEP * steps,
                None if is_head => rank::OUTER_SIGNATURE,
                None => continue,
            };
            let base = base + further;
            let reason = if is_head { Reason::Signature } else { Reason::Function };
            let near = nearest(unit, self.focus);
            for row in &unit.rows {
                let line = row + 1;
                if self.file.has_code(line) {
                    let rank = base + row.abs_diff(near) / 4;
                    self.picks.push(Pick { line, rank, reason: reason.clone(), rung });
                }
            }
            names.extend(follow::names(unit, base, &units));
        }
        names
    }

    /// The rest of the function around `row`. What only these lines name is not followed.
    fn function(&mut self, frame: &Frame, row: u32) {
        let Some(piece) = frame.function else { return self.script(frame, row) };
        let (first, last) = rows(self.tree, piece);
        for at in first..=last {
            self.add(at, rank::FUNCTION + at.abs_diff(row), Reason::Function);
        }
    }

    /// Statements outside of functions, for a finding that is in none.
    fn script(&mut self, frame: &Frame, row: u32) {
        let units = units::split(self.tree, self.source, frame.piece);
        let own = |u: &&Unit<'_>| !u.role.is_function() && u.role != Role::Class;
        let rows: Vec<u32> =
            units.all.iter().filter(own).flat_map(|u| u.rows.iter().copied()).collect();
        let small = rows.len() <= SCRIPT;
        for at in rows.into_iter().filter(|at| small || at.abs_diff(row) <= 10) {
            self.add(at, rank::FUNCTION + at.abs_diff(row), Reason::Window);
        }
    }

    /// The heads of the classes around the function, and what they run around it; returns the names
    /// of that.
    fn classes(&mut self, frame: &Frame) -> Vec<Name<'t>> {
        let mut names = Vec::new();
        let function =
            frame.function.and_then(|f| definitions::name_of(self.tree, self.source, f.scope));
        for class in frame.classes.iter().rev().take(CLASSES) {
            let scope = *class;
            let piece = frame::whole(self.tree, scope);
            let units = units::split(self.tree, self.source, Piece { from: piece.from, scope });
            let head = units.all.first().map(|u| u.rows.clone()).unwrap_or_default();
            for row in head.iter().take(8) {
                self.add(*row, rank::CLASS, Reason::Signature);
            }
            for unit in units.all.iter().skip(1).filter(|u| is_hook(self.tree, u, function)) {
                for row in unit.rows.iter().take(8) {
                    self.add(*row, rank::HOOK, Reason::Signature);
                }
                // What comes after the first key says when, not what.
                names.extend(
                    unit.symbols.iter().map_while(|s| s.strip_prefix(':')).map(|text| Name {
                        text,
                        space: Space::Own,
                        rank: rank::HOOK,
                        called: true,
                    }),
                );
            }
        }
        names
    }

    fn add(&mut self, row: u32, rank: u32, reason: Reason) {
        let line = row + 1;
        if self.file.has_code(line) {
            self.picks.push(Pick { line, rank, reason, rung: Rung::Function });
        }
    }
}

/// The units in which the focus is, and how many steps away they start.
fn seeds(units: &Units<'_>, focus: &Focus<'_>) -> Vec<(usize, u32)> {
    let hits = |unit: &Unit<'_>, first: u32, last: u32| {
        unit.rows.range(first..=last.max(first)).next().is_some()
    };
    let mut seeds = Vec::new();
    for (index, unit) in units.all.iter().enumerate() {
        if focus.rows.iter().any(|(first, last)| hits(unit, *first, *last)) {
            seeds.push((index, 0));
        } else if focus.trace.iter().any(|row| hits(unit, *row, *row)) {
            seeds.push((index, 1));
        }
    }
    seeds
}

/// The row of the focus that is nearest to the unit.
fn nearest(unit: &Unit<'_>, focus: &Focus<'_>) -> u32 {
    let inside = |row: &u32| focus.rows.iter().any(|(first, last)| (first..=last).contains(&row));
    let first = unit.rows.first().copied().unwrap_or_default();
    unit.rows.iter().copied().find(inside).unwrap_or(first)
}

/// Whether a statement of a class body says what runs around `function`, or when it runs.
fn is_hook(tree: &Tree, unit: &Unit<'_>, function: Option<&str>) -> bool {
    let is_function = |symbol: &str| symbol.strip_prefix(':').is_some_and(|s| Some(s) == function);
    let called = unit.mentions.first().filter(|m| m.called);
    let named = called.is_some_and(|m| tree.language.hooks.contains(&m.text));
    let limited = unit.symbols.contains(&"only") || !named;
    called.is_some() && (!limited || unit.symbols.iter().any(|s| is_function(s)))
}

/// The rows of a piece.
fn rows(tree: &Tree, piece: Piece) -> (u32, u32) {
    (tree.node(piece.from).first_row, tree.node(piece.scope).last_row)
}
