//! How much may be asked: requests and tokens a minute, the pauses that the endpoint asked for,
//! and a breaker for a quota that is used up.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chaffinch_egress::ModelError;
use chrono::{DateTime, TimeDelta, Utc};

pub(crate) struct Budget {
    state: Mutex<State>,
}

struct State {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    held_until: Option<DateTime<Utc>>,
    quota_until: Option<DateTime<Utc>>,
}

impl Budget {
    pub(crate) fn new(requests: Option<u32>, tokens: Option<u32>, now: DateTime<Utc>) -> Self {
        let bucket = |a_minute: Option<u32>| a_minute.map(|n| Bucket::full(n, now));
        Self {
            state: Mutex::new(State {
                requests: bucket(requests),
                tokens: bucket(tokens),
                held_until: None,
                quota_until: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Plain numbers, whole after every statement: a panic elsewhere does not spoil them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one request and `cost` tokens, and says how long to wait before they may be used.
    ///
    /// # Errors
    /// `Quota` while the breaker is open; `RateLimited`, and nothing is taken, if the wait would be
    /// longer than `longest`.
    pub(crate) fn reserve(
        &self,
        now: DateTime<Utc>,
        cost: u64,
        longest: Duration,
    ) -> Result<Duration, ModelError> {
        let mut state = self.state();
        let wait = state.wait(now, cost, longest)?;
        if let Some(bucket) = &mut state.requests {
            bucket.take(1);
        }
        if let Some(bucket) = &mut state.tokens {
            bucket.take(cost);
        }
        Ok(wait)
    }

    /// Whether a request could be reserved; takes nothing.
    ///
    /// # Errors
    /// As [`Self::reserve`], of a request that costs no tokens.
    pub(crate) fn check(&self, now: DateTime<Utc>, longest: Duration) -> Result<(), ModelError> {
        self.state().wait(now, 0, longest).map(drop)
    }

    /// Corrects a reservation of `cost` tokens by what the endpoint says it was.
    pub(crate) fn settle(&self, cost: u64, actual: u64) {
        if let Some(bucket) = &mut self.state().tokens {
            bucket.give_back(cost);
            bucket.take(actual);
        }
    }

    /// Nobody asks before `pause` is over.
    pub(crate) fn hold(&self, now: DateTime<Utc>, pause: Duration) {
        let mut state = self.state();
        state.held_until = state.held_until.max(Some(later(now, pause)));
    }

    /// Nobody asks before `pause` is over: each gets `Quota` at once. True if this is news.
    pub(crate) fn trip(&self, now: DateTime<Utc>, pause: Duration) -> bool {
        let mut state = self.state();
        let is_news = state.quota_until.is_none_or(|until| until <= now);
        state.quota_until = Some(later(now, pause));
        is_news
    }
}

impl State {
    fn wait(
        &mut self,
        now: DateTime<Utc>,
        cost: u64,
        longest: Duration,
    ) -> Result<Duration, ModelError> {
        if self.quota_until.is_some_and(|until| now < until) {
            return Err(ModelError::Quota);
        }
        let held = self.held_until.and_then(|until| (until - now).to_std().ok());
        let requests = self.requests.as_mut().map(|b| b.wait(now, 1));
        let tokens = self.tokens.as_mut().map(|b| b.wait(now, cost));
        let wait = [held, requests, tokens].into_iter().flatten().max().unwrap_or_default();
        if wait > longest {
            return Err(ModelError::RateLimited { after: Some(wait) });
        }
        Ok(wait)
    }
}

fn later(now: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(pause)
        .ok()
        .and_then(|pause| now.checked_add_signed(pause))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Holds a minute's worth, and fills evenly.
struct Bucket {
    capacity: f64,
    /// Below zero while those who took more are waiting.
    level: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    fn full(a_minute: u32, now: DateTime<Utc>) -> Self {
        let capacity = f64::from(a_minute);
        Self { capacity, level: capacity, at: now }
    }

    /// More than a minute's worth counts as a minute's worth: it could never be had otherwise.
    fn size(&self, cost: u64) -> f64 {
        (cost as f64).min(self.capacity)
    }

    fn wait(&mut self, now: DateTime<Utc>, cost: u64) -> Duration {
        // A clock that is set back gives nothing, and takes nothing.
        let passed = (now - self.at).to_std().unwrap_or_default().as_secs_f64();
        self.at = now;
        self.level = (self.level + passed * self.capacity / 60.0).min(self.capacity);
        let missing = self.size(cost) - self.level;
        Duration::try_from_secs_f64(missing * 60.0 / self.capacity).unwrap_or_default()
    }

    fn take(&mut self, cost: u64) {
        self.level -= self.size(cost);
    }

    fn give_back(&mut self, cost: u64) {
        self.level = (self.level + self.size(cost)).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn seconds(n: u64) -> Result<Duration, ModelError> {
        Ok(Duration::from_secs(n))
    }

    #[test]
    fn no_limit_is_no_wait() {
        let budget = Budget::new(None, None, at(0));
        for _ in 0..1000 {
            assert_eq!(budget.reserve(at(0), 1_000_000, Duration::ZERO), seconds(0));
        }
    }

    #[test]
    fn requests_past_the_limit_wait_in_a_row() {
        let budget = Budget::new(Some(6), None, at(0));
        for _ in 0..6 {
            assert_eq!(budget.reserve(at(0), 0, LONG), seconds(0));
        }
        assert_eq!(budget.reserve(at(0), 0, LONG), seconds(10));
        assert_eq!(budget.reserve(at(0), 0, LONG), seconds(20));
        let after = Some(Duration::from_secs(30));
        assert_eq!(budget.reserve(at(0), 0, LONG), Err(ModelError::RateLimited { after }));
        assert_eq!(budget.reserve(at(30), 0, LONG), seconds(0));
        assert_eq!(budget.reserve(at(3600), 0, LONG), seconds(0));
    }

    #[test]
    fn tokens_are_settled_by_what_they_were() {
        let budget = Budget::new(None, Some(600), at(0));
        assert_eq!(budget.reserve(at(0), 600, LONG), seconds(0));
        budget.settle(600, 100);
        assert_eq!(budget.reserve(at(0), 500, LONG), seconds(0));
        assert_eq!(budget.reserve(at(0), 100, LONG), seconds(10));
    }

    #[test]
    fn a_prompt_over_a_minutes_worth_is_asked_when_the_bucket_is_full() {
        let budget = Budget::new(None, Some(60), at(0));
        assert_eq!(budget.reserve(at(0), 1_000, LONG), seconds(0));
        assert!(budget.reserve(at(0), 1_000, LONG).is_err());
        assert_eq!(budget.reserve(at(60), 1_000, LONG), seconds(0));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing() {
        let budget = Budget::new(Some(1), None, at(1000));
        assert_eq!(budget.reserve(at(1000), 0, LONG), seconds(0));
        assert!(budget.reserve(at(0), 0, LONG).is_err());
        assert!(budget.reserve(at(30), 0, Duration::from_secs(29)).is_err());
        assert_eq!(budget.reserve(at(60), 0, LONG), seconds(0));
    }

    #[test]
    fn a_pause_that_the_endpoint_asked_for_holds_everybody() {
        let budget = Budget::new(None, None, at(0));
        budget.hold(at(0), Duration::from_secs(15));
        budget.hold(at(0), Duration::from_secs(5));
        assert_eq!(budget.reserve(at(0), 0, LONG), seconds(15));
        assert_eq!(budget.reserve(at(15), 0, LONG), seconds(0));
        budget.hold(at(15), Duration::from_secs(30));
        let after = Some(Duration::from_secs(30));
        assert_eq!(budget.reserve(at(15), 0, LONG), Err(ModelError::RateLimited { after }));
    }

    #[test]
    fn a_used_up_quota_answers_for_the_endpoint() {
        let budget = Budget::new(None, None, at(0));
        assert!(budget.trip(at(0), Duration::from_secs(600)));
        assert!(!budget.trip(at(1), Duration::from_secs(600)));
        assert_eq!(budget.reserve(at(600), 0, LONG), Err(ModelError::Quota));
        assert_eq!(budget.reserve(at(601), 0, LONG), seconds(0));
        assert!(budget.trip(at(601), Duration::MAX));
        assert_eq!(budget.reserve(at(9_999_999), 0, LONG), Err(ModelError::Quota));
    }
}
