//! Trouble on demand.

use std::{ops::Deref, sync::Arc};

use serde_json::json;

use super::Inner;
use crate::faults::{Plans, Trouble};

/// [`Plans`], and trouble as GitHub words it.
pub struct Faults {
    pub(crate) inner: Arc<Inner>,
}

impl Deref for Faults {
    type Target = Plans;

    fn deref(&self) -> &Plans {
        &self.inner.wire.plans
    }
}

impl Faults {
    /// An answer with a message, as GitHub words most of them.
    pub fn answer(&self, method: &str, route: &str, status: u16, message: &str) -> &Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        self.next(method, route, Trouble::Answer { status, body, headers: Vec::new() });
        self
    }

    /// The secondary rate limit, with or without `Retry-After`.
    pub fn secondary_limit(&self, method: &str, route: &str, retry_after: Option<u64>) -> &Self {
        let body = json!({
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        });
        let headers = retry_after.map(|s| ("retry-after".to_owned(), s.to_string()));
        let trouble = Trouble::Answer { status: 403, body, headers: headers.into_iter().collect() };
        self.next(method, route, trouble);
        self
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
        self.next(method, route, Trouble::Answer { status: 403, body, headers });
        self
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
        );
        self
    }
}
