//! Where a comment stands in a diff, in GitLab's words: it wants a line's number on both sides.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use chaffinch_core::{
    ChangedFile, ChangedLines, DiffLine, FileStatus, Hunk, LineKind, LineRange, Placement,
    RepoPath, Side,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::source::DiffRefs;

/// What GitLab says of where a comment stands.
#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    head_sha: Option<String>,
    #[serde(default)]
    old_path: Option<String>,
    #[serde(default)]
    new_path: Option<String>,
    #[serde(default)]
    old_line: Option<u32>,
    #[serde(default)]
    new_line: Option<u32>,
    #[serde(default)]
    line_range: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    start: Option<End>,
}

#[derive(Deserialize)]
struct End {
    #[serde(default)]
    old_line: Option<u32>,
    #[serde(default)]
    new_line: Option<u32>,
}

impl Shown {
    /// `None` once the line has changed: then GitLab keeps the position in an older diff.
    pub(super) fn placement(&self, head: &str) -> Option<Placement> {
        if self.head_sha.as_deref() != Some(head) {
            return None;
        }
        let start = self.line_range.as_ref().and_then(|range| range.start.as_ref());
        let (side, path, line, start) = match self.new_line {
            Some(line) => (Side::New, &self.new_path, line, start.and_then(|s| s.new_line)),
            None => (Side::Old, &self.old_path, self.old_line?, start.and_then(|s| s.old_line)),
        };
        Some(Placement {
            path: RepoPath::new(path.as_deref()?).ok()?,
            lines: LineRange::new(start.unwrap_or(line), line),
            side,
        })
    }
}

/// A line of a diff, and where it stands on either side: for a line that is on one side only, before
/// which line of the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbered {
    line: DiffLine,
    old: u32,
    new: u32,
}

/// The position for a new comment; `None` where the diff does not show all of `at`.
pub(super) fn of(refs: &DiffRefs, changed: &ChangedLines, at: &Placement) -> Option<Value> {
    let file = changed.files.iter().find(|file| match at.side {
        Side::New => file.path == at.path && file.status != FileStatus::Removed,
        Side::Old => file.previous.as_ref().unwrap_or(&file.path) == &at.path,
    })?;
    let hunk = file.hunks.iter().flatten().map(numbered).find(|lines| {
        find(lines, at.side, at.lines.start).is_some()
            && find(lines, at.side, at.lines.end).is_some()
    })?;
    let end = find(&hunk, at.side, at.lines.end)?;
    let position = json!({
        "position_type": "text",
        "base_sha": refs.base_sha,
        "start_sha": refs.start_sha,
        "head_sha": refs.head_sha,
        "old_path": file.previous.as_ref().unwrap_or(&file.path),
        "new_path": file.path,
    });
    let mut position = with_numbers(position, end.line);
    if at.lines.start < at.lines.end {
        let start = find(&hunk, at.side, at.lines.start)?;
        position["line_range"] =
            json!({ "start": range_end(file, start), "end": range_end(file, end) });
    }
    Some(position)
}

fn find(lines: &[Numbered], side: Side, number: u32) -> Option<Numbered> {
    let on_side = |line: &DiffLine| match side {
        Side::New => line.new,
        Side::Old => line.old,
    };
    lines.iter().find(|n| on_side(&n.line) == Some(number)).copied()
}

fn range_end(file: &ChangedFile, at: Numbered) -> Value {
    let kind = if at.line.kind == LineKind::Added { "new" } else { "old" };
    let path = digest(&SHA1_FOR_LEGACY_USE_ONLY, file.path.as_str().as_bytes());
    let line_code = format!("{}_{}_{}", hex::encode(path), at.old, at.new);
    with_numbers(json!({ "line_code": line_code, "type": kind }), at.line)
}

/// An added line has no old number, a removed one no new one, and any other must have both.
fn with_numbers(mut place: Value, line: DiffLine) -> Value {
    if let Some(old) = line.old {
        place["old_line"] = json!(old);
    }
    if let Some(new) = line.new {
        place["new_line"] = json!(new);
    }
    place
}

