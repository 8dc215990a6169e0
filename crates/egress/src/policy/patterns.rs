//! Which repositories, and the customer's own secrets.

use std::{fmt, str::FromStr};

use chaffinch_core::{ForgeKind, RepoName};
use serde::{Deserialize, Serialize};

use crate::PolicyError;

/// `acme/shop`, or `acme/*`: a star stands for exactly one whole segment, and never for the first.
/// Letters match in either case, as on the forges. `gitlab:acme/shop` is that of GitLab alone,
/// `github:acme/shop` that of GitHub; without such a word it is that of any forge that is configured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPattern(String);

impl RepoPattern {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`PolicyError::Repository`] says what is wrong with the text, and what to write.
    pub fn new(text: impl Into<String>) -> Result<Self, PolicyError> {
        let text = text.into();
        match check(&text) {
            Ok(()) => Ok(Self(text)),
            Err(why) => {
                Err(PolicyError::Repository { pattern: text.chars().take(200).collect(), why })
            }
        }
    }

    /// The text, as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same in lower case.
    pub(super) fn lower(&self) -> Self {
        Self(self.0.to_ascii_lowercase())
    }

    pub(super) fn has_star(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether another pattern can mean a part of what this one does.
    pub(super) fn is_wide(&self) -> bool {
        self.has_star() || split(&self.0).0.is_none()
    }

    /// The same for each forge alone; nothing where this is for one already.
    pub(super) fn for_each_forge(&self) -> impl Iterator<Item = Self> {
        let any = split(&self.0).0.is_none();
        let forges = ForgeKind::ALL.iter().filter(move |_| any);
        forges.map(|forge| Self(format!("{}:{}", forge.as_str(), self.0)))
    }

    /// The repositories that both mean; `None` where there can be none.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let ((forge_a, a), (forge_b, b)) = (split(&self.0), split(&other.0));
        let forge = match (forge_a, forge_b) {
            (Some(a), Some(b)) if a != b => return None,
            (a, b) => a.or(b),
        };
        if a.split('/').count() != b.split('/').count() {
            return None;
        }
        let segments: Option<Vec<&str>> = a
            .split('/')
            .zip(b.split('/'))
            .map(|(a, b)| match (a, b) {
                ("*", other) | (other, "*") => Some(other),
                (a, b) if a.eq_ignore_ascii_case(b) => Some(a),
                _ => None,
            })
            .collect();
        let path = segments?.join("/");
        Some(Self(forge.map_or(path.clone(), |forge| format!("{forge}:{path}"))))
    }

    /// Whether the repository of that name on that forge is one of those meant.
    pub fn matches(&self, forge: ForgeKind, name: &RepoName) -> bool {
        let (only, pattern) = split(&self.0);
        if only.is_some_and(|only| only != forge.as_str()) {
            return false;
        }
        let (mut wanted, mut found) = (pattern.split('/'), name.as_str().split('/'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
                _ => return false,
            }
        }
    }
}

/// The forge that a pattern is for, if it says one, and the rest.
fn split(text: &str) -> (Option<&str>, &str) {
    text.split_once(':').map_or((None, text), |(forge, rest)| (Some(forge), rest))
}

fn check(text: &str) -> Result<(), &'static str> {
    let (forge, text) = split(text);
    if forge.is_some_and(|forge| ForgeKind::ALL.iter().all(|known| known.as_str() != forge)) {
        return Err("before the colon, write `github` or `gitlab`");
    }
    if text.split('/').next() == Some("*") {
        return Err("the first segment may not be a star: name the owner or group");
    }
    if text.split('/').any(|s| s != "*" && s.contains('*')) {
        return Err("a star stands for one whole segment: write `owner/*`");
    }
    let filled: Vec<&str> = text.split('/').map(|s| if s == "*" { "x" } else { s }).collect();
    RepoName::new(filled.join("/")).map(|_| ()).map_err(|_| "write `owner/name` or `owner/*`")
}

impl FromStr for RepoPattern {
    type Err = PolicyError;
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::new(text)
    }
}

impl TryFrom<String> for RepoPattern {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        Self::new(text)
    }
}

impl From<RepoPattern> for String {
    fn from(pattern: RepoPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for RepoPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret that only the customer knows the form of. It is replaced like any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraPattern {
    /// Its name in placeholders and receipts: 1 to 40 of `a-z 0-9 -`.
    pub id: String,
    /// A regular expression (syntax of the `regex` crate, classes are ASCII), at most 1,000 bytes.
    /// The first group that matches is the secret; without groups, the whole match.
    pub regex: String,
}

impl ExtraPattern {
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        let error = |why: &str| {
            let id = self.id.chars().take(40).collect();
            Err(PolicyError::ExtraPattern { id, why: why.into() })
        };
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.id.is_empty() || self.id.len() > 40 || !self.id.bytes().all(allowed) {
            return error("name it with 1 to 40 lower-case letters, digits and dashes");
        }
        if self.regex.len() > 1_000 {
            return error("shorten it to 1,000 bytes");
        }
        Ok(())
    }
}
