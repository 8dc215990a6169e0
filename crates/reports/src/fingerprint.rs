//! The identity of a finding: the tool's own where it has one, else that of its lines.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use aws_lc_rs::digest::{Context, SHA256};
use chaffinch_core::{Finding, Fingerprint, Location, Region, RepoPath};

use crate::{Tool, Unidentified};

/// Lines of a finding that count, and bytes of them with white space folded. A finding may cover a
/// whole file, and there may be thousands of it.
const LINES: usize = 50;
const BYTES: usize = 8_192;

/// Gives each finding its fingerprint and merges exact duplicates: the same rule, tool, region and
/// message. `file` lends the text of a file at the head of the change, where it is at hand; without
/// it the quotation in the report counts, without that the message.
///
/// A fingerprint stays the same when the finding moves by lines, and when others come or go, unless
/// those are identical and above it. No two findings of one call have the same.
pub fn identify<'f>(
    results: Vec<Unidentified>,
    file: &dyn Fn(&RepoPath) -> Option<&'f str>,
) -> Vec<Finding> {
    let results = merge(results);
    let fingerprints = fingerprints(&results, file);
    let finding = |(result, fingerprint): (Unidentified, Fingerprint)| {
        let Unidentified { tool, rule, message, location, flow, suppressed, .. } = result;
        let (tool, location) = (tool.to_string(), Some(location));
        Finding { fingerprint, tool, rule, message, location, flow, suppressed }
    };
    results.into_iter().zip(fingerprints).map(finding).collect()
}

/// The results of several reports, each once, for one call of [`identify`]: what two reports of one
/// tool say of the same lines by the same rule is one result, though their words differ (a tool may
/// write two formats, or be run twice). The one with the longer flow is kept.
pub fn combine(reports: Vec<Vec<Unidentified>>) -> Vec<Unidentified> {
    let mut all: Vec<Unidentified> = Vec::new();
    let mut known: HashMap<(String, String, Location), Vec<usize>> = HashMap::new();
    for report in reports {
        // Of one report, results of the same lines stay apart.
        let mut seen: HashMap<(String, String, Location), usize> = HashMap::new();
        for result in report {
            let mut location = result.location.clone();
            if let Some(region) = &mut location.region {
                (region.start_column, region.end_column) = (None, None);
            }
            let key = (tool_key(&result.tool), result.rule.id.as_str().to_owned(), location);
            let number = seen.entry(key.clone()).or_default();
            let places = known.entry(key).or_default();
            match places.get(*number).and_then(|at| all.get_mut(*at)) {
                Some(kept) => unite(kept, result),
                None => {
                    places.push(all.len());
                    all.push(result);
                }
            }
            *number += 1;
        }
    }
    all
}

fn unite(kept: &mut Unidentified, mut other: Unidentified) {
    let suppressed = kept.suppressed && other.suppressed;
    if kept.flow.len() < other.flow.len() {
        std::mem::swap(kept, &mut other);
    }
    kept.suppressed = suppressed;
    kept.snippet = kept.snippet.take().or(other.snippet);
    kept.tool_fingerprint = kept.tool_fingerprint.take().or(other.tool_fingerprint);
}

/// The tool without its edition: Semgrep's SARIF says "Semgrep OSS" where older JSON says nothing.
fn tool_key(tool: &Tool) -> String {
    let name = tool.name.trim().to_lowercase();
    let bare = name.strip_suffix(" oss").or_else(|| name.strip_suffix(" pro"));
    bare.map(str::to_owned).unwrap_or(name)
}

fn merge(results: Vec<Unidentified>) -> Vec<Unidentified> {
    let mut first: HashMap<(String, String, Location, String), usize> = HashMap::new();
    let mut kept: Vec<Unidentified> = Vec::with_capacity(results.len());
    for result in results {
        let rule = result.rule.id.as_str().to_owned();
        let message = digest(&[b"message", result.message.expose().as_bytes()]).to_string();
        let key = (tool_key(&result.tool), rule, result.location.clone(), message);
        match first.entry(key) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(result);
            }
            Entry::Occupied(at) => {
                let Some(kept) = kept.get_mut(*at.get()) else { continue };
                kept.suppressed &= result.suppressed;
                if kept.flow.is_empty() {
                    kept.flow = result.flow;
                }
                kept.snippet = kept.snippet.take().or(result.snippet);
                kept.tool_fingerprint = kept.tool_fingerprint.take().or(result.tool_fingerprint);
            }
        }
    }
    kept
}

