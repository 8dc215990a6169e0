//! What a client needs: a clock that stands still, an App's JWT, requests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use axum::{Router, body::Bytes, routing::post};
use base64::{Engine, prelude::*};
use chaffinch_core::Clock;
use chaffinch_sandbox::{GitHub, Options};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

pub(crate) struct Still(Mutex<DateTime<Utc>>);

impl Still {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-01T12:00:00Z".parse().unwrap())))
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct Scene {
    pub(crate) github: GitHub,
    pub(crate) clock: Arc<Still>,
    pub(crate) client: reqwest::Client,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn message(&self) -> String {
        format!("{} {}", self.status, self.json()["message"].as_str().unwrap_or_default())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// One request, its body sent as JSON.
pub(crate) async fn ask(
    client: &reqwest::Client,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Got {
    let mut request = client.request(method.parse().unwrap(), url).header("user-agent", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Got { status, headers, text: answer.text().await.unwrap() }
}

pub(crate) type Kept = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver of deliveries that keeps what it gets, and answers with `status`.
pub(crate) async fn receiver(status: u16) -> (String, Kept) {
    let kept = Kept::default();
    let inside = Arc::clone(&kept);
    let status = StatusCode::from_u16(status).unwrap();
    let app = Router::new().route(
        "/hook",
        post(move |headers: HeaderMap, body: Bytes| async move {
            inside.lock().unwrap().push((headers, body));
            (status, "queued")
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, kept)
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(edit: impl FnOnce(&mut Options)) -> Self {
        let clock = Still::new();
        let mut options = Options::new(clock.clone());
        options.key = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/sandbox-app.pem").into());
        edit(&mut options);
        let github = GitHub::start(options).await.unwrap();
        Self { github, clock, client: http() }
    }

    /// A token for `acme/shop` that may do everything that the App may.
    pub(crate) fn token(&self) -> String {
        let all = [
            ("contents", "read"),
            ("pull_requests", "write"),
            ("checks", "write"),
            ("security_events", "read"),
            ("metadata", "read"),
        ];
        self.github.token(&["acme/shop"], &all)
    }

    pub(crate) fn jwt(&self, claims: &Value) -> String {
        let pem = self.github.private_key();
        let der: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
        let pair = KeyPair::from_der(&BASE64_STANDARD.decode(der).unwrap()).unwrap();
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn app(&self) -> String {
        let now = self.clock.now().timestamp();
        self.jwt(&json!({ "iss": self.github.app_id(), "iat": now - 60, "exp": now + 540 }))
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        credential: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Got {
        let bearer = format!("Bearer {credential}");
        let mut headers = headers.to_vec();
        if !credential.is_empty() {
            headers.push(("authorization", &bearer));
        }
        ask(&self.client, method, &format!("{}{path}", self.github.url()), &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, credential: &str) -> Got {
        self.ask("GET", path, credential, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, credential: &str, body: Value) -> Got {
        self.ask("POST", path, credential, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, credential: &str, body: Value) -> Got {
        self.ask("PATCH", path, credential, &[], Some(body)).await
    }
}
