//! How one policy differs from another, in words for people.

use std::fmt::{Display, Write};

use super::{Policy, Redact, rung_name};

/// The most names that are said of a list.
const MOST: usize = 10;

impl Policy {
    /// What is other here than in `before`, one line a field, by the names of the settings:
    /// `ceiling: slice → related`.
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let mut said = Vec::new();
        // A field that is forgotten here does not compile.
        let Self {
            repositories: _,
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
        let names =
            |policy: &Self| policy.repositories.iter().map(|p| p.lower().to_string()).collect();
        lists(&mut said, "repositories", names(before), names(self));
        field(&mut said, "ceiling", rung_name(before.ceiling), rung_name(*ceiling));
        field(&mut said, "listing", before.listing.as_str(), listing.as_str());
        field(&mut said, "content_requests", before.content_requests, *content_requests);
        field(&mut said, "excerpt_tokens", before.excerpt_tokens, *excerpt_tokens);
        field(&mut said, "prompt_tokens", before.prompt_tokens, *prompt_tokens);
        field(&mut said, "secrets", before.redact.secrets.as_str(), secrets.as_str());
        field(&mut said, "emails", before.redact.emails.as_str(), emails.as_str());
        let terms = |all: &[super::Terms]| all.iter().map(super::Terms::in_words).collect();
        lists(&mut said, "endpoints", terms(&before.endpoints), terms(endpoints));
        field(&mut said, "evaluation", before.evaluation.as_str(), evaluation.as_str());
        field(&mut said, "answer_ttl_days", before.answer_ttl_days, *answer_ttl_days);
        field(&mut said, "record_ttl_days", before.record_ttl_days, *record_ttl_days);
        field(&mut said, "receipt_ttl_days", before.receipt_ttl_days, *receipt_ttl_days);
        field(&mut said, "evaluation_ttl_days", before.evaluation_ttl_days, *evaluation_ttl_days);
        let vendors = before.max_vendor_retention_days;
        field(&mut said, "max_vendor_retention_days", vendors, *max_vendor_retention_days);
        field(&mut said, "notice_days", before.notice_days, *notice_days);
        let ids = |all: &[super::ExtraPattern]| all.iter().map(|p| p.id.clone()).collect();
        lists(&mut said, "extra_patterns", ids(&before.extra_patterns), ids(extra_patterns));
        said
    }
}

fn field<T: Display + PartialEq>(said: &mut Vec<String>, name: &str, before: T, now: T) {
    if before != now {
        said.push(format!("{name}: {before} → {now}"));
    }
}

fn lists(said: &mut Vec<String>, name: &str, before: Vec<String>, now: Vec<String>) {
    let gone: Vec<_> = before.iter().filter(|one| !now.contains(one)).collect();
    let new: Vec<_> = now.iter().filter(|one| !before.contains(one)).collect();
    let parts: Vec<String> = [("without", gone), ("with", new)]
        .into_iter()
        .filter(|(_, which)| !which.is_empty())
        .map(|(what, which)| format!("{what} {}", named(&which)))
        .collect();
    if !parts.is_empty() {
        said.push(format!("{name}: {}", parts.join("; ")));
    }
}

fn named(which: &[&String]) -> String {
    let mut text = String::new();
    for (i, one) in which.iter().take(MOST).enumerate() {
        let _ = write!(text, "{}{one}", if i == 0 { "" } else { ", " });
    }
    if which.len() > MOST {
        let _ = write!(text, " and {} more", which.len() - MOST);
    }
    text
}
