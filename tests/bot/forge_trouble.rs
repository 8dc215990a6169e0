//! A forge that limits, refuses, forgets, or is something else than github.com.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{TokenForm, Trouble, needs_review, true_positive};
use chrono::TimeDelta;

use crate::harness::{Bot, Change, Step, on_both_forges, sarif, semgrep};

on_both_forges! {
    a_rate_limited_forge_is_asked_again_when_it_says,
    a_line_that_the_forge_refuses_goes_into_the_summary,
    a_review_whose_answer_is_lost_is_not_posted_again,
    a_bad_gateway_after_the_effect_posts_nothing_twice,
    a_read_that_fails_once_is_simply_repeated,
    a_fork_is_read_through_the_base_repository,
    a_head_that_is_gone_is_not_green,
    a_server_of_ones_own_is_a_forge_like_any_other,
    a_missing_permission_is_named_and_not_tried_forever,
    a_large_change_is_paged_and_comments_reach_its_last_file,
    hundreds_of_findings_are_sent_in_portions,
    a_job_that_is_given_up_on_leaves_a_neutral_check,
}

const RULE: &str = "python.sqli";

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
    assert_eq!(change.conclusion(), "failure");
}

async fn a_rate_limited_forge_is_asked_again_when_it_says(on: ForgeKind) {
    for says_when in [true, false] {
        let bot = Bot::start(on).await;
        let change = one_finding(&bot).await;
        match says_when {
            true => bot.forge.faults().limits(Step::ReadChange, 120),
            false => bot.forge.faults().answers(Step::ReadChange, 429, "Retry later"),
        }
        let ended = bot.deliver("opened", 7).await;
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
    let bot = Bot::start(ForgeKind::GitHub).await;
    let change = one_finding(&bot).await;
    let (method, route) = Step::ReadFile.on(ForgeKind::GitHub);
    bot.forge.github().faults().primary_limit(method, route, 1800);
    assert!(bot.deliver("opened", 7).await[0].contains("limits our rate"));
    bot.clock.advance(TimeDelta::seconds(1700));
    assert!(bot.work().await.is_empty());
    bot.clock.advance(TimeDelta::seconds(200));
    assert_eq!(bot.work().await, ["published"]);
    published_once(&change);
}

async fn a_line_that_the_forge_refuses_goes_into_the_summary(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5), ("python.limit", "app/db.py", 3)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    match on {
        // The review fails as a whole; of the single comments one fails again.
        ForgeKind::GitHub => {
            let faults = bot.forge.github().faults();
            faults.review_refused();
            let alone = "/repos/{owner}/{repo}/pulls/{number}/comments";
            faults.answer("POST", alone, 422, "Validation Failed");
        }
        // One draft is refused, and again where it is tried as a discussion.
        ForgeKind::GitLab => {
            let drafts = "/projects/{id}/merge_requests/{iid}/draft_notes";
            let faults = bot.forge.gitlab().faults();
            faults.line_refused("POST", drafts);
            let (method, route) = Step::PostThread.on(on);
            faults.line_refused(method, route);
        }
    }
    bot.deliver("opened", 7).await;
    assert_eq!(change.threads().len(), 1);
    assert!(change.summary().contains("app/db.py"), "{}", change.summary());
}

async fn a_review_whose_answer_is_lost_is_not_posted_again(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = one_finding(&bot).await;
    bot.forge.faults().at(Step::PostThread, Trouble::LoseAnswer);
    let ended = bot.deliver("opened", 7).await;
    assert!(ended[0].starts_with("retry"), "{ended:?}");
    bot.clock.advance(TimeDelta::minutes(5));
    assert_eq!(bot.work().await, ["published"]);
    published_once(&change);
}

async fn a_bad_gateway_after_the_effect_posts_nothing_twice(on: ForgeKind) {
    for step in [Step::PostThread, Step::SetCheck, Step::PostSummary] {
        let bot = Bot::start(on).await;
        let repo = bot.forge.repo("acme/shop");
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
        bot.forge.faults().at(step, Trouble::Belie(502));
        let ended = bot.deliver("opened", 7).await;
        assert!(ended[0].starts_with("retry"), "{step:?}: {ended:?}");
        bot.clock.advance(TimeDelta::minutes(5));
        assert_eq!(bot.work().await, ["published"], "{step:?}");
        assert_eq!(change.threads().len(), 1, "{step:?}");
        assert!(change.summary().contains("app/db.py"), "{step:?}");
        assert_eq!(bot.forge.requests(Step::PostSummary).len(), 1, "{step:?}");
        change.check();
    }
}

