use std::sync::OnceLock;

use super::{Language, Role, modules::SCRIPTS};

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
        roles: &[
            (Role::Root, &["program"]),
            (
                Role::Block,
                &["statement_block", "class_body", "switch_body", "interface_body", "enum_body"],
            ),
            (
                Role::Function,
                &[
                    "function_declaration",
                    "generator_function_declaration",
                    "method_definition",
                    "function_signature",
                    "method_signature",
                    "abstract_method_signature",
                ],
            ),
            (Role::Lambda, &["arrow_function", "function_expression", "generator_function"]),
            (
                Role::Class,
                &[
                    "class_declaration",
                    "abstract_class_declaration",
                    "class",
                    "interface_declaration",
                    "enum_declaration",
                    "type_alias_declaration",
                    "internal_module",
                    "module",
                ],
            ),
            (Role::Wrapper, &["export_statement", "ambient_declaration"]),
            (Role::Branch, &["if_statement", "else_clause", "switch_statement", "catch_clause"]),
            (Role::Loop, &["for_statement", "for_in_statement", "while_statement", "do_statement"]),
            (Role::Try, &["try_statement", "finally_clause"]),
            (Role::With, &["with_statement"]),
            (Role::Case, &["switch_case", "switch_default"]),
            (
                Role::Jump,
                &["return_statement", "throw_statement", "break_statement", "continue_statement"],
            ),
            (Role::Call, &["call_expression", "new_expression"]),
            (Role::Element, &["subscript_expression"]),
            (Role::Decorator, &["decorator"]),
            (Role::Import, &["import_statement", "import_alias"]),
            (Role::Text, &["string", "template_string"]),
            (Role::Comment, &["comment"]),
            (
                Role::Name,
                &[
                    "identifier",
                    "property_identifier",
                    "private_property_identifier",
                    "shorthand_property_identifier",
                    "shorthand_property_identifier_pattern",
                ],
            ),
            (Role::TypeName, &["type_identifier"]),
        ],
        assigns: &[
            ("variable_declarator", "name"),
            ("assignment_expression", "left"),
            ("augmented_assignment_expression", "left"),
            ("update_expression", "argument"),
            ("for_in_statement", "left"),
            ("catch_clause", "parameter"),
            ("public_field_definition", "name"),
            ("enum_assignment", "name"),
            ("property_signature", "name"),
        ],
        labels: &[("pair", "key"), ("pair_pattern", "key")],
        members: &[
            ("member_expression", "object", "property"),
            ("nested_type_identifier", "module", "name"),
        ],
        bodies: &["body", "consequence", "alternative"],
        parameters: &["parameters", "parameter"],
        parameter_lists: &[],
        argument_lists: &[],
        fills_arguments: false,
        interpolates: "",
        selves: &["this"],
        constructors: &["constructor"],
        exits: &["exit", "abort"],
        imports: &["require", "import"],
        bare_calls: false,
        modules: SCRIPTS,
        hooks: &[],
        compiled: OnceLock::new(),
    }
}
