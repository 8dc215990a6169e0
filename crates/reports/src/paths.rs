//! Paths as scanners write them, fitted into the repository.
//!
//! What a report says of its folders counts first. Where it says nothing and no path of it is a file
//! of the change, but one (with a folder) is the end of exactly one, the scanner ran in the folder
//! that is missing: `app/db.py` is `backend/app/db.py`. All relative paths then stand under that
//! folder; where they do not agree on it, or look as if they started at the root, they stay.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chaffinch_core::RepoPath;

/// A path before it is known where in the repository it is. Segments are separated by `/`; none is
/// empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Relative to the repository, or to the absolute folder `base` where the report names one.
    Relative {
        /// Starts and ends with `/`.
        base: Option<String>,
        /// Without `/` at its ends.
        path: String,
    },
    /// Starts with `/`. A path that climbs out of its folder with `..` counts as absolute too: how
    /// its rest is to be read, only the files of the change can say.
    Absolute(String),
}

/// Stands for a [`Place`] until all of a report are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlaceId(usize);

/// The places of one report, each once, and the files of the change.
pub(crate) struct Places<'a> {
    known: HashSet<&'a str>,
    by_name: HashMap<&'a str, Vec<&'a str>>,
    list: Vec<Place>,
    ids: HashMap<Place, PlaceId>,
    roots: HashSet<String>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(known_paths: &'a [RepoPath]) -> Self {
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for path in known_paths {
            by_name.entry(path.file_name()).or_default().push(path.as_str());
        }
        Self {
            known: known_paths.iter().map(RepoPath::as_str).collect(),
            by_name,
            list: Vec::new(),
            ids: HashMap::new(),
            roots: HashSet::new(),
        }
    }

    /// Keeps a place.
    pub(crate) fn add(&mut self, place: Place) -> PlaceId {
        if let Some(id) = self.ids.get(&place) {
            return *id;
        }
        let id = PlaceId(self.list.len());
        self.list.push(place.clone());
        self.ids.insert(place, id);
        id
    }

    /// Keeps an absolute folder that the report itself calls the root of the sources.
    pub(crate) fn add_root(&mut self, folder: &str) {
        if let Some(Place::Absolute(mut root)) = place(folder) {
            root.push('/');
            self.roots.insert(root);
        }
    }

    /// Whether the path, or the end of it, is a file of the change.
    pub(crate) fn knows(&self, path: &str) -> bool {
        self.known.contains(path) || self.known_end(path).is_some()
    }

    /// The longest file of the change that `path` ends with, on a segment boundary.
    fn known_end(&self, path: &str) -> Option<&'a str> {
        let name = path.rsplit('/').next()?;
        let ends = |known: &&&str| match path.strip_suffix(**known) {
            Some(front) => front.is_empty() || front.ends_with('/'),
            None => false,
        };
        self.by_name.get(name)?.iter().filter(ends).max_by_key(|known| known.len()).copied()
    }

    /// Fits every place into the repository; `None` for those that are not in it, or of which that
    /// cannot be told. The order is that of [`PlaceId`].
    pub(crate) fn settle(&self) -> Settled {
        let votes = self.votes();
        let lengths = votes.keys().map(|root| root.len()).collect();
        let prefix = self.odd_prefix();
        let missing = match prefix {
            None if votes.values().all(|count| *count == 0) => self.missing_prefix(),
            _ => None,
        };
        let fit = |place: &Place| {
            let path = match place {
                Place::Absolute(path) => self.under_root(path, &votes, &lengths)?,
                Place::Relative { base: Some(base), path }
                    if !self.known.contains(path.as_str()) =>
                {
                    self.longer_end(base, path).unwrap_or(path)
                }
                Place::Relative { path, .. } => path,
            };
            if let (Some(missing), Place::Relative { .. }) = (missing, place) {
                return RepoPath::new(format!("{missing}{path}")).ok();
            }
            let path = prefix.as_deref().and_then(|p| path.strip_prefix(p)).unwrap_or(path);
            RepoPath::new(path).ok()
        };
        Settled(self.list.iter().map(fit).collect())
    }

    /// The end of `base/path` that is a file of the change, if it is longer than `path`: the
    /// scanner ran in a folder of the repository.
    fn longer_end(&self, base: &str, path: &str) -> Option<&'a str> {
        self.known_end(&format!("{base}{path}")).filter(|known| known.len() > path.len())
    }

    /// How many absolute places would be files of the change, if this folder were the root.
    fn votes(&self) -> HashMap<&str, usize> {
        let mut votes: HashMap<&str, usize> = self.roots.iter().map(|r| (r.as_str(), 0)).collect();
        for place in &self.list {
            let Place::Absolute(path) = place else { continue };
            if let Some(root) = self.known_end(path).and_then(|known| path.strip_suffix(known)) {
                *votes.entry(root).or_default() += 1;
            }
        }
        votes
    }

    /// The rest of `path` below the root with the most votes, the shortest of equals; nothing below
    /// a root that the report itself names can be a root. `lengths` are those of the roots.
    fn under_root<'p>(
        &self,
        path: &'p str,
        votes: &HashMap<&str, usize>,
        lengths: &BTreeSet<usize>,
    ) -> Option<&'p str> {
        let mut best: Option<(usize, &str)> = None;
        for (root, rest) in lengths.iter().map_while(|length| path.split_at_checked(*length)) {
            if let Some(count) = votes.get(root)
                && best.is_none_or(|(most, _)| *count > most)
            {
                best = Some((*count, rest));
            }
            if self.roots.contains(root) {
                break;
            }
        }
        best.map(|(_, rest)| rest)
    }

    /// A folder that all relative places are in, though it is none of the repository: with it taken
    /// away, one of them is a file of the change, named with at least one folder. (With less
    /// evidence, `tests/app.py` of the repository would be taken for its `app.py`.)
    fn odd_prefix(&self) -> Option<String> {
        let paths = || {
            self.list.iter().filter_map(|place| match place {
                Place::Relative { path, .. } => Some(path.as_str()),
                Place::Absolute(_) => None,
            })
        };
        let mut candidates: BTreeMap<usize, &str> = BTreeMap::new();
        for path in paths() {
            let end = self.known_end(path).filter(|known| known.contains('/'));
            let front = end.and_then(|known| path.strip_suffix(known));
            match front {
                Some("") => return None,
                Some(front) => candidates.insert(front.len(), front),
                None => continue,
            };
        }
        let shared = |prefix: &&str| paths().all(|path| path.starts_with(prefix));
        candidates.into_values().find(shared).map(str::to_owned)
    }

    /// The folder that the scanner ran in, where the report does not tell: put before the relative
    /// paths, it makes one that names a folder the only file of the change that it can be, and none
    /// of them could be another. (A file in the root may have its name from anywhere: of `setup.py`
    /// alone nothing follows.) A path below a folder of the repository's root, as far as the change
    /// shows it, says that the scanner ran there.
    fn missing_prefix(&self) -> Option<&'a str> {
        let tops: HashSet<&str> = self.known.iter().filter_map(|known| top(known)).collect();
        let mut witnessed = None;
        let mut ends: Vec<Vec<&'a str>> = Vec::new();
        for place in &self.list {
            let Place::Relative { base, path } = place else { continue };
            let based = base.as_deref().and_then(|base| self.longer_end(base, path));
            if based.is_some() || self.known.contains(path.as_str()) {
                return None;
            }
            if top(path).is_some_and(|top| tops.contains(top)) {
                return None;
            }
            let fronts = self.fronts(path);
            match fronts.as_slice() {
                [] => continue,
                [only] if path.contains('/') => witnessed = witnessed.or(Some(*only)),
                _ => {}
            }
            ends.push(fronts);
        }
        witnessed.filter(|front| ends.iter().all(|fronts| fronts.contains(front)))
    }

    /// What stands before `path` in the files of the change that end with it; ends with `/`.
    fn fronts(&self, path: &str) -> Vec<&'a str> {
        let known = path.rsplit('/').next().and_then(|name| self.by_name.get(name));
        let fronts = known.into_iter().flatten().filter_map(|known| known.strip_suffix(path));
        fronts.filter(|front| front.ends_with('/')).collect()
    }
}

