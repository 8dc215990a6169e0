//! What is done afterwards with the values that the finding gives.

use super::{
    checks::JUMPS,
    names::{Gives, Mention},
    slice::{Reached, is_condition, parents},
    units::{Unit, Units},
};
use crate::language::Role;

/// Later statements that are shown of those that use one value.
const LATER: usize = 4;

/// How far each unit behind `seeds` is that uses a value that they give, with the branches that it
/// stands in and the ways out of those that look at it.
pub(crate) fn forward(units: &Units<'_>, seeds: &[(usize, u32)]) -> Vec<Reached> {
    let mut found = vec![Reached::default(); units.all.len()];
    for (seed, steps) in seeds.iter().filter(|(_, steps)| *steps == 0) {
        let Some(unit) = units.all.get(*seed) else { continue };
        if unit.role.is_compound() || unit.role.is_function() || unit.role == Role::Class {
            continue;
        }
        let given = |m: &&Mention<'_>| !matches!(m.gives, Gives::Nothing | Gives::Parameter);
        for value in unit.mentions.iter().filter(given) {
            for (number, index) in readers(units, *seed, value).enumerate() {
                let far = steps + 1 + u32::try_from(number / 2).unwrap_or_default();
                show(units, *seed, index, far, &mut found);
            }
        }
    }
    found
}

/// The units behind `seed` that read `value` before it is gone.
fn readers<'u>(
    units: &'u Units<'_>,
    seed: usize,
    value: &'u Mention<'_>,
) -> impl Iterator<Item = usize> + 'u {
    let function = units.all.get(seed).map_or(0, |u| u.function);
    let gone =
        |u: &Unit<'_>| u.mentions.iter().any(|m| m.text == value.text && m.gives == Gives::Value);
    let reads = |u: &Unit<'_>| {
        u.mentions.iter().any(|m| m.read && m.space == value.space && m.text == value.text)
    };
    let inside = move |u: &Unit<'_>| u.function == function || u.parent.is_some_and(|p| p > seed);
    let later = units.all.iter().enumerate().skip(seed + 1);
    later
        .take_while(move |(_, u)| inside(u) && !gone(u))
        .filter(move |(_, u)| reads(u))
        .map(|(index, _)| index)
        .take(LATER)
}

fn show(units: &Units<'_>, seed: usize, index: usize, far: u32, found: &mut [Reached]) {
    let condition = |index: usize| units.all.get(index).is_some_and(is_condition);
    let mut mark = |index: usize, far: u32, guards: bool| {
        if let Some(slot) = found.get_mut(index) {
            slot.steps = Some(slot.steps.map_or(far, |known: u32| known.min(far)));
            slot.guards |= guards;
        }
    };
    mark(index, far, condition(index));
    let branches = parents(units, index).take_while(|p| *p > seed);
    branches.for_each(|branch| mark(branch, far + 1, condition(branch)));
    if units.all.get(index).is_some_and(|u| u.role == Role::Branch) {
        let leaves = units.all.iter().enumerate().skip(index + 1).filter(|(_, u)| u.jumps);
        let inside = leaves.filter(|(i, _)| parents(units, *i).any(|p| p == index));
        inside.take(JUMPS).for_each(|(leaf, _)| mark(leaf, far + 1, true));
    }
}
