//! Severity and confidence, however they are written.

use chaffinch_core::{Confidence, Severity};

/// From the bands of a CVSS score.
pub(crate) fn score(score: f64) -> Severity {
    match score {
        s if s >= 9.0 => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        s if s > 0.0 => Severity::Low,
        _ => Severity::Info,
    }
}

/// From a word: SARIF levels, CodeQL's `problem.severity`, Semgrep's old and new severities.
pub(crate) fn severity(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "error" | "high" => Severity::High,
        "warning" | "medium" | "moderate" => Severity::Medium,
        "note" | "info" | "low" | "recommendation" => Severity::Low,
        "none" | "inventory" | "experiment" => Severity::Info,
        _ => return None,
    })
}

/// From Semgrep's severity and the metadata of its rule. The old three words end at "high"; the
/// metadata can say that it is worse, and stands in where there is no word.
pub(crate) fn semgrep(word: &str, impact: &str, likelihood: &str) -> Severity {
    let (impact, likelihood) = (severity(impact), severity(likelihood));
    let worst = impact == Some(Severity::High) && likelihood == Some(Severity::High);
    match severity(word) {
        Some(Severity::High) if worst && word.trim().eq_ignore_ascii_case("error") => {
            Severity::Critical
        }
        Some(severity) => severity,
        None => match (impact, likelihood) {
            (Some(impact), Some(likelihood)) => impact.min(likelihood),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Severity::Medium,
        },
    }
}

/// From a word: Semgrep's and Bandit's confidence, SARIF's `precision`.
pub(crate) fn confidence(word: &str) -> Option<Confidence> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "very-high" | "high" => Confidence::High,
        "medium" => Confidence::Medium,
        "low" => Confidence::Low,
        _ => return None,
    })
}

/// From a tag as Semgrep writes it into SARIF: `LOW CONFIDENCE`.
pub(crate) fn confidence_tag(tag: &str) -> Option<Confidence> {
    confidence(tag.strip_suffix(" CONFIDENCE")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_into_their_bands() {
        let of = |s| score(s).as_str();
        assert_eq!(
            [9.0, 8.9, 7.0, 6.9, 4.0, 3.9, 0.1, 0.0, -1.0].map(of),
            ["critical", "high", "high", "medium", "medium", "low", "low", "info", "info"]
        );
    }

    #[test]
    fn semgrep_severities_of_all_versions() {
        for (word, impact, likelihood, want) in [
            ("ERROR", "", "", Severity::High),
            ("ERROR", "HIGH", "HIGH", Severity::Critical),
            ("ERROR", "HIGH", "LOW", Severity::High),
            ("HIGH", "HIGH", "HIGH", Severity::High),
            ("WARNING", "HIGH", "HIGH", Severity::Medium),
            ("INFO", "", "", Severity::Low),
            ("CRITICAL", "", "", Severity::Critical),
            ("MEDIUM", "LOW", "LOW", Severity::Medium),
            ("LOW", "", "", Severity::Low),
            ("INVENTORY", "", "", Severity::Info),
            ("", "HIGH", "MEDIUM", Severity::Medium),
            ("", "", "", Severity::Medium),
        ] {
            assert_eq!(semgrep(word, impact, likelihood), want, "{word} {impact} {likelihood}");
        }
    }

    #[test]
    fn confidence_is_unknown_where_nothing_says_it() {
        assert_eq!(confidence("very-high"), Some(Confidence::High));
        assert_eq!(confidence("UNDEFINED"), None);
        assert_eq!(confidence_tag("LOW CONFIDENCE"), Some(Confidence::Low));
        assert_eq!(confidence_tag("LOW"), None);
    }
}
