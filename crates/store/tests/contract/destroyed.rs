//! Whose things both stores hold, and how much of them is destroyed.

use chaffinch_core::{Destroyed, Job, Receipt, RepoId, RepoName, Settled};
use chaffinch_store::MAX_TTL;

use crate::{
    on_both,
    receipts::receipt,
    setting::{DAY, KEY, OTHER_KEY, Setting, bytes, job, leased, repo},
    vault::KINDS,
};

on_both! {
    what_is_destroyed_is_counted_by_kind
    what_had_expired_is_not_counted
    what_either_key_sealed_is_counted
    of_two_that_destroy_at_once_each_thing_is_counted_once
    holders_are_all_of_whom_anything_is_kept
    a_holder_has_the_latest_name_that_is_known
}

fn counts(of: &[(&str, u64)]) -> Destroyed {
    of.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

fn named(id: u64, name: &str) -> RepoId {
    RepoId { name: RepoName::new(name).unwrap(), ..repo(1, id) }
}

async fn bury(s: &Setting, repo: &RepoId, n: u64) {
    s.queue().enqueue(&Job { repo: repo.clone(), ..job(n, n) }).await.unwrap();
    s.queue().bury(&leased(s.queue()).await, "no").await.unwrap();
}

async fn settle(s: &Setting, of: &Receipt) {
    let settled = Settled {
        receipt: of.id.clone(),
        deleted: of.at,
        answer_digest: None,
        request_id: None,
        outcome: "refused".into(),
    };
    s.receipts().settle(&of.change, &settled, MAX_TTL).await.unwrap();
}

async fn what_is_destroyed_is_counted_by_kind(s: &mut Setting) {
    let ours = repo(1, 2);
    assert_eq!(s.vault().destroy(&ours).await.unwrap(), counts(&[]));
    for (at, kind) in KINDS.into_iter().enumerate() {
        for n in 0..=at {
            let (key, value) = (n.to_string(), bytes("v"));
            s.vault().put(&ours, kind, &key, &value, DAY).await.unwrap();
            s.vault().put(&repo(1, 3), kind, &key, &value, DAY).await.unwrap();
        }
    }
    for n in 1..=3 {
        s.receipts().append(&receipt(n, 7), MAX_TTL).await.unwrap();
    }
    settle(s, &receipt(2, 7)).await;
    for (n, repo) in [(1, &ours), (2, &ours), (3, &repo(1, 3))] {
        bury(s, repo, n).await;
    }
    let all = [
        ("answer", 1),
        ("record", 2),
        ("report", 3),
        ("evaluation", 4),
        ("receipt", 3),
        ("job", 2),
    ];
    assert_eq!(s.vault().destroy(&ours).await.unwrap(), counts(&all));
    assert_eq!(s.vault().destroy(&ours).await.unwrap(), counts(&[]));
    let theirs = s.vault().destroy(&repo(1, 3)).await.unwrap();
    assert_eq!(theirs.values().sum::<u64>(), 11);
}

async fn what_had_expired_is_not_counted(s: &mut Setting) {
    let ours = repo(1, 2);
    for (key, ttl) in [("a", DAY), ("b", DAY * 3)] {
        s.vault().put(&ours, KINDS[0], key, &bytes("v"), ttl).await.unwrap();
    }
    s.receipts().append(&receipt(1, 7), DAY).await.unwrap();
    s.receipts().append(&receipt(2, 7), DAY * 3).await.unwrap();
    s.clock.advance(DAY * 2);
    let destroyed = s.vault().destroy(&ours).await.unwrap();
    assert_eq!(destroyed, counts(&[("answer", 1), ("receipt", 1)]));
    assert!(!s.keeps(&ours.key()));
}

async fn what_either_key_sealed_is_counted(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.vault().put(&repo(1, 2), KINDS[0], "old", &bytes("v"), DAY).await.unwrap();
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    s.receipts().append(&receipt(2, 7), MAX_TTL).await.unwrap();
    s.vault().put(&repo(1, 2), KINDS[0], "new", &bytes("v"), DAY).await.unwrap();
    let destroyed = s.vault().destroy(&repo(1, 2)).await.unwrap();
    assert_eq!(destroyed, counts(&[("answer", 2), ("receipt", 2)]));
}

async fn of_two_that_destroy_at_once_each_thing_is_counted_once(s: &mut Setting) {
    let ours = repo(1, 2);
    for n in 0..50 {
        s.vault().put(&ours, KINDS[0], &n.to_string(), &bytes("v"), DAY).await.unwrap();
    }
    for n in 1..=5 {
        bury(s, &ours, n).await;
    }
    let (one, two) = (s.another().await, s.another().await);
    let (one, two) = tokio::join!(one.vault.destroy(&ours), two.vault.destroy(&ours));
    let mut all = one.unwrap();
    for (kind, count) in two.unwrap() {
        *all.entry(kind).or_default() += count;
    }
    assert_eq!(all, counts(&[("answer", 50), ("job", 5)]));
}

async fn holders_are_all_of_whom_anything_is_kept(s: &mut Setting) {
    assert!(s.vault().holders().await.unwrap().is_empty());
    for (at, kind) in KINDS.into_iter().enumerate() {
        let repo = repo(1, 10 + at as u64);
        s.vault().put(&repo, kind, "k", &bytes("v"), DAY).await.unwrap();
    }
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    bury(s, &repo(9, 30), 1).await;
    let holders = s.vault().holders().await.unwrap();
    let keys: Vec<_> = holders.iter().map(RepoId::key).collect();
    let expected = [repo(1, 10), repo(1, 11), repo(1, 12), repo(1, 13), repo(1, 2), repo(9, 30)];
    assert_eq!(keys, expected.map(|repo| repo.key()));
    for holder in &holders {
        s.vault().destroy(holder).await.unwrap();
    }
    assert!(s.vault().holders().await.unwrap().is_empty());
}

async fn a_holder_has_the_latest_name_that_is_known(s: &mut Setting) {
    let of = |n: u32, repo: RepoId| {
        let mut receipt = receipt(n, 7);
        receipt.change.repo = repo;
        receipt
    };
    s.receipts().append(&of(1, named(2, "acme/old")), MAX_TTL).await.unwrap();
    settle(s, &of(1, named(2, "acme/new"))).await;
    bury(s, &named(2, "acme/older"), 1).await;
    s.vault().put(&repo(1, 3), KINDS[0], "k", &bytes("v"), DAY).await.unwrap();
    bury(s, &named(4, "acme/api"), 2).await;
    let holders = s.vault().holders().await.unwrap();
    let names: Vec<_> = holders.iter().map(|repo| repo.name.as_str()).collect();
    assert_eq!(names, ["acme/new", "unknown/unknown", "acme/api"]);
}
