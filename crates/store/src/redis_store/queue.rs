//! The queue on Redis: a stream of jobs, and scripts that are each one step.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chaffinch_core::{
    Acked, Clock, Enqueued, Entropy, Job, Lease, Queue, QueueDepth, RepoId, StoreError,
};
use chrono::{DateTime, Utc};
use redis::{
    FromRedisValue, Script, ScriptInvocation, Value, cmd,
    streams::{StreamId, StreamRangeReply},
};

use super::{
    keys::Keys,
    link::{Again, Link},
};
use crate::{
    cabinet::time,
    config::{MAX_RETRY_DELAY, QUEUE_KEEP, QueueConfig, millis, refused},
    stored::{self, Marks, Token},
};

/// How many entries a script moves before it lets others have their turn.
const BATCH: usize = 500;

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("scripts/prelude.lua"),
                include_str!(concat!("scripts/", $file, ".lua"))
            ))
        });
    };
}

script!(ENQUEUE, "enqueue");
script!(LEASE, "lease");
script!(EXTEND, "extend");
script!(ACK, "ack");
script!(RETRY, "retry");
script!(BURY, "bury");
script!(DEPTH, "depth");
script!(FORGET, "forget");

pub(crate) struct RedisQueue {
    pub(crate) link: Link,
    pub(crate) keys: Keys,
    pub(crate) config: QueueConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// What the lease script answers.
enum Taken {
    Nothing,
    More,
    Entry { id: String, attempt: u32, job: String, marks: Marks },
}

impl RedisQueue {
    /// A call with what every script takes.
    fn call(&self, script: &'static Script, now: i64) -> ScriptInvocation<'static> {
        let mut call = script.prepare_invoke();
        for key in self.keys.queue() {
            call.key(key);
        }
        call.arg(now).arg(millis(QUEUE_KEEP));
        call
    }

    /// A call about a lease; `None` if the token is none of ours.
    fn lease_call(
        &self,
        script: &'static Script,
        token: &str,
        marks: &Marks,
    ) -> Option<ScriptInvocation<'static>> {
        let token = Token::parse(token)?;
        let mut call = self.call(script, self.now());
        call.key(self.keys.seen(&marks.work)).key(self.keys.seen(&marks.delivery));
        call.arg(token.id).arg(token.random);
        Some(call)
    }

    async fn finish(&self, call: &ScriptInvocation<'_>) -> Result<bool, StoreError> {
        self.link.script(call, Again::IfUnsent).await
    }

    async fn take(&self, until: i64, now: i64, random: &str) -> Result<Taken, StoreError> {
        let mut call = self.call(&LEASE, now);
        call.arg(until).arg(random).arg(BATCH);
        let answer: Vec<Value> = self.link.script(&call, Again::IfUnsent).await?;
        taken(answer).ok_or_else(|| StoreError::Other("redis: a lease makes no sense".into()))
    }

    async fn bury_entry(
        &self,
        token: &str,
        marks: &Marks,
        attempt: u32,
        why: &str,
    ) -> Result<bool, StoreError> {
        let Some(mut call) = self.lease_call(&BURY, token, marks) else { return Ok(false) };
        call.arg(stored::why(why)).arg(attempt).arg(self.config.max_dead);
        self.finish(&call).await
    }

    /// The repositories that dead letters are of, by the names of then.
    pub(crate) async fn buried(&self) -> Result<Vec<RepoId>, StoreError> {
        let [.., dead, _] = self.keys.queue();
        let letters: StreamRangeReply =
            self.link.command(cmd("XRANGE").arg(dead).arg("-").arg("+")).await?;
        let repo = |letter: &StreamId| {
            let job = letter.get::<String>("job").and_then(|text| stored::decode(&text));
            let key = || letter.get::<String>("repo").and_then(|key| RepoId::of_key(&key));
            job.map(|job| job.repo).or_else(key)
        };
        Ok(letters.ids.iter().filter_map(repo).collect())
    }

