//! From names to what the file defines them as, nearest first.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
};

use chaffinch_core::{Reason, Rung};

use super::{
    Wanted,
    definitions::{Definition, Definitions, What, name_of},
    frame::whole,
    inner::results,
    names::Space,
    slice,
    tree::Tree,
    units::{self, Giver, Piece, Unit, Units},
    uses::Use,
};
use crate::{
    budget::{Pick, rank},
    language::Role,
};

/// Definitions of names in definitions are followed this often.
const DEEP: u32 = 3;

/// Definitions followed for one finding.
const MANY: usize = 60;

/// Rows of a definition beyond which only what its result depends on is taken.
const LONG: u32 = 16;

/// Rows of a class without functions up to which it is taken whole.
const SHORT: u32 = 12;

/// Places that are shown of those that give one member its value.
const PLACES: usize = 4;

/// Steps of dependence that are shown of each.
const FAR: u32 = 6;

/// How much less each further place matters that gives a member its value.
const AGAIN: u32 = 12;

/// A name to look up, and how much its line matters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name<'t> {
    pub(crate) text: &'t str,
    pub(crate) space: Space,
    pub(crate) rank: u32,
    pub(crate) called: bool,
    /// The object whose member it is, as written.
    pub(crate) object: Option<&'t str>,
}

impl Name<'_> {
    /// What is asked of other files, where this one does not define it.
    pub(crate) fn open(&self) -> Wanted {
        Wanted {
            name: self.text.to_owned(),
            object: self.object.map(str::to_owned),
            called: self.called,
            rank: self.rank,
        }
    }
}

/// What a search found.
#[derive(Default)]
pub(crate) struct Followed<'t> {
    pub(crate) picks: Vec<Pick>,
    /// The names that the file does not define.
    pub(crate) open: Vec<Name<'t>>,
    /// What is made or called with the values that the definitions depend on.
    pub(crate) uses: Vec<Use>,
    /// Functions that give members their values, where the class may say when they run.
    pub(crate) hooked: Vec<Use>,
}

/// The names in a unit that get no value in the same piece.
pub(crate) fn names<'t>(unit: &Unit<'t>, rank: u32, units: &Units<'t>) -> Vec<Name<'t>> {
    let elsewhere = |space, text| {
        let givers = units.givers.get(&(space, text)).map_or(&[][..], Vec::as_slice);
        let brings = |g: &Giver| !g.whole || units.all.get(g.unit).is_some_and(|u| u.brings);
        space != Space::Plain || givers.iter().all(brings)
    };
    unit.mentions
        .iter()
        .filter(|m| m.read && elsewhere(m.space, m.text))
        .map(|m| {
            let bare = units.bare_calls && m.space == Space::Plain;
            let called = m.called || (bare && m.text.starts_with(char::is_lowercase));
            Name { text: m.text, space: m.space, rank, called, object: m.object }
        })
        .collect()
}

