//! Which statements the finding's value depends on, and how closely.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    checks::Checks,
    names::Space,
    units::{Giver, Unit, Units},
};
use crate::language::Role;

/// Steps of dependence beyond which nothing is looked at.
const FAR: u32 = 24;

/// Units around a unit that are looked at.
const DEEP: usize = 64;

/// Places that give a name its value that are looked at for one use.
const MANY: usize = 64;

/// Places that are looked at to find those.
const SCANNED: usize = 1_000;

/// How far each unit is in steps of dependence from `seeds`, which are that many steps away
/// themselves; `None` where nothing leads to it.
pub(crate) fn backward(units: &Units<'_>, seeds: &[(usize, u32)]) -> Vec<Option<u32>> {
    let checks = Checks::of(units);
    let mut distance: Vec<Option<u32>> = vec![None; units.all.len()];
    let mut queue = Queue { heap: BinaryHeap::new(), best: vec![u32::MAX; units.all.len()] };
    seeds.iter().for_each(|(unit, steps)| queue.push(*steps, *unit));
    let mut checked: HashMap<(Space, &str), usize> = HashMap::new();
    while let Some(Reverse((steps, index))) = queue.heap.pop() {
        let Some(known) = distance.get_mut(index) else { continue };
        if known.is_some() || steps > FAR {
            continue;
        }
        *known = Some(steps);
        let Some(unit) = units.all.get(index) else { continue };
        for around in parents(units, index) {
            if units.all.get(around).is_some_and(|u| guards(u)) {
                queue.push(steps + 1, around);
            }
        }
        for m in unit.mentions.iter().filter(|m| m.read && m.space != Space::Member) {
            let key = (m.space, m.text);
            for (giver, more) in reaching(units, index, units.givers.get(&key)) {
                queue.push(steps + 1 + more, giver);
            }
            // A later mention of the same name cannot see more checks than an earlier one did.
            if checked.get(&key).is_some_and(|seen| *seen >= index) {
                continue;
            }
            checked.insert(key, index);
            if let Some(declared) = declaration(units, index, units.givers.get(&key)) {
                queue.push(steps + 3, declared);
            }
            for check in checks.before(units, key, index) {
                queue.push(steps + 2 + check.more, check.unit);
                check.leaves.iter().for_each(|leave| queue.push(steps + 3 + check.more, *leave));
            }
        }
    }
    distance
}

/// Units that are still to be looked at, the nearest first.
struct Queue {
    heap: BinaryHeap<Reverse<(u32, usize)>>,
    /// By unit: the fewest steps on any way that is known to it.
    best: Vec<u32>,
}

impl Queue {
    /// Adds a way to a unit, if it is shorter than those that are known.
    fn push(&mut self, steps: u32, unit: usize) {
        if let Some(best) = self.best.get_mut(unit).filter(|best| steps < **best) {
            *best = steps;
            self.heap.push(Reverse((steps, unit)));
        }
    }
}

/// The units around `index`, from inside out.
pub(super) fn parents<'u>(units: &'u Units<'_>, index: usize) -> impl Iterator<Item = usize> + 'u {
    let parent = |i: usize| units.all.get(i).and_then(|u| u.parent);
    std::iter::successors(parent(index), move |i| parent(*i)).take(DEEP)
}

fn guards(unit: &Unit<'_>) -> bool {
    !matches!(unit.role, Role::Try | Role::Root | Role::Class)
}

/// Whether the unit that holds `early` also holds `late`.
pub(super) fn is_around(units: &Units<'_>, early: usize, late: usize) -> bool {
    match units.all.get(early).and_then(|u| u.parent) {
        Some(parent) => parents(units, late).any(|p| p == parent),
        None => true,
    }
}

/// The givers whose value can be seen at `index`, each with how much less it matters.
fn reaching(units: &Units<'_>, index: usize, givers: Option<&Vec<Giver>>) -> Vec<(usize, u32)> {
    let function = units.all.get(index).map_or(0, |u| u.function);
    let functions: Vec<usize> = std::iter::once(index)
        .chain(parents(units, index))
        .filter(|i| units.all.get(*i).is_some_and(|u| u.role.is_function()))
        .chain([function, 0])
        .collect();
    let visible = |g: &&Giver| functions.contains(&g.function) && g.unit != index;
    let givers = givers.map_or(&[][..], Vec::as_slice);
    let (before, after) = givers.split_at(givers.partition_point(|g| g.unit <= index));
    let mut found = Vec::new();
    for giver in before.iter().rev().take(SCANNED).filter(visible).take(MANY) {
        found.push((giver.unit, if giver.whole { 0 } else { 2 }));
        if giver.whole && is_around(units, giver.unit, index) {
            break;
        }
    }
    // Only another turn of a loop brings a later value here.
    if let Some(turn) = parents(units, index).filter(|p| is_loop(units, *p)).last() {
        let inside = |g: &&Giver| parents(units, g.unit).any(|p| p == turn);
        let later = after.iter().take(SCANNED).filter(visible).filter(inside).take(MANY);
        found.extend(later.map(|g| (g.unit, 1)));
    }
    found
}

/// Where a variable of the function is named first: that tells its type, and its value at the start.
fn declaration(units: &Units<'_>, index: usize, givers: Option<&Vec<Giver>>) -> Option<usize> {
    let function = units.all.get(index)?.function;
    let first = givers?.iter().find(|g| g.function == function)?;
    (first.unit < index && is_around(units, first.unit, index)).then_some(first.unit)
}

fn is_loop(units: &Units<'_>, index: usize) -> bool {
    units.all.get(index).is_some_and(|u| u.role == Role::Loop)
}
