//! One file at one commit.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    request::{Outcome, Request, failure, not_found},
    world::World,
};
use crate::{
    answer::Answer,
    tree::{Blob, Tree, sha1},
};

const MEGABYTE: u64 = 1 << 20;
/// Of a folder, as GitHub documents it.
const MOST_ENTRIES: usize = 1_000;
const TOO_LARGE: &str = "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git in order to obtain it.";

pub(crate) fn get(world: &mut World, request: &Request) -> Outcome {
    let path = request.param("path").trim_end_matches('/').to_owned();
    let links = world.links.clone();
    let repo = world.at(request)?;
    let reference = request.query("ref").unwrap_or("main");
    let sha = repo.resolve(reference);
    let Some(tree) = sha.as_ref().and_then(|sha| repo.commits.get(sha)) else {
        return Err(failure(404, &format!("No commit found for the ref {reference}")));
    };
    let (api, web) = (links.repo_api(&repo.full_name()), links.repo_web(&repo.full_name()));
    let at = At { api: &api, web: &web, reference };
    let accept = request.header("accept");
    let media = if accept.contains("raw") {
        Media::Raw
    } else if accept.contains("object") {
        Media::Object
    } else {
        Media::Json
    };
    match follow(tree, &path) {
        Some((path, blob)) => file(&at, media, path, blob),
        None => {
            let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
            let mut entries = children(&at, tree, &folder);
            if entries.is_empty() {
                return Err(not_found());
            }
            entries.truncate(MOST_ENTRIES);
            if !world.listing {
                world.problem(format!("fake github: a folder was listed: {path}"));
            }
            Ok(Answer::json(200, &Value::Array(entries)))
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Media {
    Raw,
    Object,
    Json,
}

struct At<'a> {
    api: &'a str,
    web: &'a str,
    reference: &'a str,
}

/// A link is followed if it leads to a file; else it is shown as a link.
fn follow<'a>(tree: &'a Tree, path: &'a str) -> Option<(&'a str, &'a Blob)> {
    let (path, blob) = tree.get_key_value(path)?;
    let Blob::Symlink(target) = blob else { return Some((path, blob)) };
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in target.split('/') {
        match segment {
            ".." => {
                segments.pop();
            }
            "." | "" => {}
            name => segments.push(name),
        }
    }
    match tree.get_key_value(&segments.join("/")) {
        Some((path, target @ (Blob::File(_) | Blob::Huge(_)))) => Some((path, target)),
        _ => Some((path, blob)),
    }
}

fn file(at: &At<'_>, media: Media, path: &str, blob: &Blob) -> Outcome {
    let size = blob.size();
    let bytes = match blob {
        Blob::File(bytes) => bytes.clone(),
        Blob::Huge(_) if size > 100 * MEGABYTE => {
            let body = json!({
                "message": TOO_LARGE,
                "errors": [{ "resource": "Blob", "field": "data", "code": "too_large" }],
                "documentation_url": "https://docs.github.com/rest/repos/contents#get-repository-content",
                "status": "403",
            });
            return Err(Box::new(Answer::json(403, &body)));
        }
        Blob::Huge(_) => Bytes::from(vec![b'x'; usize::try_from(size).unwrap_or_default()]),
        Blob::Symlink(_) | Blob::Submodule(_) => {
            return Ok(Answer::json(200, &describe(at, path, blob)));
        }
    };
    if media == Media::Raw {
        return Ok(Answer::new(200, "application/vnd.github.raw+json; charset=utf-8", bytes));
    }
    let mut out = describe(at, path, blob);
    let whole = size <= MEGABYTE;
    out["encoding"] = json!(if whole { "base64" } else { "none" });
    out["content"] = json!(if whole { wrapped(&bytes) } else { String::new() });
    Ok(match media {
        Media::Object => {
            Answer::new(200, "application/vnd.github.object; charset=utf-8", out.to_string())
        }
        _ => Answer::json(200, &out),
    })
}

/// Base64 with a line break after every 60 characters, as GitHub sends it.
fn wrapped(bytes: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(bytes);
    let lines = text.as_bytes().chunks(60).map(|l| String::from_utf8_lossy(l).into_owned() + "\n");
    lines.collect()
}

fn describe(at: &At<'_>, path: &str, blob: &Blob) -> Value {
    let kind = match blob {
        Blob::File(_) | Blob::Huge(_) => "file",
        Blob::Symlink(_) => "symlink",
        Blob::Submodule(_) => "submodule",
    };
    let mut out = place(at, path, kind, blob.size(), &blob.sha());
    match blob {
        Blob::Symlink(target) => out["target"] = json!(target),
        Blob::Submodule(address) => out["submodule_git_url"] = json!(address),
        _ => {}
    }
    out
}

fn place(at: &At<'_>, path: &str, kind: &str, size: u64, sha: &str) -> Value {
    let encoded: String = path
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(b).to_string()
            }
            b => format!("%{b:02X}"),
        })
        .collect();
    let own = format!("{}/contents/{encoded}?ref={}", at.api, at.reference);
    let git = format!("{}/git/blobs/{sha}", at.api);
    let html = format!("{}/blob/{}/{encoded}", at.web, at.reference);
    json!({
        "type": kind,
        "size": size,
        "name": path.rsplit('/').next().unwrap_or(path),
        "path": path,
        "sha": sha,
        "url": own,
        "git_url": git,
        "html_url": html,
        "download_url": format!("{}/raw/{}/{encoded}", at.web, at.reference),
        "_links": { "self": own, "git": git, "html": html },
    })
}

fn children(at: &At<'_>, tree: &Tree, folder: &str) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for (path, blob) in tree {
        let Some(rest) = path.strip_prefix(folder) else { continue };
        match rest.split_once('/') {
            None => out.push(describe(at, path, blob)),
            Some((name, _)) => {
                let path = format!("{folder}{name}");
                if out.last().is_none_or(|last| last["path"] != json!(path)) {
                    out.push(place(at, &path, "dir", 0, &sha1(path.as_bytes())));
                }
            }
        }
    }
    out
}
