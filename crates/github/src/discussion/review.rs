//! Opens threads through one review, and edits their comments.

use chaffinch_core::{Change, CommentId, ForgeError, Marker, NewThread, Posted, Side};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{PULL_REQUESTS, RestComment, number};
use crate::{
    api::Call,
    body::fit,
    handle::{Handle, PER_PAGE},
};

/// Comments of one review: their ids are read back on one page.
const MOST_AT_ONCE: usize = PER_PAGE;

#[derive(Deserialize)]
struct Created {
    id: u64,
}

#[derive(Deserialize)]
struct Made {
    #[serde(flatten)]
    comment: RestComment,
    #[serde(rename = "pull_request_review_id")]
    review: Option<u64>,
}

/// One review for all, so that people are notified once.
pub(super) async fn post(
    handle: &Handle,
    change: &Change,
    threads: &[NewThread],
) -> Result<Vec<Posted>, ForgeError> {
    let mut posted = Vec::with_capacity(threads.len());
    for portion in threads.chunks(MOST_AT_ONCE) {
        posted.extend(match together(handle, change, portion).await {
            // All or nothing, and GitHub does not say which one it does not take.
            Err(ForgeError::Refused { .. }) => one_by_one(handle, change, portion).await?,
            outcome => outcome?,
        });
    }
    Ok(posted)
}

async fn together(
    handle: &Handle,
    change: &Change,
    threads: &[NewThread],
) -> Result<Vec<Posted>, ForgeError> {
    let body = json!({
        "commit_id": change.head,
        "event": "COMMENT",
        "comments": threads.iter().map(comment).collect::<Vec<_>>(),
    });
    let route = "/repos/{owner}/{repo}/pulls/{number}/reviews";
    let path = format!("/pulls/{}/reviews", change.id.number);
    let call = Call::write(Method::POST, route, handle.url(&path)?, body, PULL_REQUESTS);
    let review: Created = handle.send(&call).await?.json()?;

    // The answer does not name its comments; they are among the newest.
    let route = "/repos/{owner}/{repo}/pulls/{number}/comments";
    let path = format!("/pulls/{}/comments?sort=created&direction=desc", change.id.number);
    let newest = handle.list::<Made>(handle.get(route, &path, PULL_REQUESTS)?, 2).await?.items;
    let made: Vec<_> = newest.into_iter().filter(|c| c.review == Some(review.id)).collect();
    threads.iter().map(|thread| find(thread, &made)).collect()
}

/// By the marker: GitHub may have changed line endings or blanks of the body.
fn find(thread: &NewThread, made: &[Made]) -> Result<Posted, ForgeError> {
    let marker = Marker::find(&thread.body);
    let same = |c: &&Made| match &marker {
        Some(marker) => Marker::find(c.comment.body()).as_ref() == Some(marker),
        None => c.comment.body().trim() == thread.body.trim(),
    };
    match made.iter().find(same) {
        Some(made) => Ok(Posted::OnLine(CommentId(made.comment.id.to_string()))),
        // It stands there all the same, and the next run finds it by its marker.
        None => Err(ForgeError::Unavailable { why: "a new review is not listed yet".to_owned() }),
    }
}

async fn one_by_one(
    handle: &Handle,
    change: &Change,
    threads: &[NewThread],
) -> Result<Vec<Posted>, ForgeError> {
    let route = "/repos/{owner}/{repo}/pulls/{number}/comments";
    let url = handle.url(&format!("/pulls/{}/comments", change.id.number))?;
    let mut posted = Vec::with_capacity(threads.len());
    for thread in threads {
        let mut body = comment(thread);
        body["commit_id"] = json!(change.head);
        let call = Call::write(Method::POST, route, url.clone(), body, PULL_REQUESTS);
        posted.push(match handle.send(&call).await {
            Err(ForgeError::Refused { why }) => Posted::Refused(why),
            answer => Posted::OnLine(CommentId(answer?.json::<Created>()?.id.to_string())),
        });
    }
    Ok(posted)
}

/// GitHub refuses a range whose first line is its last.
fn comment(thread: &NewThread) -> Value {
    let at = &thread.at;
    let side = match at.side {
        Side::Old => "LEFT",
        Side::New => "RIGHT",
    };
    let mut comment =
        json!({ "path": at.path, "line": at.lines.end, "side": side, "body": fit(&thread.body) });
    if at.lines.start < at.lines.end {
        comment["start_line"] = json!(at.lines.start);
        comment["start_side"] = json!(side);
    }
    comment
}

pub(super) async fn edit(handle: &Handle, id: &CommentId, body: &str) -> Result<(), ForgeError> {
    let route = "/repos/{owner}/{repo}/pulls/comments/{id}";
    let url = handle.url(&format!("/pulls/comments/{}", number(id)?))?;
    let call = Call::write(Method::PATCH, route, url, json!({ "body": fit(body) }), PULL_REQUESTS);
    handle.send(&call).await.map(drop)
}
