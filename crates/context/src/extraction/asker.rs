//! What a file leaves open → questions, each with the paths to try.

use std::collections::{HashMap, VecDeque};

use chaffinch_core::RepoPath;

use super::questions::Question;
use crate::{
    budget::rank,
    engine::{Import, Reading, Use, Wanted},
    language::{Language, Rule},
    paths::{Package, Place, spelling},
};

/// Names further from the finding than this are not worth a request.
const FAR: u32 = 70;

/// Files of the change that are looked at for callers.
const CHANGED: usize = 3;

/// Where the questions of one file come from.
pub(super) struct Asker<'a> {
    pub(super) path: &'a RepoPath,
    pub(super) language: &'static Language,
    pub(super) imports: &'a [Import],
    /// The files of the change.
    pub(super) changed: &'a [RepoPath],
    pub(super) hop: u32,
    pub(super) package: Option<&'a Package>,
    /// The objects whose members are called, as written.
    pub(super) met: Vec<String>,
}

impl Asker<'_> {
    /// The questions that `reading` leaves open.
    pub(super) fn questions(mut self, reading: &Reading) -> Vec<Question> {
        let called = reading.wanted.iter().filter(|w| w.called);
        self.met = called.filter_map(|w| w.object.clone()).filter(|o| is_simple(o)).collect();
        let place = Place::of(self.path).in_package(self.package);
        let mut found: Vec<Question> = Vec::new();
        let mut members: Vec<Wanted> = Vec::new();
        let mut by_files: HashMap<Vec<RepoPath>, usize> = HashMap::new();
        for wanted in reading.wanted.iter().filter(|w| w.rank <= FAR) {
            let chained = |o: &&str| o.contains('(');
            if wanted.object.as_deref().filter(chained).is_some() {
                continue;
            }
            let (wanted, candidates) = self.places(&place, wanted, &reading.bases);
            if candidates.is_empty() {
                let near = wanted.called || wanted.rank <= rank::SLICE + rank::STEP;
                if near && wanted.object.as_deref().is_some_and(is_simple) {
                    members.push(wanted);
                }
                continue;
            }
            let at = *by_files.entry(candidates.clone()).or_insert_with(|| {
                found.push(Question {
                    rank: u32::MAX,
                    folders: match self.language.modules.rule {
                        Rule::Folder => folder(&candidates),
                        _ => Vec::new(),
                    },
                    candidates: candidates.into(),
                    only: self.language.modules.rule == Rule::Relative,
                    hop: self.hop,
                    ..Question::default()
                });
                found.len() - 1
            });
            let Some(question) = found.get_mut(at) else { continue };
            // A type that is only named, or has nothing called but what all have, matters less than
            // what is called.
            let common = self.language.modules.foreign.contains(&wanted.name.as_str());
            let named = if wanted.called && !common { 0 } else { rank::NAMED };
            question.rank = question.rank.min(wanted.rank + rank::HELPER + named);
            if !question.wanted.contains(&wanted) {
                question.wanted.push(wanted);
            }
        }
        for question in &mut found {
            let front: Vec<RepoPath> = self.in_change(question);
            question.candidates.retain(|path| !front.contains(path));
            front.into_iter().rev().for_each(|path| question.candidates.push_front(path));
            question.wanted.extend(members.iter().cloned());
        }
        if self.hop == 0 {
            found.extend(
                reading
                    .uses
                    .iter()
                    .filter(|u| u.rank <= FAR)
                    .filter_map(|u| self.callers(&place, u)),
            );
        }
        found
    }

    /// Where something named by its symbol or its path may be.
    pub(super) fn need(&self, need: &str, wanted: &[Wanted]) -> Option<Question> {
        let place = Place::of(self.path).in_package(self.package);
        let mut candidates: Vec<RepoPath> = Vec::new();
        if need.contains('/') || Language::of(&need.parse().ok()?, "").is_some() {
            candidates.extend(need.parse::<RepoPath>().ok());
            candidates.extend(place.file(need));
        }
        let named = candidates.first().filter(|_| need.contains('/'));
        let named = named.map(|path| folder_of(path).to_owned());
        let name = need.rsplit(['.', ':', '#', '>']).next().unwrap_or(need);
        let wanted: Vec<Wanted> =
            wanted.iter().map(|w| Wanted { name: name.to_owned(), ..w.clone() }).collect();
        candidates.push(self.path.clone());
        for w in &wanted {
            candidates.extend(self.candidates(&place, w, None));
            let object = need.strip_suffix(name).map(root).filter(|root| !root.is_empty());
            if object.is_some() {
                candidates.extend(self.candidates(&place, w, object));
            }
        }
        // Its own folder, else that of what its name leads to, else the one where it is used.
        let led = || candidates.iter().find(|path| *path != self.path);
        let led = || folder_of(led().unwrap_or(self.path)).to_owned();
        let folders = vec![named.unwrap_or_else(led)];
        candidates.extend(self.changed.iter().take(CHANGED).cloned());
        Some(Question { folders, ..Question::need(need, candidates, wanted) })
    }

    /// The files that may tell of a name; where none do, those of the classes that it may be
    /// inherited from.
    fn places(
        &self,
        place: &Place<'_>,
        wanted: &Wanted,
        bases: &[String],
    ) -> (Wanted, Vec<RepoPath>) {
        let object = wanted.object.as_deref();
        let mut candidates = self.candidates(place, wanted, object.map(root));
        let foreign = self.language.modules.foreign.contains(&wanted.name.as_str());
        let own = object.is_none_or(|o| self.language.selves.contains(&o));
        let inherited = || self.inherited(place, wanted, bases).filter(|_| own);
        if !candidates.is_empty() || foreign || !wanted.called {
            let open = !foreign && wanted.called && self.language.modules.rule == Rule::Constant;
            // What is included and what is inherited look the same.
            if let Some((_, more)) = inherited().filter(|_| open && !candidates.is_empty()) {
                let alike = self.imports.iter().any(|i| alike(&i.module, &wanted.name) > 0);
                let at = usize::from(alike);
                candidates.splice(at..at, more.into_iter().take(1));
            }
            return (wanted.clone(), candidates);
        }
        if let Some(model) = object.and_then(|o| self.model(o)) {
            let object = Some(model.clone());
            let of_model = Wanted { object, rank: wanted.rank + rank::GUESS, ..wanted.clone() };
            let mut candidates = self.candidates(place, &of_model, Some(&model));
            candidates.truncate(1);
            return (of_model, candidates);
        }
        inherited().unwrap_or_else(|| (wanted.clone(), candidates))
    }

    /// The files of the nearest class that a name may be inherited from.
    fn inherited(
        &self,
        place: &Place<'_>,
        wanted: &Wanted,
        bases: &[String],
    ) -> Option<(Wanted, Vec<RepoPath>)> {
        bases.iter().find_map(|base| {
            let object = Some(base.clone());
            let inherited = Wanted { object, rank: wanted.rank + rank::BASE, ..wanted.clone() };
            let candidates = self.candidates(place, &inherited, Some(base));
            (!candidates.is_empty()).then_some((inherited, candidates))
        })
    }

    /// Where files load each other by name, the class that an object is named after
    /// (`@story`, `current_user`).
    fn model(&self, object: &str) -> Option<String> {
        let own = object.split(['.', '&']).next_back().unwrap_or_default();
        let name = own.trim_start_matches('@').trim_start_matches("current_");
        let plain = name.len() > 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let by_name = self.language.modules.rule == Rule::Constant && is_simple(object);
        let fits = plain && by_name && self.path.as_str().split('/').any(|part| part == "app");
        let foreign = |name: &str| self.language.modules.foreign.contains(&name);
        let known = foreign(name) || foreign(root(object));
        fits.then(|| spelling::camel(name)).filter(|_| !known)
    }

    /// The files that may tell of a name.
    fn candidates(&self, place: &Place<'_>, wanted: &Wanted, root: Option<&str>) -> Vec<RepoPath> {
        let modules = &self.language.modules;
        let key = root.unwrap_or(&wanted.name);
        let is_type = key.starts_with(char::is_uppercase) && !is_constant(key);
        let package = |o: &str| o.contains('.') && !o.contains(char::is_uppercase);
        let is_type = is_type
            || (wanted.object.as_deref().is_some_and(package)
                && wanted.name.starts_with(char::is_uppercase));
        let typed = matches!(modules.rule, Rule::Namespace | Rule::Constant);
        let injected = is_type && self.met.iter().any(|object| is_named_after(object, key));
        let worth = wanted.called || is_constant(&wanted.name) || (typed && is_type) || injected;
        if !worth || (self.hop > 0 && !wanted.called && !is_constant(&wanted.name)) {
            return Vec::new();
        }
        let object = wanted.object.as_deref();
        let binds = |i: &&Import| i.names.iter().any(|n| n == key) || object == Some(&i.module);
        if let Some(import) = self.imports.iter().find(binds) {
            let part = if import.parts { key } else { "" };
            let part = if modules.rule == Rule::Folder { &wanted.name } else { part };
            return place.import(modules, import, part);
        }
        if let Some(object) = object.filter(|_| modules.rule == Rule::Namespace) {
            let whole = match wanted.name.starts_with(char::is_uppercase) {
                true => format!("{object}.{}", wanted.name),
                false => object.to_owned(),
            };
            if let Some(parts) = qualified(&whole) {
                return place.namespace(modules, &parts);
            }
        }
        let mut found = Vec::new();
        if typed && is_type || (root.is_none() && modules.rule == Rule::Folder) {
            found = place.unnamed(modules, key);
        }
        if modules.foreign.contains(&key) {
            return Vec::new();
        }
        let wide = |i: &&Import| modules.wide_imports || i.module.ends_with(".*");
        if typed && is_type && root.is_none_or(|root| root == key) {
            for import in self.imports.iter().filter(wide).take(8) {
                let module = import.module.trim_end_matches(".*");
                let parts: Vec<&str> = module.split('.').chain([key]).collect();
                found.extend(place.namespace(modules, &parts));
            }
        }
        let any =
            |i: &&Import| modules.rule == Rule::Include || i.names.is_empty() || is_file(&i.module);
        if root.is_none() && !is_type {
            let mut wide: Vec<&Import> = self.imports.iter().filter(any).collect();
            wide.sort_by_key(|import| std::cmp::Reverse(alike(&import.module, &wanted.name)));
            for import in wide.into_iter().take(4) {
                let as_path = Import {
                    module: import.module.trim_start_matches('/').to_owned(),
                    ..import.clone()
                };
                match is_file(&import.module) {
                    true => found.extend(place.file(&as_path.module)),
                    false => found.extend(place.import(modules, &as_path, &wanted.name)),
                }
            }
        }
        if root.is_none() && is_constant(&wanted.name) && !wanted.called {
            found.extend(place.constants(modules));
        }
        found
    }

    /// Who may call: the files of the change, then those that do by convention.
    fn callers(&self, place: &Place<'_>, wanted: &Use) -> Option<Question> {
        let modules = &self.language.modules;
        // What stands in a page is called in the page.
        let in_page = Language::of(self.path, "").is_none() && !self.path.extension().is_empty();
        if in_page || modules.entries.contains(&wanted.name.as_str()) {
            return None;
        }
        let of_language = |path: &&RepoPath| {
            Language::of(path, "").is_some_and(|l| l.name == self.language.name)
                && *path != self.path
        };
        let mut near: Vec<&RepoPath> = self.changed.iter().filter(of_language).collect();
        near.sort_by_key(|path| std::cmp::Reverse(shared(path, self.path)));
        let mut candidates: VecDeque<RepoPath> = near.into_iter().take(CHANGED).cloned().collect();
        for path in place.callers(modules) {
            if path != *self.path && !candidates.contains(&path) {
                candidates.push_back(path);
            }
        }
        Some(Question {
            rank: wanted.rank + rank::CALLER,
            candidates,
            folders: vec![folder_of(self.path).to_owned()],
            uses: vec![wanted.clone()],
            ..Question::default()
        })
    }

    /// The files of the change that may answer: the likeliest, and those of the folder that it is about.
    fn in_change(&self, question: &Question) -> Vec<RepoPath> {
        let named = question.candidates.iter().filter(|path| self.changed.contains(path));
        let beside = self.changed.iter().filter(|path| {
            *path != self.path
                && path.extension() == self.path.extension()
                && question.folders.iter().any(|folder| folder == folder_of(path))
        });
        let mut found: Vec<RepoPath> = named.cloned().collect();
        for path in beside.take(CHANGED) {
            if !found.contains(path) {
                found.push(path.clone());
            }
        }
        found
    }
}

