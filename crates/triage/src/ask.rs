//! One finding: excerpt → prompt → door → cache or model → check.

mod brake;
mod call;
mod choose;
#[cfg(feature = "leaks")]
mod leak;

use chaffinch_core::{
    Cause, Change, ContentRequests, Excerpt, Finding, Prompt, Receipt, RepoPath, SourceBytes,
    SourceText, Triage, VaultKind,
};
use chaffinch_egress::{
    ClearError, Cleared, Completion, Disclosure, EvaluationLog, Inspected, ModelError,
};
use chrono::{DateTime, Utc};
use metrics::counter;

pub(crate) use brake::Brake;
pub(crate) use call::{Called, settle};
use choose::{Chosen, Sought, adds};

use crate::{
    Directed, JobError, Parts, Reached,
    answer::{self, Judged},
    cached, directed, evaluation,
    files::Files,
    metrics::{ANSWERS, TOKENS},
    prompt, suggest,
};

/// How often a model is asked about one finding: once more after an answer of the wrong shape. Each
/// is a disclosure with its own receipt.
const ASKS: usize = 2;
/// How often the model may name what it misses: each round adds that, and is a question of its own.
const ROUNDS: usize = 2;
/// The most that one round adds, and the longest name of it, in characters.
const NEEDS: usize = 5;
const MAX_NEED: usize = 200;
/// How often a prompt is made again because its marker occurs in it.
const MARKERS: usize = 4;
/// The longest name of a model that is kept, in characters.
const MAX_MODEL: usize = 100;

/// What one run needs to ask about its findings.
pub(crate) struct Asker<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) change: &'a Change,
    pub(crate) files: &'a Files<'a>,
    /// The paths of the change's files: callers are looked for there first.
    pub(crate) changed: &'a [RepoPath],
    pub(crate) brake: Brake,
    /// No later run will come: what cannot be had now is published as not triaged.
    pub(crate) last: bool,
    /// After this, nothing more is asked.
    pub(crate) until: DateTime<Utc>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) triage: Triage,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) reached: Reached,
    pub(crate) cached: bool,
    pub(crate) directed: Option<Directed>,
    pub(crate) needs: Vec<SourceText>,
    pub(crate) spent: bool,
}

impl Asked {
    pub(crate) fn failed(finding: &Finding, cause: Cause, receipts: Vec<Receipt>) -> Self {
        let mut triage = Triage::failed(finding.fingerprint, cause);
        triage.receipt = receipts.last().map(|receipt| receipt.id.clone());
        let reached = if receipts.is_empty() { Reached::No } else { Reached::Yes };
        Self {
            triage,
            receipts,
            reached,
            cached: false,
            directed: None,
            needs: Vec::new(),
            spent: false,
        }
    }

    /// This, after an earlier question about the same finding. Where it came to nothing, what the
    /// earlier one found out stands.
    fn after(mut self, earlier: Option<Self>) -> Self {
        let Some(mut earlier) = earlier else { return self };
        let failed = self.triage.cause.as_ref().is_some_and(|cause| *cause != Cause::Unsure);
        let asked = !self.receipts.is_empty();
        earlier.receipts.append(&mut self.receipts);
        if failed && !matches!(self.triage.cause, Some(Cause::Evidence | Cause::Directed)) {
            if asked {
                earlier.reached = self.reached;
            }
            return Self { cached: earlier.cached && !asked, ..earlier };
        }
        Self {
            receipts: earlier.receipts,
            cached: earlier.cached && self.cached,
            directed: self.directed.or(earlier.directed),
            ..self
        }
    }
}

