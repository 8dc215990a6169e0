//! Pull requests as the pages show them.

use super::{
    changes::{ChangeState, CommentState, ThreadState},
    world::{CheckRun, RepoState, World},
};
use crate::page::{self, Check, Comment, Frame, Headline, Listed, State, Thread, Whole};

/// The page at `path`, if there is one.
pub(crate) fn find(world: &World, path: &str, banner: Option<&str>) -> Option<String> {
    let frame = Frame { forge: "GitHub", home: "/", banner, change: "pull request", sign: '#' };
    if path == "/" {
        let listed: Vec<Listed> = world.repos.iter().map(listed).collect();
        return Some(page::index(&frame, &listed));
    }
    let mut parts = path.trim_start_matches('/').split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let number = match (parts.next(), parts.next(), parts.next()) {
        (Some("pull"), Some(number), None) => number.parse::<u64>().ok()?,
        _ => return None,
    };
    let repo = world.repos.iter().find(|r| r.owner == owner && r.name == name)?;
    let change = repo.changes.get(&number)?;
    Some(page::change(&frame, &whole(world, repo, change)))
}

fn listed(repo: &RepoState) -> Listed {
    let changes = repo.changes.values().rev().map(|c| headline(repo, c));
    Listed { owner: repo.owner.clone(), name: repo.name.clone(), changes: changes.collect() }
}

fn headline(repo: &RepoState, change: &ChangeState) -> Headline {
    Headline {
        title: change.title.clone(),
        number: change.number,
        author: change.author.clone(),
        state: match change {
            c if c.merged => State::Merged,
            c if !c.open => State::Closed,
            c if c.draft => State::Draft,
            _ => State::Open,
        },
        address: format!("/{}/pull/{}", repo.full_name(), change.number),
        checks: checks(repo, change),
    }
}

/// The newest run of each name.
fn checks(repo: &RepoState, change: &ChangeState) -> Vec<Check> {
    let mut out: Vec<Check> = Vec::new();
    for check in repo.checks.iter().rev().filter(|c| c.head == change.head) {
        if !out.iter().any(|c| c.name == check.name) {
            out.push(shown(check));
        }
    }
    out
}

fn shown(check: &CheckRun) -> Check {
    Check {
        name: check.name.clone(),
        word: check.conclusion.clone().unwrap_or_else(|| check.status.clone()),
        title: check.title.clone(),
        summary: check.summary.clone(),
        annotations: check.annotations.clone(),
    }
}

fn whole(world: &World, repo: &RepoState, change: &ChangeState) -> Whole {
    let login = world.app.login();
    let comments = |all: &[CommentState]| all.iter().map(|c| comment(c, &login)).collect();
    let thread = |t: &ThreadState| {
        let now = |line: Option<u64>| line.and_then(|l| repo.line_now(change, t, l));
        Thread {
            path: t.path.clone(),
            on_base: t.side == "LEFT",
            opened: t.line.map(|line| (t.start_line, line)),
            now: now(t.line).map(|line| (now(t.start_line), line)),
            resolved_by: t.resolved_by.clone(),
            comments: comments(&t.comments),
        }
    };
    Whole {
        headline: headline(repo, change),
        owner: repo.owner.clone(),
        name: repo.name.clone(),
        branch: change.branch.clone(),
        head: change.head.clone(),
        comments: comments(&change.comments),
        files: repo.commits.compare(&change.base, &change.head),
        threads: change.threads.iter().map(thread).collect(),
    }
}

fn comment(comment: &CommentState, login: &str) -> Comment {
    Comment {
        author: comment.author.trim_end_matches("[bot]").to_owned(),
        bot: comment.author.ends_with("[bot]"),
        ours: comment.author == login,
        edited: comment.created != comment.updated,
        body: comment.body.clone(),
        hidden: comment.minimized.clone(),
    }
}
