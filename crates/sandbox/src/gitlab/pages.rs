//! Merge requests as the pages show them.

use super::{
    changes::{DiscussionState, MergeRequestState, NoteState, Position},
    views,
    world::{ProjectState, World},
};
use crate::page::{self, Check, Comment, Frame, Headline, Listed, State, Thread, Whole};

/// The page at `path`, if there is one.
pub(crate) fn find(
    world: &World,
    path: &str,
    base_path: &str,
    banner: Option<&str>,
) -> Option<String> {
    let home = format!("{base_path}/");
    let frame = Frame { forge: "GitLab", home: &home, banner, change: "merge request", sign: '!' };
    let path = path.strip_prefix(base_path)?.trim_matches('/');
    if path.is_empty() {
        let listed: Vec<Listed> = (0..world.projects.len()).map(|at| listed(world, at)).collect();
        return Some(page::index(&frame, &listed));
    }
    let (project, iid) = path.split_once("/-/merge_requests/")?;
    let at = world.projects.iter().position(|p| p.path == project)?;
    let change = world.projects[at].merge_requests.get(&iid.parse().ok()?)?;
    Some(page::change(&frame, &whole(world, at, change)))
}

fn listed(world: &World, at: usize) -> Listed {
    let project = &world.projects[at];
    let changes = project.merge_requests.values().rev().map(|c| headline(world, at, c)).collect();
    let (owner, name) = project.names();
    Listed { owner: owner.to_owned(), name: name.to_owned(), changes }
}

fn headline(world: &World, at: usize, change: &MergeRequestState) -> Headline {
    let checks = views::statuses(world, at, &change.head).into_iter().map(|status| Check {
        name: status.name.clone(),
        word: status.state.clone(),
        title: status.description.clone(),
        summary: None,
        annotations: Vec::new(),
    });
    Headline {
        title: change.title.clone(),
        number: change.iid,
        author: world.username(change.author).to_owned(),
        state: match change {
            c if c.merged => State::Merged,
            c if !c.open => State::Closed,
            c if c.draft => State::Draft,
            _ => State::Open,
        },
        address: world.links.change_web(&world.projects[at].path, change.iid),
        checks: checks.collect(),
    }
}

fn whole(world: &World, at: usize, change: &MergeRequestState) -> Whole {
    let project = &world.projects[at];
    let (owner, name) = project.names();
    let on_whole = change.discussions.iter().filter(|d| d.position.is_none() && !d.is_system());
    let threads = change
        .discussions
        .iter()
        .filter_map(|d| Some(thread(world, project, change, d, d.position.as_ref()?)));
    Whole {
        headline: headline(world, at, change),
        owner: owner.to_owned(),
        name: name.to_owned(),
        branch: change.branch.clone(),
        head: change.head.clone(),
        comments: on_whole.flat_map(|d| &d.notes).map(|n| comment(world, n)).collect(),
        files: project.commits.compare(&change.base, &change.head),
        threads: threads.collect(),
    }
}

fn thread(
    world: &World,
    project: &ProjectState,
    change: &MergeRequestState,
    discussion: &DiscussionState,
    opened: &Position,
) -> Thread {
    let lines = |p: &Position| p.line().map(|line| (p.start_line(), line));
    Thread {
        path: opened.new_path.clone(),
        on_base: opened.is_on_base(),
        opened: lines(opened),
        now: project.traced(change, opened).as_ref().and_then(lines),
        resolved_by: discussion.resolved.as_ref().map(|r| world.username(r.by).to_owned()),
        comments: discussion.notes.iter().map(|n| comment(world, n)).collect(),
    }
}

fn comment(world: &World, note: &NoteState) -> Comment {
    let ours = world.is_bot(note.author);
    Comment {
        author: if ours { "chaffinch".to_owned() } else { world.username(note.author).to_owned() },
        bot: ours,
        ours,
        edited: note.created != note.updated,
        body: note.body.clone(),
        hidden: None,
    }
}
