//! What scanners uploaded to code scanning for a head, as SARIF.

use std::collections::{HashMap, HashSet};

use chaffinch_core::{Change, ForgeError, RawReport, ReportId};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CONTENTS, changes};
use crate::{
    api::{Accept, Call, Told, refused},
    graphql::{Query, ask},
    handle::{Handle, PER_PAGE},
};

const SECURITY_EVENTS: &str = "security_events: read";
/// Of one head; more are an error, since leaving some out could look like a clean result.
const MOST_REPORTS: usize = 50;
/// Merges that are looked at, newest first.
const MOST_MERGES: usize = 20;

#[derive(Deserialize)]
struct Analysis {
    id: u64,
    commit_sha: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    created_at: String,
    tool: Tool,
    /// Whether it was listed for `refs/pull/N/merge`.
    #[serde(skip)]
    of_merge: bool,
}

#[derive(Deserialize)]
struct Tool {
    #[serde(default)]
    name: Option<String>,
}

/// The newest analysis of each tool and category whose commit is the head, or a trial merge of it.
pub(super) async fn of(
    handle: &Handle,
    change: &Change,
    limit: u64,
) -> Result<Vec<RawReport>, ForgeError> {
    let mut analyses = Vec::new();
    for side in ["merge", "head"] {
        let of_merge = side == "merge";
        let found = listed(handle, change.id.number, side).await?;
        analyses.extend(found.into_iter().map(|a| Analysis { of_merge, ..a }));
    }
    analyses.sort_by(|a, b| (&b.created_at, b.id).cmp(&(&a.created_at, a.id)));
    let mut heads = Heads { handle, change, present: None, known: HashMap::new() };
    let mut seen = HashSet::new();
    let mut left = limit;
    let mut reports = Vec::new();
    for analysis in &analyses {
        if !heads.has(analysis).await? || !seen.insert((&analysis.tool.name, &analysis.category)) {
            continue;
        }
        if reports.len() == MOST_REPORTS {
            return Err(ForgeError::Other(format!(
                "github: more than {MOST_REPORTS} code-scanning analyses of one head"
            )));
        }
        let report = download(handle, analysis.id, left, limit).await?;
        left = left.saturating_sub(report.bytes.len() as u64);
        reports.push(report);
    }
    Ok(reports)
}

/// One page: the newest hundred of this ref.
async fn listed(handle: &Handle, number: u64, side: &str) -> Result<Vec<Analysis>, ForgeError> {
    let route = "/repos/{owner}/{repo}/code-scanning/analyses";
    let path = format!("/code-scanning/analyses?ref=refs/pull/{number}/{side}&per_page={PER_PAGE}");
    let call = handle.get(route, &path, SECURITY_EVENTS)?;
    let answer = handle.exchange(&call).await?;
    if answer.status.is_success() {
        return answer.json();
    }
    let error = refused(&answer, call.needs, handle.app.api.clock().now());
    match (answer.status, &error) {
        // Nothing was ever uploaded.
        (StatusCode::NOT_FOUND, _) => Ok(Vec::new()),
        // The feature is off for this repository, or it is archived.
        (StatusCode::FORBIDDEN, ForgeError::Denied { .. })
            if !Told::of(&answer).text.contains("not accessible by integration") =>
        {
            Ok(Vec::new())
        }
        _ => Err(error),
    }
}

async fn download(
    handle: &Handle,
    id: u64,
    left: u64,
    limit: u64,
) -> Result<RawReport, ForgeError> {
    let route = "/repos/{owner}/{repo}/code-scanning/analyses/{id}";
    let path = format!("/code-scanning/analyses/{id}");
    let call = handle.get(route, &path, SECURITY_EVENTS)?;
    let call = Call { accept: Accept::Sarif, limit: left, ..call };
    let answer = handle.send(&call).await.map_err(|e| match e {
        ForgeError::Truncated { .. } => ForgeError::Truncated { limit },
        other => other,
    })?;
    let name = ReportId::new(format!("code-scanning:{id}"))
        .map_err(|e| ForgeError::Other(format!("github: {e}")))?;
    Ok(RawReport { id: name, bytes: answer.body.into(), to_come: false })
}

/// Which commits stand for the head: itself, and the trial merges of it. GitHub makes a new one
/// whenever the base moves, so an analysis is often of an earlier one than the pull request now names.
struct Heads<'a> {
    handle: &'a Handle,
    change: &'a Change,
    /// The present trial merge, once it was asked for.
    present: Option<Option<String>>,
    known: HashMap<String, bool>,
}

/// GraphQL tells a commit's parents and nothing else; REST would tell its author and message too.
const PARENTS: Query = Query {
    text: "query($owner:String!,$name:String!,$oid:GitObjectID!){repository(owner:$owner,name:$name){\
           object(oid:$oid){... on Commit{parents(first:3){nodes{oid}}}}}}",
    route: "graphql parents",
    needs: CONTENTS,
};

impl Heads<'_> {
    async fn has(&mut self, analysis: &Analysis) -> Result<bool, ForgeError> {
        let commit = analysis.commit_sha.as_str();
        if commit == self.change.head.as_str() {
            return Ok(true);
        }
        if !analysis.of_merge {
            return Ok(false);
        }
        if let Some(known) = self.known.get(commit) {
            return Ok(*known);
        }
        if self.known.len() == MOST_MERGES {
            return Ok(false);
        }
        let merges = self.present().await? == Some(commit) || self.has_parent(commit).await?;
        self.known.insert(commit.to_owned(), merges);
        Ok(merges)
    }

    async fn present(&mut self) -> Result<Option<&str>, ForgeError> {
        if self.present.is_none() {
            self.present = Some(changes::trial_merge(self.handle, self.change).await?);
        }
        Ok(self.present.as_ref().and_then(Option::as_deref))
    }

    async fn has_parent(&self, commit: &str) -> Result<bool, ForgeError> {
        let Some((owner, name)) = self.handle.repo.name.as_str().split_once('/') else {
            return Ok(false);
        };
        let variables = json!({ "owner": owner, "name": name, "oid": commit });
        let data = match ask::<Value>(self.handle, &PARENTS, variables).await {
            // A merge that GitHub has forgotten is of no head that is still there.
            Err(ForgeError::NotFound | ForgeError::Refused { .. }) => return Ok(false),
            data => data?.unwrap_or_default(),
        };
        let parents = data.pointer("/repository/object/parents/nodes").and_then(Value::as_array);
        let parents: Vec<_> =
            parents.into_iter().flatten().filter_map(|p| p["oid"].as_str()).collect();
        // A commit on top of the head has it as a parent too, but one only.
        Ok(parents.len() > 1 && parents.contains(&self.change.head.as_str()))
    }
}