impl Asker<'_> {
    /// The outcome for `finding`. A model that is not sure and names what it misses is asked again
    /// over lines that hold it, as far as the policy allows.
    ///
    /// # Errors
    /// [`JobError::Retry`] where the whole job should come again: never on the last attempt.
    pub(crate) async fn ask(&self, finding: &Finding) -> Result<Asked, JobError> {
        let mut wanted: Vec<String> = Vec::new();
        let mut before: Option<(Asked, Chosen)> = None;
        let mut sought = Sought::default();
        for round in 0..=ROUNDS {
            let chosen = match self.choose(finding, &wanted, &mut sought).await? {
                Ok(chosen) => chosen,
                Err(cause) if before.is_none() => {
                    return Ok(Asked::failed(finding, cause, Vec::new()));
                }
                Err(_) => break,
            };
            if let Some((asked, shown)) = &mut before
                && !adds(&chosen, shown)
            {
                asked.spent |= chosen.spent;
                break;
            }
            let mut asked = self.question(finding, &chosen).await?;
            asked.spent = chosen.spent;
            let asked = asked.after(before.take().map(|(earlier, _)| earlier));
            let unsure = asked.triage.cause == Some(Cause::Unsure);
            if !unsure || asked.needs.is_empty() || round == ROUNDS {
                return Ok(asked);
            }
            let named = asked.needs.iter().map(|need| need.expose().trim()).take(NEEDS);
            let named = named.filter(|name| !name.is_empty() && name.chars().count() <= MAX_NEED);
            wanted.extend(named.map(str::to_owned));
            before = Some((asked, chosen));
        }
        match before {
            Some((asked, _)) => Ok(asked),
            None => Ok(Asked::failed(finding, Cause::Malformed, Vec::new())),
        }
    }

    /// The outcome of one question.
    async fn question(&self, finding: &Finding, chosen: &Chosen) -> Result<Asked, JobError> {
        let Chosen { excerpt, requests, .. } = chosen;
        #[cfg(feature = "leaks")]
        let excerpt = &leak::wider(self, finding, excerpt).await;
        let directed = directed::find(finding, excerpt);
        let mut receipts = Vec::new();
        for round in 0..ASKS {
            let inspected = match self.inspect(finding, excerpt) {
                Ok(inspected) => inspected,
                Err(cause) => return Ok(Asked::failed(finding, cause, receipts)),
            };
            if round == 0
                && let Some(asked) = self.recall(finding, &inspected, excerpt, directed).await?
            {
                return Ok(asked);
            }
            if let Some(cause) = self.brake.check(self.parts.clock.now() > self.until, self.last)? {
                return Ok(Asked::failed(finding, cause, receipts));
            }
            // A receipt is for what leaves: none is written where nothing would.
            if let Err(error) = self.parts.model.ready() {
                let cause = self.brake.failure(error, self.parts.clock.now(), self.last)?;
                return Ok(Asked::failed(finding, cause, receipts));
            }
            let key = inspected.cache_key();
            let cleared =
                match self.parts.door.clear(inspected, &self.disclosure(finding, requests)).await {
                    Ok(cleared) => cleared,
                    Err(ClearError::Receipt(error)) if !self.last => {
                        return Err(self.brake.retry(error.into()));
                    }
                    Err(ClearError::Changed) if !self.last => {
                        let why = "the policy changed meanwhile".into();
                        return Err(self.brake.retry(JobError::Retry { at: None, why }));
                    }
                    Err(error) => return Ok(Asked::failed(finding, refusal(&error), receipts)),
                };
            let receipt = cleared.receipt().clone();
            receipts.push(receipt.clone());
            let mut called = Called::made(self.parts, &cleared).await;
            let worded = |read| answer::without_placeholders(read, finding, excerpt);
            called.read = called.read.map(worded);
            let told = self.told(&called, finding, &cleared, directed, &key, &receipts).await;
            self.log(finding, excerpt, directed, &cleared, &called).await;
            // Both are wiped here, and only then it is said that they are.
            drop(cleared);
            let ending = called.ending();
            let error = called.into_error();
            settle(self.parts, &receipt, ending).await;
            match (told, error) {
                (Some((judged, model)), _) => {
                    return Ok(finish(judged, model, receipts, false, directed));
                }
                (None, None | Some(ModelError::Malformed(_))) => {}
                (None, Some(error)) => {
                    let reached = reached(&error);
                    let cause = self.brake.failure(error, self.parts.clock.now(), self.last)?;
                    return Ok(Asked { reached, ..Asked::failed(finding, cause, receipts) });
                }
            }
        }
        Ok(Asked::failed(finding, Cause::Malformed, receipts))
    }

    /// What the answer says, checked against the lines that were sent, and kept; and which model said
    /// so. `None` where none came, or one of the wrong shape.
    async fn told(
        &self,
        called: &Called,
        finding: &Finding,
        cleared: &Cleared<Prompt>,
        directed: Option<Directed>,
        key: &str,
        receipts: &[Receipt],
    ) -> Option<(Judged, String)> {
        let completion = called.result.as_ref().ok()?;
        self.brake.answered();
        count(completion);
        let read = called.read.as_ref()?;
        let sent = &cleared.prompt().excerpt;
        let judged = answer::judge(read.clone(), finding, sent, directed);
        let model: String = completion.model.chars().take(MAX_MODEL).collect();
        if judged.triage.cause != Some(Cause::Evidence) {
            let evidence = answer::verified(read, sent);
            let kept = cached::write(read, &evidence, sent, &model, receipts);
            self.keep(key, kept).await;
        }
        Some((self.fitting(judged, finding, sent).await, model))
    }

    /// An entry of the evaluation log, where the policy has one. What cannot be kept is not looked at
    /// later; nothing worse.
    async fn log(
        &self,
        finding: &Finding,
        chosen: &Excerpt,
        directed: Option<Directed>,
        cleared: &Cleared<Prompt>,
        called: &Called,
    ) {
        let mode = self.parts.door.policy().evaluation;
        if mode == EvaluationLog::Off {
            return;
        }
        let cuts = evaluation::cuts(self.files, chosen).await;
        let question = &cleared.prompt().question;
        let beside = evaluation::quoted(self.files, finding, chosen, question).await;
        let call = evaluation::Call { finding, directed, chosen, cuts, beside, cleared, called };
        let Some(entry) = evaluation::entry(call, mode) else { return };
        let (receipt, ttl) = (cleared.receipt(), self.parts.evaluation_ttl());
        if let Err(error) = evaluation::keep(&*self.parts.vault, receipt, &entry, ttl).await {
            tracing::warn!(%error, "an entry of the evaluation log could not be kept");
        }
    }

    fn inspect(&self, finding: &Finding, excerpt: &Excerpt) -> Result<Inspected, Cause> {
        let parts = self.parts;
        for _ in 0..MARKERS {
            let tokens = parts.config.max_output_tokens;
            let Some(prompt) = prompt::build(finding, excerpt.clone(), &*parts.entropy, tokens)
            else {
                break;
            };
            match parts.door.inspect(prompt) {
                Ok(inspected) => return Ok(inspected),
                Err(ClearError::MarkerInText) => {}
                Err(error) => return Err(refusal(&error)),
            }
        }
        Err(refusal(&ClearError::MarkerInText))
    }

    async fn recall(
        &self,
        finding: &Finding,
        inspected: &Inspected,
        source: &Excerpt,
        directed: Option<Directed>,
    ) -> Result<Option<Asked>, JobError> {
        let repo = &self.change.id.repo;
        let bytes =
            match self.parts.vault.get(repo, VaultKind::Answer, &inspected.cache_key()).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(None),
                Err(error) if !self.last => return Err(self.brake.retry(error.into())),
                Err(_) => return Ok(None),
            };
        let excerpt = &inspected.prompt().excerpt;
        let Some(kept) = cached::read(&bytes, finding, excerpt, source, directed) else {
            tracing::warn!(fingerprint = %finding.fingerprint, "a kept answer does not hold; asking again");
            return Ok(None);
        };
        counter!(ANSWERS, "from" => "cache").increment(1);
        let judged = self.fitting(kept.judged, finding, excerpt).await;
        Ok(Some(finish(judged, kept.model, kept.receipts, true, directed)))
    }

    /// The answer with what it would change, if that fits the file. The excerpt is of that file, so
    /// it is at hand.
    async fn fitting(&self, mut judged: Judged, finding: &Finding, sent: &Excerpt) -> Judged {
        let fix = std::mem::take(&mut judged.fix);
        if let Some(at) = finding.location.as_ref().filter(|_| !fix.is_empty())
            && let Ok(file) = self.files.get(&at.path).await
        {
            judged.triage.suggestion = suggest::validated(&fix, finding, sent, &file);
        }
        judged
    }

    /// An answer that cannot be kept is asked for again; nothing worse.
    async fn keep(&self, key: &str, value: Option<SourceBytes>) {
        let Some(value) = value else { return };
        let ttl = self.parts.ttl();
        let repo = &self.change.id.repo;
        if let Err(error) = self.parts.vault.put(repo, VaultKind::Answer, key, &value, ttl).await {
            tracing::warn!(%error, "an answer could not be kept");
        }
    }

    fn disclosure(&self, finding: &Finding, requests: &ContentRequests) -> Disclosure {
        Disclosure {
            change: self.change.id.clone(),
            head: self.change.head.clone(),
            finding: finding.fingerprint,
            rule: finding.rule.id.clone(),
            requests: requests.clone(),
        }
    }
}

