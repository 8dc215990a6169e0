//! Whole-bot tests: real HTTP, real signatures, a real store, a forge with state. They read as a
//! conversation; `harness` is what makes that possible.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

mod architecture;
mod conformance;
mod connect;
mod contract;
mod conversation;
mod crashes;
mod deliveries;
mod excerpt_words;
mod excerpts;
mod forge_trouble;
mod gitlab;
mod harness;
mod model_trouble;
mod odd_files;
#[path = "../promises/promises.rs"]
mod promises;
mod prove;
mod replay;
mod stores;
mod terminal;
