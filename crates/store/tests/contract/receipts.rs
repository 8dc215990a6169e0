//! What both keepers of receipts do.

use std::{collections::BTreeMap, time::Duration};

use chaffinch_core::{
    ChangeId, Clock as _, CommitSha, ContentRequests, Fingerprint, Reason, Receipt, RepoPath,
    RuleId, Sent, StoreError,
};
use chrono::{TimeZone as _, Utc};

use crate::{
    on_both,
    setting::{DAY, Setting, repo},
};

on_both! {
    receipts_come_back_oldest_first
    a_receipt_is_never_altered
    a_receipt_goes_after_180_days
    receipts_go_with_their_repository
    a_receipt_without_a_proper_id_is_refused
    receipts_survive_a_crash
    many_receipts_are_listed_whole
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
    }
}

async fn receipts_come_back_oldest_first(s: &mut Setting) {
    let receipts = s.receipts();
    for (n, number) in [(3, 7), (1, 7), (2, 71), (4, 8)] {
        receipts.append(&receipt(n, number)).await.unwrap();
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
    s.receipts().append(&receipt(1, 7)).await.unwrap();
    let mut altered = receipt(1, 7);
    altered.lines = 0;
    s.receipts().append(&altered).await.unwrap();
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap(), [receipt(1, 7)]);
}

async fn a_receipt_goes_after_180_days(s: &mut Setting) {
    let mut first = receipt(1, 7);
    first.at = s.clock.now();
    s.receipts().append(&first).await.unwrap();
    s.clock.advance(DAY * 180 - Duration::from_millis(1));
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 1);
    s.clock.advance(Duration::from_millis(1));
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
    let error = s.receipts().append(&first).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
}

async fn receipts_go_with_their_repository(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7)).await.unwrap();
    s.vault().destroy(&repo(1, 2)).await.unwrap();
    assert!(s.receipts().list(&repo(1, 2), None).await.unwrap().is_empty());
    assert!(s.sealed(&repo(1, 2), "receipt").is_empty());
}

async fn a_receipt_without_a_proper_id_is_refused(s: &mut Setting) {
    for id in ["", "a:b", "a b", &"a".repeat(65)] {
        let mut bad = receipt(1, 7);
        bad.id = id.to_owned();
        let error = s.receipts().append(&bad).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    for id in ["7", &"aZ9x".repeat(16)] {
        s.receipts().append(&Receipt { id: id.to_owned(), ..receipt(1, 7) }).await.unwrap();
    }
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap().len(), 2);
}

async fn receipts_survive_a_crash(s: &mut Setting) {
    s.receipts().append(&receipt(1, 7)).await.unwrap();
    s.crash().await;
    assert_eq!(s.receipts().list(&repo(1, 2), None).await.unwrap(), [receipt(1, 7)]);
}

async fn many_receipts_are_listed_whole(s: &mut Setting) {
    for n in 0..1100 {
        s.receipts().append(&receipt(n, u64::from(n % 3))).await.unwrap();
    }
    let all = s.receipts().list(&repo(1, 2), None).await.unwrap();
    assert_eq!(all.len(), 1100);
    assert!(all.is_sorted_by_key(|receipt| receipt.at));
    assert_eq!(s.receipts().list(&repo(1, 2), Some(1)).await.unwrap().len(), 367);
}
