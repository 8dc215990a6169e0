//! What reviewers see, for the terminal.

use std::fmt::Write;

use chaffinch_sandbox::{Change, MergeRequest, ThreadView};

use crate::progress::{BOLD, DIM, YELLOW};

/// What stands on a change of either forge.
pub(super) struct Seen {
    title: String,
    threads: Vec<ThreadView>,
    summary: String,
    check: String,
}

impl Seen {
    pub(super) fn pull_request(change: &Change) -> Self {
        Self {
            title: format!("GitHub: pull request #{}", change.number()),
            threads: change.threads(),
            summary: change.summary(),
            check: change.check(),
        }
    }

    pub(super) fn merge_request(change: &MergeRequest) -> Self {
        Self {
            title: format!("GitLab: merge request !{}", change.number()),
            threads: change.threads(),
            summary: change.summary(),
            check: change.check(),
        }
    }
}

pub(super) fn notice(notice: &str) -> String {
    format!("{YELLOW}{notice}{YELLOW:#}\n\n")
}

/// Both, place by place. What stands at one place on both is shown once: it differs in its receipt alone.
pub(super) fn both(seen: &[Seen; 2], notice: Option<&str>) -> String {
    let mut out = String::new();
    let [left, right] = seen;
    let of = |seen: &Seen| -> Vec<(String, Vec<String>)> {
        let said =
            |thread: &ThreadView| thread.comments.iter().map(|c| said(&c.text(), notice)).collect();
        seen.threads.iter().map(|thread| (place(thread), said(thread))).collect()
    };
    let (here, mut there) = (of(left), of(right));
    for (place, texts) in here {
        let same = there.iter().position(|(other, _)| *other == place);
        let also = same.map(|at| there.remove(at));
        let on = if also.is_some() { "on both" } else { "on GitHub alone" };
        thread(&mut out, &place, on, &texts);
    }
    for (place, texts) in there {
        thread(&mut out, &place, "on GitLab alone", &texts);
    }
    for seen in seen {
        let _ = writeln!(out, "{BOLD}══ {}{BOLD:#}", seen.title);
        // The sandbox's words where there is none: most changes need none.
        if seen.summary != "no summary" {
            let _ = writeln!(out, "{BOLD}── summary{BOLD:#}");
            indent(&mut out, &said(&seen.summary, notice));
        }
        let _ = writeln!(out, "{BOLD}── check{BOLD:#}");
        indent(&mut out, &readable(&seen.check));
        out.push('\n');
    }
    out
}

fn thread(out: &mut String, place: &str, on: &str, texts: &[String]) {
    let _ = writeln!(out, "{BOLD}── {place}{BOLD:#} {DIM}({on}){DIM:#}");
    texts.iter().for_each(|text| indent(out, text));
    out.push('\n');
}

fn place(thread: &ThreadView) -> String {
    let line = thread.line.map(|n| format!(":{n}")).unwrap_or_default();
    format!("{}{line}", thread.path)
}

/// Without the notice, which is said once above, not with each comment.
fn said(text: &str, notice: Option<&str>) -> String {
    let text = readable(text);
    let without = notice.and_then(|notice| text.strip_prefix(&format!("> {notice}\n")));
    without.unwrap_or(&text).to_owned()
}

fn indent(out: &mut String, text: &str) {
    let mut blank = true;
    for line in text.trim_end().lines() {
        if !(blank && line.trim().is_empty()) {
            let _ = writeln!(out, "  {line}");
        }
        blank = line.trim().is_empty();
    }
}

/// Markdown without what only a browser shows.
fn readable(markdown: &str) -> String {
    let tags = ["<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>", "<br>"];
    let mut text = markdown.replace(['\u{200b}', '\\'], "");
    for tag in tags {
        text = text.replace(tag, "");
    }
    text = text.replace("⟨finding⟩", "").replace("⟨summary⟩", "");
    for (entity, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#91;", "["),
        ("&#93;", "]"),
        ("&#123;", "{"),
        ("&#125;", "}"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, plain);
    }
    bold(&text)
}

fn bold(text: &str) -> String {
    let mut parts = text.split("**");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (i, part) in parts.enumerate() {
        let _ = if i % 2 == 0 { write!(out, "{BOLD}") } else { write!(out, "{BOLD:#}") };
        out.push_str(part);
    }
    out
}
