//! What both keepers of receipts do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chaffinch_core::{
    Chain, ChangeId, Clock as _, CommitSha, ContentRequests, Fingerprint, Flaw, Reason, Receipt,
    RepoPath, RuleId, Sent, StoreError,
};
use chaffinch_store::MAX_TTL;
use chrono::{TimeZone as _, Utc};

use crate::{
    on_both,
    setting::{DAY, KEY, OTHER_KEY, Setting, repo},
};

on_both! {
    receipts_come_back_oldest_first
    a_receipt_is_never_altered
    a_receipt_goes_after_180_days
    receipts_go_with_their_repository
    a_receipt_without_a_proper_id_is_refused
    receipts_survive_a_crash
    many_receipts_are_listed_whole
    a_chain_that_nobody_touched_is_whole
    a_receipt_that_is_removed_is_missed_at_its_place
    a_receipt_that_is_overwritten_is_found
    a_chain_whose_end_is_cut_off_is_found
    receipts_that_have_expired_are_no_flaw
    receipts_written_at_once_are_one_chain
    a_chain_goes_on_after_the_key_was_rotated
    repositories_with_receipts_are_known_by_their_last_name
    a_receipt_is_kept_for_as_long_as_it_is_asked
    less_than_a_day_or_over_180_days_is_refused
}

/// The `n`th receipt, a second after the one before, on change `number`.
pub(crate) fn receipt(n: u32, number: u64) -> Receipt {
    let start = Utc.with_ymd_and_hms(2026, 3, 1, 11, 0, 0).unwrap();
    Receipt {
        id: format!("{n:016x}"),
        at: start + Duration::from_secs(n.into()),
        change: ChangeId { repo: repo(1, 2), number },
        head: CommitSha::new("c".repeat(40)).unwrap(),
        finding: "0123456789abcdef0123456789abcdef".parse::<Fingerprint>().unwrap(),
        rule: RuleId::new("python.sqli").unwrap(),
        sent: vec![Sent {
            path: RepoPath::new("app/secret_place.py").unwrap(),
            start: 10,
            end: 12,
            reason: Reason::Finding,
        }],
        requests: ContentRequests { files: 2, folders: vec!["app".into()] },
        lines: 3,
        tokens: 900,
        redactions: BTreeMap::from([("email".to_owned(), 1)]),
        endpoint: "https://models.example:443".into(),
        model: "m".into(),
        prompt_version: "1".into(),
        prompt_digest: "d".repeat(64),
        policy_digest: "e".repeat(64),
        settled: None,
    }
}

async fn receipts_come_back_oldest_first(s: &mut Setting) {
    let receipts = s.receipts();
    for (n, number) in [(3, 7), (1, 7), (2, 71), (4, 8)] {
        receipts.append(&receipt(n, number), MAX_TTL).await.unwrap();
    }
    let all = receipts.list(&repo(1, 2), None).await.unwrap();
    assert_eq!(all, [receipt(1, 7), receipt(2, 71), receipt(3, 7), receipt(4, 8)]);
    let of_7 = receipts.list(&repo(1, 2), Some(7)).await.unwrap();
    assert_eq!(of_7, [receipt(1, 7), receipt(3, 7)]);
    assert!(receipts.list(&repo(1, 2), Some(9)).await.unwrap().is_empty());
    for other in [repo(1, 3), repo(9, 2)] {
        assert!(receipts.list(&other, None).await.unwrap().is_empty());
    }
}

async fn a_receipt_is_never_altered(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    let mut altered = receipt(1, 7);
    altered.lines = 0;
    s.receipts().append(&altered, MAX_TTL).await.unwrap();
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap(), [receipt(1, 7)]);
}

async fn a_receipt_goes_after_180_days(s: &mut Setting) {
    let mut first = receipt(1, 7);
    first.at = s.clock.now();
    s.receipts().append(&first, MAX_TTL).await.unwrap();
    s.clock.advance(DAY * 180 - Duration::from_millis(1));
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 1);
    s.clock.advance(Duration::from_millis(1));
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
    let error = s.receipts().append(&first, MAX_TTL).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
}

async fn receipts_go_with_their_repository(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.vault().destroy(&repo(1, 2)).await.unwrap();
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
    assert!(s.sealed(&repo(1, 2), "receipt").is_empty());
}

