use super::{
    Language, Role,
    javascript::{JAVASCRIPT, scripts},
};

pub(crate) static TYPESCRIPT: Language = Language {
    name: "TypeScript",
    extensions: &["ts", "mts", "cts"],
    interpreters: &["ts-node", "tsx", "deno"],
    grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    ..typed()
};

pub(crate) static TSX: Language = Language {
    name: "TSX",
    extensions: &["tsx"],
    grammar: || tree_sitter_typescript::LANGUAGE_TSX.into(),
    ..typed()
};

const fn typed() -> Language {
    Language {
        like: Some(&JAVASCRIPT),
        roles: &[
            (Role::Block, &["interface_body", "enum_body"]),
            (
                Role::Function,
                &["function_signature", "method_signature", "abstract_method_signature"],
            ),
            (
                Role::Class,
                &[
                    "abstract_class_declaration",
                    "interface_declaration",
                    "enum_declaration",
                    "type_alias_declaration",
                    "internal_module",
                    "module",
                ],
            ),
            (Role::Wrapper, &["ambient_declaration"]),
            (Role::Import, &["import_alias"]),
            (Role::TypeName, &["type_identifier"]),
        ],
        assigns: &[
            ("public_field_definition", "name"),
            ("enum_assignment", "name"),
            ("property_signature", "name"),
        ],
        members: &[("nested_type_identifier", "module", "name")],
        ..scripts()
    }
}
