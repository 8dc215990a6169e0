//! What an audit of either store sees.

use std::{collections::BTreeSet, time::Duration};

use chaffinch_core::{Fault, SourceBytes, Stored, VaultKind};

use crate::{
    on_both,
    receipts::{KEPT, receipt},
    setting::{DAY, Setting, job, repo},
};

on_both! {
    all_that_a_store_holds_keeps_to_the_rules
    what_is_not_sealed_is_found
    what_has_no_end_is_found
}

async fn fill(s: &Setting) {
    s.queue().enqueue(&job(1, 7)).await.unwrap();
    for kind in [VaultKind::Answer, VaultKind::Record, VaultKind::Report] {
        let value = SourceBytes::new(b"query = name".to_vec());
        s.vault().put(&repo(1, 2), kind, "k", &value, DAY).await.unwrap();
    }
    s.receipts().append(&receipt(1, 7), KEPT).await.unwrap();
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
    for kind in ["queue", "salt", "answer", "record", "report", "receipt"] {
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
