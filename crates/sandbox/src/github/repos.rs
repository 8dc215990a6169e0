//! Repositories and the people in them.

use serde_json::json;

use super::{
    json::{repository, user},
    request::{Outcome, Request, failure, paged},
    world::World,
};
use crate::{answer::Answer, calls::Caller};

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let links = world.links.clone();
    Ok(Answer::json(200, &repository(&links, world.at(request)?)))
}

pub(crate) fn installed(world: &mut World, request: &Request) -> Outcome {
    let Caller::Token { repositories, .. } = &request.caller else {
        return Err(super::request::not_found());
    };
    let seen = world.repos.iter().filter(|r| repositories.contains(&r.full_name()));
    let all: Vec<_> = seen.map(|r| repository(&world.links, r)).collect();
    let total = all.len();
    Ok(paged(world, request, all, |shown| json!({ "total_count": total, "repositories": shown })))
}

pub(crate) fn role(world: &mut World, request: &Request) -> Outcome {
    let links = world.links.clone();
    let login = request.param("user");
    let role = world.at(request)?.roles.get(login).cloned().unwrap_or_else(|| "none".to_owned());
    let permission = match role.as_str() {
        "maintain" => "write",
        "triage" => "read",
        other => other,
    };
    let mut who = user(&links, login);
    who["role_name"] = json!(role);
    Ok(Answer::json(200, &json!({ "permission": permission, "role_name": role, "user": who })))
}

/// A commit without its files. The App has no business here: a commit shows every file that it
/// touches.
pub(crate) fn commit(world: &mut World, request: &Request) -> Outcome {
    let token = request.credential.as_ref().and_then(|t| world.tokens.get(t));
    if token.is_none_or(|t| !t.onlooker) {
        world.problem(format!("fake github: GET {} would show more than one file", request.path));
    }
    let (links, now) = (world.links.clone(), world.now());
    let repo = world.at(request)?;
    let missing = || failure(422, &format!("No commit found for SHA: {}", request.param("sha")));
    let sha = repo.resolve(request.param("sha")).ok_or_else(missing)?;
    let (api, web) = (links.repo_api(&repo.full_name()), links.repo_web(&repo.full_name()));
    let who = json!({ "name": "Author", "email": "author@example.com", "date": now });
    let url = format!("{api}/commits/{sha}");
    let tree = json!({ "sha": sha, "url": format!("{api}/git/trees/{sha}") });
    let inner = json!({
        "url": format!("{api}/git/commits/{sha}"),
        "author": who, "committer": who, "message": "a commit", "comment_count": 0, "tree": tree,
    });
    let out = json!({
        "url": url, "sha": sha, "node_id": format!("C_{sha}"),
        "html_url": format!("{web}/commit/{sha}"), "comments_url": format!("{url}/comments"),
        "commit": inner, "author": user(&links, &repo.owner), "committer": user(&links, &repo.owner),
        "parents": [],
    });
    Ok(Answer::json(200, &out))
}
