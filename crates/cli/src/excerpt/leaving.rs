//! What would become of an excerpt on its way out: the same door as a triage's, which is never
//! opened.

use std::{collections::BTreeSet, sync::Arc};

use chaffinch_context::Limits;
use chaffinch_core::{Entropy, Excerpt, Finding, TokenCount};
use chaffinch_egress::{ClearError, Door, Endpoint, Policy};
use chaffinch_server::{SystemClock, SystemEntropy};
use chaffinch_triage::prompt_for;

use crate::memory::Memory;

/// How often a new marker is drawn.
const MARKERS: usize = 4;

/// The default policy with the limits of the command line.
pub(super) struct Leaving {
    door: Door,
    entropy: Arc<dyn Entropy>,
}

/// An excerpt as it would leave.
pub(super) struct Redacted {
    pub(super) excerpt: Excerpt,
    /// How many different secrets, and e-mail addresses, were replaced in its lines.
    pub(super) secrets: usize,
    pub(super) emails: usize,
}

impl Leaving {
    pub(super) fn new(limits: &Limits, tokens: Arc<dyn TokenCount>) -> anyhow::Result<Self> {
        let standard = Policy::default();
        // As much room for everything else as the default leaves.
        let room = standard.prompt_tokens - standard.excerpt_tokens;
        let policy = Policy {
            ceiling: limits.ceiling,
            excerpt_tokens: limits.budget.max(1),
            prompt_tokens: standard.prompt_tokens.max(limits.budget + room),
            ..standard
        };
        let endpoint = Endpoint {
            base_url: "http://127.0.0.1".into(),
            model: "none".into(),
            attestation: None,
            self_hosted: true,
        };
        let policy = Policy { endpoints: vec![endpoint.terms()?], ..policy };
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let receipts = Arc::new(Memory::default());
        let clock = Arc::new(SystemClock);
        let door = Door::new(policy, endpoint, receipts, tokens, clock, Arc::clone(&entropy))?;
        Ok(Self { door, entropy })
    }

    /// # Errors
    /// [`ClearError`] for what would not be sent.
    pub(super) fn inspect(
        &self,
        finding: &Finding,
        excerpt: &Excerpt,
    ) -> Result<Redacted, ClearError> {
        for _ in 0..MARKERS {
            let Some(prompt) = prompt_for(finding, excerpt.clone(), &*self.entropy, 1_000) else {
                break;
            };
            match self.door.inspect(prompt) {
                Ok(inspected) => return Ok(redacted(excerpt, &inspected.prompt().excerpt)),
                Err(ClearError::MarkerInText) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ClearError::MarkerInText)
    }
}

fn redacted(before: &Excerpt, after: &Excerpt) -> Redacted {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (old, new) in before.lines().iter().zip(after.lines()) {
        let (old, new) = (old.text.expose(), new.text.expose());
        if old != new {
            names.extend(placeholders(new).filter(|name| !old.contains(name)));
        }
    }
    let emails = names.iter().filter(|name| name.starts_with("‹email#")).count();
    Redacted { excerpt: after.clone(), secrets: names.len() - emails, emails }
}

/// Whatever stands in `‹›` in a line and is one of the door's names.
fn placeholders(line: &str) -> impl Iterator<Item = &str> {
    let marks = line.match_indices('‹').map(|(at, _)| &line[at..]);
    let names = marks.filter_map(|rest| rest.find('›').map(|end| &rest[..end + '›'.len_utf8()]));
    names.filter(|name| name.starts_with("‹secret:") || name.starts_with("‹email#"))
}
