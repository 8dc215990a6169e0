//! Every key that we write to Redis. The README has the same table; a test keeps the two alike.
//!
//! All names start with the operator's prefix and [`VERSION`]. The text in braces decides the
//! cluster slot: all keys of the queue share one, and all keys of a repository share one.

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
pub const TABLE: [Key; 15] = [
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
        "sealed name → expiry; the same for `record`, `report`",
        "the longest of its values",
    ),
    key(
        "{REPOSITORY}:index:receipt",
        "sorted set",
        "the same for receipts",
        "the longest of its receipts",
    ),
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

    pub(crate) fn index(&self, repo: &str, kind: &str) -> String {
        format!("{}{{{repo}}}:index:{kind}", self.start)
    }

    pub(crate) fn value(&self, repo: &str, kind: &str, name: &[u8]) -> String {
        format!("{}{{{repo}}}:{kind}:{}", self.start, URL_SAFE_NO_PAD.encode(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
