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

/// Lines of one file, as they are numbered; one that begins with `def ` is the head of a function.
fn lines_of(path: &str, lines: &[(u32, &str)]) -> Excerpt {
    let line = |(number, text): &(u32, &str)| ExcerptLine {
        path: path.parse().unwrap(),
        number: *number,
        text: (*text).into(),
        reason: if text.starts_with("def ") { Reason::Signature } else { Reason::Function },
    };
    Excerpt::new(lines.iter().map(line).collect(), Rung::Function, vec![]).unwrap()
}

/// The numbers of the lines whose whole text, quoted, is evidence.
fn proving(path: &str, lines: &[(u32, &str)]) -> Vec<u32> {
    let excerpt = lines_of(path, lines);
    let quoted = |line: &&ExcerptLine| {
        let quote = line.text.expose().trim().into();
        proves(&Evidence { path: line.path.clone(), line: line.number, quote }, &excerpt)
    };
    excerpt.lines().iter().filter(quoted).map(|line| line.number).collect()
}

/// The same for lines that follow each other from line 1.
fn proving_all(path: &str, lines: &[&str]) -> Vec<u32> {
    let lines: Vec<_> = (1..).zip(lines.iter().copied()).collect();
    proving(path, &lines)
}

const BAIT: &str = "    value = int(name)";

#[test]
fn what_a_docstring_or_block_comment_claims_proves_nothing() {
    let lines = ["def f(a):", "    \"\"\"Finds.", BAIT, "    \"\"\"", "    b = 1"];
    assert_eq!(proving_all("a.py", &lines), [1, 5]);
    assert_eq!(proving_all("a.js", &["x = 1; /* a", BAIT, "b */", "c = 1;"]), [4]);
    assert_eq!(proving_all("a.rb", &["=begin", BAIT, "=end", "c = 1"]), [4]);
    assert_eq!(proving_all("a.html", &["<p> <!-- a", BAIT, "-->", "<b>ccc</b>"]), [4]);
}

#[test]
fn what_a_text_of_several_lines_says_proves_nothing() {
    let rows: [(&str, &str, &str); 9] = [
        ("a.py", "x = \"\"\"", "\"\"\".strip()"),
        ("a.py", "log(f'''", "''')"),
        ("A.java", "String x = \"\"\"", "\"\"\";"),
        ("a.ts", "const x = `", "`;"),
        ("a.go", "x := `a\\", "`"),
        ("a.php", "$x = <<<EOT", "EOT;"),
        ("a.rb", "x = <<~'sql'.strip", "  sql"),
        ("a.sh", "cat <<-EOF | grep x", "EOF"),
        ("a.php", "$x = \"SELECT", "\";"),
    ];
    for (path, open, close) in rows {
        let proving = proving_all(path, &["a = 1", open, BAIT, close, "last = 1"]);
        assert!(!proving.contains(&3), "{path}: {open}");
        assert!(proving.contains(&1), "{path}: {open}");
    }
    let excerpt = lines_of("a.py", &[(1, "x = f(1) + \"\"\"int(name)"), (2, "\"\"\"")]);
    for (quote, is_code) in [("x = f(1)", true), ("int(name)", false)] {
        let evidence = Evidence { path: "a.py".parse().unwrap(), line: 1, quote: quote.into() };
        assert_eq!(proves(&evidence, &excerpt), is_code, "{quote}");
    }
}

#[test]
fn behind_a_text_of_several_lines_is_code_again() {
    for (path, open, close) in [
        ("a.py", "x = \"\"\"", "\"\"\".strip()"),
        ("a.ts", "const x = `", "`;"),
        ("a.php", "$x = <<<EOT", "EOT;"),
        ("a.c", "x = 1; /* it's", "*/"),
    ] {
        let proving = proving_all(path, &["a = 1", open, BAIT, close, "last = 1"]);
        assert!(proving.contains(&5), "{path}: {open}");
    }
}

#[test]
fn a_sign_in_a_comment_or_string_turns_nothing_round() {
    for decoy in ["# \"\"\"", "x=1# it's \"\"\"", "x = '\"\"\"'"] {
        let proving = proving_all("a.py", &[decoy, "y = \"\"\"", BAIT, "\"\"\""]);
        assert!(!proving.contains(&3), "{decoy}");
    }
    for decoy in ["// a ` b", "x = '`'", "x = s.replace(/'/g, '`')", "x = /`/"] {
        let proving = proving_all("a.js", &[decoy, "y = `", BAIT, "`"]);
        assert!(!proving.contains(&3), "{decoy}");
    }
}

#[test]
fn a_text_whose_opening_was_cut_away_proves_nothing() {
    let rows: [(&str, &str); 7] = [
        ("a.py", "\"\"\""),
        ("a.py", "  WHERE name = \"\"\""),
        ("a.py", "\"\"\" if name else 0"),
        ("a.js", "`);"),
        ("a.c", "  and so on */"),
        ("a.php", "EOT;"),
        ("a.sh", "EOF"),
    ];
    for (path, close) in rows {
        let cut = [(20, BAIT), (21, close), (22, "last = 1")];
        assert!(!proving(path, &cut).contains(&20), "{path}: {close}");
        let far = [(1, "first = 1"), (20, BAIT), (25, "other = 1"), (30, close)];
        let proving = proving(path, &far);
        assert!(proving.contains(&1), "{path}: {close}");
        assert!(!proving.contains(&20) && !proving.contains(&25), "{path}: {close}");
    }
    // It was cut in the middle of a line, which was too wide.
    let wide = [(1, "x = a + b …"), (2, BAIT), (3, "\"\"\"")];
    assert!(!proving("a.py", &wide).contains(&2));
}

#[test]
fn code_beside_texts_proves_as_before() {
    let plain = [(20, BAIT), (25, "a = \"\"\"one line\"\"\""), (30, "b = `x` + '/*'")];
    assert_eq!(proving("a.py", &plain), [20, 25, 30]);
    let template = [(20, BAIT), (22, "fetch(`/users/${id}`, { method: 'POST' })"), (24, "d();e()")];
    assert_eq!(proving("a.js", &template), [20, 22, 24]);
    // No string ends right before a word: this one begins here.
    let begins = [(20, BAIT), (21, "q = \"\"\"SELECT 1"), (22, "\"\"\""), (23, "run(q)")];
    assert_eq!(proving("a.py", &begins), [20, 23]);
    // The grammar knows where a function begins.
    let head = [(20, "def f(name):"), (21, BAIT), (22, "q = \"\"\""), (23, "xyz"), (24, "\"\"\"")];
    assert_eq!(proving("a.py", &head), [20, 21]);
    let next = [(20, BAIT), (30, "def f(name):"), (31, "q = \"\"\""), (32, "xyz"), (33, "\"\"\"")];
    assert_eq!(proving("a.py", &next), [20, 30]);
    let globs = [(20, BAIT), (21, "paths = glob('src/*')"), (22, "cron = '*/5'")];
    assert_eq!(proving("a.py", &globs), [20, 21, 22]);
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
