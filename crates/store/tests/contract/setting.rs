//! A store, what stands behind it, and a clock that a test moves.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chaffinch_core::{
    Audit, Clock, CommitSha, DeliveryId, Entropy, ForgeKind, Job, Lease, Ledger, Queue, Receipts,
    RepoId, RepoName, SourceBytes, Subject, Trigger, Vault,
};
use chaffinch_store::{MAX_TTL, QueueConfig, RedisConfig, RedisStore, Sealer, SqliteStore};
use chrono::{DateTime, TimeZone as _, Utc};
use redis::Commands as _;
use rusqlite::Connection;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::process::Server;

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const OTHER_KEY: &str =
    "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let start = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
        Arc::new(Self(Mutex::new(start)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct TestEntropy;

impl Entropy for TestEntropy {
    fn hex(&self, bytes: usize) -> String {
        let mut random = vec![0; bytes];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        hex::encode(random)
    }
}

/// Both stores behind their ports, as the bot holds them.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) receipts: Arc<dyn Receipts>,
    pub(crate) audit: Arc<dyn Audit>,
}

impl Store {
    pub(crate) fn of<S: Queue + Vault + Ledger + Receipts + Audit + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            queue: store.clone(),
            vault: store.clone(),
            ledger: store.clone(),
            receipts: store.clone(),
            audit: store,
        }
    }
}

/// Whose a sealed value is.
pub(crate) trait Owner {
    fn word(&self) -> String;
}

impl Owner for RepoId {
    fn word(&self) -> String {
        self.key()
    }
}

/// The owner of the ledger's pages.
pub(crate) struct OfLedger;

impl Owner for OfLedger {
    fn word(&self) -> String {
        "ledger".to_owned()
    }
}

pub(crate) enum Behind {
    Sqlite(TempDir),
    Redis(Box<Server>),
}

pub(crate) struct Setting {
    store: Option<Store>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) behind: Behind,
    pub(crate) config: QueueConfig,
    /// The current key, and the one before.
    pub(crate) secrets: (&'static str, Option<&'static str>),
}

impl Setting {
    pub(crate) async fn sqlite() -> Self {
        Self::new(Behind::Sqlite(tempfile::tempdir().unwrap())).await
    }

    pub(crate) async fn redis() -> Self {
        // It must survive a restart, like the file does.
        let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
        Self::new(Behind::Redis(Box::new(server))).await
    }

    async fn new(behind: Behind) -> Self {
        let config = QueueConfig::default();
        let mut setting =
            Self { store: None, clock: TestClock::new(), behind, config, secrets: (KEY, None) };
        setting.reopen().await;
        setting
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn queue(&self) -> &dyn Queue {
        &*self.store().queue
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        &*self.store().vault
    }

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        &*self.store().ledger
    }

    pub(crate) fn receipts(&self) -> &dyn Receipts {
        &*self.store().receipts
    }

    pub(crate) fn auditing(&self) -> &dyn Audit {
        &*self.store().audit
    }

    /// Another handle, as another worker has it: on Redis, as another process has it.
    pub(crate) async fn another(&self) -> Store {
        match &self.behind {
            Behind::Sqlite(_) => self.store().clone(),
            Behind::Redis(_) => self.open().await,
        }
    }

    /// Lets go of the store and opens it again, with the key and settings of now.
    pub(crate) async fn reopen(&mut self) {
        self.store = None;
        self.store = Some(self.open().await);
    }

    /// The same, and what stands behind the store ends without a goodbye in between.
    pub(crate) async fn crash(&mut self) {
        self.store = None;
        match &mut self.behind {
            Behind::Redis(server) => {
                server.down();
                server.up();
            }
            Behind::Sqlite(_) => {}
        }
        self.store = Some(self.open().await);
    }

    async fn open(&self) -> Store {
        let (clock, entropy) = (self.clock.clone(), Arc::new(TestEntropy));
        match &self.behind {
            Behind::Sqlite(_) => {
                let (path, config) = (self.file(), self.config.clone());
                Store::of(SqliteStore::open(path, config, self.sealer(), clock, entropy).unwrap())
            }
            Behind::Redis(server) => {
                let config = RedisConfig {
                    queue: self.config.clone(),
                    timeout: Duration::from_secs(10),
                    ..RedisConfig::new(server.url().into())
                };
                Store::of(RedisStore::connect(config, self.sealer(), clock, entropy).await.unwrap())
            }
        }
    }

