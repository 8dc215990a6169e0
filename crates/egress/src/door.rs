//! The door: inspection, then a receipt, then out.

mod receipt;
mod rewrite;
mod settle;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chaffinch_core::{
    ChangeId, Clock, CommitSha, ContentRequests, Entropy, Fingerprint, ForgeKind, Prompt, Receipts,
    RepoName, RuleId, Rung, StoreError, TokenCount,
};

use crate::{
    Cleared, Endpoint, Inspected, Mode, Policy, PolicyError, RedactError, Redactor,
    inspected::cache_key, policy::rung_name,
};

pub use settle::Ending;

/// The most bytes of untrusted text that are looked at: far above any budget of tokens.
const MAX_BYTES: usize = 1 << 20;

/// The one way out: under the policy in force, to one endpoint.
pub struct Door {
    in_force: RwLock<Arc<InForce>>,
    endpoint: Endpoint,
    asked_as: String,
    origin: String,
    receipts: Arc<dyn Receipts>,
    tokens: Arc<dyn TokenCount>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A policy, and what follows from it.
struct InForce {
    policy: Arc<Policy>,
    digest: String,
    redactor: Redactor,
    /// Why nothing may leave under it at all.
    closed: Option<PolicyError>,
}

impl InForce {
    fn new(policy: Policy, endpoint: &Endpoint) -> Result<Self, PolicyError> {
        policy.validate()?;
        let redactor = Redactor::with(&policy.extra_patterns)?;
        let closed = endpoint.check(&policy).err();
        Ok(Self { digest: policy.digest(), policy: Arc::new(policy), redactor, closed })
    }
}

/// What a disclosure is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The change that the finding belongs to.
    pub change: ChangeId,
    /// The commit that the lines are from.
    pub head: CommitSha,
    /// The finding that they are sent for.
    pub finding: Fingerprint,
    /// Its rule.
    pub rule: RuleId,
    /// What was asked of the forge to choose the lines.
    pub requests: ContentRequests,
}

