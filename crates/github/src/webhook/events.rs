//! The few events that mean work, and the few fields of them that we read. Published schemas are
//! stricter than what GitHub sends; whatever is not named here may be missing or of any shape.

use chaffinch_core::{CommitSha, DeliveryId, ForgeKind, Job, RepoId, RepoName, Subject, Trigger};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Received, Rejected};

type Decoded = Result<Received, Rejected>;

#[derive(Deserialize)]
struct Envelope<T> {
    action: String,
    /// A webhook of a single repository has none.
    installation: Option<Installation>,
    repository: Repository,
    #[serde(flatten)]
    what: T,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
}

#[derive(Deserialize)]
struct Pull {
    pull_request: PullRequest,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    #[serde(default)]
    draft: Option<bool>,
    state: String,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

#[derive(Deserialize)]
struct Suite {
    check_suite: Checks,
}

#[derive(Deserialize)]
struct Run {
    check_run: Checks,
}

/// What a check suite and a check run have in common.
#[derive(Deserialize)]
struct Checks {
    id: u64,
    head_sha: String,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    app: Option<App>,
    /// Empty for forks.
    #[serde(default)]
    pull_requests: Option<Vec<Numbered>>,
}

#[derive(Deserialize)]
struct App {
    #[serde(default)]
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
    #[serde(default)]
    base: Option<Base>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(default)]
    repo: Option<BaseRepository>,
}

#[derive(Deserialize)]
struct BaseRepository {
    #[serde(default)]
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Scanned {
    /// Empty where a person caused it.
    #[serde(default)]
    r#ref: Option<String>,
    #[serde(default)]
    commit_oid: Option<String>,
    alert: Alert,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(default)]
    tool: Option<Tool>,
    #[serde(default)]
    most_recent_instance: Option<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    /// What tells the analyses apart that one tool makes of one commit.
    #[serde(default)]
    category: Option<String>,
    /// What GitHub makes the category of where the report names none.
    #[serde(default)]
    analysis_key: Option<String>,
}

impl Instance {
    fn analysis(&self) -> Option<&str> {
        let given = |text: &&str| !text.is_empty();
        let category = self.category.as_deref().filter(given);
        category.or_else(|| self.analysis_key.as_deref().filter(given))
    }
}

#[derive(Deserialize)]
struct Tool {
    #[serde(default)]
    name: Option<String>,
}

/// The events and actions that mean work. What is not here is not read any further: whatever it may
/// hold, it cannot be malformed.
const WORK: [(&str, &[&str]); 4] = [
    ("pull_request", &["opened", "reopened", "ready_for_review", "synchronize"]),
    ("check_suite", &["completed", "rerequested"]),
    // Our own, by hand. That one of others' is completed is told of its suite.
    ("check_run", &["rerequested"]),
    // What a person did to an alert is no new scan.
    ("code_scanning_alert", &["created", "reopened", "appeared_in_branch", "fixed"]),
];

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action: String,
}

pub(super) fn decode(event: &str, delivery: DeliveryId, app_id: u64, body: &[u8]) -> Decoded {
    if matches!(event, "installation" | "installation_repositories") {
        return super::installation::decode(event, body);
    }
    let Some((_, actions)) = WORK.iter().find(|(name, _)| *name == event) else {
        return Ok(Received::NotOurs("an event that means no work"));
    };
    let Action { action } = read(event, body)?;
    if !actions.contains(&action.as_str()) {
        return Ok(Received::NotOurs("an action that means no work"));
    }
    match event {
        "pull_request" => pull_request(delivery, read(event, body)?),
        "check_suite" => check_suite(delivery, app_id, read(event, body)?),
        "check_run" => check_run(delivery, app_id, read(event, body)?),
        _ => alert(delivery, read(event, body)?),
    }
}

/// The parser's own message can quote the body.
pub(super) fn read<T: DeserializeOwned>(event: &str, body: &[u8]) -> Result<T, Rejected> {
    serde_json::from_slice(body).map_err(|e| {
        Rejected::Malformed(format!(
            "{event}: unexpected JSON at line {}, column {}",
            e.line(),
            e.column()
        ))
    })
}

fn pull_request(delivery: DeliveryId, event: Envelope<Pull>) -> Decoded {
    let pull = &event.what.pull_request;
    if pull.draft == Some(true) {
        return Ok(Received::NotOurs("a draft"));
    }
    if pull.state == "closed" {
        return Ok(Received::NotOurs("closed"));
    }
    job(&event, delivery, Subject::Change(pull.number), &pull.head.sha, Trigger::Change)
}

