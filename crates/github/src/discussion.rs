//! The `Discussion` port: writes what reviewers see, with a token that cannot read contents.

mod checks;
mod review;
mod summary;
mod threads;

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{
    Change, Check, Comment, CommentId, Discussion, ForgeError, NewThread, Posted, Thread,
};
use serde::Deserialize;

use crate::handle::Handle;

pub use checks::CHECK_NAME;

const PULL_REQUESTS: &str = "pull_requests: write";

pub(crate) struct GitHubDiscussion {
    pub(crate) handle: Arc<Handle>,
}

#[async_trait]
impl Discussion for GitHubDiscussion {
    async fn threads(&self, change: &Change) -> Result<Vec<Thread>, ForgeError> {
        threads::ours(&self.handle, change.id.number).await
    }

    async fn post(
        &self,
        change: &Change,
        threads: &[NewThread],
    ) -> Result<Vec<Posted>, ForgeError> {
        review::post(&self.handle, change, threads).await
    }

    async fn edit(&self, comment: &CommentId, body: &str) -> Result<(), ForgeError> {
        review::edit(&self.handle, comment, body).await
    }

    async fn resolve(&self, thread: &Thread) -> Result<(), ForgeError> {
        threads::resolve(&self.handle, &thread.id).await
    }

    async fn reopen(&self, thread: &Thread) -> Result<(), ForgeError> {
        threads::reopen(&self.handle, &thread.id).await
    }

    async fn summary(&self, change: &Change) -> Result<Option<Comment>, ForgeError> {
        summary::find(&self.handle, change.id.number).await
    }

    async fn put_summary(
        &self,
        change: &Change,
        existing: Option<&CommentId>,
        body: &str,
    ) -> Result<(), ForgeError> {
        summary::put(&self.handle, change.id.number, existing, body).await
    }

    async fn check(&self, _: &Change, check: &Check) -> Result<(), ForgeError> {
        checks::set(&self.handle, check).await
    }
}

/// A comment as REST gives it, inline or not.
#[derive(Deserialize)]
struct RestComment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    /// Null for an account that is gone.
    #[serde(default)]
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
    #[serde(default)]
    r#type: String,
}

impl RestComment {
    /// Whether the App of this name wrote it. A person who signed in through the App is not the App.
    fn is_by(&self, slug: &str) -> bool {
        self.user.as_ref().is_some_and(|user| {
            user.r#type == "Bot" && user.login.strip_suffix("[bot]") == Some(slug)
        })
    }

    fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Our ids are numbers; anything else would be part of a path.
fn number(id: &CommentId) -> Result<u64, ForgeError> {
    id.0.parse().map_err(|_| ForgeError::Other("github: a comment id that is no number".to_owned()))
}
