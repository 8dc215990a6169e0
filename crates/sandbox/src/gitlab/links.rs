//! Addresses: of the API, and of the pages that people see.

use std::sync::Arc;

/// Where this GitLab lives.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    /// Scheme, host, port, and the path below which all is installed.
    pub(crate) web: Arc<str>,
    pub(crate) api: Arc<str>,
    /// Where artifacts are kept: another port.
    pub(crate) objects: Arc<str>,
}

impl Links {
    pub(crate) fn new(
        address: std::net::SocketAddr,
        objects: std::net::SocketAddr,
        base_path: &str,
    ) -> Self {
        let web = format!("http://{address}{base_path}");
        Self {
            api: format!("{web}/api/v4").into(),
            web: web.into(),
            objects: format!("http://{objects}").into(),
        }
    }

    pub(crate) fn project_web(&self, path: &str) -> String {
        format!("{}/{path}", self.web)
    }

    pub(crate) fn change_web(&self, path: &str, iid: u64) -> String {
        format!("{}/{path}/-/merge_requests/{iid}", self.web)
    }
}