async fn a_read_that_fails_once_is_simply_repeated(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = one_finding(&bot).await;
    bot.forge.faults().answers(Step::ReadLines, 502, "Server Error");
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_either_form_work() {
    for form in [TokenForm::Classic, TokenForm::Stateless] {
        let bot = Bot::start(ForgeKind::GitHub).await;
        bot.forge.github().set_token_form(form);
        let change = one_finding(&bot).await;
        assert_eq!(bot.deliver("opened", 7).await, ["published"]);
        published_once(&change);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_midway_is_made_anew() {
    let bot = Bot::start(ForgeKind::GitHub).await;
    let change = one_finding(&bot).await;
    bot.forge.faults().answers(Step::ReadFile, 401, "Bad credentials");
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_with_the_tokens_that_replaced_its_own() {
    for step in [Step::ReadChange, Step::ReadFile, Step::PostThread, Step::SetCheck] {
        let bot = Bot::start(ForgeKind::GitLab).await;
        let change = one_finding(&bot).await;
        bot.forge.faults().answers(step, 401, "401 Unauthorized");
        let ended = bot.deliver("opened", 7).await;
        assert!(ended[0].starts_with("retry"), "{step:?}: {ended:?}");
        bot.clock.advance(TimeDelta::minutes(1));
        assert_eq!(bot.work().await, ["published"], "{step:?}");
        published_once(&change);
    }
}

async fn a_fork_is_read_through_the_base_repository(on: ForgeKind) {
    for deleted in [false, true] {
        let bot = Bot::start(on).await;
        let change = one_finding(&bot).await;
        if deleted {
            change.fork_deleted()
        } else {
            change.in_fork()
        };
        assert_eq!(bot.deliver("opened", 7).await, ["published"]);
        published_once(&change);
        assert!(bot.forge.calls().iter().all(|call| !call.path.contains("contributor/")));
    }
}

async fn a_head_that_is_gone_is_not_green(on: ForgeKind) {
    let mut bot = Bot::start(on).await;
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

async fn a_server_of_ones_own_is_a_forge_like_any_other(on: ForgeKind) {
    let path = match on {
        ForgeKind::GitHub => "/api/v3",
        ForgeKind::GitLab => "/tools/gitlab",
    };
    let bot = Bot::with(on).base_path(path).start().await;
    let change = one_finding(&bot).await;
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    published_once(&change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_code_scanning_waits_for_an_upload() {
    let bot = Bot::start(ForgeKind::GitHub).await;
    bot.forge.github().repo("acme/shop").without_code_scanning();
    let change = bot.sqli_change(7);
    assert_eq!(bot.deliver("opened", 7).await, ["not_yet"]);
    bot.model.answers([needs_review("Not enough is shown.")]);
    bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await;
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

async fn a_missing_permission_is_named_and_not_tried_forever(on: ForgeKind) {
    let mut bot = Bot::start(on).await;
    bot.forge.withhold_checks();
    let named = match on {
        ForgeKind::GitHub => "checks",
        ForgeKind::GitLab => "role Developer",
    };
    let change = one_finding(&bot).await;
    let ended = bot.deliver("opened", 7).await;
    assert!(ended[0].starts_with("buried") && ended[0].contains(named), "{ended:?}");
    change.threads();
    bot.leaves_jobs();
}

async fn a_large_change_is_paged_and_comments_reach_its_last_file(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "x\n");
    for n in 0..230 {
        repo.file(&format!("src/f{n:03}.py"), "import os\n");
    }
    repo.file("zz/last.py", crate::harness::SQLI);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[(RULE, "zz/last.py", 5)]));
    bot.model.answers([true_positive("`name` comes from the request.", "zz/last.py:5")]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    published_once(&change);
}

async fn hundreds_of_findings_are_sent_in_portions(on: ForgeKind) {
    let bot = Bot::with(on).set("TRIAGE__MAX_FINDINGS", "200").start().await;
    let repo = bot.forge.repo("acme/shop");
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
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    match on {
        ForgeKind::GitHub => {
            assert_eq!(change.checks().last().unwrap().annotations.len(), 120);
        }
        // A commit status is one sentence.
        ForgeKind::GitLab => {
            assert_eq!(change.check().lines().nth(1), Some("120 findings are real"))
        }
    }
    // A run opens no more threads than a person can read; the others stand in the summary.
    assert_eq!(change.threads().len(), 50);
    assert!(change.summary().contains("rule.119"));
}

async fn a_job_that_is_given_up_on_leaves_a_neutral_check(on: ForgeKind) {
    let mut bot = Bot::with(on)
        .set("TRIAGE__MAX_ATTEMPTS", "3")
        .set("TRIAGE__PUBLISH_AFTER", "2")
        .start()
        .await;
    bot.leaves_jobs();
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.consent().await;
    bot.forge.deliver("opened", 7).await;
    let mut ended = Vec::new();
    for _ in 0..3 {
        // More than the client repeats a read by itself.
        for _ in 0..8 {
            bot.forge.faults().answers(Step::ReadLines, 502, "Server Error");
        }
        ended.extend(bot.work().await);
        bot.forge.faults().clear();
        bot.clock.advance(TimeDelta::minutes(20));
    }
    assert!(ended[2].starts_with("buried: given up after 3 tries"), "{ended:?}");
    let check = change.check();
    assert!(check.contains("the triage was given up on"), "{check}");
    assert_eq!(change.conclusion(), "neutral");
    assert!(change.threads().is_empty());

    // Somebody asks for it again, and now the forge answers.
    bot.model.answers([true_positive("`name` comes from the request.", "app/db.py:5")]);
    assert_eq!(bot.ask_again(7).await, ["published"]);
    published_once(&change);
}
