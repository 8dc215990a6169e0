//! A listener on the loopback that can also break off, cut short and stay silent.

use std::{io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request, response::Response};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Method, StatusCode};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    SandboxError,
    answer::{Answer, Ending},
};

/// The largest body that is read; GitHub and model endpoints take less.
const MAX_BODY: usize = 128 << 20;

/// One request, read to its end.
pub(crate) struct Exchange {
    pub(crate) method: Method,
    /// Path and query as they came.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[async_trait]
pub(crate) trait Handler: Send + Sync + 'static {
    async fn handle(self: Arc<Self>, exchange: Exchange) -> Answer;
}

/// A port that is taken, but not served yet.
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// Serves until dropped.
pub(crate) struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes `port` on the loopback; 0 takes any free one.
pub(crate) async fn bind(port: u16) -> io::Result<Bound> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

impl Bound {
    pub(crate) fn serve<H: Handler>(self, handler: Arc<H>) -> Listening {
        let app = Router::new().fallback(move |request: Request| {
            let handler = Arc::clone(&handler);
            async move { respond(handler, request).await }
        });
        Listening(tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(self.listener, app).await;
        }))
    }
}

async fn respond<H: Handler>(handler: Arc<H>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return Response::builder()
            .status(StatusCode::PAYLOAD_TOO_LARGE)
            .body(Body::empty())
            .unwrap_or_default();
    };
    let target = head.uri.path_and_query().map_or("/", |t| t.as_str()).to_owned();
    let exchange = Exchange { method: head.method, target, headers: head.headers, body };
    send(handler.handle(exchange).await).await
}

async fn send(answer: Answer) -> Response {
    let broken = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let body = match answer.ending {
        Ending::Whole => Body::from(answer.body.clone()),
        Ending::Never => futures::future::pending().await,
        Ending::Dropped => {
            Body::from_stream(stream::once(async move { Err::<Bytes, _>(broken()) }))
        }
        Ending::Truncated => {
            let half = answer.body.slice(..answer.body.len() / 2);
            Body::from_stream(stream::unfold(Some(half), move |half| async move {
                match half {
                    Some(half) => Some((Ok(half), None)),
                    None => {
                        // The first half must be on the wire before the connection breaks.
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        Some((Err(broken()), None))
                    }
                }
            }))
        }
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    if answer.ending == Ending::Truncated {
        response = response.header("content-length", answer.body.len());
    }
    response.body(body).unwrap_or_default()
}

/// What sends deliveries: to the loopback in plain HTTP, so no certificates are needed.
pub(crate) fn delivery_client() -> Result<reqwest::Client, SandboxError> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only(std::iter::empty())
        .build()
        .map_err(|e| SandboxError::Other(e.to_string()))
}
