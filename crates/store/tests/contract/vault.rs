//! What both vaults do.

use std::time::Duration;

use chaffinch_core::{Job, Receipt, RepoId, SourceBytes, StoreError, VaultKind};
use chaffinch_store::{MAX_TTL, MAX_VALUE_BYTES};

use crate::{
    on_both,
    receipts::receipt,
    setting::{Behind, DAY, KEY, OTHER_KEY, Setting, bytes, job, leased, repo},
};

pub(crate) const KINDS: [VaultKind; 4] =
    [VaultKind::Answer, VaultKind::Record, VaultKind::Report, VaultKind::Evaluation];

on_both! {
    a_value_comes_back_from_its_place_alone
    a_value_can_be_replaced_and_removed
    a_value_goes_when_its_time_is_up
    over_180_days_is_refused
    keys_are_found_by_prefix
    at_most_a_thousand_keys_are_told
    neither_value_nor_key_lies_there_in_the_clear
    an_altered_value_is_absent
    a_value_moved_to_another_place_is_absent
    another_operators_key_opens_nothing
    the_key_before_opens_what_it_sealed
    destroying_a_repository_leaves_nothing_readable
    a_value_written_while_its_repository_is_destroyed_is_not_left_behind
    a_large_value_fits
    a_value_over_128_mib_is_refused
    a_strange_key_is_refused
    values_survive_a_crash
}

async fn put(s: &Setting, repo: &RepoId, kind: VaultKind, key: &str, value: &str) {
    s.vault().put(repo, kind, key, &bytes(value), DAY).await.unwrap();
}

async fn get(s: &Setting, repo: &RepoId, kind: VaultKind, key: &str) -> Option<String> {
    s.vault().get(repo, kind, key).await.unwrap().map(|value| value.text().into_owned())
}

async fn a_value_comes_back_from_its_place_alone(s: &mut Setting) {
    let ours = repo(1, 2);
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await, None);
    put(s, &ours, VaultKind::Answer, "k", "sentinel").await;
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await.as_deref(), Some("sentinel"));
    assert_eq!(get(s, &ours, VaultKind::Record, "k").await, None);
    assert_eq!(get(s, &ours, VaultKind::Answer, "k2").await, None);
    // Another repository; the same repository through another installation.
    for other in [repo(1, 3), repo(9, 2)] {
        assert_eq!(get(s, &other, VaultKind::Answer, "k").await, None);
        assert!(s.vault().keys(&other, VaultKind::Answer, "").await.unwrap().is_empty());
        put(s, &other, VaultKind::Answer, "k", "theirs").await;
    }
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await.as_deref(), Some("sentinel"));
    // It is the number that counts: a repository that is renamed keeps its values.
    let mut renamed = ours.clone();
    renamed.name = chaffinch_core::RepoName::new("acme/store").unwrap();
    assert_eq!(get(s, &renamed, VaultKind::Answer, "k").await.as_deref(), Some("sentinel"));
}

async fn a_value_can_be_replaced_and_removed(s: &mut Setting) {
    let ours = repo(1, 2);
    put(s, &ours, VaultKind::Record, "7", "first").await;
    put(s, &ours, VaultKind::Record, "7", "second").await;
    assert_eq!(get(s, &ours, VaultKind::Record, "7").await.as_deref(), Some("second"));
    assert_eq!(s.vault().keys(&ours, VaultKind::Record, "").await.unwrap(), ["7"]);
    s.vault().remove(&ours, VaultKind::Record, "7").await.unwrap();
    s.vault().remove(&ours, VaultKind::Record, "7").await.unwrap();
    assert_eq!(get(s, &ours, VaultKind::Record, "7").await, None);
    assert!(s.vault().keys(&ours, VaultKind::Record, "").await.unwrap().is_empty());
    assert!(s.sealed(&ours, "record").is_empty());
    put(s, &ours, VaultKind::Record, "7", "").await;
    assert_eq!(get(s, &ours, VaultKind::Record, "7").await.as_deref(), Some(""));
}

