//! The evaluation log: what is kept of each question and its answer, to measure models by. One entry a
//! call. As `references` it points at lines and holds none, so that the prompt can be made again from
//! the commit; as `full` it holds prompt and answer too. What was redacted is in neither.

mod beside;
mod rebuild;
mod replay;

use std::{collections::BTreeMap, time::Duration};

use chaffinch_core::{
    CommitSha, Excerpt, ExcerptLine, Finding, Fingerprint, Location, Prompt, Receipt, RepoId,
    RuleId, Rung, Sent, SourceBytes, SourceText, StoreError, Vault, VaultKind, Verdict,
};
use chaffinch_egress::{Cleared, EvaluationLog, Usage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Directed,
    answer::{self, Answer, held},
    ask::Called,
    cached::{
        Pointer, point,
        words::{Part, apart},
    },
};

pub(crate) use beside::quoted;
pub(crate) use rebuild::{Cut, cuts};
pub use replay::{Compared, Replayed};

const VERSION: u8 = 1;
/// The longest name of a model that is kept, in characters.
const MAX_MODEL: usize = 100;
/// How many keys a vault tells at a time.
const PAGE: usize = 1_000;

/// One entry of the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u8,
    receipt: String,
    at: DateTime<Utc>,
    change: u64,
    head: CommitSha,
    finding: Fingerprint,
    rule: RuleId,
    /// Where the finding is: an answer is judged by it.
    location: Option<Location>,
    /// How its lines talk to their reader, which is judged too.
    directed: Option<Directed>,
    prompt: Asked,
    endpoint: String,
    /// The model that was asked, and the one that answered.
    model: String,
    answered_by: Option<String>,
    usage: Tokens,
    milliseconds: u64,
    outcome: String,
    answer: Option<Given>,
    answer_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full: Option<Full>,
}

/// What a prompt was made of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    version: String,
    digest: String,
    marker: String,
    max_output_tokens: u32,
    rung: Rung,
    notes: Vec<String>,
    sent: Vec<Sent>,
    cuts: Vec<Cut>,
    redactions: BTreeMap<String, u32>,
    /// Lines of the finding's file that the question quotes, though they were not sent.
    beside: Vec<u32>,
    /// `None` where something of it was redacted: then it cannot be made again.
    question: Option<Vec<Part>>,
}

/// What an answer said, without code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// What the model said, and what of that was believed.
    verdict: Verdict,
    judged: Verdict,
    evidence_held: bool,
    confidence: f64,
    /// The quotations that were found, of so many.
    evidence: Vec<Pointer>,
    quotations: usize,
    reason: Vec<Part>,
    remediation: Vec<Part>,
    fix: Vec<Part>,
    needs: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: u64,
    cached: u64,
    output: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self { input: usage.input, cached: usage.cached, output: usage.output }
    }
}

/// The prompt and the answer as they were.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    instructions: String,
    prompt: SourceText,
    answer: Option<SourceText>,
}

/// A call, to be written down.
pub(crate) struct Call<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) directed: Option<Directed>,
    /// The lines as they were chosen, nothing replaced.
    pub(crate) chosen: &'a Excerpt,
    pub(crate) cuts: Vec<Cut>,
    /// What else of the finding's file is in the question.
    pub(crate) beside: Vec<ExcerptLine>,
    pub(crate) cleared: &'a Cleared<Prompt>,
    pub(crate) called: &'a Called,
}

/// The entry for a call.
pub(crate) fn entry(call: Call<'_>, mode: EvaluationLog) -> Option<SourceBytes> {
    let Call { finding, directed, chosen, cuts, beside, cleared, called } = call;
    let (receipt, prompt) = (cleared.receipt(), cleared.prompt());
    let completion = called.result.as_ref().ok();
    let full = match mode {
        EvaluationLog::Off => return None,
        EvaluationLog::References => None,
        EvaluationLog::Full => Some(Full {
            instructions: prompt.instructions.to_owned(),
            prompt: prompt.render(),
            answer: completion.map(|c| c.text.clone()),
        }),
    };
    let sent = &prompt.excerpt;
    let record = Record {
        version: VERSION,
        receipt: receipt.id.clone(),
        at: receipt.at,
        change: receipt.change.number,
        head: receipt.head.clone(),
        finding: receipt.finding,
        rule: receipt.rule.clone(),
        location: finding.location.clone(),
        directed,
        prompt: Asked {
            version: prompt.version.to_owned(),
            digest: receipt.prompt_digest.clone(),
            marker: prompt.marker.clone(),
            max_output_tokens: prompt.max_output_tokens,
            rung: sent.rung(),
            notes: sent.notes().to_vec(),
            sent: receipt.sent.clone(),
            cuts,
            redactions: receipt.redactions.clone(),
            beside: beside.iter().map(|line| line.number).collect(),
            question: question(prompt, &beside::with(chosen, beside), receipt),
        },
        endpoint: receipt.endpoint.clone(),
        model: receipt.model.clone(),
        answered_by: completion.map(|c| c.model.chars().take(MAX_MODEL).collect()),
        usage: completion.map(|c| c.usage.into()).unwrap_or_default(),
        milliseconds: called.milliseconds,
        outcome: called.outcome().to_owned(),
        answer: called.read.as_ref().map(|read| given(read, finding, sent, directed)),
        answer_digest: called.ending().answer_digest,
        full,
    };
    written(&record)
}

