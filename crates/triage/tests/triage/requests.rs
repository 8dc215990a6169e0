//! The cap on files asked for is one for a finding, however often the model is asked about it.

use crate::{
    double::{World, false_positive},
    needs::{elsewhere, missing},
};

/// A model that misses a helper, and is content with it; with a cap of so many files.
async fn asking(cap: u32) -> World {
    let mut world = elsewhere();
    world.policy.content_requests = cap;
    let proof = ("lib/escape.py", 2, "name.replace");
    let second = false_positive("Quotes are doubled.", &[proof]);
    world.model.says_in_turn([missing("lib/escape.py"), Ok(second)]);
    world.run().await.unwrap();
    world
}

/// The files on each receipt, in order.
fn counted(world: &World) -> Vec<u32> {
    world.receipts.written.lock().unwrap().iter().map(|receipt| receipt.requests.files).collect()
}

#[tokio::test]
async fn a_later_round_counts_what_is_at_hand_once() {
    let ample = counted(&asking(30).await);
    let [first, both] = ample.as_slice() else { panic!("{ample:?}") };
    assert_eq!(*both, first + 1, "one more file, and the others once");
    let world = asking(*both).await;
    assert_eq!(counted(&world), ample, "the cap just holds it");
    let mut fetched = world.forge.fetched();
    fetched.sort_unstable();
    fetched.dedup();
    assert_eq!(fetched.len(), *both as usize, "{fetched:?}");
}

#[tokio::test]
async fn where_nothing_is_left_to_ask_for_nothing_more_is_asked_and_the_comment_says_so() {
    let first = counted(&asking(30).await)[0];
    let world = asking(first).await;
    assert_eq!(world.model.asked(), 1);
    assert_eq!(counted(&world), [first]);
    assert!(!world.forge.fetched().contains(&"lib/escape.py".to_owned()));
    let body = world.forge.bodies()[0].clone();
    assert!(body.starts_with("**Needs a person's look"), "{body}");
    let said = "as many files were asked for as the policy allows for one finding";
    assert!(body.contains(said), "{body}");
}
