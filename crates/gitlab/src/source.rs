//! The `Source` port: reads one project with a token that cannot write.

mod changes;
mod contents;
mod files;
mod pipelines;
mod reports;

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{
    Change, ChangedLines, CommitSha, ForgeError, RawReport, RepoPath, Source, SourceBytes,
};

use crate::{ReportFile, handle::Handle};

pub(crate) use changes::{DiffRefs, merge_request};
pub(crate) use files::Lines;
pub(crate) use pipelines::{is_job, merge_request_of, merges};

/// The bounds of what is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Of one file, in bytes.
    pub(crate) file: u64,
    /// Of all reports of one head together, in bytes.
    pub(crate) reports: u64,
}

pub(crate) struct GitLabSource {
    pub(crate) handle: Arc<Handle>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) reports: Arc<[ReportFile]>,
    pub(crate) bounds: Bounds,
}

#[async_trait]
impl Source for GitLabSource {
    async fn change(&self, number: u64) -> Result<Change, ForgeError> {
        changes::one(&self.handle, number).await
    }

    async fn changes_at(&self, head: &CommitSha) -> Result<Vec<u64>, ForgeError> {
        changes::at(&self.handle, head).await
    }

    async fn reports(&self, change: &Change) -> Result<Vec<RawReport>, ForgeError> {
        reports::of(&self.handle, change, &self.reports, self.bounds.reports).await
    }

    async fn changed_lines(&self, change: &Change) -> Result<ChangedLines, ForgeError> {
        Ok((*self.lines.of(change).await?.changed).clone())
    }

    async fn file(&self, path: &RepoPath, at: &CommitSha) -> Result<SourceBytes, ForgeError> {
        contents::file(&self.handle, path, at, self.bounds.file).await
    }

    async fn names(&self, folder: &str, at: &CommitSha) -> Result<Vec<String>, ForgeError> {
        contents::names(&self.handle, folder, at).await
    }
}

/// Scope and role of everything that is read, for people.
pub(crate) const READ: &str = "scope read_api, role Reporter";
