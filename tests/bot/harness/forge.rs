//! The forge that a test runs against: a fake GitHub or a fake GitLab, in the words that both share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chaffinch_core::{Clock, ForgeKind, RepoId};
use chaffinch_sandbox::{
    AccessToken, Call, Delivered, GitHub, GitLab, GitLabOptions, Options, Signature, ThreadView,
};
use serde_json::Value;

use super::{
    binary::testdata,
    scene::{Change, Repo},
    trouble::{Faults, Step},
};

pub(crate) const WEBHOOK_SECRET: &str = "it is a secret to everybody";
/// GitLab's form of one.
pub(crate) const SIGNING_TOKEN: &str = "whsec_YSBzaWduaW5nIHRva2VuIGZvciB0ZXN0cywgMzIgYi4=";
/// The file that a scanner's job keeps, in every pipeline of these tests.
pub(crate) const REPORT_FILE: &str = "report.json";
const REPORT_JOBS: [&str; 3] = ["codeql", "semgrep", "scan"];

/// The repository that most tests talk about. On GitLab, our two tokens are of this one.
pub(crate) const REPOSITORY: &str = "acme/shop";

/// A scenario runs once on each forge: as `github::NAME` and as `gitlab::NAME`.
macro_rules! on_both_forges {
    ($($scenario:ident,)+) => {
        mod github {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(chaffinch_core::ForgeKind::GitHub).await;
            })+
        }
        mod gitlab {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(chaffinch_core::ForgeKind::GitLab).await;
            })+
        }
    };
}
pub(crate) use on_both_forges;

/// A fake forge. With the reference data at hand, every request and answer is checked against the
/// forge's own schemas.
pub(crate) enum Fake {
    GitHub(GitHub),
    GitLab(Lab),
}

/// A fake GitLab, and what its operator has made there for us.
pub(crate) struct Lab {
    pub(crate) gitlab: GitLab,
    pub(crate) reader: AccessToken,
    pub(crate) writer: AccessToken,
    webhook: Mutex<String>,
}

impl Fake {
    pub(crate) async fn start(on: ForgeKind, clock: Arc<dyn Clock>, base_path: &str) -> Self {
        Self::recorded(on, clock, base_path, None).await
    }

    pub(crate) async fn recorded(
        on: ForgeKind,
        clock: Arc<dyn Clock>,
        base_path: &str,
        record: Option<PathBuf>,
    ) -> Self {
        let base_path = base_path.to_owned();
        let schemas = testdata("protocol");
        match on {
            ForgeKind::GitHub => {
                let options = Options {
                    webhook_secret: WEBHOOK_SECRET.to_owned(),
                    base_path,
                    schemas,
                    record,
                    // Made by the first test that runs, and then kept: a key takes a second to make.
                    key: Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/sandbox-app.pem").into()),
                    ..Options::new(clock)
                };
                Self::GitHub(GitHub::start(options).await.unwrap())
            }
            ForgeKind::GitLab => {
                let options =
                    GitLabOptions { base_path, schemas, record, ..GitLabOptions::new(clock) };
                let gitlab = GitLab::start(options).await.unwrap();
                let project = gitlab.project(REPOSITORY);
                let reader = project.token("chaffinch-read", &["read_api"], 20);
                let writer = project.token("chaffinch-write", &["api"], 30);
                Self::GitLab(Lab { gitlab, reader, writer, webhook: Mutex::default() })
            }
        }
    }

