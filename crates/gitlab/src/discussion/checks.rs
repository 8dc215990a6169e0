//! The one commit status of a merge request's head.
//!
//! A status is a name, a state and a sentence: the check's summary and annotations have no place in
//! it, and stand in the threads and the summary on the merge request.
//!
//! It is put into the pipeline that decides about the merge, where there is one. A status of its own
//! pipeline could, being green, take the place of one that failed.

use chaffinch_core::{Check, Conclusion, ForgeError};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::{
    api::{Call, encode, refused},
    body::one_line,
    handle::Handle,
    json::nullable,
    source::{merge_request, merge_request_of, merges},
};

/// The name of our status in a merge request's own pipeline; in one of a branch, the merge request's
/// number follows (`chaffinch !7`).
pub const CHECK_NAME: &str = "chaffinch";
const STATUSES: &str = "scope api, role Developer";
/// GitLab refuses a longer description.
const DESCRIPTION_LIMIT: usize = 255;
/// How often a status is set again that another one got in the way of.
const MOST_TRIES: u32 = 3;
const MOST_PAGES: usize = 3;

#[derive(Deserialize)]
struct Status {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    r#ref: Option<String>,
    #[serde(default)]
    pipeline_id: Option<u64>,
}

/// Where a status is put, and what it is called there.
struct Place {
    name: String,
    /// The commit, if it is not the head but a merge of it.
    sha: Option<String>,
    r#ref: Option<String>,
    pipeline: Option<u64>,
}

pub(super) async fn set(handle: &Handle, number: u64, check: &Check) -> Result<(), ForgeError> {
    let place = place(handle, number, check).await?;
    let sha = place.sha.as_deref().unwrap_or(check.head.as_str());
    let state = state(check.conclusion);
    let description = one_line(&check.title, DESCRIPTION_LIMIT);
    let says_so = |found: Option<Status>| {
        found.is_some_and(|s| s.status == state && s.description.as_deref() == Some(&description))
    };
    // Each status ends its pipeline anew, and that is an event, to us too: said once is enough.
    if says_so(latest(handle, sha, &place).await?) {
        return Ok(());
    }
    let mut body = json!({ "state": state, "name": place.name, "description": description });
    if let Some(r#ref) = &place.r#ref {
        body["ref"] = json!(r#ref);
    }
    if let Some(pipeline) = place.pipeline {
        body["pipeline_id"] = json!(pipeline);
    }
    let route = "/projects/{id}/statuses/{sha}";
    let call =
        Call::write(Method::POST, route, handle.url(&format!("/statuses/{sha}"))?, body, STATUSES);
    let mut pause = handle.api.back_off();
    for attempt in 1..=MOST_TRIES {
        let answer = handle.exchange(&call).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        match answer.status {
            // Two at once: nothing was done, so this may be sent again.
            StatusCode::CONFLICT if attempt < MOST_TRIES => {
                tokio::time::sleep(pause).await;
                pause *= 4;
            }
            StatusCode::CONFLICT => {
                let why = "another status of this commit is being set".to_owned();
                return Err(ForgeError::Unavailable { why });
            }
            // "Cannot transition status": it has that state already. Whether it does is looked up.
            StatusCode::BAD_REQUEST if says_so(latest(handle, sha, &place).await?) => return Ok(()),
            _ => return Err(refused(&answer, STATUSES, handle.api.clock().now())),
        }
    }
    Ok(())
}

/// Ours, the newest.
async fn latest(handle: &Handle, sha: &str, place: &Place) -> Result<Option<Status>, ForgeError> {
    let route = "/projects/{id}/repository/commits/{sha}/statuses";
    let path = format!("/repository/commits/{sha}/statuses?name={}", encode(&place.name));
    let call = handle.get(route, &path, STATUSES)?;
    let listed = match handle.list::<Status>(call, MOST_PAGES).await {
        Err(ForgeError::NotFound) => return Ok(None),
        listed => listed?.items,
    };
    let here = |s: &Status| match place.pipeline {
        Some(_) => s.pipeline_id == place.pipeline,
        None => place.r#ref.is_none() || s.r#ref == place.r#ref,
    };
    let ours = |s: &Status| s.name == place.name && here(s);
    Ok(listed.into_iter().filter(ours).max_by_key(|s| s.id))
}

/// Into the pipeline of the merge request. Without one of this head, GitLab makes a pipeline for the
/// ref: the branch's, which the merge request then shows, or for a fork, whose branch is elsewhere and
/// may be called as one of ours, the one under which we have its commits.
async fn place(handle: &Handle, number: u64, check: &Check) -> Result<Place, ForgeError> {
    let found = merge_request(handle, number).await?;
    let of_head = |sha: &str| sha == check.head.as_str();
    if let Some(pipeline) = &found.head_pipeline
        && pipeline.is_here(handle)
        && (of_head(&pipeline.sha)
            || (pipeline.is_of_merge(number) && merges(handle, &pipeline.sha, &check.head).await?))
    {
        return Ok(Place {
            name: name(number, pipeline.r#ref.as_deref()),
            sha: (!of_head(&pipeline.sha)).then(|| pipeline.sha.clone()),
            r#ref: pipeline.r#ref.clone(),
            pipeline: Some(pipeline.id),
        });
    }
    let r#ref = match (found.proposes(&check.head, handle), found.is_fork(handle)) {
        (false, _) => None,
        (true, true) => Some(format!("refs/merge-requests/{number}/head")),
        (true, false) => Some(found.source_branch).filter(|branch| !branch.is_empty()),
    };
    Ok(Place { name: name(number, r#ref.as_deref()), sha: None, r#ref, pipeline: None })
}

/// Several merge requests may propose one head, to one pipeline of its branch: there, each has a status
/// of its own, and GitLab takes the worst of them. In a pipeline of its own, none needs its number.
fn name(number: u64, reference: Option<&str>) -> String {
    match reference.and_then(merge_request_of) == Some(number) {
        true => CHECK_NAME.to_owned(),
        false => format!("{CHECK_NAME} !{number}"),
    }
}

/// GitLab has no state that is neither good nor bad and ends a pipeline. Of those that it has,
/// `skipped` counts as passed beside jobs that passed, and `pending` and `running` promise that
/// something will come of itself and keep the pipeline from ending, scanners' reports included.
/// `canceled` ends it, is never green, holds up a merge where pipelines must succeed, and is not
/// the red that a real finding has.
fn state(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failed",
        Conclusion::Neutral => "canceled",
    }
}
