//! What a file defines, by name.

use std::collections::HashMap;

use super::{
    frame::{is_named, target},
    names::{Gives, Space, bare, mention},
    tree::Tree,
    units::{is_statement, receiver},
};
use crate::language::Role;

/// What is defined, by the index of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A function that can be called by its name.
    Function(usize),
    /// A class.
    Class(usize),
    /// A constant, field or variable of the file or a class: its statement.
    Value(usize),
    /// A statement in a function that gives a member of the object its value.
    Member(usize),
}

/// One definition.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'t> {
    pub(crate) name: &'t str,
    pub(crate) what: What,
    /// The class that it is part of.
    pub(crate) class: Option<usize>,
}

/// What a file defines.
pub(crate) struct Definitions<'t> {
    all: Vec<Definition<'t>>,
    by_name: HashMap<&'t str, Vec<usize>>,
}

/// Nodes around a name in which its statement is looked for.
const DEEP: usize = 64;

/// A name of a member of some other object is followed only if it can mean no more than this.
const AMBIGUOUS: usize = 2;

impl<'t> Definitions<'t> {
    /// Reads a whole file.
    pub(crate) fn of(tree: &Tree, source: &'t str) -> Self {
        let mut found = Vec::new();
        // What is open at a node: its index, the class and whether there is a function around.
        let mut open: Vec<(usize, Option<usize>, bool)> = Vec::new();
        let mut own = None;
        let mut at = 0;
        while at < tree.len() {
            let node = tree.node(at);
            while open.last().is_some_and(|(i, ..)| at >= tree.after(*i)) {
                open.pop();
            }
            if matches!(node.role, Role::Comment | Role::Import) {
                at = tree.after(at);
                continue;
            }
            let (class, inside) = open.last().map_or((None, false), |(_, c, f)| (*c, *f));
            if node.role == Role::Class || node.role.is_function() {
                let is_class = node.role == Role::Class;
                let what = if is_class { What::Class(at) } else { What::Function(at) };
                if let Some(name) = name_of(tree, source, at) {
                    found.push(Definition { name: bare(name), what, class });
                }
                if node.role == Role::Function {
                    own = receiver(tree, source, at);
                }
                open.push(if is_class { (at, Some(at), inside) } else { (at, class, true) });
            } else if let Some(definition) = promoted(tree, source, at) {
                found.push(Definition { class, ..definition });
            } else if let Some(definition) = declared_by_call(tree, source, at, inside) {
                found.push(Definition { class, ..definition });
            } else if let Some(definition) = value(tree, source, at, inside, own) {
                found.push(Definition { class, ..definition });
            }
            at += 1;
        }
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, definition) in found.iter().enumerate() {
            by_name.entry(definition.name).or_default().push(index);
        }
        Self { all: found, by_name }
    }

    /// What `name` can mean to code in `class`.
    pub(crate) fn resolve(
        &self,
        space: Space,
        name: &str,
        class: Option<usize>,
    ) -> Vec<Definition<'t>> {
        let same: Vec<_> = self
            .by_name
            .get(bare(name))
            .into_iter()
            .flatten()
            .filter_map(|index| self.all.get(*index).copied())
            .collect();
        let pick = |keep: &dyn Fn(&Definition<'t>) -> bool| {
            same.iter().filter(|d| keep(d)).copied().collect::<Vec<_>>()
        };
        let is_member = |d: &Definition<'t>| matches!(d.what, What::Member(_));
        match space {
            Space::Plain => pick(&|d| !is_member(d) && (d.class.is_none() || d.class == class)),
            Space::Own => {
                let own = pick(&|d| d.class == class);
                let plain = |d: &Definition<'t>| !matches!(d.what, What::Class(_));
                if own.is_empty() { pick(&plain) } else { own }
            }
            Space::Member => {
                let calls = pick(&|d| match d.what {
                    What::Function(_) => true,
                    What::Member(_) => d.class.is_some(),
                    What::Value(_) => d.class.is_some() && d.name.starts_with(char::is_uppercase),
                    _ => false,
                });
                // Only where nothing else has the name, a field of a class is meant.
                let fields =
                    |d: &Definition<'t>| matches!(d.what, What::Value(_) if d.class.is_some());
                let found = if calls.is_empty() { pick(&fields) } else { calls };
                if found.len() > AMBIGUOUS { Vec::new() } else { found }
            }
        }
    }

    /// The names of the values of the file or a class whose only statements are in `rows`.
    pub(crate) fn values_on(&self, tree: &Tree, rows: (u32, u32)) -> impl Iterator<Item = &'t str> {
        let inside = move |at: usize| {
            let node = tree.node(at);
            node.first_row <= rows.1 && rows.0 <= node.last_row
        };
        let values = self.all.iter().filter(move |d| match d.what {
            What::Value(at) => inside(at),
            _ => false,
        });
        let once = |name: &&str| self.by_name.get(name).is_some_and(|all| all.len() == 1);
        values.map(|d| d.name).filter(once)
    }

    /// The functions of `class` with one of these names; those that carry its own name too.
    pub(crate) fn constructors(&self, tree: &Tree, source: &str, class: usize) -> Vec<usize> {
        let own = name_of(tree, source, class);
        let made = self.all.iter().filter(|d| d.class == Some(class));
        made.filter_map(|d| match d.what {
            What::Function(f)
                if tree.language.constructors.contains(&d.name) || own == Some(d.name) =>
            {
                Some(f)
            }
            _ => None,
        })
        .collect()
    }
}

