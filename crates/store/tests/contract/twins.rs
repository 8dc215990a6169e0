//! A random walk on both queues at once: they must answer the same at every step.

use std::time::Duration;

use chaffinch_core::{Acked, Clock as _, DeliveryId, Lease, QueueDepth};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::setting::{Setting, Store, job};

#[derive(Debug, Clone)]
enum Step {
    /// Delivery, work, change.
    Enqueue(u64, u64, u64),
    Lease,
    Extend(usize),
    Ack(usize, Acked),
    Retry(usize, u64),
    Bury(usize),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..25u64, 0..2u64, 0..4u64)
            .prop_map(|(n, twice, number)| Step::Enqueue(n + 25 * twice, n, number)),
        4 => Just(Step::Lease),
        1 => (0..6usize).prop_map(Step::Extend),
        2 => (0..6usize, prop_oneof![Just(Acked::Done), Just(Acked::Nothing)])
            .prop_map(|(at, outcome)| Step::Ack(at, outcome)),
        2 => (0..6usize, 0..100u64).prop_map(|(at, delay)| Step::Retry(at, delay)),
        1 => (0..6usize).prop_map(Step::Bury),
        2 => (1..45u64).prop_map(Step::Advance),
    ]
}

/// One of the latest leases, held or lost.
fn recent(leases: &[Lease], at: usize) -> Option<&Lease> {
    leases.iter().rev().nth(at)
}

async fn apply(setting: &Setting, store: &Store, leases: &mut Vec<Lease>, step: &Step) -> String {
    let queue = &store.queue;
    let now = setting.clock.now();
    match *step {
        Step::Enqueue(delivery, n, number) => {
            let mut job = job(n, number);
            job.delivery = DeliveryId::new(format!("delivery-{delivery}")).unwrap();
            format!("{:?}", queue.enqueue(&job).await.unwrap())
        }
        Step::Lease => {
            let lease = queue.lease().await.unwrap();
            leases.extend(lease.clone());
            // Tokens differ, all else must not.
            format!("{:?}", lease.map(|lease| (lease.job, lease.attempt, lease.until)))
        }
        Step::Advance(_) => String::new(),
        Step::Extend(at) | Step::Ack(at, _) | Step::Retry(at, _) | Step::Bury(at) => {
            let Some(lease) = recent(leases, at) else { return String::new() };
            let kept = match step {
                Step::Extend(_) => queue.extend(lease).await,
                Step::Ack(_, outcome) => queue.ack(lease, *outcome).await,
                Step::Retry(_, delay) => {
                    queue.retry(lease, now + Duration::from_secs(*delay)).await
                }
                _ => queue.bury(lease, "no").await,
            };
            format!("{}", kept.unwrap())
        }
    }
}

#[test]
fn both_queues_answer_the_same_at_every_step() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config =
        ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let walks = proptest::collection::vec(step(), 1..160);
    TestRunner::new(config)
        .run(&walks, |walk| {
            runtime.block_on(walk_both(&walk));
            Ok(())
        })
        .unwrap();
}

async fn walk_both(walk: &[Step]) {
    let settings = [Setting::sqlite().await, Setting::redis().await];
    let mut leases = [Vec::new(), Vec::new()];
    for (number, step) in walk.iter().enumerate() {
        let mut answers = Vec::new();
        for (setting, leases) in settings.iter().zip(&mut leases) {
            if let Step::Advance(seconds) = step {
                setting.clock.advance(Duration::from_secs(*seconds));
            }
            let answer = apply(setting, setting.store(), leases, step).await;
            let depth: QueueDepth = setting.queue().depth().await.unwrap();
            answers.push((answer, depth));
        }
        assert_eq!(answers[0], answers[1], "step {number}: {step:?}");
    }
    for setting in &settings {
        setting.audit().await;
    }
}
