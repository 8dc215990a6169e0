//! Addresses: of the API, and of the pages that people see.

use std::sync::Arc;

/// Where this GitHub lives.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    /// Scheme, host and port.
    pub(crate) web: Arc<str>,
    /// The same with the API's base path.
    pub(crate) api: Arc<str>,
}

impl Links {
    pub(crate) fn new(address: std::net::SocketAddr, base_path: &str) -> Self {
        let web = format!("http://{address}");
        Self { api: format!("{web}{base_path}").into(), web: web.into() }
    }

    pub(crate) fn repo_api(&self, full_name: &str) -> String {
        format!("{}/repos/{full_name}", self.api)
    }

    pub(crate) fn repo_web(&self, full_name: &str) -> String {
        format!("{}/{full_name}", self.web)
    }
}
