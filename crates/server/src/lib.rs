#![doc = include_str!("../README.md")]

mod app;
pub mod config;
pub mod consent;
pub mod deletion;
mod forges;
mod http_client;
mod local;
mod metric;
mod notice;
mod rehearsal;
mod routes;
mod serve;
mod telemetry;
mod wire;
mod worker;

pub use app::App;
pub use config::{Config, ConfigError};
pub use http_client::http_client;
pub use local::{SystemClock, SystemEntropy};
pub use notice::recorded as recorded_history;
pub use rehearsal::Rehearsal;
pub use routes::router;
pub use serve::{Running, serve, start};
pub use telemetry::{install_crypto, install_logs, install_metrics};
pub use wire::{
    Kept, all_forges, check, check_for_triage, engine, github, gitlab, gitlab_http, in_force,
    in_force_here, kept, rehearsal,
};
pub use worker::{Ended, Worker};
