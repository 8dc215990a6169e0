//! Questions and answers are logged for evaluation as the policy says, and no more than that.

use chaffinch_core::{ForgeKind, VaultKind};
use chaffinch_sandbox::true_positive;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p02_the_evaluation_log_holds_what_its_mode_says,
}

/// The entries of the log as whoever has the key reads them, in all modes after the notice.
async fn entries(on: ForgeKind, mode: &str) -> Vec<String> {
    let bot = Bot::with(on).set("POLICY__EVALUATION", mode).start().await;
    let change = bot.sqli_change(7);
    bot.consent().await;
    bot.pass_days(30).await;
    // The scanner's message and the answer quote the line.
    let line = r#"cursor.execute(query)"#;
    let report = sarif("CodeQL", &[("rule", "app/db.py", 5)]).replace("was found here", line);
    change.report(report);
    bot.model.answers([true_positive(&format!("It runs {line}."), "app/db.py:5")]);
    bot.deliver("opened", 7).await;
    let sent = bot.model.requests()[0].lines();
    assert!(sent.iter().any(|sent| sent.text.contains("cursor.execute")), "{sent:?}");
    change.threads();
    let repo = bot.forge.repo_id("acme/shop");
    let vault = bot.app().vault();
    let mut entries = Vec::new();
    for key in vault.keys(&repo, VaultKind::Evaluation, "").await.unwrap() {
        let entry = vault.get(&repo, VaultKind::Evaluation, &key).await.unwrap().unwrap();
        entries.push(String::from_utf8(entry.expose().to_vec()).unwrap());
    }
    assert!(!bot.stored_bytes().windows(14).any(|bytes| bytes == b"cursor.execute"));
    entries
}

async fn p02_the_evaluation_log_holds_what_its_mode_says(on: ForgeKind) {
    assert_eq!(entries(on, "off").await, [""; 0]);
    let references = entries(on, "references").await;
    assert_eq!(references.len(), 1, "one a call");
    assert!(references[0].contains("app/db.py") && references[0].contains("true_positive"));
    for code in ["cursor.execute", "SELECT", "def find"] {
        assert!(!references[0].contains(code), "{code}: {}", references[0]);
    }
    let full = entries(on, "full").await;
    assert_eq!(full.len(), 1);
    assert!(full[0].contains("cursor.execute") && full[0].contains("You judge one finding"));
}
