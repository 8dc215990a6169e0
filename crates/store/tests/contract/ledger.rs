//! What both ledgers do.

use std::time::Duration;

use chaffinch_core::{Book, Ledger, Page, SourceBytes, VaultKind};
use chaffinch_store::MAX_TTL;

use crate::{
    on_both,
    receipts::{KEPT, receipt},
    setting::{DAY, KEY, OTHER_KEY, Setting, bytes, repo},
};

on_both! {
    a_page_comes_back_from_its_book_alone
    a_page_is_written_only_over_what_was_read
    of_many_writers_none_undoes_another
    a_page_goes_when_its_time_is_up
    a_page_over_180_days_is_refused
    a_page_that_does_not_open_is_not_taken_for_absent
    a_page_that_was_struck_is_gone
    a_page_is_moved_to_the_key_of_now
    what_destroys_a_repository_leaves_the_ledger
    a_ledger_survives_a_crash
    what_one_handle_writes_another_reads
}

async fn read(ledger: &dyn Ledger, book: Book, name: &str) -> Option<Page> {
    ledger.read(book, name).await.unwrap()
}

async fn text(ledger: &dyn Ledger, book: Book, name: &str) -> Option<String> {
    let page = read(ledger, book, name).await?;
    Some(String::from_utf8(page.text.expose().to_vec()).unwrap())
}

async fn write(ledger: &dyn Ledger, name: &str, text: &str, over: Option<&Page>) -> bool {
    ledger.write(Book::Policy, name, &bytes(text), over, DAY).await.unwrap()
}

async fn a_page_comes_back_from_its_book_alone(s: &mut Setting) {
    assert!(read(s.ledger(), Book::Policy, "a").await.is_none());
    assert!(write(s.ledger(), "a", "one", None).await);
    assert!(write(s.ledger(), "b", "two", None).await);
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("one"));
    assert!(read(s.ledger(), Book::Consent, "a").await.is_none());
    assert_eq!(s.ledger().pages(Book::Policy).await.unwrap(), ["a", "b"]);
    assert!(s.ledger().pages(Book::Deletion).await.unwrap().is_empty());
}

async fn a_page_is_written_only_over_what_was_read(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    assert!(!write(s.ledger(), "a", "two", None).await);
    let first = read(s.ledger(), Book::Policy, "a").await.unwrap();
    assert!(write(s.ledger(), "a", "two", Some(&first)).await);
    assert!(!write(s.ledger(), "a", "three", Some(&first)).await);
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("two"));
    // The same text again is another writing.
    let second = read(s.ledger(), Book::Policy, "a").await.unwrap();
    assert!(write(s.ledger(), "a", "two", Some(&second)).await);
    assert!(!write(s.ledger(), "a", "two", Some(&second)).await);
}

async fn of_many_writers_none_undoes_another(s: &mut Setting) {
    let handles = [s.store().clone(), s.beside().await, s.beside().await];
    let mut all = Vec::new();
    for n in 0..24 {
        let ledger = handles[n % handles.len()].ledger.clone();
        all.push(tokio::spawn(async move {
            loop {
                let page = read(&*ledger, Book::Policy, "count").await;
                let count = page.as_ref().map_or(0, |page| page.text.expose().len());
                let more = SourceBytes::new(vec![b'x'; count + 1]);
                if ledger.write(Book::Policy, "count", &more, page.as_ref(), DAY).await.unwrap() {
                    break;
                }
            }
        }));
    }
    for writer in all {
        writer.await.unwrap();
    }
    let count = read(s.ledger(), Book::Policy, "count").await.unwrap();
    assert_eq!(count.text.expose().len(), 24);
}

async fn a_page_goes_when_its_time_is_up(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    s.clock.advance(DAY);
    assert!(read(s.ledger(), Book::Policy, "a").await.is_none());
    assert!(s.ledger().pages(Book::Policy).await.unwrap().is_empty());
}

