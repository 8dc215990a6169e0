#![doc = include_str!("../README.md")]

mod cleared;
mod digest;
mod door;
mod endpoint;
mod inspected;
mod model;
mod policy;
mod redact;

pub use cleared::Cleared;
pub use digest::{answer_digest, prompt_digest};
pub use door::{ClearError, Disclosure, Door, Ending};
pub use endpoint::{Attestation, Endpoint};
pub use inspected::Inspected;
pub use model::{Completion, Model, ModelError, Usage};
pub use policy::{
    Direction, Entry, EvaluationLog, ExtraPattern, History, Listing, Mode, Moment, Pending, Policy,
    PolicyError, Redact, RepoPattern, Terms, Version,
};
pub use redact::{Placeholder, RedactError, Redacted, Redactor, Segment, placeholders};
