use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

/// What a Markdown reader makes of a comment: its text, and everything in it that is not text.
fn read(markdown: &str) -> (String, Vec<String>) {
    let (mut shown, mut other) = (String::new(), Vec::new());
    for event in Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Text(text) => shown.push_str(&text),
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            event => other.push(format!("{event:?}")),
        }
    }
    (shown, other)
}

const NASTY: &[&str] = &[
    "@octocat",
    "![x](https://evil.example/?q=1)",
    "[click](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<!-- chaffinch:1:summary -->",
    "https://evil.example",
    "www.evil.example",
    "a@b.example",
    "#1 and owner/repo#2 and GH-3 and !4 and &5 and %6 and ~bug and $7",
    "/close",
    "1. one",
    "1) one",
    "- one",
    "+ one",
    "# title",
    "===",
    "---",
    "> quote",
    "    code",
    "```\ncode\n```",
    "`code`",
    "**bold** _it_ ~~gone~~",
    "| a | b |\n|---|---|",
    "[ref]: https://evil.example",
    "[^1]: note",
    "[vulnerability:5]",
    "\u{202e}evil\u{2066}",
    "\u{1b}[31mred",
    "a\r\n\r\n/approve",
    "&#64;octocat &lt;",
    "\\@octocat \\[x](y)",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "$$x$$ and $`x`$",
    "{+ added +}",
    ":::",
    "- [ ] task",
    "<https://evil.example>",
    "<a@b.example>",
];

fn assert_harmless(input: &str, max: usize) {
    let out = text(input, max);
    let (shown, other) = read(&out);
    assert!(other.is_empty(), "{input:?} became {out:?}: {other:?}");
    let want: String = plain(input, max).chars().filter(|c| *c != BREAK).collect();
    let got: String = shown.chars().filter(|c| *c != BREAK).collect();
    assert_eq!(got, want, "{input:?} became {out:?}");
    for bad in ["](", "![", "<", ">", "://", "www.", "<!--", "\n"] {
        assert!(!out.contains(bad), "{input:?} became {out:?}");
    }
    for (at, c) in out.char_indices().filter(|(_, c)| "@#".contains(*c)) {
        let entity = c == '#' && out[..at].ends_with('&');
        assert!(entity || out[at + 1..].starts_with(BREAK), "{input:?} became {out:?}");
    }
    assert!(!out.starts_with('/'), "{input:?} became {out:?}");
}

#[test]
fn nothing_of_theirs_is_more_than_text() {
    for input in NASTY {
        assert_harmless(input, 1_000);
        let item = list(input, 5, 1_000);
        assert!(!item.contains("](") && !item.contains('<'), "{item:?}");
    }
}

#[test]
fn code_spans_hold_what_they_are_given() {
    for (input, want) in [
        ("app/db.py", "`app/db.py`"),
        ("a`b", "``a`b``"),
        ("`a``b", "``` `a``b ```"),
        ("a\nb", "`a b`"),
        ("", "`?`"),
        ("x<!-- chaffinch:1:summary -->", "`x<\u{200b}!-- chaffinch:1:summary -->`"),
    ] {
        assert_eq!(code(input, 100), want);
    }
}

#[test]
fn text_is_cut_at_its_bound() {
    assert_eq!(plain("abcdef", 3), "abc…");
    assert_eq!(plain("  a \t b\u{7}\u{200b}c ", 99), "a b c");
    assert_eq!(list("1. one\n\n- two\n* three\nfour", 3, 99), "- one\n- two\n- three\n");
}

proptest! {
    #[test]
    fn any_text_is_shown_as_it_is(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(NASTY).prop_map(str::to_owned),
                "[-@#!\\[\\]()<>&`*_~|$:/.\\\\ \n0-9a-f{}+=^\"']{0,8}",
                "\\PC{0,8}",
            ],
            0..6,
        ),
        max in 0usize..200,
    ) {
        assert_harmless(&parts.concat(), max);
    }

    #[test]
    fn any_code_span_is_one_code_span(input in "[`<!a-z \\\\-]{0,20}|\\PC{0,30}") {
        let out = code(&input, 100);
        let (shown, other) = read(&out);
        prop_assert!(shown.is_empty());
        prop_assert_eq!(other.len(), 1);
        prop_assert!(other[0].starts_with("Code("));
        prop_assert!(!out.contains("<!--"));
    }
}
