//! What a receipt counts is what stands in the prompt.

use std::collections::BTreeMap;

use chaffinch_core::{ExcerptLine, Reason};
use chaffinch_egress::{ExtraPattern, Policy, placeholders};
use proptest::{prelude::*, sample::select};

use crate::support::{ALNUM, BASE64, door, line, policy, prompt, random};

/// A piece of a line: secrets and addresses, some inside of others, and texts that look like ours.
fn piece() -> impl Strategy<Value = String> {
    let token = (1u64..4).prop_map(|seed| format!("{}{}", "ghp_", random(ALNUM, 36, seed)));
    let password =
        (1u64..4).prop_map(|seed| format!("password = \"{}7!x\"", random(ALNUM, 8, seed)));
    let key = (1u64..3).prop_map(|seed| random(BASE64, 64, seed));
    let plain = select(vec![
        "x = 1",
        "jane@corp.example",
        "password = \"jane@corp.example7!\"",
        "db://user:hunter2hunter2@host/x",
        "db://u:joe@corp.example@host/x",
        "‹secret:github-pat#1›",
        "‹email#1›",
        "‹email#2",
        "secret:github-pat#2",
        "<email#1>",
        "‹secret:password-literal#1›",
        "password = \"‹email#1›\"",
        "B-123456",
        "-----BEGIN PRIVATE KEY-----",
        "",
    ]);
    prop_oneof![token, password, key, plain.prop_map(str::to_owned)]
}

fn counted(text: &str) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for found in placeholders(text) {
        let written = &text[found.range.clone()];
        if written.starts_with('‹') && written.ends_with('›') {
            *counts.entry(found.name).or_default() += 1;
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_counts_are_those_of_the_placeholders_in_the_prompt(
        rows in prop::collection::vec((prop::collection::vec(piece(), 1..4), 1u32..3), 1..8),
        question in prop::collection::vec(piece(), 0..4),
    ) {
        let extra_patterns = vec![ExtraPattern { id: "badge".into(), regex: r"B-\d{6}".into() }];
        let door = door(Policy {
            excerpt_tokens: 50_000, prompt_tokens: 100_000, extra_patterns, ..policy()
        });
        let mut number = 0;
        let lines: Vec<ExcerptLine> = rows
            .iter()
            .map(|(pieces, gap)| {
                number += gap;
                line("a.py", number, &pieces.join("; "), Reason::Function)
            })
            .collect();
        let asked = prompt(&question.join("\n"), lines);
        let before = asked.render();
        let theirs = counted(before.expose());
        let inspected = door.inspect(asked).unwrap();
        let after = inspected.prompt().render();
        let mut ours: BTreeMap<String, u32> = BTreeMap::new();
        for (name, count) in counted(after.expose()) {
            // One that stood there before is never one of ours.
            if !theirs.contains_key(name) {
                *ours.entry(name.split('#').next().unwrap().to_owned()).or_default() += count;
            }
        }
        prop_assert_eq!(&ours, inspected.redactions(), "{}", after.expose());
    }
}

#[test]
fn a_text_that_looks_like_a_placeholder_is_not_counted_and_its_name_not_used() {
    for theirs in ["‹email#1›", "<email#1>", "x‹email#1›y"] {
        let source = format!("x = '{theirs}'; y = 'jane@corp.example'");
        let inspected = door(policy())
            .inspect(prompt("rule", vec![line("a.py", 1, &source, Reason::Function)]));
        let inspected = inspected.unwrap();
        assert_eq!(inspected.redactions(), &BTreeMap::from([("email".to_owned(), 1)]));
        let shown = inspected.prompt().render().expose().to_owned();
        assert!(shown.contains(theirs) && shown.contains("‹email#2›"), "{shown}");
    }
}

#[test]
fn a_name_of_a_file_that_looks_like_a_placeholder_is_none_of_ours() {
    let source = vec![line("a‹email#1›.py", 1, "jane@corp.example", Reason::Function)];
    let inspected = door(policy()).inspect(prompt("rule", source)).unwrap();
    let shown = inspected.prompt().render().expose().to_owned();
    assert!(shown.contains("a‹email#1›.py") && shown.contains("| ‹email#2›"), "{shown}");
}
