//! What the last runs found out about a change, so that a run with one tool's report keeps what
//! another tool's report said before. Of what may quote source it holds the models' reasons alone,
//! which the summary and the check show; the vault seals it.

use std::{collections::BTreeSet, time::Duration};

use chaffinch_core::{Change, CommitSha, SourceBytes, StoreError, Vault, VaultKind};
use serde::{Deserialize, Serialize};

use crate::{
    Assessment, Outcome, Standing, plan,
    scans::{self, Scans},
    tool,
};

const VERSION: u8 = 1;

/// The outcomes of one head, and which tools ever reported on the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    version: u8,
    head: CommitSha,
    tools: Vec<Reported>,
    outcomes: Vec<Outcome>,
    /// Whether more was said on this head than is known here.
    #[serde(default)]
    forgotten: bool,
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
    /// Its scans of that head.
    #[serde(default)]
    scans: Scans,
    /// How many it had of the head before: fewer are not all.
    #[serde(default)]
    wanted: usize,
}

impl Reported {
    fn complete(&self) -> bool {
        self.scans.len() >= self.wanted
    }
}

/// What an earlier record adds to a run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// Outcomes of the same head. That a later report on it is silent about them proves nothing: the
    /// lines are the same, and the report may be another scan's.
    pub(crate) outcomes: Vec<Outcome>,
    /// Tools that reported on an earlier head, and neither now nor before on this one with as many
    /// scans; one that did not come to its end is none.
    pub(crate) waiting: Vec<String>,
    /// Whether more was said on this head than is known here.
    pub(crate) forgotten: bool,
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
    /// What it adds to a run that read all reports of `read` (keys of tools) for `head`.
    pub(crate) fn earlier(&self, head: &CommitSha, read: &BTreeSet<String>) -> Earlier {
        let new = |tool: &str| !read.contains(&tool::key(tool));
        let same = self.head == *head;
        let waits = |t: &&Reported| t.head != *head || t.unfinished || !t.complete();
        let waiting = self.tools.iter().filter(waits).filter(|t| new(&t.tool));
        Earlier {
            outcomes: self.outcomes.iter().filter(|_| same).cloned().collect(),
            waiting: waiting.map(|t| tool::name(&t.tool).to_owned()).collect(),
            forgotten: same && self.forgotten,
        }
    }

    /// The assessment that the record of `head` amounts to; of another head, one of nothing.
    pub(crate) fn assessment(known: Option<&Self>, head: &CommitSha) -> Assessment {
        let earlier = known.map(|record| record.earlier(head, &BTreeSet::new()));
        let Earlier { outcomes, waiting, forgotten } = earlier.unwrap_or_default();
        let spoke = |t: &&Reported| t.head == *head;
        let tools: Vec<String> = known
            .iter()
            .flat_map(|record| record.tools.iter().filter(spoke))
            .map(|t| t.tool.clone())
            .collect();
        Assessment { outcomes, waiting, forgotten, reports: tools.len(), ..Assessment::empty(head) }
    }

    /// The keys of the tools of a run that had more scans of the head before than they have of this
    /// one so far.
    pub(crate) fn partial(known: Option<&Self>, fresh: &Assessment) -> BTreeSet<String> {
        let reported = fresh.tools.iter().map(|tool| Self::reported(known, fresh, tool));
        reported.filter(|t| !t.complete()).map(|t| tool::key(&t.tool)).collect()
    }

    fn reported(known: Option<&Self>, fresh: &Assessment, tool: &str) -> Reported {
        let key = tool::key(tool);
        let mut scans = fresh.scans.get(&key).cloned().unwrap_or_default();
        let before = known.iter().flat_map(|r| &r.tools).find(|t| tool::key(&t.tool) == key);
        let wanted = match before {
            Some(before) if before.head == fresh.head => {
                scans.extend(before.scans.iter().cloned());
                before.wanted
            }
            Some(before) if before.complete() => scans::at_least(&before.scans),
            Some(before) => before.wanted,
            None => 0,
        };
        let unfinished = plan::unfinished(fresh).contains(&key);
        Reported { tool: tool.to_owned(), head: fresh.head.clone(), unfinished, scans, wanted }
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
        let reported = assessment.tools.iter();
        let mut tools: Vec<Reported> =
            reported.map(|tool| Self::reported(earlier, assessment, tool)).collect();
        let known = earlier.iter().flat_map(|record| &record.tools);
        tools.extend(known.filter(|t| !read.contains(&tool::key(&t.tool))).cloned());
        Self {
            version: VERSION,
            head: head.clone(),
            tools,
            outcomes: assessment.outcomes.iter().map(Outcome::for_record).collect(),
            forgotten: assessment.forgotten,
        }
    }
}
