//! The file of a server, opened by a command while the server has it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use chaffinch_core::{Acked, Book, QueueDepth, Receipt, StoreError, VaultKind};
use chaffinch_store::{MAX_TTL, SqliteStore};
use rusqlite::Connection;

use crate::{
    audit::stored,
    ledger::count_up,
    receipts::{chain, receipt},
    setting::{DAY, Setting, Store, TestEntropy, bytes, job, leased, repo},
};

/// Names the file to the second process of a test.
const FILE: &str = "CHAFFINCH_TEST_FILE";

fn open(setting: &Setting, path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::beside(path, setting.sealer(), setting.clock.clone(), Arc::new(TestEntropy))
}

fn beside(setting: &Setting) -> Store {
    Store::of(open(setting, &setting.file()).unwrap())
}

fn refusal(setting: &Setting, path: &Path) -> String {
    match open(setting, path) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_either_writes_the_other_sees_at_once() {
    let s = Setting::sqlite().await;
    let (ours, book) = (repo(1, 2), Book::Consent);
    let (server, command) = (s.store().clone(), beside(&s));
    // Each reads first, so that there is something to be out of date.
    for store in [&server, &command] {
        assert!(store.vault.get(&ours, VaultKind::Record, "k").await.unwrap().is_none());
        assert!(store.ledger.read(book, "p").await.unwrap().is_none());
        assert!(store.vault.holders().await.unwrap().is_empty());
    }
    for (n, (writes, reads)) in (1..).zip([(&command, &server), (&server, &command)].repeat(3)) {
        let text = n.to_string();
        writes.vault.put(&ours, VaultKind::Record, "k", &bytes(&text), DAY).await.unwrap();
        let value = reads.vault.get(&ours, VaultKind::Record, "k").await.unwrap().unwrap();
        assert_eq!(value.text(), text);

        let page = writes.ledger.read(book, "p").await.unwrap();
        assert!(writes.ledger.write(book, "p", &bytes(&text), page.as_ref(), DAY).await.unwrap());
        let page = reads.ledger.read(book, "p").await.unwrap().unwrap();
        assert_eq!(page.text.text(), text);

        writes.receipts.append(&receipt(n, 7), MAX_TTL).await.unwrap();
        assert_eq!(reads.receipts.list(&ours, None).await.unwrap().len(), n as usize);
        assert_eq!(reads.receipts.verify(&ours).await.unwrap().flaws, []);
    }
    command.vault.destroy(&ours).await.unwrap();
    assert!(server.vault.get(&ours, VaultKind::Record, "k").await.unwrap().is_none());
    assert!(server.receipts.list(&ours, None).await.unwrap().is_empty());
    assert!(!s.keeps(&ours.key()));
    // The server goes on, under a salt of its own.
    server.vault.put(&ours, VaultKind::Record, "k", &bytes("new"), DAY).await.unwrap();
    let value = command.vault.get(&ours, VaultKind::Record, "k").await.unwrap().unwrap();
    assert_eq!(value.text(), "new");
    command.ledger.strike(book, "p").await.unwrap();
    assert!(server.ledger.read(book, "p").await.unwrap().is_none());
    let mut seen = Vec::new();
    command.audit.walk(&mut |stored| seen.push(stored)).await.unwrap();
    assert_eq!(seen, stored(&s).await);
    s.audit().await;
}

#[tokio::test]
async fn of_the_queue_it_takes_dead_letters_alone() {
    let s = Setting::sqlite().await;
    let command = beside(&s);
    for n in 1..=3 {
        s.queue().enqueue(&job(n, n)).await.unwrap();
    }
    s.queue().bury(&leased(s.queue()).await, "no").await.unwrap();
    let lease = leased(s.queue()).await;
    let depth = QueueDepth { ready: 1, leased: 1, delayed: 0, dead: 1 };
    assert_eq!(command.queue.depth().await.unwrap(), depth);
    command.queue.ready().await.unwrap();
    let refused = [
        command.queue.enqueue(&job(9, 9)).await.map(drop),
        command.queue.lease().await.map(drop),
        command.queue.extend(&lease).await.map(drop),
        command.queue.ack(&lease, Acked::Done).await.map(drop),
        command.queue.retry(&lease, lease.until).await.map(drop),
        command.queue.bury(&lease, "no").await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    assert_eq!(command.vault.destroy(&repo(1, 2)).await.unwrap().get("job"), Some(&1));
    assert_eq!(s.queue().depth().await.unwrap(), QueueDepth { dead: 0, ..depth });
    assert!(s.queue().ack(&lease, Acked::Done).await.unwrap());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_refused_and_not_made() {
    let s = Setting::sqlite().await;
    let path = s.file().with_file_name("other.db");
    let why = refusal(&s, &path);
    assert!(why.contains("there is no ") && why.contains("other.db"), "{why}");
    for name in ["other.db", "other.db.lock", "other.db-wal"] {
        assert!(!path.with_file_name(name).exists(), "{name}");
    }
    let folder = refusal(&s, s.file().parent().unwrap());
    assert!(folder.contains("cannot open ") && folder.contains("for writing"), "{folder}");
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_or_a_newer_ones_is_refused_and_left_alone() {
    let s = Setting::sqlite().await;
    let (empty, theirs) = (s.file().with_file_name("empty"), s.file().with_file_name("theirs"));
    fs::write(&empty, "").unwrap();
    Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    for path in [empty, theirs] {
        let before = fs::read(&path).unwrap();
        let why = refusal(&s, &path);
        assert!(why.contains("is not a chaffinch store"), "{why}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    Connection::open(s.file()).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(refusal(&s, &s.file()).contains("written by a newer chaffinch"));
}

#[tokio::test]
async fn it_keeps_no_server_from_its_file() {
    let mut s = Setting::sqlite().await;
    let command = beside(&s);
    s.reopen().await;
    command.vault.put(&repo(1, 2), VaultKind::Record, "k", &bytes("v"), DAY).await.unwrap();
    assert!(s.vault().get(&repo(1, 2), VaultKind::Record, "k").await.unwrap().is_some());
    drop(command);
    s.reopen().await;
    assert!(s.vault().get(&repo(1, 2), VaultKind::Record, "k").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_that_write_at_once_none_loses_what_another_wrote() {
    let s = Setting::sqlite().await;
    let stores = [s.store().clone(), beside(&s), beside(&s)];
    let writers: Vec<_> = (0..60)
        .map(|n| {
            let store = stores[n % 3].clone();
            let receipt = Receipt { at: receipt(0, 7).at, ..receipt(n as u32, 7) };
            tokio::spawn(async move {
                count_up(&store).await;
                store.receipts.append(&receipt, MAX_TTL).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let page = s.ledger().read(Book::Consent, "n").await.unwrap().unwrap();
    assert_eq!(page.text.text(), "60");
    let chain = chain(&s).await;
    assert_eq!((chain.receipts, chain.last, chain.flaws), (60, Some(60), vec![]));
}

#[expect(
    clippy::disallowed_methods,
    reason = "only this tells a test that it is the second process"
)]
fn given_file() -> Option<PathBuf> {
    std::env::var_os(FILE).map(PathBuf::from)
}

async fn be_the_second_process(file: &Path) {
    let s = Setting::sqlite().await;
    let store = Store::of(open(&s, file).unwrap());
    for _ in 0..20 {
        count_up(&store).await;
    }
    let destroyed = store.vault.destroy(&repo(1, 2)).await.unwrap();
    assert_eq!(destroyed.get("record"), Some(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_is_a_process_of_its_own() {
    if let Some(file) = given_file() {
        return be_the_second_process(&file).await;
    }
    let s = Setting::sqlite().await;
    s.vault().put(&repo(1, 2), VaultKind::Record, "k", &bytes("v"), DAY).await.unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "beside::a_command_is_a_process_of_its_own"]);
    command.env(FILE, s.file());
    let second = tokio::task::spawn_blocking(move || command.output().unwrap());
    for _ in 0..20 {
        count_up(s.store()).await;
    }
    let ended = second.await.unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && told.contains("1 passed"), "{told}");
    let page = s.ledger().read(Book::Consent, "n").await.unwrap().unwrap();
    assert_eq!(page.text.text(), "40");
    assert!(s.vault().get(&repo(1, 2), VaultKind::Record, "k").await.unwrap().is_none());
    assert!(!s.keeps(&repo(1, 2).key()));
}

/// Reads, and goes on seeing what was there then until it ends.
fn reading(s: &Setting) -> Connection {
    let reader = Connection::open(s.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM sealed;").unwrap();
    let there: u32 = reader.query_row("SELECT count(*) FROM salts", [], |row| row.get(0)).unwrap();
    assert_eq!(there, 1);
    reader
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn destroying_waits_for_one_that_reads_what_was_there_before() {
    let s = Setting::sqlite().await;
    let ours = repo(1, 2);
    s.vault().put(&ours, VaultKind::Record, "k", &bytes("v"), DAY).await.unwrap();
    let reader = reading(&s);
    let vault = s.store().vault.clone();
    let destroying = tokio::spawn(async move { vault.destroy(&repo(1, 2)).await });
    while !s.vault().holders().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    // Meanwhile others are served, and it has not been answered.
    s.queue().enqueue(&job(1, 7)).await.unwrap();
    assert!(!destroying.is_finished());
    assert!(s.keeps(&ours.key()), "it is in the log still");
    drop(reader);
    assert_eq!(destroying.await.unwrap().unwrap().get("record"), Some(&1));
    let log = fs::metadata(s.file().with_file_name("chaffinch.db-wal")).unwrap();
    assert_eq!(log.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn destroying_says_so_where_one_reads_on() {
    let s = Setting::sqlite().await;
    let ours = repo(1, 2);
    s.vault().put(&ours, VaultKind::Record, "k", &bytes("v"), DAY).await.unwrap();
    let reader = reading(&s);
    let error = s.vault().destroy(&ours).await.unwrap_err();
    let StoreError::Unavailable(why) = error else { panic!("{error}") };
    assert!(why.contains("it is done, but") && why.contains("another process reads it"), "{why}");
    assert!(s.vault().holders().await.unwrap().is_empty());
    drop(reader);
    assert!(s.vault().destroy(&ours).await.unwrap().is_empty());
    assert!(!s.keeps(&ours.key()));
}
