//! What may be disclosed, and how long what comes back is kept.

mod endpoints;
mod history;
mod patterns;
mod tightest;
mod words;

use chaffinch_core::{ForgeKind, RepoName, Rung};
use serde::{Deserialize, Serialize};

use crate::{digest::Fields, redact::compile_extra};

pub use endpoints::Terms;
pub use history::{Direction, Entry, History, Moment, Pending, Version};
pub use patterns::{ExtraPattern, RepoPattern};

/// How many days of notice a policy may name.
const LEAST_NOTICE: u16 = 30;
pub(crate) const MOST_NOTICE: u16 = 365;

/// What may be disclosed, and how long what comes back is kept. Data; [`Policy::validate`] says
/// whether it is within its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The repositories that may be worked on; empty means none.
    pub repositories: Vec<RepoPattern>,
    /// The highest rung of the ladder of disclosure that may be sent.
    pub ceiling: Rung,
    /// Whether the names of files may be read.
    pub listing: Listing,
    /// The most files that are asked for about one finding, in all rounds, those that do not exist
    /// included: 1 to 50.
    pub content_requests: u32,
    /// The most tokens of source in one prompt, counted as [`chaffinch_core::Excerpt::cost`] does.
    pub excerpt_tokens: usize,
    /// The most tokens of one whole prompt, instructions included.
    pub prompt_tokens: usize,
    /// What happens to secrets and addresses. It cannot be switched off.
    pub redact: Redact,
    /// The endpoints that may be sent to; empty means none.
    pub endpoints: Vec<Terms>,
    /// What is kept of each question and its answer, to measure the models by.
    pub evaluation: EvaluationLog,
    /// How many days an answer is kept: 1 to 180.
    pub answer_ttl_days: u16,
    /// How many days it is kept what the last run said on a change: 1 to 180.
    pub record_ttl_days: u16,
    /// How many days a receipt is kept: 30 to 180.
    pub receipt_ttl_days: u16,
    /// How many days an entry of the evaluation log is kept: 1 to 180.
    pub evaluation_ttl_days: u16,
    /// For how many days the vendor of a model may keep copies: at most 30.
    pub max_vendor_retention_days: u16,
    /// How many days pass from the announcement of a looser policy until it is in force: 30 to 365.
    pub notice_days: u16,
    /// The customer's own patterns of secrets, at most 50.
    pub extra_patterns: Vec<ExtraPattern>,
}

/// What happens to each class of text that must not leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redact {
    /// Passwords, keys, tokens.
    pub secrets: Mode,
    /// E-mail addresses.
    pub emails: Mode,
}

/// What happens to text that must not leave. There is no way to let it through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A placeholder takes its place.
    #[default]
    Replace,
    /// The whole prompt is refused.
    Block,
}

/// Whether the names of files may be read, to find what a finding's lines name. They are not sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listing {
    /// Files are only guessed at, and asked for one by one.
    #[default]
    Off,
    /// The names of the files of one folder at a time; each folder stands on the receipt.
    Names,
}

/// What is kept of each question to a model and of its answer, sealed, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvaluationLog {
    /// Nothing.
    Off,
    /// Which lines were sent and what came of it, without code: the prompt can be made again from the
    /// commit.
    #[default]
    References,
    /// The prompt and the answer as they were, code included.
    Full,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            repositories: Vec::new(),
            ceiling: Rung::Related,
            listing: Listing::Off,
            content_requests: 6,
            excerpt_tokens: 900,
            prompt_tokens: 4_000,
            redact: Redact::default(),
            endpoints: Vec::new(),
            evaluation: EvaluationLog::default(),
            answer_ttl_days: 30,
            record_ttl_days: 30,
            receipt_ttl_days: 180,
            evaluation_ttl_days: 90,
            max_vendor_retention_days: 30,
            notice_days: 30,
            extra_patterns: Vec::new(),
        }
    }
}

/// Why a policy or an endpoint cannot be worked with; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A number is out of its bounds.
    #[error("{field} is {value}: set it to {min} to {max}")]
    OutOfBounds {
        /// The name of the field.
        field: &'static str,
        /// What it is.
        value: u64,
        /// The least that it may be.
        min: u64,
        /// The most that it may be.
        max: u64,
    },
    /// A text is no pattern of repositories.
    #[error("`{pattern}` names no repositories: {why}")]
    Repository {
        /// The text, cut to 200 characters.
        pattern: String,
        /// What is wrong, and what to write.
        why: &'static str,
    },
    /// A pattern of the customer cannot be used.
    #[error("the extra pattern `{id}` cannot be used: {why}")]
    ExtraPattern {
        /// Its name.
        id: String,
        /// What is wrong, and what to write.
        why: String,
    },
    /// The policy in force does not allow the endpoint, or not on these terms.
    #[error(
        "the policy in force does not allow the model endpoint {origin} on its terms: a new endpoint, \
         or looser terms, act once the notice has passed (see /policy)"
    )]
    NotInForce {
        /// Scheme, host and port.
        origin: String,
    },
    /// The endpoint's address cannot be used.
    #[error("the model endpoint's address cannot be used: {0}")]
    Address(&'static str),
    /// The endpoint has no model.
    #[error("the model endpoint {origin} has no model: name the one to ask")]
    NoModel {
        /// Scheme, host and port.
        origin: String,
    },
    /// Nothing is known of what the endpoint does with what it gets.
    #[error(
        "the model endpoint {origin} has no attestation: add its data-protection agreement, \
         retention days and no-training promise, or declare it self-hosted if it is yours"
    )]
    Unattested {
        /// Scheme, host and port.
        origin: String,
    },
    /// The attestation names no agreement.
    #[error(
        "the attestation of the model endpoint {origin} names no agreement: give the reference of \
         the data-protection agreement"
    )]
    NoAgreement {
        /// Scheme, host and port.
        origin: String,
    },
    /// The vendor keeps copies for longer than the policy allows.
    #[error(
        "the model endpoint {origin} keeps copies for {days} days and the policy allows {max}: \
         agree on a shorter retention with the vendor, or use another endpoint"
    )]
    Retention {
        /// Scheme, host and port.
        origin: String,
        /// The attested days.
        days: u16,
        /// The policy's days.
        max: u16,
    },
    /// The vendor may train on what it gets.
    #[error(
        "the model endpoint {origin} may train on what it is sent: agree with the vendor that it \
         does not, or use another endpoint"
    )]
    Training {
        /// Scheme, host and port.
        origin: String,
    },
    /// The rules for secrets that are built in cannot be read: a defect of this build.
    #[error("this build cannot redact, so nothing may be sent ({0}): install another build")]
    Rules(String),
}

