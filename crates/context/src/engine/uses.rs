//! Where a file calls a function, or hands it on.

use std::collections::HashSet;

use chaffinch_core::{Reason, RepoPath, Rung};

use super::{
    definitions::{name_of, owner},
    follow::{self, Name},
    forward,
    frame::{self, Frame},
    hooks,
    meant::Meant,
    names::{Space, mention},
    slice::{self, Reached},
    tree::Tree,
    units::{self, Units},
};
use crate::{
    budget::{Pick, rank},
    language::Role,
    lines::SourceFile,
};

/// Places that are shown of one function's callers in one file.
const MANY: usize = 4;

/// Steps of dependence that are shown of the values handed over.
const FAR: u32 = 5;

/// The same outside of functions, where all that was done to an object before is one long list.
const FAR_OUTSIDE: u32 = 2;

/// How many steps away the guards of a caller's class are.
const GUARDS: u32 = 2;

/// A call within an argument of a call: how far up that is looked for.
const NEAR: usize = 4;

/// A function or class whose callers matter.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) name: String,
    /// The class that it is part of.
    pub(crate) class: Option<String>,
    /// Whether it is a class, called to make an object of it.
    pub(crate) is_class: bool,
    pub(crate) rank: u32,
    /// Whether what it returns is made of the finding's value.
    pub(crate) returns: bool,
}

impl Use {
    /// Of a class, where an object of it is made.
    pub(crate) fn class(name: &str, rank: u32) -> Self {
        Self { name: name.to_owned(), class: None, is_class: true, rank, returns: false }
    }
}

/// What the callers in a file say.
#[derive(Default)]
pub(crate) struct Used<'t> {
    pub(crate) picks: Vec<Pick>,
    /// The names that the values handed over come from.
    pub(crate) names: Vec<Name<'t>>,
    /// The functions that call, as far as their own callers matter.
    pub(crate) callers: Vec<Use>,
}

/// The callers of `wanted` in `file`, but not in the rows `own`. `home` is the file that defines it,
/// if that is another one.
pub(crate) fn callers<'t>(
    tree: &Tree,
    file: &'t SourceFile,
    wanted: &Use,
    own: Option<(u32, u32)>,
    home: Option<&RepoPath>,
) -> Used<'t> {
    let source = file.text();
    let mut used = Used::default();
    let mut frames: HashSet<usize> = HashSet::new();
    for (number, (at, called)) in places(tree, source, wanted, own, home).into_iter().enumerate() {
        let row = tree.node(at).first_row;
        let frame = frame::around(tree, row);
        let units = units::split(tree, source, frame.piece);
        let own_row = |u: &units::Unit<'_>| u.rows.contains(&row);
        let Some(seed) = units.all.iter().rposition(own_row) else { continue };
        let reached = slice::backward(&units, &[(seed, 0)]);
        let after = match wanted.returns && called {
            true => forward::forward(&units, &[(seed, 0)]),
            false => vec![Reached::default(); units.all.len()],
        };
        let is_empty = wanted.class.is_none() && is_empty(tree, source, at);
        let again = if frames.insert(frame.piece.scope) { 0 } else { rank::STEP };
        let base =
            wanted.rank + rank::CALLER + again + 4 * u32::try_from(number).unwrap_or_default();
        let shown = frame.function.map(|f| tree.node(f.scope).first_row);
        for (unit, (reached, after)) in units.all.iter().zip(reached.iter().zip(after)) {
            let head = called && unit.role.is_function() && Some(unit.first_row) == shown;
            let after = after.steps.filter(|_| frame.function.is_some());
            let Some(steps) = reached.steps.or(head.then_some(1)).or(after) else { continue };
            // Where it is only handed on, the values around it say nothing.
            let far = if frame.function.is_some() { FAR } else { FAR_OUTSIDE };
            let far = if is_empty && !head { 0 } else { far };
            if steps > if called { far } else { 0 } {
                continue;
            }
            let far = base + rank::STEP * steps;
            for row in unit.rows.iter().filter(|row| file.has_code(**row + 1)) {
                let reason = match tree.node(at).role {
                    // A hook in the class says when the function runs.
                    Role::Symbol => Reason::Signature,
                    _ if reached.guards => Reason::Guard,
                    _ => Reason::Caller(wanted.name.clone()),
                };
                used.picks.push(Pick { line: row + 1, rank: far, reason, rung: Rung::Function });
            }
            if called {
                used.names.extend(follow::names(unit, far, &units));
            }
        }
        if !called {
            continue;
        }
        if let Some(function) = frame.function.filter(|_| again == 0) {
            let name = name_of(tree, source, function.scope);
            let (rows, names) = hooks::around_caller(tree, file, &frame, name);
            let far = base + rank::STEP * GUARDS;
            let picks = rows.into_iter().map(|row| Pick {
                line: row + 1,
                rank: far,
                reason: Reason::Signature,
                rung: Rung::Function,
            });
            used.picks.extend(picks);
            used.names.extend(names.into_iter().map(|name| Name { rank: far, ..name }));
        }
        if let Some(rank) = through_parameters(tree, &frame, &units, &reached) {
            used.callers.extend(named(tree, source, &frame, base + rank));
        }
    }
    used
}

