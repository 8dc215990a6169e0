//! More is sent only knowingly: no rung above the ceiling.

use chaffinch_core::{ForgeKind, Reason};
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p04_nothing_above_the_ceiling_is_sent,
}

const HELPER: &str = "def clean(value):\n    return value.strip()\n";
const VIEW: &str = "from app.helper import clean\n\nLIMIT = 10\n\ndef search(request):\n    name = clean(request.args[\"name\"])\n    log(LIMIT)\n    cursor.execute(\"SELECT * FROM users WHERE name = '\" + name + \"'\")\n";

async fn p04_nothing_above_the_ceiling_is_sent(on: ForgeKind) {
    let mut sizes = Vec::new();
    for ceiling in ["finding", "slice", "function", "related"] {
        let bot = Bot::with(on).set("POLICY__CEILING", ceiling).start().await;
        let repo = bot.forge.repo("acme/shop");
        repo.base_file("README", "x\n").base_file("app/helper.py", HELPER);
        repo.file("app/view.py", VIEW);
        let change = repo.change(7);
        change.report(sarif("CodeQL", &[("rule", "app/view.py", 8)]));
        bot.model.answers([needs_review("Not enough is shown.")]);
        bot.deliver("opened", 7).await;
        let lines = bot.model.requests()[0].lines();
        let others = lines.iter().filter(|line| line.path != "app/view.py").count();
        assert_eq!(others > 0, ceiling == "related", "{ceiling}: {lines:?}");
        if ceiling == "finding" {
            assert!(lines.iter().all(|line| line.number == 8), "{lines:?}");
        }
        let receipts = bot.app().receipts();
        let receipts = receipts.list(&bot.forge.repo_id("acme/shop"), None).await.unwrap();
        let finding = receipts[0].sent.iter().all(|sent| sent.reason == Reason::Finding);
        assert_eq!(finding, ceiling == "finding", "the receipt gives no other reason");
        sizes.push(lines.len());
        change.threads();
    }
    assert!(sizes.is_sorted(), "each rung sends no less than the one below: {sizes:?}");
}
