//! The record of one disclosure.

use chaffinch_core::{Excerpt, Receipt, Sent};

use crate::{ClearError, Disclosure, Door, Inspected, digest::digest_rendered};

impl Door {
    pub(super) fn receipt(
        &self,
        inspected: &Inspected,
        disclosure: &Disclosure,
    ) -> Result<Receipt, ClearError> {
        let prompt = &inspected.prompt;
        let Disclosure { change, head, finding, rule, requests } = disclosure.clone();
        Ok(Receipt {
            id: self.entropy.hex(8),
            at: self.clock.now(),
            change,
            head,
            finding,
            rule,
            sent: sent(&prompt.excerpt),
            requests,
            lines: number(prompt.excerpt.lines().len())?,
            tokens: number(inspected.tokens)?,
            redactions: inspected.redactions.clone(),
            endpoint: self.origin.clone(),
            model: self.endpoint.model.clone(),
            prompt_version: prompt.version.to_owned(),
            prompt_digest: digest_rendered(prompt, &prompt.render()),
            policy_digest: inspected.policy_digest.clone(),
            settled: None,
        })
    }
}

/// Lines that follow each other in one file for one reason, as ranges.
fn sent(excerpt: &Excerpt) -> Vec<Sent> {
    let together = excerpt.lines().chunk_by(|a, b| {
        a.path == b.path && a.number.checked_add(1) == Some(b.number) && a.reason == b.reason
    });
    let ranges = together.filter_map(|lines| {
        let (first, last) = (lines.first()?, lines.last()?);
        Some(Sent {
            path: first.path.clone(),
            start: first.number,
            end: last.number,
            reason: first.reason.clone(),
        })
    });
    ranges.collect()
}

fn number(count: usize) -> Result<u32, ClearError> {
    u32::try_from(count).map_err(|_| ClearError::Other("too large for a receipt"))
}
