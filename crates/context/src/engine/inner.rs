//! Functions within a piece of code, and what their results are.

use std::collections::HashMap;

use super::{
    names::{Mention, Space},
    slice::{functions_around, parents},
    units::Units,
};
use crate::language::Role;

/// What functions within a function return that is shown of its result, and how much less that
/// matters.
const INNER: usize = 6;
const INNER_STEPS: u32 = 4;

/// Functions of one name, or in one statement, that are looked at.
const MANY: usize = 4;

/// Functions of one name that are looked at to find those.
const SCANNED: usize = 64;

/// Arms of a branch that are looked at.
const TAILS: usize = 8;

/// Lambdas around each other that are one function.
const LAYERS: usize = 3;

/// The functions that are defined within a piece of code.
pub(super) struct Inner<'t> {
    by_name: HashMap<&'t str, Vec<usize>>,
    /// Those that are part of another statement, by that.
    by_part: HashMap<usize, Vec<usize>>,
}

impl<'t> Inner<'t> {
    pub(super) fn of(units: &Units<'t>) -> Self {
        let mut found = Self { by_name: HashMap::new(), by_part: HashMap::new() };
        let functions = units.all.iter().enumerate().skip(1).filter(|(_, u)| u.role.is_function());
        for (index, unit) in functions {
            match (unit.name, unit.parent) {
                (Some(name), _) => found.by_name.entry(name).or_default().push(index),
                (None, Some(part)) => found.by_part.entry(part).or_default().push(index),
                (None, None) => {}
            }
        }
        found
    }

    /// The functions that a name at `index` can mean.
    pub(super) fn named(&self, units: &Units<'t>, index: usize, m: &Mention<'t>) -> Vec<usize> {
        let same = self.by_name.get(m.text).filter(|_| m.space == Space::Plain);
        let Some(same) = same else { return Vec::new() };
        let around = functions_around(units, index);
        let known = |function: &&usize| {
            units.all.get(**function).is_some_and(|u| around.contains(&u.function))
        };
        same.iter().take(SCANNED).filter(known).take(MANY).copied().collect()
    }

    /// The functions that the value of a statement is made with.
    pub(super) fn part_of(&self, unit: usize) -> impl Iterator<Item = usize> {
        self.by_part.get(&unit).map_or(&[][..], Vec::as_slice).iter().take(MANY).copied()
    }
}

/// The units that give the result of the function `scope`, each with how many steps further it is:
/// what it returns, and its last statement.
pub(super) fn results(units: &Units<'_>, scope: usize) -> Vec<(usize, u32)> {
    let mut seeds: Vec<(usize, u32)> = Vec::new();
    let (mut inner, mut scope) = (0, scope);
    for _ in 0..LAYERS {
        let mut last = None;
        for (index, unit) in units.all.iter().enumerate().skip(scope + 1) {
            if scope > 0 && !parents(units, index).any(|p| p == scope) {
                break;
            }
            if unit.parent == Some(scope) {
                last = Some(index);
            }
            if unit.jumps && unit.function == scope {
                seeds.push((index, 0));
            } else if unit.jumps && inner < INNER {
                inner += 1;
                seeds.push((index, INNER_STEPS));
            }
        }
        let Some(last) = last else { break };
        // What returns nothing is called for what it does.
        let counts = scope == 0
            || units
                .all
                .get(scope)
                .is_some_and(|u| u.yields || (u.name.is_some() && seeds.is_empty()));
        if counts && !seeds.contains(&(last, 0)) {
            seeds.push((last, 0));
        }
        if scope > 0 && units.all.get(scope).is_some_and(|u| u.yields) {
            seeds.extend(tails(units, last).into_iter().map(|tail| (tail, 1)));
        }
        // A block may be all that there is to a lambda.
        let block = units.all.get(last).is_some_and(|u| u.role == Role::Lambda);
        if !block {
            break;
        }
        scope = last;
    }
    seeds
}

/// The last statements of the arms of a branch.
fn tails(units: &Units<'_>, branch: usize) -> Vec<usize> {
    let is_compound = |unit: usize| units.all.get(unit).is_some_and(|u| u.role.is_compound());
    let (mut open, mut found) = (vec![branch], Vec::new());
    while let Some(branch) = open.pop().filter(|branch| is_compound(*branch)) {
        let parts = units.all.iter().enumerate().skip(branch + 1);
        let parts = parts.take_while(|(i, _)| parents(units, *i).any(|p| p == branch));
        let own: Vec<usize> =
            parts.filter(|(_, u)| u.parent == Some(branch)).map(|(index, _)| index).collect();
        // What stands in an arm without a block is part of its head.
        found.push(own.iter().copied().rfind(|part| !is_compound(*part)).unwrap_or(branch));
        open.extend(own.into_iter().filter(|part| is_compound(*part)));
        if found.len() >= TAILS || open.len() >= TAILS {
            break;
        }
    }
    found
}
