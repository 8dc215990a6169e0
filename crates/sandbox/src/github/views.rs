//! What people see of a change, as text that reads well in a snapshot.

use std::fmt;

use chaffinch_core::{Marker, MarkerKind};

use super::{
    changes::CommentState,
    world::{CheckRun, World},
};

/// A thread on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadView {
    /// The file.
    pub path: String,
    /// The last line that it stands on now; `None` once it is outdated, or for a whole file.
    pub line: Option<u64>,
    /// The first line, if there are several.
    pub start_line: Option<u64>,
    /// Whether it stands on the base's side.
    pub on_base: bool,
    /// Who resolved it, if anybody did.
    pub resolved_by: Option<String>,
    /// Whether its lines are gone.
    pub outdated: bool,
    /// Its comments, the first one first.
    pub comments: Vec<CommentView>,
}

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    /// Its number.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its Markdown.
    pub body: String,
    /// Why it is hidden, if it is.
    pub minimized: Option<String>,
}

impl CommentView {
    fn of(comment: &CommentState) -> Self {
        Self {
            id: comment.id,
            author: comment.author.clone(),
            body: comment.body.clone(),
            minimized: comment.minimized.clone(),
        }
    }

    /// The body with hidden text made visible: a marker as `⟨finding⟩` or `⟨summary⟩`.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once("<!--") {
            let (hidden, next) = after.split_once("-->").unwrap_or((after, ""));
            out.push_str(before);
            let whole = format!("<!--{hidden}-->");
            let shown = match whole.parse::<Marker>().map(|m| m.kind) {
                Ok(MarkerKind::Finding { .. }) => "finding",
                Ok(MarkerKind::Summary) => "summary",
                Err(_) => hidden.trim(),
            };
            out.push_str(&format!("⟨{shown}⟩"));
            rest = next;
        }
        out + rest
    }
}

impl fmt::Display for CommentView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.author)?;
        if let Some(why) = &self.minimized {
            write!(f, " (hidden as {})", why.to_lowercase())?;
        }
        write!(f, ":\n{}", self.text().trim_end())
    }
}

impl fmt::Display for ThreadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        match (self.start_line, self.line) {
            (Some(start), Some(line)) => write!(f, ":{start}-{line}")?,
            (None, Some(line)) => write!(f, ":{line}")?,
            _ => {}
        }
        if self.on_base {
            f.write_str(" (base)")?;
        }
        if self.outdated {
            f.write_str(" · outdated")?;
        }
        if let Some(by) = &self.resolved_by {
            write!(f, " · resolved by {by}")?;
        }
        for comment in &self.comments {
            write!(f, "\n\n{comment}")?;
        }
        Ok(())
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
        comments: thread.comments.iter().map(CommentView::of).collect(),
    })
}

/// The threads at `path:line` (where they stand now, or stood when they were opened), or at
/// `path`.
pub(crate) fn find(world: &World, at: usize, number: u64, place: &str) -> Vec<usize> {
    let split = place.rsplit_once(':').and_then(|(p, l)| Some((p, l.parse::<u64>().ok()?)));
    let (path, line) = split.map_or((place, None), |(p, l)| (p, Some(l)));
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
        let all: Vec<String> = (0..count)
            .filter_map(|i| view(world, at, number, i))
            .map(|v| v.to_string().lines().next().unwrap_or_default().to_owned())
            .collect();
        return match all.is_empty() {
            true => format!("no thread at {place}, nor anywhere"),
            false => format!("no thread at {place}, but at {}", all.join(", ")),
        };
    }
    texts.join("\n\n---\n\n")
}

pub(crate) fn summary(world: &mut World, at: usize, number: u64) -> String {
    let login = world.app.login();
    let Some(change) = world.repos[at].changes.get_mut(&number) else { return String::new() };
    let own = change.comments.iter_mut().filter(|c| c.author == login);
    let texts: Vec<String> = own
        .map(|comment| {
            comment.read = true;
            CommentView::of(comment).to_string()
        })
        .collect();
    match texts.is_empty() {
        true => "no summary".to_owned(),
        false => texts.join("\n\n---\n\n"),
    }
}

pub(crate) fn unread(world: &World) -> Vec<String> {
    let login = world.app.login();
    let new = |c: &&CommentState| !c.read && c.author == login;
    let start = |c: &CommentState| -> String {
        CommentView::of(c).text().lines().next().unwrap_or_default().chars().take(80).collect()
    };
    let mut out = Vec::new();
    for change in world.repos.iter().flat_map(|r| r.changes.values()) {
        for thread in &change.threads {
            let line = thread.line.map_or(String::new(), |l| format!(":{l}"));
            for comment in thread.comments.iter().filter(new) {
                out.push(format!("#{} {}{line}: {}", change.number, thread.path, start(comment)));
            }
        }
        for comment in change.comments.iter().filter(new) {
            out.push(format!("#{}: {}", change.number, start(comment)));
        }
    }
    out
}

/// A check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckView {
    /// Its name.
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Its title.
    pub title: String,
    /// Its summary, Markdown.
    pub summary: String,
    /// The address of its details.
    pub details_url: Option<String>,
    /// `path:line level: title: message`, one each.
    pub annotations: Vec<String>,
}

impl CheckView {
    pub(crate) fn of(check: &CheckRun) -> Self {
        let annotations = check.annotations.iter().map(|note| {
            let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
            let (start, end) = (&note["start_line"], &note["end_line"]);
            let lines = if start == end { start.to_string() } else { format!("{start}-{end}") };
            let title = text("title");
            let title = if title.is_empty() { title } else { format!("{title}: ") };
            format!(
                "{}:{lines} {}: {title}{}",
                text("path"),
                text("annotation_level"),
                text("message")
            )
        });
        Self {
            name: check.name.clone(),
            status: check.status.clone(),
            conclusion: check.conclusion.clone(),
            title: check.title.clone().unwrap_or_default(),
            summary: check.summary.clone().unwrap_or_default(),
            details_url: check.details_url.clone(),
            annotations: annotations.collect(),
        }
    }
}

impl fmt::Display for CheckView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.conclusion.as_ref().unwrap_or(&self.status);
        write!(f, "{} · {state}\n{}", self.name, self.title)?;
        if !self.summary.is_empty() {
            write!(f, "\n\n{}", self.summary.trim_end())?;
        }
        if !self.annotations.is_empty() {
            f.write_str("\n")?;
        }
        for note in &self.annotations {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

pub(crate) fn checks_text(checks: &[CheckView]) -> String {
    match checks {
        [] => "no check".to_owned(),
        checks => checks.iter().map(CheckView::to_string).collect::<Vec<_>>().join("\n\n---\n\n"),
    }
}
