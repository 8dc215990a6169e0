//! What stands on a merge request, for those who look at it in a test.

use super::{
    changes::{MergeRequestState, NoteState},
    world::{Status, World},
};
use crate::views::{CheckView, CommentView, ThreadView, joined, no_thread};

fn note(world: &World, note: &NoteState) -> CommentView {
    CommentView {
        id: note.id,
        author: world.username(note.author).to_owned(),
        body: note.body.clone(),
        minimized: None,
    }
}

fn change(world: &World, at: usize, iid: u64) -> Option<&MergeRequestState> {
    world.projects.get(at)?.merge_requests.get(&iid)
}

/// Where the discussions are that stand on lines or files.
pub(crate) fn inline(world: &World, at: usize, iid: u64) -> Vec<usize> {
    let Some(change) = change(world, at, iid) else { return Vec::new() };
    let all = change.discussions.iter().enumerate();
    all.filter(|(_, d)| d.position.is_some()).map(|(index, _)| index).collect()
}

pub(crate) fn view(world: &World, at: usize, iid: u64, index: usize) -> Option<ThreadView> {
    let change = change(world, at, iid)?;
    let discussion = change.discussions.get(index)?;
    let opened = discussion.position.as_ref()?;
    let now = world.projects[at].traced(change, opened);
    Some(ThreadView {
        path: opened.new_path.clone(),
        line: now.as_ref().and_then(|p| p.line()),
        start_line: now.as_ref().and_then(|p| p.start_line()),
        on_base: opened.is_on_base(),
        resolved_by: discussion.resolved.as_ref().map(|r| world.username(r.by).to_owned()),
        outdated: now.is_none(),
        comments: discussion.notes.iter().map(|n| note(world, n)).collect(),
    })
}

/// The threads at `path:line` (where they stand now, or stood when they were opened), or at `path`.
pub(crate) fn find(world: &World, at: usize, iid: u64, place: &str) -> Vec<usize> {
    let (path, line) = crate::views::place(place);
    let Some(change) = change(world, at, iid) else { return Vec::new() };
    let here = |index: &usize| {
        let Some(opened) = &change.discussions[*index].position else { return false };
        let now = world.projects[at].traced(change, opened).and_then(|p| p.line());
        let stood = now.or(opened.line());
        opened.new_path == path && line.is_none_or(|l| stood == Some(l))
    };
    inline(world, at, iid).into_iter().filter(here).collect()
}

fn mark(world: &mut World, at: usize, iid: u64, index: usize) {
    let change = world.projects.get_mut(at).and_then(|p| p.merge_requests.get_mut(&iid));
    if let Some(discussion) = change.and_then(|c| c.discussions.get_mut(index)) {
        discussion.notes.iter_mut().for_each(|n| n.read = true);
    }
}

/// These threads, which are then read.
pub(crate) fn threads(world: &mut World, at: usize, iid: u64, found: &[usize]) -> Vec<ThreadView> {
    found.iter().for_each(|index| mark(world, at, iid, *index));
    found.iter().filter_map(|index| view(world, at, iid, *index)).collect()
}

pub(crate) fn thread(world: &mut World, at: usize, iid: u64, place: &str) -> String {
    let found = find(world, at, iid, place);
    if found.is_empty() {
        let all = inline(world, at, iid);
        let all: Vec<_> = all.into_iter().filter_map(|i| view(world, at, iid, i)).collect();
        return no_thread(place, &all);
    }
    let texts: Vec<String> =
        threads(world, at, iid, &found).iter().map(ThreadView::to_string).collect();
    joined(&texts, "")
}

/// What the project's bots have written on the whole.
pub(crate) fn summary(world: &mut World, at: usize, iid: u64) -> String {
    let Some(change) = change(world, at, iid) else { return String::new() };
    let all = change.discussions.iter().enumerate();
    let own = all.filter(|(_, d)| {
        d.position.is_none() && d.notes.iter().any(|n| !n.system && world.is_bot(n.author))
    });
    let own: Vec<usize> = own.map(|(index, _)| index).collect();
    let notes = own.iter().flat_map(|index| &change.discussions[*index].notes);
    let notes = notes.filter(|n| world.is_bot(n.author));
    let texts: Vec<String> = notes.map(|n| note(world, n).to_string()).collect();
    own.into_iter().for_each(|index| mark(world, at, iid, index));
    joined(&texts, "no summary")
}

pub(crate) fn unread(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    for change in world.projects.iter().flat_map(|p| p.merge_requests.values()) {
        for discussion in &change.discussions {
            let place = discussion.position.as_ref().map_or(String::new(), |p| {
                let line = p.line().map_or(String::new(), |l| format!(":{l}"));
                format!(" {}{line}", p.new_path)
            });
            let new = |n: &&NoteState| !n.read && !n.system && world.is_bot(n.author);
            for one in discussion.notes.iter().filter(new) {
                let text = note(world, one).text();
                let start: String =
                    text.lines().next().unwrap_or_default().chars().take(80).collect();
                out.push(format!("!{}{place}: {start}", change.iid));
            }
        }
    }
    out
}

pub(crate) fn status(status: &Status) -> CheckView {
    let ended = !matches!(status.state.as_str(), "pending" | "running");
    CheckView {
        name: status.name.clone(),
        status: if ended { "completed".to_owned() } else { status.state.clone() },
        conclusion: ended.then(|| status.state.clone()),
        title: status.description.clone().unwrap_or_default(),
        summary: String::new(),
        details_url: status.target_url.clone(),
        annotations: Vec::new(),
    }
}

/// The newest status of each name.
pub(crate) fn statuses<'w>(world: &'w World, at: usize, sha: &str) -> Vec<&'w Status> {
    let mut out: Vec<&Status> = Vec::new();
    for status in world.projects[at].statuses.iter().rev().filter(|s| s.sha == sha) {
        if !out.iter().any(|s| s.name == status.name) {
            out.push(status);
        }
    }
    out
}