async fn a_page_over_180_days_is_refused(s: &mut Setting) {
    for (keep, refused) in [(MAX_TTL, false), (MAX_TTL + DAY, true), (Duration::ZERO, true)] {
        let written = s.ledger().write(Book::Consent, "a", &bytes("x"), None, keep).await;
        assert_eq!(written.is_err(), refused, "{keep:?}");
    }
}

async fn a_page_that_does_not_open_is_not_taken_for_absent(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    let (name, value) = s.sealed_of("ledger", "policy").pop().unwrap();
    s.overwrite_of("ledger", &name, b"something else");
    assert!(s.ledger().read(Book::Policy, "a").await.is_err());
    s.overwrite_of("ledger", &name, &value);
    assert!(read(s.ledger(), Book::Policy, "a").await.is_some());
    s.secrets = (OTHER_KEY, None);
    s.reopen().await;
    let error = s.ledger().pages(Book::Policy).await.unwrap_err();
    assert!(error.to_string().contains("store.key"), "{error}");
    s.secrets = (KEY, None);
    s.reopen().await;
}

async fn a_page_that_was_struck_is_gone(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    s.ledger().strike(Book::Policy, "a").await.unwrap();
    s.ledger().strike(Book::Policy, "a").await.unwrap();
    assert!(read(s.ledger(), Book::Policy, "a").await.is_none());
    assert!(write(s.ledger(), "a", "two", None).await);
}

async fn a_page_is_moved_to_the_key_of_now(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    assert!(!write(s.ledger(), "a", "two", None).await, "it is there");
    let first = read(s.ledger(), Book::Policy, "a").await.unwrap();
    assert!(write(s.ledger(), "a", "two", Some(&first)).await);
    assert!(!write(s.ledger(), "a", "three", Some(&first)).await);
    s.secrets = (OTHER_KEY, None);
    s.reopen().await;
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("two"));
    assert_eq!(s.ledger().pages(Book::Policy).await.unwrap(), ["a"]);
}

async fn what_destroys_a_repository_leaves_the_ledger(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    for key in ["k", "l"] {
        s.vault().put(&repo(1, 2), VaultKind::Answer, key, &bytes("x"), DAY).await.unwrap();
    }
    s.vault().put(&repo(1, 3), VaultKind::Evaluation, "k", &bytes("x"), DAY).await.unwrap();
    s.receipts().append(&receipt(1, 7), KEPT).await.unwrap();
    let holders = s.vault().holders().await.unwrap();
    let holders: Vec<_> = holders.iter().map(|r| (r.key(), r.name.to_string())).collect();
    let named = receipt(1, 7).change.repo.name.to_string();
    let unknown = "unknown/unknown".to_owned();
    assert_eq!(holders, [(repo(1, 2).key(), named), (repo(1, 3).key(), unknown)]);
    let destroyed = s.vault().destroy(&repo(1, 2)).await.unwrap();
    let counts: Vec<_> = destroyed.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    // A receipt is kept by number and by id, and what the last number is.
    assert_eq!(counts, [("answer", 2), ("receipt", 1)]);
    assert_eq!(s.vault().holders().await.unwrap().len(), 1);
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("one"));
}

async fn a_ledger_survives_a_crash(s: &mut Setting) {
    assert!(write(s.ledger(), "a", "one", None).await);
    s.crash().await;
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("one"));
}

async fn what_one_handle_writes_another_reads(s: &mut Setting) {
    let beside = s.beside().await;
    assert!(write(&*beside.ledger, "a", "one", None).await);
    assert_eq!(text(s.ledger(), Book::Policy, "a").await.as_deref(), Some("one"));
    s.vault().put(&repo(1, 2), VaultKind::Answer, "k", &bytes("x"), DAY).await.unwrap();
    let found = beside.vault.get(&repo(1, 2), VaultKind::Answer, "k").await.unwrap();
    assert!(found.is_some());
    assert_eq!(beside.vault.destroy(&repo(1, 2)).await.unwrap().len(), 1);
    let gone = s.vault().get(&repo(1, 2), VaultKind::Answer, "k").await.unwrap();
    assert!(gone.is_none());
}
