//! Reports of real tools, whole and mutated.

#![expect(clippy::unwrap_used, reason = "tests")]

mod properties;
mod testdata;
