//! What both queues do.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chaffinch_core::{
    Acked, Clock as _, DeliveryId, Enqueued, Job, Lease, QueueDepth, ReportId, StoreError, Subject,
    Trigger,
};
use chaffinch_store::MAX_RETRY_DELAY;

use crate::{
    on_both,
    setting::{DAY, Setting, Store, job, leased, repo},
};

const LEASE: Duration = Duration::from_secs(60);

on_both! {
    a_new_job_is_leased_once_and_done
    the_same_delivery_or_the_same_work_is_a_duplicate
    a_done_job_is_forgotten_after_its_time
    work_that_came_to_nothing_is_done_when_it_is_asked_for_again
    a_delivery_that_came_to_nothing_is_forgotten_after_its_time
    what_came_of_a_job_survives_a_crash
    duplicates_that_come_at_once_are_one_job
    a_buried_job_runs_again_when_it_is_delivered_again
    another_kind_of_work_on_the_same_head_is_another_job
    the_oldest_job_comes_first
    jobs_of_one_lane_never_run_at_once
    a_lane_is_free_again_after_ack_retry_bury_and_expiry
    a_job_that_waits_alone_for_its_lane_goes_by_itself
    a_lost_lease_changes_nothing
    a_lease_that_is_extended_is_not_lost
    a_job_that_is_put_off_keeps_its_age_and_frees_its_lane
    a_job_is_put_off_by_seven_days_at_most
    a_token_of_nobody_is_a_lost_lease
    dead_letters_are_bounded
    a_full_queue_refuses_and_takes_again
    one_tenant_cannot_shut_out_another
    a_job_that_cannot_be_read_goes_to_the_dead_letters
    a_worker_that_vanishes_loses_no_job
    a_crash_keeps_what_was_accepted
    each_of_500_jobs_is_done_once_by_two_workers
    a_long_line_in_one_lane_does_not_hide_the_others
    readiness_is_told
}

async fn a_new_job_is_leased_once_and_done(s: &mut Setting) {
    let queue = s.queue();
    assert_eq!(queue.lease().await.unwrap(), None);
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { ready: 1, ..QueueDepth::default() });

    let lease = leased(queue).await;
    assert_eq!((&lease.job, lease.attempt), (&job(1, 7), 1));
    assert_eq!(lease.until, s.clock.now() + LEASE);
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { leased: 1, ..QueueDepth::default() });
    assert_eq!(queue.lease().await.unwrap(), None);

    assert!(queue.ack(&lease, Acked::Done).await.unwrap());
    assert!(!queue.ack(&lease, Acked::Done).await.unwrap());
    assert_eq!(queue.depth().await.unwrap(), QueueDepth::default());
    s.clock.advance(LEASE);
    assert_eq!(queue.lease().await.unwrap(), None);
}

async fn the_same_delivery_or_the_same_work_is_a_duplicate(s: &mut Setting) {
    let queue = s.queue();
    let first = job(1, 7);
    let mut same_work = first.clone();
    same_work.delivery = DeliveryId::new("another").unwrap();
    let mut same_delivery = job(2, 8);
    same_delivery.delivery = first.delivery.clone();
    let again = [first.clone(), same_work, same_delivery];

    assert_eq!(queue.enqueue(&first).await.unwrap(), Enqueued::New);
    for other in &again {
        assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Duplicate, "queued");
    }
    let lease = leased(queue).await;
    for other in &again {
        assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Duplicate, "running");
    }
    assert!(queue.retry(&lease, s.clock.now() + LEASE).await.unwrap());
    for other in &again {
        assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Duplicate, "put off");
    }
    s.clock.advance(LEASE);
    assert!(queue.ack(&leased(queue).await, Acked::Done).await.unwrap());
    for other in &again {
        assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Duplicate, "done");
    }
    assert_eq!(queue.lease().await.unwrap(), None);
}

