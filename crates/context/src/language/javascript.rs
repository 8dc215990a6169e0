use super::{Asks, Convention, Language, Modules, Role, Rule};

pub(crate) static JAVASCRIPT: Language = Language {
    name: "JavaScript",
    extensions: &["js", "jsx", "mjs", "cjs", "es6"],
    file_names: &["Jakefile"],
    interpreters: &["node", "nodejs", "bun"],
    grammar: || tree_sitter_javascript::LANGUAGE.into(),
    roles: &[
        (Role::Root, &["program"]),
        (Role::Block, &["statement_block", "class_body", "switch_body"]),
        (
            Role::Function,
            &["function_declaration", "generator_function_declaration", "method_definition"],
        ),
        (Role::Lambda, &["arrow_function", "function_expression", "generator_function"]),
        (Role::Class, &["class_declaration", "class"]),
        (Role::Wrapper, &["export_statement"]),
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
        (Role::Import, &["import_statement"]),
        (Role::Text, &["string", "template_string"]),
        (Role::Comment, &["comment", "html_comment"]),
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
    ],
    assigns: &[
        ("variable_declarator", "name"),
        ("assignment_expression", "left"),
        ("augmented_assignment_expression", "left"),
        ("update_expression", "argument"),
        ("for_in_statement", "left"),
        ("catch_clause", "parameter"),
        ("field_definition", "property"),
    ],
    labels: &[("pair", "key"), ("pair_pattern", "key")],
    members: &[("member_expression", "object", "property")],
    bodies: &["body", "consequence", "alternative"],
    parameters: &["parameters", "parameter"],
    ..scripts()
};

/// What JavaScript and TypeScript have in common beside their nodes.
pub(super) const fn scripts() -> Language {
    Language {
        selves: &["this", "exports", "module", "module.exports"],
        constructors: &["constructor"],
        exits: &["exit", "abort"],
        imports: &["require", "import"],
        modules: SCRIPTS,
        conventions: CONVENTIONS,
        ..Language::bare()
    }
}

const SCRIPTS: Modules = Modules {
    suffixes: &[".{ext}", "/index.{ext}", ".ts", ".js", ".tsx", "/index.ts", "/index.js", ""],
    roots: &["src"],
    callers: &[
        "service|services>{base}.controller.{ext}",
        "routes|route|routers|router|middleware|middlewares>../server.{ext}",
        "routes|route|routers|router|middleware|middlewares>../app.{ext}",
        "routes|route|routers|router|middleware|middlewares>../index.{ext}",
        "routes|route|routers|router|middleware|middlewares>index.{ext}",
        "controllers|controller|handlers|handler|api|services|service|models|model|repositories|repository|utils|util|helpers|dao>../routes/{base}.{ext}",
        "controllers|controller|handlers|handler|api>../routes/index.{ext}",
        "controllers|controller|handlers|handler|api>../routes/{base}Routes.{ext}",
        "controllers|controller|handlers|handler|api>../routes/{base}.routes.{ext}",
        "services|service|models|model|repositories|repository|utils|util|helpers|dao>../controllers/{base}.{ext}",
        "services|service|models|model|repositories|repository|utils|util|helpers|dao>../controllers/{base}Controller.{ext}",
        "routes.{ext}",
        "index.{ext}",
        "../routes/{base}.{ext}",
        "../routes/index.{ext}",
        "../controllers/{base}.{ext}",
        "app.{ext}",
        "server.{ext}",
        "../app.{ext}",
        "../server.{ext}",
        "../routes.{ext}",
        "../index.{ext}",
    ],
    constants: &["config.{ext}", "constants.{ext}"],
    ..Modules::of(Rule::Relative)
};

const CONVENTIONS: &[Convention] = &[
    // The package `config`. Who calls a handler is asked by its name ([`SCRIPTS`]).
    Convention {
        asks: Asks::Key { shapes: &["config.get('{key}')"], separator: '.' },
        tells: &["require('config')", "require(\"config\")", "from 'config'", "from \"config\""],
        paths: &["/config/default.json", "/config/default.js", "/config/default.yaml"],
        pointer: None,
    },
];
