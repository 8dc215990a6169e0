//! Draft notes: published together, they notify people once.

use chaffinch_core::{ForgeError, Marker};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::WRITE;
use crate::{
    api::{Call, refused},
    handle::{Handle, Listed},
    json::nullable,
};

/// Of twenty drafts each. A run leaves behind fewer; where there are more, we do without.
const MOST_PAGES: usize = 25;

#[derive(Deserialize)]
struct Draft {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    note: String,
}

/// How a draft, or the publishing of all, went.
pub(super) enum Went {
    /// It is there.
    Well,
    /// GitLab does not take it.
    Refused,
    /// GitLab takes no drafts from us at all: too old, or not with this token.
    NoDrafts,
}

/// Removes drafts of ours that a run left behind: publishing takes all that there are. False where we
/// must do without: GitLab has no drafts for us, there are too many, or the token is a person's, who is writing
/// some.
pub(super) async fn clear(handle: &Handle, number: u64) -> Result<bool, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/draft_notes";
    let path = format!("/merge_requests/{number}/draft_notes");
    let listed = handle.list_as_told::<Draft>(handle.get(route, &path, WRITE)?, MOST_PAGES).await;
    let Listed { items: drafts, complete } = match listed {
        Err(ForgeError::NotFound | ForgeError::Denied { .. } | ForgeError::Refused { .. }) => {
            return Ok(false);
        }
        listed => listed?,
    };
    let route = "/projects/{id}/merge_requests/{iid}/draft_notes/{id}";
    let (ours, theirs): (Vec<_>, Vec<_>) =
        drafts.iter().partition(|draft| Marker::find(&draft.note).is_some());
    for draft in ours {
        let url = handle.url(&format!("{path}/{}", draft.id))?;
        let call = Call::delete(route, url, WRITE);
        match handle.send(&call).await {
            Err(ForgeError::NotFound) => {}
            outcome => outcome.map(drop)?,
        }
    }
    Ok(theirs.is_empty() && complete)
}

pub(super) async fn add(
    handle: &Handle,
    number: u64,
    body: &str,
    position: &Value,
) -> Result<Went, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/draft_notes";
    let url = handle.url(&format!("/merge_requests/{number}/draft_notes"))?;
    let body = json!({ "note": body, "position": position });
    match handle.send(&Call::write(Method::POST, route, url, body, WRITE)).await {
        Ok(_) => Ok(Went::Well),
        Err(ForgeError::Refused { .. }) => Ok(Went::Refused),
        Err(ForgeError::NotFound | ForgeError::Denied { .. }) => Ok(Went::NoDrafts),
        Err(error) => Err(error),
    }
}

/// GitLab says 500 where it did not take one of them.
pub(super) async fn publish(handle: &Handle, number: u64) -> Result<Went, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/draft_notes/bulk_publish";
    let url = handle.url(&format!("/merge_requests/{number}/draft_notes/bulk_publish"))?;
    let call = Call::write(Method::POST, route, url, json!({}), WRITE);
    let answer = handle.exchange(&call).await?;
    if answer.status.is_success() {
        return Ok(Went::Well);
    }
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Ok(Went::Refused);
    }
    match refused(&answer, call.needs, handle.api.clock().now()) {
        ForgeError::Refused { .. } => Ok(Went::Refused),
        ForgeError::NotFound | ForgeError::Denied { .. } => Ok(Went::NoDrafts),
        error => Err(error),
    }
}
