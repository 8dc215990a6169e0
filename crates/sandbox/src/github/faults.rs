//! Trouble on demand.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::Inner;

/// What happens to a request.
#[non_exhaustive]
pub enum Trouble {
    /// It is not done, and answered so.
    Answer {
        /// The status.
        status: u16,
        /// The body, as JSON.
        body: Value,
        /// Headers beside the usual ones.
        headers: Vec<(String, String)>,
    },
    /// It is done after this time.
    Late(Duration),
    /// It is not done, and never answered.
    Hang,
    /// It is not done; the connection is closed without an answer.
    Drop,
    /// It is done; the answer is cut in the middle.
    Truncate,
    /// It is done; the connection is closed without an answer.
    LoseAnswer,
    /// It is done; the answer says something else (a 502 after the effect).
    Belie(u16),
    /// Something else happens just before it is done (a push, say).
    Meanwhile(Box<dyn FnOnce() + Send>),
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer { .. } => "Answer",
            Self::Late(_) => "Late",
            Self::Hang => "Hang",
            Self::Drop => "Drop",
            Self::Truncate => "Truncate",
            Self::LoseAnswer => "LoseAnswer",
            Self::Belie(_) => "Belie",
            Self::Meanwhile(_) => "Meanwhile",
        })
    }
}

pub(crate) struct Planned {
    pub(crate) method: String,
    pub(crate) route: String,
    pub(crate) trouble: Trouble,
}

impl Planned {
    /// `*` is any method; a route is the route's pattern, the path itself, or a start and `*`.
    pub(crate) fn matches(&self, method: &str, route: &str, path: &str) -> bool {
        let place = match self.route.strip_suffix('*') {
            Some(start) => route.starts_with(start) || path.starts_with(start),
            None => route == self.route || path == self.route,
        };
        (self.method == "*" || self.method == method) && place
    }
}

/// Plans trouble. Each plan takes the first request that matches, once, in the order planned.
///
/// A route is its pattern (`/repos/{owner}/{repo}/pulls/{number}/reviews`), a whole path, or the
/// start of either followed by `*`; a method is `GET`, … or `*`.
pub struct Faults {
    pub(crate) inner: Arc<Inner>,
}

impl Faults {
    /// Plans one trouble.
    pub fn next(&self, method: &str, route: &str, trouble: Trouble) -> &Self {
        let planned = Planned { method: method.into(), route: route.into(), trouble };
        self.inner.world().faults.push_back(planned);
        self
    }

    /// An answer with a message, as GitHub words most of them.
    pub fn answer(&self, method: &str, route: &str, status: u16, message: &str) -> &Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        self.next(method, route, Trouble::Answer { status, body, headers: Vec::new() })
    }

    /// The secondary rate limit, with or without `Retry-After`.
    pub fn secondary_limit(&self, method: &str, route: &str, retry_after: Option<u64>) -> &Self {
        let body = json!({
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        });
        let headers = retry_after.map(|s| ("retry-after".to_owned(), s.to_string()));
        let trouble = Trouble::Answer { status: 403, body, headers: headers.into_iter().collect() };
        self.next(method, route, trouble)
    }

    /// The primary rate limit, which ends in `seconds`.
    pub fn primary_limit(&self, method: &str, route: &str, seconds: i64) -> &Self {
        let (reset, installation) = {
            let world = self.inner.world();
            (world.clock.now().timestamp() + seconds, world.app.installation)
        };
        let body = json!({
            "message": format!("API rate limit exceeded for installation ID {installation}."),
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
        });
        let headers = [
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-used", "5000".to_owned()),
            ("x-ratelimit-reset", reset.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        self.next(method, route, Trouble::Answer { status: 403, body, headers })
    }

    /// A review is refused though its lines are right: the diff has changed meanwhile.
    pub fn review_refused(&self) -> &Self {
        let body = json!({
            "message": "Unprocessable Entity",
            "errors": [super::reviews::LINE],
            "documentation_url": "https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request",
            "status": "422",
        });
        self.next(
            "POST",
            "/repos/{owner}/{repo}/pulls/{number}/reviews",
            Trouble::Answer { status: 422, body, headers: Vec::new() },
        )
    }

    /// Something else happens just before the request is done.
    pub fn meanwhile(
        &self,
        method: &str,
        route: &str,
        what: impl FnOnce() + Send + 'static,
    ) -> &Self {
        self.next(method, route, Trouble::Meanwhile(Box::new(what)))
    }

    /// How many plans have not come to pass.
    pub fn left(&self) -> usize {
        self.inner.world().faults.len()
    }

    /// Forgets the plans that have not come to pass.
    pub fn clear(&self) -> &Self {
        self.inner.world().faults.clear();
        self
    }
}
