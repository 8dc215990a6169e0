//! What both stores keep of what became of a disclosure.

use std::time::Duration;

use chaffinch_core::{ChangeId, Clock as _, Flaw, Receipt, Settled, StoreError};
use chaffinch_store::MAX_TTL;
use chrono::{TimeZone as _, Utc};

use crate::{
    on_both,
    receipts::{chain, largest_fresh, receipt},
    setting::{DAY, KEY, OTHER_KEY, Setting, repo},
};

on_both! {
    a_receipt_is_listed_with_what_became_of_it
    what_became_of_a_disclosure_is_said_once
    what_a_receipt_says_of_it_itself_is_not_kept
    of_an_unknown_receipt_nothing_is_written
    of_a_destroyed_repository_nothing_is_written
    what_became_of_it_goes_with_its_receipt
    what_is_out_of_bounds_is_refused
    what_became_of_it_is_a_link_but_no_receipt
    one_that_is_removed_is_missed_at_its_place
    one_that_is_overwritten_is_found
    one_that_is_cut_off_at_the_end_is_found
    a_receipt_removed_from_before_it_is_missed_at_its_place
    links_that_expired_out_of_their_order_are_no_flaw
    a_link_that_is_removed_among_expired_ones_is_found
    a_chain_that_was_removed_whole_is_found_after_the_next_receipt
    receipts_and_what_became_of_them_written_at_once_are_one_chain
    a_rotated_key_settles_what_the_former_sealed
    a_chain_from_before_there_were_stubs_is_whole_and_goes_on
}

fn change(number: u64) -> ChangeId {
    ChangeId { repo: repo(1, 2), number }
}

/// What became of the `n`th receipt.
fn settled(n: u32) -> Settled {
    Settled {
        receipt: format!("{n:016x}"),
        deleted: Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 9).unwrap(),
        answer_digest: Some("a".repeat(64)),
        request_id: Some("req_0123 ~".into()),
        outcome: "answered".into(),
    }
}

async fn append(s: &Setting, n: u32, keep: Duration) {
    let at = s.clock.now();
    s.receipts().append(&Receipt { at, ..receipt(n, 7) }, keep).await.unwrap();
}

async fn settle(s: &Setting, n: u32) {
    s.receipts().settle(&change(7), &settled(n), MAX_TTL).await.unwrap();
}

async fn listed(s: &Setting) -> Vec<Receipt> {
    s.receipts().list(&repo(1, 2), None).await.unwrap()
}

/// Writes links, and says under which names they lie: of receipts (true) or of what became of them.
async fn written(s: &Setting, links: &[(u32, bool)]) -> Vec<Vec<u8>> {
    let sealed = || s.sealed(&repo(1, 2), "receipt").into_iter().collect();
    let mut names = Vec::new();
    for (n, is_receipt) in links {
        let before = sealed();
        if *is_receipt {
            append(s, *n, MAX_TTL).await
        } else {
            settle(s, *n).await
        }
        names.push(largest_fresh(&before, &sealed()));
    }
    names
}

const FOUR: [(u32, bool); 4] = [(1, true), (2, true), (1, false), (2, false)];

async fn a_receipt_is_listed_with_what_became_of_it(s: &mut Setting) {
    for (n, number) in [(1, 7), (2, 7), (3, 8)] {
        s.receipts().append(&receipt(n, number), MAX_TTL).await.unwrap();
    }
    settle(s, 2).await;
    let none = Settled { answer_digest: None, request_id: None, ..settled(3) };
    s.receipts().settle(&change(8), &none, MAX_TTL).await.unwrap();
    let second = Receipt { settled: Some(settled(2)), ..receipt(2, 7) };
    let third = Receipt { settled: Some(none), ..receipt(3, 8) };
    assert_eq!(listed(s).await, [receipt(1, 7), second, third.clone()]);
    assert_eq!(s.receipts().list(&repo(1, 2), Some(8)).await.unwrap(), [third]);
    s.crash().await;
    assert_eq!(listed(s).await[1].settled, Some(settled(2)));
    for text in ["answered", "req_0123"] {
        assert!(!s.keeps(text), "{text}");
    }
}