async fn a_receipt_without_a_proper_id_is_refused(s: &mut Setting) {
    for id in ["", "a:b", "a b", &"a".repeat(65)] {
        let mut bad = receipt(1, 7);
        bad.id = id.to_owned();
        let error = s.receipts().append(&bad, MAX_TTL).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    for id in ["7", &"aZ9x".repeat(16)] {
        s.receipts()
            .append(&Receipt { id: id.to_owned(), ..receipt(1, 7) }, MAX_TTL)
            .await
            .unwrap();
    }
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 2);
}

async fn receipts_survive_a_crash(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.crash().await;
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap(), [receipt(1, 7)]);
}

async fn many_receipts_are_listed_whole(s: &mut Setting) {
    for n in 0..1100 {
        s.receipts().append(&receipt(n, u64::from(n % 3)), MAX_TTL).await.unwrap();
    }
    let all = s.receipts().list(&repo(1, 2), None).await.unwrap();
    assert_eq!(all.len(), 1100);
    assert!(all.is_sorted_by_key(|receipt| receipt.at));
    assert_eq!(s.receipts().list(&repo(1, 2), Some(1)).await.unwrap().len(), 367);
}

async fn a_receipt_is_kept_for_as_long_as_it_is_asked(s: &mut Setting) {
    let at = s.clock.now();
    s.receipts().append(&Receipt { at, ..receipt(1, 7) }, DAY * 30).await.unwrap();
    s.clock.advance(DAY * 30 - Duration::from_millis(1));
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 1);
    s.clock.advance(Duration::from_millis(1));
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
    let late = s.receipts().append(&Receipt { at, ..receipt(2, 7) }, DAY * 30).await;
    assert!(matches!(late, Err(StoreError::Refused(_))), "{late:?}");
}

async fn less_than_a_day_or_over_180_days_is_refused(s: &mut Setting) {
    let second = Duration::from_secs(1);
    for keep in [Duration::ZERO, DAY - second, MAX_TTL + second, Duration::MAX] {
        let refused = s.receipts().append(&receipt(1, 7), keep).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
}

/// Writes so many receipts, and says under which names they lie, in their order, and then under
/// which the last number.
async fn written(s: &Setting, count: u32) -> (Vec<Vec<u8>>, Vec<u8>) {
    let sealed = || s.sealed(&repo(1, 2), "receipt").into_iter().collect::<Sealed>();
    let (mut names, mut changed) = (Vec::new(), BTreeSet::new());
    for n in 1..=count {
        let before = sealed();
        let at = s.clock.now();
        s.receipts().append(&Receipt { at, ..receipt(n, 7) }, MAX_TTL).await.unwrap();
        let after = sealed();
        names.push(largest_fresh(&before, &after));
        changed
            .extend(before.iter().filter(|(name, v)| after[*name] != **v).map(|(n, _)| n.clone()));
    }
    assert_eq!(changed.len(), 1, "only what says which is the last one is ever changed");
    (names, changed.pop_first().unwrap())
}

type Sealed = BTreeMap<Vec<u8>, Vec<u8>>;

/// The name of the link that was written in between.
pub(crate) fn largest_fresh(before: &Sealed, after: &Sealed) -> Vec<u8> {
    let fresh = after.iter().filter(|(name, _)| !before.contains_key(*name));
    fresh.max_by_key(|(_, value)| value.len()).unwrap().0.clone()
}

pub(crate) async fn chain(s: &Setting) -> Chain {
    s.receipts().verify(&repo(1, 2)).await.unwrap()
}

async fn a_chain_that_nobody_touched_is_whole(s: &mut Setting) {
    assert_eq!(chain(s).await, Chain::default());
    written(s, 3).await;
    let three = chain(s).await;
    assert_eq!((three.receipts, three.first, three.last), (3, Some(1), Some(3)));
    assert_eq!(three.flaws, []);
    s.crash().await;
    assert_eq!(chain(s).await, three);
    s.receipts().append(&receipt(9, 8), MAX_TTL).await.unwrap();
    assert_ne!(chain(s).await.head, three.head);
    assert_eq!(s.receipts().verify(&repo(1, 3)).await.unwrap(), Chain::default());
}

async fn a_receipt_that_is_removed_is_missed_at_its_place(s: &mut Setting) {
    let (names, _) = written(s, 6).await;
    s.discard(&repo(1, 2), "receipt", &names[2]);
    s.discard(&repo(1, 2), "receipt", &names[3]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 3, last: 4 }]);
    s.discard(&repo(1, 2), "receipt", &names[0]);
    let flaws = chain(s).await.flaws;
    assert_eq!(flaws, [Flaw::Missing { first: 1, last: 1 }, Flaw::Missing { first: 3, last: 4 }]);
}