/// The folder of the root that a path is below.
fn top(path: &str) -> Option<&str> {
    path.split_once('/').map(|(top, _)| top)
}

/// Where each place is in the repository.
pub(crate) struct Settled(Vec<Option<RepoPath>>);

impl Settled {
    pub(crate) fn get(&self, id: PlaceId) -> Option<&RepoPath> {
        self.0.get(id.0)?.as_ref()
    }
}

/// A path of an operating system: `/` or `\` between segments, absolute with `/`, a drive letter or
/// a share. `None` if nothing is left of it, or if it is longer than any path in a repository.
pub(crate) fn place(path: &str) -> Option<Place> {
    let path = path.trim();
    if path.is_empty() || path.len() > 4_096 || path.contains('\0') {
        return None;
    }
    let path = path.replace('\\', "/");
    let mut absolute = path.starts_with('/') || has_drive(&path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => absolute |= segments.pop().is_none(),
            _ => segments.push(segment),
        }
    }
    if segments.is_empty() {
        return None;
    }
    let path = segments.join("/");
    Some(match absolute {
        true => Place::Absolute(format!("/{path}")),
        false => Place::Relative { base: None, path },
    })
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `paths` are, given the files of the change; `-` for nowhere.
    fn settle(known: &[&str], roots: &[&str], paths: &[&str]) -> Vec<String> {
        let known: Vec<RepoPath> = known.iter().map(|k| k.parse().unwrap()).collect();
        let mut places = Places::new(&known);
        roots.iter().for_each(|root| places.add_root(root));
        let ids: Vec<PlaceId> = paths.iter().map(|path| places.add(place(path).unwrap())).collect();
        let settled = places.settle();
        let shown = |id: &PlaceId| settled.get(*id).map_or("-".to_owned(), ToString::to_string);
        ids.iter().map(shown).collect()
    }

    #[test]
    fn a_path_is_normalised() {
        let relative = |path: &str| Some(Place::Relative { base: None, path: path.to_owned() });
        let absolute = |path: &str| Some(Place::Absolute(path.to_owned()));
        for (path, want) in [
            ("./src//a/../b.py", relative("src/b.py")),
            ("src\\win\\a.cs", relative("src/win/a.cs")),
            ("/etc/x", absolute("/etc/x")),
            ("C:\\code\\a.c", absolute("/C:/code/a.c")),
            ("\\\\host\\share\\a.c", absolute("/host/share/a.c")),
            ("../up/a.py", absolute("/up/a.py")),
            ("", None),
            (" ", None),
            ("./", None),
            ("a\0b", None),
        ] {
            assert_eq!(place(path), want, "{path:?}");
        }
        assert_eq!(place(&"a".repeat(5_000)), None);
    }

    #[test]
    fn an_absolute_path_is_mapped_by_its_longest_known_end() {
        let known = ["a.py", "src/a.py", "lib/src/a.py"];
        assert_eq!(settle(&known, &[], &["/x/src/a.py"]), ["src/a.py"]);
        assert_eq!(settle(&known, &[], &["/x/lib/src/a.py"]), ["lib/src/a.py"]);
        assert_eq!(settle(&known, &[], &["C:\\w\\src\\a.py"]), ["src/a.py"]);
        assert_eq!(settle(&known, &[], &["../up/src/a.py"]), ["src/a.py"]);
        assert_eq!(settle(&known, &[], &["/xsrc/ba.py"]), ["-"]);
    }

    #[test]
    fn files_beside_a_mapped_one_share_its_root() {
        assert_eq!(
            settle(
                &["app.py"],
                &[],
                &["/w/r/tests/app.py", "/w/r/app.py", "/w/r/b.py", "/usr/c.py"]
            ),
            ["tests/app.py", "app.py", "b.py", "-"]
        );
    }

    #[test]
    fn a_root_that_the_report_names_is_believed() {
        assert_eq!(
            settle(&["app.py"], &["/w/r/"], &["/w/r/tests/app.py", "/w/r/b.py", "/w/x.py"]),
            ["tests/app.py", "b.py", "-"]
        );
        // The scanner ran in a folder of the repository: the root is above what it names.
        assert_eq!(
            settle(&["back/app.py"], &["/w/r/back"], &["/w/r/back/app.py"]),
            ["back/app.py"]
        );
    }

    #[test]
    fn a_relative_path_stays_unless_all_have_one_odd_prefix() {
        assert_eq!(settle(&["app.py"], &[], &["tests/app.py"]), ["tests/app.py"]);
        assert_eq!(
            settle(&["src/app.py"], &[], &["work/src/app.py", "work/b.py"]),
            ["src/app.py", "b.py"]
        );
        for other in ["src/app.py", "b.py"] {
            assert_eq!(
                settle(&["src/app.py"], &[], &["tests/src/app.py", other]),
                ["tests/src/app.py", other]
            );
        }
    }

    #[test]
    fn a_base_completes_a_path_that_is_too_short() {
        let known = ["back/src/app.py".parse().unwrap(), "app.py".parse().unwrap()];
        let mut places = Places::new(&known);
        let mut add = |path: &str| {
            let base = Some("/w/repo/back/".to_owned());
            places.add(Place::Relative { base, path: path.to_owned() })
        };
        let (short, other) = (add("src/app.py"), add("tests/app.py"));
        let settled = places.settle();
        assert_eq!(settled.get(short).unwrap().as_str(), "back/src/app.py");
        assert_eq!(settled.get(other).unwrap().as_str(), "tests/app.py");
    }

    #[test]
    fn a_scanner_that_ran_in_a_folder_is_put_back_into_it() {
        let known = ["backend/app/db.py", "backend/setup.py", "README.md", "web/app/main.ts"];
        assert_eq!(settle(&known, &[], &["app/db.py"]), ["backend/app/db.py"]);
        assert_eq!(
            settle(&known, &[], &["app/db.py", "app/other.py", "setup.py", "conftest.py"]),
            [
                "backend/app/db.py",
                "backend/app/other.py",
                "backend/setup.py",
                "backend/conftest.py"
            ]
        );
        // Two could be meant by one path, but only one by both.
        let twice = ["a/src/x.py", "b/src/x.py", "b/src/y.py"];
        assert_eq!(settle(&twice, &[], &["src/x.py", "src/y.py"]), ["b/src/x.py", "b/src/y.py"]);
    }

    #[test]
    fn a_folder_is_not_guessed_where_anything_speaks_against_it() {
        let stays = |known: &[&str], paths: &[&str]| assert_eq!(settle(known, &[], paths), paths);
        // One that is known as it stands.
        stays(&["backend/app/db.py", "lib.py"], &["app/db.py", "lib.py"]);
        // Two files that it can be.
        stays(&["a/app/db.py", "b/app/db.py"], &["app/db.py"]);
        // Two folders.
        stays(&["a/app/x.py", "b/app/y.py"], &["app/x.py", "app/y.py"]);
        // The root has such a folder.
        stays(&["backend/app/db.py", "app/main.py"], &["app/db.py"]);
        stays(&["backend/app/db.py"], &["app/db.py", "backend/other.py"]);
        // No folder to know it by.
        stays(&["backend/setup.py"], &["setup.py"]);
        // An end, but not of whole names.
        stays(&["backend/myapp/db.py"], &["app/db.py"]);
    }

    #[test]
    fn what_the_report_says_of_its_folders_counts_before_any_guess() {
        let known = ["backend/app/db.py", "web/src/x.ts"];
        let mapped = settle(&known, &[], &["app/db.py", "/w/r/web/src/x.ts"]);
        assert_eq!(mapped, ["app/db.py", "web/src/x.ts"]);
        let known = known.map(|path| path.parse().unwrap());
        let mut places = Places::new(&known);
        let base = |base: &str| Some(base.to_owned());
        let based =
            places.add(Place::Relative { base: base("/w/r/web/"), path: "src/x.ts".into() });
        let other = places.add(Place::Relative { base: None, path: "app/db.py".into() });
        let settled = places.settle();
        assert_eq!(settled.get(based).unwrap().as_str(), "web/src/x.ts");
        assert_eq!(settled.get(other).unwrap().as_str(), "app/db.py");
        // A base that says nothing of the repository.
        let mut places = Places::new(&known);
        let based = places.add(Place::Relative { base: base("/"), path: "app/db.py".into() });
        assert_eq!(places.settle().get(based).unwrap().as_str(), "backend/app/db.py");
    }
}
