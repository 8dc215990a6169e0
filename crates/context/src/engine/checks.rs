//! What stops a value from going on: branches that leave early, and calls that may.

use std::collections::{BTreeMap, HashMap};

use super::{
    names::{Gives, Mention, Space},
    slice::{is_around, parents},
    units::{Unit, Units},
};
use crate::language::Role;

/// Jumps that are shown of one branch.
pub(super) const JUMPS: usize = 8;

/// Checks that are looked at for one use of a name.
const MANY: usize = 64;

/// From a value to one made of it, and so on, this often.
const DERIVED: u32 = 2;

/// Names that one statement reads, or gives a value, that are looked at.
const WIDE: usize = 16;

/// Beginnings of words for functions that stop what must not go on.
const STOPS: [&str; 14] = [
    "valid", "check", "verif", "assert", "ensure", "requir", "authori", "authent", "guard",
    "sanit", "escap", "deny", "forbid", "abort",
];

type Key<'t> = (Space, &'t str);

/// A check that stands in the way of a value.
pub(super) struct Check<'c> {
    pub(super) unit: usize,
    /// Where it leaves.
    pub(super) leaves: &'c [usize],
    /// How much less it matters than one that looks at the value itself.
    pub(super) more: u32,
}

/// The checks of a piece of code.
pub(super) struct Checks<'t> {
    /// By the names that they look at: the branch or call, and where it leaves.
    by_name: HashMap<Key<'t>, Vec<(usize, Vec<usize>)>>,
    /// By name: the units that make another value of it, and that one's name.
    derived: HashMap<Key<'t>, Vec<(usize, Key<'t>)>>,
}

impl<'t> Checks<'t> {
    pub(super) fn of(units: &Units<'t>) -> Self {
        let by_name = by_name(units);
        let derived = if by_name.is_empty() { HashMap::new() } else { derived(units) };
        Self { by_name, derived }
    }

    /// The checks that stand before `index` and look at the value of `key`, or at what was made of
    /// it: whether a part of it passes decides for the whole.
    pub(super) fn before(&self, units: &Units<'t>, key: Key<'t>, index: usize) -> Vec<Check<'_>> {
        let mut found = Vec::new();
        let mut open = vec![(key, 0, 0)];
        while let Some((key, made, more)) = open.pop() {
            let known = self.by_name.get(&key).map_or(&[][..], Vec::as_slice);
            let end = known.partition_point(|(check, _)| *check < index);
            let start = known.partition_point(|(check, _)| *check < made);
            let between = known.get(start..end).unwrap_or_default().iter().rev().take(MANY);
            for (unit, leaves) in between.filter(|(check, _)| is_around(units, *check, index)) {
                found.push(Check { unit: *unit, leaves, more });
            }
            if found.len() >= MANY {
                break;
            }
            if more == DERIVED {
                continue;
            }
            let further = self.derived.get(&key).map_or(&[][..], Vec::as_slice);
            let later = |(unit, _): &&(usize, Key<'t>)| made <= *unit && *unit < index;
            let further = further.iter().filter(later).take(WIDE);
            open.extend(further.map(|(unit, key)| (*key, *unit, more + 1)));
        }
        found
    }
}

fn key<'t>(m: &Mention<'t>) -> Key<'t> {
    (m.space, m.text)
}

fn is_read(m: &&Mention<'_>) -> bool {
    m.read && m.space != Space::Member
}

/// The branches that leave early, and the calls that may, by the names that they look at.
fn by_name<'t>(units: &Units<'t>) -> HashMap<Key<'t>, Vec<(usize, Vec<usize>)>> {
    let mut jumps: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, unit) in units.all.iter().enumerate().filter(|(_, u)| u.jumps) {
        if leaves_within(unit) {
            jumps.entry(index).or_default();
        }
        let branch = parents(units, index).find(|p| {
            units.all.get(*p).is_some_and(|u| matches!(u.role, Role::Branch | Role::Case))
        });
        if let Some(branch) = branch {
            jumps.entry(branch).or_default().push(index);
        }
    }
    let mut receivers: HashMap<usize, &str> = HashMap::new();
    for (index, unit) in units.all.iter().enumerate().filter(|(_, u)| u.is_bare_call()) {
        let called = || unit.mentions.iter().filter(|m| m.called);
        let stops = |name: &str| STOPS.iter().any(|s| name.to_ascii_lowercase().contains(s));
        if called().take(4).any(|m| stops(m.text)) {
            jumps.entry(index).or_default();
            // `app.use("/x", isAuthorized())` checks nothing of `app`.
            let outer = called().next().filter(|m| !stops(m.text));
            receivers.extend(outer.and_then(|m| m.object).map(|object| (index, object)));
        }
    }
    let mut checks: HashMap<_, Vec<_>> = HashMap::new();
    for (branch, leaves) in jumps {
        let Some(unit) = units.all.get(branch) else { continue };
        let receiver = receivers.get(&branch);
        let looked_at = |m: &&Mention<'_>| receiver.is_none_or(|object| *object != m.text);
        for m in unit.mentions.iter().filter(is_read).filter(looked_at) {
            let shown = leaves.iter().copied().take(JUMPS).collect();
            checks.entry(key(m)).or_default().push((branch, shown));
        }
    }
    checks
}

/// Whether a statement goes on or leaves by itself (`val host = hostOf(url) ?: return`, or a branch
/// without a block).
pub(super) fn leaves_within(unit: &Unit<'_>) -> bool {
    matches!(unit.role, Role::Other | Role::Branch | Role::Case) && !unit.is_bare_call()
}

/// The units that make one value of another, by the name of the other.
fn derived<'t>(units: &Units<'t>) -> HashMap<Key<'t>, Vec<(usize, Key<'t>)>> {
    let mut derived: HashMap<_, Vec<_>> = HashMap::new();
    for (index, unit) in units.all.iter().enumerate().filter(|(_, u)| !u.role.is_function()) {
        let given = unit.mentions.iter().filter(|m| matches!(m.gives, Gives::Value | Gives::More));
        for given in given.take(WIDE) {
            for read in unit.mentions.iter().filter(is_read).take(WIDE) {
                if key(read) != key(given) {
                    derived.entry(key(read)).or_default().push((index, key(given)));
                }
            }
        }
    }
    derived
}
