//! Configuration → adapters.

mod forge;
mod vetted;

pub use forge::{all_forges, github, gitlab, gitlab_http};
pub(crate) use vetted::Vetted;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use chaffinch_context::{Extractor, O200k};
use chaffinch_core::{
    Audit, Clock, Entropy, ForgeKind, Ledger, Queue, Receipts, TokenCount, Vault,
};
use chaffinch_egress::{self as egress, Door, History, Model, Moment, PolicyError};
use chaffinch_openai as openai;
use chaffinch_store::{QueueConfig, RedisConfig, RedisStore, Sealer, SqliteStore};
use chaffinch_triage::{Engine, Parts};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Notify, Semaphore};

use crate::{
    App, Config, SystemClock, SystemEntropy,
    app::{Limits, Uploader},
    config::{
        Attestation, ConfigError, ModelApi, ModelAuth, ModelOutputLimit, ModelStructured, Secret,
        read_secret,
    },
    deletion::Shredder,
    forges::Forges,
    http_client,
    notice::Notice,
    rehearsal::Rehearsal,
};

/// Uploads that may be in memory at a time: each may be a hundred megabytes.
const UPLOADS_AT_ONCE: usize = 4;
/// What one try of a job may take beside its questions: reading and writing on the forge.
const THE_REST: Duration = Duration::from_secs(5 * 60);
/// An upload token is as good as its length.
const SHORTEST_TOKEN: usize = 16;

/// One store behind its ports.
struct StoreAt {
    queue: Arc<dyn Queue>,
    vault: Arc<dyn Vault>,
    receipts: Arc<dyn Receipts>,
    audit: Arc<dyn Audit>,
    ledger: Arc<dyn Ledger>,
}

impl App {
    /// Wires everything up: reads the secrets, opens the store, checks the endpoint against the policy,
    /// and announces the policy where it is new.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn build(
        config: &Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> anyhow::Result<Self> {
        config.validate()?;
        let Edge { forges, uploads, sealer } = edge(config, &clock)?;
        let store = store_at(config, sealer, Arc::clone(&clock), Arc::clone(&entropy)).await?;
        let (engine, door) = engine(
            config,
            Arc::clone(&store.vault),
            Arc::clone(&store.receipts),
            &clock,
            &entropy,
        )?;
        let configured = policy(config)?;
        let notice = Notice::new(
            Arc::clone(&store.ledger),
            Arc::clone(&door),
            configured,
            Arc::clone(&clock),
        );
        notice.announce().await.context("store.url")?;
        Ok(Self {
            forges,
            queue: store.queue,
            vault: store.vault,
            receipts: store.receipts,
            audit: store.audit,
            ledger: store.ledger,
            notice,
            kept: Mutex::default(),
            consent_on_installation: config.consent.on_installation,
            door,
            engine,
            clock,
            entropy,
            uploads,
            limits: limits(config),
            metrics: crate::install_metrics(),
            bell: Notify::new(),
            upload_room: Semaphore::new(UPLOADS_AT_ONCE),
        })
    }
}

/// What can be made of the configuration without opening a connection.
struct Edge {
    forges: Forges,
    uploads: Vec<Uploader>,
    sealer: Sealer,
}

fn edge(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Edge> {
    let forges = forge::forges(config, clock)?;
    let uploads = uploads(config, &forges.kinds())?;
    Ok(Edge { uploads, forges, sealer: sealer(config)? })
}

fn sealer(config: &Config) -> anyhow::Result<Sealer> {
    let previous = given("store.key_previous", &config.store.key_previous())?;
    let key = wanted("store.key", &config.store.key())?;
    Sealer::new(&key, previous.as_ref()).context("store.key")
}

/// What is kept, to look through, to add to and to destroy from beside a server that may be running.
pub struct Kept {
    /// Everything.
    pub audit: Arc<dyn Audit>,
    /// What left.
    pub receipts: Arc<dyn Receipts>,
    /// Answers, records, the evaluation log.
    pub vault: Arc<dyn Vault>,
    /// Policies, consents, deletions.
    pub ledger: Arc<dyn Ledger>,
}

impl Kept {
    /// What it takes to destroy something of it.
    pub fn shredder(&self) -> Shredder<'_> {
        Shredder {
            vault: &*self.vault,
            receipts: &*self.receipts,
            ledger: &*self.ledger,
            clock: &SystemClock,
            entropy: &SystemEntropy,
        }
    }
}

