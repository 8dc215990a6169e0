//! Access tokens: what they may be used for, where, and until when.

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    json::moment,
    request::{Outcome, Request, body, failure, int, not_found, page, required},
    world::{Token, World},
};
use crate::answer::Answer;

/// The longest life that GitLab gives a token.
const LONGEST: TimeDelta = TimeDelta::days(365);

impl World {
    /// Makes a token, and the user that it acts as.
    pub(crate) fn token(
        &mut self,
        project: usize,
        name: &str,
        scopes: &[String],
        role: u64,
    ) -> u64 {
        let project = self.projects[project].id;
        let bot = format!("project_{project}_bot_{}", &Uuid::new_v4().simple().to_string()[..10]);
        let (id, user, created) = (self.id(), self.user(&bot), self.now());
        self.tokens.push(Token {
            id,
            text: fresh(),
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            role,
            user,
            projects: vec![project],
            expires: None,
            revoked: false,
            created,
        });
        id
    }

    pub(crate) fn token_mut(&mut self, id: u64) -> Option<&mut Token> {
        self.tokens.iter_mut().find(|t| t.id == id)
    }

    /// The token that the route names, if it is one of the project's.
    fn token_at(&self, request: &Request) -> Result<&Token, Box<Answer>> {
        let project = self.projects[self.at(request)?].id;
        let id = request.number("token");
        let found = self.tokens.iter().find(|t| Some(t.id) == id && t.projects.contains(&project));
        found.ok_or_else(not_found)
    }

    /// A new token in the place of this one, which is good no longer.
    fn renewed(&mut self, id: u64, request: &Request) -> Outcome {
        let today = self.clock.now().date_naive();
        let expires = expiry(today, &body(request)?)?.unwrap_or(today + TimeDelta::days(7));
        let (new, created) = (self.id(), self.now());
        let old = self.token_mut(id).ok_or_else(not_found)?;
        old.revoked = true;
        let token = Token {
            id: new,
            text: fresh(),
            expires: Some(expires),
            revoked: false,
            created,
            ..old.clone()
        };
        let answer = Answer::json(200, &with_text(self, &token));
        self.tokens.push(token);
        Ok(answer)
    }
}

fn fresh() -> String {
    format!("glpat-{}", &Uuid::new_v4().simple().to_string()[..20])
}

fn expiry(today: NaiveDate, body: &Value) -> Result<Option<NaiveDate>, Box<Answer>> {
    let Some(text) = body["expires_at"].as_str() else { return Ok(None) };
    match text.parse::<NaiveDate>() {
        Ok(day) if day <= today + LONGEST && day > today => Ok(Some(day)),
        _ => Err(failure(400, "400 Bad request - Expiration date must be within 365 days")),
    }
}

/// A token as it may be shown: never its text.
fn shown(world: &World, token: &Token) -> Value {
    let today = world.clock.now().date_naive();
    json!({
        "id": token.id,
        "name": token.name,
        "revoked": token.revoked,
        "created_at": moment(&token.created),
        "description": null,
        "scopes": token.scopes,
        "user_id": token.user,
        "last_used_at": null,
        "active": !token.revoked && token.expires.is_none_or(|day| day > today),
        "expires_at": token.expires.map(|day| day.to_string()),
    })
}

fn of_project(world: &World, token: &Token) -> Value {
    let mut out = shown(world, token);
    out["access_level"] = json!(token.role);
    out["resource_type"] = json!("project");
    out["resource_id"] = json!(token.projects.first());
    out
}

fn with_text(world: &World, token: &Token) -> Value {
    let mut out = of_project(world, token);
    out["token"] = json!(token.text);
    out
}

/// Whatever a token may be used for, it may read itself.
pub(crate) fn own(world: &mut World, request: &Request) -> Outcome {
    let text = request.credential.as_deref().unwrap_or_default();
    let token = world.tokens.iter().find(|t| t.text == text).ok_or_else(not_found)?;
    Ok(Answer::json(200, &shown(world, token)))
}

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let project = world.projects[world.at(request)?].id;
    let own = world.tokens.iter().filter(|t| t.projects.contains(&project));
    let all = own.map(|t| of_project(world, t)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let token = world.token_at(request)?;
    Ok(Answer::json(200, &of_project(world, token)))
}

pub(crate) fn create(world: &mut World, request: &Request) -> Outcome {
    let (at, sent) = (world.at(request)?, body(request)?);
    let name = required(&sent, "name")?;
    let scopes: Vec<String> = sent["scopes"]
        .as_array()
        .map(|list| list.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if scopes.is_empty() {
        return Err(super::request::error(400, "scopes is missing"));
    }
    let expires = expiry(world.clock.now().date_naive(), &sent)?;
    let id = world.token(at, &name, &scopes, int(&sent["access_level"]).unwrap_or(40));
    let token = world.token_mut(id).ok_or_else(not_found)?;
    token.expires = expires;
    let token = token.clone();
    Ok(Answer::json(201, &with_text(world, &token)))
}

pub(crate) fn revoke(world: &mut World, request: &Request) -> Outcome {
    let id = world.token_at(request)?.id;
    if let Some(token) = world.token_mut(id) {
        token.revoked = true;
    }
    Ok(Answer::empty(204))
}

pub(crate) fn rotate(world: &mut World, request: &Request) -> Outcome {
    let id = world.token_at(request)?.id;
    world.renewed(id, request)
}

pub(crate) fn rotate_own(world: &mut World, request: &Request) -> Outcome {
    let text = request.credential.as_deref().unwrap_or_default();
    let id = world.tokens.iter().find(|t| t.text == text).map(|t| t.id).ok_or_else(not_found)?;
    world.renewed(id, request)
}
