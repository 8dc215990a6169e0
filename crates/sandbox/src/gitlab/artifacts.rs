//! Files that jobs have left, by the job's number or its name; here, or on another host.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Inner,
    ci::{JobState, Pipeline},
    request::{Outcome, Request, error, failure, forbidden, not_found},
    world::{DEVELOPER, World},
};
use crate::{
    answer::Answer,
    calls::Caller,
    listen::{Exchange, Handler},
};

/// What an address on the other host carries in place of a token.
const SIGNATURE: &str = "X-Amz-Signature=5a4d80b0a9";

pub(crate) fn by_job(world: &mut World, request: &Request) -> Outcome {
    let project = &world.projects[world.at(request)?];
    let id = request.number("job");
    let mut jobs = project.pipelines.iter().flat_map(|p| &p.jobs);
    let job = jobs.find(|j| Some(j.id) == id).ok_or_else(not_found)?;
    file(world, request, job)
}

/// Of the newest pipeline of the ref in which a job of this name succeeded. A commit is no ref.
pub(crate) fn by_name(world: &mut World, request: &Request) -> Outcome {
    let project = &world.projects[world.at(request)?];
    let name = request.query("job").ok_or_else(|| error(400, "job is missing"))?;
    let reference = request.param("ref").trim_start_matches("refs/heads/");
    let of_ref = |p: &&Pipeline| p.reference == reference && p.status == "success";
    let jobs = project.pipelines.iter().rev().filter(of_ref).flat_map(|p| p.jobs.iter().rev());
    let mut jobs = jobs.filter(|j| j.name == name && j.status == "success");
    let job = jobs.next().ok_or_else(not_found)?;
    file(world, request, job)
}

fn file(world: &World, request: &Request, job: &JobState) -> Outcome {
    let role = if let Caller::Access { role, .. } = &request.caller { *role } else { 0 };
    if job.developers_only && role < DEVELOPER {
        return Err(forbidden());
    }
    let path = request.param("path");
    let found = job.artifacts.iter().find(|a| a.archived && a.path == path);
    let found = found.ok_or_else(|| failure(404, "404 Not Found"))?;
    if job.elsewhere {
        let address = format!("{}/artifacts/{}/{path}?{SIGNATURE}", world.links.objects, job.id);
        return Ok(Answer::empty(302).header("location", address));
    }
    Ok(Answer::new(200, "application/octet-stream", found.bytes.clone()))
}

/// The other host: it takes addresses that are signed, and must never be sent a token.
pub(crate) struct Objects(pub(crate) Arc<Inner>);

#[async_trait]
impl Handler for Objects {
    async fn handle(self: Arc<Self>, exchange: Exchange) -> Answer {
        let mut world = self.0.world();
        for name in ["private-token", "authorization", "job-token", "cookie"] {
            if exchange.headers.contains_key(name) {
                world.problem(format!("fake gitlab: {name} was sent to the host of the artifacts"));
            }
        }
        let (path, query) = exchange.target.split_once('?').unwrap_or((&exchange.target, ""));
        if query != SIGNATURE {
            return Answer::new(403, "application/xml", "<Error><Code>AccessDenied</Code></Error>");
        }
        let named = path.strip_prefix("/artifacts/").and_then(|rest| rest.split_once('/'));
        let found = named.and_then(|(job, path)| {
            let mut jobs = world.projects.iter().flat_map(|p| &p.pipelines).flat_map(|p| &p.jobs);
            let job = jobs.find(|j| j.id.to_string() == job)?;
            job.artifacts.iter().find(|a| a.path == path)
        });
        match found {
            Some(found) => Answer::new(200, "application/octet-stream", found.bytes.clone()),
            None => Answer::new(404, "application/xml", "<Error><Code>NoSuchKey</Code></Error>"),
        }
    }
}
