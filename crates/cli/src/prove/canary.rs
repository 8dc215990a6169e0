//! A triage in a sandbox, with the operator's configuration: does any word arrive that should not?

use std::{
    fmt::Write as _,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use chaffinch_core::{Clock, Enabling, Entropy};
use chaffinch_sandbox::{self as sandbox, GitHub, GitLab, Model, ModelRequest};
use chaffinch_server::{App, Config, SystemClock, SystemEntropy};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tempfile::TempDir;

use super::{
    planted::{Planted, Words},
    scene::{self, REPORT, REPOSITORY},
    search::found,
};
use crate::{
    args::{Listing, Prove},
    progress::{self, DIM, GREEN, RED},
};

/// A word arrived, or nothing did.
const NOT_PROVED: u8 = 1;
/// The longest that a triage of two findings may take, over the model's own limit.
const PATIENCE: Duration = Duration::from_secs(120);
/// Only this process ever sees them.
const WEBHOOK_SECRET: &str = "a webhook secret for canaries";
const SIGNING_TOKEN: &str = "whsec_YSBzaWduaW5nIHRva2VuIGZvciBjYW5hcmllcywgMzI=";

/// The machine's clock, some days off: a policy is in force once its notice is over.
struct Days(AtomicI64);

impl Clock for Days {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::days(self.0.load(Ordering::SeqCst))
    }
}

pub(super) async fn run(
    options: Prove,
    environment: Vec<(String, String)>,
) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "leaks")]
    if let Some(leak) = &options.leak
        && !chaffinch_core::leaks::switch_on(leak)
    {
        bail!("no leak is called {leak}");
    }
    let mut environment = environment;
    let mut own = Config::load(options.config.as_deref(), environment.clone())?;
    // Without a configuration, that of the demo: both forges, and all else by default.
    let demo = options.config.is_none()
        && !own.github.is_configured()
        && !own.gitlab.is_configured()
        && own.model.name.is_empty();
    if demo {
        progress::say(&format!(
            "{DIM}No configuration is given, so that of the demo is tried; yours is with --config FILE.{DIM:#}"
        ));
        let settings =
            [("NAME", "scripted"), ("AUTH", "none"), ("BASE_URL", "http://127.0.0.1/v1")];
        environment.extend(settings.map(|(k, v)| (format!("CHAFFINCH__MODEL__{k}"), v.to_owned())));
        own = Config::load(None, environment.clone())?;
    } else {
        chaffinch_server::check(&own)?;
    }
    chaffinch_server::install_crypto();
    let days = i64::from(own.policy.notice_days) + 1;
    let clock = Arc::new(Days(AtomicI64::new(-days)));
    let words = Words::new(&SystemEntropy, own.policy.ceiling);
    let model = Model::start().await?;
    model.lenient();
    // It asks for more, so that the questions that follow are tried, too.
    model.answer_with(|_| {
        sandbox::json(&json!({
            "reason": "Not enough is shown.", "evidence": [], "verdict": "needs_review",
            "remediation": "", "fix": "", "confidence": 10, "needs": [scene::ASKED_FOR],
        }))
    });
    let world = World::start(&own, demo, &clock).await?;
    let folder = tempfile::tempdir()?;
    let overrides = overrides(&own, &world, &model, &folder);
    let given = environment.into_iter().filter(|(key, _)| overrides.iter().all(|(k, _)| k != key));
    let mut config =
        Config::load(options.config.as_deref(), given.chain(overrides.iter().cloned()))?;
    config.upload.clear();
    let app = App::build(&config, clock.clone(), Arc::new(SystemEntropy)).await?;
    let app = Arc::new(app);
    let running = chaffinch_server::start(Arc::clone(&app), config.server.listen).await?;
    world.open(&running.address.to_string(), &words);
    for repo in world.repositories() {
        app.enable(&repo, "chaffinch prove --canary", Enabling::Command).await?;
    }
    // The policy as it is configured, once the notice of all of it is over.
    clock.0.store(0, Ordering::SeqCst);
    app.keep_promises().await?;
    world.deliver().await?;
    let done = wait(&app, Duration::from_secs(config.model.timeout_seconds)).await;
    running.stop().await;
    done?;
    if let Some(problem) = model.problems().first() {
        bail!("the endpoint received what it does not understand: {problem}");
    }
    report(&words, &model.requests(), options.format)
}

/// The forges that the operator has configured, as sandboxes.
struct World {
    github: Option<GitHub>,
    gitlab: Option<(GitLab, [sandbox::AccessToken; 2])>,
}

