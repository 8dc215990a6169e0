//! The one overall comment of a change: only what no thread says.

use std::{collections::BTreeMap, fmt::Write};

use chaffinch_core::{Marker, MarkerKind};

use super::{
    Frame, counted,
    escape::{code, text},
    finding::{lead, place, receipt_line, rule, sentence},
};
use crate::{Assessment, Outcome, Standing, Unfinished};

/// The longest summary, in characters: forges take 65,536 and more.
const MAX_BODY: usize = 55_000;
/// The longest reason that is shown here.
const MAX_REASON: usize = 400;
/// The most tools and reports that are named.
const MAX_GAPS: usize = 10;
/// The longest announcement.
const MAX_ANNOUNCEMENT: usize = 1_500;
/// The longest answer of a forge.
const MAX_ANSWER: usize = 200;

/// Why something is said here and not on its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Elsewhere {
    /// The change does not show its line.
    OutsideTheDiff,
    /// Too many of one rule.
    ManyOfOneRule,
    /// The forge did not take a comment there; its words.
    Refused(String),
    /// Likely a false positive, and noise control is on.
    Folded,
    /// It was not triaged.
    Failed,
    /// There were more than one run opens threads for, or it was said here before.
    WithoutThread,
}

/// The titles of the summary's sections, in their order.
const TITLES: [&str; 6] = [
    "On lines that this change does not show",
    "Many of one rule",
    "Where the forge took no comment",
    "Without a comment of their own",
    "Not triaged",
    "Likely false positives",
];

impl Elsewhere {
    fn title(&self) -> &'static str {
        let [outside, many, refused, without, failed, folded] = TITLES;
        match self {
            Self::OutsideTheDiff => outside,
            Self::ManyOfOneRule => many,
            Self::Refused(_) => refused,
            Self::WithoutThread => without,
            Self::Failed => failed,
            Self::Folded => folded,
        }
    }
}

/// One finding of the summary.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The finding.
    pub outcome: &'a Outcome,
    /// Why it is here.
    pub why: Elsewhere,
}

