//! The client: asks, waits, asks again, within the limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chaffinch_core::{Clock, Entropy, Prompt};
use chaffinch_egress::{Cleared, Completion, Model, ModelError};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use uuid::Uuid;

use crate::{
    budget::Budget,
    config::{self, Config, ConfigError, Target},
    failure::{self, Again, Failure},
    headers,
    reply::{self, Answer},
    request::{self, Field, Question, Shape},
    sheet::Sheet,
    wire,
};

/// The pause before trying again grows up to this many times the first one.
const LONGEST_BACKOFF: u32 = 16;

/// Asks one endpoint.
pub struct Client {
    http: reqwest::Client,
    pub(crate) config: Config,
    target: Target,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    slots: Semaphore,
    budget: Budget,
    dropped: [AtomicBool; Field::ALL.len()],
    warned: AtomicBool,
}

impl Client {
    /// A client for the endpoint of `config`. Build `http` with `redirect::Policy::none()`: no
    /// prompt is ever sent on, but only reqwest can keep an `api-key` header from a redirect. Give
    /// it a `connect_timeout` well below `config.timeout` too, so that a host that is down leaves
    /// time to ask again.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with `config`.
    pub fn new(
        http: reqwest::Client,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, ConfigError> {
        let target = config::check(&config)?;
        let budget = Budget::new(config.requests_per_minute, config.tokens_per_minute, clock.now());
        Ok(Self {
            http,
            target,
            slots: Semaphore::new(config.max_concurrency.min(Semaphore::MAX_PERMITS)),
            budget,
            clock,
            entropy,
            dropped: Default::default(),
            warned: AtomicBool::new(false),
            config,
        })
    }

    /// Asks, and tries again, until there is an answer, trying again is useless, or time is up.
    /// `tokens` is the size of the prompt.
    pub(crate) async fn ask(
        &self,
        question: &Question,
        tokens: u64,
    ) -> Result<Completion, ModelError> {
        let deadline = Instant::now() + self.config.timeout;
        // Never closed, so the only failure is the deadline: our own limit, not the endpoint's.
        let Ok(Ok(_slot)) = timeout_at(deadline, self.slots.acquire()).await else {
            return Err(ModelError::RateLimited { after: None });
        };
        // Nothing is disclosed for an answer that there is no time to wait for.
        if deadline.saturating_duration_since(Instant::now()) < self.config.timeout / 10 {
            return Err(ModelError::RateLimited { after: None });
        }
        match timeout_at(deadline, self.attempts(question, tokens, deadline)).await {
            Ok(result) => result,
            Err(_) => {
                let limit = self.config.timeout.as_secs_f64();
                Err(ModelError::Unavailable(format!("no answer within {limit} s")))
            }
        }
    }

    async fn attempts(
        &self,
        question: &Question,
        tokens: u64,
        deadline: Instant,
    ) -> Result<Completion, ModelError> {
        let cost = tokens + u64::from(question.max_output_tokens);
        let mut retries = 0;
        let mut may_have_left = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let longest = self.config.max_wait.min(left);
            sleep(self.budget.reserve(self.clock.now(), cost, longest)?).await;
            let failure = match self.attempt(question).await {
                Ok(completion) => {
                    let usage = completion.usage;
                    let actual = usage.input + usage.output;
                    self.budget.settle(cost, if actual == 0 { cost } else { actual });
                    return Ok(completion);
                }
                Err(failure) => failure.after(may_have_left),
            };
            may_have_left |= !matches!(failure.error, ModelError::Unreachable(_));
            if failure.error == ModelError::Quota {
                self.trip();
            }
            let pause = match failure.again {
                Again::Never => return Err(failure.error),
                // Each field can be dropped only once, so this ends.
                Again::Without(field) => {
                    self.drop_field(field);
                    continue;
                }
                Again::Backoff => self.backoff(retries),
                // Everybody waits, this call too when it reserves again.
                Again::After(pause) => {
                    self.budget.hold(self.clock.now(), pause);
                    Duration::ZERO
                }
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if retries >= self.config.max_retries || pause >= left {
                return Err(failure.error);
            }
            retries += 1;
            sleep(pause).await;
        }
    }

    /// One request, and what its reply comes to.
    async fn attempt(&self, question: &Question) -> Result<Completion, Failure> {
        let shape = self.shape();
        let body = request::body(&self.config, question, shape).map_err(|_| {
            Failure::never(ModelError::Other("the request cannot be written".into()))
        })?;
        let client_id = self.request_id();
        let started = Instant::now();
        let limit = self.config.max_reply_bytes;
        let outgoing = wire::Outgoing::new(&self.target, body, &client_id);
        let reply = wire::exchange(&self.http, outgoing, limit)
            .await
            .inspect_err(|f| tracing::debug!(client_id, error = %f.error, "no reply"))?;
        let request_id = headers::request_id(&reply.headers);
        let status = reply.status.as_u16();
        let result = if reply.status.is_success() {
            let streamed = reply.is_streamed();
            reply::read(self.config.api, reply.body.expose(), streamed, question)
        } else {
            let hints = headers::hints(&reply.headers, self.clock.now());
            let may_drop = |field| shape.may_drop(field, &self.config);
            Err(failure::of_reply(status, reply.body.expose(), hints, may_drop))
        };
        tracing::debug!(
            client_id,
            request_id,
            status,
            millis = started.elapsed().as_millis() as u64,
            error = result.as_ref().err().map(|f| tracing::field::display(&f.error)),
            "reply"
        );
        result.map(|answer| self.completion(answer, request_id))
    }

    /// What [`Model::complete`] would send first, byte for byte, but for the credential; sends nothing.
    ///
    /// # Errors
    /// As [`Model::complete`] where it would send nothing.
    pub fn outgoing(&self, prompt: &Cleared<Prompt>) -> Result<Sheet, ModelError> {
        self.is_for_us(prompt)?;
        let question = Question::from(prompt.prompt());
        let body = request::body(&self.config, &question, self.shape())
            .map_err(|_| ModelError::Other("the request cannot be written".into()))?;
        let outgoing = wire::Outgoing::new(&self.target, body, &self.request_id());
        Ok(Sheet::of(outgoing))
    }

    /// The receipt says where the text goes, so it goes nowhere else.
    fn is_for_us(&self, prompt: &Cleared<Prompt>) -> Result<(), ModelError> {
        let receipt = prompt.receipt();
        if receipt.endpoint != self.target.origin || receipt.model != self.config.model {
            let why = "the prompt was cleared for another endpoint or model";
            return Err(ModelError::Other(why.to_owned()));
        }
        Ok(())
    }

    fn completion(&self, answer: Answer, request_id: Option<String>) -> Completion {
        let model = answer.model.as_deref().and_then(headers::printable).unwrap_or_default();
        let asked = &self.config.model;
        if !is_same_model(asked, &model) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(asked, answered = model, "another model answers than was asked for");
        }
        let id = || answer.id.as_deref().and_then(headers::printable);
        Completion {
            text: answer.text,
            usage: answer.usage,
            model,
            request_id: request_id.or_else(id),
        }
    }

