//! What the engine must know of a language, as data: one file a language, node kinds and fields by
//! name.

mod c;
mod compiled;
mod conventions;
mod cpp;
mod csharp;
mod go;
mod java;
mod javascript;
mod kotlin;
mod modules;
mod php;
mod python;
mod role;
mod ruby;
mod templates;
mod typescript;

use std::{mem::ManuallyDrop, sync::OnceLock};

use chaffinch_core::RepoPath;

pub(crate) use compiled::{Compiled, FIRST_CHILD, OTHER_CHILD};
use compiled::{FIRST, REST};
pub(crate) use conventions::{Asks, Convention};
pub(crate) use modules::{Modules, Rule};
pub(crate) use role::Role;
pub(crate) use templates::Template;

static ALL: [&Language; 12] = [
    &python::PYTHON,
    &javascript::JAVASCRIPT,
    &typescript::TYPESCRIPT,
    &typescript::TSX,
    &java::JAVA,
    &go::GO,
    &ruby::RUBY,
    &php::PHP,
    &csharp::CSHARP,
    &kotlin::KOTLIN,
    &c::C,
    &cpp::CPP,
];

/// The description of one language. All names are those of its grammar.
pub(crate) struct Language {
    /// For people.
    pub(crate) name: &'static str,
    /// Of files, in lower case.
    pub(crate) extensions: &'static [&'static str],
    /// Of files without an extension that tells.
    pub(crate) file_names: &'static [&'static str],
    /// Programs in a `#!` line.
    pub(crate) interpreters: &'static [&'static str],
    /// The grammar.
    pub(crate) grammar: fn() -> tree_sitter::Language,
    /// A language whose node kinds and fields it shares; what differs is said anew.
    pub(crate) like: Option<&'static Self>,
    /// Node kinds by role.
    pub(crate) roles: &'static [(Role, &'static [&'static str])],
    /// (kind, field) under which names get a value.
    pub(crate) assigns: &'static [(&'static str, &'static str)],
    /// (kind, field) under which names are no variables.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// (kind, field of the object, field of the member).
    pub(crate) members: &'static [(&'static str, &'static str, &'static str)],
    /// Fields that hold statements, where there is no block around them.
    pub(crate) bodies: &'static [&'static str],
    /// Kinds of functions whose statements stand in them without a block.
    pub(crate) loose: &'static [&'static str],
    /// Fields that hold parameters.
    pub(crate) parameters: &'static [&'static str],
    /// Kinds that hold parameters, where they stand in no field.
    pub(crate) parameter_lists: &'static [&'static str],
    /// Kinds that hold arguments, where they stand in no field.
    pub(crate) argument_lists: &'static [&'static str],
    /// Whether a call may fill what it is handed, without a mark in the source.
    pub(crate) fills_arguments: bool,
    /// What stands before a name within a text, where the grammar does not tell.
    pub(crate) interpolates: &'static str,
    /// How an object calls itself.
    pub(crate) selves: &'static [&'static str],
    /// Names of functions that make an object.
    pub(crate) constructors: &'static [&'static str],
    /// Functions that never return.
    pub(crate) exits: &'static [&'static str],
    /// Functions that bring names from elsewhere.
    pub(crate) imports: &'static [&'static str],
    /// Whether a name alone may be a call.
    pub(crate) bare_calls: bool,
    /// How modules become paths, and who calls by convention.
    pub(crate) modules: Modules,
    /// Calls in a class body that say what runs around its methods.
    pub(crate) hooks: &'static [&'static str],
    /// Where its frameworks keep routes and settings.
    pub(crate) conventions: &'static [Convention],
    /// The same by number, made at first use. Nothing is lost where it is never dropped: descriptions
    /// live as long as the program, and only so may one fill in the rest of another.
    compiled: ManuallyDrop<OnceLock<Compiled>>,
}

