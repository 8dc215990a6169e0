//! The comment on a finding's line.

use std::{collections::BTreeMap, fmt::Write};

use chaffinch_core::{
    Cause, ChangeId, Finding, FlowRole, ForgeKind, LineRange, Location, Marker, MarkerKind,
    Receipt, RepoPath,
};

use super::{
    Frame,
    escape::{code, list, text},
};
use crate::{Directed, Outcome, Reached, Standing, tool};

/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 1_500;
/// The longest line of steps or needs, and the most of them.
const MAX_LINE: usize = 250;
const MAX_LINES: usize = 8;
/// The most lines that are cited.
const MAX_CITED: usize = 10;
/// The longest rule id, path, model name.
const MAX_NAME: usize = 200;
/// The longest message of a scanner.
const MAX_MESSAGE: usize = 600;
/// The most steps of a flow.
const MAX_STEPS: usize = 20;
/// The longest comment, in characters: forges take 65,536 and more.
const MAX_BODY: usize = 60_000;
/// The most findings of one comment: each has its marker there.
pub(crate) const MOST_ON_LINE: usize = 50;

/// Why what the model misses was not looked for.
const SPENT: &str = "\n\nNot all of it was looked for: as many files were asked for as the policy \
                     allows for one finding (`content_requests`).";

/// The comment for the findings that start on one line, each a section. `at` are the lines that the
/// comment stands at: only what replaces exactly these can be applied there.
pub fn finding_comment(outcomes: &[&Outcome], at: Option<LineRange>, frame: &Frame<'_>) -> String {
    let mut out = String::new();
    frame.notice(&mut out);
    let mut room = MAX_BODY - MOST_ON_LINE * 80;
    let mut shown = 0;
    let mut at = at;
    for outcome in outcomes {
        let section = section(outcome, at, frame);
        // One is enough: a second one would be for lines that the first has changed.
        at = at.filter(|at| suggestion(outcome, Some(*at), frame).is_none());
        // The same finding by another tool says the same.
        if out.contains(&section) {
            shown += 1;
            continue;
        }
        let size = section.chars().count();
        if shown > 0 && size > room {
            break;
        }
        if shown > 0 {
            out.push_str("---\n\n");
        }
        out.push_str(&section);
        room = room.saturating_sub(size + 5);
        shown += 1;
    }
    if shown < outcomes.len() {
        let _ = writeln!(out, "and {} more on this line.\n", outcomes.len() - shown);
    }
    for outcome in outcomes.iter().take(MOST_ON_LINE) {
        let _ = writeln!(out, "{}", marker(&outcome.finding));
    }
    out
}

/// The hidden line by which a finding's comment is found again.
pub(crate) fn marker(finding: &Finding) -> Marker {
    let tool = tool::key(&finding.tool);
    Marker { kind: MarkerKind::Finding { finding: finding.fingerprint, tool } }
}

/// One finding: lead, reason, flow, suggestion, steps, receipt.
pub(super) fn section(outcome: &Outcome, at: Option<LineRange>, frame: &Frame<'_>) -> String {
    let mut out = format!("**{}**\n\n", lead(outcome));
    out.push_str(&why(outcome));
    out.push_str(&flow(outcome));
    out.push_str(&suggestion(outcome, at, frame).unwrap_or_default());
    if let Some(steps) = &outcome.triage.remediation {
        out.push_str(&collapsed("What to do", &list(steps.expose(), MAX_LINES, MAX_LINE)));
    }
    let needs: Vec<_> = outcome.needs.iter().map(|need| need.expose()).collect();
    let mut needs = list(&needs.join("\n"), MAX_LINES, MAX_LINE);
    if outcome.spent && !needs.is_empty() {
        needs.push_str(SPENT);
    }
    out.push_str(&collapsed("What the model would have to see to be sure", &needs));
    let _ = writeln!(out, "<sub>{}{}</sub>\n", receipt_line(outcome, frame.change), frame.policy());
    out
}

/// A block that the forge offers to apply to the lines `at`.
fn suggestion(outcome: &Outcome, at: Option<LineRange>, frame: &Frame<'_>) -> Option<String> {
    let suggestion = outcome.triage.suggestion.as_ref()?;
    let lines = at.filter(|at| *at == suggestion.lines)?;
    let block = match frame.change?.repo.forge {
        ForgeKind::GitHub => "suggestion".to_owned(),
        // A comment stands at the last of its lines.
        ForgeKind::GitLab => format!("suggestion:-{}+0", lines.end - lines.start),
    };
    let text = suggestion.text.expose();
    Some(format!(
        "A change that the model suggests. It parses; nothing more was tried.\n\n```{block}\n{text}\n```\n\n"
    ))
}

/// The verdict in words, the rule, the severity.
pub(super) fn lead(outcome: &Outcome) -> String {
    let words = match outcome.standing() {
        Standing::Real => "Real",
        Standing::Review => "Needs a person's look",
        Standing::Failed => "Not triaged",
        Standing::LikelyFalse => "Likely a false positive",
    };
    format!("{words}: {}", rule(outcome))
}

/// The rule and its severity.
pub(super) fn rule(outcome: &Outcome) -> String {
    let rule = &outcome.finding.rule;
    format!("{} ({} severity)", code(rule.id.as_str(), MAX_NAME), rule.severity.as_str())
}

