//! A job of a pipeline, and what it leaves.

use std::sync::Arc;

use bytes::Bytes;

use super::MergeRequest;
use crate::gitlab::{
    Inner,
    ci::{Artifact, JobState, Pipeline},
    world::World,
};

/// A job of a pipeline.
#[derive(Clone)]
pub struct Job {
    inner: Arc<Inner>,
    at: usize,
    pipeline: u64,
    id: u64,
}

impl Job {
    /// The job of this name in the pipeline that ran on a commit, for a ref, from a source.
    pub(super) fn new(
        change: &MergeRequest,
        name: &str,
        (sha, reference, source): (&str, &str, &'static str),
    ) -> Self {
        let (head, at) = (change.head(), change.at);
        let mut world = change.inner.world();
        let same = |p: &&Pipeline| {
            p.head == head && p.sha == sha && p.reference == reference && p.source == source
        };
        let found = world.projects[at].pipelines.iter().find(same).map(|p| p.id);
        let pipeline =
            found.unwrap_or_else(|| world.new_pipeline(at, (sha, &head), reference, source));
        let pipelines = &world.projects[at].pipelines;
        let jobs = pipelines.iter().filter(|p| p.id == pipeline).flat_map(|p| &p.jobs);
        let known = jobs.filter(|j| j.name == name && !j.retried).map(|j| j.id).next();
        let id = known.unwrap_or_else(|| fresh(&mut world, at, pipeline, name));
        drop(world);
        Self { inner: Arc::clone(&change.inner), at, pipeline, id }
    }

    /// It is run again: another job of the same name, in whose favour lists leave this one out.
    pub fn again(&self) -> Self {
        let mut name = String::new();
        self.set(|job| {
            job.retried = true;
            name.clone_from(&job.name);
        });
        let id = fresh(&mut self.inner.world(), self.at, self.pipeline, &name);
        Self { id, ..self.clone() }
    }

    fn set(&self, edit: impl FnOnce(&mut JobState)) -> Self {
        let mut world = self.inner.world();
        let mut jobs = world.projects[self.at].pipelines.iter_mut().flat_map(|p| &mut p.jobs);
        if let Some(job) = jobs.find(|j| j.id == self.id) {
            edit(job);
        }
        drop(world);
        self.clone()
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The number of its pipeline.
    pub fn pipeline(&self) -> u64 {
        self.pipeline
    }

    /// `success`, `failed`, `running`, …
    pub fn status(&self, status: &str) -> Self {
        self.set(|job| status.clone_into(&mut job.status))
    }

    /// What its whole pipeline is.
    pub fn pipeline_status(&self, status: &str) -> Self {
        let mut world = self.inner.world();
        let mut pipelines = world.projects[self.at].pipelines.iter_mut();
        if let Some(pipeline) = pipelines.find(|p| p.id == self.pipeline) {
            status.clone_into(&mut pipeline.status);
        }
        drop(world);
        self.clone()
    }

    fn leaves(&self, report: Option<&str>, path: &str, bytes: Bytes, archived: bool) -> Self {
        let (path, report) = (path.to_owned(), report.map(str::to_owned));
        self.set(|job| job.artifacts.push(Artifact { path, bytes, report, archived }))
    }

    /// A file in its archive (`artifacts:paths`).
    pub fn artifact(&self, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.leaves(None, path, bytes.into(), true)
    }

    /// A report (`artifacts:reports:sast`) that is in the archive too.
    pub fn report(&self, kind: &str, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.leaves(Some(kind), path, bytes.into(), true)
    }

    /// A report that is in no archive: the job names it, and no route of the API gives it.
    pub fn report_alone(&self, kind: &str, path: &str, bytes: impl Into<Bytes>) -> Self {
        self.leaves(Some(kind), path, bytes.into(), false)
    }

    /// Its artifacts are kept on another host, to which their addresses lead by 302.
    pub fn elsewhere(&self) -> Self {
        self.set(|job| job.elsewhere = true)
    }

    /// Its artifacts are for developers (`artifacts:access`): a reporter is answered 403.
    pub fn developers_only(&self) -> Self {
        self.set(|job| job.developers_only = true)
    }
}

/// A job that has succeeded and left nothing; its number.
fn fresh(world: &mut World, at: usize, pipeline: u64, name: &str) -> u64 {
    let (id, created) = (world.id(), world.now());
    let pipelines = &mut world.projects[at].pipelines;
    if let Some(pipeline) = pipelines.iter_mut().find(|p| p.id == pipeline) {
        pipeline.jobs.push(JobState {
            id,
            name: name.to_owned(),
            stage: "test".to_owned(),
            status: "success".to_owned(),
            retried: false,
            artifacts: Vec::new(),
            elsewhere: false,
            developers_only: false,
            created,
        });
    }
    id
}
