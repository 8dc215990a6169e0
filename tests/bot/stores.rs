//! The same bot on Redis: away and back, and with several processes.

use std::{sync::Arc, time::Duration};

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Model, needs_review};
use chaffinch_server::SystemClock;

use crate::harness::{
    Binary, Bot, Fake, REPOSITORY, Redis, STORE_KEY, Step, chaffinch, on_both_forges, sarif,
    settings,
};

on_both_forges! {
    redis_away_and_back_loses_nothing_that_was_acknowledged,
    two_processes_on_one_redis_do_each_job_once,
    what_left_and_what_is_kept_can_be_looked_at_beside_the_server,
}

async fn redis_away_and_back_loses_nothing_that_was_acknowledged(on: ForgeKind) {
    let mut redis = Redis::start();
    let bot = Bot::with(on).set("STORE__URL", redis.url()).start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.consent().await;
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
    crate::harness::enable(None, &settings, &forge).await;
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

async fn what_left_and_what_is_kept_can_be_looked_at_beside_the_server(on: ForgeKind) {
    let redis = Redis::start();
    let bot = Bot::with(on).set("STORE__URL", redis.url()).start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule", "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    assert_eq!(change.threads().len(), 1);
    let run = async |arguments: &[&str]| {
        let mut command = chaffinch();
        command.args(arguments).env("CHAFFINCH__STORE__URL", redis.url());
        command.env("CHAFFINCH__STORE__KEY", STORE_KEY);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = [ended.stdout, ended.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
        (ended.status.code().unwrap(), said)
    };

    let (code, said) = run(&["receipts", REPOSITORY, "--change", "7"]).await;
    assert!(code == 0 && said.contains("app/db.py:5  finding"), "{said}");
    assert!(said.ends_with("1 disclosure.\n") && !said.contains("SELECT"), "{said}");
    let (code, said) = run(&["receipts", REPOSITORY, "--change", "8", "--format", "json"]).await;
    assert_eq!((code, said.as_str()), (0, ""));
    let (code, said) = run(&["receipts", "verify"]).await;
    assert!(code == 0 && said.contains("1 receipts (numbers 1 to 2), whole"), "{said}");
    let (code, said) = run(&["receipts", "acme/other"]).await;
    assert!(code == 2 && said.contains(REPOSITORY), "{said}");

    let (code, said) = run(&["audit", "store"]).await;
    assert!(code == 0 && said.contains("receipt   179 d      yes"), "{said}");
    assert!(!said.contains(REPOSITORY) && !said.contains("app/db.py"), "{said}");
    // With another key nothing opens, which is said and is no success.
    let other = STORE_KEY.replace('7', "8");
    let mut command = chaffinch();
    command.args(["audit", "store", "--summary"]).env("CHAFFINCH__STORE__URL", redis.url());
    command.env("CHAFFINCH__STORE__KEY", other);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
}