/// Counts both sides through a hunk, as GitLab does for its line codes.
fn numbered(hunk: &Hunk) -> Vec<Numbered> {
    // Of a side that the hunk does not show (a new file's old one), GitLab's count stays at 0.
    let mut old = hunk.lines.iter().find_map(|line| line.old).unwrap_or(0);
    let mut new = hunk.lines.iter().find_map(|line| line.new).unwrap_or(0);
    let mut lines = Vec::with_capacity(hunk.lines.len());
    for line in &hunk.lines {
        (old, new) = (line.old.unwrap_or(old), line.new.unwrap_or(new));
        lines.push(Numbered { line: *line, old, new });
        old += u32::from(line.old.is_some());
        new += u32::from(line.new.is_some());
    }
    lines
}

#[cfg(test)]
mod tests {
    use chaffinch_core::parse_patch;

    use super::*;

    const PATCH: &str = "@@ -10,4 +10,5 @@\n a\n-b\n+c\n+d\n e\n f\n@@ -30,2 +31,1 @@\n g\n-h\n";

    fn file(path: &str, previous: Option<&str>, status: FileStatus, patch: &str) -> ChangedFile {
        ChangedFile {
            path: path.parse().unwrap(),
            previous: previous.map(|p| p.parse().unwrap()),
            status,
            hunks: Some(parse_patch(patch).unwrap()),
        }
    }

