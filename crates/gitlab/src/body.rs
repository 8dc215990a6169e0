//! Makes a text fit for GitLab: short enough, without losing its marker, and without commands.

use std::borrow::Cow;

use chaffinch_core::Marker;

/// GitLab takes 1,000,000 characters in a note. Bytes are counted here: never fewer than characters.
const BODY_LIMIT: usize = 1_000_000;
const NOTICE: &str = "\n\n… (cut here: GitLab takes no longer text)";

/// The text if it fits, else its beginning with the marker in front. No line of it is a command.
pub(crate) fn fit(text: &str) -> Cow<'_, str> {
    match inert(text) {
        Cow::Borrowed(text) => fit_to(text, BODY_LIMIT),
        Cow::Owned(text) => Cow::Owned(fit_to(&text, BODY_LIMIT).into_owned()),
    }
}

/// GitLab obeys a line of a comment that begins with `/merge`, `/approve` and the like, in the name of
/// the comment's author. We never mean one; a backslash, which is not shown, makes it text.
fn inert(text: &str) -> Cow<'_, str> {
    let is_command = |line: &str| {
        line.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
    };
    // GitLab takes out carriage returns before it looks.
    let lines = || text.split('\n').map(|line| (line, line.trim_start_matches('\r')));
    if !lines().any(|(_, line)| is_command(line)) {
        return Cow::Borrowed(text);
    }
    let safe = lines().map(|(line, seen)| match is_command(seen) {
        true => format!("\\{seen}"),
        false => line.to_owned(),
    });
    Cow::Owned(safe.collect::<Vec<_>>().join("\n"))
}

/// Behind a cut, a marker might stand inside an open code block.
fn fit_to(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let marker = Marker::find(text).map(|m| format!("{m}\n")).unwrap_or_default();
    let room = limit.saturating_sub(marker.len() + NOTICE.len());
    let mut kept = &text[..text.floor_char_boundary(room)];
    // A comment that is never closed would hide the notice, and whatever is appended later.
    if let Some(open) = kept.rfind("<!--")
        && !kept[open..].contains("-->")
    {
        kept = &kept[..open];
    }
    Cow::Owned(format!("{marker}{kept}{NOTICE}"))
}

/// At most `limit` characters of the text, on one line.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}

/// Text of others as part of a key: at most 100 characters, none of them with a meaning.
pub(crate) fn plain(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.chars().take(100).map(|c| if allowed(c) { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: &str = "<!-- chaffinch:1:summary -->";
    const LIMIT: usize = 500;

    #[test]
    fn a_text_that_fits_is_left_alone() {
        let text = "ä".repeat(BODY_LIMIT / 2);
        assert_eq!(fit(&text), text);
    }

    #[test]
    fn no_line_is_a_command() {
        for (given, sent) in [
            ("/merge", "\\/merge"),
            ("a\n/approve\r\nb", "a\n\\/approve\r\nb"),
            ("a\n\r/close", "a\n\\/close"),
            ("```\n/label ~x\n```", "```\n\\/label ~x\n```"),
        ] {
            assert_eq!(fit(given), sent);
        }
        for harmless in ["a /merge", "// x", "/* x */", " /merge", "/\nmerge", MARKER] {
            assert!(matches!(fit(harmless), Cow::Borrowed(text) if text == harmless));
        }
    }

    #[test]
    fn a_marker_at_the_end_survives_the_cut() {
        let text = format!("{}\n{MARKER}", "x".repeat(BODY_LIMIT));
        let fitted = fit(&text);
        assert_eq!(fitted.len(), BODY_LIMIT);
        assert!(fitted.starts_with(MARKER));
        assert!(fitted.ends_with(NOTICE));
    }

    #[test]
    fn a_cut_never_leaves_a_comment_open() {
        let text = format!("{}<!-- {}", "x".repeat(LIMIT - 100), "y".repeat(200));
        assert!(!fit_to(&text, LIMIT).contains("<!--"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_cut_fits_and_keeps_its_marker(
            filler in "[a-zäöü€😀 <!>-]{1,40}", times in 1usize..60, at_end: bool,
        ) {
            let text = filler.repeat(times);
            let text = if at_end { format!("{text}\n{MARKER}") } else { format!("{MARKER}\n{text}") };
            let fitted = fit_to(&text, LIMIT);
            assert!(fitted.len() <= LIMIT);
            assert!(Marker::find(&fitted).is_some());
        }
    }
}
