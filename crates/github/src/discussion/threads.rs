//! Our threads: found through GraphQL, which alone knows threads; through REST where there is none.

mod rest;

use chaffinch_core::{
    Comment, CommentId, ForgeError, LineRange, Marker, MarkerKind, Placement, RepoPath, Side,
    Thread, ThreadId,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::PULL_REQUESTS;
use crate::{
    graphql::{Query, ask},
    handle::Handle,
};

/// Of fifty threads each; more are an error, since a thread that is not found is opened again.
const MOST_PAGES: usize = 100;

/// `databaseId` has 31 bits and is null above; `fullDatabaseId` is text.
const THREADS: Query = Query {
    text: "query($owner:String!,$name:String!,$number:Int!,$after:String){repository(owner:$owner,name:$name){\
           pullRequest(number:$number){reviewThreads(first:50,after:$after){pageInfo{hasNextPage endCursor}\
           nodes{id isResolved resolvedBy{login} isOutdated path line startLine diffSide \
           comments(first:50){totalCount nodes{databaseId fullDatabaseId body isMinimized minimizedReason viewerDidAuthor}}}}}}}",
    route: "graphql reviewThreads",
    needs: PULL_REQUESTS,
};

const RESOLVE: Query = Query {
    text: "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){thread{isResolved}}}",
    route: "graphql resolveReviewThread",
    needs: "contents: write",
};

const UNRESOLVE: Query = Query {
    text: "mutation($id:ID!){unresolveReviewThread(input:{threadId:$id}){thread{isResolved}}}",
    route: "graphql unresolveReviewThread",
    needs: "contents: write",
};

const FIRST_COMMENT: Query = Query {
    text: "query($id:ID!){node(id:$id){... on PullRequestReviewThread{isResolved comments(first:1){nodes{id isMinimized viewerDidAuthor}}}}}",
    route: "graphql node",
    needs: PULL_REQUESTS,
};

const MINIMIZE: Query = Query {
    text: "mutation($id:ID!){minimizeComment(input:{subjectId:$id,classifier:RESOLVED}){minimizedComment{isMinimized}}}",
    route: "graphql minimizeComment",
    needs: PULL_REQUESTS,
};

const UNMINIMIZE: Query = Query {
    text: "mutation($id:ID!){unminimizeComment(input:{subjectId:$id}){unminimizedComment{isMinimized}}}",
    route: "graphql unminimizeComment",
    needs: PULL_REQUESTS,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    page_info: PageInfo,
    nodes: Vec<Node>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(default)]
    is_resolved: bool,
    /// Null for an account that is gone.
    resolved_by: Option<Actor>,
    #[serde(default)]
    is_outdated: bool,
    path: String,
    line: Option<u32>,
    start_line: Option<u32>,
    diff_side: Option<String>,
    comments: Comments,
}

