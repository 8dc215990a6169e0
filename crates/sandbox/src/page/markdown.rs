//! Comments as people see them: Markdown, with the few HTML tags that ours use and no others.

use maud::{Markup, PreEscaped, Render, html};
use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::Comment;

/// The only tags that are not shown as text.
const TAGS: &[&str] = &[
    "<details>",
    "</details>",
    "<summary>",
    "</summary>",
    "<br>",
    "<sub>",
    "</sub>",
    "<sup>",
    "</sup>",
    "<b>",
    "</b>",
    "<code>",
    "</code>",
];

/// A comment; `lines` is what a suggestion in it would replace.
pub(super) fn comment(comment: &Comment, place: &str, lines: &str) -> Markup {
    let name = &comment.author;
    let text = html! { div.markdown { (render(&comment.body, lines)) } };
    html! {
        article class={ "comment " (place) @if comment.ours { " ours" } } {
            p.by {
                span.face { (name.chars().next().unwrap_or('?').to_uppercase()) }
                b { (name) }
                @if comment.bot { span.tag { "bot" } }
                @if comment.edited { span.quiet { " edited" } }
            }
            @match &comment.hidden {
                Some(why) => details { summary { "Hidden as " (why.to_lowercase()) } (text) },
                None => (text),
            }
        }
    }
}

/// Markdown as HTML. Comments vanish, a suggestion is shown as one, other HTML is shown as text.
pub(super) fn render(text: &str, lines: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM;
    let mut out = String::new();
    let mut suggestion = false;
    let mut images = 0;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Html(raw) | Event::InlineHtml(raw) => clean(&raw, &mut out),
            Event::Text(text) => escape(&text, &mut out),
            Event::Code(text) => {
                out += "<code>";
                escape(&text, &mut out);
                out += "</code>";
            }
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out += "<br>",
            Event::Rule => out += "<hr>",
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                suggestion = language.starts_with("suggestion");
                if suggestion {
                    out += "<div class=\"suggestion\"><p>Suggested change</p>";
                    if !lines.is_empty() {
                        out += "<pre class=\"old\"><code>";
                        escape(lines, &mut out);
                        out += "</code></pre>";
                    }
                }
                out += "<pre><code>";
            }
            Event::End(TagEnd::CodeBlock) => {
                out += if suggestion { "</code></pre></div>" } else { "</code></pre>" };
            }
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let address = if link_type == LinkType::Email { "" } else { &*dest_url };
                let safe = address.starts_with("http://")
                    || address.starts_with("https://")
                    || address.starts_with('#');
                out += "<a rel=\"noreferrer\" href=\"";
                escape(if safe { address } else { "" }, &mut out);
                out += "\">";
            }
            // An image is shown by its words alone: nothing is fetched from elsewhere.
            Event::Start(Tag::Image { .. }) => {
                images += 1;
                out += "[image: ";
            }
            Event::End(TagEnd::Image) => {
                images -= 1;
                out.push(']');
            }
            Event::Start(tag) => {
                if let Some(name) = name(&tag.to_end()) {
                    out += &format!("<{name}>");
                }
            }
            Event::End(tag) => {
                let name = if tag == TagEnd::Link { Some("a".to_owned()) } else { name(&tag) };
                if let Some(name) = name {
                    out += &format!("</{name}>");
                }
            }
            _ => {}
        }
    }
    debug_assert_eq!(images, 0, "every image ends");
    PreEscaped(out)
}

fn name(tag: &TagEnd) -> Option<String> {
    Some(
        match tag {
            TagEnd::Paragraph => "p",
            TagEnd::Heading(level) => return Some(level.to_string()),
            TagEnd::BlockQuote(_) => "blockquote",
            TagEnd::List(true) => "ol",
            TagEnd::List(false) => "ul",
            TagEnd::Item => "li",
            TagEnd::Emphasis => "em",
            TagEnd::Strong => "strong",
            TagEnd::Strikethrough => "del",
            TagEnd::Table => "table",
            TagEnd::TableHead => "thead",
            TagEnd::TableRow => "tr",
            TagEnd::TableCell => "td",
            _ => return None,
        }
        .to_owned(),
    )
}

fn escape(text: &str, out: &mut String) {
    text.render_to(out);
}

/// Keeps the tags that ours use, drops comments, shows the rest as text.
fn clean(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        escape(&rest[..at], out);
        rest = &rest[at..];
        if let Some(hidden) = rest.strip_prefix("<!--") {
            rest = hidden.split_once("-->").map_or("", |(_, after)| after);
        } else if let Some(tag) = TAGS.iter().find(|tag| rest.starts_with(**tag)) {
            *out += tag;
            rest = &rest[tag.len()..];
        } else {
            escape("<", out);
            rest = &rest[1..];
        }
    }
    escape(rest, out);
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn a_comment_is_shown_as_people_see_it() {
        let shown = render("**True positive** · `a<b`\n<!-- chaffinch:1:summary -->\n\n<details><summary>Flow</summary>\n\n1. x\n\n</details>\n", "").into_string();
        insta::assert_snapshot!(shown, @r"
        <p><strong>True positive</strong> · <code>a&lt;b</code></p>
        <details><summary>Flow</summary>
        <ol><li>x</li></ol></details>
        ");
    }

    #[test]
    fn nothing_that_a_comment_says_can_act_or_fetch() {
        for bad in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "![x](http://example.com/p.png)",
            "[x](javascript:alert(1))",
            "<details open ontoggle=alert(1)>",
            "<b onclick=x>",
            "a <!-- b",
            "<!--> <script>x</script> -->",
        ] {
            let shown = render(bad, "").into_string();
            for word in ["<script", "<img", "javascript:", "<details ", "<b "] {
                assert!(!shown.contains(word), "{bad} became {shown}");
            }
        }
    }
}
