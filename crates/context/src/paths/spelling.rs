//! How names are written in the names of files.

/// Words for the layer that a file belongs to, at the end or the start of its name.
const LAYERS: [&str; 25] = [
    "serviceimpl",
    "service",
    "repository",
    "repo",
    "store",
    "storage",
    "manager",
    "helper",
    "helpers",
    "utils",
    "util",
    "model",
    "models",
    "impl",
    "dao",
    "lib",
    "db",
    "query",
    "controllers",
    "controller",
    "handlers",
    "handler",
    "routes",
    "resource",
    "ctrl",
];

/// A file's name without the word for its layer.
pub(super) fn base(stem: &str) -> &str {
    let lower = stem.to_ascii_lowercase();
    for layer in LAYERS {
        let rest = lower.strip_suffix(layer).map(|rest| (0, rest.len()));
        let rest = rest.or_else(|| lower.strip_prefix(layer).map(|_| (layer.len(), lower.len())));
        if let Some(part) = rest.and_then(|(from, to)| stem.get(from..to))
            && part.len() > 2
        {
            return part.trim_matches(['_', '-', '.']);
        }
    }
    stem
}

/// `NoteStore` → `note_store`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        before = c;
    }
    out
}

pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

pub(super) fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with('s') => word.to_owned(),
        _ => format!("{word}s"),
    }
}

/// `note_store` → `NoteStore`.
pub(crate) fn camel(name: &str) -> String {
    name.split('_').map(capital).collect()
}
