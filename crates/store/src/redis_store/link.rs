//! The connection: it comes back by itself, and nothing waits on it for long.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chaffinch_core::StoreError;
use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

/// Codes of answers that pass: it is the server's state, not our request.
const PASSING: [&str; 11] = [
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "BUSY",
    "UNKILLABLE",
    "EXECABORT",
];

/// When a request whose connection broke is sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Doing it twice is doing it once.
    Harmless,
    /// Only if it cannot have been done: the connection was refused.
    IfUnsent,
}

impl Again {
    fn allows(self, error: &RedisError) -> bool {
        match self {
            Self::Harmless => error.is_connection_dropped(),
            Self::IfUnsent => error.is_connection_refusal(),
        }
    }
}

/// One multiplexed connection. It must never block, so no blocking command goes through it.
pub(crate) struct Link {
    client: Client,
    config: ConnectionManagerConfig,
    current: Mutex<(u64, ConnectionManager)>,
}

impl Link {
    /// Connects at the first request.
    pub(crate) fn new(client: Client, patience: Duration) -> Result<Self, StoreError> {
        // No retries inside: `twice` decides what may be sent again, and failing fast is an answer.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(patience.min(Duration::from_secs(2))))
            .set_response_timeout(Some(patience));
        let manager =
            client.get_connection_manager_lazy(config.clone()).map_err(|e| store_error(&e))?;
        Ok(Self { client, config, current: Mutex::new((0, manager)) })
    }

    pub(crate) async fn script<T: FromRedisValue + Send>(
        &self,
        call: &ScriptInvocation<'_>,
        again: Again,
    ) -> Result<T, StoreError> {
        self.twice(again, |mut at| async move { call.invoke_async(&mut at).await }).await
    }

    pub(crate) async fn pipe<T: FromRedisValue + Send>(
        &self,
        pipe: &Pipeline,
    ) -> Result<T, StoreError> {
        self.twice(Again::Harmless, |mut at| async move { pipe.query_async(&mut at).await }).await
    }

    pub(crate) async fn command<T: FromRedisValue + Send>(
        &self,
        cmd: &Cmd,
    ) -> Result<T, StoreError> {
        self.twice(Again::Harmless, |mut at| async move { cmd.query_async(&mut at).await }).await
    }

    /// The same, with the server's own error.
    pub(crate) async fn ask<T: FromRedisValue + Send>(&self, cmd: &Cmd) -> RedisResult<T> {
        let (_, mut manager) = self.current();
        cmd.query_async(&mut manager).await
    }

    async fn twice<T, F>(
        &self,
        again: Again,
        run: impl Fn(ConnectionManager) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let (generation, manager) = self.current();
        let mut result = run(manager).await;
        if result.as_ref().is_err_and(|error| again.allows(error)) {
            result = run(self.current().1).await;
        }
        if let Err(error) = &result
            && is_stuck(error)
        {
            self.replace(generation);
        }
        result.map_err(|error| store_error(&error))
    }

    fn current(&self) -> (u64, ConnectionManager) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The manager reconnects after a broken connection, but neither after time-outs (a peer that
    /// vanished) nor after a refused login or a demoted server.
    fn replace(&self, generation: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == generation
            && let Ok(manager) = self.client.get_connection_manager_lazy(self.config.clone())
        {
            *current = (generation + 1, manager);
        }
    }
}

fn is_stuck(error: &RedisError) -> bool {
    error.is_timeout()
        || error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("READONLY" | "NOAUTH" | "WRONGPASS"))
}

/// Keeps the kind of an error and drops its text, which may quote what was sent.
pub(crate) fn store_error(error: &RedisError) -> StoreError {
    if error.is_timeout() {
        return StoreError::Unavailable("redis does not answer in time".into());
    }
    if error.is_io_error() || error.is_connection_dropped() {
        return StoreError::Unavailable("no connection to redis".into());
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return StoreError::Refused("redis refuses the user or password of its url".into());
    }
    match error.code() {
        Some(code) if PASSING.contains(&code) => {
            StoreError::Unavailable(format!("redis says {code}"))
        }
        Some(code @ ("NOAUTH" | "WRONGPASS")) => {
            StoreError::Refused(format!("redis refuses the user or password of its url ({code})"))
        }
        Some("NOPERM") => StoreError::Refused("redis lacks a permission for our user".into()),
        Some(code) => StoreError::Other(format!("redis says {code}")),
        None => StoreError::Other(format!("redis: {}", error.category())),
    }
}