async fn a_value_goes_when_its_time_is_up(s: &mut Setting) {
    let ours = repo(1, 2);
    s.vault().put(&ours, VaultKind::Report, "r", &bytes("x"), DAY).await.unwrap();
    s.vault().put(&ours, VaultKind::Answer, "a", &bytes("x"), MAX_TTL).await.unwrap();
    s.clock.advance(DAY - Duration::from_millis(1));
    assert!(get(s, &ours, VaultKind::Report, "r").await.is_some());
    s.clock.advance(Duration::from_millis(1));
    assert_eq!(get(s, &ours, VaultKind::Report, "r").await, None);
    assert!(s.vault().keys(&ours, VaultKind::Report, "").await.unwrap().is_empty());
    // A value that is there again is not taken for the one that expired.
    put(s, &ours, VaultKind::Report, "r", "y").await;
    assert_eq!(get(s, &ours, VaultKind::Report, "r").await.as_deref(), Some("y"));

    s.clock.advance(DAY * 178);
    assert!(get(s, &ours, VaultKind::Answer, "a").await.is_some());
    s.clock.advance(DAY);
    assert_eq!(get(s, &ours, VaultKind::Answer, "a").await, None);
}

async fn over_180_days_is_refused(s: &mut Setting) {
    let ours = repo(1, 2);
    for ttl in [MAX_TTL + Duration::from_nanos(1), DAY * 181, Duration::MAX, Duration::ZERO] {
        for kind in KINDS {
            let error = s.vault().put(&ours, kind, "k", &bytes("x"), ttl).await.unwrap_err();
            assert!(matches!(error, StoreError::Refused(_)), "{error}");
            assert_eq!(get(s, &ours, kind, "k").await, None);
        }
    }
    s.vault().put(&ours, VaultKind::Answer, "k", &bytes("x"), MAX_TTL).await.unwrap();
}

async fn keys_are_found_by_prefix(s: &mut Setting) {
    let ours = repo(1, 2);
    for key in ["7/b", "7/a", "71/a", "7%/*", "ü/1", "[7]"] {
        put(s, &ours, VaultKind::Record, key, "x").await;
    }
    put(s, &ours, VaultKind::Answer, "7/z", "x").await;
    let keys = async |prefix| s.vault().keys(&ours, VaultKind::Record, prefix).await.unwrap();
    assert_eq!(keys("7/").await, ["7/a", "7/b"]);
    assert_eq!(keys("7").await, ["7%/*", "7/a", "7/b", "71/a"]);
    assert_eq!(keys("7%").await, ["7%/*"]);
    assert_eq!(keys("[").await, ["[7]"]);
    assert_eq!(keys("").await, ["7%/*", "7/a", "7/b", "71/a", "[7]", "ü/1"]);
    assert!(keys("_").await.is_empty());
}

async fn at_most_a_thousand_keys_are_told(s: &mut Setting) {
    let ours = repo(1, 2);
    for n in 0..1005 {
        put(s, &ours, VaultKind::Answer, &format!("{n:04}"), "x").await;
    }
    let keys = s.vault().keys(&ours, VaultKind::Answer, "").await.unwrap();
    assert_eq!(keys.len(), 1000);
    assert_eq!((keys[0].as_str(), keys[999].as_str()), ("0000", "0999"));
}

async fn neither_value_nor_key_lies_there_in_the_clear(s: &mut Setting) {
    let ours = repo(1, 2);
    for kind in KINDS {
        put(s, &ours, kind, "secret-name", "sentinel-of-the-source").await;
    }
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    for text in ["sentinel-of-the-source", "secret-name", "app/secret_place.py"] {
        assert!(!s.keeps(text), "{text}");
    }
    // The search itself works.
    assert!(s.keeps("github:1:2"));
}

async fn an_altered_value_is_absent(s: &mut Setting) {
    let ours = repo(1, 2);
    for kind in KINDS {
        put(s, &ours, kind, "k", "value").await;
        let [(name, value)] = s.sealed(&ours, kind.as_str()).try_into().unwrap();
        let mut wrongs: Vec<Vec<u8>> = (0..value.len()).map(|at| flipped(&value, at)).collect();
        wrongs.extend([Vec::new(), vec![0; 9], value[..value.len() - 1].to_vec(), value.repeat(2)]);
        for wrong in wrongs {
            s.overwrite(&ours, &name, &wrong);
            assert_eq!(get(s, &ours, kind, "k").await, None);
        }
        s.overwrite(&ours, &name, &value);
        assert_eq!(get(s, &ours, kind, "k").await.as_deref(), Some("value"));
    }
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    let sealed = s.sealed(&ours, "receipt");
    let (name, value) = sealed.iter().max_by_key(|(_, value)| value.len()).unwrap();
    s.overwrite(&ours, name, &flipped(value, 30));
    assert!(s.receipts().list(&ours, None).await.unwrap().is_empty());
}

