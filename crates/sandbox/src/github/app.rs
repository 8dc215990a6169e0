//! The App, its installation, its limits.

use serde_json::{Value, json};

use super::{
    json::user,
    request::{Outcome, Request, not_found},
    world::World,
};
use crate::answer::Answer;

/// When everything of the fixed scenery was made.
pub(crate) const LONG_AGO: &str = "2026-01-01T00:00:00Z";

pub(crate) fn app(world: &mut World, _: &Request) -> Outcome {
    Ok(Answer::json(200, &integration(world)))
}

pub(crate) fn installation(world: &mut World, request: &Request) -> Outcome {
    if request.number("installation").ok_or_else(not_found)? != world.app.installation
        || !world.app.installed
    {
        return Err(not_found());
    }
    Ok(Answer::json(200, &installation_json(world)))
}

pub(crate) fn installations(world: &mut World, request: &Request) -> Outcome {
    let one = world.app.installed.then(|| installation_json(world));
    Ok(super::request::page(world, request, one.into_iter().collect()))
}

pub(crate) fn repo_installation(world: &mut World, request: &Request) -> Outcome {
    let installed = world.at(request)?.installed;
    if !installed || !world.app.installed {
        return Err(not_found());
    }
    Ok(Answer::json(200, &installation_json(world)))
}

pub(crate) fn rate_limit(world: &mut World, _: &Request) -> Outcome {
    let (limit, used) = (5000, world.used);
    let left = 5000u64.saturating_sub(used);
    let reset = world.clock.now().timestamp() + 3600;
    let rate = json!({ "limit": limit, "used": used, "remaining": left, "reset": reset });
    let resources = json!({ "core": rate, "search": rate, "graphql": rate });
    Ok(Answer::json(200, &json!({ "resources": resources, "rate": rate })))
}

/// Whose the repositories are.
fn account(world: &World) -> Value {
    let owner = world.repos.first().map_or("acme", |r| r.owner.as_str());
    let mut account = user(&world.links, owner);
    account["type"] = json!("Organization");
    account
}

pub(crate) fn integration(world: &World) -> Value {
    let app = &world.app;
    json!({
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": format!("A_{}", app.id),
        "owner": account(world),
        "name": app.slug,
        "description": null,
        "external_url": world.links.web.to_string(),
        "html_url": format!("{}/apps/{}", world.links.web, app.slug),
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "permissions": app.permissions,
        "events": app.events,
        "installations_count": 1,
    })
}

pub(crate) fn installation_json(world: &World) -> Value {
    let (app, links) = (&world.app, &world.links);
    let account = account(world);
    let suspended = app.suspended.then(|| world.now());
    json!({
        "id": app.installation,
        "node_id": format!("I_{}", app.installation),
        "target_id": account["id"],
        "target_type": "Organization",
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": format!("{}/app/installations/{}/access_tokens", links.api, app.installation),
        "repositories_url": format!("{}/installation/repositories", links.api),
        "html_url": format!("{}/settings/installations/{}", links.web, app.installation),
        "app_id": app.id,
        "client_id": app.client_id,
        "app_slug": app.slug,
        "permissions": app.permissions,
        "events": app.events,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": app.suspended.then(|| user(links, "owner")),
        "suspended_at": suspended,
    })
}