async fn what_became_of_a_disclosure_is_said_once(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    settle(s, 1).await;
    let other = Settled { outcome: "malformed".into(), ..settled(1) };
    s.receipts().settle(&change(7), &other, MAX_TTL).await.unwrap();
    assert_eq!(listed(s).await[0].settled, Some(settled(1)));
    assert_eq!(chain(s).await.last, Some(2));
}

async fn what_a_receipt_says_of_it_itself_is_not_kept(s: &mut Setting) {
    let told = Receipt { settled: Some(settled(1)), ..receipt(1, 7) };
    s.receipts().append(&told, MAX_TTL).await.unwrap();
    assert_eq!(listed(s).await, [receipt(1, 7)]);
}

async fn of_an_unknown_receipt_nothing_is_written(s: &mut Setting) {
    settle(s, 1).await;
    assert!(!s.keeps("github:1:2"), "no salt either");
    append(s, 1, MAX_TTL).await;
    let before = s.sealed(&repo(1, 2), "receipt").len();
    settle(s, 2).await;
    // The same id, of another change.
    s.receipts().settle(&change(8), &settled(1), MAX_TTL).await.unwrap();
    assert_eq!(s.sealed(&repo(1, 2), "receipt").len(), before);
}

async fn of_a_destroyed_repository_nothing_is_written(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    s.vault().destroy(&repo(1, 2)).await.unwrap();
    settle(s, 1).await;
    assert!(!s.keeps("github:1:2"));
    // Nor by one that is at it while the repository is destroyed.
    for n in 2..40 {
        append(s, n, MAX_TTL).await;
        let receipts = s.another().await.receipts;
        let settling = async move { receipts.settle(&change(7), &settled(n), MAX_TTL).await };
        let settling = tokio::spawn(settling);
        s.vault().destroy(&repo(1, 2)).await.unwrap();
        settling.await.unwrap().unwrap();
        assert!(!s.keeps("github:1:2"));
    }
}

async fn what_became_of_it_goes_with_its_receipt(s: &mut Setting) {
    append(s, 1, DAY * 30).await;
    s.clock.advance(DAY * 20);
    settle(s, 1).await;
    let lives = s.sealed(&repo(1, 2), "receipt").len();
    s.clock.advance(DAY * 10 - Duration::from_millis(1));
    assert_eq!(listed(s).await[0].settled, Some(settled(1)));
    s.clock.advance(Duration::from_millis(1));
    assert!(listed(s).await.is_empty());
    let left = chain(s).await;
    assert_eq!((left.receipts, left.last, left.flaws), (0, None, vec![]));
    // Late: its receipt is no more.
    settle(s, 1).await;
    assert!(s.sealed(&repo(1, 2), "receipt").len() <= lives);
}

async fn what_is_out_of_bounds_is_refused(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    let good = settled(1);
    for bad in [
        Settled { receipt: "a:b".into(), ..good.clone() },
        Settled { outcome: String::new(), ..good.clone() },
        Settled { outcome: "x".repeat(65), ..good.clone() },
        Settled { outcome: "a\nb".into(), ..good.clone() },
        Settled { request_id: Some("x".repeat(201)), ..good.clone() },
        Settled { request_id: Some("\u{1b}[2J".into()), ..good.clone() },
        Settled { answer_digest: Some("not a digest".into()), ..good.clone() },
    ] {
        let refused = s.receipts().settle(&change(7), &bad, MAX_TTL).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{bad:?}: {refused:?}");
    }
    for keep in [Duration::ZERO, MAX_TTL + Duration::from_secs(1)] {
        let refused = s.receipts().settle(&change(7), &good, keep).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    assert_eq!(listed(s).await[0].settled, None);
}

async fn what_became_of_it_is_a_link_but_no_receipt(s: &mut Setting) {
    written(s, &FOUR[..3]).await;
    let three = chain(s).await;
    assert_eq!((three.receipts, three.first, three.last), (2, Some(1), Some(3)));
    assert_eq!(three.flaws, []);
    settle(s, 2).await;
    let four = chain(s).await;
    assert_eq!((four.receipts, four.last, &four.flaws), (2, Some(4), &vec![]));
    assert_ne!(four.head, three.head);
}

async fn one_that_is_removed_is_missed_at_its_place(s: &mut Setting) {
    let names = written(s, &FOUR).await;
    s.discard(&repo(1, 2), "receipt", &names[2]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 3, last: 3 }]);
    assert_eq!(listed(s).await[0].settled, None);
}

