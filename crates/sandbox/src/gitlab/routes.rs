//! The routes, and what each needs.

use super::{
    access_tokens, account, artifacts, ci, commits, discussions, drafts, files, hooks,
    merge_requests, notes, statuses,
    world::{DEVELOPER, MAINTAINER, REPORTER, World},
};
use crate::routes::{self, route};

/// Who may.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// Whoever has a token.
    AnyToken,
    /// A token with one of these scopes.
    Scope(&'static [&'static str]),
    /// A token that reaches the project with one of these scopes, and at least this role there.
    Project(&'static [&'static str], u64),
}

pub(crate) type Route = routes::Route<World, Needs>;

const GUEST: u64 = 10;
const READ: &[&str] = &["api", "read_api"];
const WRITE: &[&str] = &["api"];

const USER: Needs = Needs::Scope(&["api", "read_api", "read_user"]);
const ABOUT: Needs = Needs::Scope(READ);
const MEMBER: Needs = Needs::Project(READ, GUEST);
const READS: Needs = Needs::Project(READ, REPORTER);
/// Files are the only routes that `read_repository` opens.
const FILES: Needs = Needs::Project(&["api", "read_api", "read_repository"], REPORTER);
const COMMENTS: Needs = Needs::Project(WRITE, REPORTER);
const BUILDS: Needs = Needs::Project(WRITE, DEVELOPER);
const SEES_SETTINGS: Needs = Needs::Project(READ, MAINTAINER);
const SETTINGS: Needs = Needs::Project(WRITE, MAINTAINER);
const ROTATES: Needs = Needs::Project(&["api", "self_rotate"], GUEST);

const NOTE: &str = "/projects/{id}/merge_requests/{iid}/notes/{note}";
const DISCUSSION: &str = "/projects/{id}/merge_requests/{iid}/discussions/{discussion}";
const REPLY: &str = "/projects/{id}/merge_requests/{iid}/discussions/{discussion}/notes/{note}";
const DRAFT: &str = "/projects/{id}/merge_requests/{iid}/draft_notes/{draft}";

pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/metadata", ABOUT, account::metadata),
    route("GET", "/version", USER, account::metadata),
    route("GET", "/user", USER, account::user),
    route("GET", "/personal_access_tokens/self", Needs::AnyToken, access_tokens::own),
    route("GET", "/projects/{id}", MEMBER, account::project),
    route("GET", "/projects/{id}/members/all/{user}", MEMBER, account::member),
    route("GET", "/projects/{id}/access_tokens", SEES_SETTINGS, access_tokens::list),
    route("POST", "/projects/{id}/access_tokens", SETTINGS, access_tokens::create),
    route("POST", "/projects/{id}/access_tokens/self/rotate", ROTATES, access_tokens::rotate_own),
    route("GET", "/projects/{id}/access_tokens/{token}", SEES_SETTINGS, access_tokens::one),
    route("DELETE", "/projects/{id}/access_tokens/{token}", SETTINGS, access_tokens::revoke),
    route("POST", "/projects/{id}/access_tokens/{token}/rotate", SETTINGS, access_tokens::rotate),
    route("GET", "/projects/{id}/hooks", SEES_SETTINGS, hooks::list),
    route("POST", "/projects/{id}/hooks", SETTINGS, hooks::create),
    route("GET", "/projects/{id}/hooks/{hook}", SEES_SETTINGS, hooks::one),
    route("PUT", "/projects/{id}/hooks/{hook}", SETTINGS, hooks::edit),
    route("DELETE", "/projects/{id}/hooks/{hook}", SETTINGS, hooks::remove),
    route("GET", "/projects/{id}/hooks/{hook}/events", SEES_SETTINGS, hooks::events),
    route("POST", "/projects/{id}/hooks/{hook}/test/{trigger}", SETTINGS, hooks::test),
    route("GET", "/projects/{id}/repository/tree", FILES, files::tree),
    route("GET", "/projects/{id}/repository/files/{file}", FILES, files::get),
    route("HEAD", "/projects/{id}/repository/files/{file}", FILES, files::get),
    route("GET", "/projects/{id}/repository/files/{file}/raw", FILES, files::raw),
    route("GET", "/projects/{id}/repository/commits/{sha}", READS, commits::one),
    route("GET", "/projects/{id}/merge_requests", READS, merge_requests::list),
    route("GET", "/projects/{id}/merge_requests/{iid}", READS, merge_requests::one),
    route("GET", "/projects/{id}/merge_requests/{iid}/diffs", READS, merge_requests::diffs),
    route("GET", "/projects/{id}/merge_requests/{iid}/raw_diffs", READS, merge_requests::raw_diffs),
    route("GET", "/projects/{id}/merge_requests/{iid}/versions", READS, merge_requests::versions),
    route(
        "GET",
        "/projects/{id}/merge_requests/{iid}/versions/{version}",
        READS,
        merge_requests::version,
    ),
    route("GET", "/projects/{id}/merge_requests/{iid}/pipelines", READS, ci::of_change),
    route(
        "GET",
        "/projects/{id}/repository/commits/{sha}/merge_requests",
        READS,
        merge_requests::at_commit,
    ),
    route("GET", "/projects/{id}/merge_requests/{iid}/discussions", READS, discussions::list),
    route("POST", "/projects/{id}/merge_requests/{iid}/discussions", COMMENTS, discussions::create),
    route("GET", DISCUSSION, READS, discussions::one),
    route("PUT", DISCUSSION, COMMENTS, discussions::resolve),
    route(
        "POST",
        "/projects/{id}/merge_requests/{iid}/discussions/{discussion}/notes",
        COMMENTS,
        discussions::reply,
    ),
    route("GET", REPLY, READS, notes::one),
    route("PUT", REPLY, COMMENTS, notes::edit),
    route("DELETE", REPLY, COMMENTS, notes::remove),
    route("GET", "/projects/{id}/merge_requests/{iid}/notes", READS, notes::list),
    route("POST", "/projects/{id}/merge_requests/{iid}/notes", COMMENTS, notes::create),
    route("GET", NOTE, READS, notes::one),
    route("PUT", NOTE, COMMENTS, notes::edit),
    route("DELETE", NOTE, COMMENTS, notes::remove),
    route(
        "POST",
        "/projects/{id}/merge_requests/{iid}/notes/{note}/award_emoji",
        COMMENTS,
        notes::award,
    ),
    route("GET", "/projects/{id}/merge_requests/{iid}/draft_notes", READS, drafts::list),
    route("POST", "/projects/{id}/merge_requests/{iid}/draft_notes", COMMENTS, drafts::create),
    route(
        "POST",
        "/projects/{id}/merge_requests/{iid}/draft_notes/bulk_publish",
        COMMENTS,
        drafts::publish,
    ),
    route("PUT", DRAFT, COMMENTS, drafts::edit),
    route("DELETE", DRAFT, COMMENTS, drafts::remove),
    route("GET", "/projects/{id}/repository/commits/{sha}/statuses", READS, statuses::list),
    route("POST", "/projects/{id}/statuses/{sha}", BUILDS, statuses::set),
    route("GET", "/projects/{id}/pipelines", READS, ci::list),
    route("GET", "/projects/{id}/pipelines/{pipeline}", READS, ci::one),
    route("GET", "/projects/{id}/pipelines/{pipeline}/jobs", READS, ci::jobs),
    route("GET", "/projects/{id}/jobs/artifacts/{ref}/raw/{path}", READS, artifacts::by_name),
    route("GET", "/projects/{id}/jobs/{job}", READS, ci::job),
    route("GET", "/projects/{id}/jobs/{job}/artifacts/{path}", READS, artifacts::by_job),
];

/// Routes that would show more than one file: to use one breaks a promise.
const WHOLESALE: &[&str] = &[
    "/projects/{id}/repository/archive",
    "/projects/{id}/repository/blobs",
    "/projects/{id}/repository/compare",
    "/projects/{id}/repository/commits",
    "/projects/{id}/repository/branches",
    "/projects/{id}/repository/contributors",
    "/projects/{id}/repository/changelog",
    "/projects/{id}/merge_requests/{iid}/changes",
    "/projects/{id}/merge_requests/{iid}/commits",
    "/projects/{id}/search",
    "/projects/{id}/snippets",
    "/projects/{id}/export",
    "/groups/",
    "/search",
];

/// Whether the path would clone, archive, compare or search.
pub(crate) fn is_wholesale(path: &str) -> bool {
    path.contains("/repository/archive.") || routes::is_one_of(WHOLESALE, path)
}