/// The summary over `items`; over none where there is a reason all the same ([`has_reasons`]).
pub fn summary(assessment: &Assessment, items: &[Item<'_>], frame: &Frame<'_>) -> String {
    let mut out = String::new();
    frame.notice(&mut out);
    let _ = writeln!(out, "**Triage of this change: {}**\n", counts(assessment));
    let end = ending(assessment, frame);
    let mut left_out = 0;
    for title in TITLES {
        let items: Vec<_> = items.iter().filter(|item| item.why.title() == title).collect();
        if items.is_empty() {
            continue;
        }
        let folded = items.iter().all(|item| item.why == Elsewhere::Folded);
        let heading = format!("{title} ({})", items.len());
        let _ = match folded {
            true => writeln!(out, "<details><summary>{heading}</summary>\n"),
            false => writeln!(out, "{heading}:\n"),
        };
        for line in lines(&items, frame) {
            if out.len() + line.len() + end.len() > MAX_BODY {
                left_out += 1;
            } else {
                out.push_str(&line);
            }
        }
        out.push_str(if folded { "\n</details>\n\n" } else { "\n" });
    }
    if left_out > 0 {
        let _ = writeln!(
            out,
            "and {} that no longer fit here.\n",
            counted(left_out, "entry", "entries")
        );
    }
    out.push_str(&end);
    out
}

/// What stands in a summary that has nothing left to say.
pub fn nothing_more(assessment: &Assessment, frame: &Frame<'_>) -> String {
    let mut out = String::new();
    frame.notice(&mut out);
    let said = if assessment.outcomes.is_empty() {
        "No finding touches this change any more."
    } else {
        "Every finding that touches this change now has its own comment on its line."
    };
    let _ = writeln!(out, "{said}\n");
    out.push_str(&ending(assessment, frame));
    out
}

/// `2 real, 1 not triaged`.
pub(super) fn counts(assessment: &Assessment) -> String {
    let words = [
        (Standing::Real, "real"),
        (Standing::Review, "for a person to look at"),
        (Standing::Failed, "not triaged"),
        (Standing::LikelyFalse, "likely false"),
    ];
    let counts: Vec<_> = words
        .into_iter()
        .map(|(standing, word)| (assessment.count(standing), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match counts.is_empty() {
        false => counts.join(", "),
        // Silence after something that could not be read says nothing about the code.
        true if gaps(assessment).is_empty() => "no findings".into(),
        true => "no findings in what could be read".into(),
    }
}

/// Whether more keeps the check from green than its title can say.
pub fn has_reasons(assessment: &Assessment) -> bool {
    !assessment.unreadable.is_empty()
        || !assessment.unfinished.is_empty()
        || assessment.incomplete
        || assessment.skipped > 0
}

/// What was not looked at, in sentences; empty where everything was.
pub(super) fn gaps(assessment: &Assessment) -> Vec<String> {
    let mut gaps = Vec::new();
    for tool in assessment.waiting.iter().take(MAX_GAPS) {
        gaps.push(format!("Waiting for the report of {} on this commit.", code(tool, 100)));
    }
    if let Some(why) = &assessment.given_up {
        gaps.push(format!("The triage was given up on: {}.", text(why, 300)));
    }
    for why in assessment.unreadable.iter().take(MAX_GAPS) {
        gaps.push(format!("A report could not be read: {}.", text(why, 300)));
    }
    for scan in assessment.unfinished.iter().take(MAX_GAPS) {
        gaps.push(unfinished(scan));
    }
    if assessment.left_open > 0 {
        let stand = counted(
            assessment.left_open,
            "earlier finding stands open in its thread",
            "earlier findings stand open in their threads",
        );
        gaps.push(format!(
            "{stand}, and no report says that {} gone.",
            if assessment.left_open == 1 { "it is" } else { "they are" }
        ));
    }
    if assessment.forgotten {
        gaps.push(
            "What was said of this commit before is no longer known here; it may still stand."
                .into(),
        );
    }
    if assessment.incomplete {
        gaps.push("The forge does not show all of this change, so it is not known which findings touch it.".into());
    }
    if assessment.skipped > 0 {
        let results = counted(assessment.skipped, "result", "results");
        gaps.push(format!("{results} of the reports could not be read as findings."));
    }
    gaps
}

/// `The scan of X did not come to its end: the tool says that its scan failed.`
fn unfinished(scan: &Unfinished) -> String {
    let sign = text(&scan.sign, 200);
    match &scan.tool {
        Some(tool) => format!("The scan of {} did not come to its end: {sign}.", code(tool, 100)),
        None => format!("A scan did not come to its end: {sign}."),
    }
}

/// What was left out on purpose, in sentences.
pub(super) fn left_out(assessment: &Assessment) -> Vec<String> {
    let mut out = Vec::new();
    if assessment.suppressed > 0 {
        let findings = counted(assessment.suppressed, "finding is", "findings are");
        out.push(format!("{findings} suppressed in the source or in the report."));
    }
    if assessment.elsewhere > 0 {
        let findings = counted(assessment.elsewhere, "finding is", "findings are");
        out.push(format!("{findings} outside this change."));
    }
    out
}

fn ending(assessment: &Assessment, frame: &Frame<'_>) -> String {
    let mut said = gaps(assessment);
    said.extend(left_out(assessment));
    let mut out = String::new();
    if !said.is_empty() {
        let _ = writeln!(out, "{}\n", said.join(" "));
    }
    if let Some(announcement) = frame.announcement {
        let _ = writeln!(out, "> {}\n", text(announcement, MAX_ANNOUNCEMENT));
    }
    if let Some(link) = frame.policy().strip_prefix(" · ") {
        let _ = writeln!(out, "<sub>{link}</sub>\n");
    }
    let _ = writeln!(out, "{}", Marker { kind: MarkerKind::Summary });
    out
}

/// One line a finding; those that failed for the same reason, and those of one rule, share one.
fn lines(items: &[&Item<'_>], frame: &Frame<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let mut groups: BTreeMap<String, Vec<&Item<'_>>> = BTreeMap::new();
    for &item in items {
        match item.why {
            Elsewhere::ManyOfOneRule => groups.entry(lead(item.outcome)).or_default().push(item),
            _ => out.push(line(item, frame)),
        }
    }
    for (lead, items) in groups {
        out.push(format!("- **{lead}**, {}:\n", counted(items.len(), "place", "places")));
        out.extend(items.iter().map(|item| format!("  {}", short(item, frame))));
    }
    out
}

fn line(item: &Item<'_>, frame: &Frame<'_>) -> String {
    let lead = match item.why {
        Elsewhere::Failed => rule(item.outcome),
        _ => lead(item.outcome),
    };
    format!("- **{lead}** at {}: {}\n", at(item.outcome), said(item, frame))
}

fn short(item: &Item<'_>, frame: &Frame<'_>) -> String {
    format!("- {}: {}\n", at(item.outcome), said(item, frame))
}

fn at(outcome: &Outcome) -> String {
    outcome.finding.location.as_ref().map_or_else(|| "no file".into(), place)
}

fn said(item: &Item<'_>, frame: &Frame<'_>) -> String {
    let triage = &item.outcome.triage;
    let reason = match &triage.cause {
        Some(cause) if triage.reason.is_empty() => format!("{}.", sentence(cause)),
        _ => text(triage.reason.expose(), MAX_REASON),
    };
    let safe = match item.outcome.standing() {
        Standing::LikelyFalse => "it might be safe to ignore. ",
        _ => "",
    };
    let refused = match &item.why {
        Elsewhere::Refused(words) => format!(" (The forge: {}.)", text(words, MAX_ANSWER)),
        _ => String::new(),
    };
    format!("{safe}{reason}{refused} <sub>{}</sub>", receipt_line(item.outcome, frame.change))
}