async fn one_that_is_overwritten_is_found(s: &mut Setting) {
    let names = written(s, &FOUR).await;
    let sealed = s.sealed(&repo(1, 2), "receipt");
    let (_, other) = sealed.iter().find(|(name, _)| *name == names[3]).unwrap();
    s.overwrite(&repo(1, 2), &names[2], other);
    assert_eq!(chain(s).await.flaws, [Flaw::Unreadable { number: 3 }]);
    let (_, mut altered) = sealed.iter().find(|(name, _)| *name == names[2]).unwrap().clone();
    altered[40] ^= 1;
    s.overwrite(&repo(1, 2), &names[2], &altered);
    assert_eq!(chain(s).await.flaws, [Flaw::Unreadable { number: 3 }]);
}

async fn one_that_is_cut_off_at_the_end_is_found(s: &mut Setting) {
    let names = written(s, &FOUR).await;
    s.discard(&repo(1, 2), "receipt", &names[3]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 4, last: 4 }]);
}

async fn a_receipt_removed_from_before_it_is_missed_at_its_place(s: &mut Setting) {
    let names = written(s, &FOUR).await;
    s.discard(&repo(1, 2), "receipt", &names[0]);
    s.discard(&repo(1, 2), "receipt", &names[1]);
    let left = chain(s).await;
    assert_eq!(left.flaws, [Flaw::Missing { first: 1, last: 2 }]);
    assert_eq!(left.receipts, 0);
}

async fn links_that_expired_out_of_their_order_are_no_flaw(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    append(s, 2, DAY * 30).await;
    append(s, 3, DAY * 30).await;
    s.clock.advance(DAY * 10);
    append(s, 4, DAY * 60).await;
    settle(s, 3).await;
    settle(s, 2).await;
    s.clock.advance(DAY * 25);
    // Those of 2 and 3 have gone, in the middle and at the end.
    let left = chain(s).await;
    assert_eq!((left.receipts, left.first, left.last), (2, Some(1), Some(4)));
    assert_eq!(left.flaws, []);
    append(s, 5, DAY).await;
    let left = chain(s).await;
    assert_eq!((left.receipts, left.last, left.flaws), (3, Some(7), vec![]));
    s.clock.advance(DAY * 40);
    let left = chain(s).await;
    assert_eq!((left.receipts, left.last, left.flaws), (1, Some(1), vec![]));
    s.clock.advance(DAY * 120);
    let left = chain(s).await;
    assert_eq!((left.receipts, left.last, left.flaws), (0, None, vec![]));
    append(s, 6, DAY).await;
    let left = chain(s).await;
    assert_eq!((left.receipts, left.last, left.flaws), (1, Some(8), vec![]));
}

async fn a_link_that_is_removed_among_expired_ones_is_found(s: &mut Setting) {
    let names = written(s, &[(1, true), (2, true)]).await;
    append(s, 3, DAY).await;
    s.clock.advance(DAY * 2);
    assert_eq!(chain(s).await.flaws, []);
    s.discard(&repo(1, 2), "receipt", &names[1]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 2, last: 2 }]);
    append(s, 4, MAX_TTL).await;
    s.discard(&repo(1, 2), "receipt", &names[0]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 1, last: 2 }]);
}

