#![doc = include_str!("../README.md")]

mod budget;
mod client;
mod config;
mod failure;
mod headers;
mod probe;
mod reply;
mod request;
mod sheet;
mod wire;

pub use client::Client;
pub use config::{Api, Auth, Config, ConfigError, OutputLimit, Structured, reserved};
pub use probe::Probe;
pub use sheet::Sheet;
