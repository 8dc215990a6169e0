#![doc = include_str!("../README.md")]

mod answer;
mod ask;
mod cached;
mod directed;
mod engine;
mod error;
pub mod evaluation;
mod files;
mod gather;
mod group;
mod hidden;
pub mod metrics;
mod outcome;
mod plan;
mod prompt;
mod publish;
mod record;
pub mod render;
mod scans;
mod schema;
mod scope;
mod suggest;
mod tool;

pub use directed::Directed;
pub use engine::{Config, Done, Engine, Parts, Uploads};
pub use error::JobError;
pub use hidden::is_hidden;
pub use outcome::{Assessment, Outcome, Reached, Standing, Unfinished};
pub use prompt::{INSTRUCTIONS, PROMPT_VERSION, build as prompt_for};
pub use publish::{Announcement, Written};
pub use schema::ANSWER;
pub use scope::{Scope, Touch};
