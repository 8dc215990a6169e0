//! The code around a finding, ranked by how closely it depends on it.

use std::collections::BTreeSet;

use chaffinch_core::{Reason, Rung};

use super::{
    Focus, Reading,
    definitions::{self, Definitions},
    elsewhere,
    follow::{self, Follow, Name},
    forward,
    frame::{self, Frame},
    hooks, inner, slice, stored,
    tree::Tree,
    units::{self, Piece, Unit, Units},
    uses::{self, Use, Used},
};
use crate::{
    budget::{Pick, rank},
    language::Role,
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

/// Classes that one is made from that are looked at.
const BASES: usize = 3;

/// A file without functions is shown whole if its own statements are no more rows than this.
const SCRIPT: usize = 12;

/// A function is shown whole if it has no more rows than this.
const WHOLE: u32 = 16;

/// Of a longer one, so many rows either side of the finding.
const NEAR: u32 = 4;

/// Nodes at the start of a function in which its annotations are.
const HEAD: usize = 24;

/// The lines of `file` that matter to the focus, ranked.
///
/// # Errors
/// Why the syntax tells nothing, in our own words.
pub(crate) fn around(
    file: &SourceFile,
    tree: &Tree,
    focus: &Focus<'_>,
) -> Result<Reading, &'static str> {
    let source = file.text();
    if focus.rows.iter().any(|(row, _)| tree.is_broken_near(*row, BROKEN_REACH)) {
        return Err("its syntax near the finding is broken");
    }
    let (near, sliced, found) = (BTreeSet::new(), BTreeSet::new(), Reading::default());
    let mut reader = Reader { tree, source, file, focus, near, sliced, found };
    let definitions = match focus.ceiling >= Rung::Function {
        true => Some(Definitions::of(tree, source)),
        false => None,
    };
    let mut frames: Vec<Frame> = Vec::new();
    let rows = focus.rows.iter().map(|(row, _)| (*row, true));
    let rows = rows.chain(focus.trace.iter().map(|row| (*row, false)));
    for (row, main) in rows.take(STEPS) {
        let frame = frame::around(tree, row);
        let known = frames.len() == FRAMES || frames.iter().any(|f| f.piece == frame.piece);
        if !known && (main || !tree.is_broken_near(row, BROKEN_REACH)) {
            reader.frame(&frame, row, main, definitions.as_ref());
            frames.push(frame);
        }
    }
    if let Some((definitions, rows)) = definitions.as_ref().zip(focus.rows.first()) {
        let mut near = reader.near;
        near.extend(rows.0..=rows.1);
        reader.found.keys = elsewhere::keys(tree, source, &near).map(str::to_owned).collect();
        reader.found.picks.extend(elsewhere::uses(tree, file, *rows, &near, definitions));
        reader.sliced.retain(|row| !(rows.0..=rows.1).contains(row));
        let own = frame::around(tree, rows.0).function.map(|function| function.rows(tree));
        let known = |row: u32| own.is_some_and(|(first, last)| (first..=last).contains(&row));
        let stored = stored::writers(tree, file, &reader.sliced, &known, Rung::Function);
        reader.found.picks.extend(stored);
    }
    Ok(reader.found)
}

struct Reader<'t> {
    tree: &'t Tree,
    source: &'t str,
    file: &'t SourceFile,
    focus: &'t Focus<'t>,
    /// Rows that the finding depends on at once.
    near: BTreeSet<u32>,
    /// Rows that the finding's values come from.
    sliced: BTreeSet<u32>,
    found: Reading,
}