impl World {
    async fn start(own: &Config, both: bool, clock: &Arc<Days>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = clock.clone();
        let github = match both || own.github.is_configured() {
            true => {
                let options = sandbox::Options {
                    webhook_secret: WEBHOOK_SECRET.to_owned(),
                    ..sandbox::Options::new(Arc::clone(&clock))
                };
                Some(GitHub::start(options).await?)
            }
            false => None,
        };
        let gitlab = match both || own.gitlab.is_configured() {
            true => {
                let gitlab = GitLab::start(sandbox::GitLabOptions::new(clock)).await?;
                let project = gitlab.project(REPOSITORY);
                let until = (SystemClock.now() + TimeDelta::days(300)).format("%Y-%m-%d");
                let until = until.to_string();
                let reader = project.token("read", &["read_api"], 20).expires(&until);
                let writer = project.token("write", &["api"], 30).expires(&until);
                Some((gitlab, [reader, writer]))
            }
            false => None,
        };
        if own.policy.listing == chaffinch_egress::Listing::Names {
            github.iter().for_each(GitHub::allow_listing);
            gitlab.iter().for_each(|(gitlab, _)| gitlab.allow_listing());
        }
        Ok(Self { github, gitlab })
    }

    fn open(&self, address: &str, words: &Words) {
        if let Some(github) = &self.github {
            github.set_webhook_url(format!("http://{address}/webhooks/github"));
            scene::on_github(github, words);
        }
        if let Some((gitlab, _)) = &self.gitlab {
            let hook =
                gitlab.project(REPOSITORY).hook(&format!("http://{address}/webhooks/gitlab"));
            hook.signing_token(SIGNING_TOKEN);
            scene::on_gitlab(gitlab, words);
        }
    }

    fn repositories(&self) -> Vec<chaffinch_core::RepoId> {
        let github = self.github.iter().flat_map(GitHub::repositories);
        github.chain(self.gitlab.iter().flat_map(|(gitlab, _)| gitlab.repositories())).collect()
    }

    async fn deliver(&self) -> anyhow::Result<()> {
        let mut all = Vec::new();
        if let Some(github) = &self.github {
            all.push(scene::deliver_on_github(github).await);
        }
        if let Some((gitlab, _)) = &self.gitlab {
            all.push(scene::deliver_on_gitlab(gitlab).await);
        }
        match all.iter().find(|delivered| delivered.status != 202) {
            Some(delivered) => {
                bail!("a delivery was answered {}: {}", delivered.status, delivered.body.trim())
            }
            None => Ok(()),
        }
    }
}

