//! What may leave and what is kept, in plain words, from the policy in force.

use std::sync::Arc;

use axum::extract::State;
use chaffinch_core::Rung;
use chaffinch_store::MAX_TTL;
use maud::{DOCTYPE, Markup, html};

use crate::{App, worker::REPORT_KEPT};

/// `GET /policy`
pub(super) async fn page(State(app): State<Arc<App>>) -> Markup {
    let (policy, endpoint) = (app.door.policy(), app.door.endpoint());
    let vendor = match &endpoint.attestation {
        Some(a) => format!(
            "Its operator keeps it for at most {} days under the agreement “{}” and does not train on it.",
            a.retention_days, a.agreement
        ),
        None if endpoint.self_hosted => "The endpoint is run by ourselves.".to_owned(),
        None => "The endpoint is on this machine.".to_owned(),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Chaffinch: what leaves, and what is kept" }
                style { "body{font:17px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark} code{font-size:.9em}" }
            }
            body {
                h1 { "What leaves, and what is kept" }
                p {
                    "Chaffinch asks a language model whether a scanner's findings on a pull request are real. "
                    "For that, source code does leave this server. This page is made from the policy in force."
                }
                h2 { "What is sent" }
                ul {
                    li { "For each finding " (ceiling(policy.ceiling)) ", at most " (policy.excerpt_tokens) " tokens of source." }
                    li { "The scanner's rule, its message, and the file's path." }
                    li { "Secrets and e-mail addresses in source are replaced by placeholders first, or nothing is sent." }
                    li { "Never: authors, titles, descriptions, branches, commit messages, other files." }
                }
                h2 { "To whom" }
                p { "The model " code { (endpoint.model) } " at " code { (endpoint.base_url) } ". " (vendor) }
                h2 { "What is kept here" }
                ul {
                    li { "Answers: " (policy.answer_ttl_days) " days, encrypted." }
                    li { "Receipts (which lines were sent, when and where to; no code): at most " (MAX_TTL.as_secs() / 86_400) " days, encrypted." }
                    li { "Code: only in memory, while one job runs. Uploaded reports: encrypted, until their job is done, at most " (REPORT_KEPT.as_secs() / 60) " minutes." }
                }
                p { "Policy " code { (policy.digest()) } }
            }
        }
    }
}

fn ceiling(rung: Rung) -> &'static str {
    match rung {
        Rung::Finding => "the lines that the scanner points at",
        Rung::Slice => "the lines of its function that decide the answer",
        Rung::Function => "the lines of its function, and what they name in the same file",
        Rung::Related => "the lines of its function, and what they name in other files",
        Rung::File => "up to its whole file",
    }
}
