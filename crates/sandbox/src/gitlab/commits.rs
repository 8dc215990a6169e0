//! One commit: who its parents are. Never what is in it.

use serde_json::json;

use super::{
    json::moment,
    request::{Outcome, Request, failure},
    world::World,
};
use crate::answer::Answer;

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let at = world.at(request)?;
    let (project, sha) = (&world.projects[at], request.param("sha"));
    if !project.commits.has(sha) {
        return Err(failure(404, "404 Commit Not Found"));
    }
    let made = moment(&world.now());
    let web = world.links.project_web(&project.path);
    let body = json!({
        "id": sha,
        "short_id": &sha[..8],
        "created_at": made,
        "parent_ids": project.commits.parents(sha),
        "title": "a commit",
        "message": "a commit\n",
        "author_name": "Author",
        "author_email": "author@example.com",
        "authored_date": made,
        "committer_name": "Author",
        "committer_email": "author@example.com",
        "committed_date": made,
        "trailers": {},
        "extended_trailers": {},
        "web_url": format!("{web}/-/commit/{sha}"),
        "status": null,
        "project_id": project.id,
        "last_pipeline": null,
    });
    Ok(Answer::json(200, &body))
}
