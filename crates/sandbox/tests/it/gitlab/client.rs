//! A fake GitLab with a project, and two tokens for it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use chaffinch_sandbox::{AccessToken, GitLab, GitLabOptions, MergeRequest, Project};
use serde_json::{Value, json};

use crate::client::{Got, Still, ask, http};

pub(crate) struct Scene {
    pub(crate) gitlab: GitLab,
    pub(crate) clock: Arc<Still>,
    pub(crate) client: reqwest::Client,
    pub(crate) shop: Project,
    /// May read.
    pub(crate) read: AccessToken,
    /// May comment, resolve and set statuses.
    pub(crate) write: AccessToken,
}

pub(crate) const SHOP: &str = "/projects/acme%2Fplatform%2Fshop";

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(edit: impl FnOnce(&mut GitLabOptions)) -> Self {
        let clock = Still::new();
        let mut options = GitLabOptions::new(clock.clone());
        edit(&mut options);
        let gitlab = GitLab::start(options).await.unwrap();
        let shop = gitlab.project("acme/platform/shop");
        let read = shop.token("chaffinch read", &["read_api"], 20);
        let write = shop.token("chaffinch write", &["api"], 30);
        Self { gitlab, clock, client: http(), shop, read, write }
    }

    /// A merge request in which line 2 of `app.py` is changed and line 7 is new.
    pub(crate) fn change(&self) -> MergeRequest {
        let old = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n";
        let new =
            "one\nTWO\nthree\nfour\nfive\nsix\nnew\nseven\neight\nnine\nten\neleven\ntwelve\n";
        self.shop.base_file("app.py", old).file("app.py", new).merge_request(7)
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Got {
        let headers = [("private-token", token)];
        let headers = if token.is_empty() { &[][..] } else { &headers[..] };
        ask(&self.client, method, &format!("{}{path}", self.gitlab.api_url()), headers, body).await
    }

    /// With the token that may read.
    pub(crate) async fn get(&self, path: &str) -> Got {
        self.ask("GET", &format!("{SHOP}{path}"), &self.read.value(), None).await
    }

    /// With the token that may write.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.ask("POST", &format!("{SHOP}{path}"), &self.write.value(), Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Got {
        self.ask("PUT", &format!("{SHOP}{path}"), &self.write.value(), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Got {
        self.ask("DELETE", &format!("{SHOP}{path}"), &self.write.value(), None).await
    }
}

/// A position on the merge request as it is now.
pub(crate) fn position(change: &MergeRequest, old: Option<u64>, new: Option<u64>) -> Value {
    json!({
        "position_type": "text",
        "base_sha": change.base(),
        "start_sha": change.base(),
        "head_sha": change.head(),
        "old_path": "app.py",
        "new_path": "app.py",
        "old_line": old,
        "new_line": new,
    })
}
