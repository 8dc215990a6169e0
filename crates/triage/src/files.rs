//! The files of one run: each is asked for once, and none outlives the run.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chaffinch_core::{CommitSha, ForgeError, RepoPath, Source, SourceBytes};
use tokio::sync::OnceCell;

/// The most bytes of files that one run holds.
const ROOM: usize = 256 << 20;

type Fetched = Result<Arc<SourceBytes>, ForgeError>;

/// Files at one commit, fetched when first wanted.
pub(crate) struct Files<'a> {
    source: &'a dyn Source,
    head: &'a CommitSha,
    cells: Mutex<HashMap<RepoPath, Arc<OnceCell<Fetched>>>>,
    held: AtomicUsize,
}

impl<'a> Files<'a> {
    pub(crate) fn new(source: &'a dyn Source, head: &'a CommitSha) -> Self {
        Self { source, head, cells: Mutex::default(), held: AtomicUsize::new(0) }
    }

    /// The file; two that want it at the same time share one request.
    pub(crate) async fn get(&self, path: &RepoPath) -> Fetched {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(path.clone()).or_default())
        };
        cell.get_or_init(|| self.fetch(path)).await.clone()
    }

    async fn fetch(&self, path: &RepoPath) -> Fetched {
        if self.held.load(Ordering::Relaxed) >= ROOM {
            return Err(ForgeError::Truncated { limit: ROOM as u64 });
        }
        let bytes = self.source.file(path, self.head).await?;
        self.held.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(Arc::new(bytes))
    }
}