fn flipped(value: &[u8], at: usize) -> Vec<u8> {
    let mut value = value.to_vec();
    value[at] ^= 1;
    value
}

async fn a_value_moved_to_another_place_is_absent(s: &mut Setting) {
    let (ours, theirs) = (repo(1, 2), repo(9, 2));
    put(s, &ours, VaultKind::Answer, "k", "ours").await;
    let [(_, value)] = s.sealed(&ours, "answer").try_into().unwrap();
    for (owner, kind, key) in [
        (&theirs, VaultKind::Answer, "k"),
        (&ours, VaultKind::Record, "k"),
        (&ours, VaultKind::Report, "other"),
    ] {
        put(s, owner, kind, key, "here").await;
        let [(name, _)] = s.sealed(owner, kind.as_str()).try_into().unwrap();
        s.overwrite(owner, &name, &value);
        assert_eq!(get(s, owner, kind, key).await, None);
    }
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await.as_deref(), Some("ours"));
}

async fn another_operators_key_opens_nothing(s: &mut Setting) {
    let ours = repo(1, 2);
    put(s, &ours, VaultKind::Answer, "k", "value").await;
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.secrets = (OTHER_KEY, None);
    s.reopen().await;
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await, None);
    assert!(s.vault().keys(&ours, VaultKind::Answer, "").await.unwrap().is_empty());
    assert!(s.receipts().list(&ours, None).await.unwrap().is_empty());
}

async fn the_key_before_opens_what_it_sealed(s: &mut Setting) {
    let ours = repo(1, 2);
    put(s, &ours, VaultKind::Answer, "old", "sealed before").await;
    put(s, &ours, VaultKind::Answer, "both", "sealed before").await;
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    s.secrets = (OTHER_KEY, Some(KEY));
    s.reopen().await;
    s.receipts().append(&receipt(2, 7), MAX_TTL).await.unwrap();
    // Nor is a receipt altered by coming again under the new key.
    s.receipts().append(&Receipt { lines: 0, ..receipt(1, 7) }, MAX_TTL).await.unwrap();
    // Two receipts, two ids, two stubs, and which is the last one.
    assert_eq!(s.sealed(&ours, "receipt").len(), 7);
    put(s, &ours, VaultKind::Answer, "both", "sealed after").await;
    assert_eq!(get(s, &ours, VaultKind::Answer, "old").await.as_deref(), Some("sealed before"));
    assert_eq!(get(s, &ours, VaultKind::Answer, "both").await.as_deref(), Some("sealed after"));
    assert_eq!(s.vault().keys(&ours, VaultKind::Answer, "").await.unwrap(), ["both", "old"]);
    assert_eq!(s.receipts().list(&ours, None).await.unwrap(), [receipt(1, 7), receipt(2, 7)]);
    // What was replaced is not left under its old name.
    assert_eq!(s.sealed(&ours, "answer").len(), 2);
    s.vault().remove(&ours, VaultKind::Answer, "old").await.unwrap();
    assert_eq!(s.sealed(&ours, "answer").len(), 1);
}

async fn destroying_a_repository_leaves_nothing_readable(s: &mut Setting) {
    let (ours, theirs) = (repo(1, 2), repo(1, 3));
    for repo in [&ours, &theirs] {
        for kind in KINDS {
            put(s, repo, kind, "k", "value").await;
        }
    }
    s.receipts().append(&receipt(1, 7), MAX_TTL).await.unwrap();
    for repo in [&ours, &theirs] {
        let job = Job { repo: repo.clone(), ..job(repo.id, 7) };
        s.queue().enqueue(&job).await.unwrap();
        s.queue().bury(&leased(s.queue()).await, "no").await.unwrap();
    }
    let [(_, old)] = s.sealed(&ours, "answer").try_into().unwrap();

    s.vault().destroy(&ours).await.unwrap();
    s.vault().destroy(&ours).await.unwrap();
    for kind in KINDS {
        assert_eq!(get(s, &ours, kind, "k").await, None);
        assert!(s.vault().keys(&ours, kind, "").await.unwrap().is_empty());
        assert_eq!(get(s, &theirs, kind, "k").await.as_deref(), Some("value"));
    }
    assert!(s.receipts().list(&ours, None).await.unwrap().is_empty());
    assert!(!s.keeps(&ours.key()), "nothing of it is left");
    assert_eq!(s.queue().depth().await.unwrap().dead, 1, "the other's dead letter");
    assert!(!s.everything().windows(old.len()).any(|window| window == old));

    // It starts anew, and what a backup brings back does not open.
    put(s, &ours, VaultKind::Answer, "k", "new").await;
    let [(name, new)] = s.sealed(&ours, "answer").try_into().unwrap();
    s.overwrite(&ours, &name, &old);
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await, None);
    s.overwrite(&ours, &name, &new);
    assert_eq!(get(s, &ours, VaultKind::Answer, "k").await.as_deref(), Some("new"));
}

