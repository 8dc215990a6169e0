//! The one HTTP client of the program.

use std::{path::Path, time::Duration};

use anyhow::Context;

use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect::Policy};
use url::{Host, Url};

const CONNECT: Duration = Duration::from_secs(5);

/// Makes the client that forges and model endpoints are asked with: no redirects of its own (a
/// redirect could carry a credential to another host; the adapters decide), with the platform's CA
/// certificates, or with Mozilla's where the machine has none. Each adapter bounds its own requests.
///
/// Only `proxy` is ever used, none from the environment, and never for the loopback: what may go to
/// a model there without an agreement must not leave the machine on its way.
///
/// # Errors
/// If neither makes a working client.
pub fn http_client(proxy: Option<&Url>) -> Result<Client, reqwest::Error> {
    builder(proxy).build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots: Result<Vec<_>, _> = roots.map(|root| Certificate::from_der(root)).collect();
        builder(proxy).tls_certs_only(roots?).build()
    })
}

/// As [`http_client`], trusting the certificates in `ca_file` too.
///
/// # Errors
/// If the file cannot be read or holds no certificate, or no working client can be made.
pub(crate) fn trusting(proxy: Option<&Url>, ca_file: &Path) -> anyhow::Result<Client> {
    crate::install_crypto();
    let shown = ca_file.display();
    let pem = std::fs::read(ca_file).with_context(|| format!("cannot read {shown}"))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .ok()
        .filter(|found| !found.is_empty())
        .with_context(|| format!("{shown} holds no PEM certificate"))?;
    builder(proxy).tls_certs_merge(certificates).build().context("cannot make an HTTP client")
}

fn builder(proxy: Option<&Url>) -> ClientBuilder {
    let builder = match proxy.cloned() {
        Some(proxy) => Client::builder().proxy(Proxy::custom(move |url| {
            if on_loopback(url) { None } else { Some(proxy.clone()) }
        })),
        None => Client::builder().no_proxy(),
    };
    builder
        .user_agent(concat!("chaffinch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(Policy::none())
}

fn on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_loopback_is_never_asked_through_a_proxy() {
        crate::install_crypto();
        let serve = async |says: &'static str| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let served = axum::Router::new().fallback(move || async move { says });
            tokio::spawn(async move { axum::serve(listener, served).await });
            format!("http://{address}/")
        };
        let (direct, proxy) = (serve("direct").await, serve("through the proxy").await);
        let client = http_client(Some(&proxy.parse().unwrap())).unwrap();
        for (url, want) in
            [(direct.as_str(), "direct"), ("http://elsewhere.invalid/", "through the proxy")]
        {
            let answer = client.get(url).send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), want, "{url}");
        }
    }
}