/// The question as references to the lines as they are at the commit.
fn question(prompt: &Prompt, lines: &Excerpt, receipt: &Receipt) -> Option<Vec<Part>> {
    let text = prompt.question.expose();
    let redacted = !receipt.redactions.is_empty() && text.contains('‹');
    (!redacted).then(|| apart(text, lines))
}

fn given(read: &Answer, finding: &Finding, sent: &Excerpt, directed: Option<Directed>) -> Given {
    let judged = answer::judge(read.clone(), finding, sent, directed);
    let evidence = answer::verified(read, sent);
    Given {
        verdict: read.verdict,
        judged: judged.triage.verdict,
        evidence_held: held(read, &evidence, &judged),
        confidence: read.confidence,
        evidence: evidence.iter().filter_map(|e| point(e, sent)).collect(),
        quotations: read.evidence.len(),
        reason: apart(read.reason.expose(), sent),
        remediation: apart(read.remediation.expose(), sent),
        fix: apart(read.fix.expose(), sent),
        needs: read.needs.iter().map(|need| apart(need.expose(), sent)).collect(),
    }
}

fn written(record: &Record) -> Option<SourceBytes> {
    let text = |text: &SourceText| 2 * text.expose().len();
    let full = record.full.as_ref();
    let long = full.map_or(0, |f| text(&f.prompt) + f.answer.as_ref().map_or(0, text));
    // Room for all of it: growing would leave unwiped copies behind.
    let mut out = Vec::with_capacity(long + 64 * 1024);
    serde_json::to_writer(&mut out, record).ok()?;
    Some(SourceBytes::new(out))
}

/// Keeps an entry under its change and its receipt.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn keep(
    vault: &dyn Vault,
    receipt: &Receipt,
    entry: &SourceBytes,
    ttl: Duration,
) -> Result<(), StoreError> {
    let key = format!("{}{}", of_change(receipt.change.number), receipt.id);
    vault.put(&receipt.change.repo, VaultKind::Evaluation, &key, entry, ttl).await
}

fn of_change(number: u64) -> String {
    format!("{number}:")
}

/// The entries of a repository, or of one of its changes, the newest first. One that cannot be read, or
/// is of another version of this program, is left out.
///
/// # Errors
/// The store does not answer.
pub async fn records(
    vault: &dyn Vault,
    repo: &RepoId,
    change: Option<u64>,
) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for key in keys(vault, repo, change.map(of_change).unwrap_or_default()).await? {
        let Some(bytes) = vault.get(repo, VaultKind::Evaluation, &key).await? else { continue };
        let Ok(mut record) = serde_json::from_slice::<Record>(bytes.expose()) else { continue };
        record.full = None;
        records.extend((record.version == VERSION).then_some(record));
    }
    records.sort_by(|a, b| (b.at, &b.receipt).cmp(&(a.at, &a.receipt)));
    Ok(records)
}

/// All keys that start with `prefix`, however many there are: a full page is asked for in parts.
async fn keys(vault: &dyn Vault, repo: &RepoId, prefix: String) -> Result<Vec<String>, StoreError> {
    let (mut all, mut open) = (Vec::new(), vec![prefix]);
    while let Some(prefix) = open.pop() {
        let found = vault.keys(repo, VaultKind::Evaluation, &prefix).await?;
        if found.len() < PAGE {
            all.extend(found);
        } else {
            open.extend("0123456789abcdef:".chars().map(|next| format!("{prefix}{next}")));
        }
    }
    Ok(all)
}

impl Record {
    /// The receipt of the disclosure that it is about.
    pub fn receipt(&self) -> &str {
        &self.receipt
    }
}
