#![doc = include_str!("../README.md")]

mod api;
mod app;
mod body;
mod config;
mod discussion;
mod forge;
mod graphql;
mod handle;
pub mod permissions;
mod source;
#[cfg(test)]
mod testdata;
mod token;
mod webhook;

pub use config::{Config, ConfigError};
pub use discussion::CHECK_NAME;
pub use forge::GitHub;
pub use webhook::{Installation, Moved, Received, Rejected, Webhook};
