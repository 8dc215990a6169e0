//! One repository through one token: what both ports stand on.

use std::sync::Arc;

use chaffinch_core::{ForgeError, RepoId};
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::{
    api::{Answer, Call, refused},
    app::App,
    permissions::Permission,
    token::Token,
};

pub(crate) const PER_PAGE: usize = 100;

/// One repository through one token.
pub(crate) struct Handle {
    pub(crate) app: Arc<App>,
    pub(crate) repo: RepoId,
    token: Token,
}

/// What a listing came to.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// False if there are more pages than were wanted.
    pub(crate) complete: bool,
}

impl Handle {
    pub(crate) fn new(app: Arc<App>, repo: RepoId, permissions: Vec<Permission>) -> Self {
        let token = Token::new(Arc::clone(&app), repo.clone(), permissions);
        Self { app, repo, token }
    }

    /// A read below the repository. `path` starts with `/` and is encoded already.
    pub(crate) fn get(
        &self,
        route: &'static str,
        path: &str,
        needs: &'static str,
    ) -> Result<Call, ForgeError> {
        Ok(Call::get(route, self.url(path)?, needs))
    }

    pub(crate) fn url(&self, path: &str) -> Result<url::Url, ForgeError> {
        self.app.api.url(&format!("/repos/{}{path}", self.repo.name))
    }

    /// Sends a call. A token that GitHub calls dead is made anew, once: a 401 means that nothing was
    /// done, so this holds for writes too.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, ForgeError> {
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(refused(&answer, call.needs, self.app.api.clock().now()))
    }

    /// As [`Self::send`], but an answer of any status is an answer.
    pub(crate) async fn exchange(&self, call: &Call) -> Result<Answer, ForgeError> {
        let api = &self.app.api;
        let lent = self.token.lend(None).await?;
        let mut answer = api.send(call, &lent.secret).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let renewed = self.token.lend(Some(lent.turn)).await?;
            answer = api.send(call, &renewed.secret).await?;
        }
        Ok(answer)
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

    pub(crate) async fn revoke(&self) -> Result<(), ForgeError> {
        self.token.revoke().await
    }
}
