//! Unified hunks without their text: which lines a change shows, and on which side.

use crate::LineRange;

/// The most lines that one patch may have; a forge cuts far below it.
const MAX_PATCH_LINES: usize = 200_000;

/// One hunk of a unified diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Its lines, in order, without text.
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffLine {
    /// Added, removed or context.
    pub kind: LineKind,
    /// Its number at the base; `None` for an added line.
    pub old: Option<u32>,
    /// Its number at the head; `None` for a removed line.
    pub new: Option<u32>,
}

/// What a line of a hunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Only at the head.
    Added,
    /// Only at the base.
    Removed,
    /// At both.
    Context,
}

impl Hunk {
    /// The lines of the head that this hunk shows; `None` if it shows only removed ones.
    pub fn new_lines(&self) -> Option<LineRange> {
        let mut shown = self.lines.iter().filter_map(|l| l.new);
        let first = shown.next()?;
        Some(LineRange::new(first, shown.next_back().unwrap_or(first)))
    }
}

/// Why a patch cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("patch line {line}: {why}")]
pub struct PatchError {
    /// The line of the patch, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Reads the hunks of one file's patch, as forges send it (`@@ -1,2 +1,3 @@` and lines; file
/// headers before the first hunk are passed over).
///
/// # Errors
/// [`PatchError`] where a hunk header is malformed, a line has no valid prefix, or the patch has
/// more than 200,000 lines.
pub fn parse_patch(patch: &str) -> Result<Vec<Hunk>, PatchError> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old, mut new) = (0u32, 0u32);
    let (mut old_left, mut new_left) = (0u32, 0u32);
    for (index, text) in patch.lines().enumerate() {
        let error = |why| PatchError { line: index + 1, why };
        if index >= MAX_PATCH_LINES {
            return Err(error("more than 200,000 lines"));
        }
        if old_left == 0 && new_left == 0 {
            if let Some(rest) = text.strip_prefix("@@ ") {
                ((old, old_left), (new, new_left)) =
                    header(rest).ok_or_else(|| error("malformed hunk header"))?;
                hunks.push(Hunk { lines: Vec::new() });
            } else if !hunks.is_empty() && !text.starts_with('\\') && !text.is_empty() {
                return Err(error("a line outside its hunk"));
            }
            continue;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        let (kind, in_old, in_new) = match text.as_bytes().first() {
            Some(b'+') => (LineKind::Added, false, true),
            Some(b'-') => (LineKind::Removed, true, false),
            // Some senders strip the blank of an empty context line.
            Some(b' ') | None => (LineKind::Context, true, true),
            Some(b'\\') => continue,
            _ => return Err(error("a line without a prefix")),
        };
        if (in_old && old_left == 0) || (in_new && new_left == 0) {
            return Err(error("more lines than its header says"));
        }
        hunk.lines.push(DiffLine { kind, old: in_old.then_some(old), new: in_new.then_some(new) });
        old += u32::from(in_old);
        old_left -= u32::from(in_old);
        new += u32::from(in_new);
        new_left -= u32::from(in_new);
    }
    Ok(hunks)
}

type Start = (u32, u32);

fn header(rest: &str) -> Option<(Start, Start)> {
    let (ranges, _) = rest.split_once(" @@")?;
    let (old, new) = ranges.split_once(' ')?;
    Some((start(old.strip_prefix('-')?)?, start(new.strip_prefix('+')?)?))
}

fn start(text: &str) -> Option<Start> {
    let (first, count) = text.split_once(',').unwrap_or((text, "1"));
    let (first, count) = (first.parse::<u32>().ok()?, count.parse::<u32>().ok()?);
    first.checked_add(count)?;
    Some((first, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "@@ -1,3 +1,4 @@ def f():\n a\n-b\n+c\n+d\n e\n\\ No newline at end of file\n@@ -10 +11,0 @@\n-x";

    #[test]
    fn lines_are_numbered_on_both_sides() {
        let hunks = parse_patch(PATCH).unwrap();
        assert_eq!(hunks.len(), 2);
        let numbers: Vec<_> = hunks[0].lines.iter().map(|l| (l.old, l.new)).collect();
        assert_eq!(
            numbers,
            [
                (Some(1), Some(1)),
                (Some(2), None),
                (None, Some(2)),
                (None, Some(3)),
                (Some(3), Some(4))
            ]
        );
        assert_eq!(hunks[0].new_lines(), Some(LineRange::new(1, 4)));
        assert_eq!(hunks[1].new_lines(), None);
    }

    #[test]
    fn a_line_that_looks_like_a_header_is_content() {
        let hunks = parse_patch("@@ -0,0 +1,2 @@\n+@@ -1 +1 @@\n+--- x").unwrap();
        assert_eq!(hunks.len(), 1);
        assert_eq!(hunks[0].lines.len(), 2);
    }

    #[test]
    fn a_damaged_patch_is_an_error() {
        for bad in [
            "@@ -1,1 +x @@\n a",
            "@@ -1 +1 @@\n?a",
            "@@ -1 +4294967295,9 @@\n+a",
            "@@ -1 +1 @@\n-a\n-b\n+c",
        ] {
            assert!(parse_patch(bad).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(@@ -[0-9]{1,2},[0-9] \\+[0-9]{1,2},[0-9] @@\n|[ +\\-\\\\]?[a-z]{0,3}\n){0,20}") {
            let _ = parse_patch(&text);
        }
    }
}
