//! Which deliveries are taken for GitLab's own.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::*;

const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sign(secret: &str, id: &str, time: i64, body: &[u8]) -> String {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let text = [format!("{id}.{time}.").as_bytes(), body].concat();
    format!("v1,{}", BASE64_STANDARD.encode(aws_lc_rs::hmac::sign(&key, &text)))
}

#[test]
fn a_delivery_has_the_id_that_is_the_same_when_it_is_sent_again() {
    let body = merge_request(json!({ "action": "open" }), json!({})).to_string();
    let hook = webhook(vec![secret(None, SECRET), secret(None, SIGNING)]);
    let id = |more: &[(&str, &str)]| {
        let all = headers(&[&[("x-gitlab-token", SECRET)], more].concat());
        match hook.receive(&all, body.as_bytes()).unwrap() {
            Received::Job(job) => job.delivery.to_string(),
            Received::NotOurs(why) => panic!("{why}"),
        }
    };
    let (key, own) = (("idempotency-key", "k1"), ("webhook-id", "w1"));
    assert_eq!(id(&[key, own]), "k1");
    assert_eq!(id(&[own]), "w1");
    assert_eq!(id(&[("idempotency-key", "not an id"), own]), "w1");
    // Shared by the deliveries of hooks that set off each other.
    let event = ("x-gitlab-event-uuid", "e1");
    assert!(id(&[event]).starts_with("sha256:"));
    assert_eq!(id(&[event]), id(&[]));
    // Only what is signed counts, where something is.
    let (time, signature) = (NOW.to_string(), sign(SIGNING, "w1", NOW, body.as_bytes()));
    assert_eq!(
        id(&[key, own, ("webhook-timestamp", &time), ("webhook-signature", &signature)]),
        "w1"
    );
}

#[test]
fn any_secret_in_rotation_is_accepted_and_no_other_none_and_no_empty_one() {
    let body = b"{}";
    let hook = webhook(vec![secret(None, SECRET), secret(None, "fedcba9876543210")]);
    for token in [SECRET, "fedcba9876543210"] {
        assert!(hook.receive(&headers(&[("x-gitlab-token", token)]), body).is_ok());
    }
    for token in ["", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0"] {
        let refused = hook.receive(&headers(&[("x-gitlab-token", token)]), body);
        assert_eq!(refused, Err(Rejected::BadSignature), "{token:?}");
    }
    assert_eq!(hook.receive(&HeaderMap::new(), body), Err(Rejected::BadSignature));
    // A signing token is never what the secret token is compared with.
    let hook = webhook(vec![secret(None, SIGNING)]);
    let refused = hook.receive(&headers(&[("x-gitlab-token", SIGNING)]), body);
    assert_eq!(refused, Err(Rejected::BadSignature));
}

#[test]
fn a_wrong_signature_never_falls_back_to_the_secret_token() {
    let body = b"{}";
    let hook = webhook(vec![secret(None, SECRET), secret(None, SIGNING)]);
    let time = NOW.to_string();
    let right = sign(SIGNING, "w1", NOW, body);
    for (signature, accepted) in
        [(right.as_str(), true), ("v1,AAAA", false), ("", false), ("v2,AAAA", false)]
    {
        let all = headers(&[
            ("x-gitlab-token", SECRET),
            ("webhook-id", "w1"),
            ("webhook-timestamp", &time),
            ("webhook-signature", signature),
        ]);
        assert_eq!(hook.receive(&all, body).is_ok(), accepted, "{signature}");
    }
}

#[test]
fn a_signed_delivery_of_another_time_is_stale() {
    let body = b"{}";
    let hook = webhook(vec![secret(None, SIGNING)]);
    for (time, stale) in
        [(NOW - 300, false), (NOW + 300, false), (NOW - 301, true), (NOW + 301, true)]
    {
        let all = headers(&[
            ("webhook-id", "w1"),
            ("webhook-timestamp", &time.to_string()),
            ("webhook-signature", &sign(SIGNING, "w1", time, body)),
        ]);
        assert_eq!(hook.receive(&all, body) == Err(Rejected::Stale), stale, "{time}");
    }
}

#[test]
fn a_secret_vouches_for_its_own_projects_alone_and_no_hook_is_stopped_for_that() {
    let body = merge_request(json!({ "action": "open" }), json!({})).to_string();
    let token = headers(&[("x-gitlab-token", SECRET)]);
    let signature = sign(SIGNING, "w1", NOW, body.as_bytes());
    let signed = headers(&[
        ("webhook-id", "w1"),
        ("webhook-timestamp", &NOW.to_string()),
        ("webhook-signature", &signature),
    ]);
    for (given, headers) in [(SECRET, &token), (SIGNING, &signed)] {
        for (projects, ours) in
            [(Some("acme/team/shop"), true), (Some("acme/*"), true), (Some("other/*"), false)]
        {
            let hook = webhook(vec![secret(projects, given)]);
            match hook.receive(headers, body.as_bytes()) {
                Ok(Received::Job(_)) => assert!(ours, "{projects:?}"),
                other => {
                    let why = "of a project that its secret is not for";
                    assert_eq!(other, Ok(Received::NotOurs(why)), "{projects:?}");
                    assert!(!ours, "{projects:?}");
                }
            }
        }
    }
    let both = webhook(vec![secret(Some("other/*"), SECRET), secret(Some("acme/*"), SECRET)]);
    assert!(matches!(both.receive(&token, body.as_bytes()), Ok(Received::Job(_))));
}

