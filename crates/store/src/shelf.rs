//! Where sealed bytes lie. It knows places and times, no keys and no meaning.

use async_trait::async_trait;
use chaffinch_core::{Book, Destroyed, RepoId, StoreError};

/// The values of one kind of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// [`RepoId::key`].
    pub(crate) repo: String,
    /// The kind's word.
    pub(crate) kind: &'static str,
}

impl Place {
    pub(crate) fn new(repo: &RepoId, kind: &'static str) -> Self {
        Self { repo: repo.key(), kind }
    }

    pub(crate) fn of(book: Book) -> Self {
        Self { repo: LEDGER.to_owned(), kind: book.as_str() }
    }
}

/// The kinds that exist; destroying a repository empties each.
pub(crate) const KINDS: [&str; 5] = ["answer", "record", "report", "evaluation", RECEIPT];

/// Whose the ledger is, instead of a repository's: no [`RepoId::key`] is of this form.
pub(crate) const LEDGER: &str = "ledger";

/// The kinds of the ledger's pages.
pub(crate) fn books() -> impl Iterator<Item = &'static str> {
    Book::ALL.into_iter().map(Book::as_str)
}

/// The kind of receipts.
pub(crate) const RECEIPT: &str = "receipt";

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

/// What may lie under a name for a value to be written there. What has expired does not count.
#[derive(Clone)]
pub(crate) enum Over {
    Anything,
    Nothing,
    /// Exactly these sealed bytes.
    This(Vec<u8>),
}

/// What became of a value that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Kept,
    /// Something else lies there, and is left as it is.
    Left,
    /// Its salt is another by now: the repository was destroyed meanwhile.
    Destroyed,
}

/// Sealed bytes and salts, with expiry.
#[async_trait]
pub(crate) trait Shelf: Send + Sync {
    /// The repository's salt, if it has one.
    async fn salt(&self, repo: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The repository's salt; `fresh` becomes it if there is none.
    async fn salt_or(&self, repo: &str, fresh: Vec<u8>, now: i64) -> Result<Vec<u8>, StoreError>;

    /// The repositories that have a salt, each by its key; in no order.
    async fn repos(&self, now: i64) -> Result<Vec<String>, StoreError>;

    /// Keeps a value durably, and its salt with it.
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

    /// Removes the salt, then everything else of the repository; how many values of each kind.
    async fn destroy(&self, repo: &str) -> Result<Destroyed, StoreError>;
}
