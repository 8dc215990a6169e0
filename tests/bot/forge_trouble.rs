//! A forge that limits, refuses, forgets, or is something else than github.com.

use chaffinch_sandbox::{Change, TokenForm, Trouble, needs_review, true_positive};
use chrono::TimeDelta;

use crate::harness::{Bot, sarif, semgrep};

const RULE: &str = "python.sqli";
const REVIEWS: &str = "/repos/{owner}/{repo}/pulls/{number}/reviews";

async fn one_finding(bot: &Bot) -> Change {
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([true_positive("`name` comes from the request.", "app/db.py:5")]);
    change
}

fn published_once(change: &Change) {
    let threads = change.threads();
    assert_eq!(threads.len(), 1, "{threads:?}");
    assert_eq!(threads[0].comments.len(), 1);
    assert_eq!(change.checks().last().unwrap().conclusion.as_deref(), Some("failure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_forge_is_asked_again_when_it_says() {
    for retry_after in [Some(120), None] {
        let bot = Bot::start().await;
        let change = one_finding(&bot).await;
        bot.github.faults().secondary_limit(
            "GET",
            "/repos/{owner}/{repo}/pulls/{number}",
            retry_after,
        );
        let ended = bot.deliver("pull_request.opened", 7).await;
        assert!(ended[0].contains("limits our rate"), "{ended:?}");
        bot.clock.advance(TimeDelta::seconds(30));
        assert!(bot.work().await.is_empty(), "not before it is time");
        bot.clock.advance(TimeDelta::seconds(100));
        assert_eq!(bot.work().await, ["published"]);
        published_once(&change);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_limit_is_waited_for_until_it_resets() {
    let bot = Bot::start().await;
    let change = one_finding(&bot).await;
    bot.github.faults().primary_limit("GET", "/repos/{owner}/{repo}/contents/{path}", 1800);
    assert!(bot.deliver("pull_request.opened", 7).await[0].contains("limits our rate"));
    bot.clock.advance(TimeDelta::seconds(1700));
    assert!(bot.work().await.is_empty());
    bot.clock.advance(TimeDelta::seconds(200));
    assert_eq!(bot.work().await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_the_forge_refuses_goes_into_the_summary() {
    let bot = Bot::start().await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5), ("python.limit", "app/db.py", 3)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    // The review fails as a whole; of the single comments one fails again.
    bot.github.faults().review_refused();
    bot.github.faults().answer(
        "POST",
        "/repos/{owner}/{repo}/pulls/{number}/comments",
        422,
        "Validation Failed",
    );
    bot.deliver("pull_request.opened", 7).await;
    assert_eq!(change.threads().len(), 1);
    assert!(change.summary().contains("app/db.py"), "{}", change.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_whose_answer_is_lost_is_not_posted_again() {
    let bot = Bot::start().await;
    let change = one_finding(&bot).await;
    bot.github.faults().next("POST", REVIEWS, Trouble::LoseAnswer);
    let ended = bot.deliver("pull_request.opened", 7).await;
    assert!(ended[0].starts_with("retry"), "{ended:?}");
    bot.clock.advance(TimeDelta::minutes(5));
    assert_eq!(bot.work().await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_gateway_after_the_effect_posts_nothing_twice() {
    for route in [
        REVIEWS,
        "/repos/{owner}/{repo}/check-runs",
        "/repos/{owner}/{repo}/issues/{number}/comments",
    ] {
        let bot = Bot::start().await;
        let repo = bot.github.repo("acme/shop");
        // One finding on the diff, one outside, so that there is a thread and a summary.
        let filler = "\n# nothing to see\n".repeat(20);
        let old = format!("{}{filler}", crate::harness::SQLI);
        repo.base_file("app/db.py", old.clone()).file("app/db.py", format!("{old}LIMIT = 10\n"));
        let last = old.lines().count() as u32 + 1;
        let change = repo.change(7);
        change.report(sarif(
            "CodeQL",
            &[(RULE, "app/db.py", 5), ("python.limit", "app/db.py", last)],
        ));
        bot.model.answer_with(|_| needs_review("Not enough is shown."));
        bot.github.faults().next("POST", route, Trouble::Belie(502));
        let ended = bot.deliver("pull_request.opened", 7).await;
        assert!(ended[0].starts_with("retry"), "{route}: {ended:?}");
        bot.clock.advance(TimeDelta::minutes(5));
        assert_eq!(bot.work().await, ["published"], "{route}");
        assert_eq!(change.threads().len(), 1, "{route}");
        assert!(change.summary().contains("app/db.py"), "{route}");
        let comments =
            bot.github.requests_matching("POST", "/repos/{owner}/{repo}/issues/{number}/comments");
        assert_eq!(comments.len(), 1, "{route}");
        change.check();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_once_is_simply_repeated() {
    let bot = Bot::start().await;
    let change = one_finding(&bot).await;
    bot.github.faults().answer(
        "GET",
        "/repos/{owner}/{repo}/pulls/{number}/files",
        502,
        "Server Error",
    );
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_either_form_work() {
    for form in [TokenForm::Classic, TokenForm::Stateless] {
        let bot = Bot::start().await;
        bot.github.set_token_form(form);
        let change = one_finding(&bot).await;
        assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
        published_once(&change);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_midway_is_made_anew() {
    let bot = Bot::start().await;
    let change = one_finding(&bot).await;
    bot.github.faults().answer(
        "GET",
        "/repos/{owner}/{repo}/contents/{path}",
        401,
        "Bad credentials",
    );
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_read_through_the_base_repository() {
    for deleted in [false, true] {
        let bot = Bot::start().await;
        let change = one_finding(&bot).await;
        if deleted {
            change.fork_deleted()
        } else {
            change.from_fork()
        };
        assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
        published_once(&change);
        assert!(bot.github.calls().iter().all(|call| !call.path.contains("contributor/")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_gone_is_not_green() {
    let mut bot = Bot::start().await;
    let change = bot.sqli_change(7);
    bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await;
    change.lose_head();
    let ended = bot.work().await;
    assert!(ended.len() == 1 && ended[0].starts_with("buried"), "{ended:?}");
    bot.leaves_jobs();
    assert!(
        change.checks().iter().all(|c| c.conclusion.as_deref() != Some("success")),
        "{:?}",
        change.checks()
    );
    change.threads();
    change.summary();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_server_is_a_forge_like_any_other() {
    let bot = Bot::with().base_path("/api/v3").start().await;
    let change = one_finding(&bot).await;
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_code_scanning_waits_for_an_upload() {
    let bot = Bot::start().await;
    bot.github.repo("acme/shop").without_code_scanning();
    let change = bot.sqli_change(7);
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["not_yet"]);
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await;
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_and_not_tried_forever() {
    let mut bot = Bot::start().await;
    bot.github.set_permissions(&[
        ("metadata", "read"),
        ("contents", "read"),
        ("pull_requests", "write"),
        ("security_events", "read"),
    ]);
    let _change = one_finding(&bot).await;
    let ended = bot.deliver("pull_request.opened", 7).await;
    assert!(ended[0].starts_with("buried") && ended[0].contains("checks"), "{ended:?}");
    bot.leaves_jobs();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_change_is_paged_and_comments_reach_its_last_file() {
    let bot = Bot::start().await;
    let repo = bot.github.repo("acme/shop");
    repo.base_file("README", "x\n");
    for n in 0..230 {
        repo.file(&format!("src/f{n:03}.py"), "import os\n");
    }
    repo.file("zz/last.py", crate::harness::SQLI);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[(RULE, "zz/last.py", 5)]));
    bot.model.answers([true_positive("`name` comes from the request.", "zz/last.py:5")]);
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_annotations_are_sent_in_portions() {
    let bot = Bot::with().set("TRIAGE__MAX_FINDINGS", "200").start().await;
    let repo = bot.github.repo("acme/shop");
    repo.base_file("README", "x\n");
    let text: String = (0..120).map(|n| format!("run_{n}(request)\n")).collect();
    repo.file("app/many.py", text);
    let change = repo.change(7);
    let rules: Vec<String> = (0..120).map(|n| format!("rule.{n}")).collect();
    let results: Vec<_> =
        rules.iter().zip(1..).map(|(r, n)| (r.as_str(), "app/many.py", n)).collect();
    change.report(sarif("CodeQL", &results));
    bot.model.answer_with(|request| {
        let line = request.lines().iter().map(|l| l.number).next().unwrap_or(1);
        true_positive("It is.", &format!("app/many.py:{line}"))
    });
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    assert_eq!(change.checks().last().unwrap().annotations.len(), 120);
    // A run opens no more threads than a person can read; the others stand in the summary.
    assert_eq!(change.threads().len(), 50);
    assert!(change.summary().contains("rule.119"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_given_up_on_leaves_a_neutral_check() {
    let mut bot = Bot::with()
        .set("TRIAGE__MAX_ATTEMPTS", "3")
        .set("TRIAGE__PUBLISH_AFTER", "2")
        .start()
        .await;
    bot.leaves_jobs();
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    let files = "/repos/{owner}/{repo}/pulls/{number}/files";
    bot.github.deliver("pull_request.opened", 7).await;
    let mut ended = Vec::new();
    for _ in 0..3 {
        // More than the client repeats a read by itself.
        for _ in 0..8 {
            bot.github.faults().answer("GET", files, 502, "Server Error");
        }
        ended.extend(bot.work().await);
        bot.github.faults().clear();
        bot.clock.advance(TimeDelta::minutes(20));
    }
    assert!(ended[2].starts_with("buried: given up after 3 tries"), "{ended:?}");
    let check = change.check();
    assert!(check.contains("neutral") && check.contains("the triage was given up on"), "{check}");
    assert!(change.threads().is_empty());

    // Somebody asks for it again, and now the forge answers.
    bot.model.answers([true_positive("`name` comes from the request.", "app/db.py:5")]);
    assert_eq!(bot.deliver("check_run.rerequested", 7).await, ["published"]);
    published_once(&change);
}