async fn a_done_job_is_forgotten_after_its_time(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    queue.ack(&leased(queue).await, Acked::Done).await.unwrap();
    s.clock.advance(DAY * 3 - Duration::from_millis(1));
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
    s.clock.advance(Duration::from_millis(1));
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert_eq!(leased(queue).await.attempt, 1);
}

/// The same work, asked for by another delivery.
fn asked_again(job: &Job, delivery: &str) -> Job {
    Job { delivery: DeliveryId::new(delivery).unwrap(), ..job.clone() }
}

async fn work_that_came_to_nothing_is_done_when_it_is_asked_for_again(s: &mut Setting) {
    let queue = s.queue();
    let draft = job(1, 7);
    let ready = asked_again(&draft, "ready");
    queue.enqueue(&draft).await.unwrap();
    queue.enqueue(&job(2, 7)).await.unwrap();
    let lease = leased(queue).await;
    assert_eq!(queue.enqueue(&ready).await.unwrap(), Enqueued::Duplicate, "still running");
    assert!(queue.ack(&lease, Acked::Nothing).await.unwrap());
    assert!(!queue.ack(&lease, Acked::Nothing).await.unwrap());
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { ready: 1, ..QueueDepth::default() });
    let other = leased(queue).await;
    assert_eq!(other.job, job(2, 7), "its lane is free");
    queue.ack(&other, Acked::Done).await.unwrap();

    assert_eq!(queue.enqueue(&draft).await.unwrap(), Enqueued::Duplicate, "the same delivery");
    assert_eq!(queue.enqueue(&ready).await.unwrap(), Enqueued::New);
    let third = asked_again(&draft, "third");
    assert_eq!(queue.enqueue(&third).await.unwrap(), Enqueued::Duplicate, "queued");
    let again = leased(queue).await;
    assert_eq!((&again.job, again.attempt), (&ready, 1));
    // A lease that is over says nothing about the work of a later one.
    assert!(!queue.ack(&lease, Acked::Nothing).await.unwrap());
    assert_eq!(queue.enqueue(&third).await.unwrap(), Enqueued::Duplicate, "running");
    assert!(queue.ack(&again, Acked::Done).await.unwrap());
    assert!(!queue.ack(&again, Acked::Nothing).await.unwrap());
    for other in [&draft, &ready, &third] {
        assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Duplicate, "done");
    }
}

async fn a_delivery_that_came_to_nothing_is_forgotten_after_its_time(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    queue.ack(&leased(queue).await, Acked::Nothing).await.unwrap();
    s.clock.advance(DAY * 3 - Duration::from_millis(1));
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
    s.clock.advance(Duration::from_millis(1));
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert_eq!(leased(queue).await.attempt, 1);
}

async fn what_came_of_a_job_survives_a_crash(s: &mut Setting) {
    for (n, outcome) in [(1, Acked::Done), (2, Acked::Nothing)] {
        s.queue().enqueue(&job(n, n)).await.unwrap();
        assert!(s.queue().ack(&leased(s.queue()).await, outcome).await.unwrap());
    }
    s.crash().await;
    let queue = s.queue();
    for n in 1..=2 {
        assert_eq!(queue.enqueue(&job(n, n)).await.unwrap(), Enqueued::Duplicate);
    }
    let (done, nothing) = (asked_again(&job(1, 1), "a"), asked_again(&job(2, 2), "b"));
    assert_eq!(queue.enqueue(&done).await.unwrap(), Enqueued::Duplicate);
    assert_eq!(queue.enqueue(&nothing).await.unwrap(), Enqueued::New);
}

