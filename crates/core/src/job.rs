//! Queued work: ids only. No payload, no code, no token.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CommitSha, DeliveryId, RepoId, ReportId};

/// One piece of queued work: look at this commit of this repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The delivery that asked for it (for an upload: an id of our own).
    pub delivery: DeliveryId,
    /// The repository.
    pub repo: RepoId,
    /// What is to be looked at.
    pub subject: Subject,
    /// The commit that was the head when it was asked for.
    pub head: CommitSha,
    /// What asked for it.
    pub source: Trigger,
}

/// What a job is to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The change with this number.
    Change(u64),
    /// Every open change whose head this commit is: the event did not say which.
    Head,
}

/// What asked for a job. The same (repository, subject, head, trigger) twice is one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The change was opened, reopened, marked ready, or got new commits.
    Change,
    /// A check suite or code-scanning analysis of the head completed; the forge's id for it.
    Scan(String),
    /// A report was uploaded.
    Report(ReportId),
    /// A person asked for it again; the delivery tells one request from the next.
    Rerun(DeliveryId),
}

impl Job {
    /// Two jobs with the same key are the same work.
    pub fn key(&self) -> String {
        let subject = match &self.subject {
            Subject::Change(number) => number.to_string(),
            Subject::Head => "head".to_owned(),
        };
        let source = match &self.source {
            Trigger::Change => "change".to_owned(),
            Trigger::Scan(id) => format!("scan:{id}"),
            Trigger::Report(id) => format!("report:{id}"),
            Trigger::Rerun(delivery) => format!("rerun:{delivery}"),
        };
        format!("{}:{subject}:{}:{source}", self.repo.key(), self.head)
    }

    /// Jobs with the same lane never run at the same time: they write to the same change.
    pub fn lane(&self) -> String {
        match &self.subject {
            Subject::Change(number) => format!("{}:{number}", self.repo.key()),
            Subject::Head => format!("{}:{}", self.repo.key(), self.head),
        }
    }
}

/// What became of a job that was offered to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is kept, durably.
    New,
    /// The same delivery, or the same work, is already queued, running or done.
    Duplicate,
}

/// What came of a job that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acked {
    /// The work was done; the same work is not done again while it is remembered.
    Done,
    /// It came to nothing (the change is closed, a draft, or has moved on): the same work may be
    /// queued anew, by another delivery.
    Nothing,
}

/// The right to do a job until a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The work.
    pub job: Job,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Identifies this lease to the queue; a later lease of the same job has another.
    pub token: String,
    /// Until when. From then on the lease is lost, and another worker may take the job.
    pub until: DateTime<Utc>,
}

/// How many jobs are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Waiting for a worker.
    pub ready: u64,
    /// Being worked on.
    pub leased: u64,
    /// Waiting for a time to come.
    pub delayed: u64,
    /// Given up on; kept for people to look at.
    pub dead: u64,
}
