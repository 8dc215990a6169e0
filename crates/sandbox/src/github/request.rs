//! One request to the API, and GitHub's ways to turn it down.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    calls::Caller,
    world::{RepoState, World},
};
use crate::answer::Answer;

/// A handler's result: either way it is an answer.
pub(crate) type Outcome = Result<Answer, Box<Answer>>;

pub(crate) struct Request {
    pub(crate) method: String,
    /// Without base path and query.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) caller: Caller,
    /// The token as it came.
    pub(crate) credential: Option<String>,
}

impl Request {
    pub(crate) fn new(
        method: &str,
        path: &str,
        query: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let query = query.split('&').filter(|p| !p.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode =
                |t: &str| percent_decode_str(&t.replace('+', " ")).decode_utf8_lossy().into_owned();
            (decode(name), decode(value))
        });
        let credential = headers.get("authorization").and_then(|v| v.to_str().ok());
        let credential = credential.and_then(|v| v.split_once(' ')).map(|(_, c)| c.to_owned());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.collect(),
            headers,
            body,
            params: BTreeMap::new(),
            caller: Caller::Nobody,
            credential,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, Box<Answer>> {
        self.param(name).parse().map_err(|_| not_found())
    }

    pub(crate) fn repo_name(&self) -> String {
        format!("{}/{}", self.param("owner"), self.param("repo"))
    }

    /// The body as an object; an empty body is an empty object.
    pub(crate) fn json(&self) -> Result<Value, Box<Answer>> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) if value.is_object() => Ok(value),
            Ok(_) => Err(failure(400, "Body should be a JSON object")),
            Err(_) => Err(failure(400, "Problems parsing JSON")),
        }
    }
}

impl World {
    /// The repository that the route names; the caller's right to it is already checked.
    pub(crate) fn at(&mut self, request: &Request) -> Result<&mut RepoState, Box<Answer>> {
        let at = self.repo(&request.repo_name()).ok_or_else(not_found)?;
        Ok(&mut self.repos[at])
    }

    /// The same, with the change that the route names.
    pub(crate) fn change_at(&mut self, request: &Request) -> Result<(usize, u64), Box<Answer>> {
        let number = request.number("number")?;
        let at = self.repo(&request.repo_name()).ok_or_else(not_found)?;
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
    let number = |name: &str, default: usize| {
        request.query(name).and_then(|v| v.parse().ok()).filter(|n| *n > 0).unwrap_or(default)
    };
    let (at, size) = (number("page", 1), number("per_page", 30).min(100));
    let last = items.len().div_ceil(size).max(1);
    let shown: Vec<Value> = items.into_iter().skip((at - 1) * size).take(size).collect();
    let link = |to: usize, rel: &str| {
        let others = request.query.iter().filter(|(name, _)| name != "page");
        let mut query: Vec<String> = others.map(|(n, v)| format!("{n}={v}")).collect();
        query.push(format!("page={to}"));
        format!("<{}{}?{}>; rel=\"{rel}\"", world.links.api, request.path, query.join("&"))
    };
    let mut links = Vec::new();
    if at > 1 {
        links.push(link((at - 1).min(last), "prev"));
    }
    if at < last {
        links.push(link(at + 1, "next"));
        links.push(link(last, "last"));
    }
    if at > 1 {
        links.push(link(1, "first"));
    }
    let answer = Answer::json(200, &wrap(shown));
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
