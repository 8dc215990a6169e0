//! Who may make the bot work, and how often.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{Signature, needs_review};
use chrono::TimeDelta;

use crate::harness::{Bot, Step, UPLOAD_TOKEN, on_both_forges, sarif, semgrep};

on_both_forges! {
    a_bad_signature_is_refused_before_the_body_is_read,
    the_same_delivery_twice_does_the_work_once,
    a_delivery_for_an_unlisted_repository_makes_no_call_to_the_forge,
    a_newer_head_supersedes_the_older_job,
    a_head_that_moves_during_the_triage_gets_no_stale_comment,
    events_that_are_not_ours_are_answered_and_forgotten,
    a_closed_change_is_left_alone,
    an_upload_needs_the_token_of_its_repository,
    an_upload_that_names_no_change_finds_it_by_its_head,
    a_body_past_the_limit_is_refused,
    the_server_says_whether_it_is_alive_and_ready,
    two_changes_with_one_head_both_get_the_report,
    a_report_that_comes_before_its_change_waits_for_it,
    a_change_that_is_closed_and_reopened_is_triaged,
    an_upload_that_expires_before_its_job_is_not_green,
}

const RULE: &str = "python.sqli";

async fn a_bad_signature_is_refused_before_the_body_is_read(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.sqli_change(7);
    let body = bot.forge.payload("opened", 7).to_string();
    for signature in [
        Signature::With("another secret altogether".to_owned()),
        Signature::Text("sha256=00".to_owned()),
        Signature::Missing,
    ] {
        for body in [body.clone(), "{".to_owned()] {
            // GitLab rests a hook that fails again and again, a day at most.
            bot.clock.advance(TimeDelta::days(2));
            bot.consent().await;
            let delivered = bot.forge.deliver_raw(body, signature.clone()).await;
            assert_eq!(delivered.status, 401, "{signature:?}");
        }
    }
    assert!(bot.work().await.is_empty());
    assert!(bot.forge.calls().is_empty());
}

async fn the_same_delivery_twice_does_the_work_once(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.consent().await;
    let first = bot.forge.deliver("opened", 7).await;
    let again = bot.forge.redeliver(&first.delivery).await.unwrap();
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(bot.work().await, ["published"]);
    bot.forge.redeliver(&first.delivery).await.unwrap();
    assert!(bot.work().await.is_empty(), "nor after it is done");
    // Another delivery about the same head is the same work, too.
    assert!(bot.deliver("reopened", 7).await.is_empty());
    assert_eq!(change.threads().len(), 1);
}

async fn a_delivery_for_an_unlisted_repository_makes_no_call_to_the_forge(on: ForgeKind) {
    let bot = Bot::with(on).set("POLICY__REPOSITORIES", r#"["acme/other"]"#).start().await;
    bot.sqli_change(7);
    bot.consent().await;
    assert_eq!(bot.forge.deliver("opened", 7).await.status, 204);
    assert!(bot.work().await.is_empty());
    assert!(bot.forge.calls().is_empty());
    let (_, metrics) = bot.get("/metrics").await;
    assert!(metrics.contains(r#"outcome="unlisted""#), "it is recorded");
}

async fn a_newer_head_supersedes_the_older_job(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.consent().await;
    bot.forge.deliver("opened", 7).await;
    let moved = format!("import os\n{}", crate::harness::SQLI);
    change.push(&[("app/db.py", &moved)]);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 6)]));
    bot.model.answers([needs_review("Not enough is shown.")]);
    // The delivery about the new head never comes; the older job finds it out by itself, though not
    // at once: for a moment after a push, the forge may show the head before it.
    assert!(bot.work().await[0].starts_with("retry"));
    bot.clock.advance(TimeDelta::seconds(10));
    assert_eq!(bot.work().await, ["superseded", "published"]);
    assert_eq!(change.threads()[0].line, Some(6));
}

async fn a_head_that_moves_during_the_triage_gets_no_stale_comment(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    let pushed = change.clone();
    bot.forge.faults().just_before(Step::ReadFile, move || {
        pushed.push(&[("app/db.py", crate::harness::SQLI_FIXED)]);
    });
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("opened", 7).await, ["superseded", "not_yet"]);
    assert!(change.threads().is_empty());
}

