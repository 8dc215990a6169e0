//! The log gone through once more: are the prompts the same, and what does a model say now?

use chaffinch_core::{
    ChangeId, CommitSha, Confidence, ContentRequests, Finding, Fingerprint, RepoId, Rule, RuleId,
    Severity, Source, SourceText, Verdict,
};
use chaffinch_egress::{Disclosure, Inspected};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{MAX_MODEL, Record, rebuild::rebuilt};
use crate::{
    Engine, Parts,
    answer::{self, held},
    ask::{Called, settle},
    files::Files,
};

/// One entry, gone through once more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The receipt of the disclosure then.
    pub receipt: String,
    /// When that was.
    pub at: DateTime<Utc>,
    /// The number of the change.
    pub change: u64,
    /// The commit that the lines are from.
    pub head: CommitSha,
    /// The finding.
    pub finding: Fingerprint,
    /// Its rule.
    pub rule: RuleId,
    /// Whether the prompt has the same digest.
    pub rebuilt: bool,
    /// Why it has not, in our own words.
    pub why: Option<String>,
    /// What came of it then.
    pub before: Compared,
    /// What comes of it now; `None` where nobody was asked.
    pub now: Option<Compared>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// A word for it, `answered` where a verdict came.
    pub outcome: String,
    /// The verdict that was believed.
    pub verdict: Option<Verdict>,
    /// Whether each quotation was found in the lines that were sent, and bore a "false positive".
    pub evidence_held: Option<bool>,
    /// The model that answered, or the one that was asked. Untrusted.
    pub model: String,
    /// Tokens of the prompt and the answer, as the endpoint counts them.
    pub tokens: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// The receipt of the disclosure, if there was one.
    pub receipt: Option<String>,
}

impl Replayed {
    /// Whether both verdicts are the same; `None` where one is missing.
    pub fn agrees(&self) -> Option<bool> {
        Some(self.before.verdict? == self.now.as_ref()?.verdict?)
    }
}

impl Compared {
    fn without_answer(outcome: &str, model: &str) -> Self {
        Self {
            outcome: outcome.to_owned(),
            verdict: None,
            evidence_held: None,
            model: model.to_owned(),
            tokens: 0,
            milliseconds: 0,
            receipt: None,
        }
    }

    fn before(record: &Record) -> Self {
        let answer = record.answer.as_ref();
        Self {
            outcome: record.outcome.clone(),
            verdict: answer.map(|answer| answer.judged),
            evidence_held: answer.map(|answer| answer.evidence_held),
            model: record.answered_by.clone().unwrap_or_else(|| record.model.clone()),
            tokens: record.usage.input + record.usage.output,
            milliseconds: record.milliseconds,
            receipt: Some(record.receipt.clone()),
        }
    }

    /// Whether the next question would end in the same way.
    fn is_final(&self) -> bool {
        matches!(self.outcome.as_str(), "quota" | "denied" | "unreachable")
    }
}

impl Engine {
    /// Makes the prompts of `records` again, and asks the model about those that are the same, if it is
    /// to `ask`. Each is a disclosure with its own receipt; no answer is taken from the cache, or put
    /// there, and nothing is written to the log. `each` is told of every entry once it is done.
    pub async fn replay(
        &self,
        repo: &RepoId,
        records: &[Record],
        source: &dyn Source,
        ask: bool,
        each: &mut (dyn FnMut(&Replayed) + Send),
    ) -> Vec<Replayed> {
        let (mut ask, mut all) = (ask, Vec::with_capacity(records.len()));
        for of_head in records.chunk_by(|a, b| a.head == b.head) {
            let Some(first) = of_head.first() else { continue };
            let files = Files::new(source, &first.head);
            for record in of_head {
                let replayed = one(&self.parts, repo, record, &files, ask).await;
                ask &= !replayed.now.as_ref().is_some_and(Compared::is_final);
                each(&replayed);
                all.push(replayed);
            }
        }
        all
    }
}

async fn one(
    parts: &Parts,
    repo: &RepoId,
    record: &Record,
    files: &Files<'_>,
    ask: bool,
) -> Replayed {
    let mut replayed = Replayed {
        receipt: record.receipt.clone(),
        at: record.at,
        change: record.change,
        head: record.head.clone(),
        finding: record.finding,
        rule: record.rule.clone(),
        rebuilt: false,
        why: None,
        before: Compared::before(record),
        now: None,
    };
    match rebuilt(&parts.door, files, record).await {
        Ok(inspected) => {
            replayed.rebuilt = true;
            if ask {
                replayed.now = Some(asked(parts, repo, record, inspected).await);
            }
        }
        Err(why) => replayed.why = Some(why),
    }
    replayed
}

async fn asked(parts: &Parts, repo: &RepoId, record: &Record, inspected: Inspected) -> Compared {
    let model = parts.door.endpoint().model.clone();
    // A receipt is for what leaves: none is written where nothing would.
    if let Err(error) = parts.model.ready() {
        return Compared::without_answer(error.word(), &model);
    }
    let cleared = match parts.door.clear(inspected, &disclosure(repo, record)).await {
        Ok(cleared) => cleared,
        Err(error) => return Compared::without_answer(&format!("not sent: {error}"), &model),
    };
    let receipt = cleared.receipt().clone();
    let called = Called::made(parts, &cleared).await;
    let mut compared = Compared::without_answer(called.outcome(), &model);
    compared.milliseconds = called.milliseconds;
    compared.receipt = Some(receipt.id.clone());
    if let Ok(completion) = &called.result {
        compared.model = completion.model.chars().take(MAX_MODEL).collect();
        compared.tokens = completion.usage.input + completion.usage.output;
    }
    if let Some(read) = &called.read {
        let sent = &cleared.prompt().excerpt;
        let judged = answer::judge(read.clone(), &finding(record), sent, record.directed);
        compared.evidence_held = Some(held(read, &answer::verified(read, sent), &judged));
        compared.verdict = Some(judged.triage.verdict);
    }
    drop(cleared);
    let ending = called.ending();
    drop(called);
    settle(parts, &receipt, ending).await;
    compared
}

fn disclosure(repo: &RepoId, record: &Record) -> Disclosure {
    let mut files: Vec<_> = record.prompt.sent.iter().map(|sent| &sent.path).collect();
    files.dedup();
    let files = u32::try_from(files.len()).unwrap_or(u32::MAX);
    Disclosure {
        change: ChangeId { repo: repo.clone(), number: record.change },
        head: record.head.clone(),
        finding: record.finding,
        rule: record.rule.clone(),
        requests: ContentRequests { files, folders: Vec::new() },
    }
}

/// As much of the finding as an answer is judged by.
fn finding(record: &Record) -> Finding {
    Finding {
        fingerprint: record.finding,
        tool: String::new(),
        rule: Rule {
            id: record.rule.clone(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::Medium,
            confidence: Confidence::Unknown,
        },
        message: SourceText::default(),
        location: record.location.clone(),
        flow: Vec::new(),
        suppressed: false,
    }
}
