//! Our threads on a merge request.

use chaffinch_core::{
    Change, Comment, CommentId, ForgeError, Marker, MarkerKind, Thread, ThreadId,
};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Note, RESOLVE, WRITE, compose, parts};
use crate::{api::Call, handle::Handle};

/// Of a hundred discussions each; more are an error, since a thread that is not found is opened again.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Found {
    id: String,
    notes: Vec<Note>,
}

async fn all(handle: &Handle, number: u64) -> Result<Vec<Found>, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/discussions";
    let call = handle.get(route, &format!("/merge_requests/{number}/discussions"), WRITE)?;
    let listed = handle.list::<Found>(call, MOST_PAGES).await?;
    match listed.complete {
        true => Ok(listed.items),
        false => Err(ForgeError::Other(
            "gitlab: a merge request with over 10,000 discussions".to_owned(),
        )),
    }
}

/// All that carry a finding's marker.
pub(super) async fn ours(handle: &Handle, change: &Change) -> Result<Vec<Thread>, ForgeError> {
    let number = change.id.number;
    let us = handle.us().await?;
    let threads = all(handle, number).await?.into_iter();
    Ok(threads.filter_map(|found| thread(found, us, change)).collect())
}

/// The first note of each discussion that we began: its number and text.
pub(super) async fn begun(handle: &Handle, number: u64) -> Result<Vec<(u64, String)>, ForgeError> {
    let us = handle.us().await?;
    let first = |found: Found| found.notes.into_iter().next().filter(|note| note.is_by(us));
    let notes = all(handle, number).await?.into_iter().filter_map(first);
    Ok(notes.map(|note| (note.id, note.body)).collect())
}

fn thread(found: Found, us: u64, change: &Change) -> Option<Thread> {
    let number = change.id.number;
    let first = found.notes.first().filter(|note| note.is_by(us))?;
    let marker =
        Marker::find(&first.body).filter(|m| matches!(m.kind, MarkerKind::Finding { .. }))?;
    let by_us = first.resolved_by.as_ref().is_some_and(|user| user.id == us);
    Some(Thread {
        id: ThreadId(compose(number, &found.id)),
        first: Comment { id: CommentId(compose(number, first.id)), body: first.body.clone() },
        marker,
        at: first.position.as_ref().and_then(|p| p.placement(change.head.as_str())),
        resolved: first.resolved,
        resolved_by_us: first.resolved && by_us,
        has_replies: found.notes.iter().any(|note| !note.system && !note.is_by(us)),
    })
}

pub(super) async fn set_resolved(
    handle: &Handle,
    id: &ThreadId,
    resolved: bool,
) -> Result<(), ForgeError> {
    let (number, id) = parts(&id.0)?;
    let route = "/projects/{id}/merge_requests/{iid}/discussions/{id}";
    let url = handle.url(&format!("/merge_requests/{number}/discussions/{id}"))?;
    let body = json!({ "resolved": resolved });
    handle.send(&Call::write(Method::PUT, route, url, body, RESOLVE)).await.map(drop)
}
