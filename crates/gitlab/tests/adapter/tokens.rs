use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chaffinch_core::{Forge, ForgeError, ForgeKind, RepoId, RepoName};
use chaffinch_gitlab::{
    Config, Holder, ProjectTokens,
    permissions::{Role, Token},
};
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::peer::*;

fn project(id: u64, path: &str) -> Value {
    json!({ "id": id, "path_with_namespace": path, "description": "not read" })
}

#[tokio::test]
async fn a_project_is_found_by_its_path_with_the_token_that_reads() {
    let peer = Peer::start(|seen| {
        (seen.line == "GET /api/v4/projects/acme%2Fshop")
            .then(|| reply(200, project(42, "acme/shop")))?
    })
    .await;
    let name = RepoName::new("acme/shop").unwrap();
    assert_eq!(peer.gitlab().locate(&name).await.unwrap(), repo());
    assert_eq!(peer.seen()[0].header("private-token"), "glpat-read");
}

#[tokio::test]
async fn a_project_without_tokens_is_asked_for_nowhere() {
    let peer = Peer::start(|_| None).await;
    let name = RepoName::new("acme/other").unwrap();
    assert!(matches!(peer.gitlab().locate(&name).await, Err(ForgeError::NotFound)));
    let other = RepoId { name, ..repo() };
    assert!(matches!(peer.gitlab().open(&other).await, Err(ForgeError::Denied { .. })));
    let github = RepoId { forge: ForgeKind::GitHub, ..repo() };
    assert!(peer.gitlab().open(&github).await.is_err());
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn an_old_name_that_leads_out_of_what_the_tokens_are_for_is_not_found() {
    let peer = Peer::start(|seen| {
        (seen.line == "GET /api/v4/projects/acme%2Fshop")
            .then(|| reply(200, project(42, "elsewhere/shop")))?
    })
    .await;
    let name = RepoName::new("acme/shop").unwrap();
    assert!(matches!(peer.gitlab().locate(&name).await, Err(ForgeError::NotFound)));
}

fn group(peer: &Peer) -> Config {
    let mut config = peer.config();
    config.tokens[0].projects = "acme/*".parse().unwrap();
    config
}

#[tokio::test]
async fn a_project_is_opened_only_where_number_and_name_belong_together() {
    for (id, path, opens) in [
        (42, "acme/shop", true),
        (42, "Acme/Shop", true),
        (42, "acme/payroll", false),
        (43, "acme/shop", false),
    ] {
        for of_group in [false, true] {
            let peer = Peer::start(move |seen| {
                (seen.line == "GET /api/v4/projects/42").then(|| reply(200, project(id, path)))?
            })
            .await;
            let config = if of_group { group(&peer) } else { peer.config() };
            match peer.gitlab_with(config).open(&repo()).await {
                Ok(_) => assert!(opens, "{id} {path}"),
                Err(error) => {
                    assert!(!opens && matches!(error, ForgeError::NotFound), "{path}: {error}");
                    assert_eq!(peer.seen().len(), 1, "nothing else is asked");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_ends_while_a_job_runs_is_no_end_of_the_job() {
    let ended = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&ended);
    let peer = Peer::start(move |seen| {
        let old = !seen.header("private-token").contains("new");
        if old && now.load(Ordering::SeqCst) {
            return reply(401, json!({ "error": "invalid_token" }));
        }
        match below(seen)? {
            ("GET", "/merge_requests/7") => reply(200, request(7, HEAD, Some(42))),
            ("POST", "/merge_requests/7/notes") => reply(201, json!({ "id": 1 })),
            _ => None,
        }
    })
    .await;
    let gitlab = peer.gitlab();
    let access = gitlab.open(&repo()).await.unwrap();
    ended.store(true, Ordering::SeqCst);
    let passing = |error: ForgeError| {
        assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("was it replaced"), "{error}");
    };
    passing(access.source.change(7).await.unwrap_err());
    // The token that writes was last taken when the job began.
    passing(access.discussion.put_summary(&change(), None, "text").await.unwrap_err());
    // The new one may come a moment later.
    passing(gitlab.open(&repo()).await.err().unwrap());
    let tokens = |read: &str, write: &str| ProjectTokens {
        projects: "acme/shop".parse().unwrap(),
        read: read.into(),
        write: write.into(),
    };
    gitlab.set_tokens(vec![tokens("glpat-new-read", "glpat-new-write")]).unwrap();
    let access = gitlab.open(&repo()).await.unwrap();
    access.source.change(7).await.unwrap();
    access.discussion.put_summary(&change(), None, "text").await.unwrap();
    // A new one that was never taken is not waited for.
    for (read, write) in [("glpat-wrong", "glpat-new-write"), ("glpat-new-read", "glpat-wrong")] {
        gitlab.set_tokens(vec![tokens(read, write)]).unwrap();
        let error = gitlab.open(&repo()).await.err().unwrap();
        assert!(matches!(error, ForgeError::Denied { .. }), "{read} {write}: {error}");
    }
}

#[tokio::test]
async fn reading_and_writing_have_a_token_each_and_the_closest_counts() {
    let peer = Peer::start(|seen| match below(seen)? {
        ("GET", "/merge_requests/7") => reply(200, request(7, HEAD, Some(42))),
        ("POST", "/merge_requests/7/notes") => reply(201, json!({ "id": 1 })),
        _ => None,
    })
    .await;
    let mut config = group(&peer);
    config.tokens.push(ProjectTokens {
        projects: "acme/shop".parse().unwrap(),
        read: "glpat-close-read".into(),
        write: "glpat-close-write".into(),
    });
    let access = peer.gitlab_with(config).open(&repo()).await.unwrap();
    access.source.change(7).await.unwrap();
    access.discussion.put_summary(&change(), None, "text").await.unwrap();
    let [read, written] = &peer.seen_since_opened()[..] else { panic!("two requests") };
    assert_eq!(read.header("private-token"), "glpat-close-read");
    assert_eq!(written.header("private-token"), "glpat-close-write");
    assert_eq!(read.header("authorization"), "");
}

#[tokio::test]
async fn the_end_of_a_job_leaves_the_operators_tokens_alone() {
    let peer = Peer::start(|_| None).await;
    peer.open().await.grant.revoke().await.unwrap();
    assert!(peer.lines().is_empty());
}

#[tokio::test]
async fn gitlab_below_a_path_is_asked_below_that_path() {
    for suffix in ["/gitlab", "/gitlab/", "/gitlab/api/v4", "/gitlab/api/v4/"] {
        let peer = Peer::start(|seen| {
            (seen.line == "GET /gitlab/api/v4/projects/42/merge_requests/7")
                .then(|| reply(200, request(7, HEAD, Some(42))))?
        })
        .await;
        let url = format!("{}{suffix}", peer.address).parse().unwrap();
        let config = Config { url, ..peer.config() };
        let access = peer.gitlab_with(config).open(&repo()).await.unwrap();
        access.source.change(7).await.unwrap();
    }
}

fn inspected(
    own: Value,
    username: &'static str,
    member: Option<u64>,
) -> impl Fn(&Seen) -> Option<Reply> {
    move |seen| match seen.line.strip_prefix("GET /api/v4")? {
        "/personal_access_tokens/self" => reply(200, own.clone()),
        "/user" => reply(200, json!({ "id": 77, "username": username })),
        "/projects/acme%2Fshop" => reply(200, project(42, "acme/shop")),
        "/projects/42/members/all/77" => match member {
            Some(level) => reply(200, json!({ "id": 77, "access_level": level })),
            None => reply(404, json!({ "message": "404 Not found" })),
        },
        _ => None,
    }
}

#[tokio::test]
async fn a_token_is_inspected_by_itself() {
    let own = json!({
        "id": 1, "name": "chaffinch read", "scopes": ["api", "write_repository"], "user_id": 77,
        "active": true, "revoked": false, "expires_at": "2027-01-31", "granular": false,
    });
    let peer = Peer::start(inspected(own, "group_3_bot_2a", Some(40))).await;
    let name = RepoName::new("acme/shop").unwrap();
    let found = peer.gitlab().inspect(&name, Token::Read).await.unwrap();
    assert_eq!(found.excess_scopes(), ["api", "write_repository"]);
    assert_eq!(found.missing_scope(), None);
    assert_eq!(found.excess_role(), Some(Role::Maintainer));
    assert_eq!(found.holder, Holder::Group);
    assert_eq!(found.expires, NaiveDate::from_ymd_opt(2027, 1, 31));
    assert_eq!(peer.seen().len(), 4);
    assert!(peer.seen().iter().all(|s| s.header("private-token") == "glpat-read"));
}

#[tokio::test]
async fn a_token_of_no_member_misses_its_role_and_an_odd_end_may_have_come() {
    let own = json!({
        "name": "w", "scopes": ["api"], "user_id": 77, "expires_at": "soon", "granular": true,
    });
    let peer = Peer::start(inspected(own, "project_42_bot_2a", None)).await;
    let name = RepoName::new("acme/shop").unwrap();
    let found = peer.gitlab().inspect(&name, Token::Write).await.unwrap();
    assert_eq!(found.missing_role(), Some(Role::Developer));
    assert_eq!(found.holder, Holder::Project);
    assert!(found.granular);
    let today = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap();
    assert!(found.ends_soon(today, chrono::TimeDelta::days(1)));
    assert_eq!(peer.seen().len(), 4);
    assert!(peer.seen().iter().all(|s| s.header("private-token") == "glpat-write"));
}

#[tokio::test]
async fn a_token_that_has_ended_is_denied_and_says_so() {
    let peer = Peer::start(|seen| {
        seen.line.contains("/self").then(|| {
            reply(401, json!({ "error": "invalid_token", "error_description": "expired" }))
        })?
    })
    .await;
    let name = RepoName::new("acme/shop").unwrap();
    let error = peer.gitlab().inspect(&name, Token::Read).await.unwrap_err();
    let ForgeError::Denied { needs } = error else { panic!("{error}") };
    assert!(needs.contains("expired or revoked"), "{needs}");
}

#[tokio::test]
async fn tokens_are_replaced_for_what_is_opened_next_and_never_by_bad_ones() {
    let peer = Peer::start(|seen| match below(seen)? {
        ("GET", "/merge_requests/7") => reply(200, request(7, HEAD, Some(42))),
        _ => None,
    })
    .await;
    let gitlab = peer.gitlab();
    let before = gitlab.open(&repo()).await.unwrap();
    let tokens = |read: &str| ProjectTokens {
        projects: "acme/shop".parse().unwrap(),
        read: read.into(),
        write: "glpat-new-write".into(),
    };
    gitlab.set_tokens(vec![tokens("glpat-new-read")]).unwrap();
    assert!(gitlab.set_tokens(vec![tokens("")]).is_err());
    assert!(gitlab.set_tokens(Vec::new()).is_err());
    let after = gitlab.open(&repo()).await.unwrap();
    for access in [before, after] {
        access.source.change(7).await.unwrap();
    }
    let used: Vec<_> =
        peer.seen_since_opened().iter().map(|s| s.header("private-token").to_owned()).collect();
    assert_eq!(used, ["glpat-read", "glpat-new-read"]);
}
