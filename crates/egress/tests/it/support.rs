//! Doubles that keep what they are given, and prompts to put through the door.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chaffinch_core::{
    AnswerSchema, Chain, ChangeId, Clock, CommitSha, ContentRequests, Entropy, Excerpt,
    ExcerptLine, Fingerprint, ForgeKind, Prompt, Reason, Receipt, Receipts, RepoId, RepoName,
    RuleId, Rung, Settled, StoreError, TokenCount,
};
use chaffinch_egress::{Disclosure, Door, Endpoint, Policy};
use chrono::{DateTime, Utc};

pub(crate) const SCHEMA: AnswerSchema = AnswerSchema { name: "answer", json: "{}" };

/// Keeps receipts in memory, or fails.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) kept: Mutex<Vec<Receipt>>,
    pub(crate) settled: Mutex<Vec<(Settled, Duration)>>,
    pub(crate) broken: bool,
}

#[async_trait]
impl Receipts for Ledger {
    async fn append(&self, receipt: &Receipt, _: Duration) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::Unavailable("disk full".into()));
        }
        self.kept.lock().unwrap().push(receipt.clone());
        Ok(())
    }

    async fn settle(
        &self,
        _: &ChangeId,
        settled: &Settled,
        keep: Duration,
    ) -> Result<(), StoreError> {
        self.settled.lock().unwrap().push((settled.clone(), keep));
        Ok(())
    }

    async fn list(&self, _: &RepoId, _: Option<u64>) -> Result<Vec<Receipt>, StoreError> {
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        let receipts = self.list(repo, None).await?.len() as u64;
        Ok(Chain { receipts, ..Chain::default() })
    }
}

/// A token is four bytes.
pub(crate) struct Quarter;

impl TokenCount for Quarter {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(4)
    }
}

pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }
}

pub(crate) struct Same;

impl Entropy for Same {
    fn hex(&self, bytes: usize) -> String {
        "ab".repeat(bytes)
    }
}

pub(crate) fn local_endpoint() -> Endpoint {
    Endpoint {
        base_url: "http://127.0.0.1:8080/v1".into(),
        model: "small".into(),
        attestation: None,
        self_hosted: false,
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        repositories: vec!["acme/*".parse().unwrap()],
        endpoints: vec![local_endpoint().terms().unwrap()],
        ..Policy::default()
    }
}

pub(crate) fn door(policy: Policy) -> Door {
    door_with(policy, Arc::new(Ledger::default()))
}

pub(crate) fn door_with(policy: Policy, ledger: Arc<Ledger>) -> Door {
    Door::new(policy, local_endpoint(), ledger, Arc::new(Quarter), Arc::new(Noon), Arc::new(Same))
        .unwrap()
}

pub(crate) fn disclosure(repo: &str) -> Disclosure {
    Disclosure {
        change: ChangeId {
            repo: RepoId {
                forge: ForgeKind::GitHub,
                installation: 1,
                id: 2,
                name: RepoName::new(repo).unwrap(),
            },
            number: 7,
        },
        head: CommitSha::new("0".repeat(40)).unwrap(),
        finding: "000102030405060708090a0b0c0d0e0f".parse::<Fingerprint>().unwrap(),
        rule: RuleId::new("python.sqli").unwrap(),
        requests: ContentRequests::default(),
    }
}

pub(crate) fn line(path: &str, number: u32, text: &str, reason: Reason) -> ExcerptLine {
    ExcerptLine { path: path.parse().unwrap(), number, text: text.into(), reason }
}

/// Lines that follow each other in one file.
pub(crate) fn lines(path: &str, first: u32, texts: &[&str]) -> Vec<ExcerptLine> {
    let numbered = (first..).zip(texts);
    numbered.map(|(number, text)| line(path, number, text, Reason::Function)).collect()
}

pub(crate) fn prompt(question: &str, lines: Vec<ExcerptLine>) -> Prompt {
    Prompt {
        version: "1",
        instructions: "Judge the finding.",
        schema: &SCHEMA,
        question: question.into(),
        excerpt: Excerpt::new(lines, Rung::Function, vec!["cut to the budget".into()]).unwrap(),
        marker: "K7F3Q9".into(),
        max_output_tokens: 800,
    }
}

/// Text that looks random and is the same in every run: no secret stands in these files.
pub(crate) fn random(alphabet: &str, length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters: Vec<char> = alphabet.chars().collect();
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state >> 33) as usize % letters.len()]
    };
    (0..length).map(next).collect()
}

pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
