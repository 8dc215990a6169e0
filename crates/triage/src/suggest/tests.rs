use super::*;
use chaffinch_core::{
    Confidence, ExcerptLine, Fingerprint, LineRange, Location, Reason, Region, Rule, Rung, Severity,
};

const FILE: &str = "\
import yaml

def load(text):
    data = yaml.load(text)
    return data
";

fn finding(path: &str, lines: LineRange) -> Finding {
    let region = Some(Region { lines, start_column: None, end_column: None });
    Finding {
        fingerprint: Fingerprint::from_digest([0; 16]),
        tool: String::new(),
        rule: Rule {
            id: "yaml".parse().unwrap(),
            title: None,
            cwe: vec![],
            severity: Severity::High,
            confidence: Confidence::High,
        },
        message: "".into(),
        location: Some(Location { path: path.parse().unwrap(), region }),
        flow: vec![],
        suppressed: false,
    }
}

/// What becomes of `fix` for lines 4 and so on of `file`, of which the model saw `seen`.
fn of(path: &str, file: &str, seen: &str, lines: LineRange, fix: &str) -> Option<Suggestion> {
    let lines_sent = seen.lines().zip(1..).map(|(text, number)| ExcerptLine {
        path: path.parse().unwrap(),
        number,
        text: text.into(),
        reason: Reason::Finding,
    });
    let excerpt = Excerpt::new(lines_sent.collect(), Rung::Finding, vec![]).unwrap();
    let file = SourceBytes::new(file.as_bytes().to_vec());
    validated(&fix.into(), &finding(path, lines), &excerpt, &file)
}

fn line_4(fix: &str) -> Option<Suggestion> {
    of("app/a.py", FILE, FILE, LineRange::new(4, 4), fix)
}

#[test]
fn a_change_of_the_reported_lines_that_parses_is_a_suggestion() {
    let found = line_4("    data = yaml.safe_load(text)\n").unwrap();
    assert_eq!(found.lines, LineRange::new(4, 4));
    assert_eq!(found.text.expose(), "    data = yaml.safe_load(text)");
    let two = "    if len(text) > 100:\n        raise ValueError\n    data = yaml.safe_load(text)";
    assert!(line_4(two).is_some());
}

#[test]
fn what_is_odd_is_left_out() {
    let long = format!("    data = f('{}')", "a".repeat(WIDEST));
    let many = "    f(text)\n".repeat(MOST_NEW + 1);
    for (why, fix) in [
        ("nothing", ""),
        ("blanks", "   \n"),
        ("no change", "    data = yaml.load(text)"),
        ("blanks alone", "    data  =  yaml.load( text )"),
        ("a comment alone", "    data = yaml.load(text)  # checked"),
        ("other indentation", "data = yaml.safe_load(text)"),
        ("deeper", "        data = yaml.safe_load(text)"),
        ("syntax", "    data = yaml.safe_load(text"),
        ("hidden characters", "    data = yaml.safe_load(\u{202e}text)"),
        ("a line that ends for some", "    data = yaml.safe_load(text) # \u{2028}f()"),
        ("a blank that is none", "    data = yaml.safe_load(\u{a0}text)"),
        ("a variation selector", "    data = yaml.safe_load(text\u{fe0f})"),
        ("control characters", "    data = yaml.safe_load(\u{7}text)"),
        ("the end of a block", "    data = yaml.safe_load(text)  # ```"),
        ("a marker", "    data = yaml.safe_load(text)  # <!-- chaffinch:1:summary -->"),
        ("a command", "    data = yaml.safe_load(text)\n/merge"),
        ("an address", "    data = yaml.safe_load(get('https://a.example/x'))"),
        ("an address of no scheme", "    data = yaml.safe_load(get('//a.example/x'))"),
        ("lines outside of the block", "    data = yaml.safe_load(text)\nimport os"),
        ("a blank pattern", "    data = yaml.safe_load(text\u{2800})"),
        ("a silencer", "    data = yaml.safe_load(text)  # nosemgrep"),
        ("a silencer with blanks", "    data = yaml.safe_load(text)  # type : ignore"),
        ("a silencer of another tool", "    data = yaml.safe_load(text)  # NOSEC"),
        ("a wide line", &long),
        ("many lines", &many),
    ] {
        assert_eq!(line_4(fix), None, "{why}");
    }
}

#[test]
fn lines_that_were_not_sent_as_they_are_get_no_suggestion() {
    let fix = "    data = yaml.safe_load(text)";
    let one = LineRange::new(4, 4);
    let redacted = FILE.replace("yaml.load(text)", "yaml.load(‹secret:key#1›)");
    assert_eq!(of("a.py", FILE, &redacted, one, fix), None, "redacted");
    let above: String = FILE.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert_eq!(of("a.py", FILE, &above, one, fix), None, "not shown");
    assert_eq!(of("a.py", &above, FILE, one, fix), None, "not in the file");
    // Applied, it would leave one line with another end than its neighbours have.
    assert_eq!(of("a.py", &FILE.replace('\n', "\r\n"), FILE, one, fix), None, "line ends");
    assert!(of("a.py", FILE, FILE, one, fix).is_some());
}

#[test]
fn a_file_that_cannot_be_parsed_gets_no_suggestion() {
    let page = "<p>\n<b>\n<i>\n<%= raw(name) %>\n";
    assert_eq!(of("a.erb", page, page, LineRange::new(4, 4), "<%= name %>"), None);
    let broken = "def f(:\n    x = 1\n\n    data = yaml.load(text)\n";
    let fix = "    data = yaml.safe_load(text)";
    assert!(
        of("a.py", broken, broken, LineRange::new(4, 4), fix).is_some(),
        "no worse than it was"
    );
}
