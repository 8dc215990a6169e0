//! How a fake GitHub is started.

use std::{path::PathBuf, sync::Arc};

use chaffinch_core::Clock;

/// How a fake GitHub is started. [`Options::new`] gives a sensible one.
pub struct Options {
    /// The App's number.
    pub app_id: u64,
    /// The App's name in addresses; it writes as `SLUG[bot]`.
    pub slug: String,
    /// With which deliveries are signed.
    pub webhook_secret: String,
    /// Where deliveries go; can be set later.
    pub webhook_url: Option<String>,
    /// `""` as github.com has it, `/api/v3` as an Enterprise Server has it.
    pub base_path: String,
    /// The port on the loopback; 0 takes a free one.
    pub port: u16,
    /// Tells the time: of comments, tokens and limits.
    pub clock: Arc<dyn Clock>,
    /// Tells the time by which an App's JWT is judged, where that is not `clock`: a client library
    /// may sign by the machine's own.
    pub jwt_clock: Option<Arc<dyn Clock>>,
    /// What the App may do: permission and `read` or `write`.
    pub permissions: Vec<(String, String)>,
    /// Where the App's key is kept from one run to the next, made if it is not there. To make one
    /// takes a second or two of an unoptimised build.
    pub key: Option<PathBuf>,
    /// The folder with `github/schemas`: every request and answer is checked against them. Needs
    /// the feature `conformance`.
    pub schemas: Option<PathBuf>,
    /// Where each exchange is written, one JSON object a line.
    pub record: Option<PathBuf>,
    /// A sentence that stands above every page.
    pub banner: Option<String>,
}

/// What an installation token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenForm {
    /// `ghs_` and 36 letters and digits.
    Classic,
    /// `ghs_APPID_JWT`, about 520 characters with dots, dashes and underscores.
    Stateless,
}

impl Options {
    /// An App called `chaffinch` with the permissions that Chaffinch asks for.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let permissions = [
            ("metadata", "read"),
            ("contents", "read"),
            ("pull_requests", "write"),
            ("checks", "write"),
            ("security_events", "read"),
        ];
        Self {
            app_id: 12_345,
            slug: "chaffinch".to_owned(),
            webhook_secret: "it is a secret to everybody".to_owned(),
            webhook_url: None,
            base_path: String::new(),
            port: 0,
            clock,
            jwt_clock: None,
            permissions: permissions.map(|(p, l)| (p.to_owned(), l.to_owned())).into(),
            key: None,
            schemas: None,
            record: None,
            banner: None,
        }
    }
}
