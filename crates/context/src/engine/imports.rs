//! What a file brings from elsewhere, and under which names.

use super::tree::Tree;
use crate::language::{Role, Rule};

/// Imports that are looked at in one file.
const MANY: usize = 400;

/// Nodes of one import that are looked at.
const WIDE: usize = 200;

/// One import. Where it binds no name, any name may come from it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// As written, without quotes (`./paths`, `a.b`, `App\Core`).
    pub(crate) module: String,
    /// The names that it binds here; the last part of the module stands for the module itself.
    pub(crate) names: Vec<String>,
    /// Whether the names are parts of the module, not the module.
    pub(crate) parts: bool,
    /// Where it stands, from 0.
    pub(crate) row: u32,
}

/// The imports of a file, in order.
pub(crate) fn imports(tree: &Tree, source: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tree.len() && found.len() < MANY {
        let node = tree.node(at);
        let known = found.len();
        if node.role == Role::Import {
            read(tree, source, at, &mut found);
            place(&mut found, known, node.first_row);
            at = tree.after(at);
            continue;
        }
        if node.role == Role::Call && is_import(tree, source, at) {
            called(tree, source, at, &mut found);
            place(&mut found, known, node.first_row);
        }
        at += 1;
    }
    found
}

fn place(found: &mut [Import], from: usize, row: u32) {
    found.iter_mut().skip(from).for_each(|import| import.row = import.row.max(row));
}

/// Whether a call brings names from elsewhere.
pub(crate) fn is_import(tree: &Tree, source: &str, call: usize) -> bool {
    let callee = tree.children(call).next();
    callee.is_some_and(|callee| tree.language.imports.contains(&tree.text(callee, source)))
}

/// An import statement.
fn read(tree: &Tree, source: &str, at: usize, found: &mut Vec<Import>) {
    let nodes = || (at + 1..tree.after(at)).take(WIDE);
    let texts: Vec<usize> = nodes().filter(|i| tree.node(*i).role == Role::Text).collect();
    if tree.language.modules.rule == Rule::Folder {
        return found.extend(texts.iter().map(|i| folder(tree, source, *i)));
    }
    let name = |i: &usize| tree.node(*i).role == Role::Name && tree.is_leaf(*i);
    if let [only] = texts.as_slice() {
        // `import a, {b as c} from 'x'`
        let names: Vec<String> =
            nodes().filter(name).map(|i| tree.text(i, source).to_owned()).collect();
        let whole = tree.text(at, source).contains('*');
        return found.push(Import {
            module: literal(tree.text(*only, source)),
            parts: !names.is_empty() && !whole,
            names,
            row: 0,
        });
    }
    if !texts.is_empty() {
        let module = |i: &usize| Import {
            row: tree.node(*i).first_row,
            ..whole(literal(tree.text(*i, source)))
        };
        return found.extend(texts.iter().map(module));
    }
    let statement = tree.text(at, source).trim_end_matches([';', '\n', '\r', ' ']);
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '{' | '}' | ';'))
        .filter(|w| !w.is_empty())
        .take(WIDE)
        .collect();
    match words.as_slice() {
        ["from", module, "import", names @ ..] => {
            let names = names.iter().filter(|n| **n != "as").map(|n| (*n).to_owned()).collect();
            found.push(Import { module: (*module).to_owned(), names, parts: true, row: 0 });
        }
        ["import" | "use" | "using", rest @ ..] => dotted(rest, statement, found),
        _ => {}
    }
}

/// Of an import of a folder, its own name, or the one that stands before it (`st "shop/store"`).
fn folder(tree: &Tree, source: &str, text: usize) -> Import {
    let import = whole(literal(tree.text(text, source)));
    let above = tree.parent(text).map(|above| tree.text(above, source));
    let front = above.and_then(|spec| spec.split(['"', '`']).next()).unwrap_or_default().trim();
    let is_name = front.chars().all(|c| c.is_alphanumeric() || c == '_');
    let names = match front {
        "." => Vec::new(),
        alias if is_name && !alias.is_empty() && alias != "import" => vec![alias.to_owned()],
        _ => import.names.clone(),
    };
    Import { names, row: tree.node(text).first_row, ..import }
}

/// `import a.b.C`, `use A\{B, C as D}`, `import static a.b.C.d`, `import a.b as c`.
fn dotted(words: &[&str], statement: &str, found: &mut Vec<Import>) {
    let grouped = statement.contains('{');
    let mut prefix = "";
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        if matches!(word, "static" | "function" | "const" | "global" | "=") {
            continue;
        }
        if grouped && word.ends_with('\\') {
            prefix = word;
            continue;
        }
        if word == "as" {
            let alias = words.next().unwrap_or_default();
            if let Some(last) = found.last_mut() {
                last.names.push(alias.to_owned());
            }
            continue;
        }
        found.push(whole(format!("{prefix}{word}")));
    }
}

/// `const {a, b} = require('x')`, `require __DIR__ . '/x.php'`.
fn called(tree: &Tree, source: &str, call: usize, found: &mut Vec<Import>) {
    let text = (call + 1..tree.after(call)).take(WIDE).find(|i| tree.node(*i).role == Role::Text);
    let Some(text) = text else {
        // `include Period`: its names can be meant by any that the file does not define.
        let name = (call + 1..tree.after(call)).rfind(|i| tree.is_leaf(*i));
        let module = name.map(|name| tree.text(name, source)).unwrap_or_default();
        if module.starts_with(char::is_uppercase) {
            found.push(Import {
                module: module.to_owned(),
                names: Vec::new(),
                parts: true,
                row: 0,
            });
        }
        return;
    };
    let module = literal(tree.text(text, source));
    let target = super::frame::target(tree, call);
    let names: Vec<String> = target
        .into_iter()
        .flat_map(|t| (t..tree.after(t)).take(WIDE))
        .filter(|i| tree.node(*i).role == Role::Name && tree.is_leaf(*i))
        .map(|i| tree.text(i, source).to_owned())
        .collect();
    let parts = target.is_some_and(|t| !tree.is_leaf(t));
    found.push(Import { module, names, parts, row: 0 });
}

/// An import of a module as a whole.
fn whole(module: String) -> Import {
    let last = module.rsplit(['.', '\\', '/', ':']).find(|part| !part.is_empty());
    Import { names: last.map(str::to_owned).into_iter().collect(), module, parts: false, row: 0 }
}

fn literal(text: &str) -> String {
    text.trim_matches(['"', '\'', '`', '<', '>']).to_owned()
}
