//! The one overall comment, a note on the merge request; and how any note of ours is edited.

use chaffinch_core::{Comment, CommentId, ForgeError, Marker, MarkerKind};
use http::Method;
use serde_json::json;

use super::{Note, WRITE, compose, parts};
use crate::{api::Call, body::fit, handle::Handle};

/// Of a hundred notes each; a merge request with more gets an error rather than a second summary.
const MOST_PAGES: usize = 100;

pub(super) async fn find(handle: &Handle, number: u64) -> Result<Option<Comment>, ForgeError> {
    let us = handle.us().await?;
    let route = "/projects/{id}/merge_requests/{iid}/notes";
    let path = format!(
        "/merge_requests/{number}/notes?order_by=created_at&sort=asc&activity_filter=only_comments"
    );
    let listed = handle.list::<Note>(handle.get(route, &path, WRITE)?, MOST_PAGES).await?;
    let is_summary = |note: &&Note| {
        note.is_by(us) && Marker::find(&note.body).is_some_and(|m| m.kind == MarkerKind::Summary)
    };
    let found = listed.items.iter().find(is_summary);
    if found.is_none() && !listed.complete {
        return Err(ForgeError::Other(
            "gitlab: a merge request with over 10,000 comments".to_owned(),
        ));
    }
    Ok(found.map(|n| Comment { id: CommentId(compose(number, n.id)), body: n.body.clone() }))
}

pub(super) async fn put(
    handle: &Handle,
    number: u64,
    existing: Option<&CommentId>,
    body: &str,
) -> Result<(), ForgeError> {
    if let Some(id) = existing {
        match edit(handle, id, body).await {
            // Somebody deleted it since it was found.
            Err(ForgeError::NotFound) => {}
            outcome => return outcome,
        }
    }
    let route = "/projects/{id}/merge_requests/{iid}/notes";
    let url = handle.url(&format!("/merge_requests/{number}/notes"))?;
    let body = json!({ "body": fit(body) });
    handle.send(&Call::write(Method::POST, route, url, body, WRITE)).await.map(drop)
}

pub(super) async fn edit(handle: &Handle, id: &CommentId, body: &str) -> Result<(), ForgeError> {
    let (number, note) = parts(&id.0)?;
    let route = "/projects/{id}/merge_requests/{iid}/notes/{id}";
    let url = handle.url(&format!("/merge_requests/{number}/notes/{note}"))?;
    let body = json!({ "body": fit(body) });
    handle.send(&Call::write(Method::PUT, route, url, body, WRITE)).await.map(drop)
}
