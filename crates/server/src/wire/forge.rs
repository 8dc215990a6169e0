//! Configuration → the forges.

use std::sync::Arc;

use anyhow::Context;
use chaffinch_core::Clock;
use chaffinch_github as github;
use chaffinch_gitlab as gitlab;

use super::{client, given, wanted};
use crate::{
    Config,
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
    let mut secrets = vec![wanted("github.webhook_secret", &from.webhook_secret())?];
    secrets.extend(given("github.webhook_secret_previous", &from.webhook_secret_previous())?);
    let webhook = github::Webhook::new(secrets, from.app_id)?;
    let forge = Arc::new(github::GitHub::new(github, client(config)?, Arc::clone(clock))?);
    Ok(Some(At { forge, webhook }))
}

/// GitLab, if it is configured.
fn of_gitlab(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<At<gitlab::Webhook>>> {
    let from = &config.gitlab;
    if !from.is_configured() {
        return Ok(None);
    }
    let (mut tokens, mut secrets) = (Vec::new(), Vec::new());
    for project in &from.project {
        let projects: gitlab::Projects = project.path.parse().context("gitlab.project.path")?;
        tokens.push(gitlab::ProjectTokens {
            projects: projects.clone(),
            read: wanted(&project.name("read_token"), &project.read_token())?,
            write: wanted(&project.name("write_token"), &project.write_token())?,
        });
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
    let report = |r: &crate::config::GitLabReport| gitlab::ReportFile {
        job: r.job.clone(),
        file: r.file.clone(),
    };
    let gitlab = gitlab::Config {
        tokens,
        reports: from.report.iter().map(report).collect(),
        max_file_bytes: from.max_file_bytes,
        ..gitlab::Config::new(from.url.clone())
    };
    let webhook = gitlab::WebhookConfig { url: from.url.clone(), secrets, jobs: from.jobs.clone() };
    let webhook = gitlab::Webhook::new(webhook, Arc::clone(clock)).context("gitlab.project")?;
    let http = match from.ca_file.as_os_str().is_empty() {
        true => client(config)?,
        false => {
            trusting(config.server.proxy().as_ref(), &from.ca_file).context("gitlab.ca_file")?
        }
    };
    let forge = gitlab::GitLab::new(gitlab, http, Arc::clone(clock)).context("gitlab")?;
    Ok(Some(At { forge: Arc::new(forge), webhook }))
}
