//! Other people's text, for a terminal.

use chaffinch_triage::is_hidden;

/// The first `max` characters without what a terminal would obey, or a reader would not see: such
/// characters stand there by their numbers, as `\u{202e}`.
pub(crate) fn plain(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    for c in chars.by_ref().take(max) {
        match c {
            '\t' => out.push(c),
            c if c.is_control() || is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_shown_by_its_number() {
        assert_eq!(plain("a\u{202e}b\u{1b}[2J", 9), "a\\u{202e}b\\u{1b}[2J");
        assert_eq!(
            plain("\u{2066}x\u{2069}\u{200b}\u{9b}", 9),
            "\\u{2066}x\\u{2069}\\u{200b}\\u{9b}"
        );
        assert_eq!(plain("\té ü 漢", 9), "\té ü 漢");
        assert_eq!(plain("abc", 2), "ab…");
    }
}
