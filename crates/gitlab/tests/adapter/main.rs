//! The adapter against a peer of its own over real HTTP: one test a protocol fact.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod api;
mod checks;
mod discussion;
mod missing;
mod peer;
mod reports;
mod review;
mod setup;
mod source;
mod tokens;
