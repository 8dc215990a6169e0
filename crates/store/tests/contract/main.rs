//! One suite for both stores. Redis is started by the suite itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod audit;
mod beside;
mod destroyed;
mod ledger;
mod process;
mod queue;
mod receipts;
mod redis;
mod setting;
mod settled;
mod sqlite;
mod twins;
mod vault;

/// Runs each test on both stores, and looks through the store afterwards.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let mut setting = crate::setting::Setting::sqlite().await;
                super::$name(&mut setting).await;
                setting.audit().await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let mut setting = crate::setting::Setting::redis().await;
                super::$name(&mut setting).await;
                setting.audit().await;
            })*
        }
    };
}
pub(crate) use on_both;