    /// Removes the dead letters of a repository; how many.
    pub(crate) async fn forget(&self, repo: &RepoId) -> Result<u64, StoreError> {
        let mut call = self.call(&FORGET, self.now());
        call.arg(repo.key());
        self.link.script(&call, Again::Harmless).await
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

fn taken(answer: Vec<Value>) -> Option<Taken> {
    fn read<T: FromRedisValue>(value: Option<Value>) -> Option<T> {
        T::from_redis_value(value?).ok()
    }
    let mut answer = answer.into_iter();
    match read::<u8>(answer.next())? {
        0 => Some(Taken::Nothing),
        1 => Some(Taken::More),
        _ => Some(Taken::Entry {
            id: read(answer.next())?,
            attempt: read(answer.next())?,
            job: read(answer.next())?,
            marks: Marks { work: read(answer.next())?, delivery: read(answer.next())? },
        }),
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn enqueue(&self, job: &Job) -> Result<Enqueued, StoreError> {
        let text =
            stored::encode(job).map_err(|_| StoreError::Other("a job cannot be written".into()))?;
        let marks = Marks::of(job);
        let mut call = self.call(&ENQUEUE, self.now());
        call.key(self.keys.seen(&marks.work)).key(self.keys.seen(&marks.delivery));
        call.arg(text).arg(job.lane()).arg(self.config.max_jobs);
        call.arg(marks.work).arg(marks.delivery).arg(job.repo.key());
        match self.link.script::<i64>(&call, Again::Harmless).await? {
            1 => Ok(Enqueued::New),
            0 => Ok(Enqueued::Duplicate),
            _ => Err(StoreError::Unavailable("the queue is full".into())),
        }
    }

    async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        let random = self.entropy.hex(16);
        loop {
            let now = self.now();
            let until = now + millis(self.config.lease);
            let (id, attempt, job, marks) = match self.take(until, now, &random).await? {
                Taken::Nothing => return Ok(None),
                Taken::More => continue,
                Taken::Entry { id, attempt, job, marks } => (id, attempt, job, marks),
            };
            let token = Token::write(id, &random);
            if let Some(job) = stored::decode(&job) {
                return Ok(Some(Lease { job, attempt, token, until: time(until) }));
            }
            tracing::warn!("a queued job cannot be read; it goes to the dead letters");
            self.bury_entry(&token, &marks, attempt, "the job cannot be read").await?;
        }
    }

    async fn extend(&self, lease: &Lease) -> Result<bool, StoreError> {
        let marks = Marks::of(&lease.job);
        let Some(mut call) = self.lease_call(&EXTEND, &lease.token, &marks) else {
            return Ok(false);
        };
        call.arg(self.now() + millis(self.config.lease));
        // A second extension does what the first did.
        self.link.script(&call, Again::Harmless).await
    }

    async fn ack(&self, lease: &Lease, outcome: Acked) -> Result<bool, StoreError> {
        let marks = Marks::of(&lease.job);
        let Some(mut call) = self.lease_call(&ACK, &lease.token, &marks) else {
            return Ok(false);
        };
        let ttl = millis(self.config.seen_ttl);
        let came_to = match outcome {
            Acked::Done => "done",
            Acked::Nothing => "nothing",
        };
        call.arg(ttl).arg(self.now() + ttl).arg(came_to);
        self.finish(&call).await
    }

    async fn retry(&self, lease: &Lease, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let at = at.timestamp_millis();
        if at > self.now() + millis(MAX_RETRY_DELAY) {
            return Err(refused("a job may be put off by 7 days at most"));
        }
        let marks = Marks::of(&lease.job);
        let Some(mut call) = self.lease_call(&RETRY, &lease.token, &marks) else {
            return Ok(false);
        };
        call.arg(at);
        self.finish(&call).await
    }

    async fn bury(&self, lease: &Lease, why: &str) -> Result<bool, StoreError> {
        let marks = Marks::of(&lease.job);
        self.bury_entry(&lease.token, &marks, lease.attempt, why).await
    }

    async fn depth(&self) -> Result<QueueDepth, StoreError> {
        let call = self.call(&DEPTH, self.now());
        let [all, leased, delayed, dead]: [u64; 4] =
            self.link.script(&call, Again::Harmless).await?;
        Ok(QueueDepth { ready: all.saturating_sub(leased + delayed), leased, delayed, dead })
    }

    async fn ready(&self) -> Result<(), StoreError> {
        // A write: a server that is full, read-only or cannot save answers reads all the same.
        let mut probe = cmd("SET");
        probe.arg(self.keys.probe()).arg(1).arg("PX").arg(1000);
        self.link.command(&probe).await
    }
}