/// Why nothing may leave.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClearError {
    /// The excerpt needs a higher rung than the policy allows.
    #[error("the excerpt needs `{}`, and the policy allows at most `{}`", rung_name(*.rung), rung_name(*.ceiling))]
    AboveCeiling {
        /// What the excerpt needs.
        rung: Rung,
        /// What is allowed.
        ceiling: Rung,
    },
    /// The excerpt or the prompt has too many tokens.
    #[error("{tokens} tokens, and the policy allows {budget}")]
    OverBudget {
        /// How many it has; a lower bound where the text is too large to be counted.
        tokens: usize,
        /// How many are allowed.
        budget: usize,
    },
    /// It holds text that the policy blocks, or that stands where it cannot be replaced.
    #[error("it holds text that may not leave: {class}")]
    Blocked {
        /// Which class of text, and where if not in source.
        class: String,
    },
    /// The random marker occurs in the untrusted text; make the prompt again with a new one.
    #[error("the marker occurs in the text that it fences")]
    MarkerInText,
    /// The policy does not list the repository.
    #[error("the policy does not list this repository")]
    Repository,
    /// The endpoint may not be sent to.
    #[error(transparent)]
    Endpoint(PolicyError),
    /// Another policy is in force by now; look at it anew.
    #[error("the policy changed meanwhile")]
    Changed,
    /// Redaction failed.
    #[error(transparent)]
    Redaction(#[from] RedactError),
    /// The receipt could not be kept.
    #[error("no receipt: {0}")]
    Receipt(#[from] StoreError),
    /// Anything else.
    #[error("{0}")]
    Other(&'static str),
}

impl Door {
    /// Opens the way to `endpoint` under `policy`.
    ///
    /// # Errors
    /// [`PolicyError`] where the policy is out of its bounds, or the endpoint is not attested as
    /// the policy wants; it says what to do.
    pub fn new(
        policy: Policy,
        endpoint: Endpoint,
        receipts: Arc<dyn Receipts>,
        tokens: Arc<dyn TokenCount>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, PolicyError> {
        let in_force = InForce::new(policy, &endpoint)?;
        if let Some(closed) = &in_force.closed {
            return Err(closed.clone());
        }
        let origin = endpoint.origin()?;
        Ok(Self {
            in_force: RwLock::new(Arc::new(in_force)),
            endpoint,
            asked_as: String::new(),
            origin,
            receipts,
            tokens,
            clock,
            entropy,
        })
    }

    /// Says how the model is asked, as far as it changes answers (the interface, how hard it is to
    /// think): an answer that was kept does not stand for one that is asked for in another way.
    #[must_use]
    pub fn asked_as(self, how: String) -> Self {
        Self { asked_as: how, ..self }
    }

    /// Puts another policy in force, from now on. Where it does not allow the endpoint, nothing leaves.
    ///
    /// # Errors
    /// [`PolicyError`] where the policy is out of its bounds; then the one before stays in force.
    pub fn enforce(&self, policy: Policy) -> Result<(), PolicyError> {
        let next = Arc::new(InForce::new(policy, &self.endpoint)?);
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.in_force().policy)
    }

    /// SHA-256 of the policy in force, hexadecimal.
    pub fn policy_digest(&self) -> String {
        self.in_force().digest.clone()
    }

    /// Whether the policy in force lists the repository of that name on that forge.
    pub fn allows(&self, forge: ForgeKind, name: &RepoName) -> bool {
        self.in_force().policy.allows(forge, name)
    }

    /// Why nothing at all may leave under the policy in force, if that is so.
    pub fn closed(&self) -> Option<PolicyError> {
        self.in_force().closed.clone()
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where text goes.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Holds a prompt against the policy and redacts it. Does no I/O.
    ///
    /// The excerpt's budget counts the source as it was chosen; the prompt's budget counts what
    /// would be sent.
    ///
    /// # Errors
    /// [`ClearError`] for whatever may not leave, and for whatever could not be checked.
    pub fn inspect(&self, prompt: Prompt) -> Result<Inspected, ClearError> {
        let in_force = self.in_force();
        let InForce { policy, redactor, .. } = &*in_force;
        if let Some(closed) = &in_force.closed {
            return Err(ClearError::Endpoint(closed.clone()));
        }
        let (rung, ceiling) = (prompt.excerpt.rung(), policy.ceiling);
        if rung > ceiling {
            return Err(ClearError::AboveCeiling { rung, ceiling });
        }
        let bytes = prompt.question.expose().len()
            + prompt.excerpt.lines().iter().map(|l| l.text.expose().len()).sum::<usize>();
        if bytes > MAX_BYTES {
            let budget = policy.prompt_tokens;
            // No token of the vocabulary is longer than 128 bytes.
            let tokens = (bytes / 128).max(budget + 1);
            return Err(ClearError::OverBudget { tokens, budget });
        }
        within(prompt.excerpt.cost(&*self.tokens), policy.excerpt_tokens)?;

        let (prompt, redactions) = rewrite::redact(redactor, prompt)?;
        for class in redactions.keys() {
            let mode = match class.as_str() {
                "email" => policy.redact.emails,
                _ => policy.redact.secrets,
            };
            if mode == Mode::Block {
                return Err(ClearError::Blocked { class: class.clone() });
            }
        }
        rewrite::check_marker(&prompt)?;
        let tokens =
            self.tokens.count(prompt.instructions) + self.tokens.count(prompt.render().expose());
        within(tokens, policy.prompt_tokens)?;
        Ok(Inspected {
            cache_key: cache_key(&prompt, &self.endpoint, &self.asked_as),
            prompt,
            redactions,
            tokens,
            policy_digest: in_force.digest.clone(),
            origin: self.origin.clone(),
        })
    }

    /// Writes the receipt of a disclosure, and once it is durable hands over what may leave.
    ///
    /// # Errors
    /// [`ClearError::Changed`] where another policy is in force than it was inspected under,
    /// [`ClearError::Repository`] where the policy does not list the repository, and
    /// [`ClearError::Receipt`] where the receipt could not be kept: then nothing may leave.
    pub async fn clear(
        &self,
        inspected: Inspected,
        disclosure: &Disclosure,
    ) -> Result<Cleared<Prompt>, ClearError> {
        if inspected.origin != self.origin {
            return Err(ClearError::Other("it was inspected for another endpoint"));
        }
        let in_force = self.in_force();
        if inspected.policy_digest != in_force.digest {
            return Err(ClearError::Changed);
        }
        if let Some(closed) = &in_force.closed {
            return Err(ClearError::Endpoint(closed.clone()));
        }
        let policy = &in_force.policy;
        let repo = &disclosure.change.repo;
        if !policy.allows(repo.forge, &repo.name) {
            return Err(ClearError::Repository);
        }
        let receipt = self.receipt(&inspected, disclosure)?;
        self.receipts.append(&receipt, kept_for(policy)).await?;
        Ok(Cleared::new(inspected.prompt, receipt))
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// How long receipts are kept, and what became of them.
fn kept_for(policy: &Policy) -> Duration {
    Duration::from_secs(u64::from(policy.receipt_ttl_days) * 24 * 60 * 60)
}

fn within(tokens: usize, budget: usize) -> Result<(), ClearError> {
    if tokens > budget { Err(ClearError::OverBudget { tokens, budget }) } else { Ok(()) }
}
