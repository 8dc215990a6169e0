//! The `Source` port: reads one repository with a token that cannot write.

mod changes;
mod contents;
mod files;
mod reports;

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{
    Change, ChangedLines, CommitSha, ForgeError, RawReport, RepoPath, Source, SourceBytes,
};

use crate::handle::Handle;

/// The bounds of what is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) code_scanning: bool,
    /// Of one file, in bytes.
    pub(crate) file: u64,
    /// Of all reports of one head together, in bytes.
    pub(crate) reports: u64,
}

pub(crate) struct GitHubSource {
    pub(crate) handle: Arc<Handle>,
    pub(crate) bounds: Bounds,
}

#[async_trait]
impl Source for GitHubSource {
    async fn change(&self, number: u64) -> Result<Change, ForgeError> {
        changes::one(&self.handle, number).await
    }

    async fn changes_at(&self, head: &CommitSha) -> Result<Vec<u64>, ForgeError> {
        changes::at(&self.handle, head).await
    }

    async fn reports(&self, change: &Change) -> Result<Vec<RawReport>, ForgeError> {
        if !self.bounds.code_scanning {
            return Ok(Vec::new());
        }
        reports::of(&self.handle, change, self.bounds.reports).await
    }

    async fn changed_lines(&self, change: &Change) -> Result<ChangedLines, ForgeError> {
        files::changed(&self.handle, change.id.number).await
    }

    async fn file(&self, path: &RepoPath, at: &CommitSha) -> Result<SourceBytes, ForgeError> {
        contents::file(&self.handle, path, at, self.bounds.file).await
    }

    async fn names(&self, folder: &str, at: &CommitSha) -> Result<Vec<String>, ForgeError> {
        contents::names(&self.handle, folder, at).await
    }
}

const PULL_REQUESTS: &str = "pull_requests: read";
const CONTENTS: &str = "contents: read";
