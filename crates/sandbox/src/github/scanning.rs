//! Code-scanning analyses.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    request::{Outcome, Request, failure, not_found, page},
    world::{Analysis, World},
};
use crate::answer::Answer;

const OFF: &str = "Advanced Security must be enabled for this repository to use code scanning.";

pub(crate) fn list(world: &mut World, request: &Request) -> Outcome {
    let links = world.links.clone();
    let query = |name: &str| request.query(name).map(str::to_owned);
    let (reference, pr) = (query("ref"), query("pr"));
    let (tool, sarif) = (query("tool_name"), query("sarif_id"));
    let repo = world.at(request)?;
    if !repo.code_scanning {
        return Err(failure(403, OFF));
    }
    if repo.analyses.is_empty() {
        return Err(failure(404, "no analysis found"));
    }
    let api = links.repo_api(&repo.full_name());
    let matches = |a: &&Analysis| {
        let branch = |r: &String| {
            *r == a.reference
                || format!("refs/heads/{r}") == a.reference
                || format!("refs/{r}") == a.reference
        };
        reference.as_ref().is_none_or(branch)
            && pr.as_ref().is_none_or(|n| a.reference.starts_with(&format!("refs/pull/{n}/")))
            && tool.as_ref().is_none_or(|t| *t == a.tool)
            && sarif.as_ref().is_none_or(|s| *s == a.sarif_id)
    };
    let all = repo.analyses.iter().rev().filter(matches).map(|a| analysis(&api, a)).collect();
    Ok(page(world, request, all))
}

pub(crate) fn one(world: &mut World, request: &Request) -> Outcome {
    let id = request.number("analysis").ok_or_else(not_found)?;
    let links = world.links.clone();
    let repo = world.at(request)?;
    if !repo.code_scanning {
        return Err(failure(403, OFF));
    }
    let found = repo.analyses.iter().find(|a| a.id == id).ok_or_else(not_found)?;
    if request.header("accept").contains("sarif+json") {
        return Ok(Answer::new(200, "application/sarif+json; charset=utf-8", found.sarif.clone()));
    }
    Ok(Answer::json(200, &analysis(&links.repo_api(&repo.full_name()), found)))
}

fn analysis(api: &str, a: &Analysis) -> Value {
    json!({
        "ref": a.reference,
        "commit_sha": a.commit,
        "analysis_key": "(default)",
        "environment": "{}",
        "category": a.tool.to_lowercase(),
        "error": "",
        "created_at": a.created,
        "results_count": a.results,
        "rules_count": a.rules,
        "id": a.id,
        "url": format!("{api}/code-scanning/analyses/{}", a.id),
        "sarif_id": a.sarif_id,
        "tool": { "name": a.tool, "guid": null, "version": a.tool_version },
        "deletable": true,
        "warning": "",
    })
}

/// Keeps an upload: one analysis a run, with the alert numbers that GitHub adds to each result.
pub(crate) fn keep(
    world: &mut World,
    at: usize,
    reference: &str,
    commit: &str,
    sarif: &[u8],
) -> usize {
    let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(sarif) else {
        world.problem("sandbox: a code-scanning upload is not SARIF");
        return 0;
    };
    let runs = document.get("runs").and_then(Value::as_array).cloned().unwrap_or_default();
    let (sarif_id, now) = (uuid::Uuid::new_v4().to_string(), world.now());
    for mut run in runs.clone() {
        let results = run["results"].as_array().map_or(0, Vec::len);
        for n in 0..results {
            let alert = world.repos[at].analyses.iter().map(|a| a.results).sum::<usize>() + n + 1;
            if run["results"][n]["properties"].as_object().is_some()
                || run["results"][n].get("properties").is_none() && run["results"][n].is_object()
            {
                run["results"][n]["properties"]["github/alertNumber"] = json!(alert);
            }
        }
        let driver = &run["tool"]["driver"];
        let text = |name: &str| driver[name].as_str().map(str::to_owned);
        let (tool, version) =
            (text("name").unwrap_or_default(), text("semanticVersion").or(text("version")));
        let rules = driver["rules"].as_array().map_or(0, Vec::len);
        let mut own = document.clone();
        own.insert("runs".to_owned(), json!([run]));
        let analysis = Analysis {
            id: world.id(),
            reference: reference.to_owned(),
            commit: commit.to_owned(),
            created: now.clone(),
            tool,
            tool_version: version,
            results,
            rules,
            sarif_id: sarif_id.clone(),
            sarif: Bytes::from(Value::Object(own).to_string()),
        };
        world.repos[at].analyses.push(analysis);
    }
    runs.len()
}
