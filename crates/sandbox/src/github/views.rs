//! What stands on a pull request, for those who look at it in a test.

use super::{
    changes::CommentState,
    world::{CheckRun, World},
};
use crate::views::{CheckView, CommentView, ThreadView, joined, no_thread};

fn comment(comment: &CommentState) -> CommentView {
    CommentView {
        id: comment.id,
        author: comment.author.clone(),
        body: comment.body.clone(),
        minimized: comment.minimized.clone(),
    }
}

pub(crate) fn view(world: &World, at: usize, number: u64, index: usize) -> Option<ThreadView> {
    let repo = world.repos.get(at)?;
    let change = repo.changes.get(&number)?;
    let thread = change.threads.get(index)?;
    let now = |line: Option<u64>| line.and_then(|l| repo.line_now(change, thread, l));
    let line = now(thread.line);
    Some(ThreadView {
        path: thread.path.clone(),
        line,
        start_line: now(thread.start_line),
        on_base: thread.side == "LEFT",
        resolved_by: thread.resolved_by.clone(),
        outdated: thread.line.is_some() && line.is_none(),
        comments: thread.comments.iter().map(comment).collect(),
    })
}

/// The threads at `path:line` (where they stand now, or stood when they were opened), or at
/// `path`.
pub(crate) fn find(world: &World, at: usize, number: u64, place: &str) -> Vec<usize> {
    let (path, line) = crate::views::place(place);
    let Some(repo) = world.repos.get(at) else { return Vec::new() };
    let Some(change) = repo.changes.get(&number) else { return Vec::new() };
    let here = |index: &usize| {
        let thread = &change.threads[*index];
        let now = thread.line.and_then(|l| repo.line_now(change, thread, l));
        thread.path == path
            && line.is_none_or(|l| now == Some(l) || now.is_none() && thread.line == Some(l))
    };
    (0..change.threads.len()).filter(here).collect()
}

fn mark(world: &mut World, at: usize, number: u64, index: usize) {
    let change = world.repos.get_mut(at).and_then(|r| r.changes.get_mut(&number));
    if let Some(thread) = change.and_then(|c| c.threads.get_mut(index)) {
        thread.comments.iter_mut().for_each(|c| c.read = true);
    }
}

pub(crate) fn threads(world: &mut World, at: usize, number: u64) -> Vec<ThreadView> {
    let count = world.repos[at].changes.get(&number).map_or(0, |c| c.threads.len());
    (0..count)
        .filter_map(|index| {
            mark(world, at, number, index);
            view(world, at, number, index)
        })
        .collect()
}

pub(crate) fn thread(world: &mut World, at: usize, number: u64, place: &str) -> String {
    let found = find(world, at, number, place);
    let mut texts = Vec::new();
    for index in &found {
        mark(world, at, number, *index);
        texts.extend(view(world, at, number, *index).map(|v| v.to_string()));
    }
    if found.is_empty() {
        let count = world.repos[at].changes.get(&number).map_or(0, |c| c.threads.len());
        let all: Vec<_> = (0..count).filter_map(|i| view(world, at, number, i)).collect();
        return no_thread(place, &all);
    }
    joined(&texts, "")
}

pub(crate) fn summary(world: &mut World, at: usize, number: u64) -> String {
    let login = world.app.login();
    let Some(change) = world.repos[at].changes.get_mut(&number) else { return String::new() };
    let own = change.comments.iter_mut().filter(|c| c.author == login);
    let texts: Vec<String> = own
        .map(|own| {
            own.read = true;
            comment(own).to_string()
        })
        .collect();
    joined(&texts, "no summary")
}

pub(crate) fn unread(world: &World) -> Vec<String> {
    let login = world.app.login();
    let new = |c: &&CommentState| !c.read && c.author == login;
    let start = |c: &CommentState| -> String {
        comment(c).text().lines().next().unwrap_or_default().chars().take(80).collect()
    };
    let mut out = Vec::new();
    for change in world.repos.iter().flat_map(|r| r.changes.values()) {
        for thread in &change.threads {
            let line = thread.line.map_or(String::new(), |l| format!(":{l}"));
            for one in thread.comments.iter().filter(new) {
                out.push(format!("#{} {}{line}: {}", change.number, thread.path, start(one)));
            }
        }
        for one in change.comments.iter().filter(new) {
            out.push(format!("#{}: {}", change.number, start(one)));
        }
    }
    out
}

pub(crate) fn check(check: &CheckRun) -> CheckView {
    let annotations = check.annotations.iter().map(|note| {
        let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
        let (start, end) = (&note["start_line"], &note["end_line"]);
        let lines = if start == end { start.to_string() } else { format!("{start}-{end}") };
        let title = text("title");
        let title = if title.is_empty() { title } else { format!("{title}: ") };
        format!("{}:{lines} {}: {title}{}", text("path"), text("annotation_level"), text("message"))
    });
    CheckView {
        name: check.name.clone(),
        status: check.status.clone(),
        conclusion: check.conclusion.clone(),
        title: check.title.clone().unwrap_or_default(),
        summary: check.summary.clone().unwrap_or_default(),
        details_url: check.details_url.clone(),
        annotations: annotations.collect(),
    }
}
