//! Bytes → lines, counted as scanners count them: a line ends at `\n`, and nowhere else.

use std::{ops::Range, str::Utf8Chunk};

use chaffinch_core::{RepoPath, SourceText};

/// Columns of a line beyond which it is cut.
const WIDE: usize = 400;

/// Columns shown before the place for which a wide line is sent.
const BEFORE: usize = 120;

/// Endings of files in which a line that starts with `#` is no comment.
const PREPROCESSED: [&str; 9] = ["c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "cs"];

/// Lines of one comment that are looked through for its start.
const LONG_COMMENT: u32 = 200;

/// Stands for what is not text.
const MARK: char = char::REPLACEMENT_CHARACTER;

/// The mark of what was cut off.
pub const CUT: char = '…';

/// A file as text.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: RepoPath,
    text: SourceText,
    /// Byte offsets of the starts of lines.
    starts: Vec<usize>,
}

impl SourceFile {
    /// Reads UTF-8, or UTF-16 with its mark; what is not text is marked with U+FFFD.
    ///
    /// # Errors
    /// Why it has no lines, in our own words.
    pub(crate) fn read(path: RepoPath, bytes: &[u8]) -> Result<Self, &'static str> {
        let text = SourceText::new(match bytes {
            [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
            [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
            _ => utf8(bytes),
        });
        if text.expose().contains('\0') {
            return Err("the file is binary");
        }
        if text.is_empty() {
            return Err("the file is empty");
        }
        let breaks = text.expose().bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let mut starts: Vec<usize> = std::iter::once(0).chain(breaks.map(|(i, _)| i + 1)).collect();
        starts.pop_if(|start| *start == text.expose().len());
        Ok(Self { path, text, starts })
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        self.text.expose()
    }

    /// How many lines there are; at least one.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The line `number` (from 1) without its line break; empty if there is none.
    pub(crate) fn line(&self, number: u32) -> &str {
        let index = number.saturating_sub(1) as usize;
        let Some(start) = self.starts.get(index) else { return "" };
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text().len());
        self.text().get(*start..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// The row `row` (from 0) without its line break; empty if there is none.
    pub(crate) fn row(&self, row: usize) -> &str {
        self.line(u32::try_from(row.saturating_add(1)).unwrap_or(u32::MAX))
    }

    /// Where a row begins in the text; its end, if there is none.
    pub(crate) fn begins(&self, row: usize) -> usize {
        self.starts.get(row).copied().unwrap_or(self.text().len())
    }

    /// How many bytes some rows have.
    pub(crate) fn bytes(&self, rows: &Range<usize>) -> usize {
        self.begins(rows.end).saturating_sub(self.begins(rows.start))
    }

    /// The rows (from 0) in which `word` occurs.
    pub(crate) fn rows_with<'f>(&'f self, word: &'f str) -> impl Iterator<Item = usize> + 'f {
        let rows = self.text().match_indices(word);
        rows.map(|(at, _)| self.starts.partition_point(|start| *start <= at).saturating_sub(1))
    }

    /// Whether the line holds more than blanks, comments, brackets and the words that stand for
    /// them.
    pub(crate) fn has_code(&self, number: u32) -> bool {
        let line = self.line(number).trim();
        !self.is_comment(number, line)
            && !matches!(line, "end" | "begin" | "<?php" | "?>" | "@Override")
            && !line.chars().all(|c| matches!(c, '(' | ')' | '{' | '}' | '[' | ']' | ';' | ','))
    }

    /// Whether the line is a comment and nothing else: code may stand behind one.
    fn is_comment(&self, number: u32, line: &str) -> bool {
        let nothing_behind = |rest: &str| {
            let after = rest.split_once("*/").map_or("", |(_, after)| after.trim());
            after.is_empty() || after.starts_with("//")
        };
        match line {
            _ if line.starts_with("//") => true,
            // The preprocessor's lines may have blanks.
            _ if line.starts_with("# ") => !PREPROCESSED.contains(&self.path.extension().as_str()),
            _ if line.starts_with("/*") => nothing_behind(&line[2..]),
            _ if line.starts_with("*/") => nothing_behind(line),
            _ if line.starts_with("* ") => self.is_in_comment(number) && nothing_behind(line),
            _ => false,
        }
    }

    /// Whether the line stands in a comment of several lines.
    fn is_in_comment(&self, number: u32) -> bool {
        let above = (number.saturating_sub(LONG_COMMENT).max(1)..number).rev();
        let mark = above.map(|above| self.line(above)).find_map(|line| {
            match (line.rfind("/*"), line.rfind("*/")) {
                (None, None) => None,
                (opens, closes) => Some(opens > closes),
            }
        });
        mark.unwrap_or(false)
    }

    /// The line `number` as it is sent: at most `width` columns and the marks of the cut, around the
    /// columns `around` (from 1) if they are given.
    pub(crate) fn shown(
        &self,
        number: u32,
        around: Option<(u32, u32)>,
        width: usize,
    ) -> SourceText {
        let line = self.line(number);
        let mut clean = String::with_capacity(line.len());
        // A lone carriage return would look like a line break to whoever prints it.
        line.chars().for_each(|c| clean.push(if c == '\r' { ' ' } else { c }));
        let clean = SourceText::new(clean);
        let text = clean.expose();
        let columns = if text.len() <= width { text.len() } else { text.chars().count() };
        if columns <= width {
            return clean;
        }
        let (first, last) = around.unwrap_or((1, 1));
        let (first, last) = (first.saturating_sub(1) as usize, last.saturating_sub(1) as usize);
        let room = width.saturating_sub(last.saturating_sub(first).min(width));
        let start = first.saturating_sub(BEFORE.min(room / 2)).min(columns - width);
        let mut part = String::with_capacity(4 * (width + 2));
        if start > 0 {
            part.push(CUT);
        }
        part.extend(text.chars().skip(start).take(width));
        if start + width < columns {
            part.push(CUT);
        }
        part.into()
    }
}

/// The lines of a file as excerpts show them, the wide ones whole.
#[derive(Debug)]
pub struct WholeLines(SourceFile);

impl WholeLines {
    /// Reads a file as excerpts are made of it.
    ///
    /// # Errors
    /// Why it has no lines, in our own words.
    pub fn read(path: RepoPath, bytes: &[u8]) -> Result<Self, &'static str> {
        SourceFile::read(path, bytes).map(Self)
    }

    /// The line `number` (from 1), if there is one.
    pub fn line(&self, number: u32) -> Option<SourceText> {
        let there = (1..=self.0.len()).contains(&number);
        there.then(|| self.0.shown(number, None, usize::MAX))
    }
}

/// The columns that are sent of a line, if the budget does not call for fewer.
pub(crate) const WIDTHS: [usize; 4] = [WIDE, WIDE / 2, WIDE / 4, WIDE / 8];

/// UTF-8, with U+FFFD for what is not. Measured first: a text that grows leaves copies of itself
/// behind that nobody wipes.
fn utf8(bytes: &[u8]) -> String {
    let marks = |chunk: &Utf8Chunk<'_>| usize::from(!chunk.invalid().is_empty());
    let size = |chunk: Utf8Chunk<'_>| chunk.valid().len() + MARK.len_utf8() * marks(&chunk);
    let mut text = String::with_capacity(bytes.utf8_chunks().map(size).sum());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n(MARK, marks(&chunk)));
    }
    text
}

/// The same for UTF-16.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let half = (!rest.is_empty()).then_some(MARK);
    let chars = || char::decode_utf16(units.clone()).map(|c| c.unwrap_or(MARK)).chain(half);
    let mut text = String::with_capacity(chars().map(char::len_utf8).sum());
    chars().for_each(|c| text.push(c));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: [&[u8]; 6] =
        [b"", b"plain\n", "é漢🦀".as_bytes(), b"a\xE2\x80b", b"\xFF\xFF\xC3", b"x\xF0\x9F\xA6"];

    #[test]
    fn a_text_is_decoded_without_ever_growing() {
        for bytes in ODD {
            let text = utf8(bytes);
            assert_eq!(text, String::from_utf8_lossy(bytes));
            assert_eq!(text.capacity(), text.len(), "{text}");
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let again = utf16(&wide, u16::from_le_bytes);
            assert_eq!(again, text);
            assert_eq!(again.capacity(), again.len(), "{text}");
        }
        let torn = utf16(&[0x3E, 0xD8, 0x61, 0x00, 0x62], u16::from_le_bytes);
        assert_eq!(torn, "\u{FFFD}a\u{FFFD}");
        assert_eq!(torn.capacity(), torn.len());
    }
}