#[test]
fn a_hook_goes_from_one_kind_of_secret_to_the_other_and_back() {
    let body = merge_request(json!({ "action": "open" }), json!({})).to_string();
    let time = NOW.to_string();
    let signature = sign(SIGNING, "w1", NOW, body.as_bytes());
    let other = sign("whsec_c29tZXRoaW5nIGVsc2UgZW50aXJlbHkh", "w1", NOW, body.as_bytes());
    let delivery = |token: Option<&str>, signature: Option<&str>| {
        let mut all = vec![("webhook-id", "w1"), ("webhook-timestamp", time.as_str())];
        all.extend(token.map(|token| ("x-gitlab-token", token)));
        all.extend(signature.map(|signature| ("webhook-signature", signature)));
        headers(&all)
    };
    let of = |given: &str| secret(Some("acme/team/shop"), given);
    let (signing, plain) = (|| of(SIGNING), || of(SECRET));
    // While the hook changes over, both are in force; before and after, one.
    let hooks = [vec![signing()], vec![signing(), plain()], vec![plain()]].map(webhook);
    let rows = [
        ("signed", delivery(None, Some(&signature)), [true, true, false]),
        ("signed, with the token", delivery(Some(SECRET), Some(&signature)), [true, true, false]),
        ("signed wrongly, with the token", delivery(Some(SECRET), Some(&other)), [false; 3]),
        ("the token alone", delivery(Some(SECRET), None), [false, true, true]),
        // In clear it may have been seen by others, who could then sign.
        ("the signing token as if it were one", delivery(Some(SIGNING), None), [false; 3]),
        ("nothing", delivery(None, None), [false; 3]),
    ];
    for (what, headers, accepted) in rows {
        for (hook, accepted) in hooks.iter().zip(accepted) {
            match hook.receive(&headers, body.as_bytes()) {
                Ok(received) => assert!(accepted && matches!(received, Received::Job(_)), "{what}"),
                Err(refused) => {
                    assert!(!accepted && refused == Rejected::BadSignature, "{what}");
                }
            }
        }
    }
    // The secret token of another project's hook is no way around the signature.
    let hook = webhook(vec![signing(), secret(Some("acme/other"), SECRET)]);
    let received = hook.receive(&delivery(Some(SECRET), None), body.as_bytes());
    assert!(matches!(received, Ok(Received::NotOurs(_))), "{}", shown(received));
}

#[test]
fn nothing_starts_without_secrets_that_can_be_trusted() {
    let said = |secrets: Vec<HookSecret>| {
        let made = Webhook::new(config(secrets), Arc::new(Still(NOW)));
        made.err().unwrap().to_string()
    };
    let short = format!("whsec_{}", BASE64_STANDARD.encode("short"));
    let table = [
        said(vec![]),
        said(vec![secret(None, "short")]),
        said(vec![secret(None, "")]),
        said(vec![secret(None, &short)]),
        said(vec![secret(None, "whsec_not base64")]),
        said(vec![secret(None, SECRET); 33]),
    ];
    insta::assert_snapshot!(table.join("\n"), @"
    no webhook secret: without one, anybody could send deliveries
    a webhook secret is shorter than 16 bytes: make one with `openssl rand -hex 32`
    a webhook secret is shorter than 16 bytes: make one with `openssl rand -hex 32`
    a webhook secret is shorter than 16 bytes: make one with `openssl rand -hex 32`
    a signing token is not `whsec_` and base64: copy it again from the webhook's settings
    more than 8 webhook secrets may vouch for every project
    ");
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    signing_token: Option<String>,
    secret_token: Option<String>,
    now: i64,
    headers: HashMap<String, String>,
    body: String,
    valid: bool,
}

#[test]
fn testdata_every_signature_vector_is_judged_as_published() {
    let Some(folder) = crate::testdata::folder("protocol/gitlab") else { return };
    let text = std::fs::read(folder.join("signature-vectors.json")).unwrap();
    let Vectors { vectors } = serde_json::from_slice(&text).unwrap();
    assert!(vectors.len() >= 12);
    for v in vectors {
        let secrets = [v.signing_token, v.secret_token].into_iter().flatten();
        // Made by hand: some of the published secrets are shorter than we take.
        let keys = secrets.map(|s| (None, signature::Key::new(&s).unwrap())).collect();
        let hook = Webhook {
            ring: Ring::holding(keys, "").unwrap(),
            jobs: Vec::new(),
            sub_path: String::new(),
            clock: Arc::new(Still(v.now)),
        };
        let all: Vec<_> = v.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let accepted = hook.receive(&headers(&all), v.body.as_bytes()).is_ok();
        assert_eq!(accepted, v.valid, "{}", v.name);
    }
}
