//! Trouble as GitLab words it.

use std::{ops::Deref, sync::Arc};

use serde_json::{Value, json};

use super::Inner;
use crate::faults::{Plans, Trouble};

/// [`Plans`], and trouble as GitLab words it.
pub struct GitLabFaults {
    pub(crate) inner: Arc<Inner>,
}

impl Deref for GitLabFaults {
    type Target = Plans;

    fn deref(&self) -> &Plans {
        &self.inner.wire.plans
    }
}

impl GitLabFaults {
    /// An answer with a body.
    fn answers(&self, method: &str, route: &str, status: u16, body: Value) -> &Self {
        self.next(method, route, Trouble::Answer { status, body, headers: Vec::new() });
        self
    }

    /// An answer with a message, as GitLab words most of them.
    pub fn answer(&self, method: &str, route: &str, status: u16, message: &str) -> &Self {
        self.answers(method, route, status, json!({ "message": message }))
    }

    /// The rate limit, which ends in `seconds`.
    pub fn rate_limited(&self, method: &str, route: &str, seconds: i64) -> &Self {
        let reset = self.inner.world().clock.now().timestamp() + seconds;
        let headers = [
            ("retry-after", seconds.to_string()),
            ("ratelimit-limit", "600".to_owned()),
            ("ratelimit-observed", "601".to_owned()),
            ("ratelimit-remaining", "0".to_owned()),
            ("ratelimit-reset", reset.to_string()),
            ("ratelimit-name", "throttle_authenticated_api".to_owned()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        let body = json!("Retry later\n");
        self.next(method, route, Trouble::Answer { status: 429, body, headers });
        self
    }

    /// Somebody else sets a status of the same commit at the same time.
    pub fn status_conflict(&self) -> &Self {
        self.answer("POST", "/projects/{id}/statuses/{sha}", 409, "409 Conflict")
    }

    /// The status is already what it is to become.
    pub fn status_unchanged(&self, event: &str, state: &str) -> &Self {
        let why = format!(
            "Cannot transition status via :{event} from :{state} (Reason(s): Status cannot transition via \"{event}\")"
        );
        self.answer("POST", "/projects/{id}/statuses/{sha}", 400, &why)
    }

    /// A note is refused though its line is right: the diff has changed meanwhile. `method` and
    /// `route` say whether it is a discussion or a draft.
    pub fn line_refused(&self, method: &str, route: &str) -> &Self {
        self.answer(method, route, 400, super::discussions::NO_LINE)
    }

    /// The same, in the other of the two shapes: the message is an object.
    pub fn position_refused(&self, method: &str, route: &str) -> &Self {
        let message = json!({ "message": { "position": ["is incomplete"] } });
        self.answers(method, route, 400, message)
    }

    /// The route takes no fine-grained tokens.
    pub fn no_fine_grained_tokens(&self, method: &str, route: &str) -> &Self {
        let why =
            "Access denied: This endpoint doesn't support fine-grained personal access tokens.";
        self.answers(
            method,
            route,
            403,
            json!({ "error": "insufficient_granular_scope", "error_description": why }),
        )
    }
}
