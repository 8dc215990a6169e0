//! What the fake GitLab knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chaffinch_core::Clock;
use chrono::NaiveDate;
use serde_json::Value;

use super::{
    changes::MergeRequestState, ci::Pipeline, delivery::Parcel, hooks::HookState, links::Links,
};
use crate::{
    delivery::Delivered,
    ledger::Ledger,
    tree::{Commits, Tree},
};

/// Roles, as GitLab counts them.
pub(crate) const REPORTER: u64 = 20;
pub(crate) const DEVELOPER: u64 = 30;
pub(crate) const MAINTAINER: u64 = 40;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) links: Links,
    pub(crate) projects: Vec<ProjectState>,
    pub(crate) users: Vec<User>,
    /// Roles in groups: those below have them too.
    pub(crate) groups: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) tokens: Vec<Token>,
    /// What the published document says differently from our own answers; it is wrong at times.
    pub(crate) hints: BTreeSet<String>,
    pub(crate) deliveries: Vec<(u64, Delivered)>,
    /// What a request has caused to be delivered.
    pub(crate) outbox: Vec<Parcel>,
    /// Whether lists say how long they are.
    pub(crate) totals: bool,
    /// How many requests a minute there may be, if answers say so.
    pub(crate) rate_limit: Option<u64>,
}

pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) username: String,
    pub(crate) bot: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) role: u64,
    pub(crate) user: u64,
    /// Ids of the projects that it reaches.
    pub(crate) projects: Vec<u64>,
    pub(crate) expires: Option<NaiveDate>,
    pub(crate) revoked: bool,
    pub(crate) created: String,
}

pub(crate) struct ProjectState {
    pub(crate) id: u64,
    /// `group/subgroup/name`.
    pub(crate) path: String,
    /// The tip of the default branch.
    pub(crate) base: Tree,
    /// What the next merge request to be opened proposes.
    pub(crate) proposed: Tree,
    pub(crate) commits: Commits,
    pub(crate) merge_requests: BTreeMap<u64, MergeRequestState>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) hooks: Vec<HookState>,
    pub(crate) roles: BTreeMap<String, u64>,
}

/// A commit status that somebody outside has set.
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) reference: String,
    pub(crate) state: String,
    pub(crate) name: String,
    pub(crate) target_url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) coverage: Option<f64>,
    pub(crate) pipeline: u64,
    pub(crate) author: u64,
    pub(crate) created: String,
    pub(crate) started: Option<String>,
    pub(crate) finished: Option<String>,
}

crate::handles::ledger_of!(World);

impl World {
    pub(crate) fn new(clock: Arc<dyn Clock>, links: Links, rate_limit: Option<u64>) -> Self {
        Self {
            ledger: Ledger::new(clock),
            links,
            projects: Vec::new(),
            users: Vec::new(),
            groups: BTreeMap::new(),
            tokens: Vec::new(),
            hints: BTreeSet::new(),
            deliveries: Vec::new(),
            outbox: Vec::new(),
            totals: true,
            rate_limit,
        }
    }

    /// The project with this number or path.
    pub(crate) fn project(&self, name: &str) -> Option<usize> {
        let id: Option<u64> = name.parse().ok();
        self.projects.iter().position(|p| Some(p.id) == id || p.path.eq_ignore_ascii_case(name))
    }

    /// The project, made if it is not there yet.
    pub(crate) fn project_or_new(&mut self, path: &str) -> usize {
        if let Some(at) = self.project(path) {
            return at;
        }
        let mut project = ProjectState {
            id: self.id(),
            path: path.to_owned(),
            base: Tree::new(),
            proposed: Tree::new(),
            commits: Commits::default(),
            merge_requests: BTreeMap::new(),
            statuses: Vec::new(),
            pipelines: Vec::new(),
            hooks: Vec::new(),
            roles: BTreeMap::new(),
        };
        project.commit(Tree::new(), &[]);
        self.projects.push(project);
        self.projects.len() - 1
    }

    /// The number of a user, made if there is none of that name.
    pub(crate) fn user(&mut self, username: &str) -> u64 {
        if let Some(user) = self.users.iter().find(|u| u.username == username) {
            return user.id;
        }
        let bot = username.starts_with("project_") && username.contains("_bot_");
        let id = self.id();
        self.users.push(User { id, username: username.to_owned(), bot });
        id
    }

    pub(crate) fn username(&self, id: u64) -> &str {
        self.users.iter().find(|u| u.id == id).map_or("ghost", |u| u.username.as_str())
    }

    pub(crate) fn is_bot(&self, id: u64) -> bool {
        self.users.iter().any(|u| u.id == id && u.bot)
    }

    /// The role of a user in a project, its groups and its tokens counted; 0 is none.
    pub(crate) fn role(&self, project: usize, user: u64) -> u64 {
        let (project, name) = (&self.projects[project], self.username(user));
        let own = project.roles.get(name).copied();
        let above = self.groups.iter().filter(|(group, _)| is_in(&project.path, group));
        let groups = above.filter_map(|(_, roles)| roles.get(name).copied());
        let reaches = |t: &&Token| t.user == user && !t.revoked && t.projects.contains(&project.id);
        let tokens = self.tokens.iter().filter(reaches).map(|t| t.role);
        own.into_iter().chain(groups).chain(tokens).max().unwrap_or(0)
    }
}

fn is_in(project: &str, group: &str) -> bool {
    project.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'))
}

impl ProjectState {
    /// Keeps `tree` as a commit; its id.
    pub(crate) fn commit(&mut self, tree: Tree, parents: &[&str]) -> String {
        self.commits.add(&self.path, tree, parents)
    }

    /// `group/subgroup` and the name.
    pub(crate) fn names(&self) -> (&str, &str) {
        self.path.rsplit_once('/').unwrap_or(("", &self.path))
    }

    /// Files and folders in a folder, as the tree route shows them.
    pub(crate) fn listed(&self, sha: &str, folder: &str) -> Vec<Value> {
        let Some(tree) = self.commits.get(sha) else { return Vec::new() };
        let mut out: Vec<Value> = Vec::new();
        for (path, blob) in tree {
            let Some(rest) = path.strip_prefix(folder) else { continue };
            let (name, kind, mode) = match rest.split_once('/') {
                Some((name, _)) => (name, "tree", "040000"),
                None => (rest, "blob", "100644"),
            };
            let path = format!("{folder}{name}");
            if out.last().is_none_or(|last| last["path"] != path.as_str()) {
                out.push(serde_json::json!({
                    "id": blob.sha(), "name": name, "type": kind, "path": path, "mode": mode,
                }));
            }
        }
        out
    }
}
