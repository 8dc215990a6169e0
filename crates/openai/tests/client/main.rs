//! The client against a scripted endpoint, over real HTTP, with prompts that a real door cleared.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod door;
mod limits;
mod peer;
mod privacy;
mod probe;
mod replies;
mod requests;
mod retries;