    fn changed() -> ChangedLines {
        let files = vec![
            file("app/db.py", None, FileStatus::Modified, PATCH),
            file("new.py", None, FileStatus::Added, "@@ -0,0 +1,2 @@\n+a\n+b\n"),
            file("gone.py", None, FileStatus::Removed, "@@ -1,2 +0,0 @@\n-a\n-b\n"),
            file("to.py", Some("from.py"), FileStatus::Renamed, "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
        ];
        ChangedLines { files, complete: true }
    }

    fn refs() -> DiffRefs {
        DiffRefs { base_sha: "B".into(), start_sha: "S".into(), head_sha: "H".into() }
    }

    fn placed(path: &str, start: u32, end: u32, side: Side) -> String {
        let at = Placement { path: path.parse().unwrap(), lines: LineRange::new(start, end), side };
        let Some(position) = of(&refs(), &changed(), &at) else { return "not in the diff".into() };
        let number = |v: &Value| v.as_u64().map_or("-".to_owned(), |n| n.to_string());
        let end_of = |end: &Value| {
            let code = end["line_code"].as_str().unwrap();
            let code = &code[40..];
            let kind = end["type"].as_str().unwrap();
            format!("{code} {kind} {}/{}", number(&end["old_line"]), number(&end["new_line"]))
        };
        let range = match &position["line_range"] {
            Value::Null => String::new(),
            range => format!(" [{} .. {}]", end_of(&range["start"]), end_of(&range["end"])),
        };
        let (old, new) = (&position["old_path"], &position["new_path"]);
        format!(
            "{} {} {}/{}{range}",
            old.as_str().unwrap(),
            new.as_str().unwrap(),
            number(&position["old_line"]),
            number(&position["new_line"])
        )
    }

    #[test]
    fn a_line_has_the_numbers_that_gitlab_wants_of_it() {
        let rows = [
            ("app/db.py", 10, 10, Side::New),
            ("app/db.py", 11, 11, Side::New),
            ("app/db.py", 13, 13, Side::New),
            ("app/db.py", 11, 11, Side::Old),
            ("app/db.py", 11, 12, Side::New),
            ("app/db.py", 10, 14, Side::New),
            ("app/db.py", 10, 11, Side::Old),
            ("app/db.py", 31, 31, Side::Old),
            ("app/db.py", 15, 15, Side::New),
            ("app/db.py", 13, 31, Side::New),
            ("new.py", 1, 2, Side::New),
            ("new.py", 2, 2, Side::New),
            ("gone.py", 1, 2, Side::Old),
            ("gone.py", 1, 1, Side::New),
            ("to.py", 1, 2, Side::New),
            ("from.py", 2, 2, Side::Old),
            ("other.py", 1, 1, Side::New),
        ];
        let table = rows.map(|(path, start, end, side)| {
            format!("{path}:{start}-{end} {side:?} → {}", placed(path, start, end, side))
        });
        insta::assert_snapshot!(table.join("\n"), @"
        app/db.py:10-10 New → app/db.py app/db.py 10/10
        app/db.py:11-11 New → app/db.py app/db.py -/11
        app/db.py:13-13 New → app/db.py app/db.py 12/13
        app/db.py:11-11 Old → app/db.py app/db.py 11/-
        app/db.py:11-12 New → app/db.py app/db.py -/12 [_12_11 new -/11 .. _12_12 new -/12]
        app/db.py:10-14 New → app/db.py app/db.py 13/14 [_10_10 old 10/10 .. _13_14 old 13/14]
        app/db.py:10-11 Old → app/db.py app/db.py 11/- [_10_10 old 10/10 .. _11_11 old 11/-]
        app/db.py:31-31 Old → app/db.py app/db.py 31/-
        app/db.py:15-15 New → not in the diff
        app/db.py:13-31 New → not in the diff
        new.py:1-2 New → new.py new.py -/2 [_0_1 new -/1 .. _0_2 new -/2]
        new.py:2-2 New → new.py new.py -/2
        gone.py:1-2 Old → gone.py gone.py 2/- [_1_0 old 1/- .. _2_0 old 2/-]
        gone.py:1-1 New → not in the diff
        to.py:1-2 New → from.py to.py -/2 [_1_1 old 1/1 .. _3_2 new -/2]
        from.py:2-2 Old → from.py to.py 2/-
        other.py:1-1 New → not in the diff
        ");
    }

    #[test]
    fn a_line_code_begins_with_the_digest_of_the_path() {
        let path: RepoPath = "app/db.py".parse().unwrap();
        let at = Placement { path, lines: LineRange::new(11, 12), side: Side::New };
        let position = of(&refs(), &changed(), &at).unwrap();
        let code = position["line_range"]["start"]["line_code"].as_str().unwrap();
        // `printf app/db.py | sha1sum`
        assert_eq!(code, "087aa28b2d1c1f7947d6f5924b2cca19c6ae5c6c_12_11");
    }

    fn patch(first: (u32, u32), kinds: &[u8]) -> String {
        let count = |without: u8| kinds.iter().filter(|kind| **kind != without).count();
        let (old, new) = (count(b'+'), count(b'-'));
        let lines: Vec<_> = kinds.iter().map(|kind| format!("{}x\n", char::from(*kind))).collect();
        format!("@@ -{},{old} +{},{new} @@\n{}", first.0, first.1, lines.concat())
    }

    proptest::proptest! {
        #[test]
        fn every_line_that_a_diff_shows_has_a_place_of_its_own(
            old in 1u32..900, new in 1u32..900,
            kinds in proptest::collection::vec(proptest::sample::select(&b" +-"[..]), 1..40),
        ) {
            // A side of a hunk that shows nothing of it starts at 0 and ends there.
            let side = |without: u8, at| if kinds.iter().all(|k| *k == without) { 0 } else { at };
            let text = patch((side(b'+', old), side(b'-', new)), &kinds);
            let file = file("a.py", None, FileStatus::Modified, &text);
            let hunk = file.hunks.as_ref().unwrap()[0].clone();
            let changed = ChangedLines { files: vec![file], complete: true };
            let mut codes = std::collections::HashSet::new();
            for line in numbered(&hunk) {
                codes.insert((line.old, line.new));
                let (number, side) = match (line.line.new, line.line.old) {
                    (Some(new), _) => (new, Side::New),
                    (None, Some(old)) => (old, Side::Old),
                    (None, None) => unreachable!("a line is on one side at least"),
                };
                let lines = LineRange::new(number, number);
                let at = Placement { path: "a.py".parse().unwrap(), lines, side };
                let position = of(&refs(), &changed, &at).unwrap();
                let said = |key: &str| position[key].as_u64().map(|n| n as u32);
                proptest::prop_assert_eq!(said("old_line"), line.line.old);
                proptest::prop_assert_eq!(said("new_line"), line.line.new);
            }
            proptest::prop_assert_eq!(codes.len(), hunk.lines.len());
        }
    }
}
