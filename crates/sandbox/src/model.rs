//! A model endpoint that answers from a script, in the shapes of OpenAI's two interfaces.

mod judge;
mod prompt;
mod reply;
mod wire;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
pub use prompt::{ModelRequest, PromptLine};
pub use reply::{
    Reply, cut, drop_connection, false_positive, filtered, hang, http, json, malformed,
    needs_review, refusal, true_positive,
};
use serde_json::json as value;

use crate::{
    SandboxError,
    answer::Answer,
    listen::{Exchange, Handler, Listening, bind},
};

type AnswerWith = Arc<dyn Fn(&ModelRequest) -> Reply + Send + Sync>;

/// A scripted model endpoint on the loopback, served until dropped.
///
/// Without a script, a small deterministic judge answers: it looks at the lines that it is shown,
/// and says in every answer that no model was asked.
pub struct Model {
    inner: Arc<Inner>,
    url: String,
    _listening: Listening,
}

struct Inner {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    script: VecDeque<Reply>,
    scripted: bool,
    by_text: Vec<(String, Reply)>,
    with: Option<AnswerWith>,
    key: Option<String>,
    lenient: bool,
    requests: Vec<ModelRequest>,
    problems: Vec<String>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    /// Takes a free port and serves.
    ///
    /// # Errors
    /// [`SandboxError::Io`] where there is no port.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::start_on(0).await
    }

    /// The same on a port of the loopback.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start_on(port: u16) -> Result<Self, SandboxError> {
        let bound = bind(port).await?;
        let url = format!("http://{}/v1", bound.address);
        let inner = Arc::new(Inner { state: Mutex::default() });
        let listening = bound.serve(Arc::clone(&inner));
        Ok(Self { inner, url, _listening: listening })
    }

    /// The base address, with `/v1`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Adds replies to the script: one a request, in order. A request past the script's end is a
    /// problem.
    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        let mut state = self.inner.state();
        state.scripted = true;
        state.script.extend(replies);
    }

    /// Every prompt that holds `text` (a rule, a path) gets this reply, before the script is
    /// looked at.
    pub fn answer_to(&self, text: &str, reply: Reply) {
        self.inner.state().by_text.push((text.to_owned(), reply));
    }

    /// Answers each request by this function, in place of the judge.
    pub fn answer_with(&self, with: impl Fn(&ModelRequest) -> Reply + Send + Sync + 'static) {
        self.inner.state().with = Some(Arc::new(with));
    }

    /// Refuses any other key from now on.
    pub fn require_key(&self, key: &str) {
        self.inner.state().key = Some(key.to_owned());
    }

    /// Stops asking for `store: false` and a strict schema.
    pub fn lenient(&self) {
        self.inner.state().lenient = true;
    }

    /// Every request for an answer, in order.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.inner.state().requests.clone()
    }

    /// How many replies of the script are left.
    pub fn left(&self) -> usize {
        self.inner.state().script.len()
    }

    /// What must not have happened: a request without `store: false` or a strict schema, one past
    /// the script's end, one to an unknown route. A test is not passed if there is one.
    pub fn problems(&self) -> Vec<String> {
        self.inner.state().problems.clone()
    }

    /// The problems so far, which are then forgotten.
    pub fn take_problems(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.state().problems)
    }
}

#[async_trait]
impl Handler for Inner {
    async fn handle(self: Arc<Self>, exchange: Exchange) -> Answer {
        let mut state = self.state();
        let path = exchange.target.split('?').next().unwrap_or_default().to_owned();
        if !state.admits(&exchange) {
            return wire::error(
                401,
                "invalid_request_error",
                "invalid_api_key",
                "Incorrect API key provided.",
            );
        }
        match (exchange.method.as_str(), path.as_str()) {
            ("GET", "/v1/models") => {
                let model = value!({ "id": wire::MODEL, "object": "model", "created": 1, "owned_by": "sandbox" });
                Answer::json(200, &value!({ "object": "list", "data": [model] }))
            }
            ("POST", "/v1/chat/completions" | "/v1/responses") => state.ask(&path, &exchange),
            (method, path) => {
                state.problems.push(format!("scripted model: unexpected {method} {path}"));
                wire::error(404, "invalid_request_error", "unknown_url", "Unknown request URL")
            }
        }
    }
}

impl State {
    fn admits(&self, exchange: &Exchange) -> bool {
        let Some(key) = &self.key else { return true };
        let header = |name: &str| exchange.headers.get(name).and_then(|v| v.to_str().ok());
        header("authorization") == Some(&format!("Bearer {key}")) || header("api-key") == Some(key)
    }

    fn ask(&mut self, path: &str, exchange: &Exchange) -> Answer {
        let Some(request) = ModelRequest::read(path, exchange) else {
            self.problems.push("scripted model: a request that is not JSON".to_owned());
            return wire::error(
                400,
                "invalid_request_error",
                "invalid_json",
                "We could not parse the JSON body of your request.",
            );
        };
        if !self.lenient {
            self.problems
                .extend(request.faults().into_iter().map(|f| format!("scripted model: {f}")));
        }
        let reply = self.reply(&request);
        let number = self.requests.len() + 1;
        let (answer, problem) = wire::answer(&request, &reply, number);
        self.problems.extend(problem);
        self.requests.push(request);
        answer
    }

    fn reply(&mut self, request: &ModelRequest) -> Reply {
        let text = request.prompt();
        if let Some((_, reply)) = self.by_text.iter().find(|(needle, _)| text.contains(needle)) {
            return reply.clone();
        }
        if let Some(reply) = self.script.pop_front() {
            return reply;
        }
        if let Some(with) = &self.with {
            return with(request);
        }
        if self.scripted {
            self.problems.push("scripted model: more requests than scripted answers".to_owned());
            return http(500, value!({ "error": { "message": "the script is at its end" } }), &[]);
        }
        judge::judge(request)
    }
}
