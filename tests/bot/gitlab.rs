//! What only GitLab has: reports of its own form in object storage, and hooks that it switches off.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Signature, true_positive};
use serde_json::json;

use crate::harness::{Bot, Change, SIGNING_TOKEN, sarif, steady};

const RULE: &str = "python.sqli";

/// GitLab's own report: `(rule, path, line)` each.
fn sast(results: &[(&str, &str, u32)]) -> String {
    let found = results.iter().map(|(rule, path, line)| {
        json!({
            "id": "x", "name": "SQL injection", "description": format!("{rule} was found here."),
            "severity": "High", "location": { "file": path, "start_line": line },
            "identifiers": [{ "type": "semgrep_id", "name": rule, "value": rule }],
        })
    });
    let scanner =
        json!({ "id": "semgrep", "name": "Semgrep", "version": "1", "vendor": { "name": "x" } });
    json!({
        "version": "15.0.7",
        "scan": { "type": "sast", "status": "success", "scanner": scanner },
        "vulnerabilities": found.collect::<Vec<_>>(),
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_of_the_pipelines_own_report_gets_one_discussion_on_its_line() {
    for base_path in ["", "/gitlab"] {
        let bot = Bot::with(ForgeKind::GitLab).base_path(base_path).start().await;
        let Change::GitLab(change) = bot.sqli_change(7) else { panic!("a merge request") };
        assert_eq!(bot.deliver("opened", 7).await, ["not_yet"]);
        assert!(change.checks().is_empty(), "never green because nothing was looked at");

        let report = sast(&[(RULE, "app/db.py", 5)]);
        change.job("semgrep-sast").report("sast", "gl-sast-report.json", report).elsewhere();
        let why = "`name` comes from the request and is put into the query text.";
        bot.model.answers([true_positive(why, "app/db.py:5")]);
        assert_eq!(bot.deliver("reported", 7).await, ["published"]);
        let thread = steady(&change.thread("app/db.py:5"));
        assert!(thread.contains("**Real: `python.sqli` (high severity)**"), "{thread}");
        assert!(thread.contains("6 lines of `app/db.py`"), "{thread}");
        let check = change.check();
        assert!(check.contains("failed") && check.contains("1 finding is real"), "{check}");

        // The same again says nothing twice, and asks nothing twice.
        bot.deliver("pushed", 7).await;
        assert_eq!(bot.model.requests().len(), 1);
        assert_eq!(change.threads().len(), 1);
        assert_eq!(change.drafts(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_came_to_no_end_keeps_the_status_from_green_until_it_has() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let Change::GitLab(change) = bot.sqli_change(7) else { panic!("a merge request") };
    let clean = sast(&[]);
    change.job("semgrep-sast").report("sast", "gl-sast-report.json", clean.clone());
    for (status, why) in [("running", "running"), ("canceled", "canceled"), ("failed", "failed")] {
        change.job("brakeman-sast").status(status);
        assert_eq!(bot.deliver("reported", 7).await, ["published"]);
        let check = change.check();
        assert!(check.contains("canceled\n1 report could not be read"), "{status}: {check}");
        let summary = steady(&change.summary());
        assert!(summary.contains("A report could not be read: there is none ("), "{summary}");
        assert!(summary.contains(&format!(":gl-sast-report.json:{why})")), "{summary}");
    }
    // It is run again, and that one counts.
    let again = change.job("brakeman-sast").again();
    again.report("sast", "gl-sast-report.json", clean);
    assert_eq!(bot.deliver("reported", 7).await, ["published"]);
    assert!(change.check().contains("success"), "{}", change.check());
    assert!(change.summary().contains("No finding touches this change any more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_still_running_alone_is_no_news() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let Change::GitLab(change) = bot.sqli_change(7) else { panic!("a merge request") };
    change.job("semgrep").status("running");
    assert_eq!(bot.deliver("opened", 7).await, ["not_yet"]);
    assert!(change.checks().is_empty());
    change.job("semgrep").status("canceled");
    assert_eq!(bot.deliver("reported", 7).await, ["published"]);
    assert!(change.check().contains("1 report could not be read"), "{}", change.check());
    assert!(change.summary().contains("canceled"), "{}", change.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_green_while_a_scan_is_running() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let change = bot.sqli_change(7);
    let Change::GitLab(request) = &change else { panic!("a merge request") };
    let scan = request.job("semgrep-sast");
    scan.status("running");
    assert_eq!(bot.upload(&change, &sarif("CodeQL", &[])).await, 202);
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.conclusion(), "neutral");
    assert!(change.summary().contains("running"), "{}", change.summary());

    scan.again().report("sast", "gl-sast-report.json", sast(&[]));
    assert_eq!(bot.deliver("reported", 7).await, ["published"]);
    assert_eq!(change.conclusion(), "success");
    assert!(change.summary().contains("No finding touches this change any more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_read_up_to_the_bound_that_is_configured() {
    let report = sast(&[]);
    for (bound, conclusion) in [(4096, "success"), (1024, "neutral")] {
        let bot = Bot::with(ForgeKind::GitLab)
            .set("SERVER__MAX_REPORT_BYTES", bound.to_string())
            .start()
            .await;
        let change = bot.sqli_change(7);
        let Change::GitLab(request) = &change else { panic!("a merge request") };
        let padded = format!("{report}{}", " ".repeat(2000));
        request.job("semgrep-sast").report("sast", "gl-sast-report.json", padded);
        assert_eq!(bot.deliver("reported", 7).await, ["published"]);
        assert_eq!(change.conclusion(), conclusion, "{bound}");
        assert_eq!(change.summary().contains("larger than 1024 bytes"), bound == 1024);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_no_secret_is_for_is_no_failure_of_the_hook() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    let repo = bot.forge.repo("acme/payroll");
    repo.base_file("README", "x\n").file("a.py", "x = 1\n").change(8);
    for _ in 0..5 {
        bot.consent().await;
        assert_eq!(bot.forge.deliver("opened", 8).await.status, 204);
    }
    assert!(bot.work().await.is_empty());
    assert!(bot.forge.calls().is_empty(), "nothing is asked about it");
    let hook = bot.forge.gitlab().project("acme/payroll").hooks().remove(0);
    assert_eq!(hook.alert_status(), "executable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_names_another_projects_number_reaches_neither() {
    let mut bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    let other = bot.forge.gitlab().project("acme/payroll");
    let (number, mut body) = (other.id(), bot.forge.payload("opened", 7));
    body["project"]["id"] = json!(number);
    bot.consent().await;
    assert_eq!(bot.forge.deliver_raw(body.to_string(), Signature::Right).await.status, 202);
    let ended = bot.work().await;
    assert_eq!(ended, ["gone"]);
    // The tokens are looked at, the number is asked after, and that is all.
    let calls = bot.forge.calls();
    let looked_at = ["/personal_access_tokens/self", "/user", "/projects/acme%2Fshop"];
    let member = |path: &str| path.contains("/members/all/") && !path.contains(&number.to_string());
    let mut others = calls.iter().filter(|c| !looked_at.contains(&&*c.path) && !member(&c.path));
    let asked = others.next().map(|call| (call.path.clone(), call.status));
    assert_eq!(asked, Some((format!("/projects/{number}"), 404)));
    assert_eq!(others.count(), 0, "{calls:?}");
    bot.leaves_jobs();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_no_failure_of_the_hook() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    let gitlab = bot.forge.gitlab();
    for _ in 0..5 {
        let push = br#"{"object_kind": "push"}"#.to_vec();
        let other = gitlab.deliver_raw("Push Hook", push, Signature::Right).await;
        assert_eq!(other[0].status, 204, "{other:?}");
        // What only the title changed is no news.
        bot.consent().await;
        assert_eq!(bot.forge.deliver("merge_request.edit", 7).await.status, 204);
    }
    assert!(bot.work().await.is_empty());
    assert_eq!(gitlab.project("acme/shop").hooks()[0].alert_status(), "executable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_not_made_good_by_the_token_beside_it() {
    let bot = Bot::start(ForgeKind::GitLab).await;
    bot.sqli_change(7);
    let hook = bot.forge.gitlab().project("acme/shop").hooks().remove(0);
    hook.token(SIGNING_TOKEN);
    let body = bot.forge.payload("opened", 7).to_string();
    let wrong = Signature::With("whsec_c29tZXRoaW5nIGVsc2UgZW50aXJlbHkh".into());
    bot.consent().await;
    assert_eq!(bot.forge.deliver_raw(body, wrong).await.status, 401);
}
