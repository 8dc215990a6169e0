//! What the engine must know of a language, as data: one file a language, node kinds and fields by
//! name.

mod c;
mod cpp;
mod csharp;
mod go;
mod java;
mod javascript;
mod kotlin;
mod modules;
mod php;
mod python;
mod ruby;
mod templates;
mod typescript;

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use chaffinch_core::RepoPath;

pub(crate) use modules::{Modules, Rule};
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

/// In place of a field: the first child, where it stands in no field.
const FIRST: &str = "#first";
/// In place of a field: the children after the first that stand in no field.
const REST: &str = "#rest";

pub(crate) const FIRST_CHILD: u16 = u16::MAX;
pub(crate) const OTHER_CHILD: u16 = u16::MAX - 1;

/// What a kind of node means to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// Nothing in particular.
    #[default]
    Other,
    /// The whole file.
    Root,
    /// A list of statements or members: each child is one.
    Block,
    /// A function or method with a name of its own.
    Function,
    /// A function without a name of its own.
    Lambda,
    /// A class, or what stands for one.
    Class,
    /// Holds one definition and adds to it (decorators, `export`).
    Wrapper,
    /// Runs its body only if a condition holds.
    Branch,
    /// Runs its body again and again.
    Loop,
    /// Runs its body, whatever comes; its head tells nothing.
    Try,
    /// Runs its body around a resource.
    With,
    /// One arm of a branch whose statements stand in it without a block.
    Case,
    /// The value or pattern of a [`Role::Case`].
    Label,
    /// Leaves the function, the loop or the program.
    Jump,
    /// Calls something.
    Call,
    /// Reads an element.
    Element,
    /// Says more about the definition that follows.
    Decorator,
    /// Brings names from elsewhere.
    Import,
    /// For people.
    Comment,
    /// A name.
    Name,
    /// A name of a type.
    TypeName,
    /// A name of a member of the object itself (`@x`).
    OwnName,
    /// A literal name (`:x`).
    Symbol,
    /// A literal text.
    Text,
    /// May take the address of a variable (`&x`).
    Address,
}

impl Role {
    /// Whether it can be called.
    pub(crate) fn is_function(self) -> bool {
        matches!(self, Self::Function | Self::Lambda)
    }

    /// Whether it holds statements behind a head.
    pub(crate) fn is_compound(self) -> bool {
        matches!(self, Self::Branch | Self::Loop | Self::Try | Self::With | Self::Case)
    }
}

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
    /// The same by number, made at first use.
    pub(crate) compiled: OnceLock<Compiled>,
}

/// A [`Language`] with the grammar's numbers in place of names.
pub(crate) struct Compiled {
    pub(crate) grammar: tree_sitter::Language,
    roles: Vec<Role>,
    assigns: HashSet<(u16, u16)>,
    labels: HashSet<(u16, u16)>,
    members: HashMap<u16, (u16, u16)>,
    bodies: Vec<u16>,
    loose: HashSet<u16>,
    parameters: Vec<u16>,
    parameter_lists: HashSet<u16>,
    argument_lists: HashSet<u16>,
    arguments_field: u16,
    /// (kind, field) that hold what is read, even where names around it get a value.
    reads: HashSet<(u16, u16)>,
    /// The field `name`, or 0.
    pub(crate) name_field: u16,
    /// The field `declarator`, or 0.
    pub(crate) declarator_field: u16,
    /// The field `key`, or 0.
    pub(crate) key_field: u16,
    /// The field `receiver`, or 0.
    pub(crate) receiver_field: u16,
}

impl Language {
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

    /// The language of scripts in pages: what JavaScript and TypeScript have in common.
    pub(crate) fn of_scripts() -> &'static Self {
        &typescript::TYPESCRIPT
    }

    /// The description by number.
    pub(crate) fn compiled(&'static self) -> &'static Compiled {
        self.compiled.get_or_init(|| Compiled::new(self))
    }
}

