//! Every request and answer, held against a forge's published schemas.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{SandboxError, answer::Answer, request::Request, wire::Findings};

/// How browsers send forms.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

/// The published schemas, compiled when they are first needed.
pub(crate) struct Schemas {
    folder: PathBuf,
    rest: Value,
    prefix: &'static str,
    hooks: Option<Arc<Value>>,
    /// By method and shape of the route.
    operations: HashMap<String, Arc<Value>>,
    compiled: HashMap<String, Arc<Validator>>,
}

/// An exchange.
pub(crate) struct Seen<'a> {
    pub(crate) request: &'a Request,
    /// The pattern of our own route.
    pub(crate) route: &'a str,
    /// The body, where the forge takes forms and it is one; all its values are texts.
    pub(crate) form: Option<&'a Value>,
    pub(crate) answer: &'a Answer,
}

fn read(folder: &Path, name: &str) -> Result<Value, SandboxError> {
    let path = folder.join(name);
    let wrong = |why: String| SandboxError::Schemas(format!("{}: {why}", path.display()));
    let bytes = fs::read(&path).map_err(|e| wrong(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))
}

/// The same for two patterns that differ in the names of their parameters only.
fn shape(method: &str, pattern: &str) -> String {
    let segment = |s: &str| if s.starts_with('{') { "{}".to_owned() } else { s.to_owned() };
    format!("{method} {}", pattern.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

impl Schemas {
    /// Reads `github/schemas` or `gitlab/schemas` below `folder`; the document's paths begin with
    /// `prefix`.
    pub(crate) fn read(
        folder: &Path,
        forge: &str,
        prefix: &'static str,
    ) -> Result<Self, SandboxError> {
        let folder = folder.join(forge).join("schemas");
        let mut rest = read(&folder, &format!("{forge}-rest.schemas.json"))?;
        let operations = match rest["operations"].take() {
            Value::Array(operations) => operations,
            _ => return Err(SandboxError::Schemas("no operations".to_owned())),
        };
        let key = |o: &Value| {
            let path = o["path"].as_str().unwrap_or_default();
            shape(o["method"].as_str().unwrap_or_default(), path.trim_start_matches(prefix))
        };
        let operations = operations.into_iter().map(|o| (key(&o), Arc::new(o))).collect();
        Ok(Self { folder, rest, prefix, hooks: None, operations, compiled: HashMap::new() })
    }

    fn findings(
        &mut self,
        key: String,
        bundle: Option<&Value>,
        schema: &Value,
        uses: &Value,
        value: &Value,
    ) -> Vec<String> {
        if !self.compiled.contains_key(&key) {
            let bundle = bundle.unwrap_or(&self.rest);
            let names = uses.as_array().into_iter().flatten().filter_map(Value::as_str);
            let defs: serde_json::Map<_, _> =
                names.map(|n| (n.to_owned(), bundle["$defs"][n].clone())).collect();
            let whole = json!({ "$defs": defs, "allOf": [schema] });
            match jsonschema::draft202012::new(&whole) {
                Ok(validator) => self.compiled.insert(key.clone(), Arc::new(validator)),
                Err(error) => return vec![format!("the schema itself: {error}")],
            };
        }
        let Some(validator) = self.compiled.get(&key) else { return Vec::new() };
        let text = |e: jsonschema::ValidationError<'_>| {
            let message: String = e.to_string().chars().take(200).collect();
            format!("{}: {message}", e.instance_path())
        };
        let departures = validator.iter_errors(value).map(text).filter(|e| !is_known_departure(e));
        departures.take(8).collect()
    }

    /// What is wrong with an exchange.
    pub(crate) fn exchange(&mut self, seen: &Seen<'_>) -> Findings {
        let key = shape(&seen.request.method, seen.route);
        let Some(operation) = self.operations.get(&key).cloned() else {
            let request = vec!["route: not in the published document".to_owned()];
            return Findings { request, answer: Vec::new() };
        };
        let mut request = self.places(&operation, &key, seen);
        request.extend(self.query(&operation, &key, seen));
        request.extend(self.request(&operation, &key, seen));
        Findings { request, answer: self.answer(&operation, &key, seen) }
    }

    fn places(&mut self, operation: &Value, key: &str, seen: &Seen<'_>) -> Vec<String> {
        let theirs = operation["path"].as_str().unwrap_or_default();
        let theirs = theirs.trim_start_matches(self.prefix).split('/');
        let name = |segment: &str| segment.trim_matches(['{', '}']).to_owned();
        let pairs = seen.route.split('/').zip(theirs).filter(|(ours, _)| ours.starts_with('{'));
        let mut out = Vec::new();
        for (ours, theirs) in pairs.map(|(ours, theirs)| (name(ours), name(theirs))) {
            let schema = &operation["path_params"][&theirs];
            let Some(value) = seen.request.params.get(&ours).filter(|_| schema.is_object()) else {
                continue;
            };
            let value = coerce(value, schema);
            let found =
                self.findings(format!("{key}#p{theirs}"), None, schema, &operation["uses"], &value);
            out.extend(found.into_iter().map(|e| format!("route: {theirs}{e}")));
        }
        out
    }

    fn query(&mut self, operation: &Value, key: &str, seen: &Seen<'_>) -> Vec<String> {
        let mut out = Vec::new();
        for (name, value) in &seen.request.query {
            let bare = name.trim_end_matches("[]");
            let known = [name.clone(), format!("{bare}[]"), bare.to_owned()];
            let Some(parameter) = known.iter().find_map(|n| operation["query"].get(n)) else {
                out.push(format!("query: {name} is not a parameter of {key}"));
                continue;
            };
            let schema = &parameter["schema"];
            if schema["type"] == "array" || schema["type"] == json!(["array", "null"]) {
                continue;
            }
            let value = coerce(value, schema);
            let found =
                self.findings(format!("{key}#q{name}"), None, schema, &operation["uses"], &value);
            out.extend(found.into_iter().map(|e| format!("query: {name}{e}")));
        }
        out
    }

    fn request(&mut self, operation: &Value, key: &str, seen: &Seen<'_>) -> Vec<String> {
        let bodies = operation["request"].as_object().cloned().unwrap_or_default();
        if seen.request.body.is_empty() {
            // GitLab's document asks for a body in one HEAD request; none can have one.
            return match operation["request_required"] == true && seen.request.method != "HEAD" {
                true => vec!["request: a body is required".to_owned()],
                false => Vec::new(),
            };
        }
        if bodies.is_empty() {
            return vec!["request: this operation takes no body".to_owned()];
        }
        let kind = seen.request.header("content-type");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let mut out = Vec::new();
        let form = seen.form.filter(|_| FORMS.contains(&kind));
        if !bodies.contains_key(kind) && form.is_none() {
            out.push(format!("request: content type {kind:?}"));
        }
        let body =
            form.cloned().or_else(|| serde_json::from_slice::<Value>(&seen.request.body).ok());
        let Some(mut body) = body else { return out };
        for (_, schema) in bodies.iter().filter(|_| form.is_some()) {
            self.typed(schema, &mut body);
        }
        for (_, schema) in bodies.iter().filter(|(media, _)| media.contains("json")) {
            let found = self.findings(format!("{key}#r"), None, schema, &operation["uses"], &body);
            if found.is_empty() {
                self.extras(schema, &body, String::new(), &mut out);
            }
            out.extend(found.into_iter().map(|e| format!("request: {e}")));
        }
        out
    }

    /// Properties that the document does not name: GitHub passes over them, so a misspelt one would
    /// never be seen.
    fn extras(&self, schema: &Value, value: &Value, at: String, out: &mut Vec<String>) {
        let mut known = serde_json::Map::new();
        let mut items = None;
        self.known(schema, &mut known, &mut items);
        match value {
            Value::Object(object) if !known.is_empty() => {
                for (name, inner) in object {
                    match known.get(name) {
                        Some(schema) => self.extras(schema, inner, format!("{at}/{name}"), out),
                        None => out.push(format!("request, not in the document: {at}/{name}")),
                    }
                }
            }
            Value::Array(list) => {
                for (n, inner) in list.iter().enumerate() {
                    if let Some(items) = &items {
                        self.extras(items, inner, format!("{at}/{n}"), out);
                    }
                }
            }
            _ => {}
        }
    }

    /// The properties and items that a schema names, in any of its branches.
    fn known(
        &self,
        schema: &Value,
        properties: &mut serde_json::Map<String, Value>,
        items: &mut Option<Value>,
    ) {
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            self.known(&self.rest["$defs"][name], properties, items);
        }
        for branch in ["anyOf", "oneOf", "allOf"] {
            for inner in schema[branch].as_array().into_iter().flatten() {
                self.known(inner, properties, items);
            }
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            properties.entry(name.clone()).or_insert_with(|| inner.clone());
        }
        if let Some(inner) = schema.get("items") {
            *items = Some(inner.clone());
        }
    }

    /// Gives the texts of a form the types that the schema names.
    fn typed(&self, schema: &Value, value: &mut Value) {
        let mut known = serde_json::Map::new();
        let mut items = None;
        self.known(schema, &mut known, &mut items);
        match value {
            Value::Object(object) => {
                for (name, inner) in object {
                    if let Some(schema) = known.get(name) {
                        self.typed(schema, inner);
                    }
                }
            }
            Value::Array(list) => {
                for inner in list {
                    if let Some(items) = &items {
                        self.typed(items, inner);
                    }
                }
            }
            Value::String(text) => *value = coerce(text, schema),
            _ => {}
        }
    }

    fn answer(&mut self, operation: &Value, key: &str, seen: &Seen<'_>) -> Vec<String> {
        let kind = seen.answer.content_type().split(';').next().unwrap_or_default().trim();
        let value = serde_json::from_slice::<Value>(&seen.answer.body).ok();
        if seen.answer.status >= 500 && !kind.contains("json") {
            // A gateway's page, as GitHub shows when it is down.
            return Vec::new();
        }
        if seen.answer.status >= 400 {
            let named = value.is_some_and(|v| v.get("message").or(v.get("error")).is_some());
            return match named || seen.answer.body.is_empty() {
                true => Vec::new(),
                false => vec!["answer: an error without message".to_owned()],
            };
        }
        let Some(content) = operation["responses"].get(seen.answer.status.to_string()) else {
            return vec![format!("answer: status {} is not documented", seen.answer.status)];
        };
        if seen.answer.status == 304 || seen.answer.body.is_empty() {
            return Vec::new();
        }
        match content.get(kind) {
            Some(schema) if kind.contains("json") && !kind.ends_with("raw+json") => {
                let Some(value) = value else { return vec!["answer: not JSON".to_owned()] };
                let key = format!("{key}#{}{kind}", seen.answer.status);
                let found = self.findings(key, None, schema, &operation["uses"], &value);
                found.into_iter().map(|e| format!("answer: {e}")).collect()
            }
            Some(_) => Vec::new(),
            None if content.as_object().is_none_or(serde_json::Map::is_empty) => Vec::new(),
            None => vec![format!("answer: content type {kind:?} is not documented")],
        }
    }

    /// What is wrong with the body of a delivery.
    pub(crate) fn hook(&mut self, event: &str, body: &Value) -> Vec<String> {
        let bundle = match &self.hooks {
            Some(bundle) => Arc::clone(bundle),
            None => match read(&self.folder, "github-webhooks.schemas.json") {
                Ok(bundle) => Arc::clone(self.hooks.insert(Arc::new(bundle))),
                Err(error) => return vec![error.to_string()],
            },
        };
        let action = body["action"].as_str().unwrap_or_default();
        let entry = &bundle["webhooks"][event][action];
        if !entry.is_object() {
            return vec![format!("{event}.{action} is not in the published document")];
        }
        let key = format!("hook {event}.{action}");
        self.findings(key, Some(&bundle), &entry["schema"], &entry["uses"], body)
    }
}

/// A query's or path's text as what its schema wants.
fn coerce(text: &str, schema: &Value) -> Value {
    let is = |kind: &str| match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|t| t == kind),
        _ => false,
    };
    if (is("integer") || is("number"))
        && let Ok(number) = text.parse::<i64>()
    {
        return json!(number);
    }
    match text {
        "true" | "false" if is("boolean") => json!(text == "true"),
        _ => json!(text),
    }
}

/// Where GitHub departs from its own schema: the head's repository is null once a fork is deleted.
fn is_known_departure(error: &str) -> bool {
    error.ends_with("/head/repo: null is not of type \"object\"")
}
