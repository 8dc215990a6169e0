//! Validated names. A value of these types can be trusted to be well formed, not to exist.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: {why}")]
pub struct IdError {
    /// The kind of name that was wanted.
    pub what: &'static str,
    /// What is wrong with the text; never the text itself.
    pub why: &'static str,
}

/// Which protocol a forge speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// GitHub, hosted or Enterprise Server.
    GitHub,
    /// GitLab, hosted or self-managed.
    GitLab,
}

impl ForgeKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::GitHub, Self::GitLab];

    /// The word used in keys, routes and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            /// [`IdError`] says which rule the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(why) => Err(IdError { what: $what, why }),
                }
            }

            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// `owner/name` on GitHub, `group/subgroup/project` on GitLab.
    RepoName, "repository name", repo_name
);
text_id!(
    /// A path inside a repository: relative, `/`-separated, without `.` or `..` segments, at most
    /// 4,096 bytes. Any other character is allowed; adapters encode it for their protocol.
    RepoPath, "path in a repository", repo_path
);
text_id!(
    /// A full commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitSha, "commit id", commit_sha
);
text_id!(
    /// The forge's id of one webhook delivery; the same on a redelivery. At most 200 printable
    /// ASCII characters.
    DeliveryId, "delivery id", opaque
);
text_id!(
    /// Names one report within a repository. At most 200 printable ASCII characters.
    ReportId, "report id", opaque
);
text_id!(
    /// A scanner's name for one of its rules, as the scanner writes it. At most 1,024 bytes, no
    /// control characters.
    RuleId, "rule id", rule_id
);

impl RepoPath {
    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The text after the last dot of the file name, lower-cased; empty where there is none.
    pub fn extension(&self) -> String {
        match self.file_name().rsplit_once('.') {
            Some((_, extension)) => extension.to_ascii_lowercase(),
            None => String::new(),
        }
    }
}

impl CommitSha {
    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

/// One repository as one installation sees it.
///
/// `installation` and `id` are the forge's numbers and never change; `name` is what the repository
/// was called when the event was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RepoId {
    /// The forge that hosts it.
    pub forge: ForgeKind,
    /// The installation (GitHub) or integration (GitLab) through which we may see it: the tenant.
    pub installation: u64,
    /// The forge's number for the repository.
    pub id: u64,
    /// Its full name.
    pub name: RepoName,
}

impl RepoId {
    /// A key that differs between any two tenants: `github:INSTALLATION:REPOSITORY`.
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.forge, self.installation, self.id)
    }

    /// The repository whose key this is; what it is called is not known by it.
    pub fn of_key(key: &str) -> Option<Self> {
        let (forge, numbers) = key.split_once(':')?;
        let (installation, id) = numbers.split_once(':')?;
        let forge = ForgeKind::ALL.into_iter().find(|known| known.as_str() == forge)?;
        let name = RepoName::new("unknown/unknown").ok()?;
        Some(Self { forge, installation: installation.parse().ok()?, id: id.parse().ok()?, name })
    }
}

/// A pull request or merge request: its repository, and its number there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChangeId {
    /// The repository that the change is proposed to (the base, never a fork).
    pub repo: RepoId,
    /// Pull request number, or merge request `iid`.
    pub number: u64,
}

impl ChangeId {
    /// `github:INSTALLATION:REPOSITORY:NUMBER`.
    pub fn key(&self) -> String {
        format!("{}:{}", self.repo.key(), self.number)
    }
}

fn repo_name(text: &str) -> Result<(), &'static str> {
    if text.len() > 512 {
        return Err("longer than 512 bytes");
    }
    if !text.contains('/') {
        return Err("want owner/name");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    if !text.bytes().all(allowed) {
        return Err("only letters, digits, dots, dashes and underscores");
    }
    if text.split('/').any(|s| s.is_empty() || s == "." || s == "..") {
        return Err("an empty or relative segment");
    }
    Ok(())
}

fn repo_path(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    if text.len() > 4096 {
        return Err("longer than 4,096 bytes");
    }
    if text.contains('\0') {
        return Err("a NUL character");
    }
    if text.split('/').any(|s| s.is_empty() || s == "." || s == "..") {
        return Err("absolute, or with an empty or relative segment");
    }
    Ok(())
}

fn commit_sha(text: &str) -> Result<(), &'static str> {
    if text.len() != 40 && text.len() != 64 {
        return Err("want 40 or 64 hexadecimal digits");
    }
    if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("want lower-case hexadecimal digits");
    }
    Ok(())
}

fn opaque(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 200 {
        return Err("want 1 to 200 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("want printable ASCII without spaces");
    }
    Ok(())
}

fn rule_id(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 1024 {
        return Err("want 1 to 1,024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("a control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_its_repository() {
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "a/", "a\0b"] {
            assert!(RepoPath::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "src/a b#c?.rs", "ü/ñ.py", "a/..b/c", ".github/x"] {
            assert!(RepoPath::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_repository_name_has_an_owner() {
        for bad in ["x", "/x", "x/", "a/../b", "a b/c", "a/b?c"] {
            assert!(RepoName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["acme/shop", "a/b/c", "a.b/c-d_e"] {
            assert!(RepoName::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_commit_id_is_complete_and_lower_case() {
        assert!(CommitSha::new("a".repeat(40)).is_ok());
        assert!(CommitSha::new("0".repeat(64)).is_ok());
        for bad in ["abc".to_owned(), "A".repeat(40), "g".repeat(40), "a".repeat(41)] {
            assert!(CommitSha::new(bad).is_err());
        }
    }

    #[test]
    fn two_tenants_never_share_a_key() {
        let name = RepoName::new("a/b").unwrap();
        let repo = |installation, id| RepoId {
            forge: ForgeKind::GitHub,
            installation,
            id,
            name: name.clone(),
        };
        assert_ne!(repo(1, 23).key(), repo(12, 3).key());
    }
}
