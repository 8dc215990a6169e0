//! GitLab, with tokens that are read again and asked about. They end after a year at most, a rotated one
//! ends at once, and whoever makes them can give them more than is needed: so each project's are read
//! again before each of its jobs, and it is opened only once GitLab has said what they allow.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use async_trait::async_trait;
use chaffinch_core::{Access, Clock, Forge, ForgeError, ForgeKind, RepoId, RepoName};
use chaffinch_gitlab::{self as gitlab, ProjectTokens, Projects, permissions::Token};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use secrecy::{ExposeSecret, SecretString};

use super::wanted;
use crate::{
    config::{GitLabProject, Secret},
    metric,
};

/// A role can be raised while a token stays the same.
const ASK_AGAIN: TimeDelta = TimeDelta::days(1);
/// The longest that a start waits for what GitLab says.
const AT_START: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 8;
/// Tokens that are put in place of others just then: more often than this, something is wrong.
const MOST_CHANGES: usize = 3;

/// GitLab, whose projects are opened only with tokens that were looked at.
pub(crate) struct Vetted {
    gitlab: gitlab::GitLab,
    entries: Vec<(Projects, GitLabProject)>,
    clock: Arc<dyn Clock>,
    /// The tokens in use, one pair an entry, and how often they have changed.
    held: Mutex<Vec<(ProjectTokens, u64)>>,
    /// When a project's tokens were found to be in order, and which those were.
    passed: Mutex<HashMap<RepoName, (u64, DateTime<Utc>)>>,
}

/// Why a project is not opened.
enum Closed {
    /// Its tokens allow more than is needed, and nobody has said that this is wanted.
    Excess(String),
    /// GitLab does not say what they allow.
    Unknown(ForgeError),
}

impl From<Closed> for ForgeError {
    fn from(closed: Closed) -> Self {
        match closed {
            // New tokens, once they are in their files, make it good.
            Closed::Excess(why) => Self::Unavailable { why },
            Closed::Unknown(error) => error,
        }
    }
}

impl Vetted {
    pub(super) fn new(
        gitlab: gitlab::GitLab,
        entries: &[GitLabProject],
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let held = super::forge::tokens(entries)?;
        // Those that are held are those in use, even where a file has changed since.
        gitlab.set_tokens(held.clone())?;
        let projects = held.iter().map(|tokens| tokens.projects.clone());
        Ok(Self {
            gitlab,
            entries: projects.zip(entries.iter().cloned()).collect(),
            clock,
            held: Mutex::new(held.into_iter().map(|tokens| (tokens, 0)).collect()),
            passed: Mutex::default(),
        })
    }

    /// Looks at the tokens of these projects, as far as GitLab answers.
    ///
    /// # Errors
    /// Names every excess that is not acknowledged, and the setting that would.
    pub(crate) async fn look(&self, names: &[RepoName]) -> anyhow::Result<()> {
        let looked = stream::iter(names).map(|name| async move { (name, self.vet(name).await) });
        let mut looked =
            looked.buffer_unordered(AT_ONCE).take_until(tokio::time::sleep(AT_START)).boxed();
        let (mut refused, mut seen) = (Vec::new(), 0);
        while let Some((name, outcome)) = looked.next().await {
            seen += 1;
            match outcome {
                Ok(_) => {}
                Err(Closed::Excess(why)) => refused.push(why),
                Err(Closed::Unknown(error)) => {
                    tracing::warn!(repository = %name, %error, "GitLab does not say what its tokens allow; it is not opened before");
                }
            }
        }
        if seen < names.len() {
            tracing::warn!(
                "GitLab does not answer; no project is opened before it said what its tokens allow"
            );
        }
        refused.sort();
        if refused.is_empty() { Ok(()) } else { bail!(refused.join("\n")) }
    }

    /// Reads a project's tokens again, and asks what they allow, unless that is known; which entry they are
    /// of, and how often they have changed.
    async fn vet(&self, name: &RepoName) -> Result<(usize, u64), Closed> {
        let all: Vec<_> = self.entries.iter().enumerate().collect();
        let entry = gitlab::closest(&all, |(_, (projects, _))| projects, name);
        let (at, (_, entry)) = *entry.ok_or(Closed::Unknown(ForgeError::NotFound))?;
        let change = self.reread(at, entry);
        let now = self.clock.now();
        let known = lock(&self.passed).get(name).copied();
        if known.is_some_and(|(of, when)| of == change && now - when < ASK_AGAIN) {
            return Ok((at, change));
        }
        let mut found = Vec::new();
        for token in [Token::Read, Token::Write] {
            found.push(self.gitlab.inspect(name, token).await.map_err(Closed::Unknown)?);
        }
        if let Some(why) = entry.refuses(name, &found) {
            return Err(Closed::Excess(why));
        }
        // What was asked about may have been others by then.
        if self.change_of(at) == change {
            lock(&self.passed).insert(name.clone(), (change, now));
        }
        Ok((at, change))
    }

