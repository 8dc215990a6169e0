use chaffinch_core::{
    Cause, Confidence, Excerpt, ExcerptLine, Finding, Fingerprint, LineRange, Location, Reason,
    Region, Rule, Rung, Severity, Verdict,
};
use proptest::prelude::*;

use super::*;

const LINES: [(u32, &str); 4] = [
    (9, "def find(name):"),
    (10, "    # escaped by the caller, quite safe"),
    (11, "    value = int(name)  # cast, so it is safe"),
    (12, "    cursor.execute('SELECT * FROM t WHERE id = %d' % value)"),
];

fn excerpt() -> Excerpt {
    let lines = LINES.iter().map(|(number, text)| ExcerptLine {
        path: "app/db.py".parse().unwrap(),
        number: *number,
        text: (*text).into(),
        reason: Reason::Function,
    });
    Excerpt::new(lines.collect(), Rung::Function, vec![]).unwrap()
}

fn finding(line: u32) -> Finding {
    Finding {
        fingerprint: Fingerprint::from_digest([7; 16]),
        tool: "Semgrep 1".into(),
        rule: Rule {
            id: "sqli".parse().unwrap(),
            title: None,
            cwe: vec![],
            severity: Severity::High,
            confidence: Confidence::Unknown,
        },
        message: "".into(),
        location: Some(Location {
            path: "app/db.py".parse().unwrap(),
            region: Some(Region {
                lines: LineRange::new(line, line),
                start_column: None,
                end_column: None,
            }),
        }),
        flow: vec![],
        suppressed: false,
    }
}

fn answer(verdict: &str, evidence: &[(&str, i64, &str)]) -> String {
    let evidence: Vec<_> = evidence
        .iter()
        .map(|(path, line, quote)| serde_json::json!({"path": path, "line": line, "quote": quote}))
        .collect();
    serde_json::json!({
        "reason": "because", "evidence": evidence, "verdict": verdict,
        "remediation": "", "confidence": 80, "needs": []
    })
    .to_string()
}

fn judged(text: &str, line: u32, directed: Option<Directed>) -> Result<Triage, Malformed> {
    Ok(judge(parse(text)?, &finding(line), &excerpt(), directed).triage)
}

const GOOD: (&str, i64, &str) = ("app/db.py", 11, "value = int(name)");

#[test]
fn a_false_positive_with_evidence_is_taken() {
    let triage = judged(&answer("false_positive", &[GOOD]), 12, None).unwrap();
    assert_eq!(triage.verdict, Verdict::FalsePositive);
    assert_eq!(triage.cause, None);
    assert_eq!(triage.evidence.len(), 1);
}

/// Each row is one way the world can be wrong.
#[test]
fn a_missing_damaged_or_unverifiable_answer_is_never_a_false_positive() {
    let fp = |evidence: &[_]| answer("false_positive", evidence);
    let good = fp(&[GOOD]);
    let malformed: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("a word", "false_positive".into()),
        ("half of it", good[..good.len() / 2].to_owned()),
        ("an unknown key", good.replacen('{', "{\"extra\":1,", 1)),
        ("a key twice", good.replacen('{', "{\"verdict\":\"false_positive\",", 1)),
        ("a key too few", good.replace("\"needs\":[],", "")),
        ("an unknown verdict", good.replace("false_positive", "benign")),
        ("a verdict in capitals", good.replace("false_positive", "FALSE_POSITIVE")),
        ("no reason", good.replace("because", "  ")),
        ("a fence around it", format!("```json\n{good}\n```")),
        ("words after it", format!("{good} ok?")),
        ("two answers", format!("{good}{good}")),
        ("an array", format!("[{good}]")),
        ("a line that is no number", good.replace(":11", ":\"11\"")),
        ("half a line", good.replace(":11", ":11.5")),
        ("a reason without end", good.replace("because", &"x".repeat(9_000))),
        ("an answer without end", good.replace("because", &"x".repeat(70_000))),
        ("too many quotations", fp(&[GOOD; 51])),
        ("deep nesting", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))),
    ];
    for (what, text) in malformed {
        assert_eq!(judged(&text, 12, None), Err(Malformed), "{what}");
    }

    let unproven: Vec<(&str, String)> = vec![
        ("no evidence", fp(&[])),
        ("a made-up line", fp(&[("app/db.py", 11, "value = escape(name)")])),
        ("the right text at the wrong line", fp(&[("app/db.py", 12, GOOD.2)])),
        ("the right text in another file", fp(&[("app/web.py", 11, GOOD.2)])),
        ("a line that was not sent", fp(&[("app/db.py", 13, GOOD.2)])),
        ("line 0", fp(&[("app/db.py", 0, GOOD.2)])),
        ("a negative line", fp(&[("app/db.py", -11, GOOD.2)])),
        ("a line past all files", fp(&[("app/db.py", i64::MAX, GOOD.2)])),
        ("a path that leaves the repository", fp(&[("../app/db.py", 11, GOOD.2)])),
        ("an empty quotation", fp(&[("app/db.py", 11, "  ")])),
        ("a trivial quotation", fp(&[("app/db.py", 11, "(")])),
        ("a quotation without a word", fp(&[("app/db.py", 11, ")  #")])),
        ("a good one and a made-up one", fp(&[GOOD, ("app/db.py", 9, "def escape(x)")])),
        ("two lines in one", fp(&[("app/db.py", 11, "value = int(name)\ncursor")])),
        ("another case", fp(&[("app/db.py", 11, "VALUE = INT(NAME)")])),
        ("only a comment", fp(&[("app/db.py", 10, "escaped by the caller")])),
        ("only a comment behind code", fp(&[("app/db.py", 11, "cast, so it is safe")])),
    ];
    for (what, text) in unproven {
        let triage = judged(&text, 12, None).unwrap();
        assert_eq!(triage.verdict, Verdict::NeedsReview, "{what}");
        assert_eq!(triage.cause, Some(Cause::Evidence), "{what}");
        assert!(triage.reason.is_empty() && triage.evidence.is_empty(), "{what}");
    }

    let unseen = judged(&good, 40, None).unwrap();
    assert_eq!(unseen.cause, Some(Cause::Evidence), "the finding's own line was not sent");
    for directed in [Directed::Words, Directed::Hidden] {
        let triage = judged(&good, 12, Some(directed)).unwrap();
        assert_eq!(triage.verdict, Verdict::NeedsReview);
        assert_eq!(triage.cause, Some(Cause::Directed));
    }
}

