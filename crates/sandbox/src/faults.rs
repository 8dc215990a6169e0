//! Trouble on demand.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use crate::answer::{Answer, Ending};

/// What happens to a request.
#[non_exhaustive]
pub enum Trouble {
    /// It is not done, and answered so.
    Answer {
        /// The status.
        status: u16,
        /// The body, as JSON; a text as it is.
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

struct Planned {
    method: String,
    route: String,
    trouble: Trouble,
}

impl Planned {
    /// `*` is any method; a route is the route's pattern, the path itself, or a start and `*`.
    fn matches(&self, method: &str, route: &str, path: &str) -> bool {
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
#[derive(Default)]
pub struct Plans(Mutex<VecDeque<Planned>>);

impl Plans {
    fn plans(&self) -> MutexGuard<'_, VecDeque<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans one trouble.
    pub fn next(&self, method: &str, route: &str, trouble: Trouble) -> &Self {
        self.plans().push_back(Planned { method: method.into(), route: route.into(), trouble });
        self
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
        self.plans().len()
    }

    /// Forgets the plans that have not come to pass.
    pub fn clear(&self) -> &Self {
        self.plans().clear();
        self
    }

    /// What is planned for a request, which is then no longer planned.
    pub(crate) fn take(&self, method: &str, route: &str, path: &str) -> Option<Trouble> {
        let mut plans = self.plans();
        let at = plans.iter().position(|f| f.matches(method, route, path));
        at.and_then(|at| plans.remove(at)).map(|f| f.trouble)
    }
}

/// The answer to a request that has this trouble. `serve` does what was asked; where it is given an
/// answer, it does nothing and sends that.
pub(crate) async fn troubled(
    trouble: Option<Trouble>,
    gateway: &str,
    serve: impl FnOnce(Option<Answer>) -> Answer,
) -> Answer {
    match trouble {
        Some(Trouble::Answer { status, body, headers }) => {
            let mut answer = match &body {
                Value::String(text) => Answer::new(status, "text/plain", text.clone()),
                body => Answer::json(status, body),
            };
            answer.headers.extend(headers);
            serve(Some(answer))
        }
        Some(Trouble::Hang) => Answer::empty(500).ending(Ending::Never),
        Some(Trouble::Drop) => Answer::empty(500).ending(Ending::Dropped),
        Some(Trouble::Late(time)) => {
            tokio::time::sleep(time).await;
            serve(None)
        }
        Some(Trouble::Meanwhile(what)) => {
            what();
            serve(None)
        }
        Some(Trouble::Truncate) => serve(None).ending(Ending::Truncated),
        Some(Trouble::LoseAnswer) => serve(None).ending(Ending::Dropped),
        Some(Trouble::Belie(status)) => {
            serve(None);
            Answer::new(status, "text/html", format!("<html><body>{gateway}</body></html>"))
        }
        None => serve(None),
    }
}
