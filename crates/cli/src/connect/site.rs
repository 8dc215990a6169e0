//! A project as the configuration names it, and a maintainer's way into its settings.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use chaffinch_core::{Clock, ForgeError, RepoName};
use chaffinch_gitlab::{Inspection, Projects, Setup, closest, permissions::Token};
use chaffinch_server::{
    Config, SystemClock,
    config::{GitLabProject, Secret},
};
use url::Url;

use crate::{args::Maintained, secret};

/// The maintainer's token, where it is in the environment.
const TOKEN: &str = "CHAFFINCH_MAINTAINER_TOKEN";

/// A project, its entry in the configuration, and a maintainer's way into its settings.
pub(super) struct Site {
    pub(super) name: RepoName,
    pub(super) config: Config,
    pub(super) entry: GitLabProject,
    pub(super) setup: Setup,
    server: String,
}

impl Site {
    pub(super) fn open(
        at: &Maintained,
        environment: Vec<(String, String)>,
        server: Option<&Url>,
    ) -> anyhow::Result<Self> {
        let config = Config::load(at.config.as_deref(), environment.clone())?;
        let name = at.project.clone();
        let entry = entry(&config, &name).cloned().with_context(|| {
            format!(
                "no [[gitlab.project]] of the configuration covers {name}: give it one with `path`, \
                 `read_token_file`, `write_token_file` and `webhook_secret_file`, and name it here with \
                 --config FILE"
            )
        })?;
        let asked = format!("A token of a maintainer of {name}, scope api");
        let token = secret::ask(&asked, at.token_file.as_deref(), TOKEN, &environment)?;
        let http = chaffinch_server::gitlab_http(&config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let setup = Setup::new(&config.gitlab.url, http, clock, token).context("gitlab.url")?;
        let server = server.map_or(config.server.public_url.clone(), Url::to_string);
        Ok(Self { name, config, entry, setup, server })
    }

    pub(super) async fn project(&self) -> anyhow::Result<u64> {
        self.setup.project(&self.name).await.map_err(super::said)
    }

    /// Where the webhook sends to.
    pub(super) fn hook_url(&self) -> anyhow::Result<Url> {
        let server = self.server.trim_end_matches('/');
        if server.is_empty() {
            bail!(
                "where is the server? Give --server URL, or server.public_url in the configuration"
            );
        }
        let url = format!("{server}/webhooks/gitlab");
        let url: Url = url.parse().context("--server, or server.public_url")?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            _ => bail!("--server, or server.public_url: want an http or https address"),
        }
    }

    /// What GitLab says of each of the two tokens.
    ///
    /// # Errors
    /// They are not there yet, or cannot be used.
    pub(super) async fn inspected(
        &self,
    ) -> anyhow::Result<Vec<(Token, Result<Inspection, ForgeError>)>> {
        let mut config = self.config.clone();
        config.gitlab.project = vec![self.entry.clone()];
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let gitlab = chaffinch_server::gitlab(&config, &clock)?.context("GitLab is not set up")?;
        let mut found = Vec::new();
        for token in [Token::Read, Token::Write] {
            found.push((token, gitlab.inspect(&self.name, token).await));
        }
        Ok(found)
    }

    /// A page of GitLab's.
    pub(super) fn page(&self, path: &str) -> String {
        let url = self.config.gitlab.url.as_str().trim_end_matches('/');
        format!("{}/{path}", url.strip_suffix("/api/v4").unwrap_or(url))
    }

    /// The file that one of the two tokens is in, or shall be.
    pub(super) fn token_file(&self, token: Token) -> anyhow::Result<PathBuf> {
        let (what, secret) = match token {
            Token::Read => ("read_token", self.entry.read_token()),
            Token::Write => ("write_token", self.entry.write_token()),
        };
        let Secret { file, .. } = secret;
        file.with_context(|| format!("give {}_file, a file that holds it", self.entry.name(what)))
    }
}

/// Of those that cover a project, the one that names it most closely.
pub(crate) fn entry<'c>(config: &'c Config, name: &RepoName) -> Option<&'c GitLabProject> {
    let all = config.gitlab.project.iter();
    let all: Vec<(Projects, &GitLabProject)> =
        all.filter_map(|entry| Some((entry.path.parse().ok()?, entry))).collect();
    closest(&all, |(projects, _)| projects, name).map(|(_, entry)| *entry)
}
