//! No access to an organisation: each token is for one repository.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Caller, needs_review};

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p10_every_token_is_for_one_repository_and_reads_or_writes,
}

async fn p10_every_token_is_for_one_repository_and_reads_or_writes(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.forge.repo("acme/other").file("x", "y\n");
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.deliver("opened", 7).await;
    let mut seen = 0;
    for call in bot.forge.calls() {
        match call.caller {
            Caller::Token { permissions, repositories } => {
                assert_eq!(repositories, ["acme/shop"], "{}", call.route);
                let writes = permissions.values().any(|level| level == "write");
                assert!(!(writes && permissions.contains_key("contents")), "{permissions:?}");
                assert_ne!(permissions.get("contents").map(String::as_str), Some("write"));
            }
            // No scope of GitLab writes comments and does not read: what is read is read by the other.
            Caller::Access { scopes, projects, role, .. } => {
                assert_eq!(projects, ["acme/shop"], "{}", call.route);
                let file = call.route.contains("/repository/files/");
                assert!(!(file && scopes.contains(&"api".to_owned())), "{}", call.route);
                assert!(role < 40, "{}", call.route);
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
    change.threads();
}