async fn a_chain_that_was_removed_whole_is_found_after_the_next_receipt(s: &mut Setting) {
    let last = {
        append(s, 1, MAX_TTL).await;
        let before = s.sealed(&repo(1, 2), "receipt");
        append(s, 2, MAX_TTL).await;
        let after = s.sealed(&repo(1, 2), "receipt");
        let changed =
            after.iter().filter(|(name, v)| before.iter().any(|(n, b)| n == name && b != v));
        changed.map(|(name, _)| name.clone()).next().unwrap()
    };
    for (name, _) in s.sealed(&repo(1, 2), "receipt") {
        if name != last {
            s.discard(&repo(1, 2), "receipt", &name);
        }
    }
    append(s, 3, MAX_TTL).await;
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 2, last: 2 }]);
}

async fn receipts_and_what_became_of_them_written_at_once_are_one_chain(s: &mut Setting) {
    let stores = [s.store().clone(), s.another().await, s.another().await];
    let writing: Vec<_> = (0..30)
        .map(|n| {
            let receipts = stores[n % 3].receipts.clone();
            let n = u32::try_from(n).unwrap();
            tokio::spawn(async move {
                receipts.append(&receipt(n, 7), MAX_TTL).await.unwrap();
                receipts.settle(&change(7), &settled(n), MAX_TTL).await.unwrap();
            })
        })
        .collect();
    for writing in writing {
        writing.await.unwrap();
    }
    let chain = chain(s).await;
    assert_eq!((chain.receipts, chain.last, chain.flaws), (30, Some(60), vec![]));
    let all = listed(s).await;
    assert!(all.iter().all(|r| r.settled.as_ref().is_some_and(|s| s.receipt == r.id)));
}

async fn a_rotated_key_settles_what_the_former_sealed(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    append(s, 2, MAX_TTL).await;
    settle(s, 1).await;
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    settle(s, 1).await;
    settle(s, 2).await;
    let all: Vec<_> = listed(s).await.into_iter().map(|receipt| receipt.settled).collect();
    assert_eq!(all, [Some(settled(1)), Some(settled(2))]);
    let chain = chain(s).await;
    assert_eq!((chain.receipts, chain.last, chain.flaws), (2, Some(4), vec![]));
}

/// Takes away what tells when links go, as a version that did not write it left the chain. Of all names
/// in a chain, those are 7 bytes long before they are sealed (`until:1`).
fn without_stubs(s: &Setting) {
    for (name, _) in s.sealed(&repo(1, 2), "receipt") {
        if s.sealed_name(&repo(1, 2), "receipt", &name).len() == 7 + 16 {
            s.discard(&repo(1, 2), "receipt", &name);
        }
    }
}

async fn a_chain_from_before_there_were_stubs_is_whole_and_goes_on(s: &mut Setting) {
    append(s, 1, MAX_TTL).await;
    s.clock.advance(DAY * 10);
    let names = written(s, &[(2, true), (3, true), (4, true)]).await;
    let before = s.sealed(&repo(1, 2), "receipt").len();
    without_stubs(s);
    assert_eq!(before - s.sealed(&repo(1, 2), "receipt").len(), 4);
    let old = chain(s).await;
    assert_eq!((old.receipts, old.first, old.last, old.flaws), (4, Some(1), Some(4), vec![]));
    s.clock.advance(DAY * 170);
    let old = chain(s).await;
    assert_eq!((old.receipts, old.first, old.last, old.flaws), (3, Some(2), Some(4), vec![]));
    settle(s, 2).await;
    append(s, 5, MAX_TTL).await;
    let old = chain(s).await;
    assert_eq!((old.receipts, old.last, old.flaws), (4, Some(6), vec![]));
    assert_eq!(listed(s).await[0].settled, Some(settled(2)));
    s.discard(&repo(1, 2), "receipt", &names[1]);
    assert_eq!(chain(s).await.flaws, [Flaw::Missing { first: 3, last: 3 }]);
}
