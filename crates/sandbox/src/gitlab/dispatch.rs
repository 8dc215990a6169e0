//! From an HTTP request to a handler and back: who asks, may they, what goes wrong on purpose.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Inner, delivery, pages,
    request::{Request, error, failure, forbidden},
    routes::{Needs, ROUTES, Route, is_wholesale},
    world::World,
};
use crate::{
    answer::Answer,
    calls::Caller,
    faults::troubled,
    listen::{Exchange, Handler},
    routes::find,
};

#[async_trait]
impl Handler for Inner {
    async fn handle(self: Arc<Self>, exchange: Exchange) -> Answer {
        let (path, query) = exchange.target.split_once('?').unwrap_or((&exchange.target, ""));
        if exchange.method == "GET"
            && let Some(html) =
                pages::find(&self.world(), path, &self.base_path, self.banner.as_deref())
        {
            return Answer::html(html);
        }
        if path == "/favicon.ico" {
            return Answer::empty(204);
        }
        let (body, headers) = (exchange.body.clone(), exchange.headers.clone());
        let method = exchange.method.as_str();
        let below =
            path.strip_prefix(self.base_path.as_str()).and_then(|p| p.strip_prefix("/api/v4"));
        let (inside, path) = (below.is_some(), below.unwrap_or(path).to_owned());
        let mut request = Request::new(method, &path, query, headers, body);
        let private = request.header("private-token").to_owned();
        if !private.is_empty() {
            request.credential = Some(private);
        }
        let route = if inside { find(ROUTES, method, &path) } else { None };
        let pattern = route.as_ref().map_or("", |(r, _)| r.pattern);
        let trouble = self.wire.plans.take(method, pattern, &path);
        let route = route.map(|(route, params)| {
            request.params = params;
            route
        });
        let answer = troubled(trouble, "GitLab is not responding", |planned| {
            let mut world = self.world();
            match planned {
                Some(answer) => {
                    world.identify(&mut request).ok();
                    limits(&world, answer)
                }
                None => world.serve(&mut request, route),
            }
        });
        let answer = self.sent(answer.await).await;
        self.after(&exchange, &request, route, &answer);
        answer
    }
}

impl Inner {
    /// Sends what the request has caused to be delivered: a hook's test is answered only then.
    async fn sent(self: &Arc<Self>, answer: Answer) -> Answer {
        let parcels = std::mem::take(&mut self.world().outbox);
        let mut failed = None;
        for parcel in parcels {
            let delivered = delivery::send(self, parcel).await;
            failed = (!delivered.arrived()).then_some(delivered).or(failed);
        }
        match failed {
            None => answer,
            Some(delivered) => {
                let why = match delivered.status {
                    0 => delivered.body,
                    status => format!("HTTP status {status}"),
                };
                *failure(422, &format!("Hook execution failed: {why}"))
            }
        }
    }

    /// Writes down what happened. A request that the document does not know is a problem, an answer
    /// at most a hint.
    fn after(
        &self,
        exchange: &Exchange,
        request: &Request,
        route: Option<&Route>,
        answer: &Answer,
    ) {
        let (pattern, form) = (route.map(|r| r.pattern), super::request::form(request));
        let (call, found) = self.wire.exchanged(exchange, request, pattern, answer, form);
        let mut world = self.world();
        world.calls.push(call);
        for finding in found.request {
            world.problem(format!("schema: {} {}: {finding}", request.method, request.path));
        }
        // The published types of answers have mistakes.
        let route = pattern.unwrap_or_default();
        let hint = |finding| format!("{} {route}: {finding}", request.method);
        world.hints.extend(found.answer.into_iter().map(hint));
    }
}

impl World {
    fn serve(&mut self, request: &mut Request, route: Option<&Route>) -> Answer {
        let answer = match self.admit(request, route) {
            Ok(route) => (route.run)(self, request).unwrap_or_else(|no| *no),
            Err(no) => *no,
        };
        self.used += 1;
        limits(self, answer)
    }