fn check_suite(delivery: DeliveryId, app_id: u64, event: Envelope<Suite>) -> Decoded {
    let suite = &event.what.check_suite;
    let ours = suite.is_by(app_id);
    let trigger = match event.action.as_str() {
        "completed" if ours => return Ok(Received::NotOurs("our own check suite")),
        // A suite that runs again keeps its id.
        "completed" => {
            let when = suite.updated_at.as_deref().unwrap_or_default();
            Trigger::Scan(format!("check_suite:{}:{}", suite.id, plain(when)))
        }
        "rerequested" if ours => Trigger::Rerun(delivery.clone()),
        _ => return Ok(Received::NotOurs("another App's check suite")),
    };
    job(&event, delivery, suite.subject(event.repository.id), &suite.head_sha, trigger)
}

fn check_run(delivery: DeliveryId, app_id: u64, event: Envelope<Run>) -> Decoded {
    let run = &event.what.check_run;
    if !run.is_by(app_id) {
        return Ok(Received::NotOurs("another App's check run"));
    }
    let trigger = Trigger::Rerun(delivery.clone());
    job(&event, delivery, run.subject(event.repository.id), &run.head_sha, trigger)
}

impl Checks {
    fn is_by(&self, app_id: u64) -> bool {
        self.app.as_ref().and_then(|app| app.id) == Some(app_id)
    }

    /// The change, if it is the only one and proposed to this repository.
    fn subject(&self, repository: u64) -> Subject {
        let elsewhere = |n: &&Numbered| {
            let base = n.base.as_ref().and_then(|b| b.repo.as_ref());
            base.and_then(|repo| repo.id).is_some_and(|id| id != repository)
        };
        let mut here = self.pull_requests.iter().flatten().filter(|n| !elsewhere(n));
        match (here.next(), here.next()) {
            (Some(only), None) => Subject::Change(only.number),
            _ => Subject::Head,
        }
    }
}

/// An analysis with many alerts is one job: they have the commit, the tool and the category in common.
/// Another category is another analysis, which may be there only after the first was triaged.
fn alert(delivery: DeliveryId, event: Envelope<Scanned>) -> Decoded {
    let scanned = &event.what;
    let Some(commit) = scanned.commit_oid.as_deref().filter(|oid| !oid.is_empty()) else {
        return Ok(Received::NotOurs("an alert without a commit"));
    };
    let subject = match pull_of(scanned.r#ref.as_deref().unwrap_or_default()) {
        Some(number) => Subject::Change(number),
        None => Subject::Head,
    };
    let tool = scanned.alert.tool.as_ref().and_then(|t| t.name.as_deref()).unwrap_or_default();
    let analysis = scanned.alert.most_recent_instance.as_ref().and_then(Instance::analysis);
    let trigger = match analysis {
        Some(analysis) => format!("code_scanning:{}:{}", plain(tool), plain(analysis)),
        None => format!("code_scanning:{}", plain(tool)),
    };
    job(&event, delivery, subject, commit, Trigger::Scan(trigger))
}

/// `refs/pull/7/merge` and `refs/pull/7/head` → 7.
fn pull_of(reference: &str) -> Option<u64> {
    let (number, side) = reference.strip_prefix("refs/pull/")?.split_once('/')?;
    matches!(side, "merge" | "head").then(|| number.parse().ok())?
}

/// Text of others as part of a key: at most 100 characters, none of them with a meaning.
fn plain(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.chars().take(100).map(|c| if allowed(c) { c } else { '-' }).collect()
}

fn job<T>(
    event: &Envelope<T>,
    delivery: DeliveryId,
    subject: Subject,
    head: &str,
    source: Trigger,
) -> Decoded {
    let Some(installation) = &event.installation else {
        return Ok(Received::NotOurs("no installation: a webhook of a repository, not of the App"));
    };
    let malformed = |e: chaffinch_core::IdError| Rejected::Malformed(e.to_string());
    let repo = RepoId {
        forge: ForgeKind::GitHub,
        installation: installation.id,
        id: event.repository.id,
        name: RepoName::new(event.repository.full_name.as_str()).map_err(malformed)?,
    };
    let head = CommitSha::new(head).map_err(malformed)?;
    Ok(Received::Job(Job { delivery, repo, subject, head, source }))
}
