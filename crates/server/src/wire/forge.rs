//! Configuration → the forges.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use chaffinch_core::{Access, Clock, Forge, ForgeError, ForgeKind, RepoId, RepoName};
use chaffinch_github as github;
use chaffinch_gitlab as gitlab;

use super::{client, given, wanted};
use crate::{
    Config,
    config::GitLabProject,
    forges::{At, Forges},
    http_client::trusting,
};

/// The forges that are configured.
///
/// # Errors
/// A sentence that names the setting.
pub(super) fn forges(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Forges> {
    Ok(Forges { github: of_github(config, clock)?, gitlab: of_gitlab(config, clock)? })
}

/// GitHub, if it is configured.
fn of_github(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<At<github::Webhook>>> {
    let from = &config.github;
    let Some(forge) = github(config, clock)? else { return Ok(None) };
    let mut secrets = vec![wanted("github.webhook_secret", &from.webhook_secret())?];
    secrets.extend(given("github.webhook_secret_previous", &from.webhook_secret_previous())?);
    let webhook = github::Webhook::new(secrets, from.app_id)?;
    Ok(Some(At { forge: Arc::new(forge), webhook }))
}

/// GitHub without its webhook, if it is configured.
///
/// # Errors
/// A sentence that names the setting.
pub fn github(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<github::GitHub>> {
    let from = &config.github;
    if !from.is_configured() {
        return Ok(None);
    }
    let github = github::Config {
        private_key: wanted("github.private_key", &from.private_key())?,
        api_url: from.api_url.clone(),
        code_scanning: from.code_scanning,
        max_file_bytes: from.max_file_bytes,
        ..github::Config::new(from.app_id)
    };
    Ok(Some(github::GitHub::new(github, client(config)?, Arc::clone(clock))?))
}

/// GitLab, if it is configured.
fn of_gitlab(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<At<gitlab::Webhook>>> {
    let from = &config.gitlab;
    let Some(forge) = gitlab(config, clock)? else { return Ok(None) };
    let mut secrets = Vec::new();
    for project in &from.project {
        let projects: gitlab::Projects = project.path.parse().context("gitlab.project.path")?;
        let secret = wanted(&project.name("webhook_secret"), &project.webhook_secret())?;
        let before =
            given(&project.name("webhook_secret_previous"), &project.webhook_secret_previous())?;
        secrets.extend(
            [Some(secret), before]
                .into_iter()
                .flatten()
                .map(|secret| gitlab::HookSecret { projects: Some(projects.clone()), secret }),
        );
    }
    let webhook = gitlab::WebhookConfig { url: from.url.clone(), secrets, jobs: from.jobs.clone() };
    let webhook = gitlab::Webhook::new(webhook, Arc::clone(clock)).context("gitlab.project")?;
    let forge = Arc::new(Rereading { gitlab: forge, projects: from.project.clone() });
    Ok(Some(At { forge, webhook }))
}

/// GitLab without its webhooks, if it is configured.
///
/// # Errors
/// A sentence that names the setting.
pub fn gitlab(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<gitlab::GitLab>> {
    let from = &config.gitlab;
    if !from.is_configured() {
        return Ok(None);
    }
    let report = |r: &crate::config::GitLabReport| gitlab::ReportFile {
        job: r.job.clone(),
        file: r.file.clone(),
    };
    let gitlab = gitlab::Config {
        tokens: tokens(&from.project)?,
        reports: from.report.iter().map(report).collect(),
        max_file_bytes: from.max_file_bytes,
        max_report_bytes: config.server.max_report_bytes as u64,
        ..gitlab::Config::new(from.url.clone())
    };
    let forge = gitlab::GitLab::new(gitlab, gitlab_http(config)?, Arc::clone(clock));
    Ok(Some(forge.context("gitlab")?))
}

/// The tokens of every project, from wherever they are.
fn tokens(projects: &[GitLabProject]) -> anyhow::Result<Vec<gitlab::ProjectTokens>> {
    let of = |project: &GitLabProject| {
        Ok(gitlab::ProjectTokens {
            projects: project.path.parse().context("gitlab.project.path")?,
            read: wanted(&project.name("read_token"), &project.read_token())?,
            write: wanted(&project.name("write_token"), &project.write_token())?,
        })
    };
    projects.iter().map(of).collect()
}

/// GitLab, whose tokens are read again before each job: they end after a year at most, and a rotated one
/// ends at once.
struct Rereading {
    gitlab: gitlab::GitLab,
    projects: Vec<GitLabProject>,
}

impl Rereading {
    fn reread(&self) -> &gitlab::GitLab {
        let read = tokens(&self.projects);
        let taken = read.and_then(|tokens| Ok(self.gitlab.set_tokens(tokens)?));
        if let Err(error) = taken {
            tracing::warn!(error = format!("{error:#}"), "the tokens of before are used");
        }
        &self.gitlab
    }
}

#[async_trait]
impl Forge for Rereading {
    fn kind(&self) -> ForgeKind {
        self.gitlab.kind()
    }

    async fn locate(&self, name: &RepoName) -> Result<RepoId, ForgeError> {
        self.reread().locate(name).await
    }

    async fn open(&self, repo: &RepoId) -> Result<Access, ForgeError> {
        self.reread().open(repo).await
    }
}

/// The HTTP client that GitLab is asked with.
///
/// # Errors
/// If `gitlab.ca_file` holds no certificate.
pub fn gitlab_http(config: &Config) -> anyhow::Result<reqwest::Client> {
    let ca_file = &config.gitlab.ca_file;
    match ca_file.as_os_str().is_empty() {
        true => client(config),
        false => trusting(config.server.proxy().as_ref(), ca_file).context("gitlab.ca_file"),
    }
}