/// What takes the place of the operator's settings: where forge, model and store are, and how we prove who
/// we are there. All else is the operator's.
fn overrides(
    own: &Config,
    world: &World,
    model: &Model,
    folder: &TempDir,
) -> Vec<(String, String)> {
    let mut settings = vec![
        ("SERVER__LISTEN", "127.0.0.1:0".to_owned()),
        ("SERVER__WORKERS", "1".to_owned()),
        ("POLICY__REPOSITORIES", format!("[\"{REPOSITORY}\"]")),
        ("MODEL__BASE_URL", model.url()),
        ("MODEL__KEY", "no key of yours".to_owned()),
        ("MODEL__KEY_FILE", String::new()),
        ("STORE__URL", format!("sqlite:{}", folder.path().join("canary.db").display())),
        ("STORE__URL_FILE", String::new()),
        ("STORE__KEY", SystemEntropy.hex(32)),
        ("STORE__KEY_FILE", String::new()),
        ("STORE__KEY_PREVIOUS", String::new()),
        ("STORE__KEY_PREVIOUS_FILE", String::new()),
    ];
    if own.model.auth == chaffinch_server::config::ModelAuth::None {
        settings.retain(|(key, _)| *key != "MODEL__KEY");
    }
    if let Some(github) = &world.github {
        settings.extend([
            ("GITHUB__APP_ID", github.app_id().to_string()),
            ("GITHUB__API_URL", github.url()),
            ("GITHUB__PRIVATE_KEY", github.private_key().to_owned()),
            ("GITHUB__PRIVATE_KEY_FILE", String::new()),
            ("GITHUB__WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("GITHUB__WEBHOOK_SECRET_FILE", String::new()),
            ("GITHUB__WEBHOOK_SECRET_PREVIOUS", String::new()),
            ("GITHUB__WEBHOOK_SECRET_PREVIOUS_FILE", String::new()),
            ("GITHUB__CODE_SCANNING", "true".to_owned()),
        ]);
    }
    if let Some((gitlab, [reader, writer])) = &world.gitlab {
        let (job, file) = REPORT;
        settings.extend([
            ("GITLAB__URL", gitlab.url()),
            ("GITLAB__CA_FILE", String::new()),
            (
                "GITLAB__PROJECT",
                format!(
                    "[{{ path = \"{REPOSITORY}\", read_token = \"{}\", write_token = \"{}\", \
                     webhook_secret = \"{SIGNING_TOKEN}\" }}]",
                    reader.value(),
                    writer.value()
                ),
            ),
            ("GITLAB__REPORT", format!("[{{ job = \"{job}\", file = \"{file}\" }}]")),
        ]);
    }
    settings.into_iter().map(|(key, value)| (format!("CHAFFINCH__{key}"), value)).collect()
}

async fn wait(app: &App, longest: Duration) -> anyhow::Result<()> {
    let done = async {
        loop {
            let depth = app.queue().depth().await?;
            if depth.ready + depth.leased + depth.delayed == 0 {
                anyhow::ensure!(depth.dead == 0, "the triage was given up on");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(longest * 4 + PATIENCE, done).await.context("the triage takes too long")?
}

/// One planted word, and in which form it arrived.
struct Seen<'w> {
    planted: &'w Planted,
    form: Option<&'static str>,
}

fn report(words: &Words, requests: &[ModelRequest], format: Listing) -> anyhow::Result<ExitCode> {
    let received: Vec<Vec<u8>> = requests.iter().flat_map(parts).collect();
    let look = |word: &str| received.iter().find_map(|bytes| found(word, bytes));
    let seen: Vec<Seen<'_>> =
        words.planted.iter().map(|p| Seen { planted: p, form: look(&p.word) }).collect();
    let arrived =
        seen.iter().filter(|seen| seen.form.is_some() && seen.planted.allowed.is_none()).count();
    let control = look(&words.control).is_some();
    progress::print(&match format {
        Listing::Table => table(&seen, requests.len(), control),
        Listing::Json => lines(&seen, requests.len(), control),
    })?;
    let said = match (control, arrived) {
        (false, _) => format!(
            "{RED}Nothing is proved: the finding's own line did not arrive, so nothing could have. Does the \
             policy block it? See `chaffinch prove OWNER/NAME NUMBER`.{RED:#}"
        ),
        (true, 0) => {
            format!("{GREEN}No planted word arrived; the finding's own line did.{GREEN:#}")
        }
        (true, 1) => format!("{RED}1 planted word arrived.{RED:#}"),
        (true, many) => format!("{RED}{many} planted words arrived.{RED:#}"),
    };
    progress::say(&said);
    Ok(if control && arrived == 0 { ExitCode::SUCCESS } else { ExitCode::from(NOT_PROVED) })
}

/// Everything that came: the body, which is JSON, and beside it address and headers.
fn parts(request: &ModelRequest) -> [Vec<u8>; 2] {
    let mut head = format!("{}\n", request.target).into_bytes();
    for (name, value) in &request.headers {
        head.extend_from_slice(format!("{name}: ").as_bytes());
        head.extend_from_slice(value.as_bytes());
        head.push(b'\n');
    }
    [request.raw.to_vec(), head]
}

fn table(seen: &[Seen<'_>], requests: usize, control: bool) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{:<32}{:<42}reached the model", "place", "planted");
    for Seen { planted, form } in seen {
        let reached = match (form, planted.allowed) {
            (None, _) => "no".to_owned(),
            (Some(form), Some(why)) => format!("yes, {form}; allowed by {why}"),
            (Some(form), None) => format!("YES, {form}"),
        };
        let _ = writeln!(out, "{:<32}{:<42}{reached}", planted.place, planted.word);
    }
    let arrived = if control { "yes" } else { "NO" };
    let _ = writeln!(out, "{:<32}{:<42}{arrived}", "the finding's own line", "(it must)");
    let _ = writeln!(out, "{requests} requests were received.");
    out
}

fn lines(seen: &[Seen<'_>], requests: usize, control: bool) -> String {
    let mut out = String::new();
    for Seen { planted, form } in seen {
        let line = json!({
            "place": planted.place,
            "planted": planted.word,
            "reached": form,
            "allowed": planted.allowed,
        });
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", json!({ "requests": requests, "control": control }));
    out
}