    fn shape(&self) -> Shape {
        Field::ALL
            .into_iter()
            .zip(&self.dropped)
            .filter(|(_, dropped)| dropped.load(Ordering::Relaxed))
            .fold(Shape::first(&self.config), |shape, (field, _)| shape.without(field))
    }

    fn drop_field(&self, field: Field) {
        for (_, dropped) in Field::ALL.iter().zip(&self.dropped).filter(|(f, _)| **f == field) {
            if !dropped.swap(true, Ordering::Relaxed) {
                tracing::info!(field = field.name(), "the endpoint refuses a field, left out now");
            }
        }
    }

    fn trip(&self) {
        let pause = self.config.quota_pause;
        if self.budget.trip(self.clock.now(), pause) {
            tracing::error!(
                model = self.config.model,
                seconds = pause.as_secs(),
                "the endpoint's quota is used up: nothing is asked for a while"
            );
        }
    }

    fn backoff(&self, retries: u32) -> Duration {
        let grown = 2u32.saturating_pow(retries).min(LONGEST_BACKOFF);
        let random = u16::from_str_radix(&self.entropy.hex(2), 16).unwrap_or(u16::MAX);
        // Up to a quarter less, so that calls that failed together do not return together.
        let share = 1.0 - 0.25 * f64::from(random) / f64::from(u16::MAX);
        self.config.backoff.saturating_mul(grown).mul_f64(share)
    }

    fn request_id(&self) -> String {
        let random = Uuid::try_parse(&self.entropy.hex(16)).unwrap_or_default();
        uuid::Builder::from_random_bytes(random.into_bytes()).into_uuid().to_string()
    }
}

#[async_trait]
impl Model for Client {
    async fn complete(&self, prompt: &Cleared<Prompt>) -> Result<Completion, ModelError> {
        let started = Instant::now();
        let receipt = prompt.receipt();
        self.is_for_us(prompt)?;
        let question = Question::from(prompt.prompt());
        let result = self.ask(&question, u64::from(receipt.tokens)).await;
        metrics::counter!("chaffinch_model_calls_total", "outcome" => outcome(&result))
            .increment(1);
        metrics::histogram!("chaffinch_model_call_seconds").record(started.elapsed().as_secs_f64());
        result
    }

    fn ready(&self) -> Result<(), ModelError> {
        self.budget.check(self.clock.now(), self.config.max_wait)
    }
}

fn outcome(result: &Result<Completion, ModelError>) -> &'static str {
    result.as_ref().map_or_else(ModelError::word, |_| "completed")
}

/// Whether `answered` is what was asked for, or a dated release of it (`gpt-x-2026-08-01`).
fn is_same_model(asked: &str, answered: &str) -> bool {
    match answered.strip_prefix(asked) {
        None => false,
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|rest| {
            rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_release_is_the_model_that_was_asked_for() {
        for (asked, answered, same) in [
            ("gpt-6-luna", "gpt-6-luna", true),
            ("gpt-6-luna", "gpt-6-luna-2026-08-01", true),
            ("gpt-4", "gpt-4-0613", true),
            ("gpt-6", "gpt-6-luna", false),
            ("gpt-6", "gpt-6.1", false),
            ("gpt-6-luna", "smol", false),
            ("gpt-6-luna", "", false),
        ] {
            assert_eq!(is_same_model(asked, answered), same, "{asked} {answered}");
        }
    }
}
