//! Opens threads: as drafts that are published together, or one by one.

use std::collections::HashSet;

use chaffinch_core::{Change, CommentId, ForgeError, Marker, NewThread, Posted};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    WRITE, compose,
    drafts::{self, Went},
    position, threads,
};
use crate::{api::Call, body::fit, handle::Handle, source::Lines};

const NOT_SHOWN: &str = "the diff does not show this line";

/// A thread that is still to be opened.
struct Open<'a> {
    /// Its place among those that were asked for.
    index: usize,
    thread: &'a NewThread,
    position: Value,
}

/// One notification for all.
pub(super) async fn post(
    handle: &Handle,
    lines: &Lines,
    change: &Change,
    threads: &[NewThread],
) -> Result<Vec<Posted>, ForgeError> {
    if threads.is_empty() {
        return Ok(Vec::new());
    }
    let diff = lines.of(change).await?;
    let mut posted = vec![Posted::Refused(NOT_SHOWN.to_owned()); threads.len()];
    let mut open = Vec::new();
    for (index, thread) in threads.iter().enumerate() {
        if let Some(position) = position::of(&diff.refs, &diff.changed, &thread.at) {
            open.push(Open { index, thread, position });
        }
    }
    // One alone is one notification anyway.
    if open.len() > 1 {
        open = together(handle, change.id.number, open, &mut posted).await?;
    }
    for Open { index, thread, position } in open {
        posted[index] = alone(handle, change.id.number, thread, &position).await?;
    }
    Ok(posted)
}

/// Answers with those that could not be opened so. A draft is not held against the diff until it is
/// published, and then one that does not fit is dropped without a word: so they are looked for.
async fn together<'a>(
    handle: &Handle,
    number: u64,
    open: Vec<Open<'a>>,
    posted: &mut [Posted],
) -> Result<Vec<Open<'a>>, ForgeError> {
    if !drafts::clear(handle, number).await? {
        return Ok(open);
    }
    let before: HashSet<u64> =
        threads::begun(handle, number).await?.iter().map(|(note, _)| *note).collect();
    for one in &open {
        match drafts::add(handle, number, &fit(&one.thread.body), &one.position).await? {
            Went::Well | Went::Refused => {}
            Went::NoDrafts => {
                drafts::clear(handle, number).await?;
                return Ok(open);
            }
        }
    }
    if !matches!(drafts::publish(handle, number).await?, Went::Well) {
        drafts::clear(handle, number).await?;
    }
    let made: Vec<_> = threads::begun(handle, number)
        .await?
        .into_iter()
        .filter(|(note, _)| !before.contains(note))
        .collect();
    let mut left = Vec::new();
    for one in open {
        // By the marker: GitLab may have changed line endings or blanks of the body.
        let marker = Marker::find(&one.thread.body);
        let same = |body: &str| match &marker {
            Some(marker) => Marker::find(body).as_ref() == Some(marker),
            None => body.trim() == one.thread.body.trim(),
        };
        match made.iter().find(|(_, body)| same(body)) {
            Some((note, _)) => {
                posted[one.index] = Posted::OnLine(CommentId(compose(number, note)));
            }
            None => left.push(one),
        }
    }
    Ok(left)
}

#[derive(Deserialize)]
struct Created {
    notes: Vec<CreatedNote>,
}

#[derive(Deserialize)]
struct CreatedNote {
    id: u64,
}

async fn alone(
    handle: &Handle,
    number: u64,
    thread: &NewThread,
    position: &Value,
) -> Result<Posted, ForgeError> {
    let route = "/projects/{id}/merge_requests/{iid}/discussions";
    let url = handle.url(&format!("/merge_requests/{number}/discussions"))?;
    let body = json!({ "body": fit(&thread.body), "position": position });
    match handle.send(&Call::write(Method::POST, route, url, body, WRITE)).await {
        Err(ForgeError::Refused { why }) => Ok(Posted::Refused(why)),
        answer => {
            let created: Created = answer?.json()?;
            let first = created.notes.first().map(|note| compose(number, note.id));
            let first = first.ok_or_else(|| ForgeError::Unavailable {
                why: "a new discussion without a note".to_owned(),
            })?;
            Ok(Posted::OnLine(CommentId(first)))
        }
    }
}