/// Opens the store that the configuration names, beside the server that may be using it.
///
/// # Errors
/// A sentence that says what to do.
pub async fn kept(config: &Config) -> anyhow::Result<Kept> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let (url, sealer) = (wanted("store.url", &config.store.url())?, sealer(config)?);
    let file = url.expose_secret().strip_prefix("sqlite:");
    let store = match file.filter(|file| Path::new(file).exists()) {
        Some(file) => {
            let store = SqliteStore::beside(file, sealer, clock, entropy).context("store.url")?;
            shared(Arc::new(store))
        }
        None => store_at(config, sealer, clock, entropy).await?,
    };
    let StoreAt { audit, receipts, vault, ledger, .. } = store;
    Ok(Kept { audit, receipts, vault, ledger })
}

/// The policy in force, as the ledger has it. Where no server was ever started, the configured one is
/// announced; where one was, another configuration's policy is not.
///
/// # Errors
/// A sentence that says what to do.
pub async fn in_force(config: &Config, ledger: &dyn Ledger) -> anyhow::Result<egress::Policy> {
    let mut history = crate::notice::recorded(ledger).await?;
    if history.in_force().is_none() {
        let moment = Moment { now: SystemClock.now(), elapsed: Duration::ZERO };
        history = crate::notice::announced(ledger, &policy(config)?, moment).await?;
    }
    history.in_force().cloned().context("no policy is in force")
}

/// What may be disclosed beside the server: no more than what it has put in force, and no more than
/// what is configured here.
///
/// # Errors
/// A sentence that says what to do.
pub async fn in_force_here(config: &Config, ledger: &dyn Ledger) -> anyhow::Result<egress::Policy> {
    Ok(in_force(config, ledger).await?.tightest(&policy(config)?))
}

/// Who may upload.
fn uploads(config: &Config, forges: &[ForgeKind]) -> anyhow::Result<Vec<Uploader>> {
    let mut uploads = Vec::new();
    for upload in &config.upload {
        let forge = match (upload.forge, forges) {
            (Some(forge), _) => forge,
            (None, [only]) => *only,
            (None, _) => {
                bail!("upload.forge of {}: say \"github\" or \"gitlab\"", upload.repository)
            }
        };
        let token = wanted(&upload.name(), &upload.token())?;
        if token.expose_secret().len() < SHORTEST_TOKEN {
            bail!(
                "{} is too short: want {SHORTEST_TOKEN} characters (`openssl rand -hex 32`)",
                upload.name()
            );
        }
        let same = |other: &&Uploader| {
            other.repository.as_str().eq_ignore_ascii_case(upload.repository.as_str())
                && other.token.expose_secret() == token.expose_secret()
        };
        if uploads.iter().find(same).is_some_and(|other| other.forge != forge) {
            bail!(
                "two uploads of {} have one token: which forge is meant? Give each a token of its own",
                upload.repository
            );
        }
        uploads.push(Uploader { forge, repository: upload.repository.clone(), token });
    }
    Ok(uploads)
}

/// Checks everything that `serve` needs, short of opening a connection.
///
/// # Errors
/// A sentence that says what to do.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for checked in [config.validate(), config.secrets_readable()] {
        problems.extend(checked.err().into_iter().flat_map(|e| e.problems));
    }
    problems.extend(unattested(config));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let model = asking(config, &clock, &entropy);
    for problem in [edge(config, &clock).err(), model.err()].into_iter().flatten() {
        let problem = format!("{problem:#}");
        // What is missing, or in no readable file, is not said twice.
        let said = problem.ends_with("is missing") || problems.contains(&problem);
        if !said {
            problems.push(problem);
        }
    }
    ConfigError::unless_none(problems).map_err(Into::into)
}

