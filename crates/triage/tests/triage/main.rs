//! The engine between living in-memory doubles of its ports.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up should stop")]

mod corpus;
mod double;
mod evaluation;
mod listing;
mod needs;
mod path;
mod privacy;
mod redacted;
mod replay;
mod reports;
mod requests;
mod rerun;
mod settled;
mod suggestions;
mod wrong;
