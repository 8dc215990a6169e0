//! The named nodes of a file, flat: a node's subtree is a range of indices, so that nothing here
//! or above walks by recursion.

use tree_sitter::Point;

use crate::{
    language::{FIRST_CHILD, Language, OTHER_CHILD, Role},
    sparse::Line,
};

/// No node.
const NONE: u32 = u32::MAX;

/// A named node. Rows count from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) kind: u16,
    /// Its field in its parent, [`FIRST_CHILD`] or [`OTHER_CHILD`].
    pub(crate) field: u16,
    parent: u32,
    next: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) first_row: u32,
    pub(crate) last_row: u32,
}

/// The nodes of a file, in the order of their starts; parents before children.
pub(crate) struct Tree {
    pub(crate) language: &'static Language,
    nodes: Vec<Node>,
    /// First and last row of what could not be read.
    pub(crate) errors: Vec<(u32, u32)>,
}

/// The named nodes of what the parser made of some lines of a file, placed in the file; without
/// `lines`, of all of it.
pub(super) fn flatten(
    language: &'static Language,
    tree: &tree_sitter::Tree,
    lines: &[Line],
) -> Tree {
    let compiled = language.compiled();
    let (mut nodes, mut errors) = (Vec::<Node>::new(), Vec::new());
    let mut open: Vec<u32> = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            let ((first, _), (last, _)) = places(&node, lines);
            errors.push((first, last));
        }
        let index = u32::try_from(nodes.len()).unwrap_or(NONE);
        let parent = open.last().copied().unwrap_or(NONE);
        if node.is_named() {
            let ((first_row, start), (last_row, end)) = places(&node, lines);
            nodes.push(Node {
                role: compiled.role(node.kind_id()),
                kind: node.kind_id(),
                field: match cursor.field_id() {
                    Some(field) => field.get(),
                    None if parent.checked_add(1) == Some(index) => FIRST_CHILD,
                    None => OTHER_CHILD,
                },
                parent,
                next: NONE,
                start,
                end,
                first_row,
                last_row,
            });
        }
        // An unnamed node stands for its parent, so that leaving it is the same as leaving a named one.
        if cursor.goto_first_child() {
            open.push(if node.is_named() { index } else { parent });
            continue;
        }
        if node.is_named() {
            close(&mut nodes, index);
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Tree { language, nodes, errors };
            }
            if let Some(left) = open.pop()
                && cursor.node().is_named()
            {
                close(&mut nodes, left);
            }
        }
    }
}

fn close(nodes: &mut [Node], index: u32) {
    let next = u32::try_from(nodes.len()).unwrap_or(NONE);
    if let Some(node) = nodes.get_mut(index as usize) {
        node.next = next;
    }
}

/// Row and byte of a node's start and end. One that ends with its line does not reach to the next.
fn places(node: &tree_sitter::Node, lines: &[Line]) -> ((u32, u32), (u32, u32)) {
    let number = |n: usize| u32::try_from(n).unwrap_or(NONE);
    let place = |at: Point, byte| match lines.get(at.row) {
        Some(line) => (line.row, line.start.saturating_add(number(at.column))),
        None => (number(at.row), number(byte)),
    };
    let (start, end) = (node.start_position(), node.end_position());
    let last = match end.row.checked_sub(1).filter(|row| end.column == 0 && *row >= start.row) {
        Some(row) => {
            lines.get(row).map_or((number(row), number(node.end_byte())), |l| (l.row, l.end))
        }
        None => place(end, node.end_byte()),
    };
    (place(start, node.start_byte()), last)
}

impl Tree {
    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node; indices come from this tree, the root stands in for any other.
    pub(crate) fn node(&self, index: usize) -> Node {
        const EMPTY: Node = Node {
            role: Role::Other,
            kind: 0,
            field: OTHER_CHILD,
            parent: NONE,
            next: 0,
            start: 0,
            end: 0,
            first_row: 0,
            last_row: 0,
        };
        self.nodes.get(index).or(self.nodes.first()).copied().unwrap_or(EMPTY)
    }

    /// The index after the last node below `index`.
    pub(crate) fn after(&self, index: usize) -> usize {
        (self.node(index).next as usize).clamp(index + 1, self.nodes.len().max(index + 1))
    }

    /// The node around `index`.
    pub(crate) fn parent(&self, index: usize) -> Option<usize> {
        let parent = self.nodes.get(index)?.parent;
        (parent != NONE).then_some(parent as usize)
    }

    /// The nodes around `index`, from inside out.
    pub(crate) fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(index), |i| self.parent(*i))
    }

    /// The nodes directly below `index`.
    pub(crate) fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.after(index).min(self.nodes.len());
        let first = (index + 1 < end).then_some(index + 1);
        std::iter::successors(first, move |i| Some(self.after(*i)).filter(|next| *next < end))
    }

    /// The child of `index` in `field`.
    pub(crate) fn child(&self, index: usize, field: u16) -> Option<usize> {
        (field != 0).then(|| self.children(index).find(|c| self.node(*c).field == field))?
    }

    /// Whether there is nothing below `index`.
    pub(crate) fn is_leaf(&self, index: usize) -> bool {
        self.after(index) == index + 1
    }

    /// The text of a node.
    pub(crate) fn text<'t>(&self, index: usize, source: &'t str) -> &'t str {
        let node = self.node(index);
        source.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// Whether something within `reach` rows of `row` could not be read.
    pub(crate) fn is_broken_near(&self, row: u32, reach: u32) -> bool {
        self.errors.iter().any(|(first, last)| {
            // An error that swallows half of a file says little about any one line of it, but a
            // line inside of it has no reliable function either.
            first.saturating_sub(reach) <= row && row <= last.saturating_add(reach)
        })
    }
}
