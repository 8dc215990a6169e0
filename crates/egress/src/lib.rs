//! The one door through which text leaves: policy, redaction, receipts.

mod cleared;
mod model;

pub use cleared::Cleared;
pub use model::{Completion, Model, ModelError, Usage};
