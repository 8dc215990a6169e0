//! What the adapter must be told, and what it refuses to start with.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::Projects;

/// No bound may be above this, in bytes.
const MOST_BYTES: u64 = 100 << 20;

/// How to reach GitLab, and with which tokens. A CA file and a proxy belong to the HTTP client that
/// is passed in beside it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `https://gitlab.com`, or wherever GitLab is installed, with its sub-path
    /// (`https://host/gitlab/`). A trailing `/api/v4` is taken off.
    pub url: Url,
    /// Two tokens for each project or group. Of several that cover a project, the closest counts.
    pub tokens: Vec<ProjectTokens>,
    /// Reports that jobs keep under other names than `gl-sast-report.json`. A job that is named here
    /// is read for these files alone.
    pub reports: Vec<ReportFile>,
    /// The largest file that is fetched, in bytes; at most 100 MB.
    pub max_file_bytes: u64,
    /// The most bytes that all reports of one head may have together; at most 100 MB.
    pub max_report_bytes: u64,
    /// The pause before a failed read is tried again; the second one is four times as long.
    pub back_off: Duration,
}

/// The two tokens of a project or group. `permissions` says what each needs.
#[derive(Debug, Clone)]
pub struct ProjectTokens {
    /// Where they are used.
    pub projects: Projects,
    /// Reads: scope `read_api`.
    pub read: SecretString,
    /// Writes: scope `api`.
    pub write: SecretString,
}

/// A file that a job keeps as an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// The job's name in `.gitlab-ci.yml`; its parallel and matrix variants count too.
    pub job: String,
    /// The file's path among the job's artifacts (`artifacts: paths`).
    pub file: String,
}

impl Config {
    /// The defaults for the GitLab at `url`, still without tokens.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            tokens: Vec::new(),
            reports: Vec::new(),
            max_file_bytes: 1 << 20,
            max_report_bytes: 100_000_000,
            back_off: Duration::from_millis(250),
        }
    }

    pub(crate) fn validate_url(&self) -> Result<(), ConfigError> {
        let url = &self.url;
        let safe = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(url),
            _ => false,
        };
        if !safe {
            return Err(ConfigError::Url("want https, or http to the loopback"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::Url("it must not hold a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigError::Url("it must not have a query or fragment"));
        }
        Ok(())
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.validate_url()?;
        validate_tokens(&self.tokens)?;
        let usable = |report: &ReportFile| {
            !report.job.is_empty() && chaffinch_core::RepoPath::new(report.file.as_str()).is_ok()
        };
        if !self.reports.iter().all(usable) {
            return Err(ConfigError::Report);
        }
        for (name, bytes) in
            [("max_file_bytes", self.max_file_bytes), ("max_report_bytes", self.max_report_bytes)]
        {
            if bytes == 0 || bytes > MOST_BYTES {
                return Err(ConfigError::Bytes(name));
            }
        }
        Ok(())
    }
}

pub(crate) fn validate_tokens(tokens: &[ProjectTokens]) -> Result<(), ConfigError> {
    if tokens.is_empty() {
        return Err(ConfigError::NoTokens);
    }
    tokens.iter().try_for_each(ProjectTokens::validate)
}

impl ProjectTokens {
    /// Whether they can be used at all.
    ///
    /// # Errors
    /// [`ConfigError`] names the project, and no token.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (read, write) = (self.read.expose_secret(), self.write.expose_secret());
        let usable = |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        if !usable(read) || !usable(write) {
            return Err(ConfigError::Token(self.projects.clone()));
        }
        if read == write {
            return Err(ConfigError::SameToken(self.projects.clone()));
        }
        Ok(())
    }
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
    /// The address cannot be used.
    #[error("the address of GitLab: {0}")]
    Url(&'static str),
    /// There is no token at all.
    #[error("no tokens: name a project or group, a token that reads it and one that writes to it")]
    NoTokens,
    /// A token is empty or holds characters that no token has.
    #[error("a token for {0} is empty or malformed")]
    Token(Projects),
    /// One token for both.
    #[error(
        "the tokens for {0} are one and the same: make one with the scope read_api to read with"
    )]
    SameToken(Projects),
    /// A pattern cannot be used.
    #[error("want group/project, or group/* for every project below a group")]
    Projects,
    /// A report has no job, or a file that is no relative path.
    #[error("a report needs the name of a job and the relative path of a file")]
    Report,
    /// A bound is 0 or too large.
    #[error("{0}: want 1 to 104857600 bytes")]
    Bytes(&'static str),
    /// No webhook secret at all.
    #[error("no webhook secret: without one, anybody could send deliveries")]
    NoSecret,
    /// A webhook secret is too short.
    #[error("a webhook secret is shorter than {0} bytes: make one with `openssl rand -hex 32`")]
    ShortSecret(usize),
    /// A signing token is cut or mistyped.
    #[error(
        "a signing token is not `whsec_` and base64: copy it again from the webhook's settings"
    )]
    SigningToken,
    /// More secrets than anybody has.
    #[error("more than {0} webhook secrets")]
    TooManySecrets(usize),
    /// More secrets for one project than are tried on each delivery.
    #[error("more than {1} webhook secrets may vouch for {0}")]
    TooManySecretsOf(String, usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let tokens = ProjectTokens {
            projects: "a/b".parse().unwrap(),
            read: "glpat-read".into(),
            write: "glpat-write".into(),
        };
        let url = Url::parse("https://gitlab.example.com/gitlab/").unwrap();
        Config { tokens: vec![tokens], ..Config::new(url) }
    }

    #[test]
    fn nothing_starts_with_what_cannot_work_or_is_not_safe() {
        assert_eq!(config().validate(), Ok(()));
        let said = |change: &dyn Fn(&mut Config)| {
            let mut config = config();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        let url = |text: &str| said(&|c: &mut Config| c.url = Url::parse(text).unwrap());
        let report = |job: &str, file: &str| {
            said(&|c: &mut Config| {
                c.reports = vec![ReportFile { job: job.into(), file: file.into() }];
            })
        };
        let table = [
            url("http://gitlab.example.com"),
            url("https://me@gitlab.example.com"),
            url("https://gitlab.example.com/?a=b"),
            said(&|c| c.tokens.clear()),
            said(&|c| c.tokens[0].read = "".into()),
            said(&|c| c.tokens[0].write = "a\nb".into()),
            said(&|c| c.tokens[0].write = "glpat-read".into()),
            report("", "a.json"),
            report("sast", "/a.json"),
            said(&|c| c.max_file_bytes = 0),
            said(&|c| c.max_report_bytes = MOST_BYTES + 1),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        the address of GitLab: want https, or http to the loopback
        the address of GitLab: it must not hold a user name or password
        the address of GitLab: it must not have a query or fragment
        no tokens: name a project or group, a token that reads it and one that writes to it
        a token for a/b is empty or malformed
        a token for a/b is empty or malformed
        the tokens for a/b are one and the same: make one with the scope read_api to read with
        a report needs the name of a job and the relative path of a file
        a report needs the name of a job and the relative path of a file
        max_file_bytes: want 1 to 104857600 bytes
        max_report_bytes: want 1 to 104857600 bytes
        ");
        assert!(!format!("{:?}", config()).contains("glpat"), "no token is shown");
    }
}
