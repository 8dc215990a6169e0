use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use chaffinch_core::ForgeError;
use chaffinch_gitlab::{NewHook, Setup, Tried};
use serde_json::{Value, json};

use crate::peer::*;

const URL: &str = "https://bot.example/webhooks/gitlab";

fn setup(peer: &Peer) -> Setup {
    let url = peer.address.parse().unwrap();
    let setup = Setup::new(&url, client(), Arc::new(StillClock), "glpat-maintainer".into());
    setup.unwrap().pausing(Duration::from_millis(1))
}

fn hook(secret: &str) -> NewHook {
    NewHook { url: URL.parse().unwrap(), secret: secret.into(), jobs: false }
}

fn shown(id: u64, url: &str, signs: bool, token: bool) -> Value {
    json!({ "id": id, "url": url, "signing_token_present": signs, "token_present": token })
}

#[tokio::test]
async fn a_hook_is_told_of_what_is_needed_and_of_nothing_else() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "GET /api/v4/projects/42/hooks?per_page=100&page=1" => reply(200, json!([])),
        "POST /api/v4/projects/42/hooks" => reply(201, shown(9, URL, true, false)),
        _ => None,
    })
    .await;
    let made = setup(&peer).connect(42, &hook("whsec_c2VjcmV0")).await.unwrap();
    assert!((made.id, made.made, made.proves) == (9, true, true));
    let sent = &peer.of("POST")[0];
    let on: Vec<_> = sent.body.as_object().unwrap().iter().filter(|(_, v)| **v == true).collect();
    let on: Vec<_> = on.into_iter().map(|(name, _)| name.as_str()).collect();
    let mut on = on;
    on.sort_unstable();
    assert_eq!(on, ["enable_ssl_verification", "merge_requests_events", "pipeline_events"]);
    assert_eq!(sent.body["push_events"], false, "GitLab switches it on by itself");
    assert_eq!(sent.header("private-token"), "glpat-maintainer");
}

#[tokio::test]
async fn the_hook_that_sends_there_already_is_ours_on_whichever_page_it_is() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "GET /api/v4/projects/42/hooks?per_page=100&page=1" => {
            let other = shown(1, "https://bot.example/webhooks/gitlab/other", false, false);
            reply(200, json!([other]))?.with("x-next-page", "2")
        }
        "GET /api/v4/projects/42/hooks?per_page=100&page=2" => {
            reply(200, json!([shown(7, URL, true, true)]))?.with("x-next-page", "")
        }
        "PUT /api/v4/projects/42/hooks/7" => reply(200, shown(7, URL, true, false)),
        "DELETE /api/v4/projects/42/hooks/7" => reply(204, json!({})),
        _ => None,
    })
    .await;
    let setup = setup(&peer);
    let made = setup.connect(42, &hook("whsec_c2VjcmV0")).await.unwrap();
    assert!(!made.made);
    assert_eq!(
        peer.of("PUT")[0].body["token"],
        "",
        "an older secret token proves nothing any more"
    );
    assert_eq!(setup.disconnect(42, &URL.parse().unwrap()).await.unwrap(), 1);
}

#[tokio::test]
async fn an_older_gitlab_that_passes_over_the_signing_token_is_told_from_a_newer_one() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "GET /api/v4/projects/42/hooks?per_page=100&page=1" => reply(200, json!([])),
        "POST /api/v4/projects/42/hooks" => {
            let token = seen.body["token"].as_str().is_some_and(|token| !token.is_empty());
            reply(201, json!({ "id": 9, "url": URL, "token_present": token }))
        }
        _ => None,
    })
    .await;
    assert!(!setup(&peer).connect(42, &hook("whsec_c2VjcmV0")).await.unwrap().proves);
    assert!(setup(&peer).connect(42, &hook("a secret token of one's own")).await.unwrap().proves);
}

