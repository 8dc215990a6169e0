//! `[gitlab]`: where it is, and the projects that we work on.

use std::path::PathBuf;

use chaffinch_core::RepoName;
use chaffinch_gitlab as gitlab;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Secret, within};

/// How the name of what is too much goes on after that of the token.
const BEYOND: [&str; 3] = [" scope ", " role ", " of "];

/// `[gitlab]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct GitLab {
    pub url: Url,
    pub ca_file: PathBuf,
    pub jobs: Vec<String>,
    pub max_file_bytes: u64,
    #[serde(default)]
    pub project: Vec<GitLabProject>,
    #[serde(default)]
    pub report: Vec<GitLabReport>,
}

/// `[[gitlab.project]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct GitLabProject {
    pub path: String,
    read_token: Option<SecretString>,
    read_token_file: Option<PathBuf>,
    write_token: Option<SecretString>,
    write_token_file: Option<PathBuf>,
    webhook_secret: Option<SecretString>,
    webhook_secret_file: Option<PathBuf>,
    webhook_secret_previous: Option<SecretString>,
    webhook_secret_previous_file: Option<PathBuf>,
    #[serde(default)]
    pub acknowledge_excess: Vec<String>,
}

/// `[[gitlab.report]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in chaffinch.example.toml")]
pub struct GitLabReport {
    pub job: String,
    pub file: String,
}

impl GitLab {
    /// Whether there is a project to work on.
    pub fn is_configured(&self) -> bool {
        !self.project.is_empty()
    }

    /// Every secret, with what it is called in messages.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (String, Secret)> + '_ {
        self.project.iter().flat_map(|project| {
            let named = |what: &str, secret| (project.name(what), secret);
            [
                named("read_token", project.read_token()),
                named("write_token", project.write_token()),
                named("webhook_secret", project.webhook_secret()),
                named("webhook_secret_previous", project.webhook_secret_previous()),
            ]
        })
    }

    pub(crate) fn validate(&self, problems: &mut Vec<String>) {
        if !matches!(self.url.scheme(), "http" | "https") {
            problems.push("gitlab.url: want an http or https address".into());
        }
        within("gitlab.max_file_bytes", self.max_file_bytes as usize, 1024, 100 << 20, problems);
        for project in &self.project {
            if project.path.parse::<gitlab::Projects>().is_err() {
                let path = &project.path;
                problems.push(format!(
                    "gitlab.project.path is `{path}`: want group/project or group/*"
                ));
            }
        }
        for project in &self.project {
            for words in &project.acknowledge_excess {
                let known = |token: &str| {
                    let rest = words.strip_prefix(token);
                    rest.is_some_and(|rest| BEYOND.iter().any(|beyond| rest.starts_with(beyond)))
                };
                if !known("read") && !known("write") {
                    problems.push(format!(
                        "{}: nothing is called `{words}`; want what `chaffinch doctor` names, such as \
                         \"write scope write_repository\" or \"read of a person\"",
                        project.name("acknowledge_excess")
                    ));
                }
            }
        }
        for (name, secret) in self.secrets() {
            secret.validate(&name, !name.contains("previous"), problems);
        }
    }
}

impl GitLabProject {
    /// What one of its secrets is called in messages.
    pub fn name(&self, what: &str) -> String {
        format!("gitlab.project.{what} of {}", self.path)
    }

    /// Whether the operator has said that this is wanted. Exactly this: the next scope is another.
    pub fn acknowledges(&self, excess: &gitlab::Excess) -> bool {
        self.acknowledge_excess.contains(&excess.to_string())
    }

    /// Why a project is not worked on with tokens such as these: a sentence that names what is too much,
    /// and the setting that acknowledges it.
    pub fn refuses(&self, name: &RepoName, found: &[gitlab::Inspection]) -> Option<String> {
        let excess = found.iter().flat_map(gitlab::Inspection::excess);
        let excess: Vec<_> = excess.filter(|excess| !self.acknowledges(excess)).collect();
        if excess.is_empty() {
            return None;
        }
        let names: Vec<_> = excess.iter().map(ToString::to_string).collect();
        // All of it, so that the line can be put into the configuration as it is.
        let all = self.acknowledge_excess.iter().chain(&names);
        let quoted: Vec<_> = all.map(|name| format!("\"{name}\"")).collect();
        Some(format!(
            "the tokens of {name} on GitLab allow more than is needed ({}): make others, or give the \
             [[gitlab.project]] of {} acknowledge_excess = [{}]",
            names.join(", "),
            self.path,
            quoted.join(", ")
        ))
    }

    /// The token that reads.
    pub fn read_token(&self) -> Secret {
        Secret::of(&self.read_token, &self.read_token_file)
    }

    /// The token that writes.
    pub fn write_token(&self) -> Secret {
        Secret::of(&self.write_token, &self.write_token_file)
    }

    /// What proves that a delivery is GitLab's.
    pub fn webhook_secret(&self) -> Secret {
        Secret::of(&self.webhook_secret, &self.webhook_secret_file)
    }

    pub(crate) fn webhook_secret_previous(&self) -> Secret {
        Secret::of(&self.webhook_secret_previous, &self.webhook_secret_previous_file)
    }
}
