//! Threads put together from REST's flat list of comments, for a server without GraphQL. REST does
//! not say which are resolved, and cannot resolve.

use std::collections::HashSet;

use chaffinch_core::{Comment, CommentId, ForgeError, Thread, ThreadId};
use serde::Deserialize;

use super::{super::RestComment, PULL_REQUESTS, finding, placement};
use crate::handle::Handle;

const MOST_PAGES: usize = 100;
const PREFIX: &str = "comment:";

#[derive(Deserialize)]
struct Inline {
    #[serde(flatten)]
    comment: RestComment,
    path: String,
    /// Null once it is outdated.
    line: Option<u32>,
    start_line: Option<u32>,
    side: Option<String>,
    in_reply_to_id: Option<u64>,
}

pub(super) fn is_rest(id: &ThreadId) -> bool {
    id.0.starts_with(PREFIX)
}

pub(super) async fn ours(handle: &Handle, number: u64) -> Result<Vec<Thread>, ForgeError> {
    let slug = handle.app.slug().await?;
    let route = "/repos/{owner}/{repo}/pulls/{number}/comments";
    let call = handle.get(route, &format!("/pulls/{number}/comments"), PULL_REQUESTS)?;
    let listed = handle.list::<Inline>(call, MOST_PAGES).await?;
    if !listed.complete {
        return Err(ForgeError::Other(
            "github: a pull request with over 10,000 comments".to_owned(),
        ));
    }
    let others = listed.items.iter().filter(|c| !c.comment.is_by(slug));
    let answered: HashSet<u64> = others.filter_map(|c| c.in_reply_to_id).collect();
    let first = |c: &&Inline| c.in_reply_to_id.is_none() && c.comment.is_by(slug);
    let threads = listed.items.iter().filter(first).filter_map(|inline| {
        let Inline { comment, path, line, start_line, side, .. } = inline;
        Some(Thread {
            id: ThreadId(format!("{PREFIX}{}", comment.id)),
            marker: finding(comment.body())?,
            first: Comment {
                id: CommentId(comment.id.to_string()),
                body: comment.body().to_owned(),
            },
            at: placement(path, *start_line, *line, side.as_deref()),
            resolved: false,
            resolved_by_us: false,
            has_replies: answered.contains(&comment.id),
        })
    });
    Ok(threads.collect())
}
