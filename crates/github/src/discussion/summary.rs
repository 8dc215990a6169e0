//! The one overall comment: an issue comment on the pull request.

use chaffinch_core::{Comment, CommentId, ForgeError, Marker, MarkerKind};
use http::Method;
use serde_json::json;

use super::{PULL_REQUESTS, RestComment, number};
use crate::{api::Call, body::fit, handle::Handle};

/// Of a hundred comments each; a pull request with more gets an error rather than a second summary.
const MOST_PAGES: usize = 100;

pub(super) async fn find(handle: &Handle, pull: u64) -> Result<Option<Comment>, ForgeError> {
    let slug = handle.app.slug().await?;
    let route = "/repos/{owner}/{repo}/issues/{number}/comments";
    let call = handle.get(route, &format!("/issues/{pull}/comments"), PULL_REQUESTS)?;
    let listed = handle.list::<RestComment>(call, MOST_PAGES).await?;
    let is_summary = |c: &&RestComment| {
        c.is_by(slug) && Marker::find(c.body()).is_some_and(|m| m.kind == MarkerKind::Summary)
    };
    let found = listed.items.iter().find(is_summary);
    if found.is_none() && !listed.complete {
        return Err(ForgeError::Other(
            "github: a pull request with over 10,000 comments".to_owned(),
        ));
    }
    Ok(found.map(|c| Comment { id: CommentId(c.id.to_string()), body: c.body().to_owned() }))
}

pub(super) async fn put(
    handle: &Handle,
    pull: u64,
    existing: Option<&CommentId>,
    body: &str,
) -> Result<(), ForgeError> {
    let body = json!({ "body": fit(body) });
    if let Some(id) = existing {
        let route = "/repos/{owner}/{repo}/issues/comments/{id}";
        let url = handle.url(&format!("/issues/comments/{}", number(id)?))?;
        let call = Call::write(Method::PATCH, route, url, body.clone(), PULL_REQUESTS);
        match handle.send(&call).await {
            // Somebody deleted it since it was found.
            Err(ForgeError::NotFound) => {}
            outcome => return outcome.map(drop),
        }
    }
    let route = "/repos/{owner}/{repo}/issues/{number}/comments";
    let url = handle.url(&format!("/issues/{pull}/comments"))?;
    let call = Call::write(Method::POST, route, url, body, PULL_REQUESTS);
    handle.send(&call).await.map(drop)
}
