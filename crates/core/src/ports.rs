//! What the middle of the program asks of the outside.

mod forge;
mod local;
mod store;

pub use forge::{Access, Discussion, Forge, ForgeError, Grant, RawReport, Source};
pub use local::{Clock, Entropy, TokenCount};
pub use store::{Audit, Book, Ledger, Page, Queue, Receipts, StoreError, Vault, VaultKind};
