//! How many of other people's test cases redaction finds: one line of JSON a case on standard input,
//! as `rules/cases.py` writes them; a table on standard output. `-v` shows the names of the kinds
//! that are not whole.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::{collections::BTreeMap, io::BufRead, process::ExitCode};

use chaffinch_core::RepoPath;
use chaffinch_egress::{Redactor, Segment};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    kind: String,
    expect: Expect,
    text: String,
    secret: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Found,
    Clean,
}

#[derive(Default)]
struct Score {
    cases: u32,
    /// Something was redacted, and where the secret is known, nothing of it is left.
    found: u32,
    harmless: u32,
    /// Something was redacted where nothing should be: by the rule that the case is for, by any.
    own_alarms: u32,
    alarms: u32,
}

fn main() -> ExitCode {
    let mut kinds: BTreeMap<String, Score> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let scored = line.map_err(|e| e.to_string()).and_then(|line| score(&line, &mut kinds));
        if let Err(error) = scored {
            println!("a case cannot be used: {error}");
            return ExitCode::FAILURE;
        }
    }
    let verbose = std::env::args().any(|arg| arg == "-v");
    for (kind, score) in kinds.iter().filter(|_| verbose) {
        if score.found < score.cases || score.alarms > 0 {
            println!(
                "{kind:44} found {:4} of {:4}   alarms {:3} of {:3}, own {:3}",
                score.found, score.cases, score.alarms, score.harmless, score.own_alarms
            );
        }
    }
    let sum = |of: fn(&Score) -> u32| kinds.values().map(of).sum::<u32>();
    let whole = kinds.values().filter(|s| s.cases > 0 && s.found == s.cases).count();
    let with_cases = kinds.values().filter(|s| s.cases > 0).count();
    println!(
        "found {} of {}; {whole} of {with_cases} kinds whole",
        sum(|s| s.found),
        sum(|s| s.cases)
    );
    println!(
        "alarms {} of {}, {} of them by the rule that the case is for",
        sum(|s| s.alarms),
        sum(|s| s.harmless),
        sum(|s| s.own_alarms)
    );
    ExitCode::SUCCESS
}

fn score(line: &str, kinds: &mut BTreeMap<String, Score>) -> Result<(), String> {
    let case: Case = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let path = case.path.and_then(|path| RepoPath::new(path).ok());
    let redactor = Redactor::new().map_err(|e| e.to_string())?;
    let segments = [Segment { path: path.as_ref(), text: &case.text }];
    let redacted = redactor.redact(&segments).map_err(|e| e.to_string())?;
    let shown = redacted.texts.first().map(|text| text.expose()).unwrap_or_default();
    let something = redacted.counts.keys().any(|class| class != "email");
    let own = redacted.counts.contains_key(&format!("secret:{}", case.kind));
    let score = kinds.entry(case.kind).or_default();
    match case.expect {
        Expect::Found => {
            score.cases += 1;
            let left = case.secret.is_some_and(|secret| shown.contains(&secret));
            score.found += u32::from(something && !left);
        }
        Expect::Clean => {
            score.harmless += 1;
            score.alarms += u32::from(something);
            score.own_alarms += u32::from(own);
        }
    }
    Ok(())
}
