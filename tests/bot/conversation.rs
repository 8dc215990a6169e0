//! What reviewers see, from the first report on.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::{false_positive, needs_review, true_positive};

use crate::harness::{Bot, SQLI_FIXED, Step, is_closed, on_both_forges, sarif, semgrep, steady};

on_both_forges! {
    a_real_finding_gets_one_thread_on_its_line,
    nothing_is_said_until_there_is_a_report,
    a_report_without_findings_is_a_green_check_and_silence,
    a_rerun_edits_the_same_comment,
    the_same_lines_are_asked_about_once,
    a_thread_whose_finding_is_gone_is_resolved,
    a_later_report_only_adds_what_is_new,
    a_tool_that_has_not_reported_on_the_new_head_keeps_the_check_from_green,
    a_finding_outside_the_diff_goes_into_the_summary,
    a_finding_in_an_untouched_file_is_only_counted,
    a_likely_false_positive_never_turns_the_check_green,
    two_rules_on_one_line_share_a_thread,
    a_change_that_fits_is_a_suggestion_of_the_forge,
    many_findings_of_one_rule_are_one_comment,
    a_draft_waits_until_it_is_ready,
    a_report_that_cannot_be_read_is_said_and_not_green,
    a_finding_that_comes_back_is_shown_again,
    a_scan_that_failed_is_not_green,
}

const RULE: &str = "python.sqli";

fn real() -> chaffinch_sandbox::Reply {
    true_positive("`name` comes from the request and is put into the query text.", "app/db.py:5")
}