/// Checks everything that a triage of a checkout needs, short of opening a connection.
///
/// # Errors
/// Every problem found, so that one run shows them all.
pub fn check_for_triage(config: &Config) -> Result<(), ConfigError> {
    let mut problems = config.validate_for_triage().err().map(|e| e.problems).unwrap_or_default();
    problems.extend(unattested(config));
    ConfigError::unless_none(problems)
}

/// Why text may not go to the endpoint, whatever the model is called.
fn unattested(config: &Config) -> Option<String> {
    let mut config = config.clone();
    if config.model.name.is_empty() {
        config.model.name = "unnamed".into();
    }
    let attested = policy(&config).and_then(|policy| attested(&config, &policy));
    attested.err().map(|problem| format!("{problem:#}"))
}

/// Whether text may go to the endpoint, in terms of settings.
fn attested(config: &Config, policy: &egress::Policy) -> anyhow::Result<()> {
    endpoint(config).attested(policy).map_err(|error| match error {
        PolicyError::Unattested { .. } => anyhow!(
            "{error} (model.attestation.agreement, .retention_days and .no_training, or model.self_hosted)"
        ),
        PolicyError::NoAgreement { .. } => anyhow!("{error} (model.attestation.agreement)"),
        PolicyError::Retention { .. } => {
            anyhow!("{error} (model.attestation.retention_days, policy.max_vendor_retention_days)")
        }
        PolicyError::Training { .. } => anyhow!("{error} (model.attestation.no_training)"),
        PolicyError::Address(_) => anyhow!("{error} (model.base_url)"),
        other => other.into(),
    })
}

fn client(config: &Config) -> anyhow::Result<reqwest::Client> {
    crate::install_crypto();
    http_client(config.server.proxy().as_ref()).context("cannot make an HTTP client")
}

