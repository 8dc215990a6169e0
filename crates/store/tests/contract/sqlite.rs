//! What the file is, beyond the contract.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use chaffinch_core::{Book, Clock as _, Queue as _, QueueDepth, StoreError, Vault as _, VaultKind};
use chaffinch_store::{QueueConfig, SqliteStore};
use rusqlite::Connection;

use crate::setting::{DAY, OfLedger, Setting, TestClock, TestEntropy, bytes, job, repo};

fn open(setting: &Setting, path: &Path) -> Result<SqliteStore, StoreError> {
    let clock = setting.clock.clone();
    SqliteStore::open(path, QueueConfig::default(), setting.sealer(), clock, Arc::new(TestEntropy))
}

fn refusal(setting: &Setting, path: &Path) -> String {
    match open(setting, path) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_is_gone() {
    let mut setting = Setting::sqlite().await;
    let why = refusal(&setting, &setting.file());
    assert!(why.contains("is in use by another chaffinch"), "{why}");
    setting.reopen().await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let setting = Setting::sqlite().await;
    let path = setting.file().with_file_name("newer.db");
    drop(open(&setting, &path).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    let before = fs::read(&path).unwrap();
    let why = refusal(&setting, &path);
    assert!(why.contains("written by a newer chaffinch (schema 2; this one knows 1)"), "{why}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let setting = Setting::sqlite().await;
    let text = setting.file().with_file_name("notes.txt");
    fs::write(
        &text,
        "these are my notes, and they are longer than a header of a database; \
        these are my notes, and they are longer than a header of a database",
    )
    .unwrap();
    let theirs = setting.file().with_file_name("theirs.db");
    Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    for path in [text, theirs] {
        let before = fs::read(&path).unwrap();
        let why = refusal(&setting, &path);
        assert!(why.contains("is not a chaffinch store"), "{why}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let why = refusal(&setting, Path::new("/nonexistent/folder/chaffinch.db"));
    assert!(why.contains("cannot open /nonexistent/folder/chaffinch.db"), "{why}");
}

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    let mut setting = Setting::sqlite().await;
    fs::set_permissions(setting.file(), fs::Permissions::from_mode(0o644)).unwrap();
    setting.reopen().await;
    setting.queue().enqueue(&job(1, 7)).await.unwrap();
    let mut seen = 0;
    for file in fs::read_dir(setting.file().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        seen += 1;
    }
    assert_eq!(seen, 4, "the file, its log, the log's index, the lock");
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_already() {
    let setting = Setting::sqlite().await;
    for n in 1..=40 {
        setting.queue().enqueue(&job(n, n)).await.unwrap();
    }
    // The power goes: what is on disk now is all there is.
    let copy = tempfile::tempdir().unwrap();
    for name in ["chaffinch.db", "chaffinch.db-wal"] {
        fs::copy(setting.file().with_file_name(name), copy.path().join(name)).unwrap();
    }
    let store = open(&setting, &copy.path().join("chaffinch.db")).unwrap();
    assert_eq!(store.depth().await.unwrap(), QueueDepth { ready: 40, ..QueueDepth::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_kept() {
    let mut setting = Setting::sqlite().await;
    let tasks: Vec<_> = (0..3000)
        .map(|n| {
            let queue = setting.store().queue.clone();
            tokio::spawn(async move { queue.enqueue(&job(n, n)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    setting.reopen().await;
    assert_eq!(setting.queue().depth().await.unwrap().ready, 3000);
}

#[tokio::test]
async fn what_has_expired_is_removed_when_the_file_is_opened() {
    let mut setting = Setting::sqlite().await;
    let ours = repo(1, 2);
    for n in 0..1500 {
        let (key, value) = (n.to_string(), bytes("value"));
        setting.vault().put(&ours, VaultKind::Answer, &key, &value, DAY).await.unwrap();
    }
    setting.vault().put(&ours, VaultKind::Answer, "lasting", &bytes("v"), DAY * 3).await.unwrap();
    let page = bytes("page");
    for (name, keep) in [("p", DAY), ("lasting", DAY * 3)] {
        assert!(setting.ledger().write(Book::Consent, name, &page, None, keep).await.unwrap());
    }
    setting.clock.advance(DAY);
    setting.reopen().await;
    assert_eq!(setting.sealed(&ours, "answer").len(), 1);
    assert_eq!(setting.sealed(&OfLedger, "consent").len(), 1);
}

#[tokio::test]
async fn what_has_expired_is_removed_after_a_share_of_the_writes() {
    let setting = Setting::sqlite().await;
    let ours = repo(1, 2);
    setting.vault().put(&ours, VaultKind::Answer, "k", &bytes("v"), DAY).await.unwrap();
    setting.clock.advance(DAY);
    for _ in 0..300 {
        setting.queue().ready().await.unwrap();
    }
    assert!(setting.sealed(&ours, "answer").is_empty());
    // The salt outlives the values by its own 180 days, and then goes too.
    let salts = || -> u32 {
        let raw = Connection::open(setting.file()).unwrap();
        raw.query_row("SELECT count(*) FROM salts", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(salts(), 1);
    setting.clock.advance(DAY * 180);
    for _ in 0..300 {
        setting.queue().ready().await.unwrap();
    }
    assert_eq!(salts(), 0);
}

#[tokio::test]
async fn the_salt_of_a_destroyed_repository_is_nowhere_in_the_files() {
    let setting = Setting::sqlite().await;
    let ours = repo(1, 2);
    setting.vault().put(&ours, VaultKind::Answer, "k", &bytes("v"), DAY).await.unwrap();
    let salt: Vec<u8> = Connection::open(setting.file())
        .unwrap()
        .query_row("SELECT salt FROM salts", [], |row| row.get(0))
        .unwrap();
    let is_kept = || setting.everything().windows(salt.len()).any(|window| window == salt);
    assert!(is_kept());
    setting.vault().destroy(&ours).await.unwrap();
    assert!(!is_kept());
}

#[tokio::test]
async fn a_setting_out_of_bounds_is_refused() {
    let setting = Setting::sqlite().await;
    let path = setting.file().with_file_name("other.db");
    let defaults = QueueConfig::default();
    for config in [
        QueueConfig { lease: Duration::ZERO, ..defaults.clone() },
        QueueConfig { lease: DAY, ..defaults.clone() },
        QueueConfig { seen_ttl: DAY * 31, ..defaults.clone() },
        QueueConfig { max_jobs: 0, ..defaults.clone() },
    ] {
        let clock = TestClock::new();
        let opened =
            SqliteStore::open(&path, config, setting.sealer(), clock, Arc::new(TestEntropy));
        assert!(matches!(opened, Err(StoreError::Refused(_))));
    }
    assert!(!path.exists());
}

#[tokio::test]
async fn debug_shows_nothing_of_what_is_kept() {
    let setting = Setting::sqlite().await;
    let store = open(&setting, &setting.file().with_file_name("other.db")).unwrap();
    store.put(&repo(1, 2), VaultKind::Answer, "k", &bytes("v"), DAY).await.unwrap();
    assert_eq!(format!("{store:?}"), "SqliteStore(..)");
    assert!(setting.clock.now().timestamp() > 0);
}