async fn a_real_finding_gets_one_thread_on_its_line(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("Semgrep OSS", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([real()]);
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    insta::assert_snapshot!(steady(&bot.forge.thread(7, "app/db.py:5")), @r"
    app/db.py:5

    chaffinch[bot]:
    **Real: `python.sqli` (high severity)**

    \`name\` comes from the request and is put into the query text.

    See `app/db.py:5`.

    <sub>6 lines of `app/db.py` (a prompt of N tokens) went to `test-model` at `MODEL` · receipt `ID` · [what may be sent](https://chaffinch.example/policy)</sub>

    ⟨finding⟩
    ");
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(change.check(), @"
    Chaffinch · failure
    1 finding is real

    Findings that touch this change: 1 real.

    app/db.py:5 failure: python.sqli (high): `name` comes from the request and is put into the query text.
    "),
        ForgeKind::GitLab => {
            assert_eq!(change.check(), "chaffinch · failed\n1 finding is real");
        }
    }
    insta::assert_snapshot!(change.summary(), @"no summary");
}

async fn nothing_is_said_until_there_is_a_report(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    assert_eq!(bot.deliver("opened", 7).await, ["not_yet"]);
    assert!(change.checks().is_empty(), "never green because nothing was looked at");

    bot.model.answers([real()]);
    assert_eq!(bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await, 202);
    assert_eq!(bot.work().await, ["published"]);
    assert_eq!(change.threads().len(), 1);
}

async fn a_report_without_findings_is_a_green_check_and_silence(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[]));
    bot.deliver("opened", 7).await;
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(change.check(), @"
    Chaffinch · success
    no finding touches this change

    Findings that touch this change: no findings.
    "),
        ForgeKind::GitLab => {
            assert_eq!(change.check(), "chaffinch · success\nno finding touches this change");
        }
    }
    assert!(change.threads().is_empty());
    assert!(bot.forge.requests(Step::PostSummary).is_empty());
}

async fn a_rerun_edits_the_same_comment(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([needs_review("The caller is not shown.")]);
    bot.deliver("opened", 7).await;
    let first = change.threads();
    assert!(first[0].comments[0].body.contains("not shown"));

    // A new head with the same finding, two lines further down: the excerpt is another one.
    let moved = format!("import os\nimport sys\n{}", crate::harness::SQLI);
    change.push(&[("app/db.py", &moved)]);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 7)]));
    bot.model.answers([true_positive("`name` comes from the request.", "app/db.py:7")]);
    bot.deliver("pushed", 7).await;
    let second = change.threads();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].comments[0].id, first[0].comments[0].id, "edited, not posted again");
    assert!(second[0].comments[0].body.contains("comes from the request"));
}

async fn the_same_lines_are_asked_about_once(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([real()]);
    bot.deliver("opened", 7).await;
    bot.ask_again(7).await;
    assert_eq!(bot.model.requests().len(), 1);
    assert_eq!(change.threads().len(), 1);
    assert_eq!(change.conclusion(), "failure");
}

async fn a_thread_whose_finding_is_gone_is_resolved(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([real()]);
    bot.deliver("opened", 7).await;
    change.reply("app/db.py:5", "alice", "Good catch, I will mend it.");

    change.push(&[("app/db.py", SQLI_FIXED)]);
    change.report(sarif("CodeQL", &[]));
    bot.deliver("pushed", 7).await;
    let threads = change.threads();
    assert_eq!(threads.len(), 1, "a thread with a person's reply is never deleted");
    assert!(is_closed(&threads[0]));
    assert_eq!(change.conclusion(), "success");
}

async fn a_later_report_only_adds_what_is_new(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.model.answer_to("python.sqli", real());
    bot.model.answer_to("python.limit", needs_review("The limit may be meant."));
    bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await;
    bot.work().await;
    assert_eq!(change.threads().len(), 1);

    change.report(sarif("CodeQL", &[("python.limit", "app/db.py", 3)]));
    bot.deliver("reported", 7).await;
    let threads = change.threads();
    assert_eq!(threads.len(), 2);
    assert!(!threads.iter().any(is_closed), "the first tool did not say that it is gone");
    assert_eq!(change.conclusion(), "failure");
}

async fn a_tool_that_has_not_reported_on_the_new_head_keeps_the_check_from_green(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    bot.model.answers([real()]);
    bot.upload(&change, &semgrep(&[(RULE, "app/db.py", 5)])).await;
    bot.work().await;
    change.threads();

    change.push(&[("app/db.py", SQLI_FIXED)]);
    change.report(sarif("CodeQL", &[]));
    bot.deliver("pushed", 7).await;
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(change.check(), @"
    Chaffinch · neutral
    waiting for the report of Semgrep

    Findings that touch this change: no findings in what could be read.

    Waiting for the report of `Semgrep` on this commit.

    1 earlier finding stands open in its thread, and no report says that it is gone.
    "),
        ForgeKind::GitLab => {
            assert_eq!(change.check(), "chaffinch · canceled\nwaiting for the report of Semgrep");
        }
    }
    assert!(!is_closed(&change.threads()[0]));
}

async fn a_finding_outside_the_diff_goes_into_the_summary(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    let filler = "\n# nothing to see\n".repeat(20);
    let old = format!("{}{filler}", crate::harness::SQLI);
    let new = format!("{old}LIMIT = 10\n");
    repo.base_file("app/db.py", old).file("app/db.py", new);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([real()]);
    bot.deliver("opened", 7).await;
    assert!(change.threads().is_empty());
    insta::assert_snapshot!(steady(&change.summary()), @r"
    chaffinch[bot]:
    **Triage of this change: 1 real**

    On lines that this change does not show (1):

    - **Real: `python.sqli` (high severity)** at `app/db.py:5`: \`name\` comes from the request and is put into the query text. <sub>6 lines of `app/db.py` (a prompt of N tokens) went to `test-model` at `MODEL` · receipt `ID`</sub>

    <sub>[what may be sent](https://chaffinch.example/policy)</sub>

    ⟨summary⟩
    ");
}

async fn a_finding_in_an_untouched_file_is_only_counted(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("app/db.py", crate::harness::SQLI).file("README", "new\n");
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.deliver("opened", 7).await;
    assert!(bot.model.requests().is_empty());
    assert!(change.threads().is_empty());
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(change.check(), @"
    Chaffinch · success
    no finding touches this change

    Findings that touch this change: no findings.

    1 finding is outside this change.
    "),
        ForgeKind::GitLab => {
            assert_eq!(change.check(), "chaffinch · success\nno finding touches this change");
        }
    }
}

async fn a_likely_false_positive_never_turns_the_check_green(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "a shop\n").file("app/db.py", SQLI_FIXED);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([false_positive("The value is a bound parameter.", "app/db.py:5")]);
    bot.deliver("opened", 7).await;
    insta::assert_snapshot!(steady(&bot.forge.thread(7, "app/db.py:5")), @"
    app/db.py:5

    chaffinch[bot]:
    **Likely a false positive: `python.sqli` (high severity)**

    It might be safe to ignore. The value is a bound parameter.

    See `app/db.py:5`.

    <sub>6 lines of `app/db.py` (a prompt of N tokens) went to `test-model` at `MODEL` · receipt `ID` · [what may be sent](https://chaffinch.example/policy)</sub>

    ⟨finding⟩
    ");
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(change.check(), @"
    Chaffinch · neutral
    1 likely false positive, not confirmed by a person

    Findings that touch this change: 1 likely false.

    A likely false positive is a model's opinion; it does not make this check green.
    "),
        ForgeKind::GitLab => {
            assert_eq!(
                change.check(),
                "chaffinch · canceled\n1 likely false positive, not confirmed by a person"
            );
        }
    }
}

async fn two_rules_on_one_line_share_a_thread(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[("rule.one", "app/db.py", 5), ("rule.two", "app/db.py", 5)]));
    bot.model.answer_to("rule.one", real());
    bot.model.answer_to("rule.two", needs_review("Not enough is shown."));
    bot.deliver("opened", 7).await;
    let threads = change.threads();
    assert_eq!(threads.len(), 1);
    let body = &threads[0].comments[0].body;
    assert!(body.contains("rule.one") && body.contains("rule.two"), "{body}");
}

async fn many_findings_of_one_rule_are_one_comment(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let lines: Vec<String> = (1..=8).map(|n| format!("run(request.args['a{n}'])\n\n")).collect();
    bot.forge.repo("acme/shop").base_file("README", "x\n").file("app/many.py", lines.concat());
    let change = bot.forge.repo("acme/shop").change(7);
    let results: Vec<_> = (0..8).map(|n| (RULE, "app/many.py", n * 2 + 1)).collect();
    change.report(sarif("CodeQL", &results));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    bot.deliver("opened", 7).await;
    assert!(change.threads().is_empty(), "more than five of one rule");
    let summary = change.summary();
    assert!(summary.matches("app/many.py").count() >= 8, "{summary}");
}

async fn a_draft_waits_until_it_is_ready(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7).draft();
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    assert_eq!(bot.deliver("opened", 7).await, [""; 0]);
    change.ready();
    bot.model.answers([real()]);
    bot.deliver("ready", 7).await;
    assert_eq!(change.threads().len(), 1);
}

async fn a_report_that_cannot_be_read_is_said_and_not_green(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    assert_eq!(bot.upload(&change, "{\"version\": \"2.1.0\", \"runs\": [").await, 202);
    bot.work().await;
    match on {
        ForgeKind::GitHub => insta::assert_snapshot!(steady(&change.check()), @"
    Chaffinch · neutral
    1 report could not be read

    Findings that touch this change: no findings in what could be read.

    A report could not be read: the report is cut off: its JSON ends too early (UPLOAD).
    "),
        ForgeKind::GitLab => {
            assert_eq!(change.check(), "chaffinch !7 · canceled\n1 report could not be read");
        }
    }
    match on {
        ForgeKind::GitHub => assert_eq!(change.summary(), "no summary"),
        // A status is one sentence; what is behind it stands here.
        ForgeKind::GitLab => insta::assert_snapshot!(steady(&change.summary()), @"
        chaffinch[bot]:
        **Triage of this change: no findings in what could be read**

        A report could not be read: the report is cut off: its JSON ends too early (UPLOAD).

        <sub>[what may be sent](https://chaffinch.example/policy)</sub>

        ⟨summary⟩
        "),
    }
}

async fn a_finding_that_comes_back_is_shown_again(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.model.answers([real()]);
    bot.deliver("opened", 7).await;
    change.push(&[("app/db.py", SQLI_FIXED)]);
    change.report(sarif("CodeQL", &[]));
    bot.deliver("pushed", 7).await;
    assert!(is_closed(&change.threads()[0]));

    change.push(&[("app/db.py", crate::harness::SQLI)]);
    change.report(sarif("CodeQL", &[(RULE, "app/db.py", 5)]));
    bot.deliver("pushed", 7).await;
    let threads = change.threads();
    assert_eq!(threads.len(), 1);
    assert!(!is_closed(&threads[0]), "{threads:?}");
    assert_eq!(change.conclusion(), "failure");
}

async fn a_scan_that_failed_is_not_green(on: ForgeKind) {
    let failed = sarif("CodeQL", &[]).replace(
        "\"results\":[]",
        "\"results\":[],\"invocations\":[{\"executionSuccessful\":false}]",
    );
    assert!(failed.contains("executionSuccessful"));
    for report in [failed, "{\"version\":\"2.1.0\",\"runs\":[]}".to_owned()] {
        let bot = Bot::start(on).await;
        let change = bot.sqli_change(7);
        bot.upload(&change, &report).await;
        bot.work().await;
        assert_eq!(change.conclusion(), "neutral");
        change.summary();
    }
}

async fn a_change_that_fits_is_a_suggestion_of_the_forge(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.report(sarif("Semgrep OSS", &[(RULE, "app/db.py", 5)]));
    let fix = SQLI_FIXED.lines().nth(4).unwrap();
    bot.model.answers([real().fix(fix)]);
    bot.deliver("opened", 7).await;
    let body = change.threads()[0].comments[0].body.clone();
    let sign = match on {
        ForgeKind::GitHub => "suggestion",
        ForgeKind::GitLab => "suggestion:-0+0",
    };
    assert!(body.contains(&format!("```{sign}\n{fix}\n```\n")), "{body}");

    // From the cache it is the same, so nothing is edited.
    bot.ask_again(7).await;
    assert_eq!(change.threads()[0].comments[0].body, body);
}
