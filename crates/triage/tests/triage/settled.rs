//! What became of a disclosure is written beside its receipt.

use chaffinch_core::{Settled, SourceText};
use chaffinch_egress::{ModelError, answer_digest};

use crate::path::{real, shop};

fn settlements(world: &crate::double::World) -> Vec<Option<Settled>> {
    world.receipts.written.lock().unwrap().iter().map(|r| r.settled.clone()).collect()
}

#[tokio::test]
async fn an_answer_is_settled_with_its_digest_and_no_word_of_it() {
    let world = shop();
    world.model.says(real());
    world.run().await.unwrap();
    let settled = settlements(&world)[0].clone().unwrap();
    assert_eq!(settled.outcome, "answered");
    assert_eq!(settled.answer_digest, Some(answer_digest(&SourceText::new(real()))));
    assert!(settled.deleted >= world.receipts.written.lock().unwrap()[0].at);
    // What answers and records hold, and the comment says, is as it was before.
    assert!(world.forge.bodies()[0].contains("went to `tiny-1`"));
}

#[tokio::test]
async fn the_endpoints_id_is_kept_as_printable_text_of_bounded_length() {
    let world = shop();
    let id = format!("req\u{1b}[2J {}é", "x".repeat(300));
    *world.model.request_id.lock().unwrap() = Some(id);
    world.model.says(real());
    world.run().await.unwrap();
    let kept = settlements(&world)[0].clone().unwrap().request_id.unwrap();
    assert_eq!(kept.len(), 200);
    assert!(kept.starts_with("req[2Jx") && kept.bytes().all(|b| b.is_ascii_graphic()), "{kept}");
}

#[tokio::test]
async fn a_failure_is_settled_by_its_word_also_where_the_job_comes_again() {
    for (error, word) in [
        (ModelError::Refused, "refused"),
        (ModelError::Cut, "cut"),
        (ModelError::Quota, "quota"),
        (ModelError::RateLimited { after: None }, "rate_limited"),
        (ModelError::Unavailable("502".into()), "unavailable"),
        (ModelError::Unreachable("cannot connect".into()), "unreachable"),
    ] {
        let world = shop();
        world.model.fails(error);
        let _ = world.run().await;
        let settled = settlements(&world)[0].clone().unwrap();
        assert_eq!((settled.outcome.as_str(), settled.answer_digest), (word, None));
    }
}

#[tokio::test]
async fn each_of_two_disclosures_has_its_own_end() {
    let world = shop();
    world.model.says_in_turn([Ok("not what was wanted".into()), Ok(real())]);
    world.run().await.unwrap();
    let words: Vec<String> =
        settlements(&world).into_iter().map(|settled| settled.unwrap().outcome).collect();
    assert_eq!(words, ["malformed", "answered"]);
}

#[tokio::test]
async fn a_settlement_that_cannot_be_written_fails_no_triage() {
    let world = shop();
    *world.receipts.unsettled.lock().unwrap() = true;
    world.model.says(real());
    world.run().await.unwrap();
    assert_eq!(world.forge.threads_at(), ["app/db.py:5"]);
    assert_eq!(settlements(&world), [None]);
}