/// A search through a file's definitions.
pub(crate) struct Follow<'t, 'd> {
    tree: &'t Tree,
    source: &'t str,
    definitions: &'d Definitions<'t>,
    /// What is shown anyway.
    known: Option<Piece>,
    class: Option<usize>,
    queue: BinaryHeap<Reverse<(u32, usize)>>,
    waiting: Vec<(Name<'t>, Option<usize>, u32)>,
    seen: HashSet<What>,
    asked: HashSet<(Space, &'t str, Option<usize>)>,
    /// Every name met so far.
    met: HashSet<&'t str>,
    reason: fn(String) -> Reason,
    found: Followed<'t>,
}

impl<'t, 'd> Follow<'t, 'd> {
    pub(crate) fn new(
        tree: &'t Tree,
        source: &'t str,
        definitions: &'d Definitions<'t>,
        known: Option<Piece>,
        class: Option<usize>,
        reason: fn(String) -> Reason,
    ) -> Self {
        Self {
            tree,
            source,
            definitions,
            known,
            class,
            queue: BinaryHeap::new(),
            waiting: Vec::new(),
            seen: HashSet::new(),
            asked: HashSet::new(),
            met: HashSet::new(),
            reason,
            found: Followed::default(),
        }
    }

    /// Says that a class is meant: its members can be.
    pub(crate) fn meet(&mut self, name: &'t str) {
        self.met.insert(name);
    }

    /// The lines that define `names`, and the names in those lines, and so on.
    pub(crate) fn run(mut self, names: impl IntoIterator<Item = Name<'t>>) -> Followed<'t> {
        for name in names {
            self.push(name, self.class, 0);
        }
        while let Some(Reverse((_, index))) = self.queue.pop() {
            let Some((name, class, depth)) = self.waiting.get(index).cloned() else { continue };
            if !self.asked.insert((name.space, name.text, class)) {
                continue;
            }
            let definitions = self.definitions.resolve(name.space, name.text, class);
            // A function that is called like the member of another object says nothing of that.
            let other = |d: &Definition<'t>| {
                let own = || self.is_known(d.what) || !self.is_of_met_class(d);
                name.space == Space::Member && name.called && self.known.is_some() && own()
            };
            if definitions.iter().all(other) {
                self.found.open.push(name.clone());
            }
            for (number, definition) in definitions.into_iter().enumerate() {
                let fits = name.space != Space::Member || self.is_of_met_class(&definition);
                if self.seen.len() == MANY || self.is_known(definition.what) {
                    continue;
                }
                if matches!(definition.what, What::Member(_)) && number >= PLACES {
                    continue;
                }
                if fits {
                    // Of a member that is set again and again, no one place tells much.
                    let again = match definition.what {
                        What::Member(_) => AGAIN * u32::try_from(number).unwrap_or(u32::MAX),
                        _ => 0,
                    };
                    let name = Name { rank: name.rank.saturating_add(again), ..name.clone() };
                    self.take(definition, &name, depth);
                } else if self.known.is_none() && name.called && name.text.len() > 5 {
                    // The file defines other names of the slice, and hardly another of this one.
                    let far = Name { rank: name.rank + rank::GUESS, ..name.clone() };
                    self.take(definition, &far, depth);
                }
            }
        }
        self.found
    }

    fn push(&mut self, name: Name<'t>, class: Option<usize>, depth: u32) {
        if depth <= DEEP {
            self.met.insert(name.text);
            self.queue.push(Reverse((name.rank, self.waiting.len())));
            self.waiting.push((name, class, depth));
        }
    }

    /// Whether a member can be meant of which only the name is known: its class must be named too.
    fn is_of_met_class(&self, definition: &Definition<'t>) -> bool {
        let class = definition.class.map(|class| name_of(self.tree, self.source, class));
        class.is_none_or(|name| name.is_some_and(|name| self.met.contains(name)))
    }

    fn is_known(&self, what: What) -> bool {
        let (What::Function(at) | What::Class(at) | What::Value(at) | What::Member(at)) = what;
        let Some(known) = self.known else { return false };
        let inside = known.from <= at && at < self.tree.after(known.scope);
        let around = at <= known.scope && known.scope < self.tree.after(at);
        let is_file = self.tree.node(known.scope).role == Role::Root;
        !is_file && (inside || (around && !matches!(what, What::Class(_))))
    }

    fn take(&mut self, found: Definition<'t>, name: &Name<'t>, depth: u32) {
        if !self.seen.insert(found.what) {
            return;
        }
        let next = Next { name: found.name, rank: name.rank, class: found.class, depth };
        match found.what {
            What::Function(at) => self.function(at, &next),
            // Of a class in another file, what is not made or read does not matter.
            What::Class(_) if self.known.is_none() && !name.called => {}
            What::Class(at) => self.class(at, name, &next),
            What::Value(at) => self.statement(at, next.rank + rank::VALUE, &next),
            What::Member(at) => self.member(at, &next),
        }
    }

    /// A statement that gives a member its value, and what that depends on in its function.
    fn member(&mut self, at: usize, next: &Next<'t>) {
        let function = self.tree.ancestors(at).find(|i| self.tree.node(*i).role.is_function());
        let Some(function) = function else { return };
        let units = units::split(self.tree, self.source, whole(self.tree, function));
        let row = self.tree.node(at).first_row;
        let Some(seed) = units.all.iter().rposition(|u| u.first_row == row) else { return };
        let base = next.rank + rank::VALUE;
        self.head(&units, base + rank::STEP / 2, next.name);
        self.slice(&units, &[(seed, 0)], base, FAR, next);
        let made = next.class.filter(|class| {
            self.definitions.constructors(self.tree, self.source, *class).contains(&function)
        });
        let hooks = !self.tree.language.hooks.is_empty() && made.is_none();
        if let Some(name) = name_of(self.tree, self.source, function).filter(|_| hooks) {
            let rank = base + rank::STEP;
            let class = next.class.and_then(|class| name_of(self.tree, self.source, class));
            let class = class.map(str::to_owned);
            let (name, is_class) = (name.to_owned(), false);
            self.found.hooked.push(Use { name, class, is_class, rank, returns: false });
        }
        if let Some(name) = made.and_then(|class| name_of(self.tree, self.source, class)) {
            self.found.uses.push(Use::class(name, base));
        }
    }

    /// What `seeds` depend on.
    fn slice(
        &mut self,
        units: &Units<'t>,
        seeds: &[(usize, u32)],
        base: u32,
        far: u32,
        next: &Next<'t>,
    ) {
        for (unit, reached) in units.all.iter().zip(slice::backward(units, seeds)) {
            let Some(steps) = reached.steps.filter(|steps| *steps <= far) else { continue };
            let rank = base + rank::STEP / 2 * steps;
            for row in &unit.rows {
                self.add(*row, rank, next.name);
            }
            self.names(unit, rank, units, next);
        }
    }

    fn statement(&mut self, at: usize, rank: u32, next: &Next<'t>) {
        let node = self.tree.node(at);
        let units = units::split(self.tree, self.source, Piece { from: at, scope: at });
        for (steps, row) in (node.first_row..=node.last_row).enumerate() {
            let far = u32::try_from(steps).unwrap_or(u32::MAX) / 4;
            self.add(row, rank.saturating_add(far), next.name);
        }
        for unit in &units.all {
            self.names(unit, rank, &units, next);
        }
    }

    /// A function: its head, what its result depends on, the rest.
    fn function(&mut self, at: usize, next: &Next<'t>) {
        let piece = whole(self.tree, at);
        let units = units::split(self.tree, self.source, piece);
        let base = next.rank + rank::HELPER;
        self.head(&units, base, next.name);
        self.slice(&units, &results(&units, 0), base + rank::STEP / 2, u32::MAX, next);
        let (first, last) = piece.rows(self.tree);
        if last - first <= LONG && self.known.is_some() {
            for row in first..=last {
                self.add(row, next.rank + rank::REST, next.name);
            }
        }
    }

    /// A class: all of it if it is no more than a list, else its head and how an object of it is
    /// made.
    fn class(&mut self, at: usize, name: &Name<'t>, next: &Next<'t>) {
        let node = self.tree.node(at);
        let does = (at + 1..self.tree.after(at)).any(|i| self.tree.node(i).role == Role::Function);
        if !does && node.last_row - node.first_row <= SHORT {
            return self.statement(at, next.rank + rank::VALUE, next);
        }
        let units = units::split(self.tree, self.source, Piece { from: at, scope: at });
        self.head(&units, next.rank + rank::HELPER, next.name);
        if name.called || name.space == Space::Plain {
            for function in self.definitions.constructors(self.tree, self.source, at) {
                if self.seen.insert(What::Function(function))
                    && !self.is_known(What::Function(function))
                {
                    self.function(function, &Next { class: Some(at), ..*next });
                }
            }
        }
    }

    fn head(&mut self, units: &Units<'t>, rank: u32, name: &'t str) {
        for row in units.all.first().into_iter().flat_map(|u| u.rows.iter().take(8)) {
            self.add(*row, rank, name);
        }
    }

    fn names(&mut self, unit: &Unit<'t>, rank: u32, units: &Units<'t>, next: &Next<'t>) {
        for name in names(unit, rank, units) {
            self.push(name, next.class, next.depth + 1);
        }
    }

    fn add(&mut self, row: u32, rank: u32, name: &str) {
        let reason = (self.reason)(name.to_owned());
        self.found.picks.push(Pick { line: row + 1, rank, reason, rung: Rung::Function });
    }
}

/// What is being followed.
#[derive(Clone, Copy)]
struct Next<'t> {
    name: &'t str,
    rank: u32,
    class: Option<usize>,
    depth: u32,
}
