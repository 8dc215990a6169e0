//! What both ledgers do.

use std::time::Duration;

use chaffinch_core::{Book, Page, StoreError};
use chaffinch_store::MAX_TTL;

use crate::{
    on_both,
    setting::{DAY, KEY, OTHER_KEY, OfLedger, Setting, Store, bytes, repo},
};

const BOOK: Book = Book::Consent;

on_both! {
    a_page_comes_back_from_its_place_alone
    a_page_is_written_over_what_was_read_alone
    of_many_writers_at_once_none_loses_what_another_wrote
    of_many_that_write_a_first_page_one_does
    a_page_that_has_expired_is_absent_and_makes_room
    over_180_days_or_for_no_time_is_refused
    a_strange_name_or_a_page_over_16_mib_is_refused
    a_page_that_was_damaged_is_an_error
    a_page_moved_to_another_place_is_an_error
    another_operators_key_finds_no_absence
    a_page_under_a_lost_salt_is_an_error
    a_rotated_key_reads_what_the_former_sealed_and_a_write_moves_it
    of_many_writers_after_a_rotation_none_loses_what_another_wrote
    a_page_that_was_struck_is_gone_under_both_keys
    neither_a_page_nor_its_name_lies_there_in_the_clear
    destroying_a_repository_leaves_the_ledger
    pages_survive_a_crash
}

async fn read(s: &Setting, name: &str) -> Option<Page> {
    s.ledger().read(BOOK, name).await.unwrap()
}

async fn text(s: &Setting, name: &str) -> Option<String> {
    read(s, name).await.map(|page| page.text.text().into_owned())
}

async fn write(s: &Setting, name: &str, text: &str, over: Option<&Page>) -> bool {
    s.ledger().write(BOOK, name, &bytes(text), over, DAY).await.unwrap()
}

