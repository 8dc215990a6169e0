//! `kill -9` between any two steps loses nothing and posts nothing twice.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chaffinch_core::{Entropy, ForgeKind};
use chaffinch_sandbox::{Model, Trouble, hang, needs_review};
use chaffinch_server::{SystemClock, SystemEntropy};

use crate::harness::{Binary, Fake, Redis, Step, on_both_forges, sarif, settings};

/// The model's endpoint, which is no route of the forge.
const MODEL: &str = "/v1/responses";

/// Every step that a job takes at the forge, and whether the forge does it before we die.
const STEPS: &[(Step, Fate)] = &[
    (Step::ReadChange, Fate::Never),
    (Step::ListReports, Fate::Never),
    (Step::ReadLines, Fate::Never),
    (Step::ReadFile, Fate::Never),
    (Step::ReadThreads, Fate::Never),
    (Step::PostThread, Fate::Never),
    (Step::PostThread, Fate::Done),
    (Step::PostSummary, Fate::Never),
    (Step::PostSummary, Fate::Done),
    (Step::SetCheck, Fate::Never),
    (Step::SetCheck, Fate::Done),
];

const ASKING: (&str, &str, Fate) = ("POST", MODEL, Fate::Never);

/// GitHub makes tokens for one job.
const TOKENS: &[(&str, &str, Fate)] = &[
    ("POST", "/app/installations/{installation}/access_tokens", Fate::Never),
    ("DELETE", "/installation/token", Fate::Never),
    ("DELETE", "/installation/token", Fate::Done),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Never,
    Done,
}

on_both_forges! {
    killed_between_any_two_steps_nothing_is_lost_and_nothing_posted_twice,
    the_same_holds_on_redis,
}

async fn killed_between_any_two_steps_nothing_is_lost_and_nothing_posted_twice(on: ForgeKind) {
    chaffinch_server::install_crypto();
    killed_at_every_step(on, None).await;
}

async fn the_same_holds_on_redis(on: ForgeKind) {
    chaffinch_server::install_crypto();
    let redis = Redis::start();
    killed_at_every_step(on, Some(redis.url())).await;
}

async fn killed_at_every_step(on: ForgeKind, store: Option<String>) {
    let steps = STEPS.iter().map(|(step, fate)| {
        let (method, route) = step.on(on);
        (method, route, *fate)
    });
    let of_tokens = if on == ForgeKind::GitHub { TOKENS } else { &[] };
    let steps: Vec<_> = steps.chain([ASKING]).chain(of_tokens.iter().copied()).collect();
    // A few at a time: each is two processes, and a forge waits only ten seconds for an answer.
    for some in steps.chunks(5) {
        let running: Vec<_> =
            some.iter().map(|step| tokio::spawn(killed_at(on, *step, store.clone()))).collect();
        for (step, ended) in some.iter().zip(running) {
            if let Err(e) = ended.await {
                panic!("killed at {step:?}: {e}");
            }
        }
    }
}

async fn killed_at(
    on: ForgeKind,
    (method, route, fate): (&'static str, &'static str, Fate),
    store: Option<String>,
) {
    let clock = Arc::new(SystemClock);
    let forge = Fake::start(on, clock, "").await;
    let model = Model::start().await.unwrap();
    model.answer_with(|_| needs_review("Not enough is shown."));
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&forge, &model, &folder);
    for (key, value) in
        [("SERVER__WORKERS", "1"), ("STORE__LEASE_SECONDS", "2"), ("MODEL__TIMEOUT_SECONDS", "30")]
    {
        settings.push((format!("CHAFFINCH__{key}"), value.to_owned()));
    }
    if let Some(url) = store {
        settings.push(("CHAFFINCH__STORE__URL".to_owned(), url));
        settings.push(("CHAFFINCH__STORE__PREFIX".to_owned(), SystemEntropy.hex(8)));
    }
    let filler = "\n# nothing to see\n".repeat(20);
    let old = format!("{}{filler}", crate::harness::SQLI);
    let last = old.lines().count() as u32 + 1;
    let repo = forge.repo("acme/shop");
    repo.base_file("app/db.py", old.clone()).file("app/db.py", format!("{old}LIMIT = 10\n"));
    let change = repo.change(7);
    change.report(sarif(
        "CodeQL",
        &[("rule.outside", "app/db.py", 5), ("rule.inside", "app/db.py", last)],
    ));

    // It dies before it gets an answer to the step, so before it can tell the queue of anything.
    let victim: Arc<Mutex<Option<Binary>>> = Arc::default();
    let asks_model = route == MODEL;
    if asks_model {
        // The receipt is written; the answer never comes.
        let asked = AtomicBool::new(false);
        model.answer_with(move |_| match asked.swap(true, Ordering::SeqCst) {
            false => hang(),
            true => needs_review("Not enough is shown."),
        });
    } else if fate == Fate::Done {
        let victim = Arc::clone(&victim);
        let kill = move || drop(victim.lock().unwrap().take().unwrap().kill());
        forge.faults().meanwhile(method, route, kill);
    } else {
        forge.faults().next(method, route, Trouble::Hang);
    }
    crate::harness::enable(None, &settings, &forge).await;
    let server = Binary::serve(&settings);
    forge.deliver_to(&server.address);
    *victim.lock().unwrap() = Some(server);
    assert_eq!(forge.deliver("opened", 7).await.status, 202);
    until(&format!("{method} {route} is reached"), || match (asks_model, fate) {
        (true, _) => !model.requests().is_empty(),
        (false, Fate::Never) => forge.faults().left() == 0,
        (false, Fate::Done) => forge.calls().iter().any(|c| c.method == method && c.route == route),
    })
    .await;
    let alive = victim.lock().unwrap().take();
    assert_eq!(alive.is_some(), fate == Fate::Never);
    drop(alive.map(Binary::kill));
    let orphans = forge.live_tokens();

    let server = Binary::serve(&settings);
    wait_until_published(&server.address).await;
    assert_eq!(forge.live_tokens(), orphans, "of the second run's tokens none is alive");
    let threads = change.threads();
    assert_eq!(threads.len(), 1, "{threads:?}");
    assert_eq!(threads[0].comments.len(), 1);
    assert_eq!(change.summary().matches("⟨summary⟩").count(), 1, "{}", change.summary());
    assert!(change.summary().contains("rule.outside"));
    assert_eq!(change.checks().len(), 1);
    assert_eq!(change.conclusion(), "neutral");
    assert!(forge.problems().is_empty(), "{:?}", forge.problems());
    server.kill();
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited a minute until {what}");
}

/// Until this process has published, and the queue is empty. It counts its own jobs alone, each after
/// the queue was told: so the process before it had left the job undone, and now it is done.
async fn wait_until_published(address: &str) {
    let http = chaffinch_server::http_client(None).unwrap();
    let mut counted = String::new();
    for _ in 0..1200 {
        let answer = http.get(format!("http://{address}/metrics")).send().await.unwrap();
        counted = answer.text().await.unwrap();
        let published = counted.contains("chaffinch_jobs_total{ended=\"published\"} 1\n");
        let empty = ["ready", "leased", "delayed", "dead"].into_iter().all(|state| {
            counted.contains(&format!("chaffinch_queue_jobs{{state=\"{state}\"}} 0\n"))
        });
        if published && empty {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited a minute until the job is done again: {counted}");
}
