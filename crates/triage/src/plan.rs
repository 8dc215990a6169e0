//! What is to be said where: a pure function of what was found out and what already stands.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chaffinch_core::{
    CommentId, Fingerprint, LineRange, Marker, MarkerKind, NewThread, Placement, RepoPath,
    Severity, Side, Thread,
};

use crate::{
    Assessment, Config, Outcome, Standing, outcome,
    render::{Elsewhere, Frame, Item, MOST_ON_LINE, finding_comment},
    tool,
};

/// More findings of one rule than these go into one grouped comment.
const MANY: usize = 5;
/// The most threads of ours that are opened on one change.
const MOST_THREADS: usize = 50;

/// What was found out about one head, by whom.
pub(crate) struct Found<'a> {
    /// The outcomes of this run.
    pub(crate) fresh: &'a [Outcome],
    /// Outcomes of earlier runs over the same head that this run has no report of.
    pub(crate) earlier: &'a [Outcome],
    /// The keys of the tools whose reports this run read.
    pub(crate) read: &'a BTreeSet<String>,
    /// Whether everything in those reports was identified, so that what is not here is gone.
    pub(crate) certain: bool,
    /// Whether it is known what earlier runs have said.
    pub(crate) remembers: bool,
}

/// What is to be done to the threads, and what is left for the summary.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    /// Threads to open, with the outcomes that each is about.
    pub(crate) post: Vec<(NewThread, Vec<&'a Outcome>)>,
    /// Comments whose text is no longer right.
    pub(crate) edit: Vec<(CommentId, String)>,
    /// Threads whose findings are gone.
    pub(crate) resolve: Vec<Thread>,
    /// Threads that we closed and whose findings are back.
    pub(crate) reopen: Vec<Thread>,
    /// Findings of open threads that nothing speaks of.
    pub(crate) left_open: usize,
    /// What no thread says.
    pub(crate) items: Vec<Item<'a>>,
}

/// Matches outcomes to threads by the markers in them.
pub(crate) fn plan<'a>(
    found: &Found<'a>,
    threads: &[Thread],
    config: &Config,
    frame: &Frame<'_>,
) -> Plan<'a> {
    let mut plan = Plan::default();
    let mut taken: HashSet<Fingerprint> = HashSet::new();
    let mut threads: Vec<&Thread> = threads.iter().collect();
    // Of two threads about one finding the open one counts, then the one that a person closed.
    threads.sort_by_key(|thread| (thread.resolved, thread.resolved_by_us));
    let mut left_open: BTreeSet<Fingerprint> = BTreeSet::new();
    let room = Room::beside(&threads);
    for thread in threads {
        let about = markers(thread);
        let unknown = unaccounted(&about, found);
        if !thread.resolved {
            left_open.extend(unknown.keys());
        }
        let says = |outcome: &&Outcome| about.contains_key(&outcome.finding.fingerprint);
        let mine: Vec<&Outcome> = found
            .fresh
            .iter()
            .filter(says)
            .filter(|outcome| !taken.contains(&outcome.finding.fingerprint))
            .collect();
        taken.extend(mine.iter().map(|outcome| outcome.finding.fingerprint));
        let theirs = || found.earlier.iter().filter(says);
        if thread.resolved_by_us && (!mine.is_empty() || theirs().next().is_some()) {
            plan.reopen.push(thread.clone());
        }
        if mine.is_empty() {
            let gone = found.certain && about.values().all(|tool| found.read.contains(tool));
            if gone && !thread.resolved && theirs().next().is_none() {
                plan.resolve.push(thread.clone());
            }
            taken.extend(theirs().map(|o| o.finding.fingerprint));
            continue;
        }
        let file = mine.first().and_then(|outcome| outcome.finding.location.as_ref());
        let at = thread.at.as_ref().filter(|at| {
            at.side == Side::New && file.is_some_and(|location| location.path == at.path)
        });
        let at = at.map(|at| at.lines);
        let mut body = finding_comment(&mine, at, frame);
        // Not forgotten, so that a report of its tool can say that it is gone.
        for (finding, tool) in unknown {
            let kind = MarkerKind::Finding { finding, tool };
            body.push_str(&format!("\n{}", Marker { kind }));
        }
        if !same(&body, &thread.first.body) {
            plan.edit.push((thread.first.id.clone(), body));
        }
    }
    let left: Vec<&Outcome> =
        found.fresh.iter().filter(|o| !taken.contains(&o.finding.fingerprint)).collect();
    place(&left, config, frame, room, &mut plan);
    plan.left_open = left_open.len();
    let earlier = found.earlier.iter().filter(|o| !taken.contains(&o.finding.fingerprint));
    plan.items.extend(earlier.map(|outcome| Item {
        outcome,
        why: unthreaded(outcome, config).unwrap_or(Elsewhere::WithoutThread),
    }));
    plan
}

