//! The record of one disclosure. It holds no source.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ChangeId, CommitSha, Fingerprint, Reason, RepoPath, RuleId};

/// The record of one disclosure: what left, to whom, under which policy. No source, no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its id, unique; short enough to be read aloud (16 hexadecimal digits).
    pub id: String,
    /// When it was written, just before the text left.
    pub at: DateTime<Utc>,
    /// The change that the finding belongs to.
    pub change: ChangeId,
    /// The commit that the lines are from.
    pub head: CommitSha,
    /// The finding that they were sent for.
    pub finding: Fingerprint,
    /// Its rule.
    pub rule: RuleId,
    /// The lines that were sent.
    pub sent: Vec<Sent>,
    /// What was asked of the forge to choose these lines.
    #[serde(default)]
    pub requests: ContentRequests,
    /// How many lines of source were sent.
    pub lines: u32,
    /// How many tokens the whole prompt is, by the o200k_base vocabulary.
    pub tokens: u32,
    /// How often each class of text was replaced by a placeholder.
    pub redactions: BTreeMap<String, u32>,
    /// Where it went: scheme, host and port of the endpoint.
    pub endpoint: String,
    /// The model that was asked.
    pub model: String,
    /// The prompt's version.
    pub prompt_version: String,
    /// SHA-256 of the whole prompt as sent, hexadecimal.
    pub prompt_digest: String,
    /// SHA-256 of the policy in force, hexadecimal.
    pub policy_digest: String,
    /// What became of it; `None` until that is known, and where the program ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// What became of a disclosure: a record of its own, written after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The id of its receipt.
    pub receipt: String,
    /// When the prompt and the answer were wiped from memory.
    pub deleted: DateTime<Utc>,
    /// SHA-256 of the answer's text, hexadecimal; `None` where there was none.
    pub answer_digest: Option<String>,
    /// The endpoint's id for the request, if it gave one; printable ASCII, at most 200 characters.
    pub request_id: Option<String>,
    /// What came: a word such as `answered`, `malformed`, `refused`, `unavailable`.
    pub outcome: String,
}

/// What was asked of the forge to choose the lines for one finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRequests {
    /// Files, those that do not exist included, and those that the same run had at hand already. In
    /// a later round about the same finding also those of the earlier ones, each file once.
    pub files: u32,
    /// Folders whose names of files were read (empty: the root), where the policy allows it.
    pub folders: Vec<String>,
}

/// A run of lines of one file that were sent for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The file.
    pub path: RepoPath,
    /// The first line.
    pub start: u32,
    /// The last line.
    pub end: u32,
    /// Why.
    pub reason: Reason,
}

/// The receipts of a repository and what became of them, as a chain: each link names the digest of the
/// one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// How many receipts there are; what became of them has numbers, too, and is not counted here.
    pub receipts: u64,
    /// The number of the oldest link; those before it have expired.
    pub first: Option<u64>,
    /// The number of the newest.
    pub last: Option<u64>,
    /// The digest of the newest (SHA-256, hexadecimal): whoever notes it down can tell later that
    /// nothing before it was changed.
    pub head: Option<String>,
    /// What is wrong, the oldest first.
    pub flaws: Vec<Flaw>,
}

/// What is wrong with a chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// These are not there, and have not expired.
    Missing {
        /// The number of the first.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// It is not the one that the next one names.
    Altered {
        /// Its number.
        number: u64,
    },
    /// It is there and cannot be read.
    Unreadable {
        /// Its number.
        number: u64,
    },
    /// What says which one is the last is not there: some may have been cut off.
    NoEnd,
}
