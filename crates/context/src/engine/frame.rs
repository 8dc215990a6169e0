//! Which function, class or file a row stands in.

use super::{tree::Tree, units::Piece};
use crate::language::Role;

/// The code around a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What is searched for dependences: the outermost function, else the class, else the file.
    pub(crate) piece: Piece,
    /// The function to show, if there is one.
    pub(crate) function: Option<Piece>,
    /// The classes around it, from outside in.
    pub(crate) classes: Vec<usize>,
}

/// A function without a name is shown with the function around it, up to this many rows.
const SMALL: u32 = 80;

/// A function is shown with the statement that it is a part of, if its head is that near.
const HEAD: u32 = 8;

/// The code around `row`.
pub(crate) fn around(tree: &Tree, row: u32) -> Frame {
    let (functions, classes) = enclosing(tree, row);
    let Some((outermost, innermost)) = functions.first().zip(functions.last()) else {
        let scope = classes.last().copied().unwrap_or(0);
        return Frame { piece: Piece { from: scope, scope }, function: None, classes };
    };
    let mut shown = *innermost;
    for outer in functions.iter().rev().skip(1) {
        let node = tree.node(*outer);
        if is_named(tree, shown) || is_entry(tree, shown) || node.last_row - node.first_row > SMALL
        {
            break;
        }
        shown = *outer;
    }
    Frame { piece: whole(tree, *outermost), function: Some(whole(tree, shown)), classes }
}

/// The functions and classes that `row` stands in, each from outside in.
fn enclosing(tree: &Tree, row: u32) -> (Vec<usize>, Vec<usize>) {
    let (mut functions, mut classes) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tree.len() {
        let node = tree.node(at);
        if node.first_row > row && at > 0 {
            break;
        }
        if node.last_row < row {
            at = tree.after(at);
            continue;
        }
        match node.role {
            Role::Function => functions.push(at),
            Role::Lambda if node.last_row > node.first_row || is_named(tree, at) => {
                functions.push(at);
            }
            Role::Class => classes.push(at),
            Role::Decorator => functions.extend(decorated(tree, at)),
            _ => {}
        }
        at += 1;
    }
    // Two functions on one row: only those that hold the last one are around it.
    let holds = |outer: usize, inner: usize| outer <= inner && inner < tree.after(outer);
    let last = functions.last().copied();
    functions.retain(|f| last.is_some_and(|last| holds(*f, last)));
    functions.dedup();
    (functions, classes)
}

/// The function that the decorator at `index` belongs to.
fn decorated(tree: &Tree, index: usize) -> Option<usize> {
    let above = tree.parent(index)?;
    if tree.node(above).role == Role::Function {
        return None;
    }
    let next =
        tree.children(above).find(|c| *c > index && tree.node(*c).role != Role::Decorator)?;
    (tree.node(next).role == Role::Function).then_some(next)
}

/// Whether a lambda is passed to something under a literal name: a route, an event.
fn is_entry(tree: &Tree, function: usize) -> bool {
    let language = tree.language.compiled();
    let holds = |i: &usize| language.is_arguments(tree.node(*i).kind, tree.node(*i).field);
    let list = tree.ancestors(function).take(3).find(holds);
    let Some(list) = list else { return false };
    (list + 1..function).take(3).any(|i| {
        let (text, first) = (tree.node(i), tree.node(list + 1));
        text.role == Role::Text && text.start == first.start && text.end == first.end
    })
}

/// Whether a function can be called by a name: its own, or that of what it is assigned to.
pub(crate) fn is_named(tree: &Tree, function: usize) -> bool {
    tree.node(function).role == Role::Function || target(tree, function).is_some()
}

/// The left side of the assignment or pair whose right side is the lambda at `index`.
pub(crate) fn target(tree: &Tree, index: usize) -> Option<usize> {
    let language = tree.language.compiled();
    let above = tree.parent(index)?;
    let kind = tree.node(above).kind;
    tree.children(above).take(4).take_while(|c| *c < index).find(|c| {
        let field = tree.node(*c).field;
        language.assigns(kind, field) || language.is_label(kind, field)
    })
}

/// A function with what stands before it in its statement: decorators, a route, a name.
pub(crate) fn whole(tree: &Tree, function: usize) -> Piece {
    let row = tree.node(function).first_row;
    let mut from = function;
    for above in tree.ancestors(function) {
        let node = tree.node(above);
        let stop = matches!(node.role, Role::Block | Role::Root | Role::Class)
            || node.role.is_function()
            || node.role.is_compound();
        if stop || row - node.first_row.min(row) > HEAD {
            break;
        }
        from = above;
    }
    let above = tree.parent(from);
    let before = above.into_iter().flat_map(|a| tree.children(a)).take_while(|c| *c < from);
    let mut decorators = Vec::new();
    for sibling in before {
        match tree.node(sibling).role {
            Role::Decorator => decorators.push(sibling),
            _ => decorators.clear(),
        }
    }
    Piece { from: decorators.first().copied().unwrap_or(from), scope: function }
}
