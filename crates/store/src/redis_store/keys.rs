//! Every key that we write to Redis. The README has the same table; a test keeps the two alike.
//!
//! All names start with the operator's prefix and [`VERSION`]. The text in braces decides the
//! cluster slot: all keys of the queue share one, and all keys of a repository share one.

use crate::shelf::kind_of;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The version of the layout. A program that writes another layout uses another version.
pub const VERSION: &str = "v1";

/// One kind of key: how it is named, what it holds, how long it lives.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name after prefix and version.
    pub pattern: &'static str,
    /// Its Redis type.
    pub holds: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// When it goes by itself.
    pub ttl: &'static str,
}

const QUEUE_TTL: &str = "30 days after the last write";

/// Every kind of key.
pub const TABLE: [Key; 18] = [
    key("{queue}:jobs", "stream", "the jobs; group `workers`", QUEUE_TTL),
    key("{queue}:leases", "sorted set", "entry → deadline of its lease", QUEUE_TTL),
    key("{queue}:held", "hash", "entry → token and lane of its lease", QUEUE_TTL),
    key("{queue}:lanes", "hash", "lane → the entry that runs in it", QUEUE_TTL),
    key("{queue}:parked", "sorted set", "entries that were read and are due, by lane", QUEUE_TTL),
    key("{queue}:open", "sorted set", "free lanes with parked entries → the oldest", QUEUE_TTL),
    key("{queue}:delayed", "sorted set", "entry → when it is due again", QUEUE_TTL),
    key("{queue}:order", "number", "counts jobs, for their order", QUEUE_TTL),
    key("{queue}:dead", "stream", "the dead letters, newest 1,000", "30 days after the last one"),
    key(
        "{queue}:seen:DIGEST",
        "string",
        "a job or delivery: queued, or done until",
        "30 days, 3 once done",
    ),
    key("{queue}:probe", "string", "written to see that writing works", "1 second"),
    key(
        "{REPOSITORY}:salt",
        "string",
        "what the repository's keys are derived with",
        "180 days after the last write",
    ),
    key(
        "{REPOSITORY}:KIND:NAME",
        "string",
        "a sealed value, under its sealed name",
        "the value's own, at most 180 days",
    ),
    key(
        "{REPOSITORY}:index:answer",
        "sorted set",
        "sealed name → expiry; the same for `record`, `report`, `evaluation`",
        "the longest of its values",
    ),
    key(
        "{REPOSITORY}:index:receipt",
        "sorted set",
        "the same for receipts",
        "the longest of its receipts",
    ),
    key(
        "{ledger}:salt",
        "string",
        "what the ledger's keys are derived with",
        "180 days after the last write",
    ),
    key(
        "{ledger}:BOOK:NAME",
        "string",
        "a sealed page, under its sealed name",
        "the page's own, at most 180 days",
    ),
    key("{ledger}:index:BOOK", "sorted set", "sealed name → expiry", "the longest of its pages"),
];

const fn key(
    pattern: &'static str,
    holds: &'static str,
    purpose: &'static str,
    ttl: &'static str,
) -> Key {
    Key { pattern, holds, purpose, ttl }
}

/// The fixed keys of the queue, in the order in which the scripts take them.
const QUEUE: [&str; 9] =
    ["jobs", "leases", "held", "lanes", "parked", "open", "delayed", "dead", "order"];

/// What lies under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Queue,
    Salt,
    Index,
    Value {
        /// Whose it is: a repository's key, or the ledger.
        repo: String,
        kind: &'static str,
        /// The sealed name, in base64.
        name: String,
    },
}

impl Place {
    /// In a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Salt => "salt",
            Self::Index => "index",
            Self::Value { kind, .. } => kind,
        }
    }
}

/// Makes the names.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    start: String,
}

impl Keys {
    /// `prefix` has been checked: no braces.
    pub(crate) fn new(prefix: &str) -> Self {
        Self { start: format!("{prefix}:{VERSION}:") }
    }

    pub(crate) fn queue(&self) -> [String; QUEUE.len()] {
        QUEUE.map(|name| format!("{}{{queue}}:{name}", self.start))
    }

    pub(crate) fn seen(&self, mark: &str) -> String {
        format!("{}{{queue}}:seen:{mark}", self.start)
    }

    pub(crate) fn probe(&self) -> String {
        format!("{}{{queue}}:probe", self.start)
    }

    pub(crate) fn salt(&self, repo: &str) -> String {
        format!("{}{{{repo}}}:salt", self.start)
    }

