//! Artifact locations: by URI, by index, with base ids, percent-encoded or not.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::wire::{Artifact, ArtifactLocation, Run};
use crate::{
    lenient::Object,
    paths::{Place, Places, place},
};

/// How many base ids may stand on one another.
const MAX_BASES: usize = 16;

/// Bytes of a base; no path in a repository is longer.
const MAX_BASE: usize = 4_096;

/// Base ids of folders that are never in the repository, as Go's tools write them.
const FOREIGN_BASES: [&str; 3] = ["GOROOT", "GOMODCACHE", "GOPATH"];

/// Finds out where the artifacts of one run are.
pub(super) struct Locator<'r, 'a> {
    run: &'r Run<'a>,
    /// Those that were given by index. An entry may be long: each is read once.
    by_index: HashMap<usize, Option<Place>>,
    bases: HashMap<String, Base>,
}

/// What a base id stands for.
enum Base {
    /// A folder below `root`, which is absolute, or else below the repository.
    Folder { root: Option<String>, path: String },
    /// A folder that is not in the repository.
    Foreign,
}

impl<'r, 'a> Locator<'r, 'a> {
    pub(super) fn new(run: &'r Run<'a>) -> Self {
        Self { run, by_index: HashMap::new(), bases: HashMap::new() }
    }

    /// Where an artifact is; `None` if that is no file, or none of a repository (`https://…`).
    pub(super) fn locate(
        &mut self,
        location: &ArtifactLocation<'_>,
        places: &Places<'_>,
    ) -> Option<Place> {
        if let Some(uri) = location.uri.get() {
            return self.resolve(uri, location.uri_base_id.get(), places);
        }
        let index = location.index.index()?;
        if let Some(known) = self.by_index.get(&index) {
            return known.clone();
        }
        let place = self.of_artifact(index, places);
        self.by_index.insert(index, place.clone());
        place
    }

    fn of_artifact(&mut self, index: usize, places: &Places<'_>) -> Option<Place> {
        let slice = self.run.artifacts.items.get(index)?.get();
        let artifact: Object<Artifact<'_>> = serde_json::from_str(slice).ok()?;
        let location = artifact.get()?.location.get()?;
        self.resolve(location.uri.get()?, location.uri_base_id.get(), places)
    }

    fn resolve(&mut self, uri: &str, base: Option<&str>, places: &Places<'_>) -> Option<Place> {
        let path = spelling(uri, places);
        if is_foreign(&path) {
            return None;
        }
        if let Some(path) = file_path(&path) {
            return place(&path);
        }
        let Some(id) = base else { return place(&path) };
        let run = self.run;
        let base = self.bases.entry(id.to_owned()).or_insert_with(|| follow(id, run));
        let Base::Folder { root, path: folder } = base else { return None };
        match (root.as_deref().and_then(place), place(&format!("{folder}{path}"))?) {
            (Some(Place::Absolute(root)), Place::Relative { path, .. }) => {
                Some(Place::Relative { base: Some(format!("{root}/")), path })
            }
            (_, place) => Some(place),
        }
    }
}

/// Goes from base to base, down to an absolute one, or to one that the run does not say.
fn follow(id: &str, run: &Run<'_>) -> Base {
    let bases = &run.original_uri_base_ids;
    let (mut path, mut next) = (String::new(), Some(id));
    for _ in 0..MAX_BASES {
        let Some(id) = next else { break };
        let bare = id.trim_matches('%');
        if FOREIGN_BASES.contains(&bare) {
            return Base::Foreign;
        }
        let base = bases.find(id).or_else(|| bases.find(bare));
        let Some(base) = base.and_then(Object::get) else { break };
        let folder = decode(base.uri.get().unwrap_or_default());
        if folder.len() > MAX_BASE {
            return Base::Foreign;
        }
        if let Some(folder) = file_path(&folder) {
            return Base::Folder { root: Some(folder), path };
        }
        if is_foreign(&folder) {
            break;
        }
        let folder = folder.trim_end_matches('/');
        if !folder.is_empty() {
            path = format!("{folder}/{path}");
        }
        next = base.uri_base_id.get();
    }
    Base::Folder { root: None, path }
}

/// The absolute folders that stand at the roots of a run's base ids, and those it ran in.
pub(super) fn roots(run: &Run<'_>) -> Vec<String> {
    let bases = run.original_uri_base_ids.0.iter().filter_map(|(_, base)| base.get());
    let roots = bases.filter(|base| base.uri_base_id.get().is_none());
    let folders = run.invocations.items.iter().filter_map(|i| i.get()?.working_directory.get());
    let uris = roots.chain(folders).filter_map(|location| location.uri.get());
    uris.filter_map(|uri| file_path(&decode(uri))).collect()
}

/// The path in a URI. Tools that do not encode write `%`, `#` and `?` as they are: what is a file
/// of the change as it stands is taken so.
fn spelling(uri: &str, places: &Places<'_>) -> String {
    let uri = uri.trim();
    if places.knows(uri) {
        return uri.to_owned();
    }
    let decoded = decode(uri);
    if places.knows(&decoded) {
        return decoded;
    }
    let bare = decode(uri.split(['?', '#']).next().unwrap_or_default());
    if places.knows(&bare) { bare } else { decoded }
}

fn decode(uri: &str) -> String {
    let uri = uri.trim();
    match percent_decode_str(uri).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => uri.to_owned(),
    }
}

