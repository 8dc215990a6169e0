#![doc = include_str!("../README.md")]
// The objects that GitHub sends are large, and `json!` recurses once a field.
#![recursion_limit = "256"]

mod answer;
mod error;
mod github;
mod listen;
mod model;
mod page;

pub use error::SandboxError;
pub use github::{
    Call, Caller, Change, CheckView, CommentView, Delivered, Faults, GitHub, Options, Repo,
    Signature, ThreadView, TokenForm, Trouble, sign,
};
pub use model::{
    Model, ModelRequest, PromptLine, Reply, cut, drop_connection, false_positive, filtered, hang,
    http, json, malformed, needs_review, refusal, true_positive,
};