#[tokio::test]
async fn what_became_of_a_test_is_read_from_the_hooks_own_log() {
    let nothing = json!({ "message": "Ensure the project has merge requests." });
    for (logged, want) in [
        (json!("202"), Tried::Arrived(202)),
        (json!(204), Tried::Arrived(204)),
        (json!("401"), Tried::Refused(401)),
        (json!("internal error"), Tried::Lost("Hook execution failed".into())),
    ] {
        let (nothing, logged) = (nothing.clone(), logged.clone());
        let looks = AtomicUsize::new(0);
        let peer = Peer::start(move |seen| match seen.line.as_str() {
            "POST /api/v4/projects/42/hooks/9/test/merge_requests_events" => {
                reply(422, nothing.clone())
            }
            "POST /api/v4/projects/42/hooks/9/test/pipeline_events"
                if logged == "internal error" =>
            {
                reply(422, json!({ "message": "Hook execution failed" }))
            }
            "POST /api/v4/projects/42/hooks/9/test/pipeline_events" => reply(201, json!({})),
            // Nothing before, and a moment later than the test.
            "GET /api/v4/projects/42/hooks/9/events?per_page=1" => {
                match looks.fetch_add(1, SeqCst) {
                    0 | 1 => reply(200, json!([])),
                    _ => reply(200, json!([{ "id": 1, "response_status": logged }])),
                }
            }
            _ => None,
        })
        .await;
        assert_eq!(setup(&peer).try_out(42, 9).await.unwrap(), want);
    }
}

#[tokio::test]
async fn what_became_of_an_earlier_delivery_says_nothing_of_the_test() {
    for (status, want) in
        [(201, "the webhook's log does not show it"), (422, "Hook execution failed")]
    {
        let peer = Peer::start(move |seen| match seen.line.as_str() {
            "POST /api/v4/projects/42/hooks/9/test/merge_requests_events" => {
                reply(status, json!({ "message": "Hook execution failed" }))
            }
            "GET /api/v4/projects/42/hooks/9/events?per_page=1" => {
                reply(200, json!([{ "id": 31, "response_status": "202" }]))
            }
            _ => None,
        })
        .await;
        assert_eq!(setup(&peer).try_out(42, 9).await.unwrap(), Tried::Lost(want.to_owned()));
    }
}

#[tokio::test]
async fn who_may_not_change_settings_is_told_what_it_takes() {
    let peer = Peer::start(|_| reply(403, json!({ "message": "403 Forbidden" }))).await;
    let error = setup(&peer).connect(42, &hook("whsec_c2VjcmV0")).await.unwrap_err();
    let ForgeError::Denied { needs } = error else { panic!("{error}") };
    assert_eq!(needs, "scope api, role Maintainer");
}

#[tokio::test]
async fn an_older_gitlab_that_keeps_no_log_of_deliveries_is_no_failure() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /api/v4/projects/42/hooks/9/test/merge_requests_events" => reply(201, json!({})),
        "GET /api/v4/projects/42/hooks/9/events?per_page=1" => {
            reply(404, json!({ "error": "404 Not Found" }))
        }
        _ => None,
    })
    .await;
    assert_eq!(setup(&peer).try_out(42, 9).await.unwrap(), Tried::Untold);
}

#[tokio::test]
async fn a_hook_that_goes_back_to_a_secret_token_signs_no_longer() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "GET /api/v4/projects/42/hooks?per_page=100&page=1" => {
            reply(200, json!([shown(7, URL, true, false)]))
        }
        "PUT /api/v4/projects/42/hooks/7" => {
            let signs = seen.body.get("signing_token") != Some(&Value::Null);
            reply(200, shown(7, URL, signs, true))
        }
        _ => None,
    })
    .await;
    assert!(setup(&peer).connect(42, &hook("a secret token of one's own")).await.unwrap().proves);
}

#[test]
fn a_new_signing_token_is_what_gitlab_takes() {
    let token = chaffinch_gitlab::new_signing_token().unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token);
    assert_eq!((token.len(), token.ends_with('=')), ("whsec_".len() + 44, true), "32 bytes");
}
