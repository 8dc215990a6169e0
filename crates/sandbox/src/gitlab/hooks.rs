//! A project's webhooks: who is told of what, and when GitLab gives up.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    delivery::Parcel,
    json::moment,
    payloads::{header, payload},
    request::{Outcome, Request, body, failure, flag, not_found, page, text},
    world::World,
};
use crate::{answer::Answer, delivery::Signature, tree::time};

/// What a hook can be told of.
pub(crate) const EVENTS: &[&str] = &[
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "repository_update_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "feature_flag_events",
    "job_events",
    "releases_events",
    "milestone_events",
    "emoji_events",
    "resource_access_token_events",
    "resource_deploy_token_events",
    "vulnerability_events",
];

/// So many failures in a row are passed over.
const PASSED_OVER: u32 = 3;
/// So many in a row are the end.
const FOR_GOOD: u32 = 40;
const LONGEST: TimeDelta = TimeDelta::days(1);

pub(crate) struct HookState {
    pub(crate) id: u64,
    pub(crate) uuid: String,
    pub(crate) url: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// Sent as it is, in `X-Gitlab-Token`.
    pub(crate) token: Option<String>,
    /// `whsec_…`, with which deliveries are signed.
    pub(crate) signing_token: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) verify_tls: bool,
    /// Failures in a row.
    pub(crate) failures: u32,
    pub(crate) disabled_until: Option<DateTime<Utc>>,
    pub(crate) created: String,
}

impl HookState {
    /// A hook that is told of pushes alone, as GitLab makes it.
    pub(crate) fn new(world: &mut World, url: &str) -> Self {
        Self {
            id: world.id(),
            uuid: uuid::Uuid::new_v4().to_string(),
            url: url.to_owned(),
            name: None,
            description: None,
            token: None,
            signing_token: None,
            events: vec!["push_events".to_owned()],
            verify_tls: true,
            failures: 0,
            disabled_until: None,
            created: world.now(),
        }
    }

    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|e| e == event)
    }

    /// Why nothing is sent now, if nothing is.
    pub(crate) fn is_off(&self, now: DateTime<Utc>) -> Option<String> {
        if self.failures >= FOR_GOOD {
            return Some("the hook is disabled".to_owned());
        }
        let until = self.disabled_until.filter(|until| *until > now)?;
        Some(format!("the hook is disabled until {}", time(until)))
    }

    /// Counts an answer, or that there was none.
    pub(crate) fn note(&mut self, arrived: bool, now: DateTime<Utc>) {
        if arrived {
            (self.failures, self.disabled_until) = (0, None);
            return;
        }
        self.failures += 1;
        if self.failures > PASSED_OVER {
            let doublings = (self.failures - PASSED_OVER - 1).min(11);
            self.disabled_until =
                Some(now + (TimeDelta::minutes(1) * (1 << doublings)).min(LONGEST));
        }
    }

    pub(crate) fn alert_status(&self, now: DateTime<Utc>) -> &'static str {
        match self.is_off(now) {
            None => "executable",
            Some(_) if self.failures >= FOR_GOOD => "disabled",
            Some(_) => "temporarily_disabled",
        }
    }

    fn edit(&mut self, sent: &Value) -> Result<(), Box<Answer>> {
        if let Some(url) = text(&sent["url"]) {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(super::request::error(422, "Invalid url given"));
            }
            self.url = url;
        }
        for event in EVENTS {
            match flag(&sent[event]) {
                Some(true) if !self.wants(event) => self.events.push((*event).to_owned()),
                Some(false) => self.events.retain(|e| e != event),
                _ => {}
            }
        }
        if sent.get("signing_token").is_some_and(Value::is_null) {
            self.signing_token = None;
        }
        if let Some(signing) = text(&sent["signing_token"]) {
            let key = signing.strip_prefix("whsec_").map(|k| BASE64_STANDARD.decode(k));
            if !matches!(key, Some(Ok(key)) if key.len() == 32) {
                let why = json!({ "message": { "signing_token": ["is invalid"] } });
                return Err(Box::new(Answer::json(422, &why)));
            }
            self.signing_token = Some(signing);
        }
        // An empty text takes it away.
        if let Some(token) = sent["token"].as_str() {
            self.token = Some(token.to_owned()).filter(|t| !t.is_empty());
        }
        self.name = text(&sent["name"]).or(self.name.take());
        self.description = text(&sent["description"]).or(self.description.take());
        self.verify_tls = flag(&sent["enable_ssl_verification"]).unwrap_or(self.verify_tls);
        Ok(())
    }

    /// As it may be shown: never with its secrets.
    fn json(&self, project: u64, now: DateTime<Utc>) -> Value {
        let mut out = json!({
            "id": self.id,
            "url": self.url,
            "name": self.name,
            "description": self.description,
            "created_at": moment(&self.created),
            "enable_ssl_verification": self.verify_tls,
            "organization_id": 1,
            "alert_status": self.alert_status(now),
            "disabled_until": self.disabled_until.map(|at| moment(&time(at))),
            "url_variables": [],
            "push_events_branch_filter": null,
            "branch_filter_strategy": "wildcard",
            "custom_webhook_template": null,
            "custom_headers": [],
            "token_present": self.token.is_some(),
            "signing_token_present": self.signing_token.is_some(),
            "project_id": project,
            "vulnerability_events": false,
            "resource_deploy_token_events": false,
        });
        for event in EVENTS {
            out[*event] = json!(self.wants(event));
        }
        out
    }
}

