//! What a language's rules for imports make of a name: one rule, one function.

use chaffinch_core::RepoPath;

use super::{
    Place,
    package::Located,
    spelling::{plural, snake},
    unique,
};
use crate::{
    engine::Import,
    language::{Modules, Rule},
};

impl Place<'_> {
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
            Rule::Constant => self.constant(modules, module, true),
        }
    }

    /// The files in which a type or function may be that is named without an import.
    pub(crate) fn unnamed(&self, modules: &Modules, name: &str) -> Vec<RepoPath> {
        if modules.foreign.contains(&name) {
            return Vec::new();
        }
        match modules.rule {
            Rule::Namespace => {
                let parts: Vec<&str> = name.split('_').collect();
                let here = self.join_all(&[format!("{name}.{}", self.extension)]);
                match parts.as_slice() {
                    // Before there were namespaces, a class was named after its folders.
                    [root, _, ..] if self.folders.contains(root) => {
                        unique(self.namespace(modules, &parts).into_iter().chain(here).collect())
                    }
                    _ => here,
                }
            }
            Rule::Constant => self.constant(modules, name, false),
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
            // The folder itself is no file.
            let whole = |base: &&String| {
                !tail.is_empty()
                    || !suffix.starts_with('.')
                    || base.ends_with(char::is_alphanumeric)
            };
            paths.extend(bases.iter().filter(whole).map(|base| format!("{base}{suffix}")));
        }
        if !name.is_empty() {
            let part = bases.first().map(|base| format!("{base}/{name}.{}", self.extension));
            let at = if tail.is_empty() {
                0
            } else if bases.len() == 1 {
                1
            } else {
                paths.len()
            };
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
        match self.package.map(|package| package.locate(parts)) {
            Some(Located::At(path)) => {
                return format!("{path}.{}", self.extension).parse().into_iter().collect();
            }
            Some(Located::Elsewhere) => return Vec::new(),
            Some(Located::Unknown) | None => {}
        }
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
        let general = ["utils", "util", "helpers", "handlers", "main"].iter();
        paths
            .extend(general.filter_map(|name| format!("{}/{name}.go", own.join("/")).parse().ok()));
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

    fn constant(&self, modules: &Modules, name: &str, included: bool) -> Vec<RepoPath> {
        let first = name.split("::").next().unwrap_or_default();
        if modules.foreign.contains(&first) {
            return Vec::new();
        }
        let path: Vec<String> = name.split("::").filter(|p| !p.is_empty()).map(snake).collect();
        let path = path.join("/");
        let app = self.folders.iter().position(|f| *f == "app");
        let up = "../".repeat(self.folders.len() - app.unwrap_or(0));
        let here = format!("{path}.rb");
        // Frameworks load their own files by name; others come from the library's folder.
        let app = app.filter(|_| !included || name.starts_with(char::is_uppercase));
        // In a framework that loads by name, the name's last word tells the folder.
        let kind = path.rsplit(['_', '/']).next().unwrap_or_default();
        let own = app.and_then(|app| self.folders.get(app + 1)).copied().unwrap_or_default();
        let known = |root: &&&str| root.ends_with(&plural(kind)) && path.contains('_');
        let mut paths: Vec<String> = match app {
            Some(_) if modules.roots.iter().any(|root| known(&root)) => {
                let roots = modules.roots.iter().filter(known);
                roots.map(|root| format!("{up}{root}/{path}.rb")).collect()
            }
            Some(_) => {
                let kinds = ["controllers", "helpers", "mailers", "jobs"];
                let general = |root: &&&str| {
                    let (folder, inner) = root.rsplit_once('/').unwrap_or(("", root));
                    match inner {
                        "concerns" => folder.ends_with(own),
                        inner => !kinds.contains(&inner),
                    }
                };
                let roots = modules.roots.iter().filter(general);
                roots.map(|root| format!("{up}{root}/{path}.rb")).collect()
            }
            None => Vec::new(),
        };
        if included {
            paths.sort_by_key(|path| !path.contains("/concerns/"));
        } else if app.is_some() && path.contains('_') {
            let at = paths.len().min(1);
            paths.insert(at, format!("{up}app/{}/{path}.rb", plural(kind)));
        }
        let at = if app.is_some() { paths.len() } else { 0 };
        paths.insert(at, here);
        self.join_all(&paths)
    }
}
