//! The files of one run: each is asked for once, and none outlives the run.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chaffinch_core::{CommitSha, ForgeError, RepoPath, Source, SourceBytes};
use tokio::sync::OnceCell;

/// The most bytes of files that one run holds.
const ROOM: usize = 256 << 20;

/// The most names that are kept of one folder.
const NAMES: usize = 1_000;

type Listed = Result<Arc<Vec<String>>, ForgeError>;
type Fetched = Result<Arc<SourceBytes>, ForgeError>;

/// Files at one commit, fetched when first wanted.
pub(crate) struct Files<'a> {
    source: &'a dyn Source,
    head: &'a CommitSha,
    cells: Mutex<HashMap<RepoPath, Arc<OnceCell<Fetched>>>>,
    folders: Mutex<HashMap<String, Arc<OnceCell<Listed>>>>,
    held: AtomicUsize,
}

impl<'a> Files<'a> {
    pub(crate) fn new(source: &'a dyn Source, head: &'a CommitSha) -> Self {
        Self {
            source,
            head,
            cells: Mutex::default(),
            folders: Mutex::default(),
            held: AtomicUsize::new(0),
        }
    }

    /// The file; two that want it at the same time share one request.
    pub(crate) async fn get(&self, path: &RepoPath) -> Fetched {
        cell(&self.cells, path).get_or_init(|| self.fetch(path)).await.clone()
    }

    /// The names of the files in one folder; to be asked for only where the policy allows it.
    pub(crate) async fn names(&self, folder: &str) -> Listed {
        let ask = || async {
            let mut names = self.source.names(folder, self.head).await?;
            names.truncate(NAMES);
            Ok(Arc::new(names))
        };
        cell(&self.folders, &folder.to_owned()).get_or_init(ask).await.clone()
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

/// Where the answer for `key` is kept, once it is there.
fn cell<K: Clone + Eq + Hash, V>(
    cells: &Mutex<HashMap<K, Arc<OnceCell<V>>>>,
    key: &K,
) -> Arc<OnceCell<V>> {
    let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cells.entry(key.clone()).or_default())
}
