#![doc = include_str!("../README.md")]
// The objects that GitHub sends are large, and `json!` recurses once a field.
#![recursion_limit = "256"]

mod answer;
mod calls;
#[cfg(feature = "conformance")]
mod conformance;
mod delivery;
mod diff;
mod error;
mod faults;
mod github;
mod gitlab;
mod handles;
mod ledger;
mod listen;
mod model;
mod page;
mod record;
mod request;
mod routes;
mod tree;
mod views;
mod wire;

pub use calls::{Call, Caller};
pub use delivery::{Delivered, Signature};
pub use error::SandboxError;
pub use faults::{Plans, Trouble};
pub use github::{Change, Faults, GitHub, Options, Repo, TokenForm, sign};
pub use gitlab::{
    AccessToken, GitLab, GitLabFaults, GitLabOptions, Hook, Job, MergeRequest, Project,
    sign_delivery,
};
pub use model::{
    Model, ModelRequest, PromptLine, Reply, cut, drop_connection, false_positive, filtered, hang,
    http, json, malformed, needs_review, refusal, true_positive,
};
pub use views::{CheckView, CommentView, ThreadView};
