//! Threads, summary, check: looked for first, so that a second run says nothing twice.

use chaffinch_core::{Change, Discussion, ForgeError, Posted};
use metrics::counter;

use crate::{
    Assessment, Config, JobError,
    metrics::{CHECKS, COMMENTS},
    plan::{Found, plan, same},
    render::{self, Elsewhere, Frame, Item},
};

/// What will be other than it is, told with the next comment.
#[derive(Debug, Clone, Copy)]
pub struct Announcement<'a> {
    /// What is told.
    pub text: &'a str,
    /// Whether this change was told already: it stays told.
    pub here: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Threads opened.
    pub posted: usize,
    /// Comments edited.
    pub edited: usize,
    /// Threads resolved.
    pub resolved: usize,
    /// Threads of ours that were resolved and are open again.
    pub reopened: usize,
    /// Places that the forge did not take.
    pub refused: usize,
    /// Whether what was to be announced stands in the summary.
    pub announced: bool,
}

impl Written {
    fn count(self) {
        let done = [
            ("posted", self.posted),
            ("edited", self.edited),
            ("resolved", self.resolved),
            ("reopened", self.reopened),
            ("refused", self.refused),
        ];
        for (done, times) in done {
            counter!(COMMENTS, "done" => done).increment(times as u64);
        }
    }
}

/// Brings what reviewers see up to `assessment`, which holds `found.fresh` and `found.earlier`, and
/// learns here how many findings our threads leave open.
pub(crate) async fn publish(
    discussion: &dyn Discussion,
    change: &Change,
    assessment: &mut Assessment,
    found: &Found<'_>,
    config: &Config,
    announcement: Option<Announcement<'_>>,
) -> Result<Written, JobError> {
    let frame = Frame {
        change: Some(&change.id),
        policy_url: config.policy_url.as_deref(),
        notice: config.scripted_notice.as_deref(),
        announcement: None,
    };
    let threads = discussion.threads(change).await?;
    let mut plan = plan(found, &threads, config, &frame);
    let mut written = Written::default();
    assessment.left_open = plan.left_open;
    assessment.forgotten |= !found.remembers && plan.left_open > 0;

    let new: Vec<_> = plan.post.iter().map(|(thread, _)| thread.clone()).collect();
    if !new.is_empty() {
        let posted = discussion.post(change, &new).await?;
        for (i, (_, outcomes)) in plan.post.iter().enumerate() {
            match posted.get(i) {
                Some(Posted::OnLine(_)) => written.posted += 1,
                answer => {
                    written.refused += 1;
                    let words = match answer {
                        Some(Posted::Refused(words)) => words.clone(),
                        _ => "no answer".into(),
                    };
                    plan.items.extend(
                        outcomes.iter().map(|&outcome| Item {
                            outcome,
                            why: Elsewhere::Refused(words.clone()),
                        }),
                    );
                }
            }
        }
    }
    for (comment, body) in &plan.edit {
        written.edited += usize::from(there(discussion.edit(comment, body).await)?);
    }
    for thread in &plan.reopen {
        written.reopened += usize::from(let_go(discussion.reopen(thread).await)?);
    }
    for thread in &plan.resolve {
        written.resolved += usize::from(let_go(discussion.resolve(thread).await)?);
    }
    let summary = Summary {
        items: &mut plan.items,
        remembers: found.remembers,
        frame: &frame,
        announcement,
        commented: written.posted + written.edited > 0,
    };
    written.announced = summarise(discussion, change, assessment, summary).await?;
    let check = render::check(assessment);
    discussion.check(change, &check).await?;
    written.count();
    let conclusion = format!("{:?}", check.conclusion).to_lowercase();
    counter!(CHECKS, "conclusion" => conclusion).increment(1);
    Ok(written)
}

/// What the summary is made of.
struct Summary<'a, 'f> {
    items: &'a mut [Item<'f>],
    remembers: bool,
    frame: &'a Frame<'f>,
    announcement: Option<Announcement<'f>>,
    /// Whether this run has commented already.
    commented: bool,
}

/// Whether the announcement stands in the summary now.
async fn summarise(
    discussion: &dyn Discussion,
    change: &Change,
    assessment: &mut Assessment,
    summary: Summary<'_, '_>,
) -> Result<bool, JobError> {
    let Summary { items, remembers, frame, announcement, commented } = summary;
    // In the order of the assessment, whichever way they came here.
    items.sort_by_cached_key(|item| {
        let own = item.outcome.finding.fingerprint;
        assessment.outcomes.iter().position(|outcome| outcome.finding.fingerprint == own)
    });
    let existing = discussion.summary(change).await?;
    let silent =
        items.is_empty() && (discussion.check_has_room() || !render::has_reasons(assessment));
    // What is announced comes with a comment, never by itself, and stays where it was said.
    let announcement = announcement.filter(|announcement| match (silent, &existing) {
        (true, None) => commented && !announcement.here,
        (true, Some(_)) => commented || announcement.here,
        (false, _) => true,
    });
    let announced = announcement.is_some();
    let frame = &Frame { announcement: announcement.map(|a| a.text), ..*frame };
    let body = match (silent, &existing) {
        (true, None) if !announced => return Ok(false),
        // It may still be right, and nobody here knows better.
        (true, Some(_)) if !remembers => {
            assessment.forgotten = true;
            return Ok(false);
        }
        (true, _) => render::nothing_more(assessment, frame),
        (false, _) => render::summary(assessment, items, frame),
    };
    if existing.as_ref().is_some_and(|comment| same(&comment.body, &body)) {
        return Ok(announced);
    }
    let body = match existing.is_some() && !remembers {
        true => {
            assessment.forgotten = true;
            render::summary(assessment, items, frame)
        }
        false => body,
    };
    let written = discussion.put_summary(change, existing.as_ref().map(|c| &c.id), &body).await;
    match (written, existing) {
        // Somebody deleted it in between.
        (Err(ForgeError::NotFound), Some(_)) if !silent => {
            discussion.put_summary(change, None, &body).await?;
        }
        (Err(ForgeError::NotFound), Some(_)) => return Ok(false),
        (written, _) => written?,
    }
    Ok(announced)
}

/// A thread that the forge does not let us resolve or reopen stays as it is; that is no reason to
/// fail.
fn let_go(done: Result<(), ForgeError>) -> Result<bool, JobError> {
    match done {
        Err(error @ (ForgeError::Refused { .. } | ForgeError::Denied { .. })) => {
            tracing::warn!(%error, "a thread could not be resolved or reopened");
            Ok(false)
        }
        other => there(other),
    }
}

/// A comment that somebody has deleted is no error.
fn there(done: Result<(), ForgeError>) -> Result<bool, JobError> {
    match done {
        Ok(()) => Ok(true),
        Err(ForgeError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
