//! What holds for every input: the function that both drivers call.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Limits, NoExcerpt, Step};
use chaffinch_core::{
    Confidence, Excerpt, Finding, Fingerprint, LineRange, Location, Region, RepoPath, Rule, RuleId,
    Rung, Severity, TokenCount,
};

const PATHS: [&str; 18] = [
    "app/a.py",
    "src/a.js",
    "src/a.ts",
    "a.tsx",
    "com/x/A.java",
    "pkg/a.go",
    "app/models/a.rb",
    "lib/a.php",
    "Api/A.cs",
    "com/x/A.kt",
    "src/a.c",
    "src/a.cpp",
    "app/views/a/b.html.erb",
    "templates/a.html",
    "a.jsp",
    "views/a.ejs",
    "a.vue",
    "a.conf",
];

const RUNGS: [Rung; 5] = [Rung::Finding, Rung::Slice, Rung::Function, Rung::Related, Rung::File];

/// Stands between the finding's file and what every other file holds.
const NEXT: &[u8] = b"\n\0\0\n";

/// Three bytes to a token: the vocabulary would be most of the time.
struct Bytes;

impl TokenCount for Bytes {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(3)
    }
}

/// Five bytes choose path, line, rung and budget; the rest is source.
///
/// # Panics
/// If an excerpt breaks what is promised of it.
pub(crate) fn run(data: &[u8]) {
    let [path, low, high, rung, budget, source @ ..] = data else { return };
    let Ok(path) = PATHS[usize::from(*path) % PATHS.len()].parse::<RepoPath>() else { return };
    let cut = source.windows(NEXT.len()).position(|part| part == NEXT);
    let (own, other) = match cut {
        Some(at) => (&source[..at], Some(&source[at + NEXT.len()..])),
        None => (source, None),
    };
    let line = u32::from(u16::from_le_bytes([*low, *high])) % 2_000 + 1;
    let Some(finding) = finding(path.clone(), line) else { return };
    let limits = Limits {
        budget: 30 + usize::from(*budget) * 8,
        ceiling: RUNGS[usize::from(*rung) % RUNGS.len()],
        listing: rung & 0x40 != 0,
        ..Limits::default()
    };
    let few = excerpt(&finding, own, other, limits);
    let Ok(few) = few else { return };
    let text = String::from_utf8_lossy(own);
    check(&few, &path, line, &text, limits);
    let more = Limits { budget: limits.budget + 200, ..limits };
    let Ok(many) = excerpt(&finding, own, other, more) else { panic!("a larger budget fails") };
    for sent in few.lines() {
        let kept = many.line(&sent.path, sent.number).is_some();
        assert!(kept, "a larger budget loses line {} of {}", sent.number, sent.path);
    }
}

fn check(excerpt: &Excerpt, path: &RepoPath, line: u32, text: &str, limits: Limits) {
    assert!(excerpt.cost(&Bytes) <= limits.budget, "over the budget");
    assert!(excerpt.rung() <= limits.ceiling, "over the ceiling");
    assert!(excerpt.line(path, line).is_some(), "the finding's line is not there");
    // With a mark at its start, the file may be in another encoding.
    if text.starts_with(['\u{FEFF}', '\u{FFFD}']) {
        return;
    }
    let lines: Vec<&str> = text.split('\n').collect();
    for sent in excerpt.lines().iter().filter(|l| &l.path == path && !l.text.expose().contains('…'))
    {
        let there = lines
            .get(sent.number as usize - 1)
            .map(|l| l.trim_end_matches('\r').replace('\r', " "));
        assert_eq!(there.as_deref(), Some(sent.text.expose()), "line {} is made up", sent.number);
    }
}

fn excerpt(
    finding: &Finding,
    own: &[u8],
    other: Option<&[u8]>,
    limits: Limits,
) -> Result<Excerpt, NoExcerpt> {
    let mut extraction = Extractor::new(Arc::new(Bytes)).start(finding, limits);
    let mut asked = 0;
    loop {
        asked += 1;
        assert!(asked < 100, "the dialogue does not end");
        match extraction.next() {
            Step::Want(path) if asked == 1 => extraction.give(&path, Answer::Found(own)),
            Step::Want(path) => match other {
                Some(other) => extraction.give(&path, Answer::Found(other)),
                None => extraction.give(&path, Answer::Missing),
            },
            Step::List(folder) => {
                extraction.give_names(&folder, &["a.py", "b.js", "main.go", "x\u{0}"])
            }
            Step::Done(outcome) => return *outcome,
        }
    }
}

fn finding(path: RepoPath, line: u32) -> Option<Finding> {
    let region = Region {
        lines: LineRange::new(line, line + line % 3),
        start_column: None,
        end_column: None,
    };
    Some(Finding {
        fingerprint: Fingerprint::from_digest([7; 16]),
        tool: String::new(),
        rule: Rule {
            id: RuleId::new("fuzz").ok()?,
            title: None,
            cwe: Vec::new(),
            severity: Severity::Medium,
            confidence: Confidence::Unknown,
        },
        message: String::new().into(),
        location: Some(Location { path, region: Some(region) }),
        flow: Vec::new(),
        suppressed: false,
    })
}
