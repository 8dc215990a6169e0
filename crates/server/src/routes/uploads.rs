//! A report that a repository's own CI sends us.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
};
use chaffinch_core::{
    CommitSha, DeliveryId, ForgeError, ForgeKind, Job, RepoName, ReportId, SourceBytes, Subject,
    Trigger, VaultKind,
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    App,
    app::Permission,
    metric,
    worker::{REPORT_KEPT, new_id, reports_of},
};

/// What an upload says about itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    repository: RepoName,
    /// The head of the change, never the merge commit that some CI systems check out.
    commit: CommitSha,
    /// The number of the change, where CI knows it.
    change: Option<u64>,
}

/// `POST /api/v1/reports?repository=OWNER/NAME&commit=SHA[&change=NUMBER]` with the report as the body
/// and the repository's token as `Authorization: Bearer`: 202 accepted, 400 malformed, 401 wrong token,
/// 403 not listed, 413 too large, 429 too many at once, 503 cannot be kept.
pub(super) async fn report(
    State(app): State<Arc<App>>,
    about: Result<Query<About>, QueryRejection>,
    headers: HeaderMap,
    request: Request,
) -> (StatusCode, String) {
    let about = match about {
        Ok(Query(about)) => about,
        Err(error) => {
            let why = error.body_text();
            let why = why.strip_prefix("Failed to deserialize query string: ").unwrap_or(&why);
            let wanted = "want ?repository=OWNER/NAME&commit=SHA, and &change=NUMBER if known";
            return (StatusCode::BAD_REQUEST, format!("{why}: {wanted}\n"));
        }
    };
    let answer = receive(&app, &about, &headers, request).await;
    let (status, says) = match answer {
        Ok(id) => (StatusCode::ACCEPTED, format!("accepted as {id}\n")),
        Err((status, why)) => (status, format!("{why}\n")),
    };
    metrics::counter!(metric::UPLOADS, "status" => status.as_u16().to_string()).increment(1);
    // Strangers are counted, but do not get to fill the log.
    if status != StatusCode::UNAUTHORIZED {
        tracing::info!(repository = %about.repository, commit = about.commit.short(), status = status.as_u16(), "upload answered");
    }
    (status, says)
}

type Refusal = (StatusCode, &'static str);

async fn receive(
    app: &Arc<App>,
    about: &About,
    headers: &HeaderMap,
    request: Request,
) -> Result<ReportId, Refusal> {
    // Who it is comes before what it sends: a stranger's body is never read.
    let Some(forge) = uploader(app, &about.repository, headers) else {
        return Err((StatusCode::UNAUTHORIZED, "no such repository, or a wrong token"));
    };
    if !app.door.allows(forge, &about.repository) {
        return Err((StatusCode::FORBIDDEN, "the repository is not in policy.repositories"));
    }
    let _room = app
        .upload_room
        .try_acquire()
        .map_err(|_| (StatusCode::TOO_MANY_REQUESTS, "too many uploads at once, try again"))?;
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|e| (e.status(), "the report is too large, or was cut off"))?;
    if body.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "the report is empty"));
    }
    let gone = (StatusCode::SERVICE_UNAVAILABLE, "its forge is not configured");
    let forge = app.forges.get(forge).ok_or(gone)?;
    let repo = forge.locate(&about.repository).await.map_err(|e| match e {
        ForgeError::NotFound => {
            (StatusCode::FORBIDDEN, "we have no access to this repository on its forge")
        }
        error => {
            tracing::warn!(%error, repository = %about.repository, "the forge does not locate a repository");
            (StatusCode::SERVICE_UNAVAILABLE, "the forge does not answer, try again later")
        }
    })?;
    match app.may_read(&repo).await {
        Ok(Permission::Granted) => {}
        Ok(_) => {
            return Err((
                StatusCode::FORBIDDEN,
                "nobody has enabled the repository (chaffinch enable OWNER/NAME --by WHO)",
            ));
        }
        Err(error) => {
            tracing::error!(%error, "it is not known whether the repository is enabled");
            return Err((StatusCode::SERVICE_UNAVAILABLE, "cannot be kept now, try again later"));
        }
    }
    let unkept = (StatusCode::SERVICE_UNAVAILABLE, "cannot be kept now, try again later");
    let id = new_id(app.clock.now(), &*app.entropy).map_err(|_| unkept)?;
    let report = SourceBytes::new(body.into());
    let key = format!("{}{id}", reports_of(&about.commit, about.change));
    app.vault.put(&repo, VaultKind::Report, &key, &report, REPORT_KEPT).await.map_err(|e| {
        tracing::error!(error = %e, "report could not be kept");
        unkept
    })?;
    let job = Job {
        delivery: DeliveryId::new(format!("upload-{id}")).map_err(|_| unkept)?,
        repo,
        subject: about.change.map_or(Subject::Head, Subject::Change),
        head: about.commit.clone(),
        source: Trigger::Report(id.clone()),
    };
    app.enqueue(&job).await.map_err(|e| {
        tracing::error!(error = %e, "report's job could not be kept");
        unkept
    })?;
    Ok(id)
}

/// The forge of the repository that the token is for. Compares in constant time, with the token of
/// every repository, so that neither the time nor the answer tells which repositories have one.
fn uploader(app: &App, repository: &RepoName, headers: &HeaderMap) -> Option<ForgeKind> {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let given = given.and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
    app.uploads.iter().fold(None, |found, known| {
        let equal = aws_lc_rs::constant_time::verify_slices_are_equal(
            given.as_bytes(),
            known.token.expose_secret().as_bytes(),
        );
        let named = known.repository.as_str().eq_ignore_ascii_case(repository.as_str());
        if equal.is_ok() & named { Some(known.forge) } else { found }
    })
}