/// The pipeline over a store, and its door. Where nothing is known of what was promised, the strictest
/// reading of the policy is in force: nothing looser than the defaults.
///
/// # Errors
/// If the policy lets nothing out to the endpoint, or a setting is wrong; a sentence that says what to do.
pub fn engine(
    config: &Config,
    vault: Arc<dyn Vault>,
    receipts: Arc<dyn Receipts>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<(Engine, Arc<Door>)> {
    let model: Arc<dyn Model> = Arc::new(asking(config, clock, entropy)?);
    engine_with(config, model, vault, receipts, clock, entropy)
}

/// The same where nothing is sent: what would be is kept.
///
/// # Errors
/// As [`engine`].
pub fn rehearsal(
    config: &Config,
    vault: Arc<dyn Vault>,
    receipts: Arc<dyn Receipts>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<(Engine, Arc<Door>, Arc<Rehearsal>)> {
    let rehearsal = Arc::new(Rehearsal::new(asking(config, clock, entropy)?));
    let model: Arc<dyn Model> = rehearsal.clone();
    let (engine, door) = engine_with(config, model, vault, receipts, clock, entropy)?;
    Ok((engine, door, rehearsal))
}

fn engine_with(
    config: &Config,
    model: Arc<dyn Model>,
    vault: Arc<dyn Vault>,
    receipts: Arc<dyn Receipts>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<(Engine, Arc<Door>)> {
    attested(config, &policy(config)?)?;
    let tokens: Arc<dyn TokenCount> = Arc::new(O200k::load());
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    let door = Door::new(
        policy(config)?,
        endpoint(config),
        receipts,
        Arc::clone(&tokens),
        Arc::clone(&clock),
        Arc::clone(&entropy),
    )?;
    let mut history = History::default();
    history.announce(&policy(config)?, Moment { now: clock.now(), elapsed: Duration::ZERO });
    if let Some(strictest) = history.in_force() {
        door.enforce(strictest.clone())?;
    }
    let door = Arc::new(door.asked_as(asked(config).asked_as()));
    let public = config.server.public_url.trim_end_matches('/');
    let bounds = chaffinch_triage::Config {
        max_findings: config.triage.max_findings,
        fold_false_positives: config.triage.fold_false_positives,
        max_output_tokens: config.model.max_output_tokens,
        concurrency: config.triage.concurrency,
        policy_url: (!public.is_empty()).then(|| format!("{public}/policy")),
        scripted_notice: (!config.triage.notice.is_empty()).then(|| config.triage.notice.clone()),
        ..chaffinch_triage::Config::default()
    };
    let engine = Engine::new(Parts {
        extractor: Extractor::new(tokens),
        door: Arc::clone(&door),
        model,
        vault,
        clock,
        entropy,
        config: bounds,
    });
    Ok((engine, door))
}

fn limits(config: &Config) -> Limits {
    Limits {
        delivery_bytes: config.server.max_delivery_bytes,
        report_bytes: config.server.max_report_bytes,
        workers: config.server.workers,
        publish_after: config.triage.publish_after,
        max_attempts: config.triage.max_attempts,
        lease: Duration::from_secs(config.store.lease_seconds),
        longest_try: longest_try(config),
        grace: Duration::from_secs(config.server.grace_seconds),
    }
}

/// A run asks no more after a while, but what it has asked by then it waits for, twice at most.
fn longest_try(config: &Config) -> Duration {
    let asking = chaffinch_triage::Config::default().longest;
    asking + 2 * Duration::from_secs(config.model.timeout_seconds) + THE_REST
}

/// Opens the store that the configuration names.
async fn store_at(
    config: &Config,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> anyhow::Result<StoreAt> {
    let url = wanted("store.url", &config.store.url())?;
    let queue = QueueConfig {
        lease: Duration::from_secs(config.store.lease_seconds),
        ..QueueConfig::default()
    };
    if let Some(path) = url.expose_secret().strip_prefix("sqlite:") {
        let store = SqliteStore::open(path, queue, sealer, clock, entropy).context("store.url")?;
        return Ok(shared(Arc::new(store)));
    }
    let redis = RedisConfig { queue, prefix: config.store.prefix.clone(), ..RedisConfig::new(url) };
    let store = RedisStore::connect(redis, sealer, clock, entropy).await.context("store.url")?;
    Ok(shared(Arc::new(store)))
}

fn shared<S: Queue + Vault + Receipts + Audit + Ledger + 'static>(store: Arc<S>) -> StoreAt {
    StoreAt {
        queue: store.clone(),
        vault: store.clone(),
        receipts: store.clone(),
        audit: store.clone(),
        ledger: store,
    }
}

/// The policy that is configured, as `egress` wants it.
///
/// # Errors
/// A sentence that names the setting.
fn policy(config: &Config) -> anyhow::Result<egress::Policy> {
    let from = &config.policy;
    let mode = |name: &str, word: &str| match word {
        "replace" => Ok(egress::Mode::Replace),
        "block" => Ok(egress::Mode::Block),
        _ => Err(anyhow!("policy.{name}: want \"replace\" or \"block\"")),
    };
    let repositories: Result<Vec<_>, _> = from.repositories.iter().map(|r| r.parse()).collect();
    let policy = egress::Policy {
        repositories: repositories.map_err(|e| anyhow!("policy.repositories: {e}"))?,
        ceiling: from.ceiling,
        listing: from.listing,
        content_requests: from.content_requests,
        excerpt_tokens: from.excerpt_tokens,
        prompt_tokens: from.prompt_tokens,
        redact: egress::Redact {
            secrets: mode("secrets", &from.secrets)?,
            emails: mode("emails", &from.emails)?,
        },
        endpoints: endpoints(config)?,
        evaluation: from.evaluation,
        answer_ttl_days: from.answer_ttl_days,
        record_ttl_days: from.record_ttl_days,
        receipt_ttl_days: from.receipt_ttl_days,
        evaluation_ttl_days: from.evaluation_ttl_days,
        max_vendor_retention_days: from.max_vendor_retention_days,
        notice_days: from.notice_days,
        extra_patterns: from.extra_pattern.clone(),
    };
    policy.validate().map_err(|error| match error {
        PolicyError::OutOfBounds { .. } => anyhow!("policy.{error}"),
        PolicyError::ExtraPattern { .. } => anyhow!("policy.extra_pattern: {error}"),
        other => other.into(),
    })?;
    Ok(policy)
}

/// The configured endpoint, and what is known of it.
fn endpoint(config: &Config) -> egress::Endpoint {
    let from = &config.model;
    egress::Endpoint {
        base_url: from.base_url.to_string(),
        model: from.name.clone(),
        self_hosted: from.self_hosted,
        attestation: attestation(&from.attestation),
    }
}

fn attestation(from: &Attestation) -> Option<egress::Attestation> {
    (!from.agreement.is_empty()).then(|| egress::Attestation {
        agreement: from.agreement.clone(),
        retention_days: from.retention_days,
        no_training: from.no_training,
        residency: from.residency.clone(),
    })
}

/// The endpoints that the policy allows: the configured one, and those that it names besides.
fn endpoints(config: &Config) -> anyhow::Result<Vec<egress::Terms>> {
    let mut all: Vec<egress::Terms> = endpoint(config).terms().into_iter().collect();
    for other in &config.policy.endpoint {
        let endpoint = egress::Endpoint {
            base_url: other.base_url.to_string(),
            model: String::new(),
            self_hosted: other.self_hosted,
            attestation: other.attestation.as_ref().and_then(attestation),
        };
        all.push(endpoint.terms().context("policy.endpoint")?);
    }
    Ok(all)
}

/// The client of the configured endpoint.
fn asking(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<openai::Client> {
    let from = &config.model;
    let auth = match from.auth {
        ModelAuth::None => openai::Auth::None,
        ModelAuth::Bearer => openai::Auth::Bearer(wanted("model.key", &from.key())?),
        ModelAuth::ApiKey => openai::Auth::ApiKey(wanted("model.key", &from.key())?),
    };
    let asked = openai::Config { auth, ..asked(config) };
    Ok(openai::Client::new(client(config)?, asked, Arc::clone(clock), Arc::clone(entropy))?)
}

/// How the configured endpoint is asked, without the key.
fn asked(config: &Config) -> openai::Config {
    let from = &config.model;
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    openai::Config {
        api: match from.api {
            ModelApi::Responses => openai::Api::Responses,
            ModelApi::Chat => openai::Api::Chat,
        },
        api_version: some(&from.api_version),
        reasoning_effort: some(&from.reasoning_effort),
        structured: match from.structured {
            ModelStructured::Schema => openai::Structured::Schema,
            ModelStructured::Object => openai::Structured::Object,
            ModelStructured::Off => openai::Structured::Off,
        },
        output_limit: match from.output_limit {
            ModelOutputLimit::Auto => openai::OutputLimit::Auto,
            ModelOutputLimit::MaxCompletionTokens => openai::OutputLimit::MaxCompletionTokens,
            ModelOutputLimit::MaxTokens => openai::OutputLimit::MaxTokens,
        },
        stream: from.stream,
        extra: from.extra.clone(),
        timeout: Duration::from_secs(from.timeout_seconds),
        max_retries: from.max_retries,
        max_concurrency: config.triage.concurrency * config.server.workers.max(1),
        requests_per_minute: (from.requests_per_minute > 0).then_some(from.requests_per_minute),
        tokens_per_minute: (from.tokens_per_minute > 0).then_some(from.tokens_per_minute),
        ..openai::Config::new(from.base_url.clone(), from.name.clone())
    }
}

fn given(name: &str, secret: &Secret) -> anyhow::Result<Option<SecretString>> {
    read_secret(name, secret).map_err(anyhow::Error::msg)
}

fn wanted(name: &str, secret: &Secret) -> anyhow::Result<SecretString> {
    given(name, secret)?.with_context(|| format!("{name} is missing"))
}

#[cfg(test)]
mod tests;