/// Adds one to the number on a page, as often as it takes.
pub(crate) async fn count_up(store: &Store) {
    loop {
        let page = store.ledger.read(BOOK, "n").await.unwrap();
        let n = page.as_ref().map_or(0, |page| page.text.text().parse::<u32>().unwrap());
        let next = bytes(&(n + 1).to_string());
        match store.ledger.write(BOOK, "n", &next, page.as_ref(), DAY).await {
            Ok(true) => return,
            // Another was faster.
            Ok(false) | Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn all_count_up(s: &Setting) {
    let stores = [s.store().clone(), s.another().await, s.another().await];
    let writers: Vec<_> = (0..60)
        .map(|n| {
            let store = stores[n % 3].clone();
            tokio::spawn(async move { count_up(&store).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn a_page_comes_back_from_its_place_alone(s: &mut Setting) {
    assert_eq!(text(s, "p").await, None);
    assert!(write(s, "p", "sentinel", None).await);
    assert_eq!(text(s, "p").await.as_deref(), Some("sentinel"));
    assert_eq!(text(s, "q").await, None);
    assert!(s.ledger().read(Book::Policy, "p").await.unwrap().is_none());
    assert!(write(s, "a", "", None).await);
    assert_eq!(s.ledger().pages(BOOK).await.unwrap(), ["a", "p"]);
    assert!(s.ledger().pages(Book::Deletion).await.unwrap().is_empty());
}

async fn a_page_is_written_over_what_was_read_alone(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    let one = read(s, "p").await.unwrap();
    assert!(!write(s, "p", "other", None).await);
    assert!(write(s, "p", "two", Some(&one)).await);
    assert!(!write(s, "p", "three", Some(&one)).await);
    assert_eq!(text(s, "p").await.as_deref(), Some("two"));
    // The same text, written anew, is another writing.
    let two = read(s, "p").await.unwrap();
    assert!(write(s, "p", "two", Some(&two)).await);
    assert!(!write(s, "p", "three", Some(&two)).await);
    s.ledger().strike(BOOK, "p").await.unwrap();
    assert!(!write(s, "p", "three", Some(&two)).await);
    assert_eq!(text(s, "p").await, None);
}

async fn of_many_writers_at_once_none_loses_what_another_wrote(s: &mut Setting) {
    all_count_up(s).await;
    assert_eq!(text(s, "n").await.as_deref(), Some("60"));
}

async fn of_many_that_write_a_first_page_one_does(s: &mut Setting) {
    let stores = [s.store().clone(), s.another().await, s.another().await];
    let writers: Vec<_> = (0..30)
        .map(|n| {
            let ledger = stores[n % 3].ledger.clone();
            let page = bytes(&n.to_string());
            tokio::spawn(async move { ledger.write(BOOK, "p", &page, None, DAY).await.unwrap() })
        })
        .collect();
    let mut written = Vec::new();
    for (n, writer) in writers.into_iter().enumerate() {
        written.extend(writer.await.unwrap().then_some(n));
    }
    let [n] = written[..] else { panic!("{written:?} wrote") };
    assert_eq!(text(s, "p").await, Some(n.to_string()));
}

async fn a_page_that_has_expired_is_absent_and_makes_room(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    let one = read(s, "p").await.unwrap();
    s.clock.advance(DAY - Duration::from_millis(1));
    assert!(read(s, "p").await.is_some());
    s.clock.advance(Duration::from_millis(1));
    assert!(read(s, "p").await.is_none());
    assert!(s.ledger().pages(BOOK).await.unwrap().is_empty());
    assert!(!write(s, "p", "two", Some(&one)).await);
    assert!(write(s, "p", "two", None).await);
    assert_eq!(text(s, "p").await.as_deref(), Some("two"));
}

async fn over_180_days_or_for_no_time_is_refused(s: &mut Setting) {
    for keep in [MAX_TTL + Duration::from_nanos(1), Duration::MAX, Duration::ZERO] {
        let error = s.ledger().write(BOOK, "p", &bytes("x"), None, keep).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    assert!(s.ledger().write(BOOK, "p", &bytes("x"), None, MAX_TTL).await.unwrap());
}

async fn a_strange_name_or_a_page_over_16_mib_is_refused(s: &mut Setting) {
    for name in ["", "a\nb", &"x".repeat(513)] {
        let refused = s.ledger().write(BOOK, name, &bytes("x"), None, DAY).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))));
        assert!(matches!(s.ledger().read(BOOK, name).await, Err(StoreError::Refused(_))));
        assert!(matches!(s.ledger().strike(BOOK, name).await, Err(StoreError::Refused(_))));
    }
    let large = bytes(&"x".repeat(16 * 1024 * 1024 + 1));
    let refused = s.ledger().write(BOOK, "p", &large, None, DAY).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
}

/// Neither reading nor writing takes a page that does not open for one that is not there.
async fn is_stuck(s: &Setting, name: &str) {
    let error = s.ledger().read(BOOK, name).await.unwrap_err();
    assert!(error.to_string().contains("does not open"), "{error}");
    assert!(s.ledger().write(BOOK, name, &bytes("x"), None, DAY).await.is_err());
}

async fn a_page_that_was_damaged_is_an_error(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    let [(name, value)] = s.sealed(&OfLedger, "consent").try_into().unwrap();
    for at in [0, 3, 15, value.len() - 1] {
        let mut wrong = value.clone();
        wrong[at] ^= 1;
        s.overwrite(&OfLedger, &name, &wrong);
        is_stuck(s, "p").await;
    }
    s.overwrite(&OfLedger, &name, b"");
    is_stuck(s, "p").await;
    s.overwrite(&OfLedger, &name, &value);
    assert_eq!(text(s, "p").await.as_deref(), Some("one"));
}

async fn a_page_moved_to_another_place_is_an_error(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    let [(_, value)] = s.sealed(&OfLedger, "consent").try_into().unwrap();
    assert!(s.ledger().write(Book::Policy, "p", &bytes("x"), None, DAY).await.unwrap());
    let [(name, _)] = s.sealed(&OfLedger, "policy").try_into().unwrap();
    s.overwrite(&OfLedger, &name, &value);
    assert!(s.ledger().read(Book::Policy, "p").await.is_err());
}

async fn another_operators_key_finds_no_absence(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    s.secrets = (OTHER_KEY, None);
    s.reopen().await;
    is_stuck(s, "p").await;
    assert!(s.ledger().pages(BOOK).await.is_err());
    // Of a book without such a page nothing is unknown.
    assert!(s.ledger().pages(Book::Policy).await.unwrap().is_empty());
}

async fn a_page_under_a_lost_salt_is_an_error(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    s.lose_salt(&OfLedger);
    is_stuck(s, "p").await;
    assert!(s.ledger().pages(BOOK).await.is_err());
}

async fn a_rotated_key_reads_what_the_former_sealed_and_a_write_moves_it(s: &mut Setting) {
    assert!(write(s, "p", "old", None).await);
    assert!(write(s, "q", "old", None).await);
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    assert_eq!(s.ledger().pages(BOOK).await.unwrap(), ["p", "q"]);
    let old = read(s, "p").await.unwrap();
    assert!(!write(s, "p", "first", None).await);
    assert!(write(s, "p", "new", Some(&old)).await);
    assert!(!write(s, "p", "newer", Some(&old)).await);
    assert_eq!(text(s, "p").await.as_deref(), Some("new"));
    assert_eq!(s.sealed(&OfLedger, "consent").len(), 2, "nothing is left under the old name");
    assert_eq!(s.ledger().pages(BOOK).await.unwrap(), ["p", "q"]);

    // What was written since needs the former key no more.
    s.ledger().strike(BOOK, "q").await.unwrap();
    s.secrets = (OTHER_KEY, None);
    s.reopen().await;
    assert_eq!(text(s, "p").await.as_deref(), Some("new"));
}

async fn of_many_writers_after_a_rotation_none_loses_what_another_wrote(s: &mut Setting) {
    assert!(write(s, "n", "1000", None).await);
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    all_count_up(s).await;
    assert_eq!(text(s, "n").await.as_deref(), Some("1060"));
    assert_eq!(s.sealed(&OfLedger, "consent").len(), 1);
}

async fn a_page_that_was_struck_is_gone_under_both_keys(s: &mut Setting) {
    s.ledger().strike(BOOK, "p").await.unwrap();
    assert!(write(s, "p", "one", None).await);
    assert!(write(s, "q", "two", None).await);
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    s.ledger().strike(BOOK, "p").await.unwrap();
    s.ledger().strike(BOOK, "p").await.unwrap();
    assert_eq!(text(s, "p").await, None);
    assert_eq!(s.ledger().pages(BOOK).await.unwrap(), ["q"]);
    assert_eq!(s.sealed(&OfLedger, "consent").len(), 1);
}

async fn neither_a_page_nor_its_name_lies_there_in_the_clear(s: &mut Setting) {
    assert!(write(s, "secret-name", "sentinel-of-the-page", None).await);
    for text in ["sentinel-of-the-page", "secret-name"] {
        assert!(!s.keeps(text), "{text}");
    }
}

async fn destroying_a_repository_leaves_the_ledger(s: &mut Setting) {
    for book in Book::ALL {
        let kept = s.ledger().write(book, &repo(1, 2).key(), &bytes("kept"), None, DAY).await;
        assert!(kept.unwrap());
    }
    assert!(s.vault().holders().await.unwrap().is_empty());
    assert!(s.receipts().repositories().await.unwrap().is_empty());
    assert!(s.vault().destroy(&repo(1, 2)).await.unwrap().is_empty());
    for book in Book::ALL {
        assert_eq!(s.ledger().pages(book).await.unwrap(), [repo(1, 2).key()]);
        assert!(s.ledger().read(book, &repo(1, 2).key()).await.unwrap().is_some());
    }
}

async fn pages_survive_a_crash(s: &mut Setting) {
    assert!(write(s, "p", "one", None).await);
    let one = read(s, "p").await.unwrap();
    s.crash().await;
    assert_eq!(text(s, "p").await.as_deref(), Some("one"));
    assert!(write(s, "p", "two", Some(&one)).await);
}
