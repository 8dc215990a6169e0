//! GitLab's ways to read a request, to answer with a list, and to turn one down.

use serde_json::{Map, Value, json};

use super::world::{ProjectState, World};
pub(crate) use crate::request::{Outcome, Request};
use crate::{
    answer::Answer,
    request::{Page, pairs},
};

/// The body as an object, sent as JSON or as a form; no body is an empty object. All values of a form
/// are texts.
pub(crate) fn body(request: &Request) -> Result<Value, Box<Answer>> {
    if let Some(form) = form(request) {
        return Ok(form);
    }
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(error(400, "Problems parsing JSON")),
    }
}

/// The body, if it is a form, of either kind.
pub(crate) fn form(request: &Request) -> Option<Value> {
    let kind = request.header("content-type");
    let text = String::from_utf8_lossy(&request.body);
    let fields = match kind.split(';').next()?.trim() {
        "application/x-www-form-urlencoded" => pairs(&text),
        "multipart/form-data" => parts(kind.split_once("boundary=")?.1.trim_matches('"'), &text),
        _ => return None,
    };
    let mut out = json!({});
    for (name, value) in fields {
        let mut parts = name.split('[').map(|part| part.trim_end_matches(']'));
        let first = parts.next().unwrap_or_default().to_owned();
        put(&mut out[first], &parts.collect::<Vec<_>>(), value);
    }
    Some(out)
}

/// The fields of a multipart form. Files are none: no route here takes any.
fn parts(boundary: &str, body: &str) -> Vec<(String, String)> {
    let field = |part: &str| {
        let (head, value) = part.trim_start_matches("\r\n").split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, more) = name.split_once('"')?;
        let value = value.strip_suffix("\r\n").unwrap_or(value);
        (!more.contains("filename=")).then(|| (name.to_owned(), value.to_owned()))
    };
    body.split(&format!("--{boundary}")).filter_map(field).collect()
}

fn put(place: &mut Value, rest: &[&str], value: String) {
    match rest {
        [] => *place = Value::String(value),
        ["", rest @ ..] => {
            if !place.is_array() {
                *place = json!([]);
            }
            if let Some(list) = place.as_array_mut() {
                list.push(Value::Null);
                if let Some(last) = list.last_mut() {
                    put(last, rest, value);
                }
            }
        }
        [name, rest @ ..] => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            put(&mut place[*name], rest, value);
        }
    }
}

/// A number, however it was sent.
pub(crate) fn int(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Yes or no, however it was sent.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) => Some(matches!(text.as_str(), "true" | "1" | "t")),
        Value::Number(number) => Some(number.as_u64() == Some(1)),
        _ => None,
    }
}

/// A text that is not empty.
pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
}

/// A text that there must be.
pub(crate) fn required(body: &Value, name: &str) -> Result<String, Box<Answer>> {
    text(&body[name]).ok_or_else(|| match body[name].is_string() {
        true => error(400, &format!("{name} is empty")),
        false => error(400, &format!("{name} is missing")),
    })
}

impl World {
    /// The project that the route names; the caller's right to it is already checked.
    pub(crate) fn at(&self, request: &Request) -> Result<usize, Box<Answer>> {
        self.project(request.param("id")).ok_or_else(|| failure(404, "404 Project Not Found"))
    }

    /// The same, to change it.
    pub(crate) fn project_mut(
        &mut self,
        request: &Request,
    ) -> Result<&mut ProjectState, Box<Answer>> {
        let at = self.at(request)?;
        Ok(&mut self.projects[at])
    }

    /// The project and the number of the merge request that the route names.
    pub(crate) fn change_at(&self, request: &Request) -> Result<(usize, u64), Box<Answer>> {
        let at = self.at(request)?;
        let iid = request.number("iid").ok_or_else(not_found)?;
        match self.projects[at].merge_requests.contains_key(&iid) {
            true => Ok((at, iid)),
            false => Err(not_found()),
        }
    }
}

/// The part of `items` that the request asks for, with the headers that say where it stands.
pub(crate) fn page(world: &World, request: &Request, items: Vec<Value>) -> Answer {
    let page: Page<Value> = request.cut(items, 20);
    let link = |to: usize, rel: &str| request.link(&world.links.api, to, rel);
    let (next, previous) = (page.at < page.last, page.at > 1);
    let mut links = Vec::new();
    if previous {
        links.push(link(page.at - 1, "prev"));
    }
    if next {
        links.push(link(page.at + 1, "next"));
    }
    links.push(link(1, "first"));
    if world.totals {
        links.push(link(page.last, "last"));
    }
    let number = |is: bool, n: usize| if is { n.to_string() } else { String::new() };
    let mut answer = Answer::json(200, &Value::Array(page.shown))
        .header("link", links.join(", "))
        .header("x-page", page.at.to_string())
        .header("x-per-page", page.size.to_string())
        .header("x-next-page", number(next, page.at + 1))
        .header("x-prev-page", number(previous, page.at.saturating_sub(1)));
    if world.totals {
        answer = answer
            .header("x-total", page.total.to_string())
            .header("x-total-pages", page.last.to_string());
    }
    answer
}

/// An error in GitLab's own words.
pub(crate) fn failure(status: u16, message: &str) -> Box<Answer> {
    Box::new(Answer::json(status, &json!({ "message": message })))
}

/// An error as the layer below words it.
pub(crate) fn error(status: u16, text: &str) -> Box<Answer> {
    Box::new(Answer::json(status, &json!({ "error": text })))
}

pub(crate) fn not_found() -> Box<Answer> {
    failure(404, "404 Not found")
}

pub(crate) fn forbidden() -> Box<Answer> {
    failure(403, "403 Forbidden")
}
