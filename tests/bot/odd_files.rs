//! Files that are binary, huge, missing, or named in odd ways.

use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, sarif};

/// One finding in one odd file that the change adds: what is said, and how the check ends.
async fn finding_in(path: &str, bytes: Vec<u8>) -> (Bot, String, String) {
    let bot = Bot::start().await;
    let repo = bot.github.repo("acme/shop");
    repo.base_file("README", "x\n").file(path, bytes);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[("rule", path, 1)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    let threads: String =
        change.threads().iter().flat_map(|t| &t.comments).map(|c| c.text()).collect();
    let said = format!("{threads}{}", change.summary());
    let check = change.checks().last().unwrap().conclusion.clone().unwrap();
    (bot, said, check)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_file_is_not_sent_and_not_green() {
    let (bot, said, check) =
        finding_in("app/blob.bin", b"\0\x01\x02\xff\0binary\n".repeat(100)).await;
    assert!(bot.model.requests().is_empty());
    assert!(said.contains("binary"), "{said}");
    assert_eq!(check, "neutral");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_is_not_fetched_whole_and_not_green() {
    let (bot, said, check) = finding_in("app/huge.py", b"x = 1\n".repeat(400_000)).await;
    assert!(bot.model.requests().is_empty());
    assert!(said.contains("larger"), "{said}");
    assert_eq!(check, "neutral");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minified_line_is_cut_around_the_finding() {
    let line = format!("var a=1;{}\n", "b();".repeat(20_000));
    let (bot, _, check) = finding_in("web/app.min.js", line.into_bytes()).await;
    let requests = bot.model.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].body.to_string().len() < 40_000);
    assert_eq!(check, "neutral");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_odd_characters_is_fetched_and_commented() {
    for path in
        ["src/a b#c?.py", "src/ü/ñandú.py", "src/100%/@x&y=z+w.py", "src/[id]/(group)/page.tsx"]
    {
        let (bot, said, _) = finding_in(path, b"run(request)\n".to_vec()).await;
        assert_eq!(bot.model.requests().len(), 1, "{path}");
        assert!(said.contains("Not enough is shown"), "{path}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_in_a_file_that_does_not_exist_is_not_green() {
    let bot = Bot::start().await;
    let change = bot.sqli_change(7);
    change.push(&[("app/link.py", "x\n")]);
    bot.github.faults().answer("GET", "/repos/{owner}/{repo}/contents/{path}", 404, "Not Found");
    change.report(sarif("CodeQL", &[("rule", "app/link.py", 1)]));
    assert_eq!(bot.deliver("pull_request.opened", 7).await, ["published"]);
    assert!(bot.model.requests().is_empty());
    let said: String =
        change.threads().iter().flat_map(|t| &t.comments).map(|c| c.text()).collect();
    assert!(format!("{said}{}", change.summary()).contains("could not be read"), "{said}");
    assert_eq!(change.checks().last().unwrap().conclusion.as_deref(), Some("neutral"));
}
