//! How a job is written down, and how it is recognised when it comes again.

use aws_lc_rs::digest::{SHA256, digest};
use chaffinch_core::Job;
use serde::{Deserialize, Serialize};

/// A job as both stores write it. A new shape is a new variant; old ones stay readable.
#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum Stored {
    #[serde(rename = "1")]
    V1(Job),
}

pub(crate) fn encode(job: &Job) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Stored::V1(job.clone()))
}

/// `None` for a job that another version wrote, or that is damaged.
pub(crate) fn decode(text: &str) -> Option<Job> {
    match serde_json::from_str(text) {
        Ok(Stored::V1(job)) => Some(job),
        Err(_) => None,
    }
}

/// What a job is recognised by. Digests: of one length, and a delivery counts only within its
/// repository, so that no tenant can shut out another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of [`Job::key`].
    pub(crate) work: String,
    /// Of the delivery.
    pub(crate) delivery: String,
}

impl Marks {
    pub(crate) fn of(job: &Job) -> Self {
        let mark = |text: String| hex::encode(digest(&SHA256, text.as_bytes()));
        Self {
            work: mark(format!("work {}", job.key())),
            delivery: mark(format!("delivery {} {}", job.repo.key(), job.delivery)),
        }
    }
}

/// Names a lease: the job's id in the store, and random text that no other lease has.
pub(crate) struct Token<'a> {
    pub(crate) id: &'a str,
    pub(crate) random: &'a str,
}

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (id, random) = text.split_once('.')?;
        Some(Self { id, random })
    }

    pub(crate) fn write(id: impl std::fmt::Display, random: &str) -> String {
        format!("{id}.{random}")
    }
}

/// Our own words on why a job was given up, cut to what a dead letter holds.
pub(crate) fn why(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use chaffinch_core::{CommitSha, DeliveryId, ForgeKind, RepoId, RepoName, Subject, Trigger};

    use super::*;

    fn job() -> Job {
        Job {
            delivery: DeliveryId::new("d-1").unwrap(),
            repo: RepoId {
                forge: ForgeKind::GitHub,
                installation: 1,
                id: 2,
                name: RepoName::new("acme/shop").unwrap(),
            },
            subject: Subject::Change(7),
            head: CommitSha::new("a".repeat(40)).unwrap(),
            source: Trigger::Scan("99".into()),
        }
    }

    #[test]
    fn a_job_is_stored_as_a_versioned_object_of_ids() {
        let text = encode(&job()).unwrap();
        let expected = concat!(
            r#"{"v":"1","delivery":"d-1","repo":{"forge":"github","installation":1,"id":2,"#,
            r#""name":"acme/shop"},"subject":{"change":7},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaa"#,
            r#"aaaaaaaaaaaa","source":{"scan":"99"}}"#
        );
        assert_eq!(text, expected);
        assert_eq!(decode(&text), Some(job()));
    }

    #[test]
    fn a_job_of_an_unknown_version_is_not_guessed_at() {
        let text = encode(&job()).unwrap().replace(r#""v":"1""#, r#""v":"2""#);
        assert_eq!(decode(&text), None);
        assert_eq!(decode("{"), None);
    }

    #[test]
    fn the_same_delivery_in_another_installation_is_another_delivery() {
        let mut other = job();
        other.repo.installation = 2;
        assert_ne!(Marks::of(&job()).delivery, Marks::of(&other).delivery);
    }
}
