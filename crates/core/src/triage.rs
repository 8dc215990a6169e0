//! The outcome for one finding.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, LineRange, RepoPath, SourceText};

/// Is it real?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The finding is real.
    TruePositive,
    /// It is likely not, and the evidence for that was found in the lines that were sent.
    FalsePositive,
    /// A human must look: the model was not sure, or something failed.
    NeedsReview,
}

/// A quotation that was found, verbatim, at its line of the excerpt that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The file.
    pub path: RepoPath,
    /// The line, from 1.
    pub line: u32,
    /// What stands there.
    pub quote: SourceText,
}

/// Why a finding needs review though nobody said so: each is a failure, none a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Cause {
    /// The model itself was not sure.
    Unsure,
    /// The model declined to answer.
    ModelRefused,
    /// The endpoint's content filter stopped it.
    Filtered,
    /// The answer was cut off.
    Cut,
    /// The answer did not have the wanted shape.
    Malformed,
    /// The evidence for "false positive" was missing, or not in the lines that were sent.
    Evidence,
    /// The lines hold text that addresses whoever reviews them, so "false positive" is not taken.
    Directed,
    /// The endpoint's quota is used up; an administrator must act.
    Quota,
    /// The endpoint did not answer, in our own words.
    Unavailable(String),
    /// The policy forbids this disclosure, in our own words.
    Policy(String),
    /// The lines to judge could not be had, in our own words ("the file is larger than 100 MB").
    Source(String),
    /// More findings than one run may ask about.
    OverLimit,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsure => f.write_str("the model is not sure"),
            Self::ModelRefused => f.write_str("the model declined to answer"),
            Self::Filtered => f.write_str("the endpoint's content filter stopped the answer"),
            Self::Cut => f.write_str("the model's answer was cut off"),
            Self::Malformed => f.write_str("the model's answer did not have the required shape"),
            Self::Evidence => {
                f.write_str("the model's evidence is not in the lines that it was shown")
            }
            Self::Directed => f.write_str("the lines hold text that addresses their reviewer"),
            Self::Quota => f.write_str("the model endpoint's quota is used up"),
            Self::Unavailable(why) => write!(f, "the model endpoint did not answer: {why}"),
            Self::Policy(why) => write!(f, "the policy does not allow it: {why}"),
            Self::Source(why) => write!(f, "its source could not be read: {why}"),
            Self::OverLimit => f.write_str("this run has more findings than it may ask about"),
        }
    }
}

/// Lines to put in the place of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The lines that it replaces, in the finding's file.
    pub lines: LineRange,
    /// What stands there then, without the last line's end. Untrusted.
    pub text: SourceText,
}

/// The outcome for one finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Triage {
    /// Which finding.
    pub finding: Fingerprint,
    /// Is it real?
    pub verdict: Verdict,
    /// Set exactly where the verdict is [`Verdict::NeedsReview`].
    pub cause: Option<Cause>,
    /// Why, in the model's words; empty where a failure is the cause. Untrusted.
    pub reason: SourceText,
    /// The quotations that bear the reason, each verified.
    pub evidence: Vec<Evidence>,
    /// What to do, in the model's words. Untrusted.
    pub remediation: Option<SourceText>,
    /// The finding's lines as they could be, if the model said so and it was found to fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
    /// How sure the model says it is, 0 to 100; 0 where a failure is the cause.
    pub confidence: u8,
    /// The model that answered, as the endpoint names it; empty where none did. Untrusted.
    pub model: String,
    /// The receipt of the disclosure behind this answer, if something was disclosed for it.
    pub receipt: Option<String>,
}

impl Triage {
    /// The outcome where something failed: needs review, with the cause, and nothing else.
    pub fn failed(finding: Fingerprint, cause: Cause) -> Self {
        Self {
            finding,
            verdict: Verdict::NeedsReview,
            cause: Some(cause),
            reason: SourceText::default(),
            evidence: Vec::new(),
            remediation: None,
            suggestion: None,
            confidence: 0,
            model: String::new(),
            receipt: None,
        }
    }
}
