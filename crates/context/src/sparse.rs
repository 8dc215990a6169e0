//! Of a long file, the parts worth parsing: cut by indentation into items, and kept are those that
//! the finding is in, what these name, who names them, and the single lines nearest to all that.
//!
//! What is kept is put together without what is between: a parser reads blanks as slowly as code.

mod items;
mod keep;

use std::ops::Range;

use chaffinch_core::SourceText;

use self::items::Cut;
use crate::lines::SourceFile;

/// Lines, and bytes, up to which a file is parsed whole; and what is parsed of a longer one. This is
/// what bounds the time of an excerpt.
const ROOM: Room = Room { lines: 1_500, bytes: 40 << 10 };

/// The same where only what is nearest is parsed.
const NARROW: Room = Room { lines: 300, bytes: 12 << 10 };

/// What is asked of a file.
#[derive(Default)]
pub(crate) struct Interest {
    /// Rows, from 0.
    pub(crate) rows: Vec<u32>,
    /// Names whose definitions matter.
    pub(crate) names: Vec<String>,
    /// Names whose callers matter.
    pub(crate) called: Vec<String>,
}

/// Some lines of a file, without what is between them.
pub(crate) struct Part {
    pub(crate) text: SourceText,
    /// Where its lines stand in the file, and then the end of the last one.
    pub(crate) lines: Vec<Line>,
    /// Whether nothing was left out.
    pub(crate) is_whole: bool,
}

impl Part {
    /// Whether the part has this row of the file.
    pub(crate) fn holds(&self, row: u32) -> bool {
        let lines = self.lines.split_last().map_or(&[][..], |(_, lines)| lines);
        lines.binary_search_by_key(&row, |line| line.row).is_ok()
    }
}

/// A line of a part, in its file: its row, and where it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) row: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What may still be kept.
#[derive(Debug, Clone, Copy)]
struct Room {
    lines: usize,
    bytes: usize,
}

impl Room {
    fn holds(&self, lines: usize, bytes: usize) -> bool {
        lines <= self.lines && bytes <= self.bytes
    }

    fn share(self, of: usize) -> Self {
        Self { lines: self.lines / of, bytes: self.bytes / of }
    }

    fn less(self, other: Self) -> Self {
        let lines = self.lines.saturating_sub(other.lines);
        Self { lines, bytes: self.bytes.saturating_sub(other.bytes) }
    }

    /// Takes so much of it; nothing, where that is more than there is.
    fn take(&mut self, lines: usize, bytes: usize) -> bool {
        let holds = self.holds(lines, bytes);
        if holds {
            self.lines -= lines;
            self.bytes -= bytes;
        }
        holds
    }
}

/// The part of `rows` to parse: all of it, if that is little.
pub(crate) fn part(file: &SourceFile, rows: Range<usize>, interest: &Interest) -> Part {
    if ROOM.holds(rows.len(), file.bytes(&rows)) {
        return together(file, rows.clone(), rows.len());
    }
    let cut = Cut::of(file, rows.clone(), items::LONG);
    let kept = keep::wide(&cut, interest, ROOM);
    together(file, rows.clone().filter(|row| kept.contains(row)), rows.len())
}

/// The lines nearest to the interest, with as few gaps as may be; none where it has no rows there,
/// or where that is not less than the whole.
pub(crate) fn near(file: &SourceFile, rows: Range<usize>, interest: &Interest) -> Option<Part> {
    if NARROW.holds(rows.len(), file.bytes(&rows))
        || !interest.rows.iter().any(|row| rows.contains(&(*row as usize)))
    {
        return None;
    }
    let cut = Cut::of(file, rows.clone(), NARROW.lines / 2);
    let kept = keep::narrow(&cut, interest, NARROW);
    Some(together(file, rows.clone().filter(|row| kept.contains(row)), rows.len()))
}

/// Of a page, the rows of the script that a row stands in.
pub(crate) fn script(file: &SourceFile, row: u32) -> Option<Range<usize>> {
    let row = row as usize;
    let at = |row: usize| file.row(row);
    let opens = |line: &str| line.contains("<script") && !line.contains("</script");
    let first = (0..row).rev().find(|number| at(*number).contains("script"))?;
    if !opens(at(first)) || opens(at(row)) || at(row).contains("</script") {
        return None;
    }
    let lines = file.len() as usize;
    let last = (row..lines).find(|number| at(*number).contains("</script")).unwrap_or(lines);
    Some(first + 1..last)
}

