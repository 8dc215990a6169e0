//! What is asked again, how often, and after how long.

use std::time::{Duration, Instant};

use chaffinch_egress::{Model, ModelError};
use chaffinch_openai::{Api, Config};
use serde_json::json;

use crate::{
    door::cleared,
    peer::{Peer, Reply, ask, client, complete},
};

#[tokio::test]
async fn what_may_pass_is_asked_twice_more() {
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        let bad = || Reply::text(status, "busy");
        let (result, requests) = ask(Api::Chat, [bad(), bad(), Reply::good(Api::Chat)]).await;
        assert!(result.is_ok(), "{status}");
        assert_eq!(requests, 3);
        let (result, requests) = ask(Api::Chat, (0..9).map(|_| bad())).await;
        let wanted = match status {
            429 => ModelError::RateLimited { after: None },
            _ => ModelError::Unavailable(format!("the endpoint answered with status {status}")),
        };
        assert_eq!(result.unwrap_err(), wanted);
        assert_eq!(requests, 3);
    }
}

#[tokio::test]
async fn what_cannot_pass_is_asked_once() {
    let filter = json!({"error": {"code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}}});
    let overflow = json!({"error": {"code": 400, "type": "exceed_context_size_error", "n_ctx": 1}});
    let rows = [
        (Reply::error(400, "context_length_exceeded"), ModelError::TooLarge),
        (Reply::json(400, &overflow), ModelError::TooLarge),
        (Reply::json(400, &filter), ModelError::Filtered),
        (Reply::error(401, "invalid_api_key"), ModelError::Denied),
        (Reply::json(401, &json!({"error": {"code": 401}})), ModelError::Denied),
        (Reply::error(403, "unsupported_country"), ModelError::Denied),
        (Reply::text(402, ""), ModelError::Quota),
        (Reply::error(429, "insufficient_quota"), ModelError::Quota),
        (
            Reply::error(429, "billing_hard_limit_reached").header("retry-after", 1),
            ModelError::Quota,
        ),
        (Reply::text(413, ""), ModelError::TooLarge),
        (
            Reply::error(404, "model_not_found"),
            ModelError::Other("the endpoint has no such path or model (status 404)".into()),
        ),
        (
            Reply::text(503, "").header("x-should-retry", false),
            ModelError::Unavailable("the endpoint answered with status 503".into()),
        ),
        (Reply::text(204, ""), ModelError::Malformed("the reply is not json".into())),
    ];
    for (reply, wanted) in rows {
        let again = matches!(wanted, ModelError::Malformed(_));
        let (result, requests) = ask(Api::Chat, [reply.clone(), reply.clone(), reply]).await;
        assert_eq!(result.unwrap_err(), wanted);
        assert_eq!(requests, if again { 3 } else { 1 }, "{wanted:?}");
    }
}

#[tokio::test]
async fn the_endpoint_may_ask_for_a_retry_that_its_status_does_not() {
    let (result, requests) = ask(
        Api::Chat,
        [Reply::text(400, "").header("x-should-retry", true), Reply::good(Api::Chat)],
    )
    .await;
    assert!(result.is_ok());
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn a_lost_connection_is_asked_again() {
    let (result, requests) =
        ask(Api::Chat, [Reply::broken(r#"{"choi"#), Reply::broken(""), Reply::good(Api::Chat)])
            .await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(requests, 3);
    let (result, requests) = ask(Api::Chat, (0..9).map(|_| Reply::broken("{"))).await;
    assert!(matches!(result, Err(ModelError::Unavailable(_))), "{result:?}");
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn an_error_that_is_never_told_to_its_end_is_still_that_error() {
    let (result, requests) = ask(Api::Chat, [Reply::hanging(401, "{")]).await;
    assert_eq!(result.unwrap_err(), ModelError::Denied);
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let config =
        Config { backoff: Duration::from_millis(1), ..Config::new(url.parse().unwrap(), "m") };
    let error = complete(&config).await.unwrap_err();
    assert_eq!(error, ModelError::Unreachable("cannot connect".into()));
}

#[tokio::test]
async fn a_pause_that_the_endpoint_names_is_kept() {
    let limited = || Reply::error(429, "rate_limit_exceeded");
    for (reply, pause) in [
        (limited().header("retry-after-ms", 150), 150),
        (limited().header("retry-after-ms", 150).header("retry-after", 9), 150),
        (limited().header("retry-after", "0.2"), 200),
        (limited().header("retry-after", 1), 1000),
        (Reply::text(503, "").header("retry-after-ms", "120.5"), 120),
    ] {
        let peer = Peer::start([reply, Reply::good(Api::Chat)]).await;
        complete(&peer.config(Api::Chat)).await.unwrap();
        let seen = peer.seen();
        let waited = seen[1].at - seen[0].at;
        let pause = Duration::from_millis(pause);
        assert!(waited >= pause && waited < pause + Duration::from_secs(5), "{waited:?}");
    }
}

#[tokio::test]
async fn a_long_pause_is_the_callers_to_wait() {
    let started = Instant::now();
    for (status, seconds) in [(429, 21), (503, 60), (429, 999_999)] {
        let busy = Reply::text(status, "").header("retry-after", seconds);
        let peer = Peer::start([busy, Reply::good(Api::Chat)]).await;
        let config = peer.config(Api::Chat);
        let client = client(&config);
        for _ in 0..2 {
            let error = client.complete(&cleared(&config, "q").await).await.unwrap_err();
            let ModelError::RateLimited { after: Some(after) } = error else { panic!("{error:?}") };
            // The clock runs between the reply and the answer.
            let wanted = Duration::from_secs(seconds.min(3600));
            assert!(after <= wanted && after > wanted - Duration::from_secs(5), "{after:?}");
        }
        assert_eq!(peer.count(), 1, "the second call does not even ask");
    }
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_date_to_ask_again_at_is_read() {
    // The test clock starts on day 20,000 after 1970-01-01.
    let busy = Reply::text(429, "").header("retry-after", "Fri, 04 Oct 2024 00:10:00 GMT");
    let (result, _) = ask(Api::Chat, [busy]).await;
    let Err(ModelError::RateLimited { after: Some(after) }) = result else { panic!("{result:?}") };
    assert!(after > Duration::from_secs(590) && after <= Duration::from_secs(600), "{after:?}");
}

#[tokio::test]
async fn pauses_of_our_own_grow() {
    let peer = Peer::start((0..5).map(|_| Reply::text(500, ""))).await;
    let config =
        Config { backoff: Duration::from_millis(40), max_retries: 3, ..peer.config(Api::Chat) };
    complete(&config).await.unwrap_err();
    let seen = peer.seen();
    let gaps: Vec<u128> = seen.windows(2).map(|w| (w[1].at - w[0].at).as_millis()).collect();
    assert_eq!(gaps.len(), 3);
    for (gap, least) in gaps.iter().zip([30, 60, 120]) {
        assert!(*gap >= least, "{gaps:?}");
    }
}

#[tokio::test]
async fn retries_end_with_the_time_for_the_call() {
    let peer = Peer::start((0..9).map(|_| Reply::text(500, ""))).await;
    let config = Config {
        backoff: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
        ..peer.config(Api::Chat)
    };
    let started = Instant::now();
    let error = complete(&config).await.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("the endpoint answered with status 500".into()));
    assert!(started.elapsed() < Duration::from_secs(4), "it does not wait for nothing");
    assert_eq!(peer.count(), 1);
}
