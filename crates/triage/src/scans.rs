//! The scans of one tool over one head. A matrix of CI jobs sends one report each, so one report of
//! a tool says nothing of what another of its scans has found.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use chaffinch_core::ReportId;
use chaffinch_reports::Report;

use crate::tool;

/// The most scans of one tool that are told apart.
const MOST: usize = 100;
/// Begins the name of a scan without results.
const EMPTY: &str = "empty:";

/// The scans of one tool over one head, by name.
pub(crate) type Scans = BTreeSet<String>;

/// Adds the scans of a report, by the keys of their tools.
pub(crate) fn add(to: &mut BTreeMap<String, Scans>, id: &ReportId, report: &Report) {
    for tool in &report.tools {
        let key = tool::key(tool);
        let name = name(id, &key, report);
        let scans = to.entry(key).or_default();
        if scans.len() < MOST {
            scans.insert(name);
        }
    }
}

/// A scan is named after what it found, so that a report that is sent twice is one scan. Those that
/// found nothing look alike: they are named after their reports.
fn name(id: &ReportId, key: &str, report: &Report) -> String {
    let own = report.results.iter().filter(|r| tool::key(&r.tool.to_string()) == key);
    let mut results: Vec<String> = own
        .map(|r| {
            let line = r.location.region.map_or(0, |region| region.lines.start);
            format!("{}\n{}\n{line}\n", r.rule.id, r.location.path)
        })
        .collect();
    if results.is_empty() {
        return format!("{EMPTY}{id}");
    }
    results.sort();
    let mut context = Context::new(&SHA256);
    results.iter().for_each(|result| context.update(result.as_bytes()));
    hex::encode(&context.finish().as_ref()[..8])
}

/// How many there were for certain: of those that found nothing, one may have been sent again.
pub(crate) fn at_least(scans: &Scans) -> usize {
    let empty = scans.iter().filter(|name| name.starts_with(EMPTY)).count();
    scans.len() - empty + usize::from(empty > 0)
}