fn why(outcome: &Outcome) -> String {
    let triage = &outcome.triage;
    let reason = text(triage.reason.expose(), MAX_REASON);
    let mut out = match (outcome.standing(), &triage.cause) {
        (Standing::LikelyFalse, _) => format!("It might be safe to ignore. {reason}"),
        (_, None | Some(Cause::Unsure)) => reason,
        (_, Some(Cause::Directed)) => "Please judge it yourself.".into(),
        (_, Some(cause)) => format!("{}. Please judge it yourself.", sentence(cause)),
    };
    if triage.reason.is_empty() && !outcome.finding.message.is_empty() {
        let message = text(outcome.finding.message.expose(), MAX_MESSAGE);
        let _ = write!(out, " The scanner says: {message}");
    }
    let lines = cited(outcome);
    if !lines.is_empty() {
        let _ = write!(out, "\n\nSee {}.", lines.join(", "));
    }
    if let Some(directed) = outcome.directed {
        out.push_str("\n\n");
        out.push_str(directed_note(directed));
    }
    out.push_str("\n\n");
    out
}

/// A cause as a sentence's beginning.
pub(super) fn sentence(cause: &Cause) -> String {
    let words = text(&cause.to_string(), MAX_LINE);
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

fn directed_note(directed: Directed) -> &'static str {
    match directed {
        Directed::Words => {
            "⚠ These lines hold text that addresses whoever reviews them. It was not followed, and \
             no \"false positive\" is taken on lines like these."
        }
        Directed::Hidden => {
            "⚠ These lines hold characters that are not shown. Look at them with an editor that \
             shows such characters; no \"false positive\" is taken on lines like these."
        }
    }
}

/// The lines that bear the reason, each once.
fn cited(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<_> = outcome.triage.evidence.iter().map(|e| (&e.path, e.line)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.truncate(MAX_CITED);
    lines.into_iter().map(|(path, line)| code(&format!("{path}:{line}"), MAX_NAME)).collect()
}

fn flow(outcome: &Outcome) -> String {
    let mut steps: Vec<(&str, String)> = Vec::new();
    for step in &outcome.finding.flow {
        let at = place(&step.location);
        // Scanners step on the parts of the source, and of the sink, all on one line.
        if steps.last().is_some_and(|(_, last)| *last == at) {
            match step.role {
                FlowRole::Step => continue,
                FlowRole::Sink => drop(steps.pop_if(|(role, _)| *role == "passes")),
                FlowRole::Source => {}
            }
        }
        let role = match step.role {
            FlowRole::Source => "comes in at",
            FlowRole::Step => "passes",
            FlowRole::Sink => "arrives at",
        };
        steps.push((role, at));
    }
    let mut list = String::new();
    for (number, (role, at)) in (1..).zip(steps.iter().take(MAX_STEPS)) {
        let _ = writeln!(list, "{number}. {role} {at}");
    }
    let rest = steps.len().saturating_sub(MAX_STEPS);
    if rest > 0 {
        let _ = writeln!(list, "{}. and {rest} more", MAX_STEPS + 1);
    }
    collapsed("Data flow, as the scanner reports it", &list)
}

/// A location as a code span.
pub(super) fn place(at: &Location) -> String {
    let line = at.region.map_or_else(String::new, |region| format!(":{}", region.lines.start));
    code(&format!("{}{line}", at.path), MAX_NAME)
}

fn collapsed(title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title}</summary>\n\n{}\n\n</details>\n\n", body.trim_end())
}

/// How many lines of what went where.
pub(crate) fn receipt_line(outcome: &Outcome, change: Option<&ChangeId>) -> String {
    let Some(last) = outcome.receipts.last() else {
        return "Nothing was sent to a model.".into();
    };
    if outcome.cached && Some(&last.change) != change {
        return format!(
            "Answered from the cache, nothing was sent · receipt {} of {}",
            code(&last.id, MAX_NAME),
            last.at.format("%Y-%m-%d"),
        );
    }
    let last = outcome.receipts.len() - 1;
    let reached = |i| if i == last { outcome.reached } else { Reached::Yes };
    let receipts = outcome.receipts.iter().enumerate();
    receipts.map(|(i, receipt)| disclosed(receipt, reached(i))).collect::<Vec<_>>().join(" · ")
}

fn disclosed(receipt: &Receipt, reached: Reached) -> String {
    let mut files: BTreeMap<&RepoPath, u32> = BTreeMap::new();
    for sent in &receipt.sent {
        *files.entry(&sent.path).or_default() += sent.end - sent.start + 1;
    }
    let count = files.len();
    let mut lines: Vec<_> = files
        .into_iter()
        .take(3)
        .map(|(path, lines)| {
            let unit = if lines == 1 { "line" } else { "lines" };
            format!("{lines} {unit} of {}", code(path.as_str(), MAX_NAME))
        })
        .collect();
    if count > 3 {
        lines.push(format!("{} more files, {} lines in all,", count - 3, receipt.lines));
    }
    let redacted = match receipt.redactions.values().sum::<u32>() {
        0 => String::new(),
        n => format!(", {n} redacted"),
    };
    let listed = match receipt.requests.folders.len() {
        0 => String::new(),
        1 => ", chosen with the names of files of 1 folder".into(),
        n => format!(", chosen with the names of files of {n} folders"),
    };
    let (verb, end) = match reached {
        Reached::Yes => ("went to", ""),
        Reached::Maybe => ("may have gone to", ", which gave no answer"),
        Reached::No => ("were for", ", which was not reached: nothing was sent"),
    };
    format!(
        "{} (a prompt of {} tokens{redacted}{listed}) {verb} {} at {}{end} · receipt {}",
        lines.join(" and "),
        receipt.tokens,
        code(&receipt.model, MAX_NAME),
        code(&receipt.endpoint, MAX_NAME),
        code(&receipt.id, MAX_NAME),
    )
}
