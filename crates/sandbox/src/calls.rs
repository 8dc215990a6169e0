//! What was asked.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request that a fake forge got, and how it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The route that took it (`/repos/{owner}/{repo}/pulls/{number}`); empty where none did.
    pub route: String,
    /// The path as it came, without base path and query.
    pub path: String,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// Who asked.
    pub caller: Caller,
    /// The body, where it was JSON.
    pub body: Option<Value>,
    /// The status of the answer; 0 where the connection was dropped.
    pub status: u16,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody that we know.
    Nobody,
    /// The App itself, by JWT.
    App,
    /// An access token of GitLab's.
    Access {
        /// Its name.
        name: String,
        /// What it may be used for.
        scopes: Vec<String>,
        /// Its role: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner.
        role: u64,
        /// The projects that it reaches, `group/project`.
        projects: Vec<String>,
    },
    /// An installation token.
    Token {
        /// What it may do.
        permissions: BTreeMap<String, String>,
        /// The repositories that it can see, `owner/name`.
        repositories: Vec<String>,
    },
}