/// The name of a function or class.
pub(crate) fn name_of<'t>(tree: &Tree, source: &'t str, index: usize) -> Option<&'t str> {
    named(tree, index).map(|name| tree.text(name, source))
}

fn named(tree: &Tree, index: usize) -> Option<usize> {
    let language = tree.language.compiled();
    if let Some(name) = tree.child(index, language.name_field) {
        return Some(name);
    }
    if let Some(declarator) = tree.child(index, language.declarator_field) {
        return declared(tree, declarator);
    }
    if !is_named(tree, index) {
        return None;
    }
    let left = target(tree, index)?;
    (left..tree.after(left)).rev().find(|i| tree.node(*i).role == Role::Name)
}

/// The name of what a function belongs to, where what stands before its own says that
/// (`int Shop::find()`, `fun String.clean()`, `Shop.find = function`). What a function gives to its
/// object belongs to what it makes (`function Shop() { this.find = function`).
pub(crate) fn owner<'t>(tree: &Tree, source: &'t str, function: usize) -> Option<&'t str> {
    let own = qualifier(tree, source, function)?;
    if own != "this" {
        return Some(own).filter(|own| !tree.language.selves.contains(own));
    }
    let outer = tree.ancestors(function).filter(|above| tree.node(*above).role.is_function());
    outer.filter_map(|outer| name_of(tree, source, outer)).next()
}

/// What stands before the name of a function.
pub(crate) fn qualifier<'t>(tree: &Tree, source: &'t str, function: usize) -> Option<&'t str> {
    let start = tree.node(named(tree, function)?).start as usize;
    let line = source.get(..start)?.rsplit('\n').next()?;
    let (front, is_path) = match (line.strip_suffix("::"), line.strip_suffix('.')) {
        (Some(front), _) => (front, true),
        (_, Some(front)) => (front, false),
        _ => return None,
    };
    // `List<T>` and `String?` are `List` and `String`.
    let front = front.trim_end_matches('?');
    let open = front.strip_suffix('>').and_then(|front| front.rfind('<'));
    let front = front.get(..open.unwrap_or(front.len()))?;
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let whole = front.rsplit(|c: char| !word(c) && c != '.').next()?;
    let own = whole.split('.').next()?;
    // Of `ns::Shop::find` the last one counts, of `Shop.prototype.find` the first.
    let own = if is_path { whole.rsplit('.').next()? } else { own };
    Some(own).filter(|own| !own.is_empty())
}

/// The name in a declarator: the last one before the parameters.
fn declared(tree: &Tree, declarator: usize) -> Option<usize> {
    let language = tree.language.compiled();
    let names = (declarator..tree.after(declarator))
        .take_while(|i| !language.is_parameters(tree.node(*i).kind, tree.node(*i).field))
        .filter(|i| matches!(tree.node(*i).role, Role::Name | Role::TypeName) && tree.is_leaf(*i));
    names.last()
}

