//! A delivery becomes a durable job, and only then an answer.

mod installation;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chaffinch_core::{Enqueued, ForgeKind};
use futures::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    App,
    app::Permission,
    forges::{Received, Rejected},
    metric,
};

/// Bytes of deliveries that may be in memory at a time. Anybody may send one, and only a whole one can
/// be checked. Bytes count as they arrive: who only says that many will come takes no room.
pub(super) const ROOM: usize = 256 << 20;
/// Whoever was refused for want of room may come again after so many seconds: no delivery takes longer.
const RETRY_AFTER: &str = "10";

/// `POST /webhooks/github`, `POST /webhooks/gitlab`: 202 accepted, 204 authentic but not ours, 400
/// malformed, 401 bad signature, 404 no such forge, 413 too large, 503 cannot be kept, or no room for
/// it now.
pub(super) async fn deliver(
    forge: ForgeKind,
    State(app): State<Arc<App>>,
    room: Arc<Semaphore>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let (outcome, status, says) = match read(body, app.limits.delivery_bytes, &room).await {
        Ok(body) => receive(&app, forge, &head.headers, &body.bytes).await,
        Err(refused) => refused,
    };
    metrics::counter!(metric::DELIVERIES, "forge" => forge.as_str(), "outcome" => outcome)
        .increment(1);
    if outcome == NO_ROOM.0 {
        return (status, [(header::RETRY_AFTER, RETRY_AFTER)], says).into_response();
    }
    (status, says).into_response()
}

const NO_ROOM: Answer =
    ("no_room", StatusCode::SERVICE_UNAVAILABLE, "too many deliveries at once, redeliver later\n");
const TOO_LARGE: Answer = ("malformed", StatusCode::PAYLOAD_TOO_LARGE, "too large\n");
const CUT_OFF: Answer = ("malformed", StatusCode::BAD_REQUEST, "the delivery was cut off\n");

/// A body, and the room that it takes until it is dropped.
#[derive(Debug)]
struct Held<'r> {
    bytes: Vec<u8>,
    _room: Option<SemaphorePermit<'r>>,
}

/// Reads a body of at most `most` bytes, as long as there is room.
async fn read(body: Body, most: usize, room: &Semaphore) -> Result<Held<'_>, Answer> {
    let (mut bytes, mut held) = (Vec::new(), None::<SemaphorePermit<'_>>);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| CUT_OFF)?;
        if bytes.len() + piece.len() > most {
            return Err(TOO_LARGE);
        }
        let size = u32::try_from(piece.len()).map_err(|_| TOO_LARGE)?;
        let more = room.try_acquire_many(size).map_err(|_| NO_ROOM)?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Held { bytes, _room: held })
}

const UNKEPT: Answer =
    ("unkept", StatusCode::SERVICE_UNAVAILABLE, "cannot be kept now, redeliver later\n");

type Answer = (&'static str, StatusCode, &'static str);

async fn receive(app: &Arc<App>, forge: ForgeKind, headers: &HeaderMap, body: &[u8]) -> Answer {
    let job = match app.forges.receive(forge, headers, body) {
        Ok(Received::Job(job)) => job,
        Ok(Received::Installation(installation)) => {
            return installation::moved(app, installation).await;
        }
        Ok(Received::NotOurs(why)) => {
            tracing::debug!(why, "delivery is not ours");
            return ("not_ours", StatusCode::NO_CONTENT, "");
        }
        Err(Rejected::BadSignature) => {
            tracing::warn!("delivery with a bad signature refused");
            return ("bad_signature", StatusCode::UNAUTHORIZED, "bad signature\n");
        }
        Err(Rejected::Stale) => {
            tracing::warn!(
                "delivery that was signed long ago, or ahead, refused: is a clock wrong?"
            );
            return ("stale", StatusCode::UNAUTHORIZED, "signed too long ago, or ahead\n");
        }
        Err(Rejected::NoForge) => {
            tracing::warn!(forge = forge.as_str(), "delivery of a forge that is not configured");
            return ("no_forge", StatusCode::NOT_FOUND, "this forge is not configured\n");
        }
        Err(Rejected::Malformed(error)) => {
            tracing::warn!(error, "malformed delivery refused");
            return ("malformed", StatusCode::BAD_REQUEST, "malformed delivery\n");
        }
    };
    match app.may_read(&job.repo).await {
        Ok(Permission::Granted) => {}
        Ok(Permission::Unlisted) => {
            tracing::warn!(delivery = %job.delivery, repository = %job.repo.name, "refused: the repository is not in policy.repositories, or not yet in force");
            return ("unlisted", StatusCode::NO_CONTENT, "");
        }
        Ok(Permission::Unconsented) => {
            tracing::warn!(delivery = %job.delivery, repository = %job.repo.name, "refused: nobody has enabled the repository (chaffinch enable {} --by WHO)", job.repo.name);
            return ("unconsented", StatusCode::NO_CONTENT, "");
        }
        Err(e) => {
            tracing::error!(delivery = %job.delivery, error = %e, "delivery could not be kept");
            return UNKEPT;
        }
    }
    match app.enqueue(&job).await {
        Ok(Enqueued::New) => {
            tracing::info!(delivery = %job.delivery, repository = %job.repo.name, "accepted");
            ("accepted", StatusCode::ACCEPTED, "accepted\n")
        }
        Ok(Enqueued::Duplicate) => {
            tracing::info!(delivery = %job.delivery, repository = %job.repo.name, "known already");
            ("duplicate", StatusCode::ACCEPTED, "known already\n")
        }
        Err(e) => {
            tracing::error!(delivery = %job.delivery, error = %e, "delivery could not be kept");
            UNKEPT
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{channel::mpsc, stream};

    use super::*;

    type Piece = Result<Vec<u8>, std::io::Error>;

    fn body(pieces: impl IntoIterator<Item = usize>) -> Body {
        let pieces: Vec<Piece> = pieces.into_iter().map(|size| Ok(vec![0; size])).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn bodies_of_strangers_are_bounded_together() {
        let room = Semaphore::new(100);
        // One that stalls has its bytes in memory for as long as it is waited for.
        let (stalls, pieces) = mpsc::unbounded::<Piece>();
        stalls.unbounded_send(Ok(vec![0; 60])).unwrap();
        let mut stalled = Box::pin(read(Body::from_stream(pieces), 80, &room));
        assert!(futures::poll!(&mut stalled).is_pending());
        let whole = read(body([10, 20]), 80, &room).await.unwrap();
        assert_eq!((whole.bytes.len(), room.available_permits()), (30, 10));
        assert_eq!(read(body([5, 6]), 80, &room).await.unwrap_err(), NO_ROOM);
        assert_eq!(read(body([10]), 80, &room).await.unwrap().bytes.len(), 10);
        drop((stalled, whole));
        assert_eq!(room.available_permits(), 100, "all of it is given back");
    }

    #[tokio::test]
    async fn a_body_past_the_limit_is_read_no_further() {
        let room = Semaphore::new(100);
        let endless = stream::repeat_with(|| Piece::Ok(vec![0; 10]));
        let refused = read(Body::from_stream(endless), 80, &room).await.unwrap_err();
        assert_eq!(refused, TOO_LARGE);
        let broken = [Ok(vec![0; 10]), Err(std::io::Error::other("gone"))];
        let refused = read(Body::from_stream(stream::iter(broken)), 80, &room).await.unwrap_err();
        assert_eq!(refused, CUT_OFF);
        assert_eq!(room.available_permits(), 100);
    }
}