    /// What `chaffinch serve` must be told to work with it.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::GitHub(github) => vec![
                ("GITHUB__APP_ID", github.app_id().to_string()),
                ("GITHUB__API_URL", github.url()),
                ("GITHUB__PRIVATE_KEY", github.private_key().to_owned()),
                ("GITHUB__WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ],
            Self::GitLab(lab) => {
                let (read, write) = (lab.reader.value(), lab.writer.value());
                let project = format!(
                    "[{{ path = \"{REPOSITORY}\", read_token = \"{read}\", write_token = \"{write}\", \
                     webhook_secret = \"{SIGNING_TOKEN}\" }}]"
                );
                let reports = REPORT_JOBS
                    .map(|job| format!("{{ job = \"{job}\", file = \"{REPORT_FILE}\" }}"));
                vec![
                    ("GITLAB__URL", lab.gitlab.url()),
                    ("GITLAB__PROJECT", project),
                    ("GITLAB__REPORT", format!("[{}]", reports.join(", "))),
                ]
            }
        }
    }

    /// For what one forge alone has.
    pub(crate) fn github(&self) -> &GitHub {
        match self {
            Self::GitHub(github) => github,
            Self::GitLab(_) => panic!("this test runs on GitHub"),
        }
    }

    /// For what one forge alone has.
    pub(crate) fn gitlab(&self) -> &GitLab {
        match self {
            Self::GitHub(_) => panic!("this test runs on GitLab"),
            Self::GitLab(lab) => &lab.gitlab,
        }
    }

    /// The repositories that are there for us.
    pub(crate) fn repositories(&self) -> Vec<RepoId> {
        match self {
            Self::GitHub(github) => github.repositories(),
            Self::GitLab(lab) => lab.gitlab.repositories(),
        }
    }

    /// Where its deliveries go: to the server at this address.
    pub(crate) fn deliver_to(&self, address: &str) {
        match self {
            Self::GitHub(github) => {
                github.set_webhook_url(format!("http://{address}/webhooks/github"));
            }
            Self::GitLab(lab) => {
                *lab.webhook.lock().unwrap() = format!("http://{address}/webhooks/gitlab");
                lab.hooked(REPOSITORY);
            }
        }
    }

    pub(crate) fn repo(&self, name: &str) -> Repo {
        match self {
            Self::GitHub(github) => Repo::GitHub(github.repo(name)),
            Self::GitLab(lab) => Repo::GitLab(lab.hooked(name)),
        }
    }

    /// A repository that is there, and not for us.
    pub(crate) fn hidden(&self, name: &str) {
        match self {
            Self::GitHub(github) => drop(github.repo(name).not_installed()),
            Self::GitLab(lab) => drop(lab.gitlab.project(name)),
        }
    }

    /// Takes from us what it needs to set a check.
    pub(crate) fn withhold_checks(&self) {
        match self {
            Self::GitHub(github) => github.set_permissions(&[
                ("metadata", "read"),
                ("contents", "read"),
                ("pull_requests", "write"),
                ("security_events", "read"),
            ]),
            Self::GitLab(lab) => drop(lab.writer.role(20)),
        }
    }

    /// What we call one of its repositories.
    pub(crate) fn repo_id(&self, name: &str) -> RepoId {
        let (forge, id, installation) = match self {
            Self::GitHub(github) => {
                (ForgeKind::GitHub, github.repo(name).id(), github.installation_id())
            }
            Self::GitLab(lab) => {
                let id = lab.gitlab.project(name).id();
                (ForgeKind::GitLab, id, id)
            }
        };
        RepoId { forge, installation, id, name: name.parse().unwrap() }
    }

    pub(crate) fn change(&self, number: u64) -> Change {
        match self {
            Self::GitHub(github) => Change::GitHub(github.change(number)),
            Self::GitLab(lab) => Change::GitLab(lab.gitlab.merge_request(number)),
        }
    }

    pub(crate) fn thread(&self, number: u64, place: &str) -> String {
        match self {
            Self::GitHub(github) => github.thread(number, place),
            Self::GitLab(lab) => lab.gitlab.merge_request(number).thread(place),
        }
    }

    /// An event in our words ("opened"), or in the forge's own ("pull_request.labeled").
    pub(crate) async fn deliver(&self, event: &str, number: u64) -> Delivered {
        match self {
            Self::GitHub(github) => github.deliver(self.event(event), number).await,
            Self::GitLab(lab) => lab.gitlab.deliver(self.event(event), number).await,
        }
    }

    /// Any bytes, said to be about a change.
    pub(crate) async fn deliver_raw(&self, body: String, signature: Signature) -> Delivered {
        match self {
            Self::GitHub(github) => github.deliver_raw("pull_request", body, signature).await,
            Self::GitLab(lab) => {
                let all = lab.gitlab.deliver_raw("Merge Request Hook", body, signature).await;
                all.into_iter().next().unwrap()
            }
        }
    }

    pub(crate) async fn redeliver(&self, delivery: &str) -> Option<Delivered> {
        match self {
            Self::GitHub(github) => github.redeliver(delivery).await,
            Self::GitLab(lab) => lab.gitlab.redeliver(delivery).await,
        }
    }

    pub(crate) fn payload(&self, event: &str, number: u64) -> Value {
        match self {
            Self::GitHub(github) => github.payload(self.event(event), number).unwrap(),
            Self::GitLab(lab) => lab.gitlab.payload(self.event(event), number).unwrap(),
        }
    }

    fn event<'e>(&self, event: &'e str) -> &'e str {
        match (self, event) {
            (Self::GitHub(_), "opened") => "pull_request.opened",
            (Self::GitHub(_), "pushed") => "pull_request.synchronize",
            (Self::GitHub(_), "ready") => "pull_request.ready_for_review",
            (Self::GitHub(_), "reopened") => "pull_request.reopened",
            (Self::GitHub(_), "closed") => "pull_request.closed",
            (Self::GitHub(_), "reported") => "check_suite.completed",
            (Self::GitLab(_), "opened") => "merge_request.open",
            (Self::GitLab(_), "pushed") => "merge_request.update",
            (Self::GitLab(_), "ready") => "merge_request.ready",
            (Self::GitLab(_), "reopened") => "merge_request.reopen",
            (Self::GitLab(_), "closed") => "merge_request.close",
            (Self::GitLab(_), "reported") => "pipeline.success",
            (_, other) => other,
        }
    }

    /// Somebody wants the same head looked at once more: by the check's button on GitHub, by another
    /// job of its pipeline on GitLab.
    pub(crate) async fn ask_again(&self, number: u64) -> Delivered {
        match self {
            Self::GitHub(_) => self.deliver("check_run.rerequested", number).await,
            Self::GitLab(lab) => {
                lab.gitlab.merge_request(number).job("lint").again();
                self.deliver("reported", number).await
            }
        }
    }

    pub(crate) fn faults(&self) -> Faults {
        match self {
            Self::GitHub(github) => Faults::GitHub(github.faults()),
            Self::GitLab(lab) => Faults::GitLab(lab.gitlab.faults()),
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        match self {
            Self::GitHub(github) => github.calls(),
            Self::GitLab(lab) => lab.gitlab.calls(),
        }
    }

    /// What was asked of one of its routes.
    pub(crate) fn requests(&self, step: Step) -> Vec<Call> {
        match self {
            Self::GitHub(github) => {
                let (method, route) = step.on(ForgeKind::GitHub);
                github.requests_matching(method, route)
            }
            Self::GitLab(lab) => {
                let (method, route) = step.on(ForgeKind::GitLab);
                lab.gitlab.requests_matching(method, route)
            }
        }
    }

    pub(crate) fn allow_listing(&self) {
        match self {
            Self::GitHub(github) => github.allow_listing(),
            Self::GitLab(lab) => lab.gitlab.allow_listing(),
        }
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        match self {
            Self::GitHub(github) => github.problems(),
            Self::GitLab(lab) => lab.gitlab.problems(),
        }
    }

    pub(crate) fn unread(&self) -> Vec<String> {
        match self {
            Self::GitHub(github) => github.unread(),
            Self::GitLab(lab) => lab.gitlab.unread(),
        }
    }

    /// Tokens that were made for a job. GitLab makes none.
    pub(crate) fn live_tokens(&self) -> usize {
        match self {
            Self::GitHub(github) => github.live_tokens(),
            Self::GitLab(_) => 0,
        }
    }
}

impl Lab {
    /// A project, with one webhook that sends to where the server is.
    fn hooked(&self, name: &str) -> chaffinch_sandbox::Project {
        let project = self.gitlab.project(name);
        let url = self.webhook.lock().unwrap();
        match project.hooks().first() {
            Some(hook) => hook.set_url(&url),
            None => project.hook(&url).signing_token(SIGNING_TOKEN),
        };
        project
    }
}

/// Whether a thread is out of the way: hidden on GitHub, where to resolve one takes more than we have;
/// resolved on GitLab.
pub(crate) fn is_closed(thread: &ThreadView) -> bool {
    thread.resolved_by.is_some() || thread.comments[0].minimized.as_deref() == Some("RESOLVED")
}
