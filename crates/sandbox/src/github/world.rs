//! What the fake GitHub knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use chaffinch_core::Clock;
use chrono::{DateTime, TimeDelta, Utc};

use super::{changes::ChangeState, links::Links, options::TokenForm};
use crate::{
    delivery::Delivered,
    ledger::Ledger,
    tree::{Commits, Tree},
};

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) jwt_clock: Arc<dyn Clock>,
    pub(crate) links: Links,
    pub(crate) app: App,
    pub(crate) repos: Vec<RepoState>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) deliveries: Vec<Delivered>,
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
    pub(crate) commits: Commits,
    pub(crate) changes: BTreeMap<u64, ChangeState>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) analyses: Vec<Analysis>,
    pub(crate) code_scanning: bool,
    pub(crate) roles: BTreeMap<String, String>,
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

crate::handles::ledger_of!(World);

impl World {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        jwt_clock: Arc<dyn Clock>,
        links: Links,
        app: App,
    ) -> Self {
        Self {
            ledger: Ledger::new(clock),
            jwt_clock,
            links,
            app,
            repos: Vec::new(),
            tokens: HashMap::new(),
            deliveries: Vec::new(),
        }
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
            commits: Commits::default(),
            changes: BTreeMap::new(),
            checks: Vec::new(),
            analyses: Vec::new(),
            code_scanning: true,
            roles: BTreeMap::new(),
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

    /// Keeps `tree` as a commit; its id.
    pub(crate) fn commit(&mut self, tree: Tree, parents: &[&str]) -> String {
        self.commits.add(&self.full_name(), tree, parents)
    }

    /// The commit that a sha, a branch or a ref names.
    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        if self.commits.has(name) {
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

pub(crate) const HOUR: TimeDelta = TimeDelta::hours(1);
