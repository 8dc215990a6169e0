//! The same bot on Redis: away and back, and with several processes.

use std::{sync::Arc, time::Duration};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Model, needs_review};
use chaffinch_server::SystemClock;

use crate::harness::{Binary, Bot, Fake, Redis, Step, on_both_forges, sarif, settings};

on_both_forges! {
    redis_away_and_back_loses_nothing_that_was_acknowledged,
    two_processes_on_one_redis_do_each_job_once,
}

async fn redis_away_and_back_loses_nothing_that_was_acknowledged(on: ForgeKind) {
    let mut redis = Redis::start();
    let bot = Bot::with(on).set("STORE__URL", redis.url()).start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    let first = bot.forge.deliver("opened", 7).await;
    assert_eq!(first.status, 202);

    redis.go_away();
    let other = bot.forge.deliver("reported", 7).await;
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
    assert_eq!(bot.forge.redeliver(&other.delivery).await.unwrap().status, 202);
    bot.work().await;
    assert_eq!(change.threads().len(), 1);
}

async fn two_processes_on_one_redis_do_each_job_once(on: ForgeKind) {
    chaffinch_server::install_crypto();
    const CHANGES: u64 = 20;
    let redis = Redis::start();
    let forge = Fake::start(on, Arc::new(SystemClock), "").await;
    let model = Model::start().await.unwrap();
    model.answer_with(|_| needs_review("Not enough is shown."));
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&forge, &model, &folder);
    for (key, value) in [("SERVER__WORKERS", "2".to_owned()), ("STORE__URL", redis.url())] {
        settings.push((format!("CHAFFINCH__{key}"), value));
    }
    let repo = forge.repo("acme/shop");
    repo.base_file("README", "x\n");
    for number in 1..=CHANGES {
        repo.file("app/db.py", crate::harness::SQLI.replace("users", &format!("users_{number}")));
        repo.change(number).report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    }
    let servers = [Binary::serve(&settings), Binary::serve(&settings)];
    for number in 1..=CHANGES {
        let server = &servers[(number % 2) as usize];
        forge.deliver_to(&server.address);
        let first = forge.deliver("opened", number).await;
        assert_eq!(first.status, 202);
        // The same delivery to the other process is no second job.
        let other = &servers[((number + 1) % 2) as usize];
        forge.deliver_to(&other.address);
        assert_eq!(forge.redeliver(&first.delivery).await.unwrap().status, 202);
    }
    for _ in 0..1200 {
        if (1..=CHANGES).all(|n| !forge.change(n).checks().is_empty()) && forge.live_tokens() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for step in [Step::PostThread, Step::SetCheck] {
        assert_eq!(forge.requests(step).len() as u64, CHANGES, "{step:?}");
    }
    assert_eq!(
        model.requests().len() as u64,
        CHANGES,
        "each its own lines, so each its own answer"
    );
    assert!(forge.problems().is_empty(), "{:?}", forge.problems());
}
