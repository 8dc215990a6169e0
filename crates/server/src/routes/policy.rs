//! What may leave and what is kept, in plain words, from the policy in force.

mod changes;

use std::sync::Arc;

use axum::extract::State;
use chaffinch_core::{ForgeKind, Rung};
use chaffinch_egress::{Endpoint, EvaluationLog, Listing, Mode, Policy, Redact, RepoPattern};
use chaffinch_store::MAX_TTL;
use maud::{DOCTYPE, Markup, html};

use crate::{App, worker::REPORT_KEPT};

/// `GET /policy`
pub(super) async fn page(State(app): State<Arc<App>>) -> Markup {
    let (policy, endpoint) = (app.door.policy(), app.door.endpoint());
    let change = change(&app.forges.kinds());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Chaffinch: what leaves, and what is kept" }
                style { "body{font:17px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark} code{font-size:.9em;overflow-wrap:anywhere}" }
            }
            body {
                h1 { "What leaves, and what is kept" }
                p {
                    "Chaffinch asks a language model whether a scanner's findings on a " (change) " are real. "
                    "For that, source code does leave this server. This page is made from the policy in force; "
                    "the program keeps to it."
                }
                h2 { "Of which repositories" }
                p {
                    "Of those that the policy lists, " (listed(&policy)) ", and only once somebody has enabled "
                    "them. Who did, and when, is recorded; nothing is read before."
                }
                h2 { "What is sent" }
                ul {
                    li { "For each finding " (ceiling(policy.ceiling)) ", at most " (policy.excerpt_tokens) " tokens of source. One finding is asked about at a time." }
                    li { "The scanner's rule, its message, the file's path, and by path and line number the steps of its data flow." }
                    li { (redaction(&policy)) }
                    li { "Never: authors, titles, descriptions, branches, commit messages, " (never(policy.ceiling)) "." }
                }
                h2 { "What is read" }
                p {
                    "Files are asked for one by one, at the commit that the " (change) " proposes, at most "
                    (policy.content_requests) " for a finding: never a clone, an archive or a search. "
                    (names(policy.listing))
                }
                h2 { "To whom" }
                @match app.door.closed() {
                    Some(why) => p { "At present nothing is sent: " (why.to_string()) "." },
                    None => p { "The model " code { (endpoint.model) } " at " code { (endpoint.base_url) } ". " (vendor(endpoint)) },
                }
                p {
                    "A vendor that keeps copies for more than " (policy.max_vendor_retention_days)
                    " days, or may train on them, is not sent anything."
                }
                h2 { "What is kept here" }
                ul {
                    li { "Answers (the verdict, and the model's own words: its reason, its advice, what else it would have to see; of the lines only their numbers): " (policy.answer_ttl_days) " days, encrypted." }
                    li { "Records of what the last run said on a " (change) " (rules, places, verdicts, the models' reasons): " (policy.record_ttl_days) " days after that run, encrypted." }
                    li { "Receipts (which lines were sent, when and where to, what became of it; no code): " (policy.receipt_ttl_days) " days, encrypted; never longer than " (MAX_TTL.as_secs() / 86_400) "." }
                    li { (evaluation(&policy)) }
                    li { "Code: only in memory, while one job runs, but for what a model quotes in its own words" (but_for(policy.evaluation)) ". Uploaded reports: encrypted, until their job is done, at most " (REPORT_KEPT.as_secs() / 60) " minutes." }
                    li { "All of it is destroyed at once where the repository is disabled, taken out of the installation, or the App is uninstalled; that it was is kept for " (MAX_TTL.as_secs() / 86_400) " days." }
                }
                h2 { "What changes" }
                p {
                    "What tightens this policy acts at once. What loosens it acts " (policy.notice_days)
                    " days after it was announced here and in the next comment of each repository."
                }
                (changes::announced(&policy, &app.notice.pending()))
                h2 { "How to check it" }
                ul {
                    li { code { "chaffinch receipts OWNER/NAME" } " lists what left, and " code { "chaffinch receipts verify" } " whether that list is whole." }
                    li { code { "chaffinch prove OWNER/NAME NUMBER" } " prints what would leave, and sends nothing; " code { "chaffinch prove --canary" } " tries whether anything else does." }
                    li { code { "chaffinch audit store" } " holds everything that is kept against these rules; " code { "chaffinch consents" } " shows who enabled what." }
                }
                h2 { "In force until now" }
                (changes::past(&app.notice.history()))
            }
        }
    }
}

