//! Discussions on lines.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;

use super::client::{Scene, position};

const ROUTE: &str = "/merge_requests/7/discussions";

#[tokio::test]
async fn an_added_line_has_one_number_a_removed_one_the_other_and_an_unchanged_one_both() {
    let scene = Scene::new().await;
    let change = scene.change();
    let post = async |old: Option<u64>, new: Option<u64>| {
        let body = json!({ "body": "here", "position": position(&change, old, new) });
        scene.post(ROUTE, body).await
    };
    for (old, new) in [
        (None, Some(2)),
        (None, Some(7)),
        (Some(2), None),
        (Some(3), Some(3)),
        (Some(12), Some(13)),
    ] {
        let got = post(old, new).await;
        assert_eq!(got.status, 201, "{old:?} {new:?}: {}", got.text);
        let note = &got.json()["notes"][0];
        assert_eq!((&note["type"], &note["resolvable"]), (&json!("DiffNote"), &json!(true)));
        assert_eq!(note["position"]["new_line"], json!(new));
    }
    let no_line = r#"400 400 Bad request - Note {:line_code=>["can't be blank", "must be a valid line code"]}"#;
    for (old, new) in
        [(None, Some(3)), (Some(3), None), (Some(3), Some(4)), (None, Some(99)), (Some(2), Some(2))]
    {
        assert_eq!(post(old, new).await.message(), no_line, "{old:?} {new:?}");
    }
    assert_eq!(change.threads().len(), 5);
    insta::assert_snapshot!(change.thread("app.py:2").replace(&scene.write.username(), "bot"), @r"
    app.py:2

    bot:
    here

    ---

    app.py:2 (base)

    bot:
    here
    ");
}

#[tokio::test]
async fn a_position_that_lacks_something_is_incomplete() {
    let scene = Scene::new().await;
    let change = scene.change();
    for missing in ["base_sha", "start_sha", "head_sha", "new_line"] {
        let mut place = position(&change, None, Some(2));
        place.as_object_mut().unwrap().remove(missing);
        let got = scene.post(ROUTE, json!({ "body": "x", "position": place })).await;
        assert_eq!(
            (got.status, got.json()),
            (400, json!({ "message": { "position": ["is incomplete"] } })),
            "{missing}"
        );
    }
    let mut place = position(&change, None, Some(2));
    place["position_type"] = json!(null);
    let got = scene.post(ROUTE, json!({ "body": "x", "position": place })).await;
    assert_eq!(got.json()["error"], "position[position_type] is missing");
    assert_eq!(scene.post(ROUTE, json!({})).await.json()["error"], "body is missing");
    let mut other = position(&change, None, Some(2));
    other["head_sha"] = json!("0".repeat(40));
    assert_eq!(scene.post(ROUTE, json!({ "body": "x", "position": other })).await.status, 400);
}

#[tokio::test]
async fn a_range_names_its_ends_by_line_codes() {
    let scene = Scene::new().await;
    let change = scene.change();
    let code = |old: u64, new: u64| {
        format!("{}_{old}_{new}", hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, b"app.py")))
    };
    let mut place = position(&change, None, Some(7));
    place["line_range"] = json!({
        "start": { "line_code": code(6, 6), "type": null, "old_line": 6, "new_line": 6 },
        "end": { "line_code": code(7, 7), "type": "new", "old_line": null, "new_line": 7 },
    });
    assert_eq!(scene.post(ROUTE, json!({ "body": "x", "position": place })).await.status, 201);
    assert!(scene.gitlab.problems().is_empty(), "{:?}", scene.gitlab.problems());
    assert_eq!(change.threads()[0].start_line, Some(6));
    place["line_range"]["start"]["line_code"] = json!(code(6, 7));
    assert_eq!(scene.post(ROUTE, json!({ "body": "x", "position": place })).await.status, 201);
    assert_eq!(scene.gitlab.take_problems().len(), 1);
}

