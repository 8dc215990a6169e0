//! Which projects a token or a webhook secret is for.

use std::{fmt, str::FromStr};

use chaffinch_core::RepoName;

use crate::ConfigError;

/// `group/project`, or `group/*` for every project below that group, subgroups included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projects(String);

impl Projects {
    /// Whether `project` is one of them. GitLab's paths differ by more than case.
    pub fn covers(&self, project: &RepoName) -> bool {
        match self.group() {
            Some(group) => project
                .as_str()
                .get(..=group.len())
                .and_then(|start| start.strip_suffix('/'))
                .is_some_and(|start| start.eq_ignore_ascii_case(group)),
            None => project.as_str().eq_ignore_ascii_case(&self.0),
        }
    }

    /// The group, if this is more than one project.
    pub fn group(&self) -> Option<&str> {
        self.0.strip_suffix("/*")
    }
}

impl FromStr for Projects {
    type Err = ConfigError;
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        // A group is checked as part of the name of some project of it.
        let example = match text.strip_suffix("/*") {
            Some(group) => format!("{group}/x"),
            None => text.to_owned(),
        };
        match RepoName::new(example) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(ConfigError::Projects),
        }
    }
}

impl fmt::Display for Projects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of those that cover `project`, the one that names it most closely.
pub fn closest<'a, T>(
    all: &'a [T],
    of: impl Fn(&T) -> &Projects,
    project: &RepoName,
) -> Option<&'a T> {
    let covering = all.iter().filter(|one| of(one).covers(project));
    covering.max_by_key(|one| (of(one).group().is_none(), of(one).0.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, project: &str) -> bool {
        let pattern: Projects = pattern.parse().unwrap();
        pattern.covers(&RepoName::new(project).unwrap())
    }

    #[test]
    fn a_pattern_is_one_project_or_all_below_one_group() {
        for (pattern, project) in
            [("a/b", "a/b"), ("a/b", "A/b"), ("a/*", "a/b"), ("a/*", "a/b/c"), ("a/b/*", "a/B/c")]
        {
            assert!(covers(pattern, project), "{pattern} {project}");
        }
        for (pattern, project) in
            [("a/b", "a/b/c"), ("a/b", "a/bc"), ("a/*", "ab/c"), ("a/b/*", "a/b"), ("a/*", "b/a")]
        {
            assert!(!covers(pattern, project), "{pattern} {project}");
        }
        for bad in ["", "*", "a", "/*", "a//b", "a/*/b", "a b/c", "*/b"] {
            assert!(bad.parse::<Projects>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_closest_pattern_counts() {
        let all: Vec<Projects> =
            ["a/*", "a/b/*", "a/b/c"].iter().map(|p| p.parse().unwrap()).collect();
        let of = |name: &str| {
            closest(&all, |p| p, &RepoName::new(name).unwrap()).map(ToString::to_string)
        };
        assert_eq!(of("a/b/c").as_deref(), Some("a/b/c"));
        assert_eq!(of("a/b/d").as_deref(), Some("a/b/*"));
        assert_eq!(of("a/x").as_deref(), Some("a/*"));
        assert_eq!(of("b/x"), None);
    }
}
