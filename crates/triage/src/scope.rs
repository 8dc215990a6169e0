//! Which findings belong to a change.

use chaffinch_core::{ChangedFile, ChangedLines, FlowStep, LineRange, Location};
use serde::{Deserialize, Serialize};

/// Which findings of a changed file belong to the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of them.
    #[default]
    Files,
    /// Those whose lines the diff shows, or whose flow crosses changed lines.
    Lines,
}

/// How a finding touches a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "lines")]
pub enum Touch {
    /// The diff shows these of its lines: there a thread can stand.
    Lines(LineRange),
    /// Its flow crosses lines that the change adds or alters.
    Flow,
    /// The forge does not show what the change does there, so it is not known that it does not
    /// touch it.
    Unknown,
    /// It is elsewhere in a file of the change; or there is no change to hold it against.
    File,
}

impl Touch {
    /// The lines of the diff where a thread can stand.
    pub fn shown(self) -> Option<LineRange> {
        match self {
            Self::Lines(lines) => Some(lines),
            _ => None,
        }
    }
}

/// How a finding touches `changed`; `None` if it does not. Where `changed` is `None`, every finding
/// counts.
pub(crate) fn touch(
    at: Option<&Location>,
    flow: &[FlowStep],
    changed: Option<&ChangedLines>,
    scope: Scope,
) -> Option<Touch> {
    let Some(changed) = changed else { return Some(Touch::File) };
    let at = at?;
    let file = changed.file(&at.path);
    if let (Some(file), Some(region)) = (file, at.region) {
        if file.hunks.is_none() {
            return Some(Touch::Unknown);
        }
        if let Some(lines) = shown(file, region.lines) {
            return Some(Touch::Lines(lines));
        }
    }
    if flow.iter().any(|step| crosses(step, changed)) {
        return Some(Touch::Flow);
    }
    match file {
        Some(_) => (scope == Scope::Files).then_some(Touch::File),
        None => (!changed.complete).then_some(Touch::Unknown),
    }
}

fn crosses(step: &FlowStep, changed: &ChangedLines) -> bool {
    let (Some(file), Some(region)) = (changed.file(&step.location.path), step.location.region)
    else {
        return false;
    };
    file.touches(region.lines)
}

/// The part of `lines` that one hunk shows; the hunk where they start is preferred.
fn shown(file: &ChangedFile, lines: LineRange) -> Option<LineRange> {
    let hunks = || file.hunks.iter().flatten().filter_map(|hunk| hunk.new_lines());
    let hunk = hunks()
        .find(|hunk| hunk.contains(lines.start))
        .or_else(|| hunks().find(|hunk| hunk.overlaps(lines)))?;
    Some(LineRange::new(hunk.start.max(lines.start), hunk.end.min(lines.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_core::{FileStatus, FlowRole, Region, parse_patch};

    fn at(path: &str, start: u32, end: u32) -> Location {
        Location {
            path: path.parse().unwrap(),
            region: Some(Region {
                lines: LineRange::new(start, end),
                start_column: None,
                end_column: None,
            }),
        }
    }

    fn file(path: &str, status: FileStatus, patch: Option<&str>) -> ChangedFile {
        ChangedFile {
            path: path.parse().unwrap(),
            previous: None,
            status,
            hunks: patch.map(|p| parse_patch(p).unwrap()),
        }
    }

    fn change(complete: bool) -> ChangedLines {
        let files = vec![
            file("a.py", FileStatus::Modified, Some("@@ -10,3 +10,4 @@\n x\n+y\n z\n w")),
            file("gone.py", FileStatus::Removed, Some("@@ -1 +0,0 @@\n-x")),
            file("big.py", FileStatus::Modified, None),
        ];
        ChangedLines { files, complete }
    }

    fn look(location: &Location, flow: &[FlowStep], complete: bool, scope: Scope) -> Option<Touch> {
        touch(Some(location), flow, Some(&change(complete)), scope)
    }

    #[test]
    fn a_finding_is_placed_by_what_the_diff_shows() {
        let lines = |a, b| Some(Touch::Lines(LineRange::new(a, b)));
        for (location, want) in [
            (at("a.py", 11, 11), lines(11, 11)),
            (at("a.py", 13, 13), lines(13, 13)),
            (at("a.py", 12, 20), lines(12, 13)),
            (at("a.py", 1, 10), lines(10, 10)),
            (at("a.py", 14, 15), Some(Touch::File)),
            (at("big.py", 1, 1), Some(Touch::Unknown)),
            (at("gone.py", 1, 1), None),
            (at("other.py", 1, 1), None),
        ] {
            assert_eq!(look(&location, &[], true, Scope::Files), want, "{location:?}");
        }
        assert_eq!(look(&at("a.py", 14, 15), &[], true, Scope::Lines), None);
    }

    #[test]
    fn a_flow_through_an_added_line_touches() {
        let step = |line| FlowStep {
            role: FlowRole::Source,
            location: at("a.py", line, line),
            message: None,
        };
        let sink = at("other.py", 5, 5);
        assert_eq!(look(&sink, &[step(11)], true, Scope::Lines), Some(Touch::Flow));
        assert_eq!(look(&sink, &[step(12)], true, Scope::Lines), None, "a context line");
    }

    #[test]
    fn what_the_forge_did_not_list_counts_as_touched() {
        assert_eq!(look(&at("other.py", 1, 1), &[], false, Scope::Files), Some(Touch::Unknown));
    }

    #[test]
    fn without_a_change_every_finding_counts() {
        assert_eq!(touch(None, &[], None, Scope::Lines), Some(Touch::File));
    }
}