impl Language {
    /// One with nothing in particular: what a description does not say.
    const fn bare() -> Self {
        Self {
            name: "",
            extensions: &[],
            file_names: &[],
            interpreters: &[],
            grammar: || tree_sitter_c::LANGUAGE.into(),
            like: None,
            roles: &[],
            assigns: &[],
            labels: &[],
            members: &[],
            bodies: &[],
            loose: &[],
            parameters: &[],
            parameter_lists: &[],
            argument_lists: &[],
            fills_arguments: false,
            interpolates: "",
            selves: &[],
            constructors: &[],
            exits: &[],
            imports: &[],
            bare_calls: false,
            modules: Modules::of(Rule::Relative),
            hooks: &[],
            conventions: &[],
            compiled: ManuallyDrop::new(OnceLock::new()),
        }
    }

    /// The language of a file, by its name or its first line.
    pub(crate) fn of(path: &RepoPath, first_line: &str) -> Option<&'static Self> {
        let (extension, name) = (path.extension(), path.file_name());
        let by_name = ALL
            .into_iter()
            .find(|l| l.extensions.contains(&extension.as_str()) || l.file_names.contains(&name));
        if by_name.is_some() || !extension.is_empty() {
            return by_name;
        }
        let command = first_line.strip_prefix("#!")?;
        let mut words = command.split(['/', ' ', '\t', '\r']).filter(|w| !w.is_empty());
        ALL.into_iter()
            .find(|l| {
                words.clone().any(|w| {
                    l.interpreters
                        .contains(&w.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
                })
            })
            .filter(|_| words.next().is_some())
    }

    /// Whether a file of this name is in a language that is known by it.
    pub(crate) fn of_name(name: &str) -> bool {
        name.parse().is_ok_and(|path| Self::of(&path, "").is_some())
    }

    /// The language of scripts in pages: what JavaScript and TypeScript have in common.
    pub(crate) fn of_scripts() -> &'static Self {
        &typescript::TYPESCRIPT
    }

    /// The description by number.
    pub(crate) fn compiled(&'static self) -> &'static Compiled {
        self.compiled.get_or_init(|| Compiled::new(self))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_in_a_description_exists_in_its_grammar() {
        for language in ALL {
            let grammar = (language.grammar)();
            let kind = |name: &str| {
                assert!(grammar.id_for_node_kind(name, true) != 0, "{}: {name}", language.name);
            };
            let field = |name: &str| {
                assert!(
                    [FIRST, REST].contains(&name) || grammar.field_id_for_name(name).is_some(),
                    "{}: {name}",
                    language.name
                );
            };
            language.roles.iter().flat_map(|(_, kinds)| *kinds).for_each(|k| kind(k));
            for (k, f) in language.assigns.iter().chain(language.labels) {
                kind(k);
                field(f);
            }
            for (k, object, member) in language.members {
                kind(k);
                field(object);
                field(member);
            }
            language.bodies.iter().chain(language.parameters).for_each(|f| field(f));
            let lists = language.parameter_lists.iter().chain(language.argument_lists);
            let lists = lists.chain(language.loose);
            lists.for_each(|k| kind(k));
        }
    }

    #[test]
    fn no_kind_has_two_roles() {
        for language in ALL {
            let mut seen = HashSet::new();
            for kind in language.roles.iter().flat_map(|(_, kinds)| *kinds) {
                assert!(seen.insert(kind), "{}: {kind}", language.name);
            }
        }
    }

    #[test]
    fn a_file_is_known_by_extension_name_or_first_line() {
        let of = |path: &str, line| Language::of(&path.parse().unwrap(), line).map(|l| l.name);
        assert_eq!(of("a/b.py", ""), Some("Python"));
        assert_eq!(of("a/B.TSX", ""), Some("TSX"));
        assert_eq!(of("Rakefile", ""), Some("Ruby"));
        assert_eq!(of("bin/run", "#!/usr/bin/env python3.11\r"), Some("Python"));
        assert_eq!(of("bin/run", "#!"), None);
        assert_eq!(of("a.txt", "#!/usr/bin/python"), None);
        assert_eq!(of("Makefile", "all:"), None);
    }
}
