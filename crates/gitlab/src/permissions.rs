//! What each of the two tokens must be allowed, and why. GitLab has no finer grain than a scope for a
//! token and a role for its user.

use std::fmt;

/// What a user may do in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees issues; of a private project, no code.
    Guest,
    /// Plans.
    Planner,
    /// Sees code, writes comments.
    Reporter,
    /// Besides, sees what security scanners found.
    SecurityManager,
    /// Sets statuses, resolves threads, and, with another scope, pushes.
    Developer,
    /// Runs the project.
    Maintainer,
    /// Owns it.
    Owner,
}

impl Role {
    /// From GitLab's number; between two roles, the lower one.
    pub fn of(access_level: u64) -> Option<Self> {
        match access_level {
            0..10 => None,
            10..15 => Some(Self::Guest),
            15..20 => Some(Self::Planner),
            20..25 => Some(Self::Reporter),
            25..30 => Some(Self::SecurityManager),
            30..40 => Some(Self::Developer),
            40..50 => Some(Self::Maintainer),
            _ => Some(Self::Owner),
        }
    }

    /// GitLab's number.
    pub fn access_level(self) -> u64 {
        match self {
            Self::Guest => 10,
            Self::Planner => 15,
            Self::Reporter => 20,
            Self::SecurityManager => 25,
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }

    /// GitLab's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "Guest",
            Self::Planner => "Planner",
            Self::Reporter => "Reporter",
            Self::SecurityManager => "Security Manager",
            Self::Developer => "Developer",
            Self::Maintainer => "Maintainer",
            Self::Owner => "Owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of the two tokens of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// It cannot write anything.
    Read,
    /// GitLab knows no scope that writes comments and does not read.
    Write,
}

impl Token {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The one scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Read => "read_api",
            Self::Write => "api",
        }
    }

    /// The lowest role that suffices, but for what [`Permission::only_where`] names.
    pub fn least_role(self) -> Role {
        let always = PERMISSIONS.iter().filter(|p| p.token == self && p.only_where.is_none());
        always.map(|p| p.role).max().unwrap_or(Role::Reporter)
    }

    /// The highest role that anything of it can need.
    pub fn most_role(self) -> Role {
        let all = PERMISSIONS.iter().filter(|p| p.token == self);
        all.map(|p| p.role).max().unwrap_or(Role::Reporter)
    }
}

/// One thing that a token is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// Which token.
    pub token: Token,
    /// The lowest role that may do it.
    pub role: Role,
    /// Where alone it is needed.
    pub only_where: Option<&'static str>,
    /// What it is used for.
    pub reason: &'static str,
}

const fn read(reason: &'static str) -> Permission {
    Permission { token: Token::Read, role: Role::Reporter, only_where: None, reason }
}

const fn write(role: Role, reason: &'static str) -> Permission {
    Permission { token: Token::Write, role, only_where: None, reason }
}

/// All of it.
pub const PERMISSIONS: [Permission; 7] = [
    read("read single files at the head of a merge request; never a clone or an archive"),
    read("read which commit a merge request proposes, and which lines it changes"),
    read("read the reports that jobs of the head's pipelines keep as artifacts"),
    Permission {
        only_where: Some("a job says `artifacts: access: developer`"),
        role: Role::Developer,
        ..read("read that job's reports")
    },
    write(Role::Reporter, "write threads and the summary on a merge request, and edit them"),
    write(Role::Developer, "resolve its own threads"),
    write(Role::Developer, "set the one commit status of a head"),
];

/// All of it as a Markdown table: token, scope, role, reason. The columns are called as the fields on
/// GitLab's page, *Settings → Access tokens → Add new token*, and in its API.
pub fn table() -> String {
    let mut rows = vec![
        "| token | *Select scopes* (`scopes`) | *Select a role* (`access_level`) | reason |"
            .to_owned(),
    ];
    rows.push("|---|---|---|---|".to_owned());
    for p in PERMISSIONS {
        let token = match p.only_where {
            Some(place) => format!("{}, where {place}", p.token.as_str()),
            None => p.token.as_str().to_owned(),
        };
        let (scope, level) = (p.token.scope(), p.role.access_level());
        rows.push(format!("| {token} | `{scope}` | {} (`{level}`) | {} |", p.role, p.reason));
    }
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_hold_the_table() {
        let readme = include_str!("../README.md");
        assert!(readme.contains(&table()), "put this into README.md:\n{}", table());
        let page = include_str!("../../../app-manifest/gitlab.md");
        assert!(page.contains(&table()), "put this into app-manifest/gitlab.md:\n{}", table());
    }

    #[test]
    fn the_reader_cannot_write_and_nobody_may_run_the_project() {
        assert_eq!(Token::Read.scope(), "read_api");
        assert_eq!(Token::Read.least_role(), Role::Reporter);
        assert_eq!(Token::Write.least_role(), Role::Developer);
        assert!(PERMISSIONS.iter().all(|p| p.role < Role::Maintainer));
    }

    #[test]
    fn a_role_is_never_taken_for_a_higher_one() {
        let known = [5, 10, 15, 20, 25, 29, 30, 40, 50, 60].map(Role::of);
        insta::assert_compact_debug_snapshot!(known, @"[None, Some(Guest), Some(Planner), Some(Reporter), Some(SecurityManager), Some(SecurityManager), Some(Developer), Some(Maintainer), Some(Owner), Some(Owner)]");
    }
}
