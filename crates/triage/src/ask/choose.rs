//! Which lines one question is about.

use std::{collections::BTreeSet, sync::Arc};

use chaffinch_context::{Answer as Given, Step};
use chaffinch_core::{Cause, ContentRequests, Excerpt, ExcerptLine, Finding, ForgeError, RepoPath};
use chaffinch_egress::Listing;
use metrics::counter;

use super::Asker;
use crate::{JobError, error::passes, metrics::CONTENT_REQUESTS};

/// The lines for one question, and what it took to choose them.
pub(super) struct Chosen {
    pub(super) excerpt: Excerpt,
    pub(super) requests: ContentRequests,
    /// Something that the model misses was not looked for, since no more may be asked for.
    pub(super) spent: bool,
}

/// What was asked of the forge about one finding, in all rounds. [`Files`] holds it.
#[derive(Default)]
pub(super) struct Sought {
    files: BTreeSet<RepoPath>,
    /// In the order asked.
    folders: Vec<String>,
}

impl Sought {
    fn requests(&self) -> ContentRequests {
        let files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        ContentRequests { files, folders: self.folders.clone() }
    }
}

impl Asker<'_> {
    /// The lines for one question. `sought` is what earlier rounds asked for, and then this one too:
    /// the policy's cap is on all of it.
    pub(super) async fn choose(
        &self,
        finding: &Finding,
        wanted: &[String],
        sought: &mut Sought,
    ) -> Result<Result<Chosen, Cause>, JobError> {
        let policy = self.parts.door.policy();
        let limits = chaffinch_context::Limits {
            budget: policy.excerpt_tokens,
            ceiling: policy.ceiling,
            listing: policy.listing == Listing::Names,
            content_requests: policy.content_requests,
            ..chaffinch_context::Limits::default()
        };
        let own = finding.location.as_ref().map(|at| &at.path);
        let extraction = self.parts.extractor.start(finding, limits);
        let mut extraction = extraction
            .changing(self.changed.iter().cloned())
            .needing(wanted.iter().cloned())
            .after(sought.files.iter().cloned(), sought.folders.iter().cloned());
        loop {
            let path = match extraction.next() {
                Step::Want(path) => path,
                Step::List(folder) => {
                    let names = self.names(&folder).await?;
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    extraction.give_names(&folder, &names);
                    if !sought.folders.contains(&folder) {
                        counter!(CONTENT_REQUESTS, "of" => "folder").increment(1);
                        sought.folders.push(folder);
                    }
                    continue;
                }
                Step::Done(result) => {
                    let (requests, spent) = (sought.requests(), extraction.is_spent());
                    let chosen = result.map(|excerpt| Chosen { excerpt, requests, spent });
                    return Ok(chosen.map_err(|error| Cause::Source(error.to_string())));
                }
            };
            if sought.files.insert(path.clone()) {
                counter!(CONTENT_REQUESTS, "of" => "file").increment(1);
            }
            let fetched = self.files.get(&path).await;
            match &fetched {
                Ok(bytes) => extraction.give(&path, Given::Found(bytes.expose())),
                Err(ForgeError::NotFound) => extraction.give(&path, Given::Missing),
                Err(ForgeError::Truncated { .. }) => extraction.give(&path, Given::TooLarge),
                Err(error) if passes(error) && !self.last => {
                    return Err(self.brake.retry(error.clone().into()));
                }
                Err(error) if Some(&path) == own => {
                    return Ok(Err(Cause::Source(error.to_string())));
                }
                Err(_) => extraction.give(&path, Given::Missing),
            }
        }
    }

    /// The names of the files in one folder; none where they cannot be had.
    async fn names(&self, folder: &str) -> Result<Arc<Vec<String>>, JobError> {
        match self.files.names(folder).await {
            Ok(names) => Ok(names),
            Err(error) if passes(&error) && !self.last => Err(self.brake.retry(error.into())),
            Err(_) => Ok(Arc::default()),
        }
    }
}

/// Whether `chosen` has a line that `shown` has not, and all that `shown` has: an answer over less
/// would not stand on what the first one saw.
pub(super) fn adds(chosen: &Chosen, shown: &Chosen) -> bool {
    let holds =
        |in_: &Chosen, line: &ExcerptLine| in_.excerpt.line(&line.path, line.number).is_some();
    chosen.excerpt.lines().iter().any(|line| !holds(shown, line))
        && shown.excerpt.lines().iter().all(|line| holds(chosen, line))
}