/// Where the hook is that the route names.
fn at_hook(world: &World, request: &Request) -> Result<(usize, usize), Box<Answer>> {
    let at = world.at(request)?;
    let id = request.number("hook");
    let found = world.projects[at].hooks.iter().position(|h| Some(h.id) == id);
    Ok((at, found.ok_or_else(not_found)?))
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let (project, now) = (&world.projects[world.at(request)?], world.clock.now());
    let all = project.hooks.iter().map(|h| h.json(project.id, now)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let (at, index) = at_hook(world, request)?;
    let project = &world.projects[at];
    Ok(Answer::json(200, &project.hooks[index].json(project.id, world.clock.now())))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let sent = body(request)?;
    let url = super::request::required(&sent, "url")?;
    let mut hook = HookState::new(world, &url);
    hook.edit(&sent)?;
    let answer = hook.json(world.projects[at].id, world.clock.now());
    world.projects[at].hooks.push(hook);
    Ok(Answer::json(201, &answer))
}

pub(crate) fn edit(world: &mut World, request: &Request) -> Outcome {
    let (at, index) = at_hook(world, request)?;
    world.projects[at].hooks[index].edit(&body(request)?)?;
    one(world, request)
}

pub(crate) fn remove(world: &mut World, request: &Request) -> Outcome {
    let (at, index) = at_hook(world, request)?;
    world.projects[at].hooks.remove(index);
    Ok(Answer::empty(204))
}

/// Its deliveries, the newest first.
pub(crate) fn events(world: &mut World, request: &Request) -> Outcome {
    let (at, index) = at_hook(world, request)?;
    let hook = &world.projects[at].hooks[index];
    let own = world.deliveries.iter().rev().filter(|(id, _)| *id == hook.id);
    let all = own.map(|(_, d)| {
        json!({
            "id": d.id,
            "url": hook.url,
            "trigger": d.event,
            "request_headers": { "Idempotency-Key": d.delivery, "X-Gitlab-Event": d.event },
            "request_data": serde_json::from_slice::<Value>(&d.payload).unwrap_or_default(),
            "response_headers": {},
            "response_body": d.body,
            "execution_duration": 0.1,
            "response_status": d.status.to_string(),
        })
    });
    let all = all.collect();
    Ok(page(world, request, all))
}

/// Sends a sample of what the project has; it is sent before this is answered.
pub(crate) fn test(world: &mut World, request: &Request) -> Outcome {
    let (at, index) = at_hook(world, request)?;
    let (event, missing) = match request.param("trigger") {
        "merge_requests_events" => ("merge_request.open", "Ensure the project has merge requests."),
        "note_events" => ("note.create", "Ensure the project has notes."),
        "pipeline_events" => ("pipeline.success", "Ensure the project has CI pipelines."),
        "job_events" => ("build.success", "Ensure the project has CI jobs."),
        "push_events" => ("push", "Ensure the project has at least one commit."),
        _ => return Err(super::request::error(400, "trigger does not have a valid value")),
    };
    let project = &world.projects[at];
    let mut numbers = project.merge_requests.keys().rev();
    let found = numbers.find_map(|iid| payload(world, project, *iid, event));
    let found = found.ok_or_else(|| failure(422, missing))?;
    let parcel = Parcel {
        hook: project.hooks[index].id,
        event: header(&found).to_owned(),
        payload: found.to_string().into(),
        signature: Signature::Right,
        key: None,
    };
    world.outbox.push(parcel);
    Ok(Answer::json(201, &json!({ "message": "201 Created" })))
}