#[derive(Deserialize)]
struct Actor {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comments {
    total_count: Option<usize>,
    nodes: Vec<NodeComment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeComment {
    id: Option<String>,
    database_id: Option<u64>,
    full_database_id: Option<Value>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_minimized: bool,
    minimized_reason: Option<String>,
    #[serde(default)]
    viewer_did_author: bool,
}

impl NodeComment {
    fn number(&self) -> Option<u64> {
        let full = self.full_database_id.as_ref();
        full.and_then(Value::as_str).and_then(|id| id.parse().ok()).or(self.database_id)
    }
}

/// All of our threads on a pull request that carry a finding's marker.
pub(super) async fn ours(handle: &Handle, number: u64) -> Result<Vec<Thread>, ForgeError> {
    let Some((owner, name)) = handle.repo.name.as_str().split_once('/') else {
        return Err(ForgeError::NotFound);
    };
    let mut threads = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let variables = json!({ "owner": owner, "name": name, "number": number, "after": after });
        let Some(data) = ask::<Value>(handle, &THREADS, variables).await? else {
            return rest::ours(handle, number).await;
        };
        let page = data.pointer("/repository/pullRequest/reviewThreads").cloned();
        let page: Page = page.and_then(|p| serde_json::from_value(p).ok()).ok_or_else(|| {
            ForgeError::Unavailable { why: format!("unexpected answer to {}", THREADS.route) }
        })?;
        let by_somebody = |node: &Node| node.is_resolved && node.resolved_by.is_some();
        let us = match page.nodes.iter().any(by_somebody) {
            true => Some(handle.app.slug().await?),
            false => None,
        };
        threads.extend(page.nodes.into_iter().filter_map(|node| thread(node, us)));
        match page.page_info {
            PageInfo { has_next_page: true, end_cursor: Some(cursor) } => after = Some(cursor),
            _ => return Ok(threads),
        }
    }
    Err(ForgeError::Other("github: a pull request with over 5,000 threads".to_owned()))
}

/// `us` is the App's name, where a thread of the page is resolved.
fn thread(node: Node, us: Option<&str>) -> Option<Thread> {
    let first = node.comments.nodes.first().filter(|c| c.viewer_did_author)?;
    let marker = finding(&first.body)?;
    let id = first.number()?;
    let seen = node.comments.nodes.len();
    Some(Thread {
        first: Comment { id: CommentId(id.to_string()), body: first.body.clone() },
        marker,
        at: placement(&node.path, node.start_line, node.line, node.diff_side.as_deref())
            .filter(|_| !node.is_outdated),
        // Where we may not resolve, we hide.
        resolved: node.is_resolved || first.is_minimized,
        resolved_by_us: closed_by_us(&node, first, us),
        has_replies: node.comments.nodes.iter().any(|c| !c.viewer_did_author)
            || node.comments.total_count.is_some_and(|total| total > seen),
        id: ThreadId(node.id),
    })
}

/// GitHub tells who resolved a thread, but not who hid a comment: one that is hidden as resolved
/// counts as hidden by us.
fn closed_by_us(node: &Node, first: &NodeComment, us: Option<&str>) -> bool {
    let hidden = first.minimized_reason.as_deref().filter(|_| first.is_minimized);
    let hidden_by_us = hidden.map(|reason| reason.eq_ignore_ascii_case("resolved"));
    if !node.is_resolved {
        return hidden_by_us == Some(true);
    }
    let login = node.resolved_by.as_ref().map(|actor| actor.login.trim_end_matches("[bot]"));
    login.is_some() && login == us && hidden_by_us != Some(false)
}

fn finding(body: &str) -> Option<Marker> {
    Marker::find(body).filter(|m| matches!(m.kind, MarkerKind::Finding { .. }))
}

fn placement(
    path: &str,
    start: Option<u32>,
    line: Option<u32>,
    side: Option<&str>,
) -> Option<Placement> {
    let line = line?;
    Some(Placement {
        path: RepoPath::new(path).ok()?,
        lines: LineRange::new(start.unwrap_or(line), line),
        side: if side == Some("LEFT") { Side::Old } else { Side::New },
    })
}

/// Resolves, or hides as resolved: GitHub lets an App resolve threads only with write access to
/// contents, which we never have, but lets it hide its own comment.
pub(super) async fn resolve(handle: &Handle, id: &ThreadId) -> Result<(), ForgeError> {
    if rest::is_rest(id) {
        return Err(no_threads());
    }
    match ask::<Value>(handle, &RESOLVE, json!({ "id": id.0 })).await {
        Err(ForgeError::Denied { .. }) => {}
        outcome => return outcome?.map(drop).ok_or_else(no_threads),
    }
    let (_, first) = first_comment(handle, id).await?;
    let hidden = ask::<Value>(handle, &MINIMIZE, json!({ "id": first.id })).await?;
    hidden.map(drop).ok_or_else(no_threads)
}

/// Undoes what [`resolve`] did, whichever of the two it was.
pub(super) async fn reopen(handle: &Handle, id: &ThreadId) -> Result<(), ForgeError> {
    if rest::is_rest(id) {
        return Err(no_threads());
    }
    let (is_resolved, first) = first_comment(handle, id).await?;
    if first.is_minimized {
        let shown = ask::<Value>(handle, &UNMINIMIZE, json!({ "id": first.id })).await?;
        shown.ok_or_else(no_threads)?;
    }
    if is_resolved {
        let open = ask::<Value>(handle, &UNRESOLVE, json!({ "id": id.0 })).await?;
        open.ok_or_else(no_threads)?;
    }
    Ok(())
}

fn no_threads() -> ForgeError {
    ForgeError::Refused { why: "this forge has no threads to resolve".to_owned() }
}

/// Whether a thread is resolved, and its first comment, which is ours and has an id.
async fn first_comment(handle: &Handle, id: &ThreadId) -> Result<(bool, NodeComment), ForgeError> {
    let found = ask::<Value>(handle, &FIRST_COMMENT, json!({ "id": id.0 })).await?;
    let node = found.as_ref().and_then(|data| data.get("node")).ok_or(ForgeError::NotFound)?;
    let first = node.pointer("/comments/nodes/0").cloned();
    let first: NodeComment =
        first.and_then(|c| serde_json::from_value(c).ok()).ok_or(ForgeError::NotFound)?;
    if first.id.is_none() || !first.viewer_did_author {
        return Err(ForgeError::NotFound);
    }
    let is_resolved = node.get("isResolved").and_then(Value::as_bool).unwrap_or_default();
    Ok((is_resolved, first))
}
