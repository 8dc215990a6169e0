//! The `Forge` port: find a project, open it with two tokens.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use chaffinch_core::{Access, Clock, Forge, ForgeError, ForgeKind, Grant, RepoId, RepoName};
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    Config, ConfigError, Inspection, ProjectTokens, ReportFile,
    api::{Api, Call, encode, refused},
    discussion::GitLabDiscussion,
    handle::Handle,
    inspect,
    permissions::Token,
    projects,
    source::{Bounds, GitLabSource, Lines},
};

/// GitLab as our tokens see it.
pub struct GitLab {
    api: Arc<Api>,
    tokens: RwLock<Arc<[ProjectTokens]>>,
    reports: Arc<[ReportFile]>,
    bounds: Bounds,
}

#[derive(Deserialize)]
struct Project {
    id: u64,
    path_with_namespace: String,
}

impl GitLab {
    /// Takes the HTTP client of the program. It must follow no redirects by itself
    /// ([`reqwest::redirect::Policy::none`]): a redirect could carry a token to another host.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and says what to do.
    pub fn new(config: Config, http: Client, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            api: Arc::new(Api::new(&config.url, http, clock, config.back_off)),
            tokens: RwLock::new(config.tokens.into()),
            reports: config.reports.into(),
            bounds: Bounds { file: config.max_file_bytes, reports: config.max_report_bytes },
        })
    }

    /// What GitLab says of one of the tokens of `project`.
    ///
    /// # Errors
    /// [`ForgeError::Denied`] where there is no token for it, or GitLab does not accept it (expired,
    /// revoked); [`ForgeError::NotFound`] where it does not see the project.
    pub async fn inspect(
        &self,
        project: &RepoName,
        token: Token,
    ) -> Result<Inspection, ForgeError> {
        let tokens = self.tokens_of(project).ok_or_else(no_tokens)?;
        let secret = match token {
            Token::Read => tokens.read,
            Token::Write => tokens.write,
        };
        inspect::inspect(&self.api, project, token, &secret).await
    }

    /// Takes other tokens in the place of those in use. A project that is open keeps its own.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with them; then nothing is changed.
    pub fn set_tokens(&self, tokens: Vec<ProjectTokens>) -> Result<(), ConfigError> {
        crate::config::validate_tokens(&tokens)?;
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens.into();
        Ok(())
    }

    fn tokens_of(&self, project: &RepoName) -> Option<ProjectTokens> {
        let all = Arc::clone(&self.tokens.read().unwrap_or_else(PoisonError::into_inner));
        projects::closest(&all, |tokens| &tokens.projects, project).cloned()
    }

    async fn project(&self, which: &str, token: &SecretString) -> Result<Project, ForgeError> {
        let url = self.api.url(&format!("/projects/{}", encode(which)))?;
        let call = Call::get("/projects/{id}", url, "scope read_api");
        let answer = self.api.send(&call, token).await?;
        match answer.status.is_success() {
            true => answer.json(),
            false => Err(refused(&answer, call.needs, self.api.clock().now())),
        }
    }
}

/// GitLab names no installation in its deliveries: each project is a tenant of its own.
pub(crate) fn repo_id(id: u64, name: RepoName) -> RepoId {
    RepoId { forge: ForgeKind::GitLab, installation: id, id, name }
}

fn no_tokens() -> ForgeError {
    ForgeError::Denied { needs: "tokens for this project, or for a group above it".to_owned() }
}

#[async_trait]
impl Forge for GitLab {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitLab
    }

    async fn locate(&self, name: &RepoName) -> Result<RepoId, ForgeError> {
        let tokens = self.tokens_of(name).ok_or(ForgeError::NotFound)?;
        let found = self.project(name.as_str(), &tokens.read).await?;
        let name = RepoName::new(found.path_with_namespace)
            .map_err(|e| ForgeError::Other(format!("gitlab: {e}")))?;
        // An old name leads to a project that has since moved: perhaps out of the group.
        if !tokens.projects.covers(&name) {
            return Err(ForgeError::NotFound);
        }
        Ok(repo_id(found.id, name))
    }

    async fn open(&self, repo: &RepoId) -> Result<Access, ForgeError> {
        if repo.forge != ForgeKind::GitLab {
            return Err(ForgeError::Other("gitlab: a repository of another forge".to_owned()));
        }
        let tokens = self.tokens_of(&repo.name).ok_or_else(no_tokens)?;
        // The two come from a delivery, which whoever can read a hook's secret can write. The name is
        // what the operator allowed; the number, which all else goes by, must be that of the name.
        let found = self.project(&repo.id.to_string(), &tokens.read).await?;
        let named = found.path_with_namespace.eq_ignore_ascii_case(repo.name.as_str());
        if found.id != repo.id || !named {
            return Err(ForgeError::NotFound);
        }
        let handle = |token: &SecretString| {
            Arc::new(Handle::new(Arc::clone(&self.api), repo.clone(), token.clone()))
        };
        let (reading, writing) = (handle(&tokens.read), handle(&tokens.write));
        // A token that is refused is told before anything is asked of a model. From here on, a
        // refusal means that it was taken a moment ago.
        writing.us().await?;
        let lines = Arc::new(Lines::new(Arc::clone(&reading)));
        Ok(Access {
            source: Arc::new(GitLabSource {
                handle: reading,
                lines: Arc::clone(&lines),
                reports: Arc::clone(&self.reports),
                bounds: self.bounds,
            }),
            discussion: Arc::new(GitLabDiscussion { handle: writing, lines }),
            grant: Arc::new(Kept),
        })
    }
}

/// GitLab makes no token for one job, and ours are the operator's: to revoke them would end the next
/// job too. They end on the day that they were given, and are wiped from memory with their handles.
struct Kept;

#[async_trait]
impl Grant for Kept {
    async fn revoke(&self) -> Result<(), ForgeError> {
        Ok(())
    }
}
