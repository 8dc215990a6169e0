//! What lies in a store, as an audit sees it: no content, and no name that says anything.

use std::{fmt, time::Duration};

/// The longest that anything derived from a repository is kept.
pub const LONGEST_KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// One thing that a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Under which name; what it is derived from is sealed.
    pub key: String,
    /// What kind of thing it is; `None` where nobody knows.
    pub kind: Option<String>,
    /// For how long it is kept; `None` for ever.
    pub ttl: Option<Duration>,
    /// Whether what it holds can be read without the store's key.
    pub sealing: Sealing,
}

/// Whether a thing can be read without the store's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// It is sealed: it opens with the key, and only at its place.
    Sealed,
    /// It does not open with the key, or not at all.
    Unopened,
    /// It holds ids, times and random numbers alone, nothing of a repository's content.
    Bare,
}

/// Which rule a stored thing breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no time to live.
    Forever,
    /// It lives for more than 180 days.
    TooLong,
    /// It is not sealed, or with another key.
    Unsealed,
    /// Nobody knows what it is.
    Unknown,
}

impl Stored {
    /// The first rule that it breaks.
    pub fn fault(&self) -> Option<Fault> {
        match (self.ttl, &self.kind, self.sealing) {
            (_, None, _) => Some(Fault::Unknown),
            (None, ..) => Some(Fault::Forever),
            (Some(ttl), ..) if ttl > LONGEST_KEPT => Some(Fault::TooLong),
            (_, _, Sealing::Unopened) => Some(Fault::Unsealed),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forever => "it has no time to live",
            Self::TooLong => "it lives for more than 180 days",
            Self::Unsealed => "it does not open with the store's key",
            Self::Unknown => "it is no kind of thing that this version keeps",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_fault() {
        let day = Duration::from_secs(24 * 60 * 60);
        let stored = |kind: Option<&str>, ttl, sealing| {
            let kind = kind.map(str::to_owned);
            Stored { key: "k".into(), kind, ttl, sealing }.fault()
        };
        let sealed = Sealing::Sealed;
        assert_eq!(stored(Some("answer"), Some(day * 180), sealed), None);
        assert_eq!(stored(Some("queue"), Some(day), Sealing::Bare), None);
        assert_eq!(stored(Some("answer"), Some(day * 181), sealed), Some(Fault::TooLong));
        assert_eq!(stored(Some("answer"), None, sealed), Some(Fault::Forever));
        assert_eq!(stored(Some("answer"), Some(day), Sealing::Unopened), Some(Fault::Unsealed));
        assert_eq!(stored(None, Some(day), sealed), Some(Fault::Unknown));
    }
}
