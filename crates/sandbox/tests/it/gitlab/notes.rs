//! Notes on the whole.

use serde_json::json;

use super::client::{SHOP, Scene};

const ROUTE: &str = "/merge_requests/7/notes";

#[tokio::test]
async fn a_summary_is_written_edited_and_read() {
    let scene = Scene::new().await;
    let change = scene.change();
    let note = scene.post(ROUTE, json!({ "body": "first <!-- chaffinch:x -->" })).await.json();
    assert_eq!((&note["type"], &note["resolvable"]), (&json!(null), &json!(false)));
    assert_eq!(scene.gitlab.unread(), ["!7: first ⟨chaffinch:x⟩"]);
    change.summary();
    let one = format!("{ROUTE}/{}", note["id"]);
    assert_eq!(scene.put(&one, json!({ "body": "second" })).await.json()["body"], "second");
    assert_eq!(scene.gitlab.unread(), ["!7: second"]);
    assert_eq!(change.summary(), format!("{}:\nsecond", scene.write.username()));
    let listed = scene.get("/merge_requests/7/discussions").await.json();
    assert_eq!(
        (&listed[0]["individual_note"], &listed[0]["notes"][0]["id"]),
        (&json!(true), &note["id"])
    );
    assert_eq!(scene.post(ROUTE, json!({ "body": "" })).await.json()["error"], "body is empty");
    assert_eq!(scene.delete(&one).await.status, 204);
    assert_eq!(scene.get(&one).await.message(), "404 404 Not found");
    assert_eq!(change.summary(), "no summary");
}

#[tokio::test]
async fn notes_come_newest_first_with_those_of_gitlab_itself() {
    let scene = Scene::new().await;
    let change = scene.change();
    change.comment("alice", "hello");
    change.push(&[("b.py", "b\n")]);
    let all = scene.get(ROUTE).await.json();
    assert!(all[0]["body"].as_str().unwrap().starts_with("added 1 commit"));
    assert_eq!((&all[0]["system"], &all[1]["author"]["username"]), (&json!(true), &json!("alice")));
    let comments =
        scene.get(&format!("{ROUTE}?activity_filter=only_comments&sort=asc")).await.json();
    assert_eq!(comments.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn somebody_elses_note_is_for_maintainers_to_change_and_a_problem_for_us() {
    let scene = Scene::new().await;
    let change = scene.change();
    let id = change.comment("alice", "mine");
    let one = format!("{ROUTE}/{id}");
    assert_eq!(scene.put(&one, json!({ "body": "x" })).await.message(), "403 403 Forbidden");
    scene.write.role(40);
    assert_eq!(scene.put(&one, json!({ "body": "x" })).await.status, 200);
    assert_eq!(scene.gitlab.take_problems().len(), 2);
    assert!(change.delete_note(id));
    assert!(!change.delete_note(id));
}

#[tokio::test]
async fn a_form_is_read_as_json_is() {
    let scene = Scene::new().await;
    let change = scene.change();
    let (base, head) = (change.base(), change.head());
    let form = format!(
        "body=a+%26+b&position%5Bposition_type%5D=text&position[base_sha]={base}&position[start_sha]={base}\
         &position[head_sha]={head}&position[new_path]=app.py&position[old_path]=app.py&position[new_line]=2"
    );
    let url = format!("{}{SHOP}/merge_requests/7/discussions", scene.gitlab.api_url());
    let request = scene.client.post(url).header("private-token", scene.write.value());
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(request.send().await.unwrap().status(), 201);
    assert!(change.thread("app.py:2").ends_with("a & b"));
    let call = scene.gitlab.calls().pop().unwrap();
    assert_eq!(call.body.unwrap()["position"]["new_line"], "2");
}

#[tokio::test]
async fn a_suggestion_names_the_lines_that_it_replaces() {
    let scene = Scene::new().await;
    let change = scene.change();
    let text = "Better:\n```suggestion:-1+0\nTWO\nTHREE\n```\n";
    let place = super::client::position(&change, Some(3), Some(3));
    let body = json!({ "body": text, "position": place });
    let note = scene.post("/merge_requests/7/discussions", body).await.json()["notes"][0].clone();
    let suggestion = &note["suggestions"][0];
    assert_eq!((&suggestion["from_line"], &suggestion["to_line"]), (&json!(2), &json!(3)));
    assert_eq!(suggestion["to_content"], "TWO\nTHREE\n");
    let award =
        scene.post(&format!("{ROUTE}/{}/award_emoji", note["id"]), json!({ "name": "eyes" })).await;
    assert_eq!((award.status, &award.json()["awardable_id"]), (201, &note["id"]));
    change.threads();
}
