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
           nodes{id isResolved isOutdated path line startLine diffSide \
           comments(first:50){totalCount nodes{databaseId fullDatabaseId body isMinimized viewerDidAuthor}}}}}}}",
    route: "graphql reviewThreads",
    needs: PULL_REQUESTS,
};

const RESOLVE: Query = Query {
    text: "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){thread{isResolved}}}",
    route: "graphql resolveReviewThread",
    needs: "contents: write",
};

const FIRST_COMMENT: Query = Query {
    text: "query($id:ID!){node(id:$id){... on PullRequestReviewThread{comments(first:1){nodes{id viewerDidAuthor}}}}}",
    route: "graphql node",
    needs: PULL_REQUESTS,
};

const MINIMIZE: Query = Query {
    text: "mutation($id:ID!){minimizeComment(input:{subjectId:$id,classifier:RESOLVED}){minimizedComment{isMinimized}}}",
    route: "graphql minimizeComment",
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
    #[serde(default)]
    is_outdated: bool,
    path: String,
    line: Option<u32>,
    start_line: Option<u32>,
    diff_side: Option<String>,
    comments: Comments,
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
        threads.extend(page.nodes.into_iter().filter_map(thread));
        match page.page_info {
            PageInfo { has_next_page: true, end_cursor: Some(cursor) } => after = Some(cursor),
            _ => return Ok(threads),
        }
    }
    Err(ForgeError::Other("github: a pull request with over 5,000 threads".to_owned()))
}

fn thread(node: Node) -> Option<Thread> {
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
        has_replies: node.comments.nodes.iter().any(|c| !c.viewer_did_author)
            || node.comments.total_count.is_some_and(|total| total > seen),
        id: ThreadId(node.id),
    })
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
    let no_threads =
        || ForgeError::Refused { why: "this forge has no threads to resolve".to_owned() };
    if rest::is_rest(id) {
        return Err(no_threads());
    }
    match ask::<Value>(handle, &RESOLVE, json!({ "id": id.0 })).await {
        Err(ForgeError::Denied { .. }) => {}
        outcome => return outcome?.map(drop).ok_or_else(no_threads),
    }
    let found = ask::<Value>(handle, &FIRST_COMMENT, json!({ "id": id.0 })).await?;
    let first = found.as_ref().and_then(|data| data.pointer("/node/comments/nodes/0")).cloned();
    let first: NodeComment =
        first.and_then(|c| serde_json::from_value(c).ok()).ok_or(ForgeError::NotFound)?;
    let comment = first.id.filter(|_| first.viewer_did_author).ok_or(ForgeError::NotFound)?;
    let hidden = ask::<Value>(handle, &MINIMIZE, json!({ "id": comment })).await?;
    hidden.map(drop).ok_or_else(no_threads)
}
