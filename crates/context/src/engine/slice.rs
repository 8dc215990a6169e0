//! Which statements the finding's value depends on, and how closely.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    checks::{Checks, leaves_within},
    inner::{Inner, results},
    names::Space,
    units::{Giver, Unit, Units},
};
use crate::language::Role;

/// Steps of dependence beyond which nothing is looked at.
const FAR: u32 = 24;

/// Units around a unit that are looked at.
const DEEP: usize = 64;

/// Functions within the piece whose results are looked at.
const FUNCTIONS: usize = 64;

/// Places that give a name its value that are looked at for one use.
const MANY: usize = 64;

/// Places that are looked at to find those.
const SCANNED: usize = 1_000;

/// What is known of one unit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    /// How far it is in steps of dependence; `None` where nothing leads to it.
    pub(crate) steps: Option<u32>,
    /// Whether the way to the finding leads through it: a condition, a check, or where that leaves.
    pub(crate) guards: bool,
}

/// How far each unit is from `seeds`, which are that many steps away themselves.
pub(crate) fn backward(units: &Units<'_>, seeds: &[(usize, u32)]) -> Vec<Reached> {
    let checks = Checks::of(units);
    let inner = Inner::of(units);
    let mut reached = vec![Reached::default(); units.all.len()];
    // A loop over values gives them; it is no condition of theirs.
    let mut gives = vec![false; units.all.len()];
    let mut queue = Queue {
        heap: BinaryHeap::new(),
        best: vec![u32::MAX; units.all.len()],
        asked: HashMap::new(),
    };
    seeds.iter().for_each(|(unit, steps)| queue.push(*steps, *unit));
    let guard = |reached: &mut [Reached], unit: usize| {
        if let Some(reached) = reached.get_mut(unit) {
            reached.guards = true;
        }
    };
    let mut checked: HashMap<(Space, &str), usize> = HashMap::new();
    while let Some(Reverse((steps, index))) = queue.heap.pop() {
        let Some(known) = reached.get_mut(index) else { continue };
        if known.steps.is_some() || steps > FAR {
            continue;
        }
        known.steps = Some(steps);
        let Some(unit) = units.all.get(index) else { continue };
        for around in parents(units, index) {
            let Some(outer) = units.all.get(around).filter(|u| leads(u)) else { continue };
            queue.push(steps + 1, around);
            if is_condition(outer) {
                guard(&mut reached, around);
            }
        }
        for m in unit.mentions.iter().filter(|m| m.read && m.space != Space::Member) {
            let key = (m.space, m.text);
            for function in inner.named(units, index, m) {
                queue.push(steps + 1, function);
                queue.results(steps + 2, units, function);
            }
            for (giver, more) in reaching(units, index, units.givers.get(&key)) {
                queue.push(steps + 1 + more, giver);
                for function in inner.part_of(giver) {
                    queue.results(steps + 2 + more, units, function);
                }
                if let Some(gives) = gives.get_mut(giver) {
                    *gives = true;
                }
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
                guard(&mut reached, check.unit);
                for leave in check.leaves {
                    queue.push(steps + 3 + check.more, *leave);
                    guard(&mut reached, *leave);
                }
            }
        }
    }
    for (index, reached) in reached.iter_mut().enumerate() {
        let given = is_loop(units, index) && gives.get(index).is_some_and(|gives| *gives);
        let leaves = units.all.get(index).is_some_and(|u| u.jumps && leaves_within(u));
        reached.guards |= leaves && reached.steps.is_some();
        reached.guards &= !given && reached.steps != Some(0);
    }
    reached
}

/// Units that are still to be looked at, the nearest first.
struct Queue {
    heap: BinaryHeap<Reverse<(u32, usize)>>,
    /// By unit: the fewest steps on any way that is known to it.
    best: Vec<u32>,
    /// By function: the fewest steps to its result.
    asked: HashMap<usize, u32>,
}

impl Queue {
    /// Adds a way to a unit, if it is shorter than those that are known.
    fn push(&mut self, steps: u32, unit: usize) {
        if let Some(best) = self.best.get_mut(unit).filter(|best| steps < **best) {
            *best = steps;
            self.heap.push(Reverse((steps, unit)));
        }
    }

    /// Adds what gives the result of a function.
    fn results(&mut self, steps: u32, units: &Units<'_>, function: usize) {
        let known = self.asked.get(&function).is_some_and(|known| *known <= steps);
        if known || self.asked.len() >= FUNCTIONS {
            return;
        }
        self.asked.insert(function, steps);
        for (unit, far) in results(units, function) {
            self.push(steps + far, unit);
        }
    }
}

/// The units around `index`, from inside out.
pub(super) fn parents<'u>(units: &'u Units<'_>, index: usize) -> impl Iterator<Item = usize> + 'u {
    let parent = |i: usize| units.all.get(i).and_then(|u| u.parent);
    std::iter::successors(parent(index), move |i| parent(*i)).take(DEEP)
}

/// Whether the head of a unit tells how one comes to what stands in it.
fn leads(unit: &Unit<'_>) -> bool {
    !matches!(unit.role, Role::Try | Role::Root | Role::Class)
}

/// Whether what stands in a unit runs only under a condition.
pub(super) fn is_condition(unit: &Unit<'_>) -> bool {
    matches!(unit.role, Role::Branch | Role::Case | Role::Loop)
}

/// Whether the unit that holds `early` also holds `late`.
pub(super) fn is_around(units: &Units<'_>, early: usize, late: usize) -> bool {
    match units.all.get(early).and_then(|u| u.parent) {
        Some(parent) => parents(units, late).any(|p| p == parent),
        None => true,
    }
}

/// The functions whose names are known at `index`.
pub(super) fn functions_around(units: &Units<'_>, index: usize) -> Vec<usize> {
    let function = units.all.get(index).map_or(0, |u| u.function);
    std::iter::once(index)
        .chain(parents(units, index))
        .filter(|i| units.all.get(*i).is_some_and(|u| u.role.is_function()))
        .chain([function, 0])
        .collect()
}

/// The givers whose value can be seen at `index`, each with how much less it matters.
fn reaching(units: &Units<'_>, index: usize, givers: Option<&Vec<Giver>>) -> Vec<(usize, u32)> {
    let functions = functions_around(units, index);
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
