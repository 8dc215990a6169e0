#![doc = include_str!("../README.md")]

mod cabinet;
mod config;
mod ports;
mod redis_store;
mod sealer;
mod shelf;
mod sqlite_store;
mod stored;

pub use config::{MAX_RETRY_DELAY, MAX_TTL, MAX_VALUE_BYTES, QUEUE_KEEP, QueueConfig};
pub use redis_store::{RedisConfig, RedisStore, keys};
pub use sealer::Sealer;
pub use sqlite_store::SqliteStore;