/// Fingerprints of those whose tool gives one that is theirs alone.
fn by_tool(results: &[Unidentified]) -> Vec<Option<Fingerprint>> {
    let of_tool = |result: &Unidentified| {
        let own = result.tool_fingerprint.as_deref()?;
        let (tool, rule) = (tool_key(&result.tool), result.rule.id.as_str());
        let path = result.location.path.as_str();
        Some(digest(&[b"tool", tool.as_bytes(), rule.as_bytes(), path.as_bytes(), own.as_bytes()]))
    };
    let all: Vec<Option<Fingerprint>> = results.iter().map(of_tool).collect();
    let (mut seen, mut repeated) = (HashSet::new(), HashSet::new());
    for fingerprint in all.iter().flatten() {
        if !seen.insert(*fingerprint) {
            repeated.insert(*fingerprint);
        }
    }
    all.into_iter().map(|one| one.filter(|one| !repeated.contains(one))).collect()
}

/// One fingerprint each: the tool's, else one of tool, rule, path and text, and a number among those
/// that have these in common, in the order of their regions.
fn fingerprints<'f>(
    results: &[Unidentified],
    file: &dyn Fn(&RepoPath) -> Option<&'f str>,
) -> Vec<Fingerprint> {
    let mut fingerprints = by_tool(results);
    // File by file, so that one at a time is cut into lines.
    let given = results.iter().zip(&fingerprints).enumerate();
    let without = given.filter(|(_, (_, of_tool))| of_tool.is_none());
    let mut others: Vec<(usize, &Unidentified)> = without.map(|(i, (r, _))| (i, r)).collect();
    others.sort_by_key(|(_, result)| &result.location.path);
    let mut groups: HashMap<Fingerprint, Vec<(usize, &Unidentified)>> = HashMap::new();
    for of_file in others.chunk_by(|(_, a), (_, b)| a.location.path == b.location.path) {
        let Some((_, first)) = of_file.first() else { continue };
        let path = &first.location.path;
        let lines: Option<Vec<&str>> = file(path).map(|text| text.lines().collect());
        for (i, result) in of_file {
            let (rule, text) = (result.rule.id.as_str(), text(result, lines.as_deref()));
            let (tool, path) = (tool_key(&result.tool), path.as_str());
            let group: [&[u8]; 5] =
                [b"lines", tool.as_bytes(), rule.as_bytes(), path.as_bytes(), text.as_bytes()];
            groups.entry(digest(&group)).or_default().push((*i, *result));
        }
    }
    for (group, mut members) in groups {
        members.sort_by_cached_key(|(_, result)| {
            let region = result.location.region.map(order);
            (region, result.message.expose().to_owned())
        });
        for (number, (i, _)) in members.into_iter().enumerate() {
            let parts = [group.to_string(), number.to_string()];
            fingerprints[i] = Some(digest(&[b"number", parts[0].as_bytes(), parts[1].as_bytes()]));
        }
    }
    fingerprints.into_iter().flatten().collect()
}

fn order(region: Region) -> (u32, Option<u32>, u32, Option<u32>) {
    (region.lines.start, region.start_column, region.lines.end, region.end_column)
}

/// The text that stands for a result, with white space folded.
fn text(result: &Unidentified, lines: Option<&[&str]>) -> String {
    let from_file = || {
        let (region, lines) = (result.location.region?.lines, lines?);
        let start = (region.start as usize).saturating_sub(1);
        Some(fold(lines.get(start..lines.len().min(region.end as usize))?.iter().copied()))
    };
    let quoted = || Some(fold(result.snippet.as_ref()?.expose().lines()));
    let said = |text: &String| !text.is_empty();
    let text = from_file().filter(said).or_else(|| quoted().filter(said));
    text.unwrap_or_else(|| fold(result.message.expose().lines()))
}

fn fold<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let mut folded = String::new();
    for word in lines.take(LINES).flat_map(str::split_whitespace) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
        if folded.len() > BYTES {
            folded.truncate(folded.floor_char_boundary(BYTES));
            break;
        }
    }
    folded
}

/// Each part with its length before it, so that no two lists of parts are the same bytes.
fn digest(parts: &[&[u8]]) -> Fingerprint {
    let mut context = Context::new(&SHA256);
    context.update(b"chaffinch finding 2");
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut first = [0; 16];
    first.copy_from_slice(&digest.as_ref()[..16]);
    Fingerprint::from_digest(first)
}

#[cfg(test)]
mod tests;
