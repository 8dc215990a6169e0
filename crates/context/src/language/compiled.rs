//! A description by number: what the engine looks at, node by node.

use std::collections::{HashMap, HashSet};

use super::{Language, Role};

/// In place of a field: the first child, where it stands in no field.
pub(super) const FIRST: &str = "#first";
/// In place of a field: the children after the first that stand in no field.
pub(super) const REST: &str = "#rest";

pub(crate) const FIRST_CHILD: u16 = u16::MAX;
pub(crate) const OTHER_CHILD: u16 = u16::MAX - 1;

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

impl Compiled {
    pub(super) fn new(language: &'static Language) -> Self {
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
