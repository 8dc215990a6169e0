//! What the last runs found out about a change, so that a run with one tool's report keeps what
//! another tool's report said before. Of what may quote source it holds the models' reasons alone,
//! which the summary and the check show; the vault seals it.

use std::{collections::BTreeSet, time::Duration};

use chaffinch_core::{Change, CommitSha, SourceBytes, StoreError, Vault, VaultKind};
use serde::{Deserialize, Serialize};

use crate::{Assessment, Outcome, Standing, plan, tool};

const VERSION: u8 = 1;

/// The outcomes of one head, and which tools ever reported on the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    version: u8,
    head: CommitSha,
    tools: Vec<Reported>,
    outcomes: Vec<Outcome>,
}

/// A tool, and the head that it last reported on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    tool: String,
    head: CommitSha,
    /// Whether its scan of that head did not come to its end.
    #[serde(default)]
    unfinished: bool,
}

/// What an earlier record adds to a run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// Outcomes of the same head, by tools that this run has no report of.
    pub(crate) outcomes: Vec<Outcome>,
    /// Tools that reported on an earlier head, and neither now nor before on this one; a scan that
    /// did not come to its end is no report.
    pub(crate) waiting: Vec<String>,
}

fn key(change: &Change) -> String {
    format!("change:{}", change.id.number)
}

/// The record of `change`; a damaged one counts as absent.
///
/// # Errors
/// Where the store does not answer.
pub(crate) async fn load(vault: &dyn Vault, change: &Change) -> Result<Option<Record>, StoreError> {
    let bytes = vault.get(&change.id.repo, VaultKind::Record, &key(change)).await?;
    let record = bytes.and_then(|b| serde_json::from_slice::<Record>(b.expose()).ok());
    Ok(record.filter(|record| record.version == VERSION))
}

/// Keeps what a run found out.
///
/// # Errors
/// Where the store does not answer.
pub(crate) async fn save(
    vault: &dyn Vault,
    change: &Change,
    record: &Record,
    ttl: Duration,
) -> Result<(), StoreError> {
    let Ok(bytes) = serde_json::to_vec(record) else {
        return Err(StoreError::Other("a record could not be written".into()));
    };
    let value = SourceBytes::new(bytes);
    vault.put(&change.id.repo, VaultKind::Record, &key(change), &value, ttl).await
}

impl Record {
    /// Whether a run has said anything on this head.
    pub(crate) fn speaks_of(&self, head: &CommitSha) -> bool {
        self.head == *head
    }

    /// What it adds to a run that read the reports of `read` (keys of tools) for `head`.
    pub(crate) fn earlier(&self, head: &CommitSha, read: &BTreeSet<String>) -> Earlier {
        let new = |tool: &str| !read.contains(&tool::key(tool));
        let kept = self.outcomes.iter().filter(|o| self.head == *head && new(&o.finding.tool));
        let waits = |t: &&Reported| t.head != *head || t.unfinished;
        let waiting = self.tools.iter().filter(waits).filter(|t| new(&t.tool));
        Earlier {
            outcomes: kept.cloned().collect(),
            waiting: waiting.map(|t| tool::name(&t.tool).to_owned()).collect(),
        }
    }

    /// Outcomes of the same head that a later failure does not undo: each asks for more caution
    /// than the failure would.
    pub(crate) fn cautious(&self, head: &CommitSha) -> impl Iterator<Item = &Outcome> {
        let same = self.head == *head;
        let cautious = |o: &&Outcome| matches!(o.standing(), Standing::Real | Standing::Review);
        self.outcomes.iter().filter(move |_| same).filter(cautious)
    }

    /// The record after a run over `assessment`, which holds what [`Record::earlier`] added.
    pub(crate) fn after(earlier: Option<&Self>, assessment: &Assessment) -> Self {
        let head = &assessment.head;
        let read = tool::keys(assessment.tools.iter().map(String::as_str));
        let unfinished = plan::unfinished(assessment);
        let mut tools: Vec<Reported> = assessment
            .tools
            .iter()
            .map(|tool| Reported {
                tool: tool.clone(),
                head: head.clone(),
                unfinished: unfinished.contains(&tool::key(tool)),
            })
            .collect();
        let known = earlier.iter().flat_map(|record| &record.tools);
        tools.extend(known.filter(|t| !read.contains(&tool::key(&t.tool))).cloned());
        Self {
            version: VERSION,
            head: head.clone(),
            tools,
            outcomes: assessment.outcomes.iter().map(Outcome::for_record).collect(),
        }
    }
}