/// Which repositories the policy lists, as far as a page has room.
fn listed(policy: &Policy) -> String {
    let names: Vec<&str> = policy.repositories.iter().take(20).map(RepoPattern::as_str).collect();
    match policy.repositories.len() {
        0 => "at present none".to_owned(),
        all if all > names.len() => format!("{} and {} more", names.join(", "), all - names.len()),
        _ => names.join(", "),
    }
}

fn redaction(policy: &Policy) -> String {
    let says = |mode: Mode, what: &str| match mode {
        Mode::Replace => format!("{what} in source are replaced by placeholders first"),
        Mode::Block => format!("Where {what} stand in source, nothing is sent at all"),
    };
    let Redact { secrets, emails } = policy.redact;
    match (secrets, emails) {
        (Mode::Replace, Mode::Replace) => {
            "Secrets and e-mail addresses in source are replaced by placeholders first, or nothing is sent."
                .to_owned()
        }
        _ => format!("{}. {}.", says(secrets, "Secrets"), says(emails, "E-mail addresses")),
    }
}

fn vendor(endpoint: &Endpoint) -> String {
    match &endpoint.attestation {
        Some(a) => {
            let place = match a.residency.as_str() {
                "" => String::new(),
                place => format!(" ({place})"),
            };
            format!(
                "Its operator keeps it for at most {} days{place} under the agreement “{}” and does not train on it.",
                a.retention_days, a.agreement
            )
        }
        None if endpoint.self_hosted => "The endpoint is run by ourselves.".to_owned(),
        None => "The endpoint is on this machine.".to_owned(),
    }
}

fn evaluation(policy: &Policy) -> String {
    let days = policy.evaluation_ttl_days;
    match policy.evaluation {
        EvaluationLog::Off => "Questions and answers are not logged for evaluation.".to_owned(),
        EvaluationLog::References => format!(
            "The evaluation log (which lines were sent, by number, and what was answered, without code): \
             {days} days, encrypted."
        ),
        EvaluationLog::Full => format!(
            "The evaluation log (each prompt and answer as it was, code included): {days} days, encrypted."
        ),
    }
}

fn but_for(evaluation: EvaluationLog) -> &'static str {
    match evaluation {
        EvaluationLog::Full => ", and for the evaluation log",
        EvaluationLog::Off | EvaluationLog::References => "",
    }
}

/// What the forges that are configured call a change.
fn change(forges: &[ForgeKind]) -> &'static str {
    match forges {
        [ForgeKind::GitHub] => "pull request",
        [ForgeKind::GitLab] => "merge request",
        _ => "pull or merge request",
    }
}

/// What may be sent of source, at most.
fn ceiling(rung: Rung) -> &'static str {
    match rung {
        Rung::Finding => {
            "the lines that the scanner points at, and those of its data flow in that file"
        }
        Rung::Slice => "the lines of its function that decide the answer",
        Rung::Function => "the lines of its function, and what they name in the same file",
        Rung::Related => {
            "the lines of its function, what they name in the same file, and of other files what they name \
             there, what calls or shows them, and the steps of the data flow"
        }
        Rung::File => {
            "up to its whole file, and of other files what its lines name there, what calls or shows them, and \
             the steps of the data flow"
        }
    }
}

/// Which names of files may be read.
fn names(listing: Listing) -> &'static str {
    match listing {
        Listing::Off => "Names of files are not listed.",
        Listing::Names => {
            "The names of the files of one folder at a time may be read too; they are not sent, and each such \
             folder stands on the receipt."
        }
    }
}

/// What is never sent of source.
fn never(rung: Rung) -> &'static str {
    match rung {
        Rung::Finding | Rung::Slice | Rung::Function => "lines of other files",
        Rung::Related | Rung::File => {
            "whole other files, or lines of them that the finding's lines do not lead to"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_sent_contradicts_no_rung() {
        for rung in [Rung::Finding, Rung::Slice, Rung::Function, Rung::Related, Rung::File] {
            let sends_others = ceiling(rung).contains("other files");
            assert_eq!(sends_others, rung >= Rung::Related, "{rung:?}: {}", ceiling(rung));
            assert_eq!(never(rung) == "lines of other files", !sends_others, "{rung:?}");
        }
    }
}