/// The findings that a thread is about, each with the key of its tool.
fn markers(thread: &Thread) -> BTreeMap<Fingerprint, String> {
    let body = thread.first.body.as_str();
    let ours = body.match_indices("<!-- ").filter_map(|(at, _)| Marker::find(&body[at..]));
    [thread.marker.clone()]
        .into_iter()
        .chain(ours)
        .filter_map(|marker| match marker.kind {
            MarkerKind::Finding { finding, tool } => Some((finding, tool)),
            MarkerKind::Summary => None,
        })
        .collect()
}

/// Those of the findings of a thread that no outcome is about and that are not known to be gone.
fn unaccounted(
    about: &BTreeMap<Fingerprint, String>,
    found: &Found<'_>,
) -> BTreeMap<Fingerprint, String> {
    let known = |finding: &Fingerprint| {
        let mut outcomes = found.fresh.iter().chain(found.earlier);
        outcomes.any(|outcome| outcome.finding.fingerprint == *finding)
    };
    let gone = |tool: &String| found.certain && found.read.contains(tool);
    let unknown = about.iter().filter(|(finding, tool)| !known(finding) && !gone(tool));
    unknown.map(|(finding, tool)| (*finding, tool.clone())).collect()
}

/// Forges change line ends and trim.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    lines(a) == lines(b)
}

/// Why an outcome gets no thread of its own; `None` if it does.
fn unthreaded(outcome: &Outcome, config: &Config) -> Option<Elsewhere> {
    let grave = outcome.finding.rule.severity >= Severity::High;
    match outcome.standing() {
        Standing::Failed => Some(Elsewhere::Failed),
        Standing::LikelyFalse if config.fold_false_positives && !grave => Some(Elsewhere::Folded),
        _ if outcome.touch.shown().is_none() => Some(Elsewhere::OutsideTheDiff),
        _ => None,
    }
}

/// Where threads may still be opened.
struct Room {
    threads: usize,
    /// Lines whose thread holds as many findings as it can.
    full: HashSet<(RepoPath, u32)>,
}

impl Room {
    fn beside(threads: &[&Thread]) -> Self {
        let open = threads.iter().filter(|thread| !thread.resolved).count();
        let full = threads.iter().filter(|thread| markers(thread).len() >= MOST_ON_LINE);
        let places = full.filter_map(|thread| thread.at.as_ref());
        Self {
            threads: MOST_THREADS.saturating_sub(open),
            full: places.map(|at| (at.path.clone(), at.lines.start)).collect(),
        }
    }

    fn has(&self, line: (&RepoPath, u32), opened: &OnLine<'_>) -> bool {
        match opened.get(&line) {
            Some(outcomes) => outcomes.len() < MOST_ON_LINE,
            None => opened.len() < self.threads && !self.full.contains(&(line.0.clone(), line.1)),
        }
    }
}

type OnLine<'a> = BTreeMap<(&'a RepoPath, u32), Vec<&'a Outcome>>;

fn place<'a>(
    left: &[&'a Outcome],
    config: &Config,
    frame: &Frame<'_>,
    room: Room,
    plan: &mut Plan<'a>,
) {
    let mut of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in left.iter().filter(|outcome| unthreaded(outcome, config).is_none()) {
        *of_rule.entry(outcome.finding.rule.id.as_str()).or_default() += 1;
    }
    let mut on_line: OnLine<'a> = BTreeMap::new();
    for &outcome in left {
        let many = of_rule.get(outcome.finding.rule.id.as_str()).is_some_and(|n| *n > MANY);
        let why = unthreaded(outcome, config).or(many.then_some(Elsewhere::ManyOfOneRule));
        let line = outcome.touch.shown().zip(outcome.finding.location.as_ref());
        match (why, line.map(|(lines, at)| (&at.path, lines.start))) {
            (None, Some(line)) if room.has(line, &on_line) => {
                on_line.entry(line).or_default().push(outcome);
            }
            (why, _) => {
                plan.items.push(Item { outcome, why: why.unwrap_or(Elsewhere::WithoutThread) })
            }
        }
    }
    for ((path, start), outcomes) in on_line {
        let end = outcomes.iter().filter_map(|o| o.touch.shown()).map(|lines| lines.end).max();
        let lines = LineRange::new(start, end.unwrap_or(start));
        let at = Placement { path: path.clone(), lines, side: Side::New };
        let body = finding_comment(&outcomes, Some(lines), frame);
        plan.post.push((NewThread { at, body }, outcomes));
    }
}

/// The keys of the tools of `outcomes` and of `tools`.
pub(crate) fn read(tools: &[String], outcomes: &[Outcome]) -> BTreeSet<String> {
    let found = outcomes.iter().map(|outcome| outcome.finding.tool.as_str());
    tool::keys(tools.iter().map(String::as_str).chain(found))
}

/// The keys of the tools whose scans did not come to their end.
pub(crate) fn unfinished(assessment: &Assessment) -> BTreeSet<String> {
    tool::keys(assessment.unfinished.iter().filter_map(|scan| scan.tool.as_deref()))
}

/// Everything that is known of a head, the gravest first.
pub(crate) fn together(fresh: &[Outcome], earlier: &[Outcome]) -> Vec<Outcome> {
    let mut all = [fresh, earlier].concat();
    outcome::sort(&mut all);
    all
}
