//! What the adapter must be told, and what it refuses to start with.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

/// GitHub serves no file above this, in bytes.
pub(crate) const GITHUB_FILE_LIMIT: u64 = 100 << 20;

/// How to reach GitHub, and as which App.
#[derive(Debug, Clone)]
pub struct Config {
    /// The App's numeric id.
    pub app_id: u64,
    /// The App's RSA private key, PEM (PKCS#1 as GitHub gives it, or PKCS#8).
    pub private_key: SecretString,
    /// `https://api.github.com`, or `https://HOST/api/v3` for GitHub Enterprise Server.
    pub api_url: Url,
    /// Whether reports are read from code scanning; the App then needs `security_events: read`.
    pub code_scanning: bool,
    /// The largest file that is fetched, in bytes; at most 100 MB.
    pub max_file_bytes: u64,
    /// The most bytes that all code-scanning reports of one head may have together; at most 100 MB.
    pub max_report_bytes: u64,
    /// The pause before a failed read is tried again; the second one is four times as long.
    pub back_off: Duration,
}

impl Config {
    /// The defaults, for github.com, still without a private key.
    pub fn new(app_id: u64) -> Self {
        Self {
            app_id,
            private_key: SecretString::default(),
            api_url: github_com(),
            code_scanning: true,
            max_file_bytes: 1 << 20,
            max_report_bytes: 100_000_000,
            back_off: Duration::from_millis(250),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        if self.app_id == 0 {
            return Err(ConfigError::AppId);
        }
        let url = &self.api_url;
        let safe = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(url),
            _ => false,
        };
        if !safe {
            return Err(ConfigError::ApiUrl("want https, or http to the loopback"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::ApiUrl("it must not hold a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::ApiUrl("it must not have a query or fragment"));
        }
        for (name, bytes) in
            [("max_file_bytes", self.max_file_bytes), ("max_report_bytes", self.max_report_bytes)]
        {
            if bytes == 0 || bytes > GITHUB_FILE_LIMIT {
                return Err(ConfigError::Bytes(name));
            }
        }
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "a constant, parsed in every test run")]
fn github_com() -> Url {
    Url::parse("https://api.github.com").expect("a well-formed address")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What is wrong with what the adapter was told. Nothing starts with any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no App id.
    #[error("the App's id is missing: it stands on the App's settings page")]
    AppId,
    /// The private key cannot sign.
    #[error(
        "the App's private key is not an RSA key in PEM form: make one on the App's settings page"
    )]
    PrivateKey,
    /// The address cannot be used.
    #[error("the address of GitHub's API: {0}")]
    ApiUrl(&'static str),
    /// A bound is 0 or too large.
    #[error("{0}: want 1 to 104857600 bytes")]
    Bytes(&'static str),
    /// No webhook secret at all.
    #[error("no webhook secret: without one, anybody could send deliveries")]
    NoSecret,
    /// A webhook secret is too short.
    #[error("a webhook secret is shorter than {0} bytes: make one with `openssl rand -hex 32`")]
    ShortSecret(usize),
    /// More secrets than a rotation needs.
    #[error("more than two webhook secrets: want the one in force and the one before it")]
    TooManySecrets,
}
