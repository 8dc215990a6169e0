//! What a name in the source does where it stands.

use super::tree::Tree;
use crate::language::Role;

/// Which names it can be the same as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// A variable, function or class.
    Plain,
    /// A member of the object that the code belongs to (`self.x`, `@x`).
    Own,
    /// A member of some other object.
    Member,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// It is only read.
    Nothing,
    /// It, or a part of it, may have another value afterwards.
    More,
    /// It has another value afterwards.
    Value,
    /// It is a parameter.
    Parameter,
}

/// One name at one place.
#[derive(Clone, Copy)]
pub(crate) struct Mention<'t> {
    pub(crate) text: &'t str,
    /// The object whose member it is, as written.
    pub(crate) object: Option<&'t str>,
    pub(crate) space: Space,
    pub(crate) gives: Gives,
    /// Whether its value is used.
    pub(crate) read: bool,
    /// Whether it is called.
    pub(crate) called: bool,
}

/// How far up an assignment is looked for.
const REACH: usize = 16;

/// The name at `index`, if there is one. `own` is what the code calls its object, where the
/// language leaves that to it.
pub(crate) fn mention<'t>(
    tree: &Tree,
    source: &'t str,
    index: usize,
    own: Option<&str>,
) -> Option<Mention<'t>> {
    let language = tree.language.compiled();
    let node = tree.node(index);
    let parent = tree.parent(index)?;
    let text = tree.text(index, source);
    if node.role == Role::Symbol && node.field == language.key_field {
        // `f(order:)` hands over the variable of that name.
        let alone = tree.after(parent) == tree.after(index);
        return alone.then_some(Mention {
            text: text.trim_matches(':'),
            object: None,
            space: Space::Plain,
            gives: Gives::Nothing,
            read: true,
            called: false,
        });
    }
    if !matches!(node.role, Role::Name | Role::TypeName | Role::OwnName) {
        return None;
    }
    let around = tree.node(parent);
    let names_it =
        matches!(around.role, Role::Function | Role::Class) && node.field == language.name_field;
    if around.role == Role::Name || names_it || language.is_label(around.kind, node.field) {
        return None;
    }
    let mut of = None;
    let mut space = if node.role == Role::OwnName { Space::Own } else { Space::Plain };
    if let Some((object, member)) = language.member(around.kind)
        && node.field == member
        && let Some(object) = tree.child(parent, object)
    {
        let object = tree.text(object, source);
        let is_own = tree.language.selves.contains(&object) || own == Some(object);
        space = if is_own { Space::Own } else { Space::Member };
        of = Some(object);
    }
    if node.role == Role::TypeName && around.start < node.start && around.end == node.end {
        // A type with the folders in front of it.
        let whole = tree.text(parent, source);
        of = whole.strip_suffix(text).and_then(|front| front.strip_suffix(['.', '\\']));
    }
    let is_self = tree.language.selves.contains(&text) || own == Some(text);
    if space != Space::Member && is_self {
        return None;
    }
    // The object of a call is not what is called.
    let object = language.member(around.kind).is_some_and(|(object, _)| node.field == object);
    let callee = |i: usize| tree.node(i).role == Role::Call && tree.node(i).start == around.start;
    let called = !object
        && (around.role == Role::Call
            || (language.member(around.kind).is_some() && tree.parent(parent).is_some_and(callee)));
    let gives = match node.role {
        Role::TypeName => Gives::Nothing,
        _ if space == Space::Member => Gives::Nothing,
        _ => gives(tree, source, index, space),
    };
    let read = matches!(gives, Gives::Nothing | Gives::More);
    let text = if space == Space::Plain { text } else { bare(text) };
    Some(Mention { text, object: of, space, gives, read, called })
}

/// The name of a member without the mark that only its kind of mention carries.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_start_matches(['@', '$', '#'])
}

fn gives(tree: &Tree, source: &str, index: usize, space: Space) -> Gives {
    let language = tree.language.compiled();
    let mut below = index;
    let mut part = false;
    for (step, above) in tree.ancestors(index).take(REACH).enumerate() {
        let (child, node) = (tree.node(below), tree.node(above));
        if language.assigns(node.kind, child.field) {
            let changed = is_update(source, node.start, child.end);
            return if part || changed { Gives::More } else { Gives::Value };
        }
        if node.role.is_function() || language.is_parameters(child.kind, child.field) {
            let named = language.is_parameters(child.kind, child.field);
            return if named { Gives::Parameter } else { Gives::Nothing };
        }
        // Of `a[i] = x`, `a` changes and `i` does not.
        let only_read = match node.role {
            // `self.x = y` may look like a call of `x`.
            Role::Call => {
                !(step == 0 && space == Space::Own && language.member(node.kind).is_some())
            }
            Role::Block => true,
            Role::Element => child.start > node.start,
            _ => language.reads(node.kind, child.field),
        };
        if only_read {
            return Gives::Nothing;
        }
        if node.role == Role::Address
            && source.get(node.start as usize..).is_some_and(|s| s.starts_with('&'))
        {
            return Gives::More;
        }
        // `self.x` as a whole gets the value: that is what the name stands for.
        let whole = space == Space::Own && step == 0;
        let points = node.role == Role::Address;
        part |= points
            || !whole && (node.role == Role::Element || language.member(node.kind).is_some());
        below = above;
    }
    Gives::Nothing
}

/// Whether the operator after an assignment's left side reads it too (`+=`, `||=`, `++`).
fn is_update(source: &str, start: u32, left_end: u32) -> bool {
    let prefix = source.get(start as usize..).unwrap_or_default();
    let after = source.get(left_end as usize..).unwrap_or_default().trim_start();
    if ["++", "--"].iter().any(|sign| prefix.starts_with(sign) || after.starts_with(sign)) {
        return true;
    }
    let operator = after.bytes().take(4).take_while(|b| b"+-*/%&|^<>.?~".contains(b)).count();
    operator > 0 && after.as_bytes().get(operator) == Some(&b'=')
}
