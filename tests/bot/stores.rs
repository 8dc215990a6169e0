//! The same bot on Redis: away and back, and with several processes.

use std::{sync::Arc, time::Duration};

use chaffinch_sandbox::{Model, needs_review};
use chaffinch_server::SystemClock;

use crate::harness::{Binary, Bot, Redis, forge, sarif, settings};

#[tokio::test(flavor = "multi_thread")]
async fn redis_away_and_back_loses_nothing_that_was_acknowledged() {
    let mut redis = Redis::start();
    let bot = Bot::with().set("STORE__URL", redis.url()).start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    let first = bot.github.deliver("pull_request.opened", 7).await;
    assert_eq!(first.status, 202);

    redis.go_away();
    let other = bot.github.deliver("check_suite.completed", 7).await;
    assert_eq!(other.status, 503, "what cannot be kept is not accepted");
    assert_eq!(bot.get("/readyz").await.0, 503);
    assert_eq!(bot.get("/healthz").await.0, 200);

    redis.come_back();
    bot.model.answers([needs_review("Not enough is shown.")]);
    let mut ready = 0;
    for _ in 0..100 {
        ready = bot.get("/readyz").await.0;
        if ready == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ready, 200, "it comes back by itself");
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
    assert_eq!(bot.github.redeliver(&other.delivery).await.unwrap().status, 202);
    bot.work().await;
    assert_eq!(change.threads().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_redis_do_each_job_once() {
    chaffinch_server::install_crypto();
    const CHANGES: u64 = 20;
    let redis = Redis::start();
    let github = forge(Arc::new(SystemClock), "").await;
    let model = Model::start().await.unwrap();
    model.answer_with(|_| needs_review("Not enough is shown."));
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&github, &model, &folder);
    for (key, value) in [("SERVER__WORKERS", "2".to_owned()), ("STORE__URL", redis.url())] {
        settings.push((format!("CHAFFINCH__{key}"), value));
    }
    let repo = github.repo("acme/shop");
    repo.base_file("README", "x\n");
    for number in 1..=CHANGES {
        repo.file("app/db.py", crate::harness::SQLI.replace("users", &format!("users_{number}")));
        repo.change(number).report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    }
    let servers = [Binary::serve(&settings), Binary::serve(&settings)];
    for number in 1..=CHANGES {
        let server = &servers[(number % 2) as usize];
        github.set_webhook_url(format!("http://{}/webhooks/github", server.address));
        let first = github.deliver("pull_request.opened", number).await;
        assert_eq!(first.status, 202);
        // The same delivery to the other process is no second job.
        let other = &servers[((number + 1) % 2) as usize];
        github.set_webhook_url(format!("http://{}/webhooks/github", other.address));
        assert_eq!(github.redeliver(&first.delivery).await.unwrap().status, 202);
    }
    for _ in 0..1200 {
        if (1..=CHANGES).all(|n| !github.change(n).checks().is_empty()) && github.live_tokens() == 0
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let reviews = github.requests_matching("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews");
    assert_eq!(reviews.len() as u64, CHANGES);
    let checks = github.requests_matching("POST", "/repos/{owner}/{repo}/check-runs");
    assert_eq!(checks.len() as u64, CHANGES);
    assert_eq!(
        model.requests().len() as u64,
        CHANGES,
        "each its own lines, so each its own answer"
    );
    assert!(github.problems().is_empty(), "{:?}", github.problems());
}
