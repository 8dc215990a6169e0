//! A small world: a forge with one change, a store, a model, and an engine among them.

mod forge;
mod local;
mod model;
mod store;

use std::{sync::Arc, time::Duration};

use chaffinch_context::Extractor;
use chaffinch_core::{
    Access, ChangeId, CommitSha, ForgeKind, Job, RawReport, RepoId, Subject, Trigger,
};
use chaffinch_egress::{Door, Endpoint, Policy};
use chaffinch_triage::{Config, Done, Engine, JobError, Parts, Uploads};

pub(crate) use forge::{FakeForge, repeated as forge_repeated};
pub(crate) use local::{Draws, FixedClock, Words};
pub(crate) use model::{FakeModel, answer, false_positive, needs_review, true_positive};
pub(crate) use store::{MemoryReceipts, MemoryVault};

pub(crate) struct World {
    pub(crate) forge: Arc<FakeForge>,
    pub(crate) model: Arc<FakeModel>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) receipts: Arc<MemoryReceipts>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) config: Config,
    pub(crate) policy: Policy,
}

pub(crate) fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

pub(crate) fn repo() -> RepoId {
    RepoId { forge: ForgeKind::GitHub, installation: 1, id: 2, name: "acme/shop".parse().unwrap() }
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(FixedClock::new());
        let policy = Policy { repositories: vec!["acme/*".parse().unwrap()], ..Policy::default() };
        Self {
            forge: Arc::new(FakeForge::new(ChangeId { repo: repo(), number: 7 })),
            model: Arc::new(FakeModel::new()),
            vault: Arc::new(MemoryVault::new(Arc::clone(&clock))),
            receipts: Arc::default(),
            clock,
            config: Config {
                policy_url: Some("https://bot.example/policy".into()),
                ..Config::default()
            },
            policy,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        let entropy = Arc::new(Draws::default());
        let endpoint = Endpoint {
            base_url: "http://127.0.0.1:9/v1".into(),
            model: "tiny-1".into(),
            attestation: None,
            self_hosted: false,
        };
        let endpoints = vec![endpoint.terms().unwrap()];
        let door = Door::new(
            Policy { endpoints, ..self.policy.clone() },
            endpoint,
            self.receipts.clone(),
            Arc::new(Words),
            self.clock.clone(),
            entropy.clone(),
        );
        Engine::new(Parts {
            extractor: Extractor::new(Arc::new(Words)),
            door: Arc::new(door.unwrap()),
            model: self.model.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            entropy,
            config: self.config.clone(),
        })
    }

    pub(crate) fn job(&self, source: Trigger) -> Job {
        Job {
            delivery: "d-1".parse().unwrap(),
            repo: repo(),
            subject: Subject::Change(7),
            head: self.forge.head(),
            source,
        }
    }

    /// One try of a job for the head of now; not the last.
    pub(crate) async fn run(&self) -> Result<Done, JobError> {
        self.try_job(&self.job(Trigger::Change), false, vec![]).await
    }

    /// The last try.
    pub(crate) async fn run_last(&self) -> Result<Done, JobError> {
        self.try_job(&self.job(Trigger::Change), true, vec![]).await
    }

    pub(crate) async fn try_job(
        &self,
        job: &Job,
        last: bool,
        reports: Vec<RawReport>,
    ) -> Result<Done, JobError> {
        self.try_again(job, 2, last, reports).await
    }

    /// One of several tries.
    pub(crate) async fn try_again(
        &self,
        job: &Job,
        attempt: u32,
        last: bool,
        reports: Vec<RawReport>,
    ) -> Result<Done, JobError> {
        self.clock.advance(Duration::from_secs(60));
        let uploads = Uploads { reports, lost: Vec::new() };
        self.engine().run(job, attempt, last, &self.access(), uploads, None).await
    }

    /// What is said of a job that was tried too often.
    pub(crate) async fn give_up(&self, job: &Job, why: &str) -> Result<(), JobError> {
        self.engine().give_up(job, &self.access(), why).await
    }

    fn access(&self) -> Access {
        Access {
            source: self.forge.clone(),
            discussion: self.forge.clone(),
            grant: self.forge.clone(),
        }
    }
}
