#![doc = include_str!("../README.md")]

mod api;
mod body;
mod config;
mod discussion;
mod forge;
mod handle;
mod inspect;
mod json;
pub mod permissions;
mod projects;
mod setup;
mod source;
#[cfg(test)]
mod testdata;
mod webhook;

pub use config::{Config, ConfigError, ProjectTokens, ReportFile};
pub use discussion::CHECK_NAME;
pub use forge::GitLab;
pub use inspect::{Beyond, Excess, Holder, Inspection};
pub use projects::{Projects, closest};
pub use setup::{Connected, NewHook, Setup, Tried};
pub use webhook::{HookSecret, Received, Rejected, Webhook, WebhookConfig, new_signing_token};
