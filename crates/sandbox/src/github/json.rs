//! GitHub's objects as it writes them, complete enough for its published schemas.

use serde_json::{Value, json};

use super::{
    app::LONG_AGO,
    changes::{ChangeState, CommentState, ThreadState},
    links::Links,
    world::RepoState,
};
use crate::{diff::Diff, tree::sha1};

/// A number that follows from the login.
pub(crate) fn user_id(login: &str) -> u64 {
    u64::from_str_radix(&sha1(login.as_bytes())[..7], 16).unwrap_or(1)
}

pub(crate) fn user(links: &Links, login: &str) -> Value {
    let api = format!("{}/users/{}", links.api, login.replace('[', "%5B").replace(']', "%5D"));
    let bot = login.ends_with("[bot]");
    let id = user_id(login);
    json!({
        "login": login,
        "id": id,
        "node_id": format!("U_{id}"),
        "avatar_url": format!("{}/avatars/{id}", links.web),
        "gravatar_id": "",
        "url": api,
        "html_url": format!("{}/{}", links.web, login.trim_end_matches("[bot]")),
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": if bot { "Bot" } else { "User" },
        "user_view_type": "public",
        "site_admin": false,
    })
}

pub(crate) fn repository(links: &Links, repo: &RepoState) -> Value {
    repository_of(links, &repo.owner, &repo.name, repo.id, false)
}

fn repository_of(links: &Links, owner: &str, name: &str, id: u64, fork: bool) -> Value {
    let full = format!("{owner}/{name}");
    let (api, web) = (links.repo_api(&full), links.repo_web(&full));
    let mut out = json!({
        "id": id,
        "node_id": format!("R_{id}"),
        "name": name,
        "full_name": full,
        "private": true,
        "visibility": "private",
        "owner": user(links, owner),
        "html_url": web,
        "description": null,
        "fork": fork,
        "url": api,
        "git_url": format!("git://example.invalid/{full}.git"),
        "ssh_url": format!("git@example.invalid:{full}.git"),
        "clone_url": format!("{web}.git"),
        "svn_url": web,
        "mirror_url": null,
        "homepage": null,
        "language": null,
        "license": null,
        "topics": [],
        "forks": 0, "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0, "watchers_count": 0,
        "open_issues": 0, "open_issues_count": 0,
        "subscribers_count": 0,
        "network_count": 0,
        "size": 1,
        "default_branch": "main",
        "has_issues": true,
        "has_projects": true,
        "has_wiki": true,
        "has_pages": false,
        "has_downloads": true,
        "has_discussions": false,
        "archived": false,
        "disabled": false,
        "allow_forking": true,
        "is_template": false,
        "web_commit_signoff_required": false,
        "pushed_at": LONG_AGO, "created_at": LONG_AGO, "updated_at": LONG_AGO,
    });
    for (field, rest) in ADDRESSES {
        out[*field] = json!(format!("{api}{rest}"));
    }
    out
}

const ADDRESSES: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

pub(crate) fn pull(links: &Links, repo: &RepoState, change: &ChangeState) -> Value {
    let full = repo.full_name();
    let (api, web) = (links.repo_api(&full), links.repo_web(&full));
    let number = change.number;
    let (issue, pull) = (format!("{api}/issues/{number}"), format!("{api}/pulls/{number}"));
    let html = format!("{web}/pull/{number}");
    let statuses = format!("{api}/statuses/{}", change.head);
    let own = repository(links, repo);
    let (head_owner, head_repo) = match &change.fork {
        None => (repo.owner.as_str(), own.clone()),
        Some(fork) if fork.deleted => (fork.owner.as_str(), Value::Null),
        Some(fork) => {
            let there = repository_of(links, &fork.owner, &repo.name, fork.id, true);
            (fork.owner.as_str(), there)
        }
    };
    let closed = (!change.open).then(|| change.updated.clone());
    let link = |address: &str| json!({ "href": address });
    json!({
        "url": pull,
        "id": change.id,
        "node_id": format!("PR_{}", change.id),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{pull}/commits"),
        "review_comments_url": format!("{pull}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "number": number,
        "state": if change.open { "open" } else { "closed" },
        "locked": false,
        "active_lock_reason": null,
        "title": change.title,
        "user": user(links, &change.author),
        "body": change.description,
        "labels": [],
        "milestone": null,
        "created_at": change.created,
        "updated_at": change.updated,
        "closed_at": closed,
        "merged_at": change.merged.then(|| change.updated.clone()),
        "merge_commit_sha": change.merge,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "draft": change.draft,
        "head": {
            "label": format!("{head_owner}:{}", change.branch),
            "ref": change.branch,
            "sha": change.head,
            "user": user(links, head_owner),
            "repo": head_repo,
        },
        "base": {
            "label": format!("{}:main", repo.owner),
            "ref": "main",
            "sha": change.base,
            "user": user(links, &repo.owner),
            "repo": own,
        },
        "_links": {
            "self": link(&pull),
            "html": link(&html),
            "issue": link(&issue),
            "comments": link(&format!("{issue}/comments")),
            "review_comments": link(&format!("{pull}/comments")),
            "review_comment": link(&format!("{api}/pulls/comments{{/number}}")),
            "commits": link(&format!("{pull}/commits")),
            "statuses": link(&statuses),
        },
        "author_association": if change.fork.is_some() { "CONTRIBUTOR" } else { "MEMBER" },
        "auto_merge": null,
    })
}

/// The pull request with what only its own address tells.
pub(crate) fn whole_pull(links: &Links, repo: &RepoState, change: &ChangeState) -> Value {
    let files = repo.commits.compare(&change.base, &change.head);
    let (mut added, mut removed) = (0, 0);
    for (old, new) in files.iter().filter_map(|f| f.texts()) {
        let diff = Diff::new(old, new);
        added += diff.added();
        removed += diff.removed();
    }
    let mut out = pull(links, repo, change);
    let inline: usize = change.threads.iter().map(|t| t.comments.len()).sum();
    let more = json!({
        "merged": change.merged,
        "mergeable": null,
        "rebaseable": null,
        "mergeable_state": "unknown",
        "merged_by": null,
        "comments": change.comments.len(),
        "review_comments": inline,
        "maintainer_can_modify": false,
        "commits": change.heads.len(),
        "additions": added,
        "deletions": removed,
        "changed_files": files.len(),
    });
    if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
        out.extend(more);
    }
    out
}

