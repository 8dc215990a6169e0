//! Whether a name at one place can stand for the function or class whose callers are looked for.

use chaffinch_core::RepoPath;

use super::{
    definitions::{name_of, qualifier},
    imports::{Import, imports},
    names::{Mention, Space},
    tree::Tree,
    uses::Use,
};
use crate::language::{Role, Rule};

/// Namespaces of what comes with a language.
const STANDARD: [&str; 2] = ["std", "boost"];

/// What a file says of where its names come from.
pub(super) struct Meant<'m> {
    tree: &'m Tree,
    source: &'m str,
    wanted: &'m Use,
    /// The file that defines what is wanted, if that is another one.
    home: Option<&'m RepoPath>,
    imports: Vec<Import>,
    /// Whether the file has a function of that name itself.
    defines: bool,
}

impl<'m> Meant<'m> {
    pub(super) fn new(
        tree: &'m Tree,
        source: &'m str,
        wanted: &'m Use,
        home: Option<&'m RepoPath>,
    ) -> Self {
        let imports = home.map(|_| imports(tree, source)).unwrap_or_default();
        let defines = home.is_some() && defines(tree, source, &wanted.name);
        Self { tree, source, wanted, home, imports, defines }
    }

    /// Whether the mention at `at` can be the one that is meant.
    pub(super) fn fits(&self, at: usize, found: &Mention<'_>) -> bool {
        let object = found.object.unwrap_or_default();
        match (&self.wanted.class, found.space) {
            (Some(class), Space::Member) => self.is_object_of(class, object) || self.gives(object),
            (Some(_), _) => true,
            (None, Space::Plain) => self.wanted.is_class || self.is_ours(found.text),
            // A class that is part of another one.
            (None, _) if self.wanted.is_class => true,
            // Where the code belongs to a class, what it calls on itself does too.
            (None, Space::Own) => self.home.is_none() && !self.is_in_class(at),
            (None, Space::Member) => self.is_namespace(at, object) || self.gives(object),
        }
    }

    /// Whether an object carries the name of the class; its own file names it anyway.
    fn is_object_of(&self, class: &str, object: &str) -> bool {
        let (object, named) = (object.to_ascii_lowercase(), class.to_ascii_lowercase());
        let object = object.trim_start_matches(['$', '@', '_']);
        let alike = object.contains(&named) || (object.len() > 3 && named.contains(object));
        alike || (self.home.is_some() && self.source.contains(class))
    }

    /// Whether a function without an object is the one of the other file, as far as can be told.
    fn is_ours(&self, name: &str) -> bool {
        let Some(home) = self.home else { return true };
        let named = |import: &&Import| import.names.iter().any(|n| n == name);
        match self.imports.iter().find(named) {
            Some(import) => is_from(import, home),
            None => !self.defines,
        }
    }

    /// Whether an object is what an import of the other file gives.
    fn gives(&self, object: &str) -> bool {
        let Some(home) = self.home else { return false };
        let first = object.split(['.', '(', '[', '?', ':', '-', '\\']).next().unwrap_or_default();
        let first = first.trim_start_matches('$');
        let scripts = self.tree.language.modules.rule == Rule::Relative;
        self.imports.iter().filter(|import| is_from(import, home)).any(|import| {
            let named = import.names.iter().any(|name| name == first) || object == import.module;
            // What `require('./x')(y)` gives goes by any name.
            named || (scripts && import.names.is_empty())
        })
    }

    /// Whether the object is a namespace of a language whose files do not say what they bring.
    fn is_namespace(&self, at: usize, object: &str) -> bool {
        let start = self.tree.node(at).start as usize;
        let before = self.source.get(..start).unwrap_or_default();
        let first = object.split("::").next().unwrap_or_default();
        self.tree.language.modules.rule == Rule::Include
            && before.ends_with("::")
            && !STANDARD.contains(&first)
    }

    fn is_in_class(&self, at: usize) -> bool {
        self.tree.ancestors(at).any(|above| self.tree.node(above).role == Role::Class)
    }
}

/// Whether a file has a function of this name that is part of nothing.
fn defines(tree: &Tree, source: &str, name: &str) -> bool {
    (0..tree.len()).filter(|at| tree.node(*at).role == Role::Function).any(|at| {
        let outer = || tree.parent(at).map(|above| tree.node(above).role);
        name_of(tree, source, at) == Some(name)
            && qualifier(tree, source, at).is_none()
            && matches!(outer(), Some(Role::Root | Role::Block | Role::Wrapper))
            && !tree.ancestors(at).any(|above| tree.node(above).role == Role::Class)
    })
}

/// Whether a module can be the file at `path`, its folder, or what hands on what these hold.
fn is_from(import: &Import, path: &RepoPath) -> bool {
    let (folders, file) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
    let front = |name: &'_ str| name.split('.').next().unwrap_or_default().to_owned();
    let own = |part: &str| {
        !part.is_empty() && (front(file) == part || folders.split('/').any(|f| f == part))
    };
    let parts: Vec<&str> =
        import.module.split(['/', '\\', ':']).filter(|part| !part.is_empty()).collect();
    let last = parts.last().copied().unwrap_or_default();
    let words: Vec<&str> = last.split('.').filter(|word| !word.is_empty()).collect();
    // `./a.service` and `a/b.js` name a file, `a.b.c` goes through folders.
    let near = words.iter().rev().take(2).chain(words.first());
    words.is_empty()
        || near.into_iter().any(|word| own(word))
        || import.names.iter().any(|name| own(name))
}