fn finish(
    judged: Judged,
    model: String,
    receipts: Vec<Receipt>,
    cached: bool,
    directed: Option<Directed>,
) -> Asked {
    let Judged { mut triage, needs, .. } = judged;
    triage.model = model;
    triage.receipt = receipts.last().map(|receipt| receipt.id.clone());
    Asked { triage, receipts, reached: Reached::Yes, cached, directed, needs, spent: false }
}

/// What a failure tells about where the prompt got to.
fn reached(error: &ModelError) -> Reached {
    match error {
        ModelError::Unreachable(_) => Reached::No,
        ModelError::Unavailable(_) | ModelError::RateLimited { .. } | ModelError::Other(_) => {
            Reached::Maybe
        }
        _ => Reached::Yes,
    }
}

/// A refusal of the door, in words that hold no source.
fn refusal(error: &ClearError) -> Cause {
    match error {
        ClearError::Receipt(_) => Cause::Policy("no receipt could be written".into()),
        other => Cause::Policy(other.to_string()),
    }
}

fn count(completion: &Completion) {
    counter!(ANSWERS, "from" => "model").increment(1);
    let usage = completion.usage;
    for (kind, tokens) in
        [("input", usage.input), ("cached", usage.cached), ("output", usage.output)]
    {
        counter!(TOKENS, "kind" => kind).increment(tokens);
    }
}
