//! A repository and a change of either forge.

use chaffinch_sandbox::{self as sandbox, CheckView, MergeRequest, Project, ThreadView};

use super::forge::REPORT_FILE;

#[derive(Clone)]
pub(crate) enum Repo {
    GitHub(sandbox::Repo),
    GitLab(Project),
}

/// A pull request or a merge request.
#[derive(Clone)]
pub(crate) enum Change {
    GitHub(sandbox::Change),
    GitLab(MergeRequest),
}

/// The same word for word on both.
macro_rules! alike {
    ($on:expr, $it:ident => $does:expr) => {
        match $on {
            Self::GitHub($it) => $does,
            Self::GitLab($it) => $does,
        }
    };
}

/// The same, and the handle again.
macro_rules! chained {
    ($on:expr, $it:ident => $does:expr) => {
        match $on {
            Self::GitHub($it) => Self::GitHub($does),
            Self::GitLab($it) => Self::GitLab($does),
        }
    };
}

impl Repo {
    pub(crate) fn base_file(&self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        let text: Vec<u8> = text.into();
        chained!(self, it => it.base_file(path, text))
    }

    pub(crate) fn file(&self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        let text: Vec<u8> = text.into();
        chained!(self, it => it.file(path, text))
    }

    pub(crate) fn symlink(&self, path: &str, target: &str) -> Self {
        chained!(self, it => it.symlink(path, target))
    }

    pub(crate) fn submodule(&self, path: &str, url: &str) -> Self {
        chained!(self, it => it.submodule(path, url))
    }

    pub(crate) fn huge_file(&self, path: &str, bytes: u64) -> Self {
        chained!(self, it => it.huge_file(path, bytes))
    }

    pub(crate) fn change(&self, number: u64) -> Change {
        match self {
            Self::GitHub(repo) => Change::GitHub(repo.change(number)),
            Self::GitLab(project) => Change::GitLab(project.merge_request(number)),
        }
    }
}

impl Change {
    pub(crate) fn number(&self) -> u64 {
        alike!(self, it => it.number())
    }

    pub(crate) fn head(&self) -> String {
        alike!(self, it => it.head())
    }

    pub(crate) fn base(&self) -> String {
        alike!(self, it => it.base())
    }

    pub(crate) fn title(&self, title: &str) -> Self {
        chained!(self, it => it.title(title))
    }

    pub(crate) fn author(&self, name: &str) -> Self {
        chained!(self, it => it.author(name))
    }

    pub(crate) fn branch(&self, name: &str) -> Self {
        chained!(self, it => it.branch(name))
    }

    pub(crate) fn draft(&self) -> Self {
        chained!(self, it => it.draft())
    }

    pub(crate) fn ready(&self) -> Self {
        chained!(self, it => it.ready())
    }

    pub(crate) fn close(&self) -> Self {
        chained!(self, it => it.close())
    }

    pub(crate) fn reopen(&self) -> Self {
        chained!(self, it => it.reopen())
    }

    pub(crate) fn in_fork(&self) -> Self {
        chained!(self, it => it.from_fork())
    }

    pub(crate) fn fork_deleted(&self) -> Self {
        chained!(self, it => it.fork_deleted())
    }

    pub(crate) fn lose_head(&self) -> Self {
        chained!(self, it => it.lose_head())
    }

    pub(crate) fn same_head_as(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::GitHub(it), Self::GitHub(other)) => Self::GitHub(it.same_head_as(other)),
            (Self::GitLab(it), Self::GitLab(other)) => Self::GitLab(it.same_head_as(other)),
            _ => panic!("changes of two forges"),
        }
    }

    pub(crate) fn push(&self, files: &[(&str, &str)]) -> String {
        alike!(self, it => it.push(files))
    }

    pub(crate) fn remove(&self, paths: &[&str]) -> String {
        alike!(self, it => it.remove(paths))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> String {
        alike!(self, it => it.rename(from, to))
    }

    /// What a scanner says of the head: to code scanning on GitHub, as an artifact of the job that is
    /// called as the tool is on GitLab.
    pub(crate) fn report(&self, report: impl AsRef<str>) -> Self {
        let report = report.as_ref();
        match self {
            Self::GitHub(change) => Self::GitHub(change.report(report)),
            Self::GitLab(change) => {
                let json: serde_json::Value = serde_json::from_str(report).unwrap_or_default();
                let tool = json["runs"][0]["tool"]["driver"]["name"].as_str().unwrap_or("scan");
                let job = tool.split(' ').next().unwrap_or_default().to_lowercase();
                change.job(&job).artifact(REPORT_FILE, report.to_owned());
                self.clone()
            }
        }
    }

    pub(crate) fn threads(&self) -> Vec<ThreadView> {
        alike!(self, it => it.threads())
    }

    pub(crate) fn summary(&self) -> String {
        alike!(self, it => it.summary())
    }

    pub(crate) fn check(&self) -> String {
        alike!(self, it => it.check())
    }

    pub(crate) fn checks(&self) -> Vec<CheckView> {
        alike!(self, it => it.checks())
    }

    /// How the last check ended, in our words; empty where there is none, or it is not done.
    pub(crate) fn conclusion(&self) -> String {
        let last = self.checks().pop().and_then(|check| check.conclusion).unwrap_or_default();
        match (self, last.as_str()) {
            (Self::GitLab(_), "failed") => "failure".to_owned(),
            (Self::GitLab(_), "canceled") => "neutral".to_owned(),
            _ => last,
        }
    }

    pub(crate) fn reply(&self, place: &str, who: &str, text: &str) -> Option<u64> {
        alike!(self, it => it.reply(place, who, text))
    }

    pub(crate) fn comment(&self, who: &str, text: &str) -> u64 {
        alike!(self, it => it.comment(who, text))
    }

    /// A person resolves a thread, or takes that back.
    pub(crate) fn resolve(&self, place: &str, who: &str, resolved: bool) -> bool {
        alike!(self, it => it.resolve(place, who, resolved))
    }
}
