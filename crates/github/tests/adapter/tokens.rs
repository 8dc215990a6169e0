use std::sync::Arc;

use aws_lc_rs::{encoding::AsDer, signature::KeyPair};
use chaffinch_core::{Forge, ForgeError, ForgeKind, RepoName};
use chaffinch_github::{Config, ConfigError, GitHub};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::peer::*;

fn pulls(seen: &Seen) -> Option<Reply> {
    (seen.line == "GET /repos/acme/shop/pulls/7").then(|| reply(200, pull(7, HEAD, Some(42))))?
}

fn summary(seen: &Seen) -> Option<Reply> {
    seen.line
        .starts_with("GET /repos/acme/shop/issues/7/comments")
        .then(|| reply(200, json!([])))?
}

#[tokio::test]
async fn each_handle_asks_for_its_own_repository_and_permissions_and_nothing_else() {
    let peer = Peer::start(|seen| pulls(seen).or_else(|| summary(seen))).await;
    let access = peer.open().await;
    assert!(peer.seen().is_empty(), "a token was made before it was needed");
    access.source.change(7).await.unwrap();
    access.discussion.summary(&change()).await.unwrap();
    let bodies: Vec<_> = peer
        .of("POST /app/installations/5/access_tokens")
        .iter()
        .map(|s| s.body.to_string())
        .collect();
    insta::assert_snapshot!(bodies.join("\n"), @r#"
    {"permissions":{"contents":"read","pull_requests":"read","security_events":"read"},"repository_ids":[42]}
    {"permissions":{"checks":"write","pull_requests":"write"},"repository_ids":[42]}
    "#);
    let used: Vec<_> =
        peer.of("GET /repos").iter().map(|s| s.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer ghs_read1", "Bearer ghs_write2"]);
}

#[tokio::test]
async fn security_events_are_asked_for_only_where_code_scanning_is_read() {
    let peer = Peer::start(pulls).await;
    let config = Config { code_scanning: false, ..peer.config() };
    let access = peer.github_with(config, Arc::default()).open(&repo()).await.unwrap();
    access.source.change(7).await.unwrap();
    assert_eq!(access.source.reports(&change()).await.unwrap().len(), 0);
    let asked = &peer.of("POST /app")[0].body["permissions"];
    assert_eq!(*asked, json!({ "contents": "read", "pull_requests": "read" }));
}

#[tokio::test]
async fn the_assertion_is_signed_lasts_nine_minutes_and_began_a_minute_ago() {
    let peer = Peer::start(pulls).await;
    peer.open().await.source.change(7).await.unwrap();
    let mint = &peer.of("POST /app")[0];
    let jwt = mint.header("authorization").strip_prefix("Bearer ").unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    let public = DecodingKey::from_rsa_der(key_pair().public_key().as_ref());
    let claims = jsonwebtoken::decode::<Value>(jwt, &public, &validation).unwrap().claims;
    let at = now().timestamp();
    assert_eq!(claims, json!({ "iss": APP, "iat": at - 60, "exp": at + 540 }));
    assert_eq!(mint.header("x-github-api-version"), "2022-11-28");
    assert_eq!(mint.header("accept"), "application/vnd.github+json");
    assert!(mint.header("user-agent").starts_with("chaffinch/"));
}

#[tokio::test]
async fn many_first_callers_share_one_token() {
    let peer = Peer::start(pulls).await;
    let access = peer.open().await;
    let calls = (0..8).map(|_| {
        let source = Arc::clone(&access.source);
        tokio::spawn(async move { source.change(7).await.map(drop) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(peer.of("POST /app").len(), 1);
}

#[tokio::test]
async fn a_token_may_have_any_length_and_form() {
    let long = format!("ghs_{APP}_{}.{}-_{}", "a".repeat(200), "B".repeat(200), "c".repeat(110));
    assert!(long.len() > 520);
    let given = long.clone();
    let peer = Peer::start(move |seen| {
        if seen.line.starts_with("POST /app") {
            return reply(201, minted(&seen.body, &given));
        }
        pulls(seen)
    })
    .await;
    peer.open().await.source.change(7).await.unwrap();
    assert_eq!(peer.of("GET /repos")[0].header("authorization"), format!("Bearer {long}"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let peer = Peer::start(pulls).await;
    let clock = Arc::new(StillClock::default());
    let access = peer.github_with(peer.config(), Arc::clone(&clock)).open(&repo()).await.unwrap();
    access.source.change(7).await.unwrap();
    clock.advance(TimeDelta::minutes(54));
    access.source.change(7).await.unwrap();
    assert_eq!(peer.of("POST /app").len(), 1);
    clock.advance(TimeDelta::minutes(1));
    access.source.change(7).await.unwrap();
    assert_eq!(peer.of("POST /app").len(), 2);
    access.grant.revoke().await.unwrap();
    let destroyed = peer.of("DELETE /installation/token");
    let destroyed: Vec<_> = destroyed.iter().map(|s| s.header("authorization")).collect();
    assert_eq!(destroyed, ["Bearer ghs_read1", "Bearer ghs_read2"]);
}

#[tokio::test]
async fn a_clock_that_is_hours_fast_does_not_cost_a_token_a_call() {
    let peer = Peer::start(pulls).await;
    let clock = Arc::new(StillClock::default());
    clock.advance(TimeDelta::hours(3));
    let access = peer.github_with(peer.config(), clock).open(&repo()).await.unwrap();
    access.source.change(7).await.unwrap();
    access.source.change(7).await.unwrap();
    assert_eq!(peer.of("POST /app").len(), 1);
}

#[tokio::test]
async fn a_dead_token_is_replaced_once_and_then_it_is_denied() {
    let bad = || reply(401, json!({ "message": "Bad credentials" }));
    let peer = Peer::start(move |seen| {
        if seen.header("authorization") == "Bearer ghs_read1" { bad() } else { pulls(seen) }
    })
    .await;
    peer.open().await.source.change(7).await.unwrap();
    assert_eq!(peer.of("POST /app").len(), 2);

    let peer = Peer::start(move |seen| seen.line.starts_with("GET").then(bad)?).await;
    let error = peer.open().await.source.change(7).await.unwrap_err();
    assert!(matches!(error, ForgeError::Denied { .. }), "{error}");
    assert_eq!((peer.of("POST /app").len(), peer.of("GET").len()), (2, 2));
}

#[tokio::test]
async fn a_token_that_is_not_what_was_asked_for_is_destroyed_unused() {
    type Change = fn(&mut Value);
    let other = |change: Change| {
        move |seen: &Seen| {
            let mint = seen.line.starts_with("POST /app");
            mint.then(|| {
                let mut answer = minted(&seen.body, "ghs_odd");
                change(&mut answer);
                reply(201, answer)
            })?
        }
    };
    let rows: [(&str, Change); 7] = [
        ("of an unknown level", |a| a["permissions"]["contents"] = json!("all")),
        ("without one", |a| {
            drop(a["permissions"].as_object_mut().unwrap().remove("pull_requests"))
        }),
        ("with more", |a| a["permissions"]["issues"] = json!("read")),
        ("higher", |a| a["permissions"]["contents"] = json!("write")),
        ("for another", |a| a["repositories"][0]["id"] = json!(43)),
        ("for all", |a| {
            a["repositories"] = Value::Null;
            a["repository_selection"] = json!("all");
        }),
        ("without a word", |a| a["permissions"] = Value::Null),
    ];
    let mut table = Vec::new();
    for (name, change) in rows {
        let peer = Peer::start(other(change)).await;
        let error = peer.open().await.source.change(7).await.unwrap_err();
        let destroyed = peer.of("DELETE /installation/token").len();
        assert!(peer.of("GET").is_empty());
        table.push(format!("{name}: {error}; destroyed {destroyed}"));
    }
    insta::assert_snapshot!(table.join("\n"), @"
    of an unknown level: github: a token that may do more than was asked for; destroyed 1
    without one: denied: needs pull_requests: read; destroyed 1
    with more: github: a token that may do more than was asked for; destroyed 1
    higher: github: a token that may do more than was asked for; destroyed 1
    for another: github: a token that may do more than was asked for; destroyed 1
    for all: github: a token that may do more than was asked for; destroyed 1
    without a word: github: a token without a word on what it may do; destroyed 1
    ");
}

#[tokio::test]
async fn a_token_that_may_only_read_is_no_good_for_writing() {
    let peer = Peer::start(|seen| {
        let mut answer = minted(&seen.body, "ghs_odd");
        answer["permissions"]["checks"] = json!("read");
        seen.line.starts_with("POST /app").then(|| reply(201, answer))?
    })
    .await;
    let error = peer.open().await.discussion.summary(&change()).await.unwrap_err();
    assert_eq!(error.to_string(), "denied: needs checks: write");
}

#[tokio::test]
async fn a_refused_token_says_what_is_missing() {
    let rows = [
        (422, "The permissions requested are not granted to this installation."),
        (
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ),
        (422, "The repositories requested are not accessible to this installation."),
        (404, "Not Found"),
        (403, "This installation has been suspended"),
        (
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time",
        ),
        (502, "Server Error"),
    ];
    let mut table = Vec::new();
    for (status, message) in rows {
        let peer = Peer::start(move |_| reply(status, json!({ "message": message }))).await;
        let error = peer.open().await.source.change(7).await.unwrap_err();
        table.push(format!("{status} {error}"));
        assert_eq!(peer.seen().len(), 1, "a token was asked for twice");
    }
    insta::assert_snapshot!(table.join("\n"), @"
    422 denied: needs contents: read, pull_requests: read, security_events: read
    422 not found
    422 not found
    404 not found
    403 denied: needs an installation that is not suspended
    401 denied: needs the App's id and private key, and a clock that is right
    502 unavailable: 502
    ");
}

#[tokio::test]
async fn a_handle_that_is_closed_makes_no_more_tokens() {
    let peer = Peer::start(pulls).await;
    let access = peer.open().await;
    access.source.change(7).await.unwrap();
    access.grant.revoke().await.unwrap();
    access.grant.revoke().await.unwrap();
    assert_eq!(peer.of("DELETE /installation/token").len(), 1);
    assert!(access.source.change(7).await.is_err());
    assert!(access.discussion.summary(&change()).await.is_err());
    assert_eq!(peer.of("POST /app").len(), 1);
}

#[tokio::test]
async fn a_server_that_cannot_destroy_tokens_is_no_failure() {
    for status in [204, 401, 404, 501] {
        let peer = Peer::start(move |seen| {
            if seen.line.starts_with("DELETE") { reply(status, json!({})) } else { pulls(seen) }
        })
        .await;
        let access = peer.open().await;
        access.source.change(7).await.unwrap();
        access.grant.revoke().await.unwrap();
    }
}

#[tokio::test]
async fn a_repository_is_found_by_name_with_a_token_that_reads_nothing_else() {
    let peer = Peer::start(|seen| {
        let wanted = "GET /repos/Acme/Shop/installation";
        (seen.line == wanted).then(|| reply(200, json!({ "id": 5, "suspended_at": null })))?
    })
    .await;
    let found = peer.github().locate(&RepoName::new("Acme/Shop").unwrap()).await.unwrap();
    assert_eq!(found, repo());
    let body = json!({ "repositories": ["Shop"], "permissions": { "metadata": "read" } });
    assert_eq!(peer.of("POST /app/installations/5")[0].body, body);
    assert_eq!(peer.of("DELETE /installation/token").len(), 1);
}

#[tokio::test]
async fn a_repository_without_us_is_not_found() {
    let peer = Peer::start(|_| reply(404, json!({ "message": "Not Found" }))).await;
    let github = peer.github();
    assert_eq!(github.kind(), ForgeKind::GitHub);
    for name in ["acme/other", "acme/group/project"] {
        let error = github.locate(&RepoName::new(name).unwrap()).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound), "{error}");
    }
}

#[test]
fn nothing_starts_with_a_setting_that_cannot_work() {
    let good = || Config { private_key: private_key().into(), ..Config::new(APP) };
    let start =
        |config: Config| GitHub::new(config, client(), Arc::new(StillClock::default())).err();
    assert_eq!(start(good()), None);
    let url = |text: &str| Config { api_url: text.parse().unwrap(), ..good() };
    for fine in [
        "https://github.example/api/v3",
        "http://127.0.0.1:1",
        "http://[::1]:1/",
        "http://localhost:1",
    ] {
        assert_eq!(start(url(fine)), None, "{fine}");
    }
    for bad in [
        "http://github.example",
        "ftp://127.0.0.1",
        "https://u:p@h",
        "https://h/?a",
        "https://h/#a",
    ] {
        assert!(matches!(start(url(bad)), Some(ConfigError::ApiUrl(_))), "{bad}");
    }
    assert_eq!(start(Config { app_id: 0, ..good() }), Some(ConfigError::AppId));
    for key in ["", "no key", &pem("PRIVATE KEY", b"no key"), &pem("RSA PRIVATE KEY", &[0; 64])] {
        let config = Config { private_key: key.to_owned().into(), ..good() };
        assert_eq!(start(config), Some(ConfigError::PrivateKey));
    }
    for bytes in [0, (100 << 20) + 1] {
        assert!(matches!(
            start(Config { max_file_bytes: bytes, ..good() }),
            Some(ConfigError::Bytes(_))
        ));
        assert!(matches!(
            start(Config { max_report_bytes: bytes, ..good() }),
            Some(ConfigError::Bytes(_))
        ));
    }
}

#[test]
fn a_key_is_taken_in_the_form_that_github_gives_and_in_the_newer_one() {
    let pkcs8 = key_pair().as_der().unwrap();
    // The older form is what the newer one wraps: for 2,048 bits, behind 26 bytes.
    let pkcs1 = pem("RSA PRIVATE KEY", &pkcs8.as_ref()[26..]);
    let indented = format!("\n  {}\n", pkcs1);
    for key in [private_key(), pkcs1, indented] {
        let config = Config { private_key: key.into(), ..Config::new(APP) };
        assert!(GitHub::new(config, client(), Arc::new(StillClock::default())).is_ok());
    }
}
