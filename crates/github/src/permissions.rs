//! What the App asks of GitHub, and why. No organisation permission, and no write access to contents.

use std::{collections::BTreeMap, fmt};

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// To look.
    Read,
    /// To look and to change.
    Write,
}

impl Level {
    /// GitHub's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One permission of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// GitHub's name for it.
    pub name: &'static str,
    /// How much of it.
    pub level: Level,
    /// What it is used for.
    pub reason: &'static str,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.level.as_str())
    }
}

/// The reading token, which cannot write anything.
pub const READ: [Permission; 2] = [
    Permission {
        name: "contents",
        level: Level::Read,
        reason: "read single files at the head of a pull request; never a clone, an archive or a tree",
    },
    Permission {
        name: "pull_requests",
        level: Level::Read,
        reason: "read which commit a pull request proposes, and which lines it changes",
    },
];

/// What the reading token has besides, where reports come from code scanning.
pub const CODE_SCANNING: Permission = Permission {
    name: "security_events",
    level: Level::Read,
    reason: "read the reports that scanners uploaded to code scanning",
};

/// The writing token, which cannot read contents.
pub const WRITE: [Permission; 2] = [
    Permission {
        name: "pull_requests",
        level: Level::Write,
        reason: "write review comments and the summary on a pull request, and edit them",
    },
    Permission { name: "checks", level: Level::Write, reason: "set the one check of a head" },
];

/// The token that turns a repository's name into its number; it lives for one request.
pub const LOCATE: [Permission; 1] = [Permission {
    name: "metadata",
    level: Level::Read,
    reason: "learn the number of a repository from its name (GitHub gives this one to every App)",
}];

/// The reading token's permissions.
pub fn read(code_scanning: bool) -> Vec<Permission> {
    READ.into_iter().chain(code_scanning.then_some(CODE_SCANNING)).collect()
}

/// What the App itself must be given: each permission once, at its highest level.
pub fn app(code_scanning: bool) -> BTreeMap<&'static str, &'static str> {
    let mut all = BTreeMap::new();
    for p in LOCATE.into_iter().chain(read(code_scanning)).chain(WRITE) {
        let level = all.entry(p.name).or_insert(p.level);
        *level = p.level.max(*level);
    }
    all.into_iter().map(|(name, level)| (name, level.as_str())).collect()
}

/// All of it as a Markdown table: token, permission, access, reason.
pub fn table() -> String {
    let mut rows = vec!["| token | permission | access | reason |".to_owned()];
    rows.push("|---|---|---|---|".to_owned());
    let sets = [
        ("read", &READ[..]),
        ("read, with code scanning", &[CODE_SCANNING][..]),
        ("write", &WRITE[..]),
        ("locate", &LOCATE[..]),
    ];
    for (token, set) in sets {
        for p in set {
            rows.push(format!("| {token} | `{}` | {} | {} |", p.name, p.level.as_str(), p.reason));
        }
    }
    rows.join("\n")
}

/// The permissions as the body of a token request wants them.
pub(crate) fn asked(set: &[Permission]) -> BTreeMap<&'static str, &'static str> {
    set.iter().map(|p| (p.name, p.level.as_str())).collect()
}

/// The permissions for people: `contents: read, pull_requests: read`.
pub(crate) fn named(set: &[Permission]) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_holds_the_table() {
        let readme = include_str!("../README.md");
        assert!(readme.contains(&table()), "put this into README.md:\n{}", table());
    }

    #[test]
    fn nothing_may_write_contents_and_the_writer_cannot_read_them() {
        assert_eq!(app(true)["contents"], "read");
        assert!(WRITE.iter().all(|p| p.name != "contents"));
        assert!(read(true).iter().all(|p| p.level == Level::Read));
    }

    #[test]
    fn the_app_is_given_each_permission_once() {
        insta::assert_compact_debug_snapshot!(app(true), @r#"{"checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write", "security_events": "read"}"#);
        assert!(!app(false).contains_key("security_events"));
    }
}
