//! Commit statuses.

use serde_json::json;

use super::client::Scene;

#[tokio::test]
async fn a_status_goes_on_until_it_has_ended_and_is_then_followed_by_another() {
    let scene = Scene::new().await;
    let change = scene.change();
    let path = format!("/statuses/{}", change.head());
    let set = async |state: &str| {
        let got = scene
            .post(&path, json!({ "state": state, "name": "Chaffinch", "description": "d" }))
            .await;
        (got.status, got.json())
    };
    let (status, first) = set("running").await;
    assert_eq!(
        (status, &first["status"], &first["ref"]),
        (201, &json!("running"), &json!("change-7"))
    );
    let (status, why) = set("running").await;
    assert_eq!(status, 400);
    assert!(
        why["message"]
            .as_str()
            .unwrap()
            .starts_with("Cannot transition status via :run from :running")
    );
    assert_eq!(set("success").await.1["id"], first["id"]);
    let (status, second) = set("success").await;
    assert_eq!(status, 201);
    assert_ne!(second["id"], first["id"]);
    let listed = scene
        .get(&format!("/repository/commits/{}/statuses?name=Chaffinch", change.head()))
        .await
        .json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &second["id"]));
    let all =
        scene.get(&format!("/repository/commits/{}/statuses?all=true", change.head())).await.json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    insta::assert_snapshot!(change.check(), @r"
    Chaffinch · success
    d
    ");
}

#[tokio::test]
async fn a_status_that_cannot_be_is_refused() {
    let scene = Scene::new().await;
    let head = scene.change().head();
    let path = format!("/statuses/{head}");
    assert_eq!(scene.post(&path, json!({})).await.json()["error"], "state is missing");
    assert_eq!(
        scene.post(&path, json!({ "state": "neutral" })).await.json()["error"],
        "state does not have a valid value"
    );
    let long = json!({ "state": "success", "description": "x".repeat(256) });
    assert_eq!(scene.post(&path, long).await.status, 400);
    let nowhere = format!("/statuses/{}", "0".repeat(40));
    assert_eq!(
        scene.post(&nowhere, json!({ "state": "success" })).await.message(),
        "404 404 Commit Not Found"
    );
}

#[tokio::test]
async fn two_that_set_a_status_at_once_get_in_each_others_way() {
    let scene = Scene::new().await;
    let path = format!("/statuses/{}", scene.change().head());
    scene.gitlab.faults().status_conflict().status_unchanged("enqueue", "pending");
    let set = async || scene.post(&path, json!({ "state": "pending" })).await.status;
    assert_eq!([set().await, set().await, set().await], [409, 400, 201]);
}