impl Compiled {
    fn new(language: &'static Language) -> Self {
        let grammar = (language.grammar)();
        // What is said later wins.
        let line = || language.like.into_iter().chain([language]);
        let by_name: HashMap<&str, Role> = line()
            .flat_map(|l| l.roles)
            .flat_map(|(role, kinds)| kinds.iter().map(|kind| (*kind, *role)))
            .collect();
        // A kind can have several numbers, so the table goes from number to name and not back.
        let kinds: Vec<(u16, &str)> = (0..grammar.node_kind_count())
            .filter_map(|id| u16::try_from(id).ok())
            .filter(|id| grammar.node_kind_is_named(*id))
            .filter_map(|id| Some((id, grammar.node_kind_for_id(id)?)))
            .collect();
        let mut roles = vec![Role::Other; grammar.node_kind_count()];
        for (id, kind) in &kinds {
            if let (Some(role), Some(slot)) = (by_name.get(kind), roles.get_mut(usize::from(*id))) {
                *slot = *role;
            }
        }
        let field = |name: &str| match name {
            FIRST => FIRST_CHILD,
            REST => OTHER_CHILD,
            _ => grammar.field_id_for_name(name).map_or(0, u16::from),
        };
        let ids = |wanted: &str| {
            let kinds: Vec<u16> =
                kinds.iter().filter(|(_, kind)| *kind == wanted).map(|(id, _)| *id).collect();
            kinds
        };
        let pairs = |table: fn(&Language) -> &'static [(&'static str, &'static str)]| {
            let pair = |(kind, name): &(&str, &str)| {
                let field = field(name);
                ids(kind).into_iter().map(move |id| (id, field)).collect::<Vec<_>>()
            };
            line().flat_map(table).flat_map(pair).collect::<HashSet<_>>()
        };
        let members = line().flat_map(|l| l.members).flat_map(|(kind, object, member)| {
            let fields = (field(object), field(member));
            ids(kind).into_iter().map(move |id| (id, fields)).collect::<Vec<_>>()
        });
        let read_fields =
            ["value", "right", "default_value", "type", "return_type", "size"].map(field);
        let is_pattern = |kind: &str| matches!(kind, "pair_pattern" | "dict_pattern");
        let reads = kinds
            .iter()
            .filter(|(_, kind)| !is_pattern(kind))
            .flat_map(|(id, _)| read_fields.iter().filter(|f| **f != 0).map(|field| (*id, *field)));
        Self {
            reads: reads.collect(),
            assigns: pairs(|l| l.assigns),
            labels: pairs(|l| l.labels),
            members: members.collect(),
            bodies: line().flat_map(|l| l.bodies).map(|f| field(f)).collect(),
            loose: language.loose.iter().flat_map(|k| ids(k)).collect(),
            parameters: line().flat_map(|l| l.parameters).map(|f| field(f)).collect(),
            parameter_lists: language.parameter_lists.iter().flat_map(|k| ids(k)).collect(),
            argument_lists: language.argument_lists.iter().flat_map(|k| ids(k)).collect(),
            declarator_field: field("declarator"),
            name_field: field("name"),
            arguments_field: field("arguments"),
            receiver_field: field("receiver"),
            key_field: field("key"),
            roles,
            grammar,
        }
    }

    /// What a kind means.
    pub(crate) fn role(&self, kind: u16) -> Role {
        self.roles.get(usize::from(kind)).copied().unwrap_or_default()
    }

    /// Whether names under `field` of `kind` get a value.
    pub(crate) fn assigns(&self, kind: u16, field: u16) -> bool {
        self.assigns.contains(&(kind, field))
    }

    /// Whether names under `field` of `kind` are no variables.
    pub(crate) fn is_label(&self, kind: u16, field: u16) -> bool {
        self.labels.contains(&(kind, field))
    }

    /// Whether what stands under `field` of `kind` is only read.
    pub(crate) fn reads(&self, kind: u16, field: u16) -> bool {
        self.reads.contains(&(kind, field))
    }

    /// The fields of object and member, if `kind` reads a member.
    pub(crate) fn member(&self, kind: u16) -> Option<(u16, u16)> {
        self.members.get(&kind).copied()
    }

    /// Whether `field` holds statements.
    pub(crate) fn is_body(&self, field: u16) -> bool {
        field != 0 && self.bodies.contains(&field)
    }

    /// Whether what stands in a function of this kind beside parameters is a statement.
    pub(crate) fn is_loose(&self, kind: u16) -> bool {
        self.loose.contains(&kind)
    }

    /// Whether a node holds parameters.
    pub(crate) fn is_parameters(&self, kind: u16, field: u16) -> bool {
        (field != 0 && self.parameters.contains(&field)) || self.parameter_lists.contains(&kind)
    }

    /// Whether a node holds arguments.
    pub(crate) fn is_arguments(&self, kind: u16, field: u16) -> bool {
        (field != 0 && field == self.arguments_field) || self.argument_lists.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
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
