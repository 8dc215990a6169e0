//! The evaluation log gone through once more.

use chaffinch_core::{ForgeError, Rung, Verdict};
use chaffinch_egress::{Mode, ModelError};
use chaffinch_triage::evaluation::{Replayed, records};

use crate::{
    double::{World, false_positive, repo},
    path::{real, shop},
    reports::{hit, semgrep},
};

async fn replay(world: &World, ask: bool) -> Vec<Replayed> {
    let records = records(&*world.vault, &repo(), Some(7)).await.unwrap();
    let mut told = 0;
    let mut each = |_: &Replayed| told += 1;
    let all = world.engine().replay(&repo(), &records, &*world.forge, ask, &mut each).await;
    assert_eq!(told, all.len());
    all
}

fn why(all: &[Replayed]) -> String {
    assert_eq!(all.len(), 1);
    assert!(!all[0].rebuilt && all[0].now.is_none(), "{all:?}");
    all[0].why.clone().unwrap()
}

#[tokio::test]
async fn the_same_prompt_is_asked_byte_for_byte_and_a_changed_mind_shows() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    let dry = replay(&world, false).await;
    assert!(dry[0].rebuilt && dry[0].now.is_none(), "{dry:?}");
    assert_eq!((world.model.asked(), world.receipts.written.lock().unwrap().len()), (1, 1));

    let agreed = replay(&world, true).await;
    assert_eq!(agreed[0].agrees(), Some(true), "{agreed:?}");
    let why = "It is a constant.";
    world.model.says(false_positive(why, &[("app/db.py", 5, "cursor.execute(query)")]));
    let changed = replay(&world, true).await;
    assert_eq!(changed[0].agrees(), Some(false), "{changed:?}");
    let now = changed[0].now.clone().unwrap();
    assert_eq!(now.verdict, Some(Verdict::FalsePositive));
    assert_eq!((now.evidence_held, now.tokens), (Some(true), 150));
    let seen = world.model.seen.lock().unwrap().clone();
    assert!(seen.len() == 3 && seen.iter().all(|prompt| *prompt == seen[0]));

    let receipts = world.receipts.written.lock().unwrap().clone();
    assert_eq!(receipts.len(), 3, "each disclosure has its receipt");
    assert!(receipts.iter().all(|r| r.settled.is_some() && r.requests.files > 0));
    assert!(receipts.iter().all(|r| r.prompt_digest == receipts[0].prompt_digest));
    let log = records(&*world.vault, &repo(), None).await.unwrap();
    assert_eq!(log.len(), 1, "a replay is not logged");
    assert_eq!(log[0].receipt(), receipts[0].id);
    // Nor is its answer kept.
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 3);
    assert!(world.forge.bodies()[0].contains("**Real:"));
}

#[tokio::test]
async fn wide_lines_and_secrets_in_them_are_rebuilt_too() {
    let world = World::new();
    let secret = format!("ghp_{}", "aZ3bY9cX1dW7eV5fU2gT8hS4iR6jQ0kPLmNo");
    let wide = format!("  const a = '{}';", "lorem ipsum ".repeat(60));
    let code = format!(
        "function f(q) {{\r\n{wide}\r\n  const t = '{secret}';\r\n  run(q + t + a);\r\n}}\r\n"
    );
    world.forge.adds("app/f.js", &code);
    world.forge.report(semgrep(&[hit("js.sqli", "app/f.js", 2), hit("js.eval", "app/f.js", 4)]));
    world.model.says(real());
    world.run().await.unwrap();
    let seen = world.model.seen.lock().unwrap().clone();
    assert!(seen.iter().any(|p| p.contains('…')) && seen.iter().any(|p| p.contains("‹secret:")));
    let all = replay(&world, false).await;
    assert!(all.len() == seen.len() && all.iter().all(|one| one.rebuilt), "{all:?}");
}

#[tokio::test]
async fn what_cannot_be_rebuilt_says_why_and_is_not_asked() {
    let mut world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    world.policy.ceiling = Rung::Finding;
    assert!(why(&replay(&world, true).await).contains("the policy in force does not let it out"));
    world.policy.ceiling = Rung::Related;
    world.policy.extra_patterns.push(chaffinch_egress::ExtraPattern {
        id: "users".into(),
        regex: "FROM users WHERE".into(),
    });
    assert!(why(&replay(&world, true).await).contains("other text is redacted now"));
    world.policy.redact.secrets = Mode::Block;
    assert!(why(&replay(&world, true).await).contains("it holds text that may not leave"));
    world.policy.extra_patterns.clear();
    world.forge.no_file("app/db.py", ForgeError::NotFound);
    assert!(why(&replay(&world, true).await).contains("app/db.py is not there"));
    world.forge.file("app/db.py", "x = 1\n");
    assert!(why(&replay(&world, true).await).contains("has no line"));
    assert_eq!(world.model.asked(), 1);
}

#[tokio::test]
async fn a_question_that_was_redacted_cannot_be_rebuilt() {
    let world = shop();
    let report = String::from_utf8(semgrep(&[hit("python.sqli", "app/db.py", 5)])).unwrap();
    let report = report.replace("User input", "Input of carol@acme-corp.io");
    world.forge.only_report(report.into_bytes());
    world.model.says(real());
    world.run().await.unwrap();
    assert!(world.model.seen.lock().unwrap()[0].contains("‹email#1›"));
    assert!(why(&replay(&world, true).await).contains("redacted, which nothing brings back"));
}

#[tokio::test]
async fn a_failure_then_or_now_is_no_agreement() {
    let world = shop();
    world.model.fails(ModelError::Refused);
    world.run().await.unwrap();
    world.model.says(real());
    let all = replay(&world, true).await;
    assert_eq!((all[0].before.outcome.as_str(), all[0].agrees()), ("refused", None));
    world.model.fails(ModelError::Quota);
    let all = replay(&world, true).await;
    assert_eq!(all[0].now.as_ref().unwrap().outcome, "quota");
    assert_eq!(all[0].agrees(), None);
}

#[tokio::test]
async fn nothing_is_asked_once_the_quota_is_used_up() {
    let world = shop();
    world.forge.only_report(semgrep(&[
        hit("python.sqli", "app/db.py", 5),
        hit("python.sqli", "app/db.py", 10),
    ]));
    world.model.says(real());
    world.run().await.unwrap();
    let asked = world.model.asked();
    world.model.fails(ModelError::Quota);
    let all = replay(&world, true).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].now.is_some() && all[1].now.is_none() && all[1].rebuilt);
    assert_eq!(world.model.asked(), asked + 1);
}
