use std::sync::Arc;

use chaffinch_core::{
    Confidence, Finding, Fingerprint, LineRange, Location, Region, Rule, RuleId, Severity,
    TokenCount,
};

use crate::{Answer, Extractor, Limits, Step, engine::Wanted, extraction::Extraction};

struct Bytes;

impl TokenCount for Bytes {
    fn count(&self, text: &str) -> usize {
        text.len()
    }
}

fn started() -> Extraction {
    let region = Region { lines: LineRange::new(2, 2), start_column: None, end_column: None };
    let finding = Finding {
        fingerprint: Fingerprint::from_digest([7; 16]),
        tool: "test".into(),
        rule: Rule {
            id: RuleId::new("test.rule").unwrap(),
            title: None,
            cwe: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: "a finding".into(),
        location: Some(Location { path: "store.py".parse().unwrap(), region: Some(region) }),
        flow: Vec::new(),
        suppressed: false,
    };
    Extractor::new(Arc::new(Bytes)).start(&finding, Limits::default())
}

/// The notes where the question about the callers of `find` also asks for `clean`, and the first
/// file that it leads to says `text`.
fn notes(text: &str) -> Vec<String> {
    let mut extraction = started();
    let own = "store.py".parse().unwrap();
    assert!(matches!(extraction.next(), Step::Want(path) if path == own));
    extraction.give(&own, Answer::Found(b"def find(name):\n    db.run(clean(name))\n"));
    let asked = extraction.questions.all.iter_mut().find(|q| !q.uses.is_empty()).unwrap();
    assert_eq!(asked.uses[0].name, "find");
    asked.wanted =
        vec![Wanted { name: "clean".into(), object: None, called: true, rank: asked.rank }];
    let Step::Want(path) = extraction.next() else { panic!("nothing is asked for") };
    extraction.give(&path, Answer::Found(text.as_bytes()));
    loop {
        match extraction.next() {
            Step::Want(path) => extraction.give(&path, Answer::Missing),
            Step::List(folder) => extraction.give_names(&folder, &[]),
            Step::Done(outcome) => return outcome.unwrap().notes().to_vec(),
        }
    }
}

#[test]
fn a_file_that_tells_something_else_holds_no_caller() {
    let clean = "def clean(name):\n    return name.strip()\n";
    assert_eq!(notes(clean), ["no caller found in the files read"]);
    let caller = "import store\n\ndef get(request):\n    store.find(request.args)\n";
    assert!(notes(&format!("{clean}\n{caller}")).is_empty());
}
