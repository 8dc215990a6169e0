#![doc = include_str!("../README.md")]

mod change;
mod check;
mod consent;
mod diff;
mod excerpt;
mod finding;
mod ids;
mod job;
#[cfg(feature = "leaks")]
pub mod leaks;
mod ports;
mod prompt;
mod receipt;
mod stored;
mod text;
mod thread;
mod triage;

pub use change::{Change, ChangedFile, ChangedLines, FileStatus, LineRange};
pub use check::{Annotation, AnnotationLevel, Check, Conclusion};
pub use consent::{Consent, Deletion, DeletionReason, Destroyed, Enabling};
pub use diff::{DiffLine, Hunk, LineKind, PatchError, parse_patch};
pub use excerpt::{Excerpt, ExcerptError, ExcerptLine, Reason, Rung};
pub use finding::{
    Confidence, Finding, Fingerprint, Flow, FlowRole, FlowStep, Location, Region, Rule, Severity,
};
pub use ids::{
    ChangeId, CommitSha, DeliveryId, ForgeKind, IdError, RepoId, RepoName, RepoPath, ReportId,
    RuleId,
};
pub use job::{Acked, Enqueued, Job, Lease, QueueDepth, Subject, Trigger};
pub use ports::{
    Access, Audit, Book, Clock, Discussion, Entropy, Forge, ForgeError, Grant, Ledger, Page, Queue,
    RawReport, Receipts, Source, StoreError, TokenCount, Vault, VaultKind,
};
pub use prompt::{AnswerSchema, Prompt};
pub use receipt::{Chain, ContentRequests, Flaw, Receipt, Sent, Settled};
pub use stored::{Fault, LONGEST_KEPT, Sealing, Stored};
pub use text::{SourceBytes, SourceText};
pub use thread::{
    Comment, CommentId, Marker, MarkerKind, NewThread, Placement, Posted, Side, Thread, ThreadId,
};
pub use triage::{Cause, Evidence, Suggestion, Triage, Verdict};
