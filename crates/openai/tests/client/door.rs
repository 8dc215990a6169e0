//! A real door with doubles behind it, and a prompt to clear.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chaffinch_core::{
    AnswerSchema, Chain, ChangeId, Clock, ContentRequests, Entropy, Excerpt, ExcerptLine,
    Fingerprint, ForgeKind, Prompt, Reason, Receipt, Receipts, RepoId, Rung, Settled, StoreError,
    TokenCount,
};
use chaffinch_egress::{Cleared, Disclosure, Door, Endpoint, Policy};
use chaffinch_openai::Config;
use chrono::{DateTime, TimeDelta, Utc};

/// The source line that every prompt holds; nothing but the endpoint may see it.
pub(crate) const SOURCE: &str = "cursor.execute(sentinel_source)";

/// Our own words in every prompt.
pub(crate) const INSTRUCTIONS: &str = "Answer in JSON with verdict and reason.";

/// The keys are not in alphabetical order, so that sorting would show.
pub(crate) static SCHEMA: AnswerSchema = AnswerSchema {
    name: "triage",
    json: r#"{"type":"object","properties":{"verdict":{"type":"string","enum":["true_positive","false_positive","needs_review"]},"reason":{"type":"string"}},"required":["verdict","reason"],"additionalProperties":false}"#,
};

/// A prompt that a door has cleared for `config`'s endpoint. `question` makes it unlike others.
pub(crate) async fn cleared(config: &Config, question: &str) -> Cleared<Prompt> {
    cleared_for(config.base_url.as_str(), &config.model, question).await
}

pub(crate) async fn cleared_for(base_url: &str, model: &str, question: &str) -> Cleared<Prompt> {
    let endpoint = Endpoint {
        base_url: base_url.to_owned(),
        model: model.to_owned(),
        attestation: None,
        self_hosted: false,
    };
    let policy = Policy {
        repositories: vec!["acme/shop".parse().unwrap()],
        endpoints: vec![endpoint.terms().unwrap()],
        ..Policy::default()
    };
    let receipts = Arc::new(Kept::default());
    let door = Door::new(
        policy,
        endpoint,
        receipts,
        Arc::new(Quarter),
        Arc::new(Ticking::default()),
        Arc::new(Counting::default()),
    )
    .unwrap();
    let inspected = door.inspect(prompt(question)).unwrap();
    door.clear(inspected, &disclosure()).await.unwrap()
}

fn prompt(question: &str) -> Prompt {
    let line = ExcerptLine {
        path: "app/db.py".parse().unwrap(),
        number: 12,
        text: SOURCE.into(),
        reason: Reason::Finding,
    };
    Prompt {
        version: "triage-1",
        instructions: INSTRUCTIONS,
        schema: &SCHEMA,
        question: question.into(),
        excerpt: Excerpt::new(vec![line], Rung::Finding, vec![]).unwrap(),
        marker: "K7F3".to_owned(),
        max_output_tokens: 300,
    }
}

fn disclosure() -> Disclosure {
    let repo = RepoId {
        forge: ForgeKind::GitHub,
        installation: 1,
        id: 2,
        name: "acme/shop".parse().unwrap(),
    };
    Disclosure {
        change: ChangeId { repo, number: 7 },
        head: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
        finding: Fingerprint::from_digest([7; 16]),
        rule: "python.sqli".parse().unwrap(),
        requests: ContentRequests::default(),
    }
}

/// Receipts in memory.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<Receipt>>);

#[async_trait]
impl Receipts for Kept {
    async fn append(&self, receipt: &Receipt, _: Duration) -> Result<(), StoreError> {
        self.0.lock().unwrap().push(receipt.clone());
        Ok(())
    }

    async fn settle(&self, _: &ChangeId, _: &Settled, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    async fn list(&self, repo: &RepoId, change: Option<u64>) -> Result<Vec<Receipt>, StoreError> {
        let kept = self.0.lock().unwrap();
        let wanted = |r: &&Receipt| {
            r.change.repo == *repo && change.is_none_or(|number| r.change.number == number)
        };
        Ok(kept.iter().filter(wanted).cloned().collect())
    }

    async fn repositories(&self) -> Result<Vec<RepoId>, StoreError> {
        Ok(Vec::new())
    }

    async fn verify(&self, repo: &RepoId) -> Result<Chain, StoreError> {
        let receipts = self.list(repo, None).await?.len() as u64;
        Ok(Chain { receipts, ..Chain::default() })
    }
}

/// Four bytes a token.
pub(crate) struct Quarter;

impl TokenCount for Quarter {
    fn count(&self, text: &str) -> usize {
        text.len().div_ceil(4)
    }
}

/// A clock that starts at the same moment in every test, and runs.
pub(crate) struct Ticking(Instant);

impl Default for Ticking {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.0.elapsed()).unwrap();
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + passed
    }
}

/// 1, 2, 3, … in hexadecimal.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn hex(&self, bytes: usize) -> String {
        let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let text = format!("{next:0width$x}", width = 2 * bytes);
        text[text.len() - 2 * bytes..].to_owned()
    }
}
