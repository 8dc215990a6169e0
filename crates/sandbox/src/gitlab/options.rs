//! How a fake GitLab is started.

use std::{path::PathBuf, sync::Arc};

use chaffinch_core::Clock;

/// How a fake GitLab is started. [`GitLabOptions::new`] gives a sensible one.
pub struct GitLabOptions {
    /// `""` as gitlab.com has it, `/gitlab` where it is installed below a path.
    pub base_path: String,
    /// The port on the loopback; 0 takes a free one.
    pub port: u16,
    /// Tells the time: of notes, tokens, hooks and limits.
    pub clock: Arc<dyn Clock>,
    /// How many requests a minute there may be: answers then say so. Off where self-managed.
    pub rate_limit: Option<u64>,
    /// The folder with `gitlab/schemas`: every request is checked against them. Needs the feature
    /// `conformance`.
    pub schemas: Option<PathBuf>,
    /// Where each exchange is written, one JSON object a line.
    pub record: Option<PathBuf>,
    /// A sentence that stands above every page.
    pub banner: Option<String>,
}

impl GitLabOptions {
    /// A self-managed one, at the root of a free port.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            base_path: String::new(),
            port: 0,
            clock,
            rate_limit: None,
            schemas: None,
            record: None,
            banner: None,
        }
    }
}
