//! The policy's history, kept in the ledger, and what follows from it put in force at the door.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chaffinch_core::{Book, Clock, Ledger, SourceBytes, StoreError};
use chaffinch_egress::{Door, History, Moment, Pending, Policy};

/// How long the ledger's pages outlive their last writing. They are written again long before.
pub(crate) const LEDGER_KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);
/// How much time may pass uncounted, and so how late something may come into force.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// The name of the only page.
const HISTORY: &str = "history";
/// How often it is written again because another process came between.
const TRIES: usize = 50;

/// Counts the notice, and follows what comes of it.
pub(crate) struct Notice {
    ledger: Arc<dyn Ledger>,
    door: Arc<Door>,
    configured: Policy,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// When it was looked at last, by the steady clock.
    at: Option<Duration>,
    history: History,
}

impl Notice {
    pub(crate) fn new(
        ledger: Arc<dyn Ledger>,
        door: Arc<Door>,
        configured: Policy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { ledger, door, configured, clock, seen: Mutex::default() }
    }

    /// Announces what is configured, if it is not the latest policy anyway.
    pub(crate) async fn announce(&self) -> anyhow::Result<()> {
        let now = self.clock.steady();
        let moment = Moment { now: self.clock.now(), elapsed: Duration::ZERO };
        let history = announced(&*self.ledger, &self.configured, moment).await?;
        self.take(now, history)
    }

    /// Counts the time since, and puts in force what its notice is over for, unless that was done a
    /// moment ago.
    pub(crate) async fn look(&self) -> anyhow::Result<()> {
        let now = self.clock.steady();
        let Some(before) = self.seen().at else { return self.announce().await };
        let elapsed = now.saturating_sub(before);
        if elapsed < EVERY {
            return Ok(());
        }
        let moment = Moment { now: self.clock.now(), elapsed };
        let history = kept(&*self.ledger, &self.configured, moment, false).await?;
        self.take(now, history)
    }

    fn take(&self, now: Duration, history: History) -> anyhow::Result<()> {
        if let Some(policy) = history.in_force() {
            if policy.digest() != self.door.policy_digest() {
                tracing::info!(policy = policy.digest(), "this policy is in force now");
            }
            self.door.enforce(policy.clone())?;
        }
        *self.seen() = Seen { at: Some(now), history };
        Ok(())
    }

    /// What comes into force later, the earliest first.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        self.seen().history.pending(self.clock.now())
    }

    /// The history as it was last read.
    pub(crate) fn history(&self) -> History {
        self.seen().history.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The history, once `configured` is announced in it.
///
/// # Errors
/// The store does not answer, or what it holds cannot be read. That is not taken for a history that is
/// missing: what was promised may stand in it.
pub(crate) async fn announced(
    ledger: &dyn Ledger,
    configured: &Policy,
    moment: Moment,
) -> Result<History, StoreError> {
    kept(ledger, configured, moment, true).await
}

/// The history as it is kept, untouched; an empty one where there is none.
///
/// # Errors
/// As [`announced`].
pub async fn recorded(ledger: &dyn Ledger) -> Result<History, StoreError> {
    match ledger.read(Book::Policy, HISTORY).await? {
        Some(page) => read(page.text.expose()),
        None => Ok(History::default()),
    }
}

async fn kept(
    ledger: &dyn Ledger,
    configured: &Policy,
    moment: Moment,
    announce: bool,
) -> Result<History, StoreError> {
    for _ in 0..TRIES {
        let page = ledger.read(Book::Policy, HISTORY).await?;
        let mut history = match &page {
            Some(page) => read(page.text.expose())?,
            None => History::default(),
        };
        // Notice is owed to those who enabled a repository. As long as there are none, what is
        // configured may still be put right.
        let owed = !ledger.pages(Book::Consent).await?.is_empty();
        if !owed {
            history.release();
        }
        if announce || history.versions().is_empty() {
            history.announce(configured, moment);
        } else {
            history.look(moment);
        }
        let text = serde_json::to_vec(&history)
            .map_err(|_| StoreError::Other("the policy's history cannot be written".into()))?;
        let text = SourceBytes::new(text);
        if ledger.write(Book::Policy, HISTORY, &text, page.as_ref(), LEDGER_KEPT).await? {
            return Ok(history);
        }
    }
    Err(StoreError::Unavailable("others write the policy's history all the time".into()))
}

fn read(text: &[u8]) -> Result<History, StoreError> {
    serde_json::from_slice(text).map_err(|_| {
        StoreError::Other(
            "the policy's history in the store cannot be read: it was written by a newer version, or is \
             damaged; restore the store from a backup"
                .into(),
        )
    })
}