/// The text of some rows of a file.
fn together(file: &SourceFile, rows: impl Iterator<Item = usize> + Clone, all: usize) -> Part {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let bytes = rows.clone().map(|row| file.bytes(&(row..row + 1))).sum();
    // Never grown, so that no copy is left behind unwiped.
    let mut text = String::with_capacity(bytes);
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let (start, end) = (file.begins(row), file.begins(row + 1));
        text.push_str(file.text().get(start..end).unwrap_or_default());
        lines.push(Line { row: number(row), start: number(start), end: number(end) });
    }
    let is_whole = lines.len() == all;
    if let Some(Line { row, end, .. }) = lines.last().copied() {
        lines.push(Line { row: row + 1, start: end, end });
    }
    Part { text: SourceText::new(text), lines, is_whole }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile::read("a.py".parse().unwrap(), text.as_bytes()).unwrap()
    }

    fn part_of(file: &SourceFile, row: u32) -> Part {
        let interest = Interest { rows: vec![row], ..Interest::default() };
        part(file, 0..file.len() as usize, &interest)
    }

    fn numbered(count: u32, line: &str) -> String {
        (0..count).fold(String::new(), |mut text, i| {
            writeln!(text, "{}", line.replace("NUM", &i.to_string())).unwrap();
            text
        })
    }

    #[test]
    fn a_part_stays_in_its_room_whatever_the_file_is_like() {
        let texts = [
            numbered(10_000, "v_NUM = f(NUM)"),
            format!("def f(x):\n{}", numbered(10_000, "    v_NUM = f(NUM)")),
            numbered(3_000, "def f_NUM(x):\n    return g_NUM(x)\n\n"),
            numbered(100, &format!("class ANUM:\n{}", "    x = 1\n".repeat(150))),
            format!("x = [\n{}]\n", numbered(10_000, "  .a NUM")),
            numbered(10_000, "} else NUM"),
        ];
        for text in texts {
            let file = file(&text);
            for row in [0, file.len() / 2, file.len() - 1] {
                let part = part_of(&file, row);
                let (lines, bytes) = (part.lines.len() - 1, part.text.expose().len());
                assert!(lines <= ROOM.lines && bytes <= ROOM.bytes, "{lines} {bytes} {text:.20}");
                assert!(part.holds(row) && !part.is_whole, "{row} {text:.20}");
            }
        }
    }

    #[test]
    fn of_single_lines_those_at_the_top_named_and_near_are_kept() {
        let mut text = String::from("import os\n");
        text += &numbered(10_000, "VALUE_NUM = compute(first[NUM], 'a')");
        text = text.replace("VALUE_5000 = compute(", "VALUE_5000 = compute(VALUE_9000, ");
        let part = part_of(&file(&text), 5_001);
        assert!(part.holds(0) && part.holds(4_950) && part.holds(5_051));
        assert!(part.holds(9_001), "what the finding names");
        assert!(!part.holds(2_000) && !part.holds(8_000));
    }

    #[test]
    fn of_a_function_too_long_its_head_and_what_the_finding_names_are_kept() {
        let mut text = String::from("def f(request):\n    early = request.x\n");
        text += &numbered(5_000, "    step(NUM, request.items[NUM], 'some more text')");
        text += "    run(early)\n";
        text += &numbered(5_000, "    step(NUM, request.items[NUM], 'some more text')");
        let part = part_of(&file(&text), 5_002);
        assert!(part.holds(0) && part.holds(1) && part.holds(5_001) && part.holds(5_003));
        assert!(!part.holds(2_000) && !part.holds(9_000));
    }

    #[test]
    fn conditions_of_the_preprocessor_do_not_tear_a_function() {
        let mut text = numbered(300, "int g_NUM(int x) {\n    return x;\n}\n\n");
        let head = text.lines().count();
        text +=
            "int f(int x) {\n    int y = x;\n#ifdef A\n    run(y);\n#else\n    go(y);\n#endif\n}\n";
        text += &numbered(900, "int h_NUM(int x) {\n    return x;\n}\n\n");
        let head = u32::try_from(head).unwrap();
        let part = part_of(&file(&text), head + 3);
        assert!((head..head + 8).all(|row| part.holds(row)), "{head}");
    }

    #[test]
    fn the_nearest_lines_have_no_gap() {
        let text = numbered(3_000, "def f_NUM(x):\n    return g_NUM(x)");
        let interest = Interest { rows: vec![4_001], ..Interest::default() };
        let part = near(&file(&text), 0..6_000, &interest).unwrap();
        let rows: Vec<u32> = part.lines.iter().map(|line| line.row).collect();
        let first = rows.iter().position(|row| *row == 3_950).unwrap();
        assert!(rows[first..].iter().copied().take(100).eq(3_950..4_050));
        assert!(rows.len() <= NARROW.lines);
    }
}
