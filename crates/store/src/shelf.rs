//! Where sealed bytes lie. It knows places and times, no keys and no meaning.

use async_trait::async_trait;
use chaffinch_core::{Book, Destroyed, RepoId, StoreError};

/// The values of one kind of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// [`RepoId::key`], or [`LEDGER`].
    pub(crate) repo: String,
    /// The kind's word.
    pub(crate) kind: &'static str,
}

impl Place {
    pub(crate) fn new(repo: &RepoId, kind: &'static str) -> Self {
        Self { repo: repo.key(), kind }
    }

    /// The pages of a book of the ledger.
    pub(crate) fn book(book: Book) -> Self {
        Self { repo: LEDGER.to_owned(), kind: book.as_str() }
    }
}

/// Owns what is of no repository. A repository's key has two colons; this is none.
pub(crate) const LEDGER: &str = "ledger";

/// The kinds that a repository has; destroying it empties each.
pub(crate) const KINDS: [&str; 5] = ["answer", "record", "report", "evaluation", RECEIPT];

/// The kind of receipts.
pub(crate) const RECEIPT: &str = "receipt";

/// The kind of this word, if that owner can have it.
pub(crate) fn kind_of(owner: &str, word: &str) -> Option<&'static str> {
    let books = Book::ALL.map(Book::as_str);
    let kinds = if owner == LEDGER { books.as_slice() } else { KINDS.as_slice() };
    kinds.iter().find(|kind| **kind == word).copied()
}

/// What must lie under a name for a value to be put there.
pub(crate) enum Over {
    /// Whatever does is replaced.
    Anything,
    /// Nothing at all.
    Nothing,
    /// Exactly these bytes, under this name; they go. Where that is another name than the value's, as
    /// after the key was rotated, nothing may lie under the value's own.
    This { name: Vec<u8>, value: Vec<u8> },
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there, durably, and its salt with it.
    Kept,
    /// Not what must lie there does; nothing was written.
    Occupied,
    /// The salt is another by now: its owner was destroyed meanwhile. Nothing was written.
    Unsalted,
}

/// One sealed value on its way to the shelf. Times are milliseconds since 1970.
pub(crate) struct Entry {
    pub(crate) place: Place,
    /// The sealed name.
    pub(crate) name: Vec<u8>,
    /// The sealed value.
    pub(crate) value: Vec<u8>,
    pub(crate) now: i64,
    pub(crate) expires: i64,
    pub(crate) over: Over,
    /// The salt that it was sealed with.
    pub(crate) salt: Vec<u8>,
}

/// Sealed bytes and salts, with expiry.
#[async_trait]
pub(crate) trait Shelf: Send + Sync {
    /// The owner's salt, if it has one.
    async fn salt(&self, repo: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The owner's salt; `fresh` becomes it if there is none.
    async fn salt_or(&self, repo: &str, fresh: Vec<u8>, now: i64) -> Result<Vec<u8>, StoreError>;

    /// The owners of which a salt or a value lies there, each once; in no order.
    async fn owners(&self, now: i64) -> Result<Vec<String>, StoreError>;

    /// Keeps a value if what must lie under its name does, in one step.
    async fn put(&self, entry: Entry) -> Result<Put, StoreError>;

    /// The values of these names, in their order.
    async fn get(
        &self,
        place: &Place,
        names: Vec<Vec<u8>>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Removes the values of these names.
    async fn remove(&self, place: &Place, names: Vec<Vec<u8>>) -> Result<(), StoreError>;

    /// The names of the values that have not expired.
    async fn names(&self, place: &Place, now: i64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Removes the salt, then everything else of the repository; how many values of each kind that
    /// was, without those that had expired.
    async fn destroy(&self, repo: &str, now: i64) -> Result<Destroyed, StoreError>;
}
