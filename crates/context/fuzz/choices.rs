//! Bytes → what is asked of an extraction beside the sources.

use chaffinch_core::{
    Confidence, Finding, Fingerprint, FlowRole, FlowStep, LineRange, Location, Region, RepoPath,
    Rule, RuleId, Rung, Severity,
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

pub(super) const RUNGS: [Rung; 5] =
    [Rung::Finding, Rung::Slice, Rung::Function, Rung::Related, Rung::File];

/// What is asked of an extraction.
pub(super) struct Asked {
    pub(super) finding: Finding,
    pub(super) changed: Vec<RepoPath>,
    pub(super) needs: Vec<String>,
    path: RepoPath,
}

impl Asked {
    /// The finding's file.
    pub(super) fn path(&self) -> &RepoPath {
        &self.path
    }

    /// The finding's lines, if it names any.
    pub(super) fn lines(&self) -> Option<LineRange> {
        let region = self.finding.location.as_ref()?.region?;
        Some(region.lines)
    }

    /// Whether neither the finding nor its flow names a line of its file.
    pub(super) fn names_no_line(&self) -> bool {
        let here = |step: &&FlowStep| step.location.path == self.path;
        self.lines().is_none() && self.finding.flow.iter().filter(here).count() == 0
    }
}

/// Bytes to choose by; where they end, others follow from the whole input.
pub(super) struct Choices<'d> {
    bytes: &'d [u8],
    state: u64,
}

impl<'d> Choices<'d> {
    pub(super) fn new(bytes: &'d [u8], input: &[u8]) -> Self {
        let mix = |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        Self { bytes, state: input.iter().take(4_096).fold(0xCBF2_9CE4_8422_2325, mix) }
    }

    fn next(&mut self) -> u8 {
        if let [first, rest @ ..] = self.bytes {
            self.bytes = rest;
            return *first;
        }
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.state.to_be_bytes()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        (usize::from(self.next()) << 8 | usize::from(self.next())) % end.max(1)
    }

    fn line(&mut self, lines: usize) -> u32 {
        u32::try_from(self.below(lines + 2) + 1).unwrap_or(1)
    }

    fn path(&mut self) -> Option<RepoPath> {
        PATHS[usize::from(self.next()) % PATHS.len()].parse().ok()
    }

    /// A finding in `own` on `line`, with all that comes with it.
    pub(super) fn asked(&mut self, path: u8, line: u32, own: &[u8]) -> Option<Asked> {
        let path: RepoPath = PATHS[usize::from(path) % PATHS.len()].parse().ok()?;
        let lines = own.iter().filter(|byte| **byte == b'\n').count() + 1;
        let long = match self.next() % 8 {
            0 => self.below(80),
            few => usize::from(few) % 3,
        };
        let last = line + u32::try_from(long).unwrap_or_default();
        let column = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let columns = self
            .next()
            .is_multiple_of(2)
            .then(|| (column(self.below(3_000)), column(self.below(3_000))));
        let region = (!self.next().is_multiple_of(16)).then(|| place(line, last, columns));
        let mut flow = Vec::new();
        for _ in 0..self.next() % 5 {
            let other = self.path()?;
            let path = if self.next().is_multiple_of(4) { other } else { path.clone() };
            let line = self.line(lines);
            let region = Some(place(line, line, None));
            flow.push(step(path, region));
        }
        let changed = (0..self.next() % 4).filter_map(|_| self.path()).collect();
        let needs = (0..self.next() % 4).map(|_| self.need(own)).collect();
        let location = Some(Location { path: path.clone(), region });
        Some(Asked { finding: finding(location, flow)?, changed, needs, path })
    }

    /// A word of the source, a path, or any bytes.
    fn need(&mut self, own: &[u8]) -> String {
        let from = self.below(own.len()).min(own.len());
        let rest = String::from_utf8_lossy(&own[from..(from + 200).min(own.len())]).into_owned();
        match self.next() % 4 {
            0 => PATHS[usize::from(self.next()) % PATHS.len()].to_owned(),
            1 => rest,
            _ => {
                let mut words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                words.find(|word| word.len() > 1).unwrap_or("run").to_owned()
            }
        }
    }
}

fn place(first: u32, last: u32, columns: Option<(u32, u32)>) -> Region {
    let (start_column, end_column) = columns.unzip();
    Region { lines: LineRange::new(first, last), start_column, end_column }
}

fn step(path: RepoPath, region: Option<Region>) -> FlowStep {
    FlowStep { role: FlowRole::Step, location: Location { path, region }, message: None }
}

fn finding(location: Option<Location>, flow: Vec<FlowStep>) -> Option<Finding> {
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
        location,
        flow,
        suppressed: false,
    })
}
