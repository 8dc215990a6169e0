//! Who enabled a repository, and what was destroyed when it was disabled.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::RepoId;

/// The recorded act without which nothing of a repository is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The repository.
    pub repo: RepoId,
    /// Who enabled it, in their own word or the forge's; 1 to 200 characters.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub how: Enabling,
    /// SHA-256 of the policy that was in force then, hexadecimal.
    pub policy_digest: String,
}

/// How a repository is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enabling {
    /// By the operator, on the command line.
    Command,
    /// By whoever installed the App on it, where the operator's rule says that this suffices.
    Installation,
}

/// The record of what was destroyed. It outlives that, and holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// The repository.
    pub repo: RepoId,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: DeletionReason,
    /// Who asked for it; empty where nobody did.
    pub by: String,
    /// The consent that ended with it, if there was one.
    pub consent: Option<Consent>,
    /// What was destroyed.
    pub destroyed: Destroyed,
    /// The digest of the last receipt, by which an exported chain is known again.
    pub receipts_head: Option<String>,
}

/// How many things of each kind were destroyed with the key that sealed them.
pub type Destroyed = BTreeMap<String, u64>;

/// Why everything of a repository is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeletionReason {
    /// It was disabled.
    Disabled,
    /// Somebody asked for it; what is enabled stays so.
    Purged,
    /// The App was uninstalled.
    Uninstalled,
    /// It was taken out of the installation, or deleted.
    Removed,
}