async fn a_value_written_while_its_repository_is_destroyed_is_not_left_behind(s: &mut Setting) {
    let ours = repo(1, 2);
    let store = s.another().await;
    let writing = {
        let ours = ours.clone();
        tokio::spawn(async move {
            for n in 0..120 {
                let key = format!("{}", n % 7);
                match store.vault.put(&ours, VaultKind::Answer, &key, &bytes("v"), DAY).await {
                    // Destroyed again and again: giving up is allowed, a wrong answer is not.
                    Ok(()) | Err(StoreError::Unavailable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    while !writing.is_finished() {
        s.vault().destroy(&ours).await.unwrap();
    }
    writing.await.unwrap();
    // Whatever lies there now belongs to the salt of now.
    let keys = s.vault().keys(&ours, VaultKind::Answer, "").await.unwrap();
    assert_eq!(s.sealed(&ours, "answer").len(), keys.len());
    for key in &keys {
        assert_eq!(get(s, &ours, VaultKind::Answer, key).await.as_deref(), Some("v"));
    }
}

async fn a_large_value_fits(s: &mut Setting) {
    let ours = repo(1, 2);
    let large: Vec<u8> = (0..4 * 1024 * 1024u32).map(|n| (n % 251) as u8).collect();
    let large = SourceBytes::new(large);
    s.vault().put(&ours, VaultKind::Report, "r", &large, DAY).await.unwrap();
    let back = s.vault().get(&ours, VaultKind::Report, "r").await.unwrap().unwrap();
    assert!(back == large);
    s.vault().remove(&ours, VaultKind::Report, "r").await.unwrap();
}

async fn a_value_over_128_mib_is_refused(s: &mut Setting) {
    let ours = repo(1, 2);
    assert_eq!(MAX_VALUE_BYTES, 128 * 1024 * 1024);
    let large = SourceBytes::new(vec![0; MAX_VALUE_BYTES + 1]);
    for kind in KINDS {
        let error = s.vault().put(&ours, kind, "k", &large, DAY).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
        assert_eq!(get(s, &ours, kind, "k").await, None);
    }
}

async fn a_strange_key_is_refused(s: &mut Setting) {
    let ours = repo(1, 2);
    for key in ["", "a\nb", "a\0", &"x".repeat(513)] {
        let put = s.vault().put(&ours, VaultKind::Answer, key, &bytes("x"), DAY).await;
        assert!(matches!(put, Err(StoreError::Refused(_))));
        assert!(matches!(
            s.vault().get(&ours, VaultKind::Answer, key).await,
            Err(StoreError::Refused(_))
        ));
    }
    put(s, &ours, VaultKind::Answer, &"x".repeat(512), "fits").await;
    put(s, &ours, VaultKind::Answer, "{queue}:jobs *?'\"", "fits").await;
    assert_eq!(s.vault().keys(&ours, VaultKind::Answer, "").await.unwrap().len(), 2);
}

async fn values_survive_a_crash(s: &mut Setting) {
    let ours = repo(1, 2);
    put(s, &ours, VaultKind::Record, "7", "value").await;
    s.crash().await;
    assert_eq!(get(s, &ours, VaultKind::Record, "7").await.as_deref(), Some("value"));
    if let Behind::Redis(server) = &mut s.behind {
        server.down();
        server.up();
        // Through the same store, whose connection broke.
        assert_eq!(get(s, &ours, VaultKind::Record, "7").await.as_deref(), Some("value"));
    }
}
