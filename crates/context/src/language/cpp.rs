use super::{
    Language, Role,
    c::{C, FAMILY},
};

pub(crate) static CPP: Language = Language {
    name: "C++",
    extensions: &["cpp", "cc", "cxx", "hpp", "hh", "hxx", "ipp", "inl"],
    grammar: || tree_sitter_cpp::LANGUAGE.into(),
    like: Some(&C),
    roles: &[
        (Role::Lambda, &["lambda_expression"]),
        (Role::Class, &["class_specifier"]),
        (Role::Wrapper, &["template_declaration"]),
        (Role::Branch, &["catch_clause"]),
        (Role::Loop, &["for_range_loop"]),
        (Role::Try, &["try_statement"]),
        (Role::Jump, &["throw_statement"]),
        (Role::Call, &["new_expression"]),
        (Role::Import, &["using_declaration"]),
        (Role::Text, &["raw_string_literal"]),
        (Role::TypeName, &["namespace_identifier"]),
    ],
    assigns: &[("for_range_loop", "declarator"), ("field_declaration", "declarator")],
    members: &[("qualified_identifier", "scope", "name")],
    fills_arguments: true,
    selves: &["this"],
    exits: &["exit", "_exit", "abort", "terminate"],
    modules: FAMILY,
    ..Language::bare()
};