async fn a_receipt_that_is_overwritten_is_found(s: &mut Setting) {
    let (names, last) = written(s, 4).await;
    let sealed: BTreeMap<_, _> = s.sealed(&repo(1, 2), "receipt").into_iter().collect();
    // Another one's bytes do not open in its place.
    s.overwrite(&repo(1, 2), &names[1], &sealed[&names[2]]);
    assert_eq!(chain(s).await.flaws, [Flaw::Unreadable { number: 2 }]);
    s.overwrite(&repo(1, 2), &names[1], &sealed[&names[1]]);
    assert_eq!(chain(s).await.flaws, []);

    // Whoever makes the bot write another one in its place cannot make the next one name that.
    for name in names[1..].iter().chain([&last]) {
        s.discard(&repo(1, 2), "receipt", name);
    }
    for n in [12, 13, 14] {
        s.receipts().append(&receipt(n, 7), MAX_TTL).await.unwrap();
    }
    for name in &names[2..] {
        s.overwrite(&repo(1, 2), name, &sealed[name]);
    }
    assert_eq!(chain(s).await.flaws, [Flaw::Altered { number: 2 }]);
}

async fn a_chain_whose_end_is_cut_off_is_found(s: &mut Setting) {
    let (names, last) = written(s, 4).await;
    s.discard(&repo(1, 2), "receipt", &names[3]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 4, last: 4 }]);
    s.discard(&repo(1, 2), "receipt", &last);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 4, last: 4 }, Flaw::NoEnd]);
}

async fn receipts_that_have_expired_are_no_flaw(s: &mut Setting) {
    for (n, days) in [(1, 100), (2, 70), (3, 100), (4, 0)] {
        let at = s.clock.now();
        s.receipts().append(&Receipt { at, ..receipt(n, 7) }, MAX_TTL).await.unwrap();
        s.clock.advance(DAY * days);
    }
    let left = chain(s).await;
    assert_eq!((left.receipts, left.first, left.last), (3, Some(2), Some(4)));
    assert_eq!(left.flaws, []);
    // All are gone, and the next one goes on where they ended.
    s.clock.advance(DAY * 179);
    s.receipts().append(&Receipt { at: s.clock.now(), ..receipt(5, 7) }, MAX_TTL).await.unwrap();
    s.clock.advance(DAY * 2);
    let left = chain(s).await;
    assert_eq!((left.first, left.last, left.flaws), (Some(5), Some(5), vec![]));
}

async fn receipts_written_at_once_are_one_chain(s: &mut Setting) {
    let stores = [s.store().clone(), s.another().await, s.another().await];
    let writing = (0..60).map(|n| {
        let receipts = stores[n % 3].receipts.clone();
        let n = u32::try_from(n).unwrap();
        tokio::spawn(async move { receipts.append(&receipt(n, 7), MAX_TTL).await.unwrap() })
    });
    for writing in writing.collect::<Vec<_>>() {
        writing.await.unwrap();
    }
    let chain = chain(s).await;
    assert_eq!((chain.receipts, chain.last, chain.flaws), (60, Some(60), vec![]));
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 60);
}

async fn a_chain_goes_on_after_the_key_was_rotated(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.receipts().append(&receipt(2, 7), MAX_TTL).await.unwrap();
    let chain = chain(s).await;
    assert_eq!((chain.receipts, chain.last, chain.flaws), (2, Some(2), vec![]));
}

async fn repositories_with_receipts_are_known_by_their_last_name(s: &mut Setting) {
    let named = |n: u32, id: u64, name: &str| {
        let mut receipt = receipt(n, 7);
        receipt.change.repo = repo(1, id);
        receipt.change.repo.name = chaffinch_core::RepoName::new(name).unwrap();
        receipt
    };
    for receipt in [named(1, 2, "acme/old"), named(2, 2, "acme/new"), named(3, 3, "acme/api")] {
        s.receipts().append(&receipt, MAX_TTL).await.unwrap();
    }
    let known = s.receipts().repositories().await.unwrap();
    let known: Vec<_> = known.iter().map(|repo| (repo.name.as_str(), repo.key())).collect();
    let of = |id: u64| repo(1, id).key();
    assert_eq!(known, [("acme/api", of(3)), ("acme/new", of(2))]);
    s.vault().destroy(&repo(1, 3)).await.unwrap();
    assert_eq!(s.receipts().repositories().await.unwrap().len(), 1);
}
