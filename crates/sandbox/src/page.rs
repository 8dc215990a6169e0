//! What a reviewer sees of a pull request, as a page. No scripts, nothing from elsewhere.

mod diff;
mod markdown;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::github::{ChangeState, CheckRun, FileChange, RepoState, Tree, World, compare};

const STYLE: &str = include_str!("page/style.css");

/// The page at `path`, if there is one.
pub(crate) fn find(world: &World, path: &str, banner: Option<&str>) -> Option<String> {
    if path == "/" {
        return Some(index(world, banner).into_string());
    }
    let mut parts = path.trim_start_matches('/').split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let number = match (parts.next(), parts.next(), parts.next()) {
        (Some("pull"), Some(number), None) => number.parse::<u64>().ok()?,
        _ => return None,
    };
    let repo = world.repos.iter().find(|r| r.owner == owner && r.name == name)?;
    let change = repo.changes.get(&number)?;
    Some(pull(world, repo, change, banner).into_string())
}

fn shell(title: &str, banner: Option<&str>, content: &Markup) -> Markup {
    html! {
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
                @if let Some(text) = banner { div.banner role="note" { (text) } }
                main { (content) }
                footer { "Sandbox: a fake GitHub on this machine." }
            }
        }
    }
}

fn index(world: &World, banner: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Repositories" }
        @for repo in &world.repos {
            section.card {
                h2 { (repo.owner) "/" b { (repo.name) } }
                @if repo.changes.is_empty() { p.quiet { "No pull requests." } }
                ul.pulls {
                    @for change in repo.changes.values().rev() {
                        li {
                            (state(change))
                            a href={ "/" (repo.full_name()) "/pull/" (change.number) } { (change.title) }
                            span.quiet { "#" (change.number) " by " (change.author) }
                            @for check in latest(repo, change) { (badge(check)) }
                        }
                    }
                }
            }
        }
    };
    shell("Sandbox", banner, &content)
}

fn pull(world: &World, repo: &RepoState, change: &ChangeState, banner: Option<&str>) -> Markup {
    let empty = Tree::new();
    let tree = |sha: &str| repo.commits.get(sha).unwrap_or(&empty);
    let files = compare(tree(&change.base), tree(&change.head));
    let open = change.threads.iter().filter(|t| t.resolved_by.is_none()).count();
    let title = format!("{} · {} #{}", change.title, repo.full_name(), change.number);
    let content = html! {
        nav.crumbs { a href="/" { "Sandbox" } " / " (repo.owner) " / " b { (repo.name) } }
        header.title {
            h1 { (change.title) " " span.number { "#" (change.number) } }
            p {
                (state(change)) " "
                b { (change.author) } " wants to merge " code { (change.branch) } " into " code { "main" }
                span.quiet { " at " code { (short(&change.head)) } }
            }
        }
        (checks(repo, change))
        @for comment in &change.comments {
            (markdown::comment(comment, &world.app.login(), "conversation", ""))
        }
        h2.files {
            (files.len()) @if files.len() == 1 { " file" } @else { " files" } " changed"
            span.quiet { " · " (open) @if open == 1 { " open thread" } @else { " open threads" } }
        }
        @for file in &files { (diff::file(world, repo, change, file)) }
        (elsewhere(world, repo, change, &files))
    };
    shell(&title, banner, &content)
}

fn state(change: &ChangeState) -> Markup {
    let (class, word) = match change {
        c if c.merged => ("state merged", "Merged"),
        c if !c.open => ("state closed", "Closed"),
        c if c.draft => ("state draft", "Draft"),
        _ => ("state open", "Open"),
    };
    html! { span class=(class) { (word) } }
}

fn short(sha: &str) -> &str {
    sha.get(..8).unwrap_or(sha)
}

/// The newest run of each name.
fn latest<'a>(repo: &'a RepoState, change: &ChangeState) -> Vec<&'a CheckRun> {
    let mut out: Vec<&CheckRun> = Vec::new();
    for check in repo.checks.iter().rev().filter(|c| c.head == change.head) {
        if !out.iter().any(|c| c.name == check.name) {
            out.push(check);
        }
    }
    out
}

fn badge(check: &CheckRun) -> Markup {
    let word = check.conclusion.as_deref().unwrap_or(&check.status);
    let sign = match word {
        "success" => "✓",
        "failure" => "✕",
        "neutral" => "■",
        _ => "●",
    };
    html! { span class={ "badge " (word) } { (sign) " " (check.name) ": " (word) } }
}

fn checks(repo: &RepoState, change: &ChangeState) -> Markup {
    html! {
        @for check in latest(repo, change) {
            section class={ "card check " (check.conclusion.as_deref().unwrap_or("running")) } {
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
}

fn text<'a>(note: &'a serde_json::Value, name: &str) -> &'a str {
    note[name].as_str().unwrap_or_default()
}

/// Threads whose lines the diff no longer shows.
fn elsewhere(
    world: &World,
    repo: &RepoState,
    change: &ChangeState,
    files: &[FileChange],
) -> Markup {
    let gone: Vec<_> = change
        .threads
        .iter()
        .filter(|t| {
            let line = t.line.and_then(|l| repo.line_now(change, t, l));
            line.is_none() && (t.line.is_some() || !files.iter().any(|f| f.path == t.path))
        })
        .collect();
    html! {
        @if !gone.is_empty() {
            h2.files { "Outdated threads" }
            @for thread in gone {
                section.file {
                    p.path { code { (thread.path) } span.quiet { " · the lines are gone" } }
                    (diff::thread(world, thread, ""))
                }
            }
        }
    }
}
