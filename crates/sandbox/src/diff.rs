//! A unified diff of two texts, as GitHub sends it in `patch`.

use std::fmt::Write;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// Past this many edits the rest is shown as replaced: still right, only less readable.
const MAX_EDITS: usize = 1_000;

/// One step from the old text to the new one; lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Keep { old: usize, new: usize },
    Remove { old: usize },
    Add { new: usize },
}

/// One hunk: a run of steps and its header.
#[derive(Debug, Clone)]
pub(crate) struct Hunk {
    pub(crate) header: String,
    pub(crate) steps: Vec<Step>,
}

/// The whole way from one text to another.
#[derive(Debug, Clone)]
pub(crate) struct Diff<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    steps: Vec<Step>,
}

impl<'a> Diff<'a> {
    pub(crate) fn new(old: &'a str, new: &'a str) -> Self {
        let old: Vec<&str> = old.split_inclusive('\n').collect();
        let new: Vec<&str> = new.split_inclusive('\n').collect();
        let steps = steps(&old, &new);
        Self { old, new, steps }
    }

    pub(crate) fn added(&self) -> usize {
        self.steps.iter().filter(|s| matches!(s, Step::Add { .. })).count()
    }

    pub(crate) fn removed(&self) -> usize {
        self.steps.iter().filter(|s| matches!(s, Step::Remove { .. })).count()
    }

    /// How much of the longer text is kept, 0 to 100.
    pub(crate) fn similarity(&self) -> usize {
        let kept = self.steps.len() - self.added() - self.removed();
        match self.old.len().max(self.new.len()) {
            0 => 100,
            longest => kept * 100 / longest,
        }
    }

    /// Where line `old` (from 1) stands in the new text, if it is still there.
    pub(crate) fn moved(&self, line: usize) -> Option<usize> {
        self.steps.iter().find_map(|step| match step {
            Step::Keep { old, new } if old + 1 == line => Some(new + 1),
            _ => None,
        })
    }

    /// The whole way, in order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn hunks(&self) -> Vec<Hunk> {
        let changed = |s: &Step| !matches!(s, Step::Keep { .. });
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for at in (0..self.steps.len()).filter(|&i| changed(&self.steps[i])) {
            let (start, end) =
                (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(self.steps.len()));
            match runs.last_mut() {
                Some(last) if start <= last.1 => last.1 = end,
                _ => runs.push((start, end)),
            }
        }
        runs.into_iter().map(|(start, end)| self.hunk(start, end)).collect()
    }

    fn hunk(&self, start: usize, end: usize) -> Hunk {
        let before = &self.steps[..start];
        let steps = self.steps[start..end].to_vec();
        let count =
            |steps: &[Step], skip: fn(&Step) -> bool| steps.iter().filter(|s| !skip(s)).count();
        let is_add: fn(&Step) -> bool = |s| matches!(s, Step::Add { .. });
        let is_remove: fn(&Step) -> bool = |s| matches!(s, Step::Remove { .. });
        let (old_start, old_count) = (count(before, is_add), count(&steps, is_add));
        let (new_start, new_count) = (count(before, is_remove), count(&steps, is_remove));
        let mut header =
            format!("@@ -{} +{} @@", range(old_start, old_count), range(new_start, new_count));
        if let Some(heading) = self.old[..old_start.min(self.old.len())]
            .iter()
            .rev()
            .find(|l| l.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$'))
        {
            let heading: String = heading.trim_end().chars().take(80).collect();
            let _ = write!(header, " {heading}");
        }
        Hunk { header, steps }
    }

    /// The text of a step, with its prefix and without its line break.
    pub(crate) fn line(&self, step: Step) -> String {
        let (prefix, text) = match step {
            Step::Keep { new, .. } => (' ', self.new[new]),
            Step::Remove { old } => ('-', self.old[old]),
            Step::Add { new } => ('+', self.new[new]),
        };
        match text.strip_suffix('\n') {
            Some(text) => format!("{prefix}{text}"),
            None => format!("{prefix}{text}\n\\ No newline at end of file"),
        }
    }

    /// All hunks as text, without a line break at the end.
    pub(crate) fn patch(&self) -> String {
        let mut out = Vec::new();
        for hunk in self.hunks() {
            out.push(hunk.header.clone());
            out.extend(hunk.steps.iter().map(|s| self.line(*s)));
        }
        out.join("\n")
    }
}

fn range(before: usize, count: usize) -> String {
    match count {
        0 => format!("{before},0"),
        1 => (before + 1).to_string(),
        _ => format!("{},{count}", before + 1),
    }
}

fn steps(old: &[&str], new: &[&str]) -> Vec<Step> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let keep = |i: usize, from: usize, to: usize| Step::Keep { old: from + i, new: to + i };
    let mut out: Vec<Step> = (0..head).map(|i| keep(i, 0, 0)).collect();
    out.extend(middle(&old[head..old_end], &new[head..new_end]).into_iter().map(|s| match s {
        Step::Keep { old, new } => Step::Keep { old: old + head, new: new + head },
        Step::Remove { old } => Step::Remove { old: old + head },
        Step::Add { new } => Step::Add { new: new + head },
    }));
    out.extend((0..tail).map(|i| keep(i, old_end, new_end)));
    out
}

