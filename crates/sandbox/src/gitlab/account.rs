//! The instance, the project, and who is who in it.

use serde_json::json;

use super::{
    json::{LONG_AGO, project as project_json, user as user_json},
    request::{Outcome, Request, not_found},
    world::World,
};
use crate::answer::Answer;

pub(crate) fn metadata(_: &mut World, _: &Request) -> Outcome {
    let body = json!({
        "version": "19.0.1-ee",
        "revision": "5b0d1a2c3e4",
        "kas": { "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null },
        "enterprise": true,
    });
    Ok(Answer::json(200, &body))
}

pub(crate) fn user(world: &mut World, request: &Request) -> Outcome {
    let id = world.caller(request);
    let mut out = user_json(world, id);
    out["bot"] = json!(world.is_bot(id));
    out["created_at"] = json!(LONG_AGO);
    out["external"] = json!(false);
    out["can_create_project"] = json!(false);
    Ok(Answer::json(200, &out))
}

pub(crate) fn project(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let role = world.role(at, world.caller(request));
    Ok(Answer::json(200, &project_json(world, &world.projects[at], role)))
}

/// Of the project itself, or of a group above it.
pub(crate) fn member(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let id = request.number("user").ok_or_else(not_found)?;
    let role = world.role(at, id);
    if role == 0 {
        return Err(not_found());
    }
    let mut out = user_json(world, id);
    out["access_level"] = json!(role);
    out["created_at"] = json!(LONG_AGO);
    out["expires_at"] = json!(null);
    out["membership_state"] = json!("active");
    Ok(Answer::json(200, &out))
}
