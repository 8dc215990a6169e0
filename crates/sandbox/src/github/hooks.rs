//! The App's deliveries, as the App sees them.

use serde_json::{Value, json};

use super::{
    request::{Outcome, Request, not_found},
    world::World,
};
use crate::{answer::Answer, delivery::Delivered};

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let size = request.query("per_page").and_then(|n| n.parse().ok()).unwrap_or(30).min(100);
    let before = request.query("cursor").and_then(|c| c.strip_prefix("v1_")?.parse::<u64>().ok());
    let status = request.query("status");
    let wanted = world.deliveries.iter().rev().filter(|d| {
        let failed = !(200..400).contains(&d.status);
        before.is_none_or(|id| d.id < id)
            && match status {
                Some("failure") => failed,
                Some("success") => !failed,
                _ => true,
            }
    });
    let mut shown: Vec<&Delivered> = wanted.take(size + 1).collect();
    let more = shown.len() > size;
    shown.truncate(size);
    let answer = Answer::json(200, &shown.iter().map(|d| item(world, d)).collect());
    Ok(match shown.last() {
        Some(last) if more => answer.header(
            "link",
            format!(
                "<{}/app/hook/deliveries?per_page={size}&cursor=v1_{}>; rel=\"next\"",
                world.links.api, last.id
            ),
        ),
        _ => answer,
    })
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("delivery").ok_or_else(not_found)?;
    let found = world.deliveries.iter().find(|d| d.id == id).ok_or_else(not_found)?;
    let mut out = item(world, found);
    out["url"] = json!(world.app.webhook_url.clone().unwrap_or_default());
    out["request"] = json!({
        "headers": { "X-GitHub-Delivery": found.delivery, "X-GitHub-Event": found.event },
        "payload": serde_json::from_slice::<Value>(&found.payload).unwrap_or_default(),
    });
    out["response"] = json!({ "headers": {}, "payload": found.body });
    Ok(Answer::json(200, &out))
}

/// Accepted here; sent again once this is answered.
pub(crate) fn again(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("delivery").ok_or_else(not_found)?;
    if !world.deliveries.iter().any(|d| d.id == id) {
        return Err(not_found());
    }
    Ok(Answer::json(202, &json!({})))
}

fn item(world: &World, d: &Delivered) -> Value {
    let repo = world.repos.iter().find(|r| Some(r.full_name()) == d.repository).map(|r| r.id);
    json!({
        "id": d.id,
        "guid": d.delivery,
        "delivered_at": d.at,
        "redelivery": d.redelivery,
        "duration": 0.1,
        "status": if (200..400).contains(&d.status) { "OK" } else { "failed" },
        "status_code": d.status,
        "event": d.event,
        "action": d.action,
        "installation_id": world.app.installation,
        "repository_id": repo,
        "throttled_at": null,
    })
}
