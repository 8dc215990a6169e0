//! Records of the labelled sets, with the files that their excerpts ask for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Case, finding};

/// The small programs of the reference data.
pub(crate) fn corpus() -> Option<Vec<Case>> {
    let corpus = data().join("findings/corpus");
    read(&corpus.join("truth.jsonl"), &corpus)
}

/// Findings of public repositories, whose sources `$CHAFFINCH_SOURCES` holds, a folder each.
#[expect(clippy::disallowed_methods, reason = "where the sources are")]
pub(crate) fn repositories() -> Option<Vec<Case>> {
    let sources = PathBuf::from(std::env::var_os("CHAFFINCH_SOURCES")?);
    read(&data().join("findings/context_truth.jsonl"), &sources)
}

#[expect(clippy::disallowed_methods, reason = "where the reference data is")]
fn data() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    std::env::var_os("CHAFFINCH_TESTDATA").map_or(default.into(), PathBuf::from)
}

fn read(truth: &Path, sources: &Path) -> Option<Vec<Case>> {
    let truth = fs::read_to_string(truth).ok()?;
    Some(truth.lines().filter_map(|line| case(line, sources)).collect())
}

fn case(line: &str, sources: &Path) -> Option<Case> {
    let json: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let number = |key: &str| u32::try_from(json.get(key)?.as_u64()?).ok();
    let root = match text("repo")? {
        "corpus" => sources.to_owned(),
        repo => sources.join(text("fetch").unwrap_or(repo).replace('/', "+")),
    };
    Some(Case::below(root, finding(text("path")?, number("start")?, number("end")?)))
}
