use std::sync::OnceLock;

use super::{Language, Role, javascript::JAVASCRIPT, modules::SCRIPTS};

pub(crate) static TYPESCRIPT: Language =
    describe("TypeScript", &["ts", "mts", "cts"], &["ts-node", "tsx", "deno"], || {
        tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()
    });

pub(crate) static TSX: Language =
    describe("TSX", &["tsx"], &[], || tree_sitter_typescript::LANGUAGE_TSX.into());

const fn describe(
    name: &'static str,
    extensions: &'static [&'static str],
    interpreters: &'static [&'static str],
    grammar: fn() -> tree_sitter::Language,
) -> Language {
    Language {
        name,
        extensions,
        file_names: &[],
        interpreters,
        grammar,
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
        labels: &[],
        members: &[("nested_type_identifier", "module", "name")],
        bodies: &[],
        loose: &[],
        parameters: &[],
        parameter_lists: &[],
        argument_lists: &[],
        fills_arguments: false,
        interpolates: "",
        selves: &["this", "exports", "module", "module.exports"],
        constructors: &["constructor"],
        exits: &["exit", "abort"],
        imports: &["require", "import"],
        bare_calls: false,
        modules: SCRIPTS,
        hooks: &[],
        compiled: OnceLock::new(),
    }
}
