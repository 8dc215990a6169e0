//! The statements of one piece of code: what each gives and reads, and what it stands in.

use std::collections::{BTreeSet, HashMap};

use super::{
    definitions::name_of,
    imports::is_import,
    names::{Gives, Mention, Space, mention},
    tree::Tree,
};
use crate::language::Role;

/// A statement, or the head of one that holds others.
pub(crate) struct Unit<'t> {
    pub(crate) role: Role,
    /// The unit that it stands in.
    pub(crate) parent: Option<usize>,
    /// The innermost function around it that is part of the piece.
    pub(crate) function: usize,
    pub(crate) first_row: u32,
    /// The rows that are its own.
    pub(crate) rows: BTreeSet<u32>,
    pub(crate) mentions: Vec<Mention<'t>>,
    /// The name of a function that is a statement of another one.
    pub(crate) name: Option<&'t str>,
    /// Whether the last statement of a function is its result, without a word for that.
    pub(crate) yields: bool,
    /// Literal names, as written.
    pub(crate) symbols: Vec<&'t str>,
    /// Whether control does not go on behind it.
    pub(crate) jumps: bool,
    /// Whether it brings names from elsewhere.
    pub(crate) brings: bool,
    /// Whether it is there for what it does, not for its value.
    effect: bool,
}

impl Unit<'_> {
    /// Whether it calls something and drops the result.
    pub(crate) fn is_bare_call(&self) -> bool {
        self.effect
    }
}

/// A function, class or file, and where the statement begins that it is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// At most `scope`.
    pub(crate) from: usize,
    pub(crate) scope: usize,
}

impl Piece {
    /// Its first and last row.
    pub(crate) fn rows(self, tree: &Tree) -> (u32, u32) {
        (tree.node(self.from).first_row, tree.node(self.scope).last_row)
    }
}

/// A place where a name gets a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Giver {
    pub(crate) unit: usize,
    /// The function in which the name is known.
    pub(crate) function: usize,
    /// Whether the earlier value is gone.
    pub(crate) whole: bool,
}

/// One piece of code.
pub(crate) struct Units<'t> {
    pub(crate) all: Vec<Unit<'t>>,
    pub(crate) givers: HashMap<(Space, &'t str), Vec<Giver>>,
    /// Whether a name alone may be a call.
    pub(crate) bare_calls: bool,
}

/// Splits a piece into units. The first one is the head of the piece.
pub(crate) fn split<'t>(tree: &Tree, source: &'t str, piece: Piece) -> Units<'t> {
    let Piece { from, scope } = piece;
    let enters = tree.node(scope).role.is_function();
    let own = receiver(tree, source, scope);
    let mut all = vec![start(tree, scope, None, 0)];
    let mut open: Vec<(usize, usize)> = vec![(0, tree.after(scope))];
    let end = tree.after(scope).min(tree.len());
    let mut at = if from < scope { from } else { scope + 1 };
    while at < end {
        let node = tree.node(at);
        let before = at < scope;
        while open.len() > 1 && open.last().is_some_and(|(_, after)| at >= *after) {
            open.pop();
        }
        let above = tree.parent(at).unwrap_or(scope);
        let elsewhere = if before {
            // What stands before the scope counts only as far as it leads to it.
            tree.after(at) <= scope && (node.role.is_function() || node.role == Role::Block)
        } else {
            !enters && node.role == Role::Block && is_inner(tree, above, scope)
        };
        if node.role == Role::Comment || elsewhere {
            at = tree.after(at);
            continue;
        }
        let around = open.last().map_or(0, |(unit, _)| *unit);
        let mut unit = around;
        if !before && at != scope && is_statement(tree, at, above) {
            let function = all.get(around).map_or(0, |u: &Unit<'_>| match u.role.is_function() {
                true => around,
                false => u.function,
            });
            unit = all.len();
            let mut new = start(tree, at, Some(around), function);
            let part = all.get(around).is_some_and(|u| u.role == Role::Class);
            new.name = inner_name(tree, source, at, above).filter(|_| !part);
            all.push(new);
            open.push((unit, tree.after(at)));
        }
        let Some(unit) = all.get_mut(unit) else { break };
        note(tree, source, at, own, unit);
        at += 1;
    }
    Units { givers: givers(&all), all, bare_calls: tree.language.bare_calls }
}

/// Adds what the node at `at` says to its unit.
fn note<'t>(tree: &Tree, source: &'t str, at: usize, own: Option<&str>, unit: &mut Unit<'t>) {
    let node = tree.node(at);
    if tree.is_leaf(at) && node.role != Role::Block {
        unit.rows.extend(node.first_row..=node.last_row);
    }
    match node.role {
        Role::Jump => unit.jumps = true,
        Role::Text if !tree.language.interpolates.is_empty() => {
            unit.mentions.extend(interpolated(tree.text(at, source), tree.language.interpolates));
        }
        Role::Call if is_import(tree, source, at) => unit.brings = true,
        Role::Symbol => unit.symbols.push(tree.text(at, source)),
        _ => {}
    }
    let Some(mut found) = mention(tree, source, at, own) else { return };
    unit.jumps |= found.called && tree.language.exits.contains(&found.text);
    let language = tree.language.compiled();
    let is_argument = |i: usize| language.is_arguments(tree.node(i).kind, tree.node(i).field);
    if unit.effect
        && found.gives == Gives::Nothing
        && found.space != Space::Member
        && !found.called
        && (tree.language.fills_arguments || !tree.ancestors(at).take(8).any(is_argument))
    {
        found.gives = Gives::More;
    }
    unit.mentions.push(found);
}

