//! A running bot with everything around it, and what a test says to it.

mod binary;
mod clock;
mod forge;
mod redis;
mod report;
mod scene;
mod trouble;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use chaffinch_core::{Clock as _, Consent, Enabling, Fault, ForgeKind};
use chaffinch_sandbox::Model;
use chaffinch_server::{
    App, Config, Ended, Running, SystemClock, SystemEntropy, Worker, config::Upload, consent,
};
use tempfile::TempDir;

pub(crate) use self::{
    binary::{Binary, chaffinch, testdata},
    clock::HandClock,
    forge::{
        Fake, REPORT_FILE, REPOSITORY, SIGNING_TOKEN, WEBHOOK_SECRET, is_closed, on_both_forges,
    },
    redis::Redis,
    report::{SQLI, SQLI_FIXED, sarif, semgrep, steady},
    scene::Change,
    trouble::Step,
};

/// Made for these tests, like every secret here.
pub(crate) const STORE_KEY: &str =
    "7a1f4c9be2d05833a6c47e19f0b2d85c61e8937f2a4bd06c95e31f78a0cd42b6";
pub(crate) const UPLOAD_TOKEN: &str = "an upload token of acme/shop";

/// The bot, the forge and the model. When dropped, it fails the test on comments that nobody read,
/// jobs that are left, tokens that are alive, and anything that the forge or the model complained of.
pub(crate) struct Bot {
    pub(crate) forge: Fake,
    pub(crate) model: Model,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) address: String,
    app: Arc<App>,
    running: Option<Running>,
    folder: TempDir,
    expect_jobs: bool,
    expect_tokens: bool,
    /// Whether the clock was turned back: what was written before lives longer by it.
    turned_back: bool,
    /// Whether every repository is enabled before anything is delivered.
    consents: bool,
}

/// What a test changes before the bot starts.
pub(crate) struct Setup {
    on: ForgeKind,
    settings: Vec<(String, String)>,
    base_path: String,
    record: Option<PathBuf>,
    consents: bool,
    clock: Arc<HandClock>,
    model_port: u16,
}

impl Setup {
    /// On which port the model's endpoint is: that of another bot, which is gone.
    pub(crate) fn model_port(mut self, port: u16) -> Self {
        self.model_port = port;
        self
    }

    /// The clock of another bot.
    pub(crate) fn clock(mut self, clock: Arc<HandClock>) -> Self {
        self.clock = clock;
        self
    }

    /// Nobody enables a repository, unless the test says so.
    pub(crate) fn unconsented(mut self) -> Self {
        self.consents = false;
        self
    }

    /// One setting, as in the environment: `MODEL__API`.
    pub(crate) fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.settings.push((format!("CHAFFINCH__{key}"), value.into()));
        self
    }

    /// Below which path the forge lives: `/api/v3` on an Enterprise Server, `/gitlab`.
    pub(crate) fn base_path(mut self, path: &str) -> Self {
        self.base_path = path.to_owned();
        self
    }

    /// Where each request to the forge, and its answer, is written.
    pub(crate) fn record(mut self, file: &Path) -> Self {
        self.record = Some(file.to_owned());
        self
    }

    pub(crate) async fn start(self) -> Bot {
        let clock = self.clock;
        let forge = Fake::recorded(self.on, clock.clone(), &self.base_path, self.record).await;
        let model = Model::start_on(self.model_port).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&forge, &model, &folder);
        settings.extend(self.settings);
        let mut config = Config::load(None, settings).unwrap();
        config.upload.push(Upload::new(REPOSITORY.parse().unwrap(), UPLOAD_TOKEN.into()));
        let app = App::build(&config, clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
        let app = Arc::new(app);
        let running =
            chaffinch_server::start(Arc::clone(&app), config.server.listen).await.unwrap();
        let address = running.address.to_string();
        forge.deliver_to(&address);
        Bot {
            forge,
            model,
            clock,
            address,
            app,
            running: Some(running),
            folder,
            expect_jobs: false,
            expect_tokens: false,
            turned_back: false,
            consents: self.consents,
        }
    }
}

