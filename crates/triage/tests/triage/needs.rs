//! A model that names what it misses is shown that, as far as the policy allows, and no more than
//! twice.

use chaffinch_core::Rung;
use chaffinch_egress::ModelError;
use serde_json::{Value, json};

use crate::{
    double::{World, false_positive, needs_review, true_positive},
    path::shop,
    reports::{hit, semgrep},
};

const FILTERS: &str = "def clean(name):\n    return name.replace(\"'\", \"''\")\n";
const QUERY: &str = "from app.filters import clean\n\n\ndef find(request):\n    name = request.args[\"name\"]\n    safe = getattr(FILTERS, \"clean\")(name)\n    run(f\"select {safe}\")\n";

/// A finding whose helper is in a file that nothing in its own points at.
pub(crate) fn elsewhere() -> World {
    let mut world = shop();
    // Guesses at where `clean` is take most of what the policy allows by default.
    world.policy.content_requests = 20;
    world.forge.adds("app/query.py", QUERY);
    world.forge.file("lib/escape.py", FILTERS);
    world.forge.only_report(semgrep(&[hit("python.sqli", "app/query.py", 7)]));
    world
}

pub(crate) fn missing(name: &str) -> Result<String, ModelError> {
    let mut answer: Value =
        serde_json::from_str(&needs_review("It is not shown what it does.")).unwrap();
    answer["needs"] = json!([name]);
    Ok(answer.to_string())
}

#[tokio::test]
async fn what_the_model_misses_is_shown_in_the_next_round() {
    let world = elsewhere();
    let proof = ("lib/escape.py", 2, "name.replace");
    let second = false_positive("Quotes are doubled.", &[proof]);
    world.model.says_in_turn([missing("lib/escape.py"), Ok(second)]);
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 2);
    let second = world.model.seen.lock().unwrap()[1].clone();
    assert!(second.contains("name.replace"), "{second}");
    let body = world.forge.bodies()[0].clone();
    assert!(body.starts_with("**Likely a false positive"), "{body}");
    assert_eq!(body.matches("receipt `").count(), 2, "each round has its receipt: {body}");
}

#[tokio::test]
async fn the_same_lines_are_not_asked_about_again() {
    let world = elsewhere();
    world.model.says_in_turn([missing("no_such_name_anywhere")]);
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 1);
    assert!(world.forge.bodies()[0].starts_with("**Needs a person's look"));
}

#[tokio::test]
async fn the_ceiling_holds_whatever_the_model_asks_for() {
    let mut world = elsewhere();
    world.policy.ceiling = Rung::Function;
    world.model.says_in_turn([missing("lib/escape.py")]);
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 1);
    let seen = world.model.seen.lock().unwrap().concat();
    assert!(!seen.contains("name.replace"), "{seen}");
}

#[tokio::test]
async fn after_two_rounds_a_person_must_look() {
    let world = elsewhere();
    world.forge.file("lib/second.py", "def other():\n    pass\n");
    world.forge.file("lib/third.py", "def third():\n    pass\n");
    world.model.says_in_turn(["lib/escape.py", "lib/second.py", "lib/third.py"].map(missing));
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 3);
    assert!(world.forge.bodies()[0].starts_with("**Needs a person's look"));
}

#[tokio::test]
async fn a_failure_in_a_later_round_leaves_the_first_answer() {
    let world = elsewhere();
    world.model.says_in_turn([missing("lib/escape.py"), Err(ModelError::Refused)]);
    world.run().await.unwrap();
    let body = world.forge.bodies()[0].clone();
    assert!(body.contains("It is not shown what it does."), "{body}");
    assert_eq!(body.matches("receipt `").count(), 2, "both are said: {body}");
}

#[tokio::test]
async fn rounds_are_taken_from_the_cache_too() {
    let world = elsewhere();
    let second = true_positive("It can be left.", &[]);
    world.model.says_in_turn([missing("lib/escape.py"), Ok(second)]);
    world.run().await.unwrap();
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 2, "the second run asks nothing");
}

#[tokio::test]
async fn a_round_that_would_lose_what_was_shown_is_not_asked() {
    let receipts = async |tokens: usize| {
        let mut world = elsewhere();
        world.policy.excerpt_tokens = tokens;
        world.model.says_in_turn([missing("lib/escape.py")]);
        world.run().await.unwrap();
        let lines: Vec<u32> =
            world.receipts.written.lock().unwrap().iter().map(|receipt| receipt.lines).collect();
        lines
    };
    let ample = receipts(900).await;
    assert_eq!(ample.len(), 2, "there is room for more");
    // Room for the first excerpt, and for nothing beside it.
    for tokens in 40..100 {
        let lines = receipts(tokens).await;
        if lines.first() == ample.first() {
            assert_eq!(lines.len(), 1, "{tokens}: {lines:?}");
            return;
        }
    }
    panic!("the first excerpt never fits");
}