/// An inline comment.
pub(crate) fn inline(
    links: &Links,
    repo: &RepoState,
    change: &ChangeState,
    thread: &ThreadState,
    comment: &CommentState,
) -> Value {
    let full = repo.full_name();
    let url = format!("{}/pulls/comments/{}", links.repo_api(&full), comment.id);
    let pull = format!("{}/pulls/{}", links.repo_api(&full), change.number);
    let html =
        format!("{}/pull/{}#discussion_r{}", links.repo_web(&full), change.number, comment.id);
    let now = |line: Option<u64>| line.and_then(|l| repo.line_now(change, thread, l));
    let line = now(thread.line);
    let mut out = json!({
        "url": url,
        "pull_request_review_id": comment.review,
        "id": comment.id,
        "node_id": comment.node,
        "diff_hunk": thread.hunk,
        "path": thread.path,
        "commit_id": if line.is_some() { &change.head } else { &thread.commit },
        "original_commit_id": thread.commit,
        "user": user(links, &comment.author),
        "body": comment.body,
        "created_at": comment.created,
        "updated_at": comment.updated,
        "html_url": html,
        "pull_request_url": pull,
        "author_association": association(&comment.author),
        "_links": {
            "self": { "href": url },
            "html": { "href": html },
            "pull_request": { "href": pull },
        },
        "reactions": reactions(&url),
        "subject_type": if thread.line.is_some() { "line" } else { "file" },
    });
    if thread.line.is_some() {
        out["line"] = json!(line);
        out["original_line"] = json!(thread.line);
        out["start_line"] = json!(now(thread.start_line));
        out["original_start_line"] = json!(thread.start_line);
        out["start_side"] = json!(thread.start_line.map(|_| &thread.side));
        out["side"] = json!(thread.side);
        out["original_position"] = json!(1);
        out["position"] = json!(line.map(|_| 1));
    }
    if let Some(first) = comment.reply_to {
        out["in_reply_to_id"] = json!(first);
    }
    out
}

/// A comment on the whole change.
pub(crate) fn comment(
    links: &Links,
    repo: &RepoState,
    change: &ChangeState,
    comment: &CommentState,
) -> Value {
    let full = repo.full_name();
    let url = format!("{}/issues/comments/{}", links.repo_api(&full), comment.id);
    json!({
        "id": comment.id,
        "node_id": comment.node,
        "url": url,
        "html_url": format!("{}/pull/{}#issuecomment-{}", links.repo_web(&full), change.number, comment.id),
        "issue_url": format!("{}/issues/{}", links.repo_api(&full), change.number),
        "body": comment.body,
        "user": user(links, &comment.author),
        "created_at": comment.created,
        "updated_at": comment.updated,
        "author_association": association(&comment.author),
        "reactions": reactions(&url),
        "performed_via_github_app": null,
    })
}

fn association(author: &str) -> &'static str {
    if author.ends_with("[bot]") { "NONE" } else { "MEMBER" }
}

fn reactions(url: &str) -> Value {
    json!({
        "url": format!("{url}/reactions"), "total_count": 0,
        "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
    })
}
