//! What became of the findings of a change.

use std::collections::BTreeMap;

use chaffinch_core::{Cause, CommitSha, Finding, LineRange, Receipt, SourceText, Triage, Verdict};
use serde::{Deserialize, Serialize};

use crate::{Directed, Touch, scans::Scans};

/// One finding and its triage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The finding.
    pub finding: Finding,
    /// Its triage.
    pub triage: Triage,
    /// How it touches the change.
    pub touch: Touch,
    /// The disclosures behind the triage, oldest first; empty where nothing was sent for it.
    pub receipts: Vec<Receipt>,
    /// Whether the last of them got to the model.
    #[serde(default)]
    pub reached: Reached,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// Whether the lines talk to their reviewer.
    pub directed: Option<Directed>,
    /// What the model would have to see to be sure. Untrusted.
    pub needs: Vec<SourceText>,
    /// Whether not all of that was looked for, since no more files may be asked for.
    #[serde(default)]
    pub spent: bool,
}

/// Whether what was cleared got to the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// It answered.
    #[default]
    Yes,
    /// It did not answer, which does not say that it heard nothing.
    Maybe,
    /// No connection was made: nothing has left.
    No,
}

/// How an outcome is counted and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is real.
    Real,
    /// A person must look: the model was not sure, or was not believed.
    Review,
    /// It was not triaged: something failed.
    Failed,
    /// It is likely a false positive; no person has said so.
    LikelyFalse,
}

impl Standing {
    /// The word used in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "true_positive",
            Self::Review => "needs_review",
            Self::Failed => "failed",
            Self::LikelyFalse => "false_positive",
        }
    }
}

impl Outcome {
    /// How it is counted and shown.
    pub fn standing(&self) -> Standing {
        match (self.triage.verdict, &self.triage.cause) {
            (Verdict::TruePositive, _) => Standing::Real,
            (Verdict::FalsePositive, None) => Standing::LikelyFalse,
            (_, None | Some(Cause::Unsure | Cause::Evidence | Cause::Directed)) => Standing::Review,
            (_, Some(_)) => Standing::Failed,
        }
    }

    /// The lines that the scanner points at; `None` where it means the whole file.
    pub fn lines(&self) -> Option<LineRange> {
        self.finding.location.as_ref().and_then(|at| at.region).map(|region| region.lines)
    }

    /// The same without the texts that quote source and that a summary or check does not show. The
    /// reason stays, which a model may have quoted a line in.
    pub(crate) fn for_record(&self) -> Self {
        let mut out = self.clone();
        out.finding.message = SourceText::default();
        out.finding.flow.iter_mut().for_each(|step| step.message = None);
        out.triage.evidence.iter_mut().for_each(|evidence| evidence.quote = SourceText::default());
        out.triage.remediation = None;
        out.triage.suggestion = None;
        out.needs = Vec::new();
        out
    }
}

/// What became of the findings of one head, and what was not looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The commit.
    pub head: CommitSha,
    /// The findings that touch the change, the gravest first.
    pub outcomes: Vec<Outcome>,
    /// The tools whose reports were read, as they call themselves.
    pub tools: Vec<String>,
    /// The scans that these reports are from, by the keys of the tools.
    #[serde(default)]
    pub(crate) scans: BTreeMap<String, Scans>,
    /// How many reports were read.
    pub reports: usize,
    /// Why reports could not be read, one entry each.
    pub unreadable: Vec<String>,
    /// Scans that did not come to their end; what was found in them counts.
    #[serde(default)]
    pub unfinished: Vec<Unfinished>,
    /// Results, and places of results, that could not be read as findings.
    pub skipped: usize,
    /// Findings that the scanner or its user has suppressed.
    pub suppressed: usize,
    /// Findings that do not touch the change, those that name no file of the repository included.
    pub elsewhere: usize,
    /// Whether the forge did not show all of the change.
    pub incomplete: bool,
    /// Tools that reported on an earlier head of the change and not yet on this one.
    pub waiting: Vec<String>,
    /// Findings of open threads of ours that nothing here speaks of: no report that was read says
    /// that they are gone.
    #[serde(default)]
    pub left_open: usize,
    /// Whether we said something on this head before and no longer know what.
    #[serde(default)]
    pub forgotten: bool,
    /// Why the job was given up on, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<String>,
}

/// A scan that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unfinished {
    /// The tool, as it calls itself; `None` where the report names none. Untrusted.
    pub tool: Option<String>,
    /// What tells that it did not, in our words.
    pub sign: String,
}

impl Assessment {
    /// That of a head of which nothing is known.
    pub(crate) fn empty(head: &CommitSha) -> Self {
        Self {
            head: head.clone(),
            outcomes: Vec::new(),
            tools: Vec::new(),
            scans: BTreeMap::new(),
            reports: 0,
            unreadable: Vec::new(),
            unfinished: Vec::new(),
            skipped: 0,
            suppressed: 0,
            elsewhere: 0,
            incomplete: false,
            waiting: Vec::new(),
            left_open: 0,
            forgotten: false,
            given_up: None,
        }
    }

    /// How many outcomes stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.standing() == standing).count()
    }

    /// Whether every finding was looked at, as far as is known.
    pub fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
            && !self.incomplete
            && self.unfinished.is_empty()
            && self.waiting.is_empty()
            && self.left_open == 0
            && !self.forgotten
            && self.skipped == 0
            && self.count(Standing::Failed) == 0
    }
}

/// Sorts the gravest first; equals by place, so that a re-run writes the same text.
pub(crate) fn sort(outcomes: &mut [Outcome]) {
    outcomes.sort_by_cached_key(|outcome| {
        let finding = &outcome.finding;
        let at = finding.location.as_ref().map(|at| at.path.clone());
        (
            outcome.standing(),
            std::cmp::Reverse(finding.rule.severity),
            at,
            outcome.lines(),
            finding.rule.id.clone(),
            finding.fingerprint,
        )
    });
}
