//! From an HTTP request to a handler and back: who asks, may they, what goes wrong on purpose.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};

use super::{
    Inner,
    handles::redeliver,
    key::verify,
    pages,
    request::{Request, failure, forbidden, not_found, repo_name},
    routes::{Needs, ROUTES, Route, allowed, is_wholesale, words},
    world::World,
};
use crate::{
    answer::{Answer, Ending},
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
            && let Some(html) = pages::find(&self.world(), path, self.banner.as_deref())
        {
            return Answer::html(html);
        }
        if path == "/favicon.ico" {
            return Answer::empty(204);
        }
        let (body, headers) = (exchange.body.clone(), exchange.headers.clone());
        let method = exchange.method.as_str();
        let (inside, path) = self.api_path(path);
        let mut request = Request::new(method, &path, query, headers, body);
        let route = if inside { find(ROUTES, method, &path) } else { None };
        let pattern = route.as_ref().map_or("", |(r, _)| r.pattern);
        let trouble = self.wire.plans.take(method, pattern, &path);
        let route = route.map(|(route, params)| {
            request.params = params;
            route
        });
        let answer = troubled(trouble, "Unicorn!", |planned| {
            let mut world = self.world();
            match planned {
                Some(answer) => world.refuse(&mut request, answer),
                None => world.serve(&mut request, route),
            }
        });
        let answer = answer.await;
        self.after(&exchange, &request, route, &answer);
        answer
    }
}

impl Inner {
    /// The path below the API, and whether it is there at all.
    fn api_path(&self, path: &str) -> (bool, String) {
        if !self.base_path.is_empty() && path == "/api/graphql" {
            return (true, "/graphql".to_owned());
        }
        match path.strip_prefix(self.base_path.as_str()) {
            Some(rest) => (self.base_path.is_empty() || rest != "/graphql", rest.to_owned()),
            None => (false, path.to_owned()),
        }
    }

    /// Writes down what happened, and sends what was to be sent afterwards.
    fn after(
        self: &Arc<Self>,
        exchange: &Exchange,
        request: &Request,
        route: Option<&Route>,
        answer: &Answer,
    ) {
        let pattern = route.map(|r| r.pattern);
        let (call, found) = self.wire.exchanged(exchange, request, pattern, answer, None);
        let mut world = self.world();
        world.calls.push(call);
        for finding in found.request.into_iter().chain(found.answer) {
            world.problem(format!("schema: {} {}: {finding}", request.method, request.path));
        }
        drop(world);
        let sent = !matches!(answer.ending, Ending::Dropped | Ending::Never);
        if sent && answer.status == 202 && request.path.ends_with("/attempts") {
            let (inner, id) = (Arc::clone(self), request.number("delivery").unwrap_or_default());
            tokio::spawn(async move { redeliver(&inner, |d| d.id == id).await });
        }
    }
}

impl World {
    /// Sends an answer that a test has planned.
    fn refuse(&mut self, request: &mut Request, answer: Answer) -> Answer {
        self.identify(request).ok();
        let limited = answer.headers.iter().any(|(name, _)| name.starts_with("x-ratelimit"));
        if limited { answer } else { limits(self, answer) }
    }

    fn serve(&mut self, request: &mut Request, route: Option<&Route>) -> Answer {
        let answer = match self.admit(request, route) {
            Ok(route) => (route.run)(self, request).unwrap_or_else(|no| *no),
            Err(no) => *no,
        };
        let answer = cached(request, answer);
        self.used += u64::from(answer.status != 304);
        limits(self, answer)
    }

    /// Who asks. `Err` where a credential was given that is not good.
    fn identify(&self, request: &mut Request) -> Result<(), Box<Answer>> {
        let Some(credential) = request.credential.clone() else {
            return Err(failure(401, "Requires authentication"));
        };
        if !credential.starts_with("ghs_") && credential.matches('.').count() == 2 {
            let (id, client) = (self.app.id.to_string(), self.app.client_id.clone());
            let now = self.jwt_clock.now();
            verify(&credential, &self.app.public_key, &[&id, &client], now)
                .map_err(|why| failure(401, why))?;
            request.caller = Caller::App;
            return Ok(());
        }
        let token = self.tokens.get(&credential).filter(|t| t.expires > self.clock.now());
        let token = token.ok_or_else(|| failure(401, "Bad credentials"))?;
        let seen = self.repos.iter().filter(|r| r.installed && token.repos.contains(&r.id));
        request.caller = Caller::Token {
            permissions: token.permissions.clone(),
            repositories: seen.map(super::world::RepoState::full_name).collect(),
        };
        Ok(())
    }

    /// The route, if the caller may take it.
    fn admit<'r>(
        &mut self,
        request: &mut Request,
        route: Option<&'r Route>,
    ) -> Result<&'r Route, Box<Answer>> {
        let identified = self.identify(request);
        let Some(route) = route else {
            let what = format!("{} {}", request.method, request.path);
            let text = if is_wholesale(&request.path) {
                format!("fake github: {what} would show more than one file")
            } else {
                format!("fake github: unexpected {what}")
            };
            self.problem(text.clone());
            return Err(failure(501, &text));
        };
        identified?;
        let app = matches!(request.caller, Caller::App);
        match (route.needs, app) {
            (Needs::App | Needs::Either, true) | (Needs::AnyToken | Needs::Either, false) => {}
            (Needs::App, false) => {
                return Err(failure(401, "A JSON web token could not be decoded"));
            }
            (Needs::AnyToken, true) => return Err(forbidden("")),
            (Needs::Token(sets), true) => return Err(forbidden(&words(sets))),
            (Needs::Token(sets), false) => self.permitted(request, sets)?,
        }
        Ok(route)
    }

    /// What a token cannot see does not exist; what it sees it may still not touch.
    fn permitted(
        &self,
        request: &Request,
        sets: &'static [&'static [(&'static str, &'static str)]],
    ) -> Result<(), Box<Answer>> {
        let Caller::Token { permissions, repositories } = &request.caller else {
            return Err(not_found());
        };
        if self.app.suspended {
            return Err(failure(403, "This installation has been suspended"));
        }
        let name = repo_name(request);
        if !repositories.iter().any(|r| r.eq_ignore_ascii_case(&name)) {
            return Err(not_found());
        }
        if !allowed(sets, permissions) {
            return Err(forbidden(&words(sets)));
        }
        Ok(())
    }
}

/// The answer with its tag, or 304 if the asker has it already.
fn cached(request: &Request, answer: Answer) -> Answer {
    if request.method != "GET" || answer.status != 200 {
        return answer;
    }
    let tag = format!("W/\"{}\"", hex::encode(digest(&SHA256, &answer.body)));
    let have = request.header("if-none-match");
    let same = have.split(',').any(|t| t.trim().trim_start_matches("W/") == &tag[2..]);
    if same {
        return Answer::empty(304).header("etag", tag);
    }
    answer.header("etag", tag).header("cache-control", "private, max-age=60, s-maxage=60")
}

fn limits(world: &World, answer: Answer) -> Answer {
    let used = world.used.min(5000);
    answer
        .header("x-ratelimit-limit", "5000")
        .header("x-ratelimit-remaining", (5000 - used).to_string())
        .header("x-ratelimit-used", used.to_string())
        .header("x-ratelimit-reset", (world.clock.now().timestamp() + 3600).to_string())
        .header("x-ratelimit-resource", "core")
        .header("x-github-request-id", format!("{:04X}:{:06X}", world.app.id, world.used))
        .header("x-github-media-type", "github.v3; format=json")
}
