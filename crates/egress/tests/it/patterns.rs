//! Patterns of a customer, also odd ones: what they cannot be, and what they cannot undo.

use chaffinch_egress::{ExtraPattern, PolicyError, Redacted, Redactor, Segment};
use proptest::{prelude::*, sample::select};

use crate::support::{ALNUM, random};

fn with(patterns: &[&str]) -> Result<Redactor, PolicyError> {
    let numbered = patterns.iter().enumerate();
    let extra: Vec<ExtraPattern> = numbered
        .map(|(i, regex)| ExtraPattern { id: format!("own-{i}"), regex: (*regex).into() })
        .collect();
    Redactor::with(&extra)
}

fn all(redactor: &Redactor, text: &str) -> Redacted {
    redactor.redact(&[Segment { path: None, text }]).unwrap()
}

fn shown(redactor: &Redactor, text: &str) -> String {
    all(redactor, text).texts.remove(0).expose().to_owned()
}

#[test]
fn a_pattern_that_cannot_be_used_is_refused_by_name() {
    for pattern in [
        "(",
        "[a-",
        "a{2,1}",
        "(?=x)",
        r"\1",
        "x*",
        "",
        "^",
        "$",
        "(?m)^",
        "a|",
        "(?s).*",
        "(a{1000}){1000}",
        "(?:(?:a{100}){100}){100}",
        r"\pL{1000}\pL{1000}",
        "\\",
    ] {
        let error = with(&["fine", pattern]).err();
        assert!(
            matches!(&error, Some(PolicyError::ExtraPattern { id, .. }) if id == "own-1"),
            "{pattern:?}: {error:?}"
        );
    }
}

#[test]
fn anchors_groups_and_lines_mean_what_they_say() {
    let token = "staff = B-123456";
    for (pattern, text, wanted) in [
        (r"\bB-(\d{6})\b", token, "staff = B-‹secret:own-0#1›"),
        (r"B-\d{6}$", token, "staff = ‹secret:own-0#1›"),
        (r"^B-\d{6}", token, token),
        (r"(?m)^B-\d{6}$", "x\nB-123456\ny", "x\n‹secret:own-0#1›\ny"),
        (r"(?s)<<.*>>", "a <<b\n\n  c>> d", "a ‹secret:own-0#1›\n\n  ‹secret:own-0#1› d"),
        // A group that is empty is no secret; then it is all of the match.
        (r"key=(z*)", "key=;", "‹secret:own-0#1›;"),
        (r"(?i)badge", "BADGE", "‹secret:own-0#1›"),
        // It matches places too, and there is nothing to hide in a place.
        (r"\b", "a b", "a b"),
        (r"zz+|\b", "a zz b", "a ‹secret:own-0#1› b"),
    ] {
        assert_eq!(shown(&with(&[pattern]).unwrap(), text), wanted, "{pattern}");
    }
}

#[test]
fn a_pattern_that_takes_everything_leaves_the_lines_and_nothing_else() {
    let redactor = with(&["(?s).+"]).unwrap();
    assert_eq!(shown(&redactor, "a\n\n b"), "‹secret:own-0#1›\n\n ‹secret:own-0#1›");
}

#[test]
fn a_pattern_for_the_words_of_placeholders_does_not_keep_every_prompt_from_leaving() {
    let redactor = with(&["secret", "github-pat", "‹", "#1", "email"]).unwrap();
    let text = format!("t = '{}{}' # jane@corp.example", "ghp_", random(ALNUM, 36, 1));
    assert_eq!(shown(&redactor, &text), "t = '‹secret:github-pat#1›' # ‹email#1›");
}

#[test]
fn a_bracket_around_a_secret_hides_it_from_no_rule() {
    let token = format!("{}{}", "ghp_", random(ALNUM, 36, 1));
    for text in [format!("‹{token}›"), format!("‹secret:{token}#1›"), format!("‹email#1›{token}")]
    {
        assert!(!shown(&Redactor::new().unwrap(), &text).contains(&token[8..20]), "{text}");
    }
}

fn pattern() -> impl Strategy<Value = &'static str> {
    select(vec![
        ".", "(?s).+", r"\w+", r"\W", "g", "ghp", "gh(p_)", "[A-Z]{2}", "(?m)^.", "(?m).$", "@",
        "corp", r"\b\w", "(?s)a.*z", "'", "(?s)'.*'", "‹", "#", r"\d+", "secret", "(_)|(-)", "=.*",
        r"(?s)\n.", "(?i)T", r"[^\n]+@", "key=(z*)",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_pattern_switches_a_built_in_rule_off(
        patterns in prop::collection::vec(pattern(), 1..5),
        seed in 1u64..1_000_000,
        before in "[a-zé =(']{0,8}[ =(']",
        after in "[ )'\n][a-z #‹]{0,8}",
    ) {
        let token = format!("{}{}", "ghp_", random(ALNUM, 36, seed));
        let text = format!("{before}{token}{after}x = 'jane.doe@corp.example'\ny = '{token}'");
        let redactor = with(&patterns).unwrap();
        // A refusal is no disclosure either.
        if let Ok(found) = redactor.redact(&[Segment { path: None, text: &text }]) {
            let shown = found.texts[0].expose();
            for at in 0..token.len() - 8 {
                prop_assert!(!shown.contains(&token[at..at + 8]), "{shown}");
            }
            prop_assert!(!shown.contains("jane.doe"), "{shown}");
            prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
        }
    }
}