/// Myers' greedy algorithm, keeping each round's frontier for the way back.
fn middle(old: &[&str], new: &[&str]) -> Vec<Step> {
    let (n, m) = (old.len() as isize, new.len() as isize);
    let most = (n + m).min(MAX_EDITS as isize);
    let at = |k: isize| (k + most + 1) as usize;
    let mut reach = vec![0isize; 2 * most as usize + 3];
    let mut rounds: Vec<Vec<isize>> = Vec::new();
    for edits in 0..=most {
        rounds.push(reach[at(-edits - 1)..=at(edits + 1)].to_vec());
        for k in (-edits..=edits).step_by(2) {
            let down = k == -edits || (k != edits && reach[at(k - 1)] < reach[at(k + 1)]);
            let mut x = if down { reach[at(k + 1)] } else { reach[at(k - 1)] + 1 };
            while x < n && x - k < m && old[x as usize] == new[(x - k) as usize] {
                x += 1;
            }
            reach[at(k)] = x;
            if x >= n && x - k >= m {
                return way_back(n, m, &rounds);
            }
        }
    }
    let removed = (0..old.len()).map(|old| Step::Remove { old });
    removed.chain((0..new.len()).map(|new| Step::Add { new })).collect()
}

fn way_back(n: isize, m: isize, rounds: &[Vec<isize>]) -> Vec<Step> {
    let (mut x, mut y) = (n, m);
    let mut out = Vec::new();
    for (edits, reach) in rounds.iter().enumerate().rev() {
        let edits = edits as isize;
        let at = |k: isize| reach[(k + edits + 1) as usize];
        let k = x - y;
        let down = k == -edits || (k != edits && at(k - 1) < at(k + 1));
        let from_k = if down { k + 1 } else { k - 1 };
        let (from_x, from_y) = (at(from_k), at(from_k) - from_k);
        let first = edits == 0;
        while x > 0 && y > 0 && (first || (x > from_x && y > from_y)) {
            (x, y) = (x - 1, y - 1);
            out.push(Step::Keep { old: x as usize, new: y as usize });
        }
        if first {
            break;
        }
        if down {
            y -= 1;
            out.push(Step::Add { new: y as usize });
        } else {
            x -= 1;
            out.push(Step::Remove { old: x as usize });
        }
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use chaffinch_core::{LineKind, parse_patch};

    use super::*;

    #[test]
    fn a_patch_looks_as_git_writes_it() {
        let old = "def f():\n    a\n    b\n    c\n    d\n    e\n";
        let new = "def f():\n    a\n    b\n    c\n    D\n    e";
        insta::assert_snapshot!(Diff::new(old, new).patch(), @r"
        @@ -2,5 +2,5 @@ def f():
             a
             b
             c
        -    d
        -    e
        +    D
        +    e
        \ No newline at end of file
        ");
        assert_eq!(Diff::new("", "a\nb\n").patch(), "@@ -0,0 +1,2 @@\n+a\n+b");
        assert_eq!(Diff::new("a\n", "").patch(), "@@ -1 +0,0 @@\n-a");
        assert_eq!(Diff::new("a\n", "a\n").patch(), "");
    }

    #[test]
    fn a_line_is_followed_through_a_change() {
        let diff = Diff::new("a\nb\nc\n", "x\na\nB\nc\n");
        assert_eq!([diff.moved(1), diff.moved(2), diff.moved(3)], [Some(2), None, Some(4)]);
    }

    #[test]
    fn more_edits_than_are_worth_finding_are_one_replacement() {
        let text = |p: &str| (0..4000).map(|i| format!("{p}{i}\n")).collect::<String>();
        let (old, new) = (text("a"), text("b"));
        let diff = Diff::new(&old, &new);
        assert_eq!((diff.removed(), diff.added()), (4000, 4000));
    }

    fn apply(old: &str, patch: &str) -> String {
        let old: Vec<&str> = old.split_inclusive('\n').collect();
        let mut lines = patch.lines().peekable();
        let mut rebuilt: Vec<String> = Vec::new();
        let mut next_old = 0;
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("@@ -") {
                let (start, _) = rest.split_once(' ').unwrap();
                let (start, count) = start.split_once(',').unwrap_or((start, "1"));
                let start: usize = start.parse().unwrap();
                let start = if count == "0" { start } else { start - 1 };
                while next_old < start {
                    rebuilt.push(old[next_old].to_owned());
                    next_old += 1;
                }
                continue;
            }
            let end = match lines.peek() {
                Some(l) if l.starts_with('\\') => {
                    lines.next();
                    ""
                }
                _ => "\n",
            };
            match line.split_at(1) {
                ("+", text) => rebuilt.push(format!("{text}{end}")),
                ("-", _) => next_old += 1,
                (_, text) => {
                    rebuilt.push(format!("{text}{end}"));
                    next_old += 1;
                }
            }
        }
        rebuilt.extend(old[next_old..].iter().map(|l| (*l).to_owned()));
        rebuilt.concat()
    }

    fn text() -> impl proptest::strategy::Strategy<Value = String> {
        "([abc@+-]{0,2}\n){0,24}[ab]{0,1}"
    }

    proptest::proptest! {
        #[test]
        fn a_patch_turns_the_old_text_into_the_new_one(old in text(), new in text()) {
            let diff = Diff::new(&old, &new);
            proptest::prop_assert_eq!(apply(&old, &diff.patch()), new);
        }

        #[test]
        fn the_lines_of_a_patch_are_numbered_as_its_reader_numbers_them(old in text(), new in text()) {
            let diff = Diff::new(&old, &new);
            let ours: Vec<_> = diff.hunks().iter().flat_map(|h| h.steps.clone()).map(|s| match s {
                Step::Keep { old, new } => (LineKind::Context, Some(old as u32 + 1), Some(new as u32 + 1)),
                Step::Remove { old } => (LineKind::Removed, Some(old as u32 + 1), None),
                Step::Add { new } => (LineKind::Added, None, Some(new as u32 + 1)),
            }).collect();
            let read: Vec<_> = parse_patch(&diff.patch()).unwrap().iter()
                .flat_map(|h| h.lines.clone()).map(|l| (l.kind, l.old, l.new)).collect();
            proptest::prop_assert_eq!(ours, read);
        }
    }
}
