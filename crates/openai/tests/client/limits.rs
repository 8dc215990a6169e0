//! How much is asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chaffinch_core::Clock;
use chaffinch_egress::{Model, ModelError};
use chaffinch_openai::{Api, Client, Config};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use crate::{
    door::{Counting, cleared},
    peer::{Peer, Reply, client, http},
};

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Moved(AtomicI64);

impl Moved {
    fn on(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

fn client_at(config: &Config, clock: &Arc<Moved>) -> Client {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Client::new(http(), config.clone(), clock, Arc::new(Counting::default())).unwrap()
}

fn good() -> Reply {
    Reply::good(Api::Chat)
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_allowed() {
    let slow = || good().after(Duration::from_millis(30));
    let peer = Peer::start((0..8).map(|_| slow())).await;
    let config = Config { max_concurrency: 3, ..peer.config(Api::Chat) };
    let client = Arc::new(client(&config));
    let calls = (0..8).map(|i| {
        let (client, config) = (Arc::clone(&client), config.clone());
        async move { client.complete(&cleared(&config, &format!("q{i}")).await).await }
    });
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!((peer.count(), peer.most_at_once()), (8, 3));
}

#[tokio::test]
async fn a_call_that_gets_no_turn_in_time_may_come_again() {
    let slow = good().after(Duration::from_millis(400));
    let peer = Peer::start([slow, good()]).await;
    let timeout = Duration::from_millis(200);
    let config = Config { max_concurrency: 1, timeout, ..peer.config(Api::Chat) };
    let client = client(&config);
    let prompt = cleared(&config, "q").await;
    let (first, second) = tokio::join!(client.complete(&prompt), client.complete(&prompt));
    assert!(matches!(first, Err(ModelError::Unavailable(_))), "{first:?}");
    assert_eq!(second.unwrap_err(), ModelError::RateLimited { after: None });
    assert_eq!(peer.count(), 1);
}

#[tokio::test]
async fn past_the_requests_of_a_minute_the_caller_is_told_when_to_come_back() {
    let peer = Peer::start((0..9).map(|_| good())).await;
    let config = Config { requests_per_minute: Some(2), ..peer.config(Api::Chat) };
    let clock = Arc::new(Moved::default());
    let client = client_at(&config, &clock);
    let prompt = cleared(&config, "q").await;
    assert!(client.complete(&prompt).await.is_ok());
    assert!(client.complete(&prompt).await.is_ok());
    let after = Some(Duration::from_secs(30));
    assert_eq!(client.complete(&prompt).await.unwrap_err(), ModelError::RateLimited { after });
    assert_eq!(peer.count(), 2);
    clock.on(30);
    assert!(client.complete(&prompt).await.is_ok());
}

#[tokio::test]
async fn every_attempt_counts_as_a_request() {
    let peer = Peer::start((0..9).map(|_| Reply::text(500, ""))).await;
    let config = Config { requests_per_minute: Some(2), ..peer.config(Api::Chat) };
    let client = client_at(&config, &Arc::new(Moved::default()));
    let error = client.complete(&cleared(&config, "q").await).await.unwrap_err();
    assert_eq!(error, ModelError::RateLimited { after: Some(Duration::from_secs(30)) });
    assert_eq!(peer.count(), 2);
}

#[tokio::test]
async fn tokens_are_counted_as_the_endpoint_counts_them() {
    // A good answer costs 150 tokens; before it is there, more than 300 are set aside.
    let peer = Peer::start((0..9).map(|_| good())).await;
    let max_wait = Duration::ZERO;
    let config = Config { tokens_per_minute: Some(600), max_wait, ..peer.config(Api::Chat) };
    let client = client_at(&config, &Arc::new(Moved::default()));
    let prompt = cleared(&config, "q").await;
    assert!(client.complete(&prompt).await.is_ok());
    assert!(client.complete(&prompt).await.is_ok());
    // 300 are left, and ten more come each second.
    let cost = u64::from(prompt.receipt().tokens) + 300;
    let after = Some(Duration::from_millis((cost - 300) * 100));
    assert_eq!(client.complete(&prompt).await.unwrap_err(), ModelError::RateLimited { after });
    assert_eq!(peer.count(), 2);
}

#[tokio::test]
async fn after_a_used_up_quota_nothing_is_asked_for_a_while() {
    let quota = Reply::error(429, "insufficient_quota");
    let peer = Peer::start([quota, good()]).await;
    let config = peer.config(Api::Chat);
    let clock = Arc::new(Moved::default());
    let client = client_at(&config, &clock);
    let prompt = cleared(&config, "q").await;
    for _ in 0..5 {
        assert_eq!(client.complete(&prompt).await.unwrap_err(), ModelError::Quota);
        clock.on(119);
    }
    assert_eq!(peer.count(), 1);
    clock.on(5);
    assert!(client.complete(&prompt).await.is_ok());
}

#[tokio::test]
async fn a_client_that_would_send_nothing_says_so_without_asking() {
    let peer = Peer::start([Reply::error(429, "insufficient_quota"), good(), good()]).await;
    let config = Config { requests_per_minute: Some(2), ..peer.config(Api::Chat) };
    let clock = Arc::new(Moved::default());
    let client = client_at(&config, &clock);
    let prompt = cleared(&config, "q").await;
    assert_eq!(client.ready(), Ok(()));
    assert_eq!(client.complete(&prompt).await.unwrap_err(), ModelError::Quota);
    assert_eq!(client.ready(), Err(ModelError::Quota));
    assert_eq!(peer.count(), 1);
    clock.on(600);
    for _ in 0..5 {
        assert_eq!(client.ready(), Ok(()), "to ask whether it is ready takes nothing");
    }
    assert!(client.complete(&prompt).await.is_ok());
    assert!(client.complete(&prompt).await.is_ok());
    let after = Some(Duration::from_secs(30));
    assert_eq!(client.ready(), Err(ModelError::RateLimited { after }));
}
