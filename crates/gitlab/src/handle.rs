//! One project through one token: what both ports stand on.

use std::sync::Arc;

use chaffinch_core::{ForgeError, RepoId};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::api::{Answer, Api, Call, refused};

pub(crate) const PER_PAGE: usize = 100;
/// GitLab's own, where no size is asked for.
const USUAL_PAGE: usize = 20;

/// One project through one token.
pub(crate) struct Handle {
    pub(crate) api: Arc<Api>,
    pub(crate) repo: RepoId,
    token: SecretString,
    us: OnceCell<u64>,
}

/// What a listing came to.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// False if there are more pages than were wanted.
    pub(crate) complete: bool,
}

impl Handle {
    pub(crate) fn new(api: Arc<Api>, repo: RepoId, token: SecretString) -> Self {
        Self { api, repo, token, us: OnceCell::new() }
    }

    /// A read below the project. `path` starts with `/` and is encoded already.
    pub(crate) fn get(
        &self,
        route: &'static str,
        path: &str,
        needs: &'static str,
    ) -> Result<Call, ForgeError> {
        Ok(Call::get(route, self.url(path)?, needs))
    }

    /// By its number: a project that was renamed keeps it.
    pub(crate) fn url(&self, path: &str) -> Result<url::Url, ForgeError> {
        self.api.url(&format!("/projects/{}{path}", self.repo.id))
    }

    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, ForgeError> {
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(refused(&answer, call.needs, self.api.clock().now()))
    }

    /// As [`Self::send`], but an answer of any status is an answer.
    pub(crate) async fn exchange(&self, call: &Call) -> Result<Answer, ForgeError> {
        self.api.send(call, &self.token).await
    }

    /// A listing, page by page by number: the addresses in `Link` name another host behind some
    /// proxies.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        call: Call,
        most_pages: usize,
    ) -> Result<Listed<T>, ForgeError> {
        let mut items = Vec::new();
        for page in 1..=most_pages {
            let mut call = call.clone();
            call.url
                .query_pairs_mut()
                .append_pair("per_page", &PER_PAGE.to_string())
                .append_pair("page", &page.to_string());
            let answer = self.send(&call).await?;
            let mut found: Vec<T> = answer.json()?;
            let more = answer.has_next(found.len(), PER_PAGE);
            items.append(&mut found);
            if !more {
                return Ok(Listed { items, complete: true });
            }
        }
        Ok(Listed { items, complete: false })
    }

    /// As [`Self::list`], for listings that have pages of which GitLab's own document knows nothing:
    /// another one is asked for only where the server says so, in its own size.
    pub(crate) async fn list_as_told<T: DeserializeOwned>(
        &self,
        call: Call,
        most_pages: usize,
    ) -> Result<Listed<T>, ForgeError> {
        let mut items = Vec::new();
        for page in 1..=most_pages {
            let mut call = call.clone();
            if page > 1 {
                call.url.query_pairs_mut().append_pair("page", &page.to_string());
            }
            let answer = self.send(&call).await?;
            let mut found: Vec<T> = answer.json()?;
            let whole = found.len() < USUAL_PAGE;
            items.append(&mut found);
            match answer.says_next() {
                Some(true) => {}
                Some(false) => return Ok(Listed { items, complete: true }),
                None => return Ok(Listed { items, complete: whole }),
            }
        }
        Ok(Listed { items, complete: false })
    }

    /// The number of the user that the token stands for: what that user wrote, we wrote.
    pub(crate) async fn us(&self) -> Result<u64, ForgeError> {
        #[derive(Deserialize)]
        struct User {
            id: u64,
        }
        let ask = || async {
            let call = Call::get("/user", self.api.url("/user")?, "scope api");
            Ok(self.send(&call).await?.json::<User>()?.id)
        };
        self.us.get_or_try_init(ask).await.copied()
    }
}