#[test]
fn a_true_positive_stands_without_its_made_up_evidence() {
    let made_up = ("app/db.py", 9, "os.system(name)");
    let triage = judged(&answer("true_positive", &[made_up, GOOD]), 12, Some(Directed::Words));
    let triage = triage.unwrap();
    assert_eq!(triage.verdict, Verdict::TruePositive);
    assert_eq!(triage.evidence.iter().map(|e| e.line).collect::<Vec<_>>(), [11]);
}

#[test]
fn an_unsure_model_says_what_it_needs() {
    let text = answer("needs_review", &[]).replace("\"needs\":[]", "\"needs\":[\"escape()\"]");
    let judged = judge(parse(&text).unwrap(), &finding(12), &excerpt(), None);
    assert_eq!(judged.triage.cause, Some(Cause::Unsure));
    assert_eq!(judged.needs.len(), 1);
}

#[test]
fn confidence_is_brought_within_bounds() {
    for (said, want) in [("-5", 0), ("1e9", 100), ("80", 80), ("79.6", 80)] {
        let text = answer("true_positive", &[]).replace(":80", &format!(":{said}"));
        assert_eq!(judged(&text, 12, None).unwrap().confidence, want);
    }
}

#[test]
fn what_counts_as_a_comment_is_told_by_language() {
    for (line, extension, code) in [
        ("x = 1 # y", "py", "x = 1 "),
        ("url = 'http://a'", "py", "url = 'http://a'"),
        ("#define MAX 10", "c", "#define MAX 10"),
        ("// y", "js", ""),
        (" * y", "java", ""),
        ("*p = 1;", "c", "*p = 1;"),
        ("f(x);// y", "js", "f(x);"),
        ("i--", "c", "i--"),
    ] {
        assert_eq!(&line[..comment_start(line, extension)], code);
    }
}

#[test]
fn what_a_docstring_or_block_comment_claims_proves_nothing() {
    let texts = [
        "def f(a):",
        "    \"\"\"Finds.",
        "    a is escaped.",
        "    \"\"\"",
        "    b = 1",
        "/* a",
        "b */",
        "c = 1",
    ];
    let lines = texts.iter().zip(1..).map(|(text, number)| ExcerptLine {
        path: "a.py".parse().unwrap(),
        number,
        text: (*text).into(),
        reason: Reason::Function,
    });
    let excerpt = Excerpt::new(lines.collect(), Rung::Function, vec![]).unwrap();
    let inside: Vec<u32> =
        excerpt.lines().iter().filter(|l| in_block(l, &excerpt)).map(|l| l.number).collect();
    assert_eq!(inside, [3, 4, 7]);
}

fn any_quote() -> impl Strategy<Value = (String, i64, String)> {
    let path = prop_oneof![Just("app/db.py".to_owned()), "[a-z/.]{0,12}"];
    let texts: Vec<String> = LINES.iter().map(|(_, text)| (*text).to_owned()).collect();
    let text = prop_oneof![
        (prop::sample::select(texts), 0usize..60, 0usize..60).prop_map(|(text, a, b)| {
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            text[a.min(b)..a.max(b)].to_owned()
        }),
        "\\PC{0,30}",
    ];
    (path, -2i64..20, text)
}

proptest! {
    /// The invariant, restated without the code under test.
    #[test]
    fn a_false_positive_quotes_what_was_sent(
        evidence in prop::collection::vec(any_quote(), 0..4),
        line in 5u32..15,
        verdict in prop::sample::select(vec!["false_positive", "true_positive", "needs_review"]),
    ) {
        let rows: Vec<_> = evidence.iter().map(|(p, l, q)| (p.as_str(), *l, q.as_str())).collect();
        let triage = judged(&answer(verdict, &rows), line, None).unwrap();
        if triage.verdict == Verdict::FalsePositive {
            prop_assert_eq!(verdict, "false_positive");
            prop_assert!(!rows.is_empty());
            for (path, line, quote) in &rows {
                prop_assert_eq!(*path, "app/db.py");
                let (_, text) = LINES.iter().find(|(n, _)| i64::from(*n) == *line).unwrap();
                prop_assert!(text.contains(quote.trim()) && quote.trim().len() >= MIN_QUOTE);
            }
            prop_assert!((9..=12).contains(&line));
        }
        for shown in &triage.evidence {
            let (_, text) = LINES.iter().find(|(n, _)| *n == shown.line).unwrap();
            prop_assert!(text.contains(shown.quote.expose()));
        }
    }

    #[test]
    fn arbitrary_text_is_no_answer(text in "\\PC{0,200}") {
        prop_assert!(judged(&text, 12, None).map(|t| t.verdict) != Ok(Verdict::FalsePositive));
    }
}
