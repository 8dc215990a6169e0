//! The one HTTP client of the program.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(60);

/// Makes the client that forges and model endpoints are asked with: no redirects of its own (a
/// redirect could carry a credential to another host; the adapters decide), bounded in time, with the
/// platform's CA certificates, or with Mozilla's where the machine has none.
///
/// # Errors
/// If neither makes a working client.
pub fn http_client() -> Result<Client, reqwest::Error> {
    builder().build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots: Result<Vec<_>, _> = roots.map(|root| Certificate::from_der(root)).collect();
        builder().tls_certs_only(roots?).build()
    })
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("chaffinch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .redirect(Policy::none())
}
