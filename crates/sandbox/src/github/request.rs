//! One request to the API, and GitHub's ways to turn it down.

use serde_json::{Value, json};

use super::world::{RepoState, World};
use crate::answer::Answer;
pub(crate) use crate::request::{Outcome, Request};

/// The body as an object; an empty body is an empty object.
pub(crate) fn json_body(request: &Request) -> Result<Value, Box<Answer>> {
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(failure(400, "Body should be a JSON object")),
        Err(_) => Err(failure(400, "Problems parsing JSON")),
    }
}

/// `owner/name`, as the route has it.
pub(crate) fn repo_name(request: &Request) -> String {
    format!("{}/{}", request.param("owner"), request.param("repo"))
}

impl World {
    /// The repository that the route names; the caller's right to it is already checked.
    pub(crate) fn at(&mut self, request: &Request) -> Result<&mut RepoState, Box<Answer>> {
        let at = self.repo(&repo_name(request)).ok_or_else(not_found)?;
        Ok(&mut self.repos[at])
    }

    /// The same, with the change that the route names.
    pub(crate) fn change_at(&mut self, request: &Request) -> Result<(usize, u64), Box<Answer>> {
        let number = request.number("number").ok_or_else(not_found)?;
        let at = self.repo(&repo_name(request)).ok_or_else(not_found)?;
        if !self.repos[at].changes.contains_key(&number) {
            return Err(not_found());
        }
        Ok((at, number))
    }
}

/// The part of `items` that the request asks for, with its `Link` header.
pub(crate) fn page(world: &World, request: &Request, items: Vec<Value>) -> Answer {
    paged(world, request, items, Value::Array)
}

pub(crate) fn paged(
    world: &World,
    request: &Request,
    items: Vec<Value>,
    wrap: impl FnOnce(Vec<Value>) -> Value,
) -> Answer {
    let page = request.cut(items, 30);
    let link = |to: usize, rel: &str| request.link(&world.links.api, to, rel);
    let mut links = Vec::new();
    if page.at > 1 {
        links.push(link((page.at - 1).min(page.last), "prev"));
    }
    if page.at < page.last {
        links.push(link(page.at + 1, "next"));
        links.push(link(page.last, "last"));
    }
    if page.at > 1 {
        links.push(link(1, "first"));
    }
    let answer = Answer::json(200, &wrap(page.shown));
    if links.is_empty() { answer } else { answer.header("link", links.join(", ")) }
}

/// An error with GitHub's usual body.
pub(crate) fn failure(status: u16, message: &str) -> Box<Answer> {
    Box::new(Answer::json(
        status,
        &json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        }),
    ))
}

pub(crate) fn not_found() -> Box<Answer> {
    failure(404, "Not Found")
}

/// `Validation Failed` with errors as objects.
pub(crate) fn invalid(errors: Value) -> Box<Answer> {
    Box::new(Answer::json(
        422,
        &json!({
            "message": "Validation Failed",
            "errors": errors,
            "documentation_url": "https://docs.github.com/rest",
            "status": "422",
        }),
    ))
}

pub(crate) fn forbidden(needs: &str) -> Box<Answer> {
    let answer = failure(403, "Resource not accessible by integration");
    Box::new(answer.header("x-accepted-github-permissions", needs))
}
