//! One struct a section. What each setting means stands in `chaffinch.example.toml`.

mod gitlab;
mod model;

use std::{net::SocketAddr, path::PathBuf};

use chaffinch_core::{ForgeKind, RepoName, Rung};
use chaffinch_egress::{EvaluationLog, ExtraPattern, Listing};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

pub use self::gitlab::{GitLab, GitLabProject, GitLabReport};
pub use self::model::{Attestation, Model, ModelApi, ModelAuth, ModelOutputLimit, ModelStructured};
use super::Secret;

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Server {
    pub listen: SocketAddr,
    pub public_url: String,
    pub workers: usize,
    pub grace_seconds: u64,
    pub proxy: String,
    pub max_delivery_bytes: usize,
    pub max_report_bytes: usize,
}

impl Server {
    /// The proxy, if there is one.
    pub fn proxy(&self) -> Option<Url> {
        web(&self.proxy)
    }

    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        if !self.public_url.is_empty() && web(&self.public_url).is_none() {
            problems.push("server.public_url: want an http or https address, or nothing".into());
        }
        if !self.proxy.is_empty() && web(&self.proxy).is_none() {
            problems.push("server.proxy: want an http or https address, or nothing".into());
        }
        within("server.workers", self.workers, 0, 256, problems);
        within("server.max_delivery_bytes", self.max_delivery_bytes, 1024, 25 << 20, problems);
        let most = chaffinch_reports::MAX_BYTES as usize;
        within("server.max_report_bytes", self.max_report_bytes, 1024, most, problems);
    }
}

/// `[policy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Policy {
    pub repositories: Vec<String>,
    pub ceiling: Rung,
    pub listing: Listing,
    pub content_requests: u32,
    pub excerpt_tokens: usize,
    pub prompt_tokens: usize,
    pub secrets: String,
    pub emails: String,
    pub evaluation: EvaluationLog,
    pub answer_ttl_days: u16,
    pub record_ttl_days: u16,
    pub receipt_ttl_days: u16,
    pub evaluation_ttl_days: u16,
    pub max_vendor_retention_days: u16,
    pub notice_days: u16,
    #[serde(default)]
    pub extra_pattern: Vec<ExtraPattern>,
    #[serde(default)]
    pub endpoint: Vec<PolicyEndpoint>,
}

/// `[[policy.endpoint]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct PolicyEndpoint {
    pub base_url: Url,
    #[serde(default)]
    pub self_hosted: bool,
    #[serde(default)]
    pub attestation: Option<Attestation>,
}

impl Policy {
    /// What the policy says is checked where it is enforced, in `egress`; here only what would make
    /// the server useless.
    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        if self.repositories.is_empty() {
            problems.push(
                "policy.repositories is empty: list the repositories to work on, for example [\"acme/shop\"]".into(),
            );
        }
    }
}

/// `[consent]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Consent {
    pub on_installation: bool,
}

/// `[triage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Triage {
    pub max_findings: usize,
    pub concurrency: usize,
    pub publish_after: u32,
    pub max_attempts: u32,
    pub fold_false_positives: bool,
    pub notice: String,
}

impl Triage {
    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        within("triage.max_findings", self.max_findings, 1, 1000, problems);
        within("triage.concurrency", self.concurrency, 1, 64, problems);
        within("triage.max_attempts", self.max_attempts as usize, 1, 50, problems);
        let most = self.max_attempts.max(1) as usize;
        within("triage.publish_after", self.publish_after as usize, 1, most, problems);
    }
}

/// How the address of a store starts.
const STORES: [&str; 4] = ["sqlite:", "redis://", "rediss://", "unix://"];

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Store {
    url: Option<SecretString>,
    url_file: Option<PathBuf>,
    key: Option<SecretString>,
    key_file: Option<PathBuf>,
    key_previous: Option<SecretString>,
    key_previous_file: Option<PathBuf>,
    pub prefix: String,
    pub lease_seconds: u64,
}

impl Store {
    /// Its address. A file's wins over the default, which is always there.
    pub fn url(&self) -> Secret {
        match Secret::of(&None, &self.url_file) {
            Secret { file: None, .. } => Secret::of(&self.url, &None),
            given => given,
        }
    }

