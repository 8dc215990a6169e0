//! The check of a head: green only where nothing stands and nothing was left unlooked at.

use std::fmt::Write;

use chaffinch_core::{Annotation, AnnotationLevel, Check, Conclusion, LineRange};

use super::{
    counted,
    escape::plain,
    summary::{counts, gaps, left_out},
};
use crate::{Assessment, Outcome, Standing};

/// The longest title of a check or annotation, in characters: forges take 255.
const MAX_TITLE: usize = 200;
/// The longest note of an annotation.
const MAX_MESSAGE: usize = 2_000;

/// The check over everything that is known of `assessment`'s head.
pub fn check(assessment: &Assessment) -> Check {
    let (conclusion, title) = verdict_in_words(assessment);
    let mut summary = format!("Findings that touch this change: {}.\n", counts(assessment));
    for sentence in gaps(assessment).into_iter().chain(left_out(assessment)) {
        let _ = writeln!(summary, "\n{sentence}");
    }
    if conclusion == Conclusion::Neutral && assessment.count(Standing::LikelyFalse) > 0 {
        summary.push_str(
            "\nA likely false positive is a model's opinion; it does not make this check green.\n",
        );
    }
    let standing = assessment.outcomes.iter().filter(|o| o.standing() == Standing::Real);
    Check {
        head: assessment.head.clone(),
        conclusion,
        title,
        summary,
        annotations: standing.filter_map(annotation).collect(),
    }
}

/// What the check concludes, and why, in one line.
pub fn verdict_in_words(assessment: &Assessment) -> (Conclusion, String) {
    let count = |standing| assessment.count(standing);
    let (real, review) = (count(Standing::Real), count(Standing::Review));
    let (failed, likely) = (count(Standing::Failed), count(Standing::LikelyFalse));
    if real > 0 {
        return (Conclusion::Failure, counted(real, "finding is real", "findings are real"));
    }
    let title = if failed > 0 {
        counted(failed, "finding could not be triaged", "findings could not be triaged")
    } else if review > 0 {
        counted(review, "finding needs a person's look", "findings need a person's look")
    } else if let Some(why) = &assessment.given_up {
        format!("the triage was given up on: {}", plain(why, 150))
    } else if !assessment.unreadable.is_empty() {
        let reports = assessment.unreadable.len();
        counted(reports, "report could not be read", "reports could not be read")
    } else if let Some(scan) = assessment.unfinished.first() {
        match &scan.tool {
            Some(tool) => format!("the scan of {} did not come to its end", plain(tool, 100)),
            None => "a report has no run of any tool".into(),
        }
    } else if assessment.incomplete {
        "the forge does not show all of this change".into()
    } else if let Some(tool) = assessment.waiting.first() {
        format!("waiting for the report of {}", plain(tool, 100))
    } else if assessment.left_open > 0 {
        counted(assessment.left_open, "earlier finding stands open", "earlier findings stand open")
    } else if assessment.forgotten {
        "what was said of this commit before is no longer known".into()
    } else if assessment.skipped > 0 {
        let skipped = assessment.skipped;
        counted(skipped, "result could not be read", "results could not be read")
    } else if likely > 0 {
        counted(likely, "likely false positive", "likely false positives")
            + ", not confirmed by a person"
    } else if assessment.reports == 0 {
        "no report was read".into()
    } else {
        return (Conclusion::Success, "no finding touches this change".into());
    };
    (Conclusion::Neutral, title)
}

fn annotation(outcome: &Outcome) -> Option<Annotation> {
    let at = outcome.finding.location.as_ref()?;
    let rule = &outcome.finding.rule;
    let title = format!("{} ({})", rule.id, rule.severity.as_str());
    let reason = plain(outcome.triage.reason.expose(), MAX_MESSAGE);
    Some(Annotation {
        path: at.path.clone(),
        lines: outcome.lines().unwrap_or(LineRange { start: 1, end: 1 }),
        level: AnnotationLevel::Failure,
        title: plain(&title, MAX_TITLE),
        message: reason,
    })
}