/// Words in front of a parameter that is a member too.
const PROMOTES: [&str; 6] = ["private", "public", "protected", "readonly", "val", "var"];

/// A member that a constructor declares among its parameters.
fn promoted<'t>(tree: &Tree, source: &'t str, at: usize) -> Option<Definition<'t>> {
    let above = tree.parent(at).filter(|_| tree.node(at).role == Role::Name)?;
    let list = tree.parent(above)?;
    let (kind, field) = (tree.node(list).kind, tree.node(list).field);
    if !tree.language.compiled().is_parameters(kind, field) {
        return None;
    }
    let first = tree.text(above, source).split_whitespace().next()?;
    let is_first = tree.children(above).find(|c| tree.node(*c).role == Role::Name) == Some(at);
    let name = bare(tree.text(at, source));
    let what = What::Value(above);
    (is_first && PROMOTES.contains(&first)).then_some(Definition { name, what, class: None })
}

/// A member that a call in the body of a class declares, or says something of, by a literal name
/// (`attr_accessor :url`, `validates :url`).
fn declared_by_call<'t>(
    tree: &Tree,
    source: &'t str,
    at: usize,
    inside: bool,
) -> Option<Definition<'t>> {
    let name = Some(tree.text(at, source)).filter(|_| tree.node(at).role == Role::Symbol);
    let name = name.and_then(|name| name.strip_prefix(':')).filter(|_| !inside)?;
    let call = tree.ancestors(at).take(3).find(|i| tree.node(*i).role == Role::Call)?;
    let above = tree.parent(call).filter(|above| is_statement(tree, call, *above))?;
    let in_class = tree.parent(above).is_some_and(|class| tree.node(class).role == Role::Class);
    let callee = tree.children(call).next().map(|callee| tree.text(callee, source))?;
    let is_hook = tree.language.hooks.contains(&callee);
    let what = What::Value(call);
    (in_class && !is_hook).then_some(Definition { name, what, class: None })
}

fn value<'t>(
    tree: &Tree,
    source: &'t str,
    at: usize,
    inside: bool,
    own: Option<&str>,
) -> Option<Definition<'t>> {
    let language = tree.language.compiled();
    let node = tree.node(at);
    // Names in functions are their own business, unless they stand for a part of the object.
    let above = tree.parent(at)?;
    if !matches!(node.role, Role::Name | Role::OwnName)
        || (inside && node.role == Role::Name && language.member(tree.node(above).kind).is_none())
    {
        return None;
    }
    let found = mention(tree, source, at, own)?;
    if !matches!(found.gives, Gives::Value | Gives::More)
        || found.space == Space::Member
        || (inside && found.space != Space::Own)
    {
        return None;
    }
    let statement = std::iter::once(at)
        .chain(tree.ancestors(at).take(DEEP))
        .find(|i| tree.parent(*i).is_none_or(|above| is_statement(tree, *i, above)))?;
    if brings_names(tree, source, statement) {
        return None;
    }
    let what =
        if inside { What::Member(statement) } else { What::Value(own_part(tree, at, statement)) };
    Some(Definition { name: bare(found.text), what, class: None })
}

/// Of a statement that defines several names, the part that defines the one at `at`.
fn own_part(tree: &Tree, at: usize, statement: usize) -> usize {
    let language = tree.language.compiled();
    let mut below = at;
    for above in tree.ancestors(at) {
        if above == statement {
            return statement;
        }
        if language.assigns(tree.node(above).kind, tree.node(below).field) {
            let kind = tree.node(above).kind;
            let several = tree.parent(above).is_some_and(|list| {
                tree.children(list).filter(|c| tree.node(*c).kind == kind).nth(1).is_some()
            });
            return if several { above } else { statement };
        }
        below = above;
    }
    statement
}

/// Whether a statement does no more than name something from elsewhere.
fn brings_names(tree: &Tree, source: &str, statement: usize) -> bool {
    (statement..tree.after(statement)).take(24).any(|i| {
        tree.node(i).role == Role::Call
            && tree
                .children(i)
                .next()
                .is_some_and(|callee| tree.language.imports.contains(&tree.text(callee, source)))
    })
}
