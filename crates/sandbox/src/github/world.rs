//! What the fake GitHub knows.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use chaffinch_core::Clock;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    calls::Call, changes::ChangeState, delivery::Delivered, diff::Diff, faults::Planned,
    links::Links, options::TokenForm,
};

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

pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) jwt_clock: Arc<dyn Clock>,
    pub(crate) links: Links,
    pub(crate) app: App,
    pub(crate) repos: Vec<RepoState>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) faults: VecDeque<Planned>,
    pub(crate) calls: Vec<Call>,
    pub(crate) problems: Vec<String>,
    /// Whether the names of the files of a folder may be read.
    pub(crate) listing: bool,
    pub(crate) deliveries: Vec<Delivered>,
    pub(crate) used: u64,
    next: u64,
}

/// The App and its one installation.
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) client_id: String,
    pub(crate) public_key: Vec<u8>,
    pub(crate) installation: u64,
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) events: Vec<String>,
    pub(crate) suspended: bool,
    pub(crate) installed: bool,
    pub(crate) token_form: TokenForm,
    pub(crate) webhook_secret: String,
    pub(crate) webhook_url: Option<String>,
}

impl App {
    pub(crate) fn login(&self) -> String {
        format!("{}[bot]", self.slug)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) permissions: BTreeMap<String, String>,
    /// Ids of the repositories that it can see.
    pub(crate) repos: Vec<u64>,
    pub(crate) expires: DateTime<Utc>,
    /// Whether it was not the App that asked for it, but somebody who looks on.
    pub(crate) onlooker: bool,
}

pub(crate) struct RepoState {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) installed: bool,
    /// The tip of the default branch.
    pub(crate) base: Tree,
    /// What the next change to be opened proposes.
    pub(crate) proposed: Tree,
    pub(crate) commits: HashMap<String, Tree>,
    pub(crate) parents: HashMap<String, Vec<String>>,
    pub(crate) changes: BTreeMap<u64, ChangeState>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) analyses: Vec<Analysis>,
    pub(crate) code_scanning: bool,
    pub(crate) roles: BTreeMap<String, String>,
    commits_made: u64,
}

pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) head: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) started: String,
    pub(crate) completed: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) annotations: Vec<serde_json::Value>,
}

pub(crate) struct Analysis {
    pub(crate) id: u64,
    pub(crate) reference: String,
    pub(crate) commit: String,
    pub(crate) created: String,
    pub(crate) tool: String,
    pub(crate) tool_version: Option<String>,
    pub(crate) results: usize,
    pub(crate) rules: usize,
    pub(crate) sarif_id: String,
    pub(crate) sarif: Bytes,
}

impl World {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        jwt_clock: Arc<dyn Clock>,
        links: Links,
        app: App,
    ) -> Self {
        Self {
            clock,
            jwt_clock,
            links,
            app,
            repos: Vec::new(),
            tokens: HashMap::new(),
            faults: VecDeque::new(),
            calls: Vec::new(),
            problems: Vec::new(),
            listing: false,
            deliveries: Vec::new(),
            used: 0,
            next: 1000,
        }
    }

    /// A number that nothing else has.
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn now(&self) -> String {
        time(self.clock.now())
    }

    pub(crate) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    pub(crate) fn repo(&self, full_name: &str) -> Option<usize> {
        self.repos.iter().position(|r| r.full_name().eq_ignore_ascii_case(full_name))
    }

    /// The repository, made if it is not there yet.
    pub(crate) fn repo_or_new(&mut self, full_name: &str) -> usize {
        if let Some(at) = self.repo(full_name) {
            return at;
        }
        let (owner, name) = full_name.split_once('/').unwrap_or(("acme", full_name));
        let id = self.id();
        let mut repo = RepoState {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            installed: true,
            base: Tree::new(),
            proposed: Tree::new(),
            commits: HashMap::new(),
            parents: HashMap::new(),
            changes: BTreeMap::new(),
            checks: Vec::new(),
            analyses: Vec::new(),
            code_scanning: true,
            roles: BTreeMap::new(),
            commits_made: 0,
        };
        repo.commit(Tree::new(), &[]);
        self.repos.push(repo);
        self.repos.len() - 1
    }
}

impl RepoState {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Keeps `tree` as a commit and tells its id, which depends on what was committed before.
    pub(crate) fn commit(&mut self, tree: Tree, parents: &[&str]) -> String {
        self.commits_made += 1;
        let mut text = format!("{} {}\n", self.full_name(), self.commits_made);
        for (path, blob) in &tree {
            text.push_str(&format!("{} {path}\n", blob.sha()));
        }
        let sha = sha1(text.as_bytes());
        self.commits.insert(sha.clone(), tree);
        let parents = parents.iter().map(|p| (*p).to_owned()).collect();
        self.parents.insert(sha.clone(), parents);
        sha
    }

    /// The commit that a sha, a branch or a ref names.
    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        if self.commits.contains_key(name) {
            return Some(name.to_owned());
        }
        let name = name.strip_prefix("refs/").unwrap_or(name);
        if let Some(rest) = name.strip_prefix("pull/") {
            let (number, side) = rest.split_once('/')?;
            let change = self.changes.get(&number.parse().ok()?)?;
            return match side {
                "head" => Some(change.head.clone()),
                "merge" => Some(change.merge.clone()),
                _ => None,
            };
        }
        let branch = name.strip_prefix("heads/").unwrap_or(name);
        if branch == "main" || branch == "HEAD" {
            return self.changes.values().next_back().map(|c| c.base.clone());
        }
        let own = |c: &&ChangeState| c.fork.is_none() && c.branch == branch;
        self.changes.values().find(own).map(|c| c.head.clone())
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

pub(crate) const HOUR: TimeDelta = TimeDelta::hours(1);
