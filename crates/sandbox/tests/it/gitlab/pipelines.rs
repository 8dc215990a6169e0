//! Pipelines, jobs and what they leave.

use serde_json::json;

use super::client::{SHOP, Scene};

const REPORT: &str = r#"{"version":"15.0.7","vulnerabilities":[]}"#;

#[tokio::test]
async fn a_report_is_found_from_the_merge_request_to_the_artifact() {
    let scene = Scene::new().await;
    let change = scene.change();
    let job = change.job("semgrep-sast").report("sast", "gl-sast-report.json", REPORT);
    change.job("lint").status("failed");
    let pipelines = scene.get("/merge_requests/7/pipelines").await.json();
    assert_eq!(
        (&pipelines[0]["id"], &pipelines[0]["sha"]),
        (&json!(job.pipeline()), &json!(change.head()))
    );
    let same = scene.get(&format!("/pipelines?sha={}", change.head())).await.json();
    assert_eq!(same, pipelines);
    let jobs =
        scene.get(&format!("/pipelines/{}/jobs?scope[]=success", job.pipeline())).await.json();
    assert_eq!(jobs.as_array().unwrap().len(), 1);
    assert_eq!(
        (&jobs[0]["name"], &jobs[0]["artifacts"][1]["file_type"]),
        (&json!("semgrep-sast"), &json!("sast"))
    );
    let path = format!("/jobs/{}/artifacts/gl-sast-report.json", job.id());
    assert_eq!(scene.get(&path).await.text, REPORT);
    assert_eq!(scene.get(&format!("/jobs/{}/artifacts/other.json", job.id())).await.status, 404);
    let by_name = "/raw/gl-sast-report.json?job=semgrep-sast";
    let reference = "/jobs/artifacts/refs%2Fmerge-requests%2F7%2Fhead";
    assert_eq!(scene.get(&format!("{reference}{by_name}")).await.text, REPORT);
    for wrong in ["change-7", &change.head()] {
        assert_eq!(
            scene.get(&format!("/jobs/artifacts/{wrong}{by_name}")).await.status,
            404,
            "{wrong}"
        );
    }
    change.branch_job("semgrep-sast").artifact("gl-sast-report.json", "{}");
    assert_eq!(scene.get(&format!("/jobs/artifacts/change-7{by_name}")).await.text, "{}");
    job.pipeline_status("running");
    assert_eq!(scene.get(&format!("{reference}{by_name}")).await.status, 404);
}

#[tokio::test]
async fn a_report_that_is_in_no_archive_cannot_be_had() {
    let scene = Scene::new().await;
    let job = scene.change().job("sast").report_alone("sast", "gl-sast-report.json", REPORT);
    let shown = scene.get(&format!("/jobs/{}", job.id())).await.json();
    assert_eq!(shown["artifacts"][0]["file_type"], "sast");
    assert!(shown.get("artifacts_file").is_none());
    assert_eq!(
        scene.get(&format!("/jobs/{}/artifacts/gl-sast-report.json", job.id())).await.status,
        404
    );
}

#[tokio::test]
async fn artifacts_for_developers_are_not_for_reporters() {
    let scene = Scene::new().await;
    let job = scene.change().job("sast").artifact("r.json", REPORT).developers_only();
    let path = format!("/jobs/{}/artifacts/r.json", job.id());
    assert_eq!(scene.get(&path).await.status, 403);
    scene.read.role(30);
    assert_eq!(scene.get(&path).await.status, 200);
}

#[tokio::test]
async fn an_artifact_elsewhere_is_fetched_without_the_token() {
    let scene = Scene::new().await;
    let job = scene.change().job("sast").artifact("out/r.json", REPORT).elsewhere();
    let url = format!("{}{SHOP}/jobs/{}/artifacts/out/r.json", scene.gitlab.api_url(), job.id());
    let alone = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let alone = alone.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let first = alone.get(&url).header("private-token", scene.read.value()).send().await.unwrap();
    assert_eq!(first.status(), 302);
    let there = first.headers()["location"].to_str().unwrap().to_owned();
    assert!(there.starts_with(&scene.gitlab.objects_url()), "{there}");
    assert_eq!(alone.get(&there).send().await.unwrap().text().await.unwrap(), REPORT);
    let unsigned = there.split('?').next().unwrap();
    assert_eq!(alone.get(unsigned).send().await.unwrap().status(), 403);
    assert!(scene.gitlab.problems().is_empty());
    // A client that follows by itself takes headers of its own along.
    let got =
        scene.client.get(&url).header("private-token", scene.read.value()).send().await.unwrap();
    assert_eq!(got.status(), 200);
    assert_eq!(
        scene.gitlab.problems(),
        ["fake gitlab: private-token was sent to the host of the artifacts"]
    );
}

#[tokio::test]
async fn a_pipeline_on_the_merge_is_known_by_the_parents_of_its_commit() {
    let scene = Scene::new().await;
    let change = scene.change();
    let job = change.merge_job("sast").artifact("r.json", REPORT);
    assert_eq!(change.merge_job("sast").id(), job.id());
    let listed = scene.get("/merge_requests/7/pipelines").await.json();
    assert_eq!(listed[0]["ref"], "refs/merge-requests/7/merge");
    let sha = listed[0]["sha"].as_str().unwrap();
    assert_ne!(sha, change.head());
    let commit = scene.get(&format!("/repository/commits/{sha}")).await.json();
    assert_eq!(commit["parent_ids"], json!([change.base(), change.head()]));
    assert!(scene.gitlab.problems().is_empty());
}

#[tokio::test]
async fn child_pipelines_and_jobs_that_ran_again_are_shown_only_when_asked_for() {
    let scene = Scene::new().await;
    let change = scene.change();
    let (job, child) = (change.job("sast"), change.child_job("sast"));
    let head = change.head();
    let pipelines = async |path: &str| {
        let listed = scene.get(path).await.json();
        listed.as_array().unwrap().iter().map(|p| p["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(pipelines("/merge_requests/7/pipelines").await, [job.pipeline()]);
    assert_eq!(pipelines(&format!("/pipelines?sha={head}")).await, [job.pipeline()]);
    let path = format!("/pipelines?sha={head}&source=parent_pipeline");
    assert_eq!(pipelines(&path).await, [child.pipeline()]);
    let again = job.again();
    let path = format!("/pipelines/{}/jobs", job.pipeline());
    assert_eq!(pipelines(&path).await, [again.id()]);
    assert_eq!(pipelines(&format!("{path}?include_retried=true")).await, [again.id(), job.id()]);
    assert_eq!(change.job("sast").id(), again.id());
}
