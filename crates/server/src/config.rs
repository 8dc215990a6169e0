//! Configuration: compiled-in defaults ← file ← environment.
//!
//! `chaffinch.example.toml` is the one list of settings: its values are the defaults and its
//! comments the documentation. Each section is a struct with a `validate` that ends in sentences.

mod layers;
mod secret;
mod sections;

use std::path::Path;

pub use layers::EXAMPLE;
pub use secret::{Secret, read_secret};
pub use sections::{
    Attestation, Consent, GitHub, GitLab, GitLabProject, GitLabReport, Log, LogFormat, Model,
    ModelApi, ModelAuth, ModelOutputLimit, ModelStructured, Policy, PolicyEndpoint, Server, Store,
    Triage, Upload,
};
use serde::Deserialize;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Listening, limits and stopping.
    pub server: Server,
    /// What may be disclosed and kept.
    pub policy: Policy,
    /// What counts as consent.
    pub consent: Consent,
    /// Bounds of one run.
    pub triage: Triage,
    /// The endpoint that is asked.
    pub model: Model,
    /// Where jobs, answers and receipts are kept.
    pub store: Store,
    /// The GitHub App.
    pub github: GitHub,
    /// GitLab, and its projects.
    pub gitlab: GitLab,
    /// Repositories whose CI uploads reports.
    #[serde(default)]
    pub upload: Vec<Upload>,
    /// What is logged.
    pub log: Log,
}

/// Why the configuration cannot be used: one sentence a problem, each saying what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct ConfigError {
    /// The problems, in the order of the file.
    pub problems: Vec<String>,
}

impl ConfigError {
    fn one(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }

    pub(crate) fn unless_none(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

impl Config {
    /// Reads the layers: the defaults, `file` if there is one, and those of `environment` that start
    /// with `CHAFFINCH__`. Does not look at what is inside secrets' files.
    ///
    /// # Errors
    /// A file that cannot be read, a key that is not known, a value of the wrong type.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let file = match file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|e| {
                ConfigError::one(format!(
                    "cannot read the configuration file {}: {e}",
                    path.display()
                ))
            })?),
        };
        layers::merge(file.as_deref(), environment)
    }

    /// Checks what is needed to triage at all: a model, and bounds.
    ///
    /// # Errors
    /// Every problem found, so that one run shows them all.
    pub fn validate_for_triage(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.triage.validate(&mut problems);
        self.model.validate(&mut problems);
        ConfigError::unless_none(problems)
    }

    /// Checks all that `serve` needs.
    ///
    /// # Errors
    /// Every problem found, so that one run shows them all.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.server.validate(&mut problems);
        self.policy.validate(&mut problems);
        self.triage.validate(&mut problems);
        self.model.validate(&mut problems);
        self.store.validate(&mut problems);
        // Without any forge, what is missing of GitHub is said.
        if self.github.is_configured() || !self.gitlab.is_configured() {
            self.github.validate(&mut problems);
        }
        self.gitlab.validate(&mut problems);
        for upload in &self.upload {
            upload.validate(&mut problems);
        }
        self.log.validate(&mut problems);
        ConfigError::unless_none(problems)
    }

    /// Reads every secret, and forgets it: are the files there?
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn secrets_readable(&self) -> Result<(), ConfigError> {
        let (model, store, github) = (&self.model, &self.store, &self.github);
        let mut secrets = vec![
            ("model.key".to_owned(), model.key()),
            ("store.url".to_owned(), store.url()),
            ("store.key".to_owned(), store.key()),
            ("store.key_previous".to_owned(), store.key_previous()),
            ("github.private_key".to_owned(), github.private_key()),
            ("github.webhook_secret".to_owned(), github.webhook_secret()),
            ("github.webhook_secret_previous".to_owned(), github.webhook_secret_previous()),
        ];
        secrets.extend(self.gitlab.secrets());
        secrets.extend(self.upload.iter().map(|u| (u.name(), u.token())));
        let problems = secrets.iter().filter_map(|(name, secret)| read_secret(name, secret).err());
        ConfigError::unless_none(problems.collect())
    }
}

#[cfg(test)]
mod tests;
