//! What people see of a change, as text that reads well in a snapshot.

use std::fmt;

use chaffinch_core::{Marker, MarkerKind};

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

/// A check run, or a commit status.
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

/// Texts one after the other, or what to say where there is none.
pub(crate) fn joined(texts: &[String], none: &str) -> String {
    match texts {
        [] => none.to_owned(),
        texts => texts.join("\n\n---\n\n"),
    }
}

/// What to say where no thread stands at `place`: where there are some.
pub(crate) fn no_thread(place: &str, all: &[ThreadView]) -> String {
    let first = |t: &ThreadView| t.to_string().lines().next().unwrap_or_default().to_owned();
    match all {
        [] => format!("no thread at {place}, nor anywhere"),
        all => {
            let all: Vec<String> = all.iter().map(first).collect();
            format!("no thread at {place}, but at {}", all.join(", "))
        }
    }
}

/// `path:line` or `path`, in its parts.
pub(crate) fn place(text: &str) -> (&str, Option<u64>) {
    let split = text.rsplit_once(':').and_then(|(p, l)| Some((p, l.parse::<u64>().ok()?)));
    split.map_or((text, None), |(path, line)| (path, Some(line)))
}
