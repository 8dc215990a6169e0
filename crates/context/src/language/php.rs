use super::{Asks, Convention, FIRST, Language, Modules, REST, Role, Rule};

pub(crate) static PHP: Language = Language {
    name: "PHP",
    extensions: &["php", "phtml", "php5", "php7", "inc"],
    interpreters: &["php"],
    grammar: || tree_sitter_php::LANGUAGE_PHP.into(),
    roles: &[
        (Role::Root, &["program"]),
        (
            Role::Block,
            &[
                "compound_statement",
                "colon_block",
                "declaration_list",
                "enum_declaration_list",
                "switch_block",
            ],
        ),
        (Role::Function, &["function_definition", "method_declaration"]),
        (Role::Lambda, &["anonymous_function", "arrow_function"]),
        (
            Role::Class,
            &[
                "class_declaration",
                "interface_declaration",
                "trait_declaration",
                "enum_declaration",
                "anonymous_class",
            ],
        ),
        (
            Role::Branch,
            &["if_statement", "else_if_clause", "else_clause", "switch_statement", "catch_clause"],
        ),
        (Role::Loop, &["for_statement", "foreach_statement", "while_statement", "do_statement"]),
        (Role::Try, &["try_statement", "finally_clause"]),
        (Role::Case, &["case_statement", "default_statement"]),
        (
            Role::Jump,
            &[
                "return_statement",
                "throw_expression",
                "break_statement",
                "continue_statement",
                "exit_statement",
                "goto_statement",
            ],
        ),
        (
            Role::Call,
            &[
                "function_call_expression",
                "member_call_expression",
                "nullsafe_member_call_expression",
                "scoped_call_expression",
                "object_creation_expression",
            ],
        ),
        (Role::Element, &["subscript_expression"]),
        (Role::Decorator, &["attribute_list"]),
        (
            Role::Import,
            &[
                "namespace_use_declaration",
                "require_expression",
                "require_once_expression",
                "include_expression",
                "include_once_expression",
            ],
        ),
        (Role::Text, &["string", "encapsed_string"]),
        (Role::Comment, &["comment"]),
        (Role::Name, &["name", "variable_name"]),
    ],
    assigns: &[
        ("assignment_expression", "left"),
        ("augmented_assignment_expression", "left"),
        ("reference_assignment_expression", "left"),
        ("update_expression", "argument"),
        ("property_element", "name"),
        ("static_variable_declaration", "name"),
        ("catch_clause", "name"),
        ("enum_case", "name"),
        ("foreach_statement", REST),
        ("const_element", FIRST),
    ],
    labels: &[("argument", "name")],
    members: &[
        ("member_access_expression", "object", "name"),
        ("nullsafe_member_access_expression", "object", "name"),
        ("member_call_expression", "object", "name"),
        ("nullsafe_member_call_expression", "object", "name"),
        ("scoped_call_expression", "scope", "name"),
        ("scoped_property_access_expression", "scope", "name"),
    ],
    bodies: &["body", "alternative"],
    parameters: &["parameters"],
    selves: &["$this", "self", "static"],
    constructors: &["__construct"],
    exits: &["exit", "die", "wp_die", "abort"],
    modules: Modules {
        foreign: &["PDO", "Exception", "DateTime", "stdClass", "self", "parent", "static"],
        roots: &["src", "app", "lib"],
        callers: &[
            "../Controller/{base}Controller.php",
            "../Controllers/{base}Controller.php",
            "index.php",
            "../index.php",
            "../Controller/{base}.php",
            "../controllers/{base}.php",
            "{base}Controller.php",
            "../../index.php",
        ],
        constants: &[
            "config.php",
            "../config.php",
            "constants.php",
            "../constants.php",
            "../../constants.php",
        ],
        entries: &["handle", "__invoke", "boot", "register"],
        ..Modules::of(Rule::Namespace)
    },
    conventions: CONVENTIONS,
    ..Language::bare()
};

const CONVENTIONS: &[Convention] = &[
    // Laravel.
    Convention {
        asks: Asks::Route {
            layers: &["Controller"],
            lines: &["{class}::class, '{function}'", "{class}@{function}'", "{class}::class)"],
        },
        tells: &[],
        paths: &["app^routes/web.php", "app^routes/api.php"],
        pointer: None,
    },
    Convention {
        asks: Asks::Key {
            shapes: &["config('{key}'", "Config::get('{key}'", "config()->get('{key}'"],
            separator: '.',
        },
        tells: &[],
        paths: &["app^config/{key}.php"],
        pointer: None,
    },
];
