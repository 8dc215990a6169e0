//! Characters that a reader does not see.

/// Whether `c` is shown as nothing, or changes the order in which its neighbours are shown.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `text`, one line of source, hides something from its reader. Joiners between letters of
/// scripts that need them hide nothing.
pub(crate) fn hides(text: &str) -> bool {
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_hidden(c) && !is_script_joiner(before, c, chars.peek().copied()) {
            return true;
        }
        before = Some(c);
    }
    false
}

fn is_script_joiner(before: Option<char>, c: char, after: Option<char>) -> bool {
    let foreign = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_hidden(c));
    match c {
        '\u{200c}' | '\u{200d}' => foreign(before) && foreign(after),
        // A byte order mark is the first thing of its file.
        '\u{feff}' => before.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_reading_is_hidden() {
        for bad in ["a\u{200b}b", "\u{202e}x", "x\u{e0041}\u{e0042}", "a\u{200d}b", "a\u{feff}"] {
            assert!(hides(bad), "{bad:?}");
        }
        for good in ["", "plain", "می\u{200c}خواهم", "👩\u{200d}👩", "\u{feff}import x", "é ü 漢"]
        {
            assert!(!hides(good), "{good:?}");
        }
    }
}