/// The absolute path of a `file:` URI, with whatever number of slashes, or of an absolute path. A
/// host stays as the first segment: it may as well be a path with a slash too few.
fn file_path(uri: &str) -> Option<String> {
    let is_file = uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    if is_file {
        let path = uri[5..].trim_start_matches(['/', '\\']);
        return Some(format!("/{}", path.strip_prefix("localhost/").unwrap_or(path)));
    }
    let absolute = uri.starts_with(['/', '\\'])
        || matches!(uri.as_bytes(), [l, b':', b'/' | b'\\', ..] if l.is_ascii_alphabetic());
    absolute.then(|| format!("/{uri}"))
}

/// Whether it names a place on the network.
fn is_foreign(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once("://") else { return false };
    let is_scheme = scheme.len() > 1
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme && !scheme.eq_ignore_ascii_case("file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locate_json(location: &str, run: &str, known: &[&str]) -> Option<Place> {
        let known: Vec<_> = known.iter().map(|k| k.parse().unwrap()).collect();
        let location = serde_json::from_str(location).unwrap();
        let run = serde_json::from_str(run).unwrap();
        Locator::new(&run).locate(&location, &Places::new(&known))
    }

    fn shown(place: Option<Place>) -> String {
        match place {
            None => "-".to_owned(),
            Some(Place::Absolute(path)) => path,
            Some(Place::Relative { base, path }) => match base {
                Some(base) => format!("{base}|{path}"),
                None => path,
            },
        }
    }

    #[test]
    fn uris_of_every_kind_are_read() {
        for (uri, want) in [
            ("src/a.c", "src/a.c"),
            ("./src/a%20b.c", "src/a b.c"),
            ("src/100%.c", "src/100%.c"),
            ("src/%ff.c", "src/%ff.c"),
            ("src/C#/a.cs", "src/C#/a.cs"),
            ("src\\\\win\\\\a.c", "src/win/a.c"),
            ("file:///src/index.js", "/src/index.js"),
            ("file:////src/a.js", "/src/a.js"),
            ("FILE:/src/a.js", "/src/a.js"),
            ("file://localhost/src/a.js", "/src/a.js"),
            ("file:///C:/code/file1.c", "/C:/code/file1.c"),
            ("file:///C%3A/code/file1.c", "/C:/code/file1.c"),
            ("C:\\\\code\\\\a.c", "/C:/code/a.c"),
            ("/home/x/a.c", "/home/x/a.c"),
            ("../x/a.c", "/x/a.c"),
            ("https://example.com/a.c", "-"),
            ("npm/lib@1.0.0", "npm/lib@1.0.0"),
            ("", "-"),
        ] {
            let place = locate_json(&format!("{{\"uri\": \"{uri}\"}}"), "{}", &[]);
            assert_eq!(shown(place), want, "{uri}");
        }
    }

    #[test]
    fn a_file_of_the_change_decides_how_an_unclear_uri_is_read() {
        let at = |uri: &str, known| {
            shown(locate_json(&format!("{{\"uri\": \"{uri}\"}}"), "{}", &[known]))
        };
        assert_eq!(at("a%20b.c", "a%20b.c"), "a%20b.c");
        assert_eq!(at("a%20b.c", "a b.c"), "a b.c");
        assert_eq!(at("a.c#L10", "a.c"), "a.c");
        assert_eq!(at("a.c#L10", "a.c#L10"), "a.c#L10");
    }

    #[test]
    fn bases_stand_on_one_another() {
        let run = r#"{"originalUriBaseIds": {
            "ROOT": {"uri": "file:///home/w/repo/"},
            "SRC": {"uri": " src/", "uriBaseId": "ROOT"},
            "LONE": {"uri": "lib"},
            "LOOP": {"uri": "x", "uriBaseId": "LOOP"}},
            "artifacts": [{"location": {"uri": "b.c", "uriBaseId": "SRC"}}, 7]}"#;
        for (location, want) in [
            (r#"{"uri": "a.c", "uriBaseId": "SRC"}"#, "/home/w/repo/|src/a.c"),
            (r#"{"uri": "a.c", "uriBaseId": "%ROOT%"}"#, "/home/w/repo/|a.c"),
            (r#"{"uri": "a.c", "uriBaseId": "LONE"}"#, "lib/a.c"),
            (r#"{"uri": "a.c", "uriBaseId": "UNKNOWN"}"#, "a.c"),
            (r#"{"uri": "src/a.go", "uriBaseId": "%GOROOT%"}"#, "-"),
            (r#"{"uri": "/a.c", "uriBaseId": "SRC"}"#, "/a.c"),
            (r#"{"index": 0}"#, "/home/w/repo/|src/b.c"),
            (r#"{"index": 1}"#, "-"),
            (r#"{"index": 9}"#, "-"),
            (r#"{"uri": "a.c", "index": 0}"#, "a.c"),
            ("{}", "-"),
        ] {
            assert_eq!(shown(locate_json(location, run, &[])), want, "{location}");
        }
        let looped = shown(locate_json(r#"{"uri": "a.c", "uriBaseId": "LOOP"}"#, run, &[]));
        assert!(looped.ends_with("x/a.c"), "{looped}");
    }

    #[test]
    fn only_the_lowest_bases_are_roots() {
        let run = r#"{"originalUriBaseIds": {"R": {"uri": "file:///w/r/"},
            "S": {"uri": "s/", "uriBaseId": "R"}},
            "invocations": [{"workingDirectory": {"uri": "file:///w/d"}}, {}]}"#;
        assert_eq!(roots(&serde_json::from_str(run).unwrap()), ["/w/r/", "/w/d"]);
    }
}
