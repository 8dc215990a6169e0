//! The one check run of a head.
//!
//! GitHub appends the annotations of an update to those that are there. So a run is updated only if
//! that repeats none: when it says the same already, or has none. Otherwise a new run of the same
//! name takes its place; GitHub shows the newest of a name.

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::{Annotation, AnnotationLevel, Check, Conclusion, ForgeError};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::Call,
    body::{BODY_LIMIT, cut, fit},
    handle::Handle,
};

/// The name of our check, as it stands on a pull request and in a branch's rules.
pub const CHECK_NAME: &str = "Chaffinch";
const CHECKS: &str = "checks: write";
/// GitHub takes no more in one request.
const MOST_AT_ONCE: usize = 50;
/// In all; the rest would be twenty requests and more, and nobody reads them.
const MOST_ANNOTATIONS: usize = 1_000;
const TITLE_LIMIT: usize = 255;

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    #[serde(default)]
    name: String,
    external_id: Option<String>,
    #[serde(default)]
    status: String,
    output: Option<Output>,
    app: Option<AppId>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    annotations_count: u64,
}

#[derive(Deserialize)]
struct AppId {
    id: u64,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

pub(super) async fn set(handle: &Handle, check: &Check) -> Result<(), ForgeError> {
    let annotations: Vec<Value> =
        check.annotations.iter().take(MOST_ANNOTATIONS).map(annotation).collect();
    if annotations.len() < check.annotations.len() {
        tracing::warn!(
            left_out = check.annotations.len() - annotations.len(),
            "annotations left out"
        );
    }
    let output = json!({ "title": cut(&check.title, TITLE_LIMIT), "summary": fit(&check.summary) });
    let content = json!([conclusion(check.conclusion), output, annotations]).to_string();
    let content = hex::encode(digest(&SHA256, content.as_bytes()));
    let step = |portion: &[Value], last: bool| {
        let mut output = output.clone();
        if !portion.is_empty() {
            output["annotations"] = json!(portion);
        }
        let mut body = json!({ "external_id": content, "output": output });
        // Until it is whole it is not done: a crash in between must not leave half of it as all.
        body["status"] = json!(if last { "completed" } else { "in_progress" });
        if last {
            body["conclusion"] = json!(conclusion(check.conclusion));
        }
        body
    };

    let found = latest(handle, check).await?;
    if let Some(run) = &found
        && run.status == "completed"
        && run.external_id.as_ref() == Some(&content)
    {
        // Said again without its annotations: who asked for a re-run waits for an answer.
        return update(handle, run.id, step(&[], true)).await;
    }
    let empty = |run: &Run| run.output.as_ref().is_none_or(|o| o.annotations_count == 0);
    let mut portions = annotations.chunks(MOST_AT_ONCE);
    let first = portions.next().unwrap_or_default();
    let last = portions.len() == 0;
    let id = match found.filter(empty) {
        Some(run) => {
            update(handle, run.id, step(first, last)).await?;
            run.id
        }
        None => create(handle, check, step(first, last)).await?,
    };
    while let Some(portion) = portions.next() {
        update(handle, id, step(portion, portions.len() == 0)).await?;
    }
    Ok(())
}

async fn latest(handle: &Handle, check: &Check) -> Result<Option<Run>, ForgeError> {
    let app = handle.app.id;
    let route = "/repos/{owner}/{repo}/commits/{ref}/check-runs";
    let path = format!(
        "/commits/{}/check-runs?check_name={CHECK_NAME}&filter=latest&app_id={app}",
        check.head
    );
    let runs: Runs = handle.send(&handle.get(route, &path, CHECKS)?).await?.json()?;
    let ours = |run: &Run| run.name == CHECK_NAME && run.app.as_ref().is_none_or(|a| a.id == app);
    Ok(runs.check_runs.into_iter().filter(ours).max_by_key(|run| run.id))
}

async fn create(handle: &Handle, check: &Check, mut body: Value) -> Result<u64, ForgeError> {
    body["name"] = json!(CHECK_NAME);
    body["head_sha"] = json!(check.head);
    let route = "/repos/{owner}/{repo}/check-runs";
    let call = Call::write(Method::POST, route, handle.url("/check-runs")?, body, CHECKS);
    Ok(handle.send(&call).await?.json::<Created>()?.id)
}

async fn update(handle: &Handle, id: u64, body: Value) -> Result<(), ForgeError> {
    let route = "/repos/{owner}/{repo}/check-runs/{id}";
    let url = handle.url(&format!("/check-runs/{id}"))?;
    let call = Call::write(Method::PATCH, route, url, body, CHECKS);
    handle.send(&call).await.map(drop)
}

fn annotation(note: &Annotation) -> Value {
    let level = match note.level {
        AnnotationLevel::Notice => "notice",
        AnnotationLevel::Warning => "warning",
        AnnotationLevel::Failure => "failure",
    };
    json!({
        "path": note.path,
        "start_line": note.lines.start,
        "end_line": note.lines.end,
        "annotation_level": level,
        "title": cut(&note.title, TITLE_LIMIT),
        "message": cut(&note.message, BODY_LIMIT),
    })
}

fn conclusion(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failure",
        Conclusion::Neutral => "neutral",
    }
}
