//! The `Forge` port: find a repository, open it with two narrow tokens.

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{Access, Clock, Forge, ForgeError, ForgeKind, Grant, RepoId, RepoName};
use reqwest::Client;
use serde::Deserialize;

use crate::{
    Config, ConfigError,
    api::{Api, Call},
    app::{App, Which},
    discussion::GitHubDiscussion,
    handle::Handle,
    permissions,
    source::{Bounds, GitHubSource},
};

/// GitHub as one App sees it.
pub struct GitHub {
    app: Arc<App>,
    bounds: Bounds,
}

impl GitHub {
    /// Takes the HTTP client of the program. It must follow no redirects by itself
    /// ([`reqwest::redirect::Policy::none`]): a redirect could carry a token to another host.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and says what to do.
    pub fn new(config: Config, http: Client, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        config.validate()?;
        let api = Api::new(&config.api_url, http, clock, config.back_off)
            .map_err(|_| ConfigError::ApiUrl("it has no host"))?;
        Ok(Self {
            app: Arc::new(App::new(api, config.app_id, &config.private_key)?),
            bounds: Bounds {
                code_scanning: config.code_scanning,
                file: config.max_file_bytes,
                reports: config.max_report_bytes,
            },
        })
    }
}

#[async_trait]
impl Forge for GitHub {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitHub
    }

    async fn locate(&self, name: &RepoName) -> Result<RepoId, ForgeError> {
        #[derive(Deserialize)]
        struct Installation {
            id: u64,
        }
        let Some((_, short)) = name.as_str().split_once('/').filter(|(_, s)| !s.contains('/'))
        else {
            return Err(ForgeError::NotFound);
        };
        let url = self.app.api.url(&format!("/repos/{name}/installation"))?;
        let call = Call::get("/repos/{owner}/{repo}/installation", url, "metadata: read");
        let installation: Installation = self.app.send(&call).await?.json()?;
        let minted =
            self.app.mint(installation.id, Which::Name(short), &permissions::LOCATE).await?;
        if let Err(error) = self.app.revoke(&minted.token).await {
            tracing::warn!(%error, "a token that reads metadata was not revoked; it ends within the hour");
        }
        let found = minted.repositories.as_deref().and_then(<[_]>::first).ok_or_else(|| {
            ForgeError::Other("github: a token without a word on its repository".to_owned())
        })?;
        let name = RepoName::new(found.full_name.clone())
            .map_err(|e| ForgeError::Other(format!("github: {e}")))?;
        Ok(RepoId { forge: ForgeKind::GitHub, installation: installation.id, id: found.id, name })
    }

    async fn open(&self, repo: &RepoId) -> Result<Access, ForgeError> {
        if repo.forge != ForgeKind::GitHub {
            return Err(ForgeError::Other("github: a repository of another forge".to_owned()));
        }
        let handle = |set| Arc::new(Handle::new(Arc::clone(&self.app), repo.clone(), set));
        let reading = handle(permissions::read(self.bounds.code_scanning));
        let writing = handle(permissions::WRITE.to_vec());
        Ok(Access {
            source: Arc::new(GitHubSource { handle: Arc::clone(&reading), bounds: self.bounds }),
            discussion: Arc::new(GitHubDiscussion { handle: Arc::clone(&writing) }),
            grant: Arc::new(Tokens { reading, writing }),
        })
    }
}

struct Tokens {
    reading: Arc<Handle>,
    writing: Arc<Handle>,
}

#[async_trait]
impl Grant for Tokens {
    async fn revoke(&self) -> Result<(), ForgeError> {
        let reading = self.reading.revoke().await;
        let writing = self.writing.revoke().await;
        reading.and(writing)
    }
}
