//! Files that are binary, huge, missing, or named in odd ways.

use chaffinch_core::ForgeKind;
use chaffinch_sandbox::needs_review;

use crate::harness::{Bot, Step, on_both_forges, sarif};

on_both_forges! {
    a_binary_file_is_not_sent_and_not_green,
    a_huge_file_is_not_fetched_whole_and_not_green,
    a_minified_line_is_cut_around_the_finding,
    a_path_with_odd_characters_is_fetched_and_commented,
    a_finding_in_a_file_that_does_not_exist_is_not_green,
}

/// One finding in one odd file that the change adds: what is said, and how the check ends.
async fn finding_in(on: ForgeKind, path: &str, bytes: Vec<u8>) -> (Bot, String, String) {
    let bot = Bot::start(on).await;
    let repo = bot.forge.repo("acme/shop");
    repo.base_file("README", "x\n").file(path, bytes);
    let change = repo.change(7);
    change.report(sarif("CodeQL", &[("rule", path, 1)]));
    bot.model.answer_with(|_| needs_review("Not enough is shown."));
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    let threads: String =
        change.threads().iter().flat_map(|t| &t.comments).map(|c| c.text()).collect();
    let said = format!("{threads}{}", change.summary());
    let check = change.conclusion();
    (bot, said, check)
}

async fn a_binary_file_is_not_sent_and_not_green(on: ForgeKind) {
    let (bot, said, check) =
        finding_in(on, "app/blob.bin", b"\0\x01\x02\xff\0binary\n".repeat(100)).await;
    assert!(bot.model.requests().is_empty());
    assert!(said.contains("binary"), "{said}");
    assert_eq!(check, "neutral");
}

async fn a_huge_file_is_not_fetched_whole_and_not_green(on: ForgeKind) {
    let (bot, said, check) = finding_in(on, "app/huge.py", b"x = 1\n".repeat(400_000)).await;
    assert!(bot.model.requests().is_empty());
    assert!(said.contains("larger"), "{said}");
    assert_eq!(check, "neutral");
}

async fn a_minified_line_is_cut_around_the_finding(on: ForgeKind) {
    let line = format!("var a=1;{}\n", "b();".repeat(20_000));
    let (bot, _, check) = finding_in(on, "web/app.min.js", line.into_bytes()).await;
    let requests = bot.model.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].body.to_string().len() < 40_000);
    assert_eq!(check, "neutral");
}

async fn a_path_with_odd_characters_is_fetched_and_commented(on: ForgeKind) {
    for path in
        ["src/a b#c?.py", "src/ü/ñandú.py", "src/100%/@x&y=z+w.py", "src/[id]/(group)/page.tsx"]
    {
        let (bot, said, _) = finding_in(on, path, b"run(request)\n".to_vec()).await;
        assert_eq!(bot.model.requests().len(), 1, "{path}");
        assert!(said.contains("Not enough is shown"), "{path}: {said}");
    }
}

async fn a_finding_in_a_file_that_does_not_exist_is_not_green(on: ForgeKind) {
    let bot = Bot::start(on).await;
    let change = bot.sqli_change(7);
    change.push(&[("app/link.py", "x\n")]);
    bot.forge.faults().answers(Step::ReadFile, 404, "Not Found");
    change.report(sarif("CodeQL", &[("rule", "app/link.py", 1)]));
    assert_eq!(bot.deliver("opened", 7).await, ["published"]);
    assert!(bot.model.requests().is_empty());
    let said: String =
        change.threads().iter().flat_map(|t| &t.comments).map(|c| c.text()).collect();
    assert!(format!("{said}{}", change.summary()).contains("could not be read"), "{said}");
    assert_eq!(change.conclusion(), "neutral");
}