/// What the slice of a function leads to.
struct Sliced<'t> {
    /// The names in it.
    names: Vec<Name<'t>>,
    /// How far the parameters are that it comes from.
    parameters: Option<u32>,
    /// Whether the function returns what is made of the finding's value.
    returns: bool,
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
        let Sliced { mut names, parameters, returns } = self.slice(frame, further, rung);
        let Some(definitions) = definitions else { return };
        let mut hooks = Vec::new();
        if main {
            self.function(frame, row);
            hooks = self.classes(frame);
            names.extend(self.callers(frame, parameters, returns));
        }
        let known = frame.function.unwrap_or(frame.piece);
        let class = frame.classes.last().copied();
        let follow = Follow::new(
            self.tree,
            self.source,
            definitions,
            Some(known),
            class,
            Reason::Definition,
        );
        let followed = follow.run(names.into_iter().chain(hooks));
        let picks = followed.picks.into_iter().filter(|p| self.file.has_code(p.line));
        let picks: Vec<Pick> = picks.collect();
        let near = picks.iter().filter(|pick| pick.rank < rank::REST);
        self.sliced.extend(near.map(|pick| pick.line - 1));
        self.found.picks.extend(picks);
        self.found.wanted.extend(followed.open.iter().map(Name::open));
        for made in &followed.uses {
            self.used(made, None);
        }
        // Who makes the object hardly matters without who calls the method.
        if main && !followed.uses.is_empty() && self.found.uses.iter().any(|u| u.class.is_none()) {
            let rank = rank::SIGNATURE + 2 * rank::STEP;
            let own = uses::named(self.tree, self.source, frame, rank);
            let new = own.filter(|own| !self.found.uses.iter().any(|u| u.name == own.name));
            self.found.uses.extend(new);
        }
    }

    /// The callers of the function around, within the file; returns the names in them. Where its
    /// values come in through parameters and nobody here calls it, callers elsewhere matter.
    fn callers(&mut self, frame: &Frame, parameters: Option<u32>, returns: bool) -> Vec<Name<'t>> {
        let rank = rank::SIGNATURE + parameters.unwrap_or(rank::STEP);
        let own = uses::named(self.tree, self.source, frame, rank);
        let own = own.map(|own| Use { returns, ..own });
        let Some(own) = own.filter(|_| !self.is_routed(frame)) else { return Vec::new() };
        self.found.handler.get_or_insert_with(|| own.clone());
        if self.tree.language.modules.entries.contains(&own.name.as_str()) {
            return Vec::new();
        }
        let rows = frame.function.map(|f| f.rows(self.tree));
        let mut names = Vec::new();
        let found = self.used(&own, rows);
        names.extend(found.names);
        for outer in found.callers {
            names.extend(self.used(&outer, rows).names);
        }
        if parameters.is_none() {
            self.found.uses.retain(|u| u.name != own.name);
        }
        names
    }

    /// Whether a framework or the system calls the function: its own source says so.
    fn is_routed(&self, frame: &Frame) -> bool {
        let Some(function) = frame.function else { return false };
        // Those before the function, or in its head.
        let scope = function.scope;
        let own = |at: &usize| {
            let around = self.tree.ancestors(*at).take_while(|above| *above != scope);
            !around.into_iter().any(|above| self.tree.node(above).role.is_function())
        };
        let decorators = (function.from..self.tree.after(scope).min(scope + HEAD))
            .filter(|i| self.tree.node(*i).role == Role::Decorator)
            .filter(own);
        decorators.take(8).any(|i| is_route(self.tree.text(i, self.source)))
    }

    /// The callers of `wanted` in this file; if there are none, they matter elsewhere.
    fn used(&mut self, wanted: &Use, own: Option<(u32, u32)>) -> Used<'t> {
        let mut used = uses::callers(self.tree, self.file, wanted, own, None);
        let here = !used.picks.is_empty();
        self.found.called |= here;
        let rank = wanted.rank + if here { 2 * rank::STEP } else { 0 };
        self.found.uses.push(Use { rank, ..wanted.clone() });
        self.found.picks.append(&mut used.picks);
        used
    }

    /// The statements that the focus depends on; returns the names in them.
    fn slice(&mut self, frame: &Frame, further: u32, rung: Rung) -> Sliced<'t> {
        let units = units::split(self.tree, self.source, frame.piece);
        let seeds = seeds(&units, self.focus);
        let before = slice::backward(&units, &seeds);
        let after = forward::forward(&units, &seeds);
        let parameters = uses::through_parameters(self.tree, frame, &units, &before);
        let shown = frame.function.map(|f| self.tree.node(f.scope).first_row);
        let mut names = Vec::new();
        let found = units.all.iter().zip(before.iter().zip(&after));
        for (index, (unit, (before, after))) in found.enumerate() {
            let steps = before.steps;
            let is_shown = unit.role.is_function() && Some(unit.first_row) == shown;
            let is_head = is_shown || (index == 0 && unit.role.is_function());
            let base = match steps {
                _ if is_shown => rank::SIGNATURE,
                Some(steps) => rank::SLICE + rank::STEP * steps,
                None if after.steps.is_some() => {
                    rank::SLICE + rank::STEP * after.steps.unwrap_or_default()
                }
                None if is_head => rank::OUTER_SIGNATURE,
                None => continue,
            };
            let base = base + further;
            let reason = match before.guards || after.guards {
                _ if is_head => Reason::Signature,
                true => Reason::Guard,
                false => Reason::Slice,
            };
            let near = nearest(unit, self.focus);
            let inside = |row: &&u32| {
                unit.role != Role::Import
                    || self.focus.rows.iter().any(|(first, last)| (first..=last).contains(row))
            };
            for row in unit.rows.iter().filter(inside) {
                let line = row + 1;
                if self.file.has_code(line) {
                    let rank = base + row.abs_diff(near) / 4;
                    self.found.picks.push(Pick { line, rank, reason: reason.clone(), rung });
                }
            }
            if rung == Rung::Slice && !is_head && steps.is_some_and(|steps| steps <= 1) {
                self.near.extend(&unit.rows);
            }
            if steps.is_some() {
                self.sliced.extend(&unit.rows);
            }
            if steps.is_some() || is_head {
                // The object of a decorator, the type of a parameter: what is not called hardly tells.
                let named = |name: &Name<'_>| if is_head && !name.called { rank::TYPED } else { 0 };
                let found = follow::names(unit, base, &units).into_iter();
                names.extend(found.map(|name| Name { rank: name.rank + named(&name), ..name }));
            }
        }
        let is_shown = |u: &Unit<'_>| u.role.is_function() && Some(u.first_row) == shown;
        let scope = units.all.iter().position(is_shown).unwrap_or_default();
        let returns = inner::results(&units, scope).iter().any(|(result, _)| {
            seeds.iter().any(|(seed, _)| seed == result)
                || after.get(*result).is_some_and(|unit| unit.steps.is_some())
        });
        Sliced { names, parameters, returns }
    }

    /// The rest of the function around `row`. What only these lines name is not followed.
    fn function(&mut self, frame: &Frame, row: u32) {
        let Some(piece) = frame.function else { return self.script(frame, row) };
        let (first, last) = piece.rows(self.tree);
        let near = if last - first <= WHOLE { WHOLE } else { NEAR };
        for at in first.max(row.saturating_sub(near))..=last.min(row + near) {
            let far = at.abs_diff(row);
            let rank = if far <= NEAR { rank::NEAR + 4 * far } else { rank::FUNCTION + far };
            // What stands right above may be a remark about it.
            let remark = at + 1 == row && !self.file.line(at + 1).trim().is_empty();
            self.add_if(remark, at, rank, Reason::Function);
        }
    }

    /// Statements outside of functions, for a finding that is in none.
    fn script(&mut self, frame: &Frame, row: u32) {
        let units = units::split(self.tree, self.source, frame.piece);
        let own =
            |u: &&Unit<'_>| !u.role.is_function() && !matches!(u.role, Role::Class | Role::Import);
        let rows: Vec<u32> =
            units.all.iter().filter(own).flat_map(|u| u.rows.iter().copied()).collect();
        let small = rows.len() <= SCRIPT;
        for at in rows.into_iter().filter(|at| small || at.abs_diff(row) <= NEAR) {
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
            let name_of_class = definitions::name_of(self.tree, self.source, scope);
            let units = units::split(self.tree, self.source, Piece { from: piece.from, scope });
            self.found.bases.extend(bases(&units, name_of_class));
            let head = units.all.first().map(|u| u.rows.clone()).unwrap_or_default();
            for row in hooks::head(self.file, head.into_iter(), name_of_class).collect::<Vec<_>>() {
                self.add(row, rank::CLASS, Reason::Signature);
            }
            let (rows, named) = hooks::of(self.tree, &units, function);
            rows.into_iter().for_each(|row| self.add(row, rank::HOOK, Reason::Signature));
            names.extend(named);
        }
        names
    }

    fn add(&mut self, row: u32, rank: u32, reason: Reason) {
        self.add_if(false, row, rank, reason);
    }

    fn add_if(&mut self, anyway: bool, row: u32, rank: u32, reason: Reason) {
        let line = row + 1;
        if anyway || self.file.has_code(line) {
            self.found.picks.push(Pick { line, rank, reason, rung: Rung::Function });
        }
    }
}

/// Whether a decorator or annotation says how the outside reaches the function.
fn is_route(decorator: &str) -> bool {
    const WORDS: [&str; 17] = [
        "route",
        "Mapping",
        "Path(",
        ".command",
        ".task",
        "Http",
        "errorhandler",
        "Get(",
        "Post(",
        "Put(",
        "Delete(",
        "Patch(",
        "All(",
        "Bean",
        "Scheduled",
        "Listener",
        "PostConstruct",
    ];
    ["\"/", "'/"].iter().any(|path| decorator.contains(path))
        || WORDS.iter().any(|word| decorator.contains(word))
}

/// What stands in the head of a class beside its own name, and seems to be a class.
fn bases(units: &Units<'_>, own: Option<&str>) -> Vec<String> {
    let named = units.all.first().into_iter().flat_map(|head| &head.mentions);
    let named = named.map(|m| m.text).filter(|text| text.starts_with(char::is_uppercase));
    named.filter(|text| Some(*text) != own).take(BASES).map(str::to_owned).collect()
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
