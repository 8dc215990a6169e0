//! Other people's text in our comments: shown as it is, and as nothing else. No mention, link,
//! image, HTML, command or marker of theirs survives.

use crate::hidden::is_hidden;

/// Breaks what a forge would read as more than text; shown as nothing.
const BREAK: char = '\u{200b}';

/// The first `max` characters as one line of plain text: without control and hidden characters,
/// runs of blanks as one.
pub fn plain(text: &str, max: usize) -> String {
    let mut out = String::new();
    let (mut count, mut blank) = (0, false);
    let mut shown = text.chars().filter(|c| !is_hidden(*c) || c.is_whitespace());
    for c in shown.by_ref() {
        if c.is_whitespace() || c.is_control() {
            blank = !out.is_empty();
            continue;
        }
        if count >= max {
            out.push('…');
            return out;
        }
        if blank {
            out.push(' ');
            count += 1;
        }
        blank = false;
        out.push(c);
        count += 1;
    }
    out
}

/// The first `max` characters as Markdown that shows them on one line.
pub fn text(text: &str, max: usize) -> String {
    let plain = plain(text, max);
    let chars: Vec<char> = plain.chars().collect();
    let mut out = String::with_capacity(plain.len() * 2);
    for (i, &c) in chars.iter().enumerate() {
        let next = chars.get(i + 1).copied().unwrap_or(' ');
        match c {
            '&' if next.is_ascii_digit() => out.extend(["&amp;", "\u{200b}"]),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // GitLab reads references such as `[issue:5]` from the text that is shown.
            '[' => out.extend(["&#91;", "\u{200b}"]),
            ']' => out.push_str("&#93;"),
            '{' => out.push_str("&#123;"),
            '}' => out.push_str("&#125;"),
            '~' | '$' => out.extend(['\\', c, BREAK]),
            '\\' | '`' | '*' | '_' | '|' | '^' => out.extend(['\\', c]),
            '@' | '#' => out.extend([c, BREAK]),
            // `!12` is a merge request; `%3` and `&5` are milestones and epics.
            '!' | '%' if next.is_ascii_digit() => out.extend([c, BREAK]),
            ':' if next == '/' => out.extend([c, BREAK]),
            '.' if ends_with_www(&out) => out.extend([BREAK, c]),
            '-' if next.is_ascii_digit() && ends_with_gh(&out) => out.extend([c, BREAK]),
            _ if i == 0 && (c.is_ascii_punctuation() && !"\"'(,.".contains(c)) => {
                out.extend(['\\', c]);
            }
            '.' | ')' if i > 0 && chars[..i].iter().all(char::is_ascii_digit) => {
                out.extend(['\\', c]);
            }
            _ => {
                out.push(c);
                if commit_so_far(&chars, i) {
                    out.push(BREAK);
                }
            }
        }
    }
    out
}

fn ends_with_www(out: &str) -> bool {
    out.get(out.len().saturating_sub(3)..).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

fn ends_with_gh(out: &str) -> bool {
    out.get(out.len().saturating_sub(2)..).is_some_and(|end| end.eq_ignore_ascii_case("gh"))
}

/// Whether the sixth character of a commit id ends at `i`: seven hexadecimal digits or more, with a
/// numeral among them, become a link.
fn commit_so_far(chars: &[char], i: usize) -> bool {
    let digit = |c: &char| c.is_ascii_hexdigit();
    let start = chars[..=i].iter().rposition(|c| !digit(c)).map_or(0, |at| at + 1);
    let run: Vec<_> = chars[start..].iter().take_while(|c| digit(c)).collect();
    i + 1 == start + 6 && run.len() >= 7 && run.iter().any(|c| c.is_ascii_digit())
}

/// The first `max` characters as a code span.
pub fn code(text: &str, max: usize) -> String {
    // A marker of ours is looked for in the raw text, code or not.
    let plain = plain(text, max).replace("<!--", &format!("<{BREAK}!--"));
    if plain.is_empty() {
        return "`?`".into();
    }
    let longest = plain.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if plain.starts_with('`') || plain.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{plain}{pad}{fence}")
}

/// The lines of a text as Markdown list items, at most `items` of them, each of at most `max`
/// characters; empty where there is no text.
pub fn list(lines: &str, items: usize, max: usize) -> String {
    let shown = lines.lines().map(|line| text(unlist(line), max)).filter(|line| !line.is_empty());
    shown.take(items).map(|line| format!("- {line}\n")).collect()
}

/// Takes off what already makes a line a list item.
fn unlist(line: &str) -> &str {
    let line = line.trim_start();
    let body = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = body.len() < line.len();
    let rest = match numbered {
        true => body.strip_prefix(['.', ')']),
        false => line.strip_prefix(['-', '*', '+']),
    };
    rest.and_then(|rest| rest.strip_prefix(' ')).unwrap_or(line)
}

#[cfg(test)]
mod tests;