/// How many words two names have in common, or beginnings of words.
pub(super) fn alike(one: &str, other: &str) -> usize {
    let (one, other) = (spelling::snake(one), spelling::snake(other));
    let words = |name: &str| {
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let (one, other) = (words(&one), words(&other));
    let same = |word: &&String| other.iter().any(|o| o.starts_with(*word) || word.starts_with(o));
    one.iter().filter(same).count()
}

/// The folder of the first file.
fn folder(paths: &[RepoPath]) -> Vec<String> {
    paths.first().map(|path| folder_of(path).to_owned()).into_iter().collect()
}

pub(super) fn folder_of(path: &RepoPath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// How many folders two files share from the root.
fn shared(one: &RepoPath, other: &RepoPath) -> usize {
    let (one, other) = (folder_of(one).split('/'), folder_of(other).split('/'));
    one.zip(other).take_while(|(a, b)| a == b).count()
}

/// The first name of an object as written (`a.b[0]` → `a`).
fn root(object: &str) -> &str {
    let end = object.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$' | '@'));
    object.get(..end.unwrap_or(object.len())).unwrap_or_default()
}

/// A type with the folders in front of it (`a.b.C`).
fn qualified(object: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = object.split(['.', '\\']).filter(|p| !p.is_empty()).collect();
    let named = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (class, front) = parts.split_last()?;
    let is_path = class.starts_with(char::is_uppercase) && !front.is_empty();
    let long = parts.len() > 2 || object.contains('\\');
    (is_path && long && parts.iter().all(|part| named(part))).then_some(parts)
}

/// Whether an object carries the name of a type (`this.userService`, `UserService`).
fn is_named_after(object: &str, class: &str) -> bool {
    let name = object.rsplit(['.', '>', '$', '@']).next().unwrap_or_default();
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let (name, class) = (plain(name), plain(class));
    name.len() > 3 && (class.ends_with(&name) || name.ends_with(&class))
}

/// Whether an object is a variable or a member of one, not the result of something.
fn is_simple(object: &str) -> bool {
    object.len() < 60 && object.chars().all(|c| c.is_alphanumeric() || "_$@.>-".contains(c))
}

/// Whether a name is written as constants are.
pub(super) fn is_constant(name: &str) -> bool {
    name.len() > 2
        && name.contains(char::is_uppercase)
        && name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a module is a path with an ending.
fn is_file(module: &str) -> bool {
    [".php", ".inc"].iter().any(|end| module.ends_with(end))
}