    /// The key that seals what is stored.
    pub fn key(&self) -> Secret {
        Secret::of(&self.key, &self.key_file)
    }

    /// The one before it, which still opens what it sealed.
    pub fn key_previous(&self) -> Secret {
        Secret::of(&self.key_previous, &self.key_previous_file)
    }

    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        self.key_previous().validate("store.key_previous", false, problems);
        self.url().validate("store.url", true, problems);
        let known = |url: &str| STORES.iter().any(|scheme| url.trim().starts_with(scheme));
        if self.url().value.is_some_and(|url| !known(url.expose_secret())) {
            problems.push(format!("store.url: want one that starts with {}", STORES.join(", ")));
        }
        self.key().validate("store.key", true, problems);
        within("store.lease_seconds", self.lease_seconds as usize, 2, 3600, problems);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(allowed) {
            problems
                .push("store.prefix: want 1 to 64 letters, digits, dashes, dots or colons".into());
        }
    }
}

/// `[github]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct GitHub {
    pub app_id: u64,
    private_key: Option<SecretString>,
    private_key_file: Option<PathBuf>,
    webhook_secret: Option<SecretString>,
    webhook_secret_file: Option<PathBuf>,
    webhook_secret_previous: Option<SecretString>,
    webhook_secret_previous_file: Option<PathBuf>,
    pub api_url: Url,
    pub code_scanning: bool,
    pub max_file_bytes: u64,
}

impl GitHub {
    /// Whether anything is said of an App of ours.
    pub fn is_configured(&self) -> bool {
        self.app_id != 0 || self.private_key().is_given() || self.webhook_secret().is_given()
    }

    /// The App's private key, PEM.
    pub fn private_key(&self) -> Secret {
        Secret::of(&self.private_key, &self.private_key_file)
    }

    /// The webhook's secret.
    pub fn webhook_secret(&self) -> Secret {
        Secret::of(&self.webhook_secret, &self.webhook_secret_file)
    }

    /// The one before it, while it is being rotated.
    pub fn webhook_secret_previous(&self) -> Secret {
        Secret::of(&self.webhook_secret_previous, &self.webhook_secret_previous_file)
    }

    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        if self.app_id == 0 {
            problems.push(
                "github.app_id is missing: it stands on the App's settings page (or give a [[gitlab.project]])".into(),
            );
        }
        self.private_key().validate("github.private_key", true, problems);
        self.webhook_secret().validate("github.webhook_secret", true, problems);
        self.webhook_secret_previous().validate("github.webhook_secret_previous", false, problems);
        if !matches!(self.api_url.scheme(), "http" | "https") {
            problems.push("github.api_url: want an http or https address".into());
        }
        within("github.max_file_bytes", self.max_file_bytes as usize, 1024, 100 << 20, problems);
    }
}

/// `[[upload]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Upload {
    pub repository: RepoName,
    pub forge: Option<ForgeKind>,
    token: Option<SecretString>,
    token_file: Option<PathBuf>,
}

impl Upload {
    /// A repository whose CI may upload with this token.
    pub fn new(repository: RepoName, token: SecretString) -> Self {
        Self { repository, forge: None, token: Some(token), token_file: None }
    }

    /// What the repository's CI proves itself with.
    pub fn token(&self) -> Secret {
        Secret::of(&self.token, &self.token_file)
    }

    /// What the token is called in messages.
    pub fn name(&self) -> String {
        format!("upload.token of {}", self.repository)
    }

    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        self.token().validate(&self.name(), true, problems);
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Log {
    pub(super) fn validate(&self, problems: &mut Vec<String>) {
        if self.filter.parse::<tracing_subscriber::filter::EnvFilter>().is_err() {
            problems.push(
                "log.filter: want directives such as \"info\" or \"chaffinch=debug,info\"".into(),
            );
        }
    }
}

fn web(text: &str) -> Option<Url> {
    text.parse::<Url>().ok().filter(|u| matches!(u.scheme(), "http" | "https"))
}

fn within(name: &str, value: usize, least: usize, most: usize, problems: &mut Vec<String>) {
    if !(least..=most).contains(&value) {
        problems.push(format!("{name} is {value}: want {least} to {most}"));
    }
}
