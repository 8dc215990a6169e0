//! Configuration → the forges.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context;
use chaffinch_core::{Clock, Forge, RepoName};
use chaffinch_github as github;
use chaffinch_gitlab as gitlab;

use super::{client, given, vetted::Vetted, wanted};
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
    let github = of_github(config, clock)?;
    let Some((vetted, webhook)) = of_gitlab(config, clock)? else {
        return Ok(Forges { github, ..Forges::default() });
    };
    let gitlab = Some(At { forge: Arc::clone(&vetted) as _, webhook });
    let vetted = Some((vetted, named(config)));
    Ok(Forges { github, gitlab, vetted })
}

/// The forges that are configured, as the server works with them: a token that allows too much opens
/// nothing.
///
/// # Errors
/// A sentence that names the setting.
pub fn all_forges(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<Arc<dyn Forge>>> {
    let Forges { github, gitlab, .. } = forges(config, clock)?;
    let forges = [github.map(|at| at.forge), gitlab.map(|at| at.forge)];
    Ok(forges.into_iter().flatten().collect())
}

/// The projects on GitLab that the configuration names in full, in the policy or with tokens of their own.
fn named(config: &Config) -> Vec<RepoName> {
    let policy = config.policy.repositories.iter().filter(|name| !name.starts_with("github:"));
    let policy = policy.map(|name| name.strip_prefix("gitlab:").unwrap_or(name));
    let own = config.gitlab.project.iter().map(|project| project.path.as_str());
    let all: Vec<gitlab::Projects> = own.clone().filter_map(|path| path.parse().ok()).collect();
    let names = policy.chain(own).filter(|name| !name.contains('*'));
    let names = names.filter_map(|name| RepoName::new(name).ok());
    let ours = names.filter(|name| all.iter().any(|projects| projects.covers(name)));
    ours.collect::<BTreeSet<_>>().into_iter().collect()
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
) -> anyhow::Result<Option<(Arc<Vetted>, gitlab::Webhook)>> {
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
    let forge = Arc::new(Vetted::new(forge, &from.project, Arc::clone(clock))?);
    Ok(Some((forge, webhook)))
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
pub(super) fn tokens(projects: &[GitLabProject]) -> anyhow::Result<Vec<gitlab::ProjectTokens>> {
    let of = |project: &GitLabProject| {
        Ok(gitlab::ProjectTokens {
            projects: project.path.parse().context("gitlab.project.path")?,
            read: wanted(&project.name("read_token"), &project.read_token())?,
            write: wanted(&project.name("write_token"), &project.write_token())?,
        })
    };
    projects.iter().map(of).collect()
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
