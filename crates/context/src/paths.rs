//! From names to the paths of the files that may tell more, best first. Nothing is looked up: a wrong
//! guess is a file that does not exist.

mod package;
mod rules;
pub(crate) mod spelling;

use chaffinch_core::RepoPath;

pub(crate) use self::package::Package;
use self::spelling::{capital, plural};
use crate::language::{Language, Modules};

/// Paths tried for one question.
const MANY: usize = 12;

/// Where a file stands.
pub(crate) struct Place<'p> {
    folders: Vec<&'p str>,
    /// The file's name up to its first dot.
    stem: &'p str,
    /// That up to its last dot.
    name: &'p str,
    extension: &'p str,
    package: Option<&'p Package>,
}

impl<'p> Place<'p> {
    pub(crate) fn of(path: &'p RepoPath) -> Self {
        let (folder, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let extension = extension.rsplit('.').next().unwrap_or(extension);
        let folders = folder.split('/').filter(|f| !f.is_empty()).collect();
        Self {
            folders,
            stem,
            name: name.rsplit_once('.').map_or(name, |(front, _)| front),
            extension,
            package: None,
        }
    }

    /// This, with what the file says of its package.
    pub(crate) fn in_package(self, package: Option<&'p Package>) -> Self {
        Self { package, ..self }
    }

    /// The files that often call what stands here.
    pub(crate) fn callers(&self, modules: &Modules) -> Vec<RepoPath> {
        // Who writes folders large does so everywhere.
        let large = |part: &str| part.starts_with(char::is_uppercase);
        let own = self.folders.last().is_some_and(|f| large(f));
        let fits = |path: &&str| {
            path.strip_prefix("../").is_none_or(|rest| {
                !rest.contains('/') || rest.starts_with("..") || large(rest) == own
            })
        };
        let fitting = modules.callers.iter().filter_map(|path| self.applies(path));
        let fitting: Vec<&str> = fitting.filter(|path| fits(path)).collect();
        self.all(&fitting)
    }

    /// A template without what it is limited to, if the file is of that layer.
    fn applies(&self, template: &'static str) -> Option<&'static str> {
        let Some((layers, path)) = template.split_once('>') else { return Some(template) };
        let folder = self.folders.last().copied().unwrap_or_default();
        let layer = self.name.rsplit('.').next().unwrap_or_default();
        layers.split('|').any(|l| l == folder || l == layer).then_some(path)
    }

    /// The files that often render a template.
    pub(crate) fn renderers(&self, templates: &[&str]) -> Vec<RepoPath> {
        self.all(templates)
    }

    /// The files that often hold constants.
    pub(crate) fn constants(&self, modules: &Modules) -> Vec<RepoPath> {
        self.all(modules.constants)
    }

    /// Whether the file is of a layer, by the end of its name or by a folder.
    pub(crate) fn is_of(&self, layer: &str) -> bool {
        self.stem.ends_with(layer) || self.folders.contains(&layer)
    }

    /// The files of a framework, by the paths of a [`crate::language::Convention`]. `fill` says what
    /// stands for its marks; a path with another mark is left out.
    pub(crate) fn conventional(&self, paths: &[&str], fill: &[(&str, String)]) -> Vec<RepoPath> {
        let up = |folders: usize| "../".repeat(folders);
        let depth = self.folders.len();
        let from_here = |path: &&str| match path.split_once('^') {
            Some((names, rest)) => {
                let is_one = |folder: &&str| names.split('|').any(|name| name == *folder);
                let at = self.folders.iter().rposition(is_one)?;
                Some(format!("{}{rest}", up(depth - at)))
            }
            None => match path.strip_prefix('/') {
                Some(rest) => Some(format!("{}{rest}", up(depth))),
                None => Some((*path).to_owned()),
            },
        };
        let filled = |path: String| fill.iter().fold(path, |p, (mark, with)| p.replace(mark, with));
        let marks = |path: &String| path.contains("{key}") || path.contains("{named}");
        let found = paths.iter().filter_map(from_here).map(filled).filter(|path| !marks(path));
        self.join_all(&found.collect::<Vec<_>>())
    }

    /// A file named by its path.
    pub(crate) fn file(&self, path: &str) -> Vec<RepoPath> {
        self.join_all(&[path.to_owned()])
    }

    fn all(&self, templates: &[&str]) -> Vec<RepoPath> {
        let paths: Vec<String> = templates.iter().map(|t| (*t).to_owned()).collect();
        self.join_all(&paths)
    }

    /// Fills in and joins with the folder of the file. What needs a folder that there is not is left
    /// out.
    fn join_all(&self, paths: &[String]) -> Vec<RepoPath> {
        let base = spelling::base(self.stem);
        let dir = self.folders.last().copied().unwrap_or("main");
        let (up, within) = self.templates();
        let part = within.first().copied();
        let within = within.join("/");
        let found =
            paths.iter().filter(|path| part.is_some() || !has_part(path)).filter_map(|path| {
                let part = part.unwrap_or_default();
                let path = path
                    .replace("{stem}", self.stem)
                    .replace("{name}", self.name)
                    .replace("{base}", base)
                    .replace("{Base}", &capital(base))
                    .replace("{plural}", &plural(base))
                    .replace("{dir}", dir)
                    .replace("{part}", &part.to_lowercase())
                    .replace("{Part}", &capital(part))
                    .replace("{within}", &within)
                    .replace("{up}", &up)
                    .replace("{ext}", self.extension);
                self.join(&path)
            });
        unique(found.collect())
    }

    /// The way to what holds the folder of all templates, and the folders below that.
    fn templates(&self) -> (String, &[&str]) {
        let is_root =
            |folder: &&str| matches!(*folder, "templates" | "views" | "template" | "tmpl");
        let root = self.folders.iter().position(is_root);
        let depth = root.map_or(1, |root| self.folders.len() - root);
        let within = root.and_then(|root| self.folders.get(root + 1..)).unwrap_or_default();
        ("../".repeat(depth), within)
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
}

/// A file's name without the word for its layer, in lower case.
pub(crate) fn base(path: &RepoPath) -> String {
    spelling::base(Place::of(path).stem).to_ascii_lowercase()
}

/// What a path or a symbol is named after: the file without its ending, the last name.
pub(crate) fn named(need: &str) -> &str {
    let name = need.rsplit('/').next().unwrap_or(need);
    match Language::of_name(name) {
        true => name.rsplit_once('.').map_or(name, |(stem, _)| stem),
        false => name.rsplit(['.', ':', '#', '>']).next().unwrap_or(name),
    }
}

fn has_part(path: &str) -> bool {
    ["{part}", "{Part}", "{within}"].iter().any(|mark| path.contains(mark))
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
