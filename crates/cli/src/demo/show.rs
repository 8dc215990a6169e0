//! What reviewers see, for the terminal.

use std::fmt::Write;

use chaffinch_sandbox::Change;

use crate::progress::{BOLD, DIM, YELLOW};

/// The threads, the summary and the check of a change.
pub(super) fn change(change: &Change, notice: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(notice) = notice {
        let _ = writeln!(out, "{YELLOW}{notice}{YELLOW:#}\n");
    }
    for thread in change.threads() {
        let line = thread.line.map(|n| format!(":{n}")).unwrap_or_default();
        let _ = writeln!(out, "{BOLD}── {}{line}{BOLD:#}", thread.path);
        for comment in &thread.comments {
            let _ = writeln!(out, "{DIM}{}{DIM:#}", comment.author);
            let text = readable(&comment.text());
            // Said once above, not with each comment.
            let said = notice.and_then(|notice| text.strip_prefix(&format!("> {notice}\n")));
            indent(&mut out, said.unwrap_or(&text));
        }
        out.push('\n');
    }
    let summary = change.summary();
    // The sandbox's words where there is none: most changes need none.
    if summary != "no summary" {
        let _ = writeln!(out, "{BOLD}── summary{BOLD:#}");
        indent(&mut out, &readable(&summary));
    }
    let _ = writeln!(out, "\n{BOLD}── check{BOLD:#}");
    indent(&mut out, &readable(&change.check()));
    out
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
