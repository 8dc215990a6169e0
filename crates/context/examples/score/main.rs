//! Writes what would be sent for each record of a truth set, one JSON object a line:
//! `score SOURCES TRUTH.jsonl SENT.jsonl [BUDGET [CEILING [ID [names] [change]]]]`: `ID` (or `all`)
//! is explained, `names` allows the names of the files of a folder, and `change` takes the files with
//! findings for those of the change.

mod records;

use std::{collections::BTreeMap, error::Error, fs, path::Path, sync::Arc};

use chaffinch_context::{Limits, O200k};
use chaffinch_core::{Rung, TokenCount};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sources, truth, sent, rest @ ..] = arguments.as_slice() else {
        return Err("usage: score SOURCES TRUTH.jsonl SENT.jsonl [BUDGET [CEILING]]".into());
    };
    let mut limits = Limits::default();
    if let Some(budget) = rest.first() {
        limits.budget = budget.parse()?;
    }
    if let Some(ceiling) = rest.get(1) {
        limits.ceiling = serde_json::from_value::<Rung>(json!(ceiling))?;
    }
    let explain = rest.get(2);
    limits.listing = rest.iter().any(|word| word == "names");
    let change = rest.iter().any(|word| word == "change");
    let tokens: Arc<dyn TokenCount> = Arc::new(O200k::load());
    let mut out = String::new();
    let records: Option<Vec<records::Record>> =
        fs::read_to_string(truth)?.lines().map(records::record).collect();
    let records = records.ok_or("not a record of a truth set")?;
    for record in &records {
        let same = records.iter().filter(|r| change && r.folder == record.folder);
        let changed = same.filter_map(|r| Some(r.finding.location.as_ref()?.path.clone()));
        let asked = records::Asked { limits, changed: changed.collect() };
        let (outcome, requests) = records::excerpt(record, Path::new(sources), &tokens, &asked);
        let mut files: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for line in outcome.iter().flat_map(|excerpt| excerpt.lines()) {
            files.entry(line.path.to_string()).or_default().push(line.number);
        }
        let files: Vec<_> =
            files.iter().map(|(path, lines)| json!({"path": path, "lines": lines})).collect();
        out += &json!({"id": record.id, "sent": files, "files_fetched": requests}).to_string();
        out.push('\n');
        if explain.is_some_and(|id| *id == record.id || id == "all") {
            show(&record.id, &outcome);
        }
    }
    fs::write(sent, out)?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "an example for people")]
fn show(id: &str, outcome: &Result<chaffinch_core::Excerpt, chaffinch_context::NoExcerpt>) {
    match outcome {
        Err(none) => eprintln!("{id}: {none}"),
        Ok(excerpt) => {
            eprintln!("{id}: rung {:?} {:?}", excerpt.rung(), excerpt.notes());
            for line in excerpt.lines() {
                eprintln!("{:>5} {} | {}", line.number, line.reason, line.text.expose());
            }
        }
    }
}