#[tokio::test]
async fn a_thread_moves_with_its_line_and_is_outdated_without_it() {
    let scene = Scene::new().await;
    let change = scene.change();
    for line in [2, 7] {
        scene
            .post(ROUTE, json!({ "body": "x", "position": position(&change, None, Some(line)) }))
            .await;
    }
    let first = change.head();
    change.push(&[(
        "app.py",
        "zero\none\nTWO\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n",
    )]);
    let threads = change.threads();
    assert_eq!((threads[0].line, threads[0].outdated), (Some(3), false));
    assert_eq!((threads[1].line, threads[1].outdated), (None, true));
    let read = scene.get(ROUTE).await.json();
    let now = &read[0]["notes"][0]["position"];
    assert_eq!((&now["new_line"], &now["head_sha"]), (&json!(3), &json!(change.head())));
    let old = &read[1]["notes"][0]["position"];
    assert_eq!((&old["new_line"], &old["head_sha"]), (&json!(7), &json!(first)));
    assert_eq!(read[2]["notes"][0]["system"], true);
    assert!(change.thread("app.py:7").contains("outdated"));
    change.rebase(&[("other.py", "x\n")]);
    assert_eq!(change.threads()[0].line, Some(3));
}

#[tokio::test]
async fn a_thread_is_answered_and_resolved_by_those_who_may() {
    let scene = Scene::new().await;
    let change = scene.change().author("alice");
    let body = json!({ "body": "x", "position": position(&change, None, Some(2)) });
    let id = scene.post(ROUTE, body).await.json()["id"].as_str().unwrap().to_owned();
    assert!(change.reply("app.py:2", "alice", "/fp it is fine").is_some());
    let answer = scene.post(&format!("{ROUTE}/{id}/notes"), json!({ "body": "noted" })).await;
    assert_eq!((answer.status, &answer.json()["type"]), (201, &json!("DiffNote")));
    let one = format!("{ROUTE}/{id}");
    let resolved = scene.put(&one, json!({ "resolved": true })).await.json();
    assert_eq!(resolved["notes"][0]["resolved_by"]["username"], scene.write.username());
    assert!(change.thread("app.py:2").contains("resolved by project_"));
    scene.write.role(20);
    assert_eq!(scene.put(&one, json!({ "resolved": false })).await.status, 403);
    change.resolve("app.py:2", "alice", false);
    assert!(!change.thread("app.py:2").contains("resolved by"));
    assert_eq!(
        scene.put(&format!("{ROUTE}/none"), json!({ "resolved": true })).await.message(),
        "404 404 Discussion Not Found"
    );
    assert_eq!(scene.gitlab.unread(), Vec::<String>::new());
}

#[tokio::test]
async fn drafts_are_seen_by_nobody_until_all_are_published() {
    let scene = Scene::new().await;
    let change = scene.change();
    let route = "/merge_requests/7/draft_notes";
    for line in [2, 7] {
        let body = json!({ "note": "d", "position": position(&change, None, Some(line)) });
        assert_eq!(scene.post(route, body).await.status, 201);
    }
    let wrong = json!({ "note": "d", "position": position(&change, None, Some(3)) });
    assert_eq!(scene.post(route, wrong).await.status, 400);
    let third = scene.post(route, json!({ "note": "gone" })).await.json();
    assert_eq!(scene.delete(&format!("{route}/{}", third["id"])).await.status, 204);
    assert_eq!(scene.get(route).await.json(), json!([]), "they are another user's");
    let own = scene
        .ask("GET", &format!("{}{route}", super::client::SHOP), &scene.write.value(), None)
        .await
        .json();
    assert_eq!(own.as_array().unwrap().len(), 2);
    assert!(own[0]["line_code"].as_str().unwrap().ends_with("_3_2"), "{own}");
    let edit = scene.put(&format!("{route}/{}", own[0]["id"]), json!({ "note": "edited" })).await;
    assert_eq!(edit.json()["note"], "edited");
    assert_eq!((change.threads().len(), change.drafts()), (0, 2));
    assert_eq!(scene.post(&format!("{route}/bulk_publish"), json!({})).await.status, 204);
    assert_eq!((change.threads().len(), change.drafts()), (2, 0));
    assert!(change.thread("app.py:2").contains("edited"));
}
