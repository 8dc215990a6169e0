//! The `Discussion` port: writes what reviewers see.

mod checks;
mod drafts;
mod position;
mod review;
mod summary;
mod threads;

use std::sync::Arc;

use async_trait::async_trait;
use chaffinch_core::{
    Change, Check, Comment, CommentId, Discussion, ForgeError, NewThread, Posted, Thread,
};
use serde::Deserialize;

use crate::{handle::Handle, json::nullable, source::Lines};

pub use checks::CHECK_NAME;

const WRITE: &str = "scope api, role Reporter";
const RESOLVE: &str = "scope api, role Developer";

pub(crate) struct GitLabDiscussion {
    pub(crate) handle: Arc<Handle>,
    /// Read with the other token.
    pub(crate) lines: Arc<Lines>,
}

#[async_trait]
impl Discussion for GitLabDiscussion {
    async fn threads(&self, change: &Change) -> Result<Vec<Thread>, ForgeError> {
        threads::ours(&self.handle, change).await
    }

    async fn post(
        &self,
        change: &Change,
        threads: &[NewThread],
    ) -> Result<Vec<Posted>, ForgeError> {
        review::post(&self.handle, &self.lines, change, threads).await
    }

    async fn edit(&self, comment: &CommentId, body: &str) -> Result<(), ForgeError> {
        summary::edit(&self.handle, comment, body).await
    }

    async fn resolve(&self, thread: &Thread) -> Result<(), ForgeError> {
        threads::set_resolved(&self.handle, &thread.id, true).await
    }

    async fn reopen(&self, thread: &Thread) -> Result<(), ForgeError> {
        threads::set_resolved(&self.handle, &thread.id, false).await
    }

    fn check_has_room(&self) -> bool {
        false
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

    async fn check(&self, change: &Change, check: &Check) -> Result<(), ForgeError> {
        checks::set(&self.handle, change.id.number, check).await
    }
}

/// A comment, inline or not.
#[derive(Deserialize)]
struct Note {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    body: String,
    #[serde(default)]
    author: Option<User>,
    /// GitLab's own ("changed this line in version 2").
    #[serde(default, deserialize_with = "nullable")]
    system: bool,
    #[serde(default, deserialize_with = "nullable")]
    resolved: bool,
    #[serde(default)]
    resolved_by: Option<User>,
    #[serde(default)]
    position: Option<position::Shown>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

impl Note {
    fn is_by(&self, us: u64) -> bool {
        !self.system && self.author.as_ref().is_some_and(|author| author.id == us)
    }
}

/// A note or discussion is found only through its merge request, which callers do not name again: so
/// our ids are `7:NOTE` and `7:DISCUSSION`.
fn compose(number: u64, id: impl std::fmt::Display) -> String {
    format!("{number}:{id}")
}

/// Undoes [`compose`]; the id must be a word, since it becomes part of a path.
fn parts(id: &str) -> Result<(u64, &str), ForgeError> {
    let malformed = || ForgeError::Other("gitlab: an id that is none of ours".to_owned());
    let (number, id) = id.split_once(':').ok_or_else(malformed)?;
    let is_word = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match number.parse() {
        Ok(number) if is_word => Ok((number, id)),
        _ => Err(malformed()),
    }
}
