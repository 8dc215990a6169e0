//! What every forge must do behind the ports, one suite for all: the adapter against its fake, both
//! as they are. Where two forges differ, [`Difference`] says so, and why.

mod difference;
mod discussion;
mod forge;
mod source;

use std::{sync::Arc, time::Duration};

use chaffinch_core::{Access, Change, CommitSha, Forge, ForgeKind};
use chaffinch_github as github;
use chaffinch_gitlab as gitlab;

pub(crate) use self::difference::Difference;
use crate::harness::{Fake, HandClock, REPOSITORY};

/// A forge, our adapter to it, and one repository opened through that. When dropped, it fails the test
/// on anything that the fake complained of.
pub(crate) struct Opened {
    pub(crate) fake: Fake,
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) access: Access,
    pub(crate) clock: Arc<HandClock>,
}

impl Opened {
    pub(crate) async fn on(kind: ForgeKind) -> Self {
        chaffinch_server::install_crypto();
        let clock = Arc::new(HandClock::default());
        let fake = Fake::start(kind, clock.clone(), "").await;
        fake.repo(REPOSITORY).base_file("README", "a shop\n");
        let forge = adapter(&fake, &clock);
        let access = forge.open(&fake.repo_id(REPOSITORY)).await.unwrap();
        Self { fake, forge, access, clock }
    }

    /// What the forge says of a change.
    pub(crate) async fn change(&self, number: u64) -> Change {
        self.access.source.change(number).await.unwrap()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let problems = self.fake.problems();
            assert!(problems.is_empty(), "{}", problems.join("\n"));
        }
    }
}

fn adapter(fake: &Fake, clock: &Arc<HandClock>) -> Arc<dyn Forge> {
    let http = chaffinch_server::http_client(None).unwrap();
    let back_off = Duration::from_millis(1);
    match fake {
        Fake::GitHub(fake) => {
            let config = github::Config {
                private_key: fake.private_key().to_owned().into(),
                api_url: fake.url().parse().unwrap(),
                back_off,
                ..github::Config::new(fake.app_id())
            };
            Arc::new(github::GitHub::new(config, http, clock.clone()).unwrap())
        }
        Fake::GitLab(lab) => {
            let tokens = gitlab::ProjectTokens {
                projects: REPOSITORY.parse().unwrap(),
                read: lab.reader.value().into(),
                write: lab.writer.value().into(),
            };
            let report = |job: &str| gitlab::ReportFile {
                job: job.to_owned(),
                file: crate::harness::REPORT_FILE.to_owned(),
            };
            let config = gitlab::Config {
                tokens: vec![tokens],
                reports: vec![report("codeql"), report("semgrep")],
                back_off,
                ..gitlab::Config::new(lab.gitlab.url().parse().unwrap())
            };
            Arc::new(gitlab::GitLab::new(config, http, clock.clone()).unwrap())
        }
    }
}

pub(crate) fn sha(text: &str) -> CommitSha {
    CommitSha::new(text).unwrap()
}
