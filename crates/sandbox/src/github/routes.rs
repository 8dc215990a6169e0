//! The routes, and what each needs.

use std::collections::BTreeMap;

use super::{
    app, checks, comments, contents, graphql, hooks, pulls, repos, reviews, scanning, tokens,
    world::World,
};
use crate::routes::{self, route};

/// Sets of permissions; any one of them will do.
type Sets = &'static [&'static [(&'static str, &'static str)]];

/// Who may.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// The App, by JWT.
    App,
    /// Any installation token.
    AnyToken,
    /// An installation token with one of these sets of permissions.
    Token(Sets),
    /// Either.
    Either,
}

pub(crate) type Route = routes::Route<World, Needs>;

const METADATA: Needs = Needs::Token(&[&[("metadata", "read")]]);
const CONTENTS: Needs = Needs::Token(&[&[("contents", "read")]]);
const PULLS: Needs = Needs::Token(&[&[("pull_requests", "read")]]);
const PULLS_WRITE: Needs = Needs::Token(&[&[("pull_requests", "write")]]);
/// Which of the two GitHub asks for is not documented beyond doubt; either will do here.
const PULLS_AT: Needs = Needs::Token(&[&[("pull_requests", "read")], &[("contents", "read")]]);
const ISSUES: Needs = Needs::Token(&[&[("issues", "read")], &[("pull_requests", "read")]]);
const ISSUES_WRITE: Needs = Needs::Token(&[&[("issues", "write")], &[("pull_requests", "write")]]);
const CHECKS: Needs = Needs::Token(&[&[("checks", "read")]]);
const CHECKS_WRITE: Needs = Needs::Token(&[&[("checks", "write")]]);
const SCANNING: Needs = Needs::Token(&[&[("security_events", "read")]]);

pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/app", Needs::App, app::app),
    route("GET", "/app/installations", Needs::App, app::installations),
    route("GET", "/app/installations/{installation}", Needs::App, app::installation),
    route("POST", "/app/installations/{installation}/access_tokens", Needs::App, tokens::mint),
    route("GET", "/app/hook/deliveries", Needs::App, hooks::list),
    route("GET", "/app/hook/deliveries/{delivery}", Needs::App, hooks::one),
    route("POST", "/app/hook/deliveries/{delivery}/attempts", Needs::App, hooks::again),
    route("DELETE", "/installation/token", Needs::AnyToken, tokens::revoke),
    route("GET", "/installation/repositories", Needs::AnyToken, repos::installed),
    route("GET", "/rate_limit", Needs::Either, app::rate_limit),
    route("POST", "/graphql", Needs::AnyToken, graphql::run),
    route("GET", "/repos/{owner}/{repo}/installation", Needs::App, app::repo_installation),
    route("GET", "/repos/{owner}/{repo}", METADATA, repos::one),
    route("GET", "/repos/{owner}/{repo}/collaborators/{user}/permission", METADATA, repos::role),
    route("GET", "/repos/{owner}/{repo}/contents/{path}", CONTENTS, contents::get),
    route("GET", "/repos/{owner}/{repo}/pulls", PULLS, pulls::list),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}", PULLS, pulls::one),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/files", PULLS, pulls::files),
    route("GET", "/repos/{owner}/{repo}/commits/{sha}/pulls", PULLS_AT, pulls::at_commit),
    route("GET", "/repos/{owner}/{repo}/commits/{sha}", CONTENTS, repos::commit),
    route("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews", PULLS_WRITE, reviews::create),
    route("GET", "/repos/{owner}/{repo}/pulls/{number}/comments", PULLS, comments::list_inline),
    route("POST", "/repos/{owner}/{repo}/pulls/{number}/comments", PULLS_WRITE, reviews::comment),
    route(
        "POST",
        "/repos/{owner}/{repo}/pulls/{number}/comments/{comment}/replies",
        PULLS_WRITE,
        reviews::reply,
    ),
    route("GET", "/repos/{owner}/{repo}/pulls/comments/{comment}", PULLS, comments::one_inline),
    route(
        "PATCH",
        "/repos/{owner}/{repo}/pulls/comments/{comment}",
        PULLS_WRITE,
        comments::edit_inline,
    ),
    route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", ISSUES, comments::list),
    route("POST", "/repos/{owner}/{repo}/issues/{number}/comments", ISSUES_WRITE, comments::create),
    route("GET", "/repos/{owner}/{repo}/issues/comments/{comment}", ISSUES, comments::one),
    route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", ISSUES_WRITE, comments::edit),
    route("POST", "/repos/{owner}/{repo}/check-runs", CHECKS_WRITE, checks::create),
    route("GET", "/repos/{owner}/{repo}/check-runs/{check}", CHECKS, checks::one),
    route("PATCH", "/repos/{owner}/{repo}/check-runs/{check}", CHECKS_WRITE, checks::update),
    route("GET", "/repos/{owner}/{repo}/check-runs/{check}/annotations", CHECKS, checks::notes),
    route("GET", "/repos/{owner}/{repo}/commits/{sha}/check-runs", CHECKS, checks::at_commit),
    route("GET", "/repos/{owner}/{repo}/code-scanning/analyses", SCANNING, scanning::list),
    route(
        "GET",
        "/repos/{owner}/{repo}/code-scanning/analyses/{analysis}",
        SCANNING,
        scanning::one,
    ),
];

/// Routes that would show more than one file: to use one breaks a promise.
const WHOLESALE: &[&str] = &[
    "/repos/{owner}/{repo}/tarball",
    "/repos/{owner}/{repo}/zipball",
    "/repos/{owner}/{repo}/git/",
    "/repos/{owner}/{repo}/compare/",
    "/repos/{owner}/{repo}/archive",
    "/repos/{owner}/{repo}/languages",
    "/search/",
];

/// Whether the path would clone, archive, list or search.
pub(crate) fn is_wholesale(path: &str) -> bool {
    routes::is_one_of(WHOLESALE, path)
}

/// Whether `granted` holds one of the sets.
pub(crate) fn allowed(sets: Sets, granted: &BTreeMap<String, String>) -> bool {
    sets.iter().any(|set| set.iter().all(|(name, level)| holds(granted, name, level)))
}

/// Whether `granted` holds the permission at this level or a higher one.
pub(crate) fn holds(granted: &BTreeMap<String, String>, name: &str, level: &str) -> bool {
    granted.get(name).is_some_and(|have| rank(have) >= rank(level))
}

fn rank(level: &str) -> u8 {
    match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    }
}

/// As `X-Accepted-GitHub-Permissions` says it.
pub(crate) fn words(sets: Sets) -> String {
    let set = |set: &&[(&str, &str)]| {
        set.iter().map(|(name, level)| format!("{name}={level}")).collect::<Vec<_>>().join(",")
    };
    sets.iter().map(set).collect::<Vec<_>>().join("; ")
}
