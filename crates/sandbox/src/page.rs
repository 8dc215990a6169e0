//! What a reviewer sees of a change, as a page. No scripts, nothing from elsewhere.
//!
//! Each forge puts what it knows into these shapes.

mod diff;
mod markdown;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::tree::FileChange;

const STYLE: &str = include_str!("page/style.css");

/// What stands on every page of a forge.
pub(crate) struct Frame<'a> {
    pub(crate) forge: &'a str,
    /// The address of the list of repositories.
    pub(crate) home: &'a str,
    pub(crate) banner: Option<&'a str>,
    /// The forge's word: `pull request`.
    pub(crate) change: &'a str,
    /// What stands before a change's number.
    pub(crate) sign: char,
}

/// A repository in the list of them.
pub(crate) struct Listed {
    pub(crate) owner: String,
    pub(crate) name: String,
    /// The newest first.
    pub(crate) changes: Vec<Headline>,
}

/// A change in short.
pub(crate) struct Headline {
    pub(crate) title: String,
    pub(crate) number: u64,
    pub(crate) author: String,
    pub(crate) state: State,
    pub(crate) address: String,
    pub(crate) checks: Vec<Check>,
}

#[derive(Clone, Copy)]
pub(crate) enum State {
    Open,
    Draft,
    Closed,
    Merged,
}

/// A change as a whole.
pub(crate) struct Whole {
    pub(crate) headline: Headline,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) branch: String,
    pub(crate) head: String,
    pub(crate) comments: Vec<Comment>,
    pub(crate) files: Vec<FileChange>,
    pub(crate) threads: Vec<Thread>,
}

pub(crate) struct Check {
    pub(crate) name: String,
    /// How it ended, or where it is.
    pub(crate) word: String,
    pub(crate) title: Option<String>,
    /// Markdown.
    pub(crate) summary: Option<String>,
    /// As GitHub has them.
    pub(crate) annotations: Vec<Value>,
}

pub(crate) struct Comment {
    pub(crate) author: String,
    pub(crate) bot: bool,
    /// Whether Chaffinch wrote it.
    pub(crate) ours: bool,
    pub(crate) edited: bool,
    /// Markdown.
    pub(crate) body: String,
    /// Why it is hidden, if it is.
    pub(crate) hidden: Option<String>,
}

pub(crate) struct Thread {
    pub(crate) path: String,
    pub(crate) on_base: bool,
    /// First and last line when it was opened; `None`: the file as a whole.
    pub(crate) opened: Option<(Option<u64>, u64)>,
    /// The same now; `None` too where they are gone.
    pub(crate) now: Option<(Option<u64>, u64)>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) comments: Vec<Comment>,
}

fn shell(frame: &Frame<'_>, title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if let Some(text) = frame.banner { div.banner role="note" { (text) } }
                main { (content) }
                footer { "Sandbox: a fake " (frame.forge) " on this machine." }
            }
        }
    };
    page.into_string()
}

/// The list of repositories.
pub(crate) fn index(frame: &Frame<'_>, repositories: &[Listed]) -> String {
    let content = html! {
        h1 { "Repositories" }
        @for repo in repositories {
            section.card {
                h2 { (repo.owner) "/" b { (repo.name) } }
                @if repo.changes.is_empty() { p.quiet { "No " (frame.change) "s." } }
                ul.pulls {
                    @for change in &repo.changes {
                        li {
                            (state(change.state))
                            a href=(change.address) { (change.title) }
                            span.quiet { (frame.sign) (change.number) " by " (change.author) }
                            @for check in &change.checks { (badge(check)) }
                        }
                    }
                }
            }
        }
    };
    shell(frame, "Sandbox", &content)
}

/// A change with its diff and what was said of it.
pub(crate) fn change(frame: &Frame<'_>, whole: &Whole) -> String {
    let (headline, files) = (&whole.headline, &whole.files);
    let (owner, name) = (&whole.owner, &whole.name);
    let open = whole.threads.iter().filter(|t| t.resolved_by.is_none()).count();
    let number = format!("{}{}", frame.sign, headline.number);
    let content = html! {
        nav.crumbs { a href=(frame.home) { "Sandbox" } " / " (owner.replace('/', " / ")) " / " b { (name) } }
        header.title {
            h1 { (headline.title) " " span.number { (number) } }
            p {
                (state(headline.state)) " "
                b { (headline.author) } " wants to merge " code { (whole.branch) } " into " code { "main" }
                span.quiet { " at " code { (whole.head.get(..8).unwrap_or(&whole.head)) } }
            }
        }
        @for check in &headline.checks { (card(check)) }
        @for comment in &whole.comments { (markdown::comment(comment, "conversation", "")) }
        h2.files {
            (files.len()) @if files.len() == 1 { " file" } @else { " files" } " changed"
            span.quiet { " · " (open) @if open == 1 { " open thread" } @else { " open threads" } }
        }
        @for file in files { (diff::file(&whole.threads, file)) }
        (elsewhere(&whole.threads, files))
    };
    shell(frame, &format!("{} · {owner}/{name} {number}", headline.title), &content)
}

fn state(state: State) -> Markup {
    let (class, word) = match state {
        State::Merged => ("state merged", "Merged"),
        State::Closed => ("state closed", "Closed"),
        State::Draft => ("state draft", "Draft"),
        State::Open => ("state open", "Open"),
    };
    html! { span class=(class) { (word) } }
}

/// How a check looks; GitLab has other words for the same.
fn look(check: &Check) -> &str {
    match check.word.as_str() {
        "failed" => "failure",
        "skipped" | "canceled" => "neutral",
        word => word,
    }
}

fn badge(check: &Check) -> Markup {
    let sign = match look(check) {
        "success" => "✓",
        "failure" => "✕",
        "neutral" => "■",
        _ => "●",
    };
    html! { span class={ "badge " (look(check)) } { (sign) " " (check.name) ": " (check.word) } }
}

fn card(check: &Check) -> Markup {
    html! {
        section class={ "card check " (look(check)) } {
            p.head {
                (badge(check)) " "
                @if let Some(title) = &check.title { b { (title) } }
            }
            @if let Some(summary) = &check.summary { div.markdown { (markdown::render(summary, "")) } }
            @if !check.annotations.is_empty() {
                details {
                    summary { (check.annotations.len()) @if check.annotations.len() == 1 { " annotation" } @else { " annotations" } }
                    ul.notes {
                        @for note in &check.annotations {
                            li {
                                span class={ "level " (text(note, "annotation_level")) } { (text(note, "annotation_level")) }
                                code { (text(note, "path")) ":" (note["start_line"]) }
                                " " b { (text(note, "title")) } " " (text(note, "message"))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn text<'a>(note: &'a Value, name: &str) -> &'a str {
    note[name].as_str().unwrap_or_default()
}

/// Threads whose lines the diff no longer shows.
fn elsewhere(threads: &[Thread], files: &[FileChange]) -> Markup {
    let is_gone = |t: &&Thread| {
        t.now.is_none() && (t.opened.is_some() || !files.iter().any(|f| f.path == t.path))
    };
    let gone: Vec<&Thread> = threads.iter().filter(is_gone).collect();
    html! {
        @if !gone.is_empty() {
            h2.files { "Outdated threads" }
            @for thread in gone {
                section.file {
                    p.path { code { (thread.path) } span.quiet { " · the lines are gone" } }
                    (diff::thread(thread, ""))
                }
            }
        }
    }
}