async fn events_that_are_not_ours_are_answered_and_forgotten(on: ForgeKind) {
    let bot = Bot::start(on).await;
    bot.sqli_change(7);
    let of_the_forge = match on {
        ForgeKind::GitHub => ["ping", "ping", "closed"],
        ForgeKind::GitLab => ["merge_request.edit", "merge_request.approved", "closed"],
    };
    for event in of_the_forge {
        bot.consent().await;
        assert_eq!(bot.forge.deliver(event, 7).await.status, 204, "{event}");
    }
    assert!(bot.work().await.is_empty());
    assert!(bot.forge.calls().is_empty());
}

async fn a_closed_change_is_left_alone(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.consent().await;
    bot.forge.deliver("opened", 7).await;
    change.close();
    assert_eq!(bot.work().await, ["closed"]);
}

async fn an_upload_needs_the_token_of_its_repository(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    let report = semgrep(&[(RULE, "app/db.py", 5)]);
    let head = change.head();
    for (token, repository, status) in
        [("wrong", "acme/shop", 401), ("", "acme/shop", 401), (UPLOAD_TOKEN, "acme/other", 401)]
    {
        let answered = bot.upload_as(token, repository, &head, None, &report).await;
        assert_eq!(answered, status, "{repository}");
    }
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", "main", None, &report).await, 400);
    assert_eq!(bot.upload(&change, "").await, 400);
    assert!(bot.forge.calls().is_empty());
    assert!(bot.work().await.is_empty());
}

async fn an_upload_that_names_no_change_finds_it_by_its_head(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7).in_fork();
    let report = semgrep(&[(RULE, "app/db.py", 5)]);
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", &change.head(), None, &report).await, 202);
    assert_eq!(bot.work().await, ["spread", "published"]);
    assert_eq!(change.threads().len(), 1);
}

async fn a_body_past_the_limit_is_refused(on: ForgeKind) {
    let bot = Bot::with(on)
        .set("SERVER__MAX_DELIVERY_BYTES", "4096")
        .set("SERVER__MAX_REPORT_BYTES", "4096")
        .start()
        .await;
    let change = bot.sqli_change(7);
    let large = "x".repeat(5000);
    bot.consent().await;
    let delivered = bot.forge.deliver_raw(large.clone(), Signature::Right).await;
    assert_eq!(delivered.status, 413);
    assert_eq!(bot.upload(&change, &large).await, 413);
}

async fn the_server_says_whether_it_is_alive_and_ready(on: ForgeKind) {
    let bot = Bot::start(on).await;
    assert_eq!(bot.get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(bot.get("/readyz").await, (200, "ok\n".to_owned()));
    let (status, page) = bot.get("/policy").await;
    assert_eq!(status, 200);
    assert!(
        page.contains("900 tokens") && page.contains("test-model") && page.contains("30 days"),
        "{page}"
    );
}

async fn two_changes_with_one_head_both_get_the_report(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let one = bot.sqli_change(7);
    let two = bot.sqli_change(8);
    // The same branch, proposed twice: the sandbox is told so by the same files and commit.
    two.same_head_as(&one);
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    let report = semgrep(&[(RULE, "app/db.py", 5)]);
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", &one.head(), None, &report).await, 202);
    assert_eq!(bot.work().await, ["spread", "published", "published"]);
    assert_eq!((one.threads().len(), two.threads().len()), (1, 1));
}

async fn a_report_that_comes_before_its_change_waits_for_it(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7).close();
    let report = semgrep(&[(RULE, "app/db.py", 5)]);
    assert_eq!(bot.upload_as(UPLOAD_TOKEN, "acme/shop", &change.head(), None, &report).await, 202);
    assert_eq!(bot.work().await, ["spread"]);
    change.reopen();
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("reopened", 7).await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

async fn a_change_that_is_closed_and_reopened_is_triaged(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.consent().await;
    bot.forge.deliver("opened", 7).await;
    change.close();
    assert_eq!(bot.work().await, ["closed"]);
    change.reopen();
    bot.model.answers([needs_review("Not enough is shown.")]);
    assert_eq!(bot.deliver("reopened", 7).await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

async fn an_upload_that_expires_before_its_job_is_not_green(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.forge.faults().limits(Step::ReadChange, 3700);
    assert_eq!(bot.upload(&change, &semgrep(&[("python.sqli", "app/db.py", 5)])).await, 202);
    assert!(bot.work().await[0].contains("limits our rate"));
    bot.clock.advance(TimeDelta::seconds(3800));
    assert_eq!(bot.work().await, ["published"]);
    let check = change.check();
    assert!(check.contains("1 report could not be read"), "{check}");
    assert_eq!(change.conclusion(), "neutral");
    assert!(format!("{check}{}", change.summary()).contains("upload it again"), "{check}");
}