    pub(crate) fn sealer(&self) -> Sealer {
        let previous = self.secrets.1.map(SecretString::from);
        Sealer::new(&self.secrets.0.into(), previous.as_ref()).unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        let Behind::Sqlite(dir) = &self.behind else { panic!("a file of redis?") };
        dir.path().join("chaffinch.db")
    }

    /// The sealed values of a kind of a repository, as they lie there.
    pub(crate) fn sealed(&self, owner: &dyn Owner, kind: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        match &self.behind {
            Behind::Sqlite(_) => Connection::open(self.file())
                .unwrap()
                .prepare("SELECT name, value FROM sealed WHERE repo = ?1 AND kind = ?2")
                .unwrap()
                .query_map([&owner.word(), kind], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap(),
            Behind::Redis(server) => {
                let mut raw = server.raw();
                let pattern = format!("chaffinch:v1:{{{}}}:{kind}:*", owner.word());
                let names: Vec<Vec<u8>> =
                    raw.scan_match(pattern).unwrap().map(Result::unwrap).collect();
                names.into_iter().map(|name| (name.clone(), raw.get(name).unwrap())).collect()
            }
        }
    }

    /// Puts other bytes in the place of a sealed value; `name` is from [`Self::sealed`].
    pub(crate) fn overwrite(&self, owner: &dyn Owner, name: &[u8], value: &[u8]) {
        match &self.behind {
            Behind::Sqlite(_) => {
                let changed = Connection::open(self.file())
                    .unwrap()
                    .execute(
                        "UPDATE sealed SET value = ?3 WHERE repo = ?1 AND name = ?2",
                        (owner.word(), name, value),
                    )
                    .unwrap();
                assert_eq!(changed, 1);
            }
            Behind::Redis(server) => {
                let mut set = redis::cmd("SET");
                set.arg(name).arg(value).arg("XX").arg("KEEPTTL");
                set.exec(&mut server.raw()).unwrap();
            }
        }
    }

    /// Lets the one value of a kind live for ever, as far as the store can say so.
    pub(crate) fn make_endless(&self, owner: &dyn Owner, kind: &str) {
        let [(name, _)] = self.sealed(owner, kind).try_into().unwrap();
        match &self.behind {
            Behind::Sqlite(_) => {
                let connection = Connection::open(self.file()).unwrap();
                let endless = "UPDATE sealed SET expires = ?2 WHERE name = ?1";
                connection.execute(endless, (name, i64::MAX / 2)).unwrap();
            }
            Behind::Redis(server) => {
                let _: bool = server.raw().persist(name).unwrap();
            }
        }
    }

    /// The bytes of a sealed name; `name` is from [`Self::sealed`].
    pub(crate) fn sealed_name(&self, owner: &dyn Owner, kind: &str, name: &[u8]) -> Vec<u8> {
        match &self.behind {
            Behind::Sqlite(_) => name.to_vec(),
            Behind::Redis(_) => {
                let start = format!("chaffinch:v1:{{{}}}:{kind}:", owner.word());
                URL_SAFE_NO_PAD.decode(&name[start.len()..]).unwrap()
            }
        }
    }

    /// Takes a sealed value away; `name` is from [`Self::sealed`].
    pub(crate) fn discard(&self, owner: &dyn Owner, kind: &str, name: &[u8]) {
        let gone: usize = match &self.behind {
            Behind::Sqlite(_) => Connection::open(self.file())
                .unwrap()
                .execute("DELETE FROM sealed WHERE repo = ?1 AND name = ?2", (owner.word(), name))
                .unwrap(),
            Behind::Redis(server) => {
                let mut raw = server.raw();
                let member = self.sealed_name(owner, kind, name);
                let index = format!("chaffinch:v1:{{{}}}:index:{kind}", owner.word());
                let _: usize = raw.zrem(index, member).unwrap();
                raw.unlink(name).unwrap()
            }
        };
        assert_eq!(gone, 1);
    }

    /// Lets the one value of a kind be another owner's.
    pub(crate) fn move_to(&self, owner: &dyn Owner, kind: &str, other: &dyn Owner) {
        let [(name, _)] = self.sealed(owner, kind).try_into().unwrap();
        match &self.behind {
            Behind::Sqlite(_) => Connection::open(self.file())
                .unwrap()
                .execute("UPDATE sealed SET repo = ?1 WHERE name = ?2", (other.word(), name))
                .map(drop)
                .unwrap(),
            Behind::Redis(server) => {
                let name = String::from_utf8(name).unwrap();
                let moved = name.replace(&owner.word(), &other.word());
                redis::cmd("RENAME").arg(name).arg(moved).exec(&mut server.raw()).unwrap();
            }
        }
    }

    /// Takes the salt away that an owner's values were sealed with.
    pub(crate) fn lose_salt(&self, owner: &dyn Owner) {
        let gone: usize = match &self.behind {
            Behind::Sqlite(_) => Connection::open(self.file())
                .unwrap()
                .execute("DELETE FROM salts WHERE repo = ?1", [owner.word()])
                .unwrap(),
            Behind::Redis(server) => {
                server.raw().del(format!("chaffinch:v1:{{{}}}:salt", owner.word())).unwrap()
            }
        };
        assert_eq!(gone, 1);
    }

    /// Puts a job there that this version cannot read.
    pub(crate) fn leave_a_strange_job(&self) {
        let text = r#"{"v":"99","what":"knows"}"#;
        match &self.behind {
            Behind::Sqlite(_) => Connection::open(self.file())
                .unwrap()
                .execute(
                    "INSERT INTO jobs (job, repo, lane, work, delivery, due, expires)
                     VALUES (?1, 'repo', 'lane', 'w', 'd', ?2, ?2 + 1000000)",
                    (text, self.clock.now().timestamp_millis()),
                )
                .map(drop)
                .unwrap(),
            Behind::Redis(server) => redis::cmd("XADD")
                .arg("chaffinch:v1:{queue}:jobs")
                .arg(&[
                    "*", "job", text, "lane", "lane", "order", "1", "work", "w", "delivery", "d",
                ])
                .exec(&mut server.raw())
                .unwrap(),
        }
    }

    /// Every byte that is kept: keys, names and values.
    pub(crate) fn everything(&self) -> Vec<u8> {
        match &self.behind {
            Behind::Sqlite(dir) => {
                let files = std::fs::read_dir(dir.path()).unwrap();
                files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
            }
            Behind::Redis(server) => {
                let mut raw = server.raw();
                let names: Vec<Vec<u8>> = raw.scan().unwrap().map(Result::unwrap).collect();
                let mut all = Vec::new();
                for name in names {
                    let dump: Vec<u8> =
                        redis::cmd("DUMP").arg(&name).query(&mut raw).unwrap_or_default();
                    all.extend(name);
                    all.extend(dump);
                }
                all
            }
        }
    }

    pub(crate) fn keeps(&self, text: &str) -> bool {
        self.everything().windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Nothing may be there that does not go by itself within 180 days.
    pub(crate) async fn audit(&self) {
        match &self.behind {
            Behind::Sqlite(_) => {
                let raw = Connection::open(self.file()).unwrap();
                let last = self.clock.now() + MAX_TTL;
                for table in ["jobs", "seen", "dead", "salts", "sealed"] {
                    let sql = format!("SELECT count(*) FROM {table} WHERE expires > ?1");
                    let late: u32 =
                        raw.query_row(&sql, [last.timestamp_millis()], |row| row.get(0)).unwrap();
                    assert_eq!(late, 0, "rows of {table} that live over 180 days");
                }
            }
            Behind::Redis(server) => audit(server),
        }
    }
}

/// Every key of ours goes by itself within 180 days.
pub(crate) fn audit(server: &Server) {
    let mut raw = server.raw();
    let names: Vec<String> = raw.scan().unwrap().map(Result::unwrap).collect();
    for name in names {
        let ttl: i64 = raw.pttl(&name).unwrap();
        let longest = i64::try_from(MAX_TTL.as_millis()).unwrap();
        // -2: gone since it was listed.
        assert!(ttl == -2 || (1..=longest).contains(&ttl), "{name} lives for {ttl} ms");
    }
}

pub(crate) fn repo(installation: u64, id: u64) -> RepoId {
    let name = RepoName::new("acme/shop").unwrap();
    RepoId { forge: ForgeKind::GitHub, installation, id, name }
}

/// The `n`th delivery: a push to change `number`.
pub(crate) fn job(n: u64, number: u64) -> Job {
    Job {
        delivery: DeliveryId::new(format!("delivery-{n}")).unwrap(),
        repo: repo(1, 2),
        subject: Subject::Change(number),
        head: CommitSha::new(format!("{n:040x}")).unwrap(),
        source: Trigger::Change,
    }
}

pub(crate) fn bytes(text: &str) -> SourceBytes {
    SourceBytes::new(text.as_bytes().to_vec())
}

pub(crate) async fn leased(queue: &dyn Queue) -> Lease {
    queue.lease().await.unwrap().expect("a job should be due")
}
