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
            indent(&mut out, &readable(&comment.text()));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{BOLD}── summary{BOLD:#}");
    indent(&mut out, &readable(&change.summary()));
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
    text
}