fn start<'t>(tree: &Tree, index: usize, parent: Option<usize>, function: usize) -> Unit<'t> {
    let node = tree.node(index);
    let first = tree.children(index).find(|c| tree.node(*c).role != Role::Comment);
    let call = |i: usize| tree.node(i).role == Role::Call;
    let rows = match node.role {
        Role::Root => BTreeSet::new(),
        _ => BTreeSet::from([node.first_row]),
    };
    Unit {
        role: node.role,
        parent,
        function,
        first_row: node.first_row,
        rows,
        mentions: Vec::new(),
        name: None,
        yields: node.role.is_function() && yields(tree, index),
        symbols: Vec::new(),
        jumps: false,
        brings: node.role == Role::Import,
        effect: call(index)
            || (node.role == Role::Other
                && first.is_some_and(|c| call(c) && tree.after(c) == tree.after(index))),
    }
}

fn yields(tree: &Tree, function: usize) -> bool {
    let is_block = |child: usize| tree.node(child).role == Role::Block;
    tree.language.bare_calls
        || tree.language.compiled().is_loose(tree.node(function).kind)
        || !tree.children(function).any(is_block)
}

/// The name of a function that stands among statements.
fn inner_name<'t>(tree: &Tree, source: &'t str, at: usize, above: usize) -> Option<&'t str> {
    let stands = matches!(tree.node(above).role, Role::Block | Role::Root | Role::Wrapper);
    (stands && tree.node(at).role == Role::Function).then(|| name_of(tree, source, at)).flatten()
}

/// The names in a text that stand for their values.
fn interpolated<'t>(text: &'t str, mark: &'static str) -> impl Iterator<Item = Mention<'t>> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let names = text.split(mark).skip(1).take(32).filter_map(move |rest| rest.split(word).next());
    names.filter(|name| !name.is_empty()).map(|text| Mention {
        text,
        object: None,
        space: Space::Plain,
        gives: Gives::Nothing,
        read: true,
        called: false,
    })
}

/// Whether the node at `index` is a statement of its own.
pub(crate) fn is_statement(tree: &Tree, index: usize, above: usize) -> bool {
    let language = tree.language.compiled();
    let (node, around) = (tree.node(index), tree.node(above));
    if matches!(node.role, Role::Block | Role::Comment | Role::Label) {
        return false;
    }
    if node.role.is_compound() || node.role.is_function() || node.role == Role::Class {
        return true;
    }
    match around.role {
        Role::Root | Role::Block => true,
        Role::Case if language.is_body(node.field) => true,
        Role::Case => node.field >= crate::language::OTHER_CHILD,
        Role::Lambda if language.is_loose(around.kind) => {
            !language.is_parameters(node.kind, node.field)
        }
        role if role.is_compound() || role.is_function() => language.is_body(node.field),
        _ => false,
    }
}

fn is_inner(tree: &Tree, above: usize, scope: usize) -> bool {
    let role = tree.node(above).role;
    above != scope && (role.is_function() || role == Role::Class)
}

/// What a Go method calls its object.
pub(crate) fn receiver<'t>(tree: &Tree, source: &'t str, function: usize) -> Option<&'t str> {
    let field = tree.language.compiled().receiver_field;
    let list = tree.child(function, field)?;
    if tree.node(function).role != Role::Function {
        return None;
    }
    (list..tree.after(list))
        .find(|i| tree.node(*i).role == Role::Name)
        .map(|i| tree.text(i, source))
}

/// The type of which a Go function is a method.
pub(crate) fn receiver_type<'t>(tree: &Tree, source: &'t str, function: usize) -> Option<&'t str> {
    let list = tree.child(function, tree.language.compiled().receiver_field)?;
    let name = (list..tree.after(list)).find(|i| tree.node(*i).role == Role::TypeName);
    name.map(|i| tree.text(i, source))
}

fn givers<'t>(all: &[Unit<'t>]) -> HashMap<(Space, &'t str), Vec<Giver>> {
    let mut givers: HashMap<_, Vec<Giver>> = HashMap::new();
    for (index, unit) in all.iter().enumerate() {
        for m in &unit.mentions {
            let function = match m.gives {
                Gives::Nothing => continue,
                Gives::Parameter if unit.role.is_function() => index,
                _ => unit.function,
            };
            let whole = m.gives != Gives::More;
            givers.entry((m.space, m.text)).or_default().push(Giver {
                unit: index,
                function,
                whole,
            });
        }
    }
    givers
}