    /// Whose salt or index lies under `key`.
    pub(crate) fn owner(&self, key: &str) -> Option<String> {
        let (owner, _) = key.strip_prefix(&self.start)?.strip_prefix('{')?.split_once("}:")?;
        matches!(self.place(key), Some(Place::Salt | Place::Index)).then(|| owner.to_owned())
    }

    pub(crate) fn index(&self, repo: &str, kind: &str) -> String {
        format!("{}{{{repo}}}:index:{kind}", self.start)
    }

    /// A pattern that every key of ours matches, those of other versions too.
    pub(crate) fn all(&self) -> String {
        // A prefix holds no character that means more than itself in a pattern.
        let prefix = self.start.trim_end_matches(&format!("{VERSION}:"));
        format!("{prefix}*")
    }

    /// What lies under `key`; `None` where this version keeps nothing of the kind.
    pub(crate) fn place(&self, key: &str) -> Option<Place> {
        let (slot, name) = key.strip_prefix(&self.start)?.strip_prefix('{')?.split_once("}:")?;
        if slot == "queue" {
            let seen = name.strip_prefix("seen:").is_some_and(|mark| !mark.is_empty());
            return (seen || name == "probe" || QUEUE.contains(&name)).then_some(Place::Queue);
        }
        let kind = |word: &str| kind_of(slot, word);
        match name.split_once(':') {
            None => (name == "salt").then_some(Place::Salt),
            Some(("index", of)) => kind(of).map(|_| Place::Index),
            Some((of, name)) => {
                let (repo, name) = (slot.to_owned(), name.to_owned());
                kind(of).map(|kind| Place::Value { repo, kind, name })
            }
        }
    }

    pub(crate) fn value(&self, repo: &str, kind: &str, name: &[u8]) -> String {
        format!("{}{{{repo}}}:{kind}:{}", self.start, URL_SAFE_NO_PAD.encode(name))
    }
}

#[cfg(test)]
mod tests {
    use chaffinch_core::Book;

    use super::*;
    use crate::shelf::{KINDS, LEDGER};

    #[test]
    fn the_readme_lists_every_key() {
        let rows: Vec<_> = include_str!("../../README.md")
            .lines()
            .filter(|line| line.starts_with("| `{"))
            .map(str::to_owned)
            .collect();
        let table = TABLE.map(|Key { pattern, holds, purpose, ttl }| {
            format!("| `{pattern}` | {holds} | {purpose} | {ttl} |")
        });
        assert_eq!(rows, table);
    }

    #[test]
    fn every_key_is_known_by_its_place() {
        let keys = Keys::new("chaffinch");
        for key in keys.queue().into_iter().chain([keys.seen("x"), keys.probe()]) {
            assert_eq!(keys.place(&key), Some(Place::Queue), "{key}");
        }
        let books = Book::ALL.map(Book::as_str);
        for (owner, kinds) in [("github:1:2", KINDS.as_slice()), (LEDGER, &books)] {
            assert_eq!(keys.place(&keys.salt(owner)), Some(Place::Salt));
            for kind in kinds.iter().copied() {
                let index = keys.index(owner, kind);
                assert_eq!(keys.place(&index), Some(Place::Index));
                assert_eq!(keys.owner(&index).as_deref(), Some(owner));
                let value = Place::Value { repo: owner.into(), kind, name: "bg".into() };
                assert_eq!(keys.place(&keys.value(owner, kind, b"n")), Some(value));
            }
        }
        for strange in [
            "chaffinch:v1:{queue}:other",
            "chaffinch:v0:{queue}:jobs",
            "chaffinch:x",
            "chaffinch:v1:{a}:note:n",
            "chaffinch:v1:{ledger}:answer:n",
            "chaffinch:v1:{github:1:2}:consent:n",
        ] {
            assert_eq!(keys.place(strange), None, "{strange}");
        }
        assert_eq!(keys.all(), "chaffinch:*");
    }

    #[test]
    fn keys_of_one_kind_share_a_slot() {
        let keys = Keys::new("chaffinch");
        for name in keys.queue().iter().chain([&keys.seen("x"), &keys.probe()]) {
            assert!(name.starts_with("chaffinch:v1:{queue}:"), "{name}");
        }
        let repo = "github:1:2";
        for name in [keys.salt(repo), keys.index(repo, "answer"), keys.value(repo, "answer", b"n")]
        {
            assert!(name.starts_with("chaffinch:v1:{github:1:2}:"), "{name}");
        }
    }
}
