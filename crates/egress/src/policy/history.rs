//! Every policy that was announced, and from these the one in force. Pure: whoever keeps the history
//! says what the clocks say.
//!
//! What is in force allows only what every policy allowed that was the latest one at any time within
//! the notice. So what is tighter acts at once, what is looser once it was announced for as long as
//! the notice says, and of a change that is both each field by itself.
//!
//! The notice is counted in time that was served: time in which a program was there to announce it,
//! by the clock of the day and by one that nobody can set. So neither a clock that is put forward or
//! back nor a restart shortens it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{MOST_NOTICE, Policy};

/// A policy that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// What it says.
    pub policy: Policy,
    /// When it was announced, by the clock of that day.
    pub announced: DateTime<Utc>,
    /// The time served until then.
    served: Duration,
}

/// A policy that came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it says.
    pub policy: Policy,
    /// Since when, by the clock of that day.
    pub since: DateTime<Utc>,
}

/// All versions and what became of them, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    versions: Vec<Version>,
    in_force: Vec<Entry>,
    /// The time served in all, and the clock of the day when it was last counted.
    served: Duration,
    looked: Option<DateTime<Utc>>,
}

/// What the clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock of the day.
    pub now: DateTime<Utc>,
    /// How long ago this program last looked at the history, by a clock that nobody sets; zero when it
    /// has just started.
    pub elapsed: Duration,
}

/// Which way a policy differs from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It allows the same.
    Same,
    /// It allows less: in force at once.
    Tighter,
    /// It allows more: in force after the notice.
    Looser,
    /// Less of some and more of others.
    Mixed,
}

/// What was announced and is not in force yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The policy in force from then on, if nothing else is announced.
    pub policy: Policy,
    /// From when, if the program runs until then.
    pub from: DateTime<Utc>,
}

impl Direction {
    /// Which way `new` differs from `old`.
    pub fn between(old: &Policy, new: &Policy) -> Self {
        match (new.is_within(old), old.is_within(new)) {
            (true, true) => Self::Same,
            (true, false) => Self::Tighter,
            (false, true) => Self::Looser,
            (false, false) => Self::Mixed,
        }
    }
}

impl History {
    /// The versions, the oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The policy in force when it was last looked at; `None` where none was ever announced.
    pub fn in_force(&self) -> Option<&Policy> {
        self.in_force.last().map(|entry| &entry.policy)
    }

    /// Every policy that was in force, and since when, the oldest first.
    pub fn past(&self) -> &[Entry] {
        &self.in_force
    }

    /// Counts the time since it was last looked at, and says which policy is in force; `None` where
    /// none was ever announced.
    pub fn look(&mut self, at: Moment) -> Option<&Policy> {
        let before = self.looked.replace(at.now).unwrap_or(at.now);
        // Several programs may share a history: what one has counted, the clock of the day keeps the
        // others from counting again.
        let passed = (at.now - before).to_std().unwrap_or_default().min(at.elapsed);
        self.served = self.served.saturating_add(passed);
        let policy = self.after(Duration::ZERO)?;
        let last = self.in_force.last();
        if last.is_none_or(|last| last.policy.digest() != policy.digest()) {
            self.in_force.push(Entry { policy, since: at.now });
        }
        self.in_force.last().map(|entry| &entry.policy)
    }

    /// Records `policy`, unless it is the latest one already, and says which way it differs from that.
    ///
    /// Where nothing is recorded, nothing is known of what was promised. Then [`Policy::default`]
    /// counts as promised, so that nothing looser is in force before its notice. Repositories and
    /// endpoints are not held against the default, which has none: each repository takes somebody's
    /// consent, to the policy that names them.
    pub fn announce(&mut self, policy: &Policy, at: Moment) -> Direction {
        self.look(at);
        let promised = match self.versions.last() {
            Some(last) => last.policy.clone(),
            None => {
                let repositories = policy.repositories.clone();
                let endpoints = policy.endpoints.clone();
                let promised = Policy { repositories, endpoints, ..Policy::default() };
                self.record(promised.clone(), at.now);
                promised
            }
        };
        if promised.digest() != policy.digest() {
            self.record(policy.clone(), at.now);
        }
        self.look(Moment { elapsed: Duration::ZERO, ..at });
        Direction::between(&promised, policy)
    }

    /// Forgets what was promised, though not what was in force and when: to be called where nobody is
    /// left to whom notice is owed. The next policy is announced as if it were the first.
    pub fn release(&mut self) {
        self.versions.clear();
    }

    /// The policy that was in force at a time of the past, as far as is recorded.
    pub fn was_in_force(&self, then: DateTime<Utc>) -> Option<&Policy> {
        self.in_force.iter().rfind(|entry| entry.since <= then).map(|entry| &entry.policy)
    }

    /// What is announced and comes into force later, the earliest first.
    pub fn pending(&self, now: DateTime<Utc>) -> Vec<Pending> {
        let Some(mut before) = self.after(Duration::ZERO) else { return Vec::new() };
        let ends = (0..self.versions.len()).filter_map(|i| self.until(i));
        let notices = || self.versions.iter().map(|version| notice(&version.policy));
        let mut waits: Vec<Duration> = ends
            .flat_map(|end| notices().map(move |notice| end.saturating_add(notice)))
            .filter_map(|end| end.checked_sub(self.served))
            .filter(|wait| !wait.is_zero())
            .collect();
        waits.sort_unstable();
        waits.dedup();
        let mut found = Vec::new();
        for wait in waits {
            let from = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
            let (Some(policy), Some(from)) = (self.after(wait), from) else { continue };
            if policy.digest() != before.digest() {
                found.push(Pending { policy: policy.clone(), from });
                before = policy;
            }
        }
        found
    }

    fn record(&mut self, policy: Policy, announced: DateTime<Utc>) {
        self.versions.push(Version { policy, announced, served: self.served });
    }

    /// The policy in force once `wait` more is served.
    fn after(&self, wait: Duration) -> Option<Policy> {
        let at = self.served.saturating_add(wait);
        let counts = |i: &usize, notice: Duration| {
            self.until(*i).is_none_or(|until| until.saturating_add(notice) > at)
        };
        let all = || 0..self.versions.len();
        // A notice holds for its own length after it was replaced by a shorter one.
        let own = |i: usize| Some(notice(&self.versions[i].policy)).filter(|own| counts(&i, *own));
        let longest = all().filter_map(own).max()?;
        let mut policies = all().filter(|i| counts(i, longest)).map(|i| &self.versions[i].policy);
        let first = policies.next()?;
        Some(policies.fold(first.tightest(first), |tightest, policy| tightest.tightest(policy)))
    }

    /// The time served when version `i` was replaced; `None` for the latest.
    fn until(&self, i: usize) -> Option<Duration> {
        self.versions.get(i + 1).map(|next| next.served)
    }
}

fn notice(policy: &Policy) -> Duration {
    Duration::from_secs(u64::from(policy.notice_days.min(MOST_NOTICE)) * 24 * 60 * 60)
}