impl Policy {
    /// Checks every number and pattern against its bounds.
    ///
    /// # Errors
    /// [`PolicyError`] names the first field that is out of bounds, and what to set it to.
    pub fn validate(&self) -> Result<(), PolicyError> {
        within("content_requests", self.content_requests.into(), 1, 50)?;
        within("excerpt_tokens", self.excerpt_tokens as u64, 1, 100_000)?;
        let least = self.excerpt_tokens as u64;
        within("prompt_tokens", self.prompt_tokens as u64, least, 200_000)?;
        within("answer_ttl_days", self.answer_ttl_days.into(), 1, 180)?;
        within("record_ttl_days", self.record_ttl_days.into(), 1, 180)?;
        within("receipt_ttl_days", self.receipt_ttl_days.into(), 30, 180)?;
        within("evaluation_ttl_days", self.evaluation_ttl_days.into(), 1, 180)?;
        within("max_vendor_retention_days", self.max_vendor_retention_days.into(), 0, 30)?;
        within("notice_days", self.notice_days.into(), LEAST_NOTICE.into(), MOST_NOTICE.into())?;
        within("endpoints", self.endpoints.len() as u64, 0, 50)?;
        within("extra_patterns", self.extra_patterns.len() as u64, 0, 50)?;
        within("repositories", self.repositories.len() as u64, 0, 10_000)?;
        for (i, extra) in self.extra_patterns.iter().enumerate() {
            extra.validate()?;
            if self.extra_patterns[..i].iter().any(|e| e.id == extra.id) {
                let why = "another pattern has this name: choose a new one".into();
                return Err(PolicyError::ExtraPattern { id: extra.id.clone(), why });
            }
            compile_extra(extra)?;
        }
        Ok(())
    }

    /// Whether the repository of that name on that forge may be worked on.
    pub fn allows(&self, forge: ForgeKind, name: &RepoName) -> bool {
        self.repositories.iter().any(|p| p.matches(forge, name))
    }

    /// SHA-256 of the policy, hexadecimal: the same for two policies that say the same, whatever
    /// the order and the case of their repositories.
    pub fn digest(&self) -> String {
        let mut repositories: Vec<String> =
            self.repositories.iter().map(|p| p.as_str().to_ascii_lowercase()).collect();
        repositories.sort_unstable();
        repositories.dedup();
        let mut extra: Vec<&ExtraPattern> = self.extra_patterns.iter().collect();
        extra.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        // A field that is forgotten here does not compile.
        let Self {
            repositories: _,
            ceiling,
            listing,
            content_requests,
            excerpt_tokens,
            prompt_tokens,
            redact: Redact { secrets, emails },
            endpoints: _,
            evaluation,
            answer_ttl_days,
            record_ttl_days,
            receipt_ttl_days,
            evaluation_ttl_days,
            max_vendor_retention_days,
            notice_days,
            extra_patterns: _,
        } = self;
        let mut fields = Fields::new("chaffinch-policy-3")
            .text(rung_name(*ceiling))
            .text(listing.as_str())
            .number((*content_requests).into())
            .number(*excerpt_tokens as u64)
            .number(*prompt_tokens as u64)
            .text(secrets.as_str())
            .text(emails.as_str())
            .text(evaluation.as_str())
            .number((*answer_ttl_days).into())
            .number((*record_ttl_days).into())
            .number((*receipt_ttl_days).into())
            .number((*evaluation_ttl_days).into())
            .number((*max_vendor_retention_days).into())
            .number((*notice_days).into())
            .number(repositories.len() as u64);
        for repository in &repositories {
            fields = fields.text(repository);
        }
        let mut endpoints: Vec<&Terms> = self.endpoints.iter().collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        fields = fields.number(endpoints.len() as u64);
        for terms in endpoints {
            let Terms { origin, self_hosted, agreement, retention_days, no_training, residency } =
                terms;
            fields = fields
                .text(origin)
                .number((*self_hosted).into())
                .text(agreement)
                .number((*retention_days).into())
                .number((*no_training).into())
                .text(residency);
        }
        for ExtraPattern { id, regex } in extra {
            fields = fields.text(id).text(regex);
        }
        fields.hex()
    }
}

impl Listing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Names => "names",
        }
    }
}

impl EvaluationLog {
    /// The word for it, as configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::References => "references",
            Self::Full => "full",
        }
    }
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Block => "block",
        }
    }
}

/// The word for a rung, as configuration writes it.
pub(crate) fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Finding => "finding",
        Rung::Slice => "slice",
        Rung::Function => "function",
        Rung::Related => "related",
        Rung::File => "file",
    }
}

fn within(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), PolicyError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(PolicyError::OutOfBounds { field, value, min, max })
}
