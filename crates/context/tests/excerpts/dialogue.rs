//! What is asked for, and what comes of the answers.

use std::sync::Arc;

use chaffinch_context::{Answer, Extractor, Limits, Step};
use chaffinch_core::Rung;
use insta::assert_snapshot;

use crate::{AMPLE, TOKENS, excerpt, finding, region, show, through};

const APP: &[u8] =
    b"import db\n\n@route('/x')\ndef handler(request):\n    term = request['q']\n    db.find(term)\n";
const DB: &[u8] = b"LIMIT = 3\n\ndef find(term):\n    log()\n    sql = 'SELECT ' + term\n    run(sql)\n\ndef other():\n    pass\n";

#[test]
fn a_flow_through_another_file_adds_its_steps_and_what_they_depend_on() {
    let found = through(finding("db.py", Some(region(6, 6))), &[("app.py", 5), ("db.py", 5)]);
    let files = [("app.py", APP), ("db.py", DB)];
    assert_snapshot!(show(&excerpt(&found, &files, AMPLE)), @"
    db.py
       3 signature | def find(term):
       4 function |     log()
       5 trace |     sql = 'SELECT ' + term
       6 finding |     run(sql)
    app.py
       3 caller of find | @route('/x')
       4 caller of find | def handler(request):
       5 trace |     term = request['q']
       6 caller of find |     db.find(term)
    rung Related
    ");
}

#[test]
fn below_the_rung_of_other_files_no_other_file_is_asked_for() {
    let found = through(finding("db.py", Some(region(6, 6))), &[("app.py", 5)]);
    let limits = Limits { ceiling: Rung::Function, ..AMPLE };
    let mut extraction = Extractor::new(Arc::clone(&TOKENS)).start(&found, limits);
    let Step::Want(path) = extraction.next() else { panic!("nothing wanted") };
    assert_eq!(path.as_str(), "db.py");
    extraction.give(&path, Answer::Found(DB));
    let Step::Done(outcome) = extraction.next() else { panic!("more wanted") };
    assert_eq!(outcome.unwrap().rung(), Rung::Function);
    assert_eq!(extraction.requests(), 1);
}

#[test]
fn a_wrong_flow_takes_nothing_away() {
    let plain = finding("db.py", Some(region(6, 6)));
    let wrong = through(plain.clone(), &[("gone.py", 5), ("app.py", 900), ("db.py", 8)]);
    let files = [("app.py", APP), ("db.py", DB)];
    let without = excerpt(&plain, &files, AMPLE).unwrap();
    let with = excerpt(&wrong, &files, AMPLE).unwrap();
    for line in without.lines() {
        assert!(with.line(&line.path, line.number).is_some(), "line {}", line.number);
    }
    assert_snapshot!(show(&Ok(with)), @"
    db.py
       3 signature | def find(term):
       4 function |     log()
       5 slice |     sql = 'SELECT ' + term
       6 finding |     run(sql)
       8 trace | def other():
    app.py
       3 caller of find | @route('/x')
       4 caller of find | def handler(request):
       5 caller of find |     term = request['q']
       6 caller of find |     db.find(term)
    rung Related
    note: a step of the flow is left out: the file does not exist at this commit
    ");
}

#[test]
fn asking_again_before_the_answer_asks_for_the_same_file_and_counts_once() {
    let mut extraction =
        Extractor::new(Arc::clone(&TOKENS)).start(&finding("db.py", Some(region(6, 6))), AMPLE);
    assert!(matches!(extraction.next(), Step::Want(_)));
    extraction.give(&"other.py".parse().unwrap(), Answer::Found(APP));
    assert!(matches!(extraction.next(), Step::Want(path) if path.as_str() == "db.py"));
    assert_eq!(extraction.requests(), 1);
}

#[test]
fn requests_stop_at_the_limit() {
    let steps = [("a.py", 1), ("b.py", 1), ("c.py", 1)];
    let found = through(finding("db.py", Some(region(6, 6))), &steps);
    let limits = Limits { content_requests: 2, ..AMPLE };
    let mut extraction = Extractor::new(Arc::clone(&TOKENS)).start(&found, limits);
    let mut wanted = Vec::new();
    let outcome = loop {
        match extraction.next() {
            Step::Want(path) => {
                extraction.give(&path, Answer::Found(DB));
                wanted.push(path.to_string());
            }
            Step::List(_) => panic!("no names may be asked for"),
            Step::Done(outcome) => break outcome,
        }
    };
    assert_eq!(wanted, ["db.py", "a.py"]);
    assert_eq!(
        outcome.unwrap().notes(),
        [
            "the flow passes through more files than may be asked for",
            "no caller found in the files read"
        ]
    );
}

#[test]
fn where_nothing_can_be_shown_a_sentence_says_why() {
    let on = |region| finding("db.py", region);
    let no_file = chaffinch_core::Finding { location: None, ..on(None) };
    let short = Limits { budget: 20, ..AMPLE };
    let none = Limits { content_requests: 0, ..AMPLE };
    let here = [("db.py", DB)];
    let shown = [
        show(&excerpt(&no_file, &here, AMPLE)),
        show(&excerpt(&on(None), &here, AMPLE)),
        show(&excerpt(&on(Some(region(99, 99))), &here, AMPLE)),
        show(&excerpt(&on(Some(region(1, 1))), &[], AMPLE)),
        show(&excerpt(&on(Some(region(1, 1))), &[("db.py", b"")], AMPLE)),
        show(&excerpt(&on(Some(region(1, 1))), &[("db.py", b"MZ\0\x01")], AMPLE)),
        show(&excerpt(&on(Some(region(5, 5))), &here, short)),
        show(&excerpt(&on(Some(region(5, 5))), &here, none)),
    ];
    assert_snapshot!(shown.join("\n"), @r"
    none: the finding names no file
    none: the finding names no line
    none: the finding is on line 99 of a file of 9 at this commit
    none: the file does not exist at this commit
    none: the file is empty
    none: the file is binary
    none: the budget does not hold the finding's first line
    none: no file may be asked for
    ");
}

#[test]
fn a_file_too_large_to_read_has_no_excerpt() {
    let mut extraction =
        Extractor::new(Arc::clone(&TOKENS)).start(&finding("db.py", Some(region(6, 6))), AMPLE);
    let Step::Want(path) = extraction.next() else { panic!("nothing wanted") };
    extraction.give(&path, Answer::TooLarge);
    let Step::Done(outcome) = extraction.next() else { panic!("more wanted") };
    assert_eq!(outcome.unwrap_err().why, "the file is larger than may be read");
}

#[test]
fn a_finding_without_a_line_is_shown_where_its_flow_ends() {
    let found = through(finding("db.py", None), &[("db.py", 5), ("db.py", 6)]);
    let limits = Limits { ceiling: Rung::Finding, ..AMPLE };
    assert_snapshot!(show(&excerpt(&found, &[("db.py", DB)], limits)), @r"
    db.py
       5 trace |     sql = 'SELECT ' + term
       6 finding |     run(sql)
    rung Finding
    ");
}

#[test]
fn the_whole_file_is_sent_only_where_it_may_be() {
    let found = finding("db.py", Some(region(6, 6)));
    let limits = Limits { ceiling: Rung::File, ..AMPLE };
    let whole = excerpt(&found, &[("db.py", DB)], limits).unwrap();
    assert_eq!((whole.rung(), whole.lines().len()), (Rung::File, 9));
    let part = excerpt(&found, &[("db.py", DB)], AMPLE).unwrap();
    assert_eq!((part.rung(), part.lines().len()), (Rung::Function, 4));
}