/// Who enables the repositories of these tests.
pub(crate) const WHO: &str = "the tests";

/// Enables every repository that is there, as `chaffinch enable` does beside a server.
pub(crate) async fn enable(config: Option<&Path>, settings: &[(String, String)], forge: &Fake) {
    let config = Config::load(config, settings.to_vec()).unwrap();
    let kept = chaffinch_server::kept(&config).await.unwrap();
    let in_force = chaffinch_server::in_force(&config, &*kept.ledger).await.unwrap();
    for repo in forge.repositories() {
        let consent = Consent {
            repo,
            by: WHO.to_owned(),
            at: SystemClock.now(),
            how: Enabling::Command,
            policy_digest: in_force.digest(),
        };
        consent::record(&*kept.ledger, consent).await.unwrap();
    }
}

/// What `chaffinch serve` needs to work against a forge and a model, in one folder.
pub(crate) fn settings(forge: &Fake, model: &Model, folder: &TempDir) -> Vec<(String, String)> {
    let store = folder.path().join("chaffinch.db");
    let pairs = [
        ("SERVER__LISTEN", "127.0.0.1:0".to_owned()),
        ("SERVER__WORKERS", "0".to_owned()),
        ("SERVER__PUBLIC_URL", "https://chaffinch.example".to_owned()),
        ("POLICY__REPOSITORIES", r#"["acme/*"]"#.to_owned()),
        ("MODEL__BASE_URL", model.url()),
        ("MODEL__NAME", "test-model".to_owned()),
        ("MODEL__AUTH", "none".to_owned()),
        ("MODEL__MAX_RETRIES", "0".to_owned()),
        ("MODEL__TIMEOUT_SECONDS", "2".to_owned()),
        ("STORE__URL", format!("sqlite:{}", store.display())),
        ("STORE__KEY", STORE_KEY.to_owned()),
    ];
    pairs.into_iter().chain(forge.settings()).map(|(k, v)| (format!("CHAFFINCH__{k}"), v)).collect()
}

impl Bot {
    pub(crate) async fn start(on: ForgeKind) -> Self {
        Self::with(on).start().await
    }

    pub(crate) fn with(on: ForgeKind) -> Setup {
        Setup {
            on,
            settings: Vec::new(),
            base_path: String::new(),
            record: None,
            consents: true,
            clock: Arc::default(),
            model_port: 0,
        }
    }

    /// The change that most tests talk about: `app/db.py` gets an SQL injection in line 5.
    pub(crate) fn sqli_change(&self, number: u64) -> Change {
        let repo = self.forge.repo(REPOSITORY);
        repo.base_file("README", "a shop\n").file("app/db.py", SQLI);
        repo.change(number)
    }

    /// Enables every repository that is there and is not yet enabled, unless the test wants none.
    pub(crate) async fn consent(&self) {
        for repo in self.forge.repositories() {
            let known = consent::of(self.app.ledger(), &repo).await.unwrap();
            if self.consents && known.is_none() {
                self.app.enable(&repo, WHO, Enabling::Command).await.unwrap();
            }
        }
    }

    /// The clock was turned back.
    pub(crate) fn is_turned_back(&mut self) {
        self.turned_back = true;
    }

    /// From now on nobody enables anything.
    pub(crate) fn withdraws(&mut self) {
        self.consents = false;
    }

    /// Lets days go by while the server runs.
    pub(crate) async fn pass_days(&self, days: i64) {
        for _ in 0..days {
            self.clock.advance(chrono::TimeDelta::days(1));
            self.app.keep_promises().await.unwrap();
        }
    }

    /// The application, for what only its library does.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Delivers an event, and works until nothing is left to do.
    pub(crate) async fn deliver(&self, event: &str, number: u64) -> Vec<String> {
        self.consent().await;
        let delivered = self.forge.deliver(event, number).await;
        assert!(matches!(delivered.status, 202 | 204), "{event}: {delivered:?}");
        self.work().await
    }

    /// Has the same head looked at once more, and works until nothing is left to do.
    pub(crate) async fn ask_again(&self, number: u64) -> Vec<String> {
        self.consent().await;
        let delivered = self.forge.ask_again(number).await;
        assert_eq!(delivered.status, 202, "{delivered:?}");
        self.work().await
    }

    /// Works until no job is due; how each ended.
    pub(crate) async fn work(&self) -> Vec<String> {
        let worker = Worker::new(Arc::clone(&self.app));
        let mut ended = Vec::new();
        while let Some(end) = worker.once().await.unwrap() {
            ended.push(match end {
                Ended::Done(word) => word.to_owned(),
                Ended::Retry { why, .. } => format!("retry: {why}"),
                Ended::Buried { why } => format!("buried: {why}"),
                Ended::Lost => "lost".to_owned(),
            });
            assert!(ended.len() < 50, "the bot does not come to rest: {ended:?}");
        }
        ended
    }

    /// Uploads a report for the head of a change, as CI would; the status.
    pub(crate) async fn upload(&self, change: &Change, report: &str) -> u16 {
        let number = change.number().to_string();
        self.upload_as(UPLOAD_TOKEN, REPOSITORY, &change.head(), Some(&number), report).await
    }

    pub(crate) async fn upload_as(
        &self,
        token: &str,
        repository: &str,
        commit: &str,
        number: Option<&str>,
        report: &str,
    ) -> u16 {
        self.consent().await;
        let mut query = vec![("repository", repository), ("commit", commit)];
        query.extend(number.map(|n| ("change", n)));
        let url = format!("http://{}/api/v1/reports", self.address);
        let request = chaffinch_server::http_client(None).unwrap().post(url);
        let request = request.query(&query).bearer_auth(token).body(report.to_owned());
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.address);
        let answer = chaffinch_server::http_client(None).unwrap().get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// This test ends with jobs in the queue, on purpose.
    pub(crate) fn leaves_jobs(&mut self) {
        self.expect_jobs = true;
    }

    /// This test ends with tokens that could not be revoked, on purpose.
    pub(crate) fn leaves_tokens(&mut self) {
        self.expect_tokens = true;
    }

    /// Every byte that the embedded store has on disk.
    pub(crate) fn stored_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|f| std::fs::read(f.unwrap().path()).unwrap_or_default()).collect()
    }

    pub(crate) async fn jobs_left(&self) -> u64 {
        let depth = self.app.queue().depth().await.unwrap();
        depth.ready + depth.leased + depth.delayed + depth.dead
    }

    async fn complaints(&self) -> Vec<String> {
        let mut complaints = self.forge.problems();
        complaints.extend(self.model.problems());
        complaints.extend(self.forge.unread().into_iter().map(|c| format!("nobody read: {c}")));
        if self.model.left() > 0 {
            complaints.push(format!("{} answers were never asked for", self.model.left()));
        }
        if self.forge.faults().left() > 0 {
            complaints.push("planned trouble never came".to_owned());
        }
        let mut audit = |stored: chaffinch_core::Stored| {
            let fault =
                stored.fault().filter(|fault| !self.turned_back || *fault != Fault::TooLong);
            let fault = fault.map(|fault| format!("{}: {fault}", stored.key));
            complaints.extend(fault);
        };
        if let Err(error) = self.app.audit().walk(&mut audit).await {
            complaints.push(format!("the store cannot be audited: {error}"));
        }
        if !self.expect_jobs && self.jobs_left().await > 0 {
            complaints.push("jobs are left in the queue".to_owned());
        }
        if !self.expect_tokens && self.forge.live_tokens() > 0 {
            complaints.push(format!("{} tokens are still alive", self.forge.live_tokens()));
        }
        complaints
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let complaints = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let complaints = self.complaints().await;
                if let Some(running) = self.running.take() {
                    running.stop().await;
                }
                complaints
            })
        });
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
