//! One finding is asked about at a time, with what it needs and no more.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, on_both_forges, sarif};

on_both_forges! {
    p08_one_finding_a_prompt,
}

async fn p08_one_finding_a_prompt(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "x\n");
    repo.file("app/a.py", "def a(request):\n    run_alpha(request)\n");
    repo.file("app/b.py", "def b(request):\n    run_beta(request)\n");
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[("rule", "app/a.py", 2), ("rule", "app/b.py", 2)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    bot.deliver("opened", 7).await;
    let requests = bot.model.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let sent = request.body.to_string();
        assert_ne!(sent.contains("run_alpha"), sent.contains("run_beta"));
        assert_ne!(sent.contains("app/a.py"), sent.contains("app/b.py"));
    }
    change.threads();
}