    /// Who asks. `Err` where no token was given, or one that is not good.
    fn identify(&self, request: &mut Request) -> Result<(), Box<Answer>> {
        let text = request.credential.as_deref().unwrap_or_default();
        let Some(token) = self.tokens.iter().find(|t| t.text == text) else {
            return Err(failure(401, "401 Unauthorized"));
        };
        if token.revoked {
            let why = "Token was revoked. You have to re-authorize from the user.";
            return Err(invalid_token(why));
        }
        if token.expires.is_some_and(|day| day <= self.clock.now().date_naive()) {
            let why = "Token is expired. You can either do re-authorization or token refresh.";
            return Err(invalid_token(why));
        }
        let reached = self.projects.iter().filter(|p| token.projects.contains(&p.id));
        request.caller = Caller::Access {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            role: token.role,
            projects: reached.map(|p| p.path.clone()).collect(),
        };
        Ok(())
    }

    /// The user that the request's token belongs to.
    pub(crate) fn caller(&self, request: &Request) -> u64 {
        let text = request.credential.as_deref().unwrap_or_default();
        self.tokens.iter().find(|t| t.text == text).map_or(0, |t| t.user)
    }

    /// The route, if the caller may take it.
    fn admit<'r>(
        &mut self,
        request: &mut Request,
        route: Option<&'r Route>,
    ) -> Result<&'r Route, Box<Answer>> {
        let identified = self.identify(request);
        if request.query("private_token").or(request.query("access_token")).is_some() {
            self.problem(format!("fake gitlab: a token in the address of {}", request.path));
        }
        let Some(route) = route else {
            let what = format!("{} {}", request.method, request.path);
            let text = if is_wholesale(&request.path) {
                format!("fake gitlab: {what} would show more than one file")
            } else {
                format!("fake gitlab: unexpected {what}")
            };
            self.problem(text.clone());
            return Err(failure(501, &text));
        };
        identified?;
        match route.needs {
            Needs::AnyToken => {}
            Needs::Scope(scopes) => in_scope(request, scopes)?,
            Needs::Project(scopes, role) => {
                in_scope(request, scopes)?;
                self.permitted(request, role)?;
            }
        }
        Ok(route)
    }

    /// What a token does not reach does not exist; what it reaches it may still not touch.
    fn permitted(&self, request: &Request, role: u64) -> Result<(), Box<Answer>> {
        let at = self.at(request)?;
        let Caller::Access { role: has, projects, .. } = &request.caller else {
            return Err(forbidden());
        };
        if !projects.contains(&self.projects[at].path) {
            return Err(failure(404, "404 Project Not Found"));
        }
        if *has < role { Err(forbidden()) } else { Ok(()) }
    }
}

fn in_scope(request: &Request, wanted: &[&str]) -> Result<(), Box<Answer>> {
    let Caller::Access { scopes, .. } = &request.caller else { return Err(forbidden()) };
    if scopes.iter().any(|s| wanted.contains(&s.as_str())) {
        return Ok(());
    }
    let why = "The request requires higher privileges than provided by the access token.";
    let body = serde_json::json!({
        "error": "insufficient_scope", "error_description": why, "scope": wanted.join(" "),
    });
    Err(Box::new(Answer::json(403, &body)))
}

fn invalid_token(why: &str) -> Box<Answer> {
    let mut answer = error(401, "invalid_token");
    let body = serde_json::json!({ "error": "invalid_token", "error_description": why });
    answer.body = body.to_string().into();
    answer
}

fn limits(world: &World, answer: Answer) -> Answer {
    let answer = answer
        .header("x-request-id", format!("01SANDBOX{:017}", world.used))
        .header("x-gitlab-meta", r#"{"correlation_id":"sandbox","version":"1"}"#);
    let Some(limit) = world.rate_limit else { return answer };
    if answer.headers.iter().any(|(name, _)| name == "ratelimit-limit") {
        return answer;
    }
    let used = world.used.min(limit);
    answer
        .header("ratelimit-limit", limit.to_string())
        .header("ratelimit-observed", used.to_string())
        .header("ratelimit-remaining", (limit - used).to_string())
        .header("ratelimit-reset", (world.clock.now().timestamp() + 60).to_string())
        .header("ratelimit-name", "throttle_authenticated_api")
}