    /// Takes what is good of the tokens that are there now; how often they have changed.
    fn reread(&self, at: usize, entry: &GitLabProject) -> u64 {
        // Under the lock, so that the last to read is the last to put.
        let mut all = lock(&self.held);
        let Some((held, change)) = all.get(at).cloned() else { return 0 };
        let held = &held;
        let fresh = renewed(entry, held);
        let same = |a: &SecretString, b: &SecretString| a.expose_secret() == b.expose_secret();
        if same(&fresh.read, &held.read) && same(&fresh.write, &held.write) {
            return change;
        }
        let mut tokens: Vec<_> = all.iter().map(|(tokens, _)| tokens.clone()).collect();
        tokens[at] = fresh.clone();
        if let Err(error) = self.gitlab.set_tokens(tokens) {
            tracing::warn!(%error, "the tokens of before are used");
            return change;
        }
        all[at] = (fresh, change + 1);
        change + 1
    }

    fn change_of(&self, at: usize) -> u64 {
        lock(&self.held).get(at).map_or(0, |(_, change)| *change)
    }

    /// Whether the tokens that were looked at are still those in use: another job may have taken newer ones
    /// since, which nobody has looked at yet.
    fn holds(&self, (at, change): (usize, u64)) -> bool {
        self.change_of(at) == change
    }
}

fn restless() -> ForgeError {
    ForgeError::Unavailable { why: "its tokens change all the time".to_owned() }
}

/// Each of the two tokens, where it can be read and used, and otherwise the one that is held.
fn renewed(entry: &GitLabProject, held: &ProjectTokens) -> ProjectTokens {
    let read = again(entry, "read_token", &entry.read_token());
    let write = again(entry, "write_token", &entry.write_token());
    let with = |read: &Option<SecretString>, write: &Option<SecretString>| ProjectTokens {
        projects: held.projects.clone(),
        read: read.clone().unwrap_or_else(|| held.read.clone()),
        write: write.clone().unwrap_or_else(|| held.write.clone()),
    };
    let both = with(&read, &write);
    let Err(error) = both.validate() else { return both };
    kept(&error.to_string());
    let one = [with(&read, &None), with(&None, &write)];
    let mut good = one.into_iter().filter(|tokens| tokens.validate().is_ok());
    good.next().unwrap_or_else(|| held.clone())
}

fn again(entry: &GitLabProject, what: &str, secret: &Secret) -> Option<SecretString> {
    wanted(&entry.name(what), secret).inspect_err(|error| kept(&format!("{error:#}"))).ok()
}

fn kept(error: &str) {
    metrics::counter!(metric::TOKENS_KEPT).increment(1);
    tracing::warn!(error, "the token of before is used");
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Forge for Vetted {
    fn kind(&self) -> ForgeKind {
        self.gitlab.kind()
    }

    async fn locate(&self, name: &RepoName) -> Result<RepoId, ForgeError> {
        for _ in 0..MOST_CHANGES {
            let vetted = self.vet(name).await?;
            let located = self.gitlab.locate(name).await;
            if self.holds(vetted) {
                return located;
            }
        }
        Err(restless())
    }

    async fn open(&self, repo: &RepoId) -> Result<Access, ForgeError> {
        for _ in 0..MOST_CHANGES {
            let vetted = self.vet(&repo.name).await?;
            let opened = self.gitlab.open(repo).await;
            if self.holds(vetted) {
                return opened;
            }
        }
        Err(restless())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn entry(folder: &std::path::Path) -> GitLabProject {
        let folder = folder.display();
        let project = format!(
            "[{{ path = \"acme/shop\", read_token_file = \"{folder}/read\", \
             write_token_file = \"{folder}/write\" }}]"
        );
        let environment = [("CHAFFINCH__GITLAB__PROJECT".to_owned(), project)];
        Config::load(None, environment).unwrap().gitlab.project.remove(0)
    }

    #[test]
    fn of_two_tokens_each_is_taken_that_is_good() {
        let folder = tempfile::tempdir().unwrap();
        let entry = entry(folder.path());
        let held = ProjectTokens {
            projects: "acme/shop".parse().unwrap(),
            read: "r1".into(),
            write: "w1".into(),
        };
        let missing = "";
        for (read, write, want) in [
            ("r2", "w2", ["r2", "w2"]),
            (missing, "w2", ["r1", "w2"]),
            ("r2", missing, ["r2", "w1"]),
            ("r2", "w\n2", ["r2", "w1"]),
            ("r\n2", "w2", ["r1", "w2"]),
            ("r\n2", missing, ["r1", "w1"]),
            // One and the same for both is good for neither.
            ("w1", "w1", ["r1", "w1"]),
        ] {
            for (name, text) in [("read", read), ("write", write)] {
                let file = folder.path().join(name);
                let _ = std::fs::remove_file(&file);
                if text != missing {
                    std::fs::write(file, text).unwrap();
                }
            }
            let got = renewed(&entry, &held);
            let got = [got.read.expose_secret(), got.write.expose_secret()];
            assert_eq!(got, want, "{read:?} {write:?}");
        }
    }
}
