//! What an audit of either store sees.

use std::{collections::BTreeSet, time::Duration};

use chaffinch_core::{Book, Fault, Stored};
use chaffinch_store::MAX_TTL;

use crate::{
    on_both,
    receipts::receipt,
    setting::{DAY, OfLedger, Owner, Setting, bytes, job, repo},
    vault::KINDS,
};

on_both! {
    all_that_a_store_holds_keeps_to_the_rules
    what_is_not_sealed_is_found
    what_has_no_end_is_found
    a_fault_of_any_kind_of_sealed_thing_is_found
    a_sealed_thing_where_its_kind_does_not_belong_is_found
}

async fn fill(s: &Setting) {
    s.queue().enqueue(&job(1, 7)).await.unwrap();
    for kind in KINDS {
        s.vault().put(&repo(1, 2), kind, "k", &bytes("query = name"), DAY).await.unwrap();
    }
    for book in Book::ALL {
        assert!(s.ledger().write(book, "p", &bytes("acme/shop"), None, MAX_TTL).await.unwrap());
    }
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
}

pub(crate) async fn stored(s: &Setting) -> Vec<Stored> {
    let mut all = Vec::new();
    s.auditing().walk(&mut |stored| all.push(stored)).await.unwrap();
    all
}

fn faults(all: &[Stored]) -> Vec<(Fault, &str)> {
    all.iter().filter_map(|stored| Some((stored.fault()?, stored.kind.as_deref()?))).collect()
}

async fn all_that_a_store_holds_keeps_to_the_rules(s: &mut Setting) {
    assert_eq!(stored(s).await, []);
    fill(s).await;
    let all = stored(s).await;
    assert_eq!(faults(&all), []);
    let kinds: BTreeSet<_> = all.iter().filter_map(|stored| stored.kind.as_deref()).collect();
    let known = KINDS.map(|kind| kind.as_str()).into_iter().chain(Book::ALL.map(Book::as_str));
    for kind in known.chain(["queue", "salt", "receipt"]) {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    assert!(all.iter().all(|stored| stored.ttl.is_some_and(|ttl| ttl > Duration::ZERO)));
    let names: String = all.iter().map(|stored| stored.key.as_str()).collect();
    assert!(!names.contains("secret_place") && !names.contains("acme/shop"), "{names}");
}

async fn what_is_not_sealed_is_found(s: &mut Setting) {
    fill(s).await;
    let [(name, _)] = s.sealed(&repo(1, 2), "answer").try_into().unwrap();
    s.overwrite(&repo(1, 2), &name, b"query = name");
    assert_eq!(faults(&stored(s).await), [(Fault::Unsealed, "answer")]);
}

async fn what_has_no_end_is_found(s: &mut Setting) {
    fill(s).await;
    let [(name, _)] = s.sealed(&repo(1, 2), "record").try_into().unwrap();
    s.make_endless(&repo(1, 2), "record");
    let all = stored(s).await;
    let found = faults(&all);
    assert!(matches!(found[..], [(Fault::Forever | Fault::TooLong, "record")]), "{found:?}");
    s.discard(&repo(1, 2), "record", &name);
}

async fn a_fault_of_any_kind_of_sealed_thing_is_found(s: &mut Setting) {
    fill(s).await;
    let ours = repo(1, 2);
    let values = KINDS.map(|kind| (&ours as &dyn Owner, kind.as_str()));
    let pages = Book::ALL.map(|book| (&OfLedger as &dyn Owner, book.as_str()));
    for (owner, kind) in values.into_iter().chain(pages) {
        let [(name, value)] = s.sealed(owner, kind).try_into().unwrap();
        s.overwrite(owner, &name, b"acme/shop");
        assert_eq!(faults(&stored(s).await), [(Fault::Unsealed, kind)]);
        s.overwrite(owner, &name, &value);
        assert_eq!(faults(&stored(s).await), []);
        s.make_endless(owner, kind);
        let all = stored(s).await;
        let found = faults(&all);
        assert!(matches!(found[..], [(Fault::Forever | Fault::TooLong, k)] if k == kind));
        s.discard(owner, kind, &name);
    }
}

async fn a_sealed_thing_where_its_kind_does_not_belong_is_found(s: &mut Setting) {
    fill(s).await;
    s.move_to(&OfLedger, "consent", &repo(1, 2));
    let all = stored(s).await;
    let found: Vec<_> = all.iter().filter_map(Stored::fault).collect();
    assert_eq!(found, [Fault::Unknown]);
}