/// Whether nothing is handed over where `at` is called: what stands before it does not go in
/// (`app.get("/x", handler())`).
fn is_empty(tree: &Tree, source: &str, at: usize) -> bool {
    let call = tree.ancestors(at).take(NEAR).find(|i| tree.node(*i).role == Role::Call);
    call.is_some_and(|call| {
        let rest = tree.text(call, source).split_once(tree.text(at, source));
        let bare = |rest: &str| rest.trim_start().chars().filter(|c| *c != ' ').eq(['(', ')']);
        rest.is_some_and(|(_, rest)| bare(rest))
    })
}

/// The name under which the function around can be called, with the class that it is part of.
pub(crate) fn named(tree: &Tree, source: &str, frame: &Frame, rank: u32) -> Option<Use> {
    let scopes = [frame.function.map(|f| f.scope), Some(frame.piece.scope)];
    let scope = scopes.into_iter().flatten().find(|scope| {
        tree.node(*scope).role.is_function() && name_of(tree, source, *scope).is_some()
    })?;
    let name = name_of(tree, source, scope)?;
    let class = frame.classes.last().and_then(|class| name_of(tree, source, *class));
    let class = class.or_else(|| units::receiver_type(tree, source, scope));
    if tree.language.constructors.contains(&name) {
        return class.map(|class| Use::class(class, rank));
    }
    let class = class.or_else(|| owner(tree, source, scope)).map(str::to_owned);
    Some(Use { name: name.to_owned(), class, is_class: false, rank, returns: false })
}

/// How far the nearest statement of the slice is that reads a parameter of the function shown.
pub(crate) fn through_parameters(
    tree: &Tree,
    frame: &Frame,
    units: &Units<'_>,
    reached: &[Reached],
) -> Option<u32> {
    let row = tree.node(frame.function?.scope).first_row;
    let head = units.all.iter().position(|u| u.role.is_function() && u.first_row == row)?;
    let read = |unit: &units::Unit<'_>, from: &dyn Fn(usize) -> bool| {
        unit.mentions.iter().filter(|m| m.read && m.space == Space::Plain).any(|m| {
            let givers = units.givers.get(&(m.space, m.text));
            givers.is_some_and(|all| all.iter().any(|g| from(g.unit)))
        })
    };
    let nearest = |from: &dyn Fn(usize) -> bool| {
        let found = units.all.iter().zip(reached).filter(|(_, reached)| reached.steps.is_some());
        found.filter(|(unit, _)| read(unit, from)).filter_map(|(_, reached)| reached.steps).min()
    };
    // What a function returns another one for is called with the values.
    let returned = |unit: usize| {
        let is_inner = units.all.get(unit).is_some_and(|u| u.role.is_function() && unit != head);
        let above = || units.all.get(unit).and_then(|u| u.parent).and_then(|p| units.all.get(p));
        is_inner && above().is_some_and(|above| above.role == Role::Jump)
    };
    let own = nearest(&|unit| unit == head);
    own.or_else(|| nearest(&returned)).map(|steps| rank::STEP * steps)
}

/// The names that stand for `wanted`, and whether they call it: calls first, then where it is
/// handed on.
fn places(
    tree: &Tree,
    source: &str,
    wanted: &Use,
    own: Option<(u32, u32)>,
    home: Option<&RepoPath>,
) -> Vec<(usize, bool)> {
    let mut meant = None;
    let (mut calls, mut others) = (Vec::new(), Vec::new());
    let language = tree.language.compiled();
    let holds = |i: usize| language.is_arguments(tree.node(i).kind, tree.node(i).field);
    for at in 0..tree.len() {
        let node = tree.node(at);
        let known = own.is_some_and(|(first, last)| (first..=last).contains(&node.first_row));
        if known {
            continue;
        }
        if node.role == Role::Symbol {
            if tree.text(at, source).trim_matches(':') == wanted.name {
                others.push((at, false));
            }
            continue;
        }
        if !matches!(node.role, Role::Name | Role::TypeName)
            || tree.text(at, source) != wanted.name
            || tree.ancestors(at).take(NEAR).any(|i| tree.node(i).role == Role::Import)
        {
            continue;
        }
        let Some(found) = mention(tree, source, at, None).filter(|m| m.read) else { continue };
        // Where a method says whose it is, its object can have any name.
        let any = language.receiver_field != 0 && own.is_some() && wanted.class.is_some();
        let meant = meant.get_or_insert_with(|| Meant::new(tree, source, wanted, home));
        if !any && !meant.fits(at, &found) {
            continue;
        }
        let handed = || tree.ancestors(at).take(NEAR).any(holds);
        if found.called || (tree.language.bare_calls && found.space == Space::Plain) {
            calls.push((at, true));
        } else if handed() {
            others.push((at, false));
        }
        if calls.len() >= MANY {
            break;
        }
    }
    calls.extend(others);
    calls.truncate(MANY);
    calls
}