async fn duplicates_that_come_at_once_are_one_job(s: &mut Setting) {
    let stores = [s.store().clone(), s.another().await];
    let tasks: Vec<_> = (0..60u64)
        .map(|n| {
            let queue = stores[usize::from(n % 2 == 0)].queue.clone();
            // Thirty deliveries of the same work, each of them twice.
            let mut job = job(1, 7);
            job.delivery = DeliveryId::new(format!("d{}", n / 2)).unwrap();
            tokio::spawn(async move { queue.enqueue(&job).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += usize::from(task.await.unwrap() == Enqueued::New);
    }
    assert_eq!(new, 1);
    assert_eq!(s.queue().depth().await.unwrap().ready, 1);
}

async fn a_buried_job_runs_again_when_it_is_delivered_again(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    assert!(queue.bury(&leased(queue).await, "the repository is gone").await.unwrap());
    assert_eq!(queue.lease().await.unwrap(), None);
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { dead: 1, ..QueueDepth::default() });

    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::New);
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
    let lease = leased(queue).await;
    assert_eq!((&lease.job, lease.attempt), (&job(1, 7), 1));
    assert!(queue.ack(&lease, Acked::Done).await.unwrap());
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
}

async fn another_kind_of_work_on_the_same_head_is_another_job(s: &mut Setting) {
    let queue = s.queue();
    let first = job(1, 7);
    let others = [
        Trigger::Scan("5".into()),
        Trigger::Report(ReportId::new("r").unwrap()),
        Trigger::Rerun(DeliveryId::new("again").unwrap()),
    ];
    assert_eq!(queue.enqueue(&first).await.unwrap(), Enqueued::New);
    for (n, source) in others.into_iter().enumerate() {
        let mut other = first.clone();
        other.delivery = DeliveryId::new(format!("other-{n}")).unwrap();
        other.source = source;
        assert_eq!(queue.enqueue(&other).await.unwrap(), Enqueued::New);
    }
    let mut head = first.clone();
    head.delivery = DeliveryId::new("head").unwrap();
    head.subject = Subject::Head;
    assert_eq!(queue.enqueue(&head).await.unwrap(), Enqueued::New);
}

async fn the_oldest_job_comes_first(s: &mut Setting) {
    let queue = s.queue();
    for n in 1..=12 {
        queue.enqueue(&job(n, n)).await.unwrap();
    }
    for n in 1..=12 {
        assert_eq!(leased(queue).await.job, job(n, n));
    }
    // They come again in the same order.
    s.clock.advance(LEASE);
    for n in 1..=12 {
        let lease = leased(queue).await;
        assert_eq!((lease.job, lease.attempt), (job(n, n), 2));
    }
}

async fn jobs_of_one_lane_never_run_at_once(s: &mut Setting) {
    let queue = s.queue();
    for (n, number) in [(1, 7), (2, 7), (3, 7), (4, 8), (5, 71)] {
        queue.enqueue(&job(n, number)).await.unwrap();
    }
    let first = leased(queue).await;
    assert_eq!(first.job, job(1, 7));
    assert_eq!(leased(queue).await.job, job(4, 8));
    assert_eq!(leased(queue).await.job, job(5, 71));
    assert_eq!(queue.lease().await.unwrap(), None);
    assert_eq!(
        queue.depth().await.unwrap(),
        QueueDepth { ready: 2, leased: 3, ..QueueDepth::default() }
    );

    queue.ack(&first, Acked::Done).await.unwrap();
    let second = leased(queue).await;
    assert_eq!((&second.job, second.attempt), (&job(2, 7), 1), "waiting is no attempt");
    assert_eq!(queue.lease().await.unwrap(), None);
    // A younger job of a lane that was waited for comes after the older one.
    queue.enqueue(&job(6, 9)).await.unwrap();
    queue.ack(&second, Acked::Done).await.unwrap();
    assert_eq!(leased(queue).await.job, job(3, 7));
    assert_eq!(leased(queue).await.job, job(6, 9));
}

/// That every key has a time to live is looked at when the setting ends.
async fn a_job_that_waits_alone_for_its_lane_goes_by_itself(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    queue.enqueue(&job(2, 7)).await.unwrap();
    leased(queue).await;
    assert_eq!(queue.lease().await.unwrap(), None);
}

async fn a_lane_is_free_again_after_ack_retry_bury_and_expiry(s: &mut Setting) {
    let queue = s.queue();
    for n in 1..=5 {
        queue.enqueue(&job(n, 7)).await.unwrap();
    }
    let later = s.clock.now() + DAY;
    queue.ack(&leased(queue).await, Acked::Done).await.unwrap();
    let second = leased(queue).await;
    assert_eq!(second.job, job(2, 7));
    assert_eq!(queue.lease().await.unwrap(), None);
    queue.retry(&second, later).await.unwrap();
    let third = leased(queue).await;
    assert_eq!(third.job, job(3, 7));
    assert_eq!(queue.lease().await.unwrap(), None);
    queue.bury(&third, "no").await.unwrap();
    assert_eq!(leased(queue).await.job, job(4, 7));
    assert_eq!(queue.lease().await.unwrap(), None);
    s.clock.advance(LEASE);
    assert_eq!(leased(queue).await.job, job(4, 7));
    assert_eq!(queue.lease().await.unwrap(), None);
}

async fn a_lost_lease_changes_nothing(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    let lost = leased(queue).await;
    s.clock.advance(LEASE);
    // Lost with its deadline, even before another worker has the job.
    assert_all_refuse(s, &lost).await;
    let held = leased(queue).await;
    assert_eq!((&held.job, held.attempt), (&job(1, 7), 2));
    assert_ne!(held.token, lost.token);
    assert_all_refuse(s, &lost).await;

    assert_eq!(queue.depth().await.unwrap(), QueueDepth { leased: 1, ..QueueDepth::default() });
    assert!(queue.extend(&held).await.unwrap());
    assert!(queue.ack(&held, Acked::Done).await.unwrap());
    assert_all_refuse(s, &held).await;
    assert_eq!(queue.enqueue(&job(1, 7)).await.unwrap(), Enqueued::Duplicate);
}

async fn assert_all_refuse(s: &Setting, lease: &Lease) {
    let queue = s.queue();
    assert!(!queue.extend(lease).await.unwrap());
    for outcome in [Acked::Done, Acked::Nothing] {
        assert!(!queue.ack(lease, outcome).await.unwrap());
    }
    assert!(!queue.retry(lease, s.clock.now()).await.unwrap());
    assert!(!queue.bury(lease, "no").await.unwrap());
}

async fn a_lease_that_is_extended_is_not_lost(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    let lease = leased(queue).await;
    for _ in 0..5 {
        s.clock.advance(LEASE - Duration::from_millis(1));
        assert!(queue.extend(&lease).await.unwrap());
        assert_eq!(queue.lease().await.unwrap(), None);
    }
    s.clock.advance(LEASE - Duration::from_millis(1));
    assert!(queue.ack(&lease, Acked::Done).await.unwrap());
}

async fn a_job_that_is_put_off_keeps_its_age_and_frees_its_lane(s: &mut Setting) {
    let queue = s.queue();
    for n in 1..=3 {
        queue.enqueue(&job(n, 7)).await.unwrap();
    }
    let first = leased(queue).await;
    assert!(queue.retry(&first, s.clock.now() + LEASE).await.unwrap());
    assert_eq!(
        queue.depth().await.unwrap(),
        QueueDepth { ready: 2, delayed: 1, ..QueueDepth::default() }
    );
    let second = leased(queue).await;
    assert_eq!(second.job, job(2, 7));
    queue.ack(&second, Acked::Done).await.unwrap();

    s.clock.advance(LEASE - Duration::from_millis(1));
    assert_eq!(leased(queue).await.job, job(3, 7));
    s.clock.advance(Duration::from_millis(1));
    assert_eq!(queue.lease().await.unwrap(), None, "due, but its lane is busy");
    assert_eq!(
        queue.depth().await.unwrap(),
        QueueDepth { ready: 1, leased: 1, ..QueueDepth::default() }
    );
    s.clock.advance(LEASE);
    let again = leased(queue).await;
    assert_eq!((&again.job, again.attempt), (&job(1, 7), 2));
    // Put off until now means due now.
    queue.retry(&again, s.clock.now()).await.unwrap();
    assert_eq!(leased(queue).await.attempt, 3);
}

async fn a_job_is_put_off_by_seven_days_at_most(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    let lease = leased(queue).await;
    let limit = s.clock.now() + MAX_RETRY_DELAY;
    let error = queue.retry(&lease, limit + Duration::from_millis(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(queue.retry(&lease, limit).await.unwrap());
    s.clock.advance(MAX_RETRY_DELAY);
    assert_eq!(leased(queue).await.attempt, 2);
}

async fn a_token_of_nobody_is_a_lost_lease(s: &mut Setting) {
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    let lease = leased(queue).await;
    let id = lease.token.split('.').next().unwrap();
    for token in ["", "x", "1.", "9-9.00", "1.00", ".", &format!("{id}."), &format!("{id}.00 ")] {
        assert_all_refuse(s, &Lease { token: token.into(), ..lease.clone() }).await;
    }
    assert!(queue.ack(&lease, Acked::Done).await.unwrap());
}

async fn dead_letters_are_bounded(s: &mut Setting) {
    s.config.max_dead = 5;
    s.reopen().await;
    let queue = s.queue();
    for n in 1..=8 {
        queue.enqueue(&job(n, n)).await.unwrap();
        queue.bury(&leased(queue).await, "no").await.unwrap();
    }
    assert_eq!(queue.depth().await.unwrap().dead, 5);
}

async fn a_full_queue_refuses_and_takes_again(s: &mut Setting) {
    s.config.max_jobs = 3;
    s.reopen().await;
    let queue = s.queue();
    for n in 1..=3 {
        queue.enqueue(&job(n, n)).await.unwrap();
    }
    let lease = leased(queue).await;
    let error = queue.enqueue(&job(4, 4)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(queue.enqueue(&job(2, 2)).await.unwrap(), Enqueued::Duplicate);
    queue.ack(&lease, Acked::Done).await.unwrap();
    assert_eq!(queue.enqueue(&job(4, 4)).await.unwrap(), Enqueued::New);
}

async fn one_tenant_cannot_shut_out_another(s: &mut Setting) {
    let queue = s.queue();
    let ours = job(1, 7);
    let mut theirs = ours.clone();
    theirs.repo = repo(9, 2);
    assert_eq!(queue.enqueue(&theirs).await.unwrap(), Enqueued::New);
    assert_eq!(queue.enqueue(&ours).await.unwrap(), Enqueued::New);
    // Nor hold its lane.
    assert_eq!(leased(queue).await.job, theirs);
    assert_eq!(leased(queue).await.job, ours);
}

async fn a_job_that_cannot_be_read_goes_to_the_dead_letters(s: &mut Setting) {
    s.leave_a_strange_job();
    let queue = s.queue();
    queue.enqueue(&job(1, 7)).await.unwrap();
    assert_eq!(leased(queue).await.job, job(1, 7));
    assert_eq!(
        queue.depth().await.unwrap(),
        QueueDepth { leased: 1, dead: 1, ..QueueDepth::default() }
    );
}

async fn a_worker_that_vanishes_loses_no_job(s: &mut Setting) {
    s.queue().enqueue(&job(1, 7)).await.unwrap();
    let worker = s.another().await;
    let (leased_one, seen) = tokio::sync::oneshot::channel();
    let working = tokio::spawn(async move {
        leased_one.send(leased(&*worker.queue).await).unwrap();
        std::future::pending::<()>().await;
    });
    let lost = seen.await.unwrap();
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());

    assert_eq!(s.queue().lease().await.unwrap(), None);
    s.clock.advance(LEASE);
    let again = leased(s.queue()).await;
    assert_eq!((&again.job, again.attempt), (&lost.job, 2));
}

async fn a_crash_keeps_what_was_accepted(s: &mut Setting) {
    for n in 1..=6 {
        s.queue().enqueue(&job(n, n)).await.unwrap();
    }
    s.queue().ack(&leased(s.queue()).await, Acked::Done).await.unwrap();
    s.queue().bury(&leased(s.queue()).await, "no").await.unwrap();
    s.queue().retry(&leased(s.queue()).await, s.clock.now() + DAY).await.unwrap();
    let held = leased(s.queue()).await;
    let before = s.queue().depth().await.unwrap();
    assert_eq!(before, QueueDepth { ready: 2, leased: 1, delayed: 1, dead: 1 });

    s.crash().await;
    let queue = s.queue();
    assert_eq!(queue.depth().await.unwrap(), before);
    assert_eq!(queue.enqueue(&job(1, 1)).await.unwrap(), Enqueued::Duplicate);
    assert_eq!(queue.enqueue(&job(5, 5)).await.unwrap(), Enqueued::Duplicate);
    assert_eq!(leased(queue).await.job, job(5, 5));
    assert_eq!(leased(queue).await.job, job(6, 6));
    assert!(queue.ack(&held, Acked::Done).await.unwrap());
    s.clock.advance(DAY);
    let again = leased(queue).await;
    assert_eq!((again.job, again.attempt), (job(3, 3), 2));
}

async fn each_of_500_jobs_is_done_once_by_two_workers(s: &mut Setting) {
    const JOBS: u64 = 500;
    let workers = [s.another().await, s.another().await];
    let done = Arc::new(Mutex::new(HashMap::new()));
    let running = Arc::new(Mutex::new(HashSet::new()));
    // Several hands each, and the jobs come in meanwhile.
    let hands: Vec<_> = (0..8)
        .map(|hand| {
            let worker = workers[hand % 2].clone();
            tokio::spawn(work(worker, JOBS, Arc::clone(&done), Arc::clone(&running)))
        })
        .collect();
    for n in 1..=JOBS {
        assert_eq!(s.queue().enqueue(&job(n, n % 37)).await.unwrap(), Enqueued::New);
    }
    for hand in hands {
        hand.await.unwrap();
    }
    assert_eq!(s.queue().depth().await.unwrap(), QueueDepth::default());
    let done = done.lock().unwrap();
    assert_eq!(done.len() as u64, JOBS);
    assert!(done.values().all(|times| *times == 1));
}

async fn work(
    store: Store,
    jobs: u64,
    done: Arc<Mutex<HashMap<String, u32>>>,
    running: Arc<Mutex<HashSet<String>>>,
) {
    let start = Instant::now();
    while (done.lock().unwrap().len() as u64) < jobs {
        assert!(start.elapsed() < Duration::from_secs(50), "the queue does not empty");
        let Some(lease) = store.queue.lease().await.unwrap() else {
            tokio::task::yield_now().await;
            continue;
        };
        let lane = lease.job.lane();
        assert!(running.lock().unwrap().insert(lane.clone()), "two jobs in {lane}");
        tokio::task::yield_now().await;
        *done.lock().unwrap().entry(lease.job.key()).or_default() += 1;
        assert!(running.lock().unwrap().remove(&lane));
        assert!(store.queue.ack(&lease, Acked::Done).await.unwrap());
    }
}

async fn a_long_line_in_one_lane_does_not_hide_the_others(s: &mut Setting) {
    let queue = s.queue();
    // More than a script moves in one go.
    for n in 1..=1200 {
        queue.enqueue(&job(n, 7)).await.unwrap();
    }
    queue.enqueue(&job(2000, 8)).await.unwrap();
    let first = leased(queue).await;
    assert_eq!(first.job, job(1, 7));
    assert_eq!(leased(queue).await.job, job(2000, 8));
    assert_eq!(queue.lease().await.unwrap(), None);
    queue.ack(&first, Acked::Done).await.unwrap();
    assert_eq!(leased(queue).await.job, job(2, 7));
}

async fn readiness_is_told(s: &mut Setting) {
    s.queue().ready().await.unwrap();
    assert_eq!(s.queue().depth().await.unwrap(), QueueDepth::default());
}
