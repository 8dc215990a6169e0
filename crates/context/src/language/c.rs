use super::{Language, Modules, Role, Rule};

/// The parts that C and C++ share.
pub(crate) const FAMILY: Modules = Modules {
    suffixes: &[".c", ".cpp", ".cc"],
    foreign: &["FILE", "NULL", "EOF", "BOOL", "TRUE", "FALSE", "DWORD", "BUFSIZ", "PATH_MAX"],
    callers: &[
        "main.{ext}",
        "{dir}.{ext}",
        "server.{ext}",
        "../main.{ext}",
        "../src/main.{ext}",
        "handler.{ext}",
    ],
    constants: &["config.h", "{stem}.h", "../include/config.h"],
    entries: &["main", "WinMain", "LLVMFuzzerTestOneInput"],
    ..Modules::of(Rule::Include)
};

pub(crate) static C: Language = Language {
    name: "C",
    extensions: &["c", "h"],
    interpreters: &["tcc"],
    grammar: || tree_sitter_c::LANGUAGE.into(),
    roles: &[
        (Role::Root, &["translation_unit"]),
        (
            Role::Block,
            &[
                "compound_statement",
                "field_declaration_list",
                "enumerator_list",
                "declaration_list",
            ],
        ),
        (Role::Function, &["function_definition", "preproc_function_def"]),
        (Role::Class, &["struct_specifier", "union_specifier", "enum_specifier"]),
        (Role::Wrapper, &["type_definition"]),
        (Role::Branch, &["if_statement", "else_clause", "switch_statement"]),
        (Role::Loop, &["for_statement", "while_statement", "do_statement"]),
        (Role::Case, &["case_statement"]),
        (
            Role::Jump,
            &["return_statement", "break_statement", "continue_statement", "goto_statement"],
        ),
        (Role::Call, &["call_expression"]),
        (Role::Element, &["subscript_expression"]),
        (Role::Import, &["preproc_include"]),
        (Role::Text, &["string_literal"]),
        (Role::Comment, &["comment"]),
        (Role::Name, &["identifier", "field_identifier"]),
        (Role::TypeName, &["type_identifier"]),
        (Role::Address, &["pointer_expression"]),
    ],
    assigns: &[
        ("init_declarator", "declarator"),
        ("declaration", "declarator"),
        ("assignment_expression", "left"),
        ("update_expression", "argument"),
        ("preproc_def", "name"),
        ("enumerator", "name"),
    ],
    members: &[("field_expression", "argument", "field")],
    bodies: &["body", "consequence", "alternative"],
    parameters: &["parameters"],
    fills_arguments: true,
    exits: &["exit", "_exit", "abort", "die", "err", "errx"],
    modules: FAMILY,
    ..Language::bare()
};
