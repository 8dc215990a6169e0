//! What Redis does to us, and we to it, beyond the contract.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chaffinch_core::{
    Acked, Book, Clock as _, Enqueued, Ledger as _, Queue as _, QueueDepth, StoreError, Vault as _,
    VaultKind,
};
use chaffinch_store::{MAX_TTL, RedisConfig, RedisStore, Sealer, keys};
use redis::Commands as _;

use crate::{
    process::Server,
    setting::{DAY, KEY, OTHER_KEY, TestClock, TestEntropy, audit, bytes, job, leased, repo},
    vault::KINDS,
};

const LEASE: Duration = Duration::from_secs(60);

async fn connect(config: RedisConfig, clock: &Arc<TestClock>) -> Result<RedisStore, StoreError> {
    let sealer = Sealer::new(&KEY.into(), None).unwrap();
    RedisStore::connect(config, sealer, clock.clone(), Arc::new(TestEntropy)).await
}

async fn store(server: &Server) -> (RedisStore, Arc<TestClock>) {
    let clock = TestClock::new();
    (connect(RedisConfig::new(server.url().into()), &clock).await.unwrap(), clock)
}

async fn refusal(config: RedisConfig) -> String {
    match connect(config, &TestClock::new()).await {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redis_away_and_back_loses_nothing_that_was_accepted() {
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (store, clock) = store(&server).await;
    store.enqueue(&job(1, 7)).await.unwrap();
    store.enqueue(&job(2, 8)).await.unwrap();
    let held = leased(&store).await;

    server.down();
    let start = Instant::now();
    for _ in 0..5 {
        assert!(matches!(store.enqueue(&job(3, 9)).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.lease().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.ack(&held, Acked::Done).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
        let got = store.get(&repo(1, 2), VaultKind::Answer, "k").await;
        assert!(matches!(got, Err(StoreError::Unavailable(_))));
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    server.up();
    // At once, without a request that fails first.
    assert_eq!(store.enqueue(&job(3, 9)).await.unwrap(), Enqueued::New);
    assert_eq!(store.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
    assert!(store.ack(&held, Acked::Done).await.unwrap());
    assert_eq!(leased(&store).await.job, job(2, 8));
    clock.advance(LEASE);
    assert_eq!(leased(&store).await.attempt, 2);
    assert_eq!(leased(&store).await.job, job(3, 9));
    audit(&server);
}

#[tokio::test]
async fn a_delivery_survives_a_restart_that_nobody_noticed() {
    let mut server = Server::with(&["--appendonly", "yes"]);
    let (store, _) = store(&server).await;
    store.ready().await.unwrap();
    server.down();
    server.up();
    // The connection is dead and we do not know: no forge would deliver this again.
    assert_eq!(store.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
}

#[tokio::test]
async fn a_redis_that_hangs_is_unavailable_in_time_and_works_afterwards() {
    let server = Server::start();
    let clock = TestClock::new();
    let config = RedisConfig {
        timeout: Duration::from_millis(300),
        ..RedisConfig::new(server.url().into())
    };
    let store = connect(config, &clock).await.unwrap();
    server.signal("STOP");
    let start = Instant::now();
    let outcome = store.enqueue(&job(1, 7)).await;
    server.signal("CONT");
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // It may have arrived or not; either way it is there once.
    store.enqueue(&job(1, 7)).await.unwrap();
    assert_eq!(store.depth().await.unwrap().ready, 1);
}

#[tokio::test]
async fn after_everything_was_flushed_the_queue_goes_on() {
    let server = Server::start();
    let (store, _) = store(&server).await;
    store.enqueue(&job(1, 7)).await.unwrap();
    let lost = leased(&store).await;
    store.enqueue(&job(2, 7)).await.unwrap();
    let () = redis::cmd("FLUSHALL").query(&mut server.raw()).unwrap();

    assert_eq!(store.lease().await.unwrap(), None);
    assert!(!store.ack(&lost, Acked::Done).await.unwrap());
    assert_eq!(store.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    let lease = leased(&store).await;
    assert_eq!((&lease.job, lease.attempt), (&job(1, 7), 1));
    assert!(store.ack(&lease, Acked::Done).await.unwrap());
    audit(&server);
}

#[tokio::test]
async fn a_group_that_is_gone_is_made_again_and_no_job_is_lost() {
    let server = Server::start();
    let (store, clock) = store(&server).await;
    for n in 1..=4 {
        store.enqueue(&job(n, 7)).await.unwrap();
    }
    let lost = leased(&store).await;
    // Parks the others behind their lane.
    assert_eq!(store.lease().await.unwrap(), None);
    let stream = "chaffinch:v1:{queue}:jobs";
    let () =
        redis::cmd("XGROUP").arg(&["DESTROY", stream, "workers"]).query(&mut server.raw()).unwrap();

    for n in 1..=4 {
        let lease = leased(&store).await;
        assert_eq!((&lease.job, lease.attempt), (&job(n, 7), 1));
        assert!(!store.ack(&lost, Acked::Done).await.unwrap());
        assert!(store.ack(&lease, Acked::Done).await.unwrap());
    }
    clock.advance(LEASE);
    assert_eq!(store.lease().await.unwrap(), None);
    assert_eq!(store.depth().await.unwrap(), QueueDepth::default());
}

#[tokio::test]
async fn a_stream_that_is_gone_does_not_keep_its_deliveries_away() {
    let server = Server::start();
    let (store, _) = store(&server).await;
    store.enqueue(&job(1, 7)).await.unwrap();
    leased(&store).await;
    let () = server.raw().del("chaffinch:v1:{queue}:jobs").unwrap();
    assert_eq!(store.lease().await.unwrap(), None);
    assert_eq!(store.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert_eq!(leased(&store).await.job, job(1, 7));
}

#[tokio::test]
async fn after_a_job_nothing_is_left_but_its_marks() {
    let server = Server::start();
    let (store, _) = store(&server).await;
    for n in 1..=3 {
        store.enqueue(&job(n, 7)).await.unwrap();
    }
    for outcome in [Acked::Done, Acked::Done, Acked::Nothing] {
        let lease = leased(&store).await;
        assert_eq!(store.lease().await.unwrap(), None);
        assert!(store.ack(&lease, outcome).await.unwrap());
    }
    let mut names: Vec<String> =
        server.raw().scan::<String>().unwrap().map(Result::unwrap).collect();
    let all = names.len();
    names.retain(|name| !name.contains(":seen:"));
    assert_eq!(all - names.len(), 5, "of the work that came to nothing, its delivery alone");
    names.sort();
    assert_eq!(names, ["chaffinch:v1:{queue}:jobs", "chaffinch:v1:{queue}:order"]);
    let mut raw = server.raw();
    let pending: (u64, Option<String>, Option<String>, Option<Vec<String>>) =
        redis::cmd("XPENDING").arg(&names[0]).arg("workers").query(&mut raw).unwrap();
    assert_eq!(pending.0, 0);
    let length: u64 = raw.xlen(&names[0]).unwrap();
    assert_eq!(length, 0);
}

#[tokio::test]
async fn every_key_is_in_the_table() {
    let server = Server::start();
    let (store, clock) = store(&server).await;
    for n in 1..=9 {
        store.enqueue(&job(n, n / 3)).await.unwrap();
    }
    store.bury(&leased(&store).await, "no").await.unwrap();
    store.retry(&leased(&store).await, clock.now() + DAY).await.unwrap();
    leased(&store).await;
    while store.lease().await.unwrap().is_some() {}
    clock.advance(LEASE);
    leased(&store).await;
    store.ready().await.unwrap();
    for kind in KINDS {
        store.put(&repo(1, 2), kind, "k", &bytes("v"), DAY).await.unwrap();
    }
    for book in Book::ALL {
        assert!(store.write(book, "p", &bytes("v"), None, DAY).await.unwrap());
    }
    let receipts: &dyn chaffinch_core::Receipts = &store;
    receipts.append(&crate::receipts::receipt(1, 7), MAX_TTL).await.unwrap();

    let names: Vec<String> = server.raw().scan::<String>().unwrap().map(Result::unwrap).collect();
    let mut used = std::collections::BTreeSet::new();
    for name in &names {
        let name = name.strip_prefix("chaffinch:v1:").unwrap();
        let pattern = pattern(name);
        assert!(keys::TABLE.iter().any(|key| key.pattern == pattern), "{name} is not in the table");
        used.insert(pattern);
    }
    let unused: Vec<_> = keys::TABLE
        .iter()
        .map(|key| key.pattern)
        .filter(|pattern| !used.contains(*pattern))
        .collect();
    assert!(unused.is_empty(), "in the table, but never written: {unused:?}");
    audit(&server);
}

fn pattern(name: &str) -> String {
    let name = name.replace("{github:1:2}", "{REPOSITORY}");
    if name.starts_with("{queue}:seen:") {
        return "{queue}:seen:DIGEST".into();
    }
    for kind in ["answer", "record", "report", "evaluation", "receipt"] {
        if name.starts_with(&format!("{{REPOSITORY}}:{kind}:")) {
            return "{REPOSITORY}:KIND:NAME".into();
        }
    }
    for book in Book::ALL.map(Book::as_str) {
        if name.starts_with(&format!("{{ledger}}:{book}:")) {
            return "{ledger}:BOOK:NAME".into();
        }
        if name == format!("{{ledger}}:index:{book}") {
            return "{ledger}:index:BOOK".into();
        }
    }
    let others = ["record", "report", "evaluation"].map(|kind| format!(":index:{kind}"));
    others.iter().fold(name, |name, other| name.replace(other.as_str(), ":index:answer"))
}

#[tokio::test]
async fn two_prefixes_are_two_stores() {
    let server = Server::start();
    let (store, clock) = store(&server).await;
    let config = RedisConfig { prefix: "other".into(), ..RedisConfig::new(server.url().into()) };
    let other = connect(config, &clock).await.unwrap();
    store.enqueue(&job(1, 7)).await.unwrap();
    store.put(&repo(1, 2), VaultKind::Answer, "k", &bytes("v"), DAY).await.unwrap();
    assert_eq!(other.lease().await.unwrap(), None);
    assert_eq!(other.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert!(other.get(&repo(1, 2), VaultKind::Answer, "k").await.unwrap().is_none());
    assert!(store.write(Book::Consent, "p", &bytes("v"), None, DAY).await.unwrap());
    assert!(other.read(Book::Consent, "p").await.unwrap().is_none());
    assert!(other.pages(Book::Consent).await.unwrap().is_empty());
    for bad in ["", "a{b}", "a b", "ü", &"x".repeat(65)] {
        let config = RedisConfig { prefix: bad.into(), ..RedisConfig::new(server.url().into()) };
        assert!(refusal(config).await.contains("the prefix of keys"), "{bad}");
    }
}

#[tokio::test]
async fn a_server_that_evicts_is_refused_with_what_to_set() {
    for policy in ["allkeys-lru", "volatile-lru"] {
        let server = Server::with(&["--maxmemory", "100mb", "--maxmemory-policy", policy]);
        let why = refusal(RedisConfig::new(server.url().into())).await;
        assert!(
            why.contains(policy) && why.contains("set maxmemory-policy to noeviction"),
            "{why}"
        );
    }
    let server = Server::with(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    store(&server).await;
}

#[tokio::test]
async fn a_server_that_is_full_is_unavailable_and_keeps_what_it_has() {
    let server = Server::start();
    let (store, _) = store(&server).await;
    store.enqueue(&job(1, 7)).await.unwrap();
    let set = |bytes: &str| {
        redis::cmd("CONFIG").arg(&["SET", "maxmemory", bytes]).exec(&mut server.raw()).unwrap();
    };
    set("1");
    assert!(matches!(store.enqueue(&job(2, 8)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
    let put = store.put(&repo(1, 2), VaultKind::Answer, "k", &bytes("v"), DAY).await;
    assert!(matches!(put, Err(StoreError::Unavailable(_))), "{put:?}");
    set("0");
    assert_eq!(leased(&store).await.job, job(1, 7));
}

#[tokio::test]
async fn a_server_that_hides_its_settings_is_taken() {
    let server = Server::start();
    let () = redis::cmd("ACL")
        .arg(&["SETUSER", "bot", "on", ">pw", "~chaffinch:*", "+@all", "-config", "-info"])
        .query(&mut server.raw())
        .unwrap();
    let url = format!("{}?user=bot&pass=pw", server.url());
    let store = connect(RedisConfig::new(url.into()), &TestClock::new()).await.unwrap();
    store.enqueue(&job(1, 7)).await.unwrap();
    assert_eq!(leased(&store).await.job, job(1, 7));
    store.put(&repo(1, 2), VaultKind::Answer, "k", &bytes("v"), DAY).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let server = Server::with(&["--requirepass", "right"]);
    for url in [server.url(), format!("{}?pass=wrong-secret", server.url())] {
        let why = refusal(RedisConfig::new(url.into())).await;
        assert!(why.contains("user or password") && !why.contains("wrong-secret"), "{why}");
    }
    let url = format!("{}?pass=right", server.url());
    connect(RedisConfig::new(url.into()), &TestClock::new()).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_or_where_nobody_is() {
    for url in ["", "http://localhost", "chaffinch.db", "redis://"] {
        let outcome = connect(RedisConfig::new(url.to_owned().into()), &TestClock::new()).await;
        assert!(outcome.is_err(), "{url}");
    }
    let why = refusal(RedisConfig::new("http://:hidden@host".to_owned().into())).await;
    assert!(!why.contains("hidden"), "{why}");
    let start = Instant::now();
    let nobody = RedisConfig::new("unix:///nonexistent/socket".to_owned().into());
    let outcome = connect(nobody, &TestClock::new()).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    let shown = format!("{:?}", RedisConfig::new("redis://:hidden@host".to_owned().into()));
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn tls_is_checked_against_the_given_certificates() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let server = Server::with(&[
        "--tls-port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--tls-cert-file",
        cert.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://localhost:{port}/");
    let config = RedisConfig::new(url.into());
    let known = RedisConfig { ca: Some(certified.cert.pem().into()), ..config.clone() };
    let store = connect(known, &TestClock::new()).await.unwrap();
    store.enqueue(&job(1, 7)).await.unwrap();
    let mut raw = server.raw();
    let length: u64 = raw.xlen("chaffinch:v1:{queue}:jobs").unwrap();
    assert_eq!(length, 1);

    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let unknown = RedisConfig { ca: Some(stranger.cert.pem().into()), ..config };
    assert!(connect(unknown, &TestClock::new()).await.is_err());
}

#[tokio::test]
async fn all_keys_of_a_call_share_a_slot() {
    // A cluster of one node checks that, whoever asks. Its bus listens 10,000 ports higher.
    let port = std::iter::repeat_with(free_port).find(|port| *port < 55_000).unwrap();
    let server = Server::with(&["--cluster-enabled", "yes", "--port", &port.to_string()]);
    let mut raw = server.raw();
    redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec(&mut raw).unwrap();
    let start = Instant::now();
    let is_up = |raw: &mut redis::Connection| {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(raw).unwrap();
        info.contains("cluster_state:ok")
    };
    while !is_up(&mut raw) {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }

    let (store, clock) = store(&server).await;
    for n in 1..=4 {
        store.enqueue(&job(n, 7)).await.unwrap();
    }
    let lease = leased(&store).await;
    assert!(store.extend(&lease).await.unwrap());
    assert!(store.retry(&lease, clock.now() + DAY).await.unwrap());
    assert!(store.bury(&leased(&store).await, "no").await.unwrap());
    assert!(store.ack(&leased(&store).await, Acked::Done).await.unwrap());
    assert_eq!(store.depth().await.unwrap().ready, 1);
    let ours = repo(1, 2);
    for key in ["a", "b", "c"] {
        store.put(&ours, VaultKind::Answer, key, &bytes("v"), DAY).await.unwrap();
        assert!(store.get(&ours, VaultKind::Answer, key).await.unwrap().is_some());
    }
    assert_eq!(store.keys(&ours, VaultKind::Answer, "").await.unwrap().len(), 3);
    store.remove(&ours, VaultKind::Answer, "a").await.unwrap();
    assert!(store.write(Book::Policy, "p", &bytes("v"), None, DAY).await.unwrap());
    let sealer = Sealer::new(&OTHER_KEY.into(), Some(&KEY.into())).unwrap();
    let config = RedisConfig::new(server.url().into());
    let rotated = RedisStore::connect(config, sealer, clock.clone(), Arc::new(TestEntropy));
    let rotated = rotated.await.unwrap();
    let page = rotated.read(Book::Policy, "p").await.unwrap();
    assert!(rotated.write(Book::Policy, "p", &bytes("w"), page.as_ref(), DAY).await.unwrap());
    rotated.strike(Book::Policy, "p").await.unwrap();
    store.destroy(&ours).await.unwrap();
    audit(&server);
}

/// Free until somebody takes it.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
