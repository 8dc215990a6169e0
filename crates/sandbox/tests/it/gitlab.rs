//! The fake GitLab.

mod client;
mod conformance;
mod delivery;
mod discussions;
mod faults;
mod hooks;
mod notes;
mod page;
mod pipelines;
mod source;
mod statuses;
mod tokens;
