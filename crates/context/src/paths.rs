//! From names to the paths of the files that may tell more, best first. Nothing is looked up: a wrong
//! guess is a file that does not exist.

use chaffinch_core::RepoPath;

use crate::{
    engine::Import,
    language::{Modules, Rule},
};

/// Paths tried for one question.
const MANY: usize = 12;

/// Words for the layer that a file belongs to, at the end or the start of its name.
const LAYERS: [&str; 18] = [
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
];

/// Where a file stands.
pub(crate) struct Place<'p> {
    folders: Vec<&'p str>,
    stem: &'p str,
    extension: &'p str,
}

impl<'p> Place<'p> {
    pub(crate) fn of(path: &'p RepoPath) -> Self {
        let (folder, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let extension = extension.rsplit('.').next().unwrap_or(extension);
        Self { folders: folder.split('/').filter(|f| !f.is_empty()).collect(), stem, extension }
    }

    /// The files that often call what stands here.
    pub(crate) fn callers(&self, modules: &Modules) -> Vec<RepoPath> {
        // Who writes folders large does so everywhere.
        let large = |part: &str| part.starts_with(char::is_uppercase);
        let own = self.folders.last().is_some_and(|f| large(f));
        let fits = |path: &&&str| {
            path.strip_prefix("../").is_none_or(|rest| {
                !rest.contains('/') || rest.starts_with("..") || large(rest) == own
            })
        };
        let fitting: Vec<&str> = modules.callers.iter().filter(fits).copied().collect();
        self.all(&fitting)
    }

    /// The files that often render a template.
    pub(crate) fn renderers(&self, templates: &[&str]) -> Vec<RepoPath> {
        self.all(templates)
    }

    /// The files that often hold constants.
    pub(crate) fn constants(&self, modules: &Modules) -> Vec<RepoPath> {
        self.all(modules.constants)
    }

    /// A file named by its path.
    pub(crate) fn file(&self, path: &str) -> Vec<RepoPath> {
        self.join_all(&[path.to_owned()])
    }

    /// The files that `import` may mean, where `name` is wanted of it.
    pub(crate) fn import(&self, modules: &Modules, import: &Import, name: &str) -> Vec<RepoPath> {
        let module = import.module.as_str();
        match modules.rule {
            Rule::Relative => self.relative(modules, module),
            Rule::Include => {
                let path = module.rsplit_once('.').map_or(module, |(stem, _)| stem);
                let paths = modules.suffixes.iter().map(|suffix| format!("{path}{suffix}"));
                let mut paths: Vec<String> =
                    std::iter::once(module.to_owned()).chain(paths).collect();
                paths.rotate_left(1);
                self.join_all(&paths)
            }
            Rule::Package => self.package(modules, module, name),
            Rule::Namespace => {
                let parts: Vec<&str> =
                    module.split(['.', '\\']).filter(|p| !p.is_empty()).collect();
                self.namespace(modules, &parts)
            }
            Rule::Folder => self.folder(modules, module, name),
            Rule::Constant => self.constant(modules, module),
        }
    }

    /// The files in which a type or function may be that is named without an import.
    pub(crate) fn unnamed(&self, modules: &Modules, name: &str) -> Vec<RepoPath> {
        if modules.foreign.contains(&name) {
            return Vec::new();
        }
        match modules.rule {
            Rule::Namespace => self.join_all(&[format!("{name}.{}", self.extension)]),
            Rule::Constant => self.constant(modules, name),
            Rule::Folder => {
                let here = self.folders.join("/");
                let mut paths = Self::words_in(&here, modules, name);
                paths.extend(self.callers(modules));
                paths
            }
            _ => Vec::new(),
        }
    }

    fn relative(&self, modules: &Modules, module: &str) -> Vec<RepoPath> {
        let path = match module.strip_prefix("@/").or_else(|| module.strip_prefix("~/")) {
            Some(rest) => format!(
                "{}{}/{rest}",
                "../".repeat(self.folders.len()),
                modules.roots.first().unwrap_or(&"")
            ),
            None if module.starts_with('.') => module.to_owned(),
            None => return Vec::new(),
        };
        let known = path.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
        let stem = match known {
            Some((_, "js" | "mjs" | "cjs" | "jsx")) => {
                path.rsplit_once('.').map_or("", |(stem, _)| stem)
            }
            Some((_, "ts" | "tsx" | "json" | "vue")) => return self.join_all(&[path]),
            _ => path.as_str(),
        };
        let paths: Vec<String> = modules.suffixes.iter().map(|s| format!("{stem}{s}")).collect();
        self.join_all(&paths)
    }

    fn package(&self, modules: &Modules, module: &str, name: &str) -> Vec<RepoPath> {
        let up = module.bytes().take_while(|b| *b == b'.').count();
        let parts: Vec<&str> = module.split('.').filter(|p| !p.is_empty()).collect();
        if up == 0 && parts.first().is_some_and(|first| modules.foreign.contains(first)) {
            return Vec::new();
        }
        let tail = parts.join("/");
        let mut bases: Vec<String> = Vec::new();
        if up > 0 {
            bases.push(format!("{}{tail}", "../".repeat(up - 1)));
        } else {
            let root = self.folders.iter().position(|f| parts.first() == Some(f));
            if let Some(depth) = root {
                bases.push(format!("{}{tail}", "../".repeat(self.folders.len() - depth)));
            } else {
                bases.push(tail.clone());
                bases.push(format!("{}{tail}", "../".repeat(self.folders.len())));
                bases.push(format!("../{tail}"));
                if parts.len() > 1 {
                    bases.swap(0, 1);
                }
            }
        }
        let mut paths = Vec::new();
        for suffix in modules.suffixes {
            paths.extend(bases.iter().map(|base| format!("{base}{suffix}")));
        }
        if !name.is_empty() {
            let part = bases.first().map(|base| format!("{base}/{name}.{}", self.extension));
            let at = if bases.len() == 1 { 1 } else { paths.len() };
            paths.splice(at..at, part);
        }
        self.join_all(&paths)
    }

    /// Folders of the module that are also folders of the file tell where the others are.
    pub(crate) fn namespace(&self, modules: &Modules, parts: &[&str]) -> Vec<RepoPath> {
        let whole = parts.join(".");
        let foreign =
            |f: &str| whole.strip_prefix(f).is_some_and(|r| r.is_empty() || r.starts_with('.'));
        if parts.is_empty() || modules.foreign.iter().any(|f| foreign(f)) {
            return Vec::new();
        }
        let lower = |part: &&&str| part.starts_with(char::is_lowercase);
        // A member of a type: `a.b.C.d`.
        let parts = match parts {
            [front @ .., class, last]
                if lower(&last) && class.starts_with(char::is_uppercase) && !front.is_empty() =>
            {
                &parts[..parts.len() - 1]
            }
            _ => parts,
        };
        let mut paths = Vec::new();
        for (skip, part) in parts.iter().enumerate().take(parts.len().saturating_sub(1)) {
            let Some(depth) = self.folders.iter().position(|f| f == part) else { continue };
            let tail = parts.get(skip..).unwrap_or_default().join("/");
            paths.push(format!(
                "{}{tail}.{}",
                "../".repeat(self.folders.len() - depth),
                self.extension
            ));
            break;
        }
        if paths.is_empty() {
            let tail = parts.get(1..).unwrap_or_default().join("/");
            let up = "../".repeat(self.folders.len());
            paths.extend(
                modules.roots.iter().map(|root| format!("{up}{root}/{tail}.{}", self.extension)),
            );
        }
        self.join_all(&paths)
    }

    fn folder(&self, modules: &Modules, module: &str, name: &str) -> Vec<RepoPath> {
        let parts: Vec<&str> = module.split('/').collect();
        let Some(first) = parts.first() else { return Vec::new() };
        let shared = parts.iter().enumerate().skip(1).find(|(_, part)| self.folders.contains(part));
        let host = first.contains('.');
        if !host && modules.foreign.contains(first) {
            return Vec::new();
        }
        let own: Vec<&str> = match shared {
            Some((at, part)) => {
                let depth = self.folders.iter().position(|f| f == part).unwrap_or(0);
                let front = self.folders.get(..depth).unwrap_or_default();
                front.iter().chain(parts.get(at..).unwrap_or_default()).copied().collect()
            }
            None => parts.get(if host { 3 } else { 1 }..).unwrap_or_default().to_vec(),
        };
        if own.is_empty() && host {
            return Vec::new();
        }
        let mut paths = Self::words_in(&own.join("/"), modules, name);
        let last = own.last().copied().unwrap_or_default();
        let file = format!("{}/{last}.go", own.join("/"));
        let at = paths.len().min(1);
        paths.splice(at..at, file.parse().ok());
        unique(paths)
    }

    /// Files of a folder that are named after words of `name`.
    fn words_in(folder: &str, modules: &Modules, name: &str) -> Vec<RepoPath> {
        let snake = snake(name);
        let words: Vec<&str> = snake.split('_').collect();
        let names = [words.last().copied().unwrap_or_default(), snake.as_str()];
        let mut paths = Vec::new();
        for name in names.into_iter().filter(|n| n.len() > 2) {
            for suffix in modules.suffixes {
                let path = format!("{folder}/{name}{suffix}");
                paths.extend(path.trim_start_matches('/').parse::<RepoPath>().ok());
            }
        }
        unique(paths)
    }

    fn constant(&self, modules: &Modules, name: &str) -> Vec<RepoPath> {
        let first = name.split("::").next().unwrap_or_default();
        if modules.foreign.contains(&first) {
            return Vec::new();
        }
        let path: Vec<String> = name.split("::").filter(|p| !p.is_empty()).map(snake).collect();
        let path = path.join("/");
        let app = self.folders.iter().position(|f| *f == "app");
        let up = "../".repeat(self.folders.len() - app.unwrap_or(0));
        let here = format!("{path}.rb");
        // In a framework that loads by name, the name's last word tells the folder.
        let mut paths = match app {
            Some(_) => modules
                .roots
                .iter()
                .filter(|root| {
                    let kind = root.rsplit('/').next().unwrap_or_default().trim_end_matches('s');
                    let kinds = ["controller", "helper", "mailer", "job", "service", "policy"];
                    if kinds.contains(&kind) {
                        path.ends_with(kind)
                    } else {
                        !kinds.iter().any(|k| path.ends_with(k))
                    }
                })
                .map(|root| format!("{up}{root}/{path}.rb"))
                .collect(),
            None => Vec::new(),
        };
        let at = if app.is_some() { paths.len() } else { 0 };
        paths.insert(at, here);
        self.join_all(&paths)
    }

    fn all(&self, templates: &[&str]) -> Vec<RepoPath> {
        let paths: Vec<String> = templates.iter().map(|t| (*t).to_owned()).collect();
        self.join_all(&paths)
    }

    /// Fills in and joins with the folder of the file.
    fn join_all(&self, paths: &[String]) -> Vec<RepoPath> {
        let base = self.base();
        let dir = self.folders.last().copied().unwrap_or("main");
        let found = paths.iter().filter_map(|path| {
            let path = path
                .replace("{stem}", self.stem)
                .replace("{base}", &base)
                .replace("{Base}", &capital(&base))
                .replace("{plural}", &plural(&base))
                .replace("{dir}", dir)
                .replace("{ext}", self.extension);
            self.join(&path)
        });
        unique(found.collect())
    }

    fn join(&self, path: &str) -> Option<RepoPath> {
        let mut folders = self.folders.clone();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    folders.pop()?;
                }
                part => folders.push(part),
            }
        }
        folders.join("/").parse().ok()
    }

    /// The file's name without the word for its layer.
    fn base(&self) -> String {
        let lower = self.stem.to_ascii_lowercase();
        for layer in LAYERS {
            let rest = lower.strip_suffix(layer).map(|rest| (0, rest.len()));
            let rest =
                rest.or_else(|| lower.strip_prefix(layer).map(|_| (layer.len(), lower.len())));
            if let Some(part) = rest.and_then(|(from, to)| self.stem.get(from..to))
                && part.len() > 2
            {
                return part.trim_matches(['_', '-', '.']).to_owned();
            }
        }
        self.stem.to_owned()
    }
}

/// A file's name without the word for its layer, in lower case.
pub(crate) fn base(path: &RepoPath) -> String {
    Place::of(path).base().to_ascii_lowercase()
}

fn unique(paths: Vec<RepoPath>) -> Vec<RepoPath> {
    let mut seen = Vec::new();
    for path in paths {
        if !seen.contains(&path) && seen.len() < MANY {
            seen.push(path);
        }
    }
    seen
}

/// `NoteStore` → `note_store`.
fn snake(name: &str) -> String {
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

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with('s') => word.to_owned(),
        _ => format!("{word}s"),
    }
}
