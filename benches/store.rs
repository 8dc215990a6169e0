//! Jobs kept a second, durably, by both stores: one after the other, and as many callers at once.
//! Redis is started by the bench, with an append-only file that is synced at every write, or every
//! second.
//!
//! `cargo bench --bench store`

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench may stop at a surprise")]

use std::{
    fmt,
    net::Shutdown,
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use chaffinch_core::{
    Acked, Clock, CommitSha, DeliveryId, Entropy, ForgeKind, Job, Queue, RepoId, RepoName, Subject,
    Trigger,
};
use chaffinch_store::{QueueConfig, RedisConfig, RedisStore, Sealer, SqliteStore};
use chrono::{DateTime, Utc};
use divan::{Bencher, counter::ItemsCount};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

#[derive(Clone, Copy)]
enum Kind {
    Sqlite,
    RedisAlways,
    RedisEverySecond,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::RedisAlways => "redis, fsync always",
            Self::RedisEverySecond => "redis, fsync every second",
        })
    }
}

const KINDS: [Kind; 3] = [Kind::Sqlite, Kind::RedisAlways, Kind::RedisEverySecond];

/// Stands still: no lease runs out during a bench.
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000, 0).unwrap_or_default()
    }
}

/// Counts: a bench needs tokens that differ, not secrets.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn hex(&self, bytes: usize) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        format!("{number:0width$x}", width = bytes * 2)
    }
}

struct Bed {
    runtime: Runtime,
    queue: Arc<dyn Queue>,
    next: AtomicU64,
    redis: Option<Child>,
    _folder: TempDir,
}

impl Bed {
    fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".into();
        let sealer = Sealer::new(&key, None).unwrap();
        let entropy = Arc::new(Counting(AtomicU64::new(0)));
        let config = QueueConfig { max_jobs: 10_000_000, ..QueueConfig::default() };
        let fsync = match kind {
            Kind::Sqlite => {
                let path = folder.path().join("bench.db");
                let store = SqliteStore::open(path, config, sealer, Arc::new(Still), entropy);
                return Self::of(runtime, Arc::new(store.unwrap()), None, folder);
            }
            Kind::RedisAlways => "always",
            Kind::RedisEverySecond => "everysec",
        };
        let socket = folder.path().join("socket");
        let redis = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", fsync])
            .arg("--dir")
            .arg(folder.path())
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect(
                "redis-server is not on PATH: install it (Debian: `apt-get install redis-server`)",
            );
        let tries = (0..1000).any(|_| match UnixStream::connect(&socket) {
            Ok(stream) => stream.shutdown(Shutdown::Both).is_ok(),
            Err(_) => {
                thread::sleep(Duration::from_millis(5));
                false
            }
        });
        assert!(tries, "redis-server does not start");
        let url = format!("unix://{}", socket.display());
        let config = RedisConfig { queue: config, ..RedisConfig::new(url.into()) };
        let store = RedisStore::connect(config, sealer, Arc::new(Still), entropy);
        let store = runtime.block_on(store).unwrap();
        Self::of(runtime, Arc::new(store), Some(redis), folder)
    }

    fn of(runtime: Runtime, queue: Arc<dyn Queue>, redis: Option<Child>, folder: TempDir) -> Self {
        Self { runtime, queue, next: AtomicU64::new(1), redis, _folder: folder }
    }

    fn jobs(&self, count: u64) -> Vec<Job> {
        let start = self.next.fetch_add(count, Ordering::Relaxed);
        (start..start + count).map(job).collect()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(redis) = &mut self.redis {
            let _ = redis.kill();
            let _ = redis.wait();
        }
    }
}

fn job(n: u64) -> Job {
    Job {
        delivery: DeliveryId::new(format!("delivery-{n}")).unwrap(),
        repo: RepoId {
            forge: ForgeKind::GitHub,
            installation: 1,
            id: 2,
            name: RepoName::new("acme/shop").unwrap(),
        },
        subject: Subject::Change(n),
        head: CommitSha::new(format!("{n:040x}")).unwrap(),
        source: Trigger::Change,
    }
}

const ONE_BY_ONE: u64 = 50;
const AT_ONCE: u64 = 256;

#[divan::bench(args = KINDS, sample_count = 40, sample_size = 1)]
fn enqueue_one_by_one(bencher: Bencher<'_, '_>, kind: Kind) {
    let bed = Bed::new(kind);
    bencher.counter(ItemsCount::new(ONE_BY_ONE)).with_inputs(|| bed.jobs(ONE_BY_ONE)).bench_values(
        |jobs| {
            bed.runtime.block_on(async {
                for job in &jobs {
                    bed.queue.enqueue(job).await.unwrap();
                }
            });
        },
    );
}

#[divan::bench(args = KINDS, sample_count = 40, sample_size = 1)]
fn enqueue_256_at_once(bencher: Bencher<'_, '_>, kind: Kind) {
    let bed = Bed::new(kind);
    bencher.counter(ItemsCount::new(AT_ONCE)).with_inputs(|| bed.jobs(AT_ONCE)).bench_values(
        |jobs| {
            bed.runtime.block_on(async {
                let tasks: Vec<_> = jobs
                    .into_iter()
                    .map(|job| {
                        let queue = Arc::clone(&bed.queue);
                        tokio::spawn(async move { queue.enqueue(&job).await })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap().unwrap();
                }
            });
        },
    );
}

#[divan::bench(args = KINDS, sample_count = 40, sample_size = 1)]
fn lease_and_ack_one_by_one(bencher: Bencher<'_, '_>, kind: Kind) {
    let bed = Bed::new(kind);
    let fill = || {
        let jobs = bed.jobs(ONE_BY_ONE);
        bed.runtime.block_on(async {
            for job in &jobs {
                bed.queue.enqueue(job).await.unwrap();
            }
        });
    };
    bencher.counter(ItemsCount::new(ONE_BY_ONE)).with_inputs(fill).bench_values(|()| {
        bed.runtime.block_on(async {
            for _ in 0..ONE_BY_ONE {
                let lease = bed.queue.lease().await.unwrap().expect("a job is due");
                assert!(bed.queue.ack(&lease, Acked::Done).await.unwrap());
            }
        });
    });
}
