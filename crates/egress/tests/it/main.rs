//! What the crate promises, through its public door.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod counts;
mod door;
mod endpoint;
mod history;
mod labelled;
mod patterns;
mod policy;
mod receipts;
mod redaction;
mod support;
mod testdata;
