//! Makes a text short enough for GitHub without losing its marker.

use std::borrow::Cow;

use chaffinch_core::Marker;

/// GitHub takes 65,536 characters in a comment and 65,535 in a check's summary. Bytes are counted
/// here: never fewer than characters.
pub(crate) const BODY_LIMIT: usize = 65_535;
const NOTICE: &str = "\n\n… (cut here: GitHub takes no longer text)";

/// The text if it fits, else its beginning with the marker in front: behind a cut it might stand
/// inside an open code block.
pub(crate) fn fit(text: &str) -> Cow<'_, str> {
    if text.len() <= BODY_LIMIT {
        return Cow::Borrowed(text);
    }
    let marker = Marker::find(text).map(|m| format!("{m}\n")).unwrap_or_default();
    let room = BODY_LIMIT - marker.len() - NOTICE.len();
    let mut kept = &text[..text.floor_char_boundary(room)];
    // A comment that is never closed would hide the notice, and whatever is appended later.
    if let Some(open) = kept.rfind("<!--")
        && !kept[open..].contains("-->")
    {
        kept = &kept[..open];
    }
    Cow::Owned(format!("{marker}{kept}{NOTICE}"))
}

/// At most `limit` bytes of the text, whole characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: &str = "<!-- chaffinch:1:summary -->";

    #[test]
    fn a_text_that_fits_is_left_alone() {
        let text = "ä".repeat(BODY_LIMIT / 2);
        assert_eq!(fit(&text), text);
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
        let text = format!("{}<!-- {}", "x".repeat(BODY_LIMIT - 100), "y".repeat(200));
        assert!(!fit(&text).contains("<!--"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_cut_fits_and_keeps_its_marker(
            filler in "[a-zäöü€😀 <!>-]{1,40}", times in 1usize..12_000, at_end: bool,
        ) {
            let text = filler.repeat(times);
            let text = if at_end { format!("{text}\n{MARKER}") } else { format!("{MARKER}\n{text}") };
            let fitted = fit(&text);
            assert!(fitted.len() <= BODY_LIMIT);
            assert!(Marker::find(&fitted).is_some());
        }
    }
}
