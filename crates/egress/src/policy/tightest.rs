//! Of two policies, the one that allows only what both allow.

use std::collections::{BTreeMap, BTreeSet};

use super::{ExtraPattern, Listing, Mode, Policy, Redact, RepoPattern, endpoints};

impl Policy {
    /// What this and `other` both allow, field by field. It is the same whichever comes first, and
    /// neither of the two allows less.
    #[must_use]
    pub fn tightest(&self, other: &Self) -> Self {
        // A field that is forgotten here does not compile.
        let Self {
            repositories,
            ceiling,
            listing,
            content_requests,
            excerpt_tokens,
            prompt_tokens,
            redact: Redact { secrets, emails },
            endpoints,
            evaluation,
            answer_ttl_days,
            record_ttl_days,
            receipt_ttl_days,
            evaluation_ttl_days,
            max_vendor_retention_days,
            notice_days,
            extra_patterns,
        } = self;
        Self {
            repositories: both(repositories, &other.repositories),
            ceiling: (*ceiling).min(other.ceiling),
            listing: match (listing, other.listing) {
                (Listing::Names, Listing::Names) => Listing::Names,
                _ => Listing::Off,
            },
            content_requests: (*content_requests).min(other.content_requests),
            excerpt_tokens: (*excerpt_tokens).min(other.excerpt_tokens),
            prompt_tokens: (*prompt_tokens).min(other.prompt_tokens),
            redact: Redact {
                secrets: harder(*secrets, other.redact.secrets),
                emails: harder(*emails, other.redact.emails),
            },
            endpoints: endpoints::both(endpoints, &other.endpoints),
            evaluation: (*evaluation).min(other.evaluation),
            record_ttl_days: (*record_ttl_days).min(other.record_ttl_days),
            receipt_ttl_days: (*receipt_ttl_days).min(other.receipt_ttl_days),
            evaluation_ttl_days: (*evaluation_ttl_days).min(other.evaluation_ttl_days),
            answer_ttl_days: (*answer_ttl_days).min(other.answer_ttl_days),
            max_vendor_retention_days: (*max_vendor_retention_days)
                .min(other.max_vendor_retention_days),
            notice_days: (*notice_days).max(other.notice_days),
            extra_patterns: either(extra_patterns, &other.extra_patterns),
        }
    }

    /// Whether this allows nothing that `other` does not allow.
    pub fn is_within(&self, other: &Self) -> bool {
        self.tightest(other).nameless() == self.tightest(self).nameless()
    }

    /// The same where what the customer's patterns and the vendors' agreements are called does not count.
    fn nameless(mut self) -> Self {
        self.endpoints.iter_mut().for_each(|terms| terms.agreement.clear());
        self.extra_patterns.iter_mut().for_each(|pattern| pattern.id.clear());
        self.extra_patterns.sort_by(|a, b| a.regex.cmp(&b.regex));
        self
    }
}

fn harder(a: Mode, b: Mode) -> Mode {
    match (a, b) {
        (Mode::Replace, Mode::Replace) => Mode::Replace,
        _ => Mode::Block,
    }
}

/// The repositories that a pattern of each side means, in patterns of which none says what another
/// one says already.
fn both(a: &[RepoPattern], b: &[RepoPattern]) -> Vec<RepoPattern> {
    let (a, b) = (texts(a), texts(b));
    let mut found: BTreeSet<RepoPattern> = a.intersection(&b).cloned().collect();
    for (some, others) in [(&a, &b), (&b, &a)] {
        let stars: Vec<&RepoPattern> = others.iter().filter(|other| other.has_star()).collect();
        for pattern in some {
            let narrower = pattern.for_each_forge().filter(|narrow| others.contains(narrow));
            found.extend(narrower);
            found.extend(stars.iter().filter_map(|star| pattern.meet(star)));
        }
    }
    let stars: Vec<RepoPattern> = found.iter().filter(|one| one.is_wide()).cloned().collect();
    found.retain(|one| {
        !stars.iter().any(|wide| wide != one && one.meet(wide).as_ref() == Some(one))
    });
    found.into_iter().collect()
}

fn texts(patterns: &[RepoPattern]) -> BTreeSet<RepoPattern> {
    patterns.iter().map(RepoPattern::lower).collect()
}

/// The patterns of each side, each once; where two share a name, one gets another one.
fn either(a: &[ExtraPattern], b: &[ExtraPattern]) -> Vec<ExtraPattern> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for ExtraPattern { id, regex } in a.iter().chain(b) {
        let name = names.entry(regex).or_insert(id);
        *name = (*name).min(id);
    }
    let mut patterns: Vec<(&str, &str)> =
        names.into_iter().map(|(regex, id)| (id, regex)).collect();
    patterns.sort_unstable();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    patterns
        .into_iter()
        .map(|(id, regex)| {
            let others = (2..).map(|n| format!("{id}-{n}"));
            let mut free = std::iter::once(id.to_owned()).chain(others);
            let id = free.find(|id| taken.insert(id.clone())).unwrap_or_default();
            ExtraPattern { id, regex: regex.to_owned() }
        })
        .collect()
}
