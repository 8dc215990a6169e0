//! What will be in force, and what was.

use chaffinch_egress::{History, Pending, Policy};
use maud::{Markup, html};

/// The most policies of the past that the page shows.
const MOST_PAST: usize = 50;

/// What is announced, day by day.
pub(super) fn announced(now: &Policy, pending: &[Pending]) -> Markup {
    let mut before = now;
    let mut days = Vec::new();
    for Pending { policy, from } in pending {
        days.push((from.format("%Y-%m-%d").to_string(), policy.differences(before)));
        before = policy;
    }
    html! {
        @if days.is_empty() {
            p { "At present nothing is announced." }
        }
        @for (day, differences) in &days {
            p { "From " (day) " on, if this server runs until then:" }
            ul {
                @for difference in differences {
                    li { code { (difference) } }
                }
            }
        }
    }
}

/// Each policy that was in force, the newest first, with what it changed.
pub(super) fn past(history: &History) -> Markup {
    let entries = history.past();
    html! {
        ul {
            @for (i, entry) in entries.iter().enumerate().rev().take(MOST_PAST) {
                li {
                    "Since " (entry.since.format("%Y-%m-%d %H:%M").to_string()) " UTC: policy "
                    code { (entry.policy.digest()) }
                    @if let Some(before) = i.checked_sub(1).and_then(|before| entries.get(before)) {
                        ul {
                            @for difference in entry.policy.differences(&before.policy) {
                                li { code { (difference) } }
                            }
                        }
                    }
                }
            }
        }
        @if entries.len() > MOST_PAST {
            p { "Those before are shown by " code { "chaffinch policy" } "." }
        }
    }
}
