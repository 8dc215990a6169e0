//! Files, commits, and in what two of them differ.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::diff::Diff;

/// The files of one commit.
pub(crate) type Tree = BTreeMap<String, Blob>;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blob {
    File(Bytes),
    /// A file of this many bytes, all `x`; too large to be kept.
    Huge(u64),
    Symlink(String),
    Submodule(String),
}

/// The commits of one repository.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    trees: HashMap<String, Tree>,
    parents: HashMap<String, Vec<String>>,
    made: u64,
}

impl Commits {
    /// Keeps `tree` as a commit and tells its id, which depends on what was committed before.
    pub(crate) fn add(&mut self, repository: &str, tree: Tree, parents: &[&str]) -> String {
        self.made += 1;
        let mut text = format!("{repository} {}\n", self.made);
        for (path, blob) in &tree {
            text.push_str(&format!("{} {path}\n", blob.sha()));
        }
        let sha = sha1(text.as_bytes());
        self.trees.insert(sha.clone(), tree);
        let parents = parents.iter().map(|p| (*p).to_owned()).collect();
        self.parents.insert(sha.clone(), parents);
        sha
    }

    pub(crate) fn get(&self, sha: &str) -> Option<&Tree> {
        self.trees.get(sha)
    }

    /// The files of a commit; none where it is gone.
    pub(crate) fn tree(&self, sha: &str) -> Tree {
        self.trees.get(sha).cloned().unwrap_or_default()
    }

    pub(crate) fn has(&self, sha: &str) -> bool {
        self.trees.contains_key(sha)
    }

    pub(crate) fn parents(&self, sha: &str) -> &[String] {
        self.parents.get(sha).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn lose(&mut self, sha: &str) {
        self.trees.remove(sha);
    }

    /// The files in which two commits differ.
    pub(crate) fn compare(&self, old: &str, new: &str) -> Vec<FileChange> {
        compare(&self.tree(old), &self.tree(new))
    }

    /// Where a line of `path` stands in another commit, if it is still there.
    pub(crate) fn moved(&self, path: &str, line: u64, from: &str, to: &str) -> Option<u64> {
        let text = |sha: &str| self.get(sha)?.get(path).and_then(Blob::text);
        let diff = Diff::new(text(from)?, text(to)?);
        diff.moved(usize::try_from(line).ok()?).map(|line| line as u64)
    }
}

impl Blob {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::File(bytes) => bytes.len() as u64,
            Self::Huge(size) => *size,
            Self::Symlink(target) => target.len() as u64,
            Self::Submodule(_) => 0,
        }
    }

    /// The id that git gives it.
    pub(crate) fn sha(&self) -> String {
        match self {
            Self::File(bytes) => {
                let mut all = format!("blob {}\0", bytes.len()).into_bytes();
                all.extend_from_slice(bytes);
                sha1(&all)
            }
            Self::Huge(size) => sha1(format!("huge {size}").as_bytes()),
            Self::Symlink(target) => sha1(format!("blob {}\0{target}", target.len()).as_bytes()),
            Self::Submodule(url) => sha1(url.as_bytes()),
        }
    }

    /// The text, unless it is binary, too large for a diff, or no file.
    pub(crate) fn text(&self) -> Option<&str> {
        let Self::File(bytes) = self else { return None };
        if bytes.iter().take(8000).any(|b| *b == 0) {
            return None;
        }
        std::str::from_utf8(bytes).ok()
    }
}

/// Writes these files.
pub(crate) fn write(tree: &mut Tree, files: &[(&str, &str)]) {
    for (path, text) in files {
        let blob = Blob::File(Bytes::copy_from_slice(text.as_bytes()));
        tree.insert((*path).to_owned(), blob);
    }
}

/// Removes these files.
pub(crate) fn remove(tree: &mut Tree, paths: &[&str]) {
    tree.retain(|path, _| !paths.contains(&path.as_str()));
}

/// Moves a file.
pub(crate) fn rename(tree: &mut Tree, from: &str, to: &str) {
    if let Some(blob) = tree.remove(from) {
        tree.insert(to.to_owned(), blob);
    }
}

/// One file of a change.
pub(crate) struct FileChange {
    pub(crate) path: String,
    pub(crate) previous: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) old: Option<Blob>,
    pub(crate) new: Option<Blob>,
}

impl FileChange {
    /// Both texts, unless one of them cannot be shown.
    pub(crate) fn texts(&self) -> Option<(&str, &str)> {
        let old = self.old.as_ref().map_or(Some(""), Blob::text)?;
        let new = self.new.as_ref().map_or(Some(""), Blob::text)?;
        Some((old, new))
    }
}

/// The files in which two trees differ, by path, renames found.
pub(crate) fn compare(old: &Tree, new: &Tree) -> Vec<FileChange> {
    let mut out = Vec::new();
    let mut gone: Vec<(&String, &Blob)> =
        old.iter().filter(|(path, _)| !new.contains_key(*path)).collect();
    for (path, blob) in new {
        match old.get(path) {
            Some(before) if before == blob => {}
            Some(before) => out.push(FileChange {
                path: path.clone(),
                previous: None,
                status: "modified",
                old: Some(before.clone()),
                new: Some(blob.clone()),
            }),
            None => {
                let origin = gone.iter().position(|(_, before)| alike(before, blob));
                let origin = origin.map(|at| gone.remove(at));
                out.push(FileChange {
                    path: path.clone(),
                    previous: origin.map(|(path, _)| path.clone()),
                    status: if origin.is_some() { "renamed" } else { "added" },
                    old: origin.map(|(_, blob)| blob.clone()),
                    new: Some(blob.clone()),
                });
            }
        }
    }
    out.extend(gone.into_iter().map(|(path, blob)| FileChange {
        path: path.clone(),
        previous: None,
        status: "removed",
        old: Some(blob.clone()),
        new: None,
    }));
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// Whether one may be the other under a new name, as git judges it.
fn alike(old: &Blob, new: &Blob) -> bool {
    if old == new {
        return old.size() > 0;
    }
    match (old.text(), new.text()) {
        (Some(old), Some(new)) => Diff::new(old, new).similarity() >= 50,
        _ => false,
    }
}

pub(crate) fn sha1(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes))
}

/// As GitHub writes it: `2026-01-31T12:00:00Z`.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
